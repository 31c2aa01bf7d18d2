//! The tools as models see them: names, purposes, JSON Schemas.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

use crate::agent::tools::ToolSpec;

/// SHA-256 over names, descriptions and parameters of all tools, in hexadecimal.
pub fn digest() -> &'static str {
    static DIGEST: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for tool in TOOLS {
            for part in [tool.name, tool.description, tool.parameters] {
                hash.update(part.as_bytes());
                hash.update([0]);
            }
        }
        hex::encode(hash.finalize())
    });
    &DIGEST
}

const NOTHING: &str = r#"{"type":"object","properties":{},"additionalProperties":false}"#;

const VISIT: &str = r#"{"type":"object","properties":{"appointment_id":{"type":"string","description":"An id that list_appointments gave in this conversation."}},"required":["appointment_id"],"additionalProperties":false}"#;

/// Every tool on offer. None takes a patient: the conversation decides who that is.
pub const TOOLS: &[ToolSpec] = &[
    ToolSpec {
        name: "list_appointments",
        description: "The patient's upcoming visits, soonest first.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "confirm_appointment",
        description: "Confirms one visit, when the patient says that they will come.",
        parameters: VISIT,
    },
    ToolSpec {
        name: "cancel_appointment",
        description: "Asks to cancel one visit. It is not cancelled yet: ask the patient to reply YES; \
                      the cancelling follows their YES.",
        parameters: VISIT,
    },
    ToolSpec {
        name: "reschedule_appointment",
        description: "Moves a visit to a slot that an earlier text offered and the patient chose.",
        parameters: r#"{"type":"object","properties":{"appointment_id":{"type":"string","description":"An id that list_appointments gave."},"slot_id":{"type":"string","description":"An id that find_slots offered."}},"required":["appointment_id","slot_id"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "find_slots",
        description: "Up to three free times on the wished days, or on the nearest days when there are \
                      none. Name the visit to be moved in appointment_id; leave it out when a new visit \
                      is wanted. Offer the times with their numbers, and ask for the number. First \
                      available: from today. After work: not_before 17:00.",
        parameters: r#"{"type":"object","properties":{"from":{"type":"string","format":"date","description":"First wished day, YYYY-MM-DD."},"to":{"type":["string","null"],"format":"date","description":"Last wished day; the first one if absent."},"part_of_day":{"type":["string","null"],"enum":["morning","afternoon",null]},"not_before":{"type":["string","null"],"description":"Earliest time of day, HH:MM, 24 hours."},"before":{"type":["string","null"],"description":"Only times before this one, HH:MM, 24 hours."},"provider":{"type":["string","null"],"description":"Only this provider's times, by name."},"location":{"type":["string","null"],"description":"Only at this place, by name."},"visit_type":{"type":["string","null"],"maxLength":60,"description":"Only times kept for this kind of visit, in public words; times that say no kind suit any."},"appointment_id":{"type":["string","null"],"description":"The visit to be moved; absent for a new visit."}},"required":["from"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "book_appointment",
        description: "Books a new visit in a slot that an earlier text offered and the patient chose by \
                      its number.",
        parameters: r#"{"type":"object","properties":{"slot_id":{"type":"string","description":"An id that find_slots offered."},"visit_type":{"type":["string","null"],"maxLength":60,"description":"new patient, follow-up, check-up, ...; no complaint and no diagnosis."}},"required":["slot_id"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "join_waitlist",
        description: "Puts the patient on the waitlist for a time that becomes free between two days; \
                      give only what the patient said would suit.",
        parameters: r#"{"type":"object","properties":{"from":{"type":["string","null"],"format":"date"},"to":{"type":["string","null"],"format":"date"},"part_of_day":{"type":["string","null"],"enum":["morning","afternoon",null]},"not_before":{"type":["string","null"],"description":"Earliest time of day, HH:MM, 24 hours."},"before":{"type":["string","null"],"description":"Only times before this one, HH:MM, 24 hours."},"provider":{"type":["string","null"],"maxLength":60},"location":{"type":["string","null"],"maxLength":60},"visit_type":{"type":["string","null"],"maxLength":60,"description":"new patient, follow-up, check-up, ...; no complaint and no diagnosis."}},"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "leave_waitlist",
        description: "Takes the patient off the waitlist.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "verify_identity",
        description: "Whether it is known which patient writes. When not, the patient is asked for the \
                      birth date by us: say nothing of it yourself.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "request_refill",
        description: "Files a refill request for the staff, in the patient's own words.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "message_care_team",
        description: "Files the patient's message for the care team, word for word.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "request_callback",
        description: "Asks the staff to call the patient. Promise no time.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "ask_billing",
        description: "Files the patient's question about money for the billing staff.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "request_records",
        description: "Opens a request for a copy of the patient's record; the law gives the practice 30 \
                      days.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "accessibility_need",
        description: "Tells the staff that the patient needs an interpreter, large print, a ramp or the \
                      like.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "visit_preparation",
        description: "Puts how to prepare for one visit behind a secure link.",
        parameters: VISIT,
    },
    ToolSpec {
        name: "set_language",
        description: "Keeps the language in which the patient wants to be written to.",
        parameters: r#"{"type":"object","properties":{"language":{"type":"string","enum":["en","es"]}},"required":["language"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "practice_information",
        description: "What the practice tells anyone: hours, address, phone, parking, insurance, and other \
                      public notices.",
        parameters: r#"{"type":"object","properties":{"topic":{"type":"string","description":"hours, address, phone, name, parking, insurance, or another public topic."},"on":{"type":["string","null"],"format":"date","description":"With hours: the day asked about, to learn whether the practice is open."}},"required":["topic"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "hand_over",
        description: "Passes the patient's message to the staff. Use it for medical questions, symptoms, \
                      forms, questions about somebody else, when asked for a person, and when unsure.",
        parameters: r#"{"type":"object","properties":{"reason":{"type":"string","enum":["refill","billing","medical","new_appointment","person","paperwork","late","results","someone_else","other"]}},"required":["reason"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "send_by_portal",
        description: "Puts a private text behind a secure link that the patient opens with their birth date.",
        parameters: r#"{"type":"object","properties":{"text":{"type":"string","maxLength":2000}},"required":["text"],"additionalProperties":false}"#,
    },
    ToolSpec {
        name: "results_status",
        description: "Test results that staff have released to the patient.",
        parameters: NOTHING,
    },
    ToolSpec {
        name: "providers",
        description: "Everybody whom patients see at this practice.",
        parameters: NOTHING,
    },
];
