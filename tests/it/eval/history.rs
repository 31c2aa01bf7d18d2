//! Stored drafts under another policy: `simulate`, and the replay at the gate, on a store with a
//! history that the pipeline made.

use std::path::Path;

use anteroom::domain::ids::PracticeId;
use anteroom::eval::shadow::{Wanted, shadow};
use anteroom::guardrail::review::Guardrail;
use anteroom::policy::Policy;
use anteroom::seal::MasterKey;
use anteroom::store::Store;
use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use super::trial::with_medicine;
use super::{anteroom, suite_in};
use crate::support::app::{App, JAMES, MARIA, TOM};
use crate::support::stores;

/// What three people ask, and are answered.
async fn history(store: Store) {
    let app = App::new(store).await;
    for number in [MARIA, JAMES, TOM] {
        app.agreed(number).await;
        app.one(number, "When is my appointment?").await;
        app.one(number, "thank you").await;
    }
}

/// A policy folder that takes every answer about a visit for a medicine.
fn folder_in(root: &Path) {
    let lexicons = root.join("other/lexicons");
    std::fs::create_dir_all(&lexicons).unwrap();
    std::fs::write(
        lexicons.join("medications.txt"),
        with_medicine("next visit"),
    )
    .unwrap();
}

async fn a_replay_counts_what_changes_by_rule(store: Store) {
    history(store.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    folder_in(folder.path());
    let policy = Policy::from_dir(&folder.path().join("other")).unwrap();
    let today = Guardrail::embedded().unwrap();
    let other = Guardrail::new(policy.into()).unwrap();
    let practice = PracticeId::new("lakeside");
    let wanted = |most| Wanted {
        since: Timestamp::UNIX_EPOCH,
        most,
        texts: false,
    };
    let same = shadow(&store, &practice, (&today, &today), wanted(1_000)).await;
    let same = same.unwrap();
    assert!(
        same.drafts >= 6 && same.changes.is_empty() && same.drifted == 0,
        "{same:?}"
    );
    let found = shadow(&store, &practice, (&today, &other), wanted(1_000)).await;
    let found = found.unwrap();
    assert_eq!(
        (found.drafts, found.changes.len()),
        (same.drafts, 3),
        "{found:?}"
    );
    assert!(
        found
            .changes
            .iter()
            .all(|it| !it.looser() && it.texts.is_none())
    );
    let table = found.table();
    assert!(
        table.contains("+lexicon.medications") && table.contains("pass -> rewrite"),
        "{table}"
    );
    let back = shadow(&store, &practice, (&other, &today), wanted(1_000)).await;
    assert!(
        back.unwrap()
            .changes
            .iter()
            .all(anteroom::eval::shadow::Change::looser)
    );
    let newest = shadow(&store, &practice, (&today, &other), wanted(2)).await;
    assert_eq!(newest.unwrap().drafts, 2);
}

#[tokio::test]
async fn a_replay_counts_what_changes_by_rule_on_sqlite() {
    let kept = stores::sqlite().await;
    a_replay_counts_what_changes_by_rule(kept.store.clone()).await;
}

#[tokio::test]
async fn a_replay_counts_what_changes_by_rule_on_postgres() {
    let kept = stores::postgres().await;
    a_replay_counts_what_changes_by_rule(kept.store.clone()).await;
}

/// A data folder as `serve` would leave it.
async fn data_folder(root: &Path) {
    let tracker = TaskTracker::new();
    let master = MasterKey::load_or_create(&root.join("master.key"), true).unwrap();
    let url = format!("sqlite://{}", root.join("anteroom.db").display());
    let store = Store::open(&url, master, &tracker, root).await.unwrap();
    history(store).await;
    tracker.close();
    tracker.wait().await;
}

#[tokio::test]
async fn simulate_and_the_gate_tell_what_would_change_and_no_text_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    data_folder(folder.path()).await;
    folder_in(folder.path());
    let run = |arguments: &[&str]| {
        let out = anteroom(folder.path(), arguments);
        let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code(), told(&out.stdout), told(&out.stderr))
    };
    let simulate = ["simulate", "--policy", "other", "--since", "2026-11-01"];
    let (code, out, err) = run(&simulate);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("+lexicon.medications"), "{out}");
    assert!(out.contains("3 would be decided otherwise"), "{out}");
    for phi in ["Reyes", "Dec 1", "9:00", "next visit"] {
        assert!(
            !out.contains(phi) && !err.contains(phi),
            "{phi} in {out}{err}"
        );
    }
    let (code, lines, _) = run(&[&simulate[..], &["--json"]].concat());
    assert_eq!((code, lines.lines().count()), (Some(1), 3), "{lines}");
    for line in lines.lines() {
        let change: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(change["before"], "pass");
        assert_eq!(change["after"], "rewrite");
        assert!(change["texts"].is_null(), "{line}");
    }
    let (_, shown, _) = run(&[&simulate[..], &["--show-text"]].concat());
    assert!(
        shown.contains("next visit") && shown.contains("secure message"),
        "{shown}"
    );
    let (code, out, err) = run(&["simulate", "--policy", "other", "--since", "2099-01-01"]);
    assert_eq!(code, Some(4), "{out}{err}");
    // The gate shows the same before it publishes, and keeps the report.
    suite_in(
        folder.path(),
        "description: d\nlevel: detect\ntests:\n  - {id: drug, why: w, vars: {text: Your metformin is ready.}, assert: [{type: category-found, value: medication}]}\n",
    );
    let (code, out, err) = run(&[
        "policy",
        "publish",
        "other",
        "--into",
        "rules",
        "--by",
        "V",
        "--dry-run",
        "--report",
        "report.json",
    ]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(
        out.contains("3 would be decided otherwise, 0 of them more loosely"),
        "{out}"
    );
    let report = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    assert!(
        report.contains("pass") && !report.contains("Reyes"),
        "{report}"
    );
    let (_, audit, _) = run(&["audit", "export"]);
    assert!(
        audit.contains("policy.simulated") && audit.contains("texts_shown"),
        "{audit}"
    );
}
