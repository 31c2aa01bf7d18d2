//! The prompts: embedded tera templates, and the check of text that staff edit.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tera::{Context, Tera};

use crate::agent::sayings::{self, Saying};
use crate::policy::words::Language;

/// Longest source of one template: the standing instructions take less than half of it.
pub const SOURCE_CHARS_MAX: usize = 6_000;
/// Longest text that a patient's template may give: four SMS segments.
pub const RENDERED_CHARS_MAX: usize = 640;

/// What is wrong with a template. Never quotes a value that it was filled with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// No template of that name.
    #[error("no prompt named {0}: use the name of a file under prompts/en, without .tera")]
    UnknownName(String),
    /// No file of that place.
    #[error("{0}: a prompt is en/NAME.tera or es/NAME.tera, with the name of a built-in one")]
    UnknownPlace(String),
    /// The source may not be used.
    #[error("prompt {name}, line {line}: {what}")]
    Source {
        /// Which template.
        name: String,
        /// Which line, from 1.
        line: usize,
        /// What, and how to mend it.
        what: String,
    },
    /// It does not render with the values it is given.
    #[error("prompt {0} does not render: check that each name in it is one of the known ones")]
    Render(String),
}

/// Every template in both languages.
#[derive(Debug)]
pub struct Prompts {
    tera: Tera,
    sources: Sources,
}

/// Templates by `en/visit`.
pub type Sources = BTreeMap<String, String>;

/// Which wording a text is written in: the built-in one, or one that a practice published.
#[derive(Clone, Debug, Default)]
pub struct Wording(Option<Arc<Prompts>>);

impl Wording {
    /// One that was published.
    pub fn published(prompts: Prompts) -> Self {
        Self(Some(Arc::new(prompts)))
    }

    /// Its templates.
    pub fn prompts(&self) -> Result<&Prompts, &'static PromptError> {
        match &self.0 {
            Some(prompts) => Ok(prompts),
            None => Prompts::embedded(),
        }
    }
}

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        const SOURCES: &[(&str, &str, &str)] = &[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/en/", $name, ".tera")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/es/", $name, ".tera")),
        )),+];
    };
}

embedded![
    "system",
    "visit",
    "visits",
    "visit_none",
    "visit_place",
    "visit_provider",
    "confirmed",
    "cancel_ask",
    "cancelled",
    "moved",
    "booked",
    "cancel_late",
    "waitlist",
    "language",
    "preparation",
    "offer",
    "offer_none",
    "hours",
    "address",
    "phone",
    "parking",
    "insurance",
    "languages",
    "told",
    "not_told",
    "results",
    "results_none",
    "handed_over",
    "not_on_file",
    "not_found",
    "assistant",
    "hello",
    "thanks",
    "kept",
    "trouble",
    "reminder",
    "reminders",
    "confirmed_all",
    "missed",
    "freed",
    "recall",
    "record_down",
];

static EMBEDDED: LazyLock<Result<Prompts, PromptError>> = LazyLock::new(|| {
    let mut prompts = Prompts {
        tera: environment(),
        sources: Sources::new(),
    };
    for (name, english, spanish) in SOURCES {
        for (language, source) in [(Language::En, english), (Language::Es, spanish)] {
            prompts.add(name, language, source)?;
        }
    }
    Ok(prompts)
});

fn key(language: Language, name: &str) -> String {
    format!("{language}/{name}")
}

/// Text messages are not HTML: nothing is escaped. What could run long or stop is denied.
fn environment() -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on(Vec::<&'static str>::new());
    for name in ["range", "throw"] {
        tera.register_function(
            name,
            |_: tera::Kwargs, _: &tera::State<'_>| -> tera::TeraResult<tera::Value> {
                Err(tera::Error::message("not available in prompts"))
            },
        );
    }
    tera
}

impl Prompts {
    /// The templates that are part of the program.
    pub fn embedded() -> Result<&'static Self, &'static PromptError> {
        EMBEDDED.as_ref()
    }

    /// The built-in templates with these in place of their namesakes, each checked as
    /// [`Self::check_source`] does. Places are `en/visit` or `en/visit.tera`.
    pub fn with(changed: &Sources) -> Result<Self, PromptError> {
        let embedded = Self::embedded().map_err(Clone::clone)?;
        let mut prompts = Self {
            tera: embedded.tera.clone(),
            sources: embedded.sources.clone(),
        };
        for (place, source) in changed {
            let unknown = || PromptError::UnknownPlace(place.clone());
            let (language, file) = place.split_once('/').ok_or_else(unknown)?;
            let language: Language = language.parse().map_err(|_unknown| unknown())?;
            let name = file.strip_suffix(".tera").unwrap_or(file);
            if !SOURCES.iter().any(|(known, ..)| *known == name) {
                return Err(unknown());
            }
            prompts.add(name, language, source)?;
        }
        Ok(prompts)
    }

    fn add(&mut self, name: &str, language: Language, source: &str) -> Result<(), PromptError> {
        Self::check_source(name, source)?;
        let place = key(language, name);
        self.tera
            .add_raw_template(&place, source)
            .map_err(|_parse| PromptError::Render(name.to_owned()))?;
        self.sources.insert(place, source.to_owned());
        Ok(())
    }

    /// Every template's source.
    pub const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// SHA-256 over the places and sources of all templates, in hexadecimal: what a version is
    /// known by.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (place, source) in &self.sources {
            for part in [place, source] {
                hash.update(part.as_bytes());
                hash.update([0]);
            }
        }
        hex::encode(hash.finalize())
    }

    /// Fills a template.
    pub fn say<C: Serialize>(
        &self,
        language: Language,
        saying: Saying<C>,
        context: &C,
    ) -> Result<String, PromptError> {
        let failed = |_: tera::Error| PromptError::Render(saying.name.to_owned());
        let context = Context::from_serialize(context).map_err(failed)?;
        let text = self
            .tera
            .render(&key(language, saying.name), &context)
            .map_err(failed)?;
        // Spanish times end in a dot of their own: "a las 3:00 p. m." needs no second one.
        Ok(text.trim().replace(" m..", " m."))
    }

    /// What a template says: its own wording or, once it may be published, `source` in its place,
    /// filled with its sample and with the `values` that differ from it.
    pub fn preview(
        &self,
        name: &str,
        language: Language,
        source: Option<&str>,
        values: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<String, PromptError> {
        let unknown = || PromptError::UnknownName(name.to_owned());
        let failed = |_: tera::Error| PromptError::Render(name.to_owned());
        let own = self.sources.get(&key(language, name)).ok_or_else(unknown)?;
        let sample = sayings::ALL
            .iter()
            .find(|(it, _)| *it == name)
            .ok_or_else(unknown)?
            .1;
        let wording = source.unwrap_or(own);
        Self::check_source(name, wording)?;
        let mut context = sample();
        let known = context.as_object_mut().ok_or_else(unknown)?;
        for (key, value) in values {
            match known.get_mut(key) {
                Some(place) => *place = value.clone(),
                None => return Err(PromptError::Render(name.to_owned())),
            }
        }
        let mut tera = environment();
        tera.add_raw_template(name, wording).map_err(failed)?;
        let context = Context::from_serialize(&context).map_err(failed)?;
        let text = tera.render(name, &context).map_err(failed)?;
        Ok(text.trim().replace(" m..", " m."))
    }

    /// Whether staff may publish `source` as the template `name`: only `if`, `elif`, `else`, `endif`
    /// and one `for`, only the names that the template is given, within the caps; and it renders.
    pub fn check_source(name: &str, source: &str) -> Result<(), PromptError> {
        let sample = sayings::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, sample)| sample())
            .ok_or_else(|| PromptError::UnknownName(name.to_owned()))?;
        let names: Vec<&str> = sample
            .as_object()
            .map(|object| object.keys().map(String::as_str).collect())
            .unwrap_or_default();
        scan(source, &names).map_err(|(line, what)| PromptError::Source {
            name: name.to_owned(),
            line,
            what,
        })?;
        let failed = |_: tera::Error| PromptError::Render(name.to_owned());
        let mut tera = environment();
        tera.add_raw_template(name, source).map_err(failed)?;
        for values in variants(&sample) {
            let context = Context::from_serialize(&values).map_err(failed)?;
            let rendered = tera.render(name, &context).map_err(failed)?;
            let long = rendered.trim().chars().count() > RENDERED_CHARS_MAX;
            if name != sayings::SYSTEM.name && long {
                return Err(PromptError::Source {
                    name: name.to_owned(),
                    line: 1,
                    what: format!("gives more than {RENDERED_CHARS_MAX} characters: shorten it"),
                });
            }
        }
        Ok(())
    }
}

/// The sample, and the sample with each value in turn the other way round, and with all of them: so that
/// every side of an `if` is rendered once before it is met by a patient.
fn variants(sample: &serde_json::Value) -> Vec<serde_json::Value> {
    use serde_json::Value;
    let turned = |value: &Value| match value {
        Value::Bool(it) => Value::Bool(!it),
        Value::String(it) if it.is_empty() => "x".into(),
        Value::String(_) => "".into(),
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Number(_) => 0.into(),
        Value::Null | Value::Object(_) => value.clone(),
    };
    let mut all = vec![sample.clone()];
    let fields = sample.as_object().into_iter().flatten();
    let fields: Vec<(&String, Value)> = fields.map(|(key, it)| (key, turned(it))).collect();
    let with = |some: &[(&String, Value)]| {
        let mut values = sample.clone();
        for (key, value) in some {
            if let Some(place) = values.get_mut(key.as_str()) {
                *place = value.clone();
            }
        }
        values
    };
    all.extend(fields.iter().map(|one| with(std::slice::from_ref(one))));
    all.push(with(&fields));
    all
}

type Complaint = (usize, String);

/// Reads the tags of a source against the allow-list.
fn scan(source: &str, names: &[&str]) -> Result<(), Complaint> {
    if source.chars().count() > SOURCE_CHARS_MAX {
        return Err((1, format!("longer than {SOURCE_CHARS_MAX} characters")));
    }
    let mut known: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut loops = 0_usize;
    let mut rest = source;
    let mut line = 1;
    while let Some(open) = rest.find('{') {
        let (text, tail) = rest.split_at(open);
        line += text.matches('\n').count();
        let close = match tail.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ => {
                rest = tail.get(1..).unwrap_or_default();
                continue;
            }
        };
        let Some(end) = tail.find(close) else {
            return Err((line, format!("a tag is not closed: add {close}")));
        };
        let inside = tail
            .get(2..end)
            .unwrap_or_default()
            .trim_matches('-')
            .trim();
        match close {
            "}}" => expression(inside, &known).map_err(|what| (line, what))?,
            "%}" => tag(inside, &mut known, &mut loops).map_err(|what| (line, what))?,
            _ => {}
        }
        line += tail.get(..end).unwrap_or_default().matches('\n').count();
        rest = tail.get(end + 2..).unwrap_or_default();
    }
    Ok(())
}

fn tag(inside: &str, known: &mut Vec<String>, loops: &mut usize) -> Result<(), String> {
    let (word, rest) = inside
        .split_once(char::is_whitespace)
        .unwrap_or((inside, ""));
    match word {
        "else" | "endif" | "endfor" if rest.trim().is_empty() => Ok(()),
        "if" | "elif" => expression(rest, known),
        "for" => {
            *loops += 1;
            if *loops > 1 {
                return Err("only one for is allowed: list one thing".to_owned());
            }
            let (item, list) = rest
                .split_once(" in ")
                .ok_or("write it as {% for one in many %}")?;
            expression(list, known)?;
            known.push(item.trim().to_owned());
            Ok(())
        }
        _ => Err("only if, elif, else, endif and one for are allowed".to_owned()),
    }
}

/// Names, their fields, text, whole numbers, comparisons: no calls, no filters, no arithmetic.
fn expression(text: &str, known: &[String]) -> Result<(), String> {
    const WORDS: &[&str] = &["and", "or", "not", "true", "false", "loop"];
    let mut rest = text.trim();
    let mut field = false;
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let body = rest.get(1..).unwrap_or_default();
            let end = body.find(first).ok_or("a quotation mark is missing")?;
            rest = body.get(end + 1..).unwrap_or_default();
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            let fits = word.bytes().all(|b| b.is_ascii_digit())
                || WORDS.contains(&word)
                || known.iter().any(|name| name == word)
                || (field && !word.starts_with('_'));
            if !fits {
                return Err(format!("unknown name; use one of: {}", known.join(", ")));
            }
            rest = tail;
        } else if " .=!<>\t\n".contains(first) {
            rest = rest.get(1..).unwrap_or_default();
        } else {
            return Err("only names, text and comparisons are allowed here".to_owned());
        }
        field = first == '.';
    }
    Ok(())
}
