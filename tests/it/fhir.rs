//! A FHIR R4 Bundle becomes a record, or an error that names entry, field and remedy.

#![cfg(test)]

mod faults;
mod names;
mod outreach;
mod server;
mod shown;
mod stories;
mod writes;

use anteroom::domain::record::ClinicalKind;
use anteroom::fhir::bundle;
use jiff::tz::TimeZone;

const SAMPLE: &str = include_str!("../../samples/lakeside.json");

#[test]
fn the_sample_practice_loads_whole() {
    let (records, passed_over) = bundle::parse(SAMPLE).unwrap();
    assert_eq!(records.patients.len(), 12);
    assert_eq!(records.providers.len(), 3);
    assert_eq!(records.appointments.len(), 12);
    assert!(
        records.slots.len() > 60,
        "{} free slots",
        records.slots.len()
    );
    assert!(passed_over.is_empty(), "{passed_over:?}");
    let labs = records
        .clinical
        .iter()
        .filter(|(_, entry)| entry.kind == ClinicalKind::Lab);
    assert_eq!(
        labs.filter(|(_, entry)| !entry.released).count(),
        1,
        "one result is not released"
    );
    for visit in &records.appointments {
        assert!(
            records
                .patients
                .iter()
                .any(|patient| patient.id == visit.patient)
        );
        assert!(
            !visit.provider.is_empty() && !visit.location.is_empty(),
            "{}",
            visit.id
        );
    }
    for patient in &records.patients {
        assert!(
            patient
                .phones
                .iter()
                .all(|phone| phone.as_str().contains("55501")),
            "invented only"
        );
    }
}

#[test]
fn sample_visits_stay_in_the_coming_weeks_on_their_weekday_and_hour() {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let (original, _) = bundle::parse(SAMPLE).unwrap();
    for now in [
        "2026-11-22T12:00:00Z",
        "2027-03-10T12:00:00Z",
        "2027-07-04T00:00:00Z",
        "2024-01-01T00:00:00Z",
    ] {
        let now = now.parse().unwrap();
        let mut records = original.clone();
        bundle::freshen(&mut records, now);
        for (before, after) in original.appointments.iter().zip(&records.appointments) {
            let (was, is) = (
                before.start.to_zoned(zone.clone()),
                after.start.to_zoned(zone.clone()),
            );
            assert_eq!(
                (was.weekday(), was.time()),
                (is.weekday(), is.time()),
                "at {now}"
            );
            assert!(after.start > now, "{} at {now}", after.id);
        }
        let first = records.slots.iter().map(|slot| slot.start).min().unwrap();
        assert!(
            first.duration_since(now).as_hours() <= 8 * 24,
            "the first free time at {now}"
        );
    }
}

#[test]
fn a_broken_bundle_is_told_where_and_how_to_mend_it() {
    let cases = [
        ("{", "line 1", "not JSON"),
        (
            r#"{"resourceType":"Patient"}"#,
            "resourceType",
            "must be `Bundle`",
        ),
        (
            r#"{"resourceType":"Bundle","entry":[{"resource":{}}]}"#,
            "entry[0]",
            "missing",
        ),
        (
            r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"x","name":[{"given":["Ada"],"family":"Doe"}],"telecom":[{"system":"phone","value":"555-0142"}]}}]}"#,
            "entry[0] Patient/x: telecom",
            "E.164",
        ),
        (
            r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Appointment","id":"a","status":"booked","start":"tomorrow"}}]}"#,
            "entry[0] Appointment/a: participant",
            "a Patient is needed",
        ),
        (
            r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Slot","id":"s","status":"free"}}]}"#,
            "entry[0] Slot/s: schedule",
            "a Schedule that is in the Bundle",
        ),
    ];
    for (text, place, want) in cases {
        let error = bundle::parse(text).unwrap_err();
        assert!(
            error.place.contains(place) && error.want.contains(want),
            "{text}: {error}"
        );
        assert!(
            !error.to_string().contains("555-0142"),
            "no value in an error"
        );
    }
}

#[test]
fn the_sample_has_free_times_from_tomorrow_on_whatever_the_day() {
    let (original, _) = bundle::parse(SAMPLE).unwrap();
    for (now, within_days) in [
        ("2026-11-22T20:00:00Z", 1), // a Sunday
        ("2026-11-23T20:00:00Z", 1),
        ("2026-11-25T20:00:00Z", 1), // a Wednesday
        ("2026-11-26T20:00:00Z", 1),
        ("2026-11-28T20:00:00Z", 2), // a Saturday
        ("2027-03-13T20:00:00Z", 2), // the clocks change on the Sunday
    ] {
        let now = now.parse().unwrap();
        let mut records = original.clone();
        bundle::freshen(&mut records, now);
        let next = records
            .slots
            .iter()
            .map(|slot| slot.start)
            .filter(|start| *start > now)
            .min();
        let wait = next.unwrap().duration_since(now).as_hours();
        assert!(wait <= within_days * 24, "at {now}: {wait} h");
        let mut ids: Vec<&str> = records.slots.iter().map(|slot| slot.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(
            ids.len(),
            records.slots.len(),
            "each time has its own id at {now}"
        );
    }
}
