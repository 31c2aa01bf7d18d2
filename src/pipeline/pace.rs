//! Pace: no number texts faster than its carrier takes it, and none more in a day than it may. A
//! text that must wait is given its own instant and waits in the queue, so that no worker sleeps and
//! no practice stands in another's way.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::conversation::OutboxRow;
use crate::domain::message::OutboundKind;
use crate::domain::practice::{NumberType, Sender};
use crate::pipeline::house::House;
use crate::pipeline::outcome::about;
use crate::policy::words::Channel;
use crate::store::StoreError;

/// What a kind of number may send, in segments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Segments a second.
    pub per_second: f64,
    /// Segments a day; none where the carriers set no cap.
    pub per_day: Option<i64>,
}

/// What kinds of numbers may send unless the practice's registration grants more: the least that
/// carriers give. 10DLC: T-Mobile's daily cap for a low-volume brand, 2,000 segments, and one
/// segment a second; toll-free: 3 a second; short codes: 100 a second
/// (<https://help.twilio.com/articles/115002943027>,
/// <https://help.twilio.com/articles/1260803225669>). WhatsApp: 80 messages a second.
pub const RATES: &[(NumberType, Rate)] = &[
    (
        NumberType::LongCode,
        Rate {
            per_second: 1.0,
            per_day: Some(2_000),
        },
    ),
    (
        NumberType::TollFree,
        Rate {
            per_second: 3.0,
            per_day: None,
        },
    ),
    (
        NumberType::ShortCode,
        Rate {
            per_second: 100.0,
            per_day: None,
        },
    ),
];

const WHATSAPP: Rate = Rate {
    per_second: 80.0,
    per_day: None,
};

/// A place this near is taken at once: no phone shows the difference.
const NEAR: SignedDuration = SignedDuration::from_millis(100);

/// The zone in which the carriers' day ends (T-Mobile's caps run from midnight Pacific time).
const DAY_ZONE: &str = "America/Los_Angeles";

impl Rate {
    /// What a number may send.
    pub fn of(sender: &Sender) -> Self {
        let usual = if sender.channel == Channel::Whatsapp {
            WHATSAPP
        } else {
            RATES
                .iter()
                .find(|(kind, _)| *kind == sender.number_type)
                .map_or(WHATSAPP, |(_, rate)| *rate)
        };
        Self {
            per_second: sender.per_second.unwrap_or(usual.per_second),
            per_day: sender.per_day.or(usual.per_day),
        }
    }

    /// Microseconds that a text of so many segments takes.
    fn cost(self, segments: i64) -> i64 {
        let one = SignedDuration::try_from_secs_f64(1.0 / self.per_second);
        let one = one.unwrap_or(SignedDuration::from_secs(1));
        i64::try_from(one.as_micros())
            .unwrap_or(i64::MAX)
            .saturating_mul(segments.max(1))
    }
}

/// Whether a text may leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Go,
    /// It was given back until its instant, or its number's next day.
    Later,
}

/// The day of a number's cap, counted, and when the next one begins.
fn day(now: Timestamp) -> (i64, Timestamp) {
    let zone = TimeZone::get(DAY_ZONE).unwrap_or(TimeZone::UTC);
    let here = now.to_zoned(zone);
    let count = here.date().since(jiff::civil::date(1970, 1, 1));
    let count = count.map_or(0, |span| i64::from(span.get_days()));
    let next = here.tomorrow().and_then(|it| it.start_of_day());
    let next = next.map_or(now + SignedDuration::from_hours(24), |it| it.timestamp());
    (count, next)
}

impl House {
    /// Takes a place in the line of the number that texts, or gives the text back until there is one.
    /// Safety never waits, but takes its place.
    pub(crate) async fn pace(
        &self,
        row: &OutboxRow,
        sender: Option<&Sender>,
        now: Timestamp,
    ) -> Result<Pace, StoreError> {
        let sender = sender.filter(|sender| sender.carrier.is_company());
        let Some(sender) = sender else {
            return Ok(Pace::Go);
        };
        if row.slot.is_some_and(|slot| slot <= now) {
            return Ok(Pace::Go);
        }
        let rate = Rate::of(sender);
        let (today, tomorrow) = day(now);
        let work = Arc::new((row.clone(), sender.clone()));
        let pace = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (row, sender) = &*work;
                    let line = (&row.practice, sender.carrier, sender.number.as_str());
                    let cost = (rate.cost(row.segments), row.segments.max(1));
                    let slot = tx.reserve(line, now, cost, today).await?;
                    if row.kind == OutboundKind::Safety {
                        return Ok(Pace::Go);
                    }
                    if rate.per_day.is_some_and(|cap| slot.today > cap) {
                        // Its place is given to nobody: the day is over for this number.
                        tx.put_off(row, tomorrow, None).await?;
                        let detail = serde_json::json!({
                            "outbox": row.id.0, "cap": rate.per_day, "until": tomorrow.to_string(),
                        });
                        let entry = about(row, now, "message.capped", &detail);
                        tx.append_audit(&entry).await?;
                        metrics::counter!("anteroom_capped_total").increment(1);
                        return Ok(Pace::Later);
                    }
                    if slot.at <= now + NEAR {
                        return Ok(Pace::Go);
                    }
                    tx.put_off(row, slot.at, Some(slot.at)).await?;
                    Ok(Pace::Later)
                })
            })
            .await?;
        Ok(pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_costs_its_share_of_a_second_and_a_day_ends_at_midnight_pacific_time() {
        let rate = |per_second| Rate {
            per_second,
            per_day: None,
        };
        assert_eq!(rate(1.0).cost(1), 1_000_000);
        assert_eq!(rate(1.0).cost(3), 3_000_000);
        assert_eq!(rate(3.0).cost(1), 333_333);
        assert_eq!(rate(100.0).cost(0), 10_000);
        let (monday, next) = day("2026-12-01T07:59:00Z".parse().unwrap());
        let (tuesday, _) = day("2026-12-01T08:01:00Z".parse().unwrap());
        assert_eq!(tuesday, monday + 1);
        assert_eq!(next, "2026-12-01T08:00:00Z".parse().unwrap());
    }
}
