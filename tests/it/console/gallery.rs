//! Every page in a real browser, the rare ones too, on a desk and on a phone, in the light and in the dark.

use std::fmt::Write as _;
use std::path::Path;

use anteroom::web::serve::serve;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::simulator::fake::{Fake, PORTAL_TOKEN, Portal};
use crate::support::browser;
use crate::support::page::kept_as;
use crate::support::server::{Server, anteroom};

/// A suite that the sample versions pass.
const SUITE: &str = r#"
description: d
level: conversation
tests:
  - id: hours
    why: the hours are told
    vars:
      agreed: true
      turns:
        - says: What are your hours?
          assert: [{type: contains, value: "8:00"}]
"#;

fn written(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Runs a command that must succeed; what it printed.
fn ran(folder: &Path, database: &str, command: &str) -> String {
    let output = anteroom(folder)
        .env("ANTEROOM_DATABASE_URL", database)
        .args(command.split_whitespace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A house that has been lived in: conversations, a version of the prompts and one of the policy, an
/// agreement, and an owner who is invited.
fn lived_in(folder: &Path, database: &str) -> String {
    let sample = include_str!("../../../samples/lakeside.toml");
    let chat = "\n[practice.webchat]\norigins = [\"https://www.example.com\"]\n";
    written(folder, "anteroom.toml", &format!("{sample}{chat}"));
    let record = include_str!("../../../samples/lakeside.json");
    written(folder, "lakeside.json", record);
    written(folder, "evals/s.yaml", SUITE);
    let thanks = "With pleasure. Text us any time.";
    written(folder, "prompts/en/thanks.tera", thanks);
    let drugs = include_str!("../../../guardrails/lexicons/medications.txt");
    let drugs = format!("{drugs}\nzyxofluran\n");
    written(folder, "words/lexicons/medications.txt", &drugs);
    let mut told = String::new();
    for command in [
        "seed --practice lakeside --days 60 --conversations 300",
        "import lakeside.json --practice lakeside",
        "prompt publish prompts --practice lakeside --by Robin --replay 5",
        "policy publish words --practice lakeside --into policy --by Robin --replay 5",
        "agreement add --practice lakeside --counterparty twilio --product programmable-messaging \
         --document lakeside.json --signer Robin --from 2026-11-01 --until 2099-10-31",
        "staff invite --practice lakeside --email owner@example.com --name Dana --role owner",
    ] {
        told = ran(folder, database, command);
    }
    let (_, path) = told.split_once("/console/join/").expect("an invitation");
    format!("/console/join/{}", path.split_whitespace().next().unwrap())
}

/// What axe found on each page, as a page of the documentation.
fn table(found: &str) -> String {
    let rows: Vec<serde_json::Value> = serde_json::from_str(found).unwrap();
    let mut page = "# What axe finds\n\n\
        Violations of any impact that axe-core finds on each page of the console and of the portal, by width of the \
        screen and color scheme.\nWritten by the test that photographs them all \
        (`tests/node/gallery.mjs`), which fails at the first one; it also finds pages that scroll sideways, errors \
        in the console of the browser, and requests that leave the house.\n\
        In light every rule of axe is asked; in the dark, where only the colors differ, those of color.\n\n\
        | page | 1366, light | 1366, dark | 390, light | 390, dark |\n|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let count = |at: &str| row["found"][at].as_u64().unwrap();
        let cells =
            ["1366-light", "1366-dark", "390-light", "390-dark"].map(|at| count(at).to_string());
        let name = row["name"].as_str().unwrap();
        writeln!(page, "| {name} | {} |", cells.join(" | ")).unwrap();
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_and_fits_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("anteroom.db").display());
    let invitation = lived_in(folder.path(), &database);
    let server = Server::start(folder.path(), &database);
    // Another house, whose portal asks for the ZIP code.
    let other = tempfile::tempdir().unwrap();
    let sample = include_str!("../../../samples/lakeside.toml");
    let practice = "portal_factor = \"zip\"\n\n[practice.facts]";
    let asks = sample.replace("[practice.facts]", practice);
    written(other.path(), "anteroom.toml", &asks);
    let record = include_str!("../../../samples/lakeside.json");
    written(other.path(), "lakeside.json", record);
    let theirs = format!("sqlite://{}", other.path().join("anteroom.db").display());
    ran(
        other.path(),
        &theirs,
        "import lakeside.json --practice lakeside",
    );
    let zips = Server::start(other.path(), &theirs);
    // A link that has ended: seven days pass in a house of cardboard only.
    let fake = Fake::new();
    fake.state().portal = Portal::Expired;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ended = format!("http://{}/p/{PORTAL_TOKEN}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = TaskTracker::new().spawn(serve(listener, fake.router(), stop.clone()));
    let shots = browser::shots("gallery");
    let axe = format!("{shots}/axe.json");
    let link = format!("{}{invitation}", server.base);
    let (base, zips_at) = (server.base.clone(), zips.base.clone());
    let told = tokio::task::spawn_blocking(move || {
        browser::played("gallery", &[&base, &link, &ended, &zips_at, &shots])
    });
    println!("{}", told.await.unwrap());
    kept_as(
        "docs/axe.md",
        &table(&std::fs::read_to_string(axe).unwrap()),
    );
    stop.cancel();
    serving.await.unwrap();
}
