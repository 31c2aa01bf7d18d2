//! Trains the tagger: `cargo run --release --example train_tagger -- --data DIR --out guardrails/tagger.model`.
//!
//! The same seed, lists, templates and sets give the same bytes. `docs/tagger.md` tells the rest.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a desk: a mistake may end it"
)]

mod generate;
mod learn;
mod sets;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anteroom::guardrail::detect::tagger;
use anteroom::policy::Policy;
use anteroom::policy::tagger::LABELS;
use anteroom::policy::tagger::LANES;
use anteroom::policy::tagger::Model;

use crate::generate::Words;
use crate::generate::Writer;
use crate::learn::Settings;
use crate::learn::Word;
use crate::sets::Labelled;
use crate::sets::Part;

/// What a person asked for.
struct Arguments {
    data: Option<PathBuf>,
    out: PathBuf,
    settings: Settings,
    generated: usize,
    show: usize,
    explain: Option<String>,
}

const USAGE: &str = "use --data DIR, --out FILE, --generated N, --seed N, --bits N, --rounds N, --show N, --explain TEXT";

fn arguments() -> Result<Arguments, String> {
    let mut got = Arguments {
        data: None,
        out: PathBuf::from("guardrails/tagger.model"),
        settings: Settings {
            bits: 17,
            rounds: 6,
            rate: 0.1,
            decay: 3e-4,
            labels: LABELS.len(),
            seed: 20_261_125,
        },
        generated: 60_000,
        show: 0,
        explain: None,
    };
    let mut all = std::env::args().skip(1);
    while let Some(name) = all.next() {
        let value = all.next().ok_or_else(|| format!("{name} needs a value; {USAGE}"))?;
        let wrong = |error: &dyn std::fmt::Display| format!("{name} {value}: {error}");
        let number = || value.parse::<usize>().map_err(|error| wrong(&error));
        match name.as_str() {
            "--data" => got.data = Some(value.into()),
            "--out" => got.out = value.into(),
            "--generated" => got.generated = number()?,
            "--explain" => got.explain = Some(value.clone()),
            "--show" => got.show = number()?,
            "--seed" => got.settings.seed = number()? as u64,
            "--bits" => got.settings.bits = number()? as u32,
            "--rounds" => got.settings.rounds = number()?,
            _ => return Err(format!("{name} is unknown; {USAGE}")),
        }
    }
    Ok(got)
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("train_tagger: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let given = arguments()?;
    let policy = Policy::embedded().map_err(|error| error.to_string())?;
    if let Some(text) = &given.explain {
        for word in tagger::examples(&policy, text) {
            let (label, lead) = word.told;
            let told = if word.candidate { format!("{} by {lead}", LABELS[label]) } else { "-".to_owned() };
            println!("{:24} {told}", &text[word.span]);
        }
        return Ok(());
    }
    let words = Words::read();
    let mut writer = Writer::new(&words, given.settings.seed);
    if given.show > 0 {
        for it in (0..given.show).map(|_| writer.write()) {
            let spans = it.spans.iter().map(|(span, label)| (&it.text[span.clone()], LABELS[*label]));
            println!("{:?} {:?}", it.text, spans.collect::<Vec<_>>());
        }
        return Ok(());
    }
    let mut learnt = Vec::new();
    let mut tuning: Vec<Labelled> = Vec::new();
    for _ in 0..given.generated {
        let it = writer.write();
        add(&policy, &it, &mut learnt);
    }
    let mut used = Vec::new();
    for set in sets::SETS {
        let Some(read) = given.data.as_deref().map(|dir| sets::read(dir, set)).transpose()?.flatten() else {
            eprintln!("{}: not in the data folder, left out", set.name);
            used.push(format!("{} = \"left out\"", set.name));
            continue;
        };
        used.push(format!("{} = \"{}\"", set.name, read.digest));
        if set.quiet {
            let tune = read.texts.iter().filter(|(part, _)| *part == Part::Tune);
            tuning.extend(tune.map(|(_, it)| it.clone()));
        }
        let trained = read.texts.iter().filter(|(part, _)| *part == Part::Train).take(set.most);
        for (_, it) in trained {
            for _ in 0..set.times {
                add(&policy, it, &mut learnt);
            }
        }
    }
    eprintln!("learning from {} words", learnt.len());
    let weights = learn::learn(&learnt, given.settings);
    let draft = weights.small([0; LANES]).ok_or("the weights are no model")?;
    let thresholds = thresholds(&policy, &draft, &tuning);
    eprintln!("thresholds {thresholds:?}");
    let model = weights.small(thresholds).ok_or("the weights are no model")?;
    let bytes = model.to_bytes();
    fs::write(&given.out, &bytes).map_err(|error| format!("{}: {error}", given.out.display()))?;
    eprintln!("{}: {} bytes", given.out.display(), bytes.len());
    Ok(())
}

/// The words of a text that the tagger would look at, with their labels.
fn add(policy: &Policy, it: &Labelled, learnt: &mut Vec<Word>) {
    for word in tagger::examples(policy, &it.text) {
        if word.candidate {
            let at = word.span.start;
            let label = it.spans.iter().find(|(span, _)| span.contains(&at)).map_or(0, |it| it.1);
            learnt.push(Word {
                features: word.features,
                label,
            });
        }
    }
}

/// The most texts of a thousand in which a label may be told falsely when the thresholds are chosen.
const FALSE_IN_1000: usize = 1;
/// No threshold is below this, however quiet the tuning texts are.
const LEAST: i32 = 100;

/// For each label the smallest lead at which it is hardly ever told of a word that is nothing.
fn thresholds(policy: &Policy, model: &Model, tuning: &[Labelled]) -> [i32; LANES] {
    let mut wrong: [Vec<i32>; LANES] = Default::default();
    for it in tuning {
        for word in tagger::examples(policy, &it.text) {
            let at = word.span.start;
            let labelled = it.spans.iter().any(|(span, _)| span.contains(&at));
            if !word.candidate || labelled {
                continue;
            }
            let mut sums = [0; LANES];
            for feature in &word.features {
                model.add(*feature, &mut sums);
            }
            let (label, lead) = tagger::lead(&sums);
            let small = it.text[at..].starts_with(char::is_lowercase);
            // As the tagger does: a word written small must lead by twice as much.
            wrong[label].push(if small { lead / 2 } else { lead });
        }
    }
    let allowed = tuning.len() * FALSE_IN_1000 / 1000;
    wrong.map(|mut leads| {
        leads.sort_unstable_by(|a, b| b.cmp(a));
        let least = leads.get(allowed).copied().unwrap_or(0);
        least.max(LEAST)
    })
}
