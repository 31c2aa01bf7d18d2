//! Overlay: a practice's own words and rules over the policy in force. It finds more and forbids more,
//! never less: words that hide a finding and rules that relax another are refused.

use std::collections::BTreeMap;

use crate::policy::PolicyError;

/// Where the practice's own words are kept.
pub const WORDS: &str = "lexicons/console.txt";
/// Where its own rules are kept; they are laid into the house's law file.
pub const RULES: &str = "rules.toml";
/// The law file of the house.
pub(crate) const HOUSE: &str = "house.toml";

/// What stands before the rules where the policy folder has no law file of the house.
const HEADER: &str = "schema = 1\njurisdiction = \"US\"\ntitle = \"The practice's own rules\"\n\
    last_reviewed = 2026-11-22\nreviewed_by = \"the practice\"\n";

/// Files of the folder with the overlay laid over them, and how many lines of its law file stand before
/// the rules of the overlay.
pub(crate) fn merged(
    folder: &BTreeMap<String, String>,
    overlay: &BTreeMap<String, String>,
) -> Result<(BTreeMap<String, String>, usize), PolicyError> {
    let mut all = folder.clone();
    let mut before = 0;
    for (place, text) in overlay.iter().filter(|(_, text)| !text.trim().is_empty()) {
        match place.as_str() {
            WORDS if folder.contains_key(WORDS) => {
                let message = "the policy folder of the server has a file of this name";
                let remedy = "rename that one: this name is the console's";
                return Err(PolicyError::at(WORDS, 1, "words", message, remedy));
            }
            WORDS => {
                all.insert(WORDS.to_owned(), text.clone());
            }
            RULES => {
                tightens(text)?;
                let house = folder.get(HOUSE).map_or(HEADER, String::as_str);
                before = house.lines().count() + 1;
                all.insert(HOUSE.to_owned(), format!("{}\n\n{text}", house.trim_end()));
            }
            other => {
                let message = "an overlay has words and rules, no other file";
                let remedy = "leave it out; a policy folder may hold it";
                return Err(PolicyError::at(other, 1, other, message, remedy));
            }
        }
    }
    Ok((all, before))
}

/// Names the overlay's own file and line in what is wrong with the law file that it was laid into.
pub(crate) fn told(mut error: PolicyError, before: usize) -> PolicyError {
    if error.file == HOUSE && error.line > before {
        RULES.clone_into(&mut error.file);
        error.line -= before;
    }
    error
}

/// Refuses what is no rule of the house, and what would loosen one.
fn tightens(text: &str) -> Result<(), PolicyError> {
    let refused = |line: usize, rule: &str, message: &str, remedy: &str| {
        Err(PolicyError::at(RULES, line, rule, message, remedy))
    };
    let table: toml::Table = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = crate::policy::rules::line_of(text, start);
            return refused(
                line,
                "rules",
                error.message(),
                "write each rule as a [[rule]]",
            );
        }
    };
    let line = |word: &str| {
        let found = text
            .lines()
            .position(|line| line.trim_start().starts_with(word));
        found.map_or(1, |at| at + 1)
    };
    for (key, value) in &table {
        if key != "rule" && key != "test" {
            let message = "an overlay has rules and their tests, nothing else";
            return refused(line(key), key, message, "write each rule as a [[rule]]");
        }
        let all = value.as_array().map_or(&[][..], Vec::as_slice);
        for rule in all.iter().filter(|_| key == "rule") {
            let text = |name| {
                rule.get(name)
                    .and_then(toml::Value::as_str)
                    .unwrap_or_default()
            };
            let id = text("id");
            if rule.get("relaxes").is_some() {
                let message = "it relaxes another rule, and an overlay only tightens";
                let remedy =
                    "take `relaxes` out; a rule of the house is relaxed in the policy folder";
                return refused(line("relaxes"), id, message, remedy);
            }
            if text("basis") != "policy" {
                let message = "a practice makes rules of its own, no law";
                return refused(line("basis"), id, message, "write basis = \"policy\"");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    const RULE: &str = "[[rule]]\nid = \"own.procedures\"\nkind = \"content_block\"\n\
        summary = \"No procedures by text.\"\nbasis = \"policy\"\ncite = \"practice policy\"\n\
        effective = 2026-11-22\nlast_reviewed = 2026-11-22\nconfidence = \"policy\"\n\
        [rule.params]\nchannel = [\"sms\"]\nnever = [\"procedure\"]\n";

    fn with(place: &str, text: &str) -> Result<Policy, PolicyError> {
        let files = BTreeMap::from([(place.to_owned(), text.to_owned())]);
        Policy::embedded().unwrap().with(&files)
    }

    #[test]
    fn words_and_rules_are_laid_over_the_policy() {
        let base = Policy::embedded().unwrap();
        let words = with(WORDS, "[medication certain any]\nquillonol\n").unwrap();
        assert_ne!(words.digest(), base.digest());
        let rules = with(RULES, RULE).unwrap();
        assert!(rules.law().rule("own.procedures").is_some());
        assert_eq!(with(RULES, " \n").unwrap().digest(), base.digest());
    }

    #[test]
    fn what_loosens_or_is_no_overlay_is_refused_with_its_line() {
        let relaxing = RULE.replace(
            "[rule.params]",
            "relaxes = \"policy.hours\"\nreason = \"farmers\"\n[rule.params]",
        );
        for (place, text, said, line) in [
            (WORDS, "[harmless]\nbiopsy\n", "would hide", 2),
            (RULES, relaxing.as_str(), "only tightens", 10),
            (
                RULES,
                &RULE.replace("\"policy\"\ncite", "\"statute\"\ncite"),
                "no law",
                5,
            ),
            (RULES, "schema = 1\n", "nothing else", 1),
            (RULES, "[[rule]\n", "", 1),
            (RULES, &RULE.replace("content_block", "content_blok"), "", 3),
            ("states/CA.toml", RULE, "no other file", 1),
        ] {
            let error = with(place, text).unwrap_err();
            let told = error.to_string();
            assert!(told.contains(said), "{said}: {told}");
            assert_eq!((error.file.as_str(), error.line), (place, line), "{told}");
            assert!(!error.remedy.is_empty(), "{told}");
        }
    }
}
