//! The pages' own files, embedded; nothing is fetched from elsewhere.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use crate::web::problem::Problem;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The portal's rules, which stand in its page as well.
pub(crate) const PORTAL_CSS: &str = include_str!("assets/portal.css");

/// The script that a practice puts into its web site; it has an address of its own.
pub(crate) const WIDGET_JS: &str = include_str!("assets/widget.js");

/// Every file: its name, what it is, and its text.
const FILES: &[(&str, &str, &str)] = &[
    ("portal.css", CSS, PORTAL_CSS),
    ("chat.css", CSS, include_str!("assets/chat.css")),
    ("chat.js", SCRIPT, include_str!("assets/chat.js")),
    ("simulator.css", CSS, include_str!("assets/simulator.css")),
    ("console.css", CSS, include_str!("assets/console.css")),
    ("console.js", SCRIPT, include_str!("assets/console.js")),
    ("prompts.js", SCRIPT, include_str!("assets/prompts.js")),
    ("setup.js", SCRIPT, include_str!("assets/setup.js")),
    ("names.js", SCRIPT, include_str!("assets/names.js")),
    ("session.js", SCRIPT, include_str!("assets/session.js")),
    ("morph.js", SCRIPT, include_str!("assets/morph.js")),
    ("dom.js", SCRIPT, include_str!("assets/dom.js")),
    ("glass.js", SCRIPT, include_str!("assets/glass.js")),
    ("phone.js", SCRIPT, include_str!("assets/phone.js")),
    ("simulator.js", SCRIPT, include_str!("assets/simulator.js")),
];

/// A digest of all files. It is part of their address, so that browsers may keep them for ever and
/// still never mix two releases.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for (name, _, text) in FILES {
        digest.update(name.as_bytes());
        digest.update(text.as_bytes());
    }
    hex::encode(digest.finalize()).chars().take(12).collect()
});

/// One file.
pub(crate) async fn asset(Path((version, name)): Path<(String, String)>) -> Response {
    let file = FILES.iter().find(|(known, _, _)| *known == name);
    match file.filter(|_| version == *VERSION) {
        Some((_, kind, text)) => (
            [
                (CONTENT_TYPE, HeaderValue::from_static(kind)),
                (
                    CACHE_CONTROL,
                    HeaderValue::from_static("public, max-age=31536000, immutable"),
                ),
            ],
            *text,
        )
            .into_response(),
        None => Problem::not_found().into_response(),
    }
}
