//! Tools of the front desk that are not about the calendar: public facts, results, staff, the portal.

use jiff::civil::Date;
use serde_json::json;

use crate::agent::facts;
use crate::agent::opening;
use crate::agent::ports::Records;
use crate::agent::tools::{CheckedCall, HandOver, Scene, ToolResult};
use crate::agent::when;
use crate::domain::phi::Phi;
use crate::domain::record::{ClinicalKind, Fact, Patient};

/// Released results shown at once: a text names the newest few, the portal has the rest.
const RESULTS_MAX: usize = 5;

/// A public fact, or the list of those that exist.
pub(super) fn information(
    call: &CheckedCall,
    scene: &Scene<'_>,
    topic: &str,
    on: Option<Date>,
) -> ToolResult {
    let practice = scene.practice;
    let topic = topic.trim().to_lowercase();
    let phone = practice.phone.display_us();
    let value = match topic.as_str() {
        "hours" => facts::hours(practice, scene.language),
        "address" | "location" | "directions" => &practice.address,
        "phone" => &phone,
        "name" => practice.said_name(scene.language),
        _ => public_fact(scene, &topic),
    };
    if value.is_empty() {
        let known: Vec<&str> = ["hours", "address", "phone", "name"]
            .into_iter()
            .chain(practice.facts.keys().map(String::as_str))
            .collect();
        let unknown = json!({ "topic": topic, "value": null, "phone": phone, "known": known });
        return ToolResult::new(call, true, &unknown);
    }
    let mut told = json!({ "topic": topic, "value": value, "phone": phone });
    let day = on.filter(|_| topic == "hours").map(Date::weekday);
    let open = day.and_then(|day| Some((day, opening::is_open(&practice.hours, day)?)));
    let Some((day, open)) = open else {
        return ToolResult::new(call, true, &told);
    };
    let days = when::weekdays(day, scene.language);
    if let Some(told) = told.as_object_mut() {
        told.insert("open".to_owned(), open.into());
        told.insert("days".to_owned(), days.into());
    }
    let mut result = ToolResult::new(call, true, &told);
    let word = if open { "open" } else { "closed" };
    result
        .facts
        .push(Fact::new("practice.opening", format!("{word} on {days}")));
    result
}

fn public_fact<'a>(scene: &Scene<'a>, topic: &str) -> &'a str {
    let key = match topic {
        "insurance" => "insurance_networks",
        "website" => "url",
        "closed" | "closures" => "closure",
        other => other,
    };
    let spanish = format!("{key}_es");
    let facts = &scene.practice.facts;
    let own = (scene.language == crate::policy::words::Language::Es)
        .then(|| facts.get(&spanish))
        .flatten();
    own.or_else(|| facts.get(key))
        .or_else(|| facts.get(topic))
        .map_or("", String::as_str)
}

/// Passes the message on. The receipt is honest because the pipeline files the conversation with
/// the staff in the transaction that sends the reply.
pub(super) fn hand_over(call: &CheckedCall, scene: &Scene<'_>, reason: HandOver) -> ToolResult {
    let hours = &scene.practice.hours;
    let answering = opening::answering(hours, scene.now, &scene.zone, scene.language);
    let say = if answering.is_some() {
        "The message was passed to the staff. Say when they answer as `answering` has it. Promise no \
         call and no other time."
    } else {
        "The message was passed to the staff. Promise no call and no time."
    };
    let told = json!({
        "passed_to": "staff", "reason": reason.as_str(), "answering": answering, "say": say,
        "phone": scene.practice.phone.display_us(),
    });
    let mut result = ToolResult::new(call, true, &told);
    result
        .facts
        .extend(opening::answering_fact(hours, scene.now, &scene.zone));
    result
        .facts
        .push(Fact::new("receipt.message_sent", "staff"));
    if reason == HandOver::Refill {
        result
            .facts
            .push(Fact::new("receipt.refill_requested", "staff"));
    }
    result.handover = Some(reason);
    result
}

/// Puts a text behind the link.
pub(super) fn send_by_portal(call: &CheckedCall, text: &Phi<String>) -> ToolResult {
    let mut result = ToolResult::new(
        call,
        true,
        &json!({ "portal": "ready", "say": "A secure link follows." }),
    );
    result.portal = Some(text.clone());
    result
}

/// Released results, newest first.
pub(super) async fn results(
    call: &CheckedCall,
    scene: &Scene<'_>,
    patient: &Patient,
    records: &dyn Records,
) -> ToolResult {
    let entries = match records.clinical(&scene.practice.id, &patient.id).await {
        Ok(entries) => entries,
        Err(why) => return ToolResult::failed(call, why),
    };
    let mut released: Vec<_> = entries
        .into_iter()
        .filter(|entry| entry.kind == ClinicalKind::Lab && entry.released)
        .collect();
    released.sort_by_key(|entry| std::cmp::Reverse(entry.on));
    released.truncate(RESULTS_MAX);
    let listed: Vec<_> = released
        .iter()
        .map(|entry| json!({ "name": entry.name.as_str(), "value": entry.value.as_str() }))
        .collect();
    let mut result = ToolResult::new(call, true, &json!({ "released": listed }));
    for entry in &released {
        result
            .facts
            .push(Fact::new("lab.name", entry.name.as_str()));
        if !entry.value.as_str().is_empty() {
            result
                .facts
                .push(Fact::new("lab.result", entry.value.as_str()));
        }
    }
    result
}

/// Everybody whom patients see; specialties stay out, they can reveal.
pub(super) async fn providers(
    call: &CheckedCall,
    scene: &Scene<'_>,
    records: &dyn Records,
) -> ToolResult {
    match records.providers(&scene.practice.id).await {
        Ok(everybody) => {
            let names: Vec<&str> = everybody.iter().map(|one| one.name.as_str()).collect();
            let mut result = ToolResult::new(call, true, &json!({ "providers": names }));
            for name in names {
                result.facts.push(Fact::new("provider.name", name));
            }
            result
        }
        Err(why) => ToolResult::failed(call, why),
    }
}
