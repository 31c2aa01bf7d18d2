//! Details that say nothing alone and tell the condition together, over a whole conversation:
//! nothing to eat, clear liquids, a driver.
//!
//! What earlier texts of the conversation told comes with the setting by name, never as text.

use serde::Deserialize;
use smallvec::SmallVec;
use toml::Spanned;

use crate::guardrail::conduct::line_of;
use crate::guardrail::conduct::parse;
use crate::guardrail::conduct::refuse;
use crate::guardrail::conduct::ruleset::Examples;
use crate::guardrail::conduct::ruleset::RawRule;
use crate::guardrail::conduct::ruleset::RuleSet;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Finding;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge::kinds::finding;
use crate::guardrail::label::Label;
use crate::policy::PolicyError;
use crate::policy::pattern::Gathering;
use crate::policy::pattern::Matched;
use crate::policy::pattern::Patterns;

/// The file of details and of what they show together.
pub(crate) const ACCUMULATION: (&str, &str) = (
    "accumulation.toml",
    include_str!("../../guardrails/accumulation.toml"),
);

/// The law of information that identifies in combination, and of the minimum necessary.
const CITE: &str = "45 CFR 164.514(b)(2)(ii); 164.502(b)";

/// The names of details that a text tells; four need no memory of their own.
pub type Told = SmallVec<[Label; 4]>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    most: u32,
    rule: Vec<Spanned<RawRule>>,
    picture: Vec<Spanned<RawPicture>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPicture {
    id: String,
    summary: String,
    hints: Vec<String>,
    least: u32,
}

/// Details that together show something.
#[derive(Debug)]
struct Picture {
    id: Label,
    hints: u64,
    least: u32,
}

/// The details and the pictures they make.
#[derive(Debug)]
pub(crate) struct Accumulation {
    details: RuleSet,
    pictures: Vec<Picture>,
    most: u32,
}

/// A picture that the draft completes, and which of its details are in it.
struct Shown<'a> {
    id: &'a Label,
    hints: u64,
}

impl Accumulation {
    /// The details that are built in.
    pub(crate) fn embedded(gathering: &mut Gathering) -> Result<(Self, Examples), PolicyError> {
        Self::read(ACCUMULATION.0, ACCUMULATION.1, gathering)
    }

    fn read(
        file: &str,
        text: &str,
        gathering: &mut Gathering,
    ) -> Result<(Self, Examples), PolicyError> {
        let raw: File = parse(file, text)?;
        let (details, examples) = RuleSet::compile(file, text, raw.rule, &[], gathering)?;
        let mut pictures = Vec::with_capacity(raw.picture.len());
        for spanned in raw.picture {
            let line = line_of(text, spanned.span().start);
            let raw = spanned.into_inner();
            let wrong =
                |message: &str, remedy: &str| Err(refuse(file, line, &raw.id, message, remedy));
            let mut hints: u64 = 0;
            for hint in &raw.hints {
                let Some(bit) = details.place(hint).filter(|at| *at < 64) else {
                    let message = format!("the detail `{hint}` is unknown");
                    return wrong(&message, "name a `[[rule]]` of this file");
                };
                hints |= 1 << bit;
            }
            if raw.summary.trim().is_empty() || raw.least < 2 || raw.least > hints.count_ones() {
                let remedy = "write a summary, and a `least` of 2 up to the number of its details";
                return wrong("the picture can never be complete, or always is", remedy);
            }
            pictures.push(Picture {
                id: Label::Shared(raw.id.into()),
                hints,
                least: raw.least,
            });
        }
        let read = Self {
            details,
            pictures,
            most: raw.most.max(2),
        };
        Ok((read, examples))
    }

    /// Tries every example of a detail.
    pub(crate) fn try_examples(
        &self,
        patterns: &Patterns,
        examples: &Examples,
    ) -> Result<(), PolicyError> {
        self.details.try_examples(patterns, examples)
    }

    /// The details of a draft, and those of them that must go because of what was told before.
    pub(crate) fn read_draft(
        &self,
        patterns: &Patterns,
        view: &View<'_>,
        before: &[&str],
        matched: &mut Matched,
        mut found: impl FnMut(Finding),
    ) -> u64 {
        let mut now = 0;
        self.details.firings(patterns, view, matched, |rule, _| {
            now |= self.bit(&rule.id);
        });
        if now == 0 {
            return 0;
        }
        let Some(shown) = self.shown(now, before) else {
            return now;
        };
        self.details.firings(patterns, view, matched, |rule, at| {
            if self.bit(&rule.id) & shown.hints != 0 {
                let why = (Action::Drop, shown.id.clone(), CITE.into());
                let name = Label::Shared(std::sync::Arc::clone(&rule.id));
                let span = view.span(&at);
                found(finding(span, Category::OtherUnique, why, "context", name));
            }
        });
        now & !shown.hints
    }

    /// The names of a set of details.
    pub(crate) fn names(&self, told: u64) -> Told {
        let all = self.details.ids().enumerate();
        all.filter(|(at, _)| {
            told & (1_u64
                .checked_shl(u32::try_from(*at).unwrap_or(64))
                .unwrap_or(0))
                != 0
        })
        .map(|(_, id)| Label::Shared(id))
        .collect()
    }

    fn bit(&self, id: &str) -> u64 {
        self.details
            .place(id)
            .and_then(|at| u32::try_from(at).ok())
            .and_then(|at| 1_u64.checked_shl(at))
            .unwrap_or(0)
    }

    /// What the details show with those told before. A name that is no detail of ours is one more.
    fn shown(&self, now: u64, before: &[&str]) -> Option<Shown<'_>> {
        let known = before.iter().fold(0, |sum, name| sum | self.bit(name));
        let all = now | known;
        let picture = self
            .pictures
            .iter()
            .find(|it| now & it.hints != 0 && (all & it.hints).count_ones() >= it.least);
        if let Some(it) = picture {
            return Some(Shown {
                id: &it.id,
                hints: it.hints,
            });
        }
        let others = before
            .iter()
            .enumerate()
            .filter(|(at, name)| {
                self.bit(name) == 0 && !before.iter().take(*at).any(|it| it == *name)
            })
            .count();
        let count = all.count_ones() + u32::try_from(others).unwrap_or(u32::MAX);
        (count >= self.most).then_some(Shown {
            id: &MANY,
            hints: u64::MAX,
        })
    }
}

/// Many details of any kind.
static MANY: Label = Label::Static("accumulation.many");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_names_no_detail_or_needs_too_many_is_refused_with_its_line() {
        let (file, text) = ACCUMULATION;
        for (from, to, says) in [
            ("\"told.liquids\", ", "\"told.liqids\", ", "told.liqids"),
            ("least = 2", "least = 9", "complete"),
            ("least = 3", "least = 1", "complete"),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text);
            let read = Accumulation::read(file, &broken, &mut Gathering::default());
            let error = read.err().unwrap();
            assert!(error.message.contains(says) && error.line > 100, "{error}");
        }
    }
}
