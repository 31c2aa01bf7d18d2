//! How the tagger is trained: texts from templates and public sets, weights, thresholds, provenance.
#![expect(
    clippy::cast_possible_truncation,
    clippy::string_slice,
    reason = "hashes and weights are cut to size on purpose; slices end where ASCII was found"
)]

mod generate;
pub(crate) mod learn;
mod sets;

use std::fmt::Write as _;
use std::path::Path;

use anteroom::guardrail::detect::tagger;
use anteroom::policy::Policy;
use anteroom::policy::tagger::LABELS;
use anteroom::policy::tagger::LANES;
use anteroom::policy::tagger::Model;
use sha2::Digest as _;
use sha2::Sha256;

use generate::Words;
use generate::Writer;
pub(crate) use learn::Settings;
use learn::Word;
use sets::Labelled;
use sets::Part;

/// The most texts of a thousand in which a label may be told falsely when thresholds are chosen.
const FALSE_IN_1000: usize = 1;
/// No threshold is below this, however quiet the tuning texts are.
const LEAST: [i32; LANES] = [100, 100, 100, 100, 100, 200, 200, 100];

/// The settings of the model in the program.
pub(crate) const SETTINGS: Settings = Settings {
    bits: 17,
    rounds: 6,
    rate: 0.1,
    decay: 3e-4,
    labels: LABELS.len(),
    seed: 20_261_125,
};
/// How many texts are written from templates for it.
pub(crate) const GENERATED: usize = 60_000;

/// What training gives.
pub(crate) struct Trained {
    /// The model as a file.
    pub(crate) model: Vec<u8>,
    /// What it was made of, as TOML.
    pub(crate) provenance: String,
}

/// Trains a model; sets that `data` lacks are left out, and the provenance says so.
pub(crate) fn train(
    policy: &Policy,
    how: Settings,
    generated: usize,
    data: Option<&Path>,
) -> Result<Trained, String> {
    let words = Words::read();
    let mut writer = Writer::new(&words, how.seed);
    let mut learnt = Vec::new();
    for _ in 0..generated {
        add(policy, &writer.write(), false, &mut learnt);
    }
    let mut tuning = Vec::new();
    let mut used = Vec::new();
    for set in sets::SETS {
        let read = data.map(|dir| sets::read(dir, set)).transpose()?.flatten();
        let Some(read) = read else {
            used.push(format!("{} = \"left out\"", set.name));
            continue;
        };
        used.push(format!("{} = \"{}\"", set.name, read.digest));
        let part = |wanted: Part| read.texts.iter().filter(move |(part, _)| *part == wanted);
        if set.quiet {
            tuning.extend(part(Part::Tune).map(|(_, it)| it.clone()));
        }
        for (_, it) in part(Part::Train).take(set.most) {
            for _ in 0..set.times {
                add(policy, it, set.small_only, &mut learnt);
            }
        }
    }
    if tuning.is_empty() {
        tuning.extend((0..generated / 10).map(|_| writer.write()));
    }
    let weights = learn::learn(&learnt, how);
    let draft = weights
        .small([0; LANES])
        .ok_or("the weights are no model")?;
    let thresholds = thresholds(policy, &draft, &tuning);
    let model = weights
        .small(thresholds)
        .ok_or("the weights are no model")?;
    let model = model.to_bytes();
    let mut provenance = format!(
        "# Written by `make tagger`: what guardrails/tagger.model was trained from.\n\n\
         model = \"{}\"\nseed = {}\nbits = {}\nrounds = {}\nrate = {}\ndecay = {}\n\
         generated_texts = {generated}\nwords = {}\nthresholds = {:?}\n\n\
         # SHA-256 of each public set; a fifth of each is held out (sets.rs).\n[sets]\n{}\n\n\
         # SHA-256 of the templates, and of the lists that fill them and explain words.\n[sources]\n",
        digest(&model),
        how.seed,
        how.bits,
        how.rounds,
        how.rate,
        how.decay,
        learnt.len(),
        thresholds.get(..LABELS.len()).unwrap_or(&thresholds),
        used.join("\n"),
    );
    for (name, text) in generate::SOURCES {
        writeln!(provenance, "\"{name}\" = \"{}\"", digest(text.as_bytes()))
            .map_err(|error| error.to_string())?;
    }
    Ok(Trained { model, provenance })
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The words of a text that the tagger would look at, with their labels.
fn add(policy: &Policy, it: &Labelled, small_only: bool, learnt: &mut Vec<Word>) {
    for word in tagger::examples(policy, &it.text) {
        let at = word.span.start;
        let left_out = small_only && !it.text[at..].starts_with(char::is_lowercase);
        if word.candidate && !left_out {
            let span = it.spans.iter().find(|(span, _)| span.contains(&at));
            learnt.push(Word {
                features: word.features,
                label: span.map_or(0, |it| it.1),
                scale: 1.0,
            });
        }
    }
}

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
            // As the tagger does: a word written small must lead by twice as much.
            let small = it.text[at..].starts_with(char::is_lowercase);
            wrong[label].push(if small { lead / 2 } else { lead });
        }
    }
    let allowed = tuning.len() * FALSE_IN_1000 / 1000;
    let mut out = LEAST;
    for (leads, least) in wrong.iter_mut().zip(&mut out) {
        leads.sort_unstable_by(|a, b| b.cmp(a));
        *least = leads.get(allowed).copied().unwrap_or(0).max(*least);
    }
    out
}
