//! `consent show`: the timeline of one number's consent with its evidence, for whoever must prove it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{HOLDS, NO_VERDICT, NOTHING};
use crate::config::Loaded;
use crate::domain::consent::{Consent, ConsentProof, ConsentPurpose};
use crate::domain::conversation::Conversation;
use crate::domain::ids::{PatientId, PracticeId};
use crate::domain::phone::E164;
use crate::store::{LedgerEntry, Store, StoreError};

/// Prints every conversation with a number: where each purpose stands, then what led there, oldest
/// first. The number that was asked for and the patient's id are shown; no text and no name is.
pub(super) async fn show(
    loaded: &Loaded,
    number: &E164,
    practice: Option<&str>,
    as_json: bool,
) -> u8 {
    let store = match super::audit::store_to_read(loaded).await {
        Ok(Some(store)) => store,
        Ok(None) => return nothing(number),
        Err(code) => return code,
    };
    let known = loaded.config.practice.iter().map(|it| it.id.clone());
    let mut practices: Vec<PracticeId> = known.collect();
    if let Some(only) = practice {
        practices = vec![PracticeId::new(only)];
    }
    if practices.is_empty() {
        practices = match store.audited_practices().await {
            Ok(practices) => practices,
            Err(error) => return failed(&error),
        };
    }
    let mut shown = 0;
    for practice in &practices {
        match show_practice(&store, practice, number, as_json).await {
            Ok(count) => shown += count,
            Err(error) => return failed(&error),
        }
    }
    if shown == 0 { nothing(number) } else { HOLDS }
}

fn nothing(number: &E164) -> u8 {
    eprintln!(
        "anteroom: nothing was ever exchanged with {}; try `--practice ID` for a practice that is \
         not in this configuration",
        number.as_str()
    );
    NOTHING
}

fn failed(error: &StoreError) -> u8 {
    eprintln!("anteroom: {error}");
    NO_VERDICT
}

async fn show_practice(
    store: &Store,
    practice: &PracticeId,
    number: &E164,
    as_json: bool,
) -> Result<usize, StoreError> {
    let conversations = store.conversations_with(practice, number).await?;
    for conversation in &conversations {
        let ledger = store.consent_ledger(conversation.id).await?;
        if as_json {
            for line in lines(conversation, &ledger) {
                println!("{line}");
            }
        } else {
            print!("{}", page(conversation, &ledger));
        }
    }
    Ok(conversations.len())
}

/// One object a line: the standing of each person, then the events.
fn lines(conversation: &Conversation, ledger: &[LedgerEntry]) -> Vec<Value> {
    let place = json!({
        "practice": conversation.practice.as_str(),
        "conversation": conversation.id.0,
        "number": conversation.number.as_str(),
        "sender": conversation.sender.as_str(),
        "channel": conversation.channel.as_str(),
        "carrier": conversation.carrier.as_str(),
    });
    let with = |kind: &str, mut value: Value| {
        if let (Some(object), Some(place)) = (value.as_object_mut(), place.as_object()) {
            object.insert("kind".to_owned(), kind.into());
            object.extend(place.clone());
        }
        value
    };
    let people = people(conversation).into_iter().map(|(patient, consent)| {
        let value = json!({
            "patient": patient.map(PatientId::as_str),
            "contact": consent.contact,
            "phi": { "state": consent.state, "since": consent.since },
            "confirmations": consent.confirmations,
            "proof": consent.proof,
            "proof_sha256": consent.proof.as_ref().map(ConsentProof::digest),
        });
        with("standing", value)
    });
    let events = ledger
        .iter()
        .map(|entry| with("event", serde_json::to_value(entry).unwrap_or_default()));
    people.chain(events).collect()
}

fn people(it: &Conversation) -> Vec<(Option<&PatientId>, &Consent)> {
    let others = it.speaker.others.iter();
    let others = others.map(|other| (Some(&other.patient), &other.consent));
    std::iter::once((it.patient.as_ref(), &it.consent))
        .chain(others)
        .collect()
}

fn page(conversation: &Conversation, ledger: &[LedgerEntry]) -> String {
    let mut page = vec![format!(
        "{} with {} over {} ({}, {})\n",
        conversation.practice,
        conversation.number.as_str(),
        conversation.sender.as_str(),
        conversation.carrier,
        conversation.channel,
    )];
    if let Some(doubt) = conversation.speaker.doubt {
        page.push(format!(
            "  the number may be another's ({doubt}): nobody is taken for the writer\n"
        ));
    }
    for (patient, consent) in people(conversation) {
        let who = patient.map_or("nobody in particular", PatientId::as_str);
        page.push(format!("\n  Patient {who}\n"));
        for purpose in ConsentPurpose::ALL {
            let since = match purpose {
                ConsentPurpose::Contact => consent.contact.since,
                ConsentPurpose::Phi => consent.since,
                ConsentPurpose::Confirmations => consent.confirmations.since,
            };
            page.push(format!(
                "    {:<14} {:<12} since {}\n",
                purpose.as_str(),
                consent.standing(*purpose).as_str(),
                minute(since)
            ));
        }
        if let Some(proof) = &consent.proof {
            page.push(format!(
                "    proof {}, until {}\n",
                proof.digest(),
                minute(proof.expires)
            ));
        }
    }
    page.push("\n  Events, oldest first (UTC)\n".to_owned());
    if ledger.is_empty() {
        page.push("    none kept: what stands is from before this ledger\n".to_owned());
    }
    for entry in ledger {
        page.push(row(entry));
    }
    page.push("\n".to_owned());
    page.concat()
}

fn row(entry: &LedgerEntry) -> String {
    let now = entry.purposes;
    let evidence = &entry.evidence;
    let mut row = vec![format!(
        "    {}  {:<12} by {:<9} -> contact {}, phi {}, confirmations {}\n",
        minute(evidence.at),
        entry.event,
        evidence.who.as_str(),
        now.contact,
        now.phi,
        now.confirmations,
    )];
    let mut detail = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            row.push(format!("        {name} {value}\n"));
        }
    };
    detail("patient", entry.patient.as_ref().map(ToString::to_string));
    detail("text id", evidence.message.clone());
    detail("words sha256", evidence.words.clone());
    detail("language", evidence.language.map(|it| it.to_string()));
    detail("reason", evidence.reason.clone());
    detail(
        "notice",
        entry.notice.as_ref().map(|notice| {
            format!(
                "{} in {}, sha256 {}, of {}",
                notice.text_id,
                notice.language,
                notice.sha256,
                minute(notice.at)
            )
        }),
    );
    detail("proof sha256", entry.proof.clone());
    row.concat()
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
