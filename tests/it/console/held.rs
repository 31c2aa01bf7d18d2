//! What staff decide on a held draft.

use anteroom::domain::staff::Role;

use crate::console::hand::Lab;
use crate::support::app::MARIA;

/// A house in which a draft of Maria's waits: its conversation, the hold, and its words.
async fn held(lab: &Lab) -> (String, String, String) {
    lab.app.agreed(MARIA).await;
    let conversation = lab.app.conversation(MARIA).await;
    let words = "Your A1c was 9.2%, Dr. Reyes wants to talk about insulin.";
    let report = serde_json::json!({ "findings": [], "text": "Please call us." }).to_string();
    let kept = conversation.clone();
    let hold = lab
        .app
        .house
        .store()
        .write(move |tx| {
            let (kept, report) = (kept.clone(), report.clone().into());
            Box::pin(async move {
                let now = "2026-11-29T18:00:00Z".parse().unwrap();
                tx.hold(&kept, &words.to_owned().into(), &report, "guardrail", now)
                    .await
            })
        })
        .await
        .unwrap();
    (
        conversation.id.to_string(),
        hold.0.to_string(),
        words.to_owned(),
    )
}

#[tokio::test]
async fn a_held_draft_is_changed_sent_by_portal_or_overridden_with_a_reason() {
    let lab = Lab::new().await;
    let (id, hold, words) = held(&lab).await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk
        .get(&format!("/console/inbox/held?c={id}"))
        .await
        .text()
        .to_owned();
    for shown in [
        "Insert the safe version",
        "Send by portal",
        "This hold was wrong",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("Override"), "not the front desk's");
    // As it was held it does not go without a reason, whatever the form says.
    let before = lab.app.received_by(MARIA).len();
    let as_held = [("text", words.as_str()), ("hold", hold.as_str())];
    let told = desk.post(&format!("/console/answer/{id}"), &as_held).await;
    assert_eq!(told.status, 422, "{}", told.text());
    assert!(told.text().contains("held"), "{}", told.text());
    let over = [("hold", hold.as_str()), ("reason", "clinical")];
    assert_eq!(
        desk.post(&format!("/console/override/{id}"), &over)
            .await
            .status,
        403
    );

    let mut doctor = lab.staff(Role::Clinician).await;
    let page = doctor.get(&format!("/console/inbox/held?c={id}")).await;
    assert!(page.text().contains("Override"));
    let path = format!("/console/override/{id}");
    for reason in ["", "because"] {
        let told = doctor
            .post(&path, &[("hold", &hold), ("reason", reason)])
            .await;
        assert_eq!(told.status, 422, "{reason}");
    }
    lab.app.drain().await;
    assert_eq!(lab.app.received_by(MARIA).len(), before, "nothing left");

    let told = desk
        .post(&format!("/console/portal/{id}"), &[("hold", &hold)])
        .await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    lab.app.drain().await;
    let got = lab.app.received_by(MARIA).pop().unwrap();
    assert!(got.contains("/p/") && !got.contains("A1c"), "{got}");
    assert!(lab.app.held().await.is_empty());
    // A second click finds it decided.
    let told = desk
        .post(&format!("/console/portal/{id}"), &[("hold", &hold)])
        .await;
    assert_eq!(told.status, 409, "{}", told.text());
}

#[tokio::test]
async fn an_override_says_why_in_the_log_and_more_in_a_note() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let conversation = lab.app.conversation(MARIA).await;
    let kept = conversation.clone();
    let hold = lab
        .app
        .house
        .store()
        .write(move |tx| {
            let kept = kept.clone();
            Box::pin(async move {
                let now = "2026-11-29T18:00:00Z".parse().unwrap();
                let words = "We open at 8 tomorrow.".to_owned().into();
                tx.hold(&kept, &words, &"{}".to_owned().into(), "guardrail", now)
                    .await
            })
        })
        .await
        .unwrap()
        .0
        .to_string();
    let id = conversation.id;
    let mut doctor = lab.staff(Role::Clinician).await;
    let fields = [
        ("hold", hold.as_str()),
        ("reason", "false_alarm"),
        ("words", "The rule took 8 for a dose."),
    ];
    let told = doctor
        .post(&format!("/console/override/{id}"), &fields)
        .await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    lab.app.drain().await;
    assert_eq!(
        lab.app.received_by(MARIA).pop().unwrap(),
        "We open at 8 tomorrow."
    );
    let log = lab.app.audited().await;
    assert!(log.contains(&"hold.overridden".to_owned()), "{log:?}");
    let page = doctor.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(page.text().contains("The rule took 8 for a dose."));
    let mut officer = lab.staff(Role::Auditor).await;
    let page = officer.get("/console/audit?action=hold.overridden").await;
    assert!(page.text().contains("false_alarm"), "{}", page.text());
    assert!(!page.text().contains("took 8"), "the log holds no words");
}

#[tokio::test]
async fn what_staff_say_of_a_hold_makes_the_rate_of_false_ones() {
    let lab = Lab::new().await;
    let (id, hold, _) = held(&lab).await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let path = format!("/console/judge/{id}");
    let page = desk.get("/console/overview").await.text().to_owned();
    assert!(page.contains("nobody judged one yet"), "{page}");
    let wrong = [
        ("hold", hold.as_str()),
        ("wrong", "1"),
        ("why", "No dose is named."),
    ];
    assert_eq!(desk.post(&path, &wrong).await.status, 303);
    let page = desk.get("/console/overview").await.text().to_owned();
    assert!(
        page.contains("(1 of 1 judged)") && page.contains("100 %"),
        "{page}"
    );
    let page = desk.get(&format!("/console/inbox/held?c={id}")).await;
    assert!(page.text().contains("It was right"));
    desk.post(&path, &[("hold", &hold), ("wrong", "0")]).await;
    let page = desk.get("/console/overview").await.text().to_owned();
    assert!(page.contains("(0 of 1 judged)"), "{page}");
    assert_eq!(
        desk.post(&path, &[("hold", "999"), ("wrong", "1")])
            .await
            .status,
        404
    );
    let mut officer = lab.staff(Role::Compliance).await;
    assert_eq!(officer.post(&path, &wrong).await.status, 403);
}

/// Holds these words of Maria's conversation with this report; its number.
async fn holding(lab: &Lab, words: &'static str, report: serde_json::Value) -> (String, String) {
    lab.app.agreed(MARIA).await;
    let conversation = lab.app.conversation(MARIA).await;
    let (id, report) = (conversation.id.to_string(), report.to_string());
    let store = lab.app.house.store();
    let hold = store.write(move |tx| {
        let (kept, report) = (conversation.clone(), report.clone().into());
        Box::pin(async move {
            let now = "2026-11-29T18:00:00Z".parse().unwrap();
            tx.hold(&kept, &words.to_owned().into(), &report, "guardrail", now)
                .await
        })
    });
    (id, hold.await.unwrap().0.to_string())
}

#[tokio::test]
async fn a_draft_whose_details_go_behind_a_link_is_sent_by_portal_and_never_nested() {
    let lab = Lab::new().await;
    let report = serde_json::json!({
        "findings": [], "text": "You have a secure message: https://example.com/p/x",
        "portal": "Your A1c was 9.2%.",
    });
    let (id, hold) = holding(&lab, "Your A1c was 9.2%.", report).await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk.get(&format!("/console/inbox/held?c={id}")).await;
    assert!(
        !page.text().contains("Insert the safe version"),
        "{}",
        page.text()
    );
    assert!(
        page.text()
            .contains("<button type=\"submit\" title=\"The draft goes into")
    );
    let path = format!("/console/portal/{id}");
    let told = desk.post(&path, &[("hold", &hold)]).await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    lab.app.drain().await;
    let got = lab.app.received_by(MARIA).pop().unwrap();
    assert_eq!(got.matches("/p/").count(), 1, "{got}");
}
