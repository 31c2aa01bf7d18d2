//! Strings of which one stands in every match of an expression, wherever in it: `.com` of an address of
//! the web, `years old` of an age. A text without any of them need not be searched.

use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::literal::ExtractKind;
use regex_syntax::hir::literal::Extractor;

use crate::policy::pattern::extent::Extent;

/// A longer list is looked for at the price of what it rules out.
const STRINGS_MAX: usize = 128;
/// A longer string rules out hardly anything more.
const LENGTH: usize = 8;
/// Of a longer one more words are known: `gram` in `milligrams`.
const LONG: usize = 24;
/// A larger class is no list of characters.
const CLASS_MAX: usize = 30;
/// A list that is met more often than at one place of a text in so many stands in most texts.
const PLACES_MIN: f64 = 6.0;
/// What is said in most texts: a string that stands here rules out nothing.
const ORDINARY: &str = "hi, you have your appointment with dr. lee on the day at the office, 1 main st. \
    reply to us with any question, and we will see you then. thanks! hola, su cita es el dia de la consulta con la doctora. \
    responda si quiere cambiar la hora, por favor. gracias";
/// How often such a string is met.
const ORDINARY_SHARE: f64 = 0.15;

/// Strings of which one stands in every match, and how far a match reaches around it.
#[derive(Clone, Debug)]
pub struct Inner {
    /// The strings.
    pub strings: Vec<Vec<u8>>,
    /// At one place of a text in about how many one of them stands.
    places: f64,
    /// The most before the string.
    pub before: Extent,
    /// The most from its beginning on.
    pub behind: Extent,
}

impl Inner {
    /// The list that rules out most; nothing where none rules out much.
    pub(super) fn of(hir: &Hir) -> Option<Self> {
        let mut list = best(hir, (LENGTH, &|_| true)).filter(|list| list.places >= PLACES_MIN)?;
        // `.com` stands where `.com/` does; sorted, what a string begins stands right behind it.
        list.strings.sort_unstable();
        list.strings
            .dedup_by(|longer, kept| longer.starts_with(kept));
        Some(list)
    }

    /// The list that rules out most of those in which each string holds one of these words; it is
    /// these that are told of then.
    pub(super) fn by_words(hir: &Hir, words: &[Vec<u8>]) -> Option<Self> {
        let within =
            |text: &[u8], word: &[u8]| text.windows(word.len().max(1)).any(|it| it == word);
        let holds = |text: &Vec<u8>| words.iter().any(|word| within(text, word));
        let by = |length| best(hir, (length, &|strings| strings.iter().all(holds)));
        let list = by(LENGTH).or_else(|| by(LONG))?;
        let each = list.strings.iter().map(|text| Extent::of_text(text));
        let longest = each.fold(Extent::default(), Extent::or);
        Some(Self {
            before: list.before.then(longest),
            strings: words.to_vec(),
            ..list
        })
    }

    fn new(strings: Vec<Vec<u8>>, behind: Extent) -> Self {
        Self {
            places: places(&strings),
            strings,
            before: Extent::default(),
            behind,
        }
    }

    /// One of either.
    fn or(mut self, other: Self) -> Option<Self> {
        self.strings.extend(other.strings);
        (self.strings.len() <= STRINGS_MAX).then_some(Self {
            strings: self.strings,
            places: (self.places.recip() + other.places.recip()).recip(),
            before: self.before.or(other.before),
            behind: self.behind.or(other.behind),
        })
    }

    /// The same between what may stand before it and behind it.
    fn between(self, before: Extent, behind: Extent) -> Self {
        Self {
            before: before.then(self.before),
            behind: self.behind.then(behind),
            ..self
        }
    }

    /// Does it rule out so many times more than these words?
    pub(crate) fn rules_out_more(&self, times: f64, words: &[Vec<u8>]) -> bool {
        self.places >= times * places(words)
    }

    /// Is a match near to it?
    pub(crate) const fn is_bounded(&self) -> bool {
        self.before.is_bounded() && self.behind.is_bounded()
    }
}

/// The most bytes of a string, and whether some may be the list.
type May<'m> = (usize, &'m dyn Fn(&[Vec<u8>]) -> bool);

fn best(hir: &Hir, may: May<'_>) -> Option<Inner> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) => beginnings(hir, may),
        HirKind::Repetition(again) if again.min == 0 => None,
        HirKind::Repetition(again) => {
            let others = again.max.map(|most| most.saturating_sub(1));
            let others = Extent::of(&again.sub).times(others);
            let within = best(&again.sub, may).map(|it| it.between(others, others));
            better(beginnings(hir, may), within)
        }
        HirKind::Capture(group) => best(&group.sub, may),
        HirKind::Alternation(ways) => {
            let mut each = ways.iter().map(|it| best(it, may));
            let first = each.next().flatten();
            let together = each.fold(first, |one, other| one?.or(other?));
            better(together, beginnings(hir, may))
        }
        HirKind::Concat(parts) => (0..parts.len()).fold(None, |found, at| {
            let (before, rest) = parts.split_at(at);
            let before = Extent::of_all(before);
            let none = Extent::default();
            let from_here = beginnings(&Hir::concat(rest.to_vec()), may);
            let within = rest.split_first().and_then(|(part, behind)| {
                Some(best(part, may)?.between(before, Extent::of_all(behind)))
            });
            let from_here = from_here.map(|it| it.between(before, none));
            better(better(found, from_here), within)
        }),
    }
}

/// The beginnings of an expression, where they are a short list.
fn beginnings(hir: &Hir, (length, may): May<'_>) -> Option<Inner> {
    let all = Extractor::new()
        .kind(ExtractKind::Prefix)
        .limit_class(CLASS_MAX)
        .limit_total(STRINGS_MAX)
        .limit_literal_len(length)
        .extract(hir);
    let list: Vec<Vec<u8>> = all
        .literals()?
        .iter()
        .map(|it| it.as_bytes().to_vec())
        .collect();
    let told = !list.is_empty() && list.iter().all(|it| !it.is_empty()) && may(&list);
    told.then(|| Inner::new(list, Extent::of(hir)))
}

/// Of two lists the one that rules out more.
fn better(one: Option<Inner>, other: Option<Inner>) -> Option<Inner> {
    match (one, other) {
        (Some(one), Some(other)) if other.places > one.places => Some(other),
        (one, other) => one.or(other),
    }
}

/// At one place of a text in about how many a string of the list stands. Of digits there are only those
/// texts to think of that have some.
fn places(list: &[Vec<u8>]) -> f64 {
    let share = |byte: &u8| match byte {
        b' ' | b'\n' => 0.2,
        b'0'..=b'9' => 0.1,
        b'a'..=b'z' => 0.05,
        _ => 0.02,
    };
    let ordinary = ORDINARY.as_bytes();
    let each = list.iter().map(|text| {
        let said = ordinary.windows(text.len().max(1)).any(|it| it == text);
        let shares = text.iter().map(share).product::<f64>();
        if said { ORDINARY_SHARE } else { shares }
    });
    each.sum::<f64>().recip()
}

#[cfg(test)]
mod tests {
    use crate::policy::pattern::Pattern;

    #[test]
    fn the_strings_of_which_one_stands_in_every_match_are_told() {
        let cases: &[(&str, &[&str])] = &[
            (r"(?-u)[a-z]+\.(?:com|org)(?:/|\b)", &[".com", ".org"]),
            (
                r"(?-u)[a-z0-9]\.(?: ?[ab]\.){1,3}",
                &[". a.", ". b.", ".a.", ".b."],
            ),
            (
                r"(?-u)\b(?:(?:age|edad)[ :]*(?P<v>\d+)|(?P<w>\d+) years old)",
                &["age", "edad", " years o"],
            ),
            // A way without such a list leaves none; what may be missing tells nothing.
            (r"(?-u)(?:age \d+|[a-z]+\d)", &[]),
            (r"(?-u)[a-z]+(?:\.com)?", &[]),
            (r"(?-u)[a-z]{4,}", &[]),
            // Two letters stand in every text.
            (r"(?-u)[a-z]+ (?:st|we)\b", &[]),
        ];
        for (pattern, wanted) in cases {
            let found = Pattern::over_bytes(pattern, 1 << 20).unwrap();
            let found = found.demands().inner;
            let mut found: Vec<String> = found
                .into_iter()
                .flat_map(|it| it.strings)
                .map(|it| String::from_utf8(it).unwrap())
                .collect();
            let mut wanted: Vec<String> = wanted.iter().map(|it| (*it).to_owned()).collect();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{pattern}");
        }
    }
}
