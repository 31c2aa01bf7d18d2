//! Outcome: what became of a hand-over is kept, and what follows from it: another try, another
//! look, an opt-out that only the carrier knew of, a word to staff.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::audit::Entry;
use crate::carrier::Carrier;
use crate::carrier::codes::ErrorClass;
use crate::domain::consent::{Act, ConsentEvent, ConsentProof, ConsentState, Evidence};
use crate::domain::conversation::OutboxRow;
use crate::domain::message::{Delivery, OutboundKind, SendOutcome};
use crate::domain::phi::Phi;
use crate::pipeline::consent;
use crate::pipeline::dispatch::ATTEMPTS_MAX;
use crate::pipeline::house::House;
use crate::pipeline::report::{not_delivered, said_by};
use crate::store::{StoreError, Tx};

/// First wait after a refusal; doubled each time, capped at [`BACKOFF_MAX`].
const BACKOFF: SignedDuration = SignedDuration::from_secs(1);

/// See [`BACKOFF`].
const BACKOFF_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Longest wait that a carrier may ask for; an answer that comes a day late is none.
const WISH_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Hand-overs and looks after which a text that nobody can tell of is left to staff.
const LOOKS_MAX: i64 = 4;

/// First wait before a text in doubt is looked for; doubled each time. Longer than an exchange
/// takes: what is still on its way to the carrier is on no list.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(15);

impl House {
    /// Keeps how a hand-over, or a look for an earlier one, ended. Of one that nobody can tell yet,
    /// the text is looked for again before it is left to staff: lists lag, and reports come.
    pub(crate) async fn settle(
        &self,
        row: OutboxRow,
        outcome: SendOutcome,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        if let SendOutcome::Unknown { code } = &outcome
            && row.attempts < LOOKS_MAX
        {
            let doubled = 1_i32 << u32::try_from(row.attempts.clamp(1, 10) - 1).unwrap_or(0);
            return self
                .doubt(row, code.clone(), now + LOOK_AGAIN * doubled)
                .await;
        }
        let next = next_try(&row, &outcome, now);
        self.record(row, outcome, next).await
    }

    async fn doubt(&self, row: OutboxRow, code: String, due: Timestamp) -> Result<(), StoreError> {
        metrics::counter!("anteroom_sends_total", "outcome" => "in_doubt").increment(1);
        let now = self.clock().now();
        let work = Arc::new((row, code));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (row, code) = &*work;
                    if !tx.doubt(row, code, due).await? {
                        return Ok(());
                    }
                    let detail = serde_json::json!({
                        "outbox": row.id.0, "code": code, "attempt": row.attempts,
                    });
                    let entry = about(row, now, "message.in_doubt", &detail);
                    tx.append_audit(&entry).await
                })
            })
            .await
    }

    pub(crate) async fn record(
        &self,
        row: OutboxRow,
        outcome: SendOutcome,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        metrics::counter!("anteroom_sends_total", "outcome" => name(&outcome)).increment(1);
        let line = self.line_of(row.conversation).await?;
        let class = code_of(&outcome).and_then(|code| line.as_ref()?.class_of(code));
        count_alert(class);
        let work = Arc::new((row, outcome, line));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (row, outcome, line) = &*work;
                    record_in(tx, row, outcome, (next, line.as_ref()), now).await
                })
            })
            .await
    }
}

/// Counts an error that a person must mend at the carrier.
pub(crate) fn count_alert(class: Option<ErrorClass>) {
    if let Some(class) = class.filter(|class| class.alerts()) {
        metrics::counter!("anteroom_carrier_alerts_total", "class" => class.as_str()).increment(1);
    }
}

async fn record_in(
    tx: &mut Tx,
    row: &OutboxRow,
    outcome: &SendOutcome,
    (next, line): (Option<Timestamp>, Option<&Arc<dyn Carrier>>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let given_up = matches!(outcome, SendOutcome::Retry { .. }) && next.is_none();
    let mut settled = outcome.clone();
    if let SendOutcome::Retry { code, .. } = outcome
        && given_up
    {
        settled = SendOutcome::Fail { code: code.clone() };
    }
    if !tx.record_attempt(row, &settled, next, now).await? {
        return Ok(());
    }
    if matches!(settled, SendOutcome::Accepted { .. }) {
        // A report may have overtaken the answer to the hand-over, and say that it failed.
        if let Some((Delivery::Failed | Delivery::Undelivered, code)) =
            tx.delivery_of(row.id).await?
        {
            settled = SendOutcome::Fail { code };
        }
    }
    let code = code_of(&settled);
    let class = code.and_then(|code| line?.class_of(code));
    let lost = matches!(
        settled,
        SendOutcome::Fail { .. } | SendOutcome::Unknown { .. }
    ) && class != Some(ErrorClass::OptedOut);
    let opted_out = matches!(settled, SendOutcome::Suppress { .. })
        || (class == Some(ErrorClass::OptedOut) && matches!(settled, SendOutcome::Fail { .. }));
    let told = lost || (opted_out && is_news(tx, row).await?);
    let held = told && tell_staff(tx, row, &not_delivered(class, code), now).await?;
    let detail = serde_json::json!({
        "outbox": row.id.0,
        "outcome": name(&settled),
        "held": held,
        "code": code,
        "class": class.map(ErrorClass::as_str),
        "attempt": row.attempts,
        "phi": row.phi,
        "proof": row.proof.as_ref().map(ConsentProof::digest),
    });
    tx.append_audit(&about(row, now, "message.dispatched", &detail))
        .await?;
    let event = match &settled {
        SendOutcome::Suppress { code } => Some(ConsentEvent::new(
            Act::Stop,
            Evidence::of_carrier(now, code),
        )),
        SendOutcome::Fail { code } => said_by(class, code, now),
        SendOutcome::Unknown { .. } | SendOutcome::Accepted { .. } | SendOutcome::Retry { .. } => {
            None
        }
    };
    match event {
        Some(event) => follow(tx, row, &event).await,
        None => Ok(()),
    }
}

/// Whether an opt-out that only the carrier knew of is news: somebody waits for a text, and our
/// ledger did not know.
pub(crate) async fn is_news(tx: &mut Tx, row: &OutboxRow) -> Result<bool, StoreError> {
    let waited_for = matches!(
        row.kind,
        OutboundKind::Notice
            | OutboundKind::Reply
            | OutboundKind::Initiated
            | OutboundKind::Invitation
            | OutboundKind::Safety
    );
    let known = tx.lock_conversation(row.conversation).await?;
    Ok(waited_for && known.is_some_and(|it| it.consent.state != ConsentState::OptedOut))
}

/// What the carrier's code says of consent: our ledger follows.
pub(crate) async fn follow(
    tx: &mut Tx,
    row: &OutboxRow,
    event: &ConsentEvent,
) -> Result<(), StoreError> {
    let Some(mut conversation) = tx.lock_conversation(row.conversation).await? else {
        return Ok(());
    };
    let Some(moved) = consent::record(tx, &mut conversation, event).await? else {
        return Ok(());
    };
    tx.save_conversation(&conversation).await?;
    tx.suppress_queued(conversation.id, &[OutboundKind::Safety])
        .await?;
    tx.append_audit(&consent::entry(&conversation, event, &moved))
        .await
}

/// Leaves a text that did not leave to staff; always true, for the audit entry.
pub(crate) async fn tell_staff(
    tx: &mut Tx,
    row: &OutboxRow,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let conversation = tx.lock_conversation(row.conversation).await?;
    let conversation = conversation.ok_or(StoreError::NoConversation(row.conversation.0))?;
    let report = Phi::default();
    tx.hold(&conversation, &row.body, &report, reason, now)
        .await?;
    Ok(true)
}

pub(crate) fn about(
    row: &OutboxRow,
    now: Timestamp,
    action: &str,
    detail: &serde_json::Value,
) -> Entry {
    let subject = format!("conversation/{}", row.conversation);
    Entry::new(&row.practice, now, "anteroom", action, &subject, detail)
}

fn code_of(outcome: &SendOutcome) -> Option<&str> {
    match outcome {
        SendOutcome::Accepted { .. } => None,
        SendOutcome::Retry { code, .. }
        | SendOutcome::Fail { code }
        | SendOutcome::Suppress { code }
        | SendOutcome::Unknown { code } => Some(code),
    }
}

const fn name(outcome: &SendOutcome) -> &'static str {
    match outcome {
        SendOutcome::Accepted { .. } => "accepted",
        SendOutcome::Retry { .. } => "retry",
        SendOutcome::Fail { .. } => "fail",
        SendOutcome::Suppress { .. } => "suppress",
        SendOutcome::Unknown { .. } => "unknown",
    }
}

/// When to try again; none when the outcome is final or patience is at its end.
fn next_try(row: &OutboxRow, outcome: &SendOutcome, now: Timestamp) -> Option<Timestamp> {
    let SendOutcome::Retry { after_ms, .. } = outcome else {
        return None;
    };
    if row.attempts >= ATTEMPTS_MAX {
        return None;
    }
    let doubled = 1_i32 << u32::try_from(row.attempts.clamp(0, 10)).unwrap_or(10);
    // Spread by the row's own number: texts refused together do not come back together.
    let spread = SignedDuration::from_millis(row.id.0.rem_euclid(250));
    let wished =
        after_ms.map(|ms| SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX)));
    let own = (BACKOFF * doubled).min(BACKOFF_MAX);
    let wait = wished.map_or(own, |wished| own.max(wished.min(WISH_MAX)));
    Some(now + wait + spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ConversationId, OutboxId, PracticeId};

    #[test]
    fn a_refused_text_comes_back_no_sooner_than_the_carrier_wishes() {
        let now = "2026-11-23T14:00:00Z".parse().unwrap();
        for (attempts, after_ms, want) in [
            (1, None, Some(2)),
            (2, None, Some(4)),
            (5, None, Some(32)),
            (1, Some(500), Some(2)),
            (1, Some(90_000), Some(90)),
            (1, Some(3_600_000), Some(3_600)),
            (1, Some(u64::MAX), Some(24 * 3_600)),
            (ATTEMPTS_MAX, Some(1_000), None),
        ] {
            let row = OutboxRow {
                id: OutboxId(250),
                practice: PracticeId::new("lakeside"),
                conversation: ConversationId(1),
                epoch: 1,
                kind: OutboundKind::Reply,
                body: Phi::default(),
                phi: false,
                proof: None,
                attempts,
                in_doubt: false,
                at: now,
                law: crate::domain::message::LawTag::default(),
                lease: 1,
                slot: None,
                segments: 1,
                template: None,
            };
            let code = "20429".to_owned();
            let next = next_try(&row, &SendOutcome::Retry { code, after_ms }, now);
            let waited = next.map(|next| next.duration_since(now).as_secs());
            assert_eq!(waited, want, "attempt {attempts}, wish {after_ms:?}");
        }
    }
}
