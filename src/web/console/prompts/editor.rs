//! The editor of one template: its words, the names it may use, and a phone that shows what a
//! patient would get.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use crate::agent::prompts::{PromptError, Prompts, SOURCE_CHARS_MAX};
use crate::domain::practice::Practice;
use crate::domain::publication::Published;
use crate::eval::preview::{self, Variable};
use crate::guardrail::segment;
use crate::pipeline::house::House;
use crate::pipeline::price;
use crate::policy::words::Language;
use crate::store::{Edit, Edited};
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::prompts::{Work, named, prompts, sides};
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::thread::pieces;
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The name of the model's instructions: no patient reads them.
const SYSTEM: &str = "system";
/// How a value that a preview is filled with is named in a form.
const VALUE: &str = "v.";

/// Which template.
pub(super) struct Place {
    language: Language,
    name: String,
}

impl Place {
    pub(super) fn of((language, name): (String, String)) -> Result<Self, Problem> {
        let language: Language = language.parse().map_err(|_unknown| Problem::not_found())?;
        preview::about(&name).ok_or_else(Problem::not_found)?;
        Ok(Self { language, name })
    }

    pub(super) fn spelled(&self) -> String {
        format!("{}/{}", self.language, self.name)
    }
}

/// What the page says besides the template.
#[derive(Default)]
struct Said<'a> {
    /// What the box holds, where that is not what is kept.
    written: Option<&'a str>,
    fault: String,
    /// What a colleague made of it meanwhile.
    theirs: Option<String>,
}

/// The editor.
pub(crate) async fn edit(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(place): Path<(String, String)>,
) -> Result<Response, Problem> {
    let place = Place::of(place)?;
    page(&door, &seat, &place, StatusCode::OK, Said::default()).await
}

async fn page(
    door: &Door,
    seat: &Seat,
    place: &Place,
    status: StatusCode,
    said: Said<'_>,
) -> Result<Response, Problem> {
    let desk = desk(door)?;
    let practice = desk.practice(&seat.staff.practice);
    let practice = practice.ok_or_else(Problem::not_found)?;
    let work = Work::of(desk, &seat.staff).await?;
    let spelled = place.spelled();
    let (kept, live) = (work.source(&spelled)?, work.live_source(&spelled)?);
    let source = said.written.unwrap_or(kept);
    let variables = preview::variables(&place.name, source, &practice);
    let shown = shown(desk, &practice, &work, place, (source, &Map::new()))?;
    let (before, after) = sides::sides(live, source);
    let other = match place.language {
        Language::En => Language::Es,
        Language::Es => Language::En,
    };
    let mut values = frame(door, seat, "prompts").await?;
    let fields = values.as_object_mut().ok_or_else(Problem::unavailable)?;
    for (name, value) in [
        ("place", json!(spelled)),
        ("name", json!(place.name)),
        ("language", json!(place.language.as_str())),
        ("other", json!(other.as_str())),
        ("about", json!(preview::about(&place.name))),
        ("source", json!(source)),
        // What its author saw before: what is kept now, also where the box holds something else.
        ("seen", json!(said.theirs.as_deref().unwrap_or(kept))),
        ("changed", json!(kept != live)),
        ("differs", json!(source != live)),
        ("chars_max", json!(SOURCE_CHARS_MAX)),
        ("variables", variables.iter().map(told).collect()),
        ("shown", shown),
        ("fault", json!(said.fault)),
        ("theirs", json!(said.theirs)),
        ("before", before.into()),
        ("after", after.into()),
        ("system", json!(place.name == SYSTEM)),
    ] {
        fields.insert(name.to_owned(), value);
    }
    Ok(pages::console("console_prompt.html", status, &values))
}

fn told(variable: &Variable) -> Value {
    let label = |value: &Value| match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    let others: Vec<Value> = variable
        .others
        .iter()
        .map(|it| json!({ "json": it.to_string(), "label": label(it) }))
        .collect();
    json!({
        "name": variable.name, "kind": variable.kind, "sample": variable.sample, "others": others,
    })
}

/// What a patient's phone would show, or what is wrong with the source.
fn shown(
    desk: &House,
    practice: &Practice,
    work: &Work,
    place: &Place,
    (source, values): (&str, &Map<String, Value>),
) -> Result<Value, Problem> {
    let guardrail = Arc::clone(&desk.judge_for(&practice.id).guardrail);
    let began = Instant::now();
    let filled = preview::preview(
        &guardrail,
        prompts(&work.next)?,
        (&place.name, place.language),
        Some(source),
        (practice, values),
    );
    let filled = match filled {
        Ok(filled) => filled,
        Err(error) => return Ok(json!({ "fault": fault(&error) })),
    };
    if place.name == SYSTEM {
        return Ok(json!({ "said": filled.said, "system": true }));
    }
    let review = &filled.review;
    let leaves = review.text.as_deref().unwrap_or_default();
    let counted = segment::segments(leaves);
    let sender = practice.senders.first();
    let price = sender
        .and_then(|it| price::estimate(it, i64::try_from(counted.count).unwrap_or(i64::MAX)))
        .map(price::dollars);
    let findings: Vec<Value> = review
        .findings
        .iter()
        .filter_map(|it| serde_json::to_value(it).ok())
        .collect();
    Ok(json!({
        "said": filled.said, "verdict": review.verdict.as_str(),
        "text": review.text, "portal": review.portal,
        "segments": counted.count, "price": price,
        "micros": u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        "pieces": pieces(&filled.said, &findings), "findings": findings,
    }))
}

pub(super) fn fault(error: &PromptError) -> String {
    match error {
        PromptError::Source { line, what, .. } => format!("Line {line}: {what}."),
        PromptError::Render(_) => {
            "It does not render. Check that every if has an endif and every for an endfor, and \
             that each name is one of the list."
                .to_owned()
        }
        PromptError::UnknownName(_) | PromptError::UnknownPlace(_) => error.to_string(),
    }
}

pub(super) fn written(fields: &Fields) -> String {
    let text = fields.get("text").replace("\r\n", "\n");
    format!("{}\n", text.trim_end())
}

/// Shows what is being written; keeps nothing.
pub(crate) async fn try_out(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(place): Path<(String, String)>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let place = Place::of(place)?;
    let desk = desk(&door)?;
    let practice = desk.practice(&seat.staff.practice);
    let practice = practice.ok_or_else(Problem::not_found)?;
    let work = Work::of(desk, &seat.staff).await?;
    let values: Map<String, Value> = fields
        .all()
        .filter_map(|(name, value)| {
            let name = name.strip_prefix(VALUE)?;
            Some((name.to_owned(), serde_json::from_str(value).ok()?))
        })
        .collect();
    let source = written(&fields);
    let told = shown(desk, &practice, &work, &place, (&source, &values))?;
    Ok(Json(told).into_response())
}

/// Keeps the template in the wording in work, if it may ever be published.
pub(crate) async fn save(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(place): Path<(String, String)>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let place = Place::of(place)?;
    let desk = desk(&door)?;
    let text = written(&fields);
    let refused = |fault: String| Said {
        written: Some(&text),
        fault,
        theirs: None,
    };
    if text.trim().is_empty() {
        let said = refused(
            "A template says something: write its words, or discard the change.".to_owned(),
        );
        return page(&door, &seat, &place, StatusCode::UNPROCESSABLE_ENTITY, said).await;
    }
    if let Err(error) = Prompts::check_source(&place.name, &text) {
        let said = refused(fault(&error));
        return page(&door, &seat, &place, StatusCode::UNPROCESSABLE_ENTITY, said).await;
    }
    let work = Work::of(desk, &seat.staff).await?;
    let spelled = place.spelled();
    let live = work.live_source(&spelled)?.to_owned();
    // What differs in its last line break only is what is in force.
    let same = text.trim_end() == live.trim_end();
    let edit = Edit {
        place: spelled,
        source: if same { live.clone() } else { text.clone() },
        live,
        seen: fields.get("seen").replace("\r\n", "\n"),
    };
    let (practice, now) = (&seat.staff.practice, desk.clock().now());
    let edited = desk
        .store()
        .edit_draft(
            (practice, Published::Prompt),
            &seat.staff.actor(),
            edit,
            now,
        )
        .await;
    match edited.map_err(unavailable)? {
        Edited::Kept => {
            desk.changed();
            Ok(to("/console/prompts?done=saved"))
        }
        Edited::Overtaken { author, source } => {
            let who = named(desk, &seat.staff, &author).await?;
            let said = Said {
                written: Some(&text),
                fault: format!(
                    "{who} changed this template while you wrote. Below is what they wrote; your \
                     words are still in the box. Saving again replaces theirs."
                ),
                theirs: Some(source),
            };
            page(&door, &seat, &place, StatusCode::CONFLICT, said).await
        }
    }
}
