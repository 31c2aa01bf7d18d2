//! The secure portal: a link that shows nothing until the date of birth is given.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::birth;
use crate::domain::birth::BirthDateError;
use crate::policy::words::Language;
use crate::web::pages;
use crate::web::pages::PortalPage;
use crate::web::port::{Cover, PortalOpening, PortalState, Unavailable};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Tokens are 256 bits; anything much longer or shorter, or with other signs, is none of ours.
const TOKEN_LEN: std::ops::RangeInclusive<usize> = 20..=128;

/// Asks for the date of birth. Changes nothing: link previews and scanners may open it.
pub(crate) async fn ask(
    State(door): State<Door>,
    token: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let chosen = chosen_language(query.as_deref());
    let Some(token) = well_formed(token) else {
        return Ok(missing(chosen));
    };
    asking(&door, &token, chosen, None).await
}

/// Tries the date of birth.
pub(crate) async fn open(
    State(door): State<Door>,
    token: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let chosen = chosen_language(query.as_deref());
    let Some(token) = well_formed(token) else {
        return Ok(missing(chosen));
    };
    let body = body.map_err(|rejection| Problem::new(rejection.status()))?;
    let field = |name: &str| {
        form_urlencoded::parse(&body)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let birth_date = match birth::read(&field("month"), &field("day"), &field("year")) {
        Ok(date) => date,
        // A slip of the finger is no wrong answer: it costs no try.
        Err(error) => return asking(&door, &token, chosen, Some(error)).await,
    };
    let opening = door
        .house
        .portal_open(&token, birth_date)
        .await
        .map_err(|Unavailable| Problem::unavailable())?;
    Ok(match opening {
        PortalOpening::Shown { cover, body } => {
            let mut page = covered(&cover, chosen, "shown");
            page.body = body.into_inner();
            pages::portal(StatusCode::OK, &page)
        }
        PortalOpening::Wrong { cover, tries_left } => {
            let mut page = covered(&cover, chosen, "ask");
            page.fault = "wrong";
            page.tries_left = tries_left;
            pages::portal(StatusCode::FORBIDDEN, &page)
        }
        PortalOpening::Locked(cover) => locked(&cover, chosen),
        PortalOpening::Expired(cover) => expired(&cover, chosen),
        PortalOpening::Missing => missing(chosen),
    })
}

async fn asking(
    door: &Door,
    token: &str,
    chosen: Option<Language>,
    fault: Option<BirthDateError>,
) -> Result<Response, Problem> {
    let state = door
        .house
        .portal_state(token)
        .await
        .map_err(|Unavailable| Problem::unavailable())?;
    Ok(match state {
        PortalState::Asking { cover, tries_left } => {
            let mut page = covered(&cover, chosen, "ask");
            page.tries_left = tries_left;
            page.fault = match fault {
                None => "",
                Some(BirthDateError::Missing) => "missing",
                Some(BirthDateError::ShortYear) => "year",
                Some(BirthDateError::NoSuchDate) => "date",
            };
            let status = match fault {
                None => StatusCode::OK,
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            pages::portal(status, &page)
        }
        PortalState::Locked(cover) => locked(&cover, chosen),
        PortalState::Expired(cover) => expired(&cover, chosen),
        PortalState::Missing => missing(chosen),
    })
}

fn well_formed(token: Result<Path<String>, PathRejection>) -> Option<String> {
    let Path(token) = token.ok()?;
    let signs = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (TOKEN_LEN.contains(&token.len()) && token.bytes().all(signs)).then_some(token)
}

pub(crate) fn chosen_language(query: Option<&str>) -> Option<Language> {
    form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, value)| value.parse().ok())
}

fn covered(cover: &Cover, chosen: Option<Language>, view: &'static str) -> PortalPage {
    PortalPage {
        language: chosen.unwrap_or(cover.language).as_str(),
        view,
        practice_name: cover.practice_name.clone(),
        practice_phone: cover.practice_phone.display_us(),
        practice_dial: cover.practice_phone.as_str().to_owned(),
        ..PortalPage::default()
    }
}

fn locked(cover: &Cover, chosen: Option<Language>) -> Response {
    pages::portal(StatusCode::LOCKED, &covered(cover, chosen, "locked"))
}

fn expired(cover: &Cover, chosen: Option<Language>) -> Response {
    pages::portal(StatusCode::GONE, &covered(cover, chosen, "expired"))
}

fn missing(chosen: Option<Language>) -> Response {
    let page = PortalPage {
        language: chosen.unwrap_or(Language::En).as_str(),
        view: "missing",
        ..PortalPage::default()
    };
    pages::portal(StatusCode::NOT_FOUND, &page)
}
