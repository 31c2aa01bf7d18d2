//! The breach worksheet: who may keep one, what it computes, and that nothing typed is lost.

use anteroom::domain::staff::Role;

use crate::console::hand::Lab;

#[tokio::test]
async fn a_worksheet_computes_every_state_s_clock_and_each_save_is_kept_and_audited() {
    let lab = Lab::new().await;
    let mut officer = lab.staff(Role::Compliance).await;
    let page = officer.get("/console/breach").await.text().to_owned();
    assert!(page.contains("A new worksheet"), "{page}");
    // The clock stands at November 29, 2026, a Sunday.
    let fields = [
        ("title", "Lost \u{1f4f1} <phone>"),
        ("discovered", "2026-11-20"),
        ("people", "TX 250\nWY 3"),
        ("about", "A phone was left on a train."),
    ];
    let wrong = [
        fields[0],
        ("discovered", "2026-12-20"),
        fields[2],
        fields[3],
    ];
    let told = officer.post("/console/breach", &wrong).await;
    assert_eq!(told.status, 422, "{}", told.text());
    for kept in [
        "lies ahead",
        "TX 250",
        "left on a train",
        "Nothing was saved",
    ] {
        assert!(told.text().contains(kept), "{kept}");
    }
    let told = officer.post("/console/breach", &fields).await;
    assert_eq!(told.status, 303, "{}", told.text());
    let place = told.header("location").to_owned();
    let page = officer.get(&place).await.text().to_owned();
    for shown in [
        // 60 days after November 20; 30 for the Attorney General of Texas; fewer than 500: after the year.
        "2027-01-19",
        "2026-12-20",
        "2027-03-01",
        "Tex. Bus. &amp; Com. Code 521.053(i)",
        "45 CFR 164.406, 164.408",
        "Lost \u{1f4f1} &lt;phone&gt;",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // The people are told: saved again as a version of the same worksheet.
    let id = place.rsplit('/').next().unwrap().to_owned();
    let mut again = fields.to_vec();
    again.extend([("told", "2026-11-28"), ("id", id.as_str())]);
    let told = officer.post("/console/breach", &again).await;
    assert_eq!(told.header("location"), place);
    let log = lab.app.audited().await;
    assert_eq!(log.iter().filter(|it| *it == "breach.saved").count(), 2);
    assert_eq!(officer.get("/console/breach/999").await.status, 404);

    let mut auditor = lab.staff(Role::Auditor).await;
    let page = auditor.get(&place).await.text().to_owned();
    assert!(
        page.contains("2027-01-19") && !page.contains("Save and compute"),
        "reads alone"
    );
    assert_eq!(auditor.post("/console/breach", &fields).await.status, 403);
}
