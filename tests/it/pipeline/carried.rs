//! Stories through real adapters: signed webhooks in, REST out, and what a carrier does wrong.

#![cfg(test)]

use anteroom::domain::consent::ConsentState;
use anteroom::domain::message::Delivery;
use anteroom::domain::practice::{CarrierKind, OutsideWindow, Sender, TemplateText, TemplateValue};
use anteroom::pipeline::catch_up::CaughtUp;
use anteroom::pipeline::work::Step;
use anteroom::policy::words::{Channel, Language};
use anteroom::store::Store;
use jiff::SignedDuration;

use super::{on_postgres, on_sqlite};
use crate::support::app::{JAMES, MARIA, NOBODY, TOM};
use crate::support::town::{BIRD_WHATSAPP, SMS, Town, WHATSAPP, sending};

stories! {
    outside_whatsapps_window_nothing_is_sent_and_staff_are_told => closed_window;
    outside_whatsapps_window_an_approved_template_asks_the_patient_to_write => template;
    whatsapp_by_bird_has_the_same_window_templates_buttons_and_receipts => bird;
    outside_whatsapps_window_a_text_goes_by_sms_where_the_practice_says_so => by_sms;
    a_button_answers_its_own_question_and_no_other => buttons;
    a_state_moves_up_and_never_back_and_a_failure_stays => states;
    a_slow_number_makes_nobody_else_wait => paced;
    a_number_keeps_its_daily_cap_and_goes_on_the_next_day => capped;
    a_lost_text_is_found_and_answered_once => lost_text;
    a_lost_text_counts_from_when_it_was_written => written_before;
    a_lost_report_is_asked_for => lost_report;
    the_carrier_forgets_the_words_and_we_keep_them => redacted;
    an_opt_out_at_the_carrier_is_kept_and_told => opted_out;
    an_opt_out_that_a_report_tells_is_kept_and_told => opted_out_later;
    the_first_text_brings_the_contact_card_and_no_other_does => card;
}

fn whatsapp(senders: &mut [Sender]) -> &mut Sender {
    let mut senders = senders.iter_mut();
    senders.find(|it| it.channel == Channel::Whatsapp).unwrap()
}

/// A town in which an answer by WhatsApp is due a day late.
async fn answer_a_day_late(store: Store, outside: OutsideWindow) -> (Town, Vec<String>) {
    let town = Town::with(store, |practice| {
        let sender = whatsapp(&mut practice.senders);
        sender.outside_window = outside;
        let template = TemplateText {
            id: format!("HX{:032x}", 7),
            locale: String::new(),
            text: "{{1}} has a message for you. Reply here to read it.".to_owned(),
            variables: [("1".to_owned(), TemplateValue::PracticeName)]
                .into_iter()
                .collect(),
        };
        sender.templates.insert(Language::En, template);
    })
    .await;
    town.text(TOM, WHATSAPP, "Hello").await;
    town.text(TOM, WHATSAPP, "YES").await;
    let late = a_day_late(&town, CarrierKind::Twilio, WHATSAPP).await;
    (town, late)
}

/// A question whose answer is due a day late; what the phone gets then.
async fn a_day_late(town: &Town, line: CarrierKind, number: &str) -> Vec<String> {
    let before = town.phone(TOM).len();
    let question = sending(TOM, number, "What are your hours?", None);
    let (_, post) = town.written(line, question, Vec::new());
    assert!(town.post(&post).await.status.is_success());
    while town.app.house.reply_once().await.unwrap() == Step::Worked {}
    town.app.wait(SignedDuration::from_hours(25));
    town.settle().await;
    town.phone(TOM).split_off(before)
}

async fn bird(store: Store) {
    let town = Town::with(store, |practice| {
        let mut senders = practice.senders.iter_mut();
        let sender = senders.find(|it| it.number.as_str() == BIRD_WHATSAPP);
        let sender = sender.unwrap();
        sender.outside_window = OutsideWindow::Template;
        let template = TemplateText {
            id: "ask_to_write".to_owned(),
            locale: "en-US".to_owned(),
            text: "{{practice}} has a message for you. Reply here to read it.".to_owned(),
            variables: [("practice".to_owned(), TemplateValue::PracticeName)]
                .into_iter()
                .collect(),
        };
        sender.templates.insert(Language::En, template);
    })
    .await;
    let notice = town.text(TOM, BIRD_WHATSAPP, "Hello").await;
    assert!(notice[0].contains("OK to text you?"), "{notice:?}");
    let agreed = ("consent.yes", "I agree");
    assert!(!town.press(TOM, BIRD_WHATSAPP, agreed).await.is_empty());
    let state = town.app.conversation(TOM).await.consent.state;
    assert_eq!(state, ConsentState::Granted);
    let read = town.report(TOM, Delivery::Read).await;
    assert_eq!(read, Some(Delivery::Read));

    let late = a_day_late(&town, CarrierKind::Bird, BIRD_WHATSAPP).await;
    assert_eq!(late.len(), 1, "{late:?}");
    let sent = town.last(TOM).sent;
    assert_eq!(sent.template.as_deref(), Some("ask_to_write"));
    let values: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(values[0]["text"], "Lakeside Family Medicine");
    assert_eq!(values[0]["name"], "practice");
    let held = town.app.held().await;
    assert!(
        matches!(held.as_slice(), [one] if one.contains("a template asks the patient to write")),
        "{held:?}"
    );
}

async fn closed_window(store: Store) {
    let (town, late) = answer_a_day_late(store, OutsideWindow::Hold).await;
    assert_eq!(late, Vec::<String>::new());
    assert_eq!(
        town.app.held().await,
        ["withdrawn: WhatsApp's window is closed"]
    );
    let audited = town.app.audited().await;
    assert!(
        audited.contains(&"message.withdrawn".to_owned()),
        "{audited:?}"
    );
    // The patient writes, and the window is open again.
    assert_eq!(
        town.text(TOM, WHATSAPP, "What are your hours?").await.len(),
        1
    );
}

async fn template(store: Store) {
    let (town, late) = answer_a_day_late(store, OutsideWindow::Template).await;
    let last = town.last(TOM);
    assert_eq!(last.sent.template, Some(format!("HX{:032x}", 7)));
    assert_eq!(last.sent.body, r#"{"1":"Lakeside Family Medicine"}"#);
    assert_eq!(late.len(), 1);
    let held = town.app.held().await;
    assert!(
        matches!(held.as_slice(), [one] if one.contains("a template asks the patient to write")),
        "{held:?}"
    );
}

async fn by_sms(store: Store) {
    let (town, late) = answer_a_day_late(store, OutsideWindow::Sms).await;
    assert_eq!(late.len(), 1);
    let last = town.last(TOM);
    assert_eq!((last.sent.whatsapp, last.sent.from.as_str()), (false, SMS));
    assert!(
        last.sent.body.contains("8:00 AM-6:00 PM"),
        "{}",
        last.sent.body
    );
    assert_eq!(town.app.held().await, Vec::<String>::new());
}

async fn buttons(store: Store) {
    let town = Town::new(store).await;
    town.text(TOM, WHATSAPP, "When is my appointment?").await;
    assert_eq!(
        town.app.conversation(TOM).await.consent.state,
        ConsentState::NoticeSent
    );
    // A button of another question says only what is written on it.
    town.press(TOM, WHATSAPP, ("appointment_confirm.yes", "See you"))
        .await;
    assert_eq!(
        town.app.conversation(TOM).await.consent.state,
        ConsentState::NoticeSent
    );
    let answers = town.press(TOM, WHATSAPP, ("consent.yes", "I agree")).await;
    assert_eq!(
        town.app.conversation(TOM).await.consent.state,
        ConsentState::Granted
    );
    assert!(!answers.is_empty(), "the question that waited is answered");
}

async fn states(store: Store) {
    let town = Town::new(store).await;
    town.text(NOBODY, WHATSAPP, "Hello").await;
    assert_eq!(town.delivery(NOBODY).await, Some(Delivery::Delivered));
    for (state, stands) in [
        (Delivery::Sent, Delivery::Delivered),
        (Delivery::Read, Delivery::Read),
        (Delivery::Delivered, Delivery::Read),
        (Delivery::Queued, Delivery::Read),
    ] {
        assert_eq!(town.report(NOBODY, state).await, Some(stands), "{state}");
    }
    // By SMS, with nobody to report until we do.
    town.mute.cancel();
    town.text(JAMES, SMS, "Hello").await;
    for (state, stands) in [
        (Delivery::Sent, Delivery::Sent),
        (Delivery::Queued, Delivery::Sent),
        (Delivery::Undelivered, Delivery::Undelivered),
        (Delivery::Sent, Delivery::Undelivered),
        (Delivery::Delivered, Delivery::Undelivered),
    ] {
        assert_eq!(town.report(JAMES, state).await, Some(stands), "{state}");
    }
    assert_eq!(town.app.held().await, ["not delivered"]);
}

/// Many patients write to one number at the same instant.
async fn crowd(town: &Town, number: &str, line: CarrierKind, first: usize, count: usize) {
    for patient in first..first + count {
        let from = format!("+1415555{patient:04}");
        let (_, post) = town.written(line, sending(&from, number, "Hello", None), Vec::new());
        assert!(town.post(&post).await.status.is_success());
    }
}

fn got(town: &Town, first: usize, count: usize) -> usize {
    (first..first + count)
        .filter(|patient| !town.phone(&format!("+1415555{patient:04}")).is_empty())
        .count()
}

async fn paced(store: Store) {
    let town = Town::with(store, |practice| {
        practice.senders[0].per_second = Some(1.0);
    })
    .await;
    crowd(&town, SMS, CarrierKind::Twilio, 160, 6).await;
    let neighbour = sending(MARIA, "+14155550121", "Hello", None);
    let now = town.app.clock.as_ref();
    let now = anteroom::domain::clock::Clock::now(now);
    let (_, posts) = town
        .fake
        .write("twilio.hillside", neighbour, Vec::new(), now)
        .unwrap();
    assert_eq!(town.post(&posts[0].1).await.status, 200);
    crowd(&town, "+14155550104", CarrierKind::Bandwidth, 170, 3).await;
    town.settle().await;
    assert_eq!(got(&town, 160, 6), 1, "one a second, by its registration");
    assert_eq!(
        town.phone(MARIA).len(),
        1,
        "another practice's number goes at once"
    );
    assert_eq!(got(&town, 170, 3), 3, "and so does another number");
    town.app.wait(SignedDuration::from_secs(60));
    town.settle().await;
    assert_eq!(got(&town, 160, 6), 6);
    assert_eq!(town.fake.sight().twice, 0);
}

async fn capped(store: Store) {
    let town = Town::with(store, |practice| {
        // The first answer takes two segments.
        practice.senders[0].per_day = Some(5);
    })
    .await;
    crowd(&town, SMS, CarrierKind::Twilio, 160, 4).await;
    town.settle().await;
    assert_eq!(got(&town, 160, 4), 2);
    let audited = town.app.audited().await;
    assert!(
        audited.contains(&"message.capped".to_owned()),
        "{audited:?}"
    );
    town.app.wait(SignedDuration::from_hours(24));
    town.settle().await;
    assert_eq!(got(&town, 160, 4), 4);
}

async fn lost_text(store: Store) {
    let town = Town::new(store).await;
    town.app.house.catch_up_once().await.unwrap();
    let lost = sending(TOM, SMS, "Hello", None);
    let (_, late) = town.written(CarrierKind::Twilio, lost, Vec::new());
    town.app.wait(SignedDuration::from_mins(4));
    let found = town.app.house.catch_up_once().await.unwrap();
    assert_eq!((found.texts, found.reports), (1, 0));
    town.settle().await;
    assert_eq!(town.phone(TOM).len(), 1);
    // What was lost comes after all, and so does another look.
    assert_eq!(town.post(&late).await.status, 200);
    assert_eq!(
        town.app.house.catch_up_once().await.unwrap(),
        CaughtUp::default()
    );
    town.settle().await;
    assert_eq!(town.phone(TOM).len(), 1);
}

async fn written_before(store: Store) {
    let town = Town::new(store).await;
    town.app.house.catch_up_once().await.unwrap();
    // A YES that nobody asked for is lost; meanwhile the patient is asked.
    let lost = sending(TOM, WHATSAPP, "YES", None);
    drop(town.written(CarrierKind::Twilio, lost, Vec::new()));
    let written = town.app.clock_now();
    town.app.wait(SignedDuration::from_mins(5));
    town.text(TOM, WHATSAPP, "When is my appointment?").await;
    let asked = town.app.clock_now();
    let before = town.app.conversation(TOM).await;
    assert_eq!(before.consent.state, ConsentState::NoticeSent);
    town.app.wait(SignedDuration::from_mins(4));
    assert_eq!(town.app.house.catch_up_once().await.unwrap().texts, 1);
    town.settle().await;
    let after = town.app.conversation(TOM).await;
    assert_eq!(
        after.consent.state,
        ConsentState::NoticeSent,
        "it answers nothing"
    );
    assert_eq!(after.pending, before.pending, "the question stands open");
    assert_eq!(
        after.last_inbound,
        Some(asked),
        "the window ends a day after this"
    );
    let turns = town.app.house.store().turns(after.id, 10).await.unwrap();
    let found = turns
        .iter()
        .find(|turn| turn.body.as_str() == "YES")
        .unwrap();
    assert_eq!(found.at, written);
    // The same word to the question is its answer.
    town.text(TOM, WHATSAPP, "YES").await;
    let state = town.app.conversation(TOM).await.consent.state;
    assert_eq!(state, ConsentState::Granted);
    // A STOP that was lost revokes from when it was written.
    let lost = sending(TOM, WHATSAPP, "STOP", None);
    drop(town.written(CarrierKind::Twilio, lost, Vec::new()));
    let revoked = town.app.clock_now();
    town.app.wait(SignedDuration::from_mins(9));
    assert_eq!(town.app.house.catch_up_once().await.unwrap().texts, 1);
    let consent = town.app.conversation(TOM).await.consent;
    assert_eq!(
        (consent.state, consent.since),
        (ConsentState::OptedOut, revoked)
    );
}

async fn lost_report(store: Store) {
    let town = Town::new(store).await;
    town.mute.cancel();
    town.text(TOM, SMS, "Hello").await;
    assert_eq!(town.delivery(TOM).await, Some(Delivery::Queued));
    assert_eq!(
        town.app.house.catch_up_once().await.unwrap(),
        CaughtUp::default()
    );
    town.app.wait(SignedDuration::from_mins(6));
    let found = town.app.house.catch_up_once().await.unwrap();
    assert_eq!((found.texts, found.reports), (0, 1));
    assert_eq!(town.delivery(TOM).await, Some(Delivery::Delivered));
}

async fn redacted(store: Store) {
    let town = Town::new(store).await;
    let answers = town.text(TOM, SMS, "Hello").await;
    assert!(!answers[0].is_empty());
    town.app.house.redact_once().await.unwrap();
    assert_eq!(
        town.last(TOM).sent.body,
        "",
        "Twilio has no words of it any more"
    );
    let conversation = town.app.conversation(TOM).await;
    let turns = town
        .app
        .house
        .store()
        .turns(conversation.id, 10)
        .await
        .unwrap();
    assert_eq!(turns.last().unwrap().body.as_str(), answers[0], "we do");
}

async fn opted_out(store: Store) {
    for (number, kind, code) in [
        (SMS, CarrierKind::Twilio, "21610"),
        ("+14155550104", CarrierKind::Bandwidth, "4775"),
    ] {
        let town = Town::new(store.clone()).await;
        let patient = if kind == CarrierKind::Twilio {
            TOM
        } else {
            JAMES
        };
        town.fake.opt_out(number, patient);
        let (_, post) = town.written(kind, sending(patient, number, "Hello", None), Vec::new());
        assert!(town.post(&post).await.status.is_success());
        town.settle().await;
        assert_eq!(town.phone(patient), Vec::<String>::new(), "{kind}");
        assert_eq!(
            town.delivery(patient).await,
            Some(Delivery::Suppressed),
            "{kind}"
        );
        let state = town.app.conversation(patient).await.consent.state;
        assert_eq!(state, ConsentState::OptedOut, "{kind}");
        let told = format!("not delivered: the person opted out at the carrier ({code})");
        assert!(
            town.app.held().await.contains(&told),
            "{kind}: {:?}",
            town.app.held().await
        );
    }
}

async fn opted_out_later(store: Store) {
    let town = Town::new(store).await;
    let number = "+14155550105";
    town.fake.opt_out(number, TOM);
    let (_, post) = town.written(
        CarrierKind::Messagebird,
        sending(TOM, number, "Hello", None),
        Vec::new(),
    );
    assert!(town.post(&post).await.status.is_success());
    town.settle().await;
    assert_eq!(town.delivery(TOM).await, Some(Delivery::Failed));
    assert_eq!(
        town.app.conversation(TOM).await.consent.state,
        ConsentState::OptedOut
    );
    assert_eq!(
        town.app.held().await,
        ["not delivered: the person opted out at the carrier (103)"]
    );
}

async fn card(store: Store) {
    let address = "https://lakeside.example.com/card.vcf";
    let town = Town::with(store, |practice| {
        practice.senders[0].contact_card = Some(address.to_owned());
    })
    .await;
    town.text(TOM, SMS, "Hello").await;
    assert_eq!(town.last(TOM).sent.files, [address]);
    town.text(TOM, SMS, "YES").await;
    assert_eq!(town.last(TOM).sent.files, Vec::<String>::new());
}
