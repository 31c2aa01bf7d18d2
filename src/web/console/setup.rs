//! The set-up: from nothing to the first text, step by step, and what `doctor` finds, as a page.

mod lights;

use std::path::Path as FilePath;
use std::str::FromStr as _;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::agent::texts::TextId;
use crate::domain::agreement::{Agreement, Lack};
use crate::domain::ids::PracticeId;
use crate::guardrail::segment::segments;
use crate::pipeline::house::House;
use crate::pipeline::papers::Register;
use crate::pipeline::set_up::{self, Answers, STEPS};
use crate::policy;
use crate::policy::words::Language;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::setup::lights::{light, running, tested};

pub(crate) use lights::watch;

use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;
use crate::web::set_up::{Examined, Mark, SetUp};

const PAGE: &str = "console_setup.html";

/// Time zones that are offered; any other may be written.
const ZONES: &[&str] = &[
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
];

fn setup(door: &Door) -> Result<&dyn SetUp, Problem> {
    let found = door.settings.console.set_up.as_deref();
    found.ok_or_else(Problem::not_found)
}

fn types() -> Vec<String> {
    policy::listed_practice_types(FilePath::new(""))
        .into_iter()
        .collect()
}

async fn answers(desk: &House, seat: &Seat) -> Result<Answers, Problem> {
    let found = desk.store().setup_answers(&seat.staff.practice).await;
    found.map(Answers).map_err(unavailable)
}

/// The first step that is not done.
pub(crate) async fn begin(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let answers = answers(desk(&door)?, &seat).await?;
    let types = types();
    let open = STEPS.iter().find(|(step, _)| !done(&answers, step, &types));
    let (step, _) = open.unwrap_or(&("file", ""));
    Ok(to(&format!("/console/setup/{step}")))
}

fn done(answers: &Answers, step: &str, types: &[String]) -> bool {
    !set_up::fields_of(step).is_empty()
        && set_up::fields_of(step)
            .iter()
            .any(|it| answers.0.contains_key(*it))
        && answers.faults(step, types).is_empty()
}

/// A step.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(step): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let answers = answers(desk(&door)?, &seat).await?;
    let said = match query.as_deref() {
        Some("done=agreement") => "The agreement is recorded.",
        Some("done=file") => "The file is written.",
        _ => "",
    };
    show(
        &door,
        &seat,
        &answers,
        &Shown {
            step: &step,
            faults: &[],
            said,
        },
    )
    .await
}

/// Keeps the answers of a step, whatever they are, and goes on where they are right.
pub(crate) async fn answer(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(step): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let mut own = answers(desk, &seat).await?;
    match step.as_str() {
        "agreement" if fields.get("do") == "record" => {
            return record(&door, &seat, &own, &fields).await;
        }
        "file" if fields.get("do") == "write" => return write(&door, &seat, &own).await,
        "test" => return lights::try_out(&door, &seat, &own, fields.get("number")).await,
        _ => {}
    }
    let at = STEPS.iter().position(|(name, _)| *name == step);
    let at = at.ok_or_else(Problem::not_found)?;
    own.take(&step, |field| fields.get(field).to_owned());
    if !set_up::fields_of(&step).is_empty() {
        let by = seat.staff.actor();
        let keep = desk.store().keep_setup_answers(
            (&seat.staff.practice, &by),
            (own.get("id"), &own.0),
            &step,
            desk.clock().now(),
        );
        keep.await.map_err(unavailable)?;
    }
    let faults = own.faults(&step, &types());
    if !faults.is_empty() {
        let shown = Shown {
            step: &step,
            faults: &faults,
            said: "",
        };
        return show(&door, &seat, &own, &shown).await;
    }
    let (next, _) = STEPS.get(at + 1).unwrap_or(&("test", ""));
    Ok(to(&format!("/console/setup/{next}")))
}

/// What a page of a step shows beside the answers.
struct Shown<'a> {
    step: &'a str,
    faults: &'a [(&'static str, String)],
    said: &'a str,
}

async fn show(
    door: &Door,
    seat: &Seat,
    answers: &Answers,
    shown: &Shown<'_>,
) -> Result<Response, Problem> {
    let desk = desk(door)?;
    let step = shown.step;
    let at = STEPS.iter().position(|(name, _)| *name == step);
    let at = at.ok_or_else(Problem::not_found)?;
    let types = types();
    let steps: Vec<Value> = STEPS
        .iter()
        .map(|(name, title)| json!({ "id": name, "title": title, "done": done(answers, name, &types) }))
        .collect();
    let all = set_up::fields();
    let values: Map<String, Value> = all
        .map(|it| (it.to_owned(), answers.get(it).into()))
        .collect();
    let faults: Map<String, Value> = set_up::fields_of(step)
        .iter()
        .map(|field| {
            let found = shown.faults.iter().find(|(it, _)| it == field);
            (
                (*field).to_owned(),
                found.map_or("", |(_, text)| text.as_str()).into(),
            )
        })
        .collect();
    let mut page = frame(door, seat, "setup").await?;
    let fields = page.as_object_mut().ok_or_else(Problem::unavailable)?;
    let before = at.checked_sub(1).and_then(|at| STEPS.get(at));
    fields.insert("before".to_owned(), before.map(|(name, _)| *name).into());
    fields.insert("step".to_owned(), step.into());
    fields.insert(
        "title".to_owned(),
        STEPS.get(at).map(|(_, title)| *title).into(),
    );
    fields.insert("steps".to_owned(), steps.into());
    fields.insert("number_of".to_owned(), (at + 1).into());
    fields.insert("values".to_owned(), values.into());
    fields.insert("faults".to_owned(), faults.into());
    fields.insert("wrong".to_owned(), shown.faults.len().into());
    fields.insert("said".to_owned(), shown.said.into());
    fields.insert("types".to_owned(), types.into());
    fields.insert("zones".to_owned(), ZONES.into());
    fields.insert(
        "more".to_owned(),
        more(door, desk, seat, answers, step).await?,
    );
    let status = if shown.faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(pages::console(PAGE, status, &page))
}

/// What one step shows beside its fields.
async fn more(
    door: &Door,
    desk: &House,
    seat: &Seat,
    answers: &Answers,
    step: &str,
) -> Result<Value, Problem> {
    Ok(match step {
        "carrier" => json!({
            "paste": answers.to_paste(), "secrets": answers.secrets(),
            "light": light(door, desk, answers), "here": running(door, answers),
        }),
        "agreement" => json!({
            "missing": missing(desk, answers).await?,
            "today": desk.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
        }),
        "notice" => notice(desk, answers),
        "file" => {
            let setup = setup(door)?;
            let file = answers.file();
            let (place, exists) = setup.place();
            json!({
                "fault": setup.check(&file).err(), "file": file, "secrets": answers.secrets(),
                "place": place, "exists": exists, "script": answers.script(),
            })
        }
        "test" => {
            let practice = &seat.staff.practice;
            tested(door, desk, practice, answers).await?
        }
        _ => Value::Null,
    })
}

/// The agreements that the practice, as answered, lacks.
async fn missing(desk: &House, answers: &Answers) -> Result<Vec<Value>, Problem> {
    let Some(practice) = answers.practice() else {
        return Ok(Vec::new());
    };
    let guardrail = desk.guardrail();
    let register = Register {
        law: std::sync::Arc::clone(guardrail.law()),
        store: Some(desk.store()),
        now: desk.clock().now(),
    };
    let url = url::Url::parse(answers.get("llm_base_url")).ok();
    let host = url.as_ref().and_then(url::Url::host_str);
    let asked = answers.get("llm_kind") == "openai";
    let hosts: Vec<&str> = host.filter(|_| asked).into_iter().collect();
    let found = register.missing(&practice, &hosts).await;
    let found = found.map_err(unavailable)?;
    let mut papers = Vec::new();
    for it in found {
        for lack in &it.papers {
            let named = match lack {
                Lack::Unrecorded(it) | Lack::Ended(it, _) | Lack::NotYet(it, _) => {
                    Some((it.counterparty.clone(), it.product.clone()))
                }
                Lack::Barred => None,
            };
            papers.push(json!({
                "what": it.what, "words": lack.to_string(),
                "counterparty": named.as_ref().map(|it| it.0.clone()),
                "product": named.map(|it| it.1),
            }));
        }
    }
    Ok(papers)
}

/// Records an agreement.
async fn record(
    door: &Door,
    seat: &Seat,
    answers: &Answers,
    fields: &Fields,
) -> Result<Response, Problem> {
    let desk = desk(door)?;
    let day = |name: &str| Date::from_str(fields.get(name)).ok();
    let hash = fields.get("document").trim().to_lowercase();
    let whole = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let signer = fields.get("signer").trim();
    let (from, until) = (day("from"), day("until"));
    let said = if signer.is_empty() {
        "Write who signed for the practice."
    } else if !whole {
        "Choose the signed document, or paste its SHA-256 (64 signs of 0-9 and a-f)."
    } else if from.is_none() {
        "Write from which day it is in force."
    } else if until.is_none() && !fields.get("until").is_empty() {
        "Write the last day in force as year-month-day, or leave it empty."
    } else if until.zip(from).is_some_and(|(until, from)| until < from) {
        "The last day is before the first."
    } else {
        ""
    };
    let (Some(from), "") = (from, said) else {
        let shown = Shown {
            step: "agreement",
            faults: &[],
            said,
        };
        return show(door, seat, answers, &shown).await;
    };
    let agreement = Agreement {
        counterparty: fields.get("counterparty").to_owned(),
        product: fields.get("product").to_owned(),
        document_sha256: hash,
        signer: signer.to_owned(),
        from,
        until,
    };
    let id = PracticeId::new(answers.get("id"));
    let kept = desk
        .store()
        .add_agreement(&id, &agreement, desk.clock().now());
    kept.await.map_err(unavailable)?;
    Ok(to("/console/setup/agreement?done=agreement"))
}

/// The notice as a patient reads it first, in both languages.
fn notice(desk: &House, answers: &Answers) -> Value {
    let Some(practice) = answers.practice() else {
        return Value::Null;
    };
    let mut practice = practice;
    practice.discreet = desk.guardrail().name_tells(&practice.name);
    let told = |language: Language| {
        let text = desk.fixed_text(TextId::RiskNotice, &practice, language);
        json!({
            "language": language.as_str(), "text": text.text,
            "segments": segments(&text.text).count, "id": text.text_id,
        })
    };
    json!({
        "texts": [told(Language::En), told(Language::Es)],
        "discreet": practice.discreet && practice.text_name.is_empty(),
    })
}

/// Writes the file, where the configuration has none yet.
async fn write(door: &Door, seat: &Seat, answers: &Answers) -> Result<Response, Problem> {
    let setup = setup(door)?;
    let file = answers.file();
    let written = setup.check(&file).and_then(|()| setup.write(&file));
    match written {
        Ok(()) => Ok(to("/console/setup/file?done=file")),
        Err(fault) => {
            let shown = Shown {
                step: "file",
                faults: &[],
                said: &fault,
            };
            show(door, seat, answers, &shown).await
        }
    }
}

/// What `doctor` finds, as a page.
pub(crate) async fn findings(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let found = setup(&door)?.examine().await;
    let (tone, word) = (
        |it: &Examined| match it.mark {
            Mark::Good => "good",
            Mark::Note => "quiet",
            Mark::Bad => "stop",
        },
        |it: &Examined| match it.mark {
            Mark::Good => "ok",
            Mark::Note => "note",
            Mark::Bad => "to mend",
        },
    );
    // What is to be mended comes first.
    let mut rows: Vec<&Examined> = found.iter().collect();
    rows.sort_by_key(|it| match it.mark {
        Mark::Bad => 0,
        Mark::Note => 1,
        Mark::Good => 2,
    });
    let bad = rows.iter().filter(|it| it.mark == Mark::Bad).count();
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|it| json!({ "what": it.what, "tone": tone(it), "word": word(it), "text": it.text }))
        .collect();
    let mut page = frame(&door, &seat, "setup").await?;
    let fields = page.as_object_mut().ok_or_else(Problem::unavailable)?;
    fields.insert("findings".to_owned(), rows.into());
    fields.insert("bad".to_owned(), bad.into());
    Ok(pages::console(
        "console_findings.html",
        StatusCode::OK,
        &page,
    ))
}
