//! When a text that the practice begins may leave: wherever its reader may be, across every change
//! of the clocks.

use anteroom::policy::law::terms::MessageClass;
use anteroom::policy::law::window::{Clocks, Opening, opening};
use anteroom::policy::law::{Law, Whereabouts, zones};
use anteroom::policy::words::Jurisdiction;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When a text leaves, as the clocks of `zone` show it; `now` when it leaves at once.
fn leaves(law: &Law, class: MessageClass, state: &str, zone: &str, now: &str) -> String {
    let state: Jurisdiction = state.parse().unwrap();
    let zone_of = TimeZone::get(zone).unwrap();
    let now: Timestamp = now.parse().unwrap();
    let day = now.to_zoned(zone_of.clone()).date();
    let duties = law.duties(Whereabouts {
        practice: state,
        residence: state,
        practice_type: "primary_care",
        day,
    });
    let recipient = zones::possible(None, state);
    let clocks = Clocks {
        practice: recipient.clone(),
        recipient,
    };
    match opening(&duties, class, now, &clocks) {
        Opening::Open => "now".to_owned(),
        Opening::At(at, by) => {
            assert!(!by.is_empty());
            at.to_zoned(zone_of)
                .strftime("%a %m-%d %H:%M %Z")
                .to_string()
        }
        Opening::Never(_) => "never".to_owned(),
    }
}

/// State, zone of the reader, the present, and when a reminder leaves.
const NIGHTS: &[(&str, &str, &str, &str)] = &[
    // By day, by night.
    ("NY", "America/New_York", "2026-11-27T14:00:00Z", "now"),
    (
        "NY",
        "America/New_York",
        "2026-11-28T02:30:00Z",
        "Sat 11-28 08:00 EST",
    ),
    (
        "CA",
        "America/Los_Angeles",
        "2026-12-02T15:59:00Z",
        "Wed 12-02 08:00 PST",
    ),
    ("CA", "America/Los_Angeles", "2026-12-02T16:00:00Z", "now"),
    // 21:00 is shut already.
    ("CA", "America/Los_Angeles", "2026-12-03T04:59:59Z", "now"),
    (
        "CA",
        "America/Los_Angeles",
        "2026-12-03T05:00:00Z",
        "Thu 12-03 08:00 PST",
    ),
    // The night in which an hour is skipped, and the one that has an hour twice.
    (
        "CA",
        "America/Los_Angeles",
        "2027-03-14T05:30:00Z",
        "Sun 03-14 08:00 PDT",
    ),
    (
        "NY",
        "America/New_York",
        "2027-03-14T03:30:00Z",
        "Sun 03-14 08:00 EDT",
    ),
    (
        "NY",
        "America/New_York",
        "2027-11-07T02:30:00Z",
        "Sun 11-07 08:00 EST",
    ),
    // The day after each: the same hour of the clock, another of the world.
    (
        "NY",
        "America/New_York",
        "2027-03-13T12:59:00Z",
        "Sat 03-13 08:00 EST",
    ),
    (
        "NY",
        "America/New_York",
        "2027-03-15T11:59:00Z",
        "Mon 03-15 08:00 EDT",
    ),
    // Most of Arizona keeps its clocks; its north-east does not.
    (
        "AZ",
        "America/Phoenix",
        "2027-07-01T14:30:00Z",
        "Thu 07-01 08:00 MST",
    ),
    (
        "AZ",
        "America/Phoenix",
        "2027-07-02T03:30:00Z",
        "Fri 07-02 08:00 MST",
    ),
    // Two zones in one state: open in both.
    (
        "TX",
        "America/Chicago",
        "2026-12-02T14:30:00Z",
        "Wed 12-02 09:00 CST",
    ),
    (
        "TX",
        "America/Chicago",
        "2026-12-03T03:30:00Z",
        "Thu 12-03 09:00 CST",
    ),
    // Hawaii has no summer time.
    (
        "HI",
        "Pacific/Honolulu",
        "2027-07-01T17:59:00Z",
        "Thu 07-01 08:00 HST",
    ),
    // Nobody knows where: open from Maine to Hawaii.
    (
        "US",
        "America/New_York",
        "2026-11-27T14:00:00Z",
        "Fri 11-27 13:00 EST",
    ),
    ("US", "America/New_York", "2026-11-27T19:00:00Z", "now"),
    (
        "US",
        "America/New_York",
        "2027-07-01T14:00:00Z",
        "Thu 07-01 14:00 EDT",
    ),
];

#[test]
fn a_reminder_waits_for_the_morning_of_its_reader_across_clock_changes() {
    let law = Law::embedded().unwrap();
    for (state, zone, now, want) in NIGHTS {
        let got = leaves(&law, MessageClass::OutboundInitiated, state, zone, now);
        assert_eq!(got, *want, "{state} at {now}");
    }
}

#[test]
fn what_nobody_may_wait_for_never_waits() {
    let law = Law::embedded().unwrap();
    for class in [
        MessageClass::Reply,
        MessageClass::Safety,
        MessageClass::OptOutConfirmation,
    ] {
        for hour in 0..24 {
            let now = format!("2026-11-27T{hour:02}:15:00Z");
            for state in ["US", "CA", "TX", "HI"] {
                let got = leaves(&law, class, state, "America/New_York", &now);
                assert_eq!(got, "now", "{class} in {state} at {now}");
            }
        }
    }
}

#[test]
fn an_offer_waits_for_the_stricter_hours_of_its_state() {
    let law = Law::embedded().unwrap();
    let cases = [
        // Florida shuts at eight, the federal rule at nine.
        (
            "FL",
            "America/New_York",
            "2026-12-03T01:15:00Z",
            "Thu 12-03 09:00 EST",
        ),
        // Texas opens at noon on Sundays.
        (
            "TX",
            "America/Chicago",
            "2026-12-06T16:00:00Z",
            "Sun 12-06 13:00 CST",
        ),
        ("CA", "America/Los_Angeles", "2026-12-03T04:15:00Z", "now"),
    ];
    for (state, zone, now, want) in cases {
        let got = leaves(&law, MessageClass::Solicitation, state, zone, now);
        assert_eq!(got, want, "{state} at {now}");
    }
}
