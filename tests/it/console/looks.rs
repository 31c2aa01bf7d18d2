//! Looks at the inbox leave an entry each: who, which view, how many; never what was typed.

use anteroom::domain::staff::Role;
use jiff::SignedDuration;
use serde_json::Value;

use crate::console::hand::{Hand, Lab};
use crate::support::app::{MARIA, TOM};

/// The looks in the log, oldest first: what, by whom, and what the entry holds.
async fn looks(lab: &Lab) -> Vec<(String, String, Value)> {
    lab.app.audited().await;
    let all = lab.app.house.store().audit_entries(lab.practice());
    let all = all.await.unwrap().into_iter().map(|it| it.entry);
    all.filter(|it| it.action.starts_with("inbox."))
        .map(|it| {
            assert_eq!(it.subject, "inbox");
            let detail = serde_json::from_str(&it.detail).unwrap();
            (it.action, it.actor, detail)
        })
        .collect()
}

async fn lived_in() -> Lab {
    let lab = Lab::new().await;
    for number in [MARIA, TOM] {
        lab.app.text(number, "Hello").await;
    }
    lab
}

#[tokio::test]
async fn a_view_of_the_inbox_is_one_look_in_a_quarter_of_an_hour_of_a_session() {
    let lab = lived_in().await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let maria = lab.app.conversation(MARIA).await.id;
    for path in [
        "/console/inbox/all",
        "/console/inbox/all",
        &format!("/console/inbox/all?c={maria}"),
    ] {
        assert_eq!(desk.get(path).await.status, 200, "{path}");
    }
    // A page that refreshes itself is no look of its own, whichever view it shows.
    for how in ["1", "look"] {
        for path in ["/console/inbox/all", "/console/inbox/unread"] {
            let page = desk
                .send("GET", path, &[("x-live", how)], String::new())
                .await;
            assert_eq!(page.status, 200);
        }
    }
    let first = looks(&lab).await;
    assert_eq!(first.len(), 1, "{first:?}");
    let (action, by, detail) = &first[0];
    assert_eq!(action, "inbox.viewed");
    assert!(by.starts_with("staff/"), "{by}");
    assert_eq!(detail["queue"], "all");
    assert_eq!(detail["shown"], 2);

    // Another view, another page, another session: each is a look.
    let mut other = lab.staff(Role::Clinician).await;
    for (hand, path) in [
        (&mut desk, "/console/inbox/unread"),
        (&mut other, "/console/inbox/all"),
    ] {
        hand.get(path).await;
    }
    desk.get("/console/inbox/all?before=2").await;
    assert_eq!(looks(&lab).await.len(), 4);

    // The same view twenty minutes later is a new look; one within the quarter is not.
    lab.app.wait(SignedDuration::from_mins(10));
    desk.get("/console/inbox/all").await;
    assert_eq!(looks(&lab).await.len(), 4);
    lab.app.wait(SignedDuration::from_mins(10));
    desk.get("/console/inbox/all").await;
    assert_eq!(looks(&lab).await.len(), 5);
}

async fn searched(hand: &mut Hand<'_>, typed: &str) -> String {
    let told = hand.post("/console/inbox/all", &[("q", typed)]).await;
    let address = told.header("location").to_owned();
    let page = hand.get(&address).await;
    assert_eq!(page.status, 200, "{}", page.text());
    address
}

#[tokio::test]
async fn a_search_is_in_the_log_by_its_digest_and_what_it_found() {
    let lab = lived_in().await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let address = searched(&mut desk, "Maria").await;
    // The conversation beside the same search, and the same words typed otherwise.
    let maria = lab.app.conversation(MARIA).await.id;
    desk.get(&format!("{address}&c={maria}")).await;
    searched(&mut desk, "  MARÍA ").await;
    let found = looks(&lab).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "inbox.searched");
    assert_eq!(found[0].2["shown"], 1);
    let term = found[0].2["term"].as_str().unwrap().to_owned();
    assert_eq!(term.len(), 16, "{term}");

    searched(&mut desk, "Xyzzy").await;
    searched(&mut desk, TOM).await;
    let mut other = lab.staff(Role::Clinician).await;
    searched(&mut other, "maria").await;
    let found = looks(&lab).await;
    let shown: Vec<_> = found.iter().map(|it| it.2["shown"].as_u64()).collect();
    assert_eq!(shown, [Some(1), Some(0), Some(1), Some(1)]);
    assert_eq!(
        found[3].2["term"], *term,
        "the same words, whoever types them"
    );
    assert_ne!(found[3].1, found[0].1);
    let mut terms: Vec<_> = found.iter().map(|it| it.2["term"].to_string()).collect();
    terms.sort();
    terms.dedup();
    assert_eq!(terms.len(), 3);

    // An officer sees that it was, and by whom; nobody reads there what was typed.
    let mut officer = lab.staff(Role::Compliance).await;
    let page = officer.get("/console/audit?action=inbox").await;
    let page = page.text().to_lowercase();
    assert!(
        page.contains("inbox.searched") && page.contains(&term),
        "{page}"
    );
    for typed in ["maria", "maría", "xyzzy", "5550114"] {
        assert!(!page.contains(typed), "{typed}");
    }
}
