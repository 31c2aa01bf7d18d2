//! Suites as people write them: YAML close to promptfoo's shape. Unknown keys are refused.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::eval::matrix::Matrix;
use crate::policy::words::vocabulary;

vocabulary! {
    /// What a suite puts to the test.
    Level, "level" {
        /// The detector alone: text to spans.
        Detect = "detect",
        /// The way in: inbound text to intent.
        Screen = "screen",
        /// The way out: draft and context to verdict and text.
        Guardrail = "guardrail",
        /// Scripted patient turns through the whole pipeline, with a clock that jumps.
        Conversation = "conversation",
        /// A prompt version against a model.
        Prompt = "prompt",
    }
}

/// One suite file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SuiteFile {
    pub(crate) description: String,
    pub(crate) level: Level,
    #[serde(default)]
    pub(crate) prompts: Vec<String>,
    #[serde(default)]
    pub(crate) providers: Vec<String>,
    #[serde(default)]
    pub(crate) default_test: DefaultTest,
    pub(crate) tests: Tests,
}

/// What every test of the suite begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DefaultTest {
    #[serde(default)]
    pub(crate) vars: Map<String, Value>,
    #[serde(default)]
    pub(crate) assert: Vec<AssertFile>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
    /// Values that keys of `vars` take in turn: each test once for each combination.
    #[serde(default)]
    pub(crate) matrix: Matrix,
}

/// `tests: file://cases.jsonl`, or a list of tests and such files.
#[derive(Debug)]
pub(crate) struct Tests(pub(crate) Vec<Spanned<Entry>>);

/// One entry of `tests`.
#[derive(Debug)]
pub(crate) enum Entry {
    /// `file://cases.jsonl`, relative to the suite.
    File(String),
    /// A test written out.
    Test(Box<TestFile>),
}

/// One test.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TestFile {
    /// Stable name; without it the place in the file.
    pub(crate) id: Option<String>,
    pub(crate) description: Option<String>,
    /// Why the expectation is right.
    pub(crate) why: Option<String>,
    #[serde(default)]
    pub(crate) vars: Map<String, Value>,
    #[serde(default)]
    pub(crate) assert: Vec<AssertFile>,
    /// Share of the assertions' weight that must hold; all of it without one.
    pub(crate) threshold: Option<f64>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
    /// As in `defaultTest`, over it.
    #[serde(default)]
    pub(crate) matrix: Matrix,
    pub(crate) quarantine: Option<Quarantine>,
}

/// What a case is about, for the tables.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// The row of the tables: a category of finding, an intent, or any word.
    pub(crate) category: Option<String>,
    /// `en` or `es`; otherwise taken from the case.
    pub(crate) language: Option<String>,
    /// Whether the case must be acted upon or left alone; otherwise taken from its assertions.
    pub(crate) kind: Option<Kind>,
}

/// What a case wants of the guardrail or the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something is there and must be found.
    MustAct,
    /// Nothing is there; acting would be a false hold.
    Harmless,
}

impl Kind {
    /// Whether acting would be wrong.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Harmless)
    }
}

/// A case that does not count for now; it must say who mends it, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// Who mends it.
    pub owner: String,
    /// The day from which it counts again, as `2026-12-31`.
    #[schemars(with = "String")]
    pub until: jiff::civil::Date,
    /// Why it is set aside.
    pub reason: String,
}

/// One assertion.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssertFile {
    /// What is asserted; `not-` before it turns it round.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What it is compared with.
    #[serde(default)]
    pub(crate) value: Value,
    /// A bound, where the assertion has one.
    pub(crate) threshold: Option<f64>,
    /// Its share of the case's score; 1 without one.
    pub(crate) weight: Option<f64>,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> de::Visitor<'de> for EntryVisitor {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a test, or file://cases.jsonl")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Entry, E> {
                match text.strip_prefix("file://") {
                    Some(path) if !path.is_empty() => Ok(Entry::File(path.to_owned())),
                    _ => Err(E::custom("a test, or file://cases.jsonl beside the suite")),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                let test = TestFile::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Entry::Test(Box::new(test)))
            }
        }
        deserializer.deserialize_any(EntryVisitor)
    }
}

impl<'de> Deserialize<'de> for Tests {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Spanned<Entry>>::deserialize(deserializer).map(Self)
    }
}

/// The JSON Schema of a suite file, for editors.
pub fn schema() -> Value {
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Suite {
        /// What the suite shows, in one sentence.
        description: String,
        /// What is put to the test.
        level: LevelName,
        /// Names of prompts, for the level `prompt`.
        #[serde(default)]
        prompts: Vec<String>,
        /// Models: `offline`, or `configured` for the one in the configuration.
        #[serde(default)]
        providers: Vec<String>,
        /// What every test begins with.
        #[serde(default)]
        default_test: Option<Defaults>,
        /// The tests; `file://cases.jsonl` stands for a file of them.
        tests: Vec<TestOrFile>,
    }
    #[derive(JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is wanted")]
    enum LevelName {
        Detect,
        Screen,
        Guardrail,
        Conversation,
        Prompt,
    }
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Defaults {
        #[serde(default)]
        vars: Map<String, Value>,
        #[serde(default)]
        assert: Vec<AssertFile>,
        #[serde(default)]
        metadata: Metadata,
        /// Values that keys of `vars` take in turn: each test once for each combination.
        #[serde(default)]
        matrix: Matrix,
    }
    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    enum TestOrFile {
        /// `file://cases.jsonl`, relative to the suite.
        File(String),
        /// A test.
        Test(Box<Test>),
    }
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Test {
        /// Stable name; without it the place in the file.
        id: Option<String>,
        description: Option<String>,
        /// Why the expectation is right.
        why: Option<String>,
        #[serde(default)]
        vars: Map<String, Value>,
        #[serde(default)]
        assert: Vec<AssertFile>,
        /// Share of the assertions' weight that must hold; all of it without one.
        threshold: Option<f64>,
        #[serde(default)]
        metadata: Metadata,
        /// As in `defaultTest`, over it.
        #[serde(default)]
        matrix: Matrix,
        quarantine: Option<Quarantine>,
    }
    schemars::schema_for!(Suite).to_value()
}
