//! The console in a real browser: the way of a new owner, at a desk and on a phone.

use anteroom::domain::staff::Role;
use anteroom::web::serve::serve;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::console::hand::Lab;
use crate::support::app::{JAMES, MARIA};
use crate::support::browser;
use crate::support::server::{Server, anteroom};

/// Plays a script with a new owner's invitation, and finds nobody's words in the log.
fn played(script: &str, conversations: &str) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("anteroom.db").display());
    if !conversations.is_empty() {
        let seeded = anteroom(folder.path())
            .env("ANTEROOM_DATABASE_URL", &database)
            .args(["seed", "--days", "60", "--conversations", conversations])
            .output()
            .unwrap();
        assert!(seeded.status.success(), "{seeded:?}");
    }
    let server = Server::start(folder.path(), &database);
    let log = server.log();
    let link = log
        .split_whitespace()
        .find(|it| it.contains("/console/join/"))
        .expect("a link for the owner of the sample practice");
    browser::played(script, &[&server.base, link, &browser::shots("console")]);
    let log = server.log();
    for secret in ["Maria", "Gonzalez", "A1c", "herons", "owner@example.com"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_works_in_a_browser_with_keys_alone() {
    played("console", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn held_drafts_rights_and_proof_work_in_a_browser() {
    played("officer", "300");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_works_in_a_browser_and_its_light_turns_on() {
    played("setup", "");
}

/// A port that is free now.
fn free_port() -> u16 {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_sign_in_by_a_real_openid_provider_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let sample = include_str!("../../../samples/lakeside.toml");
    let file = format!(
        "{sample}\n[practice.oidc]\nissuer = \"http://127.0.0.1:{port}\"\nclient_id = \"anteroom\"\n\
         client_secret = \"a-secret-of-the-tests-0123456789\"\nlabel = \"Lakeside ID\"\n\
         role_claim = \"groups\"\njit = true\nprovider_second_factor = true\n\
         [practice.oidc.roles]\nclinic-owners = \"owner\"\nclinic-desk = \"front_desk\"\n"
    );
    std::fs::write(folder.path().join("anteroom.toml"), file).unwrap();
    let database = format!("sqlite://{}", folder.path().join("anteroom.db").display());
    let server = Server::start(folder.path(), &database);
    browser::played(
        "oidc",
        &[&server.base, &port.to_string(), &browser::shots("console")],
    );
    let log = server.log();
    for secret in ["dana@example.com", "Whitfield", "a-secret-of-the-tests"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_text_is_seen_within_a_second_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let sample = include_str!("../../../samples/lakeside.toml").replace("simulator", "twilio");
    let file = format!(
        "{sample}\n[[practice.sender]]\ncarrier = \"twilio\"\n\
         channel = \"whatsapp\"\nnumber = \"+14155550103\"\n\n[[practice.agreement]]\n\
         counterparty = \"twilio\"\nproduct = \"programmable-messaging\"\ndocument_sha256 = \"00\"\n\
         signer = \"an officer\"\nfrom = 2026-01-01\n\n[twilio.lakeside]\n\
         account_sid = \"AC00000000000000000000000000000000\"\n\
         auth_tokens = [\"0123456789abcdef0123456789abcdef\"]\nbase_url = \"http://127.0.0.1:{port}\"\n"
    );
    std::fs::write(folder.path().join("anteroom.toml"), file).unwrap();
    // Two patients with one number.
    let record = include_str!("../../../samples/lakeside.json");
    let record = record.replace("+14155550118", "+14155550119");
    std::fs::write(folder.path().join("lakeside.json"), record).unwrap();
    let database = format!("sqlite://{}", folder.path().join("anteroom.db").display());
    let mut told = String::new();
    for command in [
        "import lakeside.json --practice lakeside",
        "staff invite --email owner@example.com --name Dana --role owner",
    ] {
        let output = anteroom(folder.path())
            .env("ANTEROOM_DATABASE_URL", &database)
            .args(command.split_whitespace())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        told = String::from_utf8(output.stdout).unwrap();
    }
    let (_, path) = told.trim().split_once("/console/").expect("an invitation");
    let path = path.split_whitespace().next().unwrap();
    let server = Server::start(folder.path(), &database);
    let link = format!("{}/console/{path}", server.base);
    let port = port.to_string();
    let shots = browser::shots("console");
    println!(
        "{}",
        browser::played("live", &[&server.base, &port, &link, &shots])
    );
    let log = server.log();
    for secret in ["Gonzalez", "where do I park", "5550111"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_at_the_inbox_needs_no_click_in_a_browser() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    lab.app.text(JAMES, "Do you take walk-ins?").await;
    let kept = lab.app.conversation(MARIA).await;
    let now = lab.app.clock_now();
    let store = lab.app.house.store();
    let held = store.write(move |tx| {
        let kept = kept.clone();
        Box::pin(async move {
            let words = "We open at 8 tomorrow.".to_owned().into();
            let report = "{}".to_owned().into();
            tx.hold(&kept, &words, &report, "guardrail", now).await
        })
    });
    held.await.unwrap();
    let owner = lab.staff(Role::Owner).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = TaskTracker::new().spawn(serve(listener, lab.router.clone(), stop.clone()));
    let recovery = owner.codes.first().expect("recovery codes").clone();
    let played = tokio::task::spawn_blocking(move || {
        browser::played("keys", &[&base, &recovery, &browser::shots("console")])
    });
    // The carrier takes each text at once, as it does in a house that runs.
    let mut changes = lab.app.house.changes();
    let carried = async {
        while changes.changed().await.is_ok() {
            lab.app.drain().await;
        }
    };
    tokio::select! {
        played = played => played.unwrap(),
        () = carried => unreachable!("the house lives as long as the test"),
    };
    let got = lab.app.received_by(MARIA);
    for words in [
        "We open at 8 tomorrow.",
        "Good morning. Parking is free behind the house.",
    ] {
        assert!(got.iter().any(|it| it == words), "{words}: {got:?}");
    }
    let log = lab.app.audited().await;
    assert!(log.contains(&"hold.overridden".to_owned()), "{log:?}");
    stop.cancel();
    serving.await.unwrap();
}
