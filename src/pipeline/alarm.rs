//! Alarms: raised in the transaction that takes the text in, repeated until a named person has them.
//!
//! No prompt, practice or setting turns this off: the rules are in the binary, and the clock is a row.

use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::alarm::{Alarm, AlarmKind};
use crate::domain::conversation::Conversation;
use crate::domain::ids::TurnId;
use crate::domain::phi::Phi;
use crate::pipeline::house::House;
use crate::screen::{Intent, Reading};
use crate::store::{StoreError, Tx};

/// Alarms repeated in one round: far more than a house has open.
const REPEATED_MAX: u32 = 100;

/// The alarm that a text raises. A crisis is told before an emergency, as it is answered.
fn kind_of(reading: &Reading) -> Option<AlarmKind> {
    let is = |intent| reading.intent == intent;
    [
        (is(Intent::Crisis), AlarmKind::Crisis),
        (is(Intent::Emergency), AlarmKind::Emergency),
        (is(Intent::Poison), AlarmKind::Poison),
        (reading.tells_of_abuse(), AlarmKind::Abuse),
        (reading.threatens(), AlarmKind::Harm),
    ]
    .into_iter()
    .find_map(|(is, kind)| is.then_some(kind))
}

/// Raises the alarm of a text, if it has one, with its audit entry; does nothing while one of its
/// kind is open in the conversation.
pub(crate) async fn raise(
    tx: &mut Tx,
    conversation: &Conversation,
    turn: TurnId,
    reading: &Reading,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(kind) = kind_of(reading) else {
        return Ok(());
    };
    let Some(id) = tx.raise_alarm(conversation, turn, kind, now).await? else {
        return Ok(());
    };
    metrics::counter!("anteroom_alarms_total", "kind" => kind.as_str()).increment(1);
    let about = serde_json::json!({ "alarm": id.0, "kind": kind.as_str(), "turn": turn.0 });
    tx.append_audit(&Entry::new(
        &conversation.practice,
        now,
        "anteroom",
        "alarm.raised",
        &format!("conversation/{}", conversation.id),
        &about,
    ))
    .await
}

/// Why staff find a conversation among the holds when nobody took its alarm.
const fn unanswered(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::Emergency => "alarm not acknowledged: emergency",
        AlarmKind::Crisis => "alarm not acknowledged: crisis",
        AlarmKind::Poison => "alarm not acknowledged: poison",
        AlarmKind::Abuse => "alarm not acknowledged: abuse",
        AlarmKind::Harm => "alarm not acknowledged: harm",
    }
}

impl House {
    /// Repeats the alarms whose time to be acknowledged has passed, and measures those that are open.
    pub async fn repeat_alarms_once(self: &Arc<Self>) -> Result<(), StoreError> {
        let now = self.clock().now();
        let taken = self.store().take_left_word(now).await?;
        let repeated = self
            .store()
            .write(move |tx| Box::pin(async move { repeat_in(tx, now).await }))
            .await?;
        for alarm in &repeated {
            let kind = alarm.kind.as_str();
            metrics::counter!("anteroom_alarms_repeated_total", "kind" => kind).increment(1);
            tracing::error!(
                alarm = alarm.id.0,
                kind,
                practice = %alarm.practice,
                minutes = now.duration_since(alarm.raised).as_mins(),
                "nobody has acknowledged an alarm; `anteroom alarm ack` stops its clock"
            );
        }
        if taken > 0 || !repeated.is_empty() {
            self.changed();
        }
        let open = self.store().open_alarms().await?;
        let oldest = open
            .first()
            .map_or(0, |it| now.duration_since(it.raised).as_secs());
        #[expect(
            clippy::cast_precision_loss,
            reason = "gauges; neither alarms nor seconds reach 2^52"
        )]
        {
            metrics::gauge!("anteroom_alarms_open").set(open.len() as f64);
            metrics::gauge!("anteroom_alarm_oldest_seconds").set(oldest as f64);
        }
        Ok(())
    }
}

async fn repeat_in(tx: &mut Tx, now: Timestamp) -> Result<Vec<Alarm>, StoreError> {
    let mut repeated = Vec::new();
    for alarm in tx.due_alarms(now, REPEATED_MAX).await? {
        if !tx.repeat_alarm(&alarm, now).await? {
            continue;
        }
        // One place among the holds is enough; the clock goes on in the audit log and the metrics.
        if alarm.repeated == 0
            && let Some(conversation) = tx.lock_conversation(alarm.conversation).await?
        {
            let none = Phi::default();
            tx.hold(&conversation, &none, &none, unanswered(alarm.kind), now)
                .await?;
        }
        tx.append_audit(&Entry::new(
            &alarm.practice,
            now,
            "anteroom",
            "alarm.repeated",
            &format!("conversation/{}", alarm.conversation),
            &serde_json::json!({
                "alarm": alarm.id.0, "kind": alarm.kind.as_str(),
                "repeated": alarm.repeated.saturating_add(1),
                "minutes": now.duration_since(alarm.raised).as_mins(),
            }),
        ))
        .await?;
        repeated.push(alarm);
    }
    Ok(repeated)
}
