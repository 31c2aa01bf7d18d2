//! Policy: the versions that were published, and what a version would have decided of the drafts
//! that are stored.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::publication::{Published, Standing, Version};
use crate::domain::staff::Right;
use crate::eval::shadow::{self, Change, Shadow, Wanted};
use crate::pipeline::house::House;
use crate::policy::Policy;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Seat, desk};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// How far back a version is tried when nobody says.
const DAYS: u16 = 30;
/// The longest look back.
const DAYS_MAX: u16 = 400;
/// Newest drafts that are judged again: a page answers while somebody waits for it.
const DRAFTS_MAX: usize = 2_000;
/// Changed drafts that one page lists.
const LISTED_MAX: usize = 200;

/// The versions.
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let zone = zone(desk, &seat);
    let staff = desk.store().all_staff(&seat.staff.practice).await;
    let staff = staff.map_err(unavailable)?;
    let mut rows = Vec::new();
    for kind in [Published::Overlay, Published::Policy, Published::Prompt] {
        let found = desk.store().versions(&seat.staff.practice, kind).await;
        let found = found.map_err(unavailable)?;
        for version in &found {
            let mut shown = row(version, &zone);
            let author = staff.iter().find(|it| it.actor() == version.author);
            if let (Some(fields), Some(author)) = (shown.as_object_mut(), author) {
                fields.insert("author".to_owned(), author.secrets.name.as_str().into());
            }
            rows.push(shown);
        }
    }
    let mut values = frame(&door, &seat, "policy").await?;
    if let Some(fields) = values.as_object_mut() {
        fields.insert("versions".to_owned(), rows.into());
        let digest: String = short(desk.guardrail().digest());
        fields.insert("digest".to_owned(), digest.into());
    }
    Ok(pages::console(
        "console_versions.html",
        StatusCode::OK,
        &values,
    ))
}

pub(super) fn row(it: &Version, zone: &TimeZone) -> Value {
    let (state, words) = match it.standing {
        Standing::Live => ("good", "in force".to_owned()),
        Standing::Trial => ("wait", format!("on trial, {} in 100", it.share)),
        Standing::Superseded => ("", "superseded".to_owned()),
        Standing::RolledBack => ("stop", "taken back".to_owned()),
    };
    json!({
        "id": it.id, "kind": it.kind.as_str(), "author": it.author,
        "at": when(it.at, zone), "digest": short(&it.digest), "report": short(&it.report),
        "state": state, "words": words, "policy": it.kind == Published::Policy,
    })
}

/// What is asked of a trial.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    days: u16,
    review: Option<i64>,
}

impl Asked {
    fn read(query: &str) -> Self {
        let mut asked = Self {
            days: DAYS,
            review: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "days" => asked.days = value.trim().parse().unwrap_or(DAYS).clamp(1, DAYS_MAX),
                "review" => asked.review = value.trim().parse().ok(),
                _ => {}
            }
        }
        asked
    }
}

/// What a version would have decided otherwise.
pub(crate) async fn tried(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let asked = Asked::read(query.as_deref().unwrap_or_default());
    let role = seat.staff.role;
    if asked.review.is_some() && !role.may(Right::Read) {
        return Err(Problem::not_found());
    }
    let practice = &seat.staff.practice;
    let all = desk.store().versions(practice, Published::Policy).await;
    let all = all.map_err(unavailable)?;
    let version = all.iter().find(|it| it.id == id);
    let version = version.ok_or_else(Problem::not_found)?;
    let content = desk.store().content(practice, id).await;
    let content = content.map_err(unavailable)?;
    let content = content.ok_or_else(Problem::not_found)?;
    let now = desk.clock().now();
    let zone = zone(desk, &seat);
    let mut values = frame(&door, &seat, "policy").await?;
    let fields = values.as_object_mut().ok_or_else(Problem::unavailable)?;
    fields.insert("version".to_owned(), row(version, &zone));
    fields.insert("note".to_owned(), content.note.as_str().into());
    fields.insert("days".to_owned(), asked.days.into());
    // Compiling a policy takes a moment of the processor; nobody else's answer waits for it.
    let today = Arc::clone(&desk.judge_for(practice).guardrail);
    let beside = Arc::clone(&today);
    let compiled = tokio::task::spawn_blocking(move || {
        let policy = Policy::from_files(&content.files)?;
        beside.over(Arc::new(policy))
    });
    match compiled.await.map_err(|_stopped| Problem::unavailable())? {
        Ok(other) => {
            let wanted = Wanted {
                since: now - SignedDuration::from_hours(24 * i64::from(asked.days)),
                most: DRAFTS_MAX,
                texts: asked.review.is_some(),
            };
            let both = (&*today, &other);
            let found = shadow::shadow(desk.store(), practice, both, wanted).await;
            let found = found.map_err(unavailable)?;
            let by = shadow::Look {
                actor: &seat.staff.actor(),
                policy: other.digest(),
                shown: asked
                    .review
                    .map_or(shadow::Shown::Nothing, shadow::Shown::One),
            };
            let noted = shadow::note(desk.store(), practice, &found, &by, now).await;
            noted.map_err(unavailable)?;
            fields.insert("found".to_owned(), told(&found, &asked, &zone));
        }
        // A version of an older program may not compile any more; that is said, not hidden.
        Err(error) => {
            fields.insert("fault".to_owned(), error.to_string().into());
        }
    }
    Ok(pages::console(
        "console_version.html",
        StatusCode::OK,
        &values,
    ))
}

fn told(found: &Shadow, asked: &Asked, zone: &TimeZone) -> Value {
    let rules: Vec<Value> = found
        .by_rule()
        .iter()
        .map(|((rule, how), count)| json!({ "rule": rule, "how": how, "count": count }))
        .collect();
    let line = |it: &Change| {
        json!({
            "review": it.review, "conversation": it.conversation, "at": when(it.at, zone),
            "before": it.before.as_str(), "after": it.after.as_str(), "looser": it.looser(),
            "rules": it.rules,
        })
    };
    let open = asked.review.and_then(|review| {
        let change = found.changes.iter().find(|it| it.review == review)?;
        let texts = change.texts.as_ref()?;
        let mut shown = line(change);
        let fields = shown.as_object_mut()?;
        fields.insert("draft".to_owned(), texts.draft.as_str().into());
        fields.insert("today".to_owned(), texts.before.clone().into());
        fields.insert("then".to_owned(), texts.after.clone().into());
        Some(shown)
    });
    json!({
        "drafts": found.drafts, "unreadable": found.unreadable, "drifted": found.drifted,
        "changed": found.changes.len(),
        "looser": found.changes.iter().filter(|it| it.looser()).count(),
        "rules": rules, "open": open,
        "listed": found.changes.iter().take(LISTED_MAX).map(line).collect::<Vec<_>>(),
        "unlisted": found.changes.len().saturating_sub(LISTED_MAX),
    })
}

pub(super) fn zone(desk: &House, seat: &Seat) -> TimeZone {
    let practice = desk.practice(&seat.staff.practice);
    let zone = practice.and_then(|it| TimeZone::get(&it.timezone).ok());
    zone.unwrap_or(TimeZone::UTC)
}

pub(super) fn when(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A digest as people compare it.
pub(super) fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::{Asked, DAYS, DAYS_MAX};

    #[test]
    fn a_strange_address_asks_for_the_usual() {
        for (query, days, review) in [
            ("", DAYS, None),
            ("days=7&review=12", 7, Some(12)),
            ("days=0", 1, None),
            ("days=100000", DAYS, None),
            ("days=9999", DAYS_MAX, None),
            ("days=x&review=y", DAYS, None),
        ] {
            assert_eq!(Asked::read(query), Asked { days, review }, "{query}");
        }
    }
}
