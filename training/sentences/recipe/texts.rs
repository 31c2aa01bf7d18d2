//! The texts to learn from: templates of ours, filled and misspelt, each with its family and label.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::learn::Dice;

/// What is learnt from, as name and text.
pub(crate) const SOURCES: &[(&str, &str)] = &[
    ("groups.txt", include_str!("texts/groups.txt")),
    ("alarms.txt", include_str!("texts/alarms.txt")),
    ("calm.txt", include_str!("texts/calm.txt")),
    ("optout.txt", include_str!("texts/optout.txt")),
    ("drafts.txt", include_str!("texts/drafts.txt")),
    ("deeds_en.txt", include_str!("texts/deeds_en.txt")),
    ("deeds_es.txt", include_str!("texts/deeds_es.txt")),
    ("news_en.txt", include_str!("texts/news_en.txt")),
    ("conduct.txt", include_str!("texts/conduct.txt")),
];

/// How many texts one template gives at most.
const OF_ONE_TEMPLATE: usize = 16;
/// How many copies one text of a template gives, spelt as people spell; one that was written out gives more.
const COPIES: usize = 2;
const COPIES_WRITTEN: usize = 7;

/// One text to learn from.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) label: usize,
    #[cfg_attr(
        test,
        expect(dead_code, reason = "the tests read no families; measuring does")
    )]
    pub(crate) family: String,
}

/// Every text of these sources whose label is among `labels`.
pub(crate) fn write(files: &[&str], labels: &[&str], seed: u64, noise: bool) -> Vec<Told> {
    let groups = groups();
    let mut dice = Dice(seed);
    let mut all = Vec::new();
    for (_, text) in SOURCES.iter().filter(|(name, _)| files.contains(name)) {
        let (mut label, mut family) = (None, String::new());
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            if let Some(head) = line.strip_prefix('#') {
                head.trim().clone_into(&mut family);
                let word = family.split(' ').next().unwrap_or_default();
                label = labels.iter().position(|it| *it == word);
                continue;
            }
            let Some(label) = label else { continue };
            let mut seen = BTreeSet::new();
            for _ in 0..OF_ONE_TEMPLATE * 2 {
                let told = tidy(&fill(line, &groups, &mut dice));
                if seen.len() < OF_ONE_TEMPLATE && !told.is_empty() {
                    seen.insert(told);
                }
            }
            for text in seen {
                let written = !line.contains(['(', '{', '[']);
                for copy in 0..=if written { COPIES_WRITTEN } else { COPIES } {
                    if copy > 0 && !noise {
                        break;
                    }
                    let text = if copy == 0 {
                        text.clone()
                    } else {
                        misspell(&text, &mut dice)
                    };
                    all.push(Told {
                        text,
                        label,
                        family: format!(
                            "{family} {}",
                            if files.contains(&"drafts.txt") {
                                number % 7
                            } else {
                                0
                            }
                        ),
                    });
                }
            }
        }
    }
    all
}

fn groups() -> BTreeMap<&'static str, Vec<&'static str>> {
    let (_, text) = SOURCES[0];
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, all)| (name, all.split('|').collect()))
        .collect()
}

/// One reading of a template: `(a|b|)` is one of these, `[a]` may be left out, `{group}` is one of its line.
fn fill(template: &str, groups: &BTreeMap<&str, Vec<&str>>, dice: &mut Dice) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['(', '[', '{']) {
        out.push_str(&rest[..at]);
        let open = rest.as_bytes()[at];
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            _ => b'}',
        };
        let end = closing(&rest[at..], open, close) + at;
        let inner = &rest[at + 1..end];
        match open {
            b'(' => {
                let choices = choices(inner);
                out.push_str(&fill(dice.pick::<&str>(&choices), groups, dice));
            }
            b'[' => {
                if dice.once_in(2) {
                    out.push_str(&fill(inner, groups, dice));
                }
            }
            _ => {
                if let Some(all) = groups.get(inner) {
                    out.push_str(dice.pick::<&str>(all));
                }
            }
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

fn closing(text: &str, open: u8, close: u8) -> usize {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        depth += usize::from(byte == open);
        if byte == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    panic!("a bracket is not closed in `{text}`")
}

fn choices(inner: &str) -> Vec<&str> {
    let (mut depth, mut from) = (0, 0);
    let mut all = Vec::new();
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'|' if depth == 0 => {
                all.push(&inner[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    all.push(&inner[from..]);
    all
}

fn tidy(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .join(" ")
        .replace(" ,", ",")
        .replace(" .", ".")
        .replace(" ?", "?")
}

/// Short forms that people write.
const SHORT: &[(&str, &str)] = &[
    ("you", "u"),
    ("are", "r"),
    ("please", "pls"),
    ("because", "cuz"),
    ("and", "n"),
    ("with", "w"),
    ("your", "ur"),
    ("to", "2"),
    ("for", "4"),
    ("really", "rly"),
    ("going to", "gonna"),
    ("que", "q"),
    ("por", "x"),
    ("para", "pa"),
    ("estoy", "stoy"),
    ("está", "ta"),
    ("porque", "xq"),
    ("mucho", "muxo"),
];
/// Small words that are left out in haste.
const SMALL: &[&str] = &[
    "the", "a", "an", "is", "are", "am", "my", "of", "it", "i", "el", "la", "un", "una", "de",
    "me", "se", "mi",
];

/// The same as somebody types it in a hurry.
pub(crate) fn misspell(text: &str, dice: &mut Dice) -> String {
    let style = dice.below(4);
    let lower = text.to_lowercase();
    let mut out: Vec<String> = Vec::new();
    for word in lower.split(' ') {
        let mut word = word.to_owned();
        if style < 2 && SMALL.contains(&word.as_str()) && dice.once_in(4) {
            continue;
        }
        if let Some((_, short)) = SHORT.iter().find(|(long, _)| *long == word)
            && style == 1
            && dice.once_in(2)
        {
            (*short).clone_into(&mut word);
        }
        if dice.once_in(if style == 2 { 5 } else { 12 }) {
            word = slip(&word, dice);
        }
        if style != 3 {
            word = word.replace(['\'', '¿', ',', '.', '!'], "");
        }
        out.push(word);
    }
    let told = out.join(" ");
    if told.trim().is_empty() {
        text.to_owned()
    } else {
        told
    }
}

/// A letter left out, doubled, or swapped with its neighbour.
fn slip(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 {
        return word.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 2);
    match dice.below(3) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}
