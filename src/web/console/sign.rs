//! Signing in: an address and a password, then the second factor; invitations; signing out.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use qrcode::QrCode;
use qrcode::render::svg;
use serde_json::{Value, json};

use crate::domain::ids::PracticeId;
use crate::domain::staff::{IDLE, Staff};
use crate::pipeline::accounts::{AccountError, Second};
use crate::pipeline::house::House;
use crate::seal::password::CHARS_MIN;
use crate::web::console::seat::{Fields, Seat, again, desk, to, to_with};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

const PAGE: &str = "console_sign.html";

/// The form to sign in.
pub(crate) async fn page(
    State(door): State<Door>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let given = |name: &str| {
        let query = query.as_deref().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let desk = desk(&door)?;
    let fresh = !desk.store().has_staff().await.unwrap_or(true);
    let values = json!({
        "view": "sign-in",
        "practices": practices(desk), "sso": providers(&door),
        "next": inner(&given("next")),
        "ended": given("ended") == "1",
        "idle_minutes": IDLE.as_mins(),
        "fresh": fresh,
    });
    Ok(pages::console(PAGE, StatusCode::OK, &values))
}

/// Tries an address and a password.
pub(crate) async fn sign_in(
    State(door): State<Door>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let practice = PracticeId::new(fields.get("practice"));
    let next = inner(fields.get("next"));
    if desk.practice(&practice).is_none() {
        return Err(Problem::not_found());
    }
    let email = fields.get("email");
    let password = fields.get("password").to_owned();
    match desk.sign_in(&practice, email, password).await {
        Ok(token) => Ok(to_with(&door, &second_of(&next), Some(&token.secret))),
        Err(error) => {
            let (status, fault) = told(&error)?;
            let values = json!({
                "view": "sign-in", "practices": practices(desk), "sso": providers(&door), "practice": practice.as_str(),
                "next": next, "email": email, "fault": fault,
            });
            Ok(pages::console(PAGE, status, &values))
        }
    }
}

/// An invitation: looking at it changes nothing, so that a scanner may.
pub(crate) async fn invitation(
    State(door): State<Door>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    match desk.invitation(&token).await {
        Ok(Some(staff)) => Ok(joining(desk, &staff, StatusCode::OK, "")),
        Ok(None) => Ok(gone()),
        Err(_store) => Err(Problem::unavailable()),
    }
}

/// Takes an invitation.
pub(crate) async fn join(
    State(door): State<Door>,
    Path(token): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let Ok(Some(staff)) = desk.invitation(&token).await else {
        return Ok(gone());
    };
    let unfit = StatusCode::UNPROCESSABLE_ENTITY;
    if fields.get("password") != fields.get("again") {
        return Ok(joining(desk, &staff, unfit, "the two passwords differ"));
    }
    match desk.join(&token, fields.get("password").to_owned()).await {
        Ok(session) => Ok(to_with(&door, "/console/second", Some(&session.secret))),
        Err(AccountError::Weak(weak)) => Ok(joining(desk, &staff, unfit, &weak.to_string())),
        Err(AccountError::Link) => Ok(gone()),
        Err(error) => Err(told(&error).map_or_else(|it| it, |(status, _)| Problem::new(status))),
    }
}

fn joining(desk: &House, staff: &Staff, status: StatusCode, fault: &str) -> Response {
    let values = json!({
        "view": "join",
        "name": staff.secrets.name, "email": staff.secrets.email, "role": staff.role.title(),
        "practice_name": desk.practice(&staff.practice).map(|it| it.name.clone()),
        "chars_min": CHARS_MIN, "fault": fault,
    });
    pages::console(PAGE, status, &values)
}

fn gone() -> Response {
    again(
        StatusCode::GONE,
        "This invitation does not work any more",
        "It was used, replaced by a newer one, or is older than a week. Ask whoever invited you for a new link.",
    )
}

/// The second factor: asked for, or set up.
pub(crate) async fn second_page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let next = next_of(query.as_deref());
    asking(&door, &seat, &next, StatusCode::OK, "").await
}

async fn asking(
    door: &Door,
    seat: &Seat,
    next: &str,
    status: StatusCode,
    fault: &str,
) -> Result<Response, Problem> {
    let desk = desk(door)?;
    let issuer = desk
        .practice(&seat.staff.practice)
        .map_or_else(|| "anteroom".to_owned(), |it| it.name.clone());
    let offered = desk.enrolment(&seat.staff, &issuer).await;
    let offered = offered.map_err(|_store| Problem::unavailable())?;
    let mut values = json!({
        "view": "second", "csrf": seat.csrf(), "next": next, "fault": fault,
        "optional": !seat.staff.role.needs_second_factor(),
    });
    if let (Some((url, typed)), Some(fields)) = (offered, values.as_object_mut()) {
        fields.insert("view".to_owned(), "enrol".into());
        fields.insert("qr".to_owned(), picture(&url).into());
        fields.insert("typed".to_owned(), typed.into());
    }
    Ok(pages::console(PAGE, status, &values))
}

/// The picture for an app's camera.
fn picture(url: &str) -> String {
    QrCode::new(url.as_bytes()).map_or_else(
        |_too_long| String::new(),
        |code| {
            code.render::<svg::Color<'_>>()
                .min_dimensions(200, 200)
                .dark_color(svg::Color("#14201f"))
                .light_color(svg::Color("#ffffff"))
                .build()
        },
    )
}

/// Takes a code.
pub(crate) async fn second(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let next = inner(fields.get("next"));
    let code = fields.get("code");
    match desk.second_factor(&seat.token, &seat.staff, code).await {
        Ok(Second::In) => Ok(to(if next.is_empty() { "/console" } else { &next })),
        Ok(Second::Enrolled(codes)) => {
            let values = json!({ "view": "codes", "codes": codes, "next": next });
            Ok(pages::console(PAGE, StatusCode::OK, &values))
        }
        Err(error) => {
            let (status, fault) = told(&error)?;
            asking(&door, &seat, &next, status, &fault).await
        }
    }
}

/// Ends the session.
pub(crate) async fn sign_out(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let ended = desk(&door)?.sign_out(&seat.token).await;
    ended.map_err(|_store| Problem::unavailable())?;
    Ok(to_with(&door, "/console/sign-in", None))
}

fn practices(desk: &House) -> Vec<Value> {
    desk.practices()
        .map(|it| json!({ "id": it.id.as_str(), "name": it.name }))
        .collect()
}

/// Who vouches for the staff of which practice.
fn providers(door: &Door) -> Vec<Value> {
    let all = door.settings.console.sso.iter();
    all.map(|(id, it)| json!({ "practice": id.as_str(), "label": it.settings().label }))
        .collect()
}

/// What a refusal says, or that the house does not answer.
fn told(error: &AccountError) -> Result<(StatusCode, String), Problem> {
    let status = match error {
        AccountError::Store(cause) => {
            tracing::error!(error = %cause, "the store did not answer");
            return Err(Problem::unavailable());
        }
        AccountError::Resting(_) => StatusCode::TOO_MANY_REQUESTS,
        AccountError::Wrong => StatusCode::FORBIDDEN,
        AccountError::Exists
        | AccountError::Address
        | AccountError::Name
        | AccountError::Link
        | AccountError::Weak(_)
        | AccountError::LastOwner => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok((status, error.to_string()))
}

/// An address within the console, or none: a link may not send people elsewhere.
fn inner(next: &str) -> String {
    let own = next.starts_with("/console/") && !next.contains("//") && !next.contains('\\');
    if own && next.bytes().all(|byte| byte.is_ascii_graphic()) {
        next.to_owned()
    } else {
        String::new()
    }
}

fn next_of(query: Option<&str>) -> String {
    let query = query.unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "next");
    found.map_or_else(String::new, |(_, value)| inner(&value))
}

/// Where the way goes on after the first factor; the gate sends back whoever needs no second.
fn second_of(next: &str) -> String {
    if next.is_empty() {
        return "/console/second".to_owned();
    }
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("/console/second?next={next}")
}
