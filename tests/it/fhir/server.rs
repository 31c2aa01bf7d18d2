//! A real FHIR server for one test: Medplum's router with its repository in memory.

#![cfg(test)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anteroom::domain::clock::{Clock, ManualClock};
use anteroom::domain::practice::FhirServer;
use anteroom::fhir::records::FhirRecords;
use serde_json::Value;

use crate::support::app::SUNDAY;

const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");
pub(super) const SAMPLE: &str = include_str!("../../../samples/lakeside.json");

/// A running server; it ends with the test.
pub(super) struct Server {
    child: Child,
    pub(super) base: String,
}

impl Server {
    /// The sample practice's record, with more resources, under these variables.
    pub(super) fn start(more: &[Value], variables: &[(&str, &str)]) -> Self {
        assert!(
            Path::new(&format!("{NODE}/node_modules/@medplum/fhir-router")).exists(),
            "the FHIR server is not installed: run tests/install.sh"
        );
        let mut bundle: Value = serde_json::from_str(SAMPLE).unwrap();
        let entries = bundle["entry"].as_array_mut().unwrap();
        entries.extend(more.iter().map(|it| serde_json::json!({ "resource": it })));
        let mut child = Command::new("node")
            .arg(format!("{NODE}/fhir.mjs"))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is not installed: run tests/install.sh");
        let mut input = child.stdin.take().unwrap();
        input.write_all(bundle.to_string().as_bytes()).unwrap();
        drop(input);
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert!(
            line.starts_with("http"),
            "the FHIR server did not start: {line}"
        );
        let base = line.trim().to_owned();
        Self { child, base }
    }

    pub(super) fn settings(&self) -> FhirServer {
        settings(&self.base)
    }

    /// The record that it keeps, by a clock that stands still on the Sunday before the visits.
    pub(super) fn records(&self) -> FhirRecords {
        FhirRecords::new(&self.settings(), sunday()).unwrap()
    }

    /// A resource as the server has it now.
    pub(super) async fn stored(&self, path: &str) -> Value {
        let answer = reqwest::get(format!("{}/{path}", self.base)).await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Mends a resource, as staff do in their own system.
    pub(super) async fn put(&self, resource: &Value) {
        let path = ["resourceType", "id"]
            .map(|key| resource[key].as_str().unwrap())
            .join("/");
        let sent = reqwest::Client::builder()
            .build()
            .unwrap()
            .put(format!("{}/{path}", self.base))
            .header("content-type", "application/fhir+json")
            .body(resource.to_string());
        let answer = sent.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Everything of a kind that the server has now.
    pub(super) async fn all(&self, kind: &str) -> Vec<Value> {
        let bundle = self.stored(&format!("{kind}?_count=1000")).await;
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|it| it["resource"].clone()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is as good.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(super) fn settings(base: &str) -> FhirServer {
    FhirServer {
        base_url: base.to_owned(),
        client_id: String::new(),
        private_key_file: PathBuf::new(),
        key_id: String::new(),
        token_url: String::new(),
        scope: "system/*.read system/*.write".to_owned(),
        timeout_s: 8,
    }
}

pub(super) fn sunday() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(SUNDAY.parse().unwrap()))
}
