//! The console in a real browser: the way of a new owner, at a desk and on a phone.

use crate::support::server::{Server, anteroom};

/// Plays a script with a new owner's invitation, and finds nobody's words in the log.
fn played(script: &str, conversations: &str) {
    let node = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");
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
    let shots = format!("{}/console", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&shots).unwrap();
    let output = std::process::Command::new("node")
        .arg(format!("{node}/{script}.mjs"))
        .args([server.base.as_str(), link, &shots])
        .output()
        .expect("node is not installed: run tests/install.sh");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.ends_with("all held\n"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
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
    let node = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");
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
    let shots = format!("{}/console", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&shots).unwrap();
    let output = std::process::Command::new("node")
        .arg(format!("{node}/oidc.mjs"))
        .args([server.base.as_str(), &port.to_string(), &shots])
        .output()
        .expect("node is not installed: run tests/install.sh");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.ends_with("all held\n"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let log = server.log();
    for secret in ["dana@example.com", "Whitfield", "a-secret-of-the-tests"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
