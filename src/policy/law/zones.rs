//! The time zones in which somebody who lives in a state may be.

use jiff::tz::TimeZone;

use crate::policy::words::Jurisdiction;

/// Every zone of the 50 states and DC that keeps its own clock.
const EVERY: &[&str] = &[
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
];

/// The zones of a state, by their names in the IANA database (49 CFR part 71 sets their borders).
pub fn names(state: Jurisdiction) -> &'static [&'static str] {
    match state.as_str() {
        "CT" | "DE" | "DC" | "GA" | "ME" | "MD" | "MA" | "NH" | "NJ" | "NY" | "NC" | "OH"
        | "PA" | "RI" | "SC" | "VT" | "VA" | "WV" => &["America/New_York"],
        "AL" | "AR" | "IL" | "IA" | "LA" | "MN" | "MS" | "MO" | "OK" | "WI" => &["America/Chicago"],
        "FL" | "IN" | "KY" | "MI" | "TN" => &["America/New_York", "America/Chicago"],
        "KS" | "NE" | "ND" | "SD" | "TX" => &["America/Chicago", "America/Denver"],
        "CO" | "MT" | "NM" | "UT" | "WY" => &["America/Denver"],
        // The Navajo Nation moves its clocks, the rest of the state does not.
        "AZ" => &["America/Phoenix", "America/Denver"],
        "ID" | "OR" => &["America/Denver", "America/Los_Angeles"],
        // West Wendover keeps mountain time.
        "NV" => &["America/Los_Angeles", "America/Denver"],
        "CA" | "WA" => &["America/Los_Angeles"],
        "AK" => &["America/Anchorage", "America/Adak"],
        "HI" => &["Pacific/Honolulu"],
        _ => EVERY,
    }
}

/// The zones in which the recipient may be: the one that is known, else those of the state.
pub fn possible(known: Option<&str>, state: Jurisdiction) -> Vec<TimeZone> {
    if let Some(zone) = known.and_then(|name| TimeZone::get(name).ok()) {
        return vec![zone];
    }
    let zones = names(state).iter();
    zones.filter_map(|name| TimeZone::get(name).ok()).collect()
}
