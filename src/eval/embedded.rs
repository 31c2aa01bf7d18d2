//! The suites in the program; a test holds this list against the folder.

macro_rules! embedded {
    ($($path:literal),+ $(,)?) => {
        /// Path under `evals/`, and text.
        pub(super) const EMBEDDED: &[(&str, &str)] = &[$((
            $path,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/evals/", $path)),
        )),+];
    };
}

embedded![
    "clinical.yaml",
    "conduct.yaml",
    "consent.yaml",
    "guardrail/clinical.jsonl",
    "guardrail/conduct.jsonl",
    "guardrail/consent.jsonl",
    "guardrail/harmless.jsonl",
    "guardrail/identifiers.jsonl",
    "guardrail/obfuscated.jsonl",
    "guardrail/obfuscated_varied.jsonl",
    "guardrail/sensitive.jsonl",
    "guardrail/unseen_clinical.jsonl",
    "guardrail/unseen_conduct.jsonl",
    "guardrail/unseen_grounding.jsonl",
    "guardrail/unseen_harmless.jsonl",
    "guardrail/unseen_identifiers.jsonl",
    "harmless.yaml",
    "identifiers.yaml",
    "intents.yaml",
    "intents_held_out.yaml",
    "intents_held_out_2.yaml",
    "intents_held_out_3.yaml",
    "intents_round_1.yaml",
    "intents_second_reader.yaml",
    "obfuscated.yaml",
    "screen/gold.jsonl",
    "screen/held_out.jsonl",
    "screen/held_out_2.jsonl",
    "screen/held_out_3.jsonl",
    "screen/round_1.jsonl",
    "screen/round_2.jsonl",
    "screen/second_reader.jsonl",
    "sensitive.yaml",
    "stories.yaml",
];
