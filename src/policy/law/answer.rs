//! What the duties say of one text in one setting; examples are checked by it too.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::policy::law::deadline::{Started, deadline};
use crate::policy::law::duties::Duties;
use crate::policy::law::duty::DisclosureDuty;
use crate::policy::law::example::{Decision, Example, Given};
use crate::policy::law::file::LawFile;
use crate::policy::law::join::{Ids, Reach};
use crate::policy::law::params::{Moment, Term};
use crate::policy::law::terms::{
    ClockOf, Content, Element, Event, From, Instead, MessageClass, OnMissing, Recipient, Surface,
    Writer,
};
use crate::policy::law::{Law, Whereabouts};
use crate::policy::words::Jurisdiction;

/// What the rules come to, and by which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The strictest of all.
    pub decision: Decision,
    /// The rules that led to it.
    pub rules: Ids,
    /// Fixed texts that go along.
    pub include: BTreeSet<Term>,
    /// What is kept.
    pub record: BTreeSet<Term>,
}

impl Answer {
    fn raise(&mut self, decision: Decision, by: &Ids) {
        self.decision = self.decision.max(decision);
        self.rules.extend(by.iter().cloned());
    }
}

/// Where a session stands: what decides when something is told again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// Nothing was ever told.
    pub first: bool,
    /// The patient asks who writes.
    pub asked: bool,
    /// Whether the patient is a minor, when that is known.
    pub minor: Option<bool>,
    /// Minutes since it was told, when it was.
    pub minutes_since_told: Option<u32>,
    /// Hours since the last text, when there was one.
    pub idle_hours: Option<u32>,
}

/// Hours of silence after which a text begins a new session when no rule says.
const SESSION_GAP_HOURS: u32 = 24;

impl DisclosureDuty {
    /// Whether it is due now.
    pub fn due(&self, session: &Session) -> bool {
        let gap = self
            .session_gap_hours
            .0
            .map_or(SESSION_GAP_HOURS, u32::from);
        let fresh = session.first || session.idle_hours.is_some_and(|hours| hours >= gap);
        let due = |moments: &crate::policy::law::duty::Moments| {
            let repeat = moments.every_hours.0.is_some_and(|hours| {
                session
                    .minutes_since_told
                    .is_some_and(|minutes| minutes >= u32::from(hours) * 60)
            });
            repeat
                || moments.at.iter().any(|moment| match moment {
                    Moment::SessionStart => fresh,
                    Moment::OnAsk => session.asked,
                    Moment::EveryMessage => true,
                    Moment::BeforeFirstService => session.first,
                    // A result or a decision never leaves by text.
                    Moment::BeforeResult | Moment::BeforeDecision | Moment::EveryHours(_) => false,
                })
        };
        match session.minor {
            Some(true) => due(&self.minor),
            Some(false) => due(&self.adult),
            None => due(&self.adult) || due(&self.minor),
        }
    }
}

/// What must be told along with a text about `contents` by `author`.
pub fn told<'a>(
    duties: &'a Duties,
    contents: &'a [Content],
    author: Writer,
    session: &'a Session,
) -> impl Iterator<Item = (Element, &'a DisclosureDuty)> {
    duties
        .disclosures
        .iter()
        .filter(move |((element, content), duty)| {
            let exempt = match author {
                Writer::Ai => false,
                Writer::AiReviewed => {
                    let reviewed =
                        Term::try_from("read_and_reviewed_by_licensed_provider".to_owned());
                    *element == Element::AiGeneratedAndHumanContact
                        && reviewed.is_ok_and(|reviewed| {
                            duty.exempt
                                .0
                                .as_ref()
                                .is_some_and(|all| all.contains(&reviewed))
                        })
                }
                // What no AI wrote discloses no AI.
                Writer::Human | Writer::Template => true,
            };
            contents.contains(content) && !exempt && duty.due(session)
        })
        .map(|((element, _), duty)| (*element, duty))
}

/// What the duties say of a setting.
pub fn answer(duties: &Duties, given: &Given) -> Answer {
    let mut answer = Answer {
        decision: Decision::Pass,
        rules: Ids::new(),
        include: BTreeSet::new(),
        record: BTreeSet::new(),
    };
    let surface = given.channel.unwrap_or(Surface::Sms);
    let author = given.author.unwrap_or(Writer::Ai);
    for class in &given.classes {
        if let Some(block) = duties.blocked(surface, *class, author) {
            let decision = match block.instead.0 {
                Some(Instead::SecureLink) | None => Decision::Downgrade,
                Some(Instead::Omit) => Decision::Modify,
                Some(Instead::Handoff) => Decision::Handoff,
            };
            answer.raise(decision, &block.by);
        }
    }
    if let Some(on_record) = &given.consents {
        for (name, consent) in &duties.consents {
            let phi = !given.classes.is_empty();
            let decision = match consent.on_missing.0 {
                _ if on_record.contains(name) || consent.protects != Reach::All => continue,
                Some(OnMissing::DowngradeToNoPhi) if phi => Decision::Downgrade,
                Some(OnMissing::Hold) if phi => Decision::Handoff,
                Some(OnMissing::Block) if consent.forms.is_empty() => Decision::Block,
                Some(_) | None => continue,
            };
            answer.raise(decision, &consent.by);
        }
    }
    for act in &given.acts {
        if let Some(by) = duties.ai.acts.get(act) {
            answer.raise(Decision::Handoff, by);
        }
    }
    if let Some(how) = &given.authorization {
        for duty in duties
            .authorizations
            .values()
            .filter(|it| !it.channels.allows(how))
        {
            answer.raise(Decision::Block, &duty.by);
        }
    }
    if let Some(country) = &given.model_country {
        for duty in duties
            .residency
            .values()
            .filter(|it| !it.countries.allows(country))
        {
            answer.raise(Decision::Block, &duty.by);
        }
    }
    disclose(duties, given, author, &mut answer);
    answer
}

fn disclose(duties: &Duties, given: &Given, author: Writer, answer: &mut Answer) {
    let session = Session {
        first: given.first_contact,
        asked: given.asked,
        minor: given.minor,
        minutes_since_told: given.session_minutes,
        idle_hours: given.hours_since_last_message,
    };
    let contents = if given.content.is_empty() {
        &[Content::Scheduling]
    } else {
        given.content.as_slice()
    };
    let due: Vec<_> = told(duties, contents, author, &session).collect();
    for (_, duty) in due {
        answer.raise(Decision::Modify, &duty.by);
        answer.include.extend(duty.texts.iter().cloned());
        answer.record.extend(duty.record.iter().cloned());
    }
}

/// Whether texts of a class wait at a local time of a usual weekday.
fn waits(duties: &Duties, class: MessageClass, given: &Given, rules: &mut Ids) -> bool {
    let Some(time) = given.local_time else {
        return false;
    };
    let clocks = [ClockOf::Recipient, ClockOf::Practice];
    let mut waits = false;
    for week in clocks
        .iter()
        .filter_map(|clock| duties.windows.get(&(class, *clock)))
    {
        let [_, (open, close), ..] = week.days;
        if time < open || time >= close {
            rules.extend(week.by.iter().cloned());
            waits = true;
        }
    }
    waits
}

/// Runs one example; the message says what is otherwise.
pub(crate) fn check(law: &Law, file: &LawFile, example: &Example) -> Result<(), String> {
    let given = &example.given;
    let day: Date = given.date.map_or(file.last_reviewed, |day| day.0);
    let residence = given.state.unwrap_or(file.jurisdiction);
    let at = Whereabouts {
        practice: residence,
        residence,
        practice_type: given.practice_type.as_ref().map_or("", Term::as_str),
        day,
    };
    // An example without a state of its own in the federal file is about the floor alone.
    let floor = residence == Jurisdiction::UNKNOWN && file.jurisdiction == Jurisdiction::UNKNOWN;
    let mut applying = law.applying_in(file, at);
    if floor && given.state.is_none() {
        applying.retain(|rule| rule.jurisdiction == Jurisdiction::UNKNOWN);
    }
    let duties = super::merged(&applying);
    let mut answer = answer(&duties, given);
    let expect = &example.expect;
    for class in &given.sends {
        let waits = waits(&duties, *class, given, &mut answer.rules);
        if expect.deferred.contains(class) && !waits {
            return Err(format!("`{class}` leaves; it should wait"));
        }
        if expect.sent.contains(class) && waits {
            return Err(format!("`{class}` waits; it should leave"));
        }
    }
    due(&duties, given, example, &mut answer)?;
    if let Some(decision) = expect.decision
        && decision != answer.decision
    {
        return Err(format!(
            "it comes to `{}`, not `{decision}`",
            answer.decision
        ));
    }
    let ids = |list: &[String], want: bool, among: &Ids, what: &str| {
        let wrong = list.iter().find(|id| {
            let id: &str = id.as_str();
            law.rule(id).is_none() || among.contains(id) != want
        });
        match wrong {
            Some(id) if law.rule(id).is_none() => Err(format!("there is no rule `{id}`")),
            Some(id) => Err(format!("rule `{id}` {what}")),
            None => Ok(()),
        }
    };
    ids(&expect.rules, true, &answer.rules, "had no part in it")?;
    ids(&expect.not_rules, false, &answer.rules, "had a part in it")?;
    ids(&expect.active, true, &duties.rules, "is not in force")?;
    ids(&expect.inactive, false, &duties.rules, "is in force")?;
    let missing = |list: &[Term], among: &BTreeSet<Term>| {
        list.iter()
            .find(|it| !among.contains(it))
            .map(Term::to_string)
    };
    if let Some(text) = missing(&expect.must_include, &answer.include) {
        return Err(format!("text `{text}` does not go along"));
    }
    if let Some(text) = expect
        .must_not_include
        .iter()
        .find(|it| answer.include.contains(it))
    {
        return Err(format!("text `{text}` goes along"));
    }
    match missing(&expect.record, &answer.record) {
        Some(term) => Err(format!("`{term}` is not kept")),
        None => Ok(()),
    }
}

fn due(
    duties: &Duties,
    given: &Given,
    example: &Example,
    answer: &mut Answer,
) -> Result<(), String> {
    let (Some(event), Some(on)) = (given.event, given.on) else {
        return match example.expect.due {
            Some(_) => Err("`due` needs `event` and `on`".to_owned()),
            None => Ok(()),
        };
    };
    let zone = TimeZone::UTC;
    let start =
        on.0.to_zoned(zone.clone())
            .map_err(|error| error.to_string())?
            .timestamp();
    let usual = if event == Event::Breach {
        From::Discovered
    } else {
        From::Requested
    };
    let started = Started {
        event,
        residents: given.residents,
        starts: &[(given.from.unwrap_or(usual), start)],
        zone: &zone,
    };
    let recipient = given.recipient.unwrap_or(Recipient::Individual);
    let found = deadline(duties, &started, recipient);
    if let Some(found) = &found {
        answer.rules.insert(std::sync::Arc::clone(&found.clock.by));
    }
    match (example.expect.due, found) {
        (Some(want), Some(found)) if want.0 != found.day => Err(format!(
            "it is due on {} by `{}`, not on {}",
            found.day, found.clock.by, want.0
        )),
        (Some(_), None) => Err("no clock runs".to_owned()),
        (Some(_) | None, Some(_)) | (None, None) => Ok(()),
    }
}
