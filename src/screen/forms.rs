//! The forms of a word in a rule: `hit*` stands for hit, hits, hitting; `suicid%` for suicide, suicidal,
//! suicidio; `golpear+` for golpea, golpeó,
//! golpearon, golpeando, golpearme and the rest. A form that nobody writes does no harm.

/// What may follow a stem that both languages share: squeezed, paralizada, suicidal, suicidio.
const STEM_ENDINGS: &str = "e es ed ing in y ion al ly a o as os an ado ada ados adas ando iendo ar arse arme io ia able ic ant t nt cy";

/// Every form that a word of a rule stands for; itself without a mark.
pub(super) fn of(word: &str) -> Vec<String> {
    if let Some(stem) = word.strip_suffix('*') {
        english(stem)
    } else if let Some(stem) = word.strip_suffix('%') {
        let endings = STEM_ENDINGS.split(' ');
        let told = endings.map(|ending| format!("{stem}{ending}"));
        std::iter::once(stem.to_owned()).chain(told).collect()
    } else if let Some(verb) = word.strip_suffix('+') {
        spanish(verb)
    } else {
        vec![word.to_owned()]
    }
}

/// Plural or third person, past and -ing, as spelling forms them.
fn english(word: &str) -> Vec<String> {
    let with = |stem: &str, ending: &str| format!("{stem}{ending}");
    let bytes = word.as_bytes();
    let at = |back: usize| bytes.len().checked_sub(back).and_then(|i| bytes.get(i));
    let vowel = |back: usize| at(back).is_some_and(|b| b"aeiou".contains(b));
    let mut forms = vec![word.to_owned()];
    if let Some(stem) = word.strip_suffix('e') {
        forms.extend([with(word, "s"), with(word, "d")]);
        forms.extend([with(stem, "ing"), with(stem, "in")]);
    } else if let Some(stem) = word.strip_suffix('y').filter(|_| !vowel(2)) {
        forms.extend([with(stem, "ies"), with(stem, "ied"), with(word, "ing")]);
    } else {
        let hisses = ["s", "x", "z", "ch", "sh"];
        let plural = if hisses.iter().any(|end| word.ends_with(end)) {
            "es"
        } else {
            "s"
        };
        forms.extend([plural, "ed", "ing", "in"].map(|ending| with(word, ending)));
        // "hit" doubles, "vomit" does not; both are formed.
        let doubles = !vowel(1) && vowel(2) && !vowel(3) && !word.ends_with(['w', 'x', 'y']);
        if let Some(last) = word.chars().last().filter(|_| doubles) {
            forms.extend([format!("{word}{last}ed"), format!("{word}{last}ing")]);
        }
    }
    forms
}

/// What a patient writes of a regular verb, accents folded: the persons who tell (I, he, they), now,
/// then and ongoing, and the forms with a pronoun behind.
fn spanish(verb: &str) -> Vec<String> {
    const AR: &str = "a o e an aba aban aron ando andome andose andolo andola andole ado ada ados adas ara aste as amos";
    const ER: &str = "e o i io en ia ian ieron iendo iendome iendose iendolo iendola ido ida idos idas a an iera iste es imos";
    const BEHIND: &str = "me se lo la los las le les nos te";
    let endings = if verb.ends_with("ar") { AR } else { ER };
    let Some(stem) = verb.len().checked_sub(2).and_then(|end| verb.get(..end)) else {
        return vec![verb.to_owned()];
    };
    let told = endings.split(' ').map(|ending| format!("{stem}{ending}"));
    let behind = BEHIND.split(' ').map(|pronoun| format!("{verb}{pronoun}"));
    std::iter::once(verb.to_owned())
        .chain(told)
        .chain(behind)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_for_what_people_write_of_it() {
        for (word, form) in [
            ("hit*", "hitting"),
            ("choke*", "choking"),
            ("choke*", "chokes"),
            ("bury*", "buried"),
            ("touch*", "touches"),
            ("vomit*", "vomiting"),
            ("bleed*", "bleedin"),
            ("squeez%", "squeezing"),
            ("suicid%", "suicidio"),
            ("golpear+", "golpeo"),
            ("golpear+", "golpearon"),
            ("golpear+", "golpearme"),
            ("comer+", "comio"),
            ("comer+", "comiendo"),
            ("stop", "stop"),
        ] {
            assert!(of(word).iter().any(|it| it == form), "{word} {form}");
        }
        assert_eq!(of("stop"), ["stop"]);
    }
}
