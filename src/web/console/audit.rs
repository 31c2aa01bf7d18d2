//! The audit log for people: newest first, by who, what and about which, with the chain's check.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::domain::ids::PracticeId;
use crate::pipeline::house::House;
use crate::store::audit_log::AuditFilter;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Seat, desk};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Entries on one page.
const PAGE_ENTRIES: u32 = 100;

/// A page of the log.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let practice = &seat.staff.practice;
    let (filter, check) = asked(query.as_deref().unwrap_or_default());
    let entries = desk
        .store()
        .audit_page(practice, &filter, PAGE_ENTRIES + 1)
        .await
        .map_err(unavailable)?;
    let staff = desk
        .store()
        .all_staff(practice)
        .await
        .map_err(unavailable)?;
    let zone = desk
        .practice(practice)
        .and_then(|it| TimeZone::get(&it.timezone).ok())
        .unwrap_or(TimeZone::UTC);
    let named = |actor: &str| {
        let id = actor.strip_prefix("staff/")?.parse::<i64>().ok()?;
        let found = staff.iter().find(|it| it.id.0 == id);
        found.map(|it| it.secrets.name.clone())
    };
    let shown: Vec<Value> = entries
        .iter()
        .take(PAGE_ENTRIES as usize)
        .map(|it| {
            let at = it.entry.at.to_zoned(zone.clone());
            json!({
                "seq": it.seq, "at": at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                "actor": it.entry.actor, "who": named(&it.entry.actor),
                "action": it.entry.action, "subject": it.entry.subject,
                "detail": it.entry.detail, "hash": hex::encode(it.hash.get(..6).unwrap_or_default()),
            })
        })
        .collect();
    let more = (entries.len() > PAGE_ENTRIES as usize)
        .then(|| shown.last().and_then(|it| it.get("seq").cloned()))
        .flatten()
        .map(|seq| older(&filter, &seq));
    let chain = if check {
        checked(desk, practice).await?
    } else {
        Value::Null
    };
    let mut values = frame(&door, &seat, "audit").await?;
    if let Some(fields) = values.as_object_mut() {
        fields.insert("entries".to_owned(), shown.into());
        fields.insert("more".to_owned(), more.into());
        fields.insert("query".to_owned(), narrowed(&filter).into());
        fields.insert("chain".to_owned(), chain);
        fields.insert("actor".to_owned(), filter.actor.into());
        fields.insert("action".to_owned(), filter.action.into());
        fields.insert("subject".to_owned(), filter.subject.into());
    }
    Ok(pages::console(
        "console_audit.html",
        StatusCode::OK,
        &values,
    ))
}

/// The same filter as a query.
fn narrowed(filter: &AuditFilter) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("actor", &filter.actor)
        .append_pair("action", &filter.action)
        .append_pair("subject", &filter.subject)
        .finish();
    format!("?{query}")
}

/// The address of the next page, with the same filter.
fn older(filter: &AuditFilter, before: &Value) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("actor", &filter.actor)
        .append_pair("action", &filter.action)
        .append_pair("subject", &filter.subject)
        .append_pair("before", &before.to_string())
        .finish();
    format!("?{query}")
}

/// The filter of an address, and whether the chain is to be checked.
pub(super) fn asked(query: &str) -> (AuditFilter, bool) {
    let mut filter = AuditFilter::default();
    let mut check = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.trim();
        match &*name {
            "actor" => value.clone_into(&mut filter.actor),
            "action" => value.clone_into(&mut filter.action),
            "subject" => value.clone_into(&mut filter.subject),
            "before" => filter.before = value.parse().ok(),
            "check" => check = value == "1",
            _ => {}
        }
    }
    (filter, check)
}

/// What the check of the whole chain says.
async fn checked(desk: &House, practice: &PracticeId) -> Result<Value, Problem> {
    let verified = desk.store().verify_audit(practice).await;
    Ok(match verified.map_err(unavailable)? {
        Ok(whole) => json!({
            "whole": true, "entries": whole.entries, "covered": whole.covered,
        }),
        Err(bad) => json!({ "whole": false, "words": bad.to_string() }),
    })
}
