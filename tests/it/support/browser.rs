//! Scripts of tests/node, which drive a real browser: the one place where they are started.

#![cfg(test)]

use std::path::Path;
use std::process::Command;

/// A folder for the screenshots of a test.
pub(crate) fn shots(of: &str) -> String {
    let shots = format!("{}/{of}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&shots).unwrap();
    shots
}

/// Plays a script, which must end well; what it printed.
pub(crate) fn played(script: &str, args: &[&str]) -> String {
    let node = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");
    assert!(
        Path::new(node)
            .join("node_modules/playwright-core")
            .exists(),
        "the browser driver is not installed: run tests/install.sh"
    );
    let output = Command::new("node")
        .arg(format!("{node}/{script}.mjs"))
        .args(args)
        .output()
        .expect("node is not installed: run tests/install.sh");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && told.ends_with("all held\n"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    told
}
