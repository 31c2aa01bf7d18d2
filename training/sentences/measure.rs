//! How the readers do on what they did not learn from: each family held out in turn, two kinds of
//! learner, and the half of the public sets that is never learnt.
#![expect(clippy::cast_precision_loss, reason = "shares of small counts")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use anteroom::policy::fold::fold;
use anteroom::policy::linear::LANES;
use anteroom::policy::linear::Model;
use anteroom::policy::sentence;

use crate::recipe::Reader;
use crate::recipe::Settings;
use crate::recipe::learn;
use crate::recipe::learn::Dice;
use crate::recipe::learn::Word;
use crate::recipe::sets;
use crate::recipe::texts::Told;
use crate::recipe::words;

/// Into how many parts the families of our own texts are cut.
const FOLDS: usize = 5;
/// False ones in 1,000 harmless texts at which learners are compared.
const ALLOWED: [usize; 4] = [1, 3, 10, 30];

/// One way to learn.
type Learner = fn(&[Word], Settings) -> Option<Model>;

struct Scored {
    set: String,
    label: usize,
    text: String,
    leads: [i32; LANES],
}

fn logistic(words: &[Word], how: Settings) -> Option<Model> {
    learn::learn(words, how).small([0; LANES])
}

/// The averaged perceptron over the same features.
fn perceptron(words: &[Word], how: Settings) -> Option<Model> {
    let size = 1_usize << how.bits;
    let mask = size - 1;
    let mut now = vec![[0.0_f32; LANES]; size];
    let mut sum = vec![[0.0_f32; LANES]; size];
    let mut order: Vec<usize> = (0..words.len()).collect();
    let mut dice = Dice(how.seed);
    let total = (how.rounds * words.len()) as f32;
    let mut left = total;
    for _ in 0..how.rounds {
        dice.shuffle(&mut order);
        for at in &order {
            let word = &words[*at];
            let mut sums = [0.0; LANES];
            for feature in &word.features {
                let row = &now[*feature as usize & mask];
                for lane in 0..how.labels {
                    sums[lane] += row[lane];
                }
            }
            let best = (0..how.labels).fold(0, |a, b| if sums[b] > sums[a] { b } else { a });
            if best != word.label {
                for feature in &word.features {
                    let at = *feature as usize & mask;
                    now[at][word.label] += word.scale;
                    now[at][best] -= word.scale;
                    sum[at][word.label] += word.scale * left / total;
                    sum[at][best] -= word.scale * left / total;
                }
            }
            left -= 1.0;
        }
    }
    learn::Weights { rows: sum }.small([0; LANES])
}

fn score(model: &Model, set: &str, it: &Told) -> Scored {
    Scored {
        set: set.to_owned(),
        label: it.label,
        text: it.text.clone(),
        leads: sentence::read(model, &fold(&it.text)),
    }
}

/// Tells how each learner does.
pub(crate) fn run(
    reader: &Reader,
    how: Settings,
    evals: &Path,
    data: Option<&Path>,
) -> Result<(), String> {
    let how = reader.settings(how);
    let own = reader.own(how.seed);
    let seen = sets::seen(reader, evals)?;
    let spelt = sets::spelt(&seen, how.seed);
    let (public, _) = sets::public(reader, data)?;
    let learners: [(&str, Learner); 2] = [
        ("log-linear", logistic),
        ("averaged perceptron", perceptron),
    ];
    for (name, learner) in learners {
        let mut scored = Vec::new();
        let calm = || public.iter().filter(|it| it.learnt).map(|it| &it.told);
        let teach = |held: &BTreeSet<&str>| {
            let rest = own.iter().chain(&spelt);
            let rest = rest.filter(|it| !held.contains(it.family.as_str()));
            let all: Vec<Told> = rest.chain(calm()).cloned().collect();
            learner(&words(&all), how).ok_or("no model")
        };
        let families: BTreeSet<&str> = own.iter().map(|it| it.family.as_str()).collect();
        for fold in 0..FOLDS {
            let held: BTreeSet<&str> = families.iter().copied().skip(fold).step_by(FOLDS).collect();
            let model = teach(&held)?;
            let held = own.iter().filter(|it| held.contains(it.family.as_str()));
            scored.extend(held.map(|it| score(&model, "own, family held out", it)));
        }
        let files: BTreeSet<&str> = seen.iter().map(|it| it.family.as_str()).collect();
        for file in files {
            let model = teach(&BTreeSet::from([file]))?;
            let held = seen.iter().filter(|it| it.family == file);
            scored.extend(held.map(|it| score(&model, "evals, file held out", it)));
        }
        let model = teach(&BTreeSet::new())?;
        for it in public.iter().filter(|it| !it.learnt) {
            scored.push(score(&model, &it.told.family, &it.told));
        }
        print(reader, name, &scored);
    }
    Ok(())
}

fn print(reader: &Reader, name: &str, scored: &[Scored]) {
    println!("\n{} by {name}", reader.name);
    // Beside each label, any alarm at all, whichever is told.
    let any = reader.shape.labels.len();
    let alarms = reader.name == "alarms";
    let lead = |it: &Scored, label: usize| match label {
        _ if label < any => it.leads[label],
        _ => it.leads[1..5].iter().copied().max().unwrap_or(0),
    };
    let is =
        |it: &Scored, label: usize| it.label == label || label == any && (1..5).contains(&it.label);
    for label in 1..any + usize::from(alarms) {
        let name = reader.shape.labels.get(label).unwrap_or(&"any alarm");
        let mut calm: Vec<i32> = scored
            .iter()
            .filter(|it| it.label == 0 && !it.set.starts_with("own"))
            .map(|it| lead(it, label))
            .collect();
        calm.sort_unstable_by(|a, b| b.cmp(a));
        for allowed in ALLOWED {
            let at = calm.len() * allowed / 1000;
            let threshold = calm.get(at).copied().unwrap_or(0) + 1;
            let mut counts: BTreeMap<(&str, bool), (usize, usize)> = BTreeMap::new();
            for it in scored.iter().filter(|it| is(it, label) || it.label == 0) {
                let count = counts.entry((&it.set, is(it, label))).or_default();
                count.1 += 1;
                count.0 += usize::from(lead(it, label) >= threshold);
            }
            let told: Vec<String> = counts
                .iter()
                .map(|((set, right), (hit, all))| {
                    let kind = if *right { "found" } else { "false" };
                    format!("{set} {kind} {:.1} %", *hit as f64 * 100.0 / *all as f64)
                })
                .collect();
            println!(
                "  {name} at {allowed} false in 1,000 (lead {threshold}): {}",
                told.join(", ")
            );
        }
        if std::env::var_os("SENTENCES_SHOW").is_some() {
            let mut worst: Vec<&Scored> = scored.iter().filter(|it| it.label == 0).collect();
            worst.sort_by_key(|it| -lead(it, label));
            for it in worst.iter().take(25) {
                println!("    {} {} {}", lead(it, label), it.set, it.text);
            }
            let mut missed: Vec<&Scored> = scored.iter().filter(|it| is(it, label)).collect();
            missed.retain(|it| !it.set.starts_with("own"));
            missed.sort_by_key(|it| lead(it, label));
            for it in missed.iter().take(60) {
                println!("    missed {} {}", lead(it, label), it.text);
            }
        }
    }
}
