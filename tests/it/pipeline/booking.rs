//! New visits, and what is told when two want the same time.

#![cfg(test)]

use anteroom::store::Store;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, TOM};

stories! {
    a_new_visit_is_booked_by_its_number => booked;
    of_two_who_want_the_last_time_one_gets_it_and_the_other_the_next => raced;
    what_the_practice_keeps_about_a_visit_goes_behind_the_link => prepared;
}

async fn booked(store: Store) {
    let app = App::new(store).await;
    app.agreed(JAMES).await;
    let offer = app
        .one(JAMES, "I'd like to book an appointment for Thursday")
        .await;
    assert!(offer.contains("new visit: 1)"), "{offer}");
    let done = app.one(JAMES, "1").await;
    assert!(
        done.starts_with("Done. Your visit is booked for Thu, Dec 3"),
        "{done}"
    );
    assert!(app.held().await.is_empty(), "nobody has to look");
    assert!(app.audited().await.contains(&"record.changed".to_owned()));
}

/// Both are offered the same times, and both choose the first at the same moment.
async fn raced(store: Store) {
    let app = App::new(store).await;
    for number in [JAMES, TOM] {
        app.agreed(number).await;
        let offer = app
            .one(number, "I want to book an appointment on Thursday")
            .await;
        assert!(offer.contains("new visit: 1)"), "{offer}");
    }
    for number in [JAMES, TOM] {
        app.receive(app.inbound(number, "1")).await;
    }
    let (one, other) = tokio::join!(app.house.reply_once(), app.house.reply_once());
    assert!(one.is_ok() && other.is_ok());
    app.drain().await;
    let last = |number| app.received_by(number).pop().unwrap();
    let answers = [last(JAMES), last(TOM)];
    let won = answers.iter().filter(|it| it.contains("is booked for"));
    let lost = answers
        .iter()
        .filter(|it| it.contains("was just taken") && it.contains("1)"));
    assert_eq!((won.count(), lost.count()), (1, 1), "{answers:?}");
    let loser = if answers[0].contains("just taken") {
        JAMES
    } else {
        TOM
    };
    let next = app.one(loser, "1").await;
    assert!(next.contains("is booked for"), "{next}");
}

async fn prepared(store: Store) {
    let app = App::new(store).await;
    let (mut set, _) =
        anteroom::fhir::bundle::parse(include_str!("../../../samples/lakeside.json")).unwrap();
    let james = set
        .appointments
        .iter_mut()
        .find(|it| it.patient.as_str() == "p-002")
        .unwrap();
    james.preparation = "Do not eat for eight hours before your colonoscopy.".into();
    app.file(&set).await;
    app.agreed(JAMES).await;
    let answer = app.one(JAMES, "How do I prepare for my visit?").await;
    assert!(
        answer.contains("secure message") && answer.contains("/p/"),
        "{answer}"
    );
    assert!(
        !answer.contains("colonoscopy") && !answer.contains("eat"),
        "{answer}"
    );
}
