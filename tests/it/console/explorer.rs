//! The audit explorer: by patient, staff, rule, kind and day, its badge and its files; and retention.

use anteroom::domain::clock::Clock as _;
use anteroom::domain::staff::Role;
use jiff::SignedDuration;

use crate::console::hand::{Hand, Lab, between};
use crate::support::app::{JAMES, MARIA};

/// Lakeside after a day with Maria and a day with James; the officer has looked at Maria's.
async fn two_days() -> Lab {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    lab.app.one(MARIA, "Are my biopsy results in?").await;
    lab.app.audited().await;
    lab.app.wait(SignedDuration::from_hours(48));
    lab.app.agreed(JAMES).await;
    lab.app.audited().await;
    lab
}

async fn rows(hand: &mut Hand<'_>, query: &str) -> Vec<String> {
    let page = hand.get(&format!("/console/audit{query}")).await;
    assert_eq!(page.status, 200, "{query}: {}", page.text());
    let body = between(page.text(), "<tbody>", "</tbody>").unwrap_or_default();
    body.split("<tr>").skip(1).map(str::to_owned).collect()
}

#[tokio::test]
async fn entries_are_found_by_patient_staff_rule_kind_and_day() {
    let lab = two_days().await;
    let mut officer = lab.staff(Role::Compliance).await;
    let maria = lab.app.conversation(MARIA).await.id;
    let james = lab.app.conversation(JAMES).await.id;
    let told = officer
        .post(
            "/console/audit",
            &[("q", "415 555 0111"), ("from", "2026-11-29")],
        )
        .await;
    assert_eq!(told.status, 303, "{}", told.text());
    let address = told.header("location").to_owned();
    assert!(
        !address.contains("555") && !address.contains("maria"),
        "{address}"
    );
    assert!(
        address.contains("from=2026-11-29"),
        "the filter stays: {address}"
    );
    let query = address.trim_start_matches("/console/audit").to_owned();
    let of_maria = rows(&mut officer, &query).await;
    let (own, other) = (
        format!("conversation/{maria}<"),
        format!("conversation/{james}<"),
    );
    assert!(of_maria.iter().any(|it| it.contains(&own)), "{of_maria:?}");
    assert!(
        !of_maria.iter().any(|it| it.contains(&other)),
        "{of_maria:?}"
    );

    // By day: James came two days later.
    for (days, sees) in [
        ("?from=2026-12-01", james),
        ("?from=2026-11-28&to=2026-11-30", maria),
    ] {
        let found = rows(&mut officer, &format!("{days}&action=conversation")).await;
        let all = rows(&mut officer, days).await.join("");
        let not = if sees == maria { james } else { maria };
        assert!(
            all.contains(&format!("conversation/{sees}<")),
            "{days}: {all}"
        );
        assert!(
            !all.contains(&format!("conversation/{not}<")),
            "{days}: {all}"
        );
        drop(found);
    }

    // By a rule that an entry names, by who did it, by kind.
    let cleared = rows(&mut officer, "?action=message.cleared").await.join("");
    let rule =
        between(&cleared, "rules&quot;:[&quot;", "&quot;").expect("an entry names its rules");
    let by_rule = rows(&mut officer, &format!("?rule={rule}")).await;
    assert!(!by_rule.is_empty());
    assert!(by_rule.iter().all(|it| it.contains(rule)), "{by_rule:?}");
    assert!(rows(&mut officer, "?rule=us.no-such-rule").await.is_empty());
    let by_agent = rows(&mut officer, "?actor=agent").await;
    assert!(
        by_agent.iter().all(|it| it.contains("<td>agent")),
        "{by_agent:?}"
    );
    assert!(!rows(&mut officer, "?action=message").await.is_empty());

    // A file holds what the filter lets through, and no more.
    let file = officer
        .get(&format!("/console/audit/export{query}&format=csv"))
        .await;
    let lines = file.text().lines().count() - 1;
    assert!(lines >= of_maria.len(), "{lines} of {}", of_maria.len());
    assert!(!file.text().contains(&format!("conversation/{james},")));
}

#[tokio::test]
async fn what_is_wrong_with_a_filter_is_told_and_an_auditor_asks_by_no_patient() {
    let lab = two_days().await;
    let mut officer = lab.staff(Role::Compliance).await;
    for (query, said) in [
        ("?from=soon", "A day is written as"),
        ("?from=2026-12-02&to=2026-12-01", "lies behind the last one"),
    ] {
        let page = officer.get(&format!("/console/audit{query}")).await;
        assert!(page.text().contains(said), "{query}: {}", page.text());
    }
    let told = officer.post("/console/audit", &[("q", "Maria")]).await;
    assert_eq!(told.status, 422);
    assert!(told.text().contains("with area code"), "{}", told.text());
    let told = officer.post("/console/audit", &[("q", "4155550111")]).await;
    let address = told.header("location").to_owned();
    let mut auditor = lab.staff(Role::Auditor).await;
    assert_eq!(auditor.get(&address).await.status, 404);
    let page = auditor.get("/console/audit?check=1").await;
    assert!(page.text().contains("Chain verified"), "{}", page.text());
    assert!(!page.text().contains("by phone number"), "{}", page.text());
}

#[tokio::test]
async fn what_is_past_its_time_is_destroyed_by_staff_and_a_hold_keeps_it() {
    let lab = two_days().await;
    let mut officer = lab.staff(Role::Compliance).await;
    let page = officer.get("/console/retention").await.text().to_owned();
    assert!(
        page.contains("Nothing is past its time") && page.contains("6 years"),
        "{page}"
    );
    let to = "/console/retention";
    assert_eq!(officer.post(to, &[("word", "yes")]).await.status, 422);

    // Eight years later; Maria's is in dispute.
    lab.app.wait(SignedDuration::from_hours(24 * 366 * 8));
    let mut owner = lab.signed_in(Role::Owner).await;
    let told = owner.post("/console/compliance", &[("q", MARIA)]).await;
    let found = told.header("location").to_owned();
    let page = owner.get(found.split('#').next().unwrap()).await;
    let word = between(page.text(), "href=\"/console/patients/", "\"").unwrap();
    let hold = format!("/console/patients/{word}/hold");
    let told = owner.post(&hold, &[("why", "Suit of 2034")]).await;
    assert_eq!(told.status, 303);
    let page = owner.get(to).await.text().to_owned();
    assert!(
        page.contains("2 conversations need not be kept") && page.contains("Suit of 2034"),
        "{page}"
    );
    let told = owner.post(to, &[("word", "destroy")]).await;
    assert_eq!(told.header("location"), "/console/retention?destroyed=1");
    let store = lab.app.house.store();
    let (maria, james) = (
        lab.app.conversation(MARIA).await.id,
        lab.app.conversation(JAMES).await.id,
    );
    let words = async |id| {
        let turns = store.turns(id, 50).await.unwrap();
        let said = turns.iter().filter(|it| !it.body.as_str().is_empty());
        (turns.len(), said.count())
    };
    let (kept, said) = words(maria).await;
    assert!(kept > 0 && said == kept, "{kept} {said}");
    let (kept, said) = words(james).await;
    assert!(kept > 0 && said == 0, "{kept} {said}");
    store.sequence_audit(lab.app.clock.now()).await.unwrap();
    let page = owner.get(to).await.text().to_owned();
    assert!(page.contains("destroyed the words of"), "{page}");
    // Nothing is left to do, and the chain is whole.
    let told = owner.post(to, &[("word", "destroy")]).await;
    assert_eq!(told.header("location"), "/console/retention?destroyed=0");
    lab.app.audited().await;
}
