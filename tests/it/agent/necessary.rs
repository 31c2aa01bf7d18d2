//! What a model on another machine is sent: references and glosses, no value of the record.

#![cfg(test)]

use std::sync::Arc;

use anteroom::agent::ports::{Answer, BoxFuture, Model, ModelError, Request};
use anteroom::domain::practice::ModelSees;
use anteroom::llm::scripted::Scripted;

use super::{Phone, Screened, draft};

/// A scripted model on another machine.
#[derive(Debug)]
struct Remote(Arc<Scripted>);

impl Model for Remote {
    fn name(&self) -> &'static str {
        "remote"
    }

    fn host(&self) -> Option<&str> {
        Some("llm.example.com")
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        self.0.complete(request)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text)
    }
}

/// Values of the record that the questions below touch.
const VALUES: &[&str] = &[
    "Reyes",
    "Dec 2",
    "3:00 PM",
    "Suite",
    "biopsy",
    "benign",
    "2026-12-02",
];

fn sent(script: &Scripted) -> String {
    let asked = script.asked();
    let texts = asked.iter().flat_map(|it| {
        let results = it.messages.iter().map(|message| match message {
            anteroom::agent::ports::Message::ToolResult { json, .. } => json.as_str().to_owned(),
            anteroom::agent::ports::Message::Patient(text)
            | anteroom::agent::ports::Message::Agent(text) => text.as_str().to_owned(),
            anteroom::agent::ports::Message::ToolCalls(calls) => {
                calls.iter().map(|it| it.arguments.as_str()).collect()
            }
        });
        results.chain([it.system.clone()]).collect::<Vec<_>>()
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn values_are_filled_in_here_and_never_sent() {
    for (ask, tool, written, read) in [
        (
            "When is my appointment?",
            "list_appointments",
            "Your visit is {appt1.when} with {appt1.provider}.",
            "Your visit is Wed, Dec 2 at 3:00 PM with Dr. Ana Reyes.",
        ),
        (
            "Any news on my test?",
            "results_status",
            "Your {result1.name} result is in: {result1.value}.",
            "Your Skin biopsy result is in: benign.",
        ),
    ] {
        let script = Arc::new(Scripted::new([
            Scripted::tool(tool, "{}"),
            Scripted::text(written),
        ]));
        let mut phone = Phone::of_maria();
        let model = Remote(Arc::clone(&script));
        let told = phone.says_to(ask, Screened::default(), &model).await;
        assert_eq!(draft(&told), read);
        let sent = sent(&script);
        for value in VALUES {
            assert!(!sent.contains(value), "{value} was sent: {sent}");
        }
        assert!(sent.contains("1."), "{sent}");
    }
}

#[tokio::test]
async fn a_reference_to_nothing_is_written_again_and_then_left_to_staff() {
    let bad = || Scripted::text("Your visit is {appt9.when}.");
    for (last, reads) in [
        (
            Scripted::text("Your visit is {appt1.when}."),
            Some("Your visit is Wed, Dec 2 at 3:00 PM."),
        ),
        (bad(), None),
    ] {
        let script = Arc::new(Scripted::new([
            Scripted::tool("list_appointments", "{}"),
            bad(),
            last,
        ]));
        let mut phone = Phone::of_maria();
        let told = phone
            .says_to("When?", Screened::default(), &Remote(script))
            .await;
        match reads {
            Some(reads) => assert_eq!(draft(&told), reads),
            None => assert_eq!(told.handover, Some("model")),
        }
        assert!(!draft(&told).contains('{'));
    }
}

#[tokio::test]
async fn a_practice_may_let_its_model_see_values() {
    let script = Arc::new(Scripted::new([
        Scripted::tool("list_appointments", "{}"),
        Scripted::text("Your visit is Wed, Dec 2 at 3:00 PM."),
    ]));
    let mut phone = Phone::of_maria();
    phone.practice.model_sees = ModelSees::Values;
    let model = Remote(Arc::clone(&script));
    let told = phone.says_to("When?", Screened::default(), &model).await;
    assert!(draft(&told).contains("Dec 2"));
    assert!(sent(&script).contains("Dec 2"));
}
