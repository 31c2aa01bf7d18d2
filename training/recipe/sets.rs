//! The public labelled sets: what each label teaches, and which fifth of a set is held out.

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde_json::Value;
use sha2::Digest as _;
use sha2::Sha256;

/// A text with what its stretches are.
#[derive(Clone)]
pub(crate) struct Labelled {
    pub(crate) text: String,
    /// Byte ranges and places in `LABELS`.
    pub(crate) spans: Vec<(Range<usize>, usize)>,
}

/// Which part of a set a text belongs to: `tests/python/quality.py` holds out the same fifth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Train,
    /// Chooses the thresholds.
    Tune,
    Held,
}

/// One public set.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    /// The most texts that are trained on, and how often each.
    pub(crate) most: usize,
    pub(crate) times: usize,
    /// Is what no label covers surely nothing, and in the voice of requests? Then it tunes thresholds.
    pub(crate) quiet: bool,
    /// Are only words written small sure to be nothing?
    pub(crate) small_only: bool,
    label: fn(&Value, &str, &str) -> Option<usize>,
}

pub(crate) const NONE: usize = 0;
pub(crate) const NAME: usize = 1;
pub(crate) const PROVIDER: usize = 2;
pub(crate) const PLACE: usize = 3;
pub(crate) const OTHER: usize = 4;
pub(crate) const CONDITION: usize = 5;
pub(crate) const MEDICINE: usize = 6;

pub(crate) const SETS: &[Set] = &[
    Set {
        name: "presidio_synth_v2",
        most: usize::MAX,
        times: 4,
        quiet: true,
        small_only: false,
        label: |_, label, _| match label {
            "PERSON" => Some(NAME),
            "STREET_ADDRESS" | "GPE" | "ZIP_CODE" => Some(PLACE),
            "ORGANIZATION" | "NRP" => Some(OTHER),
            _ => None,
        },
    },
    Set {
        name: "names_wnut17",
        most: usize::MAX,
        times: 1,
        quiet: false,
        small_only: false,
        label: |_, label, _| match label {
            "person" => Some(NAME),
            "location" => Some(PLACE),
            _ => Some(OTHER),
        },
    },
    Set {
        name: "sgd_appointments",
        most: 4000,
        times: 1,
        quiet: true,
        small_only: false,
        label: |_, label, _| match label {
            "doctor_name" | "dentist_name" | "city" | "street_address" | "address" => {
                Some(PROVIDER)
            }
            "stylist_name" => Some(OTHER),
            _ => None,
        },
    },
    Set {
        name: "bc5cdr",
        most: 4000,
        times: 1,
        quiet: false,
        small_only: false,
        label: |_, label, _| match label {
            "Disease" => Some(CONDITION),
            "Chemical" => Some(MEDICINE),
            _ => None,
        },
    },
    Set {
        name: "uon_appointments",
        most: usize::MAX,
        times: 2,
        quiet: false,
        small_only: false,
        label: |_, label, _| match label {
            "PATIENT_NAME" => Some(NAME),
            "APPT_REASON" => Some(CONDITION),
            _ => None,
        },
    },
    // Whoever is named in it is no label's; a word written small hardly ever names anybody.
    Set {
        name: "sms_uci",
        most: usize::MAX,
        times: 1,
        quiet: false,
        small_only: true,
        label: |_, _, _| None,
    },
    Set {
        name: "benign_clinc150",
        most: usize::MAX,
        times: 1,
        quiet: true,
        small_only: false,
        label: |_, _, _| None,
    },
];

/// What was read of a set.
pub(crate) struct Read {
    pub(crate) texts: Vec<(Part, Labelled)>,
    /// Hex SHA-256 of the file.
    pub(crate) digest: String,
}

/// Reads `name.jsonl` below `dir`; nothing when it is not there.
pub(crate) fn read(dir: &Path, set: &Set) -> Result<Option<Read>, String> {
    let path = dir.join(format!("{}.jsonl", set.name));
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    let mut texts = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("{}:{}: {what}", path.display(), number + 1);
        let row: Value = serde_json::from_str(line).map_err(|error| wrong(&error.to_string()))?;
        let words = row["text"]
            .as_str()
            .ok_or_else(|| wrong("`text` is missing"))?;
        let place = |at: &Value| {
            let at = usize::try_from(at.as_u64().unwrap_or(0)).unwrap_or(0);
            words.char_indices().nth(at).map_or(words.len(), |it| it.0)
        };
        let spans = row["spans"]
            .as_array()
            .ok_or_else(|| wrong("`spans` is missing"))?;
        let spans = spans.iter().filter_map(|span| {
            let range = place(&span["start"])..place(&span["end"]);
            let label = (set.label)(&row, span["label"].as_str()?, words.get(range.clone())?)?;
            Some((range, label))
        });
        let spans = spans.collect();
        let part = part_of(set.name, &row);
        texts.push((
            part,
            Labelled {
                text: words.to_owned(),
                spans,
            },
        ));
    }
    Ok(Some(Read { texts, digest }))
}

fn part_of(name: &str, row: &Value) -> Part {
    let labels = &row["labels"];
    let key = [&labels["template_id"], &labels["dialogue"], &row["id"]]
        .into_iter()
        .find(|it| !it.is_null());
    let key = match key {
        Some(Value::String(key)) => key.clone(),
        Some(key) => key.to_string(),
        None => String::new(),
    };
    let digest = Sha256::digest(format!("{name}/{key}"));
    match (digest[0] % 5, digest[1] % 8) {
        (0, _) => Part::Held,
        (_, 0) => Part::Tune,
        _ => Part::Train,
    }
}
