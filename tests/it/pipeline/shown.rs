//! What a model on another machine is sent for the same texts, with its vendor's agreement and
//! without: the page in the documentation.

#![cfg(test)]

use std::fmt::Write as _;
use std::sync::Arc;

use anteroom::agent::ports::{Message, Request};
use anteroom::domain::practice::{CarrierKind, ModelSees};
use anteroom::llm::scripted::Scripted;

use super::lawful::heard;
use super::papers::paper;
use super::veiled::Vendor;
use crate::support::app::{App, SUNDAY};
use crate::support::page::kept_as;
use crate::support::stores;

const PAGE: &str = "docs/model-transcripts.md";

const ABOUT: &str = "# What a language model is sent

Written down by a test (`tests/it/pipeline/shown.rs`) from a whole house with a scripted model at a
vendor's host; it fails when this page is out of date. The same patient writes the same text three
times. Tools stand beside each request and are the same for everybody. Everybody here is invented.

The patient writes:

> Hi, it's Tom Nguyen, born 7/4/1978. Is my visit with Dr. Reyes on Tuesday?
";

const ASKS: &str = "Hi, it's Tom Nguyen, born 7/4/1978. Is my visit with Dr. Reyes on Tuesday?";

/// (title, what it means, whether the vendor has signed, what the practice lets it see, the draft)
const CASES: &[(&str, &str, bool, ModelSees, &str)] = &[
    (
        "Without an agreement",
        "No identifier of anybody: not the patient's, not the day, not the provider, not the clock.",
        false,
        ModelSees::References,
        "Yes: {appt1.when} with {appt1.provider}.",
    ),
    (
        "With an agreement",
        "What the patient wrote, and the record as references with a gloss.",
        true,
        ModelSees::References,
        "Yes: {appt1.when} with {appt1.provider}.",
    ),
    (
        "With an agreement, and `model_sees = \"values\"`",
        "The values of the tools' results as well.",
        true,
        ModelSees::Values,
        "Yes: Tue, Dec 1 at 9:00 AM with Dr. Ana Reyes.",
    ),
];

#[tokio::test]
async fn the_page_of_what_a_model_is_sent_is_what_is_sent() {
    let mut page = ABOUT.to_owned();
    for (title, means, signed, sees, draft) in CASES {
        let script = [
            Scripted::text("Hello! How can we help?"),
            Scripted::tool("list_appointments", "{}"),
            Scripted::text(draft),
        ];
        let model = Arc::new(Vendor(Scripted::new(script)));
        let kept = stores::sqlite().await;
        let app = App::made(kept.store.clone(), Arc::clone(&model) as _, SUNDAY, |it| {
            it.senders[0].carrier = CarrierKind::Twilio;
            it.model_sees = *sees;
            it.agreements = vec![paper("twilio", "programmable-messaging", None)];
            if *signed {
                it.agreements
                    .push(paper("openai", "chat-completions", None));
            }
        })
        .await;
        heard(&app, "HELP").await;
        heard(&app, "Hello").await;
        heard(&app, "YES").await;
        let before = model.0.asked().len();
        let said = heard(&app, ASKS).await;
        writeln!(page, "\n## {title}\n\n{means}\n\n```").unwrap();
        let asked = model.0.asked();
        let last = asked.last().unwrap();
        assert!(asked.len() > before);
        page.push_str(&told(last));
        writeln!(
            page,
            "```\nIt writes `{draft}`, and the patient reads:\n\n> {said}"
        )
        .unwrap();
    }
    kept_as(PAGE, &page);
}

fn told(request: &Request) -> String {
    let mut text = format!("system:  {}\n", request.system.replace('\n', "\n         "));
    for message in &request.messages {
        let line = match message {
            Message::Patient(words) => format!("patient: {}", words.as_str()),
            Message::Agent(words) => format!("agent:   {}", words.as_str()),
            Message::ToolCalls(calls) => {
                let calls = calls
                    .iter()
                    .map(|it| format!("{} {}", it.name, it.arguments.as_str()));
                format!("calls:   {}", calls.collect::<Vec<_>>().join(", "))
            }
            Message::ToolResult { json, .. } => format!("result:  {}", json.as_str()),
        };
        writeln!(text, "{line}").unwrap();
    }
    text
}
