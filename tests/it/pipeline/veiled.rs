//! What a model's vendor is sent that has signed nothing: references, and no identifier of anybody.

#![cfg(test)]

use std::sync::Arc;

use anteroom::agent::ports::{Message, Model};
use anteroom::domain::practice::CarrierKind;
use anteroom::llm::scripted::Scripted;
use anteroom::store::Store;
use jiff::civil::date;

use super::lawful::{at, heard};
use super::papers::paper;
use super::{on_postgres, on_sqlite};
use crate::support::app::{App, SUNDAY};

stories! {
    without_agreement_the_vendor_of_a_model_sees_references_only => references;
    a_visit_is_moved_by_a_model_that_knows_no_day => moved;
    a_reference_to_nothing_is_answered_by_the_offline_rules => unreadable;
    what_the_law_keeps_from_prompts_is_asked_of_no_vendor => kept_from_prompts;
    what_the_vendor_sees_follows_the_agreement => agreement;
}

/// A model that runs elsewhere.
#[derive(Debug)]
pub(super) struct Vendor(pub(super) Scripted);

impl Model for Vendor {
    fn name(&self) -> &'static str {
        "vendor"
    }

    fn host(&self) -> Option<&str> {
        Some("api.openai.com")
    }

    fn complete<'a>(
        &'a self,
        request: &'a anteroom::agent::ports::Request,
    ) -> anteroom::agent::ports::BoxFuture<
        'a,
        Result<anteroom::agent::ports::Answer, anteroom::agent::ports::ModelError>,
    > {
        self.0.complete(request)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text)
    }
}

/// A house whose model's vendor has signed nothing, and a patient who has agreed.
async fn house(store: Store, script: &[(&'static str, &'static str)]) -> (App, Arc<Vendor>) {
    let answers = script.iter().map(|(tool, words)| match *tool {
        "" => Scripted::text(words),
        tool => Scripted::tool(tool, words),
    });
    let model = Arc::new(Vendor(Scripted::new(answers)));
    let app = App::made(store, Arc::clone(&model) as _, SUNDAY, |it| {
        it.senders[0].carrier = CarrierKind::Twilio;
        it.agreements = vec![paper("twilio", "programmable-messaging", None)];
    })
    .await;
    heard(&app, "HELP").await;
    heard(&app, "Hello").await;
    heard(&app, "YES").await;
    (app, model)
}

/// Everything that the vendor was sent.
fn sent(model: &Vendor) -> String {
    let asked = model.0.asked();
    let mut all = String::new();
    for request in &asked {
        all.push_str(&request.system);
        for message in &request.messages {
            all.push('\n');
            match message {
                Message::Patient(text) | Message::Agent(text) => all.push_str(text.as_str()),
                Message::ToolResult { json, .. } => all.push_str(json.as_str()),
                Message::ToolCalls(calls) => {
                    for call in calls {
                        all.push_str(call.arguments.as_str());
                    }
                }
            }
        }
    }
    all
}

/// Identifiers of the patient, of the visit and of the day, none of which may be sent.
const IDENTIFIERS: &[&str] = &[
    "Tom",
    "Nguyen",
    "1978",
    "7/4",
    "MRN-20",
    "0142",
    "0114",
    "tom.nguyen",
    "example.com",
    "Dec ",
    "December",
    "9:00",
    "Reyes",
    "120 Shore",
    "p-004",
    "a-004",
    "Tue",
    "Sunday",
    "November",
    "2026",
    "10:00",
    "94",
];

fn leaks(model: &Vendor) -> Vec<&'static str> {
    let sent = sent(model);
    let leaked = IDENTIFIERS.iter().filter(|it| sent.contains(**it));
    leaked.copied().collect()
}

async fn references(store: Store) {
    let script = [
        ("", "Hello! How can we help?"),
        ("list_appointments", "{}"),
        ("", "Your visit is {appt1.when} with {appt1.provider}."),
        ("list_appointments", "{}"),
        (
            "",
            "You will see {appt1.provider: a provider} on {appt1.when: a time}.",
        ),
    ];
    let (app, model) = house(store, &script).await;
    let said = heard(
        &app,
        "I'm Tom Nguyen, born 7/4/1978, MRN MRN-2004, 415-555-0142, tom.nguyen@example.com, 12 Oak \
         St, Oakland 94601. Is my visit on Tuesday Dec 1 at 9:00 with Dr. Reyes?",
    )
    .await;
    assert!(
        said.contains("Tue, Dec 1 at 9:00 AM with Dr. Ana Reyes"),
        "{said}"
    );
    // Our own earlier text is covered as well.
    let said = heard(&app, "And who is it with?").await;
    assert!(said.contains("Dr. Ana Reyes"), "{said}");
    assert_eq!(model.0.asked().len(), 5);
    assert_eq!(leaks(&model), Vec::<&str>::new(), "{}", sent(&model));
    assert!(
        sent(&model).contains("{appt1.when: a time}"),
        "{}",
        sent(&model)
    );
}

async fn moved(store: Store) {
    let script = [
        ("", "Hello! How can we help?"),
        ("list_appointments", "{}"),
        (
            "find_slots",
            r#"{"appointment_id": "appt1", "from": "thursday", "to": "thursday"}"#,
        ),
        (
            "",
            "We have 1) {slot1.when} 2) {slot2.when}. Reply with the number.",
        ),
        ("", "Done. Your visit is now {appt1.when}."),
    ];
    let (app, model) = house(store, &script).await;
    let said = heard(&app, "Can you move it to Thursday?").await;
    assert!(said.contains("1) Thu Dec 3"), "{said}");
    let said = heard(&app, "1").await;
    assert!(said.contains("Thu, Dec 3"), "{said}");
    assert_eq!(leaks(&model), Vec::<&str>::new(), "{}", sent(&model));
    for id in ["s-", "slot-"] {
        assert!(
            !sent(&model).contains(&format!("\"{id}")),
            "{}",
            sent(&model)
        );
    }
}

async fn unreadable(store: Store) {
    let script = [
        ("", "Hello! How can we help?"),
        ("list_appointments", "{}"),
        ("", "Your visit is {appt9.when}."),
    ];
    let (app, model) = house(store, &script).await;
    let said = heard(&app, "When is my appointment?").await;
    assert!(said.contains("Dec 1") && !said.contains('{'), "{said}");
    assert_eq!(leaks(&model), Vec::<&str>::new(), "{}", sent(&model));
}

async fn kept_from_prompts(store: Store) {
    let (app, model) = house(store, &[("", "Hello! How can we help?")]).await;
    let before = model.0.asked().len();
    let said = heard(
        &app,
        "I take Zoloft for depression. When is my appointment?",
    )
    .await;
    assert!(!said.is_empty());
    assert_eq!(model.0.asked().len(), before, "{}", sent(&model));
}

async fn agreement(store: Store) {
    let script = [
        ("", "Hello! How can we help?"),
        ("", "Our address is 120 Shore Road."),
        ("", "Our address is 120 Shore Road."),
    ];
    let (app, model) = house(store, &script).await;
    let now = app.house.clock().now();
    let missing = app.house.missing_papers(now).await.unwrap();
    let told: Vec<String> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("model at api.openai.com")
            && told[0].contains("openai (chat-completions)"),
        "{told:?}"
    );
    let openai = paper("openai", "chat-completions", None);
    let store = app.house.store();
    store
        .add_agreement(app.practice(), &openai, now)
        .await
        .unwrap();
    assert_eq!(app.house.missing_papers(now).await.unwrap(), []);
    heard(&app, "Where are you? Tom here").await;
    let last = model.0.asked().pop().unwrap();
    assert!(
        last.system.contains("Sunday"),
        "under its agreement it knows the day"
    );
    // When it ends, so does what the vendor sees.
    let recorded = store.agreements(app.practice()).await.unwrap();
    let id = recorded.last().unwrap().id;
    let ended = store.end_agreement(app.practice(), id, date(2026, 11, 29), now);
    assert!(ended.await.unwrap());
    at(&app, "2026-11-30T18:00:00Z").await;
    heard(&app, "Where are you? It's Tom").await;
    let last = model.0.asked().pop().unwrap();
    assert!(!last.system.contains("Monday"), "{}", last.system);
}
