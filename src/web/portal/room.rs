//! The room behind a link, for whoever has shown who they are: one page with its forms.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, LOCATION};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use subtle::ConstantTimeEq as _;

use crate::agent::when;
use crate::domain::consent::ConsentState;
use crate::pipeline::attachments::BadFile;
use crate::pipeline::house::House;
use crate::pipeline::mail_choice::MailAnswer;
use crate::pipeline::portal_room::{Choice, Look, REPLY_CHARS_MAX, Replied, Room};
use crate::policy::words::Language;
use crate::store::StoreError;
use crate::web::form;
use crate::web::pages::{
    self, PortalFileShown, PortalMailShown, PortalMessageShown, PortalPage, PortalUnsentShown,
};
use crate::web::portal::pdf;
use crate::web::portal::{Form, Visit, with_cookie};
use crate::web::problem::Problem;
use crate::web::router::Door;

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn unavailable(error: StoreError) -> Problem {
    tracing::error!(%error, "the store did not answer");
    Problem::unavailable()
}

/// Whoever has a session at this link.
pub(super) async fn enter(
    door: &Door,
    token: &str,
    cookie: Option<&str>,
) -> Result<Option<Room>, Problem> {
    let (Some(desk), Some(cookie)) = (&door.settings.desk, cookie) else {
        return Ok(None);
    };
    desk.portal_room(token, cookie).await.map_err(unavailable)
}

/// Whoever had a session at this link, though it has ended.
pub(super) async fn was_in(door: &Door, visit: &Visit) -> Result<bool, Problem> {
    let (Some(desk), Some(cookie)) = (&door.settings.desk, visit.cookie.as_deref()) else {
        return Ok(false);
    };
    let was = desk.portal_was_in(&visit.token, cookie).await;
    was.map_err(unavailable)
}

/// What an address says that was done.
pub(super) fn done(query: Option<&str>) -> &'static str {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut named = pairs.filter(|(name, _)| name == "done");
    match named.next().as_ref().map(|(_, value)| &**value) {
        Some("reply") => "reply",
        Some("choice") => "choice",
        Some("records") => "records",
        Some("mail_code") => "mail_code",
        Some("mail_on") => "mail_on",
        Some("mail_off") => "mail_off",
        Some("mail_address") => "mail_address",
        Some("mail_wrong") => "mail_wrong",
        Some("mail_many") => "mail_many",
        Some("kind") => "kind",
        Some("large") => "large",
        Some("many") => "many",
        Some("broken") => "broken",
        Some("empty") => "empty",
        Some("long") => "long",
        Some("failed") => "failed",
        _ => "",
    }
}

/// The page.
pub(super) async fn page(
    door: &Door,
    room: &Room,
    visit: &Visit,
    done: &'static str,
) -> Result<Response, Problem> {
    let desk = door.settings.desk.as_ref().ok_or_else(Problem::not_found)?;
    let language = visit.chosen.unwrap_or(room.language);
    let thread = desk
        .portal_thread(room, Look::Page)
        .await
        .map_err(unavailable)?;
    let messages = thread
        .into_iter()
        .map(|it| PortalMessageShown {
            ours: it.ours,
            at: told_when(it.at, room, language),
            files: it
                .files
                .iter()
                .map(|file| PortalFileShown {
                    id: file.id.clone(),
                    name: file.name.as_str().to_owned(),
                    told: format!(
                        "{}, {}",
                        form::told_kind(&file.kind),
                        form::told_size(file.size)
                    ),
                })
                .collect(),
            body: it.body.into_inner(),
        })
        .collect();
    let mail = desk.portal_mail(room).await.map_err(unavailable)?;
    let mail = (mail.open || mail.confirmed.is_some()).then(|| PortalMailShown {
        confirmed: mail.confirmed.unwrap_or_default(),
        wanted: mail.wanted.unwrap_or_default(),
        bounced: mail.bounced,
    });
    let state = room.conversation.consent.state;
    let page = PortalPage {
        language: language.as_str(),
        view: "room",
        fault: done,
        practice_name: room.practice.name.clone(),
        practice_phone: room.practice.phone.display_us(),
        practice_dial: room.practice.phone.as_str().to_owned(),
        messages,
        tag: House::portal_tag(visit.cookie.as_deref().unwrap_or_default()),
        choices: room.choices().iter().map(|it| it.as_str()).collect(),
        consent: if state == ConsentState::OptedOut {
            "stopped"
        } else if state == ConsentState::Granted {
            "details"
        } else {
            "no_details"
        },
        notice: desk.portal_notice(room, language),
        token: visit.token.clone(),
        mail,
        unsent: visit.unsent.as_ref().map(|it| PortalUnsentShown {
            of: it.of.clone(),
            text: it.text.clone(),
            files: it.files,
        }),
        ..PortalPage::default()
    };
    Ok(pages::portal(StatusCode::OK, &page))
}

fn told_when(at: Timestamp, room: &Room, language: Language) -> String {
    let zone = TimeZone::get(&room.practice.timezone).unwrap_or(TimeZone::UTC);
    when::spoken(at, &zone, language)
}

/// One file of the thread.
pub(super) async fn file(door: &Door, room: &Room, id: &str) -> Result<Response, Problem> {
    let desk = door.settings.desk.as_ref().ok_or_else(Problem::not_found)?;
    let mut number = [0; 16];
    if hex::decode_to_slice(id, &mut number).is_err() {
        return Err(Problem::not_found());
    }
    let found = desk.portal_file(room, &number).await.map_err(unavailable)?;
    let (file, bytes) = found.ok_or_else(Problem::not_found)?;
    Ok(form::file(
        file.name.as_str(),
        &file.kind,
        bytes.into_inner(),
    ))
}

/// The thread as a file. Its name tells nobody whose it is.
async fn download(desk: &House, room: &Room, language: Language) -> Result<Response, Problem> {
    let thread = desk.portal_thread(room, Look::Download).await;
    let es = language == Language::Es;
    let name = &room.practice.name;
    let you = if es { "Usted" } else { "You" };
    let messages: Vec<pdf::Message> = thread
        .map_err(unavailable)?
        .into_iter()
        .map(|it| pdf::Message {
            head: format!(
                "{}, {}",
                if it.ours { name.as_str() } else { you },
                told_when(it.at, room, language)
            ),
            body: it.body.into_inner(),
        })
        .collect();
    let phone = room.practice.phone.display_us();
    let words = pdf::Words {
        language: language.as_str(),
        title: if es {
            "Mensajes seguros"
        } else {
            "Secure messages"
        }
        .to_owned(),
        practice: if es {
            format!("{name}, teléfono {phone}. Guarde esta copia donde solo usted pueda leerla.")
        } else {
            format!("{name}, phone {phone}. Keep this copy where only you can read it.")
        },
        foot: name.clone(),
        page: if es { "página" } else { "page" },
    };
    let kind = HeaderValue::from_static("application/pdf");
    let file = if es {
        HeaderValue::from_static("attachment; filename=\"mensajes-seguros.pdf\"")
    } else {
        HeaderValue::from_static("attachment; filename=\"secure-messages.pdf\"")
    };
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file)];
    Ok((headers, pdf::document(&words, &messages)).into_response())
}

/// Does what a form asks.
pub(super) async fn act(
    door: &Door,
    room: &Room,
    visit: &Visit,
    (wish, form): (&str, &Form),
) -> Result<Response, Problem> {
    let desk = door.settings.desk.as_ref().ok_or_else(Problem::not_found)?;
    let cookie = visit.cookie.as_deref().unwrap_or_default();
    let tag = House::portal_tag(cookie);
    if !bool::from(tag.as_bytes().ct_eq(form.get("tag").as_bytes())) {
        return Err(Problem::new(StatusCode::FORBIDDEN));
    }
    let text = form.get("text").replace("\r\n", "\n");
    let text = text.trim();
    match wish {
        "pdf" => download(desk, room, visit.chosen.unwrap_or(room.language)).await,
        "reply" => reply(desk, room, visit, (text, form)).await,
        "mail" | "mail_code" | "mail_off" => {
            let answer = match wish {
                "mail" => desk.portal_mail_ask(room, &form.get("address")).await,
                "mail_code" => desk.portal_mail_confirm(room, &form.get("code")).await,
                _ => desk.portal_mail_off(room).await,
            };
            let done = match answer.map_err(unavailable)? {
                MailAnswer::CodeSent => "mail_code",
                MailAnswer::Confirmed => "mail_on",
                MailAnswer::Off => "mail_off",
                MailAnswer::BadAddress => "mail_address",
                MailAnswer::BadCode => "mail_wrong",
                MailAnswer::TooMany => "mail_many",
                MailAnswer::Closed => "failed",
            };
            Ok(back(visit, done))
        }
        "choose" => {
            let choice: Choice = form
                .get("choice")
                .parse()
                .map_err(|_unknown| Problem::new(StatusCode::UNPROCESSABLE_ENTITY))?;
            let chosen = desk
                .portal_choose(room, choice)
                .await
                .map_err(unavailable)?;
            Ok(back(visit, if chosen { "choice" } else { "failed" }))
        }
        "records" => {
            desk.portal_records(room, text).await.map_err(unavailable)?;
            Ok(back(visit, "records"))
        }
        "leave" => {
            desk.portal_leave(cookie).await.map_err(unavailable)?;
            let left = back(visit, "");
            Ok(with_cookie(door, visit, left, None))
        }
        _ => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY)),
    }
}

async fn reply(
    desk: &House,
    room: &Room,
    visit: &Visit,
    (text, form): (&str, &Form),
) -> Result<Response, Problem> {
    if text.is_empty() && form.files.is_empty() {
        return Ok(back_from_reply(visit, "empty"));
    }
    if text.chars().count() > REPLY_CHARS_MAX {
        return Ok(back_from_reply(visit, "long"));
    }
    let files = match desk.checked_files(&form.files) {
        Ok(files) => files,
        Err(fault) => {
            let told = match fault {
                BadFile::Kind => "kind",
                BadFile::TooLarge => "large",
                BadFile::TooMany => "many",
                BadFile::Broken => "broken",
                BadFile::Unkept => "failed",
            };
            return Ok(back_from_reply(visit, told));
        }
    };
    let replied = desk.portal_reply(room, text, files).await;
    match replied.map_err(unavailable)? {
        Replied::Kept => Ok(back_from_reply(visit, "reply")),
        Replied::Urgent(said) => {
            let page = PortalPage {
                language: visit.chosen.unwrap_or(room.language).as_str(),
                view: "urgent",
                practice_name: room.practice.name.clone(),
                practice_phone: room.practice.phone.display_us(),
                practice_dial: room.practice.phone.as_str().to_owned(),
                body: said,
                token: visit.token.clone(),
                ..PortalPage::default()
            };
            Ok(pages::portal(StatusCode::OK, &page))
        }
    }
}

/// The page again, from the address that replies go to.
pub(super) fn back_from_reply(visit: &Visit, done: &str) -> Response {
    to(visit, &format!("../{}", visit.token), done)
}

/// The page again, by its own address: going back or reloading sends nothing twice.
fn back(visit: &Visit, done: &str) -> Response {
    to(visit, "", done)
}

fn to(visit: &Visit, base: &str, done: &str) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !done.is_empty() {
        query.append_pair("done", done);
    }
    if let Some(language) = visit.chosen {
        query.append_pair("lang", language.as_str());
    }
    let address = format!("{base}?{}", query.finish());
    match HeaderValue::from_str(&address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response(),
        Err(_no_address) => Problem::not_found().into_response(),
    }
}
