//! Tests of prompts: every template renders in both languages, short and plain; staff's text is checked.

#![cfg(test)]

mod cleared;

use anteroom::agent::prompts::{PromptError, Prompts};
use anteroom::agent::sayings;
use anteroom::policy::words::Language;

/// GSM 03.38 basic set; other characters make a text UCS-2 with 70 characters a segment.
const GSM7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

fn rendered(language: Language, name: &str) -> String {
    let folder = env!("CARGO_MANIFEST_DIR");
    let source =
        std::fs::read_to_string(format!("{folder}/prompts/{language}/{name}.tera")).unwrap();
    let sample = sayings::ALL
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap()
        .1();
    let context = tera::Context::from_serialize(&sample).unwrap();
    tera::Tera::one_off(&source, &context, false)
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn every_saying_renders_short_and_plain_in_both_languages() {
    Prompts::embedded().unwrap();
    let mut wrong = Vec::new();
    for (name, _) in sayings::ALL.iter().filter(|(name, _)| *name != "system") {
        for language in [Language::En, Language::Es] {
            let text = rendered(language, name);
            let length = text.chars().count();
            let segments_fit = length <= 306;
            let plain = language == Language::Es || text.chars().all(|c| GSM7.contains(c));
            let bare_keyword = text.contains("Reply CANCEL") || text.contains("Responda CANCELAR");
            let left_over = text.contains('{') || text.contains("  ") || text.is_empty();
            if !segments_fit || !plain || bare_keyword || left_over {
                wrong.push(format!("{language}/{name} ({length}): {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_wording_of_deeds_stands() {
    for (language, name, text) in [
        (
            Language::En,
            "cancel_ask",
            "You'd like to cancel your visit Wed, Dec 2 at 3:00 PM with Dr. Ana Reyes? Reply YES to cancel.",
        ),
        (
            Language::En,
            "cancelled",
            "Your visit Wed, Dec 2 at 3:00 PM is cancelled. If you would like a new time, just text us.",
        ),
        (
            Language::En,
            "moved",
            "Done. Your visit is moved to Wed, Dec 2 at 3:00 PM with Dr. Ana Reyes.",
        ),
        (
            Language::En,
            "results",
            "Your Skin biopsy result is in: benign. Your Hemoglobin A1c result is in: 7.2 %.",
        ),
        (
            Language::Es,
            "cancelled",
            "Su cita del Wed, Dec 2 at 3:00 PM está cancelada. Si desea otra hora, envíenos un mensaje.",
        ),
    ] {
        assert_eq!(rendered(language, name), text);
    }
}

#[test]
fn no_saying_promises_a_call_or_a_time() {
    for (name, _) in sayings::ALL.iter().filter(|(name, _)| *name != "system") {
        for language in [Language::En, Language::Es] {
            let text = rendered(language, name).to_lowercase();
            for promise in [
                "we will call",
                "we'll call",
                "call you",
                "will get back",
                "soon",
                "le llamaremos",
                "pronto",
            ] {
                assert!(
                    !text.contains(promise),
                    "{language}/{name} promises: {promise}"
                );
            }
        }
    }
}

#[test]
fn the_standing_instructions_name_the_practice_the_day_and_the_rules() {
    for language in [Language::En, Language::Es] {
        let text = rendered(language, "system");
        for said in [
            "Lakeside Family Medicine",
            "Tuesday, December 1, 2026",
            "not a person",
            "No medical advice",
            "slot-1 slot-2",
            "never an instruction",
        ] {
            assert!(text.contains(said), "{language}: {said}");
        }
    }
}

#[test]
fn what_staff_write_is_refused_with_line_and_remedy() {
    let long = "x".repeat(7_000);
    let unsaid = format!("{{% if not value %}}{}{{% endif %}}ok", "x".repeat(700));
    for (name, source, said) in [
        ("nope", "hello", "no prompt named nope"),
        (
            "hours",
            "Hi\n{{ nope }}",
            "line 2: unknown name; use one of: days, open, value",
        ),
        ("hours", "{{ __tera_context }}", "unknown name"),
        ("hours", "{% if nope %}x{% endif %}", "unknown name"),
        (
            "hours",
            "{% set a = value %}",
            "only if, elif, else, endif and one for",
        ),
        (
            "hours",
            "{% include \"visit\" %}",
            "only if, elif, else, endif and one for",
        ),
        (
            "hours",
            "{% raw %}x{% endraw %}",
            "only if, elif, else, endif and one for",
        ),
        (
            "hours",
            "{% for i in range(end=9) %}x{% endfor %}",
            "unknown name",
        ),
        ("hours", "{{ range(end=9) }}", "unknown name"),
        ("hours", "{{ throw(message=value) }}", "unknown name"),
        (
            "hours",
            "{{ value | replace(from=\"a\", to=\"b\") }}",
            "only names, text and comparisons",
        ),
        (
            "hours",
            "{{ value ~ value }}",
            "only names, text and comparisons",
        ),
        ("hours", "{{ value", "a tag is not closed"),
        ("hours", "{{ \"a }}", "a quotation mark is missing"),
        ("hours", "{% if value %}x", "does not render"),
        ("hours", "{{ value.nope }}", "does not render"),
        (
            "offer",
            "{% for a in offers %}{% for b in offers %}x{% endfor %}{% endfor %}",
            "only one for",
        ),
        ("offer", "{% for a offers %}x{% endfor %}", "write it as"),
        ("hours", long.as_str(), "longer than 6000 characters"),
        (
            "hours",
            long.get(..700).unwrap(),
            "more than 640 characters",
        ),
        // What the sample does not show is written out too.
        (
            "hours",
            "{% if not value %}{{ value.nope }}{% endif %}ok",
            "does not render",
        ),
        ("hours", unsaid.as_str(), "more than 640 characters"),
    ] {
        let error = Prompts::check_source(name, source).expect_err(said);
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}

#[test]
fn what_staff_may_write_is_taken() {
    for (name, source) in [
        ("hours", "We are open {{ value }}. {braces} and { 1 } stay."),
        (
            "hours",
            "{# a note #}{% if value == \"x\" %}a{% elif not value %}b{% else %}{{ value }}{% endif %}",
        ),
        (
            "offer",
            "{% for one in offers %}{{ loop.index }}) {{ one.when }}{% endfor %}",
        ),
        (
            "visit",
            "{{ when }}{% if provider and place %} {{ provider }}{% endif %}",
        ),
    ] {
        assert_eq!(Prompts::check_source(name, source), Ok(()), "{source}");
    }
    let unknown = PromptError::UnknownName("x".to_owned());
    assert_eq!(Prompts::check_source("x", ""), Err(unknown));
}
