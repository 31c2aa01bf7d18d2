//! The gate before every publish, as staff and operators meet it; and trials that end by themselves.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anteroom::agent::prompts::{Prompts, Wording};
use anteroom::domain::clock::Clock as _;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::publication::{Content, NewVersion, Published, Standing};
use anteroom::eval::gate;
use anteroom::policy::Policy;
use anteroom::store::Store;
use jiff::SignedDuration;
use tokio_util::task::TaskTracker;

use super::{anteroom, suite_in};
use crate::support::app::App;
use crate::support::stores;

const STORY: &str = r#"
description: d
level: conversation
tests:
  - id: visit
    why: the visit is told, and its reason is not
    vars:
      agreed: true
      turns:
        - says: When is my appointment?
          assert: [{type: contains, value: "Dec 1"}, {type: not-icontains, value: biopsy}]
  - id: thanks
    why: thanks are answered
    vars:
      agreed: true
      turns:
        - says: thank you
          assert: [{type: contains, value: welcome}]
"#;

/// Templates by their place, with their text.
type Files<'a> = &'a [(&'a str, &'a str)];

fn templates(folder: &Path, files: Files<'_>) {
    let root = folder.join("mine");
    for language in ["en", "es"] {
        std::fs::create_dir_all(root.join(language)).unwrap();
    }
    for (place, text) in files {
        std::fs::write(root.join(format!("{place}.tera")), text).unwrap();
    }
}

fn told(out: &std::process::Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        out.status.code(),
        format!("{}\n{}", text(&out.stdout), text(&out.stderr)),
    )
}

#[test]
fn a_prompt_goes_live_only_through_the_gate() {
    let own = std::fs::read_to_string("prompts/en/hello.tera").unwrap();
    let cases: [(Files<'_>, i32, &str); 8] = [
        (&[], 2, "holds no template"),
        (&[("en/hello", &own)], 4, "nothing differs"),
        (&[("en/hullo", "Hi")], 2, "with the name of a built-in one"),
        (
            &[("en/hello", "Hi {% set a = 1 %}")],
            2,
            "only if, elif, else, endif and one for",
        ),
        (
            &[("en/visit", "On {{ when }}, {{ ssn }}")],
            2,
            "unknown name",
        ),
        (&[("en/visit", "Come soon.")], 1, "s/visit (s.yaml:"),
        (
            &[("en/visit", "Your biopsy visit is {{ when }}.")],
            1,
            "en/visit: pass -> rewrite",
        ),
        // Whoever changes the words of thanks may: that the old ones are gone is no failure.
        (
            &[("en/thanks", "With pleasure. Text us any time.")],
            0,
            "is in force",
        ),
    ];
    for (files, code, wanted) in cases {
        let folder = tempfile::tempdir().unwrap();
        suite_in(folder.path(), STORY);
        templates(folder.path(), files);
        let out = anteroom(
            folder.path(),
            &["prompt", "publish", "mine", "--by", "R. Vega"],
        );
        let (got, text) = told(&out);
        assert_eq!(got, Some(code), "{files:?}\n{text}");
        assert!(text.contains(wanted), "{files:?}: {wanted:?} in\n{text}");
        let (_, list) = told(&anteroom(folder.path(), &["prompt", "list"]));
        let published = list.contains("live");
        assert_eq!(published, code == 0, "{files:?}\n{list}");
    }
}

#[test]
fn versions_are_listed_tried_promoted_taken_back_and_audited() {
    let folder = tempfile::tempdir().unwrap();
    suite_in(folder.path(), STORY);
    templates(folder.path(), &[("en/hello", "Hi there! How can we help?")]);
    let run = |arguments: &[&str]| told(&anteroom(folder.path(), arguments));
    let by = ["--by", "R. Vega"];
    let publish = |more: &[&str]| {
        let all: Vec<&str> = ["prompt", "publish", "mine", "--report", "report.json"]
            .into_iter()
            .chain(by)
            .chain(more.iter().copied())
            .collect();
        run(&all)
    };
    let (code, text) = publish(&["--dry-run"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(run(&["prompt", "list"]).1.contains("built-in wording"));
    let (code, text) = publish(&["--canary", "25", "--note", "warmer"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("on trial for 25 %"), "{text}");
    let report = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let digest = {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(report.as_bytes()))
    };
    assert!(text.contains(&digest), "{digest} in {text}");
    let (_, list) = run(&["prompt", "list"]);
    assert!(
        list.contains("trial") && list.contains("25 % on trial: 0 drafts"),
        "{list}"
    );
    let (_, text) = run(&["prompt", "promote", "--by", "R. Vega"]);
    assert!(
        text.contains("version 1 of `lakeside` is in force"),
        "{text}"
    );
    let (_, text) = run(&["prompt", "show"]);
    assert!(
        text.contains("--- en/hello.tera\nHi there!") && text.contains("warmer"),
        "{text}"
    );
    let (code, text) = run(&["prompt", "rollback", "--by", "R. Vega", "--why", "too warm"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("built-in wording again"), "{text}");
    assert_eq!(run(&["prompt", "rollback", "--by", "R. Vega"]).0, Some(2));
    let (_, audit) = run(&["audit", "export"]);
    for action in [
        "prompt.trial_begun",
        "prompt.promoted",
        "prompt.rolled_back",
    ] {
        assert!(audit.contains(action), "{action} in {audit}");
    }
    assert!(audit.contains(&digest) && run(&["audit", "verify"]).0 == Some(0));
}

#[test]
fn a_policy_goes_into_the_folder_only_through_the_gate() {
    let suite = r#"
description: d
level: detect
tests:
  - {id: drug, why: a drug is found, vars: {text: "Your metformin is ready."}, assert: [{type: category-found, value: medication}]}
"#;
    let drugs = std::fs::read_to_string("guardrails/lexicons/medications.txt").unwrap();
    let more = format!("{drugs}\nzyxofluran\n");
    let one_less: String = drugs
        .lines()
        .map(|line| {
            let holds = line.contains("abacavir") && !line.starts_with('#');
            let kept = if holds {
                line.replace("abacavir", "")
            } else {
                line.to_owned()
            };
            kept + "\n"
        })
        .collect();
    assert_ne!(
        one_less, drugs,
        "the list must hold the word that is dropped"
    );
    let publish = [
        "policy", "publish", "mine", "--into", "policy", "--by", "R. Vega",
    ];
    let failing = suite.replace("value: medication", "value: pregnancy");
    let more = more.as_str();
    let cases: [(&str, &str, &[&str], i32, &str); 3] = [
        (suite, more, &[], 0, "is in policy"),
        (&failing, more, &[], 1, "s/drug (s.yaml:"),
        // A word of the built-in list cannot be dropped at all.
        (suite, &one_less, &[], 2, "is left out"),
    ];
    for (suite, list, extra, code, wanted) in cases {
        let folder = tempfile::tempdir().unwrap();
        suite_in(folder.path(), suite);
        let lexicons = folder.path().join("mine/lexicons");
        std::fs::create_dir_all(&lexicons).unwrap();
        std::fs::write(lexicons.join("medications.txt"), list).unwrap();
        let all: Vec<&str> = publish.iter().chain(extra).copied().collect();
        let (got, text) = told(&anteroom(folder.path(), &all));
        assert_eq!(got, Some(code), "{wanted}\n{text}");
        assert!(text.contains(wanted), "{wanted:?} in\n{text}");
        let written = folder.path().join("policy/lexicons/medications.txt");
        assert_eq!(written.exists(), code == 0);
        if code == 0 {
            assert_eq!(std::fs::read_to_string(&written).unwrap(), *list);
            let back = ["policy", "rollback", "--into", "policy", "--by", "R. Vega"];
            let (code, text) = told(&anteroom(folder.path(), &back));
            assert_eq!(code, Some(0), "{text}");
            assert!(
                !written.exists(),
                "the program's own policy has no such file"
            );
        }
    }
}

fn version(wording: &[(&str, &str)], trial: Option<u8>) -> NewVersion {
    let files: BTreeMap<String, String> = wording
        .iter()
        .map(|(place, text)| ((*place).to_owned(), (*text).to_owned()))
        .collect();
    NewVersion {
        kind: Published::Prompt,
        author: "R. Vega".to_owned(),
        digest: "d".repeat(64),
        report: "e".repeat(64),
        trial,
        content: Content {
            files,
            note: String::new(),
        },
    }
}

fn numbers() -> Vec<String> {
    (111..=122).map(|n| format!("+14155550{n}")).collect()
}

async fn published_words_are_spoken(store: Store) {
    let app = App::new(store).await;
    let practice = PracticeId::new("lakeside");
    let number = "+14155550114";
    app.agreed(number).await;
    assert!(app.one(number, "thanks").await.contains("You're welcome"));
    let store = app.house.store();
    let words = [("en/thanks", "With pleasure.")];
    let now = app.clock.now();
    let id = store
        .publish(&practice, &version(&words, None), now)
        .await
        .unwrap();
    app.house.tend_wordings_once().await.unwrap();
    // Thanks are answered once; a question lies between.
    app.one(number, "What are your hours?").await;
    assert_eq!(app.one(number, "thanks").await, "With pleasure.");
    let back = store.roll_back(&practice, Published::Prompt, None, ("V", "w"), now);
    back.await.unwrap();
    app.house.tend_wordings_once().await.unwrap();
    app.one(number, "What are your hours?").await;
    assert!(app.one(number, "thanks").await.contains("You're welcome"));
    let all = store.versions(&practice, Published::Prompt).await.unwrap();
    assert_eq!((all[0].id, all[0].standing), (id, Standing::RolledBack));
}

/// A version that makes the guardrail rewrite every answer is taken back by itself; one that does
/// not goes on, however many texts it answers.
async fn a_trial_that_leaves_its_band_ends(store: Store) {
    let app = App::new(store).await;
    let practice = PracticeId::new("lakeside");
    for number in &numbers() {
        app.wait(SignedDuration::from_secs(90));
        app.agreed(number).await;
    }
    let harmless = [("en/visit", "You come on {{ when }}.")];
    let leaking = [("en/visit", "Your diabetes visit is {{ when }}.")];
    for (words, ends) in [(harmless, false), (leaking, true)] {
        let new = version(&words, Some(50));
        let id = app
            .house
            .store()
            .publish(&practice, &new, app.clock.now())
            .await
            .unwrap();
        app.house.tend_wordings_once().await.unwrap();
        for _ in 0..2 {
            for number in &numbers() {
                // The practice's number has its pace.
                app.wait(SignedDuration::from_secs(90));
                let answer = app.one(number, "When is my appointment?").await;
                assert!(!answer.contains("diabetes"), "{answer}");
            }
        }
        let (new, old) = app.house.store().trial(id).await.unwrap();
        assert_eq!(
            new.pass + new.rewrite + new.hold + old.pass + old.rewrite + old.hold,
            24
        );
        assert!(new.held().of >= 5 && old.held().of >= 5, "{new:?} {old:?}");
        app.house.tend_wordings_once().await.unwrap();
        let all = app
            .house
            .store()
            .versions(&practice, Published::Prompt)
            .await
            .unwrap();
        let standing = all.iter().find(|it| it.id == id).unwrap().standing;
        let wanted = if ends {
            Standing::RolledBack
        } else {
            Standing::Trial
        };
        assert_eq!(standing, wanted, "{new:?} {old:?}");
    }
}

#[tokio::test]
async fn published_words_are_spoken_on_sqlite() {
    let kept = stores::sqlite().await;
    published_words_are_spoken(kept.store.clone()).await;
}

#[tokio::test]
async fn published_words_are_spoken_on_postgres() {
    let kept = stores::postgres().await;
    published_words_are_spoken(kept.store.clone()).await;
}

#[tokio::test]
async fn a_trial_that_leaves_its_band_ends_on_sqlite() {
    let kept = stores::sqlite().await;
    a_trial_that_leaves_its_band_ends(kept.store.clone()).await;
}

fn asking(suite: &str) -> gate::Asking {
    let files = super::files(&[("s.yaml", suite)]);
    gate::Asking {
        practice: PracticeId::new("lakeside"),
        replay: 50,
        suites: gate::suites(&files).unwrap(),
        threads: 1,
        now: "2026-12-01T18:00:00Z".parse().unwrap(),
    }
}

/// As the console does it, beside a house that answers patients: asked on a task of its own,
/// watched from another, broken off.
#[tokio::test]
async fn the_gate_is_asked_beside_a_running_house_watched_and_broken_off() {
    let kept = stores::sqlite().await;
    let app = App::new(kept.store.clone()).await;
    app.agreed("+14155550114").await;
    app.one("+14155550114", "When is my appointment?").await;
    let practice = PracticeId::new("lakeside");
    let before = gate::wording_in_force(app.house.store(), &practice);
    let before = before.await.unwrap();
    let ask = |words: &'static str, suite: &str, broken_off: bool| {
        let files = BTreeMap::from([("en/visit".to_owned(), words.to_owned())]);
        let after = Prompts::with(&files).unwrap();
        let kept = gate::differing(&after);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["en/visit"]);
        let (house, before, asking) = (Arc::clone(&app.house), before.clone(), asking(suite));
        let progress = Arc::new(gate::Progress::default());
        if broken_off {
            progress.stop();
        }
        let told = Arc::clone(&progress);
        async move {
            let asked = TaskTracker::new().spawn(async move {
                let after = Wording::published(after);
                gate::wording(&house, asking, (&before, &after), &progress).await
            });
            let gate = asked.await.unwrap().unwrap();
            (gate, (told.done(), told.of(), told.wrong()))
        }
    };
    let (passes, seen) = ask("You come on {{ when }}.", STORY, false).await;
    assert_eq!(passes.refusal(), None);
    assert_eq!(seen, (2, 2, 0));
    // The greeting is answered as before, the question about the visit in the new words.
    assert_eq!((passes.texts, passes.reworded), (2, 1));
    let (fails, seen) = ask("Come soon.", STORY, false).await;
    let why = fails.refusal().unwrap();
    assert!(why.contains("s/visit (s.yaml:"), "{why}");
    assert_eq!(seen, (2, 2, 1));
    assert_ne!(fails.report_digest(), passes.report_digest());
    let (broken_off, seen) = ask("You come on {{ when }}.", STORY, true).await;
    assert!(broken_off.refusal().is_some() && broken_off.partial);
    assert_eq!(seen, (0, 2, 0));
    // Half a run in which nothing failed is no pass either.
    let half = gate::Gate {
        partial: true,
        ..passes
    };
    let why = half.refusal().unwrap();
    assert!(why.contains("run it again"), "{why}");

    let policy = |more: &str| {
        let list = super::trial::with_medicine(more);
        let files = [("lexicons/medications.txt".to_owned(), list)];
        Policy::from_files(&BTreeMap::from(files)).unwrap()
    };
    let both = (policy("zyxofluran"), policy("zyxofluran\nqwertamab"));
    let digest = both.1.digest().to_owned();
    let progress = Arc::default();
    let store = app.house.store();
    let asked = gate::policy(store, asking(STORY), both, None, &progress).await;
    let (gate, replayed) = asked.unwrap();
    assert_eq!(gate.refusal(), None);
    assert_eq!((gate.digest, gate.drafts), (digest, replayed.drafts));
    assert!(replayed.drafts > 0 && progress.done() == 2);
}
