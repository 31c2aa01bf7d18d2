//! The versions of the prompts: what each changes, and the way back to it.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::agent::prompts::{Sources, Wording};
use crate::domain::publication::{BUILT_IN, Published, Standing, Verdicts, Version};
use crate::pipeline::house::House;
use crate::store::RolledBack;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::prompts::{named, prompts, sides, take_up};
use crate::web::console::seat::{Fields, Seat, again, desk, to};
use crate::web::console::versions::{self, zone};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// A version as a line, with how it fares while it is on trial.
pub(in crate::web::console) async fn row(
    desk: &House,
    seat: &Seat,
    version: &Version,
    zone: &TimeZone,
) -> Result<Value, Problem> {
    let mut shown = versions::row(version, zone);
    let author = named(desk, &seat.staff, &version.author).await?;
    let fares = match version.standing {
        Standing::Trial => {
            let (new, old) = desk.store().trial(version.id).await.map_err(unavailable)?;
            let side = |it: &Verdicts| json!({ "drafts": it.pass + it.rewrite + it.hold, "cut": it.rewrite, "held": it.hold });
            json!({ "new": side(&new), "old": side(&old) })
        }
        Standing::Live | Standing::Superseded | Standing::RolledBack => Value::Null,
    };
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("author".to_owned(), author.into());
        fields.insert("fares".to_owned(), fares);
        fields.insert(
            "live".to_owned(),
            (version.standing == Standing::Live).into(),
        );
        fields.insert(
            "trial".to_owned(),
            (version.standing == Standing::Trial).into(),
        );
    }
    Ok(shown)
}

/// The whole of a version beside the one before it, or beside another.
pub(crate) async fn version(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let practice = &seat.staff.practice;
    let all = desk.store().versions(practice, Published::Prompt).await;
    let all = all.map_err(unavailable)?;
    let shown = all.iter().find(|it| it.id == id);
    let shown = shown.ok_or_else(Problem::not_found)?;
    let asked = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "with")
        .and_then(|(_, value)| value.parse::<i64>().ok());
    let before = asked.unwrap_or_else(|| {
        let earlier = all.iter().rev().find(|it| it.id < id);
        earlier.map_or(BUILT_IN, |it| it.id)
    });
    let built_in = prompts(&Wording::default())?.sources().clone();
    let (old, _) = content(desk, &seat, before, &built_in).await?;
    let (new, note) = content(desk, &seat, id, &built_in).await?;
    let mut changes = Vec::new();
    for (place, source) in &new {
        let was = old.get(place).map_or("", String::as_str);
        if was != source {
            let (before, after) = sides::sides(was, source);
            changes.push(json!({ "place": place, "before": before, "after": after }));
        }
    }
    let zone = zone(desk, &seat);
    let mut values = frame(&door, &seat, "prompts").await?;
    let fields = values.as_object_mut().ok_or_else(Problem::unavailable)?;
    fields.insert("version".to_owned(), row(desk, &seat, shown, &zone).await?);
    fields.insert("note".to_owned(), note.into());
    fields.insert("changes".to_owned(), changes.into());
    fields.insert("with".to_owned(), before.into());
    let others: Vec<i64> = std::iter::once(BUILT_IN)
        .chain(all.iter().map(|it| it.id).filter(|it| *it != id))
        .collect();
    fields.insert("others".to_owned(), others.into());
    Ok(pages::console(
        "console_prompt_version.html",
        StatusCode::OK,
        &values,
    ))
}

/// Every template under a version, and the version's note.
async fn content(
    desk: &House,
    seat: &Seat,
    id: i64,
    built_in: &Sources,
) -> Result<(Sources, String), Problem> {
    let mut all = built_in.clone();
    if id == BUILT_IN {
        return Ok((all, String::new()));
    }
    let content = desk.store().content(&seat.staff.practice, id).await;
    let content = content.map_err(unavailable)?;
    let content = content.ok_or_else(Problem::not_found)?;
    // A version of the command line may spell its places with their ending.
    all.extend(content.files.into_iter().map(|(place, source)| {
        let bare = place.strip_suffix(".tera").unwrap_or(&place).to_owned();
        (bare, source)
    }));
    Ok((all, content.note))
}

/// Puts an earlier version in force again, ends a trial, or puts a trial in force.
pub(crate) async fn roll_back(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let (practice, now) = (&seat.staff.practice, desk.clock().now());
    let (kind, by) = (Published::Prompt, seat.staff.actor());
    let store = desk.store();
    if fields.get("do") == "promote" {
        let promoted = store.promote(practice, kind, &by, now).await;
        if promoted.map_err(unavailable)?.is_none() {
            return Ok(again(
                StatusCode::CONFLICT,
                "No version is on trial",
                "A colleague ended the trial meanwhile. Open Prompts again to see what is in force.",
            ));
        }
        take_up(desk).await?;
        return Ok(to("/console/prompts?done=promoted"));
    }
    let wanted = match fields.get("to") {
        "" => None,
        number => Some(
            number
                .parse()
                .map_err(|_no_number| Problem::new(StatusCode::UNPROCESSABLE_ENTITY))?,
        ),
    };
    let why = (by.as_str(), "taken back in the console");
    let back = store.roll_back(practice, kind, wanted, why, now).await;
    match back.map_err(unavailable)? {
        RolledBack::To(_) | RolledBack::TrialEnded(_) => {
            take_up(desk).await?;
            Ok(to("/console/prompts?done=back"))
        }
        RolledBack::Nothing => Ok(to("/console/prompts")),
        RolledBack::Unknown => Err(Problem::not_found()),
    }
}
