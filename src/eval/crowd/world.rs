//! A world of a crowd: one practice, its calendar, and patients whose visits and names nobody else
//! has, so that whatever is told to the wrong one is seen.

use std::collections::BTreeSet;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::domain::dice::Dice;
use crate::domain::ids::{AppointmentId, PatientId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::record::{Appointment, AppointmentStatus, Patient, RecordSet, Slot};
use crate::policy::words::{Jurisdiction, Language};

/// Area codes of invented numbers: each has a hundred that belong to nobody (555-0100 to 555-0199). The
/// practice's own is not among them.
const AREAS: &[&str] = &["628", "510", "650", "707", "925", "408", "209", "530"];
/// Patients of a world: a busy day's, and as many as there are numbers for.
pub(super) const PATIENTS_MAX: usize = 400;
/// Days that the calendar goes ahead.
const DAYS: i32 = 21;

const FIRST: &[&str] = &[
    "Ana", "Ben", "Carla", "Dev", "Elena", "Felix", "Gina", "Hugo", "Ivy", "Jonas", "Kira", "Leo",
];
/// Endings and beginnings of last names that no word has.
const LAST_A: &[&str] = &[
    "Zor", "Quil", "Vrem", "Thax", "Orbl", "Kyst", "Jund", "Plov", "Wexl", "Brisk", "Dzel", "Fyrn",
    "Gwoz", "Hlom", "Ixtr", "Lurv", "Myzd", "Nrob", "Pwel", "Ruzk",
];
const LAST_B: &[&str] = &[
    "vane", "ostrum", "ibald", "ekko", "andov", "urnik", "ashko", "elwyn", "orvath", "immon",
    "azzar", "ugrin", "etzov", "olquin", "arbek", "yndal", "umbra", "iskov", "edzin", "oplak",
];

/// Everything that is on file, and what a text may speak of.
#[derive(Debug)]
pub(super) struct World {
    pub(super) set: RecordSet,
    pub(super) people: Vec<Person>,
}

/// One patient.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: PatientId,
    pub(super) last: String,
    pub(super) number: E164,
    pub(super) language: Language,
    pub(super) visit: Timestamp,
}

impl World {
    /// So many patients at the practice of the sample, each with one visit.
    pub(super) fn new(
        sample: &RecordSet,
        zone: &TimeZone,
        start: Timestamp,
        (count, dice): (usize, &mut Dice),
    ) -> Result<Self, String> {
        let mut set = RecordSet {
            providers: sample.providers.clone(),
            ..RecordSet::default()
        };
        let places: BTreeSet<(String, String)> = sample
            .slots
            .iter()
            .map(|slot| (slot.provider.clone(), slot.location.clone()))
            .collect();
        let places: Vec<(String, String)> = places.into_iter().collect();
        let days = weekdays(start, zone)?;
        let at = |day: jiff::civil::Date, minutes: i32| {
            let hour = i8::try_from(minutes / 60).unwrap_or(8);
            let minute = i8::try_from(minutes % 60).unwrap_or(0);
            let time = Time::new(hour, minute, 0, 0).map_err(|error| error.to_string())?;
            day.to_datetime(time)
                .to_zoned(zone.clone())
                .map(|it| it.timestamp())
                .map_err(|error| error.to_string())
        };
        for (number, day) in days.iter().enumerate() {
            for (place, (provider, location)) in places.iter().enumerate() {
                for half in 0..18 {
                    let from = at(*day, 8 * 60 + 30 * half)?;
                    set.slots.push(Slot {
                        id: SlotId::new(format!("crowd-{number}-{place}-{half}")),
                        start: from,
                        end: from + SignedDuration::from_mins(30),
                        provider: provider.clone(),
                        location: location.clone(),
                        kind: String::new(),
                    });
                }
            }
        }
        let mut people = Vec::new();
        for number in 0..count.min(PATIENTS_MAX) {
            // No visit begins where a free time does: who hears of one hears of a certain person.
            let place = dice
                .pick(&places)
                .cloned()
                .ok_or("the sample has no slots")?;
            let day = dice.pick(days.get(1..).unwrap_or_default());
            let day = *day.ok_or("no weekday")?;
            let quarter = i32::try_from(dice.below(18)).unwrap_or(0);
            let odd = i32::try_from(dice.below(29)).unwrap_or(0) + 1;
            let from = at(day, 8 * 60 + 30 * quarter + odd)?;
            let person = person(number, from, dice)?;
            set.patients.push(patient(&person, dice));
            set.appointments.push(Appointment {
                id: AppointmentId::new(format!("crowd-visit-{number}")),
                patient: person.id.clone(),
                start: from,
                end: from + SignedDuration::from_mins(30),
                provider: place.0,
                location: place.1,
                reason: Phi::from("Follow-up"),
                preparation: Phi::default(),
                status: AppointmentStatus::Booked,
                slot: None,
            });
            people.push(person);
        }
        Ok(Self { set, people })
    }
}

fn weekdays(start: Timestamp, zone: &TimeZone) -> Result<Vec<jiff::civil::Date>, String> {
    let today = start.to_zoned(zone.clone()).date();
    let mut days = Vec::new();
    for ahead in 1..=DAYS {
        let day = today
            .checked_add(Span::new().days(ahead))
            .map_err(|error| error.to_string())?;
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            days.push(day);
        }
    }
    Ok(days)
}

fn person(number: usize, visit: Timestamp, dice: &mut Dice) -> Result<Person, String> {
    let area = AREAS.get(number / 100).ok_or("no more numbers")?;
    let spelled = format!("+1{area}55501{:02}", number % 100);
    let part = |list: &[&'static str], at: usize| list.get(at % list.len()).copied();
    let first = part(LAST_A, number).unwrap_or_default();
    let second = part(LAST_B, number / LAST_A.len()).unwrap_or_default();
    Ok(Person {
        id: PatientId::new(format!("crowd-{number}")),
        last: format!("{first}{second}"),
        number: spelled
            .parse()
            .map_err(|_unreadable| format!("{spelled} is no number"))?,
        language: if dice.below(4) == 0 {
            Language::Es
        } else {
            Language::En
        },
        visit,
    })
}

fn patient(person: &Person, dice: &mut Dice) -> Patient {
    let first = dice.pick(FIRST).copied().unwrap_or("Ana");
    let day = i16::try_from(dice.below(300)).unwrap_or(0);
    let born = jiff::civil::date(1980, 1, 1).saturating_add(Span::new().days(day));
    Patient {
        id: person.id.clone(),
        first_name: Phi::from(first),
        last_name: Phi::from(person.last.as_str()),
        birth_date: Some(Phi::new(born)),
        phones: vec![person.number.clone()],
        guardians: Vec::new(),
        language: Some(person.language),
        state: "CA".parse().unwrap_or(Jurisdiction::UNKNOWN),
        mrn: None,
        email: None,
        address: None,
    }
}
