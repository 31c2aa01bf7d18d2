//! The rules of the way in: their TOML, compiled and checked, and what fires in a text.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use crate::policy::words::Language;
use crate::screen::file::File;
use crate::screen::file::GuardEntry;
use crate::screen::file::Place;
use crate::screen::file::RuleEntry;
use crate::screen::phrase::Compiler;
use crate::screen::phrase::Head;
use crate::screen::phrase::Phrase;
use crate::screen::view::Spelling;
use crate::screen::view::fold_words;
use crate::screen::vocabulary::Vocabulary;

/// What a rule says of a text in which it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// No more texts.
    OptOut,
    /// Perhaps no more texts; asked once.
    OptOutDoubt,
    /// CANCEL with a courtesy: the visit when one is open, else the texts.
    CancelWord,
    /// Texts again.
    OptIn,
    /// The HELP keyword.
    Help,
    /// A person.
    Human,
    /// Abuse: a person, discreetly.
    Abuse,
    /// Threat to others: a person.
    Harm,
    /// Perhaps serious: a person, and when to call 911.
    Symptom,
    /// Perhaps an alarm, where nothing else is asked for: a person.
    Look,
    /// 911.
    Emergency,
    /// 988.
    Crisis,
    /// Poison Help.
    Poison,
    /// YES, clear enough to prove consent.
    Yes,
    /// Good enough for a visit, not for consent.
    YesSoft,
    /// NO.
    No,
    /// Will come, whatever question is open.
    Confirm,
    /// Will come, when that was asked.
    ConfirmSoft,
    /// Cancel the visit.
    CancelAppointment,
    /// Will not come; cancel or move is not said.
    CannotCome,
    /// Move the visit.
    Reschedule,
    /// A time, a day or a choice among those that were offered.
    Choice,
    /// A time or day named in passing.
    TimeNamed,
    /// A refill.
    Refill,
    /// A question without its mark.
    Question,
    /// Who or what writes here.
    Identity,
    /// To be written to in a language.
    Language,
    /// Orders to the agent.
    Injection,
    /// Talk that is therapy.
    Therapy,
}

impl Kind {
    /// Whether it raises an alarm, whatever else is asked.
    pub(super) fn is_alarm(self) -> bool {
        let others = matches!(self, Self::Crisis | Self::Harm);
        others || self.is_physical()
    }

    /// An alarm that a letter may tell of as of a matter of months.
    pub(super) fn is_physical(self) -> bool {
        matches!(self, Self::Emergency | Self::Poison | Self::Abuse)
    }

    /// Whether it alarms staff.
    fn is_safety(self) -> bool {
        matches!(
            self,
            Self::Emergency
                | Self::Crisis
                | Self::Poison
                | Self::Abuse
                | Self::Harm
                | Self::Symptom
        )
    }
}

/// The guard that lists what makes a long text urgent.
const URGENT: &str = "urgent";

/// Why the rules were refused. Nothing of them is in force then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// Not the shape that is expected.
    #[error("{file}: {problem}")]
    Malformed {
        /// Which file.
        file: String,
        /// What is wrong, with its line.
        problem: String,
    },
    /// Examples that do not hold, each with file, line and rule.
    #[error("{}", .0.join("\n"))]
    Examples(Vec<String>),
    /// One rule or guard is wrong.
    #[error("{file}:{line}: {id}: {problem}")]
    Rule {
        /// Which file.
        file: String,
        /// Its line.
        line: usize,
        /// Which rule or guard.
        id: String,
        /// What is wrong, and how to mend it.
        problem: String,
    },
}

/// A compiled rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: Arc<str>,
    pub(super) kind: Kind,
    pub(super) guards: Vec<usize>,
    pub(super) bare: bool,
    pub(super) value: Option<u8>,
    pub(super) markers: Vec<String>,
    pub(super) flags: Vec<String>,
    pub(super) allows: Vec<String>,
    place: (String, usize),
}

/// A compiled guard: what takes the alarm out of a phrase.
#[derive(Debug)]
pub(super) struct Guard {
    id: String,
    pub(super) place: Place,
    pub(super) within: usize,
    pub(super) fillers: BTreeSet<u32>,
}

/// What a phrase belongs to, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Rule(usize),
    Unless(usize),
    Aside(usize),
    Guard(usize),
    Except(usize),
    Lift(usize),
}

/// The rules, compiled.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) vocabulary: Vocabulary,
    pub(super) spelling: Spelling,
    pub(super) polite: BTreeSet<u32>,
    pub(super) or_words: BTreeSet<u32>,
    pub(super) function_words: BTreeMap<Language, BTreeSet<String>>,
    pub(super) guards: Vec<Guard>,
    pub(super) rules: Vec<Rule>,
    pub(super) phrases: Vec<(Owner, Phrase)>,
    pub(super) whole: Vec<(usize, Phrase)>,
    pub(super) by_word: BTreeMap<u32, Vec<usize>>,
    pub(super) by_number: Vec<usize>,
    /// The guard with the words that make a long text urgent.
    pub(super) urgent: Option<usize>,
}

impl Book {
    /// Compiles the files, given as name and text.
    pub(super) fn compile(files: &[(&str, &str)]) -> Result<Self, ScreenError> {
        let mut read = Vec::new();
        for (name, text) in files {
            let malformed = |problem: String| ScreenError::Malformed {
                file: (*name).to_owned(),
                problem,
            };
            let file: File = toml::from_str(text).map_err(|e| malformed(e.to_string()))?;
            if file.schema != 1 {
                return Err(malformed(
                    "schema is not 1; this version reads 1".to_owned(),
                ));
            }
            read.push((Source { name, text }, file));
        }
        let mut book = Self::default();
        let mut groups = BTreeMap::new();
        for (source, file) in &read {
            for (short, long) in &file.spelling {
                let words = fold_words(long, &Spelling::new());
                book.spelling.insert(short.clone(), words);
            }
            for (name, members) in &file.groups {
                if groups.insert(name.clone(), members.clone()).is_some() {
                    return Err(source.wrong(name, "a group of this name exists already"));
                }
            }
        }
        for (source, file) in &read {
            book.add_words(file);
            for guard in &file.guard {
                book.add_guard(guard, &groups, source)?;
            }
        }
        for (source, file) in read {
            for rule in file.rule {
                book.add_rule(rule, &groups, &source)?;
            }
        }
        book.urgent = book.guards.iter().position(|guard| guard.id == URGENT);
        book.or_words = book.intern_all("or nor o ni");
        book.index();
        book.vocabulary.learn_slips(&book.function_words);
        Ok(book)
    }

    /// Reads every example of every rule; one that fails refuses them all.
    pub(super) fn check_examples(&self) -> Result<(), ScreenError> {
        let mut failures = Vec::new();
        for rule in &self.rules {
            let place = format!("{}:{}: {}", rule.place.0, rule.place.1, rule.id);
            let fires = |text: &String| self.fired(text).iter().any(|fired| fired.id == rule.id);
            for text in rule.flags.iter().filter(|text| !fires(text)) {
                failures.push(format!("{place}: example {text:?} does not fire; widen it"));
            }
            for text in rule.allows.iter().filter(|text| fires(text)) {
                failures.push(format!(
                    "{place}: counter-example {text:?} fires; narrow it"
                ));
            }
        }
        if failures.is_empty() {
            Ok(())
        } else {
            Err(ScreenError::Examples(failures))
        }
    }

    /// Rules, phrases, examples.
    pub(super) fn size(&self) -> (usize, usize, usize) {
        let examples = self.rules.iter().map(|r| r.flags.len() + r.allows.len());
        (
            self.rules.len(),
            self.phrases.len() + self.whole.len(),
            examples.sum(),
        )
    }

    fn add_words(&mut self, file: &File) {
        for (language, words) in &file.language {
            self.function_words
                .entry(*language)
                .or_default()
                .extend(fold_words(words, &Spelling::new()));
        }
        self.vocabulary
            .add_real(fold_words(&file.real, &Spelling::new()));
        let polite = self.intern_all(&file.polite);
        self.polite.extend(polite);
    }

    fn intern_all(&mut self, words: &str) -> BTreeSet<u32> {
        let words = fold_words(words, &self.spelling);
        words
            .iter()
            .map(|word| self.vocabulary.intern(word))
            .collect()
    }

    fn add_guard(
        &mut self,
        entry: &GuardEntry,
        groups: &BTreeMap<String, String>,
        source: &Source<'_>,
    ) -> Result<(), ScreenError> {
        let index = self.guards.len();
        if self.guards.iter().any(|guard| guard.id == entry.id) {
            return Err(source.wrong(&entry.id, "a guard of this name exists already"));
        }
        let fillers = self.intern_all(&entry.fillers);
        self.guards.push(Guard {
            id: entry.id.clone(),
            place: entry.place,
            within: entry.within.unwrap_or(match entry.place {
                Place::Before | Place::After => BESIDE_WORDS,
                Place::Near => NEAR_WORDS,
            }),
            fillers,
        });
        for (owner, phrases) in [
            (Owner::Guard(index), &entry.phrases),
            (Owner::Except(index), &entry.except),
            (Owner::Lift(index), &entry.lifted_by),
        ] {
            for text in phrases {
                let compiled = self.compiled(text, groups);
                let compiled = compiled.map_err(|e| source.wrong(&entry.id, &e))?;
                self.phrases
                    .extend(compiled.into_iter().map(|phrase| (owner, phrase)));
            }
        }
        Ok(())
    }

    fn add_rule(
        &mut self,
        entry: RuleEntry,
        groups: &BTreeMap<String, String>,
        source: &Source<'_>,
    ) -> Result<(), ScreenError> {
        let index = self.rules.len();
        let wrong = |problem: &str| source.wrong(&entry.id, problem);
        if self.rules.iter().any(|rule| *rule.id == *entry.id) {
            return Err(wrong("a rule of this name exists already"));
        }
        if entry.summary.is_empty() || entry.cite.is_empty() {
            return Err(wrong("needs a summary and a cite"));
        }
        if !BASES.contains(&entry.basis.as_str()) {
            return Err(wrong(&format!(
                "unknown basis; use one of {}",
                BASES.join(", ")
            )));
        }
        if entry.flags.is_empty() || entry.allows.is_empty() {
            return Err(wrong(
                "needs an example in flags and a counter-example in allows",
            ));
        }
        if entry.kind.is_safety() && !entry.unless.is_empty() {
            return Err(wrong(
                "an alarm cannot be turned off by other words of its sentence; write `aside` instead of `unless`",
            ));
        }
        let known = |id: &String| self.guards.iter().position(|guard| guard.id == *id);
        let guards: Option<Vec<usize>> = entry.guards.iter().map(known).collect();
        let guards = guards.ok_or_else(|| wrong("names a guard that does not exist"))?;
        for text in entry.whole.values().flatten() {
            let compiled = self.compiled(text, groups).map_err(|e| wrong(&e))?;
            self.whole
                .extend(compiled.into_iter().map(|phrase| (index, phrase)));
        }
        let open = entry
            .phrases
            .values()
            .flatten()
            .map(|text| (Owner::Rule(index), text));
        let shut = entry.unless.iter().map(|text| (Owner::Unless(index), text));
        let aside = entry.aside.iter().map(|text| (Owner::Aside(index), text));
        for (owner, text) in open.chain(shut).chain(aside) {
            let compiled = self.compiled(text, groups).map_err(|e| wrong(&e))?;
            self.phrases
                .extend(compiled.into_iter().map(|phrase| (owner, phrase)));
        }
        self.rules.push(Rule {
            place: (source.name.to_owned(), source.line(&entry.id)),
            id: Arc::from(entry.id),
            kind: entry.kind,
            guards,
            bare: entry.bare,
            value: entry.value,
            markers: entry.markers,
            flags: entry.flags,
            allows: entry.allows,
        });
        Ok(())
    }

    fn compiled(
        &mut self,
        text: &str,
        groups: &BTreeMap<String, String>,
    ) -> Result<Vec<Phrase>, String> {
        let mut compiler = Compiler {
            vocabulary: &mut self.vocabulary,
            groups,
            spelling: &self.spelling,
        };
        compiler.phrases(text)
    }

    fn index(&mut self) {
        for (place, (_, phrase)) in self.phrases.iter().enumerate() {
            let mut words = BTreeSet::new();
            for head in phrase.heads().unwrap_or_default() {
                match head {
                    Head::Word(word) => {
                        words.insert(word);
                    }
                    Head::Number if self.by_number.last() == Some(&place) => {}
                    Head::Number => self.by_number.push(place),
                }
            }
            for word in words {
                self.by_word.entry(word).or_default().push(place);
            }
        }
    }
}

/// Words between a phrase and a guard that looks just before or after it.
const BESIDE_WORDS: usize = 6;
/// Words between a phrase and a guard that looks near it.
const NEAR_WORDS: usize = 9;

/// What a rule may rest on.
const BASES: [&str; 5] = ["statute", "regulation", "guidance", "carrier", "policy"];

/// A file as it was given, for messages.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn wrong(&self, id: &str, problem: &str) -> ScreenError {
        ScreenError::Rule {
            file: self.name.to_owned(),
            line: self.line(id),
            id: id.to_owned(),
            problem: problem.to_owned(),
        }
    }

    /// The line where the id stands, counted from 1; 0 when it does not.
    fn line(&self, id: &str) -> usize {
        let quoted = format!("\"{id}\"");
        let at = self
            .text
            .lines()
            .position(|line| line.starts_with("id") && line.contains(&quoted));
        at.map_or(0, |line| line + 1)
    }
}
