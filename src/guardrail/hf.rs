//! A user's own Hugging Face token-classification model as a voter: BERT, `DistilBERT`, `RoBERTa`.
//!
//! Built with the feature `hf` only. Pure: the folder is read by `policy::folder`.

use std::fmt;
use std::ops::Range;

use candle_core::DType;
use candle_core::Device;
use candle_core::Tensor;
use candle_nn::Linear;
use candle_nn::Module as _;
use candle_nn::VarBuilder;
use candle_transformers::models::bert;
use candle_transformers::models::distilbert;
use candle_transformers::models::xlm_roberta;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::Digest as _;
use sha2::Sha256;
use tokenizers::PostProcessor as _;
use tokenizers::Tokenizer;
use tokenizers::TruncationDirection;

use crate::guardrail::detect::voter::Vote;
use crate::guardrail::detect::voter::Voter;
use crate::guardrail::finding::Category;
use crate::policy::PolicyError;
use crate::policy::folder::IGNORE;
use crate::policy::folder::LABELS;
use crate::policy::folder::ModelFolder;

/// The architectures that can be loaded, by `model_type` in `config.json`.
pub const ARCHITECTURES: &[&str] = &["bert", "distilbert", "roberta", "xlm-roberta", "camembert"];
/// Tokens of one window; longer texts are read in several.
const WINDOW: usize = 512;

enum Encoder {
    Bert(bert::BertModel),
    Distil(distilbert::DistilBertModel),
    Roberta(xlm_roberta::XLMRobertaModel),
}

/// The model.
pub struct Model {
    encoder: Encoder,
    head: Linear,
    tokenizer: Tokenizer,
    /// What each label is; nothing for `O` and for what the map ignores.
    labels: Vec<Option<Category>>,
    threshold: f32,
    /// Tokens of one window, those that the tokenizer adds included.
    window: usize,
    digest: String,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({})", self.digest)
    }
}

impl Model {
    /// Makes a model of the files of a folder; says what is wrong, where, and how to mend it.
    pub fn new(folder: &ModelFolder) -> Result<Self, PolicyError> {
        let at = |file: &str| format!("{}/{file}", folder.dir.trim_end_matches('/'));
        let refuse = |file: &str, rule: &str, message: String, remedy: &str| {
            PolicyError::at(&at(file), 1, rule, &message, remedy)
        };
        let config = "config.json";
        let exported = "export the model again with `model.save_pretrained`";
        let json: Value = serde_json::from_slice(&folder.config)
            .map_err(|error| refuse(config, "config", error.to_string(), exported))?;
        let kind = json.get("model_type").and_then(Value::as_str).unwrap_or("");
        if !ARCHITECTURES.contains(&kind) {
            let remedy = format!(
                "use a token-classification model of: {}",
                ARCHITECTURES.join(", ")
            );
            let message = format!("the architecture `{kind}` is unknown");
            return Err(refuse(config, "model_type", message, &remedy));
        }
        let labels = labels(folder, &json)
            .map_err(|(file, rule, message, remedy)| refuse(file, &rule, message, &remedy))?;
        let mut tokenizer = Tokenizer::from_bytes(&folder.tokenizer).map_err(|error| {
            let remedy = "save the fast tokenizer again with `tokenizer.save_pretrained`";
            refuse("tokenizer.json", "tokenizer", error.to_string(), remedy)
        })?;
        let window = json
            .get("max_position_embeddings")
            .and_then(Value::as_u64)
            .and_then(|most| usize::try_from(most).ok())
            // RoBERTa's first positions are those of padding.
            .map_or(WINDOW, |most| most.saturating_sub(2).min(WINDOW));
        // Windows are cut here: a tokenizer that cuts stops reading at the first one.
        let cleared = tokenizer.with_truncation(None).map(|_| ());
        cleared.map_err(|error| {
            refuse(
                "tokenizer.json",
                "truncation",
                error.to_string(),
                "set its `truncation` to null",
            )
        })?;
        tokenizer.with_padding(None);
        let weights = "model.safetensors";
        let broken =
            |error: candle_core::Error| refuse(weights, "weights", first_line(&error), exported);
        let vars = VarBuilder::from_slice_safetensors(&folder.weights, DType::F32, &Device::Cpu)
            .map_err(broken)?;
        let hidden = json.get("hidden_size").or_else(|| json.get("dim"));
        let hidden = hidden
            .and_then(Value::as_u64)
            .and_then(|it| usize::try_from(it).ok());
        let hidden = hidden
            .ok_or_else(|| refuse(config, "hidden_size", "it is missing".to_owned(), exported))?;
        let misread =
            |error: serde_json::Error| refuse(config, "config", error.to_string(), exported);
        // Under its own prefix first, so that what is wrong there is what is told.
        let prefix = if kind.ends_with("bert") && kind != "camembert" {
            kind
        } else {
            "roberta"
        };
        let under = vars.pp(prefix);
        let vars_of = |word: &str| {
            if under.contains_tensor(word) {
                under.clone()
            } else {
                vars.clone()
            }
        };
        let inner = vars_of("embeddings.word_embeddings.weight");
        let encoder = match kind {
            "bert" => Encoder::Bert(
                bert::BertModel::load(inner, &configured(&json).map_err(misread)?)
                    .map_err(broken)?,
            ),
            "distilbert" => Encoder::Distil(
                distilbert::DistilBertModel::load(inner, &configured(&json).map_err(misread)?)
                    .map_err(broken)?,
            ),
            _ => Encoder::Roberta(
                xlm_roberta::XLMRobertaModel::new(&configured(&json).map_err(misread)?, inner)
                    .map_err(broken)?,
            ),
        };
        let head =
            candle_nn::linear(hidden, labels.len(), vars.pp("classifier")).map_err(|error| {
                let message = first_line(&error);
                refuse(
                    weights,
                    "classifier",
                    message,
                    "use a model with a token-classification head",
                )
            })?;
        let mut hash = Sha256::new();
        for part in [&folder.config, &folder.tokenizer, &folder.weights] {
            hash.update(part);
        }
        hash.update(format!("{:?}", folder.map));
        Ok(Self {
            encoder,
            head,
            tokenizer,
            labels,
            threshold: folder.map.threshold,
            window,
            digest: hex::encode(hash.finalize()),
        })
    }

    /// For each token of a window the best label and its probability.
    fn classify(&self, ids: &[u32]) -> candle_core::Result<Vec<(usize, f32)>> {
        let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
        let none = ids.zeros_like()?;
        let hidden = match &self.encoder {
            Encoder::Bert(model) => model.forward(&ids, &none, None)?,
            // Its mask marks what is not to be seen.
            Encoder::Distil(model) => model.forward(&ids, &none.to_dtype(DType::U8)?)?,
            Encoder::Roberta(model) => {
                let seen = ids.ones_like()?;
                model.forward(&ids, &seen, &none, None, None, None)?
            }
        };
        let logits = self.head.forward(&hidden)?;
        let shares = candle_nn::ops::softmax_last_dim(&logits)?.squeeze(0)?;
        let best = |row: &Vec<f32>| {
            let first = row.iter().copied().enumerate();
            first.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
        };
        Ok(shares.to_vec2::<f32>()?.iter().map(best).collect())
    }
}

impl Voter for Model {
    fn name(&self) -> &'static str {
        "hf"
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn vote(&self, text: &str) -> Result<Vec<Vote>, String> {
        let whole = self.tokenizer.encode(text, false);
        let mut first = whole.map_err(|error| error.to_string())?;
        let added = self.tokenizer.get_post_processor();
        let added = added.map_or(0, |it| it.added_tokens(false));
        let most = self.window.saturating_sub(added).max(8);
        first.truncate(most, most / 8, TruncationDirection::Right);
        let rest = first.take_overflowing();
        let mut votes: Vec<Vote> = Vec::new();
        for part in std::iter::once(first).chain(rest) {
            let window = self.tokenizer.post_process(part, None, true);
            let window = window.map_err(|error| error.to_string())?;
            let told = self
                .classify(window.get_ids())
                .map_err(|error| first_line(&error))?;
            for ((label, share), (start, end)) in told.iter().zip(window.get_offsets()) {
                let category = self.labels.get(*label).copied().flatten();
                let Some(category) = category.filter(|_| *share >= self.threshold && start < end)
                else {
                    continue;
                };
                join(text, &mut votes, category, *start..*end);
            }
        }
        Ok(votes)
    }
}

/// Adds a token to the vote before it when they are of one kind and only blanks part them.
fn join(text: &str, votes: &mut Vec<Vote>, category: Category, span: Range<usize>) {
    if let Some(last) = votes.last_mut() {
        let between = text.get(last.span.end..span.start);
        let touching = between.is_some_and(|it| it.chars().all(char::is_whitespace));
        if last.category == category && touching {
            last.span.end = span.end;
            return;
        }
    }
    votes.push(Vote { span, category });
}

type Wrong = (&'static str, String, String, String);

/// What each label of the model is, in the order of its numbers.
fn labels(folder: &ModelFolder, json: &Value) -> Result<Vec<Option<Category>>, Wrong> {
    let config = |message: &str| {
        let remedy = "use a model for token classification, with `id2label` in its config.json";
        (
            "config.json",
            "id2label".to_owned(),
            message.to_owned(),
            remedy.to_owned(),
        )
    };
    let table = json.get("id2label").and_then(Value::as_object);
    let table = table.ok_or_else(|| config("it is missing"))?;
    let mut out = Vec::with_capacity(table.len());
    for id in 0..table.len() {
        let label = table.get(&id.to_string()).and_then(Value::as_str);
        let label = label.ok_or_else(|| config("its numbers have a gap"))?;
        let bare = match label.split_once('-') {
            Some(("B" | "I" | "E" | "S" | "L" | "U", bare)) => bare,
            _ => label,
        };
        if bare == "O" {
            out.push(None);
            continue;
        }
        let Some(category) = folder.map.labels.get(bare) else {
            let remedy = format!(
                "add `{bare} = \"name\"` (a category) or `{bare} = \"{IGNORE}\"` under [labels]"
            );
            let message = format!("the model's label `{bare}` is unknown");
            return Err((LABELS, bare.to_owned(), message, remedy));
        };
        out.push(category.parse().ok().filter(|_| category != IGNORE));
    }
    Ok(out)
}

/// The configuration of an architecture, with the usual values where an old export lacks a key.
fn configured<T: DeserializeOwned>(json: &Value) -> Result<T, serde_json::Error> {
    let mut json = json.clone();
    if let Some(table) = json.as_object_mut() {
        let usual = serde_json::json!({
            "position_embedding_type": "absolute", "type_vocab_size": 2, "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
            "pad_token_id": 0,
        });
        for (key, value) in usual.as_object().into_iter().flatten() {
            table.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    serde_json::from_value(json)
}

/// The message without the trace that candle may add.
fn first_line(error: &candle_core::Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or("unreadable")
        .to_owned()
}
