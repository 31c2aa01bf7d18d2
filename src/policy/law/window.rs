//! When a text may leave: the hours that are open wherever its reader may be.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::policy::law::deadline::federal_holiday;
use crate::policy::law::duties::Duties;
use crate::policy::law::duty::Week;
use crate::policy::law::join::Ids;
use crate::policy::law::terms::{ClockOf, MessageClass};

/// How far ahead an open hour is looked for. Windows that do not meet within a fortnight never do.
const DAYS_AHEAD: usize = 14;

/// Where the reader and the practice keep their clocks.
#[derive(Clone, Debug)]
pub struct Clocks {
    /// Every zone in which the reader may be.
    pub recipient: Vec<TimeZone>,
    /// The practice's.
    pub practice: Vec<TimeZone>,
}

/// What the windows say of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// May leave now.
    Open,
    /// May leave then, and by these rules.
    At(Timestamp, Ids),
    /// There is no hour that is open wherever the reader may be.
    Never(Ids),
}

/// Whether a text of this class may leave now, and if not, when.
pub fn opening(duties: &Duties, class: MessageClass, now: Timestamp, clocks: &Clocks) -> Opening {
    let mut weeks: Vec<(&Week, &TimeZone)> = Vec::new();
    for ((of, clock), week) in &duties.windows {
        let zones = match clock {
            ClockOf::Recipient => &clocks.recipient,
            ClockOf::Practice => &clocks.practice,
        };
        if *of == class {
            weeks.extend(zones.iter().map(|zone| (week, zone)));
        }
    }
    let shut = |at: Timestamp| {
        weeks
            .iter()
            .filter(move |(week, zone)| !week.open(at, zone))
    };
    if shut(now).next().is_none() {
        return Opening::Open;
    }
    let by: Ids = shut(now)
        .flat_map(|(week, _)| week.by.iter().cloned())
        .collect();
    // A window opens somewhere at the first minute that all are open: only openings are tried.
    let mut starts: Vec<Timestamp> = weeks
        .iter()
        .flat_map(|(week, zone)| week.openings(now, zone))
        .filter(|at| *at > now)
        .collect();
    starts.sort_unstable();
    match starts.into_iter().find(|at| shut(*at).next().is_none()) {
        Some(at) => Opening::At(at, by),
        None => Opening::Never(by),
    }
}

impl Week {
    /// The hours of a day, in minutes since midnight; none when it is shut.
    fn hours(&self, day: Date) -> Option<(u16, u16)> {
        if self.shut_on_holidays.0 && federal_holiday(day) {
            return None;
        }
        let at = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        let (open, close) = self.days.get(at).copied()?;
        (open < close).then_some((open.0, close.0))
    }

    /// Whether it is open at an instant, on the clock of a zone.
    pub fn open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let local = at.to_zoned(zone.clone());
        let minute = u16::try_from(local.hour()).unwrap_or(0) * 60
            + u16::try_from(local.minute()).unwrap_or(0);
        self.hours(local.date())
            .is_some_and(|(open, close)| open <= minute && minute < close)
    }

    /// The instants at which it opens, from the day of `now` on. An opening that the clock jumps
    /// over is the first instant after the jump.
    fn openings(&self, now: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
        let first = now.to_zoned(zone.clone()).date();
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        days.take(DAYS_AHEAD)
            .filter_map(|day| {
                let (open, _) = self.hours(day)?;
                let hour = i8::try_from(open / 60).ok()?;
                let minute = i8::try_from(open % 60).ok()?;
                let time = Time::new(hour, minute, 0, 0).ok()?;
                let zoned = day.to_datetime(time).to_zoned(zone.clone()).ok()?;
                Some(zoned.timestamp())
            })
            .collect()
    }
}
