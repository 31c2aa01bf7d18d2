//! The front desk's tools: what they do, what they file, what they leave alone.

#![cfg(test)]

use anteroom::agent::ports::{Answer, Message, Records as _, ToolCall};
use anteroom::agent::tools::TOOLS;
use anteroom::domain::conversation::PendingKind;
use anteroom::domain::ids::SlotId;
use anteroom::domain::ids::{PatientId, PracticeId};
use anteroom::domain::phi::Phi;
use anteroom::domain::record::{Filed, RequestKind, Slot};
use anteroom::llm::offline::Offline;
use anteroom::llm::scripted::Scripted;
use anteroom::policy::words::Language;
use jiff::SignedDuration;

use super::{Phone, Screened, draft, fact, tools};
use crate::support::records::{MemoryRecords, at, sample};

fn chose(number: u8) -> Screened {
    Screened {
        choice: Some(number),
        ..Screened::default()
    }
}

async fn filed(phone: &Phone, kind: RequestKind) -> Vec<Filed> {
    let patient: &PatientId = &phone.patient.as_ref().unwrap().id;
    let practice = PracticeId::new("lakeside");
    phone.records.filed(&practice, patient, kind).await.unwrap()
}

#[tokio::test]
async fn a_new_visit_is_offered_chosen_by_number_and_booked() {
    for (language, ask, offered, booked) in [
        (
            Language::En,
            "I need to see the doctor for my knee on Thursday",
            "Free times for a new visit: 1) Thu Dec 3, 9:00 AM",
            "Done. Your visit is booked for Thu, Dec 3 at 10:30 AM with Dr. Ana Reyes.",
        ),
        (
            Language::Es,
            "Quiero una cita el jueves",
            "Horas libres para una nueva cita: 1) jue 3 dic, 9:00 a. m.",
            "Listo. Su cita quedó agendada para el jue 3 dic a las 10:30 a. m. con Dr. Ana Reyes.",
        ),
    ] {
        let mut phone = Phone::of_maria();
        phone.language = language;
        let offer = phone.says(ask).await;
        assert!(draft(&offer).starts_with(offered), "{}", draft(&offer));
        let pending = offer.pending.as_ref().unwrap();
        assert_eq!(pending.kind, PendingKind::RescheduleChoice);
        assert_eq!(pending.appointment, None, "no visit of theirs moves");
        assert_eq!(
            phone.records.writes(),
            0,
            "nothing is booked before the choice"
        );
        let done = phone.says_to("2", chose(2), &Offline::new()).await;
        assert_eq!(draft(&done), booked);
        assert_eq!(fact(&done, "receipt.booked"), ["2026-12-03T10:30:00-08:00"]);
        assert_eq!(phone.records.writes(), 1);
        assert_eq!(
            phone.records.visit("visit-1").start,
            at("2026-12-02T15:00:00-08:00")
        );
        let reason = phone.records.visit("new-0").reason;
        assert_eq!(
            reason.as_str(),
            format!("{ask} / 2"),
            "in the patient's own words"
        );
    }
}

#[tokio::test]
async fn other_days_for_a_new_visit_stay_a_new_visit() {
    let mut phone = Phone::of_maria();
    phone
        .says("I'd like to make an appointment for Thursday")
        .await;
    let other = phone.says("none of those work, what about Friday").await;
    assert!(draft(&other).contains("new visit"), "{}", draft(&other));
    assert_eq!(other.pending.unwrap().appointment, None);
}

#[tokio::test]
async fn a_chosen_time_that_is_gone_leads_to_the_next_ones() {
    let mut phone = Phone::of_maria();
    phone
        .says("I want to book an appointment on Thursday")
        .await;
    phone.records.snatch("thu-1030");
    let next = phone.says_to("2", chose(2), &Offline::new()).await;
    assert!(
        draft(&next).starts_with("Sorry, that time was just taken."),
        "{}",
        draft(&next)
    );
    assert!(fact(&next, "receipt.booked").is_empty());
    let slots = next.pending.unwrap().slots;
    assert!(!slots.is_empty() && slots.iter().all(|it| it.as_str() != "thu-1030"));
}

#[tokio::test]
async fn what_is_asked_of_staff_is_filed_in_the_patients_own_words() {
    for (text, tool, kind, receipt, said) in [
        (
            "I need a refill of metformin",
            "request_refill",
            RequestKind::Refill,
            "receipt.refill_requested",
            "We passed your refill request to our staff. They answer now, until 5:00 PM.",
        ),
        (
            "Please tell Dr. Reyes the new inhaler works",
            "message_care_team",
            RequestKind::Message,
            "receipt.message_sent",
            "We passed your message to your care team. They answer now, until 5:00 PM.",
        ),
        (
            "can someone call me back",
            "request_callback",
            RequestKind::Callback,
            "receipt.callback_created",
            "We asked our staff to call you.",
        ),
        (
            "why was I charged twice",
            "ask_billing",
            RequestKind::Billing,
            "receipt.message_sent",
            "We passed your billing question to our staff. They answer now, until 5:00 PM.",
        ),
        (
            "How can I get my medical records?",
            "request_records",
            RequestKind::Records,
            "receipt.records_requested",
            "We passed your request for a copy of your record to our staff.",
        ),
    ] {
        let mut phone = Phone::of_maria();
        let told = phone.says(text).await;
        assert_eq!(tools(&told), tool, "{text}");
        assert_eq!(draft(&told), said, "{text}");
        assert!(!fact(&told, receipt).is_empty(), "{text}: {receipt}");
        assert!(told.handover.is_some(), "{text}: staff see it");
        let filed = filed(&phone, kind).await;
        assert_eq!(filed.len(), 1, "{text}");
        assert_eq!(filed[0].request.words.as_str(), text);
        let due = filed[0].request.due.is_some();
        assert_eq!(
            due,
            kind == RequestKind::Records,
            "the law sets a day for records only"
        );
    }
}

#[tokio::test]
async fn a_record_that_is_down_loses_no_request() {
    let mut phone = Phone::of_maria();
    let model = Scripted::new(vec![
        Ok(Answer::Tools(vec![call("request_refill", "{}")])),
        Ok(Answer::Text(Phi::from(
            "We passed your refill request to our staff. They answer now, until 5:00 PM.",
        ))),
    ]);
    phone.records.go_down_after(1);
    let told = phone
        .says_to("refill please", Screened::default(), &model)
        .await;
    assert_eq!(told.handover, Some("refill"), "staff have it all the same");
    let tools: Vec<(&str, bool)> = told.tools.iter().map(|it| (it.name, it.ok)).collect();
    assert_eq!(
        tools,
        [("request_refill", false)],
        "and nobody reads that it was filed"
    );
    assert!(
        told.trouble.is_some(),
        "staff see that the record has it not"
    );
}

#[tokio::test]
async fn a_wish_in_the_third_week_is_met_though_a_thousand_nearer_times_are_free() {
    let mut set = sample();
    let one = set.slots[0].clone();
    let first = at("2026-12-01T16:00:00Z");
    set.slots = (0..1_000)
        .map(|number| Slot {
            id: SlotId::new(format!("near-{number}")),
            start: first + SignedDuration::from_mins(number * 10),
            provider: format!("Dr. {}", number % 5),
            ..one.clone()
        })
        .collect();
    for (id, start, provider) in [
        ("wished", "2026-12-21T17:00:00Z", "Dr. Ana Reyes"),
        ("late", "2026-12-21T23:00:00Z", "Dr. Ana Reyes"),
    ] {
        set.slots.push(Slot {
            id: SlotId::new(id),
            start: at(start),
            provider: provider.to_owned(),
            ..one.clone()
        });
    }
    // (what is wished for, what is offered)
    for (wish, wanted) in [
        (r#"{"from":"2026-12-21"}"#, vec!["wished", "late"]),
        (
            r#"{"from":"2026-12-21","part_of_day":"afternoon"}"#,
            vec!["late"],
        ),
        (
            r#"{"from":"2026-12-01","to":"2026-12-22","provider":"reyes"}"#,
            vec!["wished", "late"],
        ),
        // None then: the nearest day after has some, and so has the one before.
        (
            r#"{"from":"2026-12-22","provider":"reyes"}"#,
            vec!["wished", "late"],
        ),
    ] {
        let mut phone = Phone::of_maria();
        phone.records = MemoryRecords::new(set.clone());
        let model = Scripted::new([
            Scripted::tool("find_slots", wish),
            Ok(Answer::Text(Phi::from("Which one?"))),
        ]);
        let told = phone.says_to("a visit", Screened::default(), &model).await;
        let offered = told.pending.map(|it| it.slots).unwrap_or_default();
        let offered: Vec<&str> = offered.iter().map(SlotId::as_str).collect();
        assert_eq!(offered, wanted, "{wish}");
    }
}

#[tokio::test]
async fn a_model_books_and_moves_only_what_an_earlier_text_offered() {
    for (tool, arguments) in [
        ("book_appointment", r#"{"slot_id":"thu-9"}"#),
        (
            "reschedule_appointment",
            r#"{"appointment_id":"visit-1","slot_id":"thu-9"}"#,
        ),
    ] {
        let mut phone = Phone::of_maria();
        let model = Scripted::new([
            Scripted::tool("list_appointments", "{}"),
            Scripted::tool("find_slots", r#"{"from":"2026-12-03"}"#),
            Scripted::tool(tool, arguments),
            Ok(Answer::Text(Phi::from("Which one?"))),
        ]);
        let told = phone
            .says_to("something on Thursday", Screened::default(), &model)
            .await;
        assert_eq!(phone.records.writes(), 0, "{tool}: nobody has chosen yet");
        assert!(told.pending.is_some(), "{tool}: the times stay on offer");
        let asked = model.asked();
        let answers = asked.last().unwrap().messages.iter();
        let refused = answers.filter(|it| {
            matches!(it, Message::ToolResult { json, .. } if json.as_str().contains("is not on offer"))
        });
        assert_eq!(refused.count(), 1, "{tool}");
    }
}

#[tokio::test]
async fn two_places_on_the_waitlist_in_one_turn_are_two() {
    let mut phone = Phone::of_maria();
    let model = Scripted::new([
        Scripted::tool(
            "join_waitlist",
            r#"{"from":"2026-12-03","to":"2026-12-04"}"#,
        ),
        Scripted::tool(
            "join_waitlist",
            r#"{"from":"2026-12-10","to":"2026-12-11"}"#,
        ),
        Ok(Answer::Text(Phi::from("You are on our waitlist."))),
    ]);
    phone
        .says_to("this Thursday or next", Screened::default(), &model)
        .await;
    assert_eq!(filed(&phone, RequestKind::Waitlist).await.len(), 2);
}

#[tokio::test]
async fn the_waitlist_is_joined_once_and_left() {
    let mut phone = Phone::of_maria();
    let joined = phone.says("Can you put me on the waitlist?").await;
    assert!(
        draft(&joined).starts_with("You are on our waitlist."),
        "{}",
        draft(&joined)
    );
    assert_eq!(fact(&joined, "receipt.waitlist"), ["joined"]);
    phone.says("put me on the waiting list please").await;
    assert_eq!(
        filed(&phone, RequestKind::Waitlist).await.len(),
        1,
        "one place"
    );
    let left = phone.says("take me off the waitlist").await;
    assert_eq!(
        draft(&left),
        "You are off our waitlist. To end our texts as well, reply STOP."
    );
    let again = phone.says("take me off the waitlist").await;
    assert_eq!(draft(&again), "You are not on our waitlist.");
}

#[tokio::test]
async fn a_language_is_chosen_and_answered_in() {
    let mut phone = Phone::of_maria();
    let told = phone.says("Please text me in Spanish").await;
    assert_eq!(told.language, Some(Language::Es));
    assert_eq!(draft(&told), "Desde ahora le escribiremos en español.");
}

#[tokio::test]
async fn a_late_cancelling_names_the_notice_and_is_told_to_staff() {
    let mut phone = Phone::of_maria();
    phone.practice.cancel_notice_h = 48;
    let asked = phone.says("I have to cancel my appointment").await;
    assert_eq!(
        draft(&asked),
        "Your visit Wed, Dec 2 at 3:00 PM is near: we ask for 48 hours' notice to cancel. To cancel it \
         all the same, reply YES."
    );
    assert_eq!(
        fact(&asked, "practice.cancel_notice"),
        ["48 hours", "48 horas"]
    );
    let yes = Screened {
        affirmed: true,
        ..Screened::default()
    };
    let done = phone.says_to("YES", yes, &Offline::new()).await;
    assert!(draft(&done).contains("is cancelled"), "{}", draft(&done));
    assert_eq!(done.handover, Some("late_cancel"));

    let mut phone = Phone::of_maria();
    phone.practice.cancel_notice_h = 24;
    let asked = phone.says("I have to cancel my appointment").await;
    assert!(
        !draft(&asked).contains("notice"),
        "in time: {}",
        draft(&asked)
    );
}

fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: "c".to_owned(),
        name: name.to_owned(),
        arguments: Phi::from(arguments),
    }
}

#[tokio::test]
async fn free_times_are_found_by_day_hour_provider_place_and_type_of_visit() {
    let mut set = sample();
    set.slots.retain(|it| it.id.as_str().starts_with("thu-"));
    set.slots[0].kind = "new patient".to_owned();
    set.slots[1].provider = "Dr. Samir Patel".to_owned();
    set.slots[2].location = "8 Hill Road".to_owned();
    // (what is wished for beside the Thursday, the times that are offered)
    let cases: &[(&str, &[&str])] = &[
        ("", &["thu-9", "thu-1030", "thu-14"]),
        (
            r#","visit_type":"New patient""#,
            &["thu-9", "thu-1030", "thu-14"],
        ),
        (
            r#","visit_type":"follow-up""#,
            &["thu-1030", "thu-14", "thu-15"],
        ),
        (r#","provider":"patel""#, &["thu-1030"]),
        (r#","location":"hill""#, &["thu-14"]),
        (r#","part_of_day":"afternoon""#, &["thu-14", "thu-15"]),
        (r#","not_before":"15:00""#, &["thu-15"]),
        (r#","before":"10:00""#, &["thu-9"]),
        (r#","part_of_day":"morning","provider":"reyes""#, &["thu-9"]),
        (r#","not_before":"17:00""#, &[]),
    ];
    for (wish, wanted) in cases {
        let mut phone = Phone::of_maria();
        phone.records = MemoryRecords::new(set.clone());
        let arguments = format!(r#"{{"from":"2026-12-03"{wish}}}"#);
        let model = Scripted::new([
            Scripted::tool("find_slots", &arguments),
            Ok(Answer::Text(Phi::from("Which one?"))),
        ]);
        let told = phone.says_to("a visit", Screened::default(), &model).await;
        let offered = told.pending.map(|it| it.slots).unwrap_or_default();
        let offered: Vec<&str> = offered.iter().map(SlotId::as_str).collect();
        assert_eq!(offered, *wanted, "{wish}");
    }
    // What does not fit is told to the model, which may mend it once.
    let unfit = [
        "{}",
        r#"{"from":"soon"}"#,
        r#"{"from":"2026-12-03","patient":"otto"}"#,
        r#"{"from":"2026-12-03","appointment_id":"visit-9"}"#,
    ];
    for arguments in unfit {
        let mut phone = Phone::of_maria();
        let model = Scripted::new([
            Scripted::tool("find_slots", arguments),
            Ok(Answer::Text(Phi::from("One moment."))),
        ]);
        let told = phone.says_to("a visit", Screened::default(), &model).await;
        assert!(told.pending.is_none(), "{arguments}");
        assert_eq!(tools(&told), "", "{arguments}");
    }
}

#[tokio::test]
async fn a_tool_that_the_practice_has_switched_off_is_refused() {
    let mut phone = Phone::of_maria();
    phone.practice.tools_off = vec!["find_slots".to_owned(), "request_refill".to_owned()];
    let told = phone.says("I need a refill").await;
    assert!(filed(&phone, RequestKind::Refill).await.is_empty());
    assert!(told.handover.is_some(), "staff read it");
}

#[tokio::test]
async fn no_tool_takes_a_patient_and_every_argument_is_described_and_closed() {
    for tool in TOOLS {
        let schema: serde_json::Value = serde_json::from_str(tool.parameters).unwrap();
        assert_eq!(schema["type"], "object", "{}", tool.name);
        assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
        for name in schema["properties"].as_object().unwrap().keys() {
            let whose = ["patient", "name", "phone", "birth", "mrn"];
            assert!(
                !whose.iter().any(|word| name.contains(word)),
                "{}: {name}",
                tool.name
            );
        }
        assert!(tool.description.len() > 20, "{}", tool.name);
    }
}

#[tokio::test]
async fn a_stranger_books_and_waits_for_nothing() {
    let mut phone = Phone::of_maria();
    phone.patient = None;
    for text in ["I want to book an appointment", "put me on the waitlist"] {
        let told = phone.says(text).await;
        assert!(told.tools.iter().all(|tool| !tool.ok), "{text}");
    }
    assert_eq!(phone.records.writes(), 0);
}

#[tokio::test]
async fn what_somebody_needs_at_a_visit_is_filed_with_staff() {
    for text in [
        "I need an interpreter for my visit",
        "Could you arrange a sign language interpreter?",
        "can I get the forms in large print",
        "I'll need a wheelchair at the door",
        "I'm deaf, please text instead of calling",
        "hi, I use a walker",
        "I have a service dog, I will bring him",
        "id like extra time with the doctor please",
        "I'm hard of hearing",
        "We will need an ASL interpreter",
        "necesito un intérprete",
        "Quisiera los papeles en letra grande",
        "ando en silla de ruedas",
        "soy sorda",
        "voy a necesitar ayuda para subir las escaleras",
        "¿Me pueden conseguir un intérprete de lengua de señas?",
    ] {
        let mut phone = Phone::of_maria();
        let told = phone.says(text).await;
        assert_eq!(tools(&told), "accessibility_need", "{text}");
        assert_eq!(draft(&told), "We told our staff what you need.", "{text}");
        let filed = filed(&phone, RequestKind::Accessibility).await;
        assert_eq!(filed.len(), 1, "{text}");
        assert_eq!(filed[0].request.words.as_str(), text);
    }
    for text in [
        "is there an interpreter?",
        "hay intérprete?",
        "do you have a wheelchair ramp",
        "I don't need the interpreter anymore",
        "I can't see well since this morning",
        "no oigo bien desde ayer",
        "I need an appointment",
        "I need more time to decide",
    ] {
        let mut phone = Phone::of_maria();
        let told = phone.says(text).await;
        assert_ne!(tools(&told), "accessibility_need", "{text}");
        assert!(!draft(&told).is_empty(), "{text}");
    }
}

/// What each tool lets a model see of the record, key by key: no tool tells more than its purpose needs.
const FIELDS: &[(&str, &str, &str)] = &[
    ("verify_identity", "{}", "verified"),
    ("providers", "{}", "providers"),
    (
        "list_appointments",
        "{}",
        "appointments.appointment_id appointments.date appointments.location \
         appointments.provider appointments.status appointments.when",
    ),
    ("results_status", "{}", "released.name released.value"),
    (
        "practice_information",
        r#"{"topic":"hours"}"#,
        "phone topic value",
    ),
    (
        "hand_over",
        r#"{"reason":"other"}"#,
        "answering passed_to phone reason say",
    ),
    (
        "request_refill",
        "{}",
        "answering passed_to phone reason say",
    ),
    (
        "message_care_team",
        "{}",
        "answering passed_to phone reason say",
    ),
    (
        "request_callback",
        "{}",
        "answering passed_to phone reason say",
    ),
    ("ask_billing", "{}", "answering passed_to phone reason say"),
    (
        "request_records",
        "{}",
        "answering passed_to phone reason say",
    ),
    (
        "accessibility_need",
        "{}",
        "answering passed_to phone reason say",
    ),
    ("join_waitlist", "{}", "waitlist"),
    ("leave_waitlist", "{}", "waitlist"),
    ("set_language", r#"{"language":"es"}"#, "language"),
    (
        "send_by_portal",
        r#"{"text":"Please fast before the visit."}"#,
        "portal say",
    ),
];

#[tokio::test]
async fn each_tool_lets_a_model_see_its_own_fields_and_no_others() {
    for (tool, arguments, fields) in FIELDS {
        let script = Scripted::new([Scripted::tool(tool, arguments), Scripted::text("Done.")]);
        let mut phone = Phone::of_maria();
        let told = phone
            .says_to("Please help", Screened::default(), &script)
            .await;
        assert_eq!(tools(&told), *tool);
        assert!(told.tools[0].ok, "{tool}");
        let asked = script.asked();
        let seen = asked
            .last()
            .unwrap()
            .messages
            .iter()
            .find_map(|it| match it {
                Message::ToolResult { json, .. } => Some(json.as_str().to_owned()),
                Message::Patient(_) | Message::Agent(_) | Message::ToolCalls(_) => None,
            });
        let seen: serde_json::Value = serde_json::from_str(&seen.unwrap()).unwrap();
        assert_eq!(
            keys(&seen).join(" "),
            fields.split_whitespace().collect::<Vec<_>>().join(" "),
            "{tool}"
        );
    }
}

#[tokio::test]
async fn a_model_learns_who_works_here_and_tells_it() {
    let script = Scripted::new([
        Scripted::tool("providers", "{}"),
        Scripted::text("Dr. Ana Reyes sees patients here."),
    ]);
    let mut phone = Phone::of_maria();
    let told = phone
        .says_to("Who works there?", Screened::default(), &script)
        .await;
    let named = fact(&told, "provider.name");
    assert!(named.contains(&"Dr. Ana Reyes"), "{named:?}");
    assert_eq!(draft(&told), "Dr. Ana Reyes sees patients here.");
    // Nobody on file asks the same and learns the same; whose record it is they do not.
    let script = Scripted::new([
        Scripted::tool("verify_identity", "{}"),
        Scripted::tool("providers", "{}"),
        Scripted::text("Dr. Ana Reyes sees patients here."),
    ]);
    let mut stranger = Phone::of_maria();
    stranger.patient = None;
    let told = stranger
        .says_to("Who works there?", Screened::default(), &script)
        .await;
    let done: Vec<_> = told.tools.iter().map(|it| (it.name, it.ok)).collect();
    assert_eq!(done, [("verify_identity", false), ("providers", true)]);
}

/// Every key of an answer, those of the things in a list behind the list's.
fn keys(json: &serde_json::Value) -> Vec<String> {
    let mut found = std::collections::BTreeSet::new();
    for (key, value) in json.as_object().into_iter().flatten() {
        let things: Vec<_> = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it.as_object())
            .collect();
        if things.is_empty() {
            found.insert(key.clone());
        }
        found.extend(
            things
                .iter()
                .flat_map(|it| it.keys().map(|inner| format!("{key}.{inner}"))),
        );
    }
    found.into_iter().collect()
}
