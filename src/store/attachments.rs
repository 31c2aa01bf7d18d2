//! Files of secure messages, sealed like the words beside them.

use jiff::Timestamp;

use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::domain::phi::Phi;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;

const ADD: &str = "INSERT INTO attachment (id, practice, conversation, link_hash, turn, at, kind, size, \
    name, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
macro_rules! listed {
    ($where:literal) => {
        concat!(
            "SELECT id, practice, conversation, link_hash, turn, at, kind, size, name FROM attachment \
             WHERE ",
            $where,
            " ORDER BY at, id"
        )
    };
}
const OF_LINK: &str = listed!("link_hash = $1");
const OF_TURN: &str = listed!("turn = $1");
const ONE: &str = "SELECT * FROM attachment WHERE id = $1 AND practice = $2";

/// What a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// A secure message of staff, by the hash of its link's token.
    Link([u8; 32]),
    /// What a patient wrote.
    Turn(TurnId),
}

/// A file to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttachment {
    /// A number that nobody guesses.
    pub id: [u8; 16],
    /// What its owner calls it.
    pub name: Phi<String>,
    /// Its media type, as its bytes say.
    pub kind: &'static str,
    /// The bytes.
    pub bytes: Phi<Vec<u8>>,
}

/// A file, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its number, in hexadecimal.
    pub id: String,
    /// In which conversation.
    pub conversation: ConversationId,
    /// What its owner calls it.
    pub name: Phi<String>,
    /// Its media type.
    pub kind: String,
    /// How many bytes.
    pub size: i64,
    /// When it was kept.
    pub at: Timestamp,
}

impl Tx {
    /// Keeps a file.
    pub async fn add_attachment(
        &mut self,
        conversation: &Conversation,
        bearer: Bearer,
        file: &NewAttachment,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = conversation.practice.as_str();
        let key = self.key(&conversation.practice).await?;
        let spelled = hex::encode(file.id);
        let seal = |column, bytes: &[u8]| {
            key.seal(&place(practice, "attachment", column, &spelled), bytes)
        };
        let (link, turn) = match bearer {
            Bearer::Link(hash) => (Some(hash.to_vec()), None),
            Bearer::Turn(turn) => (None, Some(turn.0)),
        };
        let bytes = file.bytes.expose();
        let row = args![
            &file.id,
            practice,
            conversation.id.0,
            link,
            turn,
            now,
            file.kind,
            i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            seal("name", file.name.as_str().as_bytes())?,
            seal("body", bytes)?,
        ];
        self.run(ADD, row).await.map(drop)
    }

    async fn attached(&mut self, row: &Row) -> Result<Attached, StoreError> {
        let id = hex::encode(row.blob("id")?);
        let damage = |column| Inconsistency::on("attachment").column(column);
        let practice = row.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        let name = open_text(
            &key,
            &place(&practice, "attachment", "name", &id),
            &row.blob("name")?,
            damage("name"),
        )?;
        Ok(Attached {
            conversation: ConversationId(row.int("conversation")?),
            name: Phi::new(name),
            kind: row.text("kind")?,
            size: row.int("size")?,
            at: instant(row.int("at")?, damage("at"))?,
            id,
        })
    }
}

impl Store {
    /// The files of a message or of a turn, oldest first.
    pub async fn attachments(&self, bearer: Bearer) -> Result<Vec<Attached>, StoreError> {
        let mut tx = self.read().await?;
        let rows = match bearer {
            Bearer::Link(hash) => tx.rows(OF_LINK, args![&hash]).await?,
            Bearer::Turn(turn) => tx.rows(OF_TURN, args![turn.0]).await?,
        };
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.push(tx.attached(&row).await?);
        }
        Ok(all)
    }

    /// A file of a practice with its bytes.
    pub async fn attachment(
        &self,
        practice: &PracticeId,
        id: &[u8; 16],
    ) -> Result<Option<(Attached, Phi<Vec<u8>>)>, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = tx.row(ONE, args![id, practice.as_str()]).await? else {
            return Ok(None);
        };
        let attached = tx.attached(&row).await?;
        let key = tx.key_for_row(practice.as_str()).await?;
        let place = place(practice.as_str(), "attachment", "body", &attached.id);
        let damage = Inconsistency::on("attachment").column("body");
        let bytes = key
            .open(&place, &row.blob("body")?)
            .map_err(|_any| damage)?;
        Ok(Some((attached, Phi::new(bytes.to_vec()))))
    }
}
