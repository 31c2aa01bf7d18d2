//! The gate before every publish: the suites that a change touches and a shadow replay of stored
//! turns; a version without a report that passes is not kept.

mod asking;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::agent::prompts::{Prompts, Sources};
use crate::domain::publication::Published;
use crate::eval::assertion::Check;
use crate::eval::case::Suite;
use crate::eval::inventory::{Inventory, lost};
use crate::eval::level::again;
use crate::eval::run::{Bench, Plan, run};
use crate::eval::score::{Score, Status};
use crate::eval::shadow::{Change, Shadow};
use crate::eval::suite::Level;
use crate::guardrail::wire::ContextIn;
use crate::pipeline::rehearse::Rehearsed;
use crate::policy::words::Language;

pub use crate::eval::gate::asking::{
    Asking, Progress, differing, policy, shipped, suites, wording, wording_in_force,
};

/// What the samples of templates rest on.
const SAMPLE: &str = r#"{"practice":{"name":"Lakeside Family Medicine","phone":"+14155550100","type":"primary_care","portal_url":"https://portal.example.com"},"channel":"sms","consent":"granted","state":"CA","language":"en","timezone":"America/Los_Angeles","now":"2026-12-01T10:00:00-08:00","purpose":"reply","facts":[{"field":"appointment.start","value":"2026-12-02T15:00:00-08:00"},{"field":"appointment.provider","value":"Dr. Ana Reyes"},{"field":"appointment.location","value":"120 Shore Road"},{"field":"receipt.booked","value":"yes"},{"field":"receipt.cancelled","value":"yes"},{"field":"receipt.rescheduled","value":"yes"},{"field":"receipt.confirmed","value":"yes"},{"field":"receipt.message_sent","value":"staff"},{"field":"receipt.refill_requested","value":"staff"}]}"#;
/// Failed cases that a refusal names.
pub const NAMED_MAX: usize = 10;

/// What the gate found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Gate {
    /// What is published.
    pub kind: String,
    /// The digest of what is published.
    pub digest: String,
    /// The digest of the cases that were asked.
    pub cases: String,
    /// How many cases held, of how many.
    pub held: usize,
    /// See `held`.
    pub of: usize,
    /// Broken off before its end.
    pub partial: bool,
    /// Expectations set aside because they quote wording that this change is about.
    pub set_aside: usize,
    /// Cases that did not hold, with where they are written and why.
    pub failures: Vec<Failure>,
    /// What has left the policy.
    pub lost: Vec<String>,
    /// Stored drafts that were judged again.
    pub drafts: usize,
    /// Drafts that would be decided otherwise.
    pub changed: Vec<Change>,
    /// Stored texts that were answered again.
    pub texts: usize,
    /// Texts that would be answered in other words.
    pub reworded: usize,
    /// Answers of which the guardrail thinks less well than before.
    pub worse: Vec<String>,
    /// Why what is lost or looser was accepted, in the publisher's words.
    pub accepted: Option<String>,
}

/// A case that did not hold.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// `suite/case`.
    pub case: String,
    /// File and line.
    pub place: String,
    /// What did not hold.
    pub reasons: Vec<String>,
    /// No verdict, which is no pass.
    pub error: bool,
}

/// The suites that a change touches: a policy is in every draft, inbound texts are read by rules of
/// the program; a prompt is in what is said.
pub fn touched(suites: Vec<Suite>, kind: Published) -> Vec<Suite> {
    let touches = |level| match kind {
        Published::Policy | Published::Overlay => level != Level::Screen,
        Published::Prompt => matches!(level, Level::Conversation | Level::Prompt),
    };
    suites.into_iter().filter(|it| touches(it.level)).collect()
}

impl Gate {
    /// Runs the suites; `stop` breaks off between two cases.
    fn of(
        (kind, digest): (Published, &str),
        bench: &Bench,
        suites: &[Suite],
        plan: &Plan,
        stop: &AtomicBool,
        tick: &(dyn Fn(&Score) + Sync),
    ) -> Self {
        let run = run(bench, suites, plan, stop, tick);
        let wrong = run
            .scores
            .iter()
            .filter(|it| matches!(it.status, Status::Failed | Status::Error));
        Self {
            kind: kind.to_string(),
            digest: digest.to_owned(),
            held: run.count().passed,
            of: run.scores.len() - run.count().skipped,
            partial: run.partial,
            failures: wrong.map(failure).collect(),
            cases: run.cases,
            ..Self::default()
        }
    }

    /// Takes what has left the policy.
    #[must_use]
    pub fn with_inventory(mut self, before: &Inventory, now: &Inventory) -> Self {
        self.lost = lost(before, now);
        self
    }

    /// Takes a replay of stored drafts.
    #[must_use]
    pub fn with_shadow(mut self, shadow: &Shadow) -> Self {
        self.drafts = shadow.drafts;
        self.changed.clone_from(&shadow.changes);
        for change in &mut self.changed {
            // A report is kept; texts are not for it.
            change.texts = None;
        }
        self
    }

    /// Takes a rehearsal of stored texts.
    #[must_use]
    pub fn with_rehearsal(mut self, rehearsed: &[Rehearsed]) -> Self {
        self.texts = rehearsed.len();
        for one in rehearsed {
            self.reworded += usize::from(one.before.text != one.after.text);
            if one.after.verdict > one.before.verdict {
                self.worse.push(format!(
                    "turn {} (conversation {}): {} -> {}",
                    one.turn, one.conversation, one.before.verdict, one.after.verdict
                ));
            }
        }
        self
    }

    /// Reviews what changed templates say, filled with their samples: a wording that the guardrail
    /// would cut or hold each time is worse than the one before.
    #[must_use]
    pub fn with_wording(mut self, bench: &Bench, before: &Prompts, after: &Prompts) -> Self {
        let Ok(context) = serde_json::from_str::<ContextIn>(SAMPLE) else {
            return self;
        };
        let nothing = serde_json::Map::new();
        for place in changed(before, after) {
            let Some((language, name)) = place.split_once('/') else {
                continue;
            };
            let Ok(language) = language.parse::<Language>() else {
                continue;
            };
            let context = ContextIn {
                language,
                ..context.clone()
            };
            let verdict = |prompts: &Prompts| {
                let said = prompts.preview(name, language, None, &nothing).ok()?;
                Some(again(bench, &said, &context).verdict)
            };
            if let (Some(was), Some(is)) = (verdict(before), verdict(after))
                && is > was
            {
                self.worse.push(format!("{place}: {was} -> {is}"));
            }
        }
        self
    }

    /// Decisions that let more leave than before.
    pub fn looser(&self) -> impl Iterator<Item = &Change> {
        self.changed.iter().filter(|it| it.looser())
    }

    /// Why nothing may be published; none when it may.
    pub fn refusal(&self) -> Option<String> {
        if self.of == 0 {
            return Some("no case was run, so nothing is known of it".to_owned());
        }
        if let Some(first) = self.failures.first() {
            let reason = first.reasons.first().map_or("", String::as_str);
            return Some(format!(
                "{} of {} cases do not hold; the first is {} ({}): {reason}",
                self.failures.len(),
                self.of,
                first.case,
                first.place
            ));
        }
        if self.partial {
            return Some("it was broken off before every case had run; run it again".to_owned());
        }
        if let Some(first) = self.worse.first() {
            return Some(format!(
                "{} answers would fare worse at the guardrail; the first is {first}",
                self.worse.len()
            ));
        }
        let looser = self.looser().count();
        if self.accepted.is_none() && (looser > 0 || !self.lost.is_empty()) {
            let first = self.lost.first().cloned().unwrap_or_else(|| {
                self.looser().next().map_or_else(String::new, |it| {
                    format!(
                        "review {}: {} -> {} ({})",
                        it.review,
                        it.before,
                        it.after,
                        it.rules.join(" ")
                    )
                })
            });
            return Some(format!(
                "{} things have left the policy and {looser} stored drafts would be let go that are \
                 kept back today; the first is: {first}. If that is meant, say why with --accept",
                self.lost.len()
            ));
        }
        None
    }

    /// The report as it is kept by its digest.
    pub fn to_json(&self) -> String {
        let pretty = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{pretty}\n")
    }

    /// SHA-256 of the report, in hexadecimal.
    pub fn report_digest(&self) -> String {
        hex::encode(Sha256::digest(self.to_json().as_bytes()))
    }

    /// For people.
    pub fn told(&self) -> String {
        let mut lines = vec![format!("{} of {} cases hold", self.held, self.of)];
        if self.set_aside > 0 {
            lines.push(format!(
                "{} expectations quote wording that changes here, and were set aside",
                self.set_aside
            ));
        }
        for failure in self.failures.iter().take(NAMED_MAX) {
            let word = if failure.error { "ERROR " } else { "FAILED" };
            lines.push(format!("{word} {}  {}", failure.case, failure.place));
            lines.extend(failure.reasons.iter().map(|it| format!("       {it}")));
        }
        if self.failures.len() > NAMED_MAX {
            lines.push(format!("... and {} more", self.failures.len() - NAMED_MAX));
        }
        lines.extend(self.lost.iter().map(|it| format!("lost   {it}")));
        if self.drafts > 0 {
            lines.push(format!(
                "{} stored drafts judged again: {} would be decided otherwise, {} of them more loosely",
                self.drafts,
                self.changed.len(),
                self.looser().count()
            ));
        }
        if self.texts > 0 {
            lines.push(format!(
                "{} stored texts answered again: {} in other words, {} worse",
                self.texts,
                self.reworded,
                self.worse.len()
            ));
        }
        lines.extend(self.worse.iter().map(|it| format!("worse  {it}")));
        lines.join("\n") + "\n"
    }
}

fn failure(score: &Score) -> Failure {
    Failure {
        case: format!("{}/{}", score.suite, score.id),
        place: format!("{}:{}", score.file, score.line),
        reasons: score.reasons.clone(),
        error: score.status == Status::Error,
    }
}

/// Templates that another set has otherwise.
pub fn changed(before: &Prompts, after: &Prompts) -> BTreeSet<String> {
    let (old, new) = (before.sources(), after.sources());
    new.iter()
        .filter(|(place, source)| old.get(*place) != Some(source))
        .map(|(place, _)| place.clone())
        .collect()
}

/// Sets aside the expectations that quote the built-in wording of changed templates: "contains `did
/// not change`" is about words that staff may choose; "contains `Dec 1`" stays, for no template has
/// it. How many were set aside.
pub fn set_aside(suites: &mut [Suite], built_in: &Sources, after: &Prompts) -> usize {
    let pairs: Vec<(String, String)> = after
        .sources()
        .iter()
        .filter_map(|(place, new)| {
            let old = built_in.get(place).filter(|old| *old != new)?;
            Some((old.to_lowercase(), new.to_lowercase()))
        })
        .collect();
    let quotes = |text: &str| {
        let text = text.to_lowercase();
        pairs
            .iter()
            .any(|(old, new)| old.contains(&text) && !new.contains(&text))
    };
    let mut count = 0;
    for case in suites.iter_mut().flat_map(|suite| &mut suite.cases) {
        let before = case.assertions.len();
        case.assertions.retain(|it| {
            it.negated || !matches!(&it.check, Check::Contains(text) | Check::IContains(text) if quotes(text))
        });
        count += before - case.assertions.len();
        let turns = case.vars.get_mut("turns").and_then(Value::as_array_mut);
        for turn in turns.into_iter().flatten() {
            let Some(list) = turn.get_mut("assert").and_then(Value::as_array_mut) else {
                continue;
            };
            let before = list.len();
            list.retain(|it| {
                let text = |key: &str| it.get(key).and_then(Value::as_str).unwrap_or_default();
                !(matches!(text("type"), "contains" | "icontains") && quotes(text("value")))
            });
            count += before - list.len();
        }
    }
    count
}
