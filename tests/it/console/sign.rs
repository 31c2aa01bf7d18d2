//! Signing in: two factors, patience with typing mistakes, none with guessing, and automatic logoff.

use anteroom::domain::staff::Role;
use jiff::SignedDuration;

use crate::console::hand::{Lab, PASSWORD};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[tokio::test]
async fn an_invitation_works_once_and_only_with_a_good_password() {
    let lab = Lab::new().await;
    let link = lab.invited(Role::FrontDesk).await;
    let mut hand = lab.browser();
    for (password, again, says) in [
        ("tiny", "tiny", "at least 12 characters"),
        (
            "password12345",
            "password12345",
            "first that a guesser tries",
        ),
        (
            "dana whitfield",
            "dana whitfield",
            "first that a guesser tries",
        ),
        (
            PASSWORD,
            "three herons by the lak",
            "the two passwords differ",
        ),
    ] {
        let told = hand
            .bare(&link, &[("password", password), ("again", again)])
            .await;
        assert_eq!(told.status, 422, "{password}");
        assert!(told.text().contains(says), "{password}: {}", told.text());
        assert!(!told.text().contains(password), "{password} is on the page");
    }
    assert!(
        hand.get(&link)
            .await
            .text()
            .contains("Welcome, Dana Whitfield")
    );
    hand.join(&link).await;
    let again = hand.get(&link).await;
    assert_eq!(again.status, 410);
    assert!(
        again
            .text()
            .contains("Ask whoever invited you for a new link")
    );

    let late = lab.invited(Role::Clinician).await;
    lab.app.wait(SignedDuration::from_hours(24 * 8));
    assert_eq!(lab.browser().get(&late).await.status, 410);
}

#[tokio::test]
async fn two_factors_let_in_and_a_code_counts_once() {
    let lab = Lab::new().await;
    let first = lab.staff(Role::FrontDesk).await;
    lab.app.wait(MINUTE);
    let mut hand = lab.browser();
    let told = hand.sign_in("front_desk@example.com", PASSWORD).await;
    assert_eq!(told.header("location"), "/console/second");
    assert_eq!(
        hand.get("/console/inbox/all").await.header("location"),
        "/console/second"
    );

    hand.secret.clone_from(&first.secret);
    let code = hand.code();
    let told = hand.post("/console/second", &[("code", &code)]).await;
    assert_eq!(told.header("location"), "/console", "{}", told.text());
    assert_eq!(hand.get("/console/inbox/all").await.status, 200);

    let mut other = lab.browser();
    other.sign_in("front_desk@example.com", PASSWORD).await;
    let told = other.post("/console/second", &[("code", &code)]).await;
    assert_eq!(told.status, 403, "the same code again");

    let recovery = first.codes[2].to_uppercase();
    let told = other.post("/console/second", &[("code", &recovery)]).await;
    assert_eq!(told.header("location"), "/console");
    let mut third = lab.browser();
    third.sign_in("front_desk@example.com", PASSWORD).await;
    let told = third.post("/console/second", &[("code", &recovery)]).await;
    assert_eq!(told.status, 403, "a recovery code again");
}

#[tokio::test]
async fn a_guesser_learns_nothing_and_is_slowed_down() {
    let lab = Lab::new().await;
    let owner = lab.staff(Role::Owner).await;
    let wrong = lab
        .browser()
        .sign_in("owner@example.com", "not the password")
        .await;
    let nobody = lab
        .browser()
        .sign_in("nobody@example.com", "not the password")
        .await;
    assert_eq!((wrong.status.as_u16(), nobody.status.as_u16()), (403, 403));
    let plain = |text: &str| text.replace("owner@", "x@").replace("nobody@", "x@");
    assert_eq!(plain(wrong.text()), plain(nobody.text()));

    // The second to the sixth try alike: an address that nobody has rests as an account does.
    let mut answers = Vec::new();
    for _ in 2..=6 {
        let mut both = Vec::new();
        for email in ["owner@example.com", "nobody@example.com"] {
            let told = lab.browser().sign_in(email, "still not it").await;
            both.push((told.status.as_u16(), plain(told.text())));
        }
        assert_eq!(both[0], both[1]);
        answers.push(both[0].0);
    }
    assert_eq!(answers, [403, 403, 429, 429, 429]);
    let told = lab
        .browser()
        .sign_in("owner@example.com", "still not it")
        .await;
    assert_eq!(told.status, 429);
    assert!(
        told.text().contains("too many tries; wait 30 s"),
        "{}",
        told.text()
    );
    let told = lab.browser().sign_in("owner@example.com", PASSWORD).await;
    assert_eq!(
        told.status, 429,
        "the right one does not count while it rests"
    );
    lab.app.wait(MINUTE);
    let mut back = lab.browser();
    let told = back.sign_in("OWNER@example.com ", PASSWORD).await;
    assert_eq!(
        told.status, 303,
        "in any case of letters, once it has rested"
    );
    back.secret.clone_from(&owner.secret);
    let code = back.code();
    assert_eq!(
        back.post("/console/second", &[("code", &code)])
            .await
            .status,
        303
    );
    let told = lab
        .browser()
        .sign_in("owner@example.com", "not the password")
        .await;
    assert_eq!(told.status, 403, "the count begins anew");

    let audit = lab.app.audited().await;
    let refused = audit.iter().filter(|it| *it == "staff.refused").count();
    assert_eq!(refused, 9, "{audit:?}");
}

#[tokio::test]
async fn an_unattended_session_ends_and_a_page_that_refreshes_itself_does_not_keep_it() {
    let lab = Lab::new().await;
    let mut hand = lab.staff(Role::Owner).await;
    let live = [("x-live", "1")];
    for _ in 0..14 {
        lab.app.wait(MINUTE);
        let told = hand
            .send("GET", "/console/inbox/all", &live, String::new())
            .await;
        assert_eq!(told.status, 200);
    }
    lab.app.wait(MINUTE);
    let told = hand
        .send("GET", "/console/inbox/all", &live, String::new())
        .await;
    assert_eq!(told.status, 401);
    let told = hand.get("/console/inbox/held?c=1").await;
    assert_eq!(
        told.header("location"),
        "/console/sign-in?next=%2Fconsole%2Finbox%2Fheld%3Fc%3D1"
    );

    let mut busy = lab.staff(Role::Clinician).await;
    for _ in 0..71 {
        lab.app.wait(MINUTE * 10);
        assert_eq!(busy.get("/console/inbox/all").await.status, 200);
    }
    lab.app.wait(MINUTE * 10);
    assert_eq!(
        busy.get("/console/inbox/all").await.status,
        303,
        "a shift is over"
    );
}

#[tokio::test]
async fn signing_out_and_a_changed_role_end_sessions() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    assert_eq!(desk.get("/console/inbox/all").await.status, 200);
    let told = owner
        .post("/console/team/2", &[("do", "role"), ("role", "auditor")])
        .await;
    assert!(
        told.text().contains("The role is changed"),
        "{}",
        told.text()
    );
    assert_eq!(desk.get("/console/inbox/all").await.status, 303);

    let told = owner
        .post("/console/team/1", &[("do", "off"), ("role", "owner")])
        .await;
    assert_eq!(told.status, 422);
    assert!(told.text().contains("keeps at least one active owner"));

    let told = owner.post("/console/sign-out", &[]).await;
    assert_eq!(told.header("location"), "/console/sign-in");
    assert_eq!(owner.get("/console/inbox/all").await.status, 303);
}

#[tokio::test]
async fn a_way_back_leads_into_the_console_only() {
    let lab = Lab::new().await;
    let mut hand = lab.browser();
    for (next, kept) in [
        ("/console/inbox/held?c=3", "/console/inbox/held?c=3"),
        ("https://example.com/", ""),
        ("//example.com/console/", ""),
        ("/console//example.com", ""),
        ("/console/\\example.com", ""),
        ("/p/token", ""),
    ] {
        let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let page = hand.get(&format!("/console/sign-in?next={query}")).await;
        let wanted = format!("name=\"next\" value=\"{}\"", kept.replace('/', "&#x2F;"));
        let plain = format!("name=\"next\" value=\"{kept}\"");
        assert!(
            page.text().contains(&wanted) || page.text().contains(&plain),
            "{next}"
        );
    }
}
