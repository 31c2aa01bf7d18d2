//! What a patient may always ask, and what a NO, a night or a practice's name must not do to them.

#![cfg(test)]

use anteroom::domain::consent::{ConsentPurpose, ConsentState};
use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::waiting::Errand;
use anteroom::pipeline::wish::{Wish, Wished};
use anteroom::store::Store;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA, TOM};
use crate::support::stores;
use crate::support::transcript::play;

stories! {
    whoever_changes_their_mind_after_no_is_asked_again => reopened;
    a_yes_to_something_else_after_no_brings_nothing_back => not_reopened;
    a_notice_kept_for_the_morning_mutes_nobody => night;
    help_at_night_is_answered_and_the_notice_waits_for_the_morning => help_at_night;
    a_reminder_kept_for_the_morning_holds_up_no_answer => reminder_at_night;
    who_writes_is_told_before_and_after_yes_in_one_text => who_writes;
    the_notice_is_put_in_the_language_that_is_asked_for => in_their_language;
    a_yes_in_the_other_language_changes_no_language => a_word_is_no_language;
    cancel_at_the_question_says_that_the_visit_stands => cancel_stands;
    a_name_that_tells_a_condition_is_in_no_text => discreet;
    a_name_for_texts_is_used => named;
    help_names_the_page_of_the_practice => help_url;
}

async fn wish(app: &App) -> Wished {
    let wish = Wish {
        practice: app.practice().clone(),
        request: "r-1".to_owned(),
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

/// A number of nobody on file.
fn caller(n: usize) -> String {
    format!("+141555501{:02}", 60 + n)
}

async fn reopened(store: Store) {
    let app = App::new(store).await;
    let words = [
        "START",
        "YES",
        "yes please",
        "ok YES",
        "YES I agree to texts",
        "unstop",
        "sí",
    ];
    for (n, word) in words.iter().enumerate() {
        let number = caller(n);
        let again = format!(
            "patient: hi
             practice: Reply YES
             (5 minutes pass)
             patient: NO
             practice: reminders or health details & START & STOP
             (consent: declined)
             patient: {word}
             practice: YES & !all set
             (consent: notice_sent)
             (5 minutes pass)
             patient: YES
             practice: all set
             (consent: granted)"
        );
        // "sí" is no change of language.
        play(&app, &number, &again).await;
        let consent = app.conversation(&number).await.consent;
        assert_eq!(
            consent.standing(ConsentPurpose::Contact),
            ConsentState::Granted,
            "{word}"
        );
    }
    // And the practice may ask again, as after any first word.
    app.text(TOM, "hi").await;
    app.text(TOM, "NO").await;
    assert!(matches!(wish(&app).await, Wished::Refused(_)));
    app.text(TOM, "START").await;
    let consent = app.conversation(TOM).await.consent;
    assert_eq!(
        consent.standing(ConsentPurpose::Contact),
        ConsentState::Granted
    );
}

async fn not_reopened(store: Store) {
    let app = App::new(store).await;
    for (n, word) in [
        "yesterday I called",
        "ok",
        "thanks",
        "what are your hours?",
        "no",
    ]
    .iter()
    .enumerate()
    {
        let number = caller(n);
        app.text(&number, "hi").await;
        app.text(&number, "NO").await;
        app.text(&number, word).await;
        let state = app.conversation(&number).await.consent.state;
        assert_eq!(state, ConsentState::Declined, "{word}");
    }
}

/// Ten in the evening where the patient is, and a reminder was asked for that nobody agreed to yet.
async fn evening(store: Store) -> App {
    let app = App::new(store).await;
    app.wait(jiff::SignedDuration::from_hours(12));
    assert!(matches!(wish(&app).await, Wished::Taken(_)));
    assert_eq!(app.received_by(TOM), Vec::<String>::new(), "not at night");
    app
}

async fn night(store: Store) {
    for first in ["hi", "YES", "when is my appointment?", "hello??"] {
        let kept = stores::sqlite().await;
        let app = evening(kept.store.clone()).await;
        let story = format!(
            "patient: {first}
             practice: Reply YES
             (consent: notice_sent)
             patient: YES
             (consent: granted)"
        );
        play(&app, TOM, &story).await;
        let now = app.text(TOM, "Where is it?").await;
        assert!(!now.is_empty(), "answered at once after {first}");
    }
    let app = evening(store).await;
    play(
        &app,
        TOM,
        "patient: are you a robot?
         (the rest is done)",
    )
    .await;
    let told = app.received_by(TOM).join("\n");
    assert!(
        told.contains("not a person") && told.contains("Reply YES"),
        "{told}"
    );
}

async fn help_at_night(store: Store) {
    let app = evening(store).await;
    play(
        &app,
        TOM,
        "patient: HELP
         practice: 415-555-0100
         (12 hours pass)
         practice: Reply YES",
    )
    .await;
}

async fn reminder_at_night(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.wait(jiff::SignedDuration::from_hours(12));
    assert!(matches!(wish(&app).await, Wished::Taken(_)));
    play(
        &app,
        TOM,
        "patient: What are your hours?
         practice: 8:00",
    )
    .await;
}

async fn who_writes(store: Store) {
    let app = App::new(store).await;
    let questions = [
        ("are you a robot", "not a person"),
        ("who is this", "not a person"),
        ("are you a therapist?", "not a person"),
        ("are you a doctor", "not a person"),
        ("what are you", "not a person"),
        ("am I talking to a person", "not a person"),
        ("¿es usted médico?", "no una persona"),
        ("¿es usted una doctora?", "no una persona"),
    ];
    for (n, (question, told)) in questions.iter().enumerate() {
        let number = caller(n);
        let hello = if told.starts_with("no ") {
            "hola buenas tardes"
        } else {
            "hi"
        };
        let before = format!(
            "patient: {hello}
             practice: 911
             patient: {question}
             practice: {told}"
        );
        play(&app, &number, &before).await;
        let conversation = app.conversation(&number).await;
        assert_eq!(conversation.consent.state, ConsentState::NoticeSent);
        app.text(&number, "YES").await;
        let held = app.held().await.len();
        let answer = app.one(&number, question).await;
        assert!(answer.contains(told), "{question}: {answer}");
        let said =
            answer.matches("AI assistant").count() + answer.matches("asistente de IA").count();
        assert_eq!(said, 1, "once: {answer}");
        assert_eq!(
            app.held().await.len(),
            held,
            "nobody asked for staff: {question}"
        );
    }
    // With more in the same text, both are answered, and who writes is told once.
    app.agreed(MARIA).await;
    let both = app
        .one(
            MARIA,
            "Are you a robot? And when is my appointment, please?",
        )
        .await;
    assert!(both.contains("Dec"), "{both}");
    assert_eq!(both.matches("AI assistant").count(), 1, "{both}");
}

async fn in_their_language(store: Store) {
    let app = App::new(store).await;
    let cases = [
        ("hi", "Reply YES", "ok pero en español", "Responda SI"),
        ("hi", "Reply YES", "in Spanish please", "Responda SI"),
        ("hi", "Reply YES", "no hablo inglés", "Responda SI"),
        ("hi", "Reply YES", "hola, quiero una cita", "Responda SI"),
        (
            "hola buenas tardes",
            "Responda SI",
            "english please",
            "Reply YES",
        ),
    ];
    for (n, (first, notice, asks, again)) in cases.iter().enumerate() {
        let number = caller(n);
        let story = format!(
            "patient: {first}
             practice: {notice}
             patient: {asks}
             practice: {again}
             (consent: notice_sent)"
        );
        play(&app, &number, &story).await;
    }
}

async fn a_word_is_no_language(store: Store) {
    let app = App::new(store).await;
    play(
        &app,
        TOM,
        "patient: When is my appointment?
         practice: Reply YES
         patient: SI
         practice: Dec 1 & !cita
         patient: Can I move it to Thursday?
         practice: Reply with the number",
    )
    .await;
}

async fn cancel_stands(store: Store) {
    let app = App::new(store).await;
    app.agreed(JAMES).await;
    play(
        &app,
        JAMES,
        "patient: cancel my appointment
         practice: Reply YES to cancel
         patient: CANCEL
         practice: visits are not changed & 415-555-0100 & no more texts
         (consent: opted_out)
         (staff: CANCEL ended texts; the visit was open)",
    )
    .await;
}

async fn discreet(store: Store) {
    let app = App::with_practice(store, |practice| {
        "Lakeside Addiction Counseling".clone_into(&mut practice.name);
        "behavioral_health".clone_into(&mut practice.kind);
    })
    .await;
    for (number, words) in [
        (
            TOM,
            &[
                "When is my appointment?",
                "HELP",
                "who is this",
                "YES",
                "When is my appointment?",
                "what is your name",
                "PERSON",
                "STOP",
            ][..],
        ),
        (
            MARIA,
            &[
                "¿Cuándo es mi cita?",
                "AYUDA",
                "SI",
                "¿Cuándo es mi cita?",
                "NO",
                "STOP",
            ][..],
        ),
        (JAMES, &["hi", "NO", "are you open?"][..]),
    ] {
        for said in words {
            app.text(number, said).await;
        }
        let texts = app.received_by(number);
        assert!(texts.len() >= 3, "{texts:?}");
        for text in &texts {
            let lower = text.to_lowercase();
            assert!(
                !["addiction", "counsel", "lakeside"]
                    .iter()
                    .any(|it| lower.contains(it)),
                "{text}"
            );
        }
    }
    let texts = app.received_by(TOM);
    assert!(texts[0].starts_with("Your Care Team: "), "{texts:?}");
    let texts = app.received_by(MARIA);
    assert!(texts[0].starts_with("Su equipo de salud: "), "{texts:?}");
}

async fn named(store: Store) {
    let app = App::with_practice(store, |practice| {
        "Lakeside Addiction Counseling".clone_into(&mut practice.name);
        "Lakeside".clone_into(&mut practice.text_name);
    })
    .await;
    let notice = app.one(TOM, "hi").await;
    assert!(notice.starts_with("Lakeside: OK to text you?"), "{notice}");
    assert!(!notice.contains("Addiction"), "{notice}");
}

async fn help_url(store: Store) {
    let app = App::with_practice(store, |practice| {
        "https://www.example.com/texts".clone_into(&mut practice.help_url);
    })
    .await;
    let help = app.one(TOM, "HELP").await;
    assert!(help.contains("https://www.example.com/texts"), "{help}");
}
