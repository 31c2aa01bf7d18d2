//! The secure portal: a link that shows nothing until the date of birth is given, and the second
//! factor that the practice chose; then a room with messages, replies, choices and requests.

pub(super) mod pdf;
mod room;

use axum::body::{Bytes, to_bytes};
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::domain::birth;
use crate::domain::birth::BirthDateError;
use crate::pipeline::attachments::Given;
use crate::policy::words::Language;
use crate::web::form;
use crate::web::pages;
use crate::web::pages::{PortalPage, PortalUnsentShown};
use crate::web::port::{Cover, PortalOpening, PortalState, Unavailable};
use crate::web::problem::Problem;
use crate::web::router::{Door, PORTAL_BYTES_MAX};

/// Tokens are 256 bits; anything much longer or shorter, or with other signs, is none of ours.
const TOKEN_LEN: std::ops::RangeInclusive<usize> = 20..=128;
/// Largest body of a form before somebody has shown who they are: five short fields.
const KEY_BYTES_MAX: usize = 4 * 1024;
/// The cookie of a session; its path is that of its link.
const COOKIE_NAME: &str = "anteroom_portal";

/// The fields of a form.
#[derive(Default)]
struct Form {
    fields: Vec<(String, String)>,
    files: Vec<Given>,
}

impl Form {
    fn of(body: &[u8]) -> Self {
        Self {
            fields: form_urlencoded::parse(body).into_owned().collect(),
            files: Vec::new(),
        }
    }

    /// A field, empty where the form has none.
    fn get(&self, name: &str) -> String {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// What somebody was about to send when their session ended. It is kept nowhere: it goes from page to
/// page with the one who wrote it, until they have shown again who they are and send it.
#[derive(Clone, Default)]
struct Unsent {
    /// `reply` or `records`: which box of the room it stood in.
    of: String,
    text: String,
    /// Whether files were with it; a page cannot carry those.
    files: bool,
}

impl Unsent {
    /// What a form of the room was to send.
    fn of(wish: &str, form: &Form) -> Self {
        let of = if wish == "records" { wish } else { "reply" };
        let text = if matches!(wish, "reply" | "records") {
            form.get("text")
        } else {
            String::new()
        };
        Self {
            of: of.to_owned(),
            text: text.replace("\r\n", "\n").trim().to_owned(),
            files: !form.files.is_empty(),
        }
    }

    /// What a form before the room carries on, if it does.
    fn carried(form: &Form) -> Option<Self> {
        let of = form.get("unsent");
        (!of.is_empty()).then(|| Self {
            text: form.get("unsent_text").replace("\r\n", "\n"),
            files: !form.get("unsent_files").is_empty(),
            of,
        })
    }
}

/// A request to a link.
struct Visit {
    token: String,
    chosen: Option<Language>,
    cookie: Option<String>,
    /// What was not sent because a session had ended.
    unsent: Option<Unsent>,
}

impl Visit {
    fn of(
        token: Result<Path<String>, PathRejection>,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Self, Option<Language>> {
        let chosen = chosen_language(query);
        match well_formed(token) {
            Some(token) => Ok(Self {
                token,
                chosen,
                cookie: cookie(headers),
                unsent: None,
            }),
            None => Err(chosen),
        }
    }
}

/// Asks for the date of birth, or shows the room to whoever has shown who they are. Consumes nothing:
/// link previews and scanners may open it.
pub(crate) async fn ask(
    State(door): State<Door>,
    token: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let visit = match Visit::of(token, query.as_deref(), &headers) {
        Ok(visit) => visit,
        Err(chosen) => return Ok(missing(chosen)),
    };
    if let Some(room) = room::enter(&door, &visit.token, visit.cookie.as_deref()).await? {
        return room::page(&door, &room, &visit, room::done(query.as_deref())).await;
    }
    asking(&door, &visit, None).await
}

/// Tries the date of birth, or the code; or does what is asked in the room.
pub(crate) async fn open(
    State(door): State<Door>,
    token: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let mut visit = match Visit::of(token, query.as_deref(), &headers) {
        Ok(visit) => visit,
        Err(chosen) => return Ok(missing(chosen)),
    };
    let body = body.map_err(|rejection| Problem::new(rejection.status()))?;
    let form = Form::of(&body);
    let wish = form.get("do");
    visit.unsent = Unsent::carried(&form);
    if wish == "again" {
        return asking(&door, &visit, None).await;
    }
    if !wish.is_empty() {
        if let Some(found) = room::enter(&door, &visit.token, visit.cookie.as_deref()).await? {
            return room::act(&door, &found, &visit, (&wish, &form)).await;
        }
        visit.unsent = Some(Unsent::of(&wish, &form));
        return asking(&door, &visit, Some("ended")).await;
    }
    if visit.unsent.is_none() && body.len() > KEY_BYTES_MAX {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let code = form.get("code");
    let opening = if code.is_empty() {
        let birth_date = match birth::read(&form.get("month"), &form.get("day"), &form.get("year"))
        {
            Ok(date) => date,
            // A slip of the finger is no wrong answer: it costs no try.
            Err(error) => return asking(&door, &visit, Some(slip(error))).await,
        };
        let zip = form.get("zip");
        door.house.portal_open(&visit.token, birth_date, &zip).await
    } else {
        let cookie = visit.cookie.as_deref().unwrap_or_default();
        door.house.portal_code(&visit.token, cookie, &code).await
    };
    let opening = opening.map_err(|Unavailable| Problem::unavailable())?;
    shown(&door, &visit, opening, !code.is_empty()).await
}

/// Takes a reply with files of whoever has shown who they are. Of whoever had, the words are carried through
/// the new sign-in; of nobody else is more read than the longest text.
pub(crate) async fn reply(
    State(door): State<Door>,
    token: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let mut visit = match Visit::of(token, query.as_deref(), &parts.headers) {
        Ok(visit) => visit,
        Err(chosen) => return Ok(missing(chosen)),
    };
    let found = room::enter(&door, &visit.token, visit.cookie.as_deref()).await?;
    let known = found.is_some() || room::was_in(&door, &visit).await?;
    let most = if known {
        form::FILES_BODY_MAX
    } else {
        PORTAL_BYTES_MAX
    };
    let body = to_bytes(body, most).await;
    let Some(found) = found else {
        // What is too much, or did not arrive whole, cannot be carried: then it is asked for again.
        let read = match body {
            Ok(body) => reply_form(&parts.headers, body).await.ok(),
            Err(_too_long) => None,
        };
        let lost = Unsent {
            of: "reply".to_owned(),
            ..Unsent::default()
        };
        visit.unsent = Some(read.map_or(lost, |form| Unsent::of("reply", &form)));
        return asking(&door, &visit, Some("ended")).await;
    };
    let Ok(body) = body else {
        return Ok(room::back_from_reply(&visit, "large"));
    };
    let form = reply_form(&parts.headers, body).await?;
    room::act(&door, &found, &visit, ("reply", &form)).await
}

async fn reply_form(headers: &HeaderMap, body: Bytes) -> Result<Form, Problem> {
    Ok(if form::brings_files(headers) {
        let (fields, files) = form::read(headers, body).await?;
        Form { fields, files }
    } else {
        Form::of(&body)
    })
}

/// Hands a file of the secure thread out.
pub(crate) async fn file(
    State(door): State<Door>,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(Path((token, id))) = path else {
        return Ok(missing(None));
    };
    let mut visit = match Visit::of(Ok(Path(token)), query.as_deref(), &headers) {
        Ok(visit) => visit,
        Err(chosen) => return Ok(missing(chosen)),
    };
    if let Some(found) = room::enter(&door, &visit.token, visit.cookie.as_deref()).await? {
        return room::file(&door, &found, &id).await;
    }
    visit.unsent = Some(Unsent::of("", &Form::default()));
    asking(&door, &visit, Some("ended")).await
}

const fn slip(error: BirthDateError) -> &'static str {
    match error {
        BirthDateError::Missing => "missing",
        BirthDateError::ShortYear => "year",
        BirthDateError::NoSuchDate => "date",
    }
}

async fn shown(
    door: &Door,
    visit: &Visit,
    opening: PortalOpening,
    coded: bool,
) -> Result<Response, Problem> {
    let chosen = visit.chosen;
    Ok(match opening {
        PortalOpening::Shown {
            cover,
            body,
            session,
        } => {
            let room = room::enter(door, &visit.token, session.as_deref()).await?;
            let shown = match room {
                Some(room) => {
                    let visit = Visit {
                        token: visit.token.clone(),
                        chosen,
                        cookie: session.clone(),
                        unsent: visit.unsent.clone(),
                    };
                    room::page(door, &room, &visit, "").await?
                }
                None => {
                    let mut page = covered(&cover, chosen, "shown");
                    page.body = body.into_inner();
                    pages::portal(StatusCode::OK, &page)
                }
            };
            with_cookie(door, visit, shown, session.as_deref())
        }
        PortalOpening::CodeAsked {
            cover,
            session,
            tail,
        } => {
            let mut page = carrying(&cover, visit, "code");
            page.mailed = tail.is_empty();
            page.tail = tail;
            let shown = pages::portal(StatusCode::OK, &page);
            with_cookie(door, visit, shown, Some(&session))
        }
        PortalOpening::Uncodable(cover) => {
            pages::portal(StatusCode::FORBIDDEN, &covered(&cover, chosen, "uncodable"))
        }
        PortalOpening::Wrong {
            cover,
            tries_left,
            zip,
        } => {
            let mut page = carrying(&cover, visit, if coded { "code" } else { "ask" });
            page.fault = "wrong";
            page.zip = zip;
            page.tries_left = tries_left;
            pages::portal(StatusCode::FORBIDDEN, &page)
        }
        PortalOpening::Locked(cover) => locked(&cover, chosen),
        PortalOpening::Expired(cover) => expired(&cover, chosen),
        PortalOpening::Revoked(cover) => revoked(&cover, chosen),
        // A code without its first step: it begins anew.
        PortalOpening::Missing if coded => asking(door, visit, Some("code")).await?,
        PortalOpening::Missing => missing(chosen),
    })
}

async fn asking(
    door: &Door,
    visit: &Visit,
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let chosen = visit.chosen;
    let state = door
        .house
        .portal_state(&visit.token)
        .await
        .map_err(|Unavailable| Problem::unavailable())?;
    Ok(match state {
        PortalState::Asking {
            cover,
            tries_left,
            zip,
        } => {
            let mut page = carrying(&cover, visit, "ask");
            page.tries_left = tries_left;
            page.zip = zip;
            page.fault = fault.unwrap_or_default();
            let status = match fault {
                None => StatusCode::OK,
                Some("ended") => StatusCode::FORBIDDEN,
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            pages::portal(status, &page)
        }
        PortalState::Locked(cover) => locked(&cover, chosen),
        PortalState::Expired(cover) => expired(&cover, chosen),
        PortalState::Revoked(cover) => revoked(&cover, chosen),
        PortalState::Missing => missing(chosen),
    })
}

fn well_formed(token: Result<Path<String>, PathRejection>) -> Option<String> {
    let Path(token) = token.ok()?;
    let signs = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (TOKEN_LEN.contains(&token.len()) && token.bytes().all(signs)).then_some(token)
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(COOKIE).iter();
    let pairs = values
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = named.find(|(name, _)| *name == COOKIE_NAME)?;
    TOKEN_LEN.contains(&value.len()).then(|| value.to_owned())
}

/// A page with the cookie of a session; without a session, the cookie is taken away. The browser keeps
/// it for this link alone, and only while it is open.
fn with_cookie(door: &Door, visit: &Visit, mut page: Response, session: Option<&str>) -> Response {
    let secure = if door.settings.public_url.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    let base = door.settings.public_url.path().trim_end_matches('/');
    let end = if session.is_some() { "" } else { "; Max-Age=0" };
    let cookie = format!(
        "{COOKIE_NAME}={}; Path={base}/p/{}; HttpOnly; SameSite=Strict{end}{secure}",
        session.unwrap_or_default(),
        visit.token
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        page.headers_mut().insert(SET_COOKIE, cookie);
    }
    page
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

/// A page on the way into the room, which carries what was not sent.
fn carrying(cover: &Cover, visit: &Visit, view: &'static str) -> PortalPage {
    let mut page = covered(cover, visit.chosen, view);
    if let Some(unsent) = &visit.unsent {
        page.token.clone_from(&visit.token);
        page.unsent = Some(PortalUnsentShown {
            of: unsent.of.clone(),
            text: unsent.text.clone(),
            files: unsent.files,
        });
    }
    page
}

fn locked(cover: &Cover, chosen: Option<Language>) -> Response {
    pages::portal(StatusCode::LOCKED, &covered(cover, chosen, "locked"))
}

fn expired(cover: &Cover, chosen: Option<Language>) -> Response {
    pages::portal(StatusCode::GONE, &covered(cover, chosen, "expired"))
}

fn revoked(cover: &Cover, chosen: Option<Language>) -> Response {
    pages::portal(StatusCode::GONE, &covered(cover, chosen, "revoked"))
}

fn missing(chosen: Option<Language>) -> Response {
    let page = PortalPage {
        language: chosen.unwrap_or(Language::En).as_str(),
        view: "missing",
        ..PortalPage::default()
    };
    pages::portal(StatusCode::NOT_FOUND, &page)
}
