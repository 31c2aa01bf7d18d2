//! Strings of which one stands in every match of an expression, wherever in it: `.com` of an address of
//! the web, `years old` of an age. A text without any of them need not be searched.

use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::literal::ExtractKind;
use regex_syntax::hir::literal::Extractor;

/// A longer list is looked for at the price of what it rules out.
const STRINGS_MAX: usize = 128;
/// A longer string rules out hardly anything more.
const LENGTH: usize = 8;
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

/// The list that rules out most; nothing where none rules out much.
pub(super) fn strings(hir: &Hir) -> Vec<Vec<u8>> {
    let list = best(hir).filter(|list| list.places >= PLACES_MIN);
    list.map_or_else(Vec::new, |list| list.strings)
}

/// Strings, and at one place of a text in about how many one of them stands.
struct List {
    strings: Vec<Vec<u8>>,
    places: f64,
}

impl List {
    fn new(strings: Vec<Vec<u8>>) -> Self {
        let places = places(&strings);
        Self { strings, places }
    }

    /// One of either.
    fn or(mut self, other: Self) -> Option<Self> {
        self.strings.extend(other.strings);
        let places = (self.places.recip() + other.places.recip()).recip();
        (self.strings.len() <= STRINGS_MAX).then_some(Self { places, ..self })
    }
}

fn best(hir: &Hir) -> Option<List> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) => beginnings(hir),
        HirKind::Repetition(again) if again.min == 0 => None,
        HirKind::Repetition(again) => better(beginnings(hir), best(&again.sub)),
        HirKind::Capture(group) => best(&group.sub),
        HirKind::Alternation(ways) => {
            let mut each = ways.iter().map(best);
            let first = each.next().flatten();
            let together = each.fold(first, |one, other| one?.or(other?));
            better(together, beginnings(hir))
        }
        HirKind::Concat(parts) => (0..parts.len()).fold(None, |found, at| {
            let rest = parts.get(at..).unwrap_or_default();
            let from_here = beginnings(&Hir::concat(rest.to_vec()));
            let within = rest.first().and_then(best);
            better(better(found, from_here), within)
        }),
    }
}

/// The beginnings of an expression, where they are a short list.
fn beginnings(hir: &Hir) -> Option<List> {
    let all = Extractor::new()
        .kind(ExtractKind::Prefix)
        .limit_class(CLASS_MAX)
        .limit_total(STRINGS_MAX)
        .limit_literal_len(LENGTH)
        .extract(hir);
    let list: Vec<Vec<u8>> = all
        .literals()?
        .iter()
        .map(|it| it.as_bytes().to_vec())
        .collect();
    let told = !list.is_empty() && list.iter().all(|it| !it.is_empty());
    told.then(|| List::new(list))
}

/// Of two lists the one that rules out more.
fn better(one: Option<List>, other: Option<List>) -> Option<List> {
    match (one, other) {
        (Some(one), Some(other)) if other.places > one.places => Some(other),
        (one, other) => one.or(other),
    }
}

/// At one place of a text in about how many a string of the list stands. Of digits there are only those
/// texts to think of that have some.
pub(super) fn places(list: &[Vec<u8>]) -> f64 {
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
            (
                r"(?-u)[a-z]+\.(?:com|org)(?:/|\b)",
                &[".com", ".com/", ".org", ".org/"],
            ),
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
            let found = Pattern::over_bytes(pattern, 1 << 20).unwrap().inner();
            let mut found: Vec<String> = found
                .into_iter()
                .map(|it| String::from_utf8(it).unwrap())
                .collect();
            let mut wanted: Vec<String> = wanted.iter().map(|it| (*it).to_owned()).collect();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{pattern}");
        }
    }
}
