//! The examples of a house's own pattern rules, tried where the policy is loaded.

use crate::guardrail::detect::Known;
use crate::guardrail::detect::detect;
use crate::policy::Policy;
use crate::policy::PolicyError;
use crate::policy::rules::Rule;

/// A practice without words of its own: something is known, so that nothing is dropped as nobody's.
const SOMEBODY: Known<'static> = Known {
    facts: &[],
    practice_name: "-",
    practice_phone: "",
    portal_url: "",
    voters: &[],
};

/// Refuses a rule of the house that misses a text of its `flags`, or finds one of its `allows`.
///
/// The built-in rules are tried by the tests; what a folder lays over them is tried here, by the
/// whole detector, so that checksums, words of context and other rules count.
pub fn hold(policy: &Policy) -> Result<(), PolicyError> {
    let mut own = policy.rules().iter().filter(|rule| rule.own);
    own.try_for_each(|rule| of_rule(policy, rule))
}

fn of_rule(policy: &Policy, rule: &Rule) -> Result<(), PolicyError> {
    let refuse = |message: &str, remedy: &str| {
        let (file, line) = &rule.place;
        Err(PolicyError::at(file, *line, &rule.id, message, remedy))
    };
    for text in &rule.flags {
        let found = detect(policy, text, &SOMEBODY);
        if found.iter().any(|it| it.category.as_str() == rule.category) {
            continue;
        }
        return match found.first() {
            Some(other) => refuse(
                &format!(
                    "example `{text}` is not flagged by it, for `{}` finds it as {} already",
                    other.rule,
                    other.category.as_str()
                ),
                "give an example that only this rule finds, make `confidence` higher, or drop the rule",
            ),
            None => refuse(
                &format!("example `{text}` is not flagged, though the pattern matches"),
                "see whether `checksum`, `keywords` or `context` refuse it; a value ends where a \
                 letter or digit goes on",
            ),
        };
    }
    let found = |text: &&String| {
        let findings = detect(policy, text, &SOMEBODY);
        findings.iter().any(|it| it.rule == rule.id)
    };
    match rule.allows.iter().find(found) {
        Some(text) => refuse(
            &format!("example `{text}` of `allows` is flagged"),
            "narrow `pattern`, or ask for `context` or a `checksum`; or drop the example",
        ),
        None => Ok(()),
    }
}
