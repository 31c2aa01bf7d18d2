//! Texts about somebody else than the patient who writes.

use crate::llm::offline::rules::{fits, list};
use crate::llm::offline::words::{Clause, clauses};

#[rustfmt::skip]
const KIN: &[&str] = &[
    "mom", "mother", "dad", "father", "son", "daughter", "husband", "wife", "kid", "kids", "child",
    "children", "brother", "sister", "grandma", "grandmother", "grandpa", "grandfather", "baby", "partner",
    "boyfriend", "girlfriend", "friend", "mama", "papa", "madre", "padre", "hijo", "hija", "hijos", "esposo",
    "esposa", "hermano", "hermana", "abuela", "abuelo", "nino", "nina", "bebe", "novio", "novia", "amiga",
    "amigo", "suegra", "suegro", "aunt", "uncle", "tia", "tio", "nephew", "niece", "stepson", "stepdaughter",
    "toddler", "teenager", "teen", "newborn", "hijastro", "hijastra", "nene", "nena",
];

/// Those of them who are children of whoever writes.
#[rustfmt::skip]
const CHILDREN: &[&str] = &[
    "son", "daughter", "kid", "kids", "child", "children", "baby", "hijo", "hija", "hijos", "nino", "nina",
    "bebe", "stepson", "stepdaughter", "toddler", "teenager", "teen", "newborn", "hijastro", "hijastra",
    "nene", "nena",
];

/// Whose matter a text speaks of, where it is not that of whoever writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// "My daughter's appointment", "la cita de mi hijo".
    Child,
    /// "My mom's results".
    Kin,
    /// "Her appointment".
    Someone,
    /// "When is Lily's appointment?".
    Named(String),
}

/// Whose matter a text speaks of; none where it is the writer's own, or nobody's.
pub fn speaks_of(text: &str) -> Option<Spoken> {
    let clauses = clauses(text);
    let name = possessives(text).into_iter().next();
    let name = name.filter(|_| clauses.iter().any(is_personal));
    if let Some(name) = name {
        return Some(Spoken::Named(name));
    }
    let spoken = clauses.iter().find(|clause| is_someone_elses(clause))?;
    let child = |word: &String| {
        let bare = word.strip_suffix('s').unwrap_or(word);
        CHILDREN.contains(&word.as_str()) || CHILDREN.contains(&bare)
    };
    let kin = |word: &String| {
        let bare = word.strip_suffix('s').unwrap_or(word);
        KIN.contains(&word.as_str()) || KIN.contains(&bare)
    };
    Some(match &spoken.words {
        words if words.iter().any(child) => Spoken::Child,
        words if words.iter().any(kin) => Spoken::Kin,
        _ => Spoken::Someone,
    })
}

/// What somebody has beside visits.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "results", "test", "labs", "biopsy", "meds", "medication", "prescription", "refill", "bill", "chart",
    "records", "doctor",
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
    // "When is her appointment": nobody else is spoken of so but by the one who texts for them.
    let hers = words.windows(2).any(|two| match two {
        ["her" | "his" | "their", what] => {
            OWN.contains(what) || list("visit").iter().any(|it| it == what)
        }
        _ => false,
    });
    let first = matches!(words.as_slice(), ["my", owner, ..] if theirs(owner) && !kin(owner));
    (named || has || first || hers)
        && (is_personal(c) || c.question || fits("cancel", c) || fits("move", c))
}

/// The provider whom a text names: "with Dr. Patel", "con la doctora Reyes".
pub(super) fn provider(texts: &[&str]) -> Option<String> {
    const TITLES: &[&str] = &["dr", "dra", "doctor", "doctora", "np", "nurse"];
    // What follows "the dr" where no name does.
    const NO_NAME: &[&str] = &[
        "today",
        "tomorrow",
        "tmrw",
        "this",
        "next",
        "about",
        "for",
        "said",
        "says",
        "told",
        "asap",
        "please",
        "pls",
        "soon",
        "again",
        "and",
        "but",
        "visit",
        "appt",
        "appointment",
        "office",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "when",
        "who",
        "that",
        "can",
        "will",
        "sooner",
        "earlier",
        "later",
        "para",
        "que",
        "por",
        "este",
        "esta",
        "hoy",
        "lunes",
        "martes",
        "miercoles",
        "jueves",
        "viernes",
        "dijo",
        "cuando",
        "pero",
        "porque",
        "manana",
        "mañana",
    ];
    let words = texts.iter().flat_map(|text| text.split_whitespace());
    let words: Vec<&str> = words
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .collect();
    words.windows(2).find_map(|two| match two {
        [title, name] if TITLES.contains(&title.to_lowercase().as_str()) => {
            let lower =
                ["dr", "dra"].contains(&title.to_lowercase().as_str()) && !NO_NAME.contains(name);
            let named = name.chars().count() > 2 && (lower || name.starts_with(char::is_uppercase));
            named.then(|| (*name).to_owned())
        }
        _ => None,
    })
}

/// Whether a text speaks of what belongs to somebody by name: "When is Ana's appointment?".
pub(super) fn names_another(text: &str) -> bool {
    !possessives(text).is_empty()
}

/// The names to which something belongs: `Ana` of "Ana's appointment".
fn possessives(text: &str) -> Vec<String> {
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
    let owner = |word: &str| {
        let name = word.strip_suffix("'s")?;
        let named =
            name.starts_with(char::is_uppercase) && name.len() > 1 && !NOBODY.contains(&name);
        named.then(|| name.to_owned())
    };
    text.split_whitespace().filter_map(owner).collect()
}
