//! STOP is said once: whatever line of the practice it is said on, no other line texts the person.

#![cfg(test)]

use anteroom::domain::conversation::Conversation;
use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::message::SendOutcome;
use anteroom::domain::practice::{KeywordReplies, OutsideWindow, Practice};
use anteroom::domain::waiting::{Errand, Refusal};
use anteroom::pipeline::receive::Received;
use anteroom::pipeline::wish::{Wish, Wished};
use anteroom::policy::words::Channel;
use anteroom::store::Store;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, TOM};

stories! {
    stop_by_sms_closes_whatsapp_and_every_other_number => stop_closes_all;
    a_picture_text_is_on_the_same_line_as_texts => pictures;
    a_line_that_nobody_used_is_closed_too => unused_line;
    what_was_on_its_way_on_another_line_does_not_leave => on_its_way;
    start_opens_its_own_line_and_forgets_what_was_agreed_on_the_others => start_opens_one;
    stop_said_on_two_lines_needs_start_on_each => two_stops;
    a_carrier_that_blocks_one_line_closes_all => carrier_blocks;
    a_yes_on_a_line_that_no_carrier_blocked_is_no_start => yes_elsewhere;
    a_wrong_number_is_wrong_on_every_line => wrong_number;
    whatsapp_never_falls_back_to_a_line_that_said_stop => no_fallback;
}

const SMS: (Channel, &str) = (Channel::Sms, "+14155550101");
const MMS: (Channel, &str) = (Channel::Mms, "+14155550101");
const DESK: (Channel, &str) = (Channel::Sms, "+14155550102");
const WHATSAPP: (Channel, &str) = (Channel::Whatsapp, "+14155550103");
const CHAT: (Channel, &str) = (Channel::Webchat, "+14155550104");

/// The sample practice with two numbers for SMS and one for WhatsApp.
fn with_lines(practice: &mut Practice) {
    let first = practice.senders[0].clone();
    for (channel, number) in [DESK, WHATSAPP] {
        let mut sender = first.clone();
        sender.channel = channel;
        sender.number = number.parse().unwrap();
        practice.senders.push(sender);
    }
}

async fn app(store: Store) -> App {
    App::with_practice(store, with_lines).await
}

/// What Tom gets for a text on a line.
async fn text(app: &App, line: (Channel, &str), body: &str) -> Vec<String> {
    let before = app.received_by(TOM).len();
    let mut inbound = app.inbound(TOM, body);
    inbound.channel = line.0;
    inbound.to = line.1.parse().unwrap();
    assert_eq!(app.receive(inbound).await, Received::New);
    app.drain().await;
    app.received_by(TOM).split_off(before)
}

async fn agreed(app: &App, line: (Channel, &str)) {
    text(app, line, "Hello").await;
    text(app, line, "YES").await;
    assert_eq!(state(app, line).await, "granted");
}

async fn on(app: &App, line: (Channel, &str)) -> Conversation {
    let number = TOM.parse().unwrap();
    let all = app
        .house
        .store()
        .conversations_with(app.practice(), &number);
    let mut all = all.await.unwrap().into_iter();
    all.find(|it| (it.channel, it.sender.as_str()) == line)
        .unwrap()
}

async fn state(app: &App, line: (Channel, &str)) -> String {
    on(app, line).await.consent.state.to_string()
}

async fn events(app: &App, line: (Channel, &str)) -> Vec<String> {
    let id = on(app, line).await.id;
    let ledger = app.house.store().consent_ledger(id).await.unwrap();
    ledger.into_iter().map(|it| it.event).collect()
}

async fn remind(app: &App, request: &str) -> Wished {
    let wish = Wish {
        practice: app.practice().clone(),
        request: request.to_owned(),
        number: Some(TOM.parse().unwrap()),
        errand: Errand::Visit {
            patient: PatientId::new("p-004"),
            appointment: AppointmentId::new("a-004"),
            start: None,
            before_h: None,
        },
    };
    let wished = app.house.wish(wish).await.unwrap();
    app.drain().await;
    wished
}

const NOTHING: [String; 0] = [];

async fn stop_closes_all(store: Store) {
    let app = app(store).await;
    for line in [SMS, DESK, WHATSAPP, CHAT] {
        agreed(&app, line).await;
    }
    let confirmed = text(&app, SMS, "STOP").await;
    assert_eq!(confirmed.len(), 1, "one confirmation in all: {confirmed:?}");
    for line in [SMS, DESK, WHATSAPP] {
        assert_eq!(state(&app, line).await, "opted_out", "{line:?}");
        assert_eq!(text(&app, line, "When is my appointment?").await, NOTHING);
    }
    assert_eq!(
        remind(&app, "r-1").await,
        Wished::Refused(Refusal::OptedOut)
    );
    // Whoever opens a chat asks to be answered there.
    assert_eq!(text(&app, CHAT, "When is my appointment?").await.len(), 1);
    // The evidence is the text that was sent, on each line.
    let id = on(&app, WHATSAPP).await.id;
    let ledger = app.house.store().consent_ledger(id).await.unwrap();
    let stop = ledger.last().unwrap();
    assert_eq!(
        (stop.event.as_str(), stop.evidence.who.as_str()),
        ("stop", "patient")
    );
    assert!(stop.evidence.message.as_ref().unwrap().starts_with("SM"));
    let said_in = format!("in conversation {}", on(&app, SMS).await.id);
    assert_eq!(stop.evidence.reason.as_deref(), Some(said_in.as_str()));
    // STOP in the chat closes texts as well.
    let stops = app.audited().await;
    let stops = stops.iter().filter(|it| *it == "consent.stop");
    assert_eq!(stops.count(), 2, "an entry for each line that was told");
}

async fn pictures(store: Store) {
    let app = app(store).await;
    agreed(&app, SMS).await;
    assert_eq!(text(&app, MMS, "STOP").await.len(), 1);
    assert_eq!(state(&app, SMS).await, "opted_out");
    assert_eq!(text(&app, SMS, "Hello?").await, NOTHING);
}

async fn unused_line(store: Store) {
    let app = app(store).await;
    text(&app, DESK, "STOP").await;
    // The practice's system reminds by the first SMS number, which has never been used.
    assert_eq!(
        remind(&app, "r-1").await,
        Wished::Refused(Refusal::OptedOut)
    );
    assert_eq!(
        text(&app, WHATSAPP, "When is my appointment?").await,
        NOTHING
    );
    let told = app.held().await;
    assert_eq!(told, ["wrote here after STOP on another line"]);
    assert_eq!(text(&app, WHATSAPP, "Hello?").await, NOTHING);
    assert_eq!(app.held().await.len(), 1, "staff are told once");
    let help = text(&app, WHATSAPP, "HELP").await;
    assert_eq!(help.len(), 1, "HELP is answered: {help:?}");
    assert_eq!(
        text(&app, WHATSAPP, "My chest hurts and I can't breathe")
            .await
            .len(),
        1
    );
}

async fn on_its_way(store: Store) {
    let app = app(store).await;
    agreed(&app, SMS).await;
    agreed(&app, WHATSAPP).await;
    let mut question = app.inbound(TOM, "When is my appointment?");
    question.channel = WHATSAPP.0;
    question.to = WHATSAPP.1.parse().unwrap();
    app.receive(question).await;
    app.house.reply_once().await.unwrap();
    let told = text(&app, SMS, "STOP").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(!told[0].contains("Dec 1"), "{told:?}");
}

async fn start_opens_one(store: Store) {
    let app = app(store).await;
    for line in [SMS, WHATSAPP] {
        agreed(&app, line).await;
    }
    text(&app, SMS, "STOP").await;
    text(&app, SMS, "START").await;
    assert_eq!(state(&app, SMS).await, "notice_sent", "asked anew");
    assert_eq!(state(&app, WHATSAPP).await, "unknown", "asked anew");
    let asked = text(&app, WHATSAPP, "When is my appointment?").await;
    assert!(
        asked[0].contains("SI") || asked[0].contains("YES"),
        "{asked:?}"
    );
    assert!(!asked[0].contains("Dec 1"), "{asked:?}");
    text(&app, WHATSAPP, "YES").await;
    assert_eq!(state(&app, WHATSAPP).await, "granted");
    let events = events(&app, WHATSAPP).await;
    let tail: Vec<&str> = events.iter().map(String::as_str).skip(3).collect();
    assert_eq!(tail, ["stop", "lifted", "wrote", "notice_sent", "yes"]);
}

async fn two_stops(store: Store) {
    let app = app(store).await;
    for line in [SMS, WHATSAPP] {
        agreed(&app, line).await;
    }
    text(&app, SMS, "STOP").await;
    assert_eq!(
        text(&app, WHATSAPP, "stop").await,
        NOTHING,
        "one confirmation"
    );
    text(&app, SMS, "START").await;
    assert_eq!(state(&app, WHATSAPP).await, "opted_out");
    assert_eq!(text(&app, WHATSAPP, "Hello?").await, NOTHING);
    assert_eq!(text(&app, WHATSAPP, "START").await.len(), 1);
    assert_eq!(state(&app, WHATSAPP).await, "notice_sent");
    // START on a line that was only closed along with another leaves that other as it is.
    text(&app, SMS, "STOP").await;
    assert_eq!(text(&app, WHATSAPP, "START").await.len(), 1);
    assert_eq!(state(&app, SMS).await, "opted_out");
    assert_eq!(text(&app, SMS, "Hello?").await, NOTHING);
}

async fn carrier_blocks(store: Store) {
    let app = app(store).await;
    agreed(&app, SMS).await;
    agreed(&app, WHATSAPP).await;
    let code = "21610".to_owned();
    app.script([SendOutcome::Suppress { code }]);
    assert_eq!(text(&app, SMS, "When is my appointment?").await, NOTHING);
    for line in [SMS, WHATSAPP] {
        assert_eq!(state(&app, line).await, "opted_out", "{line:?}");
    }
    let id = on(&app, WHATSAPP).await.id;
    let ledger = app.house.store().consent_ledger(id).await.unwrap();
    let evidence = &ledger.last().unwrap().evidence;
    assert_eq!(evidence.who.as_str(), "carrier");
    let reason = evidence.reason.as_deref().unwrap();
    assert!(reason.starts_with("21610, in conversation"), "{reason}");
}

async fn yes_elsewhere(store: Store) {
    let app = App::with_practice(store, |practice| {
        with_lines(practice);
        for sender in &mut practice.senders {
            sender.keywords = KeywordReplies::CarrierReplies;
        }
    })
    .await;
    agreed(&app, SMS).await;
    agreed(&app, DESK).await;
    assert_eq!(
        text(&app, SMS, "STOP").await,
        NOTHING,
        "the carrier confirms"
    );
    // The carrier blocks one number; to the other YES is a word like any other.
    assert_eq!(text(&app, DESK, "YES").await, NOTHING);
    assert_eq!(state(&app, DESK).await, "opted_out");
    assert_eq!(text(&app, DESK, "START").await.len(), 1);
    assert_eq!(state(&app, DESK).await, "notice_sent");
    assert_eq!(state(&app, SMS).await, "opted_out", "blocked there");
    // Where the carrier blocks, its YES is START.
    text(&app, SMS, "YES").await;
    assert_eq!(state(&app, SMS).await, "notice_sent");
}

async fn wrong_number(store: Store) {
    let app = app(store).await;
    agreed(&app, SMS).await;
    agreed(&app, WHATSAPP).await;
    text(&app, SMS, "You have the wrong number").await;
    text(&app, SMS, "START").await;
    for line in [SMS, WHATSAPP] {
        assert!(on(&app, line).await.speaker.doubt.is_some(), "{line:?}");
        let asked = text(&app, line, "When is my appointment?").await.join(" ");
        assert!(!asked.contains("Dec 1"), "{asked}");
    }
}

async fn no_fallback(store: Store) {
    let app = App::with_practice(store, |practice| {
        with_lines(practice);
        practice.senders[2].outside_window = OutsideWindow::Sms;
    })
    .await;
    agreed(&app, WHATSAPP).await;
    text(&app, SMS, "STOP").await;
    text(&app, WHATSAPP, "START").await;
    text(&app, WHATSAPP, "YES").await;
    // An answer is made, and the carrier is out of reach until WhatsApp's window is closed.
    let busy = || SendOutcome::Retry {
        code: "20429".to_owned(),
        after_ms: Some(23 * 3_600_000),
    };
    app.script([busy(), busy()]);
    assert_eq!(text(&app, WHATSAPP, "What are your hours?").await, NOTHING);
    for _ in 0..2 {
        app.wait(jiff::SignedDuration::from_hours(24));
        app.drain().await;
    }
    let last = app.received_by(TOM).pop().unwrap();
    assert!(
        !last.contains("8:00"),
        "nothing by SMS after STOP there: {last}"
    );
    let held = app.held().await;
    assert_eq!(held, ["withdrawn: WhatsApp's window is closed"]);
}
