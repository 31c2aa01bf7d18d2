//! Sending well: the pace of each kind of number, and no text longer than six segments.

#![cfg(test)]

use anteroom::domain::practice::Sender;
use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::segment::{SEGMENTS_MAX, segments};
use anteroom::guardrail::setting::{Author, Consent, Relation, Setting};
use anteroom::pipeline::pace::Rate;
use anteroom::policy::words::{Channel, Language, Purpose};

#[test]
fn a_number_has_the_pace_of_its_kind_unless_its_registration_grants_more() {
    for (sender, per_second, per_day) in [
        ("", 1.0, Some(2_000)),
        ("number_type = \"long_code\"", 1.0, Some(2_000)),
        ("number_type = \"toll_free\"", 3.0, None),
        ("number_type = \"short_code\"", 100.0, None),
        ("channel = \"whatsapp\"", 80.0, None),
        ("per_second = 4.5\nper_day = 10000", 4.5, Some(10_000)),
        ("number_type = \"toll_free\"\nper_day = 500", 3.0, Some(500)),
    ] {
        let text = format!("carrier = \"twilio\"\nnumber = \"+14155550101\"\n{sender}");
        let sender: Sender = toml::from_str(&text).unwrap();
        let rate = Rate::of(&sender);
        let wanted = Rate {
            per_second,
            per_day,
        };
        assert_eq!(rate, wanted, "{text}");
    }
}

#[test]
fn what_is_longer_than_six_segments_goes_behind_the_link() {
    let guardrail = Guardrail::embedded().unwrap();
    for (language, sentence, times, channel, passes) in [
        (
            Language::En,
            "We look forward to it. ",
            39,
            Channel::Sms,
            true,
        ),
        (
            Language::En,
            "We look forward to it. ",
            41,
            Channel::Sms,
            false,
        ),
        // Accents that GSM-7 lacks leave 67 characters a segment.
        (Language::Es, "Estará listo aquí. ", 20, Channel::Sms, true),
        (Language::Es, "Estará listo aquí. ", 22, Channel::Sms, false),
        // WhatsApp has no segments.
        (
            Language::En,
            "We look forward to it. ",
            60,
            Channel::Whatsapp,
            true,
        ),
    ] {
        let draft = sentence.repeat(times);
        let draft = draft.trim();
        let setting = Setting {
            practice_name: "Lakeside Family Medicine",
            practice_phone: "+14155550100",
            practice_type: "primary_care",
            portal_url: "https://portal.example.com",
            channel,
            consent: Consent::Granted { proof: "proof" },
            state: "CA".parse().unwrap(),
            language,
            timezone: "America/Los_Angeles",
            now: "2026-12-01T10:00:00-08:00".parse().unwrap(),
            purpose: Purpose::Reply,
            relation: Relation::Patient,
            author: Author::Staff,
            facts: &[],
            told: &[],
            covered: false,
        };
        let review = guardrail.review(draft, &setting);
        let what = format!("{sentence}x {times} by {channel}");
        if passes {
            assert_eq!(review.verdict, Verdict::Pass, "{what}");
            continue;
        }
        assert_eq!(review.verdict, Verdict::Rewrite, "{what}");
        let cleared = review.cleared.as_ref().unwrap();
        assert!(segments(cleared.text()).count <= SEGMENTS_MAX, "{what}");
        assert!(
            cleared.text().contains("https://portal.example.com"),
            "{what}"
        );
        assert_eq!(cleared.portal(), Some(draft), "{what}");
    }
}
