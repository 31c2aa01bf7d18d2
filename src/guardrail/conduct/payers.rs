//! Who pays: the payers that a sentence names, and whether it says yes or no of each.

use smallvec::SmallVec;

use crate::guardrail::ground::fold::fold_text;
use crate::guardrail::ground::fold::words;

/// A payer that is named: its place in the list, and whether it is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its name among all names.
    name: usize,
    /// "We take Aetna but not Cigna": Cigna is.
    pub(crate) denied: bool,
}

/// The payers of one sentence or fact.
pub(crate) type Payers = SmallVec<[Named; 8]>;

/// The names that are known.
#[derive(Debug)]
pub(crate) struct Names {
    /// Each name by its words, with the payers that it may mean: sorted by the first word, and of one
    /// first word the longest first.
    names: Vec<(Vec<String>, Vec<usize>)>,
}

impl Names {
    /// Reads the list: each line one payer by its names, parted by `|`.
    pub(crate) fn new(lines: &[String]) -> Self {
        let mut names: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
        for (payer, line) in lines.iter().enumerate() {
            for name in line.split('|') {
                let folded = fold_text(name);
                let name: Vec<String> = words(&folded).map(str::to_owned).collect();
                match names.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, payers)) => payers.push(payer),
                    None => names.push((name, vec![payer])),
                }
            }
        }
        names.sort_by(|(one, _), (other, _)| {
            let first = one.first().cmp(&other.first());
            first.then(other.len().cmp(&one.len()))
        });
        Self { names }
    }

    /// Does a folded text name any payer?
    pub(crate) fn any(&self, folded: &str) -> bool {
        let mut rest = words(folded);
        loop {
            if self.at(&rest).is_some() {
                return true;
            }
            if rest.next().is_none() {
                return false;
            }
        }
    }

    /// The name with which the words begin: its place and how many words it has.
    fn at(&self, text: &(impl Iterator<Item: AsRef<str>> + Clone)) -> Option<(usize, usize)> {
        let first = text.clone().next()?;
        let first = first.as_ref();
        let from = self.names.partition_point(|(name, _)| opens(name) < first);
        let like = self.names.iter().enumerate().skip(from);
        let mut like = like.take_while(|(_, (name, _))| opens(name) == first);
        let begins = |name: &[String]| {
            let mut here = text.clone();
            name.iter()
                .all(|word| here.next().is_some_and(|it| it.as_ref() == word))
        };
        let (found, (name, _)) = like.find(|(_, (name, _))| begins(name))?;
        Some((found, name.len()))
    }

    /// The payers that a folded sentence names, in order.
    pub(crate) fn of(&self, folded: &str, denies: bool) -> Payers {
        let mut found = Payers::new();
        let mut denied = false;
        let mut before = "";
        let mut rest = folded
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .flat_map(|word| match word.split_once('\'') {
                Some((head, tail)) if !word.ends_with("n't") => [head, tail],
                Some(_) | None => [word, ""],
            })
            .filter(|word| !word.is_empty());
        loop {
            if let Some((name, length)) = self.at(&rest) {
                found.push(Named { name, denied });
                before = rest.nth(length - 1).unwrap_or_default();
                continue;
            }
            let Some(word) = rest.next() else { break };
            if BUT.contains(&word) {
                denied = false;
            } else if NOT.contains(&word) || word.ends_with("n't") {
                // `Cigna is not accepted`: the no stands behind the name.
                let behind = matches!(before, "is" | "are" | "esta" | "estan" | "es" | "ya")
                    || matches!(word, "isn't" | "aren't");
                match found.last_mut().filter(|_| behind) {
                    Some(last) => last.denied = true,
                    None => denied = true,
                }
            }
            before = word;
        }
        if denies && !found.iter().any(|it| it.denied) {
            found.iter_mut().for_each(|it| it.denied = true);
        }
        found
    }

    /// How many words the named payers have together.
    pub(crate) fn length(&self, named: &[Named]) -> usize {
        let words = named.iter().filter_map(|it| self.names.get(it.name));
        words.map(|(name, _)| name.len()).sum()
    }

    /// Is what a sentence says of its payers so of those that a fact names?
    pub(crate) fn borne_out(&self, said: &[Named], known: &[Named]) -> bool {
        let payers = |it: &Named| {
            self.names
                .get(it.name)
                .map_or(&[][..], |(_, payers)| payers)
        };
        said.iter().all(|said| {
            let listed = known.iter().any(|known| {
                !known.denied && payers(known).iter().any(|it| payers(said).contains(it))
            });
            listed != said.denied
        })
    }
}

fn opens(name: &[String]) -> &str {
    name.first().map_or("", String::as_str)
}

/// What turns a sentence to its other side.
const BUT: &[&str] = &[
    "but", "however", "although", "though", "pero", "sino", "aunque",
];
/// What denies the names that follow.
const NOT: &[&str] = &[
    "not",
    "no",
    "never",
    "except",
    "excluding",
    "excepto",
    "menos",
    "ni",
    "nor",
    "neither",
    "tampoco",
    "cannot",
    "without",
    "sin",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_payer_is_told_yes_or_no_of() {
        let lines = [
            "aetna",
            "cigna",
            "blue cross|bcbs",
            "blue shield|bcbs",
            "medicare advantage",
            "medicare",
        ];
        let names = Names::new(&lines.map(str::to_owned));
        for (sentence, denies, wanted) in [
            ("we take aetna and cigna.", false, "+aetna +cigna"),
            ("we take aetna but not cigna.", false, "+aetna -cigna"),
            (
                "we don't take cigna, but we do take aetna",
                true,
                "-cigna +aetna",
            ),
            (
                "aetna is accepted, but cigna is not.",
                false,
                "+aetna -cigna",
            ),
            ("cigna isn't accepted", true, "-cigna"),
            ("no aceptamos cigna ni aetna", true, "-cigna -aetna"),
            (
                "we take medicare advantage, not medicare",
                false,
                "+medicare advantage -medicare",
            ),
            ("everything except blue cross", false, "-blue cross"),
            ("we take walk-ins", false, ""),
        ] {
            let told: Vec<String> = names
                .of(sentence, denies)
                .iter()
                .map(|it| {
                    let sign = if it.denied { '-' } else { '+' };
                    format!("{sign}{}", names.names[it.name].0.join(" "))
                })
                .collect();
            assert_eq!(told.join(" "), wanted, "{sentence}");
            assert_eq!(names.any(sentence), !wanted.is_empty(), "{sentence}");
        }
        let known = names.of("aetna, blue shield; not medicare", false);
        for (sentence, so) in [
            ("aetna", true),
            ("bcbs", true),
            ("blue cross", false),
            ("medicare", false),
            ("not cigna", true),
            ("not aetna", false),
        ] {
            assert_eq!(
                names.borne_out(&names.of(sentence, false), &known),
                so,
                "{sentence}"
            );
        }
    }
}
