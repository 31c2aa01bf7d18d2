//! A copy of what is kept of a patient, with one click: JSON for machines, the messages as CSV, a PDF to
//! read (45 CFR 164.524(c)). That it was taken is audited, and stands in the history of its case.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;
use serde_json::json;

use crate::domain::ids::{PatientId, RequestId};
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::pipeline::access::{Message, RecordCopy};
use crate::store::rights::CaseDeed;
use crate::web::console::export::field;
use crate::web::console::inbox::unavailable;
use crate::web::console::rights::{Whose, name};
use crate::web::console::seat::{Seat, desk};
use crate::web::console::versions::{when, zone};
use crate::web::portal::pdf;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The forms: what is asked for, and how its file ends.
const FORMS: &[&str] = &["json", "csv", "pdf"];

fn form_of(query: Option<&str>) -> Result<&'static str, Problem> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut named = pairs.filter(|(name, _)| name == "format");
    let asked = named.next().map(|(_, value)| value.into_owned());
    let asked = asked.unwrap_or_else(|| "json".to_owned());
    let known = FORMS.iter().find(|it| **it == asked);
    known.copied().ok_or_else(|| {
        let why = "a copy is made as json, csv or pdf: ask for one of them with ?format=";
        Problem::because(StatusCode::UNPROCESSABLE_ENTITY, why)
    })
}

/// A copy for the patient of a page.
pub(in crate::web::console) async fn copy(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(word): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let form = form_of(query.as_deref())?;
    let whose = Whose::of(desk(&door)?, &seat, &word).await?;
    made(&door, &seat, &whose.id, form).await
}

/// A copy for the patient of a case.
pub(in crate::web::console) async fn of_case(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let form = form_of(query.as_deref())?;
    let (house, id) = (desk(&door)?, RequestId::new(id));
    let case = house.store().case(&seat.staff.practice, &id).await;
    let case = case.map_err(unavailable)?.ok_or_else(Problem::not_found)?;
    let file = made(&door, &seat, &case.patient, form).await?;
    let deed = (CaseDeed::Exported(form), form);
    let noted = house
        .store()
        .on_case(&seat.staff, &id, deed, house.clock().now());
    noted.await.map_err(unavailable)?;
    Ok(file)
}

async fn made(
    door: &Door,
    seat: &Seat,
    patient: &PatientId,
    form: &'static str,
) -> Result<Response, Problem> {
    let house = desk(door)?;
    let practice = house.practice(&seat.staff.practice);
    let practice = practice.ok_or_else(Problem::not_found)?;
    let (now, zone) = (house.clock().now(), zone(house, seat));
    let copy = house.record_copy(&practice, patient, now).await;
    let copy = copy.map_err(unavailable)?.map_err(|_down| {
        let why = "the record of the practice does not answer, and half a copy is none; try again";
        Problem::because(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let copy = copy.ok_or_else(Problem::not_found)?;
    let detail = json!({
        "format": form, "messages": copy.messages.len(), "left_out": copy.left_out.len(),
    });
    let looked = ("record.exported", detail);
    let noted = house.store().note_look(&seat.staff, patient, looked, now);
    noted.await.map_err(unavailable)?;
    let (kind, body) = match form {
        "csv" => ("text/csv; charset=utf-8", csv(&copy, &zone).into_bytes()),
        "pdf" => ("application/pdf", document(&copy, &practice, &zone)),
        _ => ("application/json", copy.json.as_str().as_bytes().to_vec()),
    };
    // No name in the name of a file: it stays behind in folders and lists of downloads.
    let name = format!("attachment; filename=\"record-copy.{form}\"");
    let name = HeaderValue::from_str(&name).map_err(|_any| Problem::unavailable())?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

fn from(it: &Message) -> &'static str {
    if it.ours { "practice" } else { "patient" }
}

fn csv(copy: &RecordCopy, zone: &TimeZone) -> String {
    let mut text = "at,over,from,words,state\r\n".to_owned();
    for it in &copy.messages {
        let at = when(it.at, zone);
        let fields = [&at, it.over, from(it), it.words.as_str(), it.state];
        let quoted: Vec<String> = fields.iter().map(|it| field(it)).collect();
        text.push_str(&quoted.join(","));
        text.push_str("\r\n");
    }
    text
}

fn document(copy: &RecordCopy, practice: &Practice, zone: &TimeZone) -> Vec<u8> {
    let patient = &copy.patient;
    let phones: Vec<String> = patient.phones.iter().map(E164::display_us).collect();
    let born = patient.birth_date.as_ref();
    let born = born.map_or_else(|| "not on file".to_owned(), |it| it.expose().to_string());
    let mut messages = vec![pdf::Message {
        head: name(patient),
        body: format!("Born {born}. Phone {}.", phones.join(", ")),
    }];
    let json: serde_json::Value = serde_json::from_str(copy.json.as_str()).unwrap_or_default();
    for (list, title, fields) in [
        (
            "visits",
            "Visits",
            &["start", "provider", "location", "reason", "status"][..],
        ),
        (
            "clinical",
            "Health record",
            &["on", "kind", "name", "value"][..],
        ),
        (
            "consent",
            "Consent to texts",
            &["at", "event", "number", "channel"][..],
        ),
    ] {
        let rows = json.get(list).and_then(serde_json::Value::as_array);
        let lines: Vec<String> = rows
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|row| {
                let said = fields.iter().filter_map(|name| row.get(*name)?.as_str());
                said.filter(|it| !it.is_empty())
                    .collect::<Vec<_>>()
                    .join(" · ")
            })
            .collect();
        messages.push(pdf::Message {
            head: title.to_owned(),
            body: if lines.is_empty() {
                "Nothing is on file.".to_owned()
            } else {
                lines.join("\n")
            },
        });
    }
    messages.extend(copy.messages.iter().map(|it| pdf::Message {
        head: format!("{} · {} · {}", when(it.at, zone), from(it), it.over),
        body: it.words.as_str().to_owned(),
    }));
    let words = pdf::Words {
        language: "en",
        title: "Copy of the record".to_owned(),
        practice: format!(
            "{}, phone {}. Made for the patient under 45 CFR 164.524.",
            practice.name,
            practice.phone.display_us()
        ),
        foot: practice.name.clone(),
        page: "page",
    };
    pdf::document(&words, &messages)
}
