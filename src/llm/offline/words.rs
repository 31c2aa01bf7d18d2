//! Patients' spelling made comparable: lower case, no accents, one space, small typos forgiven.

/// Words that are one letter away from a keyword and mean something else.
const NOT_TYPOS: &[&str] = &[
    "turning", "either", "opening", "better", "cancer", "cuando", "there", "these", "those",
    "three", "chance", "change", "night", "light", "later", "month", "mouth", "house", "where",
    "other", "moved", "tomar", "mover", "citas", "forma", "charge", "charged", "charges",
    "killing", "filling", "willing", "boiling", "falling", "pulling", "ceiling", "marking",
    "barking", "farming", "holding", "posting",
];
/// Shortest keyword in which one wrong letter is forgiven: shorter ones have too many neighbours.
const TYPO_CHARS_MIN: usize = 6;

/// A part of a text between punctuation marks or conjunctions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clause {
    /// Its words.
    pub(super) words: Vec<String>,
    /// The same with a space around each, for phrases.
    padded: String,
    /// Whether it asks something.
    pub(super) question: bool,
}

impl Clause {
    fn of(text: &str, question: bool) -> Self {
        let words: Vec<String> = text.split_whitespace().map(long).collect();
        let padded = format!(" {} ", words.join(" "));
        Self {
            words,
            padded,
            question,
        }
    }

    /// Whether one of `keys` occurs: a phrase as it stands, a word also with a small typo, `stem*`
    /// as a beginning.
    pub(super) fn has<S: AsRef<str>>(&self, keys: &[S]) -> bool {
        keys.iter().map(AsRef::as_ref).any(|key: &str| {
            if key.contains(' ') {
                return self.padded.contains(&format!(" {key} "));
            }
            match key.strip_suffix('*') {
                Some(stem) => self.words.iter().any(|word| word.starts_with(stem)),
                None => self.words.iter().any(|word| same(word, key)),
            }
        })
    }

    /// Whether the whole clause is one of `keys`.
    pub(super) fn is<S: AsRef<str>>(&self, keys: &[S]) -> bool {
        let whole = self.padded.trim();
        keys.iter().any(|key| key.as_ref() == whole)
    }

    /// Two clauses as one.
    pub(super) fn join(clauses: &[Self]) -> Self {
        let words: Vec<&str> = clauses
            .iter()
            .flat_map(|clause| clause.words.iter().map(String::as_str))
            .collect();
        Self::of(&words.join(" "), clauses.iter().any(|one| one.question))
    }
}

/// What a thumb shortens.
fn long(word: &str) -> String {
    match word {
        "u" => "you",
        "r" => "are",
        "ur" => "your",
        "pls" | "plz" | "plse" | "porfa" => "please",
        "2day" => "today",
        "2moro" | "2morrow" | "tmrw" | "tmr" | "tmw" => "tomorrow",
        "w" => "with",
        "q" => "que",
        "xq" => "porque",
        other => other,
    }
    .to_owned()
}

/// Equal, or one slip apart in a long word.
pub(super) fn same(word: &str, key: &str) -> bool {
    word == key
        || (key.chars().count() >= TYPO_CHARS_MIN
            && word.chars().count() + 1 >= TYPO_CHARS_MIN
            && !NOT_TYPOS.contains(&word)
            && strsim::damerau_levenshtein(word, key) <= 1)
}

/// The clauses of a text.
pub(super) fn clauses(text: &str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut open = String::new();
    let mut chars = text.chars().flat_map(char::to_lowercase).peekable();
    while let Some(c) = chars.next() {
        let inside_number = matches!(c, '.' | ',' | ':' | '/')
            && open.ends_with(|before: char| before.is_ascii_digit())
            && chars.peek().is_some_and(char::is_ascii_digit);
        match fold(c) {
            _ if inside_number => open.push(c),
            '\'' | '\u{2019}' | '`' | '\u{301}' | '\u{303}' => {}
            '?' | '.' | '!' | ';' | ',' | '\n' => close(&mut clauses, &mut open, c == '?'),
            folded if folded.is_alphanumeric() => open.push(folded),
            _ => open.push(' '),
        }
    }
    close(&mut clauses, &mut open, false);
    clauses
}

/// Ends a sentence and cuts it at conjunctions.
fn close(clauses: &mut Vec<Clause>, open: &mut String, question: bool) {
    let sentence = std::mem::take(open);
    let mut part: Vec<&str> = Vec::new();
    for word in sentence.split_whitespace() {
        if matches!(
            word,
            "and" | "also" | "plus" | "y" | "tambien" | "but" | "pero"
        ) {
            push(clauses, &part, question);
            part.clear();
        } else {
            part.push(word);
        }
    }
    push(clauses, &part, question);
}

fn push(clauses: &mut Vec<Clause>, part: &[&str], question: bool) {
    if !part.is_empty() {
        // "a.m." and "p. m." fall apart at their dots and come back as one word here.
        let text = part
            .join(" ")
            .replace(" a m ", " am ")
            .replace(" p m ", " pm ");
        clauses.push(Clause::of(&text, question));
    }
}

const fn fold(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        other => other,
    }
}

/// A text of friendly emoji and nothing else.
pub(super) fn is_smile(text: &str) -> bool {
    const FRIENDLY: &str = "\u{1f44d}\u{1f64f}\u{2764}\u{1f60a}\u{1f642}\u{1f600}\u{1f603}\u{1f604}\u{1f601}\u{1f44c}\u{1f389}\u{1f970}\u{1f499}\u{1f49c}\u{1f60d}\u{1f917}\u{2705}";
    const JOINERS: &str = "\u{fe0f}\u{1f3fb}\u{1f3fc}\u{1f3fd}\u{1f3fe}\u{1f3ff}";
    let mut seen = text
        .chars()
        .filter(|c| !c.is_whitespace() && !JOINERS.contains(*c))
        .peekable();
    seen.peek().is_some() && seen.all(|c| FRIENDLY.contains(c))
}
