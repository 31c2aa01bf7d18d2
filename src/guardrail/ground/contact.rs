//! Phone numbers, links and mail addresses of a draft against the facts.

use smallvec::SmallVec;

use crate::guardrail::finding::Category;
use crate::guardrail::ground::Ground;
use crate::guardrail::ground::Standing;
use crate::guardrail::ground::Statement;
use crate::guardrail::ground::view::Kind;

/// Numbers anybody may be told: emergencies, crisis, poison control.
const PUBLIC_NUMBERS: &[&[u8]] = &[b"8002221222", b"18002221222", b"8002738255", b"18002738255"];

/// The digits of a number.
type Digits = SmallVec<[u8; 16]>;

fn digits(text: &str) -> Digits {
    text.bytes().filter(u8::is_ascii_digit).collect()
}

/// The digits of a phone number without the country's.
fn national(text: &str) -> Digits {
    let mut digits = digits(text);
    if digits.len() == 11 && digits.first() == Some(&b'1') {
        digits.remove(0);
    }
    digits
}

/// Whether the digits of `number` stand in a value.
fn holds_number(value: &str, number: &[u8]) -> bool {
    number.is_empty() || digits(value).windows(number.len()).any(|it| it == number)
}

/// The tokens of a phone number that begins at `i`: 415-555-0100, (415) 555-0100, +14155550100.
fn phone(ground: &Ground<'_>, i: usize) -> Option<usize> {
    let view = ground.view;
    let mut last = i;
    let mut digits = view.word(i).len();
    let mut next = i + 1;
    let mut groups = 1;
    while digits < 11 {
        let mut gap = 0;
        while gap < 2 && matches!(view.word(next + gap), "-" | "." | ")" | "(") {
            gap += 1;
        }
        let number = next + gap;
        let length = view.word(number).len();
        let near = view
            .tokens
            .get(number)
            .zip(view.tokens.get(last))
            .is_some_and(|(a, b)| a.at.start <= b.at.end + 2);
        if view.kind(number) != Some(Kind::Number) || !near || !matches!(length, 3 | 4) {
            break;
        }
        digits += length;
        last = number;
        next = number + 1;
        groups += 1;
    }
    let shape = matches!((digits, groups), (10, 1 | 3) | (11, 1 | 4) | (7, 2));
    shape.then_some(last)
}

/// Phone numbers, links and mail addresses.
pub(crate) fn contacts<'a>(ground: &Ground<'a>, found: &mut Vec<Statement<'a>>) {
    let view = ground.view;
    let mut next = 0;
    for i in 0..view.tokens.len() {
        if i < next || view.kind(i) != Some(Kind::Number) {
            continue;
        }
        let Some(last) = phone(ground, i) else {
            continue;
        };
        next = last + 1;
        let mut first = i;
        while first > 0 && matches!(view.word_before(first, 1), "(" | "+") {
            first -= 1;
        }
        let span = view.span(&view.reach(first, last));
        let number = national(view.text.get(span.clone()).unwrap_or_default());
        let standing = if PUBLIC_NUMBERS.contains(&&*number)
            || holds_number(ground.setting.practice_phone, &number)
        {
            Standing::Open
        } else {
            stand(ground, |value| holds_number(value, &number))
        };
        found.push(Statement {
            span,
            category: Category::UngroundedContact,
            standing,
        });
    }
    links(ground, found);
}

/// How a contact stands to the facts.
fn stand<'a>(ground: &Ground<'a>, fits: impl Fn(&str) -> bool) -> Standing<'a> {
    let facts = ground.setting.facts.iter().filter(|fact| fits(fact.value));
    match facts.min_by_key(|fact| !fact.field.starts_with("practice.")) {
        Some(fact) if fact.field.starts_with("practice.") => Standing::Open,
        Some(fact) => Standing::Backed(fact.field),
        None if ground.sourced() => Standing::Backed("identifier.contact"),
        None => Standing::Unbacked,
    }
}

fn links<'a>(ground: &Ground<'a>, found: &mut Vec<Statement<'a>>) {
    let text = ground.view.text;
    if !text.contains("://") && !text.contains('@') && !text.contains("www.") {
        return;
    }
    let mut start = 0;
    for chunk in text.split_inclusive(char::is_whitespace) {
        let bare = chunk.trim().trim_matches(|c: char| {
            matches!(
                c,
                '.' | ',' | '(' | ')' | '!' | '?' | ';' | ':' | '"' | '\''
            )
        });
        let at = start + chunk.find(bare).unwrap_or(0);
        start += chunk.len();
        let link = bare.contains("://")
            || bare.starts_with("www.")
            || bare.len() > 3 && bare.contains('@') && bare.contains('.');
        let portal = ground.setting.portal_url.trim_end_matches('/');
        if !link || bare.trim_end_matches('/') == portal {
            continue;
        }
        let said = address(bare);
        let standing = stand(ground, |value| {
            value
                .split(|c: char| c.is_whitespace() || c == ',')
                .any(|known| address(known) == said)
        });
        found.push(Statement {
            span: at..at + bare.len(),
            category: Category::UngroundedContact,
            standing,
        });
    }
}

/// A web or mail address without scheme, "www." and final slash.
fn address(text: &str) -> SmallVec<[u8; 64]> {
    let mut low = SmallVec::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        let mut buffer = [0; 4];
        low.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
    let mut start = 0;
    for lead in [&b"https://"[..], b"http://", b"www."] {
        while low.get(start..).is_some_and(|rest| rest.starts_with(lead)) {
            start += lead.len();
        }
    }
    low.drain(..start);
    while low
        .last()
        .is_some_and(|byte| matches!(byte, b'/' | b'.' | b','))
    {
        low.pop();
    }
    low
}
