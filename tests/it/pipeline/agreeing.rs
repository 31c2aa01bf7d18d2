//! Agreeing and leaving: the open question decides what a word means, and STOP is heard in any words.

#![cfg(test)]

use anteroom::domain::consent::Who;
use anteroom::domain::practice::KeywordReplies;
use anteroom::store::Store;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA, NOBODY, TOM};
use crate::support::transcript::play;

stories! {
    stop_between_draft_and_dispatch_lets_only_the_confirmation_leave => stop_in_between;
    yes_with_no_question_open_agrees_to_nothing => yes_to_nothing;
    one_word_means_what_was_asked_last => words;
    cancel_without_a_visit_ends_texts => cancel_alone;
    cancel_with_a_visit_open_ends_texts_and_staff_are_told => cancel_with_visit;
    doubt_asks_once_and_yes_to_it_ends_texts => doubt_then_yes;
    doubt_asks_once_and_doubt_again_ends_texts => doubt_twice;
    doubt_answered_with_no_goes_on_where_it_was => doubt_then_no;
    free_words_end_texts_in_both_languages => free_words;
    words_about_medicine_and_days_end_nothing => not_stop;
    an_emergency_in_the_middle_of_a_choice_comes_first => emergency_within;
    a_carrier_that_answers_keywords_is_not_answered_over => carrier_replies;
    a_carrier_that_lifted_its_block_at_yes_is_followed => carrier_restarts;
    every_step_of_consent_has_its_evidence => evidence;
}

async fn stop_in_between(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "patient writes: When is my appointment?
         (the draft is made)
         (silence)
         patient writes: STOP
         (the rest is done)
         practice: no more texts & START & 415-555-0100 & !Dec 1
         (consent: opted_out)
         patient: hello?
         (silence)",
    )
    .await;
}

async fn yes_to_nothing(store: Store) {
    let app = App::new(store).await;
    play(
        &app,
        TOM,
        "patient: YES
         practice: Reply YES
         (consent: notice_sent)
         (5 minutes pass)
         patient: NO
         practice: 415-555-0100
         (consent: declined)
         patient: OK
         (silence)
         (consent: declined)
         patient: YES
         practice: Reply YES & !Dec 1
         (consent: notice_sent)",
    )
    .await;
}

async fn words(store: Store) {
    let app = App::new(store).await;
    // 1 and C answer no notice; they choose a time.
    play(
        &app,
        JAMES,
        "patient: Can you move my visit to Thursday?
         practice: Reply YES
         (5 minutes pass)
         patient: 1
         practice: YES or NO
         (consent: notice_sent)
         patient: C
         practice: YES or NO
         (consent: notice_sent)
         patient: ok
         practice: 1) & Thu
         (consent: granted)
         patient: 1
         practice: Thu & !1)
         (consent: granted)",
    )
    .await;
    // SI answers the notice, and a cancellation; neither answers the other.
    play(
        &app,
        MARIA,
        "patient: Quiero cancelar mi cita del miércoles
         practice: Responda SI
         patient: si
         practice: Responda SI
         (consent: granted)
         patient: sí
         practice: cancelada
         (consent: granted)",
    )
    .await;
}

async fn cancel_alone(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "patient: CANCEL
         practice: no more texts & 415-555-0100
         (consent: opted_out)
         patient: CANCEL
         (silence)
         patient: START
         practice: YES
         (consent: notice_sent)",
    )
    .await;
    assert_eq!(app.held().await, Vec::<String>::new());
}

async fn cancel_with_visit(store: Store) {
    let app = App::new(store).await;
    app.agreed(JAMES).await;
    play(
        &app,
        JAMES,
        "patient: Can you move it to Thursday?
         practice: 1)
         patient: Cancel.
         practice: no more texts & 415-555-0100
         (consent: opted_out)
         (staff: CANCEL ended texts; the visit was open)
         patient: 1
         (silence)",
    )
    .await;
}

async fn doubt_then_yes(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "patient: too many texts!
         practice: stop texting you & STOP
         (consent: granted)
         patient: yes
         practice: no more texts
         (consent: opted_out)",
    )
    .await;
}

async fn doubt_twice(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "patient: who gave you my number?
         practice: STOP
         patient: not interested
         practice: no more texts
         (consent: opted_out)",
    )
    .await;
}

async fn doubt_then_no(store: Store) {
    let app = App::new(store).await;
    play(
        &app,
        TOM,
        "patient: When is my appointment?
         practice: Reply YES
         (5 minutes pass)
         patient: not interested
         practice: STOP
         patient: no
         practice: YES or NO
         (consent: notice_sent)
         patient: YES
         practice: Dec 1
         (consent: granted)
         patient: too many texts
         practice: STOP
         patient: no
         practice: all set & !Dec 1
         (consent: granted)",
    )
    .await;
}

async fn free_words(store: Store) {
    let app = App::new(store).await;
    for (from, text) in [
        (TOM, "take me off your list"),
        (JAMES, "Please don't text me anymore"),
        (MARIA, "ya no me manden mensajes"),
        (NOBODY, "quítenme de la lista por favor"),
    ] {
        app.agreed(from).await;
        let answer = app.one(from, text).await;
        assert!(answer.contains("START"), "{text}: {answer}");
        let state = app.conversation(from).await.consent.state;
        assert_eq!(state.as_str(), "opted_out", "{text}");
    }
}

async fn not_stop(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    for text in [
        "I'll stop by Friday",
        "when should I stop taking it?",
        "can I stop my medication",
        "the bleeding did not stop yesterday",
    ] {
        app.text(TOM, text).await;
        let state = app.conversation(TOM).await.consent.state;
        assert_eq!(state.as_str(), "granted", "{text}");
    }
}

async fn emergency_within(store: Store) {
    let app = App::new(store).await;
    app.agreed(JAMES).await;
    play(
        &app,
        JAMES,
        "patient: Can you move it to Thursday?
         practice: 1)
         patient: My chest hurts and I can't breathe
         practice: 911 & !1)
         (staff: emergency)
         (consent: granted)",
    )
    .await;
    app.agreed(MARIA).await;
    play(
        &app,
        MARIA,
        "patient: ya no me escriban, me quiero morir
         practice: 988
         (staff: crisis)
         (consent: opted_out)",
    )
    .await;
}

async fn carrier_replies(store: Store) {
    let app = App::with_practice(store, |practice| {
        for sender in &mut practice.senders {
            sender.keywords = KeywordReplies::CarrierReplies;
        }
    })
    .await;
    app.agreed(TOM).await;
    // One word alone is the carrier's to confirm; other words are ours.
    play(
        &app,
        TOM,
        "patient: HELP
         (silence)
         patient: yes
         practice: !unsubscribed
         (consent: granted)
         patient: STOP
         (silence)
         (consent: opted_out)
         patient: HELP
         (silence)
         patient: When is my appointment?
         (silence)
         patient: START
         practice: Reply YES
         (consent: notice_sent)
         patient: stop texting me please
         practice: no more texts
         (consent: opted_out)",
    )
    .await;
    app.agreed(JAMES).await;
    play(
        &app,
        JAMES,
        "patient: Can you move it to Thursday?
         practice: 1)
         patient: CANCEL
         (silence)
         (consent: opted_out)
         (staff: CANCEL ended texts; the visit was open)",
    )
    .await;
}

async fn carrier_restarts(store: Store) {
    let app = App::with_practice(store.clone(), |practice| {
        for sender in &mut practice.senders {
            sender.keywords = KeywordReplies::CarrierReplies;
        }
    })
    .await;
    // The carrier has told the patient that texts are back; health details still need a YES.
    play(
        &app,
        TOM,
        "patient: STOP
         (silence)
         patient: YES
         practice: Reply YES
         (consent: notice_sent)",
    )
    .await;
}

async fn evidence(store: Store) {
    let app = App::new(store).await;
    play(
        &app,
        TOM,
        "patient: Hello
         practice: Reply YES
         patient: Yes please
         practice: How can we help
         patient: STOP
         practice: START",
    )
    .await;
    let conversation = app.conversation(TOM).await;
    let ledger = app
        .house
        .store()
        .consent_ledger(conversation.id)
        .await
        .unwrap();
    let told: Vec<String> = ledger
        .iter()
        .map(|it| {
            let now = it.purposes;
            format!(
                "{} by {}: {} {} {}",
                it.event, it.evidence.who, now.contact, now.phi, now.confirmations
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "wrote by patient: granted unknown unknown",
            "notice_sent by anteroom: granted notice_sent unknown",
            "yes by patient: granted granted unknown",
            "stop by patient: opted_out opted_out opted_out",
        ]
    );
    let yes = &ledger[2];
    assert_eq!(yes.evidence.who, Who::Patient);
    assert!(yes.evidence.message.as_ref().unwrap().starts_with("SM"));
    assert_eq!(yes.evidence.words.as_ref().unwrap().len(), 64);
    let notice = yes.notice.as_ref().unwrap();
    assert!(notice.text_id.starts_with("risk_notice/"), "{notice:?}");
    assert_eq!(notice.sha256.len(), 64);
    assert_eq!(yes.proof.as_ref().unwrap().len(), 64);
    assert!(yes.patient.is_some(), "the record knows one person here");
}
