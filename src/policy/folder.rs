//! A folder with a token-classification model of the user's own, read whole; what is missing is told.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::policy::CATEGORIES;
use crate::policy::PolicyError;

/// The file that maps the model's labels to our categories.
pub const LABELS: &str = "anteroom.toml";
/// The word for a label that is of no interest.
pub const IGNORE: &str = "ignore";
/// How sure a token must be when `anteroom.toml` does not say.
pub const THRESHOLD: f32 = 0.8;

/// The files of the folder.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    /// The folder, for messages.
    pub dir: String,
    /// `config.json`.
    pub config: Vec<u8>,
    /// `tokenizer.json`.
    pub tokenizer: Vec<u8>,
    /// `model.safetensors`.
    pub weights: Vec<u8>,
    /// `anteroom.toml`.
    pub map: LabelMap,
}

/// What each label of the model is to us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelMap {
    /// How sure a token must be, 0 to 1.
    #[serde(default = "threshold")]
    pub threshold: f32,
    /// By label without `B-`, `I-`, `E-`, `S-`: one of our categories, or `ignore`.
    pub labels: BTreeMap<String, String>,
}

const fn threshold() -> f32 {
    THRESHOLD
}

impl ModelFolder {
    /// Reads the four files.
    pub fn read(dir: &Path) -> Result<Self, PolicyError> {
        let file = |name: &str, remedy: &str| {
            let path = dir.join(name);
            std::fs::read(&path).map_err(|error| {
                let file = path.to_string_lossy();
                PolicyError::at(&file, 1, "model", &error.to_string(), remedy)
            })
        };
        let exported = "put the model's files as exported by Hugging Face into this folder";
        let config = file("config.json", exported)?;
        let tokenizer = file(
            "tokenizer.json",
            "save the fast tokenizer into this folder (`tokenizer.save_pretrained`)",
        )?;
        let weights = file(
            "model.safetensors",
            "save the weights as safetensors (`model.save_pretrained`), not as a .bin file",
        )?;
        let map = file(
            LABELS,
            "write it: a table [labels] with a line `PER = \"name\"` for each label of the model",
        )?;
        let path = dir.join(LABELS);
        let map = read_map(&path.to_string_lossy(), &map)?;
        Ok(Self {
            dir: dir.to_string_lossy().into_owned(),
            config,
            tokenizer,
            weights,
            map,
        })
    }
}

/// Reads the label map; `file` is its name for people.
pub fn read_map(file: &str, bytes: &[u8]) -> Result<LabelMap, PolicyError> {
    let refuse =
        |rule: &str, message: &str, remedy: &str| PolicyError::at(file, 1, rule, message, remedy);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| refuse("labels", &error.to_string(), "save it as UTF-8"))?;
    let map: LabelMap = toml::from_str(text).map_err(|error| {
        let line = crate::policy::rules::line_of(text, error.span().map_or(0, |span| span.start));
        let remedy = "give `threshold` (0 to 1) and a table [labels] of `LABEL = \"category\"`";
        PolicyError::at(file, line, "labels", error.message(), remedy)
    })?;
    if !(0.0..=1.0).contains(&map.threshold) {
        let message = format!("the threshold {} is not between 0 and 1", map.threshold);
        return Err(refuse(
            "threshold",
            &message,
            "write for example `threshold = 0.8`",
        ));
    }
    for (label, category) in &map.labels {
        if category != IGNORE && !CATEGORIES.contains(&category.as_str()) {
            let message = format!("the category `{category}` is unknown");
            let remedy = format!("use `{IGNORE}` or one of: {}", CATEGORIES.join(", "));
            return Err(refuse(label, &message, &remedy));
        }
    }
    Ok(map)
}
