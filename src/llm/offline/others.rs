//! Texts about somebody else than the patient who writes.

use crate::llm::offline::rules::{fits, list};
use crate::llm::offline::words::Clause;

#[rustfmt::skip]
const KIN: &[&str] = &[
    "mom", "mother", "dad", "father", "son", "daughter", "husband", "wife", "kid", "kids", "child",
    "children", "brother", "sister", "grandma", "grandmother", "grandpa", "grandfather", "baby", "partner",
    "boyfriend", "girlfriend", "friend", "mama", "papa", "madre", "padre", "hijo", "hija", "hijos", "esposo",
    "esposa", "hermano", "hermana", "abuela", "abuelo", "nino", "nina", "bebe", "novio", "novia", "amiga",
    "amigo", "suegra", "suegro", "aunt", "uncle", "tia", "tio", "nephew", "niece",
];

/// Something that only the person concerned is told.
#[rustfmt::skip]
pub(super) fn is_personal(c: &Clause) -> bool {
    c.has(list("visit")) || fits("results", c) || fits("refill", c) || c.has(&[
        "meds", "medication", "medications", "diagnosis", "chart", "records", "bill", "taking",
    ])
}

/// "my moms appointment", "for my son", "la cita de mi hija".
pub(super) fn is_someone_elses(c: &Clause) -> bool {
    let words: Vec<&str> = c.words.iter().map(String::as_str).collect();
    let kin = |word: &str| KIN.contains(&word);
    let theirs = |word: &str| word.strip_suffix('s').is_some_and(kin);
    let named = words.windows(3).any(|three| match three {
        [_, "my", owner] if theirs(owner) && !kin(owner) => true,
        ["for" | "of" | "de" | "para", "my" | "mi" | "mis", one] => kin(one),
        _ => false,
    });
    // "My mom Grace has an appointment": the one who has it is not the one who texts.
    let has = words
        .windows(2)
        .position(|two| matches!(two, ["my" | "mi", one] if kin(one)));
    let has = has.is_some_and(|at| {
        let verbs = ["has", "needs", "had", "tiene", "necesita", "tenia"];
        words
            .iter()
            .skip(at + 2)
            .take(3)
            .any(|word| verbs.contains(word))
    });
    let first = matches!(words.as_slice(), ["my", owner, ..] if theirs(owner) && !kin(owner));
    (named || has || first)
        && (is_personal(c) || c.question || fits("cancel", c) || fits("move", c))
}

/// The provider whom a text names: "with Dr. Patel", "con la doctora Reyes".
pub(super) fn provider(texts: &[&str]) -> Option<String> {
    const TITLES: &[&str] = &["dr", "dra", "doctor", "doctora", "np", "nurse"];
    let words = texts.iter().flat_map(|text| text.split_whitespace());
    let words: Vec<&str> = words
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .collect();
    words.windows(2).find_map(|two| match two {
        [title, name] if TITLES.contains(&title.to_lowercase().as_str()) => {
            let named = name.chars().count() > 2 && name.starts_with(char::is_uppercase);
            named.then(|| (*name).to_owned())
        }
        _ => None,
    })
}

/// Whether a text speaks of what belongs to somebody by name: "When is Ana's appointment?".
pub(super) fn names_another(text: &str) -> bool {
    const NOBODY: &[&str] = &[
        "Today",
        "Tomorrow",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "Doctor",
        "It",
        "That",
        "What",
        "When",
        "Where",
        "Who",
        "Here",
        "There",
        "He",
        "She",
        "Let",
        "How",
    ];
    let text = text.replace('\u{2019}', "'");
    text.split_whitespace().any(|word| {
        word.strip_suffix("'s").is_some_and(|name| {
            name.starts_with(char::is_uppercase) && name.len() > 1 && !NOBODY.contains(&name)
        })
    })
}
