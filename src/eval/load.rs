//! Loading: a folder of suites becomes cases; what is wrong is told with file, line and remedy.

mod choose;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::eval::assertion::{Assertion, Check, contradiction};
use crate::eval::case::{Case, Suite, category_of, kind_of};
use crate::eval::embedded::EMBEDDED;
use crate::eval::matrix::expand;
use crate::eval::suite::{AssertFile, DefaultTest, Entry, Level, Metadata, SuiteFile, TestFile};

/// Suites and the files of cases that they name, by path relative to the folder.
pub type Files = BTreeMap<String, Cow<'static, str>>;

/// Largest file that is read; a suite of ten thousand cases has less.
const FILE_BYTES_MAX: u64 = 32 << 20;
/// Deepest folder under the one that is named.
const DEPTH_MAX: usize = 8;

/// A suite that was refused: which place, what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// The file or folder; empty where the command line is wrong.
    pub file: String,
    /// The line, from 1; none where it is no single line.
    pub line: Option<usize>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            write!(f, " ")?;
        }
        f.write_str(&self.message)
    }
}

impl LoadError {
    fn at(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: Some(line),
            message: message.into(),
        }
    }

    fn whole(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            message: message.into(),
        }
    }

    /// With the folder that the suites lie in before its place.
    #[must_use]
    pub fn under(&self, root: &str) -> String {
        if self.file.is_empty() {
            self.to_string()
        } else {
            format!("{root}/{self}")
        }
    }
}

/// Everything under `root` that a suite may need. `root` may also be one suite file; then its
/// folder is read, and its name is given back to choose it by.
pub fn read(root: &Path) -> Result<(Files, Option<String>), LoadError> {
    let shown = root.display().to_string();
    let tell = |error: &std::io::Error| {
        LoadError::whole(
            &shown,
            format!("{error}; name a folder of suites, or one suite"),
        )
    };
    let about = std::fs::metadata(root).map_err(|error| tell(&error))?;
    let mut files = Files::new();
    if about.is_file() {
        let folder = root.parent().filter(|it| !it.as_os_str().is_empty());
        collect(folder.unwrap_or_else(|| Path::new(".")), "", 0, &mut files)
            .map_err(|error| tell(&error))?;
        let name = root.file_name().map(|it| it.to_string_lossy().into_owned());
        return Ok((files, name));
    }
    collect(root, "", 0, &mut files).map_err(|error| tell(&error))?;
    Ok((files, None))
}

/// The suites in the program.
pub fn embedded() -> Files {
    EMBEDDED
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Cow::Borrowed(*text)))
        .collect()
}

fn collect(folder: &Path, below: &str, depth: usize, files: &mut Files) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let relative = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        if path.is_dir() {
            if depth < DEPTH_MAX && !name.starts_with('.') {
                collect(&path, &relative, depth + 1, files)?;
            }
        } else if is_suite(&name) || ends_in(&name, &["jsonl"]) {
            if entry.metadata()?.len() > FILE_BYTES_MAX {
                let text = format!("{}: larger than {FILE_BYTES_MAX} bytes", path.display());
                return Err(std::io::Error::other(text));
            }
            files.insert(relative, Cow::Owned(std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn ends_in(name: &str, endings: &[&str]) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|it| endings.iter().any(|known| it.eq_ignore_ascii_case(known)))
}

fn is_suite(name: &str) -> bool {
    ends_in(name, &["yaml", "yml"])
}

/// All suites among `files`, or those whose name, path or folder is in `chosen`; every error at once.
/// The last part of a name will do where no other suite has it.
pub fn suites(files: &Files, chosen: &[String]) -> Result<Vec<Suite>, Vec<LoadError>> {
    let (mut suites, mut errors) = (Vec::new(), Vec::new());
    for path in choose::chosen(files, chosen)? {
        match suite(files, path) {
            Ok(suite) => suites.push(suite),
            Err(error) => errors.extend(error),
        }
    }
    if errors.is_empty() {
        Ok(suites)
    } else {
        Err(errors)
    }
}

fn suite(files: &Files, path: &str) -> Result<Suite, Vec<LoadError>> {
    let text = files.get(path).map_or("", |it| it.as_ref());
    let file: SuiteFile =
        serde_saphyr::from_str(text).map_err(|error| vec![yaml_error(path, &error)])?;
    let shared: Arc<str> = path.into();
    let mut suite = Suite {
        name: choose::name(path).to_owned(),
        file: Arc::clone(&shared),
        description: file.description,
        level: file.level,
        providers: file.providers,
        prompts: file.prompts,
        cases: Vec::new(),
    };
    let mut errors = Vec::new();
    for entry in file.tests.0 {
        let line = usize::try_from(entry.referenced.line()).unwrap_or(1);
        match entry.value {
            Entry::Test(test) => {
                let place = Place {
                    file: &shared,
                    line,
                    suite: &suite,
                };
                match case(*test, &file.default_test, &place) {
                    Ok(cases) => suite.cases.extend(cases),
                    Err(message) => errors.push(LoadError::at(path, line, message)),
                }
            }
            Entry::File(name) => {
                let beside = beside(path, &name);
                let Some(rows) = files.get(&beside) else {
                    let message =
                        format!("there is no {beside}; the path is taken from the suite's folder");
                    errors.push(LoadError::at(path, line, message));
                    continue;
                };
                match rows_of(&beside, rows, &file.default_test, &suite) {
                    Ok(cases) => suite.cases.extend(cases),
                    Err(wrong) => errors.extend(wrong),
                }
            }
        }
    }
    let mut ids = BTreeSet::new();
    for case in &suite.cases {
        if !ids.insert(case.id.as_str()) {
            let message = format!("the id `{}` is taken by an earlier test", case.id);
            errors.push(LoadError::at(&case.file, case.line, message));
        }
    }
    if errors.is_empty() {
        Ok(suite)
    } else {
        Err(errors)
    }
}

fn beside(suite: &str, name: &str) -> String {
    match suite.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

fn yaml_error(path: &str, error: &serde_saphyr::Error) -> LoadError {
    let line = error
        .location()
        .map_or(1, |it| usize::try_from(it.line()).unwrap_or(1));
    // The library draws the place as a picture; the first line says what is wrong.
    let told = error.to_string();
    let first = told
        .lines()
        .next()
        .unwrap_or("not a suite")
        .trim_start_matches("error: ");
    let place = format!("line {line} column ");
    let said = first
        .strip_prefix(&place)
        .and_then(|rest| rest.split_once(": "))
        .map_or(first, |(_, said)| said);
    LoadError::at(path, line, said)
}

/// The cases of a file with one JSON object a line: a test as in YAML, or the short form, in which
/// `expect` holds what is expected and every other key is input.
fn rows_of(
    path: &str,
    rows: &str,
    defaults: &DefaultTest,
    suite: &Suite,
) -> Result<Vec<Case>, Vec<LoadError>> {
    let shared: Arc<str> = path.into();
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for (at, row) in rows
        .lines()
        .enumerate()
        .filter(|(_, row)| !row.trim().is_empty())
    {
        let place = Place {
            file: &shared,
            line: at + 1,
            suite,
        };
        let read = serde_json::from_str::<Map<String, Value>>(row)
            .map_err(|error| format!("not a JSON object at column {}", error.column()))
            .and_then(test_of)
            .and_then(|test| case(test, defaults, &place));
        match read {
            Ok(read) => cases.extend(read),
            Err(message) => errors.push(LoadError::at(path, at + 1, message)),
        }
    }
    if errors.is_empty() {
        Ok(cases)
    } else {
        Err(errors)
    }
}

fn test_of(mut row: Map<String, Value>) -> Result<TestFile, String> {
    let Some(expect) = row.remove("expect") else {
        return serde_json::from_value(Value::Object(row)).map_err(|error| error.to_string());
    };
    let own = |row: &mut Map<String, Value>, key: &str| row.remove(key);
    let taken = |value: Option<Value>| value.and_then(|it| it.as_str().map(str::to_owned));
    let id =
        own(&mut row, "id").map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
    let why = taken(own(&mut row, "why"));
    let metadata = own(&mut row, "metadata").unwrap_or_else(|| Value::Object(Map::new()));
    let mut metadata: Metadata =
        serde_json::from_value(metadata).map_err(|error| format!("metadata: {error}"))?;
    // The language a text is written in, which the input's `language` only hints at.
    metadata.language = taken(own(&mut row, "voice")).or(metadata.language);
    Ok(TestFile {
        id,
        why,
        metadata,
        assert: expected(expect)?,
        vars: row,
        ..TestFile::default()
    })
}

/// `{"verdict": "rewrite", "categories": ["lab"]}` as assertions.
#[expect(clippy::wildcard_enum_match_arm, reason = "any other JSON is refused")]
fn expected(expect: Value) -> Result<Vec<AssertFile>, String> {
    let expect = match expect {
        Value::Object(expect) => expect,
        // What an inbound text is expected to ask for; one of several where people may differ.
        intent @ (Value::String(_) | Value::Array(_)) => {
            Map::from_iter([("intent".to_owned(), intent)])
        }
        _ => return Err("`expect` is an object, as {\"verdict\": \"rewrite\"}".to_owned()),
    };
    let mut all = Vec::new();
    for (key, value) in expect {
        let kind = match (key.as_str(), &value) {
            ("categories", Value::Array(list)) if list.is_empty() => continue,
            ("categories", _) => "category-found".to_owned(),
            _ => key,
        };
        all.push(AssertFile {
            kind,
            value,
            threshold: None,
            weight: None,
        });
    }
    Ok(all)
}

struct Place<'a> {
    file: &'a Arc<str>,
    line: usize,
    suite: &'a Suite,
}

fn case(test: TestFile, defaults: &DefaultTest, place: &Place<'_>) -> Result<Vec<Case>, String> {
    let mut matrix = defaults.matrix.clone();
    matrix.extend(test.matrix.clone());
    let mut vars = defaults.vars.clone();
    lay_over(&mut vars, test.vars);
    let assertions = defaults
        .assert
        .iter()
        .chain(&test.assert)
        .map(|it| Assertion::parse(it, place.suite.level))
        .collect::<Result<Vec<_>, _>>()?;
    if assertions.is_empty() && !has_steps(&vars) {
        return Err("the test asserts nothing; add `assert`".to_owned());
    }
    if let Some((one, other)) = contradiction(&assertions) {
        return Err(format!(
            "`{one}` and `{other}` can never hold together; drop one of them"
        ));
    }
    if !assertions.is_empty()
        && assertions
            .iter()
            .all(|it| matches!(it.check, Check::Judged(_)))
    {
        return Err(
            "`llm-rubric` alone is no gate: add an assertion that needs no model".to_owned(),
        );
    }
    if let Some(share) = test.threshold.filter(|it| !(0.0..=1.0).contains(it)) {
        return Err(format!("threshold {share}: a share between 0 and 1"));
    }
    let metadata = test.metadata;
    let category = metadata
        .category
        .or_else(|| category_of(&assertions))
        .or_else(|| defaults.metadata.category.clone())
        .unwrap_or_else(|| choose::stem(&place.suite.name).to_owned());
    let language = metadata
        .language
        .or_else(|| language_of(&vars))
        .or_else(|| defaults.metadata.language.clone());
    let why = test.why.or_else(|| test.description.clone());
    let case = Case {
        id: test
            .id
            .unwrap_or_else(|| format!("{}:{}", choose::stem(place.file), place.line)),
        file: Arc::clone(place.file),
        line: place.line,
        description: test.description.unwrap_or_default(),
        why: why.ok_or("say why: `why` or `description` is missing")?,
        category,
        language: language.unwrap_or_else(|| "en".to_owned()),
        kind: metadata
            .kind
            .or(defaults.metadata.kind)
            .or_else(|| kind_of(&assertions)),
        vars,
        assertions,
        threshold: test.threshold,
        quarantine: test.quarantine,
    };
    expand(&case, &matrix)
}

fn has_steps(vars: &Map<String, Value>) -> bool {
    vars.contains_key("turns")
}

fn language_of(vars: &Map<String, Value>) -> Option<String> {
    let context = vars.get("context").and_then(|it| it.get("language"));
    let found = context.or_else(|| vars.get("language"))?;
    found.as_str().map(str::to_owned)
}

/// Lays `over` on `base`: objects are merged, everything else is replaced.
fn lay_over(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Reads the input of a case into the form that its level takes; an unknown key is refused.
pub(crate) fn vars<T: for<'de> Deserialize<'de>>(case: &Case) -> Result<T, String> {
    serde_json::from_value(Value::Object(case.vars.clone()))
        .map_err(|error| format!("{}:{}: vars: {error}", case.file, case.line))
}

/// Refuses inputs that their level cannot read, before anything is run.
pub fn check_vars(suites: &[Suite]) -> Vec<LoadError> {
    let mut errors = Vec::new();
    for suite in suites {
        for case in &suite.cases {
            let read = crate::eval::level::readable(suite.level, case);
            if let Err(message) = read {
                let prefix = format!("{}:{}: ", case.file, case.line);
                let message = message.strip_prefix(&prefix).unwrap_or(&message).to_owned();
                errors.push(LoadError::at(&case.file, case.line, message));
            }
        }
    }
    errors
}

/// Whether any suite asks for a level.
pub fn asks(suites: &[Suite], level: Level) -> bool {
    suites.iter().any(|suite| suite.level == level)
}
