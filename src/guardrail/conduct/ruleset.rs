//! Rules over folded text that are searched together, each with examples that are tried at load.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::guardrail::conduct::line_of;
use crate::guardrail::conduct::payers::Names;
use crate::guardrail::conduct::refuse;
use crate::guardrail::conduct::regex;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::ground::view::View;
use crate::policy::PolicyError;
use crate::policy::pattern::Gathering;
use crate::policy::pattern::Matched;
use crate::policy::pattern::Pattern;
use crate::policy::pattern::Patterns;
use crate::policy::pattern::Set;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    id: String,
    summary: String,
    category: Category,
    action: Action,
    cite: String,
    #[serde(default)]
    receipts: Vec<String>,
    #[serde(default)]
    status: Vec<String>,
    #[serde(default)]
    names: Option<Listed>,
    #[serde(default)]
    denies: bool,
    pattern: String,
    except: Option<String>,
    flags: Vec<String>,
    allows: Vec<String>,
}

/// What a sentence must name for a rule to fire, and what must then stand in the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Listed {
    /// Who pays.
    Payers,
}

/// One rule about deeds or conduct.
#[derive(Debug)]
pub(crate) struct Rule {
    /// `claims.booked`, `conduct.dosing`.
    pub(crate) id: Arc<str>,
    /// What a draft does that breaks it.
    pub(crate) category: Category,
    /// What becomes of the draft.
    pub(crate) action: Action,
    /// The law or house rule.
    pub(crate) cite: Arc<str>,
    /// Facts that bear the deed out.
    pub(crate) receipts: Vec<String>,
    /// States of a visit that bear it out.
    pub(crate) status: Vec<String>,
    /// What the receipt must name as the sentence does.
    pub(crate) names: Option<Listed>,
    /// Is it a denial that is claimed: "we do not take Cigna"?
    pub(crate) denies: bool,
    except: Option<Pattern>,
}

/// Rules that are searched together.
#[derive(Debug)]
pub(crate) struct RuleSet {
    rules: Vec<Rule>,
    /// Their patterns.
    any: Set,
    payers: Names,
}

/// The examples of a set, to be tried when all patterns are there.
pub(crate) struct Examples {
    file: String,
    /// Of each rule its line, what it flags and what it allows.
    each: Vec<(usize, Vec<String>, Vec<String>)>,
}

impl RuleSet {
    pub(crate) fn compile(
        file: &str,
        text: &str,
        raw: Vec<Spanned<RawRule>>,
        payers: &[String],
        gathering: &mut Gathering,
    ) -> Result<(Self, Examples), PolicyError> {
        let mut rules: Vec<Rule> = Vec::with_capacity(raw.len());
        let mut patterns = Vec::with_capacity(raw.len());
        let mut examples = Vec::with_capacity(raw.len());
        for spanned in raw {
            let line = line_of(text, spanned.span().start);
            let raw = spanned.into_inner();
            let wrong =
                |message: &str, remedy: &str| Err(refuse(file, line, &raw.id, message, remedy));
            if raw.cite.trim().is_empty() || raw.summary.trim().is_empty() {
                return wrong(
                    "no citation or summary",
                    "say in `cite` and `summary` where it comes from",
                );
            }
            if raw.flags.is_empty() || raw.allows.is_empty() {
                return wrong(
                    "no examples",
                    "give at least one text in `flags` and one in `allows`",
                );
            }
            if rules.iter().any(|other| *other.id == *raw.id) {
                return wrong("the id is taken", "give each rule its own id");
            }
            let except = raw
                .except
                .as_deref()
                .map(|p| regex(file, line, &raw.id, p))
                .transpose()?;
            patterns.push(regex(file, line, &raw.id, &raw.pattern)?);
            rules.push(Rule {
                except,
                id: raw.id.into(),
                category: raw.category,
                action: raw.action,
                cite: raw.cite.into(),
                receipts: raw.receipts,
                status: raw.status,
                names: raw.names,
                denies: raw.denies,
            });
            examples.push((line, raw.flags, raw.allows));
        }
        let set = Self {
            rules,
            any: gathering.add(patterns),
            payers: Names::new(payers),
        };
        let examples = Examples {
            file: file.to_owned(),
            each: examples,
        };
        Ok((set, examples))
    }

    /// The place of a rule among its like.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.rules.iter().position(|rule| *rule.id == *id)
    }

    /// The names of payers.
    pub(crate) const fn payers(&self) -> &Names {
        &self.payers
    }

    /// The ids, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Arc<str>> {
        self.rules.iter().map(|rule| Arc::clone(&rule.id))
    }

    /// Tries every example: a rule that does not do what it says is refused.
    pub(crate) fn try_examples(
        &self,
        patterns: &Patterns,
        examples: &Examples,
    ) -> Result<(), PolicyError> {
        let file = &examples.file;
        for (rule, (line, flags, allows)) in self.rules.iter().zip(&examples.each) {
            let fires = |text: &String| self.fires(patterns, text).any(|id| id == rule.id);
            if let Some(text) = flags.iter().find(|text| !fires(text)) {
                let message = format!("example `{text}` is not flagged");
                return Err(refuse(
                    file,
                    *line,
                    &rule.id,
                    &message,
                    "widen `pattern` or drop the example",
                ));
            }
            if let Some(text) = allows.iter().find(|text| fires(text)) {
                let message = format!("example `{text}` is flagged");
                return Err(refuse(
                    file,
                    *line,
                    &rule.id,
                    &message,
                    "narrow `pattern` or add `except`",
                ));
            }
        }
        Ok(())
    }

    /// The rules that fire in a text of its own.
    fn fires(&self, patterns: &Patterns, text: &str) -> impl Iterator<Item = Arc<str>> {
        let view = View::new(text, &[]);
        let (mut ids, mut matched) = (Vec::new(), Matched::default());
        patterns.look(&view.low, &mut matched);
        self.firings(patterns, &view, &mut matched, |rule, _| {
            ids.push(Arc::clone(&rule.id));
        });
        ids.into_iter()
    }

    /// Tells where the rules fire in a text that was looked through; questions, conditions and denials
    /// claim nothing.
    pub(crate) fn firings<'r>(
        &'r self,
        patterns: &Patterns,
        view: &View<'_>,
        matched: &mut Matched,
        mut fired: impl FnMut(&'r Rule, Range<usize>),
    ) {
        patterns.find(&self.any, &view.low, 0..view.low.len(), matched);
        for number in matched.found() {
            let (Some(rule), Some(pattern)) =
                (self.rules.get(number), patterns.get(&self.any, number))
            else {
                continue;
            };
            for place in pattern.find_iter(&view.low) {
                let sentence = view.sentences.get(view.sentence_of(place.start)).cloned();
                let sentence = sentence.unwrap_or(0..view.low.len());
                let text = view.slice(&sentence);
                let except = rule
                    .except
                    .as_ref()
                    .is_some_and(|except| except.is_match(text));
                let before = view.slice(&(sentence.start.min(place.start)..place.start));
                let claim = rule.category == Category::UngroundedClaim;
                let denial = !rule.denies && denied(view.slice(&place));
                let unsaid = claim && (text.ends_with('?') || denial || hedged(before));
                let behind = view.slice(&(place.end..sentence.end.max(place.end)));
                let named = rule.names.is_none_or(|Listed::Payers| {
                    let here = view.slice(&place);
                    let near = if is_passive(here) {
                        last(before, REACH)
                    } else {
                        first(behind, REACH)
                    };
                    self.payers.any(near) || self.payers.any(here)
                });
                if !except && !unsaid && named {
                    fired(rule, place);
                }
            }
        }
    }
}

const HEDGES: &[&str] = &[
    "not", "never", "once", "when", "until", "if", "after", "before", "unless", "can't", "cannot",
    "isn't", "hasn't", "haven't", "wasn't", "won't", "nothing", "no", "si", "cuando", "hasta",
    "despues", "antes", "aun", "nobody", "aren't", "don't", "whether", "would", "could", "can",
];

/// What a rule names stands so near to its verb, in bytes.
const REACH: usize = 48;

/// `is accepted`, `esta en nuestra red`: what is spoken of stands before it.
fn is_passive(matched: &str) -> bool {
    let mut words = matched
        .split(' ')
        .skip_while(|word| matches!(*word, "no" | "ya"));
    words.next().is_some_and(|word| {
        matches!(
            word,
            "is" | "are" | "isn't" | "aren't" | "es" | "esta" | "son" | "estan"
        )
    })
}

/// The first bytes of a text.
fn first(text: &str, most: usize) -> &str {
    let mut ends = (0..=most.min(text.len())).rev();
    let end = ends.find(|at| text.is_char_boundary(*at));
    end.and_then(|at| text.get(..at)).unwrap_or_default()
}

/// The last bytes of a text.
fn last(text: &str, most: usize) -> &str {
    let from = text.len().saturating_sub(most);
    let start = (from..=text.len()).find(|at| text.is_char_boundary(*at));
    start.and_then(|at| text.get(at..)).unwrap_or(text)
}

fn denied(matched: &str) -> bool {
    let mut words = matched.split(' ');
    words.any(|word| matches!(word, "not" | "never" | "isn't" | "no"))
}

fn hedged(before: &str) -> bool {
    let clause = before.rsplit([',', ';', ':']).next().unwrap_or(before);
    let mut words = clause.split_whitespace().rev().take(5);
    words.any(|word| HEDGES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guardrail::conduct::CLAIMS;
    use crate::guardrail::conduct::CONDUCT;
    use crate::guardrail::conduct::RawPayers;

    #[derive(Deserialize)]
    struct Examples {
        rule: Vec<Example>,
    }

    #[derive(Deserialize)]
    struct Example {
        id: String,
        flags: Vec<String>,
    }

    #[derive(Deserialize)]
    struct Raw {
        rule: Vec<Spanned<RawRule>>,
        #[serde(default)]
        payers: RawPayers,
    }

    #[test]
    fn without_any_one_rule_of_deeds_and_conduct_an_example_of_it_goes_unseen() {
        for (file, text) in [CLAIMS, CONDUCT] {
            let raw: Raw = toml::from_str(text).unwrap();
            let mut gathering = Gathering::default();
            let (set, _) =
                RuleSet::compile(file, text, raw.rule, &raw.payers.names, &mut gathering).unwrap();
            let patterns = gathering.finish();
            let examples: Examples = toml::from_str(text).unwrap();
            for example in &examples.rule {
                // Each rule is searched for itself: without it, all that the others see is left.
                let unseen = example
                    .flags
                    .iter()
                    .any(|draft| set.fires(&patterns, draft).all(|id| *id == *example.id));
                assert!(unseen, "{}: other rules see all its examples", example.id);
            }
        }
    }
}
