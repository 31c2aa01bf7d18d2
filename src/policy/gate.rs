//! For which pattern rules a text is searched at all, and where: by the words that stand in it.

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;

use crate::policy::PolicyError;
use crate::policy::rules::Needs;
use crate::policy::rules::Rule;

/// A keyword of the rule stands in the text.
pub const KEYWORD: u8 = 1;
/// One of the strings stands in it that every match has.
pub const INNER: u8 = 2;
/// Where such a word stands tells where a match lies.
const PLACED: u8 = 4;

/// What a text must have to be searched for a rule: small, since all of them are asked for every text.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    marks: u8,
    digits: u8,
    joins: bool,
}

impl Gate {
    fn of(rule: &Rule) -> Self {
        let (keyword, digit) = match rule.needs {
            Needs::Digit => (0, 1),
            Needs::Keyword => (KEYWORD, 0),
            Needs::Both => (KEYWORD, 1),
        };
        let inner = if rule.demands.inner.is_some() {
            INNER
        } else {
            0
        };
        let digits = u8::try_from(rule.demands.digits).unwrap_or(u8::MAX);
        Self {
            marks: keyword | inner,
            digits: digits.max(digit),
            joins: rule.demands.joins,
        }
    }

    /// May the rule have a match in a text with these marks, so many digits, and perhaps a letter right
    /// before one of them?
    pub fn is_open(self, marks: u8, digits: usize, joined: bool) -> bool {
        marks & self.marks == self.marks
            && digits >= usize::from(self.digits)
            && (joined || !self.joins)
    }
}

/// The words of all rules, and what each of them says.
#[derive(Clone, Debug)]
pub struct Keywords {
    words: AhoCorasick,
    owners: Vec<(u16, u8)>,
    gates: Vec<Gate>,
}

impl Keywords {
    pub(super) fn compile(rules: &[Rule]) -> Result<Self, PolicyError> {
        let mut words = Vec::new();
        let mut owners = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            let own = rule.keywords.iter().map(|it| (it.as_bytes(), KEYWORD));
            let inner = rule.demands.inner.iter().flat_map(|it| &it.strings);
            let inner = inner.map(|it| (it.as_slice(), INNER));
            for (word, mark) in own.chain(inner) {
                let placed = rule.window.is_some_and(|it| it.mark == mark);
                words.push(word);
                owners.push((index, if placed { mark | PLACED } else { mark }));
            }
        }
        let built = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&words);
        let built = built.map_err(|error| {
            let remedy = "use fewer or shorter keywords";
            PolicyError::at("identifiers", 1, "keywords", &error.to_string(), remedy)
        })?;
        Ok(Self {
            words: built,
            owners,
            gates: rules.iter().map(Gate::of).collect(),
        })
    }

    /// The gate of each rule.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// Marks in `wanted` the rules whose keywords, and those whose inner strings stand in `folded`;
    /// gives the places of those that tell where a match lies, by rule and place.
    pub fn mark(&self, folded: &[u8], wanted: &mut [u8], places: &mut Vec<(u16, usize)>) {
        for found in self.words.find_overlapping_iter(folded) {
            let owner = self.owners.get(found.pattern().as_usize());
            let (rule, mark) = owner.copied().unwrap_or((u16::MAX, 0));
            if let Some(slot) = wanted.get_mut(usize::from(rule)) {
                *slot |= mark;
            }
            if mark & PLACED != 0 {
                places.push((rule, found.start()));
            }
        }
        places.sort_unstable();
    }
}
