//! How people begin a text: what is said begins behind it, and no greeting changes what that is.

/// The greetings, and how many words each has.
const GREETINGS: &[(&str, usize)] = &[
    ("good morning", 2),
    ("good afternoon", 2),
    ("good evening", 2),
    ("buenos dias", 2),
    ("buenos d\u{ed}as", 2),
    ("buenas tardes", 2),
    ("buenas noches", 2),
    ("hello", 1),
    ("hola", 1),
    ("hey", 1),
    ("hi", 1),
];

/// A text that may begin with greetings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greeting<'t> {
    /// The text from its last greeting on; all of it, where it has none. Marks at its beginning go, as
    /// they do behind a greeting.
    pub(super) last: &'t str,
    /// What stands behind the greetings.
    pub(super) behind: &'t str,
    /// Of how many words the greetings are.
    pub(super) words: usize,
}

impl<'t> Greeting<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let text = bare(text);
        let mut read = Self {
            last: text,
            behind: text,
            words: 0,
        };
        while let Some((behind, words)) = behind_one(read.behind) {
            read = Self {
                last: read.behind,
                behind,
                words: read.words + words,
            };
        }
        read
    }
}

/// What stands behind one greeting, and of how many words that is.
fn behind_one(text: &str) -> Option<(&str, usize)> {
    GREETINGS.iter().find_map(|(greeting, words)| {
        let (head, rest) = text.split_at_checked(greeting.len())?;
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '\'');
        let said = head.to_lowercase() == **greeting && ends;
        said.then(|| (bare(rest), *words))
    })
}

/// From the first letter, figure or picture on.
fn bare(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c.is_ascii() && !c.is_alphanumeric())
}
