//! The chat in a real browser, on a web site of another origin.

use crate::support::browser;
use crate::support::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_chats_from_the_practices_web_site_and_staff_answer_live() {
    let folder = tempfile::tempdir().unwrap();
    // The site listens on a port of its own, so it must be known before it is configured.
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let sample = include_str!("../../../samples/lakeside.toml");
    let file = format!("{sample}\n[practice.webchat]\norigins = [\"http://localhost:{port}\"]\n");
    std::fs::write(folder.path().join("anteroom.toml"), file).unwrap();
    let bundle = folder.path().join("lakeside.json");
    std::fs::write(&bundle, include_str!("../../../samples/lakeside.json")).unwrap();
    let database = format!("sqlite://{}", folder.path().join("anteroom.db").display());
    let invited = |args: &[&str]| {
        let mut command = crate::support::server::anteroom(folder.path());
        let output = command
            .env("ANTEROOM_DATABASE_URL", &database)
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    };
    invited(&["import", bundle.to_str().unwrap(), "--practice", "lakeside"]);
    let told = invited(&[
        "staff",
        "invite",
        "--email",
        "owner@example.com",
        "--name",
        "Dana Whitfield",
        "--role",
        "owner",
    ]);
    let link = told
        .split_whitespace()
        .find(|it| it.contains("/console/join/"));
    let link = link.expect("an invitation").to_owned();
    let server = Server::start(folder.path(), &database);
    let path = link.split_once("/console/").unwrap().1;
    let link = format!("{}/console/{path}", server.base);
    browser::played(
        "chat",
        &[
            &server.base,
            &port.to_string(),
            &link,
            &browser::shots("chat"),
        ],
    );
    let log = server.log();
    for secret in ["5550111", "Gonzalez", "parking", "blue door", "Bearer"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
