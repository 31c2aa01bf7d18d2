//! Conversations as transcripts that can be read aloud, played against a whole house.
//!
//! ```text
//! patient: STOP                     a text, and everything that is due is worked on
//! patient writes: STOP              a text; nothing is worked on yet
//! practice: START & !Dec 1          the next text to the patient: holds `START`, lacks `Dec 1`
//! (silence)                         no text came
//! (the draft is made)               one answer is drafted; nothing leaves
//! (the rest is done)                everything that is due is worked on
//! (3 hours pass)  (200 days pass)
//! (consent: granted)                where PHI by text stands
//! (staff: wrong number)             the newest reason why something waits for staff
//! (staff give it back)              staff have looked, and the agent is back
//! (reported: undelivered 30003)     the carrier reports on the last text
//! ```

#![cfg(test)]

use std::future::Future;
use std::pin::Pin;

use anteroom::carrier::hear::Report;
use anteroom::domain::message::Delivery;
use anteroom::domain::practice::CarrierKind;
use jiff::SignedDuration;

use crate::support::app::{App, staff};

/// Plays a transcript with one number.
pub(crate) fn play<'a>(
    app: &'a App,
    number: &'a str,
    transcript: &'a str,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(played(app, number, transcript))
}

async fn played(app: &App, number: &str, transcript: &str) {
    let mut told = app.received_by(number).len();
    for (at, line) in transcript.lines().enumerate() {
        let line = line.trim();
        let at = format!("line {}: {line}", at + 1);
        let mut fresh = || {
            let all = app.received_by(number);
            let new = all.get(told..).unwrap_or_default().to_vec();
            told = all.len();
            new
        };
        if let Some(body) = line.strip_prefix("patient writes: ") {
            app.receive(app.inbound(number, body)).await;
        } else if let Some(body) = line.strip_prefix("patient: ") {
            app.receive(app.inbound(number, body)).await;
            app.drain().await;
        } else if let Some(parts) = line.strip_prefix("practice: ") {
            let new = fresh();
            assert_eq!(new.len(), 1, "{at}\ngot {new:#?}");
            for part in parts.split(" & ") {
                let holds = |part: &str| new[0].contains(part);
                match part.strip_prefix('!') {
                    Some(part) => assert!(!holds(part), "{at}\ngot {new:?}"),
                    None => assert!(holds(part), "{at}\ngot {new:?}"),
                }
            }
        } else if let Some(stage) = line.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
            match stage {
                "silence" => assert_eq!(fresh(), Vec::<String>::new(), "{at}"),
                "the draft is made" => drop(app.house.reply_once().await.unwrap()),
                "the rest is done" => app.drain().await,
                "staff give it back" => give_back(app, number).await,
                other => direct(app, number, other, &at).await,
            }
        } else {
            assert!(line.is_empty(), "{at}: no such line");
        }
    }
}

/// Staff have looked, and give the conversation back to the agent.
pub(crate) async fn give_back(app: &App, number: &str) {
    let id = app.conversation(number).await.id;
    let given = app.house.desk_take(&staff(app), id, false).await;
    assert!(given.unwrap(), "nobody had it");
}

async fn direct(app: &App, number: &str, stage: &str, at: &str) {
    let words: Vec<&str> = stage.split_whitespace().collect();
    match words.as_slice() {
        [count, unit, "pass"] => {
            let count: i64 = count.parse().unwrap();
            let hours = match *unit {
                "minutes" => 0,
                "hours" => count,
                "days" => 24 * count,
                _ => panic!("{at}: no such unit"),
            };
            let minutes = if *unit == "minutes" { count } else { 0 };
            app.wait(SignedDuration::from_hours(hours) + SignedDuration::from_mins(minutes));
            app.house.tend_consents_once().await.unwrap();
            app.drain().await;
        }
        ["consent:", state] => {
            let got = app.conversation(number).await.consent.state;
            assert_eq!(got.as_str(), *state, "{at}");
        }
        ["staff:", ..] => {
            let want = stage.strip_prefix("staff: ").unwrap();
            let held = app.held().await;
            assert_eq!(held.last().map(String::as_str), Some(want), "{at}");
        }
        ["reported:", delivery, code] => {
            let delivery: Delivery = delivery.parse().unwrap();
            let id = format!("LB-{}", app.carrier.last_reference());
            let report = Report {
                carrier_id: id,
                delivery,
                code: Some((*code).to_owned()),
                reference: None,
            };
            let known = app
                .house
                .delivery(app.practice(), CarrierKind::Simulator, &report)
                .await
                .unwrap();
            assert!(known, "{at}: no such text");
        }
        _ => panic!("{at}: no such stage"),
    }
}
