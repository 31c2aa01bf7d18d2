//! The public page at the root, which the answer to HELP names: whom to call, and what the texts are.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::response::Response;
use serde::Serialize;

use crate::domain::practice::Practice;
use crate::policy::words::Language;
use crate::web::pages;
use crate::web::portal::chosen_language;
use crate::web::router::Door;

/// What the page shows.
#[derive(Debug, Serialize)]
pub(crate) struct HomePage {
    /// `en` or `es`.
    language: &'static str,
    practices: Vec<HomePractice>,
}

/// A practice, as its texts name it.
#[derive(Debug, Serialize)]
struct HomePractice {
    name: String,
    phone: String,
    dial: String,
    hours: String,
    /// Empty where it would tell what the name may not.
    address: String,
}

/// The page. Everybody may open it; it knows nothing of who does.
pub(crate) async fn page(
    State(door): State<Door>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok());
    let language = chosen_language(query.as_deref()).unwrap_or_else(|| preferred(accepted));
    let practices = door.house.practices();
    let practices = practices.iter().map(|it| shown(it, language)).collect();
    pages::home(&HomePage {
        language: language.as_str(),
        practices,
    })
}

/// Spanish where the browser names it before English (RFC 9110, section 12.5.4; weights aside, for
/// browsers list in order).
fn preferred(accepted: Option<&str>) -> Language {
    let tags = accepted.unwrap_or_default().split(',');
    let known = tags.filter_map(|tag| match tag.trim().get(..2)?.to_lowercase().as_str() {
        "en" => Some(Language::En),
        "es" => Some(Language::Es),
        _ => None,
    });
    known.into_iter().next().unwrap_or(Language::En)
}

fn shown(practice: &Practice, language: Language) -> HomePractice {
    let hours = match language {
        Language::Es if !practice.hours_es.is_empty() => &practice.hours_es,
        Language::En | Language::Es => &practice.hours,
    };
    HomePractice {
        name: practice.said_name(language).to_owned(),
        phone: practice.phone.display_us(),
        dial: practice.phone.as_str().to_owned(),
        hours: hours.clone(),
        address: if practice.discreet {
            String::new()
        } else {
            practice.address.clone()
        },
    }
}
