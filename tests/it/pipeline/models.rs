//! Which model drafts: the next one where one fails, none that rests, none that the practice's money
//! does not reach; at the end the offline one.

#![cfg(test)]

use std::sync::Arc;

use anteroom::agent::ports::{Answer, BoxFuture, Model, ModelError, Price, Request};
use anteroom::domain::clock::ManualClock;
use anteroom::domain::practice::{CarrierKind, Practice};
use anteroom::llm::breaker::Breaker;
use anteroom::llm::scripted::Scripted;
use anteroom::store::Store;
use jiff::SignedDuration;

use super::lawful::heard;
use super::papers::paper;
use super::{on_postgres, on_sqlite};
use crate::support::app::{App, SUNDAY, TOM};
use crate::support::stores;

stories! {
    the_next_model_drafts_where_the_first_fails => next_one;
    where_all_fail_the_offline_rules_answer => all_fail;
    a_practice_spends_no_more_than_its_cap_in_a_month => capped;
}

const WHEN: &str = "When is my appointment?";

/// A scripted model at a host, or on this machine, that costs a hundredth of a cent for a token.
#[derive(Debug)]
struct Other(Option<&'static str>, Scripted);

impl Model for Other {
    fn name(&self) -> &'static str {
        "other"
    }

    fn host(&self) -> Option<&str> {
        self.0
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        self.1.complete(request)
    }

    fn count_tokens(&self, _text: &str) -> usize {
        1
    }

    fn price(&self) -> Price {
        Price {
            sent: 100_000,
            answered: 100_000,
        }
    }
}

fn hello() -> Result<Answer, ModelError> {
    Scripted::text("How can we help?")
}

/// A model that looks the visit up and tells it.
fn able(host: Option<&'static str>) -> Arc<Other> {
    Arc::new(Other(
        host,
        Scripted::new([
            Scripted::tool("list_appointments", "{}"),
            Scripted::text("Your next visit is Tue, Dec 1 at 9:00 AM. See you then!"),
        ]),
    ))
}

async fn next_one(store: Store) {
    let failed = || Arc::new(Scripted::new([hello(), Err(ModelError::Timeout)]));
    let second = able(None);
    let third = able(None);
    let others = vec![Arc::clone(&second) as _, Arc::clone(&third) as _];
    let app = App::with_models(store, (failed() as _, others), |_| ()).await;
    app.agreed(TOM).await;
    let answer = app.one(TOM, WHEN).await;
    assert!(answer.contains("See you then"), "{answer}");
    assert_eq!((second.1.left(), third.1.left()), (0, 2));
}

async fn all_fail(store: Store) {
    let failing = [ModelError::Truncated, ModelError::Rejected];
    let [second, third] =
        failing.map(|error| Arc::new(Other(None, Scripted::new([Err(error)]))) as Arc<dyn Model>);
    let first = Arc::new(Scripted::new([hello(), Err(ModelError::RateLimited)]));
    let app = App::with_models(store, (first as _, vec![second, third]), |_| ()).await;
    app.agreed(TOM).await;
    let answer = app.one(TOM, WHEN).await;
    assert!(answer.contains("Tue, Dec 1"), "{answer}");
    assert_eq!(app.held().await, Vec::<String>::new(), "nobody is bothered");
}

async fn capped(store: Store) {
    let texts = (0..40).map(|_| Scripted::text("How can we help you today?"));
    let model = Arc::new(Other(None, Scripted::new(texts)));
    let models = (Arc::clone(&model) as _, Vec::new());
    let app = App::with_models(store, models, |practice| {
        practice.model_cap_usd = Some(0.002);
    })
    .await;
    app.agreed(TOM).await;
    let mut left = model.1.left();
    for _ in 0..12 {
        app.wait(SignedDuration::from_mins(5));
        app.text(TOM, "Hello again").await;
        if model.1.left() == left {
            break;
        }
        left = model.1.left();
    }
    assert!((1..40).contains(&left), "the cap was met: {left} left");
    let answer = app.one(TOM, WHEN).await;
    assert!(answer.contains("Dec 1"), "the offline model: {answer}");
    assert_eq!(model.1.left(), left);
    // A new month, new money.
    app.wait(SignedDuration::from_hours(24 * 5));
    app.text(TOM, "Hello again").await;
    assert_eq!(model.1.left() + 1, left);
}

/// A practice whose texts go by Twilio, under these papers.
fn papers(model: Option<(&str, &str)>) -> impl FnOnce(&mut Practice) {
    let model = model.map(|(counterparty, product)| paper(counterparty, product, None));
    move |practice| {
        practice.senders[0].carrier = CarrierKind::Twilio;
        practice.agreements = vec![paper("twilio", "programmable-messaging", None)];
        practice.agreements.extend(model);
    }
}

#[tokio::test]
async fn behind_a_model_with_an_agreement_one_without_is_passed_over() {
    let anthropic = "api.anthropic.com";
    let cases = [
        // (the practice's paper, what the fallback is asked)
        (Some(("openai", "chat-completions")), 0),
        (Some(("anthropic", "messages")), 2),
        (None, 2),
    ];
    for (signed, asked) in cases {
        let kept = stores::sqlite().await;
        let script = Scripted::new([hello(), Err(ModelError::Timeout)]);
        let first = Arc::new(Other(Some("api.openai.com"), script));
        let second = able(Some(anthropic));
        let models = (first as _, vec![Arc::clone(&second) as _]);
        let app = App::with_models(kept.store.clone(), models, papers(signed)).await;
        heard(&app, "HELP").await;
        heard(&app, "Hello").await;
        heard(&app, "YES").await;
        let answer = heard(&app, WHEN).await;
        assert!(answer.contains("Dec 1"), "{signed:?}: {answer}");
        assert_eq!(second.1.asked().len(), asked, "{signed:?}");
        // Every host that lacks its paper is told of.
        let missing = app.house.missing_papers(app.clock_now()).await.unwrap();
        let lacking = if signed.is_some() { 1 } else { 2 };
        assert_eq!(missing.len(), lacking, "{missing:?}");
    }
}

/// What a model is asked in an ordinary turn.
async fn request() -> Request {
    let kept = stores::sqlite().await;
    let model = Arc::new(Scripted::new([]));
    let app = App::with_model(kept.store.clone(), Arc::clone(&model) as _).await;
    app.agreed(TOM).await;
    model.asked().remove(0)
}

#[tokio::test]
async fn a_model_that_fails_three_times_in_a_row_rests_and_is_tried_again() {
    let clock = Arc::new(ManualClock::new(SUNDAY.parse().unwrap()));
    let request = request().await;
    let failed = || Err(ModelError::Timeout);
    let resting = Err(ModelError::Resting);
    let inner = Arc::new(Scripted::new([
        failed(),
        failed(),
        hello(),
        failed(),
        failed(),
        failed(),
        failed(),
        hello(),
    ]));
    let breaker = Breaker::new(Arc::clone(&inner) as _, Arc::clone(&clock) as _);
    for answer in [
        failed(),
        failed(),
        hello(),
        failed(),
        failed(),
        failed(),
        resting.clone(),
    ] {
        assert_eq!(breaker.complete(&request).await, answer);
    }
    assert_eq!(inner.left(), 2, "who rests is not asked");
    clock.advance(SignedDuration::from_secs(31));
    assert_eq!(breaker.complete(&request).await, failed());
    clock.advance(SignedDuration::from_secs(31));
    assert_eq!(breaker.complete(&request).await, resting, "it rests longer");
    clock.advance(SignedDuration::from_secs(31));
    assert_eq!(breaker.complete(&request).await, hello());
    // It is well, and asked as ever.
    let over = Err(ModelError::Unreachable);
    assert_eq!(breaker.complete(&request).await, over);
}

#[tokio::test]
async fn a_refused_key_rests_at_once_and_a_bad_answer_never() {
    let clock = Arc::new(ManualClock::new(SUNDAY.parse().unwrap()));
    let request = request().await;
    let script = [
        ModelError::Empty,
        ModelError::Filtered,
        ModelError::Truncated,
        ModelError::Empty,
        ModelError::Rejected,
    ];
    let inner = Arc::new(Scripted::new(script.map(Err)));
    let breaker = Breaker::new(inner as _, clock as _);
    for error in script {
        assert_eq!(breaker.complete(&request).await, Err(error));
    }
    let resting = breaker.complete(&request).await;
    assert_eq!(resting, Err(ModelError::Resting));
}
