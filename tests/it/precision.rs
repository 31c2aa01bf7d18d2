//! What looks like a finding and is none, beside its twin that is one, by family.

#![cfg(test)]

use std::sync::LazyLock;

use anteroom::guardrail::detect::Known;
use anteroom::guardrail::detect::detect;
use anteroom::guardrail::finding::Category;
use anteroom::policy::Policy;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::embedded().unwrap());

#[track_caller]
fn clean(texts: &[&str]) {
    let mut wrong = Vec::new();
    for text in texts {
        let found = detect(&POLICY, text, &Known::default());
        let shown: Vec<_> = found
            .iter()
            .map(|it| (it.category, text.get(it.span.clone())))
            .collect();
        if !found.is_empty() {
            wrong.push(format!("{text:?}: {shown:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[track_caller]
fn found(texts: &[(&str, Category)]) {
    let miss = |(text, category): &&(&str, Category)| {
        let found = detect(&POLICY, text, &Known::default());
        !found.iter().any(|it| it.category == *category)
    };
    let missed: Vec<_> = texts.iter().filter(miss).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_town_or_a_day_of_nobody_is_no_identifier_and_somebodys_is() {
    clean(&[
        "what is the weather in Denver",
        "book a flight from Chicago to Phoenix",
        "Which dentist in Santa Rosa do you prefer?",
        "There are ten salons in San Jose.",
        "remind me on the 8th",
        "what day is May 2",
        "Is January 1st a holiday?",
        "traffic on I-95 in Philadelphia",
    ]);
    found(&[
        ("Do you still live in Naperville?", Category::Geographic),
        ("Gwendolyn Achterberg is in Denver.", Category::Geographic),
        ("Your home in Peoria", Category::Geographic),
        ("He was born on May 2", Category::Date),
        ("Gwendolyn Achterberg, May 2", Category::Date),
        ("DOB 05/02/1961", Category::Date),
        ("We have 12/03/1979 for you.", Category::Date),
    ]);
}

#[test]
fn everyday_errands_are_not_clinical_and_their_twins_are() {
    clean(&[
        "how much is 10 usd in cad",
        "how many teaspoons are in one tablespoon",
        "what is the status of my order",
        "please add it to the list",
        "can you add 5 and 89",
        "slow down your voice",
        "your speech is too fast, slow down your speech",
        "are there 8pm tables available",
        "set the oven temperature to 350",
        "what is the procedure to change my password",
        "how far along is my credit card application",
        "your hair salon called",
        "what is the danger of a blender",
        "i migrate every winter",
    ]);
    found(&[
        ("Your CAD is stable", Category::Diagnosis),
        ("Take two teaspoons of your medicine", Category::Dose),
        ("Your HIV status came back", Category::HivSti),
        ("His ADD medication", Category::MentalHealth),
        (
            "You lost your voice and have a sore throat",
            Category::Symptom,
        ),
        ("Your temperature was 102.4", Category::Vital),
        (
            "How far along in your pregnancy are you?",
            Category::Pregnancy,
        ),
        ("Nothing to eat before your procedure", Category::Procedure),
    ]);
}

#[test]
fn a_search_for_a_doctor_tells_of_nobody_and_a_visit_to_one_does() {
    clean(&[
        "There are 3 dermatologists, do you want another?",
        "What kind of doctor are you looking for? A gynecologist or someone else?",
        "I found an ENT specialist in San Francisco.",
        "She is a dermatologist located in Campbell.",
        "Would you like to see a general practitioner, an ophthalmologist or something else?",
    ]);
    found(&[
        ("Your dermatologist called", Category::Specialty),
        ("See you at dermatology tomorrow", Category::Specialty),
        ("Your visit with the gynecologist", Category::Reproductive),
        ("Your Orthopedic Consultation is set", Category::Specialty),
        ("Your appointment for Dental Checkup", Category::Procedure),
        ("your appointment for Vaccination", Category::Medication),
    ]);
}

#[test]
fn a_business_that_bears_a_name_is_no_person() {
    clean(&[
        "reserve a table at andrea's steakhouse",
        "cancel that reservation at Denny's for 8",
        "There is a nice place called Alex's Barber Shop",
        "how busy is moe's grill",
        "Do you like Anne Han, M.D.?",
    ]);
    found(&[
        ("Andrea's results are ready", Category::Name),
        ("we are at Denny's house", Category::Name),
        ("Dear Johnny Gomez MD, your visit is set", Category::Name),
        ("Denny wants his form back", Category::Name),
    ]);
}

#[test]
fn a_word_of_medicine_that_no_list_holds_is_told_by_its_end() {
    found(&[
        ("the sheet on fimasartan", Category::Medication),
        ("the sheet on tezacaftorumab", Category::Medication),
        ("the sheet on lobeglitazone", Category::Medication),
        ("the sheet on quizartinib", Category::Medication),
        ("the sheet on cefoperazocillin", Category::Medication),
        ("the sheet on panniculitis", Category::Diagnosis),
        ("the sheet on vasculopathy", Category::Diagnosis),
        ("the sheet on neuroblastoma", Category::Diagnosis),
        ("the sheet on hypovitaminosis", Category::Diagnosis),
        ("the sheet on polyneuralgia", Category::Diagnosis),
    ]);
    clean(&[
        "please read the magazine in the lobby",
        "our sympathy and empathy",
        "a diploma from an academic in Oklahoma",
        "we examine the form",
        "nostalgia for the provolone",
        "hypnosis and telepathy shows",
    ]);
}
