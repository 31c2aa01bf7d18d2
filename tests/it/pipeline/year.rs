//! A practice's reminders of a year, forty days around each change of the clock, with visits that are
//! booked, moved, cancelled and missed at random.

#![cfg(test)]

use std::collections::BTreeMap;

use anteroom::domain::dice::Dice;
use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::practice::Outreach;
use anteroom::domain::record::{Appointment, AppointmentStatus, RecordSet};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::support::app::App;
use crate::support::stores;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAILY_MAX: usize = 1;

/// People of the sample practice and their numbers.
const PEOPLE: [(&str, &str); 5] = [
    ("p-002", "+14155550112"),
    ("p-003", "+14155550113"),
    ("p-004", "+14155550114"),
    ("p-005", "+14155550115"),
    ("p-007", "+14155550117"),
];

/// The calendar as the test keeps it beside the record.
struct Calendar {
    zone: TimeZone,
    dice: Dice,
    visits: Vec<Appointment>,
}

impl Calendar {
    /// A half hour of a day ahead of `now` that no other visit has: a text says no more of a visit
    /// than its time, by which it is known again.
    fn time(&mut self, now: Timestamp) -> Timestamp {
        loop {
            let days = i64::try_from(1 + self.dice.below(9)).unwrap();
            let day = now.to_zoned(self.zone.clone()).date();
            let day = day.saturating_add(jiff::Span::new().days(days));
            let half = i8::try_from(self.dice.below(18)).unwrap();
            let time = jiff::civil::time(8 + half / 2, 30 * (half % 2), 0, 0);
            let at = day.to_datetime(time).to_zoned(self.zone.clone()).unwrap();
            let at = at.timestamp();
            if self.visits.iter().all(|it| it.start != at) {
                return at;
            }
        }
    }

    /// One thing that happens at a front desk; the visit that it changed.
    fn event(&mut self, now: Timestamp) -> Appointment {
        let ahead: Vec<usize> = (0..self.visits.len())
            .filter(|at| self.visits[*at].start > now && stands(&self.visits[*at]))
            .collect();
        let known = self.dice.pick(&ahead).copied();
        match (self.dice.below(10), known) {
            (0..2, Some(at)) => self.visits[at].status = AppointmentStatus::Cancelled,
            (2..4, Some(at)) => {
                let start = self.time(now);
                self.visits[at].start = start;
                self.visits[at].end = start + HOUR / 2;
                self.visits[at].status = AppointmentStatus::Booked;
            }
            _ => {
                let start = self.time(now);
                let (patient, _) = PEOPLE[self.dice.below(PEOPLE.len())];
                self.visits.push(Appointment {
                    id: AppointmentId::new(format!("year-{}", self.visits.len())),
                    patient: PatientId::new(patient),
                    start,
                    end: start + HOUR / 2,
                    provider: "Dr. Samir Patel".to_owned(),
                    location: "Lakeside Family Medicine".to_owned(),
                    reason: "check-up".into(),
                    preparation: "".into(),
                    status: AppointmentStatus::Booked,
                    slot: None,
                });
                return self.visits.last().unwrap().clone();
            }
        }
        self.visits[known.unwrap()].clone()
    }

    /// The visits that are over: the patient came, or did not.
    fn close_the_day(&mut self, now: Timestamp) -> Vec<Appointment> {
        let mut over = Vec::new();
        for visit in &mut self.visits {
            if visit.end < now && stands(visit) {
                let missed = self.dice.below(6) == 0;
                visit.status = if missed {
                    AppointmentStatus::Missed
                } else {
                    AppointmentStatus::Fulfilled
                };
                over.push(visit.clone());
            }
        }
        over
    }
}

fn stands(visit: &Appointment) -> bool {
    [AppointmentStatus::Booked, AppointmentStatus::Confirmed].contains(&visit.status)
}

/// How a patient reads a time of day, by the wall clock of the place and the day.
fn by_the_clock(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    local.strftime("%a, %b %-d at %-I:%M %p").to_string()
}

/// What the practice sent of its own accord, and what it was about.
#[derive(Default)]
struct Ledger {
    of_day: BTreeMap<(&'static str, Date), usize>,
    of_event: BTreeMap<(AppointmentId, Timestamp, &'static str), usize>,
}

#[expect(clippy::too_many_lines, reason = "one year, told in order")]
#[tokio::test]
async fn a_year_of_reminders_keeps_hours_caps_clock_changes_and_the_record() {
    let kept = stores::sqlite().await;
    let app = App::with_practice(kept.store.clone(), |it| {
        it.outreach = Some(Outreach {
            before_h: vec![48],
            daily_max: u32::try_from(DAILY_MAX).unwrap(),
            skip_confirmed: false,
            missed_after_h: Some(2),
            ..Outreach::default()
        });
    })
    .await;
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let mut calendar = Calendar {
        zone: zone.clone(),
        dice: Dice::new(2_027),
        visits: Vec::new(),
    };
    for (patient, number) in PEOPLE {
        app.agreed(number).await;
        // The sample's own visits stand in the calendar too.
        let records = app.house.records();
        let (patient, now) = (PatientId::new(patient), app.clock_now());
        let own = records.appointments(app.practice(), &patient, now);
        calendar.visits.extend(own.await.unwrap());
    }
    let mut ledger = Ledger::default();
    let mut offsets = std::collections::BTreeSet::new();
    // To the end of winter, and then to autumn.
    for idle in [83, 195] {
        // Numbers that nothing is heard from for half a year are in doubt.
        let mut left = idle;
        while left > 0 {
            let days = left.min(60);
            app.wait(HOUR * 24 * days);
            left -= days;
            for (_, number) in PEOPLE {
                app.text(number, "What are your hours?").await;
            }
        }
        let mut spoke = app.clock_now();
        let end = app.clock_now() + HOUR * 24 * 40;
        while app.clock_now() < end {
            let ahead = i32::try_from(2 + calendar.dice.below(9)).unwrap();
            app.wait(HOUR * ahead);
            let now = app.clock_now();
            let local = now.to_zoned(zone.clone());
            offsets.insert(local.offset().seconds());
            let mut changed = calendar.close_the_day(now);
            if calendar.dice.below(3) == 0 {
                changed.push(calendar.event(now));
            }
            if !changed.is_empty() {
                app.file(&RecordSet {
                    appointments: changed,
                    ..RecordSet::default()
                })
                .await;
            }
            if now.duration_since(spoke) > HOUR * 24 * 60 {
                // Numbers that nothing is heard from for half a year are in doubt.
                spoke = now;
                for (_, number) in PEOPLE {
                    app.text(number, "What are your hours?").await;
                }
            }
            let before = PEOPLE.map(|(_, number)| app.received_by(number).len());
            app.house.outreach_once().await.unwrap();
            app.drain().await;
            for ((patient, number), before) in PEOPLE.into_iter().zip(before) {
                for text in app.received_by(number).split_off(before) {
                    let kind = if text.contains("missed you") {
                        "missed"
                    } else {
                        assert!(text.contains("reminder of "), "{local}: {text}");
                        "reminder"
                    };
                    assert!((8..21).contains(&local.hour()), "{local}: {text}");
                    let today = ledger.of_day.entry((number, local.date())).or_default();
                    *today += 1;
                    assert!(*today <= DAILY_MAX, "{local}: {text}");
                    let about: Vec<&Appointment> = calendar
                        .visits
                        .iter()
                        .filter(|it| {
                            let wanted = match kind {
                                "missed" => {
                                    it.status == AppointmentStatus::Missed && it.start < now
                                }
                                _ => stands(it) && it.start > now,
                            };
                            it.patient.as_str() == patient
                                && wanted
                                && text.contains(&by_the_clock(it.start, &zone))
                        })
                        .collect();
                    // As many times as are written, each of a visit that stands.
                    let written = text.matches(" AM").count() + text.matches(" PM").count();
                    assert_eq!(about.len(), written, "{local}: of no visit: {text}");
                    for it in about {
                        let key = (it.id.clone(), it.start, kind);
                        let times = ledger.of_event.entry(key).or_default();
                        *times += 1;
                        assert_eq!(*times, 1, "{local}: again: {text}");
                    }
                }
            }
        }
    }
    assert_eq!(offsets.len(), 2, "summer and winter time");
    let of = |kind: &str| ledger.of_event.keys().filter(|it| it.2 == kind).count();
    let missed = calendar.visits.iter();
    let missed = missed
        .filter(|it| it.status == AppointmentStatus::Missed)
        .count();
    let came = calendar.visits.iter();
    let came = came.filter(|it| !stands(it) && it.status != AppointmentStatus::Cancelled);
    assert!(
        of("reminder") * 10 >= came.clone().count() * 7,
        "{} reminders of {} visits",
        of("reminder"),
        came.count()
    );
    assert!(
        of("missed") * 10 >= missed * 4,
        "{} of {missed}",
        of("missed")
    );
}
