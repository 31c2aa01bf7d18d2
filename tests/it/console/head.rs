//! What stands at the head of a conversation: consent with its notice, the window of `WhatsApp`, a number that
//! several share, what became of a text; and the headers that every page bears.

use anteroom::carrier::hear::Report;
use anteroom::domain::ids::PatientId;
use anteroom::domain::message::Delivery;
use anteroom::domain::staff::Role;
use anteroom::policy::words::Channel;
use jiff::SignedDuration;

use crate::console::hand::{Lab, PASSWORD, between};
use crate::simulator::fake::PORTAL_TOKEN;
use crate::support::app::{MARIA, TOM};

#[tokio::test]
async fn consent_with_its_notice_and_the_window_of_whatsapp_stand_at_the_head() {
    let lab = Lab::changed(|it| {
        it.senders.truncate(1);
        it.senders[0].channel = Channel::Whatsapp;
    })
    .await;
    lab.app.agreed(MARIA).await;
    let conversation = lab.app.conversation(MARIA).await;
    let path = format!("/console/inbox/all?c={}", conversation.id);
    let page = lab.staff(Role::FrontDesk).await.get(&path).await;
    let proof = conversation.proof(lab.app.clock_now()).unwrap();
    let notice = &proof.notice;
    let version = format!(
        "notice {} · {}",
        notice.text_id,
        notice.sha256.get(..6).unwrap()
    );
    let pill = between(page.text(), "<span class=\"pill good\"", "</span></span>").unwrap();
    assert!(pill.contains("Agreed to health details by text"), "{pill}");
    assert!(pill.contains(&version), "{version}: {pill}");
    assert!(page.text().contains("· whatsapp ·"));
    let window = |text: &str| {
        let told = between(
            text,
            "WhatsApp window closes in <time id=\"window\"",
            "</time>",
        );
        told.map(str::to_owned)
    };
    let told = window(page.text()).unwrap();
    assert_eq!(told, " data-seconds=\"86400\">24 h 0 min");

    lab.app.wait(SignedDuration::from_mins(22 * 60 + 30));
    let page = lab.staff(Role::Clinician).await.get(&path).await;
    assert!(window(page.text()).unwrap().ends_with(">1 h 30 min"));
    assert!(
        page.text()
            .contains("<span class=\"pill wait\" title=\"WhatsApp lets"),
        "soon"
    );
    lab.app.wait(SignedDuration::from_hours(2));
    let page = lab.staff(Role::Owner).await.get(&path).await;
    assert_eq!(window(page.text()), None);
    assert!(
        page.text().contains("WhatsApp window closed"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn a_number_that_several_share_and_a_text_that_did_not_arrive_are_told() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let path = format!(
        "/console/inbox/all?c={}",
        lab.app.conversation(MARIA).await.id
    );
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk.get(&path).await;
    assert!(!page.text().contains("Several patients use this number"));
    assert!(!page.text().contains("WhatsApp") && !page.text().contains("could not be delivered"));
    let carrier = lab.app.house.practice(lab.practice()).unwrap().senders[0].carrier;
    let reference = lab.app.carrier.last_reference();
    let report = Report {
        carrier_id: format!("LB-{reference}"),
        delivery: Delivery::Undelivered,
        code: None,
        reference: Some(reference),
    };
    let known = lab
        .app
        .house
        .delivery(lab.practice(), carrier, &report)
        .await;
    assert!(known.unwrap());
    let page = desk.get(&path).await;
    let bad = between(page.text(), "class=\"text ours bad\"", "</li>").unwrap();
    assert!(bad.contains("could not be delivered"), "{bad}");

    lab.app
        .refile(TOM, |it| {
            it.id = PatientId::new("pat-of-the-same-house");
            it.first_name = "Lily".into();
        })
        .await;
    lab.app.text(TOM, "When is my appointment?").await;
    let id = lab.app.conversation(TOM).await.id;
    let page = desk.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(
        page.text().contains("Several patients use this number."),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn no_page_is_framed_and_no_cookie_goes_to_another_site() {
    let lab = Lab::new().await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let told = lab
        .browser()
        .sign_in("front_desk@example.com", PASSWORD)
        .await;
    let cookie = told.header("set-cookie");
    assert!(
        cookie.contains("; Path=/console; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    for (path, script) in [
        ("/console/inbox/all", true),
        ("/console/sign-in", true),
        (&*format!("/p/{PORTAL_TOKEN}"), false),
        ("/p/a-link-that-nobody-was-ever-sent", false),
    ] {
        let page = desk.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(policy.contains("form-action 'self'") && policy.contains("base-uri 'none'"));
        assert_eq!(
            policy.contains("script-src 'self'"),
            script,
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
    }
}
