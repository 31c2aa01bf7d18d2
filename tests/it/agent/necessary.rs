//! What a model on another machine is sent: references and glosses, no value of the record.

#![cfg(test)]

use std::ops::Range;
use std::sync::Arc;

use anteroom::agent::ports::{
    Answer, BoxFuture, Model, ModelError, Request, Reviewer, Undisturbed,
};
use anteroom::agent::run_reviewed;
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::ModelSees;
use anteroom::domain::record::Fact;
use anteroom::llm::offline::Offline;
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

/// A reviewer that finds nothing: what is hidden still is hidden by its form.
#[derive(Debug)]
struct Blind;

impl Reviewer for Blind {
    fn complaints(&self, _: &Phi<String>, _: &[Fact]) -> Vec<String> {
        Vec::new()
    }

    fn identifiers(&self, _: &str, _: &[Fact]) -> Vec<(Range<usize>, &'static str)> {
        Vec::new()
    }
}

/// A model on this machine that fails once it has asked for its tools.
#[derive(Debug)]
struct Local(Scripted);

impl Model for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        self.0.complete(request)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text)
    }
}

#[tokio::test]
async fn what_we_wrote_before_goes_without_its_values() {
    let mut phone = Phone::of_maria();
    let told = phone.says("When is my appointment?").await;
    assert!(draft(&told).contains("Dec 2 at 3:00 PM"), "{told:?}");
    let script = Arc::new(Scripted::new([
        Scripted::tool("list_appointments", "{}"),
        Scripted::text("Yes, with {appt1.provider}, {appt1.when}."),
    ]));
    let remote = Remote(Arc::clone(&script));
    let models: [&dyn Model; 2] = [&remote, &Offline::new()];
    let input = phone.input("With her, right?", Screened::default());
    let told = run_reviewed(input, &models, &phone.records, (&Blind, &Undisturbed)).await;
    assert_eq!(
        draft(&told),
        "Yes, with Dr. Ana Reyes, Wed, Dec 2 at 3:00 PM."
    );
    let sent = sent(&script);
    assert!(sent.contains("{said1.when: Wed afternoon}"), "{sent}");
    for value in VALUES {
        assert!(!sent.contains(value), "{value} was sent: {sent}");
    }
}

#[tokio::test]
async fn what_a_model_here_asked_for_goes_to_the_next_one_elsewhere_without_values() {
    let local = Local(Scripted::new([
        Scripted::tool("list_appointments", "{}"),
        Err(ModelError::Timeout),
    ]));
    let script = Arc::new(Scripted::new([Scripted::text(
        "Your visit is {appt1.when}.",
    )]));
    let remote = Remote(Arc::clone(&script));
    let phone = Phone::of_maria();
    let input = phone.input("When is my appointment?", Screened::default());
    let models: [&dyn Model; 3] = [&local, &remote, &Offline::new()];
    let told = run_reviewed(input, &models, &phone.records, (&Blind, &Undisturbed)).await;
    assert_eq!(draft(&told), "Your visit is Wed, Dec 2 at 3:00 PM.");
    let sent = sent(&script);
    assert!(sent.contains("{appt1.when: Wed afternoon}"), "{sent}");
    for value in VALUES {
        assert!(!sent.contains(value), "{value} was sent: {sent}");
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
