//! Handoff: the agent steps aside for a person, and comes back when staff say so or after the
//! practice's time. The epoch rises both ways, so that no draft of before can cross.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::agent::opening;
use crate::agent::texts::TextId;
use crate::agent::tools::HandOver;
use crate::audit::Entry;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::ids::TurnId;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Patient, Request, RequestKind};
use crate::guardrail::finding::Action;
use crate::guardrail::review::Review;
use crate::pipeline::house::House;
use crate::policy::words::Language;
use crate::store::{StoreError, Tx};

/// The rule by which a text asks for a call rather than for a person in this conversation.
const CALL: &str = "human.call";

/// Texts of the patient that a summary quotes: what led up to it.
const QUOTED: usize = 4;

/// Conversations that are given back in one round.
const ROUND: u32 = 100;

/// Findings of conduct: whoever drafts so is not asked again in this conversation before a person
/// has looked.
const CONDUCT: &[&str] = &[
    "medical_advice",
    "license_claim",
    "human_claim",
    "other_patient",
];

/// Why the agent did not get on; the second time in a row it steps aside.
const FAILURES: &[&str] = &["guardrail", "model", "limits"];

/// The agent steps aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aside {
    /// Until when at most; none: until staff give the conversation back.
    pub(crate) until: Option<Timestamp>,
}

impl Aside {
    /// Aside for as long as the practice wants.
    pub(crate) fn of(practice: &Practice, now: Timestamp) -> Self {
        let hours = practice.handoff.returns_after_h;
        let span = SignedDuration::from_hours(i64::from(hours));
        let until = (hours > 0).then(|| now.saturating_add(span).ok()).flatten();
        Self { until }
    }
}

/// Whether the review found what the agent must not say whatever the patient asks.
pub(crate) fn misconduct(review: &Review<'_>) -> bool {
    review.findings.iter().any(|finding| {
        finding.action == Action::Hold && CONDUCT.contains(&finding.category.as_str())
    })
}

/// When staff answer at this practice, in the patient's language.
pub(crate) fn answering(practice: &Practice, now: Timestamp, language: Language) -> Option<String> {
    let zone = TimeZone::get(&practice.timezone).ok()?;
    opening::answering(&practice.hours, now, &zone, language)
}

impl House {
    /// Whether the agent failed in this conversation before, and nobody has looked since.
    pub(crate) async fn failed_before(
        &self,
        conversation: &Conversation,
        reason: &str,
    ) -> Result<bool, StoreError> {
        if !FAILURES.contains(&reason) {
            return Ok(false);
        }
        let holds = self.store().open_holds(conversation.id).await?;
        let last = holds.last();
        Ok(last.is_some_and(|hold| FAILURES.contains(&hold.reason.as_str())))
    }

    /// Files a callback where the person who is asked for is to call: what is said then, and why
    /// staff look. None where nobody asked for a call, or nobody knows who did.
    pub(crate) async fn file_callback(
        &self,
        practice: &Practice,
        (conversation, patient): (&Conversation, Option<&Patient>),
        turns: &[Turn],
        answers: &[TurnId],
    ) -> Option<(TextId, Option<&'static str>)> {
        let patient = patient?;
        let turn = turns
            .iter()
            .filter(|turn| answers.contains(&turn.id))
            .find(|turn| {
                let screen = &self.parts.screen;
                let reading = screen.read(turn.body.as_str(), None, conversation.language);
                reading.rules.iter().any(|rule| &**rule == CALL)
            })?;
        let request = Request {
            kind: RequestKind::Callback,
            words: turn.body.clone(),
            due: None,
            from: None,
            to: None,
        };
        let key = format!("conversation/{}/turn/{}/callback", conversation.id, turn.id);
        let filed = self
            .records()
            .file(&practice.id, &patient.id, &request, &key)
            .await;
        match filed {
            Ok(_) => Some((TextId::Callback, Some(HandOver::Callback.as_str()))),
            Err(error) => {
                tracing::warn!(%error, "a callback could not be filed; staff have the text");
                None
            }
        }
    }

    /// Gives back to the agent what was handed over long enough ago.
    pub async fn tend_handoffs_once(self: &Arc<Self>) -> Result<usize, StoreError> {
        let now = self.clock().now();
        let due = self.store().handed_over_until(now, ROUND).await?;
        for id in &due {
            let id = *id;
            self.store()
                .write(move |tx| {
                    Box::pin(async move {
                        let Some(mut conversation) = tx.lock_conversation(id).await? else {
                            return Ok(());
                        };
                        if come_back(tx, &mut conversation, now).await? {
                            tx.save_conversation(&conversation).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        if !due.is_empty() {
            self.changed();
        }
        Ok(due.len())
    }
}

/// The agent steps aside in a conversation that is locked; whoever calls saves it.
pub(crate) async fn step_aside(
    tx: &mut Tx,
    conversation: &mut Conversation,
    aside: Aside,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if conversation.human {
        return Ok(());
    }
    conversation.human = true;
    conversation.human_until = aside.until;
    conversation.epoch += 1;
    let detail = json!({
        "epoch": conversation.epoch,
        "reason": reason,
        "until": aside.until.map(|it| it.to_string()),
    });
    note(tx, conversation, "conversation.handed_over", &detail, now).await
}

/// The agent is back in a conversation that is locked, if its time is over; whether it is. Whoever
/// calls saves it.
pub(crate) async fn come_back(
    tx: &mut Tx,
    conversation: &mut Conversation,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let over = conversation.human_until.is_some_and(|until| until <= now);
    if !conversation.human || !over {
        return Ok(false);
    }
    conversation.human = false;
    conversation.human_until = None;
    conversation.epoch += 1;
    tx.taken_by(conversation.id, None).await?;
    let detail = json!({ "epoch": conversation.epoch, "by": "time" });
    note(tx, conversation, "conversation.given_back", &detail, now).await?;
    Ok(true)
}

async fn note(
    tx: &mut Tx,
    conversation: &Conversation,
    action: &'static str,
    detail: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let subject = format!("conversation/{}", conversation.id);
    let practice = &conversation.practice;
    let entry = Entry::new(practice, now, "anteroom", action, &subject, detail);
    tx.append_audit(&entry).await
}

/// What staff need to go on without reading everything: who, what was asked, what was done, what is
/// open. Made of what is on file, by no model.
pub(crate) fn summary(
    (conversation, patient): (&Conversation, Option<&Patient>),
    turns: &[Turn],
    (answers, detail): (&[TurnId], &serde_json::Value),
) -> serde_json::Value {
    let last = answers.last().copied();
    let mut asked: Vec<&str> = turns
        .iter()
        .filter(|turn| turn.direction == Direction::Inbound)
        .filter(|turn| last.is_none_or(|last| turn.id.0 <= last.0))
        .rev()
        .take(QUOTED)
        .map(|turn| turn.body.as_str())
        .collect();
    asked.reverse();
    let tools = detail.get("tools").and_then(serde_json::Value::as_array);
    let mut done: Vec<&str> = tools
        .into_iter()
        .flatten()
        .filter(|tool| tool["ok"] == true)
        .filter_map(|tool| deed(tool["name"].as_str()?))
        .collect();
    done.dedup();
    json!({
        "who": patient.map(|it| format!("{} {}", it.first_name.as_str(), it.last_name.as_str())),
        "language": conversation.language.as_str(),
        "asked": asked,
        "done": done,
        "open": conversation.pending.as_ref().map(|it| open(it.kind)),
    })
}

/// What the agent did, in words of the desk; none for what only looked something up.
fn deed(tool: &str) -> Option<&'static str> {
    Some(match tool {
        "confirm_appointment" => "confirmed a visit",
        "cancel_appointment" => "cancelled a visit, or asked whether to",
        "reschedule_appointment" => "moved a visit",
        "book_appointment" => "booked a visit",
        "find_slots" => "offered free times",
        "join_waitlist" => "put the patient on the waitlist",
        "leave_waitlist" => "took the patient off the waitlist",
        "request_refill" => "filed a refill request",
        "message_care_team" => "filed a message to the care team",
        "request_callback" => "filed a callback request",
        "ask_billing" => "filed a billing question",
        "request_records" => "opened a request for records",
        "accessibility_need" => "filed an accessibility need",
        "set_language" => "changed the language",
        _ => return None,
    })
}

fn open(kind: crate::domain::conversation::PendingKind) -> &'static str {
    use crate::domain::conversation::PendingKind;
    match kind {
        PendingKind::Consent => "we asked whether we may text health details",
        PendingKind::AppointmentConfirm => "we asked whether the visit is kept",
        PendingKind::RescheduleChoice => "we offered times; none is chosen yet",
        PendingKind::CancelConfirm => "we asked whether to cancel",
        PendingKind::StopConfirm => "we asked whether to stop texting",
        PendingKind::NewVisit => "we asked whether to find a new time",
        PendingKind::Person => "we asked for the birth date",
    }
}

/// A report with a summary in it.
pub(crate) fn with_summary(
    report: Option<&Phi<String>>,
    summary: Option<&serde_json::Value>,
) -> Phi<String> {
    let report = report.cloned().unwrap_or_default();
    let Some(summary) = summary else {
        return report;
    };
    let read = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(report.as_str());
    let mut fields = read.unwrap_or_default();
    fields.insert("summary".to_owned(), summary.clone());
    Phi::new(serde_json::Value::Object(fields).to_string())
}
