//! The audit log as a file: CSV for a spreadsheet, JSON lines with hashes, FHIR R4 `AuditEvent`s.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::audit::{Entry, Linked};
use crate::store::audit_pages::AuditFilter;
use crate::web::console::audit::Asked;
use crate::web::console::inbox::unavailable;
use crate::web::console::seat::{Seat, desk};
use crate::web::console::versions::zone;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Entries of one file; a longer log is narrowed by its filter, or exported on the command line.
const ENTRIES_MAX: usize = 20_000;
/// Entries that are read at once.
const PAGE: u32 = 1_000;

/// A file of the entries that a filter lets through, newest first. That it was taken is audited.
pub(crate) async fn export(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let query = query.unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut asked = Asked::read(pairs, &zone(desk, &seat));
    asked.resolve(desk, &seat).await?;
    let mut filter = asked.filter;
    filter.before = None;
    let format = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "format")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let practice = &seat.staff.practice;
    let mut entries: Vec<Linked> = Vec::new();
    loop {
        let page = desk.store().audit_page(practice, &filter, PAGE).await;
        let page = page.map_err(unavailable)?;
        entries.extend(page.entries);
        filter.before = page.further;
        if filter.before.is_none() || entries.len() >= ENTRIES_MAX {
            break;
        }
    }
    entries.truncate(ENTRIES_MAX);
    let (kind, ending, text) = match format.as_str() {
        "json" => ("application/jsonl", "jsonl", lines(&entries)),
        "fhir" => ("application/fhir+json", "json", bundle(&entries)),
        _ => ("text/csv; charset=utf-8", "csv", csv(&entries)),
    };
    let now = desk.clock().now();
    let AuditFilter {
        actor,
        action,
        subject,
        rule,
        from,
        to,
        subjects,
        ..
    } = &filter;
    let detail = json!({
        "format": ending, "entries": entries.len(),
        "actor": actor, "action": action, "subject": subject, "rule": rule,
        "from": from, "to": to, "of_one_patient": !subjects.is_empty(),
    });
    let by = seat.staff.actor();
    let noted = Entry::new(practice, now, &by, "audit.exported", "audit", &detail);
    desk.note(noted).await.map_err(unavailable)?;
    let name = format!("attachment; filename=\"audit-{practice}.{ending}\"");
    let name = HeaderValue::from_str(&name).map_err(|_any| Problem::unavailable())?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((StatusCode::OK, headers, text).into_response())
}

fn lines(entries: &[Linked]) -> String {
    let line = |it: &Linked| serde_json::to_string(it).unwrap_or_default() + "\n";
    entries.iter().map(line).collect()
}

/// RFC 4180; a field that a spreadsheet would take for a formula begins with an apostrophe.
fn csv(entries: &[Linked]) -> String {
    let mut text = "number,at,actor,action,subject,detail,hash\r\n".to_owned();
    for it in entries {
        let entry = &it.entry;
        let fields = [
            it.seq.to_string(),
            entry.at.to_string(),
            entry.actor.clone(),
            entry.action.clone(),
            entry.subject.clone(),
            entry.detail.clone(),
            hex::encode(it.hash),
        ];
        let quoted: Vec<String> = fields.iter().map(|it| field(it)).collect();
        text.push_str(&quoted.join(","));
        text.push_str("\r\n");
    }
    text
}

pub(super) fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A FHIR R4 Bundle of `AuditEvent`s (hl7.org/fhir/R4/auditevent.html).
fn bundle(entries: &[Linked]) -> String {
    let resources: Vec<Value> = entries
        .iter()
        .map(|it| json!({ "resource": event(it) }))
        .collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": resources }).to_string()
}

fn event(it: &Linked) -> Value {
    let entry = &it.entry;
    let kind = entry.action.split('.').next().unwrap_or_default();
    let deed = entry.action.split('.').next_back().unwrap_or_default();
    // Create, read, update, delete, execute: the codes of audit-event-action.
    let action = match deed {
        "viewed" | "exported" | "made" => "R",
        "received" | "cleared" | "raised" | "published" | "requested" | "recorded" => "C",
        "erased" | "discarded" | "destroyed" => "D",
        "signed_in" | "gated" | "searched" => "E",
        _ => "U",
    };
    json!({
        "resourceType": "AuditEvent",
        "id": format!("{}-{}", entry.practice, it.seq),
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": if kind == "session" { "rest" } else { "object" },
        },
        "subtype": [{ "code": entry.action }],
        "action": action,
        "recorded": entry.at.to_string(),
        "outcome": "0",
        "agent": [{
            "who": { "identifier": { "value": entry.actor } },
            "requestor": true,
        }],
        "source": {
            "observer": { "display": format!("anteroom, {}", entry.practice) },
        },
        "entity": [{
            "what": { "identifier": { "value": entry.subject } },
            "detail": [
                { "type": "detail", "valueString": entry.detail },
                { "type": "sha256", "valueString": hex::encode(it.hash) },
            ],
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PracticeId;

    fn linked(subject: &str) -> Linked {
        let at = "2026-11-26T12:00:00Z".parse().unwrap();
        let practice = PracticeId::new("lakeside");
        let detail = json!({ "upto": 3, "note": "a, b" });
        let entry = Entry::new(&practice, at, "staff/3", "record.viewed", subject, &detail);
        Linked::new(&[0; 32], 7, entry)
    }

    #[test]
    fn a_spreadsheet_reads_every_field_and_runs_none() {
        for (text, written) in [
            ("plain", "plain"),
            ("a, b", "\"a, b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1), b", "\"'@SUM(A1), b\""),
            ("", ""),
        ] {
            assert_eq!(field(text), written);
        }
        let text = csv(&[linked("conversation/12")]);
        let second = text.lines().nth(1).unwrap();
        assert!(
            second.starts_with("7,2026-11-26T12:00:00Z,staff/3,record.viewed,conversation/12,\"{"),
            "{second}"
        );
    }

    #[test]
    fn an_audit_event_has_what_fhir_requires() {
        let told: Value = serde_json::from_str(&bundle(&[linked("conversation/12")])).unwrap();
        let event = &told["entry"][0]["resource"];
        assert_eq!(event["resourceType"], "AuditEvent");
        assert_eq!(event["action"], "R");
        assert_eq!(event["recorded"], "2026-11-26T12:00:00Z");
        assert_eq!(event["agent"][0]["requestor"], true);
        assert!(event["type"]["code"].is_string());
        assert!(event["source"]["observer"]["display"].is_string());
        assert_eq!(
            event["entity"][0]["what"]["identifier"]["value"],
            "conversation/12"
        );
    }
}
