//! What a sentence is made of, for the statistical readers of whole sentences: hashed words, their
//! neighbours, pieces of words, and what stands before a word (a denial, a time gone by).
//!
//! One reader hears alarms and opt-outs in patients' texts, another hears advice in drafts; how they
//! are trained is told in `docs/sentences.md`.

use smallvec::SmallVec;

use crate::policy::linear::LANES;
use crate::policy::linear::Model;
use crate::policy::linear::Shape;

const REMEDY: &str = "restore the file or train it again with `make sentences`";

/// The reader of patients' texts.
pub const ALARMS: Shape = Shape {
    magic: "anteroom alarms",
    scheme: 1,
    labels: &["calm", "emergency", "crisis", "poison", "abuse", "opt_out"],
    rule: "sentence",
    remedy: REMEDY,
};
/// The reader of drafts.
pub const ADVICE: Shape = Shape {
    magic: "anteroom advice",
    scheme: 2,
    labels: &["ok", "advice", "talk", "deed", "news", "person", "others"],
    rule: "sentence",
    remedy: REMEDY,
};

/// The most words of a sentence that are read together; a longer one is read in stretches.
const WORDS_MAX: usize = 48;
/// A whole text up to this many words is also read as one sentence: people leave stops out.
pub const WHOLE_WORDS_MAX: usize = 40;
/// How far a denial or a time reaches, in words.
const REACH: usize = 5;
/// Words are taken apart into pieces of three to this many letters.
const PIECE_MAX: usize = 5;
/// Longer words are only looked at to here.
const WORD_BYTES_MAX: usize = 24;
/// The scores are given in this many parts of one.
const PARTS: i32 = 64;
/// Roots are taken in this many parts of one.
const FINE: u32 = 16;
const FINE_SIGNED: i32 = 16;

/// Room for a short text and one stretch more: no text needs memory of its own.
type Words<'t> = SmallVec<[&'t [u8]; 96]>;

/// By how much each label leads the first one, which says nothing.
pub type Leads = [i32; LANES];

/// The leads of a folded text: the highest of any of its sentences, and of the whole when it is short.
pub fn read(model: &Model, folded: &[u8]) -> Leads {
    let mut best = [i32::MIN; LANES];
    units(folded, |words| {
        let leads = leads(model, words);
        for (best, lead) in best.iter_mut().zip(leads) {
            *best = (*best).max(lead);
        }
    });
    best
}

/// The leads of a folded sentence that is cut out already; "3:00 p. m." does not end it.
pub fn read_one(model: &Model, folded: &[u8]) -> Leads {
    let words: Words<'_> = cut(folded).take(WORDS_MAX).collect();
    leads(model, &words)
}

/// The features of each stretch of a text that is read together.
pub fn stretches(folded: &[u8]) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    units(folded, |words| {
        let mut one = Vec::new();
        features(words, |feature| one.push(feature));
        all.push(one);
    });
    all
}

/// The features of a text as one sentence.
pub fn whole(folded: &[u8]) -> Vec<u32> {
    let words: Words<'_> = cut(folded).collect();
    let mut one = Vec::new();
    features(&words, |feature| one.push(feature));
    one
}

fn leads(model: &Model, words: &[&[u8]]) -> Leads {
    let mut sums = [0; LANES];
    let mut count: u32 = 0;
    features(words, |feature| {
        model.add(feature, &mut sums);
        count += 1;
    });
    let [none, ..] = sums;
    let root = i32::try_from((count * FINE * FINE).isqrt())
        .unwrap_or(1)
        .max(1);
    let scaled = |sum: i32| (sum - none).saturating_mul(PARTS * FINE_SIGNED) / root;
    sums.map(scaled)
}

/// Gives the words of each sentence, and those of the whole text when it is short and has several.
fn units(folded: &[u8], mut give: impl FnMut(&[&[u8]])) {
    let mut words = Words::new();
    let mut count = 0;
    let mut sentences = 0;
    for sentence in folded.split(|byte| matches!(byte, b'.' | b'!' | b'?' | b';' | b'\n')) {
        let mut from = words.len();
        for word in cut(sentence) {
            words.push(word);
            count += 1;
            if words.len() == from + WORDS_MAX {
                give(words.get(from..).unwrap_or_default());
                words.clear();
                from = 0;
            }
        }
        if let Some(new) = words.get(from..).filter(|new| !new.is_empty()) {
            give(new);
            sentences += 1;
        }
        if count > WHOLE_WORDS_MAX {
            words.clear();
        }
    }
    if sentences > 1 && count <= WHOLE_WORDS_MAX {
        give(&words);
    }
}

/// Cuts into words: letters, digits, and apostrophes within.
fn cut(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let part = |byte: &u8| !(byte.is_ascii_alphanumeric() || *byte == b'\'' || *byte >= 0x80);
    let words = text.split(part).filter(|word| !word.is_empty());
    words.map(|word| word.get(..WORD_BYTES_MAX).unwrap_or(word))
}

const SEED: u32 = 0x811c_9dc5;

/// FNV-1a, apostrophes left out; digits are alike.
fn hash(seed: u32, bytes: &[u8]) -> u32 {
    let mut hash = seed;
    for byte in bytes {
        let byte = match byte {
            b'\'' => continue,
            b'0'..=b'9' => b'0',
            other => *other,
        };
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash
}

fn mix(a: u32, b: u32) -> u32 {
    let mixed = (a ^ b.rotate_left(13)).wrapping_mul(0x9e37_79b1);
    mixed ^ (mixed >> 15)
}

/// What stands before a word and turns it.
fn turn(word: &[u8]) -> u32 {
    match word {
        b"no" | b"not" | b"dont" | b"don't" | b"never" | b"without" | b"doesnt" | b"doesn't"
        | b"isnt" | b"isn't" | b"didnt" | b"didn't" | b"wasnt" | b"wasn't" | b"sin" | b"nunca"
        | b"tampoco" | b"ni" | b"denies" | b"none" | b"arent" | b"aren't" | b"havent"
        | b"haven't" | b"nor" | b"ningun" | b"ninguna" => 1,
        b"had" | b"was" | b"used" | b"once" | b"years" | b"ago" | b"last" | b"when" | b"tuve"
        | b"tuvo" | b"hace" | b"era" | b"cuando" | b"antes" | b"pasado" | b"since" => 2,
        b"if" | b"can" | b"could" | b"does" | b"do" | b"what" | b"how" | b"is" | b"si"
        | b"puede" | b"puedo" | b"que" | b"como" | b"cual" | b"should" | b"are" => 3,
        _ => 0,
    }
}

/// Gives every feature of a sentence once per place.
fn features(words: &[&[u8]], mut give: impl FnMut(u32)) {
    let (mut before, mut second) = (mix(SEED, 1), mix(SEED, 1));
    let mut turned: Option<(u32, usize)> = None;
    for (at, word) in words.iter().enumerate() {
        let here = hash(SEED, word);
        give(mix(here, 2));
        give(mix(mix(before, here), 3));
        give(mix(mix(mix(second, before), here), 4));
        give(mix(mix(second, here), 5));
        if let Some((kind, _)) = turned.filter(|(_, from)| at - from <= REACH) {
            give(mix(mix(here, kind), 6));
        }
        let kind = turn(word);
        if kind > 0 {
            turned = Some((kind, at));
        }
        pieces(word, &mut give);
        (second, before) = (before, here);
    }
    give(mix(mix(before, mix(SEED, 1)), 3));
    give(mix(mix(second, before), mix(SEED, 7)));
    give(mix(
        SEED,
        8 + u32::try_from(words.len().min(12) / 3).unwrap_or(0),
    ));
}

/// Pieces of a word of four letters and more, with its ends marked: slips and endings keep most.
fn pieces(word: &[u8], give: &mut impl FnMut(u32)) {
    if word.len() < 4 {
        return;
    }
    for from in 0..word.len() - 2 {
        let mut piece = if from == 0 {
            mix(SEED, 20)
        } else {
            mix(SEED, 21)
        };
        for (length, byte) in word.iter().skip(from).take(PIECE_MAX).enumerate() {
            piece = hash(piece, std::slice::from_ref(byte));
            if length >= 2 {
                let ends = from + length + 1 == word.len();
                give(mix(piece, if ends { 23 } else { 22 }));
            }
        }
    }
}
