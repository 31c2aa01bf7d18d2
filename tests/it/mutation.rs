//! No rule without a case that needs it: each identifier rule is switched off in turn.

#![cfg(test)]

use anteroom::guardrail::detect::Known;
use anteroom::guardrail::detect::detect;
use anteroom::policy::Policy;

/// A setting in which nothing is dropped as nobody's own.
const SETTING: Known<'static> = Known {
    facts: &[],
    practice_name: "Quillon Quarry Practice",
    practice_phone: "",
    portal_url: "",
    voters: &[],
};

#[test]
fn without_any_one_identifier_rule_an_example_of_it_is_read_otherwise() {
    let mut policy = Policy::embedded().unwrap();
    let rules: Vec<(String, Vec<String>)> = policy
        .rules()
        .iter()
        .map(|rule| (rule.id.to_string(), rule.flags.clone()))
        .collect();
    let read = |policy: &Policy, text: &str| -> Vec<_> {
        let found = detect(policy, text, &SETTING).into_iter();
        found.map(|it| (it.span, it.category)).collect()
    };
    let whole: Vec<Vec<_>> = rules
        .iter()
        .map(|(_, texts)| texts.iter().map(|text| read(&policy, text)).collect())
        .collect();
    let mut needless = Vec::new();
    for ((rule, texts), before) in rules.iter().zip(&whole) {
        assert!(policy.mute(rule), "{rule} is not there");
        let same = texts
            .iter()
            .zip(before)
            .all(|(text, before)| read(&policy, text) == *before);
        if same {
            needless.push(rule.as_str());
        }
    }
    assert!(!policy.mute("identifiers.none_such"));
    assert!(
        needless.is_empty(),
        "no example needs {}: give one that no other rule reads, or drop the rule",
        needless.join(", ")
    );
}
