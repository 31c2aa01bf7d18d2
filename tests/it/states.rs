//! The law of 50 states and DC against a table that was written from the sources, not from the rule
//! files: state, day, type of practice, question, what is given, and the answer.

#![cfg(test)]

use std::collections::BTreeSet;

use anteroom::policy::law::answer::{Session, told};
use anteroom::policy::law::deadline::{Started, deadline};
use anteroom::policy::law::duties::Duties;
use anteroom::policy::law::duty::Week;
use anteroom::policy::law::terms::{
    Act, Class, ClockOf, ConsentName, Content, Event, From, Kind, MessageClass, Recipient,
    Standing, Surface, Writer,
};
use anteroom::policy::law::{Law, Whereabouts, merged, states};
use anteroom::policy::words::Jurisdiction;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// Each line is a fact; a wrong one is mended in the rule file or here, whichever the source says.
const TABLE: &str = include_str!("states/expectations.csv");

fn law() -> Law {
    Law::embedded().unwrap_or_else(|error| panic!("{error}"))
}

/// One line of the table.
struct Row<'t> {
    state: Jurisdiction,
    day: Date,
    practice: &'t str,
    question: &'t str,
    given: Vec<&'t str>,
    answer: &'t str,
}

impl<'t> Row<'t> {
    fn read(line: &'t str) -> Self {
        let cells: Vec<&str> = line.split(',').collect();
        let [state, day, practice, question, given, answer] = cells[..] else {
            panic!("six cells in {line:?}");
        };
        Self {
            state: state.parse().unwrap(),
            day: day.parse().unwrap(),
            practice,
            question,
            given: given.split(' ').collect(),
            answer,
        }
    }

    fn at(&self) -> Whereabouts<'t> {
        Whereabouts {
            practice: self.state,
            residence: self.state,
            practice_type: self.practice,
            day: self.day,
        }
    }

    /// All that binds.
    fn duties(&self, law: &Law) -> Duties {
        law.duties(self.at())
    }

    /// What the state's own file adds.
    fn own(&self, law: &Law) -> Duties {
        let mut rules = law.applying(self.at());
        rules.retain(|rule| rule.jurisdiction == self.state);
        merged(&rules)
    }

    fn found(&self, law: &Law) -> String {
        let given = self.given.as_slice();
        match (self.question, given) {
            (question, [on, rest @ ..]) if Event::of(question).is_some() => {
                clock(&self.duties(law), question, on, rest)
            }
            (question, [class]) if question.starts_with("hours ") => {
                let day = question.trim_start_matches("hours ");
                hours(&self.duties(law), day, class.parse().unwrap())
            }
            ("kept", [record]) => text(Law::kept_years(&self.duties(law), record)),
            ("kept minor", [record]) => {
                let duties = self.duties(law);
                let mut kept = duties.keep.iter();
                let kept = kept.find(|(name, _)| name.as_str() == *record);
                text(kept.and_then(|(_, duty)| duty.minor_until_age.0))
            }
            ("blocked by state", [surface, class]) => {
                let (surface, class): (Surface, Class) =
                    (surface.parse().unwrap(), class.parse().unwrap());
                let own = self.own(law);
                let blocked = own.blocked(surface, class, Writer::Ai).is_some();
                if blocked { "yes" } else { "no" }.to_owned()
            }
            ("told by state", given) => telling(&self.own(law), given),
            ("act by state", [act]) => {
                let act: Act = act.parse().unwrap();
                let barred = self.own(law).ai.acts.contains_key(&act);
                if barred { "barred" } else { "free" }.to_owned()
            }
            ("data in", [country]) => {
                let duties = self.duties(law);
                let country = (*country).to_owned();
                let refused = duties
                    .residency
                    .values()
                    .any(|it| !it.countries.allows(&country));
                if refused { "refused" } else { "allowed" }.to_owned()
            }
            ("cap", [class]) => {
                let class: MessageClass = class.parse().unwrap();
                let duties = self.duties(law);
                let caps = duties.caps.iter().filter(|cap| cap.class == class);
                text(
                    caps.map(|cap| format!("{} in {}", cap.max, cap.per_hours))
                        .min(),
                )
            }
            ("consent by state", [name]) => {
                let name: ConsentName = name.parse().unwrap();
                let own = self.own(law);
                text(own.consents.get(&name).and_then(|duty| duty.on_missing.0))
            }
            ("stop honored", ["years"]) => text(self.duties(law).opt_out.honored_years.0),
            (question, given) => panic!("no such question: {question} {given:?}"),
        }
    }
}

/// The events that a question may be about, by their word in the table.
trait Asked: Sized {
    fn of(question: &str) -> Option<Self>;
}

impl Asked for Event {
    fn of(question: &str) -> Option<Self> {
        match question.split(' ').next()? {
            "breach" => Some(Self::Breach),
            "access" => Some(Self::AccessRequest),
            "amendment" => Some(Self::AmendmentRequest),
            _ => None,
        }
    }
}

/// A day by which something is due; `none` when no clock runs.
fn clock(duties: &Duties, question: &str, on: &str, rest: &[&str]) -> String {
    let event = Event::of(question).unwrap();
    let zone = TimeZone::UTC;
    let on: Date = on.parse().unwrap();
    let start = on.to_zoned(zone.clone()).unwrap().timestamp();
    let (from, residents) = match rest {
        [from, residents] => (from.parse().unwrap(), Some(residents.parse().unwrap())),
        _ => (From::Requested, None),
    };
    let started = Started {
        event,
        residents,
        starts: &[(from, start)],
        zone: &zone,
    };
    let word = question.split_once(' ').map_or("", |(_, word)| word);
    let recipient = word.parse().unwrap_or(Recipient::Individual);
    let due = deadline(duties, &started, recipient);
    match word {
        "inspect" => text(due.and_then(|due| due.inspect)),
        "extended" => text(due.and_then(|due| due.extended)),
        _ => text(due.map(|due| due.day)),
    }
}

/// The open hours of a day; holidays are open or shut.
fn hours(duties: &Duties, day: &str, class: MessageClass) -> String {
    let week: &Week = &duties.windows[&(class, ClockOf::Recipient)];
    if day == "holidays" {
        return if week.shut_on_holidays.0 {
            "shut"
        } else {
            "open"
        }
        .to_owned();
    }
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let (open, close) = week.days[days.iter().position(|name| *name == day).unwrap()];
    if open < close {
        format!("{open}-{close}")
    } else {
        "shut".to_owned()
    }
}

/// The fixed texts that go along with a text.
fn telling(duties: &Duties, given: &[&str]) -> String {
    let minutes = given.iter().find_map(|word| word.parse().ok());
    let session = Session {
        first: given.contains(&"first"),
        asked: given.contains(&"asked"),
        minor: Some(given.contains(&"minor")),
        minutes_since_told: minutes,
        idle_hours: None,
    };
    let contents: Vec<Content> = given.iter().filter_map(|word| word.parse().ok()).collect();
    let author: Writer = given.iter().find_map(|word| word.parse().ok()).unwrap();
    let told = told(duties, &contents, author, &session);
    let texts: BTreeSet<String> = told
        .flat_map(|(_, duty)| duty.texts.iter().map(ToString::to_string))
        .collect();
    if texts.is_empty() {
        "none".to_owned()
    } else {
        texts.into_iter().collect::<Vec<_>>().join(" ")
    }
}

fn text(found: Option<impl ToString>) -> String {
    found.map_or_else(|| "none".to_owned(), |found| found.to_string())
}

#[test]
fn every_fact_of_the_table_is_what_the_rules_come_to() {
    let law = law();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in TABLE.lines().skip(1) {
        let row = Row::read(line);
        let found = row.found(&law);
        if found != row.answer {
            wrong.push(format!("{line}: the rules come to {found}"));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 600, "{seen} facts");
}

#[test]
fn every_state_and_dc_has_a_file_that_says_when_it_was_looked_at() {
    let law = law();
    for state in states() {
        let file = law
            .file(state)
            .unwrap_or_else(|| panic!("no file for {state}"));
        assert!(file.last_reviewed >= date(2026, 11, 22), "{state}");
        assert!(!file.rules.is_empty(), "{state}: not even a status");
    }
    assert_eq!(states().count(), 51);
}

#[test]
fn every_rule_of_law_says_how_well_it_was_checked_and_names_a_section() {
    for rule in law().rules() {
        let place = &rule.id;
        let house = rule.standing() == Standing::House;
        let policy = rule.basis.as_str() == "policy";
        assert!(
            !house || policy,
            "{place}: law is never the house's own to vouch for"
        );
        // Nobody but counsel may call it approved, and none has.
        assert_ne!(rule.confidence.as_str(), "counsel-approved", "{place}");
        assert!(rule.summary.ends_with('.'), "{place}: a sentence");
        assert!(rule.summary.is_ascii(), "{place}: plain text");
        // What could not be settled is asked, not stated.
        let open = rule.confidence.as_str() == "low" && rule.kind() == Kind::Status;
        assert!(!open || rule.cite.len() > 5, "{place}");
    }
}

#[test]
fn each_rule_of_a_state_is_named_by_an_example_on_a_day_in_force_and_on_one_that_is_not() {
    let law = law();
    for file in law.files() {
        if file.jurisdiction == Jurisdiction::UNKNOWN {
            continue;
        }
        let named = |pick: fn(&anteroom::policy::law::example::Expect) -> &Vec<String>| {
            let all = file.examples.iter().flat_map(move |it| pick(&it.expect));
            all.cloned().collect::<BTreeSet<String>>()
        };
        let active = named(|expect| &expect.active);
        let inactive = named(|expect| &expect.inactive);
        for rule in &file.rules {
            assert!(
                active.contains(&*rule.id),
                "{}: never shown in force",
                rule.id
            );
            assert!(
                inactive.contains(&*rule.id),
                "{}: never shown out of force",
                rule.id
            );
        }
    }
}

#[test]
fn a_dozen_laws_that_begin_in_2027_are_in_and_sleep_until_their_day() {
    let law = law();
    let next_year = date(2027, 1, 1)..=date(2027, 7, 1);
    let coming: Vec<_> = law
        .rules()
        .filter(|rule| next_year.contains(&rule.effective))
        .collect();
    let states: BTreeSet<&str> = coming.iter().map(|it| it.jurisdiction.as_str()).collect();
    for state in [
        "CA", "CO", "CT", "GA", "IA", "ID", "NE", "OR", "UT", "WA", "US",
    ] {
        assert!(states.contains(state), "nothing of {state} begins in 2027");
    }
    assert!(coming.len() >= 12, "{} rules", coming.len());
    for rule in coming {
        assert!(!rule.in_force(date(2026, 12, 31)), "{}", rule.id);
        assert!(rule.in_force(date(2027, 7, 1)), "{}", rule.id);
    }
}

#[test]
fn a_patient_of_unknown_residence_is_protected_by_every_state_at_once() {
    let law = law();
    let at = |residence| Whereabouts {
        practice: "WY".parse().unwrap(),
        residence,
        practice_type: "behavioral_health",
        day: date(2027, 8, 1),
    };
    let unknown = law.duties(at(Jurisdiction::UNKNOWN));
    for state in states() {
        let known = law.duties(at(state));
        for act in known.ai.acts.keys() {
            assert!(unknown.ai.acts.contains_key(act), "{state}: {act}");
        }
        for block in known.blocks.keys() {
            assert!(unknown.blocks.contains_key(block), "{state}: {block:?}");
        }
        for clock in &known.clocks {
            assert!(unknown.clocks.contains(clock), "{state}: {}", clock.by);
        }
        assert!(known.rules.is_subset(&unknown.rules), "{state}");
    }
}
