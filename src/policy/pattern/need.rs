//! What every match of an expression holds besides its beginning: `you should take` begins as half of
//! all texts do, but only a text with `should` need be searched for it.

use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::Look;
use regex_syntax::hir::literal::ExtractKind;
use regex_syntax::hir::literal::Extractor;

use crate::policy::pattern::least::class_has;
use crate::policy::pattern::together::is_word;

/// An expression is taken apart into this many ways to match at most.
const WAYS_MAX: usize = 96;
/// A longer list of words is looked for at the price of what it rules out.
const WORDS_MAX: usize = 96;
/// Longer beginnings of a word rule out hardly anything more.
const LENGTH: usize = 10;

/// Words that stand in a great part of all texts: a list that holds one of them rules out little.
const COMMON: &[&str] = &[
    "a",
    "an",
    "and",
    "any",
    "appointment",
    "are",
    "at",
    "be",
    "by",
    "call",
    "can",
    "con",
    "de",
    "dr",
    "el",
    "en",
    "es",
    "for",
    "have",
    "hi",
    "i",
    "if",
    "in",
    "is",
    "it",
    "la",
    "no",
    "not",
    "of",
    "office",
    "on",
    "or",
    "our",
    "para",
    "por",
    "que",
    "reply",
    "su",
    "thank",
    "that",
    "the",
    "this",
    "time",
    "to",
    "today",
    "tomorrow",
    "visit",
    "we",
    "will",
    "with",
    "you",
    "your",
];

/// The ways in which an expression matches: the branches of its outermost choice.
pub(super) fn ways(hir: &Hir) -> Vec<Hir> {
    let mut ways = vec![hir.clone()];
    loop {
        let mut split = Vec::with_capacity(ways.len());
        for way in &ways {
            match branches(way) {
                Some(parts) => split.extend(parts),
                None => split.push(way.clone()),
            }
        }
        if split.len() == ways.len() || split.len() > WAYS_MAX {
            return ways;
        }
        ways = split;
    }
}

/// The branches of a choice that stands at the beginning, behind nothing but borders.
fn branches(hir: &Hir) -> Option<Vec<Hir>> {
    match hir.kind() {
        HirKind::Alternation(ways) => Some(ways.clone()),
        HirKind::Capture(group) => branches(&group.sub),
        HirKind::Concat(parts) => {
            let looks = |part: &Hir| matches!(part.kind(), HirKind::Look(_));
            let at = parts.iter().position(|part| !looks(part))?;
            let (before, rest) = parts.split_at(at);
            let (choice, behind) = rest.split_first()?;
            let ways = branches(choice)?.into_iter().map(|way| {
                let whole = before.iter().cloned().chain([way]);
                Hir::concat(whole.chain(behind.iter().cloned()).collect())
            });
            Some(ways.collect())
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => None,
    }
}

/// Beginnings of words of which one stands in every match; nothing where there is no such list.
pub(super) fn words(way: &Hir) -> Vec<Vec<u8>> {
    let HirKind::Concat(parts) = way.kind() else {
        return Vec::new();
    };
    let looks = |part: &Hir| matches!(part.kind(), HirKind::Look(_));
    let begun = parts.iter().position(|part| !looks(part)).unwrap_or(0);
    let lists = (begun + 1..parts.len()).filter_map(|at| {
        let (before, rest) = parts.split_at(at);
        let (list, borders) = list(rest.first()?)?;
        (borders || at_border(before)).then_some(list)
    });
    lists.min_by_key(|list| cost(list)).unwrap_or_default()
}

/// What one part of an expression begins with, where that is a short list of words, and whether each
/// stands behind a mark of its own: ` take`.
fn list(part: &Hir) -> Option<(Vec<Vec<u8>>, bool)> {
    if part.properties().minimum_len().unwrap_or(0) == 0 {
        return None;
    }
    let all = Extractor::new()
        .kind(ExtractKind::Prefix)
        .limit_total(WORDS_MAX)
        .limit_literal_len(LENGTH)
        .extract(part);
    let all = all.literals()?;
    let marks = |text: &[u8]| text.iter().take_while(|byte| !is_word(**byte)).count();
    let borders = all.iter().all(|it| marks(it.as_bytes()) > 0);
    let words = all.iter().filter_map(|it| {
        let text = it.as_bytes();
        text.get(marks(text)..).filter(|word| !word.is_empty())
    });
    let words: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
    (!words.is_empty() && words.len() == all.len()).then_some((words, borders))
}

/// How much of all texts a list lets through: its common words, then its length.
fn cost(list: &[Vec<u8>]) -> usize {
    let common = COMMON.iter().filter(|word| {
        let said = format!("{word} ");
        let said = said.as_bytes();
        list.iter()
            .any(|text| said.starts_with(text) || text.starts_with(said))
    });
    common.count() * WORDS_MAX + list.len()
}

/// Does what stands behind these parts stand at the border of a word, if it is one?
fn at_border(parts: &[Hir]) -> bool {
    for part in parts.iter().rev() {
        if let HirKind::Look(look) = part.kind() {
            if matches!(look, Look::WordAscii | Look::WordStartAscii | Look::Start) {
                return true;
            }
            continue;
        }
        if !ends_no_word(part) {
            return false;
        }
        if part.properties().minimum_len().unwrap_or(0) > 0 {
            return true;
        }
    }
    false
}

/// Does no match of this end within a word?
fn ends_no_word(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(text) => text.0.last().is_some_and(|byte| !is_word(*byte)),
        HirKind::Class(class) => !class_has(class, is_word),
        HirKind::Repetition(again) => ends_no_word(&again.sub),
        HirKind::Capture(group) => ends_no_word(&group.sub),
        HirKind::Alternation(ways) => ways.iter().all(ends_no_word),
        HirKind::Concat(parts) => {
            for part in parts.iter().rev() {
                if !ends_no_word(part) {
                    return false;
                }
                if part.properties().minimum_len().unwrap_or(0) > 0 {
                    return true;
                }
            }
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(pattern: &str) -> Vec<String> {
        let hir = regex_syntax::Parser::new().parse(pattern).unwrap();
        let mut all = Vec::new();
        for way in ways(&hir) {
            let words = words(&way).into_iter();
            let mut words: Vec<String> = words.map(|it| String::from_utf8(it).unwrap()).collect();
            words.sort();
            all.push(words.join("|"));
        }
        all
    }

    #[test]
    fn each_way_to_match_needs_its_rarest_words() {
        let cases: &[(&str, &[&str])] = &[
            (r"(?-u:\b)you (?:should|ought to) take", &["take"]),
            (
                r"(?-u:\b)(?:i|we) (?:would )?(?:recommend|suggest)",
                &["recommend|suggest"],
            ),
            // A word that may be missing, or that may end another, tells nothing.
            (r"(?-u:\b)your (?:blood )?[a-z]*test", &[""]),
            (r"(?-u:\b)you[a-z]* (?:take|stop)", &["stop|take"]),
            (r"(?-u:\b)un(?:take|stop)", &[""]),
            // Each branch for itself, with what stands behind them all.
            (
                r"(?-u:\b)(?:your dose|my (?:own )?pill) is (?-u:\b)(?:low|high)(?-u:\b)",
                &["high|low", "pill is "],
            ),
        ];
        for (pattern, wanted) in cases {
            let mut got = needs(pattern);
            got.sort();
            got.dedup();
            assert_eq!(&got, wanted, "{pattern}");
        }
    }
}
