//! Facts in a draft against the facts given: dates, times, people, places, prices.
//!
//! What the record bears out is kept and named after its field; what it contradicts is replaced
//! where exactly one fact fits; what it does not know holds the draft.

mod contact;
mod day;
pub(crate) mod fold;
mod hour;
pub(crate) mod instant;
mod length;
mod names;
mod past;
mod table;
pub(crate) mod view;
pub(crate) mod when;
pub(crate) mod who;

use std::ops::Range;

use jiff::tz::TimeZone;
use smallvec::SmallVec;

use crate::guardrail::conduct::Context;
use crate::guardrail::finding::Category;
use crate::guardrail::ground::fold::Values;
use crate::guardrail::ground::instant::Differs;
use crate::guardrail::ground::instant::Instant;
use crate::guardrail::ground::past::long_past;
use crate::guardrail::ground::view::View;
use crate::guardrail::ground::when::Day;
use crate::guardrail::ground::when::Hour;
use crate::guardrail::ground::when::Moment;
use crate::guardrail::ground::when::Present;
use crate::guardrail::scratch::renew;
use crate::guardrail::setting::Author;
use crate::guardrail::setting::Fact;
use crate::guardrail::setting::Setting;
use crate::policy::words::Language;

/// How a statement stands to the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing<'a> {
    /// A fact bears it out; this is its field.
    Backed(&'a str),
    /// The practice's public words, the patient's own, or no statement at all.
    Open,
    /// The facts say otherwise, and this is how: places in the text as given, and their words.
    Corrected(Vec<(Range<usize>, String)>),
    /// No fact knows it.
    Unbacked,
}

/// One statement of a draft.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'a> {
    /// Its place in the text as given.
    pub(crate) span: Range<usize>,
    /// What it would be called if no fact backed it.
    pub(crate) category: Category,
    /// How it stands.
    pub(crate) standing: Standing<'a>,
}

/// What every part of grounding looks at.
pub(crate) struct Ground<'a> {
    /// The draft.
    pub(crate) view: &'a View<'a>,
    /// The setting of the review.
    pub(crate) setting: &'a Setting<'a>,
    /// What each sentence is about.
    pub(crate) contexts: &'a [Context],
    /// The facts, folded.
    pub(crate) values: &'a Values<'a>,
    /// The practice's time zone.
    pub(crate) zone: &'a TimeZone,
}

impl<'a> Ground<'a> {
    /// What the sentence around a place of the folded text is about.
    pub(crate) fn context(&self, at: usize) -> Context {
        self.contexts
            .get(self.view.sentence_of(at))
            .copied()
            .unwrap_or_default()
    }

    /// Staff are a source themselves; an approved text was grounded when it was approved.
    pub(crate) fn sourced(&self) -> bool {
        self.setting.author != Author::Agent
    }

    /// The practice's public facts.
    pub(crate) fn public(&self) -> impl Iterator<Item = &'a Fact<'a>> {
        self.setting
            .facts
            .iter()
            .filter(|fact| fact.field.starts_with("practice."))
    }
}

/// The memory of grounding.
#[derive(Debug, Default)]
pub(crate) struct Room {
    moments: Vec<Moment>,
    known: Vec<Moment>,
    instants: Vec<Instant<'static>>,
    fact: view::Room,
}

/// Every statement of the draft, behind what `statements` holds already.
pub(crate) fn statements<'a>(
    ground: &Ground<'a>,
    room: &mut Room,
    statements: &mut Vec<Statement<'a>>,
) {
    moments(ground, room, statements);
    length::lengths(ground, statements);
    length::zones(ground, statements);
    who::people(ground, statements);
    who::places(ground, statements);
    who::prices(ground, statements);
    contact::contacts(ground, statements);
}

fn moments<'a>(ground: &Ground<'a>, room: &mut Room, statements: &mut Vec<Statement<'a>>) {
    let present = Present {
        now: ground.zone.to_datetime(ground.setting.now),
    };
    let Room {
        moments,
        known,
        instants: instant_room,
        fact,
    } = room;
    moments.clear();
    when::moments(ground.view, present, moments);
    if moments.is_empty() {
        return;
    }
    let mut instants: Vec<Instant<'a>> = renew(std::mem::take(instant_room));
    instants.extend(instant::instants(ground.setting.facts, ground.zone));
    let mut licence = Licence {
        ground,
        present,
        read: false,
        known,
        fact,
    };
    let mut borne: SmallVec<[usize; 8]> = SmallVec::new();
    let mut open: SmallVec<[(&Moment, usize); 8]> = SmallVec::new();
    for moment in &*moments {
        let standing = match backing(moment, &instants, ground) {
            Some(at) => {
                borne.push(at);
                let field = instants.get(at).map_or("identifier.date", |it| it.field);
                Standing::Backed(field)
            }
            // A date long past is somebody's birthday or history, not a visit: private, not wrong, and no
            // day of the office hours either.
            None if long_past(moment, present) => Standing::Backed("identifier.date"),
            None if licence.allows(moment) => Standing::Open,
            None if ground.setting.author == Author::Staff => {
                Standing::Backed("appointment.stated")
            }
            None if ground.sourced() => Standing::Open,
            None => {
                open.push((moment, statements.len()));
                Standing::Unbacked
            }
        };
        let category = match (&moment.day, &moment.weekday, &moment.weekdays) {
            (None, None, None) => Category::UngroundedTime,
            _ => Category::UngroundedDate,
        };
        statements.push(Statement {
            span: ground.view.span(&moment.at),
            category,
            standing,
        });
    }
    // One wrong moment and one fact it can only mean: say the fact. Two of either: ask a person.
    if let [(moment, index)] = open.as_slice()
        && !ground.is_past(moment.at.start)
        && let Some(target) = only_target(&instants, &borne)
        && let Some(words) = correction(ground, moment, target)
        && let Some(statement) = statements.get_mut(*index)
    {
        statement.standing = Standing::Corrected(words);
    }
    *instant_room = renew(instants);
}

/// The place of the instant that bears a moment out; visits before other dates of the record.
fn backing(moment: &Moment, instants: &[Instant<'_>], ground: &Ground<'_>) -> Option<usize> {
    if moment.soft && !ground.context(moment.at.start).personal {
        return None;
    }
    // A birthday or a laboratory date is meant only by a date, not by "Wednesday" or "at 3".
    let dated = matches!(
        &moment.day,
        Some((Day::Partial { month: Some(_), .. } | Day::On(_), _))
    );
    let agreeing = instants.iter().enumerate().filter(|(_, instant)| {
        let visit =
            instant.field.starts_with("appointment.") || instant.field.starts_with("practice.");
        (visit || dated) && instant::compare(moment, instant).nowhere()
    });
    let rank = |(_, instant): &(usize, &Instant<'_>)| match instant.field {
        field if field.starts_with("practice.") => 1,
        field if field.starts_with("appointment.") => 0,
        _ => 2,
    };
    agreeing.min_by_key(rank).map(|(at, _)| at)
}

fn only_target<'i, 'f>(instants: &'i [Instant<'f>], borne: &[usize]) -> Option<&'i Instant<'f>> {
    let mut visits = instants.iter().filter(|instant| {
        instant.field == "appointment.start" || instant.field == "appointment.offered_slot"
    });
    let first = visits.next()?;
    let same = |other: &Instant<'_>| other.date == first.date && other.time == first.time;
    let mut told = borne.iter().filter_map(|at| instants.get(*at));
    let single = visits.all(same) && !told.any(same);
    (single && first.time.is_some()).then_some(first)
}

fn correction(
    ground: &Ground<'_>,
    moment: &Moment,
    target: &Instant<'_>,
) -> Option<Vec<(Range<usize>, String)>> {
    if moment.inherits || moment.weekdays.is_some() || matches!(moment.day, Some((Day::Term, _))) {
        return None;
    }
    let context = ground.context(moment.at.start);
    if !context.personal || context.public || context.derived {
        return None;
    }
    // "Next opening is Monday": the visit that stands in the record is no opening.
    if target.field == "appointment.start" && names::speaks_of_openings(ground.view, &moment.at) {
        return None;
    }
    let language = spoken(ground, &moment.at);
    let Differs { weekday, day, hour } = instant::compare(moment, target);
    let view = ground.view;
    let mut words = Vec::new();
    if let Some((_, at)) = moment.weekday.as_ref().filter(|_| weekday) {
        let span = view.span(at);
        let written = view.text.get(span.clone())?;
        let short = written.trim_end_matches('.').chars().count() <= 4;
        let capital = written.chars().next().is_some_and(char::is_uppercase);
        words.push((
            span,
            instant::weekday_words(target.date.weekday(), language, short, capital),
        ));
    }
    if let Some((_, at)) = moment.day.as_ref().filter(|_| day) {
        let span = view.span(at);
        let written = view.text.get(span.clone())?;
        // "next week on Wednesday" has no date to put right beside its weekday.
        if moment.weekday.is_some() && !written.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let text = instant::date_words(target.date, written, language);
        words.push((without_article(view.text, span, &text), text));
    }
    if let Some((stated, at)) = moment.hour.as_ref().filter(|_| hour) {
        if matches!(stated, Hour::Between(..)) {
            return None;
        }
        let mut span = view.span(at);
        let time = target.time?;
        let mut text = instant::time_words(time, view.text.get(span.clone())?);
        // "a las 3" but "a la 1".
        let before = view.text.get(..span.start)?;
        for (article, fits) in [
            ("las ", time.hour() % 12 != 1),
            ("la ", time.hour() % 12 == 1),
        ] {
            if before.ends_with(article) {
                span.start -= article.len();
                let right = if fits {
                    article
                } else if article == "la " {
                    "las "
                } else {
                    "la "
                };
                text.insert_str(0, right);
                break;
            }
        }
        words.push((span, text));
    }
    Some(words)
}

/// "the 12th" becomes "December 2", without its article.
fn without_article(text: &str, span: Range<usize>, words: &str) -> Range<usize> {
    let before = text.get(..span.start).unwrap_or_default();
    let named = words.starts_with(|first: char| first.is_ascii_alphabetic());
    let article = before.to_ascii_lowercase().ends_with("the ");
    let start = if named && article {
        span.start - "the ".len()
    } else {
        span.start
    };
    start..span.end
}

/// The language of the words around a place: the setting's, unless the draft is in the other.
fn spoken(ground: &Ground<'_>, at: &Range<usize>) -> Language {
    let sentence = ground.view.sentences.get(ground.view.sentence_of(at.start));
    let text = sentence.map_or("", |range| ground.view.slice(range));
    let spanish = text
        .split(' ')
        .filter(|w| {
            matches!(
                *w,
                "su" | "el" | "la" | "las" | "es" | "con" | "cita" | "de"
            )
        })
        .count();
    let english = text
        .split(' ')
        .filter(|w| {
            matches!(
                *w,
                "your" | "the" | "is" | "at" | "on" | "with" | "you" | "for"
            )
        })
        .count();
    match spanish.cmp(&english) {
        std::cmp::Ordering::Greater => Language::Es,
        std::cmp::Ordering::Less => Language::En,
        std::cmp::Ordering::Equal => ground.setting.language,
    }
}

/// What the practice's public facts license; they are read only when a draft needs them.
struct Licence<'g, 'a> {
    ground: &'g Ground<'a>,
    present: Present,
    read: bool,
    known: &'g mut Vec<Moment>,
    fact: &'g mut view::Room,
}

impl Licence<'_, '_> {
    fn allows(&mut self, moment: &Moment) -> bool {
        let context = self.ground.context(moment.at.start);
        if context.own_words || context.negative {
            return true;
        }
        if moment.soft && !context.personal && !context.public {
            return true;
        }
        if let Some((Day::Term, at)) = &moment.day {
            let said = self.ground.view.slice(at);
            let mut values = self.ground.values.iter();
            return values
                .any(|(fact, value)| fact.field.starts_with("practice.") && value.contains(said));
        }
        if context.personal && !context.public {
            return false;
        }
        if !self.read {
            self.read = true;
            self.known.clear();
            for fact in self.ground.public() {
                // An instant is held against the draft as such; "-08:00" of it is no opening hour.
                if instant::is_one(fact.value) {
                    continue;
                }
                let view = View::within(fact.value, &[], self.fact);
                when::moments(&view, self.present, self.known);
                view.leave(self.fact);
            }
        }
        licensed(moment, self.known, context)
    }
}

fn licensed(moment: &Moment, known: &[Moment], context: Context) -> bool {
    let weekdays = |day| {
        known.iter().any(|known| {
            known
                .weekday
                .as_ref()
                .is_some_and(|(other, _)| *other == day)
                || known
                    .weekdays
                    .as_ref()
                    .is_some_and(|(days, _)| days.contains(day))
        })
    };
    // A weekday beside a date is not one of the opening days.
    let regular = known
        .iter()
        .any(|known| known.day.is_none() && (known.weekday.is_some() || known.weekdays.is_some()));
    let day_known = match &moment.day {
        None => true,
        Some((day, _)) => {
            let named = known.iter().any(|known| match (&known.day, day) {
                (Some((Day::On(date) | Day::Either(date, _), _)), day) => day.agrees(*date),
                (Some((Day::Partial { .. }, _)), Day::Partial { .. }) => known
                    .day
                    .as_ref()
                    .is_some_and(|(other, _)| same_partial(other, day)),
                (Some((other, _)), Day::On(date)) => other.agrees(*date),
                _ => false,
            });
            let by_week = match day {
                Day::On(date) => regular && (weekdays(date.weekday()) || context.closed),
                Day::Either(..) | Day::Span(..) | Day::Partial { .. } | Day::Term => false,
            };
            named || by_week
        }
    };
    let weekday_known = moment.weekday.as_ref().is_none_or(|(day, _)| {
        weekdays(*day) || context.closed && regular || moment.day.is_some() && day_known
    });
    let weekdays_known = moment
        .weekdays
        .as_ref()
        .is_none_or(|(days, _)| days.all(weekdays) || context.closed && regular);
    // "Until 8" is not borne out by a day that begins at 8.
    let closing = |known: &Moment| known.inherits || known.ends;
    let ending = moment.ends && known.iter().any(closing);
    let hour_known = moment.hour.as_ref().is_none_or(|(hour, _)| {
        known
            .iter()
            .filter(|known| !ending || closing(known))
            .filter_map(|known| known.hour.as_ref())
            .any(|(other, _)| same_hour(*hour, *other))
    });
    day_known && weekday_known && weekdays_known && hour_known
}

fn same_partial(left: &Day, right: &Day) -> bool {
    match (left, right) {
        (
            Day::Partial {
                year, month, day, ..
            },
            Day::Partial {
                year: other_year,
                month: other_month,
                day: other_day,
                ..
            },
        ) => {
            month == other_month
                && day == other_day
                && (other_year.is_none() || year.is_none() || year == other_year)
        }
        _ => false,
    }
}

fn same_hour(left: Hour, right: Hour) -> bool {
    match (left, right) {
        (
            Hour::At {
                hour,
                minute,
                twelve,
            },
            Hour::At {
                hour: other,
                minute: other_minute,
                twelve: other_twelve,
            },
        ) => {
            let loose = twelve || other_twelve;
            minute == other_minute && (hour == other || loose && hour % 12 == other % 12)
        }
        (Hour::Between(..), _) => true,
        (Hour::At { .. }, Hour::Between(..)) => false,
    }
}
