//! The console in a real browser: the way of a new owner, at a desk and on a phone.

use crate::support::server::Server;

/// Plays a script with a new owner's invitation, and finds nobody's words in the log.
fn played(script: &str) {
    let node = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("anteroom.db").display());
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
    played("console");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_works_in_a_browser_and_its_light_turns_on() {
    played("setup");
}
