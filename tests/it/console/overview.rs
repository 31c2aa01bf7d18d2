//! The numbers of the overview: raised as patients, carriers and staff raise them, and read from the page.

use anteroom::carrier::hear::Report;
use anteroom::domain::message::{Delivery, SendOutcome};
use anteroom::domain::practice::CarrierKind;
use anteroom::domain::staff::Role;
use jiff::SignedDuration;

use crate::console::hand::{Hand, Lab, between};
use crate::support::app::{JAMES, MARIA, NOBODY, TOM};

/// The chart under a heading.
async fn chart(hand: &mut Hand<'_>, heading: &str) -> String {
    let page = hand.get("/console/overview?days=7").await;
    let head = format!(">{heading}</h2>");
    let chart = between(page.text(), &head, "</figure>");
    chart
        .unwrap_or_else(|| panic!("{heading}: {}", page.text()))
        .to_owned()
}

/// Its bars: each label with its number and remark.
async fn bars(hand: &mut Hand<'_>, heading: &str) -> Vec<(String, String)> {
    let chart = chart(hand, heading).await;
    let rows = chart.split("<li>").skip(1);
    rows.map(|row| {
        let label = between(row, "<span>", "</span>").unwrap();
        let label = between(label, ">", "</a>").unwrap_or(label);
        let number = between(row, "<span class=\"num\">", "</span>").unwrap();
        (label.to_owned(), number.to_owned())
    })
    .collect()
}

fn told(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    let rows = rows.iter();
    rows.map(|(label, number)| ((*label).to_owned(), (*number).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_held_draft_counts_for_its_reason_and_for_each_rule_that_found_something() {
    let portal = "https://portal.example.com/lakeside";
    let lab = Lab::changed(|it| portal.clone_into(&mut it.portal_url)).await;
    let mut owner = lab.staff(Role::Owner).await;
    assert_eq!(bars(&mut owner, "Held drafts by rule").await, []);
    assert_eq!(bars(&mut owner, "What waited for staff").await, []);
    lab.app.agreed(TOM).await;
    lab.app.one(TOM, "Are my biopsy results in?").await;
    assert_eq!(lab.app.held().await, ["meant for your own portal"]);
    let reasons = bars(&mut owner, "What waited for staff").await;
    assert_eq!(
        reasons,
        told(&[("meant for your own portal", "1 · 1 wait")])
    );
    let rules = bars(&mut owner, "Held drafts by rule").await;
    assert!(!rules.is_empty());
    assert!(rules.iter().all(|(_, count)| count == "1"), "{rules:?}");
    // The link beside a rule leads to the entry that it was counted from.
    lab.app.audited().await;
    for (rule, _) in &rules {
        let page = owner.get(&format!("/console/audit?rule={rule}")).await;
        let body = between(page.text(), "<tbody>", "</tbody>").unwrap();
        assert_eq!(body.matches("<tr>").count(), 1, "{rule}: {body}");
        assert!(body.contains("meant for your own portal"), "{rule}: {body}");
    }
    lab.app.one(TOM, "Are my biopsy results in?").await;
    let twice = bars(&mut owner, "Held drafts by rule").await;
    assert_eq!(twice.first().unwrap().1, "2", "{twice:?}");
}

#[tokio::test]
async fn delivery_counts_what_carriers_said_of_each_text() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    let all = async |owner: &mut Hand<'_>| -> Vec<String> {
        let bars = bars(owner, "Delivery").await;
        bars.into_iter().map(|(_, count)| count).collect()
    };
    assert_eq!(all(&mut owner).await, ["0", "0", "0", "0", "0", "0"]);
    lab.app.one(MARIA, "Hello").await;
    let carrier_id = format!("LB-{}", lab.app.carrier.last_reference());
    lab.app.one(JAMES, "Hello").await;
    let code = "30003".to_owned();
    lab.app.script([SendOutcome::Fail { code }]);
    assert!(lab.app.text(TOM, "Hello").await.is_empty());
    let report = |delivery| Report {
        carrier_id: carrier_id.clone(),
        delivery,
        code: None,
        reference: None,
    };
    let carrier = CarrierKind::Simulator;
    let at = async |delivery| {
        let report = report(delivery);
        let known = lab
            .app
            .house
            .delivery(lab.practice(), carrier, &report)
            .await;
        assert!(known.unwrap());
    };
    assert_eq!(
        bars(&mut owner, "Delivery").await,
        told(&[
            ("delivered or read", "0"),
            ("sent, no report yet", "2"),
            ("waits to leave", "0"),
            ("not delivered", "1"),
            ("not known", "0"),
            ("not sent: opted out or overtaken", "0"),
        ])
    );
    at(Delivery::Delivered).await;
    assert_eq!(all(&mut owner).await, ["1", "1", "0", "1", "0", "0"]);
    at(Delivery::Read).await;
    assert_eq!(all(&mut owner).await, ["1", "1", "0", "1", "0", "0"]);
}

#[tokio::test]
async fn consent_goes_from_everybody_to_those_who_agreed() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    for number in [MARIA, JAMES, TOM, NOBODY] {
        lab.app.text(number, "Hello").await;
    }
    lab.app.text(MARIA, "YES").await;
    lab.app.text(TOM, "NO").await;
    lab.app.text(NOBODY, "STOP").await;
    let rows = [
        ("conversations", "4 · 100 %"),
        ("asked", "4 · 100 %"),
        ("agreed", "1 · 25 %"),
        ("no answer yet", "1 · 25 %"),
        ("said no", "1 · 25 %"),
        ("opted out", "1 · 25 %"),
        ("ended: too long ago, or another's number", "0 · 0 %"),
    ];
    let shown = bars(&mut owner, "Consent to health details by text").await;
    let plain = |text: &str| text.replace("&#x27;", "'").replace("&#39;", "'");
    let shown: Vec<_> = shown
        .iter()
        .map(|(label, n)| (plain(label), n.clone()))
        .collect();
    assert_eq!(shown, told(&rows));
}

#[tokio::test]
async fn emergencies_tell_how_soon_somebody_had_them() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    let none = chart(&mut owner, "Emergencies").await;
    assert!(none.contains("None in these days."), "{none}");
    for number in [TOM, JAMES, MARIA] {
        lab.app.text(number, "I have chest pain").await;
    }
    for (number, minutes) in [(TOM, 3), (JAMES, 4)] {
        lab.app.wait(SignedDuration::from_mins(minutes));
        let id = lab.app.conversation(number).await.id;
        let told = owner.post(&format!("/console/acknowledge/{id}"), &[]).await;
        assert_eq!(told.status, 303, "{}", told.text());
    }
    let table = chart(&mut owner, "Emergencies").await;
    let row = between(&table, "<th scope=\"row\">emergency</th>", "</tr>").unwrap();
    let cells: Vec<&str> = row
        .split("<td class=\"num\">")
        .skip(1)
        .map(|it| it.trim_end_matches("</td>"))
        .collect();
    let wanted = [
        "3",
        "7 min, at most 7 min",
        "<span class=\"pill stop\">1</span>",
    ];
    assert_eq!(cells, wanted, "{table}");
    // The whole table has one kind.
    assert_eq!(table.matches("<th scope=\"row\">").count(), 1, "{table}");
}
