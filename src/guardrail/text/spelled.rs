//! Words that are not written as words: letters apart, signs and digits for letters, parts of a word.

use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::phrases::Phrases;
use crate::policy::phrases::flag;
use crate::policy::phrases::hash_bytes;

/// A word in two parts has so many letters.
const PARTED_MIN: usize = 5;

impl View<'_> {
    /// Joins words that are spelled apart (`m e t`, `h.i.v.`) or with signs for letters (`m3tf0rmin`).
    pub(super) fn join_spelled(&mut self, phrases: &Phrases) {
        let mut index = 0;
        while index < self.words.len() {
            let run = self.single_letters(index);
            if run >= 3 && self.join_run(phrases, index, run) {
                continue;
            }
            self.join_parted(phrases, index);
            self.read_signs(phrases, index);
            index += 1;
        }
    }

    fn single_letters(&self, from: usize) -> usize {
        let rest = self.words.iter().skip(from).enumerate();
        rest.take_while(|(n, word)| word.len() == 1 && (*n == 0 || word.gap <= Gap::Space))
            .count()
    }

    /// Tries the longest run of single letters that spells a listed word.
    fn join_run(&mut self, phrases: &Phrases, from: usize, run: usize) -> bool {
        for length in (3..=run.min(24)).rev() {
            let Some(letters) = self.words.get(from..from + length) else {
                continue;
            };
            let (Some(first), Some(last)) = (letters.first(), letters.last()) else {
                continue;
            };
            let bytes = letters
                .iter()
                .filter_map(|word| self.folded.get(word.start).copied());
            let hash = hash_bytes(bytes);
            let Some(entry) = phrases.get(hash) else {
                continue;
            };
            let wanted =
                phrases.section(entry).is_some() || entry.flags & (flag::FIRST | flag::LAST) != 0;
            if wanted
                && (length >= 4
                    || phrases
                        .section(entry)
                        .is_some_and(|it| it.category.is_some()))
            {
                let joined = Word {
                    end: last.end,
                    hash,
                    stem: hash,
                    flags: entry.flags,
                    listed: true,
                    ..*first
                };
                self.words.splice(from..from + length, [joined]);
                return true;
            }
        }
        false
    }

    /// Joins a word that a sign or the end of a line parts (`*asth*ma`, `chlamy-` and `dia`); a star may
    /// stand for a vowel (`c*ncer`).
    fn join_parted(&mut self, phrases: &Phrases, index: usize) {
        let (Some(word), Some(next)) = (self.words.get(index), self.words.get(index + 1)) else {
            return;
        };
        let (masked, plain) = match self.bytes(word.end..next.start) {
            b"*" => (true, true),
            b"_" | b"~" | b"|" | b"-\n" | b"-\r\n" => (false, true),
            b"-" => (false, !word.is(flag::COMMON) && !next.is(flag::COMMON)),
            _ => return,
        };
        let letters = |word: &Word| self.word_bytes(word).iter().all(u8::is_ascii_lowercase);
        if !plain || word.len() + next.len() < PARTED_MIN || !letters(word) || !letters(next) {
            return;
        }
        let vowels = masked.then_some(b"aeiou").into_iter().flatten();
        let between = std::iter::once(None).chain(vowels.copied().map(Some));
        let (first, second) = (self.word_bytes(word), self.word_bytes(next));
        let found = between.into_iter().find_map(|sign| {
            let bytes = first.iter().copied().chain(sign);
            let hash = hash_bytes(bytes.chain(second.iter().copied()));
            let entry = phrases.get(hash)?;
            let section = phrases.section(entry)?;
            section.category.is_some().then_some((hash, entry.flags))
        });
        if let Some((hash, flags)) = found {
            let joined = Word {
                end: next.end,
                hash,
                stem: hash,
                flags,
                listed: true,
                ..*word
            };
            self.words.splice(index..index + 2, [joined]);
        }
    }

    /// Reads digits and signs inside a word as the letters they stand for, when that gives a listed word.
    fn read_signs(&mut self, phrases: &Phrases, index: usize) {
        let Some(word) = self.words.get(index).copied() else {
            return;
        };
        if word.listed || (word.is(flag::COMMON) && !word.digits) {
            return;
        }
        let sign = |at: usize| {
            self.folded
                .get(at)
                .is_some_and(|byte| matches!(byte, b'@' | b'$' | b'!'))
        };
        let next = self.words.get(index + 1).copied();
        let joins = next.filter(|next| next.start == word.end + 1 && sign(word.end));
        if !word.digits && joins.is_none() {
            return;
        }
        let end = joins.map_or(word.end, |next| next.end);
        let bytes = self.bytes(word.start..end);
        // `8pm` is an hour, not `bpm`.
        let hour = bytes
            .strip_suffix(b"pm")
            .or_else(|| bytes.strip_suffix(b"am"));
        if hour.is_some_and(|hour| hour.iter().all(u8::is_ascii_digit)) {
            return;
        }
        let letters = bytes
            .iter()
            .filter(|byte| byte.is_ascii_lowercase())
            .count();
        if bytes.len() < 3 || letters * 2 < bytes.len() {
            return;
        }
        for one in [b'i', b'l'] {
            let hash = hash_bytes(bytes.iter().map(|byte| letter_of(*byte, one)));
            let Some(entry) = phrases.get(hash) else {
                continue;
            };
            // `R0s4lind`: long enough that no code is taken for a name.
            let name = letters >= 4 && entry.flags & (flag::FIRST | flag::LAST) != 0;
            let section = phrases.section(entry);
            if name || section.is_some_and(|section| section.category.is_some()) {
                let joined = Word {
                    end,
                    hash,
                    stem: hash,
                    flags: entry.flags,
                    listed: true,
                    digits: false,
                    ..word
                };
                self.words
                    .splice(index..index + 1 + usize::from(joins.is_some()), [joined]);
                return;
            }
        }
    }
}

const fn letter_of(sign: u8, one: u8) -> u8 {
    match sign {
        b'0' => b'o',
        b'1' | b'!' => one,
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        b'8' => b'b',
        other => other,
    }
}
