//! How the readers of sentences are trained: our own texts, the seen sets of `evals/`, the calm of
//! public sets; weights, thresholds, provenance.
#![expect(
    clippy::cast_precision_loss,
    clippy::string_slice,
    reason = "counts are small; slices end where ASCII was found"
)]

// The tests have it already, with the tagger.
#[cfg(not(test))]
#[path = "../../recipe/learn.rs"]
#[expect(
    clippy::cast_possible_truncation,
    reason = "hashes and weights are cut to size on purpose"
)]
pub(crate) mod learn;
pub(crate) mod sets;
pub(crate) mod texts;

use std::fmt::Write as _;
use std::path::Path;

use anteroom::policy::fold::fold;
use anteroom::policy::linear::LANES;
use anteroom::policy::linear::Shape;
use anteroom::policy::sentence;
use sha2::Digest as _;
use sha2::Sha256;

#[cfg(test)]
pub(crate) use crate::tagger::recipe::learn;

pub(crate) use learn::Settings;
use learn::Word;
use texts::Told;

/// What one reader is made of.
pub(crate) struct Reader {
    /// Its name, and that of its file.
    pub(crate) name: &'static str,
    pub(crate) shape: &'static Shape,
    /// Our own texts.
    pub(crate) files: &'static [&'static str],
    pub(crate) bits: u32,
    /// How sure it must be to tell a label, and to ask a person to look.
    pub(crate) high: [i32; LANES],
    pub(crate) lower: [i32; LANES],
}

/// Both readers, with the thresholds that `--measure` led to.
pub(crate) const READERS: [Reader; 2] = [
    Reader {
        name: "alarms",
        shape: &sentence::ALARMS,
        files: &["alarms.txt", "calm.txt", "optout.txt"],
        bits: 17,
        high: [0, 5000, 2500, 1000, 2500, 3000, 0, 0],
        lower: [0, 500, -2000, -3500, -3500, -500, 0, 0],
    },
    Reader {
        name: "advice",
        shape: &sentence::ADVICE,
        files: &[
            "drafts.txt",
            "deeds_en.txt",
            "deeds_es.txt",
            "news_en.txt",
            "conduct.txt",
        ],
        bits: 16,
        high: [0, 3000, 2500, 800, 0, -1500, -2000, 0],
        lower: [0; LANES],
    },
];

/// The settings of the models in the program; `bits` and `labels` are the reader's.
pub(crate) const SETTINGS: Settings = Settings {
    bits: 17,
    rounds: 8,
    rate: 0.3,
    decay: 1e-4,
    labels: 0,
    seed: 20_261_126,
};

/// What training gives.
pub(crate) struct Trained {
    /// The model as a file.
    pub(crate) model: Vec<u8>,
    /// What it was made of, as TOML.
    pub(crate) provenance: String,
}

impl Reader {
    /// Our own texts, as people spell.
    pub(crate) fn own(&self, seed: u64) -> Vec<Told> {
        texts::write(self.files, self.shape.labels, seed, true)
    }

    /// How it learns.
    pub(crate) fn settings(&self, how: Settings) -> Settings {
        Settings {
            bits: how.bits.min(self.bits),
            labels: self.shape.labels.len(),
            ..how
        }
    }
}

/// Trains one reader on each `every`th text; public sets that `data` lacks are left out, and the provenance says so.
pub(crate) fn train(
    reader: &Reader,
    how: Settings,
    every: usize,
    evals: &Path,
    data: Option<&Path>,
) -> Result<Trained, String> {
    let how = reader.settings(how);
    let mut all: Vec<Told> = reader.own(how.seed).into_iter().step_by(every).collect();
    let own = all.len();
    let seen: Vec<Told> = sets::seen(reader, evals)?
        .into_iter()
        .step_by(every)
        .collect();
    all.extend(sets::spelt(&seen, how.seed));
    let seen = all.len() - own;
    let (public, used) = sets::public(reader, data)?;
    all.extend(public.into_iter().filter(|it| it.learnt).map(|it| it.told));
    let words = words(&all);
    let model = learn::learn(&words, how)
        .small([0; LANES])
        .ok_or("the rows are no power of two")?
        .with_thresholds(reader.high, reader.lower);
    let model = model.write(reader.shape);
    let mut provenance = format!(
        "[{}]\nmodel = \"{}\"\nseed = {}\nbits = {}\nrounds = {}\nrate = {}\ndecay = {}\n\
         own_texts = {own}\nseen_texts = {seen}\nstretches = {}\n",
        reader.name,
        digest(&model),
        how.seed,
        how.bits,
        how.rounds,
        how.rate,
        how.decay,
        words.len(),
    );
    for (name, text) in texts::SOURCES {
        if reader.files.contains(name) || *name == "groups.txt" {
            let line = writeln!(provenance, "\"{name}\" = \"{}\"", digest(text.as_bytes()));
            line.map_err(|error| error.to_string())?;
        }
    }
    provenance.push_str(&used);
    Ok(Trained { model, provenance })
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What is learnt of each text: the whole where it is short, and of a harmless one every sentence too.
pub(crate) fn words(all: &[Told]) -> Vec<Word> {
    let mut out = Vec::new();
    for it in all {
        let folded = fold(&it.text);
        let count = it.text.split_whitespace().count();
        if count <= sentence::WHOLE_WORDS_MAX {
            out.push(word(sentence::whole(&folded), it.label));
        }
        let stretches = sentence::stretches(&folded);
        if it.label == 0 && stretches.len() > 1 {
            out.extend(stretches.into_iter().map(|features| word(features, 0)));
        }
    }
    out
}

fn word(features: Vec<u32>, label: usize) -> Word {
    let scale = 1.0 / (features.len().max(1) as f32).sqrt();
    Word {
        features,
        label,
        scale,
    }
}
