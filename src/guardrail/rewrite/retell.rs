//! What a sentence that cannot stand told of the coming visit, said anew from the record: nobody comes
//! on the wrong day because their condition stood beside the right one.

use std::ops::Range;

use jiff::civil::Date;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::guardrail::conduct::Rules;
use crate::guardrail::ground::instant;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge::Reading;
use crate::guardrail::setting::Fact;
use crate::guardrail::setting::Setting;
use crate::policy::words::Language;

const START: &str = "appointment.start";
const PROVIDER: &str = "appointment.provider";
const STATUS: &str = "appointment.status";
/// States in which a visit stands.
const STANDING: [&str; 4] = ["booked", "confirmed", "scheduled", "pending"];

/// The one coming visit of the record, as the patient may be told of it.
pub(super) struct Visit<'a> {
    when: (Date, Time),
    provider: Option<&'a str>,
    reading: &'a Reading,
}

impl<'a> Visit<'a> {
    /// Nothing where there are several, or where it is over or called off.
    pub(super) fn of(reading: &'a Reading, setting: &Setting<'a>, zone: &TimeZone) -> Option<Self> {
        let only = |field: &str| {
            let mut all = setting.facts.iter().filter(|fact| fact.field == field);
            let first: Option<&Fact<'a>> = all.next();
            first.filter(|_| all.next().is_none())
        };
        let stands = |fact: &Fact<'_>| STANDING.contains(&fact.value.trim());
        let called_off = setting.facts.iter().any(|fact| {
            fact.field == STATUS && !stands(fact) || fact.field.starts_with("receipt.")
        });
        let starts = [*only(START)?];
        let start = instant::instants(&starts, zone).next()?;
        let when = (start.date, start.time?);
        let at = when.0.to_datetime(when.1);
        if called_off || at <= zone.to_datetime(setting.now) {
            return None;
        }
        Some(Self {
            when,
            provider: only(PROVIDER).map(|fact| fact.value.trim()),
            reading,
        })
    }

    /// Does what is left of a sentence tell of it still?
    pub(super) fn is_told(&self, view: &View<'_>, sentence: &Range<usize>, left: &str) -> bool {
        let span = view.span(sentence);
        let told =
            self.reading.told.iter().filter(|(at, field)| {
                *field == START && span.start <= at.start && at.end <= span.end
            });
        let mut words = told.filter_map(|(at, _)| view.text.get(at.clone()));
        words.any(|words| left.contains(words))
    }

    /// What a sentence told of it, in a sentence of ours; nothing where the sentence asks, denies, or
    /// speaks of another day.
    pub(super) fn retell(
        &self,
        view: &View<'_>,
        rules: &Rules,
        sentence: &Range<usize>,
        language: Language,
    ) -> Option<String> {
        let span = view.span(sentence);
        let said = view.slice(sentence);
        let open = said.ends_with('?') || rules.phrases.unsettled.is_match(said);
        if open || !self.reading.tells(START, &span) {
            return None;
        }
        let texts = rules.texts(language);
        let (date, time) = self.when;
        let day = instant::weekday_words(date.weekday(), language, false, true);
        let day = match language {
            Language::En => format!("{day}, {}", instant::date_words(date, "March 1", language)),
            Language::Es => format!(
                "{} {}",
                day.to_lowercase(),
                instant::date_words(date, "1 de marzo", language)
            ),
        };
        let who = self
            .provider
            .filter(|_| self.reading.tells(PROVIDER, &span));
        let who = who.map_or_else(String::new, |name| texts.with.replace("{provider}", name));
        let at = if language == Language::Es && time.hour() % 12 == 1 {
            "la "
        } else if language == Language::Es {
            "las "
        } else {
            ""
        };
        let time = format!("{at}{}", instant::time_words(time, ""));
        let text = texts.retold.replace("{day}", &day);
        Some(text.replace("{time}", &time).replace("{with}", &who))
    }
}
