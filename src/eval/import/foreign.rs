//! A promptfoo configuration, as far as it is read; every other key is told.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Keys of the whole that say nothing to us and lose nothing.
const HARMLESS: &[&str] = &[
    "tags",
    "sharing",
    "outputPath",
    "commandLineOptions",
    "writeLatestResults",
];
/// Keys of a test that say nothing to us and lose nothing.
const HARMLESS_IN_TEST: &[&str] = &["metadata"];

/// The whole file.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    description: Option<String>,
    #[serde(default)]
    prompts: Value,
    #[serde(default)]
    providers: Value,
    #[serde(default, rename = "defaultTest")]
    default_test: Value,
    #[serde(default)]
    pub(super) tests: Tests,
    #[serde(skip)]
    defaults: std::sync::OnceLock<Test>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Where its tests are.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Tests {
    /// In the file.
    Written(Vec<Listed>),
    /// In another one.
    Elsewhere(String),
    /// Nowhere.
    #[default]
    None,
}

/// One entry of `tests`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Listed {
    /// A test.
    Written(Box<Test>),
    /// Another file.
    Elsewhere(String),
}

impl Listed {
    /// The test, or where it stands.
    pub(super) fn written(&self) -> Result<&Test, &str> {
        match self {
            Self::Written(test) => Ok(test),
            Self::Elsewhere(place) => Err(place),
        }
    }
}

/// One test.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Test {
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) vars: Map<String, Value>,
    #[serde(default)]
    pub(super) assert: Vec<Foreign>,
    pub(super) threshold: Option<f64>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One assertion.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Foreign {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) value: Value,
    pub(super) threshold: Option<f64>,
    pub(super) weight: Option<f64>,
    /// A name for the dashboard.
    #[serde(default, rename = "metric")]
    _metric: Option<Value>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

impl Foreign {
    pub(super) fn name(&self) -> &str {
        &self.kind
    }
}

impl Test {
    /// Keys that have no counterpart.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &str> {
        let keys = self.rest.keys().map(String::as_str);
        keys.filter(|key| !HARMLESS_IN_TEST.contains(key))
    }
}

impl Config {
    pub(super) fn description(&self) -> Option<&str> {
        self.description.as_deref().filter(|it| !it.is_empty())
    }

    /// What every test begins with; nothing where it stands in another file.
    pub(super) fn default_test(&self) -> &Test {
        self.defaults
            .get_or_init(|| Test::deserialize(&self.default_test).unwrap_or_default())
    }

    /// The only prompt there is, when it is written out.
    pub(super) fn only_prompt(&self) -> Option<String> {
        match self.prompts.as_array().map(Vec::as_slice) {
            Some([one]) => one.as_str(),
            Some(_) => None,
            None => self.prompts.as_str(),
        }
        .filter(|it| !it.contains("://") && !it.contains("{{"))
        .map(str::to_owned)
    }

    /// What of the whole has no counterpart.
    pub(super) fn left_out(&self) -> Vec<String> {
        let mut all = Vec::new();
        if !self.prompts.is_null() && self.only_prompt().is_none() {
            all.push(
                "prompts: the pipeline has its own (prompts/); put changed wording into `wording` \
                 of a story's vars"
                    .to_owned(),
            );
        }
        if !self.providers.is_null() {
            all.push(
                "providers: stories run on the offline model; write `providers: [configured]` and \
                 run with --model to ask the configured one"
                    .to_owned(),
            );
        }
        if !self.default_test.is_null() {
            match Test::deserialize(&self.default_test) {
                Ok(test) => {
                    let keys = test.unknown();
                    all.extend(keys.map(|key| format!("defaultTest.{key}: has no counterpart")));
                }
                Err(_unreadable) => {
                    all.push("defaultTest: stands in another file; paste it in".to_owned());
                }
            }
        }
        let keys = self
            .rest
            .keys()
            .filter(|key| !HARMLESS.contains(&key.as_str()));
        all.extend(keys.map(|key| {
            let why = match key.as_str() {
                "scenarios" => "write its combinations as `matrix`, or as tests",
                "redteam" | "targets" => "`anteroom redteam` attacks the pipeline itself",
                "env" | "extensions" | "nunjucksFilters" | "transform" => {
                    "runs code or reads the environment; suites are data"
                }
                _ => "has no counterpart",
            };
            format!("{key}: {why}")
        }));
        all
    }
}
