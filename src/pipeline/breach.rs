//! Breach worksheet: who must be told of a breach, and by when, for the people of every state that it
//! touches; each clock with its rule and its source.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::policy::law::deadline::{Started, deadlines};
use crate::policy::law::duty::ClockDuty;
use crate::policy::law::terms::{Event, From, Recipient};
use crate::policy::law::{Law, Whereabouts};
use crate::policy::words::Jurisdiction;

/// From so many people on, Health and Human Services is told with the people; fewer are reported after
/// the year (45 CFR 164.408(b), (c)).
const HHS_AT_ONCE: u32 = 500;
/// Days after the end of the year in which smaller breaches are reported (45 CFR 164.408(c)).
const HHS_AFTER_YEAR: i64 = 60;

/// What is known of a breach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What it is called here.
    pub title: String,
    /// What happened, in words.
    pub about: String,
    /// The day on which somebody knew, or would have known with reasonable diligence.
    pub discovered: Option<Date>,
    /// The day on which it was established that there was a breach.
    pub determined: Option<Date>,
    /// The day on which the people were told.
    pub told: Option<Date>,
    /// How many people of each state it touches.
    pub people: BTreeMap<String, u32>,
}

/// One clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The state; empty for the whole country.
    pub state: String,
    /// Toward whom.
    pub recipient: String,
    /// The last day; none while its start is not known, or where the law names no number.
    pub day: Option<Date>,
    /// What it waits for, or says instead of a number.
    pub waits: String,
    /// The rule.
    pub rule: String,
    /// What the rule says.
    pub summary: String,
    /// The source.
    pub cite: String,
}

/// The clocks of a breach: the soonest first, then those whose start is not known.
pub fn clocks(law: &Law, practice_type: &str, zone: &TimeZone, facts: &Facts) -> Vec<Clock> {
    let noon = |day: Date| {
        let at = day.to_datetime(Time::constant(12, 0, 0, 0));
        at.to_zoned(zone.clone()).ok().map(|it| it.timestamp())
    };
    let starts: Vec<(From, Timestamp)> = [
        (From::Discovered, facts.discovered),
        (From::Determined, facts.determined),
        (From::IndividualNoticeSent, facts.told),
    ]
    .into_iter()
    .filter_map(|(from, day)| Some((from, noon(day?)?)))
    .collect();
    let mut all = Vec::new();
    for (name, people) in &facts.people {
        let Ok(state) = name.parse::<Jurisdiction>() else {
            continue;
        };
        let Some(day) = facts.discovered else {
            continue;
        };
        let duties = law.duties(Whereabouts {
            practice: state,
            residence: state,
            practice_type,
            day,
        });
        let started = Started {
            event: Event::Breach,
            residents: Some(*people),
            starts: &starts,
            zone,
        };
        let dues = deadlines(&duties, &started);
        for due in &dues {
            if wanted(due.recipient) {
                all.push(clock(law, name, &due.clock, Some(due.day)));
            }
        }
        for open in &duties.clocks {
            let touched = open.event == Event::Breach && *people >= open.threshold;
            let counted = dues
                .iter()
                .any(|it| it.recipient == open.recipient && it.clock.by == open.by);
            let overtaken = dues.iter().any(|it| it.recipient == open.recipient)
                && open.n.is_some()
                && open.from != From::IndividualNoticeSent
                && open.from != From::HhsNotified;
            if touched && !counted && !overtaken && wanted(open.recipient) {
                all.push(clock(law, name, open, None));
            }
        }
    }
    all.extend(secretary(law, facts));
    all.sort_by_key(|it| {
        (
            it.day.is_none(),
            it.day,
            it.state.clone(),
            it.recipient.clone(),
        )
    });
    all.dedup();
    all
}

/// The practice is told by its vendor, and Health and Human Services counts the whole country.
const fn wanted(recipient: Recipient) -> bool {
    !matches!(
        recipient,
        Recipient::CoveredEntity | Recipient::HhsSecretary
    )
}

fn clock(law: &Law, state: &str, duty: &ClockDuty, day: Option<Date>) -> Clock {
    let rule = law.rule(&duty.by);
    let waits = match (day, duty.n, duty.from) {
        (Some(_), ..) => String::new(),
        (None, None, _) => "without unreasonable delay".to_owned(),
        (None, Some(n), from) => format!(
            "{n} {}s after: {}",
            duty.unit.as_str().replace('_', " "),
            from.as_str().replace('_', " ")
        ),
    };
    Clock {
        state: state.to_owned(),
        recipient: duty.recipient.as_str().replace('_', " "),
        day,
        waits,
        rule: duty.by.to_string(),
        summary: rule.map_or_else(String::new, |it| it.summary.clone()),
        cite: rule.map_or_else(String::new, |it| it.cite.clone()),
    }
}

/// Health and Human Services: with the people from 500 on, else after the year.
fn secretary(law: &Law, facts: &Facts) -> Option<Clock> {
    let discovered = facts.discovered?;
    let people: u32 = facts
        .people
        .values()
        .fold(0, |sum, it| sum.saturating_add(*it));
    if people == 0 {
        return None;
    }
    let from = if people >= HHS_AT_ONCE {
        discovered
    } else {
        date(discovered.year(), 12, 31)
    };
    let id = "us.hipaa.breach-secretary";
    let rule = law.rule(id);
    Some(Clock {
        state: String::new(),
        recipient: "hhs secretary".to_owned(),
        day: from.checked_add(HHS_AFTER_YEAR.days()).ok(),
        waits: String::new(),
        rule: id.to_owned(),
        summary: rule.map_or_else(String::new, |it| it.summary.clone()),
        cite: rule.map_or_else(String::new, |it| it.cite.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn computed(facts: &Facts) -> Vec<Clock> {
        let policy = Policy::embedded().unwrap();
        clocks(policy.law(), "primary_care", &TimeZone::UTC, facts)
    }

    fn of(people: &[(&str, u32)]) -> Facts {
        Facts {
            discovered: Some(date(2026, 12, 1)),
            people: people
                .iter()
                .map(|(it, n)| ((*it).to_owned(), *n))
                .collect(),
            ..Facts::default()
        }
    }

    fn day(all: &[Clock], state: &str, recipient: &str) -> Option<String> {
        let found = all
            .iter()
            .find(|it| it.state == state && it.recipient == recipient);
        found?.day.map(|it| it.to_string())
    }

    #[test]
    fn each_state_has_its_own_clocks_and_hhs_counts_the_whole_country() {
        let all = computed(&of(&[("CA", 480), ("TX", 250), ("WY", 3)]));
        for (state, recipient, wanted) in [
            ("WY", "individual", Some("2027-01-30")),
            ("TX", "individual", Some("2027-01-30")),
            ("TX", "attorney general", Some("2026-12-31")),
            ("CA", "media", None),
            ("", "hhs secretary", Some("2027-01-30")),
        ] {
            assert_eq!(
                day(&all, state, recipient).as_deref(),
                wanted,
                "{state} {recipient}"
            );
        }
        assert!(day(&all, "CA", "individual").is_some_and(|it| it.as_str() <= "2026-12-31"));
        assert!(
            all.iter()
                .all(|it| !it.cite.is_empty() && !it.summary.is_empty())
        );
    }

    #[test]
    fn thresholds_count_and_a_small_breach_is_reported_after_the_year() {
        let small = computed(&of(&[("TX", 249)]));
        assert_eq!(day(&small, "TX", "attorney general"), None);
        // 60 days after December 31, 2026.
        assert_eq!(
            day(&small, "", "hhs secretary").as_deref(),
            Some("2027-03-01")
        );
        let large = computed(&of(&[("TX", 501)]));
        assert_eq!(day(&large, "TX", "media").as_deref(), Some("2027-01-30"));
        assert_eq!(
            day(&large, "", "hhs secretary").as_deref(),
            Some("2027-01-30")
        );
        assert_eq!(computed(&of(&[])), []);
        let unknown = Facts {
            discovered: None,
            ..of(&[("TX", 5)])
        };
        assert_eq!(computed(&unknown), []);
    }

    #[test]
    fn a_clock_that_waits_for_the_notice_says_so_and_runs_once_it_is_sent() {
        let mut facts = of(&[("CA", 600)]);
        let waits = computed(&facts);
        let ag = waits.iter().find(|it| it.rule == "ca.breach.ag").unwrap();
        assert_eq!(ag.day, None);
        assert!(ag.waits.contains("individual notice sent"), "{}", ag.waits);
        facts.told = Some(date(2026, 12, 10));
        assert_eq!(
            day(&computed(&facts), "CA", "attorney general").as_deref(),
            Some("2026-12-25")
        );
    }
}
