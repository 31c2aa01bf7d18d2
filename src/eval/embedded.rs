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
    "accessibility.yaml",
    "clinical.yaml",
    "conduct.yaml",
    "consent.yaml",
    "conversations/cancelling.yaml",
    "conversations/channels.yaml",
    "conversations/consent.yaml",
    "conversations/corrections.yaml",
    "conversations/hostile.yaml",
    "conversations/moving.yaml",
    "conversations/opting_out.yaml",
    "conversations/reaching_out.yaml",
    "conversations/safety.yaml",
    "conversations/shared_phones.yaml",
    "conversations/spanish.yaml",
    "conversations/staff.yaml",
    "conversations/visits.yaml",
    "exfiltration.yaml",
    "guardrail/clinical.jsonl",
    "guardrail/conduct.jsonl",
    "guardrail/consent.jsonl",
    "guardrail/harmless.jsonl",
    "guardrail/identifiers.jsonl",
    "guardrail/obfuscated.jsonl",
    "guardrail/sensitive.jsonl",
    "harmless.yaml",
    "identifiers.yaml",
    "injection.yaml",
    "intents.yaml",
    "intents_held_out.yaml",
    "intents_held_out_2.yaml",
    "intents_held_out_3.yaml",
    "intents_second_reader.yaml",
    "keywords.yaml",
    "mosaic.yaml",
    "obfuscated.yaml",
    "overlays.yaml",
    "parity.yaml",
    "screen/gold.jsonl",
    "screen/held_out.jsonl",
    "screen/held_out_2.jsonl",
    "screen/held_out_3.jsonl",
    "screen/second_reader.jsonl",
    "sensitive.yaml",
    "stories.yaml",
];
