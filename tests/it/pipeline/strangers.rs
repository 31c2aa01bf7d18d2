//! What whoever writes from a number learns of who is on file there: nothing, neither from the words
//! nor from the number of texts nor from the work that an answer takes.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anteroom::agent::layer::{Call, RecordsLayer};
use anteroom::agent::ports::{BoxFuture, Records, RecordsError};
use anteroom::domain::ids::PracticeId;
use anteroom::domain::practice::IdentifyBy;
use anteroom::fhir::bundle;
use anteroom::pipeline::wish::Wished;
use anteroom::store::Store;
use anteroom::store::records::EmbeddedRecords;
use jiff::SignedDuration;

use super::lawful::remind_of;
use super::writers::at_phone;
use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA, NOBODY, TOM, sample_practice};
use crate::support::transcript::play;

stories! {
    what_needs_no_record_is_answered_alike_whoever_is_on_file => alike;
    until_a_birth_date_is_given_a_number_on_file_is_like_any_other => unshown;
    who_showed_it_once_is_not_asked_again => shown_once;
    the_copy_of_a_consent_is_kept_after_the_answer => copied_after;
}

/// What the record was asked, by name, in order.
type Asked = Arc<Mutex<Vec<&'static str>>>;

/// The embedded record, which writes down what it is asked.
#[derive(Debug)]
struct Counted {
    record: EmbeddedRecords,
    asked: Asked,
}

impl RecordsLayer for Counted {
    fn behind(&self, _practice: &PracticeId) -> &dyn Records {
        &self.record
    }

    fn around<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        work: BoxFuture<'a, Result<T, RecordsError>>,
    ) -> BoxFuture<'a, Result<T, RecordsError>> {
        self.asked.lock().unwrap().push(call.name);
        work
    }
}

/// Nobody, one person and two people on file.
const NUMBERS: [&str; 3] = [NOBODY, TOM, JAMES];

/// The sample practice with a second person at one of the numbers.
async fn house(store: Store, by: IdentifyBy) -> (App, Asked) {
    let mut practice = sample_practice();
    practice.identify_by = by;
    let asked = Asked::default();
    let app = App::kept_by(store.clone(), practice, |clock| Counted {
        record: EmbeddedRecords::new(store).with_clock(clock as _),
        asked: Arc::clone(&asked),
    });
    let (mut set, _) = bundle::parse(include_str!("../../../samples/lakeside.json")).unwrap();
    bundle::freshen(&mut set, app.clock_now());
    app.file(&set).await;
    app.file(&at_phone("1980-03-05", Some(JAMES), None)).await;
    (app, asked)
}

/// One text as an outsider sees it, and the work behind it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    said: &'static str,
    answers: Vec<String>,
    /// Questions to the record, by name: each is a round trip where another system keeps it.
    asked: BTreeMap<&'static str, usize>,
    /// Turns, rows of the ledger, reviews, holds: what is written.
    written: [usize; 4],
    epoch: i64,
}

async fn seen(app: &App, asked: &Asked, number: &str, said: &'static str) -> Seen {
    asked.lock().unwrap().clear();
    let held = app.held().await.len();
    let answers = app.text(number, said).await;
    let it = app.conversation(number).await;
    let store = app.house.store();
    let mut count = BTreeMap::new();
    // The copy of a consent is kept after the answer has gone to the outbox.
    let asked = asked.lock().unwrap().clone();
    for name in asked.iter().filter(|name| **name != "note") {
        *count.entry(*name).or_insert(0) += 1;
    }
    Seen {
        said,
        answers,
        asked: count,
        written: [
            store.turns(it.id, 99).await.unwrap().len(),
            store.consent_ledger(it.id).await.unwrap().len(),
            store.glass(it.id, 99).await.unwrap().len(),
            app.held().await.len() - held,
        ],
        epoch: it.epoch,
    }
}

/// Plays the texts from each of the numbers, each as alone in the world; what each saw must be the
/// same.
async fn same(app: &App, asked: &Asked, script: &[&'static str]) {
    let mut all: Vec<Vec<Seen>> = Vec::new();
    for number in NUMBERS {
        let mut one = Vec::new();
        for said in script {
            one.push(seen(app, asked, number, said).await);
            app.wait(SignedDuration::from_mins(2));
        }
        all.push(one);
    }
    let [nobody, one, two] = all.try_into().unwrap();
    for (at, it) in nobody.iter().enumerate() {
        assert_eq!(*it, one[at], "nobody and one person on file, text {at}");
        assert_eq!(*it, two[at], "nobody and two people on file, text {at}");
        assert!(
            it.answers.iter().all(|text| !text.contains("Dec ")),
            "{it:?}"
        );
    }
}

async fn alike(store: Store) {
    let (app, asked) = house(store, IdentifyBy::Number).await;
    let script = [
        "Hello, is this Lakeside?",
        "am I one of your patients?",
        "HELP",
        "maybe",
        "YES",
        "Where are you?",
        "When are you open?",
        "are you a robot?",
        "do you take Aetna?",
        "HELP",
        "person please",
        "My chest hurts and I can't breathe",
        "STOP",
        "Hello?",
        "START",
        "NO",
        "Where are you?",
        "STOP",
    ];
    same(&app, &asked, &script).await;
}

async fn unshown(store: Store) {
    let (app, asked) = house(store.clone(), IdentifyBy::BirthDate).await;
    let script = [
        "When is my appointment?",
        "hello?",
        "YES",
        "no idea",
        "Where are you?",
        "1/1/1990",
        "cancel my appointment",
        "I need a refill",
        "are my results in?",
        "2/2/1991",
        "3/3/1992",
        "When is my appointment?",
        "NO",
        "When is my appointment?",
        "STOP",
    ];
    same(&app, &asked, &script).await;
}

async fn shown_once(store: Store) {
    let (app, _) = house(store, IdentifyBy::BirthDate).await;
    play(
        &app,
        TOM,
        "patient: When is my appointment?
         practice: Reply YES & !Dec
         patient: YES
         practice: date of birth & !Dec
         patient: 7/4/1978
         practice: Dec 1
         (3 hours pass)
         patient: When is my appointment?
         practice: Dec 1
         patient: You have the wrong number
         practice: no more texts
         patient: START
         practice: Reply YES
         patient: YES
         practice: all set
         patient: When is my appointment?
         practice: date of birth & !Dec",
    )
    .await;
    // Where the practice itself has written to a patient, it has vouched for the number.
    let wished = remind_of(&app, "vouched", MARIA, ("p-001", "a-001")).await;
    assert!(matches!(wished, Wished::Taken(_)), "{wished:?}");
    let told = app.text(MARIA, "YES").await;
    assert!(told.len() == 2 && told[1].contains("2 dic"), "{told:?}");
    let told = app.text(MARIA, "SI").await;
    assert!(told[0].contains("confirmada"), "{told:?}");
}

async fn copied_after(store: Store) {
    let (app, asked) = house(store, IdentifyBy::Number).await;
    app.text(TOM, "Hello").await;
    app.receive(app.inbound(TOM, "YES")).await;
    asked.lock().unwrap().clear();
    app.house.reply_once().await.unwrap();
    let order = asked.lock().unwrap().clone();
    assert_eq!(order, ["patients_by_phone", "clinical", "note"]);
    let conversation = app.conversation(TOM).await;
    let queued = app.house.store().turns(conversation.id, 9).await.unwrap();
    assert!(
        queued.len() >= 4,
        "the answer was enqueued: {}",
        queued.len()
    );
}
