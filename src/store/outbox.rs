//! The outbox: cleared texts, leased in the order of their conversation, and what became of them.

use jiff::Timestamp;
use sha2::Digest as _;
use sha2::Sha256;

use crate::domain::consent::ConsentProof;
use crate::domain::conversation::Conversation;
use crate::domain::conversation::Direction;
use crate::domain::conversation::INTERIM;
use crate::domain::conversation::OutboxRow;
use crate::domain::ids::ConversationId;
use crate::domain::ids::OutboxId;
use crate::domain::ids::PracticeId;
use crate::domain::message::Delivery;
use crate::domain::message::LawTag;
use crate::domain::message::OutboundKind;
use crate::domain::message::SendOutcome;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::guardrail::rewrite::Cleared;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::taking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::templates::template_of;
use crate::store::turns::NewTurn;
use crate::store::turns::body_of;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const BEGUN: &str = "SELECT COUNT(*) AS begun FROM outbox o \
    JOIN conversation c ON c.id = o.conversation WHERE c.practice = $1 AND c.number_hash = $2 \
    AND o.kind = 'initiated' AND o.at >= $3 AND o.delivery <> 'suppressed'";
const INSERT: &str = "INSERT INTO outbox (id, practice, conversation, turn, epoch, kind, phi, \
    proof, at, due, attempts, in_doubt, lease, leased_until, delivery, code, state, law, policy) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0, 0, 0, 0, 'pending', '', $10, $11, $12)";
/// The texts of a conversation leave in their order, but safety and the confirmation of STOP
/// overtake. A lease that ran out without word leaves the row in doubt.
/// Texts of one conversation leave in order; what waits for quiet hours to end holds up no answer.
const LEASE: Sql = taking!(
    "UPDATE outbox SET lease = lease + 1, attempts = attempts + 1, leased_until = $2, \
     in_doubt = CASE WHEN leased_until > 0 THEN 1 ELSE in_doubt END \
     WHERE id = (SELECT o.id FROM outbox o WHERE o.due <= $1 AND o.leased_until <= $1 \
     AND (o.kind IN ('safety', 'opt_out_confirmation') OR NOT EXISTS (SELECT 1 FROM outbox e \
     WHERE e.conversation = o.conversation AND e.id < o.id AND e.due IS NOT NULL \
     AND NOT (e.due > $1 AND COALESCE(e.code, '') = 'quiet_hours' AND o.kind <> e.kind))) \
     ORDER BY o.due, o.id LIMIT 1",
    "o",
    ") RETURNING id"
);
const LEASED: &str = "SELECT o.*, t.sealed, t.segments FROM outbox o JOIN turn t ON t.id = o.turn \
                      WHERE o.id = $1";
const WAITING: &str = "SELECT id, kind FROM outbox WHERE conversation = $1 \
                       AND due IS NOT NULL AND leased_until = 0 AND in_doubt = 0";
const SUPPRESS: &str = "UPDATE outbox SET delivery = 'suppressed', due = NULL \
                        WHERE id = $1 AND due IS NOT NULL AND leased_until = 0 AND in_doubt = 0";
const SUPPRESS_INTERIM: &str = "UPDATE outbox SET delivery = 'suppressed', due = NULL \
    WHERE conversation = $1 AND kind = 'interim' \
    AND due IS NOT NULL AND leased_until = 0 AND in_doubt = 0";
const LATER: &str =
    "SELECT id FROM outbox WHERE conversation = $1 AND id > $2 AND due IS NOT NULL LIMIT 1";
/// Whether the newest notice may be on the phone: handed over, or perhaps handed over.
const NOTICE: &str = "SELECT CAST(CASE \
    WHEN delivery IN ('suppressed', 'undelivered', 'failed') THEN 0 \
    WHEN delivery = 'pending' AND leased_until = 0 AND in_doubt = 0 THEN 0 \
    ELSE 1 END AS BIGINT) AS left_us \
    FROM outbox WHERE conversation = $1 AND kind IN ('notice', 'invitation') ORDER BY id DESC LIMIT 1";
/// A notice that was kept back for quiet hours.
const RELEASE: &str = "UPDATE outbox SET due = $2 WHERE conversation = $1 AND kind = 'invitation' \
                       AND due > $2 AND code = 'quiet_hours' AND leased_until = 0 AND in_doubt = 0";
const RETRY: &str = "UPDATE outbox SET leased_until = 0, in_doubt = 0, due = $3, code = $4 \
                     WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
const STATE: &str = "SELECT delivery, code FROM outbox WHERE id = $1";
const DOUBT: &str = "UPDATE outbox SET leased_until = 0, in_doubt = 1, due = $3, code = $4 \
                     WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
pub(super) const END: &str = "UPDATE outbox SET leased_until = 0, in_doubt = 0, due = NULL, delivery = $3, \
    code = $4, carrier_hash = $5, carrier_ref = $6, redact_due = $7 \
    WHERE id = $1 AND lease = $2 AND due IS NOT NULL";

impl Store {
    /// How many texts of the practice's own went to a number since an instant, on all its lines;
    /// what asks whether to text at all is none of them.
    pub async fn begun_since(
        &self,
        practice: &PracticeId,
        number: &E164,
        since: Timestamp,
    ) -> Result<i64, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(0);
        };
        let number = key.lookup_number(number);
        let row = tx
            .row(BEGUN, args![practice.as_str(), &number, since])
            .await?;
        row.map_or(Ok(0), |row| row.int("begun"))
    }

    /// Whether another text of the conversation waits behind this one.
    pub async fn has_later(&self, row: &OutboxRow) -> Result<bool, StoreError> {
        let find = args![row.conversation.0, row.id.0];
        Ok(self.read().await?.row(LATER, find).await?.is_some())
    }

    /// Takes the next text that is due, for nobody else until `until`.
    pub async fn lease_outbox(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<OutboxRow>, StoreError> {
        // What follows the lease only reads.
        self.write_one(move |tx| {
            Box::pin(async move {
                let Some(taken) = tx.row(LEASE, args![now, until]).await? else {
                    return Ok(None);
                };
                let id = taken.int("id")?;
                match tx.row(LEASED, args![id]).await? {
                    Some(row) => tx.outbox_row(&row).await.map(Some),
                    None => Err(Inconsistency::on("outbox").column("turn").row(id).into()),
                }
            })
        })
        .await
    }
}

const NEWEST: &str = "SELECT o.*, t.sealed, t.segments FROM outbox o JOIN turn t \
                      ON t.id = o.turn ORDER BY o.id DESC LIMIT $1";
const TAGGED: &str = "SELECT * FROM outbox ORDER BY id DESC LIMIT $1";

/// A stored message and the law that it was cleared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// Its row.
    pub id: OutboxId,
    /// Whose.
    pub practice: PracticeId,
    /// What kind.
    pub kind: OutboundKind,
    /// When it was enqueued.
    pub at: Timestamp,
    /// The law.
    pub law: LawTag,
}

impl Store {
    /// The newest messages with the law that they were cleared by, newest first; no words of them.
    pub async fn tagged(&self, limit: u32) -> Result<Vec<Tagged>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(TAGGED, args![i64::from(limit)]).await?;
        let tagged = |row: &Row| {
            let id = row.int("id")?;
            let damage = |column| Inconsistency::on("outbox").column(column).row(id);
            Ok(Tagged {
                id: OutboxId(id),
                practice: PracticeId::new(row.text("practice")?),
                kind: word(&row.text("kind")?, damage("kind"))?,
                at: instant(row.int("at")?, damage("at"))?,
                law: law_of(row, damage("state"))?,
            })
        };
        rows.iter().map(tagged).collect()
    }
}

impl Store {
    /// The newest texts, newest first, with their words.
    pub async fn outbox_newest(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx.rows(NEWEST, args![i64::from(limit)]).await? {
            all.push(tx.outbox_row(&row).await?);
        }
        Ok(all)
    }
}

impl Tx {
    /// Whether the notice that was last asked with may have reached the phone: nobody answers what
    /// still lies here.
    pub async fn notice_left(&mut self, conversation: ConversationId) -> Result<bool, StoreError> {
        match self.row(NOTICE, args![conversation.0]).await? {
            Some(row) => Ok(row.int("left_us")? != 0),
            None => Ok(false),
        }
    }

    /// Lets a notice go that was kept back for quiet hours; whether there was one.
    pub async fn release_invitation(
        &mut self,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self.run(RELEASE, args![conversation.0, now]).await?;
        Ok(changed > 0)
    }

    /// Puts a cleared text into the outbox and the conversation, with the law that it was cleared
    /// by. Refuses one that holds PHI without the very proof that it was cleared under, and one of
    /// which nobody can say by which policy it was cleared.
    pub async fn enqueue(
        &mut self,
        conversation: &Conversation,
        cleared: &Cleared<'_>,
        kind: OutboundKind,
        (proof, law): (Option<&ConsentProof>, &LawTag),
        now: Timestamp,
    ) -> Result<OutboxId, StoreError> {
        if law.policy.is_empty() {
            return Err(StoreError::Untagged);
        }
        let given = proof.map(ConsentProof::digest);
        if (cleared.holds_phi() && given.is_none()) || given.as_deref() != cleared.proof() {
            return Err(StoreError::Proof);
        }
        let practice = conversation.practice.as_str();
        let turn = NewTurn {
            direction: Direction::Outbound,
            body: cleared.text(),
            intent: if kind == OutboundKind::Interim {
                INTERIM
            } else {
                ""
            },
            segments: Some(i64::try_from(cleared.segments().count).unwrap_or(i64::MAX)),
            carrier_id: None,
        };
        let turn = self.append_turn(conversation, &turn, now).await?;
        let key = self.key_for_row(practice).await?;
        let id = self.serial("outbox").await?;
        let spelled = id.to_string();
        let proof = match proof {
            Some(proof) => {
                let place = place(practice, "outbox", "proof", &spelled);
                Some(seal_json(&key, &place, proof)?)
            }
            None => None,
        };
        let row = args![
            id,
            practice,
            conversation.id.0,
            turn.0,
            conversation.epoch,
            kind.as_str(),
            cleared.holds_phi(),
            proof,
            now,
            law.state.map(|state| state.as_str().to_owned()),
            law.rules.join(" "),
            law.policy.as_str(),
        ];
        self.run(INSERT, row).await?;
        Ok(OutboxId(id))
    }

    /// Suppresses what waits in a conversation, except these kinds; how many. A text in the hands
    /// of dispatch at this instant is not touched: its epoch stops it there.
    pub async fn suppress_queued(
        &mut self,
        conversation: ConversationId,
        except: &[OutboundKind],
    ) -> Result<u64, StoreError> {
        let mut suppressed = 0;
        for row in self.rows(WAITING, args![conversation.0]).await? {
            let id = row.int("id")?;
            let damage = Inconsistency::on("outbox").column("kind").row(id);
            let kind: OutboundKind = word(&row.text("kind")?, damage)?;
            if !except.contains(&kind) {
                suppressed += self.run(SUPPRESS, args![id]).await?;
            }
        }
        Ok(suppressed)
    }

    /// Suppresses what still waits here to say that an answer takes a moment: the answer is there.
    pub async fn suppress_interim(
        &mut self,
        conversation: ConversationId,
    ) -> Result<(), StoreError> {
        self.run(SUPPRESS_INTERIM, args![conversation.0])
            .await
            .map(drop)
    }

    /// Keeps what became of a hand-over. `next` is when a retry is due; without, a retry ends as
    /// failed. False when the lease is lost.
    pub async fn record_attempt(
        &mut self,
        row: &OutboxRow,
        outcome: &SendOutcome,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match (outcome, next) {
            (SendOutcome::Retry { code, .. }, Some(due)) => {
                let again = args![row.id.0, row.lease, due, plain_code(code)];
                Ok(self.run(RETRY, again).await? == 1)
            }
            (SendOutcome::Retry { code, .. } | SendOutcome::Fail { code }, _) => {
                self.end(row, Delivery::Failed, code).await
            }
            (SendOutcome::Suppress { code }, _) => self.end(row, Delivery::Suppressed, code).await,
            (SendOutcome::Unknown { code }, _) => self.end(row, Delivery::Unknown, code).await,
            (
                SendOutcome::Accepted {
                    carrier_id,
                    delivery,
                },
                _,
            ) => self.accepted(row, (carrier_id, *delivery), now).await,
        }
    }

    /// Suppresses a leased text that the fence, consent or policy forbids at the last moment.
    /// False when the lease is lost.
    pub async fn withdraw(&mut self, row: &OutboxRow, _now: Timestamp) -> Result<bool, StoreError> {
        self.end(row, Delivery::Suppressed, "withdrawn").await
    }

    async fn end(
        &mut self,
        row: &OutboxRow,
        delivery: Delivery,
        code: &str,
    ) -> Result<bool, StoreError> {
        let none: Option<Vec<u8>> = None;
        let ended = args![
            row.id.0,
            row.lease,
            delivery.as_str(),
            plain_code(code),
            none.clone(),
            none,
            None::<Timestamp>,
        ];
        Ok(self.run(END, ended).await? == 1)
    }

    async fn accepted(
        &mut self,
        row: &OutboxRow,
        (carrier_id, delivery): (&str, Delivery),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let practice = row.practice.as_str();
        let carrier = self.carrier_of(row.conversation).await?;
        let hash = carrier_hash(&row.practice, carrier, carrier_id);
        let early = self.take_early_report(&hash).await?;
        let key = self.key_for_row(practice).await?;
        let spelled = row.id.to_string();
        let place = place(practice, "outbox", "carrier_ref", &spelled);
        let reference = key.seal(&place, carrier_id.as_bytes())?;
        let (delivery, code) = match early {
            Some((reported, code)) => (delivery.advance(reported), code),
            None => (delivery, String::new()),
        };
        let ended = args![
            row.id.0,
            row.lease,
            delivery.as_str(),
            code,
            &hash,
            reference,
            delivery.is_final().then_some(now),
        ];
        Ok(self.run(END, ended).await? == 1)
    }

    /// A text of the outbox.
    pub async fn outbox(&mut self, id: OutboxId) -> Result<Option<OutboxRow>, StoreError> {
        match self.row(LEASED, args![id.0]).await? {
            Some(row) => self.outbox_row(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where a text stands, and the code that came with it.
    pub async fn delivery_of(
        &mut self,
        id: OutboxId,
    ) -> Result<Option<(Delivery, String)>, StoreError> {
        let damage = Inconsistency::on("outbox").column("delivery").row(id.0);
        match self.row(STATE, args![id.0]).await? {
            Some(row) => Ok(Some((
                word(&row.text("delivery")?, damage)?,
                row.text("code")?,
            ))),
            None => Ok(None),
        }
    }

    /// Gives a text back until `due`, its last hand-over in doubt: it is looked for before anything
    /// else is done with it, unless a report has told already that the carrier has it. False when
    /// the lease is lost.
    pub async fn doubt(
        &mut self,
        row: &OutboxRow,
        code: &str,
        due: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.end_by_early_report(row).await? {
            return Ok(true);
        }
        let again = args![row.id.0, row.lease, due, plain_code(code)];
        Ok(self.run(DOUBT, again).await? == 1)
    }

    async fn outbox_row(&mut self, row: &Row) -> Result<OutboxRow, StoreError> {
        let id = row.int("id")?;
        let damage = |column| Inconsistency::on("outbox").column(column).row(id);
        let practice = row.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        let proof = match row.blob_opt("proof")? {
            Some(sealed) => {
                let spelled = id.to_string();
                let place = place(&practice, "outbox", "proof", &spelled);
                Some(open_json(&key, &place, &sealed, damage("proof"))?)
            }
            None => None,
        };
        Ok(OutboxRow {
            id: OutboxId(id),
            conversation: ConversationId(row.int("conversation")?),
            epoch: row.int("epoch")?,
            kind: word(&row.text("kind")?, damage("kind"))?,
            body: body_of(row, &key, row.int("turn")?)?,
            phi: row.int("phi")? != 0,
            proof,
            attempts: row.int("attempts")?,
            in_doubt: row.int("in_doubt")? != 0,
            at: instant(row.int("at")?, damage("at"))?,
            lease: row.int("lease")?,
            slot: match row.int_opt("slot")? {
                Some(micros) => Some(instant(micros, damage("slot"))?),
                None => None,
            },
            segments: row.int_opt("segments")?.unwrap_or(1),
            template: template_of(row, &key, &practice, damage("template"))?,
            law: law_of(row, damage("state"))?,
            practice: PracticeId::new(practice),
        })
    }
}

/// By which law a text was cleared; a rule's id has no spaces.
fn law_of(row: &Row, damage: Inconsistency) -> Result<LawTag, StoreError> {
    let state = match row.text_opt("state")? {
        Some(state) => Some(word(&state, damage)?),
        None => None,
    };
    let rules = row.text_opt("law")?.unwrap_or_default();
    Ok(LawTag {
        state,
        rules: rules.split_whitespace().map(str::to_owned).collect(),
        policy: row.text_opt("policy")?.unwrap_or_default(),
    })
}

/// What a carrier's id is found by, within its practice. Its ids are random and name nobody, and reports arrive before
/// it is known whose they are, so the hash has no key.
pub(super) fn carrier_hash(
    practice: &PracticeId,
    carrier: CarrierKind,
    carrier_id: &str,
) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(practice.as_str().as_bytes());
    hash.update([0]);
    hash.update(carrier.as_str().as_bytes());
    hash.update([0]);
    hash.update(carrier_id.as_bytes());
    let full: [u8; 32] = hash.finalize().into();
    let mut narrow = [0; 16];
    for (to, from) in narrow.iter_mut().zip(full) {
        *to = from;
    }
    narrow
}

/// A carrier's code as it may be kept unsealed: codes are short and printable; what is neither may
/// be anything, a name too.
pub(super) fn plain_code(code: &str) -> String {
    let fits = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        code.to_owned()
    } else {
        "unreadable".to_owned()
    }
}
