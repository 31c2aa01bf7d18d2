//! Forms with files (`multipart/form-data`, RFC 7578).

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::domain::phi::Phi;
use crate::pipeline::attachments::Given;
use crate::web::problem::Problem;

/// Largest body of a form with files: all files that one message may have, the words, and what parts them.
pub(crate) const FILES_BODY_MAX: usize = 21 * 1024 * 1024;
/// Fields that a form has; one with more was made by no page of ours.
const PARTS_MAX: usize = 40;

/// The fields and the files of a form.
pub(crate) type Parts = (Vec<(String, String)>, Vec<Given>);

/// Whether a form brings files.
pub(crate) fn brings_files(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|it| it.starts_with(b"multipart/form-data"))
}

/// Reads a form with files; a file field that was left empty is no file.
pub(crate) async fn read(headers: &HeaderMap, body: Bytes) -> Result<Parts, Problem> {
    let broken = |_error| {
        let how = "the form did not arrive whole; send it again";
        Problem::because(StatusCode::BAD_REQUEST, how)
    };
    let mut request = Request::new(Body::from(body));
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        request.headers_mut().insert(CONTENT_TYPE, kind.clone());
    }
    // Whoever read the body has limited it.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Problem::new(rejection.status()))?;
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        if fields.len() + files.len() >= PARTS_MAX {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let Some(file) = part.file_name().map(str::to_owned) else {
            fields.push((name, part.text().await.map_err(broken)?));
            continue;
        };
        let bytes = part.bytes().await.map_err(broken)?;
        if file.is_empty() && bytes.is_empty() {
            continue;
        }
        files.push(Given {
            name: Phi::from(file),
            bytes: Phi::new(bytes.to_vec()),
        });
    }
    Ok((fields, files))
}

/// A file as it is handed out: to be saved, never to be opened as a page of ours.
pub(crate) fn file(name: &str, kind: &str, bytes: Vec<u8>) -> Response {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || " .-_()".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    // RFC 6266, with the name of other scripts beside it (RFC 8187).
    let encoded: String = name
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let told = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    let text = |value: &str| HeaderValue::from_str(value).ok();
    let headers: [(HeaderName, HeaderValue); 3] = [
        (
            CONTENT_TYPE,
            text(kind).unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (
            CONTENT_DISPOSITION,
            text(&told).unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (
            HeaderName::from_static("content-security-policy"),
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
    ];
    (headers, bytes).into_response()
}

/// How large a file is, as people read it.
pub(crate) fn told_size(bytes: i64) -> String {
    if bytes < 1024 * 1024 {
        format!("{} KB", (bytes + 1023) / 1024)
    } else {
        let tenths = bytes * 10 / (1024 * 1024);
        format!("{}.{} MB", tenths / 10, tenths % 10)
    }
}

/// What a file is, as people say it.
pub(crate) fn told_kind(kind: &str) -> &'static str {
    match kind {
        "application/pdf" => "PDF",
        "image/png" => "PNG",
        _ => "JPEG",
    }
}
