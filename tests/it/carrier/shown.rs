//! What people see: conversations as they are stored, `doctor`, and the report of a fault run. The
//! first two stand in `docs/carriers.md`.

#![cfg(test)]

use std::fmt::Write as _;

use std::path::Path;

use anteroom::carrier::fake::Sending;
use anteroom::domain::conversation::Direction;
use anteroom::domain::practice::{CarrierKind, OutsideWindow, TemplateText, TemplateValue};
use anteroom::pipeline::work::Step;
use anteroom::policy::words::{Channel, Language};
use jiff::SignedDuration;

use crate::support::app::TOM;
use crate::support::server::anteroom;
use crate::support::town::{SMS, Town, WHATSAPP, sending};
use crate::support::{postgres, stores};

const DOCS: &str = include_str!("../../../docs/carriers.md");

/// A photo with what a camera writes about the place.
fn photo() -> Vec<u8> {
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0GPS 37.7749 -122.4194";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let mut photo = vec![0xff, 0xd8, 0xff, 0xe1];
    photo.extend_from_slice(&length);
    photo.extend_from_slice(exif);
    photo.extend_from_slice(&[0xff, 0xda, 0, 2, 0x12, 0x34, 0xff, 0xd9]);
    photo
}

/// The conversation with a number, a line a turn, as the store has it.
async fn stored(town: &Town, number: &str) -> String {
    let store = town.app.house.store();
    let conversation = town.app.conversation(number).await;
    let mut lines = Vec::new();
    for turn in store.turns(conversation.id, 20).await.unwrap() {
        let who = match turn.direction {
            Direction::Inbound => "patient  ",
            Direction::Outbound => "practice ",
        };
        let mut line = format!("{who} {}", turn.body.as_str());
        for file in store.media_of(turn.id).await.unwrap() {
            let (state, kind, bytes) = (&file.state, &file.kind, file.bytes.len());
            write!(line, " [{state} {kind}, {bytes} bytes]").unwrap();
        }
        if let (Some(delivery), Some(segments)) = (turn.delivery, turn.segments) {
            write!(line, " [{delivery}, {segments} segments]").unwrap();
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn documented(what: &str) {
    assert!(DOCS.contains(what), "not in docs/carriers.md:\n{what}");
}

#[tokio::test]
async fn a_picture_message_is_stored_as_the_page_shows() {
    let store = stores::sqlite().await;
    let town = Town::new(store.store.clone()).await;
    let sending = Sending {
        from: TOM.to_owned(),
        to: SMS.to_owned(),
        body: "Is this rash bad?".to_owned(),
        ..Sending::default()
    };
    let (_, post) = town.written(CarrierKind::Twilio, sending, vec![photo()]);
    assert_eq!(town.post(&post).await.status, 200);
    town.settle().await;
    assert_eq!(town.fake.files(), 0, "deleted at Twilio");
    let shown = stored(&town, TOM).await;
    assert!(
        !shown.contains(&photo().len().to_string()),
        "the place is taken out: {shown}"
    );
    documented(&shown);
}

#[tokio::test]
async fn a_whatsapp_conversation_with_a_template_is_stored_as_the_page_shows() {
    let store = stores::sqlite().await;
    let town = Town::with(store.store.clone(), |practice| {
        let mut senders = practice.senders.iter_mut();
        let sender = senders.find(|it| it.channel == Channel::Whatsapp).unwrap();
        sender.outside_window = OutsideWindow::Template;
        let template = TemplateText {
            id: format!("HX{:032x}", 7),
            locale: String::new(),
            text: "{{1}} has a message for you. Reply here to read it.".to_owned(),
            variables: [("1".to_owned(), TemplateValue::PracticeName)]
                .into_iter()
                .collect(),
        };
        sender.templates.insert(Language::En, template);
    })
    .await;
    town.text(TOM, WHATSAPP, "Hello").await;
    town.press(TOM, WHATSAPP, ("consent.yes", "I agree")).await;
    let question = sending(TOM, WHATSAPP, "What are your hours?", None);
    let (_, post) = town.written(CarrierKind::Twilio, question, Vec::new());
    assert_eq!(town.post(&post).await.status, 200);
    while town.app.house.reply_once().await.unwrap() == Step::Worked {}
    town.app.wait(SignedDuration::from_hours(25));
    town.settle().await;
    documented(&stored(&town, TOM).await);
    let sent = town.last(TOM).sent;
    documented(&format!(
        "ContentSid={} ContentVariables={}",
        sent.template.unwrap(),
        sent.body
    ));
}

const HALF: &str = r#"
listen = "127.0.0.1:8080"
public_url = "http://text.example.com"
[llm]
kind = "offline"
[[practice]]
id = "lakeside"
name = "Lakeside Family Medicine"
phone = "+14155550100"
state = "CA"
timezone = "America/Los_Angeles"
[[practice.sender]]
carrier = "twilio"
number = "+14155550101"
[twilio.lakeside]
account_sid = "AC00000000000000000000000000000001"
api_key_sid = "SK00000000000000000000000000000002"
api_key_secret = "invented"
messaging_service_sid = "MG1"
"#;

#[test]
fn doctor_says_what_a_half_configured_account_lacks_and_what_to_paste() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("anteroom.toml"), HALF).unwrap();
    let output = anteroom(dir.path()).arg("doctor").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    let about: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("  carrier  ") || line.contains("public address"))
        .collect();
    assert!(about.len() >= 4, "{told}");
    documented(&about.join("\n"));
}

/// Every Rust source below a folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn each_promise_on_the_page_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = sources(&root.join("tests/it")) + &sources(&root.join("src"));
    let (_, after) = DOCS.split_once("which test shows it").unwrap();
    let (table, _) = after.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let mut count = 0;
    for row in rows.skip(1) {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in shown.split(", ").map(|name| name.trim_matches('`')) {
            count += 1;
            // A test of its own, or a story on both databases.
            let there = [format!("fn {name}()"), format!("{name} =>")];
            assert!(there.iter().any(|it| tests.contains(it)), "{name} in {row}");
        }
    }
    assert!(count > 60, "{count}");
}

/// 48 texts with every fault at 10 %, seed 7; the report's last lines.
fn fault_run(dir: &Path, database: Option<&str>) {
    let mut command = anteroom(dir);
    command.args([
        "simulate-carrier",
        "--run",
        "48",
        "--faults",
        "0.1",
        "--seed",
        "7",
    ]);
    if let Some(database) = database {
        command.args(["--database", database]);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    // Beside the report, how far it is and nothing else.
    let progress = String::from_utf8_lossy(&output.stderr).into_owned();
    let known = [
        "48 invented patients",
        " of 48 texts written",
        "catching up, round ",
    ];
    for line in progress.lines() {
        assert!(known.iter().any(|it| line.contains(it)), "{line}");
    }
    assert!(progress.contains("48 of 48 texts written"), "{progress}");
    for line in [
        "48 texts from patients, each fault 10 %, seed 7",
        "     0  texts of patients without an answer (lost)",
        "     0  answers without an end",
        "     0  answers that a phone got twice",
        "     0  texts that the carrier has and we do not know of",
        "all is as it must be",
    ] {
        assert!(told.contains(line), "no `{line}` in:\n{told}");
    }
}

#[test]
fn nothing_is_lost_or_sent_twice_while_everything_goes_wrong_on_sqlite() {
    fault_run(tempfile::tempdir().unwrap().path(), None);
}

#[tokio::test]
async fn nothing_is_lost_or_sent_twice_while_everything_goes_wrong_on_postgres() {
    let database = postgres::new_database().await;
    fault_run(tempfile::tempdir().unwrap().path(), Some(&database));
}
