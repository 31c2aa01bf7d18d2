//! Access: what is kept of one patient, put together for a copy (45 CFR 164.524), and the day by which
//! the law of their state wants it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::agent::ports::RecordsError;
use crate::domain::conversation::{Conversation, Direction};
use crate::domain::ids::PatientId;
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::domain::record::{Appointment, Clinical, Patient};
use crate::domain::rights::Closing;
use crate::pipeline::house::House;
use crate::pipeline::portal_room::SECURE_REPLY;
use crate::policy::law::Whereabouts;
use crate::policy::law::deadline::{Started, deadline};
use crate::policy::law::terms::{Event, From, Recipient};
use crate::policy::words::Jurisdiction;
use crate::store::StoreError;

/// Texts of one conversation that a copy holds: ten a day for ten years.
const TURNS_MAX: u32 = 40_000;

/// One message as the copy has it.
#[derive(Clone, Debug)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// Over what: `sms`, `whatsapp`, `portal`, ...
    pub over: &'static str,
    /// Whether the practice wrote it.
    pub ours: bool,
    /// The words.
    pub words: Phi<String>,
    /// Where it stands, of the practice's own.
    pub state: &'static str,
}

/// What is kept of one patient.
#[derive(Clone, Debug)]
pub struct RecordCopy {
    /// Whose.
    pub patient: Patient,
    /// Every message with them, oldest first.
    pub messages: Vec<Message>,
    /// Conversations on numbers that several people share: their texts are left out, for they may be
    /// another's. Staff look at them.
    pub left_out: Vec<i64>,
    /// All of it for machines. PHI: it has no place in a log.
    pub json: Phi<String>,
}

/// By when the law wants a copy given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LawDue {
    /// The last day.
    pub day: Date,
    /// The last day with the extension; none where that law allows none.
    pub extended: Option<Date>,
    /// The last day for reading the record on the spot, where there is one.
    pub inspect: Option<Date>,
    /// The rule.
    pub rule: String,
    /// What it says.
    pub summary: String,
    /// The source.
    pub cite: String,
}

impl House {
    /// By when a copy of the record is due that was asked for then, by the strictest law that applies.
    pub fn access_due(
        &self,
        practice: &Practice,
        residence: Jurisdiction,
        asked: Timestamp,
    ) -> Option<LawDue> {
        let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
        let judge = self.in_force();
        let law = judge.guardrail.law();
        let duties = law.duties(Whereabouts {
            practice: practice.state,
            residence,
            practice_type: &practice.kind,
            day: asked.to_zoned(zone.clone()).date(),
        });
        let started = Started {
            event: Event::AccessRequest,
            residents: None,
            starts: &[(From::Requested, asked)],
            zone: &zone,
        };
        let due = deadline(&duties, &started, Recipient::Individual)?;
        let rule = law.rule(&due.clock.by);
        Some(LawDue {
            day: due.day,
            extended: due.extended,
            inspect: due.inspect,
            rule: due.clock.by.to_string(),
            summary: rule.map(|it| it.summary.clone()).unwrap_or_default(),
            cite: rule.map(|it| it.cite.clone()).unwrap_or_default(),
        })
    }

    /// Puts together what is kept of a patient; none where the record has no such person.
    pub async fn record_copy(
        &self,
        practice: &Practice,
        patient: &PatientId,
        now: Timestamp,
    ) -> Result<Result<Option<RecordCopy>, RecordsError>, StoreError> {
        let records = self.records();
        let found = match records.patient(&practice.id, patient).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let visits = records.appointments(&practice.id, patient, Timestamp::UNIX_EPOCH);
        let visits = match visits.await {
            Ok(visits) => visits,
            Err(error) => return Ok(Err(error)),
        };
        let clinical = match records.clinical(&practice.id, patient).await {
            Ok(clinical) => clinical,
            Err(error) => return Ok(Err(error)),
        };
        let mut copy = RecordCopy {
            patient: found.clone(),
            messages: Vec::new(),
            left_out: Vec::new(),
            json: Phi::default(),
        };
        let mut consents = Vec::new();
        for number in &found.phones {
            let alone = match records.patients_by_phone(&practice.id, number).await {
                Ok(people) => people.len() == 1,
                Err(error) => return Ok(Err(error)),
            };
            let all = self
                .store()
                .conversations_with(&practice.id, number)
                .await?;
            for conversation in &all {
                self.add_conversation((&mut copy, &mut consents), conversation, alone)
                    .await?;
            }
        }
        copy.messages.sort_by_key(|it| it.at);
        let cases = self.store().cases_of(&practice.id, patient).await?;
        let asked: Vec<Value> = cases
            .iter()
            .map(|it| {
                json!({
                    "kind": it.filed.request.kind.as_str(), "at": it.filed.at,
                    "words": it.filed.request.words.as_str(), "due": it.filed.request.due,
                    "closed": it.closed.as_ref().map(|(at, _)| at),
                    "how": it.closed.as_ref().and_then(|(_, how)| *how).map(Closing::as_str),
                })
            })
            .collect();
        let json = json!({
            "format": "anteroom-record-copy/1",
            "made": now,
            "practice": {
                "name": practice.name, "phone": practice.phone.as_str(), "address": practice.address,
            },
            "patient": person(&found),
            "visits": visits.iter().map(visit).collect::<Vec<_>>(),
            "clinical": clinical.iter().map(entry).collect::<Vec<_>>(),
            "messages": copy.messages.iter().map(message).collect::<Vec<_>>(),
            "consent": consents,
            "requests": asked,
            "left_out_on_shared_numbers": copy.left_out.len(),
        });
        let text = serde_json::to_string_pretty(&json).unwrap_or_default();
        copy.json = Phi::new(format!("{text}\n"));
        Ok(Ok(Some(copy)))
    }

    async fn add_conversation(
        &self,
        (copy, consents): (&mut RecordCopy, &mut Vec<Value>),
        conversation: &Conversation,
        alone: bool,
    ) -> Result<(), StoreError> {
        let (id, store) = (conversation.id, self.store());
        let whose = copy.patient.id.clone();
        for sent in store.portal_messages(id).await? {
            let sent = sent.message;
            if sent.patient == whose {
                copy.messages.push(Message {
                    at: sent.opened.unwrap_or(sent.expires),
                    over: "portal",
                    ours: true,
                    words: sent.body,
                    state: if sent.opened.is_some() {
                        "read"
                    } else {
                        "not opened"
                    },
                });
            }
        }
        for reply in store.secure_replies(id, TURNS_MAX).await? {
            if reply.patient == whose {
                copy.messages.push(Message {
                    at: reply.at,
                    over: "portal",
                    ours: false,
                    words: reply.body,
                    state: "",
                });
            }
        }
        let others = conversation.speaker.others.iter();
        let another = conversation.patient.as_ref().is_some_and(|it| *it != whose)
            || others.map(|it| &it.patient).any(|it| *it != whose);
        if !alone || conversation.speaker.shared || another {
            copy.left_out.push(id.0);
            return Ok(());
        }
        for turn in store.turns(id, TURNS_MAX).await? {
            if turn.intent == SECURE_REPLY {
                continue;
            }
            copy.messages.push(Message {
                at: turn.at,
                over: conversation.channel.as_str(),
                ours: turn.direction == Direction::Outbound,
                words: turn.body,
                state: turn.delivery.map_or("", |it| it.as_str()),
            });
        }
        for event in store.consent_ledger(id).await? {
            if event.patient.as_ref().is_none_or(|it| *it == whose) {
                consents.push(json!({
                    "at": event.evidence.at, "event": event.event, "number": conversation.number,
                    "channel": conversation.channel.as_str(), "who": event.evidence.who.as_str(),
                    "notice": event.notice.as_ref().map(|it| &it.text_id),
                    "notice_sha256": event.notice.as_ref().map(|it| &it.sha256),
                    "proof": event.proof,
                }));
            }
        }
        Ok(())
    }
}

fn person(it: &Patient) -> Value {
    let text = |it: &Option<Phi<String>>| it.as_ref().map(|it| it.as_str().to_owned());
    json!({
        "first_name": it.first_name.as_str(), "last_name": it.last_name.as_str(),
        "birth_date": it.birth_date.as_ref().map(|it| it.expose().to_string()),
        "phones": it.phones.iter().map(E164::as_str).collect::<Vec<_>>(),
        "state": it.state.as_str(), "mrn": text(&it.mrn), "email": text(&it.email),
        "address": text(&it.address),
        "language": it.language.map(crate::policy::words::Language::as_str),
    })
}

fn visit(it: &Appointment) -> Value {
    json!({
        "start": it.start, "end": it.end, "provider": it.provider, "location": it.location,
        "reason": it.reason.as_str(), "preparation": it.preparation.as_str(),
        "status": it.status.as_str(),
    })
}

fn entry(it: &Clinical) -> Value {
    json!({
        "kind": it.kind.as_str(), "name": it.name.as_str(), "value": it.value.as_str(),
        "on": it.on.map(|it| it.to_string()),
    })
}

fn message(it: &Message) -> Value {
    json!({
        "at": it.at, "over": it.over, "from": if it.ours { "practice" } else { "patient" },
        "words": it.words.as_str(), "state": it.state,
    })
}
