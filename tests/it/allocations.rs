//! A review that lets a draft pass allocates nothing, once its thread has reviewed others.

#![cfg(test)]

use std::sync::LazyLock;

use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::setting::Author;
use anteroom::guardrail::setting::Consent;
use anteroom::guardrail::setting::Fact;
use anteroom::guardrail::setting::Relation;
use anteroom::guardrail::setting::Setting;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::policy::words::Purpose;

static GUARDRAIL: LazyLock<Guardrail> = LazyLock::new(|| Guardrail::embedded().unwrap());

const FACTS: &[(&str, &str)] = &[
    ("patient.first_name", "Maria"),
    ("patient.last_name", "Gonzalez"),
    ("patient.birth_date", "1984-03-14"),
    ("patient.phone", "+14155550132"),
    ("appointment.start", "2026-12-02T15:00:00-08:00"),
    ("appointment.provider", "Dr. Ana Reyes"),
    ("practice.hours", "Monday to Friday, 8:00 AM to 5:00 PM"),
    ("practice.address", "200 Lake Street, Suite 4"),
    (
        "practice.event",
        "flu shots for all on Saturday from 9 to 12, for $20",
    ),
    ("practice.url", "https://lakeside.example.com"),
    ("other_patient.first_name", "Robert"),
    ("condition.name", "type 2 diabetes"),
    ("medication.name", "metformin"),
];

/// Drafts that leave as they stand, of every kind of fact and of nothing at all.
const PASSING: &[&str] = &[
    "Please bring a photo ID and your insurance card, and use the door next to the lobby.",
    "Hi Maria, your appointment with Dr. Reyes is tomorrow, Wednesday, at 3:00 PM. Reply YES to keep it.",
    "Hola María, su cita con la Dra. Reyes es mañana, miércoles, a las 3:00 PM. Responda SÍ para confirmar.",
    "Our office is open Monday to Friday from 8:00 AM to 5:00 PM; the portal works at any time of day.",
    "We have flu shots for all on Saturday from 9 to 12. No appointment needed, and the price is $20.",
    "We are at 200 Lake Street, Suite 4. Directions: https://lakeside.example.com or call +1 415 555 0100.",
    "El ascensor está en reparación esta semana; tome las escaleras o pida la rampa en la recepción, así.",
    "Perdón por la espera 🙏 de hoy. Hubo más visitas de lo previsto y le diremos cuándo se libera la sala.",
];

#[test]
fn a_draft_that_passes_costs_no_allocation() {
    let facts: Vec<Fact<'_>> = FACTS
        .iter()
        .map(|(field, value)| Fact { field, value })
        .collect();
    let setting = Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: "https://portal.example.com",
        channel: Channel::Sms,
        consent: Consent::Granted { proof: "sha256:1" },
        state: Jurisdiction::UNKNOWN,
        language: Language::En,
        timezone: "America/Los_Angeles",
        now: "2026-12-01T10:00:00-08:00".parse().unwrap(),
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Agent,
        facts: &facts,
        told: &[],
        covered: false,
    };
    let long = PASSING.join(" ").repeat(2);
    // Sixteen hundred characters are shortened for a phone, and stay whole in the web chat.
    let webchat = Setting {
        channel: Channel::Webchat,
        ..setting
    };
    let all = PASSING.iter().map(|draft| (*draft, &setting));
    for (draft, setting) in all.chain([(long.as_str(), &webchat)]) {
        // A text in the alphabet of phones passes unchanged; others are sent in it.
        for _ in 0..2 {
            let review = GUARDRAIL.review(draft, setting);
            assert_eq!(
                review.verdict,
                Verdict::Pass,
                "{draft}: {:?}",
                review.findings
            );
        }
        let counted = allocation_counter::measure(|| {
            let review = GUARDRAIL.review(draft, setting);
            assert_eq!(review.verdict, Verdict::Pass);
        });
        assert_eq!(counted.count_total, 0, "{draft}");
        let alone = || GUARDRAIL.detect("Please use the door next to the lobby when you come.");
        assert_eq!(alone().len(), 0);
        let counted = allocation_counter::measure(|| drop(alone()));
        assert_eq!(counted.count_total, 0, "detection");
    }
}
