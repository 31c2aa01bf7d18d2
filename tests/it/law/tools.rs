//! `anteroom policy`: the law and the house rules as people check, read and compare them.

use std::fs;
use std::path::Path;

use crate::support::server::{Server, anteroom};

/// Runs `anteroom policy ...` in a folder; exit code, standard output, standard error.
fn policy(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let run = anteroom(folder).arg("policy").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code(), text(run.stdout), text(run.stderr))
}

#[test]
fn our_own_policy_has_nothing_that_must_be_mended() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = policy(folder.path(), &["lint", "--all"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(!out.contains("error"), "{out}");
    assert!(err.contains(" 0 errors"), "{err}");
    // The only warnings are true ones: what nobody has verified, and one law that was struck down.
    let kinds: Vec<&str> = out.lines().filter(|it| it.starts_with("warning")).collect();
    for kind in &kinds {
        assert!(
            kind.contains("not verified") || kind.contains("took its place"),
            "{kind}"
        );
    }
    assert!(
        out.contains("states/CA.toml: "),
        "each is named with its file: {out}"
    );
}

#[test]
fn lint_names_what_a_folder_lacks_with_place_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let overlay = folder.path().join("policy");
    fs::create_dir(&overlay).unwrap();
    let rule = |id: &str, effective: &str, more: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\nkind = \"send_window\"\nsummary = \"By day.\"\nbasis = \"statute\"\n\
             cite = \"Our Code 1\"\neffective = {effective}\n{more}last_reviewed = 2024-01-01\nconfidence = \"memory\"\n\
             [rule.params]\nopen = \"09:00\"\nclose = \"18:00\"\nclock = \"recipient\"\n\
             applies_to = [\"outbound_initiated\"]\n"
        )
    };
    let head = "schema = 1\njurisdiction = \"US\"\ntitle = \"Our house\"\nlast_reviewed = 2026-11-22\n\
                reviewed_by = \"nobody\"\n";
    let house = [
        head,
        &rule("house.a", "2026-01-01", ""),
        &rule("house.b", "2026-01-01", ""),
    ]
    .concat();
    fs::write(overlay.join("house.toml"), house).unwrap();
    let dir = overlay.to_str().unwrap();
    let (code, out, _) = policy(folder.path(), &["lint", "--all", "--dir", dir]);
    assert_eq!(code, Some(1), "{out}");
    for want in [
        "error    house.toml:6: house.a: no example names it: add a [[test]]",
        "error    house.toml:6: house.a: last reviewed",
        "two rules say the same at the same time: keep one",
        "house.toml: 6:house.a = house.b",
    ] {
        assert!(out.contains(want), "{want}\n{out}");
    }
    // A mistake that is refused at load is the first finding.
    fs::write(overlay.join("house.toml"), head.replace("title", "titel")).unwrap();
    let (code, out, _) = policy(folder.path(), &["lint", "--dir", dir]);
    assert_eq!(code, Some(1));
    assert!(
        out.contains("house.toml:3") && out.contains("titel"),
        "{out}"
    );
}

#[test]
fn the_folder_of_the_configuration_is_looked_at_where_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("ours/identifiers");
    fs::create_dir_all(&rules).unwrap();
    fs::write(
        folder.path().join("anteroom.toml"),
        "policy_dir = \"ours\"\n",
    )
    .unwrap();
    let rule = "[[rule]]\nid = \"badge\"\ncategory = \"other_unique\"\nsummary = \"Our badges.\"\n\
                cite = \"house\"\npattern = 'badge \\d{4'\nkeywords = [\"badge\"]\nconfidence = \"certain\"\n\
                flags = [\"badge 1234\"]\nallows = [\"a badge\"]\n";
    fs::write(rules.join("ours.toml"), rule).unwrap();
    let (code, out, _) = policy(folder.path(), &["lint"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("error    identifiers/ours.toml:1: rule `badge`: "),
        "{out}"
    );
    let (code, _, err) = policy(folder.path(), &["states"]);
    assert_eq!(code, Some(2), "{err}");
    fs::write(rules.join("ours.toml"), rule.replace("{4'", "{4}'")).unwrap();
    let (code, out, _) = policy(folder.path(), &["lint"]);
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn a_page_of_a_state_shows_its_citations_and_how_well_each_was_checked() {
    let folder = tempfile::tempdir().unwrap();
    let show = |args: &[&str]| {
        let (code, out, err) = policy(folder.path(), &[&["show"], args].concat());
        assert_eq!(code, Some(0), "{err}");
        out
    };
    let kind = ["--state", "CA", "--practice-type", "behavioral_health"];
    let today = show(&[&kind[..], &["--on", "2026-11-26"]].concat());
    let later = show(&[&kind[..], &["--on", "2027-02-01"]].concat());
    for want in [
        "California on 2026-11-26",
        "Cal. Health & Safety Code 1339.75",
        "[verified]",
        "[unverified]",
        "NOT VERIFIED",
        "15 calendar days from the request",
    ] {
        assert!(today.contains(want), "{want}\n{today}");
    }
    // What begins in 2027 sleeps before its day and stands after it.
    let (now, coming) = today.split_once("Not yet in force").unwrap();
    let (then, _) = later.split_once("Not yet in force").unwrap();
    for rule in [
        "us.tcpa.revoke-all",
        "ca.cmia.health-chatbot",
        "ca.sb503.bias",
    ] {
        assert!(
            !now.contains(rule) && coming.contains(rule),
            "{rule}\n{today}"
        );
        assert!(then.contains(rule), "{rule}\n{later}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&show(&["--state", "CA", "--format", "json"])).unwrap();
    assert!(
        json["rules"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["cite"] != "")
    );
    let (code, _, err) = policy(folder.path(), &["show", "--state", "ZZ"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("ZZ"), "{err}");
    // A type of practice that is not listed is bound by everything, and is said to be unknown.
    let (code, out, err) = policy(
        folder.path(),
        &[
            "show",
            "--state",
            "IL",
            "--practice-type",
            "behavorial_health",
        ],
    );
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("not listed") && out.contains("il.wopr.no-therapy"),
        "{out}"
    );
}

#[test]
fn the_book_for_counsel_holds_every_rule_as_markdown_and_as_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let law = anteroom::policy::law::Law::embedded().unwrap();
    let markdown = policy(folder.path(), &["book", "--format", "markdown"]).1;
    let html = policy(folder.path(), &["book", "--format", "html"]).1;
    for rule in law.rules() {
        assert!(
            markdown.contains(&format!("**{}**", rule.id)),
            "{}",
            rule.id
        );
        assert!(
            html.contains(&format!("<code>{}</code>", rule.id)),
            "{}",
            rule.id
        );
    }
    assert!(
        !html.contains("http://") && !html.contains("<script"),
        "it needs nothing else"
    );
}

#[tokio::test]
async fn a_diff_names_the_rules_and_the_stored_messages_that_would_change() {
    let folder = tempfile::tempdir().unwrap();
    let overlay = folder.path().join("policy");
    fs::create_dir_all(overlay.join("lexicons")).unwrap();
    let server = Server::start_with(folder.path(), &[]);
    server.text("+14155550114", "When is my appointment?").await;
    server.answers("+14155550114", 1).await;
    server.text("+14155550114", "YES").await;
    let answers = server.answers("+14155550114", 2).await;
    assert!(answers[1].contains("9:00"), "{answers:?}");
    assert_eq!(server.stop(), Some(0));
    let dir = overlay.to_str().unwrap();
    let (code, out, err) = policy(
        folder.path(),
        &["diff", "built-in", dir, "--messages", "100"],
    );
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(err.contains("0 of 2 stored messages"), "{err}");
    // A word that one message holds, and a rule that bears on reminders only.
    fs::write(
        overlay.join("lexicons/house.txt"),
        "[procedure certain any]\nrates\n",
    )
    .unwrap();
    let house = "schema = 1\njurisdiction = \"US\"\ntitle = \"Our house\"\nlast_reviewed = 2026-11-22\n\
         reviewed_by = \"the officer\"\n[[rule]]\nid = \"house.hours\"\nkind = \"send_window\"\n\
         summary = \"By day.\"\nbasis = \"policy\"\ncite = \"practice policy\"\neffective = 2020-01-01\n\
         last_reviewed = 2026-11-22\nconfidence = \"policy\"\n[rule.params]\nopen = \"09:00\"\n\
         close = \"18:00\"\nclock = \"recipient\"\napplies_to = [\"outbound_initiated\"]\n";
    fs::write(overlay.join("house.toml"), house).unwrap();
    let (code, out, err) = policy(
        folder.path(),
        &["diff", "built-in", dir, "--messages", "100"],
    );
    assert_eq!(code, Some(1), "{err}");
    assert!(
        out.contains("added    house.hours") && out.contains("+ By day. (practice policy"),
        "{out}"
    );
    assert!(
        out.contains("list     lexicons/house.txt: 0 -> 1 terms"),
        "{out}"
    );
    let told: Vec<&str> = out.lines().filter(|it| it.starts_with("message")).collect();
    assert_eq!(told.len(), 1, "{out}");
    assert!(
        told[0].contains("notice") && told[0].contains("finds procedure"),
        "{out}"
    );
    assert!(
        !told[0].contains("house.hours"),
        "a notice keeps no hours: {out}"
    );
    assert!(err.contains("1 of 2 stored messages"), "{err}");
    // A rule that bears on every text bears on both.
    let says = house
        .replace("kind = \"send_window\"", "kind = \"disclosure\"")
        .split("open =")
        .next()
        .unwrap()
        .to_owned()
        + "element = \"ai_in_care\"\nwhen = [\"every_message\"]\ntext_id = \"ai_in_care_tx\"\n";
    fs::write(overlay.join("house.toml"), says).unwrap();
    let (_, out, err) = policy(
        folder.path(),
        &["diff", "built-in", dir, "--messages", "100"],
    );
    assert!(err.contains("what differs bears on 2"), "{out}{err}");
}
