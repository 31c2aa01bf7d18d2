//! The record speaks first: each value of this patient in any spelling, each value of another one,
//! and what the practice tells everybody.

#![cfg(test)]

use std::sync::LazyLock;

use anteroom::guardrail::finding::Action;
use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::review::Review;
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

const RECORD: &[(&str, &str)] = &[
    ("patient.first_name", "Katherine"),
    ("patient.last_name", "Núñez O'Brien"),
    ("patient.birth_date", "1961-03-07"),
    ("patient.phone", "+14155550166"),
    ("patient.email", "kate.obrien@example.com"),
    (
        "patient.address",
        "77 Quince Court, Unit 4, Tiburon, CA 94920",
    ),
    ("patient.mrn", "QX-4471"),
    ("patient.ssn", "219-09-9999"),
    ("patient.emergency_contact", "Declan"),
    ("insurance.member_id", "ZGP77120044"),
    ("condition.name", "zorbic fever"),
    ("medication.name", "Lipitor"),
    ("lab.value", "7.4"),
    ("other_patient.first_name", "Rosalind"),
    ("other_patient.last_name", "Achebe"),
    ("other_patient.phone", "+14155550188"),
    ("other_patient.birth_date", "1980-05-09"),
    ("other_patient.mrn", "QX-9931"),
    ("other_patient.address", "12 Birch Lane, Novato, CA 94945"),
];

const PUBLIC: &[(&str, &str)] = &[
    (
        "practice.event",
        "Flu shots for all on Saturday, December 5, 9 AM to 12 PM",
    ),
    ("practice.event", "Free blood pressure checks in the lobby"),
    ("practice.event", "Diabetes class, open to everyone"),
    ("practice.event", "Vacunas contra la gripe para todos"),
];

/// What is written, the words that must not leave, and the field whose value they are.
const SPELLINGS: &[(&str, &str, &str)] = &[
    // names: nickname, case, diacritics, a letter amiss, initials beside them
    (
        "Ask for O'Brien at the desk.",
        "O'Brien",
        "patient.last_name",
    ),
    (
        "ask for o'brien at the desk",
        "o'brien",
        "patient.last_name",
    ),
    (
        "ASK FOR O'BRIEN AT THE DESK",
        "O'BRIEN",
        "patient.last_name",
    ),
    (
        "Ask for O’Brien at the desk.",
        "O’Brien",
        "patient.last_name",
    ),
    (
        "The card of Mrs. Nunez is here.",
        "Nunez",
        "patient.last_name",
    ),
    (
        "La tarjeta de Núñez está aquí.",
        "Núñez",
        "patient.last_name",
    ),
    (
        "The card of Mrs. NÚÑEZ is here.",
        "NÚÑEZ",
        "patient.last_name",
    ),
    ("The card of Nuñes is here.", "Nuñes", "patient.last_name"),
    ("The card of Nunex is here.", "Nunex", "patient.last_name"),
    (
        "Your brother Declan called.",
        "Declan",
        "patient.emergency_contact",
    ),
    (
        "Your brother Declna called.",
        "Declna",
        "patient.emergency_contact",
    ),
    (
        "your brother DECLAN called",
        "DECLAN",
        "patient.emergency_contact",
    ),
    // a date in any format
    (
        "We have 3/7/1961 for you.",
        "3/7/1961",
        "patient.birth_date",
    ),
    (
        "We have 03/07/1961 for you.",
        "03/07/1961",
        "patient.birth_date",
    ),
    (
        "We have 03-07-1961 for you.",
        "03-07-1961",
        "patient.birth_date",
    ),
    (
        "We have 03.07.61 for you.",
        "03.07.61",
        "patient.birth_date",
    ),
    (
        "We have 1961-03-07 for you.",
        "1961-03-07",
        "patient.birth_date",
    ),
    (
        "We have March 7, 1961 for you.",
        "March 7, 1961",
        "patient.birth_date",
    ),
    (
        "We have Mar 7th, 1961 for you.",
        "Mar 7th, 1961",
        "patient.birth_date",
    ),
    (
        "We have the 7th of March, 1961 for you.",
        "7th of March",
        "patient.birth_date",
    ),
    (
        "We have 7 Mar 1961 for you.",
        "7 Mar 1961",
        "patient.birth_date",
    ),
    (
        "We have MARCH 7 1961 for you.",
        "MARCH 7 1961",
        "patient.birth_date",
    ),
    (
        "Tenemos el 7 de marzo de 1961.",
        "7 de marzo de 1961",
        "patient.birth_date",
    ),
    (
        "Tenemos siete de marzo de 1961.",
        "siete de marzo de 1961",
        "patient.birth_date",
    ),
    (
        "Your code is 03071961, is it?",
        "03071961",
        "patient.birth_date",
    ),
    (
        "Your code is 19610307, is it?",
        "19610307",
        "patient.birth_date",
    ),
    // a number in any separators, none, words, and its tail
    (
        "We have 415-555-0166 for you.",
        "415-555-0166",
        "patient.phone",
    ),
    (
        "We have (415) 555-0166 for you.",
        "(415) 555-0166",
        "patient.phone",
    ),
    (
        "We have 415.555.0166 for you.",
        "415.555.0166",
        "patient.phone",
    ),
    (
        "We have 415 555 0166 for you.",
        "415 555 0166",
        "patient.phone",
    ),
    ("We have 4155550166 for you.", "4155550166", "patient.phone"),
    (
        "We have +1 415 555 0166 for you.",
        "415 555 0166",
        "patient.phone",
    ),
    (
        "We have 415–555–0166 for you.",
        "415–555–0166",
        "patient.phone",
    ),
    ("We have 555-0166 for you.", "555-0166", "patient.phone"),
    (
        "four one five 555 oh one six six is yours",
        "four one five",
        "patient.phone",
    ),
    ("The one that ends in 0166, right?", "0166", "patient.phone"),
    ("El que termina en 0166, ¿verdad?", "0166", "patient.phone"),
    (
        "The mail to kate.obrien@example.com came back.",
        "kate.obrien",
        "patient.email",
    ),
    (
        "KATE.OBRIEN@EXAMPLE.COM came back.",
        "OBRIEN",
        "patient.email",
    ),
    // a code cut otherwise, a street in short
    ("The chart QX-4471 is here.", "QX-4471", "patient.mrn"),
    ("The chart QX 4471 is here.", "QX 4471", "patient.mrn"),
    ("it is qx4471 then", "qx4471", "patient.mrn"),
    (
        "We have ZGP77120044 here.",
        "ZGP77120044",
        "insurance.member_id",
    ),
    (
        "We have ZGP-7712-0044 here.",
        "7712-0044",
        "insurance.member_id",
    ),
    (
        "we have zgp 7712 0044 here",
        "zgp 7712 0044",
        "insurance.member_id",
    ),
    ("We have 219 09 9999 for you.", "219 09 9999", "patient.ssn"),
    ("We have 219099999 for you.", "219099999", "patient.ssn"),
    (
        "It was mailed to 77 Quince Court.",
        "77 Quince",
        "patient.address",
    ),
    (
        "It was mailed to 77 Quince Ct.",
        "77 Quince",
        "patient.address",
    ),
    (
        "it was mailed to 77 quince ct",
        "77 quince",
        "patient.address",
    ),
    // clinical values that no list knows, and a letter amiss
    (
        "The sheet on zorbic fever is here.",
        "zorbic fever",
        "condition.name",
    ),
    (
        "THE SHEET ON ZORBIC FEVER IS HERE",
        "ZORBIC FEVER",
        "condition.name",
    ),
    (
        "The sheet on Lipitor is here.",
        "Lipitor",
        "medication.name",
    ),
    ("The sheet on lipitr is here.", "lipitr", "medication.name"),
    (
        "The sheet on LIPITOR is here.",
        "LIPITOR",
        "medication.name",
    ),
    ("It was 7.4 when we looked.", "7.4", "lab.value"),
];

/// Another patient's value holds the draft.
const OTHERS: &[&str] = &[
    "Rosalind Achebe has the slot before you.",
    "rosalind said hello",
    "ROSALIND SAID HELLO",
    "Rozalind said hello.",
    "The bill of Achebe is paid.",
    "Her number is 415-555-0188.",
    "Her number is 4155550188.",
    "Her number is four one five 555 01 88.",
    "Her birthday is May 9, 1980.",
    "Her birthday is 05/09/1980.",
    "Nació el 9 de mayo de 1980.",
    "The chart QX-9931 is on the desk.",
    "the chart qx9931 is on the desk",
    "It was mailed to 12 Birch Lane.",
    "it was mailed to 12 birch ln",
];

/// What the practice tells everybody may be told.
const EVERYBODYS: &[&str] = &[
    "Flu shots for all on Saturday.",
    "Flu shots for all on Saturday, December 5.",
    "We have flu shots for everyone on Saturday.",
    "Free blood pressure checks in the lobby.",
    "Our diabetes class is open to everyone.",
    "Vacunas contra la gripe para todos.",
];

/// The same words said of this patient may not.
const OWN: &[&str] = &[
    "Your flu shot is due.",
    "Your diabetes class is full.",
    "Your blood pressure was high.",
    "Su vacuna contra la gripe está lista.",
];

fn review(draft: &str, facts: &[(&'static str, &'static str)]) -> Review<'static> {
    let facts: Vec<Fact<'_>> = facts
        .iter()
        .map(|(field, value)| Fact { field, value })
        .collect();
    let setting = Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: "https://portal.example.com",
        channel: Channel::Sms,
        consent: Consent::Granted { proof: "proof" },
        state: "CA".parse::<Jurisdiction>().unwrap(),
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
    GUARDRAIL.review(draft, &setting).into_owned()
}

#[test]
fn a_value_of_this_patient_is_found_in_any_spelling_and_leaves_no_text() {
    assert!(SPELLINGS.len() + OTHERS.len() >= 60);
    let mut wrong = Vec::new();
    for (draft, words, field) in SPELLINGS {
        let review = review(draft, RECORD);
        let at = draft.find(words).unwrap();
        let span = at..at + words.len();
        let found = review.findings.iter().any(|finding| {
            let meets = finding.span.start < span.end && span.start < finding.span.end;
            let by = |it: &anteroom::guardrail::finding::Evidence| it.name == *field;
            meets && finding.action != Action::Keep && finding.evidence.iter().any(by)
        });
        let left = review.cleared.as_ref().map(|it| it.text().to_owned());
        let leaks = left.as_ref().is_some_and(|text| text.contains(words));
        if !found || leaks {
            let told: Vec<_> = review
                .findings
                .iter()
                .map(|it| {
                    (
                        it.action,
                        it.rule.as_str().to_owned(),
                        draft.get(it.span.clone()),
                    )
                })
                .collect();
            wrong.push(format!("{draft:?} ({field}): {left:?} {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_value_of_another_patient_holds_the_draft() {
    let missed: Vec<_> = OTHERS
        .iter()
        .filter(|draft| {
            let review = review(draft, RECORD);
            let told = review
                .findings
                .iter()
                .any(|it| it.category.as_str() == "other_patient" && it.action == Action::Hold);
            review.verdict != Verdict::Hold || !told
        })
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_the_practice_tells_everybody_passes_and_the_patients_own_does_not() {
    let verdicts = |drafts: &'static [&'static str]| {
        drafts
            .iter()
            .map(|draft| (*draft, review(draft, PUBLIC).verdict))
    };
    let wrong: Vec<_> = verdicts(EVERYBODYS)
        .filter(|(_, verdict)| *verdict != Verdict::Pass)
        .chain(verdicts(OWN).filter(|(_, verdict)| *verdict == Verdict::Pass))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_patients_own_first_name_greets_in_any_spelling() {
    for draft in [
        "Hi Katherine, we are open.",
        "Hi Kate, we are open.",
        "hi kathy, we are open",
    ] {
        let review = review(draft, RECORD);
        assert_eq!(
            review.verdict,
            Verdict::Pass,
            "{draft}: {:?}",
            review.findings
        );
    }
}
