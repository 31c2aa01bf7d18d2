//! People, places and prices of a draft against the facts.

use std::ops::Range;

use crate::guardrail::finding::Category;
use crate::guardrail::ground::Ground;
use crate::guardrail::ground::Standing;
use crate::guardrail::ground::Statement;
use crate::guardrail::ground::names::month;
use crate::guardrail::ground::names::weekday;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::fold_text;
use crate::guardrail::setting::Fact;

const TITLES: &[&str] = &[
    "dr",
    "dra",
    "doctor",
    "doctora",
    "nurse",
    "enfermera",
    "enfermero",
    "prof",
];
const NOT_NAMES: &[&str] = &[
    "will", "can", "is", "has", "wants", "would", "should", "may", "said", "on", "office", "visit",
    "call",
];

/// Whether every name in `said` is a word of `value`.
fn names_in(said: &[&str], value: &str) -> bool {
    let folded = fold_text(value);
    let mut words = folded
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|w| !w.is_empty());
    let known: Vec<&str> = words.by_ref().collect();
    !said.is_empty() && said.iter().all(|name| known.contains(name))
}

fn is_provider(fact: &Fact<'_>) -> bool {
    fact.field.starts_with("provider.")
        || fact.field.starts_with("appointment.") && fact.field.contains("provider")
}

/// The title of a provider, and the name to go on with, from a fact's value.
fn short_name(value: &str) -> Option<String> {
    let name = value.split(',').next()?;
    let mut words = name
        .split_whitespace()
        .filter(|word| !TITLES.contains(&fold_text(word).trim_end_matches('.')));
    words.by_ref().last().map(str::to_owned)
}

/// "Dr. Reyes", "la doctora Reyes": whom the draft names by title.
pub(crate) fn people(ground: &Ground<'_>) -> Vec<Statement> {
    let view = ground.view;
    let mut found = Vec::new();
    for i in 0..view.tokens.len() {
        if !TITLES.contains(&view.word(i)) {
            continue;
        }
        let first = i + 1 + usize::from(view.word(i + 1) == ".");
        let mut last = first;
        while last < first + 3
            && view.kind(last) == Some(Kind::Word)
            && view.capital(last)
            && !NOT_NAMES.contains(&view.word(last))
            && (last == first || weekday(view, last).is_none() && month(view, last).is_none())
        {
            last += 1;
            let initial = view.word(last) == "." && view.word(last - 1).len() == 1;
            if (view.word(last) == "-" || initial) && view.capital(last + 1) {
                last += 1;
            }
        }
        if last == first {
            continue;
        }
        let said: Vec<&str> = (first..last)
            .filter(|index| view.kind(*index) == Some(Kind::Word))
            .map(|index| view.word(index))
            .map(|word| word.trim_end_matches("'s").trim_end_matches('\''))
            .filter(|word| word.len() > 1)
            .collect();
        let mut name = view.reach(first, last - 1);
        let bare = view
            .slice(&name)
            .trim_end_matches("'s")
            .trim_end_matches('\'')
            .len();
        name.end = name.start + bare;
        let span = view.span(&(view.reach(i, i).start..name.end));
        let standing = person(ground, &said, &name);
        found.push(Statement {
            span,
            category: Category::UngroundedPerson,
            standing,
        });
    }
    found
}

fn person(ground: &Ground<'_>, said: &[&str], name: &Range<usize>) -> Standing {
    let facts = ground.setting.facts;
    if let Some(fact) = facts
        .iter()
        .find(|fact| is_provider(fact) && names_in(said, fact.value))
    {
        return Standing::Backed(fact.field.to_owned());
    }
    let public = facts
        .iter()
        .any(|fact| (fact.field.starts_with("practice.")) && names_in(said, fact.value));
    if public || names_in(said, ground.setting.practice_name) {
        return Standing::Open;
    }
    if ground.sourced() {
        return Standing::Backed("provider.name".to_owned());
    }
    let context = ground.context(name.start);
    if context.own_words {
        return Standing::Open;
    }
    let mut providers = facts.iter().filter(|fact| is_provider(fact));
    let Some(only) = providers.next() else {
        return Standing::Unbacked;
    };
    if providers.any(|other| short_name(other.value) != short_name(only.value)) || !context.personal
    {
        return Standing::Unbacked;
    }
    match short_name(only.value) {
        Some(right) => Standing::Corrected(vec![(ground.view.span(name), right)]),
        None => Standing::Unbacked,
    }
}

const PLACES: &[&str] = &[
    "suite",
    "ste",
    "room",
    "floor",
    "building",
    "bldg",
    "piso",
    "sala",
    "edificio",
    "consultorio",
    "unit",
];
const STREETS: &[&str] = &[
    "street",
    "st",
    "avenue",
    "ave",
    "road",
    "rd",
    "boulevard",
    "blvd",
    "lane",
    "ln",
    "drive",
    "way",
    "parkway",
    "pkwy",
    "highway",
    "hwy",
    "plaza",
    "court",
    "ct",
];
const SITES: &[&str] = &[
    "hospital", "campus", "center", "clinic", "pavilion", "annex", "tower",
];

fn fits(said: &str, value: &str) -> bool {
    let folded = fold_text(value);
    let plain = |text: &str| -> Vec<String> {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty());
        words.map(|word| street(word).to_owned()).collect()
    };
    let known = plain(&folded);
    let words = plain(said);
    !words.is_empty() && words.iter().all(|word| known.contains(word))
}

/// One spelling for the kinds of street.
fn street(word: &str) -> &str {
    match word {
        "street" => "st",
        "avenue" => "ave",
        "road" => "rd",
        "boulevard" => "blvd",
        "lane" => "ln",
        "drive" => "dr",
        "suite" => "ste",
        "building" => "bldg",
        "second" => "2nd",
        "first" => "1st",
        "third" => "3rd",
        other => other,
    }
}

/// Addresses, rooms and named sites.
pub(crate) fn places(ground: &Ground<'_>) -> Vec<Statement> {
    if ground.sourced() {
        return Vec::new();
    }
    let view = ground.view;
    let mut found = Vec::new();
    let mut next = 0;
    for i in 0..view.tokens.len() {
        if i < next {
            continue;
        }
        let Some((first, last)) = place(ground, i) else {
            continue;
        };
        let at = view.reach(first, last);
        next = last + 1;
        found.push(Statement {
            span: view.span(&at),
            category: Category::UngroundedPlace,
            standing: locate(ground, view.slice(&at)),
        });
    }
    found
}

fn place(ground: &Ground<'_>, i: usize) -> Option<(usize, usize)> {
    let view = ground.view;
    if PLACES.contains(&view.word(i)) && view.kind(i + 1) == Some(Kind::Number) {
        return Some((i, i + 1));
    }
    if view.kind(i) == Some(Kind::Number) && view.word(i).len() <= 5 {
        let words = (i + 1..i + 5)
            .take_while(|index| view.capital(*index) && view.kind(*index) == Some(Kind::Word));
        let street = words
            .filter(|index| STREETS.contains(&view.word(*index)))
            .last()?;
        return (street > i + 1).then_some((i, street));
    }
    // "at Mercy Hospital", "in the East Tower".
    if !SITES.contains(&view.word(i)) || !view.capital(i) {
        return None;
    }
    let mut first = i;
    while first > 0
        && i - first < 4
        && view.capital(first - 1)
        && view.kind(first - 1) == Some(Kind::Word)
    {
        first -= 1;
    }
    let lead = view.word_before(first, 1);
    let led = matches!(lead, "at" | "to" | "in" | "the" | "en" | "el" | "al");
    (first < i && led).then_some((first, i))
}

fn locate(ground: &Ground<'_>, said: &str) -> Standing {
    let facts = ground.setting.facts;
    let by = |space: &str| {
        facts
            .iter()
            .find(|fact| fact.field.starts_with(space) && fits(said, fact.value))
    };
    if by("practice.").is_some() || fits(said, ground.setting.practice_name) {
        return Standing::Open;
    }
    match by("appointment.").or_else(|| facts.iter().find(|fact| fits(said, fact.value))) {
        Some(fact) => Standing::Backed(fact.field.to_owned()),
        None => Standing::Unbacked,
    }
}

/// Amounts of money.
pub(crate) fn prices(ground: &Ground<'_>) -> Vec<Statement> {
    let view = ground.view;
    let mut found = Vec::new();
    for i in 0..view.tokens.len() {
        if view.kind(i) != Some(Kind::Number) {
            continue;
        }
        let signed = view.word_before(i, 1) == "$";
        let cents = matches!(view.word(i + 1), "." | ",")
            && view.kind(i + 2) == Some(Kind::Number)
            && view.reach(i, i + 2).len() == view.word(i).len() + 1 + view.word(i + 2).len();
        let last = if cents { i + 2 } else { i };
        if !signed && !matches!(view.word(last + 1), "dollars" | "dolares" | "usd") {
            continue;
        }
        let digits = view.slice(&view.reach(i, last)).to_owned();
        let number = money(&digits);
        let facts = ground.setting.facts.iter();
        let backing = facts
            .filter(|fact| is_price(fact) && amounts(fact.value).contains(&number))
            .min_by_key(|fact| !fact.field.starts_with("practice."));
        let standing = match backing {
            Some(fact) if fact.field.starts_with("practice.") => Standing::Open,
            Some(fact) => Standing::Backed(fact.field.to_owned()),
            None if ground.sourced() => Standing::Backed("billing.amount".to_owned()),
            None if ground.context(view.reach(i, i).start).own_words => Standing::Open,
            None => Standing::Unbacked,
        };
        let first = if signed { i - 1 } else { i };
        let span = view.span(&view.reach(first, last));
        found.push(Statement {
            span,
            category: Category::UngroundedClaim,
            standing,
        });
    }
    found
}

/// Whether a fact is about money; "15:30" and "1200 Lake Avenue" are not.
fn is_price(fact: &Fact<'_>) -> bool {
    let value = fact.value;
    fact.field.starts_with("billing.")
        || fact.field.starts_with("insurance.")
        || value.contains('$')
        || value.contains("dollar")
        || value.contains("dólar")
        || ["price", "fee", "cost", "copay"]
            .iter()
            .any(|word| fact.field.contains(word))
}

/// An amount as cents, so that "45", "45.00" and "1,045.00" compare.
fn money(text: &str) -> u64 {
    let bare: String = text.chars().filter(|c| *c != ',').collect();
    let (whole, cents) = bare.split_once('.').unwrap_or((&bare, ""));
    let cents: u64 = match cents.len() {
        2 => cents.parse().unwrap_or(0),
        _ => 0,
    };
    whole
        .parse::<u64>()
        .unwrap_or(u64::MAX / 200)
        .saturating_mul(100)
        .saturating_add(cents)
}

fn amounts(value: &str) -> Vec<u64> {
    let pieces = value.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
    pieces
        .map(|p| p.trim_matches(['.', ',']))
        .filter(|p| !p.is_empty())
        .map(money)
        .collect()
}

/// Numbers anybody may be told: emergencies, crisis, poison control.
const PUBLIC_NUMBERS: &[&str] = &["8002221222", "18002221222", "8002738255", "18002738255"];

/// The digits of a phone number without the country's.
fn national(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest.to_owned(),
        _ => digits,
    }
}

/// Whether the digits of `number` stand in a value.
fn holds_number(value: &str, number: &str) -> bool {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    digits.len() >= number.len() && digits.contains(number)
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
pub(crate) fn contacts(ground: &Ground<'_>) -> Vec<Statement> {
    let view = ground.view;
    let mut found = Vec::new();
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
        let standing = if PUBLIC_NUMBERS.contains(&number.as_str())
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
    links(ground, &mut found);
    found
}

/// How a contact stands to the facts.
fn stand(ground: &Ground<'_>, fits: impl Fn(&str) -> bool) -> Standing {
    let facts = ground.setting.facts.iter().filter(|fact| fits(fact.value));
    match facts.min_by_key(|fact| !fact.field.starts_with("practice.")) {
        Some(fact) if fact.field.starts_with("practice.") => Standing::Open,
        Some(fact) => Standing::Backed(fact.field.to_owned()),
        None if ground.sourced() => Standing::Backed("identifier.contact".to_owned()),
        None => Standing::Unbacked,
    }
}

fn links(ground: &Ground<'_>, found: &mut Vec<Statement>) {
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
fn address(text: &str) -> String {
    let low = text.to_lowercase();
    let bare = low
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_start_matches("www.");
    bare.trim_end_matches(['/', '.', ',']).to_owned()
}
