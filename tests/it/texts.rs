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
fn a_notice_says_what_the_law_asks_and_what_is_true_of_its_channel() {
    let texts = Texts::embedded().unwrap();
    let of_both = ["Lakeside", "911", "STOP"];
    let of = |language| match language {
        Language::En => ["AI", "YES", "HELP", "Optional"],
        Language::Es => ["IA", "SI", "AYUDA", "opcional"],
    };
    for (id, language, says, never) in [
        (
            TextId::RiskNotice,
            Language::En,
            "aren't encrypted",
            "device",
        ),
        (
            TextId::RiskNotice,
            Language::Es,
            "No van cifrados",
            "aparato",
        ),
        (TextId::ChatNotice, Language::En, "this device", "rates"),
        (TextId::ChatNotice, Language::Es, "este aparato", "tarifas"),
    ] {
        let text = texts.render(id, language, &TextContext::sample()).text;
        for word in of_both.into_iter().chain(of(language)).chain([says]) {
            assert!(text.contains(word), "{id} {language}: {word}");
        }
        assert!(!text.contains(never), "{id} {language}: {never}");
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
