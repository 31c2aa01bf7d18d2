//! The search of the inbox: names by their beginnings, numbers by their end, labels.

use anteroom::domain::staff::Role;

use crate::console::hand::{Hand, Lab};
use crate::support::app::{JAMES, MARIA, TOM};

#[tokio::test]
async fn a_conversation_is_found_by_name_by_the_end_of_its_number_and_by_label() {
    let lab = Lab::new().await;
    for number in [MARIA, JAMES, TOM] {
        lab.app.text(number, "Hello").await;
    }
    let mut hand = lab.staff(Role::FrontDesk).await;
    let maria = lab.app.conversation(MARIA).await.id.to_string();
    let made = hand
        .post(
            "/console/labels",
            &[
                ("do", "add"),
                ("name", "Billing question"),
                ("color", "blue"),
            ],
        )
        .await;
    assert!(
        made.status.is_success() || made.status.is_redirection(),
        "{}",
        made.text()
    );
    let page = hand.get(&format!("/console/inbox/all?c={maria}")).await;
    let label = page.text().split("name=\"label\" value=\"").nth(1).unwrap();
    let label = label.split('"').next().unwrap().to_owned();
    hand.post(
        &format!("/console/label/{maria}"),
        &[("label", &label), ("do", "on")],
    )
    .await;
    let ends = |number: &str| number.split_at(number.len() - 4).1.to_owned();
    let record = lab.app.house.records();
    let people = record
        .patients_by_phone(lab.practice(), &MARIA.parse().unwrap())
        .await
        .unwrap();
    let (first, last) = (people[0].first_name.as_str(), people[0].last_name.as_str());
    let begins = |name: &str| name.chars().take(3).collect::<String>();
    for (typed, found, not) in [
        (first.to_lowercase(), vec![MARIA], vec![TOM]),
        (begins(last).to_uppercase(), vec![MARIA], vec![TOM]),
        (
            format!("{} {}", begins(last), begins(first)),
            vec![MARIA],
            vec![JAMES, TOM],
        ),
        (format!("{first} Xyzzy"), vec![], vec![MARIA, JAMES, TOM]),
        (ends(TOM), vec![TOM], vec![MARIA, JAMES]),
        (format!("555-{}", ends(TOM)), vec![TOM], vec![MARIA]),
        (format!("556-{}", ends(TOM)), vec![], vec![TOM]),
        (TOM.to_owned(), vec![TOM], vec![MARIA]),
        ("bill".to_owned(), vec![MARIA], vec![TOM, JAMES]),
        ("😀".to_owned(), vec![], vec![MARIA]),
        ("' OR 1=1 --".to_owned(), vec![], vec![MARIA]),
    ] {
        let query: String = form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        let page = hand.get(&format!("/console/inbox/all?q={query}")).await;
        assert_eq!(page.status, 200, "{typed}");
        for (numbers, wanted) in [(found, true), (not, false)] {
            for number in numbers {
                let id = lab.app.conversation(number).await.id;
                let here = page.text().contains(&format!("c={id}&"))
                    || page.text().contains(&format!("c={id}\""));
                assert_eq!(here, wanted, "{typed}: {number}");
            }
        }
    }
    refused(&mut hand).await;
}

/// Too little is told what to type.
async fn refused(hand: &mut Hand<'_>) {
    for (typed, told) in [("7", "last four digits"), ("a", "two letters")] {
        let page = hand.get(&format!("/console/inbox/all?q={typed}")).await;
        assert!(page.text().contains(told), "{typed}");
    }
}
