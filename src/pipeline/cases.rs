//! Access cases: a copy of the record that a patient asks for (45 CFR 164.524) is a case here, whatever
//! system keeps the record, so that staff see its day.

use std::sync::Arc;

use jiff::Timestamp;

use crate::agent::ports::RecordsError;
use crate::audit::Entry;
use crate::domain::conversation::{Conversation, Turn};
use crate::domain::ids::{ConversationId, PatientId};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Request, RequestKind, Suits};
use crate::domain::rights::ACCESS_DUE;
use crate::pipeline::house::House;
use crate::pipeline::portal::subject;
use crate::pipeline::portal_room::Room;
use crate::pipeline::reply::Reply;
use crate::store::{StoreError, Tx};

/// The tool by which a text asks for one.
const TOOL: &str = "request_records";

fn asking(words: Phi<String>, due: Timestamp) -> Request {
    Request {
        kind: RequestKind::Records,
        words,
        due: Some(due),
        from: None,
        to: None,
        suits: Suits::default(),
    }
}

/// The case that a reply opens; none where nobody asked, or nobody knows who did.
pub(crate) fn opened_by(
    reply: &Reply,
    (practice, patient): (&Practice, Option<&PatientId>),
    turns: &[Turn],
    now: Timestamp,
) -> Option<Case> {
    let tools = reply.detail.get("tools")?.as_array()?;
    let offered = !practice.tools_off.iter().any(|it| it == TOOL);
    let asked = offered && tools.iter().any(|tool| tool["name"] == TOOL);
    let texts = turns.iter().filter(|turn| reply.answers.contains(&turn.id));
    let words: Vec<&str> = texts.map(|turn| turn.body.as_str()).collect();
    let last = reply.answers.last().filter(|_| asked)?;
    Some(Case {
        patient: patient?.clone(),
        request: asking(
            Phi::new(words.join(" / ")),
            now.saturating_add(ACCESS_DUE).ok()?,
        ),
        key: format!("turn/{last}/records"),
    })
}

/// A case to open with a reply.
pub(crate) struct Case {
    patient: PatientId,
    request: Request,
    key: String,
}

/// Opens the case of a reply where the patient has none.
pub(crate) async fn open(
    tx: &mut Tx,
    conversation: &Conversation,
    case: &Case,
    now: Timestamp,
) -> Result<(), StoreError> {
    let practice = &conversation.practice;
    tx.open_access_case(practice, &case.patient, &case.request, &case.key, now)
        .await
}

impl House {
    /// Opens an access case: a copy of the record, due within 30 days; when it is due. One that is
    /// open already stays the only one. A record system that does not take the request stops
    /// nothing: staff enter it by hand.
    pub async fn portal_records(&self, room: &Room, words: &str) -> Result<Timestamp, StoreError> {
        let now = self.clock().now();
        let (practice, patient) = (&room.practice.id, &room.patient);
        if let Some(due) = self.store().access_due(practice, patient).await? {
            return Ok(due);
        }
        let open = self
            .records()
            .filed(practice, patient, RequestKind::Records)
            .await;
        let there = open.ok().and_then(|all| all.first()?.request.due);
        let due = now.saturating_add(ACCESS_DUE).unwrap_or(Timestamp::MAX);
        let due = there.unwrap_or(due);
        let request = asking(Phi::from(words), due);
        let link = hex::encode(room.link);
        let key = format!("portal/{link}/records/{}", now.as_millisecond());
        let trouble = if there.is_some() {
            None
        } else {
            let filed = self.records().file(practice, patient, &request, &key).await;
            filed.err().map(RecordsError::of_request)
        };
        let asked = Arc::new(Asked {
            request,
            key,
            trouble,
        });
        let work = Arc::new((room.conversation.id, room.link, patient.clone()));
        self.store()
            .write(move |tx| {
                let (work, asked) = (Arc::clone(&work), Arc::clone(&asked));
                Box::pin(async move { tell_of_request(tx, &work, &asked, now).await })
            })
            .await?;
        self.changed();
        Ok(due)
    }
}

/// A copy of the record that was asked for.
struct Asked {
    request: Request,
    key: String,
    /// What staff are told of a record system that did not take it.
    trouble: Option<Phi<String>>,
}

async fn tell_of_request(
    tx: &mut Tx,
    (id, link, patient): &(ConversationId, [u8; 32], PatientId),
    asked: &Asked,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(conversation) = tx.lock_conversation(*id).await? else {
        return Ok(());
    };
    tx.open_access_case(
        &conversation.practice,
        patient,
        &asked.request,
        &asked.key,
        now,
    )
    .await?;
    let told = |cause: &Phi<String>| serde_json::json!({ "record": cause.as_str() }).to_string();
    let report = asked.trouble.as_ref().map(told).unwrap_or_default();
    let (none, report) = (Phi::default(), Phi::new(report));
    let why = "asks for a copy of the record";
    tx.hold(&conversation, &none, &report, why, now).await?;
    let due = asked.request.due.map(|due| due.to_string());
    let about = serde_json::json!({ "due": due, "conversation": id.0 });
    tx.append_audit(&Entry::new(
        &conversation.practice,
        now,
        "patient",
        "access.requested",
        &subject(link),
        &about,
    ))
    .await
}
