//! The search of the inbox: names by their beginnings, numbers by their end, labels.

use anteroom::domain::staff::Role;

use crate::console::hand::{Hand, Lab};
use crate::simulator::fake::Told;
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
        let page = searched(&mut hand, &typed).await;
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
        let page = searched(hand, typed).await;
        assert!(page.text().contains(told), "{typed}");
    }
    // A word of nobody's opens nothing, and a name in an address is looked for by nobody.
    let page = hand.get("/console/inbox/all?s=bm9ib2R5&q=Maria").await;
    assert!(page.text().contains("Maria Gonzalez") && page.text().contains("Tom"));
}

/// The page that a search leads to. No address on the way, and none on the page, tells what was typed.
async fn searched(hand: &mut Hand<'_>, typed: &str) -> Told {
    let told = hand.post("/console/inbox/all", &[("q", typed)]).await;
    assert_eq!(told.status, 303, "{typed}: {}", told.text());
    let address = told.header("location").to_owned();
    let page = hand.get(&address).await;
    let quiet = |address: &str| {
        let spelled: String = form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        let plain = address.to_lowercase();
        typed.len() > 3
            && (plain.contains(&typed.to_lowercase()) || plain.contains(&spelled.to_lowercase()))
    };
    assert!(!quiet(&address), "{address}");
    for link in page.text().split("href=\"").skip(1) {
        let link = link.split('"').next().unwrap();
        assert!(!quiet(link) || link == "/console/inbox/all", "{link}");
    }
    // Whoever is not signed in any more is shown the door, with the way back and nothing else.
    let door = hand.stranger().get(&address).await;
    assert_eq!(door.status, 303);
    assert!(
        !quiet(door.header("location")),
        "{}",
        door.header("location")
    );
    page
}
