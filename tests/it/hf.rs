//! A user's own token-classification model as a voter: tiny models whose weights tag two words.

#![cfg(test)]

use std::fs;
use std::path::Path;

use tempfile::TempDir;

#[cfg(not(feature = "hf"))]
#[test]
fn a_program_without_the_feature_says_how_to_get_it() {
    let dir = TempDir::new().unwrap();
    let (code, _, told) = detect(dir.path(), "hello");
    assert_eq!(code, Some(2));
    assert!(told.contains("--features hf"), "{told}");
}

/// Exit code, output and errors of `anteroom detect` with the model in `dir`.
fn detect(dir: &Path, text: &str) -> (Option<i32>, String, String) {
    // Not in the model's folder: its map has the name of the program's own configuration.
    let here = TempDir::new().unwrap();
    let done = crate::support::server::anteroom(here.path())
        .args(["detect", "--text", text, "--token-model"])
        .arg(dir)
        .output()
        .unwrap();
    let words = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), words(done.stdout), words(done.stderr))
}

#[test]
fn a_folder_without_its_files_and_a_map_with_a_mistake_are_refused() {
    use anteroom::policy::folder::{ModelFolder, read_map};

    let dir = TempDir::new().unwrap();
    for (file, remedy) in [
        ("config.json", "Hugging Face"),
        ("tokenizer.json", "save_pretrained"),
        ("model.safetensors", "safetensors"),
        ("anteroom.toml", "[labels]"),
    ] {
        let error = ModelFolder::read(dir.path()).unwrap_err();
        assert!(error.file.ends_with(file), "{error}");
        assert!(error.remedy.contains(remedy), "{error}");
        fs::write(dir.path().join(file), "").unwrap();
    }
    for (map, part, remedy) in [
        ("threshold = 2\n[labels]\n", "not between 0 and 1", "0.8"),
        (
            "[labels]\nPER = \"person\"\n",
            "category `person` is unknown",
            "other_unique",
        ),
        ("[labels]\nPER = 3\n", "expected a string", "[labels]"),
        ("[lables]\n", "unknown field", "[labels]"),
    ] {
        let error = read_map("anteroom.toml", map.as_bytes()).unwrap_err();
        assert!(error.message.contains(part), "{error}");
        assert!(error.remedy.contains(remedy), "{error}");
    }
    let map = read_map(
        "anteroom.toml",
        b"[labels]\nPER = \"name\"\nMISC = \"ignore\"\n",
    )
    .unwrap();
    assert_eq!(map.labels.len(), 2);
}

#[cfg(feature = "hf")]
mod with_candle {
    use std::collections::HashMap;
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use anteroom::guardrail::finding::Category;
    use anteroom::guardrail::hf::Model;
    use anteroom::guardrail::review::Guardrail;
    use anteroom::policy::PolicyError;
    use anteroom::policy::folder::ModelFolder;
    use candle_core::{Device, Tensor};
    use serde_json::{Value, json};
    use tempfile::TempDir;

    const WIDTH: usize = 8;
    const POSITIONS: usize = 40;
    const WORDS: &[&str] = &[
        "<s>", "<pad>", "</s>", "<unk>", "umbrella", "window", "your",
    ];
    const KINDS: &[&str] = &["bert", "distilbert", "roberta"];

    fn config(kind: &str) -> Value {
        json!({
            "model_type": kind, "vocab_size": WORDS.len(), "max_position_embeddings": POSITIONS,
            "hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 1,
            "intermediate_size": WIDTH, "hidden_act": "gelu", "pad_token_id": 1,
            "dim": WIDTH, "n_layers": 1, "n_heads": 1, "hidden_dim": WIDTH, "activation": "gelu",
            "id2label": {"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-LOC"},
        })
    }

    /// Weights of nothing, but that `umbrella` points along the first axis and `window` along the second.
    fn weights(kind: &str, path: &Path) {
        let mut all: HashMap<String, Tensor> = HashMap::new();
        let mut put = |name: String, shape: &[usize], value: f32| {
            all.insert(name, Tensor::full(value, shape, &Device::Cpu).unwrap());
        };
        let (matrix, row) = (&[WIDTH, WIDTH][..], &[WIDTH][..]);
        let embeddings = format!("{kind}.embeddings");
        put(
            format!("{embeddings}.position_embeddings.weight"),
            &[POSITIONS, WIDTH],
            0.0,
        );
        put(
            format!("{embeddings}.token_type_embeddings.weight"),
            &[2, WIDTH],
            0.0,
        );
        let (layer, dense, norms): (String, &[&str], &[&str]) = if kind == "distilbert" {
            (
                format!("{kind}.transformer.layer.0"),
                &[
                    "attention.q_lin",
                    "attention.k_lin",
                    "attention.v_lin",
                    "attention.out_lin",
                    "ffn.lin1",
                    "ffn.lin2",
                ],
                &["sa_layer_norm", "output_layer_norm"],
            )
        } else {
            (
                format!("{kind}.encoder.layer.0"),
                &[
                    "attention.self.query",
                    "attention.self.key",
                    "attention.self.value",
                    "attention.output.dense",
                    "intermediate.dense",
                    "output.dense",
                ],
                &["attention.output.LayerNorm", "output.LayerNorm"],
            )
        };
        for name in dense {
            put(format!("{layer}.{name}.weight"), matrix, 0.0);
            put(format!("{layer}.{name}.bias"), row, 0.0);
        }
        let norms = norms.iter().map(|name| format!("{layer}.{name}"));
        for name in norms.chain([format!("{embeddings}.LayerNorm")]) {
            put(format!("{name}.weight"), row, 1.0);
            put(format!("{name}.bias"), row, 0.0);
        }
        let mut words = vec![0.0_f32; WORDS.len() * WIDTH];
        words[4 * WIDTH] = 9.0;
        words[5 * WIDTH + 1] = 9.0;
        let words = Tensor::from_vec(words, (WORDS.len(), WIDTH), &Device::Cpu).unwrap();
        all.insert(format!("{embeddings}.word_embeddings.weight"), words);
        let mut head = vec![0.0_f32; 4 * WIDTH];
        head[WIDTH] = 9.0;
        head[3 * WIDTH + 1] = 9.0;
        let head = Tensor::from_vec(head, (4, WIDTH), &Device::Cpu).unwrap();
        all.insert("classifier.weight".to_owned(), head);
        let bias = Tensor::new(&[0.0_f32, -9.0, -9.0, -9.0], &Device::Cpu).unwrap();
        all.insert("classifier.bias".to_owned(), bias);
        candle_core::safetensors::save(&all, path).unwrap();
    }

    fn tokenizer() -> Value {
        let vocab: serde_json::Map<String, Value> = WORDS
            .iter()
            .enumerate()
            .map(|(id, word)| ((*word).to_owned(), id.into()))
            .collect();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": null, "decoder": null,
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
        })
    }

    const MAP: &str = "threshold = 0.9\n[labels]\nPER = \"name\"\nLOC = \"geographic\"\n";

    fn folder(kind: &str) -> TempDir {
        let dir = TempDir::new().unwrap();
        let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
        write("config.json", config(kind).to_string());
        write("tokenizer.json", tokenizer().to_string());
        write("anteroom.toml", MAP.to_owned());
        weights(kind, &dir.path().join("model.safetensors"));
        dir
    }

    fn model(dir: &Path) -> Result<Model, PolicyError> {
        Model::new(&ModelFolder::read(dir)?)
    }

    fn found(guardrail: &Guardrail, text: &str) -> Vec<(Category, String)> {
        let all = guardrail.detect(text).into_iter();
        all.map(|it| (it.category, text[it.span].to_owned()))
            .collect()
    }

    #[test]
    fn each_architecture_votes_where_its_weights_say() {
        for kind in KINDS {
            let dir = folder(kind);
            let plain = Guardrail::embedded().unwrap();
            let guardrail = Guardrail::embedded().unwrap();
            let guardrail = guardrail.with_voter(Arc::new(model(dir.path()).unwrap()));
            assert_ne!(
                plain.digest(),
                guardrail.digest(),
                "{kind}: the digest covers the voter"
            );
            let text = "we left the umbrella umbrella at the desk, near a window too";
            assert!(found(&plain, text).is_empty(), "{kind}");
            assert_eq!(
                found(&guardrail, text),
                [
                    (Category::Name, "umbrella umbrella".to_owned()),
                    (Category::Geographic, "window".to_owned())
                ],
                "{kind}"
            );
            let finding = guardrail.detect(text).into_iter().next().unwrap();
            let evidence = finding.evidence.iter().next().unwrap();
            assert_eq!(
                (evidence.kind, evidence.name.as_str()),
                ("tagger", "hf"),
                "{kind}"
            );
            // Behind more words than one window holds, and behind letters of more than one byte.
            let long = format!("{} ñandú UMBRELLA.", "hay sitio ".repeat(60));
            let last = found(&guardrail, &long).pop();
            assert_eq!(
                last,
                Some((Category::Name, "UMBRELLA".to_owned())),
                "{kind}"
            );
            for text in ["", " ", "\u{200b}", "💊", "umbrella"] {
                assert_eq!(
                    found(&guardrail, text),
                    found(&guardrail, text),
                    "{kind} {text:?}"
                );
            }
        }
    }

    #[test]
    fn the_command_line_takes_the_folder() {
        let dir = folder("bert");
        let (code, out, told) = super::detect(dir.path(), "a umbrella was left");
        assert_eq!(code, Some(1), "{told}");
        assert!(out.contains("\"name\":\"hf\""), "{out}");
    }

    type Break = fn(&Path);

    #[test]
    fn a_model_that_cannot_be_used_is_refused_with_place_and_remedy() {
        let set = |dir: &Path, key: &str, value: Value| {
            let mut json = config("bert");
            json[key] = value;
            fs::write(dir.join("config.json"), json.to_string()).unwrap();
        };
        let cases: &[(Break, &str, &str, &str)] = &[
            (
                |dir| fs::write(dir.join("config.json"), "{").unwrap(),
                "config.json",
                "EOF",
                "export",
            ),
            (
                |dir| fs::write(dir.join("tokenizer.json"), "{}").unwrap(),
                "tokenizer.json",
                "",
                "save_pretrained",
            ),
            (
                |dir| fs::write(dir.join("model.safetensors"), "short").unwrap(),
                "model.safetensors",
                "",
                "export",
            ),
            (
                |dir| fs::write(dir.join("anteroom.toml"), "[labels]\nPER = \"name\"\n").unwrap(),
                "anteroom.toml",
                "label `LOC` is unknown",
                "LOC = \"ignore\"",
            ),
        ];
        for (spoil, file, part, remedy) in cases {
            let dir = folder("bert");
            spoil(dir.path());
            let error = model(dir.path()).unwrap_err();
            assert!(error.file.ends_with(file), "{error}");
            assert!(
                error.message.contains(part) && error.remedy.contains(remedy),
                "{error}"
            );
        }
        for (key, value, part) in [
            (
                "model_type",
                json!("llama"),
                "architecture `llama` is unknown",
            ),
            ("id2label", Value::Null, "missing"),
            ("id2label", json!({"0": "O", "2": "B-PER"}), "gap"),
            ("vocab_size", json!(99), "shape"),
        ] {
            let dir = folder("bert");
            set(dir.path(), key, value);
            let error = model(dir.path()).unwrap_err();
            assert!(error.message.contains(part), "{key}: {error}");
            assert!(!error.remedy.is_empty(), "{error}");
        }
    }
}
