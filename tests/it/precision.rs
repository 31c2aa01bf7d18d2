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

#[test]
fn a_lone_first_name_in_small_letters_is_of_nobody_and_beside_a_practice_of_somebody() {
    clean(&[
        "tell jim i'm coming home soon",
        "call me bob from now on",
        "can i get to susan's house with my current tank",
        "who is jane goodall",
        "how old is jennifer aniston",
    ]);
    found(&[
        ("tell maria her labs are in", Category::Name),
        ("maria's appt moved, tell maria", Category::Name),
        ("hi jim, the form is ready", Category::Name),
        ("Tell Jim the form is ready", Category::Name),
        ("they had six: silvana, adam and kristina", Category::Name),
        ("Kónya, Becker and Vasquez signed", Category::Name),
        ("Will B. is waiting at the side door", Category::Name),
        ("this is for benjamin a seiler", Category::Name),
    ]);
}

#[test]
fn a_complaint_of_anybody_is_none_and_a_known_one_is() {
    clean(&[
        "Please wear a mask if you have a cough.",
        "Anyone with a fever should stay home.",
        "Si tiene fiebre o tos, use cubrebocas.",
        "October is breast cancer awareness month.",
        "Join our free diabetes class on Monday, open to everyone.",
        "No smoking or vaping in the building.",
    ]);
    found(&[
        ("If your cough gets worse, call us.", Category::Symptom),
        ("If you still have a fever, call us.", Category::Symptom),
        ("Your fever is down.", Category::Symptom),
        ("Your diabetes class is on Monday.", Category::Treatment),
    ]);
}

#[test]
fn a_business_that_bears_a_specialty_is_nobodys_and_a_visit_there_is_somebodys() {
    clean(&[
        "Allura Skin & Laser Center is open.",
        "How about Sonoma Dermatology?",
        "Marek Lorenc, M.D. is a great dermatologist in Santa Rosa.",
    ]);
    found(&[
        (
            "Your appointment is with Sonoma Dermatology.",
            Category::Specialty,
        ),
        ("Dermatology confirmed your visit.", Category::Specialty),
    ]);
}

#[test]
fn an_address_abroad_or_in_lines_is_found_whole() {
    found(&[
        (
            "We mailed it to 12 Rue Lafayette, Lyon.",
            Category::Geographic,
        ),
        ("It went to Augsburger Strasse 36", Category::Geographic),
        ("Her house is 450 Prestevenget 15", Category::Geographic),
        ("APO AE 09021 is on the form", Category::Geographic),
        ("Do you live in Cook County?", Category::Geographic),
        ("mail it to 02139", Category::Geographic),
    ]);
    let text = "Apt. 902\nQaqortoq\nGreenland 96817";
    let found = detect(&POLICY, text, &Known::default());
    let town = text.find("Qaqortoq").unwrap();
    assert!(found.iter().any(|it| it.span.contains(&town)), "{found:?}");
    clean(&[
        "Meet at gate 4 at noon.",
        "Call 988 y oprima 2.",
        "In place of 2 forms, bring 1.",
    ]);
}

#[test]
fn a_label_and_its_number_belong_together_however_many_marks_stand_between() {
    found(&[
        ("Member ID ========== XYZ4821970", Category::HealthPlan),
        ("MRN :::::::::: 00482913", Category::Mrn),
        ("Account ########### 88213045", Category::Account),
        ("MRN  #  :  is  00482913", Category::Mrn),
    ]);
}

#[test]
fn a_day_behind_a_name_is_no_part_of_it() {
    for (text, name) in [
        ("Ask for Kayla Monday", "Kayla"),
        ("Maria Gonzalez Wednesday at 3 PM", "Maria Gonzalez"),
        ("Please call Devon Okafor Tuesday.", "Devon Okafor"),
        ("Bring Maria Lopez December 2 at noon", "Maria Lopez"),
        ("We saw Kwame Boateng March 3, 2026", "Kwame Boateng"),
        ("Vimos a Lucia Herrera Miercoles", "Lucia Herrera"),
        // A month may be a name.
        ("Ask for April May Jensen", "April May Jensen"),
        ("Wednesday Jensen called", "Wednesday Jensen"),
    ] {
        let found = detect(&POLICY, text, &Known::default());
        let mut names = found.iter().filter(|it| it.category == Category::Name);
        let span = names.next().and_then(|it| text.get(it.span.clone()));
        assert_eq!(span, Some(name), "{text}");
    }
}

#[test]
fn a_pictogram_tells_what_its_word_tells() {
    found(&[
        ("your 💊 are ready", Category::Medication),
        ("less 🍺 this week", Category::SubstanceUse),
        ("Congrats 🤰, see you soon", Category::Pregnancy),
        ("still 🤮🤮?", Category::Symptom),
    ]);
    clean(&["Thank you! 😀🎉", "See you soon 👋"]);
}

#[test]
fn the_value_of_a_test_is_in_what_is_found() {
    let text = "The A1c was 9.2% in May";
    let found = detect(&POLICY, text, &Known::default());
    let value = text.find("9.2").unwrap();
    assert!(
        found
            .iter()
            .any(|it| it.category == Category::LabValue && it.span.contains(&value)),
        "{found:?}"
    );
}
