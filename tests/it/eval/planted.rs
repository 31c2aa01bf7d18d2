//! Planted regressions: a rule taken out, a word dropped, an approved text shortened, the day of a
//! law moved. Each must stop the gate.

use std::fs;
use std::path::Path;

use anteroom::agent::texts::Texts;
use anteroom::eval::inventory::{Inventory, inventory, lost};
use anteroom::policy::Policy;

/// How many are planted; `make planted` plants fifty. Each loads the whole policy anew.
fn plantings() -> usize {
    let asked = std::env::var("ANTEROOM_PLANTINGS").ok();
    asked.and_then(|it| it.parse().ok()).unwrap_or(8)
}

/// What a planting did, and whether the gate saw it.
struct Planting {
    what: &'static str,
    place: String,
    seen: bool,
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn file(&mut self, folder: &str, ending: &str) -> (String, String) {
        let mut all: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == ending))
            .collect();
        all.sort();
        let path = &all[self.below(all.len())];
        (
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            fs::read_to_string(path).unwrap(),
        )
    }
}

/// A policy with one file in place of its namesake; a policy that is refused at load stops CI too.
fn with_file(folder: &str, name: &str, text: &str, before: &Inventory, texts: &Texts) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let below = dir.path().join(folder);
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join(name), text).unwrap();
    match Policy::from_dir(dir.path()) {
        Ok(policy) => !lost(before, &inventory(&policy, texts)).is_empty(),
        Err(_) => true,
    }
}

fn plant(
    dice: &mut Dice,
    kind: usize,
    before: &Inventory,
    policy: &Policy,
    texts: &Texts,
) -> Planting {
    match kind {
        0 => without_a_rule(dice, before, texts),
        1 => without_a_word(dice, before, texts),
        2 => with_a_short_text(dice, before, policy),
        _ => with_another_day(dice, before, texts),
    }
}

fn without_a_rule(dice: &mut Dice, before: &Inventory, texts: &Texts) -> Planting {
    let (name, text) = dice.file("guardrails/identifiers", "toml");
    let mut blocks: Vec<&str> = text.split("[[rule]]").collect();
    let at = 1 + dice.below(blocks.len() - 1);
    blocks.remove(at);
    let shorter = blocks.join("[[rule]]");
    Planting {
        what: "a rule is removed",
        place: format!("{name} rule {at}"),
        seen: with_file("identifiers", &name, &shorter, before, texts),
    }
}

fn without_a_word(dice: &mut Dice, before: &Inventory, texts: &Texts) -> Planting {
    let (name, text) = dice.file("guardrails/lexicons", "txt");
    let mut lines: Vec<&str> = text.lines().collect();
    let holds = |line: &str| line.contains(", ") && !line.starts_with(['#', '[']);
    let with: Vec<usize> = (0..lines.len()).filter(|at| holds(lines[*at])).collect();
    let at = with[dice.below(with.len())];
    lines[at] = lines[at].split_once(", ").unwrap().1;
    Planting {
        what: "a word is dropped",
        place: format!("{name}:{}", at + 1),
        seen: with_file("lexicons", &name, &lines.join("\n"), before, texts),
    }
}

fn with_a_short_text(dice: &mut Dice, before: &Inventory, policy: &Policy) -> Planting {
    let names = ["prompts/en/texts.toml", "prompts/es/texts.toml"];
    let mut both = names.map(|path| fs::read_to_string(path).unwrap());
    let which = dice.below(2);
    let start = "\nbody = \"";
    let bodies = both[which]
        .match_indices(start)
        .map(|(at, _)| at + start.len());
    let bodies: Vec<usize> = bodies.collect();
    let at = bodies[dice.below(bodies.len())];
    let first = both[which].split_at(at).1.find(['.', '?', '!']).unwrap() + 1;
    both[which].replace_range(at..at + first, "Hello.");
    let files = [(names[0], both[0].as_str()), (names[1], both[1].as_str())];
    Planting {
        what: "an approved text is shortened",
        place: names[which].to_owned(),
        seen: match Texts::load(&files) {
            Ok(changed) => !lost(before, &inventory(policy, &changed)).is_empty(),
            Err(_) => true,
        },
    }
}

fn with_another_day(dice: &mut Dice, before: &Inventory, texts: &Texts) -> Planting {
    let (name, text) = dice.file("guardrails/states", "toml");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let dated: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].starts_with("effective"))
        .collect();
    if dated.is_empty() {
        return with_another_day(dice, before, texts);
    }
    let at = dated[dice.below(dated.len())];
    let (head, day) = lines[at].split_once("= ").unwrap();
    let (year, rest) = day.split_once('-').unwrap();
    let later = year.parse::<u32>().unwrap() + 1;
    lines[at] = format!("{head}= {later}-{rest}");
    Planting {
        what: "the day of a law is moved",
        place: format!("{name}:{}", at + 1),
        seen: with_file("states", &name, &lines.join("\n"), before, texts),
    }
}

#[test]
fn each_planted_regression_stops_the_gate() {
    assert!(Path::new("guardrails").is_dir());
    let policy = Policy::embedded().unwrap();
    let texts = Texts::embedded().unwrap();
    let before = inventory(&policy, &texts);
    assert!(lost(&before, &before).is_empty());
    let mut dice = Dice(2026);
    let all: Vec<Planting> = (0..plantings())
        .map(|it| plant(&mut dice, it % 4, &before, &policy, &texts))
        .collect();
    let missed: Vec<String> = all
        .iter()
        .filter(|it| !it.seen)
        .map(|it| format!("{}: {}", it.what, it.place))
        .collect();
    for what in [
        "a rule is removed",
        "a word is dropped",
        "an approved text is shortened",
        "the day of a law is moved",
    ] {
        let (seen, of) = all
            .iter()
            .filter(|it| it.what == what)
            .fold((0, 0), |(seen, of), it| (seen + u32::from(it.seen), of + 1));
        println!("{what}: {seen} of {of} seen");
    }
    assert!(missed.is_empty(), "unseen: {}", missed.join("\n"));
}
