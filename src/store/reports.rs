//! Delivery reports: a state never falls back, and a report may come before the hand-over's answer.

use crate::domain::conversation::OutboxRow;
use crate::domain::ids::ConversationId;
use crate::domain::ids::OutboxId;
use crate::domain::ids::PracticeId;
use crate::domain::message::Delivery;
use crate::domain::practice::CarrierKind;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::outbox::END;
use crate::store::outbox::carrier_hash;
use crate::store::outbox::plain_code;
use crate::store::tx::Tx;
use crate::store::tx::place;
use crate::store::tx::word;

const FIND: Sql =
    locking!("SELECT id, conversation, delivery, code FROM outbox WHERE carrier_hash = $1");
/// A text that is finished is due to be redacted where its practice wants it.
const ADVANCE: &str = "UPDATE outbox SET delivery = $2, code = $3, \
    redact_due = CASE WHEN $4 = 1 THEN at ELSE redact_due END WHERE id = $1";
/// A first hand-over that is still on its way is not touched: its own answer is due. What was in
/// doubt is so no more: the carrier has it, and its end is asked for like that of any other.
const ADOPT: &str = "UPDATE outbox SET carrier_hash = $3, carrier_ref = $4, due = NULL, \
    leased_until = 0, delivery = 'accepted' \
    WHERE id = $1 AND practice = $2 AND carrier_hash IS NULL \
    AND (delivery = 'unknown' OR (delivery = 'pending' AND in_doubt = 1))";
const CARRIER: &str = "SELECT carrier FROM conversation WHERE id = $1";
/// Both sides of the race write this row first, so that one waits for the other.
const MEET: &str = "INSERT INTO early_report (hash, delivery, code, at) VALUES ($1, $2, $3, 0) \
    ON CONFLICT (hash) DO UPDATE SET at = early_report.at RETURNING delivery, code";
const KEEP: &str = "UPDATE early_report SET delivery = $2, code = $3 WHERE hash = $1";
/// A report may say whose it is only if that text has no carrier's id yet.
const ABOUT: &str = "UPDATE early_report SET outbox = $2, carrier_ref = $3 WHERE hash = $1";
const EARLY: &str = "SELECT e.hash, e.delivery, e.code, e.carrier_ref FROM early_report e \
    JOIN outbox o ON o.id = e.outbox WHERE e.outbox = $1 AND o.practice = $2 LIMIT 1";
const FORGET: &str = "DELETE FROM early_report WHERE hash = $1";

/// A text that a report was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Which.
    pub outbox: OutboxId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Its state before.
    pub before: Delivery,
    /// Its state now.
    pub state: Delivery,
}

impl Tx {
    /// Takes in a report that a carrier made to a practice, on a text of that practice: what one
    /// practice is told moves no text of another. None when no text is known by that id (yet: the
    /// report is kept for the hand-over's answer). Where the carrier repeats our own reference, the
    /// text `ours` is known by it even though the answer to its hand-over was lost.
    pub async fn delivery_report(
        &mut self,
        (practice, carrier, carrier_id): (&PracticeId, CarrierKind, &str),
        ours: Option<OutboxId>,
        delivery: Delivery,
        code: Option<&str>,
    ) -> Result<Option<Reported>, StoreError> {
        let hash = carrier_hash(practice, carrier, carrier_id);
        let code = plain_code(code.unwrap_or(""));
        let code = code.as_str();
        if let Some(done) = self.advance(&hash, delivery, code).await? {
            return Ok(Some(done));
        }
        if let Some(ours) = ours
            && self.adopt(practice, ours, (&hash, carrier_id)).await?
            && let Some(done) = self.advance(&hash, delivery, code).await?
        {
            return Ok(Some(done));
        }
        let meet = args![&hash, delivery.as_str(), code];
        let Some(row) = self.row(MEET, meet).await? else {
            return Ok(None);
        };
        // The hand-over's answer may have been committed while this waited for the row.
        if let Some(done) = self.advance(&hash, delivery, code).await? {
            self.run(FORGET, args![&hash]).await?;
            return Ok(Some(done));
        }
        let damage = Inconsistency::on("early_report").column("delivery");
        let before: Delivery = word(&row.text("delivery")?, damage)?;
        if before.advance(delivery) != before {
            let keep = args![&hash, delivery.as_str(), code];
            self.run(KEEP, keep).await?;
        }
        if let Some(ours) = ours
            && let Some(reference) = self.seal_reference(practice, ours, carrier_id).await?
        {
            self.run(ABOUT, args![&hash, ours.0, reference]).await?;
        }
        Ok(None)
    }

    async fn seal_reference(
        &mut self,
        practice: &PracticeId,
        ours: OutboxId,
        carrier_id: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(None);
        };
        let spelled = ours.0.to_string();
        let place = place(practice.as_str(), "outbox", "carrier_ref", &spelled);
        Ok(Some(key.seal(&place, carrier_id.as_bytes())?))
    }

    /// Ends a text, whose hand-over is in doubt, by a report that was earlier than the doubt; false
    /// when there is none.
    pub(super) async fn end_by_early_report(
        &mut self,
        row: &OutboxRow,
    ) -> Result<bool, StoreError> {
        let find = args![row.id.0, row.practice.as_str()];
        let Some(early) = self.row(EARLY, find).await? else {
            return Ok(false);
        };
        let damage = Inconsistency::on("early_report").column("delivery");
        let reported: Delivery = word(&early.text("delivery")?, damage)?;
        let ended = args![
            row.id.0,
            row.lease,
            reported.as_str(),
            early.text("code")?,
            early.blob("hash")?,
            early.blob("carrier_ref")?,
            reported.is_final().then_some(row.at),
        ];
        if self.run(END, ended).await? != 1 {
            return Ok(false);
        }
        self.run(FORGET, args![early.blob("hash")?]).await?;
        Ok(true)
    }

    async fn advance(
        &mut self,
        hash: &[u8; 16],
        reported: Delivery,
        code: &str,
    ) -> Result<Option<Reported>, StoreError> {
        let Some(row) = self.row(FIND, args![hash]).await? else {
            return Ok(None);
        };
        let id = row.int("id")?;
        let damage = Inconsistency::on("outbox").column("delivery").row(id);
        let before: Delivery = word(&row.text("delivery")?, damage)?;
        let after = before.advance(reported);
        if after != before {
            let advanced = args![id, after.as_str(), code, after.is_final()];
            self.run(ADVANCE, advanced).await?;
        }
        Ok(Some(Reported {
            outbox: OutboxId(id),
            conversation: ConversationId(row.int("conversation")?),
            before,
            state: after,
        }))
    }

    /// Gives a text, of which nobody knew whether the carrier took it, the carrier's id.
    async fn adopt(
        &mut self,
        practice: &PracticeId,
        ours: OutboxId,
        (hash, carrier_id): (&[u8; 16], &str),
    ) -> Result<bool, StoreError> {
        let Some(reference) = self.seal_reference(practice, ours, carrier_id).await? else {
            return Ok(false);
        };
        let adopted = args![ours.0, practice.as_str(), hash, reference];
        Ok(self.run(ADOPT, adopted).await? == 1)
    }

    /// The report that came before the answer to the hand-over, if one did.
    pub(super) async fn take_early_report(
        &mut self,
        hash: &[u8; 16],
    ) -> Result<Option<(Delivery, String)>, StoreError> {
        let meet = args![hash, Delivery::Pending.as_str(), ""];
        let Some(row) = self.row(MEET, meet).await? else {
            return Ok(None);
        };
        self.run(FORGET, args![hash]).await?;
        let damage = Inconsistency::on("early_report").column("delivery");
        let reported: Delivery = word(&row.text("delivery")?, damage)?;
        Ok((reported != Delivery::Pending).then_some((reported, row.text("code")?)))
    }

    pub(super) async fn carrier_of(
        &mut self,
        id: ConversationId,
    ) -> Result<CarrierKind, StoreError> {
        match self.row(CARRIER, args![id.0]).await? {
            Some(row) => word(
                &row.text("carrier")?,
                Inconsistency::on("conversation").column("carrier").row(id),
            ),
            None => Err(StoreError::NoConversation(id.0)),
        }
    }
}
