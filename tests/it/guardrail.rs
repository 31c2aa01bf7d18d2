//! What detection finds and what it leaves alone, drawn with carets under the text.

#![cfg(test)]
#![expect(
    clippy::string_slice,
    reason = "spans are on character boundaries, or the test must fail"
)]

use std::sync::LazyLock;

use anteroom::guardrail::detect::Known;
use anteroom::guardrail::detect::detect;
use anteroom::guardrail::finding::Category;
use anteroom::guardrail::finding::Confidence;
use anteroom::guardrail::finding::Finding;
use anteroom::guardrail::findings::Findings;
use anteroom::guardrail::setting::Fact;
use anteroom::policy::Policy;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::embedded().unwrap());

/// Where a finding begins and ends, in characters, and its category.
type Drawn = (usize, usize, String);

/// Each line of `fixture` is text; a line of `^^^ category` marks what must be found on the line
/// above: the finding is of that category and covers the marked letters. Nothing else is found.
#[track_caller]
fn check(fixture: &str) {
    let mut lines: Vec<(String, Vec<Drawn>)> = Vec::new();
    for line in fixture.trim_matches('\n').lines() {
        if line.trim_start().starts_with('^') {
            let from = line.chars().take_while(|c| *c != '^').count();
            let carets = line.chars().skip(from).take_while(|c| *c == '^').count();
            let category = line.trim_start().trim_start_matches('^').trim().to_owned();
            lines
                .last_mut()
                .unwrap()
                .1
                .push((from, from + carets, category));
        } else {
            lines.push((line.to_owned(), Vec::new()));
        }
    }
    for (text, want) in lines {
        let at = |byte: usize| text[..byte].chars().count();
        let got: Vec<Drawn> = detect(&POLICY, &text, &Known::default())
            .into_iter()
            .map(|it| (at(it.span.start), at(it.span.end), it.category.to_string()))
            .collect();
        let covered = want.iter().all(|(from, to, category)| {
            got.iter()
                .any(|(start, end, found)| start <= from && to <= end && found == category)
        });
        let extra = got
            .iter()
            .any(|(start, end, _)| !want.iter().any(|(from, to, _)| start < to && from < end));
        assert!(
            covered && !extra,
            "in {text:?}\n want {want:?}\n  got {got:?}"
        );
    }
}

/// A table of texts and of a category that must be found in each.
#[track_caller]
fn found(category: Category, texts: &[&str]) {
    let miss = |text: &&&str| {
        !detect(&POLICY, text, &Known::default())
            .iter()
            .any(|it| it.category == category)
    };
    let missed: Vec<_> = texts.iter().filter(miss).collect();
    assert!(missed.is_empty(), "no {category} in {missed:#?}");
}

#[track_caller]
fn clean(texts: &[&str]) {
    for text in texts {
        let got = detect(&POLICY, text, &Known::default());
        let shown: Vec<_> = got
            .iter()
            .map(|it| (it.category, &text[it.span.clone()]))
            .collect();
        assert!(got.is_empty(), "in {text:?}: {shown:?}");
    }
}

#[test]
fn each_identifier_is_found_where_it_stands() {
    check(
        "
Her number is 415-555-0132.
              ^^^^^^^^^^^^ phone
We have 123-45-6789 for her.
        ^^^^^^^^^^^ ssn
It belongs to MRN 00482913.
                  ^^^^^^^^ mrn
Please write to priya.nair84@example.org today.
                ^^^^^^^^^^^^^^^^^^^^^^^^ email
Mr. Delacroix lives at 1482 Maple Ridge Dr, Apt 4B.
^^^^^^^^^^^^^ name
                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^ geographic
She was born on 09-22-2019.
                ^^^^^^^^^^ date
The login came from 73.162.44.19.
                    ^^^^^^^^^^^^ ip
",
    );
}

#[test]
fn clinical_words_and_values_are_found_where_they_stand() {
    check(
        "
Your A1c came back at 9.2%.
     ^^^ lab
         ^^^^^^^^^ lab_value
                      ^^^^ lab_value
Take your metformin with breakfast.
          ^^^^^^^^^ medication
Your HIV test was positive.
     ^^^^^^^^ hiv_sti
                  ^^^^^^^^ lab_value
Su cita de diabetes fue movida.
           ^^^^^^^^ diagnosis
",
    );
}

#[test]
fn phone_numbers_are_found_in_every_dress() {
    found(
        Category::Phone,
        &[
            "Her cell is (415) 555-0132",
            "his number is 415.555.0132",
            "It is 4155550132, right?",
            "reach him at 415 555 0132",
            "his number: +1-415-555-0132",
            "her phone is 415–555–0132",
            "three one two 555 01 77 is the number you gave us",
            "his number is four one five five five five zero one three two",
            "su numero es tres uno dos cinco cinco cinco cero uno siete siete",
            "Her phone is 555-0132",
            "her number is ４１５ ５５５ ０１３２",
        ],
    );
}

#[test]
fn social_security_and_plan_numbers_are_found_in_every_dress() {
    found(
        Category::Ssn,
        &[
            "My social is 078 05 1120",
            "SSN 219099999",
            "it is 219–09–9999",
            "social: 219.09.9999",
            "your SSN ends in 6789",
            "seguro social 219-09-9999",
        ],
    );
    found(
        Category::HealthPlan,
        &[
            "Policy number 1EG4-TE5-MK73",
            "1EG4TE5MK73",
            "1eg4 te5 mk73",
            "member ID XQH123456789",
            "Aetna ID W2345 67890",
            "group 88213 is hers",
            "su número de póliza es 4471002",
        ],
    );
    found(
        Category::Account,
        &[
            "we billed 4242 4242 4242 4242",
            "card 4242424242424242",
            "account 4417-22-9981",
            "from GB82 WEST 1234 5698 7654 32",
            "your card ending in 4242",
        ],
    );
    found(
        Category::License,
        &[
            "Driver license D1234567",
            "Passport X12345678",
            "DEA AB1234563",
            "NPI 1234567893",
        ],
    );
    found(
        Category::Vehicle,
        &["plate BX 4471 K", "VIN 1M8GDM9AXKP042788"],
    );
    found(Category::Device, &["serial SN-448812-Q"]);
    found(
        Category::Mrn,
        &[
            "MRN#7720145",
            "Chart A-99-31-207 is locked",
            "two charts: 3301877 and 3301878",
        ],
    );
}

#[test]
fn dates_are_found_in_figures_and_words_in_both_languages() {
    found(
        Category::Date,
        &[
            "She was born on 03/14/2026",
            "nacio el 14 de marzo de 1980",
            "dob 010285",
            "DOB: July fourth, 1980",
            "born the 3rd of July 1974",
            "since Sunday the 8th.",
            "Mr. Ito came on Jan 5",
            "UDS for Mr. Ito on 2/27",
            "Ms. Whitfield was seen 2026-07-19",
            "naci\u{f3} el tres de julio de 1980",
            "born 12 Feb 1990",
        ],
    );
    found(
        Category::AgeOver89,
        &[
            "he is age 93",
            "a 97 yo woman",
            "she is ninety-three years old",
            "tiene 95 años",
        ],
    );
}

#[test]
fn names_are_found_by_the_words_around_them() {
    found(
        Category::Name,
        &[
            "Hi Tom, see you soon",
            "hey jessica ur form is here",
            "Hello Mrs. Okonkwo",
            "Will, your form is here.",
            "Grace Hope, please call us.",
            "Faith wants to restart.",
            "For O'Brien, Siobhan: see the note",
            "Your son Liam is due",
            "SANDRA LEWIS missed it",
            "Hola Juan Carlos Ramírez",
            "Dwayne Johnson-Reyes called",
            "jose garcia called",
            "Peter van der Berg called",
            "Hi Nguyễn Thị Lan, welcome",
            "Katarzyna's form is here",
            "My name is Rubija",
            "Shovda is very reliable.",
            "Estimada señora Ruiz",
            "April May is booked.",
        ],
    );
}

#[test]
fn a_providers_name_is_marked_and_not_taken_for_a_patients() {
    clean(&[
        "You are booked with Dr. Nguyen.",
        "Nurse Kim will meet you in the lobby.",
        "Su cita es con la Dra. Ruiz.",
        "This is Sam from Lakeside Family Clinic.",
    ]);
    let known = Known {
        practice_name: "Lakeside",
        ..Known::default()
    };
    let got = detect(&POLICY, "You are booked with Dr. Nguyen.", &known);
    assert_eq!(got.len(), 1);
    assert!(got[0].evidence.iter().any(|it| &*it.name == "provider"));
    assert_eq!(got[0].category, Category::Name);
    found(Category::Name, &["Dr. Sanders, your own form is here."]);
}

#[test]
fn spelling_tricks_hide_nothing() {
    found(
        Category::Medication,
        &[
            "your m e t f o r m i n is here",
            "your m3tf0rmin is here",
            "your met\u{200b}formin is here",
            "your mеtfоrmin is here",
            "your METFORMIN is here",
            "your metf\u{f3}rmin is here",
            "your ｍｅｔｆｏｒｍｉｎ is here",
            "your metformn is here",
            "your metfromin is here",
            "your lisinoprill is here",
            "metformin😀",
        ],
    );
    found(
        Category::HivSti,
        &[
            "your h.i.v. test is back",
            "your H I V test is back",
            "your h1v test is back",
        ],
    );
    found(
        Category::Email,
        &[
            "maria at gmail.com",
            "it is maria.lopez at example dot com",
            "priya (at) example [dot] org",
        ],
    );
}

#[test]
fn doses_and_values_are_found_in_both_languages() {
    found(
        Category::Dose,
        &[
            "20 mg twice a day",
            "take 1½ tablets",
            "dos pastillas cada 8 horas",
            "24 units nightly",
        ],
    );
    found(
        Category::LabValue,
        &[
            "Your potassium is 5.9.",
            "fasting 182",
            "LDL 190",
            "TSH 11.4",
            "glucose was 240",
            "sus resultados salieron normales",
            "Your lead level is 12.",
            "the BRCA1 test: mutation found",
            "you tested positive",
        ],
    );
    found(
        Category::Vital,
        &[
            "BP 140/90",
            "it was 120 over 80",
            "blood pressure was 178/104",
        ],
    );
    found(
        Category::Pregnancy,
        &["you are about 7 weeks along", "20 semanas de embarazo"],
    );
}

#[test]
fn a_harmless_text_has_no_findings() {
    clean(&[
        "Great, you are all set!",
        "Version 2.4.1 of our app is out.",
        "Call 911 or 988.",
        "We are open 24/7.",
        "The copay is $35 and is due at check-in.",
        "Please call our office at (312) 555-0100.",
        "Text us at 55501.",
        "For help call 1-800-222-1222.",
        "We split it 50/50.",
        "Your visit is tomorrow at 3:30 pm.",
        "Will you be able to mark your form and bill us later?",
        "May we text you again?",
        "See you in March.",
        "Our office will be closed on July 4 for the holiday.",
        "Your appointment is on 03/18/2026 at 9:00 am.",
        "We moved to 500 W Madison St, Suite 210, Chicago, IL 60661.",
        "Wait time is 20-25 minutes.",
        "Email our front desk at frontdesk@lakeside.example with questions.",
        "Gracias por su mensaje.",
        "Visit lakeside.example to see our hours.",
        "Since 2019 we are here for you.",
        "Please bring a photo ID.",
        "I'd like an earlier time.",
        "Estamos abiertos de lunes a viernes.",
    ]);
}

const FACTS: &[Fact<'static>] = &[
    Fact {
        field: "patient.first_name",
        value: "William",
    },
    Fact {
        field: "patient.last_name",
        value: "Okonkwo",
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
        field: "patient.mrn",
        value: "LK-20931",
    },
    Fact {
        field: "medication.name",
        value: "Quillonol",
    },
    Fact {
        field: "appointment.provider",
        value: "Dr. Ada Umber",
    },
    Fact {
        field: "practice.phone",
        value: "+14155550100",
    },
    Fact {
        field: "other_patient.last_name",
        value: "Verhoeven",
    },
];

fn with_record(text: &str) -> Vec<Finding> {
    let known = Known {
        facts: FACTS,
        practice_name: "Rose Hill Clinic",
        ..Known::default()
    };
    detect(&POLICY, text, &known).into_vec()
}

#[test]
fn values_of_the_record_are_found_in_any_spelling() {
    let cases = [
        ("so Bill, it is done", Category::Name),
        ("OKONKWO is here", Category::Name),
        ("okonkwo is here", Category::Name),
        ("for Okonkow here", Category::Name),
        ("it says 1/2/85 here", Category::Date),
        ("it says January 2nd, 1985", Category::Date),
        ("it says 2 de enero de 1985", Category::Date),
        ("it says 01021985", Category::Date),
        ("it says 415.555.0142", Category::Phone),
        ("it says 555-0142", Category::Phone),
        ("it says four one five 555 0142", Category::Phone),
        ("it says LK 20931", Category::Mrn),
        ("it says quillonol", Category::Medication),
        ("it says Verhoeven", Category::OtherPatient),
    ];
    for (text, category) in cases {
        let got = with_record(text);
        let sure = |it: &Finding| {
            it.category == category
                && it.confidence == Confidence::Certain
                && it.evidence.iter().any(|evidence| evidence.kind == "record")
        };
        assert!(got.iter().any(sure), "no {category} in {text:?}: {got:?}");
    }
}

#[test]
fn the_practices_own_words_are_licensed_and_its_providers_marked() {
    assert_eq!(with_record("Rose Hill Clinic: 415-555-0100"), Vec::new());
    let got = with_record("See you with Ada Umber.");
    assert!(
        got.iter().all(|it| it
            .evidence
            .iter()
            .any(|evidence| &*evidence.name == "provider")),
        "{got:?}"
    );
    assert!(!got.is_empty());
}

#[test]
fn a_first_name_that_is_a_word_is_no_finding_as_a_word() {
    let facts = [Fact {
        field: "patient.first_name",
        value: "Will",
    }];
    let known = Known {
        facts: &facts,
        practice_name: "Rose Hill Clinic",
        ..Known::default()
    };
    assert_eq!(
        detect(&POLICY, "We will call. Will you be there?", &known),
        Findings::new()
    );
    assert_eq!(detect(&POLICY, "Thanks, Will!", &known).len(), 1);
}

#[test]
fn names_of_tests_and_conditions_on_record_are_found_whole_not_word_by_word() {
    let policy = Policy::embedded().unwrap();
    let facts = [
        ("lab.name", "Skin biopsy"),
        ("condition.name", "High blood pressure"),
        ("procedure.name", "Open repair of the left hand"),
    ]
    .map(|(field, value)| Fact { field, value });
    let known = Known {
        facts: &facts,
        ..Known::default()
    };
    let cases: &[(&str, &[&str])] = &[
        ("Your Skin biopsy is in.", &["Skin biopsy"]),
        (
            "Your skin biopsy and High blood pressure.",
            &["skin biopsy", "High blood pressure"],
        ),
        (
            "We are open until 5. Left of the High Street entrance.",
            &[],
        ),
        ("Please bring the form in hand.", &[]),
    ];
    for (text, want) in cases {
        let found = detect(&policy, text, &known);
        let spans: Vec<&str> = found
            .iter()
            .filter(|finding| finding.rule.starts_with("record."))
            .map(|finding| text.get(finding.span.clone()).unwrap())
            .collect();
        assert_eq!(spans, *want, "in {text:?}");
    }
}
