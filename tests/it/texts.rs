//! The fixed texts: both languages, known words, within their budget.

#![cfg(test)]

use anteroom::agent::texts::TextContext;
use anteroom::agent::texts::TextId;
use anteroom::agent::texts::Texts;
use anteroom::agent::texts::septets;
use anteroom::policy::words::Language;

#[test]
fn every_text_renders_within_its_segments_in_both_languages() {
    let texts = Texts::embedded().unwrap();
    let sample = TextContext::sample();
    assert_eq!(texts.over_budget(&sample), vec![]);
    for language in Language::ALL {
        for id in TextId::ALL {
            let rendered = texts.render(*id, *language, &sample);
            let used = septets(&rendered.text).unwrap();
            assert!((40..=306).contains(&used), "{id} {language}: {used}");
            assert!(!rendered.text.contains(['{', '}']), "{id} {language}");
            let version = rendered.text_id.strip_prefix(&format!("{id}/"));
            let version = version.and_then(|it| it.parse::<u32>().ok());
            assert!(version.is_some_and(|it| it > 0), "{}", rendered.text_id);
            assert_eq!(rendered.sha256.len(), 64);
            assert_eq!(
                texts.elements(*id, Language::En),
                texts.elements(*id, Language::Es),
                "{id}"
            );
        }
    }
}

#[test]
fn risk_notice_says_what_the_law_asks() {
    let texts = Texts::embedded().unwrap();
    for (language, words) in [
        (
            Language::En,
            [
                "Lakeside",
                "AI",
                "encrypted",
                "911",
                "YES",
                "STOP",
                "HELP",
                "Optional",
            ],
        ),
        (
            Language::Es,
            [
                "Lakeside", "IA", "cifrados", "911", "SI", "STOP", "AYUDA", "opcional",
            ],
        ),
    ] {
        let text = texts
            .render(TextId::RiskNotice, language, &TextContext::sample())
            .text;
        for word in words {
            assert!(text.contains(word), "{language}: {word}");
        }
    }
}

#[test]
fn long_words_of_a_practice_fall_back_to_the_short_form_and_accents_cost_nothing() {
    let texts = Texts::embedded().unwrap();
    let mut context = TextContext::sample();
    context.when = "from the first Saturday of the month at 9:00 AM, or on a day that we tell you";
    let text = texts.render(TextId::Handoff, Language::En, &context).text;
    assert!(
        !text.contains("Saturday") && text.contains("office hours"),
        "{text}"
    );
    context.practice = "Cl\u{ed}nica {phone}";
    let text = texts.render(TextId::Stop, Language::Es, &context).text;
    assert!(text.starts_with("Clinica {phone}: "), "{text}");
    assert!(septets(&text).is_some());
    context.practice = "The Very Long Name of a Family Medicine Practice at the Lake";
    assert!(
        texts
            .over_budget(&context)
            .contains(&(TextId::RiskNotice, Language::En))
    );
}

#[test]
fn bad_texts_are_refused_with_the_place_and_the_remedy() {
    let head = "schema = 1\nlanguage = \"en\"\nlast_reviewed = 2026-11-22\ntranslation_review = \"n/a\"\n[text.stop]\nversion = 1\nelements = [\"x\"]\ncite = \"x\"\nmax_septets = 20\n";
    for (body, problem) in [
        (
            "body = \"{name} bye\"",
            "en.toml:5: [text.stop]: unknown placeholder; use one of",
        ),
        ("body = \"\u{1f44b} bye\"", "outside GSM-7"),
        ("body = \"this is far too long a text\"", "over its 20"),
        ("boddy = \"x\"", "unknown field"),
        ("body = \"bye\"", "missing in language"),
    ] {
        let file = format!("{head}{body}\n");
        let error = Texts::load(&[("en.toml", &file)]).unwrap_err().to_string();
        assert!(
            error.contains("en.toml") && error.contains(problem),
            "{error}"
        );
    }
}
