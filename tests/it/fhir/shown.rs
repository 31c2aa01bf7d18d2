//! Ten conversations with a practice whose record is a FHIR server, and what stands on the server
//! afterwards: the page in the documentation.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anteroom::fhir::records::FhirRecords;
use serde_json::Value;

use crate::fhir::server::Server;
use crate::support::app::App;
use crate::support::page::kept_as;
use crate::support::stores;

const PAGE: &str = "docs/fhir-transcripts.md";

const ABOUT: &str = "# Ten conversations on a FHIR server

Written down by a test (`tests/it/fhir/shown.rs`) from a whole house whose record is Medplum's FHIR
router: the real store, screen, guardrail and offline model. It fails when this page is out of date.
Below each conversation stand the resources that it made or changed, as the server gives them now; ids
that the server made up read `(new)`. Everybody here is invented.
";

/// What a resource says beside what patients and staff care for.
const LEFT_OUT: &[&str] = &["meta", "text", "resourceType"];

/// Kinds that a conversation may change.
const KINDS: &[&str] = &["Appointment", "Slot", "Task", "Communication", "Patient"];

/// (title, whose number, what is written)
const STORIES: &[(&str, &str, &[&str])] = &[
    (
        "A visit is moved, in Spanish",
        "+14155550111",
        &["¿Cuándo es mi cita?", "¿La puede cambiar al jueves?", "1"],
    ),
    (
        "A visit is cancelled",
        "+14155550114",
        &["Can't make it, cancel my appointment please", "yes"],
    ),
    (
        "A visit is confirmed",
        "+14155550112",
        &["I'll be there, please confirm my visit"],
    ),
    (
        "A new visit is booked with a provider",
        "+14155550114",
        &[
            "I'd like to book an appointment with Dr. Patel on Friday",
            "the first one",
        ],
    ),
    (
        "A refill is asked for",
        "+14155550112",
        &["I need a refill"],
    ),
    (
        "A callback is asked for",
        "+14155550120",
        &["please call me back"],
    ),
    (
        "A copy of the record is asked for",
        "+14155550122",
        &["I want a copy of my medical records"],
    ),
    (
        "A message for the care team",
        "+14155550120",
        &["I have a message for the nurse: the new walker fits well"],
    ),
    (
        "The waitlist is joined and left again",
        "+14155550116",
        &[
            "Póngame en la lista de espera por favor",
            "ya no quiero estar en la lista de espera",
        ],
    ),
    (
        "Texts in another language from now on",
        "+14155550122",
        &["text me in Spanish please"],
    ),
];

#[tokio::test]
async fn the_page_of_ten_conversations_is_what_happens() {
    let server = Server::start(&[], &[]);
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&server.settings(), clock).unwrap()
    });
    let mut page = ABOUT.to_owned();
    let mut agreed = Vec::new();
    for (number, (title, phone, texts)) in (1..).zip(STORIES) {
        if !agreed.contains(phone) {
            app.agreed(phone).await;
            agreed.push(phone);
        }
        let before = all(&server).await;
        writeln!(page, "\n## {number}. {title}\n\n```").unwrap();
        for text in *texts {
            writeln!(page, "patient:  {text}").unwrap();
            for answer in app.text(phone, text).await {
                writeln!(page, "practice: {}", without_key(&answer)).unwrap();
            }
        }
        page.push_str("```\n");
        let after = all(&server).await;
        let changed = after
            .iter()
            .filter(|(place, it)| before.get(*place) != Some(it));
        let mut count = 0;
        for (place, resource) in changed {
            let (kind, id) = place.split_once('/').unwrap();
            let shown = if is_made_up(id) { "(new)" } else { id };
            let json = serde_json::to_string_pretty(&slim(resource)).unwrap();
            writeln!(page, "\n`{kind}/{shown}`\n```json\n{json}\n```").unwrap();
            count += 1;
        }
        assert!(count > 0, "{title}: nothing stands on the server");
    }
    kept_as(PAGE, &page);
}

/// What the server has, without what differs from run to run.
async fn all(server: &Server) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for kind in KINDS {
        for mut resource in server.all(kind).await {
            let id = resource["id"].as_str().unwrap().to_owned();
            resource.as_object_mut().unwrap().remove("meta");
            all.insert(format!("{kind}/{id}"), resource);
        }
    }
    all
}

fn is_made_up(id: &str) -> bool {
    id.len() == 36 && id.matches('-').count() == 4
}

fn slim(resource: &Value) -> Value {
    let mut resource = resource.clone();
    if let Some(fields) = resource.as_object_mut() {
        fields.retain(|key, _| !LEFT_OUT.contains(&key.as_str()) && key != "id");
    }
    named(resource)
}

/// Ids that the server made up, by one name.
fn named(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let part = |it: &str| {
                if is_made_up(it) {
                    "(new)".to_owned()
                } else {
                    it.to_owned()
                }
            };
            Value::String(text.split('/').map(part).collect::<Vec<_>>().join("/"))
        }
        Value::Array(all) => Value::Array(all.into_iter().map(named).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, it)| (key, named(it)))
                .collect(),
        ),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

/// A portal link without its key, which is drawn anew each time.
fn without_key(text: &str) -> String {
    match text.split_once("/p/") {
        None => text.to_owned(),
        Some((before, after)) => {
            let rest = after.split_once(char::is_whitespace);
            let rest = rest.map_or(String::new(), |(_, rest)| format!(" {rest}"));
            format!("{before}/p/...{rest}")
        }
    }
}
