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
    threshold: f32,
    show: usize,
}

const USAGE: &str = "use --data DIR, --out FILE, --generated N, --seed N, --bits N, --rounds N, --threshold X, --show N";

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
        threshold: 2.5,
        show: 0,
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
            "--show" => got.show = number()?,
            "--seed" => got.settings.seed = number()? as u64,
            "--bits" => got.settings.bits = number()? as u32,
            "--rounds" => got.settings.rounds = number()?,
            "--threshold" => got.threshold = value.parse().map_err(|error| wrong(&error))?,
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
    for _ in 0..given.generated {
        add(&policy, &writer.write(), &mut learnt);
    }
    let mut used = Vec::new();
    for set in sets::SETS {
        let Some(read) = given.data.as_deref().map(|dir| sets::read(dir, set)).transpose()?.flatten() else {
            eprintln!("{}: not in the data folder, left out", set.name);
            used.push(format!("{} = \"left out\"", set.name));
            continue;
        };
        used.push(format!("{} = \"{}\"", set.name, read.digest));
        let trained = read.texts.iter().filter(|(part, _)| *part == Part::Train).take(set.most);
        for (_, it) in trained {
            for _ in 0..set.times {
                add(&policy, it, &mut learnt);
            }
        }
    }
    eprintln!("learning from {} words", learnt.len());
    let weights = learn::learn(&learnt, given.settings);
    let model = weights.small([given.threshold; LANES]).ok_or("the weights are no model")?;
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
