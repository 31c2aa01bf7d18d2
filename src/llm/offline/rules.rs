//! What patients want, by words that are data: `prompts/offline/*.toml`, each intent with examples.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::llm::offline::words::Clause;

const FILES: &[(&str, &str)] = &[
    (
        "calendar",
        include_str!("../../../prompts/offline/calendar.toml"),
    ),
    (
        "practice",
        include_str!("../../../prompts/offline/practice.toml"),
    ),
    ("staff", include_str!("../../../prompts/offline/staff.toml")),
    ("talk", include_str!("../../../prompts/offline/talk.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    list: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    intent: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    also: Vec<Vec<String>>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    whole: Vec<String>,
    #[serde(default)]
    examples: Examples,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    #[serde(default)]
    en: Vec<String>,
    #[serde(default)]
    es: Vec<String>,
}

/// One way in which an intent fits.
struct Rule {
    words: Vec<String>,
    also: Vec<Vec<String>>,
    unless: Vec<String>,
    whole: Vec<String>,
}

impl Rule {
    fn fits(&self, clause: &Clause) -> bool {
        let named = clause.has(&self.words) && self.also.iter().all(|list| clause.has(list));
        let whole = !self.whole.is_empty() && clause.is(&self.whole);
        whole || (named && !clause.has(&self.unless))
    }
}

#[derive(Default)]
struct Rules {
    lists: BTreeMap<String, Vec<String>>,
    intents: BTreeMap<String, Vec<Rule>>,
    examples: Vec<(String, String)>,
}

/// Read once. Files that cannot be read leave every text to staff; a test reads them first.
static RULES: LazyLock<Result<Rules, String>> = LazyLock::new(read);

fn read() -> Result<Rules, String> {
    let mut files = Vec::new();
    for (name, text) in FILES {
        let file: File = toml::from_str(text)
            .map_err(|error| format!("prompts/offline/{name}.toml: {error}"))?;
        files.push((*name, file));
    }
    let mut rules = Rules::default();
    for (_, file) in &files {
        rules.lists.extend(file.list.clone());
    }
    for (name, file) in files {
        for it in file.intent {
            let place =
                |error: String| format!("prompts/offline/{name}.toml: {}: {error}", it.name);
            let open = |words: &[String]| spelled_out(words, &rules.lists).map_err(place);
            let rule = Rule {
                words: open(&it.words)?,
                also: it
                    .also
                    .iter()
                    .map(|list| open(list))
                    .collect::<Result<_, _>>()?,
                unless: open(&it.unless)?,
                whole: it.whole,
            };
            let examples = it.examples.en.into_iter().chain(it.examples.es);
            rules
                .examples
                .extend(examples.map(|text| (it.name.clone(), text)));
            rules.intents.entry(it.name).or_default().push(rule);
        }
    }
    Ok(rules)
}

/// Words with each `@list` in place of its name.
fn spelled_out(
    words: &[String],
    lists: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for word in words {
        match word.strip_prefix('@') {
            None => all.push(word.clone()),
            Some(name) => {
                let list = lists.get(name);
                all.extend(
                    list.ok_or_else(|| format!("there is no list @{name}"))?
                        .clone(),
                );
            }
        }
    }
    Ok(all)
}

/// Whether an intent fits a clause.
pub(super) fn fits(name: &str, clause: &Clause) -> bool {
    let rules = RULES.as_ref().ok();
    let rules = rules.and_then(|rules| rules.intents.get(name));
    rules.is_some_and(|rules| rules.iter().any(|rule| rule.fits(clause)))
}

/// The words of a list.
pub(super) fn list(name: &str) -> &'static [String] {
    let rules = RULES.as_ref().ok();
    rules
        .and_then(|rules| rules.lists.get(name))
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::offline::intent;
    use crate::llm::offline::words;

    #[test]
    fn every_example_is_read_as_its_intent_and_every_intent_has_some_in_both_languages() {
        let rules = RULES.as_ref().expect("the files of the offline model");
        let mut errors = Vec::new();
        for (name, text) in &rules.examples {
            let clauses = words::clauses(text);
            if !clauses.iter().any(|clause| fits(name, clause)) {
                errors.push(format!("{text:?} is not read as {name}"));
            }
        }
        for name in rules.intents.keys() {
            let count = rules.examples.iter().filter(|(it, _)| it == name).count();
            if count < 2 {
                errors.push(format!("{name}: {count} example(s)"));
            }
        }
        for name in intent::names() {
            if !rules.intents.contains_key(name) {
                errors.push(format!("no file has the intent {name}"));
            }
        }
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }

    #[test]
    fn a_list_that_does_not_exist_is_named() {
        let wanted = vec!["@nowhere".to_owned()];
        let error = spelled_out(&wanted, &BTreeMap::new()).unwrap_err();
        assert!(error.contains("@nowhere"), "{error}");
    }
}
