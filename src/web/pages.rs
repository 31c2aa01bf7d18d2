//! The HTML pages: templates with their data, each under its own content security policy.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tera::{Context, Tera};

use crate::web::assets;
use crate::web::home::HomePage;
use crate::web::problem::Problem;

/// The templates. Their names end in `.html`, so every value is escaped.
const TEMPLATES: &[(&str, &str)] = &[
    (
        "console_overlay.html",
        include_str!("templates/console_overlay.html"),
    ),
    (
        "console_changes.html",
        include_str!("templates/console_changes.html"),
    ),
    (
        "console_retention.html",
        include_str!("templates/console_retention.html"),
    ),
    (
        "console_patient.html",
        include_str!("templates/console_patient.html"),
    ),
    (
        "console_accounting.html",
        include_str!("templates/console_accounting.html"),
    ),
    (
        "console_case.html",
        include_str!("templates/console_case.html"),
    ),
    (
        "console_breach.html",
        include_str!("templates/console_breach.html"),
    ),
    (
        "console_labels.html",
        include_str!("templates/console_labels.html"),
    ),
    (
        "console_audit.html",
        include_str!("templates/console_audit.html"),
    ),
    (
        "console_overview.html",
        include_str!("templates/console_overview.html"),
    ),
    (
        "console_compliance.html",
        include_str!("templates/console_compliance.html"),
    ),
    (
        "console_replies.html",
        include_str!("templates/console_replies.html"),
    ),
    (
        "console_papers.html",
        include_str!("templates/console_papers.html"),
    ),
    (
        "console_prompts.html",
        include_str!("templates/console_prompts.html"),
    ),
    (
        "console_prompt.html",
        include_str!("templates/console_prompt.html"),
    ),
    (
        "console_prompt_version.html",
        include_str!("templates/console_prompt_version.html"),
    ),
    (
        "console_versions.html",
        include_str!("templates/console_versions.html"),
    ),
    (
        "console_version.html",
        include_str!("templates/console_version.html"),
    ),
    (
        "console_base.html",
        include_str!("templates/console_base.html"),
    ),
    (
        "console_inbox.html",
        include_str!("templates/console_inbox.html"),
    ),
    (
        "console_setup.html",
        include_str!("templates/console_setup.html"),
    ),
    (
        "console_findings.html",
        include_str!("templates/console_findings.html"),
    ),
    (
        "console_sign.html",
        include_str!("templates/console_sign.html"),
    ),
    (
        "console_team.html",
        include_str!("templates/console_team.html"),
    ),
    ("chat.html", include_str!("templates/chat.html")),
    ("home.html", include_str!("templates/home.html")),
    ("portal.html", include_str!("templates/portal.html")),
    ("simulator.html", include_str!("templates/simulator.html")),
];

static PAGES: LazyLock<Result<Tera, tera::Error>> = LazyLock::new(|| {
    let mut tera = Tera::default();
    tera.autoescape_on(vec![".html"]);
    tera.add_raw_templates(TEMPLATES.iter().copied())?;
    Ok(tera)
});

/// The portal's rules stand in its page: an old phone on a slow line paints after one round trip. The
/// digest lets these very rules through and no other.
static PORTAL_INLINE_POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(assets::PORTAL_CSS));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
});

const PORTAL_POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const SIMULATOR_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The sites that may frame it follow.
const CHAT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors ";

const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the portal's page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PortalPage {
    /// `en` or `es`.
    pub(crate) language: &'static str,
    /// `ask`, `code`, `uncodable`, `shown`, `room`, `urgent`, `locked`, `expired` or `missing`.
    pub(crate) view: &'static str,
    /// What went wrong with the last answer: `wrong`, `missing`, `year`, `date`, ...; in the room, what
    /// was done; else empty.
    pub(crate) fault: &'static str,
    /// Whose message; empty when the link is unknown.
    pub(crate) practice_name: String,
    /// As people read it.
    pub(crate) practice_phone: String,
    /// As a phone dials it.
    pub(crate) practice_dial: String,
    /// Wrong answers left.
    pub(crate) tries_left: u32,
    /// Whether the ZIP code is asked for.
    pub(crate) zip: bool,
    /// The last digits of the number that a code was sent to.
    pub(crate) tail: String,
    /// Whether the code went by e-mail.
    pub(crate) mailed: bool,
    /// The message, once shown; never before.
    pub(crate) body: String,
    /// The secure thread, in the room.
    pub(crate) messages: Vec<PortalMessageShown>,
    /// The secret of the room's forms.
    pub(crate) tag: String,
    /// What may be chosen about texts.
    pub(crate) choices: Vec<&'static str>,
    /// What stands of it: `details`, `no_details` or `stopped`.
    pub(crate) consent: &'static str,
    /// The notice that whoever agrees has read.
    pub(crate) notice: String,
    /// The link's own token, for what lies below it; in the room alone, and where a page below the link asks
    /// for the birth date again.
    pub(crate) token: String,
    /// What was not sent because a session had ended.
    pub(crate) unsent: Option<PortalUnsentShown>,
    /// E-mail, where it can be chosen.
    pub(crate) mail: Option<PortalMailShown>,
}

/// What somebody was about to send when their session ended.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PortalUnsentShown {
    /// `reply` or `records`: which box it stood in.
    pub(crate) of: String,
    /// The words.
    pub(crate) text: String,
    /// Whether files were with it, which are to be chosen again.
    pub(crate) files: bool,
}

/// Where a patient stands with e-mail.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PortalMailShown {
    /// The confirmed address, masked; empty when there is none.
    pub(crate) confirmed: String,
    /// The address that a code was sent to, masked; empty when none waits.
    pub(crate) wanted: String,
    /// Whether mail comes back.
    pub(crate) bounced: bool,
}

/// A file of the secure thread.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PortalFileShown {
    /// Its number.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is, and how large.
    pub(crate) told: String,
}

/// One message of the secure thread.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PortalMessageShown {
    /// Whether the practice wrote it.
    pub(crate) ours: bool,
    /// The words.
    pub(crate) body: String,
    /// When, as patients read it.
    pub(crate) at: String,
    /// The files with it.
    pub(crate) files: Vec<PortalFileShown>,
}

#[derive(Serialize)]
struct Framed<'a> {
    css: &'a str,
    page: &'a PortalPage,
}

/// The portal's page.
pub(crate) fn portal(status: StatusCode, page: &PortalPage) -> Response {
    let framed = Framed {
        css: assets::PORTAL_CSS,
        page,
    };
    render("portal.html", &PORTAL_INLINE_POLICY, status, &framed)
}

/// The public page of the practices.
pub(crate) fn home(page: &HomePage) -> Response {
    let framed = serde_json::json!({ "assets": assets::VERSION.as_str(), "page": page });
    render("home.html", PORTAL_POLICY, StatusCode::OK, &framed)
}

/// What the chat's page shows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ChatPage {
    /// `en` or `es`.
    pub(crate) language: &'static str,
    /// Whose.
    pub(crate) practice: String,
    /// Its name, as patients know it.
    pub(crate) practice_name: String,
    /// As people read it.
    pub(crate) practice_phone: String,
    /// As a phone dials it.
    pub(crate) practice_dial: String,
    /// The number that codes come from, as people read it.
    pub(crate) text_number: String,
    /// The sites that may frame it.
    pub(crate) origins: String,
}

/// The chat's page, for these sites and no other.
pub(crate) fn chat(page: &ChatPage) -> Response {
    let policy = format!("{CHAT_POLICY}{}", page.origins);
    let framed = serde_json::json!({ "assets": assets::VERSION.as_str(), "page": page });
    render("chat.html", &policy, StatusCode::OK, &framed)
}

/// The phone.
pub(crate) fn simulator() -> Response {
    let framed = serde_json::json!({ "assets": assets::VERSION.as_str() });
    render("simulator.html", SIMULATOR_POLICY, StatusCode::OK, &framed)
}

/// A page of the console.
pub(crate) fn console(name: &str, status: StatusCode, page: &serde_json::Value) -> Response {
    let framed = serde_json::json!({ "assets": assets::VERSION.as_str(), "page": page });
    render(name, CONSOLE_POLICY, status, &framed)
}

fn render(name: &str, policy: &str, status: StatusCode, values: &impl Serialize) -> Response {
    let rendered = PAGES.as_ref().ok().and_then(|pages| {
        let context = Context::from_serialize(values).ok()?;
        pages.render(name, &context).ok()
    });
    match rendered.zip(HeaderValue::from_str(policy).ok()) {
        Some((html, policy)) => (
            status,
            [
                (
                    CONTENT_TYPE,
                    HeaderValue::from_static("text/html; charset=utf-8"),
                ),
                (CONTENT_SECURITY_POLICY, policy),
            ],
            html,
        )
            .into_response(),
        // A template that does not render is a fault of the build; its error could quote values.
        None => Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles() {
        if let Err(error) = &*PAGES {
            panic!("{error:?}");
        }
    }
}
