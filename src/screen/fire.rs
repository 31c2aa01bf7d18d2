//! Which rules fire in a text: phrases found, then their guards heard (denied, past, only mentioned).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use std::sync::Arc;

use crate::screen::file::Place;
use crate::screen::greeting::Greeting;
use crate::screen::hidden;
use crate::screen::phrase::Phrase;
use crate::screen::rules::Book;
use crate::screen::rules::Kind;
use crate::screen::rules::Owner;
use crate::screen::view::View;
use crate::screen::vocabulary::Token;

/// A rule that fired.
#[derive(Clone, Debug)]
pub(super) struct Fired {
    pub(super) id: Arc<str>,
    pub(super) kind: Kind,
    pub(super) value: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Hit {
    start: usize,
    end: usize,
    /// The words that the phrase passed over: what is denied or set aside there counts too.
    gap: Option<(usize, usize)>,
}

impl Hit {
    fn overlaps(&self, start: usize, end: usize) -> bool {
        self.start < end && start < self.end
    }
}

/// Longest guard, in words: one that ends within reach starts this much earlier.
const GUARD_WORDS: usize = 5;
/// A text of more words behind its greeting is a letter; nobody in danger writes one.
const LETTER_WORDS: usize = 40;
/// Longest text, in words, that can be a keyword as a whole.
const WHOLE_WORDS: usize = 12;

impl Book {
    /// Every rule that fires in a text, in the order of the files.
    pub(super) fn fired(&self, text: &str) -> Vec<Fired> {
        self.fired_in(text, &View::of(text, &self.spelling))
    }

    /// As [`Book::fired`], for a text that is folded already.
    pub(super) fn fired_in(&self, text: &str, view: &View) -> Vec<Fired> {
        let tokens = self.vocabulary.read(view);
        let greeting = Greeting::of(text).words;
        let scene = Scene::new(self, &tokens, greeting);
        let (mut found, told) = scene.found();
        found.extend(self.whole_rules(&tokens));
        if greeting > 0 {
            found.extend(self.whole_rules(tokens.get(greeting..).unwrap_or_default()));
        }
        found.extend(self.marked(text));
        let letters = told.difference(&found);
        let letters = letters.filter_map(|index| self.rules.get(*index));
        let letters = letters.map(|rule| {
            let (id, kind) = if rule.kind == Kind::Abuse {
                ("look.letter", Kind::Look)
            } else {
                ("symptom.letter", Kind::Symptom)
            };
            Fired {
                id: Arc::from(id),
                kind,
                value: None,
            }
        });
        let letters: Vec<Fired> = letters.collect();
        found
            .into_iter()
            .filter_map(|index| self.rules.get(index))
            .map(|rule| Fired {
                id: Arc::clone(&rule.id),
                kind: rule.kind,
                value: rule.value,
            })
            .chain(letters)
            .collect()
    }

    /// Rules that fire because the whole text is one of their keywords, courtesies aside.
    fn whole_rules(&self, tokens: &[Token]) -> Vec<usize> {
        if tokens.len() > WHOLE_WORDS {
            return Vec::new();
        }
        let mut bare = tokens.to_vec();
        bare.dedup_by_key(|token| (token.word, token.number));
        let is_polite = |token: &Token| self.polite.contains(&token.word);
        let from = bare.iter().take_while(|t| is_polite(t)).count();
        let to = bare.len() - bare.iter().rev().take_while(|t| is_polite(t)).count();
        let core = bare.get(from..to).unwrap_or_default();
        let fires = |index: usize, phrase: &Phrase| {
            let stays_bare = self.rules.get(index).is_some_and(|rule| rule.bare);
            let courteous = !stays_bare && !core.is_empty() && phrase.is_whole(core);
            courteous || phrase.is_whole(&bare)
        };
        let whole = self.whole.iter();
        whole
            .filter(|(index, phrase)| !bare.is_empty() && fires(*index, phrase))
            .map(|(index, _)| *index)
            .collect()
    }

    /// Rules that look at the raw characters: marks of fake system messages, hidden characters.
    fn marked(&self, text: &str) -> Vec<usize> {
        if self.rules.iter().all(|rule| rule.markers.is_empty()) {
            return Vec::new();
        }
        let lower = text.to_lowercase();
        let meets = |marker: &String| match marker.as_str() {
            "@hidden" => hidden::has_hidden_characters(text),
            "@encoded" => hidden::has_encoded_text(text),
            "@spaced" => hidden::has_spaced_letters(text),
            _ => lower.contains(marker),
        };
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| rule.markers.iter().any(meets))
            .map(|(index, _)| index)
            .collect()
    }
}

/// One text with all that was found in it.
struct Scene<'a> {
    book: &'a Book,
    tokens: &'a [Token],
    /// How many words of greeting it begins with.
    greeting: usize,
    hits: BTreeMap<Owner, Vec<Hit>>,
}

impl<'a> Scene<'a> {
    fn new(book: &'a Book, tokens: &'a [Token], greeting: usize) -> Self {
        let mut hits: BTreeMap<Owner, Vec<Hit>> = BTreeMap::new();
        for (start, token) in tokens.iter().enumerate() {
            let by_word = book.by_word.get(&token.word).into_iter().flatten();
            let by_number = book.by_number.iter().filter(|_| token.number.is_some());
            for (owner, phrase) in by_word
                .chain(by_number)
                .filter_map(|i| book.phrases.get(*i))
            {
                if let Some(found) = phrase.found(tokens, greeting, start) {
                    hits.entry(*owner).or_default().push(Hit {
                        start,
                        end: found.end,
                        gap: found.gap,
                    });
                }
            }
        }
        Self {
            book,
            tokens,
            greeting,
            hits,
        }
    }

    /// The rules that fire, and those that only a letter tells of.
    fn found(&self) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let (mut found, mut told) = (BTreeSet::new(), BTreeSet::new());
        for (owner, hits) in &self.hits {
            let Owner::Rule(index) = owner else {
                continue;
            };
            let standing = hits.iter().filter(|hit| self.stands(*index, **hit));
            for hit in standing {
                if self.is_of_a_letter(*index, *hit) {
                    told.insert(*index);
                } else {
                    found.insert(*index);
                    break;
                }
            }
        }
        (found, told)
    }

    /// A long text that tells of a body, with nothing in the sentence that says it is so now: a question
    /// of health, which a person reads.
    fn is_of_a_letter(&self, rule: usize, hit: Hit) -> bool {
        let kind = self.book.rules.get(rule).map(|rule| rule.kind);
        let urgent = self.book.urgent.map(Owner::Guard);
        self.tokens.len().saturating_sub(self.greeting) > LETTER_WORDS
            && kind.is_some_and(Kind::is_physical)
            && !urgent.is_some_and(|urgent| self.has_in_sentence(urgent, hit))
    }

    fn stands(&self, rule: usize, hit: Hit) -> bool {
        let guards = self
            .book
            .rules
            .get(rule)
            .map_or(&[][..], |rule| &rule.guards);
        !self.has_in_sentence(Owner::Unless(rule), hit)
            && !self.is_aside(rule, hit)
            && !guards.iter().any(|guard| self.is_guarded(*guard, hit))
    }

    /// Whether the phrase's own words, those it passed over left out, are part of another phrase.
    fn is_aside(&self, rule: usize, hit: Hit) -> bool {
        let (from, to) = hit.gap.unwrap_or((hit.end, hit.end));
        let hits = self
            .hits
            .get(&Owner::Aside(rule))
            .map_or(&[][..], Vec::as_slice);
        hits.iter()
            .any(|aside| aside.overlaps(hit.start, from) || aside.overlaps(to, hit.end))
    }

    fn is_guarded(&self, guard: usize, hit: Hit) -> bool {
        let Some(rule) = self.book.guards.get(guard) else {
            return false;
        };
        if self.has_in_sentence(Owner::Lift(guard), hit) {
            return false;
        }
        let reach = rule.within;
        self.hits_from(
            Owner::Guard(guard),
            hit.start.saturating_sub(reach + GUARD_WORDS),
        )
        .take_while(|word| word.start <= hit.end + reach)
        .filter(|word| self.sentence(word.start) == self.sentence(hit.start))
        .filter(|word| !self.is_excepted(guard, **word))
        .any(|word| match rule.place {
            Place::Near => true,
            Place::After => word.start >= hit.end,
            Place::Before => {
                let denied_within = hit.gap.is_some_and(|(from, to)| {
                    word.start >= from && self.leads_to(guard, *word, to)
                });
                denied_within || self.leads_to(guard, *word, hit.start)
            }
        })
    }

    /// Whether only fillers stand between the guard and the place, in one clause; one other word
    /// is let pass when "or" follows it ("no fever or chest pain").
    fn leads_to(&self, guard: usize, word: Hit, place: usize) -> bool {
        let fillers = self.book.guards.get(guard).map(|guard| &guard.fillers);
        let clause = |i: usize| self.tokens.get(i).map(|token| token.clause);
        // "hace 5 anos tuve" before "tuve un derrame": the guard's last word is the phrase's first.
        if word.start < place && place < word.end {
            return true;
        }
        let Some(between) = self.tokens.get(word.end..place) else {
            return false;
        };
        let is_filler = |t: &Token| fillers.is_some_and(|fillers| fillers.contains(&t.word));
        let is_or = |t: &Token| self.book.or_words.contains(&t.word);
        let strange = between
            .iter()
            .filter(|t| !is_filler(t) && !is_or(t))
            .count();
        let listed = usize::from(between.iter().any(is_or));
        strange <= listed && clause(word.start) == clause(place)
    }

    /// Whether the guard's words are part of a phrase that means the opposite ("not sure").
    fn is_excepted(&self, guard: usize, word: Hit) -> bool {
        self.hits_from(Owner::Except(guard), word.start.saturating_sub(5))
            .take_while(|except| except.start <= word.end)
            .any(|except| except.start <= word.start && word.end <= except.end)
    }

    fn has_in_sentence(&self, owner: Owner, hit: Hit) -> bool {
        let sentence = self.sentence(hit.start);
        let Some(hits) = self.hits.get(&owner) else {
            return false;
        };
        let from = hits.partition_point(|other| self.sentence(other.start) < sentence);
        hits.get(from)
            .is_some_and(|other| self.sentence(other.start) == sentence)
    }

    fn hits_from(&self, owner: Owner, start: usize) -> impl Iterator<Item = &Hit> {
        let hits = self.hits.get(&owner).map_or(&[][..], Vec::as_slice);
        let from = hits.partition_point(|hit| hit.start < start);
        hits.iter().skip(from)
    }

    fn sentence(&self, at: usize) -> Option<u16> {
        self.tokens.get(at).map(|token| token.sentence)
    }
}
