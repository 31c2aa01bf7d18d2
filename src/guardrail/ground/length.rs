//! How long a visit lasts, and in which zone its hour is told.

use std::ops::Range;

use jiff::Timestamp;

use crate::guardrail::finding::Category;
use crate::guardrail::ground::Ground;
use crate::guardrail::ground::Standing;
use crate::guardrail::ground::Statement;
use crate::guardrail::ground::names::NUMBERS;
use crate::guardrail::ground::names::small;
use crate::guardrail::ground::table::Table;
use crate::guardrail::ground::table::words;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;
use crate::policy::words::Language;

static LASTS: Table<()> = words![
    "last", "lasts", "take", "takes", "dura", "durara", "tomara", "toma",
];
static ABOUT: Table<()> = words![
    "about",
    "around",
    "for",
    "approximately",
    "roughly",
    "unos",
    "unas",
    "cerca",
    "de",
    "como",
    "alrededor",
    "only",
    "solo",
];

/// Minutes of a unit.
fn unit(word: &str) -> Option<i64> {
    match word {
        "minute" | "minutes" | "min" | "mins" | "minuto" | "minutos" => Some(1),
        "hour" | "hours" | "hr" | "hrs" | "hora" | "horas" => Some(60),
        _ => None,
    }
}

/// "The visit lasts 30 minutes": the length is that of the record.
pub(super) fn lengths<'a>(ground: &Ground<'a>, found: &mut Vec<Statement<'a>>) {
    let view = ground.view;
    for at in 0..view.tokens.len() {
        if !LASTS.has(view.word(at)) {
            continue;
        }
        let number = (at + 1..at + 4).find(|next| !ABOUT.has(view.word(*next)));
        let Some(number) = number else { continue };
        let stated = small(view, number).or_else(|| NUMBERS.get(view.word(number)));
        let counted = !matches!(view.word(number), "a" | "an" | "un" | "una");
        let days =
            number + 1 + usize::from(matches!(view.word(number + 1), "business" | "working"));
        if stated.is_some() && counted && is_days(view.word(days)) && !ground.sourced() {
            found.push(Statement {
                span: view.span(&view.reach(number, days)),
                category: Category::UngroundedTime,
                standing: told_publicly(ground, &view.reach(number, days)),
            });
            continue;
        }
        let Some((stated, minutes)) = stated.zip(unit(view.word(number + 1))) else {
            continue;
        };
        let here = view.reach(number, number + 1);
        if ground.sourced() || !of_visit(ground, at) {
            continue;
        }
        found.push(Statement {
            span: view.span(&here),
            category: Category::UngroundedTime,
            standing: length(ground, i64::from(stated) * minutes, &here),
        });
    }
}

fn is_days(word: &str) -> bool {
    matches!(
        word,
        "day" | "days" | "week" | "weeks" | "dia" | "dias" | "semana" | "semanas"
    )
}

/// "Results take 3 days": as the practice tells everybody, or not at all.
fn told_publicly<'a>(ground: &Ground<'a>, here: &Range<usize>) -> Standing<'a> {
    let context = ground.context(here.start);
    let said = ground.view.slice(here);
    let mut facts = ground.values.iter();
    let public =
        facts.find(|(fact, folded)| fact.field.starts_with("practice.") && folded.contains(said));
    match public {
        Some((fact, _)) => Standing::Backed(fact.field),
        None if context.own_words || context.negative => Standing::Open,
        None => Standing::Unbacked,
    }
}

/// Does the sentence speak of this person's visit before the verb?
fn of_visit(ground: &Ground<'_>, at: usize) -> bool {
    let view = ground.view;
    let sentence = view.sentence_of(view.reach(at, at).start);
    let mut before = (0..at)
        .rev()
        .take_while(|it| view.sentence_of(view.reach(*it, *it).start) == sentence);
    before.any(|it| {
        let noun = matches!(
            view.word(it),
            "visit" | "appointment" | "appt" | "cita" | "consulta" | "visita"
        );
        noun && it
            .checked_sub(1)
            .is_some_and(|owner| matches!(view.word(owner), "your" | "the" | "su" | "la" | "this"))
    })
}

fn length<'a>(ground: &Ground<'a>, minutes: i64, here: &Range<usize>) -> Standing<'a> {
    let view = ground.view;
    let said = view.slice(here);
    let public = ground.values.iter().find(|(fact, folded)| {
        (fact.field.starts_with("practice.") || fact.field == "appointment.duration")
            && folded.contains(said)
    });
    if let Some((fact, _)) = public {
        return Standing::Backed(fact.field);
    }
    let instant = |name: &str| {
        let fact = ground.setting.facts.iter().find(|fact| fact.field == name);
        fact.and_then(|fact| fact.value.parse::<Timestamp>().ok())
    };
    let known = instant("appointment.start")
        .zip(instant("appointment.end"))
        .map(|(start, end)| (end.as_second() - start.as_second()) / 60)
        .filter(|known| (1..=600).contains(known));
    match known {
        Some(known) if known == minutes => Standing::Backed("appointment.end"),
        Some(known) => {
            let unit = match ground.setting.language {
                Language::En => "minutes",
                Language::Es => "minutos",
            };
            Standing::Corrected(vec![(view.span(here), format!("{known} {unit}"))])
        }
        None => Standing::Unbacked,
    }
}

/// The letter by which the zones of the United States are told.
fn zone(word: &str) -> Option<char> {
    Some(match word {
        "eastern" | "est" | "edt" | "et" | "este" => 'e',
        "central" | "cst" | "cdt" | "ct" | "centro" => 'c',
        "mountain" | "mst" | "mdt" | "mt" | "montana" => 'm',
        "pacific" | "pst" | "pdt" | "pt" | "pacifico" => 'p',
        _ => return None,
    })
}

/// "3 PM Eastern" of a practice in California.
pub(super) fn zones<'a>(ground: &Ground<'a>, found: &mut Vec<Statement<'a>>) {
    let view = ground.view;
    for at in 1..view.tokens.len() {
        let Some(told) = zone(view.word(at)).filter(|_| follows_hour(view, at)) else {
            continue;
        };
        let info = ground.zone.to_offset_info(ground.setting.now);
        let own = info.abbreviation().chars().next();
        if ground.sourced() || own.is_some_and(|own| own.eq_ignore_ascii_case(&told)) {
            continue;
        }
        found.push(Statement {
            span: view.span(&view.reach(at, at)),
            category: Category::UngroundedTime,
            standing: Standing::Unbacked,
        });
    }
}

/// Right behind an hour, or as `hora del este`.
fn follows_hour(view: &View<'_>, at: usize) -> bool {
    let next = view.kind(at + 1) == Some(Kind::Word) && view.capital(at + 1);
    let before = view.word(at - 1);
    let spanish = matches!(before, "del") && at > 1 && view.word(at - 2) == "hora";
    let dotted = before == "." && at > 2 && matches!(view.word(at - 2), "m");
    let clock = matches!(before, "am" | "pm" | "o'clock" | "noon" | "midnight") || dotted;
    let bare = view.kind(at - 1) == Some(Kind::Number) && view.capital(at);
    spanish || !next && (clock || bare)
}
