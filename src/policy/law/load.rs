//! Loading: the files together, checked against each other and against those in the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::policy::PolicyError;
use crate::policy::law::channels::Channels;
use crate::policy::law::duties::Duties;
use crate::policy::law::file::{LawFile, LawRule, read};
use crate::policy::law::join::Join as _;
use crate::policy::law::minors::Care;
use crate::policy::law::params::{Deadline, Params, SendWindow, Term};
use crate::policy::law::terms::{Basis, MessageClass};
use crate::policy::law::{Law, answer, merged};
use crate::policy::sources::{self, Source};
use crate::policy::words::Jurisdiction;

/// The file of the channels.
const CHANNELS: &str = "channels.toml";

impl Law {
    /// The law in the binary.
    pub fn embedded() -> Result<Self, PolicyError> {
        Self::compile(&sources::law())
    }

    pub(crate) fn compile(all: &[Source]) -> Result<Self, PolicyError> {
        let is_channels = |it: &&Source| it.path.ends_with(CHANNELS);
        let law = all.iter().filter(|it| it.is_law() && !is_channels(it));
        let named: Vec<(String, &str)> = law
            .map(|it| (it.path.to_string_lossy().into_owned(), it.text.as_ref()))
            .collect();
        let named: Vec<(&str, &str)> = named
            .iter()
            .map(|(name, text)| (name.as_str(), *text))
            .collect();
        let mut law = Self::read(&named)?;
        if let Some(channels) = all.iter().find(is_channels) {
            law.channels = Channels::read(CHANNELS, &channels.text)?;
        }
        Ok(law)
    }

    /// Reads the files, given as their place below `guardrails/` and their text.
    pub fn read(sources: &[(&str, &str)]) -> Result<Self, PolicyError> {
        let mut files = Vec::new();
        for (name, text) in sources {
            files.push(read(name, text)?);
        }
        files.sort_by_key(|file: &LawFile| {
            (
                file.jurisdiction != Jurisdiction::UNKNOWN,
                Arc::clone(&file.name),
            )
        });
        let mut practice_types = BTreeMap::new();
        for file in &files {
            practice_types.extend(file.practice_types.clone());
        }
        let law = Self {
            files,
            practice_types,
            channels: Channels::default(),
        };
        law.check()?;
        Ok(law)
    }

    /// Runs every example; an example that fails refuses the policy.
    pub fn run_examples(&self) -> Result<usize, PolicyError> {
        let mut run = 0;
        for file in &self.files {
            for example in &file.examples {
                if let Err(message) = answer::check(self, file, example) {
                    let (place, line) = &example.place;
                    let remedy = "mend the rule, or the example if the law says so";
                    let name = format!("test {:?}", example.name);
                    return Err(PolicyError::at(place, *line, &name, &message, remedy));
                }
                run += 1;
            }
        }
        Ok(run)
    }

    fn check(&self) -> Result<(), PolicyError> {
        let mut seen: BTreeMap<&str, &LawRule> = BTreeMap::new();
        let mut known: BTreeSet<&str> = self.practice_types.keys().map(Term::as_str).collect();
        known.extend(self.practice_types.values().flatten().map(Term::as_str));
        for rule in self.rules() {
            if let Some(first) = seen.insert(&rule.id, rule) {
                let message = format!("the id is taken by {}:{}", first.place.0, first.place.1);
                return Err(rule.refuse(&message, "give each rule its own id"));
            }
            if let Some(unknown) = rule
                .practice_type
                .iter()
                .find(|it| !known.contains(it.as_str()))
            {
                let message = format!("there is no practice type `{unknown}`");
                let remedy =
                    "use one that [practice_types] in default.toml lists, or list it there";
                return Err(rule.refuse(&message, remedy));
            }
            check_params(rule)?;
        }
        for rule in self.rules() {
            let Some(relaxed) = &rule.relaxes else {
                continue;
            };
            match seen.get(&**relaxed) {
                Some(target) if target.basis == Basis::Policy => {}
                Some(target) => {
                    let message =
                        format!("`{relaxed}` is a {}; law cannot be relaxed", target.basis);
                    return Err(rule.refuse(&message, "relax only rules with basis = \"policy\""));
                }
                None => {
                    let message = format!("there is no rule `{relaxed}` to relax");
                    return Err(rule.refuse(&message, "write its id as its file does"));
                }
            }
        }
        Ok(())
    }

    /// Whether these files keep every rule that `built_in` has, each at least as strict. Law in a
    /// folder adds; it takes nothing away.
    pub fn keeps(&self, built_in: &Self) -> Result<(), PolicyError> {
        self.channels.keeps(&built_in.channels, CHANNELS)?;
        for rule in built_in.rules() {
            let Some(own) = self.rule(&rule.id) else {
                let file = self.file(rule.jurisdiction);
                let file = file.map_or("states", |file| &file.name);
                let remedy = "copy it from the built-in file; a rule of the house is set aside by \
                              another with `relaxes` and `reason`, law never";
                return Err(PolicyError::at(
                    file,
                    1,
                    &rule.id,
                    "the rule is left out",
                    remedy,
                ));
            };
            if let Some(how) = looser(own, rule) {
                let remedy = if rule.basis == Basis::Policy {
                    "keep the built-in rule and add one with `relaxes` and `reason`"
                } else {
                    "law is never loosened here; when the law has changed, a new release says so"
                };
                return Err(own.refuse(&how, remedy));
            }
        }
        Ok(())
    }
}

/// How one rule is looser than another, if it is.
fn looser(own: &LawRule, built_in: &LawRule) -> Option<String> {
    let law = built_in.basis != Basis::Policy;
    if own.jurisdiction != built_in.jurisdiction || own.kind() != built_in.kind() {
        return Some("its kind or jurisdiction is not that of the built-in rule".to_owned());
    }
    if law && own.basis == Basis::Policy {
        return Some(format!(
            "it turns a {} into a rule of the house",
            built_in.basis
        ));
    }
    if own.effective > built_in.effective {
        return Some(format!("it begins later than {}", built_in.effective));
    }
    match (own.until, built_in.until) {
        (Some(own), None) => return Some(format!("it ends on {own}; the built-in rule stands")),
        (Some(own), Some(until)) if own < until => {
            return Some(format!("it ends on {own}, before {until}"));
        }
        (Some(_) | None, Some(_)) | (None, None) => {}
    }
    let narrower = !own.practice_type.is_empty()
        && (built_in.practice_type.is_empty()
            || !built_in
                .practice_type
                .iter()
                .all(|it| own.practice_type.contains(it)));
    if narrower {
        return Some("it binds fewer types of practice".to_owned());
    }
    if !covers(&merged(&[own]), &merged(&[built_in])) {
        return Some("it demands less than the built-in rule".to_owned());
    }
    None
}

/// Whether `strict` demands at least what `base` does. Clocks are compared one by one, all else by
/// its merge.
pub(crate) fn covers(strict: &Duties, base: &Duties) -> bool {
    let clocks = base.clocks.iter().all(|base| {
        strict.clocks.iter().any(|own| {
            let sooner = match (own.n, base.n) {
                (Some(own_n), Some(n)) => own_n <= n && own.unit <= base.unit,
                (_, None) => true,
                (None, Some(_)) => false,
            };
            let longer = |it: &crate::policy::law::duty::ClockDuty| {
                it.extension
                    .as_ref()
                    .map_or(0, |it| it.n.saturating_mul(it.max))
            };
            let read = match (own.inspect, base.inspect) {
                (_, None) => true,
                (Some(own), Some(base)) => own.n <= base.n && own.unit <= base.unit,
                (None, Some(_)) => false,
            };
            (own.event, own.recipient, own.from) == (base.event, base.recipient, base.from)
                && own.threshold <= base.threshold
                && sooner
                && longer(own) <= longer(base)
                && read
        })
    });
    let caps = base.caps.iter().all(|base| {
        strict.caps.iter().any(|own| {
            (own.class, &own.key) == (base.class, &base.key)
                && own.per_hours >= base.per_hours
                && own.max <= base.max
        })
    });
    let strip = |duties: &Duties| Duties {
        clocks: BTreeSet::new(),
        caps: BTreeSet::new(),
        ..duties.clone()
    };
    let own = strip(strict);
    let mut both = own.clone();
    both.join(&strip(base));
    clocks && caps && both == own
}

/// What can be said of a rule's parameters by themselves.
fn check_params(rule: &LawRule) -> Result<(), PolicyError> {
    match &rule.params {
        Params::SendWindow(window) => check_window(rule, window),
        Params::Deadline(deadline) => check_deadline(rule, deadline),
        Params::ContentBlock(block) => {
            if block.never.is_empty()
                && block.never_to.is_empty()
                && block.allow_by_task.is_empty()
                && block.attach_on_disclosure.is_none()
                && block.minor_controls.is_empty()
            {
                return Err(rule.refuse("it blocks nothing", "fill `never`"));
            }
            let words = block.minor_controls.keys();
            if let Some(odd) = words
                .map(Term::as_str)
                .find(|it| it.parse::<Care>().is_err())
            {
                let known: Vec<&str> = Care::ALL.iter().map(|it| it.as_str()).collect();
                let message = format!("`minor_controls` names no kind of care: `{odd}`");
                let remedy = format!("use {}", known.join(", "));
                return Err(rule.refuse(&message, &remedy));
            }
            if block.channel.is_empty() {
                return Err(rule.refuse("it names no channel", "write channel = [\"any\"]"));
            }
            Ok(())
        }
        Params::Disclosure(disclosure) if disclosure.when.is_empty() => {
            Err(rule.refuse("it names no moment", "write when = [\"session_start\"]"))
        }
        Params::OptOut(opt_out) => match &opt_out.confirm {
            Some(confirm) if confirm.max > 1 || confirm.marketing => {
                let remedy = "47 CFR 64.1200(a)(12) allows one confirmation that sells nothing";
                Err(rule.refuse("it confirms more than once, or sells", remedy))
            }
            Some(_) | None => Ok(()),
        },
        Params::ProhibitAi(ban) if ban.acts.is_empty() => {
            Err(rule.refuse("it bars nothing", "fill `acts`"))
        }
        Params::Consent(_)
        | Params::OptOutScope(_)
        | Params::FrequencyCap(_)
        | Params::ProhibitAi(_)
        | Params::Disclosure(_)
        | Params::Authorization(_)
        | Params::Retention(_)
        | Params::DataResidency(_)
        | Params::Route(_)
        | Params::Language(_)
        | Params::Workforce(_)
        | Params::Status(_)
        | Params::Exemption(_) => Ok(()),
    }
}

fn check_window(rule: &LawRule, window: &SendWindow) -> Result<(), PolicyError> {
    let mut hours = vec![(window.open, window.close)];
    hours.extend(window.saturday.map(|it| (it.open, it.close)));
    hours.extend(window.sunday.map(|it| (it.open, it.close)));
    if hours.iter().any(|(open, close)| open >= close) {
        let remedy = "write open before close; a day without hours goes into `closed_on`";
        return Err(rule.refuse("it opens after it shuts", remedy));
    }
    let waits_never = [
        MessageClass::Reply,
        MessageClass::Safety,
        MessageClass::OptOutConfirmation,
    ];
    if let Some(class) = window.applies_to.iter().find(|it| waits_never.contains(it)) {
        let message = format!("`{class}` never waits");
        let remedy = "a live answer, a safety text and the confirmation of STOP leave at any hour";
        return Err(rule.refuse(&message, remedy));
    }
    if window.applies_to.is_empty() {
        let remedy = "write applies_to = [\"solicitation\"]";
        return Err(rule.refuse("it applies to nothing", remedy));
    }
    Ok(())
}

fn check_deadline(rule: &LawRule, deadline: &Deadline) -> Result<(), PolicyError> {
    if deadline.n == Some(0) {
        let remedy = "leave `n` out for \"without unreasonable delay\"";
        return Err(rule.refuse("it leaves no time", remedy));
    }
    if deadline.threshold == Some(0) {
        let remedy = "write 1 for \"any\", 501 for \"more than 500\"";
        return Err(rule.refuse("its threshold is 0", remedy));
    }
    Ok(())
}
