//! In CI: the workflow, the action, the hook and the snippet are what their programs read, and the
//! command that they run fails on a planted leak.

use std::process::Command;

use super::{anteroom, suite_in};

#[test]
fn the_files_for_ci_fit_the_schemas_of_those_who_read_them() {
    for (schema, file) in [
        ("vendor.github-workflows", ".github/workflows/evals.yml"),
        ("vendor.github-actions", ".github/actions/eval/action.yml"),
        ("vendor.gitlab-ci", "docs/ci/gitlab.yml"),
    ] {
        let out = Command::new(".venv/bin/check-jsonschema")
            .args(["--builtin-schema", schema, file])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "{file}: {told}");
    }
    let hook = std::fs::read_to_string(".pre-commit-hooks.yaml").unwrap();
    for key in ["id:", "name:", "entry:", "language:"] {
        assert!(hook.contains(key), "{hook}");
    }
}

#[test]
fn the_command_of_ci_fails_on_a_planted_leak() {
    // What `.ci/run`, the action, the hook and the snippet all run.
    let command = ["eval", "--quiet"];
    let ci = std::fs::read_to_string(".ci/run").unwrap();
    assert!(
        ci.contains("anteroom eval --quiet") || ci.contains("-- eval --quiet"),
        "{ci}"
    );
    let folder = tempfile::tempdir().unwrap();
    let leak = "Your A1c came back at 9.2%.";
    let suite = super::one(leak, "[{type: finds, value: {text: A1c, category: lab}}]");
    suite_in(folder.path(), &suite);
    let out = anteroom(folder.path(), &command);
    assert_eq!(out.status.code(), Some(0));
    // The leak: a policy whose list of tests has lost the word.
    let lexicons = folder.path().join("policy/lexicons");
    std::fs::create_dir_all(&lexicons).unwrap();
    let labs = std::fs::read_to_string("guardrails/lexicons/labs.txt").unwrap();
    let kept: String = labs
        .lines()
        .map(|line| {
            let words = line
                .split(", ")
                .filter(|it| !it.to_lowercase().contains("a1c"));
            let line = words.collect::<Vec<_>>().join(", ");
            line + "\n"
        })
        .collect();
    std::fs::write(lexicons.join("labs.txt"), kept).unwrap();
    let planted: Vec<&str> = command
        .iter()
        .copied()
        .chain(["--policy", "policy"])
        .collect();
    let out = anteroom(folder.path(), &planted);
    // It does not even load: what is built in may be added to, never dropped.
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{told}");
    assert!(told.contains("is left out"), "{told}");
}
