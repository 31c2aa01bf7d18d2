//! A policy on trial: it judges its share of the conversations, and is taken back when it holds or
//! cuts otherwise than the one in force.

use std::collections::BTreeMap;

use anteroom::domain::clock::Clock as _;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::publication::{Content, NewVersion, Published, Standing};
use anteroom::store::Store;
use jiff::SignedDuration;

use super::{anteroom, suite_in};
use crate::support::app::App;
use crate::support::stores;

/// A list of medicines with one more.
pub(super) fn with_medicine(name: &str) -> String {
    let list = std::fs::read_to_string("guardrails/lexicons/medications.txt").unwrap();
    format!("{list}\n[medication certain en]\n{name}\n")
}

fn version(name: &str) -> NewVersion {
    let files = [("lexicons/medications.txt".to_owned(), with_medicine(name))];
    NewVersion {
        kind: Published::Policy,
        author: "R. Vega".to_owned(),
        digest: "d".repeat(64),
        report: "e".repeat(64),
        trial: Some(50),
        content: Content {
            files: BTreeMap::from(files),
            note: String::new(),
        },
    }
}

fn numbers() -> Vec<String> {
    (111..=122).map(|n| format!("+14155550{n}")).collect()
}

async fn asked(app: &App) -> Vec<String> {
    let mut answers = Vec::new();
    for number in &numbers() {
        // The practice's number has its pace.
        app.wait(SignedDuration::from_secs(90));
        answers.push(app.one(number, "When is my appointment?").await);
    }
    answers
}

async fn a_policy_that_leaves_its_band_is_taken_back(store: Store) {
    let app = App::new(store).await;
    let practice = PracticeId::new("lakeside");
    for number in &numbers() {
        app.wait(SignedDuration::from_secs(90));
        app.agreed(number).await;
    }
    let before = asked(&app).await;
    let told = |answers: &[String]| {
        answers
            .iter()
            .filter(|it| it.contains("next visit"))
            .count()
    };
    let all = told(&before);
    assert!(all >= 10, "{before:?}");
    // One names a medicine that nobody takes, the other takes every answer for one.
    for (name, ends) in [("zyxofluran", false), ("next visit", true)] {
        let store = app.house.store();
        let id = store
            .publish(&practice, &version(name), app.clock.now())
            .await
            .unwrap();
        app.house.tend_policies_once().await.unwrap();
        let during = [asked(&app).await, asked(&app).await].concat();
        let (new, old) = store.trial(id).await.unwrap();
        assert!(new.held().of >= 5 && old.held().of >= 5, "{new:?} {old:?}");
        assert_eq!(told(&during) < 2 * all, ends, "{during:?}");
        assert!(
            told(&during) >= all / 2,
            "the others are answered as before"
        );
        app.house.tend_policies_once().await.unwrap();
        let versions = store.versions(&practice, Published::Policy).await.unwrap();
        let standing = versions.iter().find(|it| it.id == id).unwrap().standing;
        let wanted = if ends {
            Standing::RolledBack
        } else {
            Standing::Trial
        };
        assert_eq!(standing, wanted, "{new:?} {old:?}");
    }
    assert_eq!(told(&asked(&app).await), all, "all as before the trial");
    let store = app.house.store();
    store.sequence_audit(app.clock.now()).await.unwrap();
    let entries = store.audit_entries(&practice).await.unwrap();
    let by_itself = entries
        .iter()
        .find(|it| it.entry.action == "policy.rolled_back" && it.entry.actor == "anteroom");
    assert!(by_itself.is_some(), "the audit log tells who took it back");
}

#[tokio::test]
async fn a_policy_that_leaves_its_band_is_taken_back_on_sqlite() {
    let kept = stores::sqlite().await;
    a_policy_that_leaves_its_band_is_taken_back(kept.store.clone()).await;
}

#[tokio::test]
async fn a_policy_that_leaves_its_band_is_taken_back_on_postgres() {
    let kept = stores::postgres().await;
    a_policy_that_leaves_its_band_is_taken_back(kept.store.clone()).await;
}

#[test]
fn an_overlay_is_tried_promoted_and_taken_back_in_the_configured_folder() {
    let folder = tempfile::tempdir().unwrap();
    suite_in(
        folder.path(),
        r#"
description: d
level: detect
tests:
  - {id: drug, why: a drug is found, vars: {text: "Your metformin is ready."}, assert: [{type: category-found, value: medication}]}
"#,
    );
    let lexicons = folder.path().join("mine/lexicons");
    std::fs::create_dir_all(&lexicons).unwrap();
    std::fs::write(
        lexicons.join("medications.txt"),
        with_medicine("zyxofluran"),
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let out = anteroom(folder.path(), arguments);
        let text = [out.stdout, out.stderr].concat();
        (
            out.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let by = ["--by", "R. Vega"];
    let publish = ["policy", "publish", "mine", by[0], by[1], "--canary", "10"];
    let (code, text) = run(&publish);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("set policy_dir"), "{text}");
    std::fs::write(
        folder.path().join("anteroom.toml"),
        "policy_dir = \"rules\"\n",
    )
    .unwrap();
    let in_force = folder.path().join("rules/lexicons/medications.txt");
    let steps: [(&[&str], i32, &str, bool); 6] = [
        (&publish, 0, "on trial for 10 %", false),
        (&["policy", "versions"], 0, "10 % on trial: 0 drafts", false),
        (&["policy", "promote", by[0], by[1]], 0, "is in rules", true),
        (
            &["policy", "promote", by[0], by[1]],
            2,
            "no policy on trial",
            true,
        ),
        (
            &["policy", "rollback", by[0], by[1]],
            0,
            "version 0 is in rules",
            false,
        ),
        (&["policy", "versions"], 0, "rolled_back", false),
    ];
    for (arguments, wanted, says, written) in steps {
        let (code, text) = run(arguments);
        assert_eq!(code, Some(wanted), "{arguments:?}\n{text}");
        assert!(text.contains(says), "{says:?} in\n{text}");
        assert_eq!(in_force.exists(), written, "{arguments:?}\n{text}");
    }
    assert_eq!(run(&publish).0, Some(0));
    let (code, text) = run(&["policy", "rollback", by[0], by[1]]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the trial of version 2 has ended"), "{text}");
}
