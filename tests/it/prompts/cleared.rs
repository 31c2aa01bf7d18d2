//! Every wording of ours passes our own guardrail, word for word, within two segments.

#![cfg(test)]

use anteroom::agent::sayings;
use anteroom::agent::texts::{TextContext, TextId, Texts};
use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::segment;
use anteroom::guardrail::setting::{Author, Consent, Fact, Relation, Setting};
use anteroom::policy::words::{Channel, Jurisdiction, Language, Purpose};

const REASONS: [&str; 14] = [
    "refill",
    "billing",
    "medical",
    "new_appointment",
    "late",
    "person",
    "paperwork",
    "results",
    "someone_else",
    "message",
    "callback",
    "records",
    "accessibility",
    "other",
];
const RECEIPTS: [&str; 5] = [
    "booked",
    "cancelled",
    "rescheduled",
    "confirmed",
    "refill_requested",
];
/// What the samples say, in Spanish.
const IN_SPANISH: [(&str, &str); 7] = [
    ("Wed, Dec 2 at 3:00 PM", "mié 2 dic a las 3:00 p. m."),
    ("Thu Dec 3, 10:30 AM", "jue 3 dic, 10:30 a. m."),
    ("Saturdays", "los sábados"),
    (
        "Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM",
        "lun-jue 8:00 a. m.-5:00 p. m., vie 8:00 a. m.-1:00 p. m.",
    ),
    ("Thu, Dec 10 at 9:00 AM", "jue 10 dic a las 9:00 a. m."),
    (
        "from Wed, Dec 2 at 8:00 AM",
        "a partir del mié 2 dic a las 8:00 a. m.",
    ),
    (
        " and Wed, Dec 2 at 3:30 PM",
        " y mié 2 dic a las 3:30 p. m.",
    ),
];

fn facts(language: Language) -> Vec<(String, String)> {
    let hours = match language {
        Language::En => IN_SPANISH[3].0,
        Language::Es => IN_SPANISH[3].1,
    };
    let mut facts: Vec<(String, String)> = [
        ("practice.name", "Lakeside Family Medicine"),
        ("practice.phone", "415-555-0100"),
        ("practice.address", hours),
        ("practice.parking", hours),
        ("practice.insurance_networks", hours),
        ("practice.languages", hours),
        ("practice.hours", hours),
        ("practice.answering", "2026-12-02T08:00:00-08:00"),
        ("practice.opening", "closed on Saturdays, open on Saturdays"),
        ("appointment.start", "2026-12-02T15:00:00-08:00"),
        ("appointment.start", "2026-12-02T15:30:00-08:00"),
        ("receipt.confirmed", "2026-12-02T15:30:00-08:00"),
        ("appointment.offered_slot", "2026-12-03T10:30:00-08:00"),
        // The visit that an offered time would replace, and until when the offer stands.
        ("appointment.start", "2026-12-10T09:00:00-08:00"),
        ("practice.offer_until", "10:30 AM"),
        ("appointment.provider", "Dr. Ana Reyes"),
        ("appointment.location", "12 Lake Street, Suite 4"),
        ("patient.first_name", "Maria"),
        ("patient.last_name", "Gonzalez"),
        ("receipt.message_sent", "staff"),
        ("condition.name", "Type 2 diabetes"),
    ]
    .map(|(field, value)| (field.to_owned(), value.to_owned()))
    .to_vec();
    facts.extend(RECEIPTS.map(|deed| {
        (
            format!("receipt.{deed}"),
            "2026-12-02T15:00:00-08:00".to_owned(),
        )
    }));
    facts
}

/// What the practice says of itself, as the samples have it.
fn public() -> Vec<(String, String)> {
    let context = TextContext::sample();
    vec![
        ("practice.phone".to_owned(), context.phone.to_owned()),
        ("practice.hours".to_owned(), context.hours.to_owned()),
        ("practice.url".to_owned(), context.url.to_owned()),
    ]
}

fn complaint(
    guardrail: &Guardrail,
    language: Language,
    author: Author,
    text: &str,
) -> Option<String> {
    let owned = match author {
        Author::Approved => public(),
        Author::Agent | Author::Staff => facts(language),
    };
    let facts: Vec<Fact<'_>> = owned
        .iter()
        .map(|(field, value)| Fact { field, value })
        .collect();
    let review = guardrail.review(
        text,
        &Setting {
            practice_name: "Lakeside Family Medicine",
            practice_phone: "+14155550100",
            practice_type: "primary_care",
            portal_url: "https://text.example.com/p/k3J9xQ",
            channel: Channel::Sms,
            consent: match author {
                Author::Approved => Consent::None,
                Author::Agent | Author::Staff => Consent::Granted { proof: "proof" },
            },
            state: Jurisdiction::UNKNOWN,
            language,
            timezone: "America/Los_Angeles",
            now: "2026-12-01T10:00:00-08:00".parse().unwrap(),
            purpose: Purpose::Reply,
            relation: Relation::Patient,
            author,
            facts: &facts,
            told: &[],
            covered: false,
        },
    );
    let same = review
        .cleared
        .as_ref()
        .is_some_and(|cleared| cleared.text() == text);
    let long = segment::segments(text).count > 2;
    (review.verdict != Verdict::Pass || !same || long).then(|| {
        format!(
            "{language} {} {text}\n   {:?}",
            review.verdict, review.findings
        )
    })
}

/// A template with its sample in the language, and each of its branches.
fn drafts(language: Language, name: &str, sample: &serde_json::Value) -> Vec<String> {
    let folder = env!("CARGO_MANIFEST_DIR");
    let source =
        std::fs::read_to_string(format!("{folder}/prompts/{language}/{name}.tera")).unwrap();
    let mut samples = vec![sample.clone()];
    for (key, values) in [
        ("reason", REASONS.map(serde_json::Value::from).to_vec()),
        ("open", vec![true.into(), false.into()]),
        ("new", vec![true.into(), false.into()]),
        ("exact", vec![true.into(), false.into()]),
        ("taken", vec![true.into(), false.into()]),
        ("provider", vec!["".into(), "Dr. Ana Reyes".into()]),
    ] {
        if sample.get(key).is_some() && !(key == "provider" && name == "visit_provider") {
            samples = samples
                .iter()
                .flat_map(|one| {
                    values.iter().map(|value| {
                        let mut one = one.clone();
                        one[key] = value.clone();
                        one
                    })
                })
                .collect();
        }
    }
    let mut drafts = Vec::new();
    for sample in samples {
        let mut words = sample.to_string();
        if language == Language::Es {
            for (english, spanish) in IN_SPANISH {
                words = words.replace(english, spanish);
            }
        }
        let sample: serde_json::Value = serde_json::from_str(&words).unwrap();
        let context = tera::Context::from_serialize(&sample).unwrap();
        let text = tera::Tera::one_off(&source, &context, false).unwrap();
        drafts.push(text.trim().replace(" m..", " m."));
    }
    drafts
}

#[test]
fn what_we_say_ourselves_leaves_as_it_stands() {
    let guardrail = Guardrail::embedded().unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, sample) in sayings::ALL {
        // The instructions of a model are never sent; results go behind the link.
        if matches!(*name, "system" | "results") {
            continue;
        }
        for language in [Language::En, Language::Es] {
            for draft in drafts(language, name, &sample()) {
                count += 1;
                wrong.extend(complaint(&guardrail, language, Author::Agent, &draft));
            }
        }
    }
    assert!(count > 80, "only {count} drafts");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn released_results_go_behind_the_link() {
    let guardrail = Guardrail::embedded().unwrap();
    let (_, sample) = sayings::ALL
        .iter()
        .find(|(name, _)| *name == "results")
        .unwrap();
    for language in [Language::En, Language::Es] {
        for draft in drafts(language, "results", &sample()) {
            assert!(
                complaint(&guardrail, language, Author::Agent, &draft).is_some(),
                "{draft}"
            );
        }
    }
}

#[test]
fn approved_texts_leave_as_they_stand() {
    let guardrail = Guardrail::embedded().unwrap();
    let texts = Texts::embedded().unwrap();
    let mut wrong = Vec::new();
    for id in TextId::ALL {
        for language in [Language::En, Language::Es] {
            let text = texts.render(*id, language, &TextContext::sample()).text;
            wrong.extend(complaint(&guardrail, language, Author::Approved, &text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
