//! What staff do in a conversation, and what the patient gets of it.

use anteroom::domain::staff::Role;

use crate::console::hand::Lab;
use crate::support::app::{JAMES, MARIA};

#[tokio::test]
async fn staff_words_pass_the_guardrail_and_what_changes_is_seen_first() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let path = format!("/console/answer/{id}");

    let told = desk
        .post(&path, &[("text", "Yes, we open at 8 tomorrow.")])
        .await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    lab.app.drain().await;
    let last = lab.app.received_by(MARIA).pop().unwrap();
    assert_eq!(last, "Yes, we open at 8 tomorrow.");

    let clinical = "Your A1c was 9.2%, Dr. Reyes wants to talk about insulin.";
    let told = desk.post(&path, &[("text", clinical)]).await;
    assert_eq!(told.status, 409);
    let seen = told.json();
    assert_eq!(seen["outcome"], "changed");
    assert_eq!(seen["verdict"], "rewrite");
    let safe = seen["text"].as_str().unwrap();
    assert!(!safe.contains("A1c") && safe.contains("/p/"), "{safe}");
    lab.app.drain().await;
    assert_eq!(
        lab.app.received_by(MARIA).pop().unwrap(),
        last,
        "nothing left yet"
    );

    let other = [("text", clinical), ("seen", "Something else entirely")];
    assert_eq!(desk.post(&path, &other).await.status, 409);
    let told = desk
        .post(&path, &[("text", clinical), ("seen", safe)])
        .await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    lab.app.drain().await;
    let got = lab.app.received_by(MARIA).pop().unwrap();
    assert!(got.contains("/p/") && !got.contains("A1c"), "{got}");
    assert!(
        lab.app
            .audited()
            .await
            .contains(&"message.cleared".to_owned())
    );
}

#[tokio::test]
async fn a_double_click_sends_once() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let before = lab.app.received_by(MARIA).len();
    for _ in 0..2 {
        let words = [("text", "We will be glad to see you.")];
        let told = desk.post(&format!("/console/answer/{id}"), &words).await;
        assert_eq!(told.json()["outcome"], "sent");
    }
    lab.app.drain().await;
    assert_eq!(lab.app.received_by(MARIA).len(), before + 1);
}

#[tokio::test]
async fn a_taken_conversation_is_silent_until_it_is_given_back() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let epoch = lab.app.conversation(MARIA).await.epoch;
    desk.post(&format!("/console/take/{id}"), &[("do", "take")])
        .await;
    let taken = lab.app.conversation(MARIA).await;
    assert!(taken.human && taken.epoch > epoch);
    assert!(
        lab.app
            .text(MARIA, "When is my appointment?")
            .await
            .is_empty()
    );
    let page = desk.get(&format!("/console/inbox/taken?c={id}")).await;
    assert!(page.text().contains("you answer"), "{}", page.text());
    assert!(page.text().contains("taken over"));

    // An emergency is answered at once even so.
    let answer = lab
        .app
        .one(MARIA, "I can't breathe and my chest hurts")
        .await;
    assert!(answer.contains("911"), "{answer}");

    desk.post(&format!("/console/take/{id}"), &[("do", "give")])
        .await;
    assert!(!lab.app.conversation(MARIA).await.human);
    let answer = lab.app.one(MARIA, "When is my appointment?").await;
    assert!(answer.contains("Dr. Ana Reyes"), "{answer}");
}

#[tokio::test]
async fn nobody_texts_a_person_who_opted_out() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    lab.app.text(MARIA, "STOP").await;
    let id = lab.app.conversation(MARIA).await.id;
    let before = lab.app.received_by(MARIA);
    let mut owner = lab.staff(Role::Owner).await;
    let words = [("text", "Please call us when you can.")];
    let told = owner.post(&format!("/console/answer/{id}"), &words).await;
    assert_eq!(told.status, 422, "{}", told.text());
    assert!(
        told.json()["closed"]
            .as_str()
            .unwrap()
            .contains("until they text START")
    );
    lab.app.drain().await;
    assert_eq!(lab.app.received_by(MARIA), before);
}

#[tokio::test]
async fn an_answer_settles_what_waited_and_an_aside_leaves_a_trace() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    lab.app
        .text(MARIA, "Should I stop taking my metformin?")
        .await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::Clinician).await;
    let page = desk.get(&format!("/console/inbox/held?c={id}")).await;
    let hold = page
        .text()
        .split("class=\"hold\" data-id=\"")
        .nth(1)
        .unwrap();
    let hold = hold.split('"').next().unwrap().to_owned();
    let waiting = lab.app.held().await.len();
    assert!(waiting > 0);
    let told = desk
        .post(
            &format!("/console/aside/{id}"),
            &[("hold", &hold), ("queue", "held")],
        )
        .await;
    assert_eq!(
        told.header("location"),
        format!("/console/inbox/held?c={id}&undo=aside&of={hold}")
    );
    assert_eq!(lab.app.held().await.len(), waiting - 1);
    let audit = lab.app.audited().await;
    assert!(audit.contains(&"hold.settled".to_owned()), "{audit:?}");
    assert!(audit.contains(&"record.viewed".to_owned()), "{audit:?}");
}

#[tokio::test]
async fn an_alarm_is_taken_by_a_named_person() {
    let lab = Lab::new().await;
    lab.app
        .text(JAMES, "I took the whole bottle of pills")
        .await;
    let id = lab.app.conversation(JAMES).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk.get(&format!("/console/inbox/emergency?c={id}")).await;
    assert!(page.text().contains("I have it"), "{}", page.text());
    desk.post(&format!("/console/acknowledge/{id}"), &[]).await;
    assert!(
        lab.app
            .house
            .store()
            .open_alarms()
            .await
            .unwrap()
            .is_empty()
    );
    let page = desk.get(&format!("/console/inbox/emergency?c={id}")).await;
    assert!(!page.text().contains("I have it"));
    assert!(page.text().contains("Nothing waits here"));
}

#[tokio::test]
async fn reading_marks_read_and_every_look_is_in_the_log() {
    let lab = Lab::new().await;
    lab.app.text(MARIA, "Hello").await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    assert!(
        desk.get("/console/inbox/unread")
            .await
            .text()
            .contains("Maria Gonzalez")
    );
    desk.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(
        desk.get("/console/inbox/unread")
            .await
            .text()
            .contains("Nothing waits here")
    );
    desk.post(&format!("/console/unread/{id}"), &[]).await;
    assert!(
        desk.get("/console/inbox/unread")
            .await
            .text()
            .contains("Maria Gonzalez")
    );
    assert_eq!(desk.get("/console/inbox/all?c=999").await.status, 404);

    let looks = lab.app.audited().await;
    assert_eq!(looks.iter().filter(|it| *it == "record.viewed").count(), 1);
    let mut auditor = lab.staff(Role::Compliance).await;
    let page = auditor
        .get("/console/audit?check=1&action=record.viewed")
        .await;
    assert!(page.text().contains("Chain verified"), "{}", page.text());
    assert!(
        page.text().contains("Dana Whitfield"),
        "the log's numbers have names here"
    );
    assert!(!page.text().contains("Maria") && !page.text().contains("5550111"));
}

#[tokio::test]
async fn a_page_that_refreshes_itself_changes_nothing_and_reads_nothing() {
    let lab = Lab::new().await;
    lab.app.text(MARIA, "Hello").await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let path = format!("/console/inbox/unread?c={id}");
    let (ticks, looks) = (lab.app.house.changes(), lab.app.audited().await.len());
    let before = *ticks.borrow();
    for _ in 0..5 {
        let live = [("x-live", "1")];
        let page = desk.send("GET", &path, &live, String::new()).await;
        assert!(page.text().contains("data-unread"), "{}", page.text());
        assert!(page.text().contains("class=\"line unread\""));
    }
    assert_eq!(*ticks.borrow(), before, "no change that would be told of");
    assert_eq!(lab.app.audited().await.len(), looks, "no look in the log");

    // With somebody before it, what is new is read, once.
    for _ in 0..5 {
        let live = [("x-live", "look")];
        let page = desk.send("GET", &path, &live, String::new()).await;
        assert!(!page.text().contains("class=\"line unread\""));
    }
    assert_eq!(*ticks.borrow(), before + 1);
    let audit = lab.app.audited().await;
    assert_eq!(audit.len(), looks + 1);
    assert_eq!(audit.last().unwrap(), "record.viewed");
}

#[tokio::test]
async fn a_name_with_markup_is_shown_as_it_is_written() {
    let lab = Lab::new().await;
    lab.app
        .text(MARIA, "<script>alert(1)</script> & \u{202e}abc \u{1f642}")
        .await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(!page.text().contains("<script>alert"), "markup is text");
    assert!(page.text().contains("&lt;script&gt;"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
    assert_eq!(page.header("cache-control"), "no-store");
}

/// A name that runs from right to left, with an emoji.
const NOA: &str = "\u{5e0}\u{5d5}\u{5e2}\u{5d4} \u{1f338}";

#[tokio::test]
async fn a_name_from_right_to_left_stands_by_itself_wherever_it_is_shown() {
    let lab = Lab::new().await;
    lab.app
        .refile(MARIA, |it| it.first_name = NOA.to_owned().into())
        .await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let invited = lab.app.house.invite(
        lab.practice(),
        (NOA, "noa@example.com"),
        Role::Owner,
        "test",
    );
    let link = format!("/console/join/{}", invited.await.unwrap().token.secret);
    let mut owner = lab.browser();
    owner.join(&link).await;
    owner.enrol().await;
    owner
        .post(&format!("/console/take/{id}"), &[("do", "take")])
        .await;
    owner
        .post(
            &format!("/console/note/{id}"),
            &[("text", "Call them back.")],
        )
        .await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk.get(&format!("/console/inbox/all?c={id}")).await;
    let shown = page.text();
    for part in [
        format!("<span class=\"who\"><bdi>{NOA} Gonzalez</bdi></span>"),
        format!("<h1><bdi>{NOA} Gonzalez</bdi></h1>"),
        format!("<h2><bdi>{NOA} Gonzalez</bdi></h2>"),
        format!("<bdi>{NOA}</bdi> answers"),
        format!("Note of <bdi>{NOA}</bdi>"),
    ] {
        assert!(shown.contains(&part), "{part}: {shown}");
    }
    for path in ["/console/team", "/console/audit", "/console/overview"] {
        let page = owner.get(path).await;
        assert!(
            page.text().contains(&format!("<bdi>{NOA}</bdi>")),
            "{path}: {}",
            page.text()
        );
    }
}
