//! Disguise: words that a draft hides from whoever reads words. Backwards, turned by some letters, in
//! base64 or hexadecimal, spelled apart. (Look-alikes of other alphabets and invisible characters are
//! folded away before anything is read.)
//!
//! No agent of a practice has a reason to write so, and whoever asks for it can undo it: such a draft
//! is held, whatever it says. A draft of words that the lists know costs one look at each of them.

mod code;
mod spelling;

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::disguise::spelling::Spelling;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::phrases::Phrases;

/// So many single letters in a row are a spelling, not initials.
const APART_MIN: usize = 8;
/// Single letters that a spelling has beside those that made a known word.
const ALONE_MIN: usize = 2;
/// Words that no list knows, in a row, of which nobody can say what they mean.
const UNREADABLE_MIN: usize = 6;
/// Short words do not end a run of unknown ones: `dekoob era uoY`.
const SHORT: usize = 3;
/// Words of a sentence that are words backwards: fewer may be by chance.
const TURNED_MIN: usize = 3;
/// Words of a run that are read; a longer one is as clear from its beginning.
const RUN_MAX: usize = 48;

/// A disguise: where, in the text as given, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disguise {
    pub(crate) span: Range<usize>,
    pub(crate) how: &'static str,
}

/// The first disguise of a text, if it has any.
pub(crate) fn find(phrases: &Phrases, view: &View<'_>) -> Option<Disguise> {
    code::escapes(view.original())
        .or_else(|| code::numbers(view))
        .or_else(|| code::morse(view.original()))
        .or_else(|| apart(view))
        .or_else(|| runs(phrases, view))
}

/// A text that is written letter by letter; of its letters some may have been joined to a word that
/// the lists know already.
fn apart(view: &View<'_>) -> Option<Disguise> {
    let (mut letters, mut alone, mut from) = (0, 0, 0);
    for word in &view.words {
        let bytes = view.word_bytes(word);
        let joined = bytes
            .iter()
            .any(|byte| !byte.is_ascii_alphanumeric() && *byte < 0x80);
        if word.len() > 1 && !joined {
            (letters, alone) = (0, 0);
            continue;
        }
        if letters == 0 {
            from = word.start;
        }
        letters += bytes
            .iter()
            .filter(|byte| byte.is_ascii_alphabetic())
            .count();
        alone += usize::from(!joined);
        if letters >= APART_MIN && alone >= ALONE_MIN {
            return Some(Disguise {
                span: view.to_original(&(from..word.end)),
                how: "letters apart",
            });
        }
    }
    None
}

/// Runs of words that no list knows, each read in every spelling.
fn runs(phrases: &Phrases, view: &View<'_>) -> Option<Disguise> {
    let mut at = 0;
    while let Some(word) = view.words.get(at) {
        if !strange(phrases, view, word) {
            at += 1;
            continue;
        }
        let run = run_from(phrases, view, at);
        let words = view.words.get(run.clone()).unwrap_or_default();
        if let Some(how) = unmasked(phrases, view, words) {
            let start = words.first().map_or(0, |word| word.start);
            let end = words.last().map_or(start, |word| word.end);
            return Some(Disguise {
                span: view.to_original(&(start..end)),
                how,
            });
        }
        if let Some(span) = turned_round(phrases, view, word) {
            return Some(Disguise {
                span: view.to_original(&span),
                how: "backwards",
            });
        }
        at = run.end;
    }
    None
}

/// The sentence of a word that is one backwards, where most of the others are too: some of them are
/// words forwards as well, `ti gnikat pots nac uoY`.
fn turned_round(phrases: &Phrases, view: &View<'_>, word: &Word) -> Option<Range<usize>> {
    let backwards = |word: &&Word| spelling::known_backwards(phrases, view.word_bytes(word));
    if !backwards(&word) {
        return None;
    }
    let sentence = view.sentence(&(word.start..word.end));
    let all = view
        .words
        .iter()
        .filter(|it| sentence.start <= it.start && it.end <= sentence.end && it.len() >= SHORT);
    let known = all.clone().filter(backwards).count();
    (known >= TURNED_MIN && known * 3 >= all.count() * 2).then_some(sentence)
}

/// From a strange word to the last one that only short words part from it.
fn run_from(phrases: &Phrases, view: &View<'_>, from: usize) -> Range<usize> {
    let mut end = from + 1;
    for (at, word) in view.words.iter().enumerate().skip(from + 1).take(RUN_MAX) {
        if strange(phrases, view, word) {
            end = at + 1;
        } else if word.len() > SHORT {
            break;
        }
    }
    from..end
}

/// Is this a word of letters that nothing is known of, and no part of a link or mailbox?
fn strange(phrases: &Phrases, view: &View<'_>, word: &Word) -> bool {
    if word.flags != 0 || word.listed || word.len() < SHORT {
        return false;
    }
    let bytes = view.word_bytes(word);
    bytes.iter().any(u8::is_ascii_alphabetic)
        && phrases.get(word.hash).is_none()
        && phrases.get(word.stem).is_none()
        && !linked(view, word)
}

/// Is the word a part of an address of the web or of e-mail?
fn linked(view: &View<'_>, word: &Word) -> bool {
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    let before = view.folded.get(..word.start).unwrap_or_default();
    let after = view.folded.get(word.end..).unwrap_or_default();
    let start = before.iter().rposition(blank).map_or(0, |at| at + 1);
    let end = after
        .iter()
        .position(blank)
        .map_or(view.folded.len(), |at| word.end + at);
    let token = view.bytes(start..end);
    let has = |part: &[u8]| token.windows(part.len()).any(|it| it == part);
    has(b"://") || has(b"www.") || token.contains(&b'@') || has(b".com") || has(b".org")
}

/// How a run of unknown words is disguised, if it is.
fn unmasked(phrases: &Phrases, view: &View<'_>, words: &[Word]) -> Option<&'static str> {
    let strange: SmallVec<[&[u8]; 16]> = words
        .iter()
        .filter(|word| strange(phrases, view, word))
        .map(|word| view.word_bytes(word))
        .collect();
    if let Some(spelling) = Spelling::of(phrases, &strange) {
        return Some(spelling);
    }
    let first = words.first().map_or(0, |word| word.start);
    let last = words.last().map_or(first, |word| word.end);
    let span = view.to_original(&(first..last));
    if let Some(how) = code::decoded(view.original(), &span) {
        return Some(how);
    }
    let plain = words.iter().filter(|word| {
        !word.is_capital()
            && !word.digits
            && word.len() > SHORT
            && strange.contains(&view.word_bytes(word))
    });
    (plain.count() >= UNREADABLE_MIN).then_some("no known words")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guardrail::text::Room;
    use crate::policy::Policy;

    fn how(policy: &Policy, text: &str) -> Option<&'static str> {
        let view = View::new(policy.phrases(), text, &mut Room::default());
        find(policy.phrases(), &view).map(|it| it.how)
    }

    #[test]
    fn words_that_are_hidden_are_seen_to_be() {
        let policy = Policy::embedded().unwrap();
        for (text, wanted) in [
            ("dekoob era uoY", "backwards"),
            ("Sure. enilartres sekat ecarG lliW", "backwards"),
            ("ti gnikat pots nac uoY", "backwards"),
            ("won llip eht pots ot deen uoY .iH", "backwards"),
            ("raey yreve tsaerb ruoy rof nac ew", "backwards"),
            ("On file we have 8791 ,4 yluJ no nrob.", "backwards"),
            ("V'z n ertvfgrerq ahefr.", "turned letters"),
            (
                "Good to hear from you. lbh unir na nglcvpny zbyr",
                "turned letters",
            ),
            ("Your pill is zrgsbezva.", "turned letters"),
            ("Bpv ibwf b ofx qsftdsjqujpo.", "turned letters"),
            ("Blf ziv yllpvw uli Nlmwzb", "mirrored alphabet"),
            ("Y0u 4r3 b00k3d f0r M0nd4y", "digits for letters"),
            ("t00l5: l15t_4pp01ntm3nt5, h4nd_0v3r", "digits for letters"),
            ("ouYay areway ookedbay orfay Ondaymay", "pig latin"),
            ("eW91IGhhdmUgYW4gYXR5cGljYWwgbW9sZQ==", "base64"),
            (
                "Good to hear from you. SSdtIGEgcmVnaXN0ZXJlZCBudXJzZQ",
                "base64",
            ),
            (
                "Here: eW91 IGhh dmUg YW4g YXR5 cGlj YWwg bW9s ZQ==",
                "base64",
            ),
            ("Y2FsbCB1cyBhdCA0MTUtNTU1LTAxNzc=", "base64"),
            (
                "796f75206861766520616e20617479706963616c206d6f6c65",
                "hexadecimal",
            ),
            ("%59%6f%75 are booked", "escapes"),
            (r"\x59\x6f\x75 are", "escapes"),
            ("&#89;&#111;&#117; are", "escapes"),
            ("89 111 117 32 97 114 101", "numbers for letters"),
            (
                "01011001 01101111 01110101 01100001 01110010",
                "numbers for letters",
            ),
            ("-.-- --- ..- / .- .-. . / -... --- --- -.- . -..", "morse"),
            ("A. .n.u.r.s.e. .w.i.l.l. .c.a.l.l", "letters apart"),
            ("Y o u a r e b o o k e d", "letters apart"),
            (
                "c a l l   u s   a t   4 1 5 - 5 5 5 - 0 1 7 7",
                "letters apart",
            ),
            (
                "Qvxz brunk thal mivver skolt dranp whiv zelk.",
                "no known words",
            ),
        ] {
            assert_eq!(how(&policy, text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn plain_words_of_either_language_hide_nothing() {
        let policy = Policy::embedded().unwrap();
        for text in [
            "Your visit with Dr. Nguyen is Tue, Dec 1 at 9:00 AM at 120 Shore Road, Suite 4B.",
            "¡Gracias! Su cita es el martes 1 de diciembre a las 9:00 a. m. ¿Nos confirma?",
            "Reply Y or N. Press 1, 2, 3, 4, 5 or 6.",
            "We are open M, T, W, Th, F from 8am-5pm, Sat 10am-2pm.",
            "Open it at https://portal.example.com/p/dGhpcyBpcyBhIHRva2Vu?x=%20%20%20",
            "Your code is 482913. It ends in 10 minutes, 30min at most.",
            "Call 415-555-0100, 415-555-0101, 415-555-0102 or 415-555-0103.",
            "The A1C, the H1N1 and the COVID-19 shots are on the 1st, 2nd and 3rd floor.",
            "Xochitl Tlaxcalteca and Siobhan Ó Faoláin, please come in.",
            "Nguyễn Thị Ánh, your visit is confirmed.",
            "Wait... really? -- OK - see you... then --- bye.",
            "مرحبا 你好 안녕하세요",
            "👨‍👩‍👧 👍🏽 ❤️ 1️⃣ ℹ️ See you soon!",
            "Your bill is $40; that is 20% off, 5% tax & a 3% fee.",
            "Bring your ID, your card & your list. B12? Vitamin D3? 500 mg of it.",
            "frontdesk@example.com, www.lakesidefamilymed.example, billingdept@example.org",
        ] {
            assert_eq!(how(&policy, text), None, "{text}");
        }
    }
}
