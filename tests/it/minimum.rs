//! The minimum-necessary matrix, walked: purpose x relation x consent x channel x practice type x field.

#![cfg(test)]

use anteroom::guardrail::finding::Action;
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

/// A field, a draft that tells it, and the words that do.
const FIELDS: &[(&str, &str, &str)] = &[
    ("hours", "We open at 8 AM.", "8 AM"),
    ("first name", "Hi Katherine, we are open.", "Katherine"),
    (
        "time",
        "Your visit is on Wednesday at 3 PM.",
        "Wednesday at 3 PM",
    ),
    ("provider", "You see Dr. Reyes.", "Reyes"),
    ("reason", "It is for the zorbic review.", "zorbic review"),
    ("diagnosis", "It is about your asthma.", "asthma"),
    ("medicine", "Your metformin is ready.", "metformin"),
    ("result", "Your test was positive.", "positive"),
    ("sensitive", "Your HIV test is in.", "HIV"),
    (
        "birth date",
        "We have March 7, 1961 for you.",
        "March 7, 1961",
    ),
    ("member id", "We have ZGP77120044 for you.", "ZGP77120044"),
    ("balance", "Your balance is $40.00.", "40.00"),
    ("another's name", "Rosalind is here too.", "Rosalind"),
];

/// What becomes of each field, in the order of `FIELDS`: k(ept), d(ropped), h(eld). `*` is any; the
/// first line that fits decides.
const MATRIX: &str = "
  purpose  relation  consent    channel   type       fields
  *        *         opted_out  *         *          hhhhhhhhhhhhh
  *        *         *          whatsapp  *          kdddddddddddh
  *        *         none       *         *          kdddddddddddh
  *        *         declined   *         *          kdddddddddddh
  *        unknown   *          *         *          kdddddddddddh
  *        proxy     *          *         sensitive  kdddddddddddh
  billing  *         *          *         *          kkkdddddddddh
  *        *         *          *         sensitive  kkkdddddddddh
  *        *         *          *         *          kkkkddddddddh
";

const PURPOSES: &[Purpose] = &[
    Purpose::Reply,
    Purpose::Scheduling,
    Purpose::Billing,
    Purpose::Refill,
    Purpose::Results,
    Purpose::Triage,
    Purpose::General,
];
const RELATIONS: &[Relation] = &[Relation::Patient, Relation::Proxy, Relation::Unknown];
const CONSENTS: &[(&str, Consent<'_>)] = &[
    ("granted", Consent::Granted { proof: "proof" }),
    ("none", Consent::None),
    ("declined", Consent::Declined),
    ("opted_out", Consent::OptedOut),
];
const CHANNELS: &[Channel] = &[
    Channel::Sms,
    Channel::Mms,
    Channel::Whatsapp,
    Channel::Webchat,
];
/// A practice's type, and whether the matrix calls it sensitive.
const TYPES: &[(&str, bool)] = &[
    ("primary_care", false),
    ("pediatrics", false),
    // What nobody listed may tell anything.
    ("a_type_of_their_own", true),
    ("oncology", true),
    ("behavioral_health", true),
];
const FACTS: &[(&str, &str)] = &[
    ("practice.hours", "Monday to Friday, 8 AM to 5 PM"),
    ("patient.first_name", "Katherine"),
    ("patient.birth_date", "1961-03-07"),
    ("appointment.start", "2026-12-02T15:00:00-08:00"),
    ("appointment.provider", "Dr. Ana Reyes"),
    ("appointment.reason", "Zorbic review"),
    ("insurance.member_id", "ZGP77120044"),
    ("billing.balance", "$40.00"),
    ("other_patient.first_name", "Rosalind"),
];

fn expected(said: [&str; 5]) -> &'static str {
    let mut lines = MATRIX.lines().skip(2).map(str::trim);
    let line = lines.find(|line| {
        let cells = line.split_whitespace();
        let mut pairs = cells.zip(said);
        !line.is_empty() && pairs.all(|(cell, said)| cell == "*" || cell == said)
    });
    line.and_then(|line| line.split_whitespace().last())
        .unwrap()
}

#[test]
fn each_field_leaves_as_the_matrix_says_and_what_is_withheld_is_recorded() {
    let guardrail = Guardrail::embedded().unwrap();
    let facts: Vec<Fact<'_>> = FACTS
        .iter()
        .map(|(field, value)| Fact { field, value })
        .collect();
    let (mut walked, mut wrong) = (0, Vec::new());
    for purpose in PURPOSES {
        for relation in RELATIONS {
            for (consented, consent) in CONSENTS {
                // With its papers in force WhatsApp carries what SMS carries.
                let papers = [(&Channel::Whatsapp, true)];
                for (channel, covered) in CHANNELS.iter().map(|it| (it, false)).chain(papers) {
                    for (kind, sensitive) in TYPES {
                        let setting = Setting {
                            practice_name: "Lakeside Practice",
                            practice_phone: "+14155550100",
                            practice_type: kind,
                            portal_url: "https://portal.example.com",
                            channel: *channel,
                            consent: *consent,
                            state: "CA".parse::<Jurisdiction>().unwrap(),
                            language: Language::En,
                            timezone: "America/Los_Angeles",
                            now: "2026-12-01T10:00:00-08:00".parse().unwrap(),
                            purpose: *purpose,
                            relation: *relation,
                            author: Author::Agent,
                            facts: &facts,
                            told: &[],
                            covered,
                        };
                        let class = if *sensitive { "sensitive" } else { "other" };
                        let said = [
                            purpose.as_str(),
                            relation.as_str(),
                            consented,
                            if covered { "sms" } else { channel.as_str() },
                            class,
                        ];
                        let wanted = expected(said);
                        assert_eq!(wanted.len(), FIELDS.len(), "{said:?}");
                        for ((field, draft, words), wanted) in FIELDS.iter().zip(wanted.chars()) {
                            walked += 1;
                            let review = guardrail.review(draft, &setting);
                            let text = review.cleared.as_ref().map(|it| it.text().to_owned());
                            let got = match (review.verdict, &text) {
                                (Verdict::Hold, _) => 'h',
                                (_, Some(text)) if text.contains(words) => 'k',
                                _ => 'd',
                            };
                            // What is withheld stands in the findings and behind the link; of the
                            // reader's own name nothing is to be read there.
                            let portal = review.cleared.as_ref().and_then(|it| it.portal());
                            let dropped =
                                review.findings.iter().any(|it| it.action == Action::Drop);
                            let own_name = field.ends_with("name") && portal.is_none();
                            let withheld =
                                got != 'd' || dropped && (portal == Some(*draft) || own_name);
                            if got != wanted || !withheld {
                                wrong.push(format!(
                                    "{said:?} {kind} {field}: {got}, not {wanted}, recorded {withheld}: {text:?}"
                                ));
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(walked, 7 * 3 * 4 * 5 * 5 * FIELDS.len());
    wrong.truncate(40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
