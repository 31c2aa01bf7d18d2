//! While an answer is made: the patient who waits is told so once, and one who writes again is
//! answered as a whole. The clock is moved by hand.

#![cfg(test)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anteroom::agent::ports::{Answer, BoxFuture, Model, ModelError, Price, Request};
use anteroom::llm::scripted::Scripted;
use anteroom::pipeline::work::Step;
use anteroom::store::Store;
use jiff::SignedDuration;
use tokio::sync::{Semaphore, watch};

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, TOM};

stories! {
    who_waits_longer_than_ten_seconds_is_told_once => told_once;
    who_waits_less_is_told_nothing => told_nothing;
    a_text_of_waiting_never_leaves_after_the_answer => never_after;
    a_busy_carrier_drops_the_text_of_waiting_for_the_answer => dropped_for_the_answer;
    a_text_during_the_draft_is_answered_with_the_first => restarted;
    a_deed_that_was_done_is_told_though_another_text_came => deed_told;
    a_person_who_takes_over_ends_the_draft => taken_over;
    a_deed_before_a_takeover_is_on_file_and_told_to_staff => deed_untold;
    a_model_that_never_ends_is_left_for_the_offline_one => out_of_time;
    a_model_that_costs_too_much_is_left_for_the_offline_one => too_dear;
}

/// A model whose each answer waits for the test.
#[derive(Debug)]
struct Slow {
    gate: Semaphore,
    asked: watch::Sender<usize>,
    requests: Mutex<Vec<Request>>,
    script: Mutex<VecDeque<Result<Answer, ModelError>>>,
    price: Price,
}

impl Slow {
    fn new(script: impl IntoIterator<Item = Result<Answer, ModelError>>) -> Arc<Self> {
        Self::costing(script, Price::default())
    }

    fn costing(
        script: impl IntoIterator<Item = Result<Answer, ModelError>>,
        price: Price,
    ) -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(0),
            asked: watch::Sender::new(0),
            requests: Mutex::default(),
            script: Mutex::new(script.into_iter().collect()),
            price,
        })
    }

    /// Waits until it was asked so often.
    async fn asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        asked.wait_for(|it| *it >= times).await.unwrap();
    }

    fn answers(&self, times: usize) {
        self.gate.add_permits(times);
    }

    /// What the patient wrote, as the model was last asked.
    fn last_asked(&self) -> String {
        let requests = self.requests.lock().unwrap();
        let last = requests.last().unwrap();
        format!(
            "{:?}",
            last.messages.iter().map(revealed).collect::<Vec<_>>()
        )
    }
}

fn revealed(message: &anteroom::agent::ports::Message) -> &str {
    use anteroom::agent::ports::Message;
    match message {
        Message::Patient(text) | Message::Agent(text) => text.as_str(),
        Message::ToolCalls(_) | Message::ToolResult { .. } => "",
    }
}

impl Model for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async move {
            self.requests.lock().unwrap().push(request.clone());
            self.asked.send_modify(|it| *it += 1);
            self.gate.acquire().await.unwrap().forget();
            let next = self.script.lock().unwrap().pop_front();
            next.unwrap_or(Err(ModelError::Unreachable))
        })
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.len() / 2 + 1
    }

    fn price(&self) -> Price {
        self.price
    }
}

const MOMENT: &str = "one moment, please";

/// The sample practice, whose patient has agreed.
async fn at_ease(store: Store, model: &Arc<Slow>) -> App {
    model.answers(1);
    let app = App::with_model(store, Arc::clone(model) as _).await;
    app.agreed(TOM).await;
    app
}

fn hello() -> Result<Answer, ModelError> {
    Scripted::text("How can we help?")
}

fn list() -> Result<Answer, ModelError> {
    Scripted::tool("list_appointments", "{}")
}

fn visit() -> Result<Answer, ModelError> {
    Scripted::text("Your visit is Tue, Dec 1 at 9:00 AM.")
}

async fn says(app: &App, text: &str) {
    app.receive(app.inbound(TOM, text)).await;
}

/// Moves the clock and waits until something was kept because of it.
async fn later(app: &App, seconds: i64) {
    let mut changes = app.house.changes();
    changes.mark_unchanged();
    app.wait(SignedDuration::from_secs(seconds));
    changes.changed().await.unwrap();
}

async fn answered(app: &App) {
    assert_eq!(app.house.reply_once().await.unwrap(), Step::Worked);
}

async fn told_once(store: Store) {
    let model = Slow::new([hello(), list(), visit()]);
    let app = at_ease(store, &model).await;
    says(&app, "When is my appointment?").await;
    let before = app.received_by(TOM).len();
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        later(&app, 11).await;
        app.house.dispatch_once().await.unwrap();
        assert!(app.received_by(TOM)[before].contains(MOMENT));
        app.wait(SignedDuration::from_secs(11));
        model.answers(2);
    });
    app.drain().await;
    let texts = app.received_by(TOM).split_off(before);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[1].contains("Dec 1"), "{texts:?}");
    assert_eq!(app.held().await, Vec::<String>::new());
}

async fn told_nothing(store: Store) {
    let model = Slow::new([hello(), list(), visit()]);
    let app = at_ease(store, &model).await;
    says(&app, "When is my appointment?").await;
    let before = app.received_by(TOM).len();
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        app.wait(SignedDuration::from_secs(9));
        model.answers(2);
    });
    app.drain().await;
    assert_eq!(app.received_by(TOM).split_off(before).len(), 1);
}

async fn never_after(store: Store) {
    let model = Slow::new([hello(), list(), visit()]);
    let app = at_ease(store, &model).await;
    says(&app, "When is my appointment?").await;
    let before = app.received_by(TOM).len();
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        later(&app, 11).await;
        // Dispatch is behind; the answer is there first.
        model.answers(2);
    });
    app.drain().await;
    let texts = app.received_by(TOM).split_off(before);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("Dec 1"), "{texts:?}");
}

async fn dropped_for_the_answer(store: Store) {
    let model = Slow::new([hello(), list(), visit()]);
    let app = at_ease(store, &model).await;
    says(&app, "When is my appointment?").await;
    let before = app.received_by(TOM).len();
    app.script([anteroom::domain::message::SendOutcome::Retry {
        code: "30001".to_owned(),
        after_ms: Some(60_000),
    }]);
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        later(&app, 11).await;
        app.house.dispatch_once().await.unwrap();
        model.answers(2);
    });
    app.wait(SignedDuration::from_mins(2));
    app.drain().await;
    let texts = app.received_by(TOM).split_off(before);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("Dec 1"), "{texts:?}");
    assert_eq!(app.held().await, Vec::<String>::new());
}

async fn restarted(store: Store) {
    let model = Slow::new([hello(), list(), visit()]);
    let app = at_ease(store, &model).await;
    says(&app, "When is my appointment?").await;
    let before = app.received_by(TOM).len();
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        later(&app, 11).await;
        app.house.dispatch_once().await.unwrap();
        // Nobody lets the model answer: the draft ends because of this.
        says(&app, "And where do I park?").await;
    });
    tokio::join!(answered(&app), async {
        model.asked(3).await;
        let asked = model.last_asked();
        assert!(
            asked.contains("appointment") && asked.contains("park"),
            "{asked}"
        );
        assert!(!asked.contains(MOMENT), "no part of the talk: {asked}");
        app.wait(SignedDuration::from_secs(20));
        model.answers(2);
    });
    app.drain().await;
    let texts = app.received_by(TOM).split_off(before);
    let moments = texts.iter().filter(|it| it.contains(MOMENT)).count();
    assert_eq!((texts.len(), moments), (2, 1), "{texts:?}");
    assert!(texts[1].contains("Dec 1"), "{texts:?}");
}

async fn deed_told(store: Store) {
    let model = Slow::new([
        hello(),
        Scripted::tool("message_care_team", "{}"),
        Scripted::text("We have passed your message on to our staff."),
    ]);
    let app = at_ease(store, &model).await;
    says(&app, "Please tell the doctor that my form is ready").await;
    let before = app.received_by(TOM).len();
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        model.answers(1);
        model.asked(3).await;
        says(&app, "Thanks").await;
        model.answers(2);
    });
    app.drain().await;
    let texts = app.received_by(TOM).split_off(before);
    assert!(texts[0].contains("passed"), "{texts:?}");
    let requests = model.requests.lock().unwrap();
    let called = requests.iter().flat_map(|it| &it.messages);
    let deeds = called.filter(|it| matches!(it, anteroom::agent::ports::Message::ToolCalls(_)));
    assert_eq!(deeds.count(), 1, "it is done once");
}

async fn taken_over(store: Store) {
    let model = Slow::new([hello(), list(), visit()]);
    let app = at_ease(store, &model).await;
    says(&app, "When is my appointment?").await;
    let before = app.received_by(TOM).len();
    let id = app.conversation(TOM).await.id;
    let staff = crate::support::app::staff(&app);
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        assert!(app.house.desk_take(&staff, id, true).await.unwrap());
    });
    app.drain().await;
    assert_eq!(app.received_by(TOM).split_off(before), Vec::<String>::new());
    assert_eq!(app.held().await, ["taken over"]);
}

async fn deed_untold(store: Store) {
    let model = Slow::new([
        hello(),
        Scripted::tool("message_care_team", "{}"),
        Scripted::text("We have passed your message on to our staff."),
    ]);
    let app = at_ease(store, &model).await;
    says(&app, "Please tell the doctor that my form is ready").await;
    let before = app.received_by(TOM).len();
    let id = app.conversation(TOM).await.id;
    let staff = crate::support::app::staff(&app);
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        model.answers(1);
        model.asked(3).await;
        assert!(app.house.desk_take(&staff, id, true).await.unwrap());
        model.answers(2);
    });
    app.drain().await;
    assert_eq!(app.received_by(TOM).split_off(before), Vec::<String>::new());
    let held = app.held().await;
    assert!(
        held.contains(&"done, but the patient was not told".to_owned()),
        "{held:?}"
    );
    assert!(app.audited().await.contains(&"deed.untold".to_owned()));
}

async fn out_of_time(store: Store) {
    let model = Slow::new([hello()]);
    let app = at_ease(store, &model).await;
    says(&app, "When is my appointment?").await;
    let before = app.received_by(TOM).len();
    tokio::join!(answered(&app), async {
        model.asked(2).await;
        later(&app, 11).await;
        app.house.dispatch_once().await.unwrap();
        app.wait(SignedDuration::from_secs(60));
    });
    app.drain().await;
    let texts = app.received_by(TOM).split_off(before);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[1].contains("Dec 1"),
        "the offline model answers: {texts:?}"
    );
}

async fn too_dear(store: Store) {
    // A cent for every token: the first request is over the budget of the turn.
    let price = Price {
        sent: 10_000_000,
        answered: 10_000_000,
    };
    let model = Slow::costing([], price);
    let app = App::with_model(store, Arc::clone(&model) as _).await;
    app.agreed(TOM).await;
    let answer = app.one(TOM, "When is my appointment?").await;
    assert!(answer.contains("Dec 1"), "{answer}");
    assert_eq!(*model.asked.borrow(), 0, "it was never asked");
}
