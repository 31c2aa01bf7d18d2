//! The overview: how many texts there are, how fast they are answered, by whom, what is held, what
//! arrives, who agreed, and how fast somebody has an emergency. Drawn here, as SVG.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::domain::alarm::AlarmKind;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::Direction;
use crate::domain::message::Delivery;
use crate::store::figures::{AlarmAt, Figures, TextAt};
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Seat, desk};
use crate::web::console::versions::zone;
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// How many days are drawn.
const DAYS: &[i64] = &[7, 14, 30, 90];
const DAYS_USUAL: i64 = 14;
/// The width of a chart, in its own units.
const WIDTH: f64 = 560.0;
/// The height of the columns.
const HEIGHT: f64 = 96.0;
/// Rules that the chart has.
const RULES_MAX: usize = 10;
/// The longest bar.
const BAR: f64 = 300.0;

/// Spans in which an answer came, as people think of them.
const SPANS: &[(i64, &str)] = &[
    (10, "10 seconds"),
    (60, "a minute"),
    (600, "10 minutes"),
    (3_600, "an hour"),
    (86_400, "a day"),
    (i64::MAX, "later"),
];

/// The page.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let days = asked(query.as_deref());
    let now = desk.clock().now();
    let zone = zone(desk, &seat);
    let today = now.to_zoned(zone.clone()).date();
    let first = today.saturating_sub((days - 1).days());
    let since = first.to_zoned(zone.clone());
    let since = since.map_or(now, |it| it.timestamp());
    let figures = desk.store();
    let figures = figures.figures(&seat.staff.practice, (since, Timestamp::MAX));
    let figures = figures.await;
    let figures = figures.map_err(unavailable)?;
    let mut values = frame(&door, &seat, "overview").await?;
    let fields = values.as_object_mut().ok_or_else(Problem::unavailable)?;
    let lengths: Vec<Value> = DAYS
        .iter()
        .map(|it| json!({ "days": it, "here": *it == days }))
        .collect();
    fields.insert("lengths".to_owned(), lengths.into());
    fields.insert("days".to_owned(), days.into());
    fields.insert(
        "volume".to_owned(),
        volume(&figures.texts, (first, today), &zone),
    );
    fields.insert("answers".to_owned(), answers(&figures.texts));
    fields.insert("by".to_owned(), by(&figures));
    fields.insert("holds".to_owned(), holds(&figures));
    fields.insert("rules".to_owned(), rules(&figures));
    fields.insert("judged".to_owned(), judged(&figures));
    fields.insert("delivery".to_owned(), delivery(&figures));
    fields.insert("consent".to_owned(), consent(&figures));
    fields.insert("alarms".to_owned(), alarms(&figures.alarms));
    Ok(pages::console(
        "console_overview.html",
        StatusCode::OK,
        &values,
    ))
}

fn asked(query: Option<&str>) -> i64 {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut named = pairs.filter(|(name, _)| name == "days");
    let wanted = named.next().and_then(|(_, value)| value.parse().ok());
    wanted.filter(|it| DAYS.contains(it)).unwrap_or(DAYS_USUAL)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows that were counted one by one; far below 2^52"
)]
const fn real(count: i64) -> f64 {
    count as f64
}

/// A length as SVG writes it: a tenth of a unit is finer than any screen.
fn length(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Columns by day, inbound beside outbound.
fn volume(texts: &[TextAt], (first, last): (Date, Date), zone: &TimeZone) -> Value {
    // Each day with its end, so that a text finds its day without a calendar.
    let mut days_shown: Vec<(Date, Timestamp)> = Vec::new();
    let mut day = first;
    while day <= last {
        let Ok(next) = day.tomorrow() else { break };
        let Ok(end) = next.to_zoned(zone.clone()) else {
            break;
        };
        days_shown.push((day, end.timestamp()));
        day = next;
    }
    let begin = first.to_zoned(zone.clone()).map(|it| it.timestamp());
    let begin = begin.unwrap_or(Timestamp::MAX);
    let mut counts = vec![(0_i64, 0_i64); days_shown.len()];
    for text in texts.iter().filter(|it| it.at >= begin) {
        let place = days_shown.partition_point(|(_, end)| *end <= text.at);
        if let Some(count) = counts.get_mut(place) {
            match text.direction {
                Direction::Inbound => count.0 += 1,
                Direction::Outbound => count.1 += 1,
            }
        }
    }
    let most = counts.iter().map(|(inbound, out)| *inbound.max(out)).max();
    let most = most.unwrap_or(0).max(1);
    let days = i64::try_from(counts.len()).unwrap_or(1).max(1);
    let step = WIDTH / real(days);
    let wide = (step * 0.36).min(18.0);
    let every = (days + 6) / 7;
    let columns: Vec<Value> = (0_i64..)
        .zip(days_shown.iter().zip(&counts))
        .map(|(at, ((day, _), (inbound, out)))| {
            let left = step.mul_add(real(at), step / 2.0 - wide - 1.0);
            let tall = |count: i64| HEIGHT * real(count) / real(most);
            json!({
                "day": day.strftime("%b %-d").to_string(),
                "label": at % every == 0,
                "middle": length(step.mul_add(real(at), step / 2.0)),
                "inbound": inbound, "outbound": out, "wide": length(wide),
                "left": length(left), "right": length(left + wide + 2.0),
                "in_top": length(HEIGHT - tall(*inbound)), "in_tall": length(tall(*inbound)),
                "out_top": length(HEIGHT - tall(*out)), "out_tall": length(tall(*out)),
            })
        })
        .collect();
    let sum = |pick: fn(&(i64, i64)) -> i64| counts.iter().map(pick).sum::<i64>();
    json!({
        "columns": columns, "most": most,
        "inbound": sum(|it| it.0), "outbound": sum(|it| it.1),
    })
}

/// Horizontal bars: each with its label, its number and a remark.
fn bars(rows: Vec<(String, i64, String, &'static str)>) -> Value {
    let most = rows.iter().map(|(_, count, ..)| *count).max();
    let most = most.unwrap_or(0).max(1);
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|(label, count, remark, tone)| {
            json!({
                "label": label, "count": count, "remark": remark, "tone": tone,
                "long": length((BAR * real(count) / real(most)).max(if count > 0 { 2.0 } else { 0.0 })),
            })
        })
        .collect();
    json!({ "rows": rows })
}

/// How long patients waited: from a text to the next one of ours in its conversation.
pub(super) fn waits(texts: &[TextAt]) -> (Vec<i64>, i64) {
    let (mut waits, mut open) = (Vec::new(), 0);
    let mut asked: Option<(i64, Timestamp)> = None;
    for text in texts {
        if asked.is_some_and(|(conversation, _)| conversation != text.conversation) {
            open += 1;
            asked = None;
        }
        match (text.direction, asked) {
            // Of several texts in a row, the first one waits.
            (Direction::Inbound, None) => asked = Some((text.conversation, text.at)),
            (Direction::Outbound, Some((_, since))) => {
                waits.push(text.at.duration_since(since).as_secs().max(0));
                asked = None;
            }
            (Direction::Inbound, Some(_)) | (Direction::Outbound, None) => {}
        }
    }
    waits.sort_unstable();
    (waits, open + i64::from(asked.is_some()))
}

fn answers(texts: &[TextAt]) -> Value {
    let (waits, open) = waits(texts);
    let mut rows = Vec::new();
    let mut from = 0;
    for (to, name) in SPANS {
        let within = waits.iter().filter(|it| (from..*to).contains(it)).count();
        let label = if *to == i64::MAX {
            (*name).to_owned()
        } else {
            format!("within {name}")
        };
        rows.push((label, i64::try_from(within).unwrap_or(0), String::new(), ""));
        from = *to;
    }
    let middle = |share: usize| waits.get(waits.len() * share / 100).copied();
    json!({
        "bars": bars(rows), "count": waits.len(), "open": open,
        "median": middle(50).map(spoken), "p95": middle(95).map(spoken),
    })
}

/// A span as people say it.
pub(super) fn spoken(seconds: i64) -> String {
    match seconds {
        0 => "under 1 s".to_owned(),
        1..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        5_400..=172_799 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

pub(super) fn percent(part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    (part * 200 + whole) / (whole * 2)
}

/// Answers by the agent and by staff.
fn by(figures: &Figures) -> Value {
    let (agent, staff) = (figures.by_agent, figures.by_staff);
    let whole = agent + staff;
    let cut = if whole == 0 {
        0.0
    } else {
        WIDTH * real(agent) / real(whole)
    };
    json!({
        "agent": agent, "staff": staff, "rate": percent(agent, whole), "any": whole > 0,
        "cut": length(cut), "rest": length(WIDTH - cut),
    })
}

fn holds(figures: &Figures) -> Value {
    let rows = figures.holds.iter().map(|it| {
        let mut remarks = Vec::new();
        if it.waiting > 0 {
            remarks.push(format!("{} wait", it.waiting));
        }
        if it.judged > 0 {
            remarks.push(format!("{} of {} judged wrong", it.wrong, it.judged));
        }
        let remark = remarks.join(", ");
        (it.reason.clone(), it.count, remark, "")
    });
    bars(rows.collect())
}

/// Held drafts by the rules that found something in them.
fn rules(figures: &Figures) -> Value {
    let rows = figures.rules.iter().take(RULES_MAX);
    let rows = rows.map(|(rule, count)| (rule.clone(), *count, String::new(), ""));
    bars(rows.collect())
}

/// The share of holds that staff said were wrong, of those that they said anything of.
fn judged(figures: &Figures) -> Value {
    let wrong: i64 = figures.holds.iter().map(|it| it.wrong).sum();
    let judged: i64 = figures.holds.iter().map(|it| it.judged).sum();
    json!({ "wrong": wrong, "judged": judged, "rate": percent(wrong, judged) })
}

fn delivery(figures: &Figures) -> Value {
    let of = |states: &[Delivery]| -> i64 {
        let all = figures.deliveries.iter();
        all.filter(|(state, _)| states.contains(state))
            .map(|(_, count)| count)
            .sum()
    };
    bars(vec![
        (
            "delivered or read".to_owned(),
            of(&[Delivery::Delivered, Delivery::Read]),
            String::new(),
            "good",
        ),
        (
            "sent, no report yet".to_owned(),
            of(&[
                Delivery::Accepted,
                Delivery::Queued,
                Delivery::Sending,
                Delivery::Sent,
            ]),
            String::new(),
            "",
        ),
        (
            "waits to leave".to_owned(),
            of(&[Delivery::Pending]),
            String::new(),
            "",
        ),
        (
            "not delivered".to_owned(),
            of(&[Delivery::Undelivered, Delivery::Failed]),
            String::new(),
            "stop",
        ),
        (
            "not known".to_owned(),
            of(&[Delivery::Unknown]),
            String::new(),
            "wait",
        ),
        (
            "not sent: opted out or overtaken".to_owned(),
            of(&[Delivery::Suppressed]),
            String::new(),
            "",
        ),
    ])
}

/// From everybody who wrote to those who agreed, and who said no.
fn consent(figures: &Figures) -> Value {
    let of = |states: &[ConsentState]| -> i64 {
        let all = figures.consent.iter();
        all.filter(|(state, _)| states.contains(state))
            .map(|(_, count)| count)
            .sum()
    };
    let all: i64 = figures.consent.iter().map(|(_, count)| count).sum();
    let asked = all - of(&[ConsentState::Unknown]);
    let row = |label: &str, count: i64, tone: &'static str| {
        (
            label.to_owned(),
            count,
            format!("{} %", percent(count, all)),
            tone,
        )
    };
    bars(vec![
        row("conversations", all, ""),
        row("asked", asked, ""),
        row("agreed", of(&[ConsentState::Granted]), "good"),
        row("no answer yet", of(&[ConsentState::NoticeSent]), "wait"),
        row("said no", of(&[ConsentState::Declined]), ""),
        row("opted out", of(&[ConsentState::OptedOut]), "stop"),
        row(
            "ended: too long ago, or another's number",
            of(&[ConsentState::Expired, ConsentState::Reassigned]),
            "",
        ),
    ])
}

fn alarms(alarms: &[AlarmAt]) -> Value {
    let rows: Vec<Value> = AlarmKind::ALL
        .iter()
        .filter_map(|kind| {
            let own: Vec<&AlarmAt> = alarms.iter().filter(|it| it.kind == *kind).collect();
            if own.is_empty() {
                return None;
            }
            let mut took: Vec<SignedDuration> = own
                .iter()
                .filter_map(|it| Some(it.acknowledged?.duration_since(it.raised)))
                .collect();
            took.sort_unstable();
            let slowest = took.last().map(|it| spoken(it.as_secs()));
            let median = took.get(took.len() / 2).map(|it| spoken(it.as_secs()));
            Some(json!({
                "kind": kind.as_str(), "count": own.len(), "open": own.len() - took.len(),
                "median": median, "slowest": slowest,
            }))
        })
        .collect();
    rows.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(conversation: i64, direction: Direction, at: i64) -> TextAt {
        let at = Timestamp::from_second(1_796_040_000 + at).unwrap();
        TextAt {
            conversation,
            direction,
            at,
        }
    }

    #[test]
    fn a_wait_is_from_the_first_text_of_a_burst_to_the_next_answer_of_its_conversation() {
        use Direction::{Inbound, Outbound};
        let texts = [
            text(1, Inbound, 0),
            text(1, Inbound, 5),
            text(1, Outbound, 8),
            text(1, Outbound, 9),
            text(1, Inbound, 100),
            text(2, Outbound, 50),
            text(2, Inbound, 60),
            text(2, Outbound, 4_000),
            text(3, Inbound, 70),
        ];
        assert_eq!(waits(&texts), (vec![8, 3_940], 2));
        assert_eq!(waits(&[]), (vec![], 0));
    }

    #[test]
    fn columns_stand_on_one_ground_and_none_is_higher_than_the_chart() {
        let texts: Vec<TextAt> = (0..40)
            .map(|it| text(it, Direction::Inbound, it * 3_600))
            .collect();
        let zone = TimeZone::UTC;
        let first = texts[0].at.to_zoned(zone.clone()).date();
        let last = first.checked_add(2.days()).unwrap();
        let told = volume(&texts, (first, last), &zone);
        assert_eq!(told["inbound"], 40);
        let columns = told["columns"].as_array().unwrap();
        assert_eq!(columns.len(), 3);
        for column in columns {
            let (top, tall) = (
                column["in_top"].as_f64().unwrap(),
                column["in_tall"].as_f64().unwrap(),
            );
            assert!((top + tall - HEIGHT).abs() < 0.2 && top >= 0.0, "{column}");
        }
    }

    #[test]
    fn spans_read_as_people_say_them() {
        for (seconds, words) in [
            (0, "under 1 s"),
            (89, "89 s"),
            (90, "2 min"),
            (3_599, "60 min"),
            (7_200, "2 h"),
            (200_000, "2 days"),
        ] {
            assert_eq!(spoken(seconds), words);
        }
        assert_eq!((percent(1, 3), percent(2, 3), percent(0, 0)), (33, 67, 0));
        for (query, days) in [(None, 14), (Some("days=30"), 30), (Some("days=31"), 14)] {
            assert_eq!(asked(query), days);
        }
    }
}
