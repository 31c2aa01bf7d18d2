//! What staff do with a conversation as a whole, and what brings it back.

use anteroom::domain::staff::Role;
use jiff::SignedDuration;

use crate::console::hand::{Hand, Lab};
use crate::support::app::{JAMES, MARIA};

/// Whether a queue lists a conversation.
async fn lists(hand: &mut Hand<'_>, queue: &str, id: impl std::fmt::Display) -> bool {
    let page = hand.get(&format!("/console/inbox/{queue}")).await;
    assert_eq!(page.status, 200, "{queue}: {}", page.text());
    page.text().contains(&format!("data-id=\"{id}\""))
}

#[tokio::test]
async fn what_is_snoozed_comes_back_at_its_time_and_at_once_when_the_patient_writes() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let path = format!("/console/snooze/{id}");
    let told = desk.post(&path, &[("until", "3h"), ("queue", "all")]).await;
    let back = format!("/console/inbox/all?undo=snooze&of={id}");
    assert_eq!(told.header("location"), back);
    let page = desk.get(&back).await;
    assert!(
        page.text().contains("Snoozed until 1:00 PM"),
        "{}",
        page.text()
    );
    assert!(!lists(&mut desk, "all", id).await && lists(&mut desk, "snoozed", id).await);

    // Taken back.
    desk.post(&path, &[("do", "undo")]).await;
    assert!(lists(&mut desk, "all", id).await && !lists(&mut desk, "snoozed", id).await);

    // The patient writes: at once.
    desk.post(&path, &[("until", "tomorrow")]).await;
    lab.app.one(MARIA, "Where do I park?").await;
    assert!(lists(&mut desk, "all", id).await && !lists(&mut desk, "snoozed", id).await);
    lab.app.clock.advance(SignedDuration::from_hours(24));
    lab.app.house.wake_once().await.unwrap();
    let mut other = lab.signed_in(Role::Owner).await;
    other.get(&format!("/console/inbox/all?c={id}")).await;

    // Its time comes: unread again, so that somebody looks.
    other.post(&path, &[("until", "1h")]).await;
    assert!(!lists(&mut other, "unread", id).await);
    assert_eq!(lab.app.house.wake_once().await.unwrap(), 0);
    lab.app.clock.advance(SignedDuration::from_mins(14));
    let mut other = lab.staff(Role::Clinician).await;
    lab.app.clock.advance(SignedDuration::from_mins(14));
    other.get("/console/inbox/all").await;
    lab.app.clock.advance(SignedDuration::from_mins(14));
    other.get("/console/inbox/all").await;
    lab.app.clock.advance(SignedDuration::from_mins(14));
    other.get("/console/inbox/all").await;
    lab.app.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(lab.app.house.wake_once().await.unwrap(), 1);
    assert!(lists(&mut other, "unread", id).await && lists(&mut other, "all", id).await);
    let log = lab.app.audited().await;
    assert!(log.contains(&"conversation.woken".to_owned()), "{log:?}");

    for (fields, status) in [
        (vec![("until", "at"), ("at", "2020-01-01T08:00")], 422),
        (vec![("until", "at"), ("at", "2099-01-01T08:00")], 422),
        (vec![("until", "at"), ("at", "x")], 422),
        (vec![], 422),
    ] {
        assert_eq!(
            other.post(&path, &fields).await.status,
            status,
            "{fields:?}"
        );
    }
    let nowhere = other.post("/console/snooze/999", &[("until", "1h")]).await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn what_is_done_is_out_of_the_way_until_the_patient_writes_and_can_be_taken_back() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    lab.app.text(MARIA, "I want to talk to a person").await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    assert!(lists(&mut desk, "held", id).await && lists(&mut desk, "unassigned", id).await);
    let path = format!("/console/done/{id}");
    let told = desk.post(&path, &[("queue", "held")]).await;
    let back = told.header("location").to_owned();
    assert_eq!(back, format!("/console/inbox/held?undo=done&of={id}"));
    assert!(desk.get(&back).await.text().contains("Done. It comes back"));
    assert!(!lists(&mut desk, "held", id).await && !lists(&mut desk, "unassigned", id).await);
    assert!(!lists(&mut desk, "all", id).await && lists(&mut desk, "done", id).await);

    // Undo brings back the question that waited, too.
    desk.post(&path, &[("do", "undo")]).await;
    assert!(lists(&mut desk, "held", id).await && lists(&mut desk, "all", id).await);
    assert!(!lists(&mut desk, "done", id).await);

    desk.post(&path, &[]).await;
    lab.app.text(MARIA, "Are you there?").await;
    assert!(lists(&mut desk, "all", id).await && !lists(&mut desk, "done", id).await);
    let mut officer = lab.staff(Role::Compliance).await;
    assert_eq!(officer.post(&path, &[]).await.status, 403);
}

#[tokio::test]
async fn a_hold_that_was_set_aside_is_brought_back_by_whoever_did_it_and_soon() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    lab.app.text(MARIA, "I want to talk to a person").await;
    let hold = lab.app.house.store().open_holds(id).await.unwrap()[0].id.0;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let (path, hold) = (format!("/console/aside/{id}"), hold.to_string());
    let told = desk
        .post(&path, &[("hold", &hold), ("queue", "held")])
        .await;
    let to = format!("/console/inbox/held?c={id}&undo=aside&of={hold}");
    assert_eq!(told.header("location"), to);
    assert!(desk.get(&to).await.text().contains("Set aside."));
    let mut other = lab.staff(Role::Owner).await;
    let undo = [("do", "undo"), ("hold", hold.as_str())];
    assert_eq!(other.post(&path, &undo).await.status, 409);
    assert_eq!(desk.post(&path, &undo).await.status, 303);
    assert!(lists(&mut desk, "held", id).await);
    assert_eq!(desk.post(&path, &undo).await.status, 409, "it is open");
}

#[tokio::test]
async fn a_conversation_is_given_to_a_colleague_and_is_theirs() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let mut doctor = lab.staff(Role::Clinician).await;
    let _officer = lab.staff(Role::Compliance).await;
    let all = lab
        .app
        .house
        .store()
        .all_staff(lab.practice())
        .await
        .unwrap();
    let of = |role| {
        all.iter()
            .find(|it| it.role == role)
            .unwrap()
            .id
            .to_string()
    };
    let path = format!("/console/assign/{id}");
    let (clinician, officer) = (of(Role::Clinician), of(Role::Compliance));
    let told = desk.post(&path, &[("staff", &clinician)]).await;
    assert_eq!(told.status, 303, "{}", told.text());
    assert!(lists(&mut doctor, "mine", id).await && !lists(&mut desk, "mine", id).await);
    desk.post(&path, &[("staff", "me")]).await;
    assert!(!lists(&mut doctor, "mine", id).await && lists(&mut desk, "mine", id).await);
    desk.post(&path, &[("staff", "")]).await;
    assert!(!lists(&mut desk, "mine", id).await);
    for (staff, status) in [(officer.as_str(), 422), ("999", 422), ("x", 422)] {
        assert_eq!(
            desk.post(&path, &[("staff", staff)]).await.status,
            status,
            "{staff}"
        );
    }
    // Whoever has taken it over has it too.
    desk.post(&format!("/console/take/{id}"), &[("do", "take")])
        .await;
    assert!(lists(&mut desk, "mine", id).await);
}

#[tokio::test]
async fn a_note_that_names_a_colleague_is_found_by_them_until_they_look() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let house = &lab.app.house;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let name = ("Zoë \u{5d3}\u{5d9}\u{5df} 🙂", "zoe@example.com");
    let invited = house
        .invite(lab.practice(), name, Role::Clinician, "test")
        .await
        .unwrap();
    let mut zoe = lab.browser();
    zoe.join(&format!("/console/join/{}", invited.token.secret))
        .await;
    zoe.enrol().await;
    let words = "Please call her, @zoë דין 🙂!";
    desk.post(&format!("/console/note/{id}"), &[("text", words)])
        .await;
    assert!(lists(&mut zoe, "mine", id).await && lists(&mut zoe, "mentions", id).await);
    assert!(!lists(&mut desk, "mentions", id).await);
    let page = zoe.get("/console/inbox/mentions").await;
    assert!(page.text().contains("names you"), "{}", page.text());
    let page = zoe.get(&format!("/console/inbox/mentions?c={id}")).await;
    assert!(
        page.text()
            .contains("<strong class=\"names-of\">@zoë דין 🙂</strong>!"),
        "{}",
        page.text()
    );
    // Looked at: no more in "mine", still among the mentions.
    assert!(!lists(&mut zoe, "mine", id).await && lists(&mut zoe, "mentions", id).await);
}

#[tokio::test]
async fn labels_are_the_practice_s_own_and_narrow_the_inbox() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    lab.app.agreed(JAMES).await;
    let (maria, james) = (
        lab.app.conversation(MARIA).await.id,
        lab.app.conversation(JAMES).await.id,
    );
    let mut desk = lab.staff(Role::FrontDesk).await;
    assert!(
        desk.get("/console/labels")
            .await
            .text()
            .contains("No label yet")
    );
    for (name, color, status) in [
        ("Billing", "blue", 303),
        ("billing", "red", 422),
        ("", "red", 422),
        ("Refill", "pink", 422),
        ("n".repeat(31).as_str(), "red", 422),
        (" Call   back <b> ", "amber", 303),
    ] {
        let told = desk
            .post("/console/labels", &[("name", name), ("color", color)])
            .await;
        assert_eq!(told.status, status, "{name}");
    }
    let labels = lab.app.house.store().labels(lab.practice()).await.unwrap();
    let names: Vec<&str> = labels.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Billing", "Call back <b>"]);
    let label = labels[0].id.to_string();
    desk.post(&format!("/console/label/{maria}"), &[("label", &label)])
        .await;
    let page = desk.get(&format!("/console/inbox/all?label={label}")).await;
    assert!(
        page.text().contains(&format!("data-id=\"{maria}\"")),
        "{}",
        page.text()
    );
    assert!(!page.text().contains(&format!("data-id=\"{james}\"")));
    assert!(page.text().contains("Call back &lt;b&gt;"), "escaped");
    desk.post(
        &format!("/console/label/{maria}"),
        &[("label", &label), ("do", "off")],
    )
    .await;
    let page = desk.get(&format!("/console/inbox/all?label={label}")).await;
    assert!(
        page.text()
            .contains("No open conversation bears this label")
    );
    // Gone from the list, gone from conversations.
    desk.post(&format!("/console/label/{james}"), &[("label", &label)])
        .await;
    desk.post("/console/labels", &[("do", "remove"), ("id", &label)])
        .await;
    let page = desk.get(&format!("/console/inbox/all?c={james}")).await;
    assert!(!page.text().contains("Billing"));
    let told = desk
        .post(&format!("/console/label/{james}"), &[("label", &label)])
        .await;
    assert_eq!(told.status, 422);
}

#[tokio::test]
async fn two_people_who_write_at_once_are_told_of_each_other_and_both_may_send() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let mut doctor = lab.staff(Role::Clinician).await;
    let mut heard = lab.app.house.hear_writing();
    let words = [("text", "We open at eight.")];
    desk.post(&format!("/console/review/{id}"), &words).await;
    let told = heard.try_recv().unwrap();
    assert_eq!((told.conversation, told.seconds), (id, 10));
    let open = format!("/console/inbox/all?c={id}");
    let page = doctor.get(&open).await.text().to_owned();
    assert!(page.contains("is writing here too"), "{page}");
    let own = desk.get(&open).await.text().to_owned();
    assert!(!own.contains("is writing here too"), "not of oneself");
    // It goes by itself.
    lab.app.clock.advance(SignedDuration::from_secs(11));
    assert!(
        !doctor
            .get(&open)
            .await
            .text()
            .contains("is writing here too")
    );
    // And keeps nobody from sending.
    desk.post(&format!("/console/review/{id}"), &words).await;
    let answer = format!("/console/answer/{id}");
    let told = doctor.post(&answer, &[("text", "Dr. Reyes will call you.")]);
    let outcome = told.await.json();
    assert!(
        outcome["outcome"] == "sent" || outcome["verdict"] == "hold",
        "{outcome}"
    );
    let told = desk.post(&format!("/console/answer/{id}"), &words).await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    let mut last = heard.try_recv();
    while let Ok(next) = heard.try_recv() {
        last = Ok(next);
    }
    assert_eq!(last.unwrap().seconds, 0, "whoever sent writes no more");
}

#[tokio::test]
async fn the_panel_shows_what_the_draft_rests_on() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    lab.app.one(MARIA, "When is my appointment?").await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk
        .get(&format!("/console/inbox/all?c={id}"))
        .await
        .text()
        .to_owned();
    assert!(page.contains("The last reviewed text rests on"), "{page}");
    assert!(page.contains("<dt>appointment provider</dt>"), "{page}");
}
