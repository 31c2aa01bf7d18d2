//! What a text may say, known by other means than the guardrail's: the calendar of the world, the
//! person's own visits, and the words of nobody else.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent::{opening, when};
use crate::domain::practice::Practice;
use crate::eval::crowd::report::{OTHERS, UNGROUNDED, UNRECEIPTED};
use crate::eval::crowd::world::{Person, World};
use crate::policy::words::Language;

/// Words of a text that say that something was done, each with what must then be so.
const CLAIMS: &[(&str, Deed)] = &[
    ("Your visit is booked", Deed::Visit),
    ("quedó agendada", Deed::Visit),
    ("Your visit is moved", Deed::Visit),
    ("Su cita se cambió", Deed::Visit),
    ("is cancelled", Deed::Cancelled),
    ("está cancelada", Deed::Cancelled),
    ("is confirmed", Deed::Confirmed),
    ("está confirmada", Deed::Confirmed),
    ("You are on our waitlist", Deed::Waitlist),
    ("Está en nuestra lista", Deed::Waitlist),
    ("have cancelled", Deed::Cancelled),
    ("have booked", Deed::Visit),
    ("call you back", Deed::Callback),
];

/// Where links of the stage lead.
const HOST: &str = "127.0.0.1:8080";

/// What a claim rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// A visit that stands, at the time that is told.
    Visit,
    /// A visit that stands no more.
    Cancelled,
    /// A visit that is confirmed: by a word of the patient, or by the choice of its time.
    Confirmed,
    /// A place on the waitlist.
    Waitlist,
    /// A callback on file.
    Callback,
}

/// What is true of a patient now.
#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    /// When visits stand.
    pub(super) visits: Vec<Timestamp>,
    pub(super) confirmed: bool,
    pub(super) waitlist: bool,
    pub(super) callback: bool,
}

/// What texts of a world may say.
#[derive(Debug)]
pub(super) struct Oracle {
    zone: TimeZone,
    free: BTreeSet<String>,
    hours: Vec<String>,
    names: Vec<(usize, String)>,
    numbers: Vec<(usize, String)>,
}

impl Oracle {
    pub(super) fn new(world: &World, practice: &Practice, zone: &TimeZone) -> Self {
        let starts: BTreeSet<Timestamp> = world.set.slots.iter().map(|it| it.start).collect();
        let free = starts.iter().flat_map(|start| said(*start, zone)).collect();
        let people = || world.people.iter().enumerate();
        Self {
            zone: zone.clone(),
            free,
            hours: vec![practice.hours.clone(), practice.hours_es.clone()],
            names: people().map(|(at, it)| (at, it.last.clone())).collect(),
            numbers: people()
                .flat_map(|(at, it)| {
                    let shown = it.number.display_us();
                    [(at, shown), (at, it.number.as_str().to_owned())]
                })
                .collect(),
        }
    }

    /// What is wrong with a text to this patient, read at some time by the practice's hours, if anything is.
    pub(super) fn wrong(
        &self,
        text: &str,
        (at, person): (usize, &Person),
        (before, now): (&Truth, &Truth),
        open: (Timestamp, &str),
    ) -> Option<&'static str> {
        let others = |list: &[(usize, String)]| {
            list.iter()
                .any(|(whose, word)| *whose != at && text.contains(word.as_str()))
        };
        if others(&self.names) || others(&self.numbers) {
            return Some(OTHERS);
        }
        if !self.grounded(text, person, (before, now), open) {
            return Some(UNGROUNDED);
        }
        let claims = CLAIMS.iter().filter(|(words, _)| text.contains(words));
        let mut claims = claims.map(|(_, deed)| *deed);
        claims
            .any(|deed| !self.done(deed, text, person, (before, now)))
            .then_some(UNRECEIPTED)
    }

    /// Whether a text tells when a visit is.
    pub(super) fn tells(&self, text: &str, visit: Timestamp) -> bool {
        said(visit, &self.zone)
            .iter()
            .any(|it| text.contains(it.as_str()))
    }

    /// Whether each time of day in a text belongs to a day and time that it may tell.
    fn grounded(
        &self,
        text: &str,
        person: &Person,
        (before, now): (&Truth, &Truth),
        (clock, hours): (Timestamp, &str),
    ) -> bool {
        if !text.contains(':') {
            return true;
        }
        let own = before
            .visits
            .iter()
            .chain(&now.visits)
            .chain([&person.visit]);
        let mut left = text.replace(HOST, " ");
        for hours in self.hours.iter().filter(|it| !it.is_empty()) {
            left = left.replace(hours.as_str(), " ");
        }
        for said in own.flat_map(|start| said(*start, &self.zone)) {
            left = left.replace(&said, " ");
        }
        for language in [Language::En, Language::Es] {
            // A text may be read a little after it was written.
            for back in [0, 15, 30, 60] {
                let at = clock - SignedDuration::from_mins(back);
                if let Some(open) = opening::answering(hours, at, &self.zone, language) {
                    left = left.replace(&plain(&open), " ").replace(&open, " ");
                }
            }
        }
        if has_time(&left) {
            for said in self.free.iter().filter(|it| text.contains(it.as_str())) {
                left = left.replace(said.as_str(), " ");
            }
        }
        !has_time(&left)
    }

    fn done(&self, deed: Deed, text: &str, person: &Person, truth: (&Truth, &Truth)) -> bool {
        let (before, now) = truth;
        match deed {
            Deed::Visit => now.visits.iter().any(|start| {
                let told = said(*start, &self.zone);
                told.iter().any(|it| text.contains(it.as_str()))
            }),
            Deed::Cancelled => {
                now.visits.len() < before.visits.len() || !now.visits.contains(&person.visit)
            }
            // A time that the patient chose a moment ago is confirmed by that.
            Deed::Confirmed => now.confirmed || now.visits.iter().any(|it| *it != person.visit),
            Deed::Waitlist => now.waitlist,
            Deed::Callback => now.callback,
        }
    }
}

/// How an instant may be told: as the desk texts it, or in full, where a draft that wrote it in full was
/// put right.
fn said(at: Timestamp, zone: &TimeZone) -> Vec<String> {
    let full = at.to_zoned(zone.clone());
    let mut all = vec![full.strftime("%A, %B %-d at %-I:%M %p").to_string()];
    for language in [Language::En, Language::Es] {
        for words in [
            when::spoken(at, zone, language),
            when::offered(at, zone, language),
        ] {
            all.push(plain(&words));
            all.push(words);
        }
    }
    all
}

/// Without the accents that GSM-7 lacks.
fn plain(words: &str) -> String {
    words.replace('á', "a").replace('í', "i").replace('ó', "o")
}

/// Whether a time of day is told: digits on both sides of a colon.
fn has_time(text: &str) -> bool {
    let signs: Vec<char> = text.chars().collect();
    signs.windows(4).any(|it| {
        matches!(it, [hour, ':', tens, ones]
            if hour.is_ascii_digit() && tens.is_ascii_digit() && ones.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PatientId;

    fn person(visit: Timestamp) -> Person {
        Person {
            id: PatientId::new("one"),
            last: "Zorvane".to_owned(),
            number: "+16285550100".parse().unwrap(),
            language: Language::En,
            visit,
        }
    }

    fn oracle() -> Oracle {
        Oracle {
            zone: TimeZone::get("America/Los_Angeles").unwrap(),
            free: BTreeSet::new(),
            hours: Vec::new(),
            names: Vec::new(),
            numbers: Vec::new(),
        }
    }

    #[test]
    fn a_visit_is_grounded_in_each_form_and_no_other_time_is() {
        let old: Timestamp = "2026-12-05T00:21:00Z".parse().unwrap();
        let new: Timestamp = "2026-12-03T16:00:00Z".parse().unwrap();
        let before = Truth {
            visits: vec![old],
            ..Truth::default()
        };
        let now = Truth {
            visits: vec![new],
            ..Truth::default()
        };
        for (text, wrong) in [
            (
                "I have booked you for Thursday, December 3 at 8:00 AM.",
                None,
            ),
            ("Your visit is Thu, Dec 3 at 8:00 AM.", None),
            ("Su cita es jue 3 dic a las 8:00 a. m.", None),
            ("It was Friday, December 4 at 4:21 PM.", None),
            (
                "Your visit is Thursday, December 3 at 8:30 AM.",
                Some(UNGROUNDED),
            ),
            (
                "Your visit is Friday, December 3 at 8:00 AM.",
                Some(UNGROUNDED),
            ),
            (
                "I have booked you for Friday, December 4 at 4:21 PM.",
                Some(UNRECEIPTED),
            ),
        ] {
            let person = person(old);
            let found = oracle().wrong(text, (0, &person), (&before, &now), (new, ""));
            assert_eq!(found, wrong, "{text}");
        }
    }

    #[test]
    fn a_visit_is_confirmed_by_a_word_or_by_the_choice_of_its_time_and_by_nothing_else() {
        let old: Timestamp = "2026-12-01T16:00:00Z".parse().unwrap();
        let new: Timestamp = "2026-12-03T16:00:00Z".parse().unwrap();
        let (person, oracle) = (person(old), oracle());
        let stands = |visits: &[Timestamp], confirmed| Truth {
            visits: visits.to_vec(),
            confirmed,
            ..Truth::default()
        };
        for (truth, done) in [
            (stands(&[old], true), true),
            (stands(&[old], false), false),
            (stands(&[new], false), true),
            (stands(&[old, new], false), true),
            (stands(&[], false), false),
        ] {
            let before = stands(&[old], false);
            let found = oracle.done(Deed::Confirmed, "", &person, (&before, &truth));
            assert_eq!(found, done, "{truth:?}");
        }
    }
}
