//! Pictures and files that came with a text: where they lie at the carrier until they are fetched,
//! then what of them is kept, sealed.

use jiff::Timestamp;

use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::domain::message::Attachment;
use crate::domain::practice::CarrierKind;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::taking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const ADD: &str = "INSERT INTO media (id, practice, conversation, turn, carrier, at, due, attempts, \
    lease, leased_until, state, kind, source) \
    VALUES ($1, $2, $3, $4, $5, $6, $6, 0, 0, 0, 'waiting', '', $7)";
const LEASE: Sql = taking!(
    "UPDATE media SET lease = lease + 1, attempts = attempts + 1, leased_until = $2 \
     WHERE id = (SELECT m.id FROM media m WHERE m.due <= $1 AND m.leased_until <= $1 \
     ORDER BY m.due, m.id LIMIT 1",
    "m",
    ") RETURNING *"
);
const LATER: &str = "UPDATE media SET leased_until = 0, due = $3 \
                     WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
const KEPT: &str = "UPDATE media SET leased_until = 0, state = 'kept', kind = $3, sealed = $4 \
                    WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
const GONE: &str = "UPDATE media SET leased_until = 0, due = NULL, source = NULL \
                    WHERE id = $1 AND lease = $2";
const REFUSED: &str = "UPDATE media SET leased_until = 0, due = NULL, source = NULL, state = $3 \
                       WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
const OF: &str = "SELECT id, practice, state, kind, sealed FROM media WHERE turn = $1 ORDER BY id";

/// A file to be fetched, or to be deleted at the carrier once it was.
#[derive(Clone, Debug)]
pub struct MediaJob {
    /// Row id.
    pub id: i64,
    /// Whose.
    pub practice: PracticeId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// With which text.
    pub turn: TurnId,
    /// Who has it.
    pub carrier: CarrierKind,
    /// Where.
    pub source: Attachment,
    /// Whether it is kept here already, and only its deletion at the carrier is due.
    pub kept: bool,
    /// Tries so far, this one included.
    pub attempts: i64,
    /// Rises with each lease.
    pub lease: i64,
}

/// A file as staff see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `waiting`, `kept`, or why it was refused.
    pub state: String,
    /// Its media type, once kept.
    pub kind: String,
    /// Its bytes, once kept.
    pub bytes: Vec<u8>,
}

impl Tx {
    /// Takes note of the files of a text.
    pub(super) async fn add_media(
        &mut self,
        conversation: &Conversation,
        turn: TurnId,
        files: &[Attachment],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = conversation.practice.as_str();
        for file in files {
            let key = self.key_for_row(practice).await?;
            let id = self.serial("media").await?;
            let spelled = id.to_string();
            let source = seal_json(&key, &place(practice, "media", "source", &spelled), file)?;
            let row = args![
                id,
                practice,
                conversation.id.0,
                turn.0,
                conversation.carrier.as_str(),
                now,
                source,
            ];
            self.run(ADD, row).await?;
        }
        Ok(())
    }

    /// Tries again later. False when the lease is lost.
    pub async fn media_later(
        &mut self,
        job: &MediaJob,
        due: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.run(LATER, args![job.id, job.lease, due]).await? == 1)
    }

    /// Keeps a file, sealed; it is still due to be deleted at the carrier.
    pub async fn keep_media(
        &mut self,
        job: &MediaJob,
        kind: &'static str,
        bytes: &[u8],
    ) -> Result<bool, StoreError> {
        let practice = job.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let spelled = job.id.to_string();
        let sealed = key.seal(&place(practice, "media", "body", &spelled), bytes)?;
        let kept = args![job.id, job.lease, kind, sealed];
        Ok(self.run(KEPT, kept).await? == 1)
    }

    /// The carrier has it no more; nothing is left to be done.
    pub async fn media_done(&mut self, job: &MediaJob) -> Result<bool, StoreError> {
        Ok(self.run(GONE, args![job.id, job.lease]).await? == 1)
    }

    /// It is not kept, and why in one word.
    pub async fn refuse_media(
        &mut self,
        job: &MediaJob,
        why: &'static str,
    ) -> Result<bool, StoreError> {
        Ok(self.run(REFUSED, args![job.id, job.lease, why]).await? == 1)
    }

    async fn media_job(&mut self, row: &Row) -> Result<MediaJob, StoreError> {
        let id = row.int("id")?;
        let damage = |column| Inconsistency::on("media").column(column).row(id);
        let practice = row.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        let spelled = id.to_string();
        let source = row.blob_opt("source")?;
        Ok(MediaJob {
            id,
            conversation: ConversationId(row.int("conversation")?),
            turn: TurnId(row.int("turn")?),
            carrier: word(&row.text("carrier")?, damage("carrier"))?,
            source: open_json(
                &key,
                &place(&practice, "media", "source", &spelled),
                &source.unwrap_or_default(),
                damage("source"),
            )?,
            kept: row.text("state")? == "kept",
            attempts: row.int("attempts")?,
            lease: row.int("lease")?,
            practice: PracticeId::new(practice),
        })
    }
}

impl Store {
    /// Takes the next file that is due, for nobody else until `until`.
    pub async fn lease_media(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<MediaJob>, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                match tx.row(LEASE, args![now, until]).await? {
                    Some(row) => tx.media_job(&row).await.map(Some),
                    None => Ok(None),
                }
            })
        })
        .await
    }

    /// The files that came with a text.
    pub async fn media_of(&self, turn: TurnId) -> Result<Vec<Media>, StoreError> {
        let mut tx = self.read().await?;
        let mut files = Vec::new();
        for row in tx.rows(OF, args![turn.0]).await? {
            let (id, practice) = (row.int("id")?, row.text("practice")?);
            let bytes = match row.blob_opt("sealed")? {
                Some(sealed) => {
                    let key = tx.key_for_row(&practice).await?;
                    let spelled = id.to_string();
                    let place = place(&practice, "media", "body", &spelled);
                    let damage = Inconsistency::on("media").column("sealed").row(id);
                    key.open(&place, &sealed).map_err(|_any| damage)?.to_vec()
                }
                None => Vec::new(),
            };
            files.push(Media {
                state: row.text("state")?,
                kind: row.text("kind")?,
                bytes,
            });
        }
        Ok(files)
    }
}
