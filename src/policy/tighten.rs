//! Tighten: a folder laid over the built-in words and patterns may find more, never less.

use std::collections::BTreeSet;

use crate::policy::PolicyError;
use crate::policy::rules::Rule;
use crate::policy::sources::Source;

/// Lists of what is harmless: an entry more hides a finding, so only entries fewer are stricter.
const LOOSENING: &[&str] = &["lexicons/harmless.txt", "lexicons/common.txt"];

/// Sections of other lists that do the same.
const LOOSENING_SECTIONS: &[&str] = &["harmless", "common"];

/// Refuses lists and cues that find less than the built-in ones.
pub(crate) fn lists(all: &[Source], built_in: &[Source]) -> Result<(), PolicyError> {
    for source in all.iter().filter(|it| !it.is_law()) {
        let name = source.path.to_string_lossy();
        let before = built_in.iter().find(|it| it.path == source.path);
        let before = before.map(|it| it.text.as_ref());
        if before == Some(source.text.as_ref()) {
            continue;
        }
        if name == "cues.toml" {
            let message = "it is not the built-in one; a cue more can hide what a text tells";
            let remedy = "take it out of the folder; words of your own go into lexicons/";
            return Err(PolicyError::at(&name, 1, "cues", message, remedy));
        }
        if name.ends_with(".txt") {
            list(&name, &source.text, before.unwrap_or_default())?;
        }
    }
    Ok(())
}

fn list(name: &str, text: &str, before: &str) -> Result<(), PolicyError> {
    let (own, base) = (terms(text), terms(before));
    let known: BTreeSet<(&str, &str)> = base.iter().map(|(_, it)| *it).collect();
    let kept: BTreeSet<(&str, &str)> = own.iter().map(|(_, it)| *it).collect();
    let loosens = |section: &str| {
        LOOSENING.contains(&name)
            || LOOSENING_SECTIONS.contains(&section.split(' ').next().unwrap_or_default())
    };
    if let Some((line, (section, term))) = own
        .iter()
        .find(|(_, it)| loosens(it.0) && !known.contains(it))
    {
        let message = format!("`{term}` in [{section}] would hide what is found now");
        let remedy = "take it out: a folder may find more than the built-in lists, never less";
        return Err(PolicyError::at(name, *line, term, &message, remedy));
    }
    if let Some((_, (section, term))) = base
        .iter()
        .find(|(_, it)| !loosens(it.0) && !kept.contains(it))
    {
        let message = format!("`{term}` of [{section}] is left out; the built-in list has it");
        let remedy = "put your own words into a file of another name in lexicons/, or add the \
                      entry again";
        return Err(PolicyError::at(name, 1, term, &message, remedy));
    }
    Ok(())
}

/// Each term with its section, and its line.
fn terms(text: &str) -> Vec<(usize, (&str, &str))> {
    let mut section = "";
    let mut all = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            section = header;
            continue;
        }
        let entries = line.split(',').map(str::trim).filter(|it| !it.is_empty());
        all.extend(entries.map(|term| (at + 1, (section, term))));
    }
    all
}

/// Whether any file of patterns is not the built-in one.
pub(crate) fn touches_patterns(all: &[Source], built_in: &[Source]) -> bool {
    let of = |it: &&Source| it.path.starts_with("identifiers");
    all.iter().filter(of).any(|it| {
        let before = built_in.iter().find(|other| other.path == it.path);
        before.is_none_or(|before| before.text != it.text)
    })
}

/// Refuses patterns that are left out, or that are others under the same name.
pub(crate) fn patterns(own: &[Rule], built_in: &[Rule]) -> Result<(), PolicyError> {
    for base in built_in {
        let Some(rule) = own.iter().find(|it| it.id == base.id) else {
            let remedy = "copy it from the built-in file; add rules of your own beside it";
            let message = "the rule is left out";
            return Err(PolicyError::at(&base.place.0, 1, &base.id, message, remedy));
        };
        if !rule.demands_what(base) {
            let (file, line) = &rule.place;
            let message = "it is not the built-in rule of this name, and could find less";
            let remedy =
                "restore it, and add what it should find besides as a rule of another name";
            return Err(PolicyError::at(file, *line, &rule.id, message, remedy));
        }
    }
    Ok(())
}
