//! Texts that others than the templates gave: the seen sets of `evals/`, and the calm of public sets.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Reader;
use super::digest;
use super::learn::Dice;
use super::texts::Told;
use super::texts::misspell;

/// A text of a public set; half of them are never learnt from.
pub(crate) struct Public {
    pub(crate) learnt: bool,
    pub(crate) told: Told,
}

/// The files of `evals/` that a reader learns from.
const SEEN_ALARMS: [&str; 8] = [
    "screen/gold.jsonl",
    "screen/held_out.jsonl",
    "screen/held_out_2.jsonl",
    "screen/held_out_3.jsonl",
    "screen/round_1.jsonl",
    "screen/round_2.jsonl",
    "screen/second_reader.jsonl",
    "screen/unseen.jsonl",
];
const SEEN_ADVICE: [&str; 13] = [
    "guardrail/unseen_conduct.jsonl",
    "guardrail/unseen_harmless.jsonl",
    "guardrail/unseen_clinical.jsonl",
    "guardrail/unseen_grounding.jsonl",
    "guardrail/unseen_identifiers.jsonl",
    "guardrail/harmless.jsonl",
    "guardrail/conduct.jsonl",
    "guardrail/clinical.jsonl",
    "guardrail/identifiers.jsonl",
    "guardrail/obfuscated.jsonl",
    "guardrail/obfuscated_varied.jsonl",
    "guardrail/sensitive.jsonl",
    "advice/unseen.jsonl",
];

/// Copies of a seen text, spelt as people spell.
const COPIES: usize = 3;

/// The public sets, none of which alarms or advises.
const PUBLIC_ALARMS: [&str; 4] = ["sms_uci", "meqsum", "benign_clinc150", "sgd_appointments"];
const PUBLIC_ADVICE: [&str; 2] = ["sgd_appointments", "benign_clinc150"];

fn rows(path: &Path) -> Result<Vec<Value>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| told(&error))?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| told(&error)))
        .collect()
}

/// The seen sets, each a family of its own.
pub(crate) fn seen(reader: &Reader, evals: &Path) -> Result<Vec<Told>, String> {
    let alarms = reader.name == "alarms";
    let files: &[&str] = if alarms { &SEEN_ALARMS } else { &SEEN_ADVICE };
    let mut all = Vec::new();
    for file in files {
        for row in rows(&evals.join(file))? {
            let told = if alarms {
                alarm(reader, &row)
            } else {
                draft(reader, &row)
            };
            all.extend(told.map(|(text, label)| Told {
                text,
                label,
                family: (*file).to_owned(),
            }));
        }
    }
    Ok(all)
}

/// The same texts and copies of them, spelt as people spell.
pub(crate) fn spelt(seen: &[Told], seed: u64) -> Vec<Told> {
    let mut dice = Dice(seed);
    let mut all = Vec::new();
    for it in seen {
        all.push(it.clone());
        all.extend((0..COPIES).map(|_| Told {
            text: misspell(&it.text, &mut dice),
            ..it.clone()
        }));
    }
    all
}

fn alarm(reader: &Reader, row: &Value) -> Option<(String, usize)> {
    let text = row["text"].as_str()?.to_owned();
    let kind = row["id"].as_str()?.rsplit_once('-')?.0;
    if matches!(kind, "harm" | "both" | "crossed") {
        return None;
    }
    let place = |name: &str| reader.shape.labels.iter().position(|it| *it == name);
    if kind == "abuse" {
        return Some((text, place("abuse")?));
    }
    let expect = &row["expect"];
    let Some(any) = expect.as_array() else {
        return Some((text, place(expect.as_str()?).unwrap_or(0)));
    };
    // What may be read in two ways is no teacher, but two kinds of alarm are one alarm.
    let alarms = |it: &Value| matches!(it.as_str(), Some("emergency" | "crisis" | "poison"));
    let mixed = any.iter().any(|it| alarms(it) || it == "opt_out") && !any.iter().all(alarms);
    if any.len() > 1 && mixed {
        return None;
    }
    let expected = any.first()?.as_str()?;
    Some((text, place(expected).unwrap_or(0)))
}

fn draft(reader: &Reader, row: &Value) -> Option<(String, usize)> {
    let text = row["draft"].as_str()?.to_owned();
    let expect = &row["expect"];
    let place = |name: &str| reader.shape.labels.iter().position(|it| *it == name);
    if let Some(expected) = expect.as_str() {
        return Some((text, place(expected).unwrap_or(0)));
    }
    let categories = expect["categories"].as_array();
    let has = |name: &str| categories.is_some_and(|all| all.iter().any(|it| it == name));
    let told = [
        ("medical_advice", "advice"),
        ("ungrounded_claim", "deed"),
        ("human_claim", "person"),
        ("license_claim", "person"),
    ];
    if let Some((_, label)) = told.iter().find(|(category, _)| has(category)) {
        return Some((text, place(label)?));
    }
    // With a receipt at hand a deed is told rightly; without it the same words are a claim.
    let facts = row["context"]["facts"].as_array();
    let receipt = |it: &Value| {
        it["field"]
            .as_str()
            .is_some_and(|it| it.starts_with("receipt."))
    };
    if facts.is_some_and(|all| all.iter().any(receipt)) {
        return None;
    }
    match expect["verdict"].as_str()? {
        // A value or a child may be told in so many ways that a rule cuts: they teach nothing of news.
        "rewrite" if has("lab_value") || has("pregnancy") => None,
        "pass" | "rewrite" => Some((text, 0)),
        _ => None,
    }
}

/// Do words of a turn claim a deed? Such turns of a public set, whose receipts nobody knows, are left out.
fn claims(text: &str) -> bool {
    let text = text.to_lowercase();
    let deeds = [
        "booked",
        "scheduled",
        "reserved",
        "confirmed",
        "made your",
        "made an",
        "made the",
        "set up",
        "cancelled",
        "canceled",
        "all set",
        "i have",
        "i've",
        "i made",
        "done",
        "will be expecting",
    ];
    deeds.iter().any(|it| text.contains(it))
}

/// The public sets and what the provenance tells of them.
pub(crate) fn public(
    reader: &Reader,
    data: Option<&Path>,
) -> Result<(Vec<Public>, String), String> {
    let alarms = reader.name == "alarms";
    let sets: &[&'static str] = if alarms {
        &PUBLIC_ALARMS
    } else {
        &PUBLIC_ADVICE
    };
    let mut all = Vec::new();
    let mut used = String::new();
    for set in sets {
        let path = data.map(|dir| dir.join(format!("{set}.jsonl")));
        let Some(path) = path.filter(|path| path.is_file()) else {
            writeln!(used, "{set} = \"left out\"").map_err(|error| error.to_string())?;
            continue;
        };
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        writeln!(used, "{set} = \"{}\"", digest(&bytes)).map_err(|error| error.to_string())?;
        for row in rows(&path)? {
            let labels = &row["labels"];
            let system = labels["speaker"] == "system";
            let spam = labels["spam"] == true || labels["mentions_stop"] == true;
            let other = *set == "sgd_appointments" && system == alarms;
            let (Some(text), Some(id)) = (row["text"].as_str(), row["id"].as_str()) else {
                continue;
            };
            let claimed = !alarms && *set == "sgd_appointments" && claims(text);
            if spam || other || claimed {
                continue;
            }
            all.push(Public {
                learnt: half(id),
                told: Told {
                    text: text.to_owned(),
                    label: 0,
                    family: (*set).to_owned(),
                },
            });
        }
    }
    Ok((all, used))
}

/// Whether a text is of the half that is learnt from.
fn half(id: &str) -> bool {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) % 2 == 0
}
