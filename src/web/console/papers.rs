//! Agreements: which are in force, which end soon, and what stays here for want of one.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use crate::domain::agreement::Agreement;
use crate::pipeline::house::House;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Seat, desk};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The page.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let id = &seat.staff.practice;
    let practice = desk.practice(id).ok_or_else(Problem::not_found)?;
    let now = desk.clock().now();
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone).date();
    let recorded = desk.store().agreements(id).await.map_err(unavailable)?;
    let ending = desk
        .ending_papers(&practice, now)
        .await
        .map_err(unavailable)?;
    let configured = practice.agreements.iter().map(|it| (None, it));
    let kept = recorded.iter().map(|it| (Some(it.id), &it.agreement));
    let rows: Vec<Value> = configured
        .chain(kept)
        .map(|(number, it)| row(number, it, today, ending.contains(it)))
        .collect();
    let mut values = frame(&door, &seat, "agreements").await?;
    if let Some(fields) = values.as_object_mut() {
        fields.insert("agreements".to_owned(), rows.into());
        fields.insert(
            "missing".to_owned(),
            missing(desk, &seat, now).await?.into(),
        );
        fields.insert("today".to_owned(), today.to_string().into());
        fields.insert("practice_id".to_owned(), id.as_str().into());
    }
    Ok(pages::console(
        "console_papers.html",
        StatusCode::OK,
        &values,
    ))
}

async fn missing(desk: &House, seat: &Seat, now: Timestamp) -> Result<Vec<Value>, Problem> {
    let all = desk.missing_papers(now).await.map_err(unavailable)?;
    let own = all.iter().filter(|it| it.practice == seat.staff.practice);
    Ok(own
        .map(|it| {
            let papers: Vec<String> = it.papers.iter().map(ToString::to_string).collect();
            json!({ "what": it.what, "papers": papers })
        })
        .collect())
}

/// `ending`: it ends soon, and none is recorded to follow.
fn row(number: Option<i64>, it: &Agreement, today: Date, ending: bool) -> Value {
    let days = |day: Date| {
        let apart = today.until((Unit::Day, day));
        apart.map_or(0, |span| i64::from(span.get_days()))
    };
    let (state, words) = match it.until {
        _ if it.from > today => ("wait", format!("in force from {}", it.from)),
        None => ("good", "in force until it is ended".to_owned()),
        Some(until) if until < today => ("stop", format!("expired on {until}")),
        Some(until) if ending => ("wait", format!("ends in {} days, on {until}", days(until))),
        Some(until) => ("good", format!("in force to {until}")),
    };
    let document: String = it.document_sha256.chars().take(12).collect();
    json!({
        "number": number, "counterparty": it.counterparty, "product": it.product,
        "signer": it.signer, "from": it.from.to_string(), "state": state, "words": words,
        "document": document,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Agreement, row};

    #[test]
    fn what_ends_soon_says_so() {
        let today = date(2026, 11, 26);
        let signed = |from, until| Agreement {
            counterparty: "twilio".to_owned(),
            product: "programmable-messaging".to_owned(),
            document_sha256: "ab".repeat(32),
            signer: "Dana Whitfield".to_owned(),
            from,
            until,
        };
        let year = date(2026, 1, 1);
        let soon = date(2026, 12, 1);
        for (from, until, ending, state, words) in [
            (year, None, false, "good", "in force until it is ended"),
            (
                year,
                Some(date(2027, 6, 1)),
                false,
                "good",
                "in force to 2027-06-01",
            ),
            (
                year,
                Some(soon),
                true,
                "wait",
                "ends in 5 days, on 2026-12-01",
            ),
            // Another follows it: nothing is to be done.
            (year, Some(soon), false, "good", "in force to 2026-12-01"),
            (
                year,
                Some(today),
                true,
                "wait",
                "ends in 0 days, on 2026-11-26",
            ),
            (
                year,
                Some(date(2026, 11, 25)),
                false,
                "stop",
                "expired on 2026-11-25",
            ),
            (
                date(2027, 1, 1),
                None,
                false,
                "wait",
                "in force from 2027-01-01",
            ),
        ] {
            let told = row(None, &signed(from, until), today, ending);
            assert_eq!(told["state"], state, "{words}");
            assert_eq!(told["words"], words);
        }
    }
}
