//! Secure e-mail, by a real mail server: chosen by the patient, confirmed, told of, sent back, put off.

use anteroom::domain::practice::PortalFactor;
use anteroom::mail::{Letter, Posted, Secrecy};
use anteroom::pipeline::mail_choice::MailAnswer;
use anteroom::pipeline::portal::Opening;
use anteroom::pipeline::portal_room::{Choice, Room};
use anteroom::pipeline::work::Step;
use jiff::SignedDuration;
use jiff::civil::{Date, date};

use super::answer_token;
use crate::support::app::{App, TOM};
use crate::support::exim::Exim;
use crate::support::stores;

const BORN: Date = date(1978, 7, 4);
const ADDRESS: &str = "tom@example.com";

/// A house with a relay, in which Tom has a link.
pub(super) async fn linked(exim: &Exim, factor: PortalFactor) -> (App, String, stores::Kept) {
    let kept = stores::sqlite().await;
    let relay = exim.relay(|_| ());
    let app = App::with_mail(kept.store.clone(), relay, |it| it.portal_factor = factor).await;
    app.agreed(TOM).await;
    app.one(TOM, "Are my biopsy results in?").await;
    let token = answer_token(&app, TOM);
    (app, token, kept)
}

async fn room(app: &App, token: &str) -> Room {
    let opening = app.house.portal_open(token, BORN, "").await.unwrap();
    let Opening::Shown(_, Some(session)) = opening else {
        panic!("{opening:?}");
    };
    app.house
        .portal_room(token, &session)
        .await
        .unwrap()
        .unwrap()
}

/// Posts what is due.
pub(super) async fn post(app: &App) {
    while app.house.mail_once().await.unwrap() == Step::Worked {}
}

fn code(letter: &str) -> String {
    let mut words = letter.split(|c: char| !c.is_ascii_digit());
    words.rfind(|it| it.len() == 6).unwrap().to_owned()
}

/// Tom asks for e-mail and shows that the address is his.
pub(super) async fn chosen(exim: &Exim, app: &App, token: &str) -> Room {
    let room = room(app, token).await;
    let asked = app.house.portal_mail_ask(&room, ADDRESS).await.unwrap();
    assert_eq!(asked, MailAnswer::CodeSent);
    post(app).await;
    let code = code(&exim.letters(ADDRESS, 1)[0]);
    let said = app.house.portal_mail_confirm(&room, &code).await.unwrap();
    assert_eq!(said, MailAnswer::Confirmed);
    room
}

/// What staff read last of the letters of Tom's conversation.
pub(super) async fn last_letter(app: &App) -> (String, String) {
    let id = app.conversation(TOM).await.id;
    let letters = app.house.store().letters(id, 1).await.unwrap();
    (letters[0].state.clone(), letters[0].code.clone())
}

#[tokio::test]
async fn a_patient_who_confirmed_an_address_is_told_by_a_notice_that_tells_nothing() {
    let exim = Exim::start();
    let (app, token, _kept) = linked(&exim, PortalFactor::None).await;
    let entered = room(&app, &token).await;
    for typed in ["", "tom", "tom@localhost", "a@example.com, b@example.com"] {
        let said = app.house.portal_mail_ask(&entered, typed).await.unwrap();
        assert_eq!(said, MailAnswer::BadAddress, "{typed}");
    }
    let said = app
        .house
        .portal_mail_confirm(&entered, "123456")
        .await
        .unwrap();
    assert_eq!(said, MailAnswer::BadCode, "before one was asked for");
    let room = chosen(&exim, &app, &token).await;
    let shown = app.house.portal_mail(&room).await.unwrap();
    assert_eq!(shown.confirmed.as_deref(), Some("t***@example.com"));
    // The next secure message: by text as ever, and by e-mail the same link.
    let text = app.one(TOM, "Are my biopsy results in?").await;
    let link = text
        .split_whitespace()
        .find(|it| it.contains("/p/"))
        .unwrap();
    let link = link.trim_end_matches(['.', ',']);
    post(&app).await;
    let letters = exim.letters(ADDRESS, 2);
    let letter = letters.last().unwrap();
    assert!(letter.contains(link), "{letter}");
    for head in [
        "Subject: Lakeside Family Medicine: you have a new message\n",
        "Auto-Submitted: auto-generated\n",
        "Message-ID: <anteroom-",
        "Return-path: <bounces@lakeside.example.com>\n",
        "TLS1",
    ] {
        assert!(letter.contains(head), "{head}: {letter}");
    }
    let (_, words) = letter.split_once("\n\n").unwrap();
    for told in ["Tom", "Nguyen", "biopsy", "benign", "result", "1978"] {
        assert!(
            !words.to_lowercase().contains(&told.to_lowercase()),
            "{told}: {letter}"
        );
    }
    assert_eq!(last_letter(&app).await.0, "sent");
    // No e-mail any more.
    let said = app.house.portal_mail_off(&room).await.unwrap();
    assert_eq!(said, MailAnswer::Off);
    app.one(TOM, "Are my biopsy results in?").await;
    post(&app).await;
    assert_eq!(exim.letters(ADDRESS, 2).len(), 2);
    let log = app.audited().await;
    for action in ["mail.asked", "mail.chosen", "mail.sent", "mail.ended"] {
        assert!(log.iter().any(|it| it == action), "{action}: {log:?}");
    }
}

#[tokio::test]
async fn a_code_is_for_its_address_for_half_an_hour_and_for_five_tries() {
    let exim = Exim::start();
    let (app, token, _kept) = linked(&exim, PortalFactor::None).await;
    let room = room(&app, &token).await;
    app.house.portal_mail_ask(&room, ADDRESS).await.unwrap();
    post(&app).await;
    let right = code(&exim.letters(ADDRESS, 1)[0]);
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    for _ in 0..5 {
        let said = app.house.portal_mail_confirm(&room, wrong).await.unwrap();
        assert_eq!(said, MailAnswer::BadCode);
    }
    let said = app.house.portal_mail_confirm(&room, &right).await.unwrap();
    assert_eq!(said, MailAnswer::TooMany);
    // A new code counts anew, until it is too old.
    app.house.portal_mail_ask(&room, ADDRESS).await.unwrap();
    post(&app).await;
    let right = code(&exim.letters(ADDRESS, 2)[1]);
    app.wait(SignedDuration::from_mins(31));
    let said = app.house.portal_mail_confirm(&room, &right).await.unwrap();
    assert_eq!(said, MailAnswer::BadCode);
    // Nobody's mailbox is filled.
    let mut sent = 2;
    for _ in 0..6 {
        let said = app.house.portal_mail_ask(&room, ADDRESS).await.unwrap();
        sent += u32::from(said == MailAnswer::CodeSent);
    }
    assert_eq!(sent, 5);
    let shown = app.house.portal_mail(&room).await.unwrap();
    assert_eq!(shown.confirmed, None);
}

#[tokio::test]
async fn what_comes_back_is_recorded_told_to_staff_and_not_tried_again() {
    let exim = Exim::start();
    let (app, token, _kept) = linked(&exim, PortalFactor::None).await;
    let room = chosen(&exim, &app, &token).await;
    // It is taken, and comes back hours later.
    exim.set("back", true);
    app.one(TOM, "Are my biopsy results in?").await;
    post(&app).await;
    assert_eq!(last_letter(&app).await.0, "sent");
    let bounce = exim.letters("bounces@lakeside.example.com", 1).remove(0);
    assert!(app.house.mail_bounced(bounce.as_bytes()).await.unwrap());
    assert!(
        !app.house.mail_bounced(bounce.as_bytes()).await.unwrap(),
        "told once"
    );
    assert_eq!(last_letter(&app).await, ("bounced".into(), "5.0.0".into()));
    assert!(app.held().await.iter().any(|it| it.contains("e-mail")));
    assert!(app.house.portal_mail(&room).await.unwrap().bounced);
    app.one(TOM, "Are my biopsy results in?").await;
    assert_eq!(
        app.house.mail_once().await.unwrap(),
        Step::Idle,
        "not mailed to any more"
    );
    // Confirmed again, it counts again; a mailbox that is not there is refused at once.
    exim.set("back", false);
    app.house.portal_mail_ask(&room, ADDRESS).await.unwrap();
    post(&app).await;
    let right = code(exim.letters(ADDRESS, 2).last().unwrap());
    app.house.portal_mail_confirm(&room, &right).await.unwrap();
    exim.set("refused", true);
    app.one(TOM, "Are my biopsy results in?").await;
    post(&app).await;
    assert_eq!(last_letter(&app).await, ("refused".into(), "550".into()));
    assert!(app.house.portal_mail(&room).await.unwrap().bounced);
    let log = app.audited().await;
    for action in ["mail.bounced", "mail.not_sent"] {
        assert!(log.iter().any(|it| it == action), "{action}: {log:?}");
    }
}

#[tokio::test]
async fn what_cannot_leave_now_is_tried_again_for_a_day() {
    let exim = Exim::start();
    let (app, token, _kept) = linked(&exim, PortalFactor::None).await;
    chosen(&exim, &app, &token).await;
    exim.set("later", true);
    app.one(TOM, "Are my biopsy results in?").await;
    post(&app).await;
    assert_eq!(last_letter(&app).await, ("waiting".into(), "451".into()));
    exim.set("later", false);
    app.wait(SignedDuration::from_secs(29));
    post(&app).await;
    assert_eq!(last_letter(&app).await.0, "waiting", "not before it is due");
    app.wait(SignedDuration::from_secs(2));
    post(&app).await;
    assert_eq!(last_letter(&app).await.0, "sent");
    // For good: the wait doubles, then staff are told.
    exim.set("later", true);
    app.one(TOM, "Are my biopsy results in?").await;
    let mut hours = 0;
    while last_letter(&app).await.0 == "waiting" && hours < 60 {
        post(&app).await;
        app.wait(SignedDuration::from_hours(1));
        hours += 1;
    }
    assert_eq!(last_letter(&app).await, ("failed".into(), "451".into()));
    assert!(hours > 18, "{hours}");
    assert!(app.held().await.iter().any(|it| it.contains("e-mail")));
}

#[tokio::test]
async fn whoever_stopped_texts_gets_the_code_of_a_link_by_e_mail() {
    let exim = Exim::start();
    let (app, token, _kept) = linked(&exim, PortalFactor::Code).await;
    let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
    let Opening::Coded { session, .. } = opening else {
        panic!("{opening:?}");
    };
    app.drain().await;
    let texted = code(&app.received_by(TOM).pop().unwrap());
    let opening = app
        .house
        .portal_code(&token, &session, &texted)
        .await
        .unwrap();
    let Opening::Shown(_, Some(whole)) = opening else {
        panic!("{opening:?}");
    };
    let room = app
        .house
        .portal_room(&token, &whole)
        .await
        .unwrap()
        .unwrap();
    app.house.portal_mail_ask(&room, ADDRESS).await.unwrap();
    post(&app).await;
    let right = code(&exim.letters(ADDRESS, 1)[0]);
    app.house.portal_mail_confirm(&room, &right).await.unwrap();
    assert!(
        app.house
            .portal_choose(&room, Choice::NoTexts)
            .await
            .unwrap()
    );
    let before = app.received_by(TOM).len();
    let opening = app.house.portal_open(&token, BORN, "").await.unwrap();
    let Opening::Coded { session, tail, .. } = opening else {
        panic!("{opening:?}");
    };
    assert_eq!(tail, "", "not by text");
    post(&app).await;
    let mailed = code(exim.letters(ADDRESS, 2).last().unwrap());
    let opening = app
        .house
        .portal_code(&token, &session, &mailed)
        .await
        .unwrap();
    assert!(matches!(opening, Opening::Shown(..)), "{opening:?}");
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), before);
}

#[tokio::test]
async fn nothing_leaves_without_tls_that_is_trusted_or_with_a_wrong_password() {
    let exim = Exim::start();
    let letter = Letter {
        id: [7; 16],
        sender: "Lakeside Family Medicine".to_owned(),
        to: ADDRESS.into(),
        subject: "Lakeside Family Medicine: you have a new message".to_owned(),
        text: "Open the link.".to_owned(),
    };
    assert_eq!(exim.relay(|_| ()).examine().await, Ok(()));
    let stranger = exim.relay(|it| it.ca = None);
    assert!(stranger.examine().await.unwrap_err().contains("TLS"));
    assert!(matches!(stranger.post(&letter).await, Posted::Later(why) if why.contains("TLS")));
    let other = exim.relay(|it| it.host = "127.0.0.1".to_owned());
    assert!(
        matches!(other.post(&letter).await, Posted::Later(_)),
        "another name"
    );
    let wrong = exim.relay(|it| it.password = "four herons".to_owned().into());
    assert!(wrong.examine().await.unwrap_err().contains("password"));
    assert_eq!(wrong.post(&letter).await, Posted::Later("535".to_owned()));
    let closed = exim.relay(|it| it.port = 1);
    assert!(matches!(closed.post(&letter).await, Posted::Later(_)));
    let plain = exim.relay(|it| it.tls = Secrecy::Implicit);
    assert!(
        matches!(plain.post(&letter).await, Posted::Later(_)),
        "no TLS from the first byte"
    );
    assert_eq!(exim.letters(ADDRESS, 0).len(), 0);
}
