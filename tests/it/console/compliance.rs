//! The overview and the compliance page: who sees which, and what they tell.

use anteroom::domain::record::{Request, RequestKind, Suits};
use anteroom::domain::staff::Role;
use jiff::SignedDuration;

use crate::console::hand::Lab;
use crate::support::app::{MARIA, TOM};

/// A house with one who agreed, one who got a result behind a link, and a request for the record.
async fn lived_in() -> Lab {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    lab.app.agreed(TOM).await;
    lab.app.one(TOM, "When is my appointment?").await;
    let (practice, now) = (lab.practice(), lab.app.clock_now());
    let number = TOM.parse().unwrap();
    let people = lab.app.house.records().patients_by_phone(practice, &number);
    let tom = people.await.unwrap().remove(0);
    let request = Request {
        kind: RequestKind::Records,
        words: "All of it, by mail".into(),
        due: Some(now + SignedDuration::from_hours(48)),
        from: None,
        to: None,
        suits: Suits::default(),
    };
    let filed = lab
        .app
        .house
        .records()
        .file(practice, &tom.id, &request, "k1");
    filed.await.unwrap();
    lab
}

#[tokio::test]
async fn the_overview_counts_and_names_nobody() {
    let lab = lived_in().await;
    for role in [Role::Owner, Role::Auditor] {
        let mut hand = lab.staff(role).await;
        let page = hand.get("/console/overview").await.text().to_owned();
        assert!(
            page.contains("<strong>5</strong><span>texts from patients"),
            "{page}"
        );
        assert!(page.contains("<svg") && page.contains("100 %"), "{page}");
        for name in ["Maria", "Nguyen", "5550111"] {
            assert!(!page.contains(name), "{name}");
        }
    }
    let empty = Lab::new().await;
    let mut owner = empty.staff(Role::Owner).await;
    let page = owner
        .get("/console/overview?days=7")
        .await
        .text()
        .to_owned();
    assert!(page.contains("No text in these days."), "{page}");
}

#[tokio::test]
async fn requests_have_their_day_and_consent_its_history() {
    let lab = lived_in().await;
    let mut officer = lab.staff(Role::Compliance).await;
    let page = officer.get("/console/compliance").await.text().to_owned();
    assert!(page.contains("Request for a copy of the record"), "{page}");
    assert!(
        page.contains("Tom Nguyen") && page.contains("All of it, by mail"),
        "{page}"
    );
    assert!(page.contains("pill wait\">due "), "{page}");
    let told = officer
        .post("/console/compliance", &[("q", "(415) 555-0114")])
        .await;
    let path = told.header("location").to_owned();
    assert!(!path.contains("555"), "no number in an address: {path}");
    let path = path.split('#').next().unwrap();
    let page = officer.get(path).await.text().to_owned();
    let (before, after) = page
        .split_once("<strong>agreed</strong>")
        .expect("YES is told");
    assert!(
        after.contains("was asked with the risk notice"),
        "the newest first"
    );
    assert!(before.contains("health details by text: granted"), "{page}");
    assert!(
        page.contains("Proof of consent"),
        "a text with details left: {page}"
    );
    let log = lab.app.audited().await;
    assert!(log.iter().any(|it| it == "consent.viewed"));
    let told = officer.post("/console/compliance", &[("q", "Tom")]).await;
    assert_eq!(told.status, 422);
    assert!(told.text().contains("with area code"), "{}", told.text());

    // Who reads the audit log and no patient sees that there is a request, and not whose.
    let mut auditor = lab.staff(Role::Auditor).await;
    let page = auditor.get(path).await.text().to_owned();
    assert!(
        page.contains("Request for a copy") && page.contains("not shown"),
        "{page}"
    );
    assert!(!page.contains("Nguyen") && !page.contains("by mail") && !page.contains("timeline"));
}

#[tokio::test]
async fn the_audit_log_is_taken_as_a_file_in_three_forms() {
    let lab = lived_in().await;
    lab.app.audited().await;
    let mut auditor = lab.staff(Role::Auditor).await;
    let told = auditor
        .get("/console/audit/export?format=csv&action=consent")
        .await;
    assert!(told.header("content-type").starts_with("text/csv"));
    assert!(
        told.header("content-disposition")
            .contains("audit-lakeside.csv")
    );
    let text = told.text().to_owned();
    assert!(
        text.starts_with("number,at,actor,action,subject,detail,hash\r\n"),
        "{text}"
    );
    let whole = auditor
        .get("/console/audit/export?format=json")
        .await
        .text()
        .to_owned();
    let first: serde_json::Value = serde_json::from_str(whole.lines().next().unwrap()).unwrap();
    assert!(first["hash"].is_string(), "{first}");
    let told = auditor.get("/console/audit/export?format=fhir").await;
    assert_eq!(told.header("content-type"), "application/fhir+json");
    let bundle = told.json();
    let entries = bundle["entry"].as_array().unwrap();
    assert!(entries.len() >= whole.lines().count());
    assert!(
        entries
            .iter()
            .all(|it| it["resource"]["resourceType"] == "AuditEvent")
    );
    let all = format!("{text}{whole}{bundle}");
    for secret in ["Nguyen", "5550114", "appointment?"] {
        assert!(!all.contains(secret), "{secret}");
    }
}
