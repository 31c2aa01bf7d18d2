//! What staff keep beside the texts: notes on a conversation, and replies kept ready. Both are for
//! colleagues alone; neither ever leaves by itself.

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::phi::Phi;
use crate::domain::staff::Staff;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;

const ADD: &str = "INSERT INTO note (id, practice, conversation, at, staff, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const NEWEST: &str = "SELECT * FROM note WHERE conversation = $1 ORDER BY id DESC LIMIT $2";
const READY: &str = "SELECT * FROM canned WHERE practice = $1 ORDER BY name";
const KEEP: &str = "INSERT INTO canned (practice, name, at, author, sealed) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (practice, name) DO UPDATE SET \
    at = excluded.at, author = excluded.author, sealed = excluded.sealed";
const DROP: &str = "DELETE FROM canned WHERE practice = $1 AND name = $2";

/// What somebody of staff wrote beside a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its number, in the series of turns.
    pub id: i64,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: Phi<String>,
}

/// A reply that is kept ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canned {
    /// What it is found by.
    pub name: String,
    /// Its words.
    pub text: String,
}

impl Store {
    /// Keeps a note of staff that names these colleagues; false when the practice has no such
    /// conversation.
    pub async fn add_note(
        &self,
        staff: &Staff,
        conversation: ConversationId,
        (text, named): (&str, Vec<StaffId>),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let work = (staff.clone(), text.to_owned(), named);
        self.write(move |tx| {
            let (staff, text, named) = work.clone();
            Box::pin(async move { add(tx, &staff, conversation, (&text, &named), now).await })
        })
        .await
    }

    /// The newest notes of a conversation, oldest first.
    pub async fn notes(
        &self,
        conversation: ConversationId,
        limit: u32,
    ) -> Result<Vec<Note>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx
            .rows(NEWEST, args![conversation.0, i64::from(limit)])
            .await?
        {
            let id = row.int("id")?;
            let damage = |column| Inconsistency::on("note").column(column).row(id);
            let practice = row.text("practice")?;
            let key = tx.key_for_row(&practice).await?;
            let spelled = id.to_string();
            let place = place(&practice, "note", "sealed", &spelled);
            all.push(Note {
                id,
                staff: StaffId(row.int("staff")?),
                at: instant(row.int("at")?, damage("at"))?,
                text: open_text(&key, &place, &row.blob("sealed")?, damage("sealed"))?.into(),
            });
        }
        all.reverse();
        Ok(all)
    }

    /// The replies that a practice keeps ready, by their names.
    pub async fn canned(&self, practice: &PracticeId) -> Result<Vec<Canned>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx.rows(READY, args![practice.as_str()]).await? {
            let name = row.text("name")?;
            let key = tx.key_for_row(practice.as_str()).await?;
            let damage = Inconsistency::on("canned").column("sealed");
            let place = place(practice.as_str(), "canned", "sealed", &name);
            let text = open_text(&key, &place, &row.blob("sealed")?, damage)?;
            all.push(Canned { name, text });
        }
        Ok(all)
    }

    /// Keeps a reply under its name, or takes it away.
    pub async fn set_canned(
        &self,
        staff: &Staff,
        name: &str,
        text: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = (staff.clone(), name.to_owned(), text.map(str::to_owned));
        self.write(move |tx| {
            let (staff, name, text) = work.clone();
            Box::pin(async move { set(tx, &staff, (&name, text.as_deref()), now).await })
        })
        .await
    }
}

async fn add(
    tx: &mut Tx,
    staff: &Staff,
    id: ConversationId,
    (text, named): (&str, &[StaffId]),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = tx.lock_conversation(id).await?;
    if found.is_none_or(|it| it.practice != staff.practice) {
        return Ok(false);
    }
    let practice = staff.practice.as_str();
    let key = tx.key_for_row(practice).await?;
    let note = tx.serial("turn").await?;
    let spelled = note.to_string();
    let sealed = key.seal(
        &place(practice, "note", "sealed", &spelled),
        text.as_bytes(),
    )?;
    let row = args![note, practice, id.0, now, staff.id.0, sealed];
    tx.run(ADD, row).await?;
    for colleague in named {
        tx.mention(&staff.practice, (id, note), *colleague).await?;
    }
    let names: Vec<i64> = named.iter().map(|it| it.0).collect();
    let about = serde_json::json!({ "note": note, "names": names });
    let subject = format!("conversation/{id}");
    let (practice, actor) = (&staff.practice, staff.actor());
    tx.append_audit(&Entry::new(
        practice,
        now,
        &actor,
        "note.added",
        &subject,
        &about,
    ))
    .await?;
    Ok(true)
}

async fn set(
    tx: &mut Tx,
    staff: &Staff,
    (name, text): (&str, Option<&str>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (practice, actor) = (&staff.practice, staff.actor());
    let action = match text {
        Some(text) => {
            let key = tx.key(practice).await?;
            let place = place(practice.as_str(), "canned", "sealed", name);
            let sealed = key.seal(&place, text.as_bytes())?;
            let row = args![practice.as_str(), name, now, actor.as_str(), sealed];
            tx.run(KEEP, row).await?;
            "canned.saved"
        }
        None => {
            tx.run(DROP, args![practice.as_str(), name]).await?;
            "canned.removed"
        }
    };
    let about = serde_json::json!({ "name": name });
    tx.append_audit(&Entry::new(practice, now, &actor, action, "canned", &about))
        .await
}
