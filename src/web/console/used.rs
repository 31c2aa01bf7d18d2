//! What a draft rests on: the facts and receipts that the tools gave, for the panel beside it.

use serde_json::{Value, json};

use crate::domain::ids::ConversationId;
use crate::pipeline::house::House;
use crate::store::{Hold, StoreError};

/// Facts that the panel lists; a draft rests on few.
const FACTS_MAX: usize = 40;

/// What the newest held draft rests on, else the newest text that was reviewed; none before there is
/// any.
pub(super) async fn told(
    desk: &House,
    id: ConversationId,
    holds: &[Hold],
) -> Result<Value, StoreError> {
    let held = holds.iter().rev().find(|it| !it.draft.as_str().is_empty());
    let reports = match held {
        Some(hold) => vec![hold.report.clone()],
        None => desk.store().glass(id, 1).await?,
    };
    let Some(report) = reports.last() else {
        return Ok(Value::Null);
    };
    let report: Value = serde_json::from_str(report.as_str()).unwrap_or_default();
    Ok(of(&report, held.is_some()))
}

fn of(report: &Value, held: bool) -> Value {
    let text = |name| report.get(name).and_then(Value::as_str).unwrap_or_default();
    let draft = text("draft");
    let facts = report.pointer("/setting/facts").and_then(Value::as_array);
    let facts = facts.map_or(&[][..], Vec::as_slice);
    let field = |it: &Value, name| it.get(name).and_then(Value::as_str).map(str::to_owned);
    let (mut receipts, mut rows) = (Vec::new(), Vec::new());
    for fact in facts {
        let (Some(name), Some(value)) = (field(fact, "field"), field(fact, "value")) else {
            continue;
        };
        let said = draft.contains(value.as_str());
        if let Some(what) = name.strip_prefix("receipt.") {
            receipts.push(json!({ "name": what.replace('_', " "), "value": value }));
        } else if said || !name.starts_with("practice.") {
            // Of what anybody may know of the practice, only what the draft says.
            rows.push((
                !said,
                json!({
                    "name": name.replace(['.', '_'], " "), "value": value, "said": said,
                }),
            ));
        }
    }
    if receipts.is_empty() && rows.is_empty() {
        return Value::Null;
    }
    rows.sort_by_key(|(unsaid, _)| *unsaid);
    rows.dedup();
    let more = rows.len().saturating_sub(FACTS_MAX);
    let rows: Vec<Value> = rows.into_iter().map(|(_, it)| it).take(FACTS_MAX).collect();
    json!({
        "held": held, "kind": text("kind"), "receipts": receipts, "facts": rows, "more": more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_draft_says_comes_first_and_public_facts_only_when_said() {
        let report = json!({
            "draft": "Your visit with Dr. Ana Reyes is booked.",
            "kind": "agent",
            "setting": { "facts": [
                { "field": "practice.hours", "value": "8 to 5" },
                { "field": "patient.last_name", "value": "Gonzalez" },
                { "field": "appointment.provider", "value": "Dr. Ana Reyes" },
                { "field": "receipt.booked", "value": "2026-12-01T15:00:00-08:00" },
                { "odd": 1 },
            ] },
        });
        let told = of(&report, true);
        assert_eq!(told["facts"][0]["name"], "appointment provider");
        assert_eq!(told["facts"][0]["said"], true);
        assert_eq!(told["facts"][1]["value"], "Gonzalez");
        assert_eq!(told["facts"].as_array().unwrap().len(), 2);
        assert_eq!(told["receipts"][0]["name"], "booked");
        assert_eq!(of(&json!({}), false), Value::Null);
    }
}
