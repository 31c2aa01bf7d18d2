//! How hard a text is to read, in school grades.
//!
//! English: Flesch-Kincaid (Kincaid et al. 1975). Spanish: Crawford (1989), made for primary
//! school texts. Both count sentences, words and syllables; both are rough on one short text,
//! which is why they bound and never rank.

use crate::policy::words::Language;

/// The school grade that a text asks for; 0 for a text without words.
pub(crate) fn grade(text: &str, language: Language) -> f64 {
    let sentences = count(sentences(text));
    let words: Vec<&str> = words(text).collect();
    let total = count(words.len());
    if total == 0.0 {
        return 0.0;
    }
    let syllables = count(words.iter().map(|word| syllables(word, language)).sum());
    let grade = match language {
        Language::En => 0.39 * total / sentences + 11.8 * syllables / total - 15.59,
        Language::Es => {
            let per_hundred = 100.0 / total;
            -0.205 * sentences * per_hundred + 0.049 * syllables * per_hundred - 3.407
        }
    };
    grade.max(0.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a text has fewer than 2^52 words"
)]
fn count(number: usize) -> f64 {
    number as f64
}

/// Sentences end in `.`, `!` or `?` before a space or the end; "9:00 a.m." ends none inside.
fn sentences(text: &str) -> usize {
    let mut ends = 0;
    let mut letters_since = false;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_here = matches!(c, '.' | '!' | '?' | '\n');
        let at_border = chars.peek().is_none_or(|next| next.is_whitespace());
        // One letter and a dot is an abbreviation: "p. m.", "U. S.".
        let abbreviated = c == '.' && before.is_alphabetic() && !letters_since;
        if ends_here && at_border && letters_since && !abbreviated {
            ends += 1;
            letters_since = false;
        }
        letters_since |= c.is_alphabetic() && before.is_alphabetic();
        before = c;
    }
    (ends + usize::from(letters_since)).max(1)
}

/// Words with a letter in them; links, numbers and times are looked at, not read.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .filter(|word| !word.contains("://"))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.chars().any(char::is_alphabetic))
}

fn syllables(word: &str, language: Language) -> usize {
    let lower: Vec<char> = word.to_lowercase().chars().collect();
    let groups = match language {
        Language::En => english(&lower),
        Language::Es => spanish(&lower),
    };
    groups.max(1)
}

fn english(word: &[char]) -> usize {
    let vowel = |c: &char| "aeiouy".contains(*c);
    let groups = word
        .iter()
        .enumerate()
        .filter(|(at, c)| {
            vowel(c)
                && !at
                    .checked_sub(1)
                    .and_then(|it| word.get(it))
                    .is_some_and(vowel)
        })
        .count();
    // A silent final e, but not the "le" of "table".
    let silent = match word {
        [.., a, 'l', 'e'] => vowel(a),
        [.., _, 'e'] => true,
        [.., a, 'e', 'd' | 's'] => !"tdszxc".contains(*a) && !vowel(a),
        _ => false,
    };
    groups.saturating_sub(usize::from(silent && groups > 1))
}

/// A strong vowel, or an accented weak one, is the heart of one syllable; weak ones lean on it.
fn spanish(word: &[char]) -> usize {
    let strong = |c: char| "aeoáéóíú".contains(c);
    let weak = |c: char| "iuüy".contains(c);
    let mut hearts = 0;
    let mut leaning = false;
    for (at, c) in word.iter().enumerate() {
        let after_q = at
            .checked_sub(1)
            .and_then(|it| word.get(it))
            .is_some_and(|it| "qg".contains(*it));
        let silent_u =
            *c == 'u' && after_q && word.get(at + 1).is_some_and(|it| "eiéí".contains(*it));
        if strong(*c) {
            hearts += 1;
            leaning = true;
        } else if weak(*c) && !silent_u {
            let next_strong = word.get(at + 1).is_some_and(|it| strong(*it));
            let final_y_only = *c == 'y' && at + 1 < word.len();
            if !leaning && !next_strong && !final_y_only {
                hearts += 1;
            }
            leaning = true;
        } else {
            leaning = false;
        }
    }
    hearts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_counted_as_people_say_them() {
        let cases = [
            ("visit", Language::En, 2),
            ("table", Language::En, 2),
            ("made", Language::En, 1),
            ("called", Language::En, 1),
            ("needed", Language::En, 2),
            ("appointment", Language::En, 3),
            ("cita", Language::Es, 2),
            ("quiere", Language::Es, 2),
            ("mañana", Language::Es, 3),
            ("médico", Language::Es, 3),
            ("día", Language::Es, 2),
            ("ciudad", Language::Es, 2),
            ("hoy", Language::Es, 1),
        ];
        for (word, language, wanted) in cases {
            assert_eq!(syllables(word, language), wanted, "{word}");
        }
    }

    #[test]
    fn plain_texts_have_low_grades_and_officialese_has_high_ones() {
        let plain = grade("Your visit is on Monday at 9. See you then!", Language::En);
        let stiff = grade(
            "Notwithstanding the aforementioned considerations, beneficiaries' authorization documentation necessitates supplementary verification.",
            Language::En,
        );
        assert!(plain < 4.0 && stiff > 14.0, "{plain} {stiff}");
        let facil = grade("Su cita es el lunes a las 9. Le esperamos.", Language::Es);
        let dificil = grade(
            "La documentación correspondiente a la autorización administrativa necesitará verificaciones complementarias posteriores.",
            Language::Es,
        );
        assert!(facil < 5.0 && dificil > 8.0, "{facil} {dificil}");
        assert!(grade("", Language::En).abs() < f64::EPSILON);
    }
}
