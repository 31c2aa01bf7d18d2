//! People, places and prices of a draft against the facts.

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::finding::Category;
use crate::guardrail::ground::Ground;
use crate::guardrail::ground::Standing;
use crate::guardrail::ground::Statement;
use crate::guardrail::ground::fold;
use crate::guardrail::ground::fold::Folded;
use crate::guardrail::ground::names::NUMBERS;
use crate::guardrail::ground::names::month;
use crate::guardrail::ground::names::weekday;
use crate::guardrail::ground::table::Table;
use crate::guardrail::ground::table::words;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;
use crate::guardrail::setting::Fact;

static TITLES: Table<()> = words![
    "dr",
    "dra",
    "doctor",
    "doctora",
    "nurse",
    "enfermera",
    "enfermero",
    "prof",
];
static NOT_NAMES: Table<()> = words![
    "will", "can", "is", "has", "wants", "would", "should", "may", "said", "on", "office", "visit",
    "call",
];

/// Whether every name in `said` is a word of a folded value.
fn names_in(said: &[&str], folded: &str) -> bool {
    let known = || folded.split(|c: char| !c.is_alphanumeric() && c != '\'');
    !said.is_empty() && said.iter().all(|name| known().any(|word| word == *name))
}

fn is_provider(fact: &Fact<'_>) -> bool {
    fact.field.starts_with("provider.")
        || fact.field.starts_with("appointment.") && fact.field.contains("provider")
}

/// The name of a provider to go on with, from a fact's value: the last word that is no title.
fn short_name(value: &str) -> Option<&str> {
    let name = value.split(',').next()?;
    let mut words = name
        .split_whitespace()
        .filter(|word| !TITLES.has(Folded::of(word).trim_end_matches('.')));
    words.next_back()
}

/// "Dr. Reyes", "la doctora Reyes": whom the draft names by title.
pub(crate) fn people<'a>(ground: &Ground<'a>, found: &mut Vec<Statement<'a>>) {
    let view = ground.view;
    for i in 0..view.tokens.len() {
        if !TITLES.has(view.word(i)) {
            continue;
        }
        let first = i + 1 + usize::from(view.word(i + 1) == ".");
        let mut last = first;
        while last < first + 3
            && view.kind(last) == Some(Kind::Word)
            && view.capital(last)
            && !NOT_NAMES.has(view.word(last))
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
        let said: SmallVec<[&str; 4]> = (first..last)
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
        let doctor = matches!(view.word(i), "dr" | "dra" | "doctor" | "doctora");
        let standing = person(ground, &said, &name, doctor);
        found.push(Statement {
            span,
            category: Category::UngroundedPerson,
            standing,
        });
    }
}

fn person<'a>(
    ground: &Ground<'a>,
    said: &[&str],
    name: &Range<usize>,
    doctor: bool,
) -> Standing<'a> {
    let facts = ground.setting.facts;
    let mut values = ground.values.iter();
    if let Some((fact, _)) = values.find(|(fact, value)| is_provider(fact) && names_in(said, value))
    {
        return Standing::Backed(fact.field);
    }
    let public = ground
        .values
        .iter()
        .any(|(fact, value)| fact.field.starts_with("practice.") && names_in(said, value));
    if public || names_in(said, &Folded::of(ground.setting.practice_name)) {
        return Standing::Open;
    }
    if ground.sourced() {
        return Standing::Backed("provider.name");
    }
    let context = ground.context(name.start);
    if context.own_words {
        return Standing::Open;
    }
    let mut providers = facts.iter().filter(|fact| is_provider(fact));
    let Some(only) = providers.next() else {
        return Standing::Unbacked;
    };
    let several = providers.any(|other| short_name(other.value) != short_name(only.value));
    if several || !context.personal || ground.is_past(name.start) {
        return Standing::Unbacked;
    }
    match short_name(only.value) {
        // "Dr. Reyes's nurse Kim" is another person, and no slip for Dr. Reyes.
        Some(right) if doctor || !only.value.starts_with("Dr") => {
            Standing::Corrected(vec![(ground.view.span(name), right.to_owned())])
        }
        _ => Standing::Unbacked,
    }
}

static PLACES: Table<()> = words![
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
static STREETS: Table<()> = words![
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
static SITES: Table<()> = words![
    "hospital", "campus", "center", "clinic", "pavilion", "annex", "tower",
];

/// Whether every word of `said` is a word of a folded value, streets by any spelling.
fn fits(said: &str, folded: &str) -> bool {
    let known = |word: &str| fold::words(folded).any(|it| street(it) == street(word));
    fold::words(said).next().is_some() && fold::words(said).all(known)
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
pub(crate) fn places<'a>(ground: &Ground<'a>, found: &mut Vec<Statement<'a>>) {
    if ground.sourced() {
        return;
    }
    let view = ground.view;
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
}

fn place(ground: &Ground<'_>, i: usize) -> Option<(usize, usize)> {
    let view = ground.view;
    // "Suite 3", "Bldg B".
    let letter = view.word(i + 1).len() == 1 && view.capital(i + 1);
    if PLACES.has(view.word(i)) && (letter || view.kind(i + 1) == Some(Kind::Number)) {
        return Some((i, i + 1));
    }
    if view.kind(i) == Some(Kind::Number) && view.word(i).len() <= 5 {
        // "2511 W. Palo Verde Road": the stop of a letter is part of the name.
        let initial = |index: usize| view.word(index) == "." && view.word(index - 1).len() == 1;
        let named = |index: usize| view.capital(index) && view.kind(index) == Some(Kind::Word);
        let words = (i + 1..i + 6).take_while(|index| named(*index) || initial(*index));
        let street = words
            .filter(|index| STREETS.has(view.word(*index)))
            .last()?;
        return (street > i + 1).then_some((i, street));
    }
    // "at Mercy Hospital", "in the East Tower".
    if !SITES.has(view.word(i)) || !view.capital(i) {
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

fn locate<'a>(ground: &Ground<'a>, said: &str) -> Standing<'a> {
    let by = |space: &str| {
        let mut values = ground.values.iter();
        values.find(|(fact, value)| fact.field.starts_with(space) && fits(said, value))
    };
    if by("practice.").is_some() || fits(said, &Folded::of(ground.setting.practice_name)) {
        return Standing::Open;
    }
    match by("appointment.").or_else(|| by("")) {
        Some((fact, _)) => Standing::Backed(fact.field),
        None => Standing::Unbacked,
    }
}

/// Amounts of money.
pub(crate) fn prices<'a>(ground: &Ground<'a>, found: &mut Vec<Statement<'a>>) {
    let view = ground.view;
    for i in 0..view.tokens.len() {
        if matches!(view.word(i), "dollars" | "dolares" | "bucks")
            && let Some((first, number)) = worded(view, i)
        {
            let span = view.span(&view.reach(first, i));
            found.push(price(ground, number, span, i));
        }
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
        let number = money(view.slice(&view.reach(i, last)));
        let first = if signed { i - 1 } else { i };
        let span = view.span(&view.reach(first, last));
        found.push(price(ground, number, span, i));
    }
}

/// What stands behind an amount in cents.
fn price<'a>(ground: &Ground<'a>, number: u64, span: Range<usize>, token: usize) -> Statement<'a> {
    let facts = ground.setting.facts.iter();
    let backing = facts
        .filter(|fact| is_price(fact) && amounts(fact.value).any(|it| it == number))
        .min_by_key(|fact| !fact.field.starts_with("practice."));
    let place = ground.view.reach(token, token).start;
    let standing = match backing {
        Some(fact) if fact.field.starts_with("practice.") => Standing::Open,
        Some(fact) => Standing::Backed(fact.field),
        None if ground.sourced() => Standing::Backed("billing.amount"),
        None if ground.context(place).own_words => Standing::Open,
        None => Standing::Unbacked,
    };
    Statement {
        span,
        category: Category::UngroundedClaim,
        standing,
    }
}

/// The number in words before "dollars": where it begins, and how many cents it is.
fn worded(view: &View<'_>, end: usize) -> Option<(usize, u64)> {
    let value = |i: usize| {
        let word = view.word(i);
        let small = NUMBERS.get(word).and_then(|it| u64::try_from(it).ok());
        small.or_else(|| LARGE_NUMBERS.get(word))
    };
    let first = (0..end).rev().take_while(|i| value(*i).is_some()).last()?;
    let dollars = (first..end).filter_map(value).fold(0, |sum, it| match it {
        100 | 1000 => u64::max(sum, 1) * it,
        _ => sum + it,
    });
    Some((first, dollars * 100))
}

static LARGE_NUMBERS: Table<u64> = Table::new(&[
    ("fifteen", 15),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("hundred", 100),
    ("thousand", 1000),
    ("quince", 15),
    ("veinte", 20),
    ("treinta", 30),
    ("cuarenta", 40),
    ("cincuenta", 50),
    ("sesenta", 60),
    ("setenta", 70),
    ("ochenta", 80),
    ("noventa", 90),
    ("cien", 100),
    ("mil", 1000),
]);

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
    let bare: SmallVec<[u8; 24]> = text.bytes().filter(|byte| *byte != b',').collect();
    let bare = std::str::from_utf8(&bare).unwrap_or_default();
    let (whole, cents) = bare.split_once('.').unwrap_or((bare, ""));
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

fn amounts(value: &str) -> impl Iterator<Item = u64> {
    let pieces = value.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
    pieces
        .map(|p| p.trim_matches(['.', ',']))
        .filter(|p| !p.is_empty())
        .map(money)
}
