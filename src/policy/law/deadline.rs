//! Clocks of law: by when something must be done, computed.

use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::policy::law::Law;
use crate::policy::law::duties::Duties;
use crate::policy::law::duty::ClockDuty;
use crate::policy::law::params::Span;
use crate::policy::law::terms::{Event, From, Recipient, Unit};

/// What has happened, and when: only clocks whose start is known run.
#[derive(Clone, Debug)]
pub struct Started<'a> {
    /// What started it.
    pub event: Event,
    /// How many residents it touches; none when not known, which is read as many.
    pub residents: Option<u32>,
    /// When each known start was.
    pub starts: &'a [(From, Timestamp)],
    /// Where days are counted.
    pub zone: &'a TimeZone,
}

/// By when something must be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Toward whom.
    pub recipient: Recipient,
    /// The last day.
    pub day: Date,
    /// The last instant.
    pub at: Timestamp,
    /// The clock that ends first.
    pub clock: ClockDuty,
    /// The last day with every extension, when the rule allows one.
    pub extended: Option<Date>,
    /// The last day for reading the record on the spot, when the rule has one.
    pub inspect: Option<Date>,
}

/// The clocks of an event, the earliest for each recipient, soonest first.
pub fn deadlines(duties: &Duties, started: &Started<'_>) -> Vec<Due> {
    let mut dues: Vec<Due> = Vec::new();
    for clock in &duties.clocks {
        let touched = started.residents.is_none_or(|n| n >= clock.threshold);
        if clock.event != started.event || !touched {
            continue;
        }
        let Some(due) = due(clock, started) else {
            continue;
        };
        match dues.iter_mut().find(|it| it.recipient == due.recipient) {
            Some(known) => {
                let inspect = [known.inspect, due.inspect].into_iter().flatten().min();
                if (due.at, &due.clock.by) < (known.at, &known.clock.by) {
                    *known = due;
                }
                known.inspect = inspect;
            }
            None => dues.push(due),
        }
    }
    dues.sort_by_key(|due| (due.at, due.recipient));
    dues
}

/// The earliest clock of an event toward somebody.
pub fn deadline(duties: &Duties, started: &Started<'_>, recipient: Recipient) -> Option<Due> {
    let mut all = deadlines(duties, started).into_iter();
    all.find(|due| due.recipient == recipient)
}

/// One clock, if its start is known and it has a number.
fn due(clock: &ClockDuty, started: &Started<'_>) -> Option<Due> {
    // Whoever does not tell discovery from detection and determination counts from the first.
    let alike = [
        From::Discovered,
        From::Detected,
        From::Determined,
        From::InvestigationEnded,
    ];
    let exact = started.starts.iter().find(|(from, _)| *from == clock.from);
    let first = || {
        let known = started
            .starts
            .iter()
            .filter(|(from, _)| alike.contains(from));
        known.min_by_key(|(_, at)| *at)
    };
    let (_, start) = match exact {
        Some(exact) => exact,
        None if alike.contains(&clock.from) => first()?,
        None => return None,
    };
    let n = clock.n?;
    let at = after(
        *start,
        Span {
            n,
            unit: clock.unit,
        },
        started.zone,
    )?;
    let day_of = |at: Timestamp| at.to_zoned(started.zone.clone()).date();
    let extended = clock.extension.as_ref().and_then(|more| {
        let n = n.saturating_add(more.n.saturating_mul(more.max));
        after(
            *start,
            Span {
                n,
                unit: clock.unit,
            },
            started.zone,
        )
        .map(day_of)
    });
    let inspect = clock
        .inspect
        .and_then(|span| after(*start, span, started.zone).map(day_of));
    Some(Due {
        recipient: clock.recipient,
        day: day_of(at),
        at,
        clock: clock.clone(),
        extended,
        inspect,
    })
}

/// The last instant of a span that starts at `start`: hours run through, days end at midnight. The
/// day of the start does not count (Fed. R. Civ. P. 6(a)(1), the usual reading).
pub fn after(start: Timestamp, span: Span, zone: &TimeZone) -> Option<Timestamp> {
    let first = start.to_zoned(zone.clone()).date();
    let last = match span.unit {
        Unit::Hour => {
            return start
                .checked_add(SignedDuration::from_hours(span.n.into()))
                .ok();
        }
        Unit::CalendarDay => first.checked_add(i64::from(span.n).days()).ok()?,
        Unit::BusinessDay | Unit::WorkingDay => business_days(first, span.n)?,
    };
    let midnight = last.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
    midnight
        .timestamp()
        .checked_sub(SignedDuration::from_secs(1))
        .ok()
}

/// The day that is `n` business days after `day`. Holidays of the states are counted as business
/// days: that ends a clock no later than its law does.
pub fn business_days(day: Date, n: u16) -> Option<Date> {
    let mut left = n;
    let mut at = day;
    while left > 0 {
        at = at.tomorrow().ok()?;
        let weekend = matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !weekend && !federal_holiday(at) {
            left -= 1;
        }
    }
    Some(at)
}

/// Whether a day is a federal holiday or the day on which one is observed (5 U.S.C. 6103).
pub fn federal_holiday(day: Date) -> bool {
    let fixed = |month: i8, of: i8| {
        // Observed on Friday when it falls on Saturday, on Monday when it falls on Sunday.
        let years = [day.year(), day.year().saturating_add(1)];
        years.into_iter().any(|year| {
            let Ok(holiday) = Date::new(year, month, of) else {
                return false;
            };
            let observed = match holiday.weekday() {
                Weekday::Saturday => holiday.yesterday(),
                Weekday::Sunday => holiday.tomorrow(),
                Weekday::Monday
                | Weekday::Tuesday
                | Weekday::Wednesday
                | Weekday::Thursday
                | Weekday::Friday => Ok(holiday),
            };
            holiday == day || observed.is_ok_and(|observed| observed == day)
        })
    };
    let nth = |month: i8, n: i8, weekday: Weekday| {
        let first = date(day.year(), month, 1);
        first
            .nth_weekday_of_month(n, weekday)
            .is_ok_and(|it| it == day)
    };
    fixed(1, 1)
        || nth(1, 3, Weekday::Monday)
        || nth(2, 3, Weekday::Monday)
        || nth(5, -1, Weekday::Monday)
        || fixed(6, 19)
        || fixed(7, 4)
        || nth(9, 1, Weekday::Monday)
        || nth(10, 2, Weekday::Monday)
        || fixed(11, 11)
        || nth(11, 4, Weekday::Thursday)
        || fixed(12, 25)
}

impl Law {
    /// Years that a record is kept: the longest of what applies.
    pub fn kept_years(duties: &Duties, record: &str) -> Option<u16> {
        let mut kept = duties.keep.iter();
        kept.find(|(name, _)| name.as_str() == record)
            .and_then(|(_, keep)| keep.years.0)
    }
}
