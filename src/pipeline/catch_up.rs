//! Catch up: what webhooks should have told and did not is found by asking the carrier, at start and
//! every few minutes: texts that never came, and texts of ours of which no end was reported.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::carrier::Carrier;
use crate::carrier::hear::{Event, Report};
use crate::domain::conversation::OutboxRow;
use crate::domain::ids::{OutboxId, PracticeId};
use crate::domain::message::{Inbound, SendOutcome};
use crate::domain::practice::CarrierKind;
use crate::pipeline::house::House;
use crate::pipeline::outcome::about;
use crate::pipeline::receive::Received;
use crate::pipeline::report::reference_of;
use crate::store::StoreError;

/// How far back each look reaches beyond the last one: lists lag, and clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// How long a text may be without an end before the carrier is asked, and how long it is asked.
const REPORT_PATIENCE: SignedDuration = SignedDuration::from_mins(5);
const REPORT_HORIZON: SignedDuration = SignedDuration::from_hours(24);

/// Texts asked about at one time; the rest is asked about at the next.
const LOOKS_MAX: u32 = 500;

/// Texts in doubt that are looked for at one time.
const DOUBTS_MAX: u32 = 100;

/// The code of a text that was in doubt and that the carrier does not have.
const NOT_TAKEN: &str = "not_taken";

/// Texts whose words are taken off a carrier's books at one time.
const REDACTIONS_MAX: u32 = 50;

/// When a redaction that the carrier did not take is tried again.
const REDACT_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// What a look found that webhooks had not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Texts from patients.
    pub texts: u64,
    /// Texts to patients whose end is known now.
    pub reports: u64,
    /// Texts that were left to staff in doubt, and of which it is known now whether they went.
    pub doubts: u64,
}

impl House {
    /// Asks every carrier that can be asked.
    pub async fn catch_up_once(self: &Arc<Self>) -> Result<CaughtUp, StoreError> {
        let mut found = CaughtUp::default();
        for ((practice, kind), carrier) in self.carriers() {
            if carrier.capabilities().listing {
                found.texts += self.lost_texts(practice, *kind, carrier).await?;
            }
            found.reports += self.lost_reports(practice, *kind, carrier).await?;
            found.doubts += self.doubts(practice, *kind).await?;
        }
        metrics::counter!("anteroom_caught_up_total", "what" => "texts").increment(found.texts);
        metrics::counter!("anteroom_caught_up_total", "what" => "reports").increment(found.reports);
        metrics::counter!("anteroom_caught_up_total", "what" => "doubts").increment(found.doubts);
        Ok(found)
    }

    async fn lost_texts(
        self: &Arc<Self>,
        practice: &PracticeId,
        kind: CarrierKind,
        carrier: &Arc<dyn Carrier>,
    ) -> Result<u64, StoreError> {
        let now = self.clock().now();
        let mut found = 0;
        // What was there before the first start is none of ours to answer.
        if let Some(last) = self.store().caught_up(practice, kind).await? {
            let since = last.saturating_sub(OVERLAP).unwrap_or(last);
            let Some(events) = carrier.list(since, now).await else {
                tracing::warn!(%practice, carrier = %kind, "the carrier does not list its texts");
                return Ok(0);
            };
            for event in events {
                if let Event::Text(inbound) = event
                    && self.receive_lost(practice, inbound).await?
                {
                    found += 1;
                }
            }
        }
        self.store().mark_caught_up(practice, kind, now).await?;
        Ok(found)
    }

    async fn receive_lost(
        self: &Arc<Self>,
        practice: &PracticeId,
        inbound: Inbound,
    ) -> Result<bool, StoreError> {
        let Some(practice) = self.practice(practice) else {
            return Ok(false);
        };
        if practice.sender(&inbound.to).is_none() {
            return Ok(false);
        }
        let (id, kind) = (&practice.id, inbound.carrier);
        if self
            .store()
            .was_admitted(id, kind, &inbound.carrier_id)
            .await?
        {
            return Ok(false);
        }
        Ok(self.receive(practice, inbound).await? == Received::New)
    }

    async fn lost_reports(
        &self,
        practice: &PracticeId,
        kind: CarrierKind,
        carrier: &Arc<dyn Carrier>,
    ) -> Result<u64, StoreError> {
        let now = self.clock().now();
        let ago = |span| now.saturating_sub(span).unwrap_or(Timestamp::MIN);
        let window = (ago(REPORT_HORIZON), ago(REPORT_PATIENCE));
        let line = (practice, kind);
        let after = self.looked_up_to(practice, kind, None);
        let unsettled = self
            .store()
            .unsettled(line, (after, LOOKS_MAX), window)
            .await?;
        // A round that reads to the end begins anew: what has no end yet is asked for again, and
        // none of many stands in the way of the others.
        let last = unsettled
            .last()
            .filter(|_| unsettled.len() >= LOOKS_MAX as usize);
        self.looked_up_to(
            practice,
            kind,
            Some(last.map_or(OutboxId(0), |(id, _)| *id)),
        );
        let mut found = 0;
        for (_, carrier_id) in unsettled {
            if let Some(Event::Report(report)) = carrier.look(&carrier_id).await
                && report.delivery.is_final()
                && self.delivery(practice, kind, &report).await?
            {
                found += 1;
            }
        }
        Ok(found)
    }

    /// Asks again for texts that were left in doubt: found, they go on to their end; proven absent
    /// well after the last try, they have failed. Nothing is sent again: staff have been told.
    async fn doubts(&self, practice: &PracticeId, kind: CarrierKind) -> Result<u64, StoreError> {
        let now = self.clock().now();
        let since = now.saturating_sub(REPORT_HORIZON).unwrap_or(Timestamp::MIN);
        let mut settled = 0;
        for row in self
            .store()
            .in_doubt((practice, kind), since, DOUBTS_MAX)
            .await?
        {
            // What may still be on its way is on no list.
            if !self.doubted_long(row.id, now) {
                continue;
            }
            let Some(conversation) = self.store().conversation(row.conversation).await? else {
                continue;
            };
            let known = match self.look_for(&row, &conversation).await {
                Some(SendOutcome::Accepted {
                    carrier_id,
                    delivery,
                }) => {
                    let report = Report {
                        carrier_id,
                        delivery,
                        code: None,
                        reference: Some(reference_of(practice, row.id)),
                    };
                    self.delivery(practice, kind, &report).await?
                }
                Some(_cannot_tell) => false,
                None => self.was_not_taken(row, now).await?,
            };
            settled += u64::from(known);
        }
        Ok(settled)
    }

    /// Whether a text has been in doubt for as long as a report may take, as far as this process
    /// knows.
    fn doubted_long(&self, text: OutboxId, now: Timestamp) -> bool {
        let mut doubted = self
            .doubted
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        doubted.retain(|_, at| now.duration_since(*at) < REPORT_HORIZON);
        let at = *doubted.entry(text).or_insert(now);
        now.duration_since(at) >= REPORT_PATIENCE
    }

    async fn was_not_taken(&self, row: OutboxRow, now: Timestamp) -> Result<bool, StoreError> {
        let row = Arc::new(row);
        self.store()
            .write(move |tx| {
                let row = Arc::clone(&row);
                Box::pin(async move {
                    if !tx.fail_unknown(row.id, NOT_TAKEN).await? {
                        return Ok(false);
                    }
                    let detail = serde_json::json!({"outbox": row.id.0, "code": NOT_TAKEN});
                    let entry = about(&row, now, "message.not_taken", &detail);
                    tx.append_audit(&entry).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Behind which text a line goes on to be asked for ends; with `next`, sets it.
    fn looked_up_to(
        &self,
        practice: &PracticeId,
        kind: CarrierKind,
        next: Option<OutboxId>,
    ) -> OutboxId {
        let mut looked = self
            .looked
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let place = looked
            .entry((practice.clone(), kind))
            .or_insert(OutboxId(0));
        if let Some(next) = next {
            *place = next;
        }
        *place
    }

    /// Takes the words of finished texts off the books of carriers that were asked to forget them.
    pub async fn redact_once(&self) -> Result<(), StoreError> {
        let now = self.clock().now();
        for it in self.store().redactable(now, REDACTIONS_MAX).await? {
            let carrier = self.carriers().get(&(it.practice.clone(), it.carrier));
            let due = match carrier {
                Some(carrier) if carrier.capabilities().redacts => {
                    let gone = carrier.redact(&it.carrier_id).await;
                    (!gone).then_some(now + REDACT_AGAIN)
                }
                _ => None,
            };
            self.store().redact_again(it.outbox, due).await?;
        }
        Ok(())
    }
}
