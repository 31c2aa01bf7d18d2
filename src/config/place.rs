//! What is wrong with a configuration, where it stands in the file, and how to mend it.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::config::ConfigError;
use crate::domain::practice::CarrierKind;

/// Farther from every known word than this, a word is no slip of one.
const SLIP_MAX: usize = 3;

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The key with its sections, such as `practice[0].sender[1].carrier`; empty where there is none.
    pub(super) key: String,
    /// What is wrong and how to mend it.
    pub(super) text: String,
}

impl Wrong {
    /// The value of this key.
    pub(super) fn at(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
        }
    }

    /// What serde says of a configuration, with key and remedy. Values are not repeated, except for
    /// words of a closed list: others may be secrets.
    pub(super) fn told(path: &str, said: &str) -> Self {
        let path = path.trim_end_matches('?').trim_matches('.');
        let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
        let (word, known) = match quoted.as_slice() {
            [word, known @ ..] => (*word, known),
            [] => ("", [].as_slice()),
        };
        let below = |key: &str| match path {
            "" => key.to_owned(),
            _ if path == key || path.ends_with(&format!(".{key}")) => path.to_owned(),
            _ => format!("{path}.{key}"),
        };
        if said.starts_with("unknown field") {
            let known = known_here(known);
            let text = match nearest(word, known.iter().copied()) {
                Some(name) => format!("unknown key `{word}`; did you mean `{name}`?"),
                None => format!("unknown key `{word}`; known here: {}", known.join(", ")),
            };
            return Self::at(below(word), text);
        }
        if said.starts_with("missing field") {
            let section = if path.is_empty() { "the file" } else { path };
            return Self::at(path, format!("{section} has no `{word}`; add it"));
        }
        if said.starts_with("unknown variant") {
            let meant = nearest(word, known.iter().copied());
            let meant = meant.map_or_else(String::new, |it| format!(", did you mean `{it}`?"));
            let list = known.join(", ");
            let text = format!("{path}: there is no `{word}`{meant}; use one of {list}");
            return Self::at(path, text);
        }
        let kind = ["invalid type", "invalid value", "invalid length"];
        let text = if kind.iter().any(|it| said.starts_with(it)) {
            let wanted = said.rsplit_once(", expected ");
            let wanted = wanted.map_or("another kind of value", |(_, wanted)| wanted);
            format!("a value of the wrong kind; write {wanted}")
        } else if said.contains("socket address") {
            "not an address to listen on; write an address and a port, such as \
             \"127.0.0.1:8080\" or \"[::1]:8080\""
                .to_owned()
        } else {
            said.to_owned()
        };
        match path {
            "" => Self::at(word, text),
            _ => Self::at(path, format!("{path}: {text}")),
        }
    }

    /// The error with the file and the line of the key, where the key stands in the file.
    pub(super) fn within(self, file: Option<(&Path, &str)>) -> ConfigError {
        let place = file.and_then(|(path, text)| {
            let line = line_of_key(text, &self.key)?;
            Some(format!("{}:{line}: ", path.display()))
        });
        ConfigError(format!("{}{}", place.unwrap_or_default(), self.text))
    }
}

/// At the top, the carriers' sections are known as well.
fn known_here<'a>(known: &[&'a str]) -> Vec<&'a str> {
    let carriers: &[CarrierKind] = if known.contains(&"listen") {
        CarrierKind::ALL
    } else {
        &[]
    };
    let carriers = carriers.iter().filter(|kind| kind.is_company());
    let carriers = carriers.map(|kind| kind.as_str());
    known.iter().copied().chain(carriers).collect()
}

/// The known word that a slip may have come from.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .min()
        .filter(|(distance, _)| *distance <= SLIP_MAX)
        .map(|(_, name)| name)
}

/// The line of a TOML syntax error.
pub(super) fn located(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    ConfigError(format!("{}:{line}: {}", path.display(), error.message()))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// The line on which a key stands; of a list in brackets, its own section.
fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut line = None;
    let mut steps = key.split('.').peekable();
    while let Some(step) = steps.next() {
        let (name, at) = match step.split_once('[') {
            Some((name, at)) => (name, at.trim_end_matches(']').parse::<usize>().ok()),
            None => (step, None),
        };
        let (found, mut value) = table
            .iter()
            .find(|(own, _)| own.get_ref().as_ref() == name)?;
        let mut start = found.span().start;
        if let Some(at) = at {
            value = value.get_ref().as_array()?.get(at)?;
            start = value.span().start;
        }
        line = Some(line_of(text, start));
        if steps.peek().is_none() {
            break;
        }
        let DeValue::Table(inner) = value.get_ref() else {
            break;
        };
        table = inner;
    }
    line
}
