//! A plain word in place of one that tells too much: a visit, a provider.

use std::ops::Range;

use crate::guardrail::conduct::Rules;
use crate::guardrail::conduct::listed;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::rewrite::phrase::Mending;
use crate::policy::words::Language;

/// Verbs whose object is a thing and no visit: "bring your X-ray tomorrow".
const CARRIES: &[&str] = &[
    "bring", "take", "send", "drop", "upload", "share", "mail", "see", "traiga", "lleve", "recoja",
    "mande", "envie", "suba", "off",
];
/// Endings of what a practitioner is called.
const PRACTITIONERS: &[&str] = &[
    "ologist",
    "iatrist",
    "iatrician",
    "specialist",
    "surgeon",
    "therapist",
    "psychologist",
    "counselor",
    "dentist",
    "optometrist",
    "cardiologo",
    "ologo",
    "ologa",
    "iatra",
    "especialista",
    "cirujano",
    "cirujana",
    "terapeuta",
    "oncologo",
    "dentista",
    "consejero",
    "consejera",
];
/// What the visit itself is called.
const VISITS: &[&str] = &["visit", "appointment", "appt", "cita", "consulta", "visita"];
const SPANISH: &[&str] = &[
    "manana",
    "las",
    "el",
    "con",
    "su",
    "es",
    "cita",
    "recordatorio",
    "hoy",
    "dra",
    "tiene",
];

impl Mending<'_> {
    /// "Your colonoscopy is tomorrow" - called a visit, it tells as much as the patient needs.
    pub(super) fn visit(&mut self, a: usize, b: usize, rules: &Rules, event: bool) -> bool {
        let end = self.with_tail(self.noun_end(b));
        let mut start = a;
        while listed(&self.phrases.adjectives, self.before(start, 1)) {
            start -= 1;
        }
        let verb = matches!(
            self.word(end + 1),
            "is" | "es" | "sera" | "will" | "are" | "son"
        );
        let mut after = end + 1 + usize::from(verb);
        while verb
            && matches!(
                self.word(after),
                "both" | "all" | "now" | "still" | "ambos" | "ambas"
            )
        {
            after += 1;
        }
        let told = listed(&self.phrases.when, self.word(after)) && self.is_with_person(after)
            || !verb && self.view.kind(after) == Some(Kind::Number);
        let closes = matches!(self.word(end + 1), "" | "." | "!" | "," | "-");
        let Some(lead) = self.lead(start) else {
            return false;
        };
        let fits = told || closes && lead.labelled;
        // A visit is with nobody's visit, and on the day of no other.
        let with = matches!(self.before(lead.from, 1), "with" | "con");
        let again = with || self.tells_of_visit(lead.from, end);
        if !fits || !(event || verb && lead.subject) || again || self.carries(lead.from) {
            return false;
        }
        let mut noun = rules.texts(lead.language).visit.clone();
        let from = match lead.article {
            // "el ultrasonido", "un examen": the visit is feminine.
            Some((at, article)) => {
                noun = format!("{article} {noun}");
                at
            }
            None => start,
        };
        if self.is_shouted() {
            noun = noun.to_uppercase();
        }
        self.instead.push((from, noun));
        let taken = self.take(from, end);
        if matches!(self.word(end + 1), "are" | "son") {
            self.agree_behind(end);
        }
        taken
    }

    /// "Your cardiologist, Dr. Reyes": the provider is named or known; the field goes.
    pub(super) fn provider(&mut self, a: usize, b: usize, rules: &Rules) -> bool {
        let word = self.word(b);
        let called = PRACTITIONERS.iter().any(|end| word.ends_with(end));
        let language = match self.before(a, 1) {
            "your" | "the" | "a" | "an" | "our" => Language::En,
            "su" | "el" | "la" | "un" | "una" | "nuestro" | "nuestra" => Language::Es,
            _ => return false,
        };
        if !called {
            return false;
        }
        let feminine = word.ends_with("ologa") || word.ends_with("ana") || word.ends_with("era");
        let article = matches!(self.before(a, 1), "la" | "una" | "nuestra");
        let mut noun = rules.texts(language).provider.clone();
        if language == Language::Es && (feminine || article) {
            noun.push('a');
        }
        if self.is_shouted() {
            noun = noun.to_uppercase();
        }
        self.instead.push((a, noun));
        self.take(a, b)
    }

    /// "physical therapy for your shoulder": what hangs on it and goes too belongs to it.
    fn with_tail(&self, end: usize) -> usize {
        if !listed(&self.phrases.prepositions, self.word(end + 1)) {
            return end;
        }
        let mut at = end + 2;
        while listed(&self.phrases.determiners, self.word(at))
            || listed(&self.phrases.adjectives, self.word(at))
        {
            at += 1;
        }
        let hung = self.drops.iter().find(|(from, _)| *from == at);
        hung.map_or(end, |(_, to)| self.noun_end(*to))
    }

    /// Stands a verb before that carries things: "bring your card and your X-ray tomorrow"?
    fn carries(&self, from: usize) -> bool {
        (self.first..from).any(|at| CARRIES.contains(&self.word(at)))
    }

    /// Does the sentence speak of a visit outside of these tokens?
    fn tells_of_visit(&self, from: usize, end: usize) -> bool {
        let mut others = self.tokens().filter(|at| *at < from || end < *at);
        others.any(|at| VISITS.contains(&self.word(at)))
    }

    /// Behind "with" stands a person: "MRI with contrast" is no visit with anybody.
    fn is_with_person(&self, at: usize) -> bool {
        if self.word(at) == "at" {
            // "at 3", "at noon", "at the Annex", but not "at the front desk".
            return self.view.kind(at + 1) == Some(Kind::Number)
                || matches!(self.word(at + 1), "noon" | "midday")
                || self.view.capital(at + 1)
                || self.view.capital(at + 2);
        }
        !matches!(self.word(at), "with" | "con")
            || self.view.capital(at + 1)
            || matches!(
                self.word(at + 1),
                "dr" | "dra" | "la" | "el" | "your" | "us" | "su"
            )
    }

    fn lead(&self, start: usize) -> Option<Lead> {
        let before = self.before(start, 1);
        let lead = |language, from: usize| Lead {
            language,
            article: None,
            labelled: false,
            from,
            subject: self.begins_clause(from),
        };
        let owner = start.checked_sub(1)?;
        match before {
            "your" | "a" | "an" | "the" | "'s" | "this" => Some(lead(Language::En, owner)),
            "su" | "una" | "la" | "tu" => Some(lead(Language::Es, owner)),
            kin if kin.ends_with("'s") => {
                let whose = usize::from(matches!(self.before(owner, 1), "your" | "the"));
                Some(lead(Language::En, owner - whose))
            }
            "el" | "un" => Some(Lead {
                article: Some((owner, if before == "el" { "la" } else { "una" })),
                ..lead(Language::Es, owner)
            }),
            "am" | "pm" => {
                // "your 3:00 PM therapy session"
                let from = (owner.saturating_sub(4)..owner)
                    .rev()
                    .find(|at| matches!(self.word(*at), "your" | "the"))?;
                let clock =
                    |at: usize| self.word(at) == ":" || self.view.kind(at) == Some(Kind::Number);
                (from + 1..owner)
                    .all(clock)
                    .then(|| lead(Language::En, from))
            }
            ":" | "-" | "" | "," => {
                let language = if self.is_spanish() {
                    Language::Es
                } else {
                    Language::En
                };
                let open = before != "," && (start == self.first || !before.is_empty());
                open.then(|| Lead {
                    labelled: before == ":",
                    ..lead(language, start)
                })
            }
            _ => None,
        }
    }

    fn begins_clause(&self, at: usize) -> bool {
        at == self.first || matches!(self.before(at, 1), "," | ":" | "and" | "y" | "-" | ";")
    }

    fn tokens(&self) -> Range<usize> {
        self.first..self.last + 1
    }

    fn is_spanish(&self) -> bool {
        let told = self.tokens().filter(|at| SPANISH.contains(&self.word(*at)));
        told.count() > 0
    }

    /// The whole sentence is written in capitals.
    fn is_shouted(&self) -> bool {
        let span = self.view.span(&self.view.reach(self.first, self.last));
        let text = self.view.text.get(span).unwrap_or_default();
        text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
    }
}

/// What stands before a noun that a visit may stand in for.
struct Lead {
    language: Language,
    /// An article that must change with the noun: its place, and what it becomes.
    article: Option<(usize, &'static str)>,
    /// Behind a colon the noun may stand alone.
    labelled: bool,
    /// Where the noun phrase begins.
    from: usize,
    /// The noun phrase begins its clause.
    subject: bool,
}
