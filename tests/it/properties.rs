//! Properties of detection on any text: it never panics, spans are sound, and findings keep no text.

#![cfg(test)]

use std::sync::LazyLock;

use anteroom::guardrail::detect::Known;
use anteroom::guardrail::detect::detect;
use anteroom::guardrail::setting::Fact;
use anteroom::policy::Policy;
use proptest::prelude::*;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::embedded().unwrap());

const FACTS: &[Fact<'static>] = &[
    Fact {
        field: "patient.first_name",
        value: "María",
    },
    Fact {
        field: "patient.birth_date",
        value: "1985-01-02",
    },
    Fact {
        field: "patient.phone",
        value: "+14155550142",
    },
    Fact {
        field: "practice.phone",
        value: "+14155550100",
    },
    Fact {
        field: "medication.name",
        value: "metformin",
    },
    Fact {
        field: "odd",
        value: "",
    },
];

fn check(text: &str) {
    let with = Known {
        facts: FACTS,
        practice_name: "Lakeside",
        ..Known::default()
    };
    for known in [Known::default(), with] {
        let found = detect(&POLICY, text, &known);
        assert_eq!(found, detect(&POLICY, text, &known), "not deterministic");
        let mut end = 0;
        for finding in &found {
            assert!(
                finding.span.start >= end && finding.span.start < finding.span.end,
                "{finding:?}"
            );
            assert!(
                text.get(finding.span.clone()).is_some(),
                "off a character: {finding:?}"
            );
            assert!(!finding.evidence.is_empty());
            end = finding.span.end;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_sound_findings(text in "\\PC{0,120}") {
        check(&text);
    }

    #[test]
    fn any_mixture_of_telling_pieces_gets_sound_findings(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "María", "metformin", "m e t", "½", "ﬁ", "\u{200b}", "—", "555-0142", "1/2", "Dr.", "Hi ", ", ",
            "your ", "İ", "ß", "😀", "@", ".com", "\n", "four one five ", "2.4.1", "(", "１２３", "ﷺ", "A1c ", "9.2%", "'s ",
            "van der ", "Will ", "123-45-6789", "🏽", "e\u{301}", "Ω", "한국", "1985", "-01-02",
        ]), 0..14)
    ) {
        check(&pieces.concat());
    }
}

#[test]
fn nothing_of_the_text_is_kept_in_a_finding() {
    let text = "Hi Zebulon Quackenbush, your metformin: SSN 219-09-9999, zq@example.com, A1c 9.2%";
    let shown = format!("{:?}", detect(&POLICY, text, &Known::default()));
    for secret in [
        "ebulon",
        "uackenbush",
        "metformin",
        "219",
        "9999",
        "zq@",
        "9.2",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
