//! The guardrail as a library: `cargo run --example review -- "Your A1c came back at 9.2%."`
#![expect(clippy::print_stdout, reason = "an example tells what it found")]

use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::setting::{Author, Consent, Fact, Relation, Setting};
use anteroom::policy::words::{Channel, Jurisdiction, Language, Purpose};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let draft = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "Your metformin is ready. See you Wednesday at 3 PM.".to_owned());
    // Compiled once, shared by all threads.
    let guardrail = Guardrail::embedded()?;
    let setting = Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: "https://portal.example.com",
        channel: Channel::Sms,
        // The digest of the proof that you keep: which words, which answer, which number, when.
        consent: Consent::Granted {
            proof: "sha256:...",
        },
        // Of residence; `Jurisdiction::UNKNOWN` takes the strictest rule of every state.
        state: "CA".parse::<Jurisdiction>()?,
        language: Language::En,
        timezone: "America/Los_Angeles",
        now: "2026-12-01T10:00:00-08:00".parse()?,
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Agent,
        facts: &[Fact {
            field: "appointment.start",
            value: "2026-12-02T15:00:00-08:00",
        }],
        // What the earlier texts of this conversation told: their `Review::told`.
        told: &[],
        covered: false,
    };
    let review = guardrail.review(&draft, &setting);
    println!("{}", review.verdict);
    for finding in &review.findings {
        let words = draft.get(finding.span.clone()).unwrap_or_default();
        let (action, category) = (finding.action, finding.category);
        println!("  {action} {category} {words:?}: {}", finding.cite);
    }
    match &review.cleared {
        Some(cleared) => println!("send: {}", cleared.text()),
        None => println!("send nothing: staff decide"),
    }
    if let Some(portal) = review.cleared.as_ref().and_then(|it| it.portal()) {
        println!("behind the link: {portal}");
    }
    Ok(())
}
