//! Report: what a carrier says became of a text. A later state is never overwritten by an earlier
//! one, an opt-out that only the carrier knew of reaches the ledger, and staff learn of a text that
//! did not arrive.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::audit::Entry;
use crate::carrier::codes::ErrorClass;
use crate::carrier::hear::Report;
use crate::domain::consent::{Act, ConsentEvent, Doubt, Evidence};
use crate::domain::ids::{OutboxId, PracticeId};
use crate::domain::message::Delivery;
use crate::domain::practice::CarrierKind;
use crate::pipeline::house::House;
use crate::pipeline::outcome::{count_alert, follow, is_news, tell_staff};
use crate::store::{StoreError, Tx};

/// Texts of the simulator that are settled at one start: far more than a person types.
const UNSETTLED_MAX: u32 = 10_000;

/// Refused webhooks of one practice, carrier and reason leave a line in the audit log this often.
const REMARK_EVERY: SignedDuration = SignedDuration::from_mins(1);

impl House {
    /// Records what a carrier reports of a text; `false` when the text is not ours.
    pub async fn delivery(
        &self,
        practice: &PracticeId,
        carrier: CarrierKind,
        report: &Report,
    ) -> Result<bool, StoreError> {
        let key = (practice.clone(), carrier);
        let line = self.parts.carriers.get(&key);
        let class = report
            .code
            .as_deref()
            .and_then(|code| line.and_then(|line| line.class_of(code)));
        let told = Arc::new(Told {
            practice: practice.clone(),
            carrier,
            report: report.clone(),
            class,
            now: self.clock().now(),
        });
        let known = self
            .store()
            .write(move |tx| {
                let told = Arc::clone(&told);
                Box::pin(async move { report_in(tx, &told).await })
            })
            .await?;
        if known {
            self.changed();
        }
        Ok(known)
    }

    /// Leaves a line in the audit log of a webhook that was not believed or not understood; at most
    /// one a minute for each reason, with how many there were.
    pub async fn webhook_refused(
        &self,
        practice: &PracticeId,
        carrier: CarrierKind,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        let count = {
            let mut remarks = self
                .remarks
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let key = (practice.clone(), carrier, reason);
            let (last, count) = remarks.entry(key).or_insert((Timestamp::MIN, 0));
            *count += 1;
            if now.duration_since(*last) < REMARK_EVERY {
                return Ok(());
            }
            *last = now;
            std::mem::take(count)
        };
        let entry = Entry::new(
            practice,
            now,
            carrier.as_str(),
            "webhook.refused",
            &format!("carrier/{carrier}"),
            &serde_json::json!({"reason": reason, "count": count}),
        );
        let entry = Arc::new(entry);
        self.store()
            .write(move |tx| {
                let entry = Arc::clone(&entry);
                Box::pin(async move { tx.append_audit(&entry).await })
            })
            .await
    }
}

impl House {
    /// Reports texts as delivered that the simulator took before it was last stopped: what it still
    /// had to say of them is lost, and they are on no other phone than its page.
    pub async fn settle_simulated(&self) -> Result<(), StoreError> {
        let carrier = CarrierKind::Simulator;
        let ever = (Timestamp::UNIX_EPOCH, self.clock().now());
        let simulated = self.carriers().keys().filter(|(_, kind)| *kind == carrier);
        for (practice, _) in simulated {
            let all = (OutboxId(0), UNSETTLED_MAX);
            let unsettled = self.store().unsettled((practice, carrier), all, ever);
            for (_, carrier_id) in unsettled.await? {
                let report = Report {
                    carrier_id,
                    delivery: Delivery::Delivered,
                    code: None,
                    reference: None,
                };
                self.delivery(practice, carrier, &report).await?;
            }
        }
        Ok(())
    }
}

/// What a carrier told of one text, and what its code means.
struct Told {
    practice: PracticeId,
    carrier: CarrierKind,
    report: Report,
    class: Option<ErrorClass>,
    now: Timestamp,
}

async fn report_in(tx: &mut Tx, told: &Told) -> Result<bool, StoreError> {
    let report = &told.report;
    let code = report.code.as_deref();
    let ours = report
        .reference
        .as_deref()
        .and_then(|reference| outbox_of(&told.practice, reference));
    let known = tx
        .delivery_report(
            (&told.practice, told.carrier, &report.carrier_id),
            ours,
            report.delivery,
            code,
        )
        .await?;
    let Some(known) = known else {
        return Ok(false);
    };
    let failed = matches!(known.state, Delivery::Undelivered | Delivery::Failed);
    let fell = failed && known.before != known.state;
    let mut held = false;
    if fell && let Some(row) = tx.outbox(known.outbox).await? {
        if told.class != Some(ErrorClass::OptedOut) || is_news(tx, &row).await? {
            let reason = not_delivered(told.class, code);
            held = tell_staff(tx, &row, &reason, told.now).await?;
        }
        let said = code.and_then(|code| said_by(told.class, code, told.now));
        if let Some(event) = said {
            follow(tx, &row, &event).await?;
        }
        count_alert(told.class);
    }
    let detail = serde_json::json!({
        "outbox": known.outbox.0,
        "reported": report.delivery.as_str(),
        "state": known.state.as_str(),
        "code": code,
        "class": told.class.map(ErrorClass::as_str),
        "held": held,
    });
    tx.append_audit(&Entry::new(
        &told.practice,
        told.now,
        told.carrier.as_str(),
        "delivery.reported",
        &format!("conversation/{}", known.conversation),
        &detail,
    ))
    .await?;
    Ok(true)
}

/// What staff read of a text that did not arrive.
pub(crate) fn not_delivered(class: Option<ErrorClass>, code: Option<&str>) -> String {
    match (class, code) {
        (Some(class), Some(code)) => format!("not delivered: {} ({code})", class.told()),
        (None, _) | (_, None) => "not delivered".to_owned(),
    }
}

/// What a carrier's error says of consent: an opt-out that we do not know of, or a number that is
/// gone.
pub(crate) fn said_by(
    class: Option<ErrorClass>,
    code: &str,
    at: Timestamp,
) -> Option<ConsentEvent> {
    let act = match class? {
        ErrorClass::OptedOut => Act::Stop,
        ErrorClass::Gone => Act::Reassigned(Doubt::Carrier),
        ErrorClass::Unreachable
        | ErrorClass::BadAddress
        | ErrorClass::OurRequest
        | ErrorClass::Registration
        | ErrorClass::Window
        | ErrorClass::Expired
        | ErrorClass::InDoubt
        | ErrorClass::Transient => return None,
    };
    Some(ConsentEvent::new(act, Evidence::of_carrier(at, code)))
}

/// Our reference of a text, as carriers repeat it.
pub(crate) fn reference_of(practice: &PracticeId, outbox: OutboxId) -> String {
    format!("{practice}-{outbox}")
}

fn outbox_of(practice: &PracticeId, reference: &str) -> Option<OutboxId> {
    let number = reference
        .strip_prefix(practice.as_str())?
        .strip_prefix('-')?;
    number.parse().ok().map(OutboxId)
}
