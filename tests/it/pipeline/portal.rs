//! The portal behind a link: the second factor, the secure thread, choices and requests.

use anteroom::domain::consent::ConsentState;
use anteroom::domain::practice::PortalFactor;
use anteroom::domain::record::RequestKind;
use anteroom::pipeline::portal::{LinkState, Opening};
use anteroom::pipeline::portal_room::{Choice, Look, Replied, Room};
use jiff::SignedDuration;
use jiff::civil::{Date, date};

use super::answer_token;
use crate::support::app::{App, TOM};
use crate::support::stores;

const BORN: Date = date(1978, 7, 4);

/// A house in which Tom has a link, under this second factor.
async fn linked(factor: PortalFactor) -> (App, String, stores::Kept) {
    let kept = stores::sqlite().await;
    let app = App::with_practice(kept.store.clone(), |it| it.portal_factor = factor).await;
    app.refile(TOM, |it| {
        it.address = Some("12 Lake Street, Springfield, CA 94016".into());
    })
    .await;
    app.agreed(TOM).await;
    app.one(TOM, "Are my biopsy results in?").await;
    let token = answer_token(&app, TOM);
    (app, token, kept)
}

/// The code of the text that came last.
fn code(app: &App) -> String {
    let last = app.received_by(TOM).pop().unwrap();
    assert!(last.contains("your code is"), "{last}");
    let mut words = last.split(|c: char| !c.is_ascii_digit());
    words.rfind(|it| it.len() == 6).unwrap().to_owned()
}

/// A session at a link that asks for nothing more than the birth date.
async fn room(app: &App, token: &str) -> (Room, String) {
    let opening = app.house.portal_open(token, BORN, "").await.unwrap();
    let Opening::Shown(_, Some(session)) = opening else {
        panic!("{opening:?}");
    };
    let room = app.house.portal_room(token, &session).await.unwrap();
    (room.unwrap(), session)
}

#[tokio::test]
async fn a_code_by_text_opens_the_link_once_and_nothing_else_does() {
    let (app, token, _kept) = linked(PortalFactor::Code).await;
    let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
    let Opening::Coded { session, tail, .. } = opening else {
        panic!("{opening:?}");
    };
    assert_eq!(tail, "14");
    app.drain().await;
    let code = code(&app);
    // The half session shows nothing, and the code without it neither.
    assert!(
        app.house
            .portal_room(&token, &session)
            .await
            .unwrap()
            .is_none()
    );
    let other = "a-cookie-of-somebody-else-0123456789";
    let opening = app.house.portal_code(&token, other, &code).await.unwrap();
    assert!(
        matches!(opening, Opening::Closed(LinkState::Asking(_))),
        "{opening:?}"
    );
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let opening = app
        .house
        .portal_code(&token, &session, wrong)
        .await
        .unwrap();
    assert!(
        matches!(opening, Opening::Wrong { tries_left: 3, .. }),
        "{opening:?}"
    );
    let (front, back) = code.split_at(3);
    let spaced = format!("{front} {back}");
    let opening = app
        .house
        .portal_code(&token, &session, &spaced)
        .await
        .unwrap();
    let Opening::Shown(message, Some(whole)) = opening else {
        panic!("{opening:?}");
    };
    assert!(message.body.as_str().to_lowercase().contains("benign"));
    assert!(
        app.house
            .portal_room(&token, &whole)
            .await
            .unwrap()
            .is_some()
    );
    // It is used up, and the half session is over.
    let opening = app
        .house
        .portal_code(&token, &session, &code)
        .await
        .unwrap();
    assert!(
        matches!(opening, Opening::Closed(LinkState::Asking(_))),
        "{opening:?}"
    );
    let log = app.audited().await;
    for action in ["portal.code_sent", "portal.refused", "portal.opened"] {
        assert!(log.iter().any(|it| it == action), "{action}");
    }
}

#[tokio::test]
async fn a_code_ends_and_no_more_than_a_few_are_texted() {
    let (app, token, _kept) = linked(PortalFactor::Code).await;
    let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
    let Opening::Coded { session, .. } = opening else {
        panic!("{opening:?}");
    };
    app.drain().await;
    let code = code(&app);
    app.wait(SignedDuration::from_mins(11));
    let opening = app
        .house
        .portal_code(&token, &session, &code)
        .await
        .unwrap();
    assert!(
        matches!(opening, Opening::Closed(LinkState::Asking(_))),
        "{opening:?}"
    );
    let mut texted = 1;
    for _ in 0..6 {
        let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
        texted += u32::from(matches!(opening, Opening::Coded { .. }));
    }
    assert_eq!(texted, 4);
}

#[tokio::test]
async fn nobody_who_opted_out_is_texted_a_code() {
    let (app, token, _kept) = linked(PortalFactor::Code).await;
    app.text(TOM, "STOP").await;
    let before = app.received_by(TOM).len();
    let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
    assert!(matches!(opening, Opening::Uncodable(_)), "{opening:?}");
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), before);
}

#[tokio::test]
async fn the_zip_code_on_file_opens_and_a_wrong_one_does_not_say_which_part_is_wrong() {
    let (app, token, _kept) = linked(PortalFactor::Zip).await;
    for (born, zip, left) in [
        (BORN, "", 4),
        (BORN, "94017", 3),
        (date(1978, 7, 5), "94016", 2),
    ] {
        let opening = app.house.portal_open(&token, born, zip).await.unwrap();
        assert!(
            matches!(opening, Opening::Wrong { tries_left, .. } if tries_left == left),
            "{opening:?}"
        );
    }
    let opening = app
        .house
        .portal_open(&token, BORN, "94016-1234")
        .await
        .unwrap();
    assert!(matches!(opening, Opening::Shown(_, Some(_))), "{opening:?}");
    // Whoever has shown who they are is no guesser: the tries are whole again.
    let opening = app.house.portal_open(&token, BORN, "1").await.unwrap();
    assert!(
        matches!(opening, Opening::Wrong { tries_left: 4, .. }),
        "{opening:?}"
    );
    // Without an address on file there is a code.
    app.refile(TOM, |it| it.address = None).await;
    let opening = app.house.portal_open(&token, BORN, "94016").await.unwrap();
    assert!(matches!(opening, Opening::Coded { .. }), "{opening:?}");
}

#[tokio::test]
async fn five_wrong_answers_close_the_link_and_tell_staff() {
    let (app, token, _kept) = linked(PortalFactor::None).await;
    for _ in 0..5 {
        app.house
            .portal_open(&token, date(1980, 1, 1), "")
            .await
            .unwrap();
    }
    let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
    assert!(
        matches!(opening, Opening::Closed(LinkState::Locked(_))),
        "{opening:?}"
    );
    assert_eq!(app.held().await, ["portal link closed after wrong answers"]);
}

#[tokio::test]
async fn a_link_that_is_opened_often_stays_open() {
    let (app, token, _kept) = linked(PortalFactor::None).await;
    for _ in 0..8 {
        let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
        assert!(matches!(opening, Opening::Shown(..)), "{opening:?}");
    }
}

#[tokio::test]
async fn a_session_ends_and_belongs_to_its_link() {
    let (app, token, _kept) = linked(PortalFactor::None).await;
    let (_, session) = room(&app, &token).await;
    app.one(TOM, "Are my biopsy results in?").await;
    let other = answer_token(&app, TOM);
    assert_ne!(token, other);
    let at = async |token: &str| app.house.portal_room(token, &session).await.unwrap();
    assert!(at(&other).await.is_none());
    app.wait(SignedDuration::from_mins(14));
    assert!(at(&token).await.is_some());
    app.wait(SignedDuration::from_mins(16));
    assert!(at(&token).await.is_none());
    let (_, session) = room(&app, &token).await;
    app.house.portal_leave(&session).await.unwrap();
    assert!(
        app.house
            .portal_room(&token, &session)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn what_is_written_there_is_for_staff_and_a_call_for_help_is_answered_at_once() {
    let (app, token, _kept) = linked(PortalFactor::None).await;
    let (room, _) = room(&app, &token).await;
    let before = app.received_by(TOM).len();
    let words = "Does benign mean that I need no surgery?";
    for _ in 0..2 {
        // Sent twice by a double click, kept once.
        let replied = app
            .house
            .portal_reply(&room, words, Vec::new())
            .await
            .unwrap();
        assert_eq!(replied, Replied::Kept);
    }
    let thread = app.house.portal_thread(&room, Look::Page).await.unwrap();
    let kept = app.house.portal_thread(&room, Look::Download).await;
    assert_eq!(kept.unwrap(), thread, "the file holds what the page shows");
    let said: Vec<(bool, &str)> = thread
        .iter()
        .map(|it| (it.ours, it.body.as_str()))
        .collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].0 && said[0].1.to_lowercase().contains("benign"));
    assert_eq!(said[1], (false, words));
    assert_eq!(app.held().await, ["wrote in the portal"]);
    // No text answers it, and the next text of the patient's is answered as ever.
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), before);
    let replied = app
        .house
        .portal_reply(&room, "I can't breathe and my chest hurts", Vec::new())
        .await
        .unwrap();
    let Replied::Urgent(said) = replied else {
        panic!("{replied:?}");
    };
    assert!(said.contains("911"), "{said}");
    assert_eq!(app.house.store().open_alarms().await.unwrap().len(), 1);
    let log = app.audited().await;
    for action in [
        "portal.viewed",
        "portal.downloaded",
        "portal.replied",
        "alarm.raised",
    ] {
        assert!(log.iter().any(|it| it == action), "{action}");
    }
}

#[tokio::test]
async fn choices_made_there_move_consent_as_texts_do() {
    let (app, token, _kept) = linked(PortalFactor::None).await;
    let (room, session) = room(&app, &token).await;
    assert_eq!(room.choices(), [Choice::NoDetails, Choice::NoTexts]);
    assert!(!app.house.portal_choose(&room, Choice::Texts).await.unwrap());
    let chosen = async |choice| {
        let room = app
            .house
            .portal_room(&token, &session)
            .await
            .unwrap()
            .unwrap();
        assert!(app.house.portal_choose(&room, choice).await.unwrap());
        app.conversation(TOM).await.consent.state
    };
    assert_eq!(chosen(Choice::NoDetails).await, ConsentState::Declined);
    assert_eq!(chosen(Choice::Details).await, ConsentState::Granted);
    assert!(app.conversation(TOM).await.proof(app.clock_now()).is_some());
    assert_eq!(chosen(Choice::NoTexts).await, ConsentState::OptedOut);
    assert!(app.text(TOM, "When is my appointment?").await.is_empty());
    assert_ne!(chosen(Choice::Texts).await, ConsentState::OptedOut);
    let id = app.conversation(TOM).await.id;
    let ledger = app.house.store().consent_ledger(id).await.unwrap();
    let events: Vec<&str> = ledger.iter().map(|it| it.event.as_str()).collect();
    assert!(
        events.ends_with(&["no", "notice_sent", "yes", "stop", "start"]),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_request_for_records_opens_one_case_with_its_day() {
    let (app, token, _kept) = linked(PortalFactor::None).await;
    let (room, _) = room(&app, &token).await;
    let due = app
        .house
        .portal_records(&room, "All of it, by mail")
        .await
        .unwrap();
    assert_eq!(
        due.duration_since(app.clock_now()),
        SignedDuration::from_hours(720)
    );
    app.wait(SignedDuration::from_mins(1));
    let again = app.house.portal_records(&room, "Again").await.unwrap();
    assert_eq!(again, due, "the case that is open stays the only one");
    let open = app
        .house
        .store()
        .open_requests(app.practice())
        .await
        .unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].filed.request.kind, RequestKind::Records);
    assert_eq!(app.held().await, ["asks for a copy of the record"]);
}

#[tokio::test]
async fn a_message_outlives_its_link_and_stands_behind_the_next() {
    let (app, token, _kept) = linked(PortalFactor::None).await;
    let (first, _) = room(&app, &token).await;
    let said = app.house.portal_thread(&first, Look::Page).await.unwrap();
    let said = said.into_iter().next().unwrap();
    app.wait(SignedDuration::from_hours(24 * 8));
    app.house.erase_once().await.unwrap();
    let state = app.house.portal_state(&token).await.unwrap();
    assert!(
        matches!(state, LinkState::Expired(_)),
        "the link ends: {state:?}"
    );
    app.one(TOM, "Are my biopsy results in?").await;
    let next = answer_token(&app, TOM);
    assert_ne!(next, token);
    let (room, _) = room(&app, &next).await;
    let thread = app.house.portal_thread(&room, Look::Page).await.unwrap();
    assert_eq!(thread.len(), 2, "{thread:?}");
    assert_eq!(thread[0], said, "the oldest first, as it was");
}
