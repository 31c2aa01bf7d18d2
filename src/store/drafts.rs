//! What a practice's staff are working on: one draft of each kind (the wording, the overlay of the
//! policy), kept between sessions, with what the gate said of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::ids::PracticeId;
use crate::domain::publication::{Content, NewVersion, Published};
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::publications;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;

const FIND: Sql = locking!("SELECT * FROM draft WHERE practice = $1 AND kind = $2");
const LOOK: &str = "SELECT * FROM draft WHERE practice = $1 AND kind = $2";
const KEEP: &str = "INSERT INTO draft (practice, kind, revision, at, author, gated, report, sealed) \
    VALUES ($1, $2, $3, $4, $5, '', '', $6) ON CONFLICT (practice, kind) DO UPDATE SET \
    revision = excluded.revision, at = excluded.at, author = excluded.author, gated = '', \
    report = '', sealed = excluded.sealed";
const DROP: &str = "DELETE FROM draft WHERE practice = $1 AND kind = $2";
const TAKE: &str = "DELETE FROM draft WHERE practice = $1 AND kind = $2 AND revision = $3";
const GATED: &str = "UPDATE draft SET gated = $4, report = $5 \
    WHERE practice = $1 AND kind = $2 AND revision = $3";

/// What staff are working on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Rises with every change.
    pub revision: i64,
    /// When it was changed last.
    pub at: Timestamp,
    /// Who changed it last.
    pub author: String,
    /// Files by their place, where they differ from what is in force.
    pub files: BTreeMap<String, String>,
    /// The digest of the wording that the gate was asked about; empty when it was not asked.
    pub gated: String,
    /// What it found, as JSON; empty when it was not asked.
    pub report: String,
}

/// A change of one file.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Which: `en/visit`.
    pub place: String,
    /// Its new source.
    pub source: String,
    /// The source as its author saw it before.
    pub seen: String,
    /// The source that is in force.
    pub live: String,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// It is kept.
    Kept,
    /// A colleague changed the same template meanwhile; nothing was changed now.
    Overtaken {
        /// Who did.
        author: String,
        /// What it says now.
        source: String,
    },
}

impl Store {
    /// What a practice's staff are working on of a kind, if anything.
    pub async fn draft(
        &self,
        practice: &PracticeId,
        kind: Published,
    ) -> Result<Option<Draft>, StoreError> {
        let mut tx = self.read().await?;
        draft(&mut tx, LOOK.into(), (practice, kind)).await
    }

    /// Changes one file of what is in work, unless a colleague did meanwhile.
    pub async fn edit_draft(
        &self,
        (practice, kind): (&PracticeId, Published),
        by: &str,
        edit: Edit,
        now: Timestamp,
    ) -> Result<Edited, StoreError> {
        let work = (practice.clone(), by.to_owned(), edit);
        self.write(move |tx| {
            let (practice, by, edit) = work.clone();
            Box::pin(async move { edit_in(tx, (&practice, kind), &by, edit, now).await })
        })
        .await
    }

    /// Takes changes of what is in work back: of one file, or of all.
    pub async fn discard_draft(
        &self,
        (practice, kind): (&PracticeId, Published),
        by: &str,
        only: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = (practice.clone(), by.to_owned(), only.map(str::to_owned));
        self.write(move |tx| {
            let (practice, by, only) = work.clone();
            Box::pin(async move {
                let Some(mut own) = draft(tx, FIND, (&practice, kind)).await? else {
                    return Ok(());
                };
                match &only {
                    Some(place) => drop(own.files.remove(place)),
                    None => own.files.clear(),
                }
                keep(tx, (&practice, kind), &by, own, now).await?;
                let detail = serde_json::json!({ "file": only });
                note(tx, (&practice, kind), (&by, "discarded"), &detail, now).await
            })
        })
        .await
    }

    /// Keeps what the gate found, unless what is in work was changed meanwhile; whether it was kept.
    pub async fn draft_gated(
        &self,
        (practice, kind): (&PracticeId, Published),
        revision: i64,
        (digest, report): (&str, &str),
        (by, passed): (&str, bool),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let owned = |text: &str| text.to_owned();
        let work = (practice.clone(), owned(digest), owned(report), owned(by));
        self.write(move |tx| {
            let (practice, digest, report, by) = work.clone();
            Box::pin(async move {
                let row = args![
                    practice.as_str(),
                    kind.as_str(),
                    revision,
                    digest.as_str(),
                    report
                ];
                if tx.run(GATED, row).await? == 0 {
                    return Ok(false);
                }
                let detail = serde_json::json!({ "digest": digest, "passed": passed });
                note(tx, (&practice, kind), (&by, "gated"), &detail, now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Publishes what is in work as it stands at this revision; none when somebody changed or
    /// published it meanwhile.
    pub async fn publish_draft(
        &self,
        practice: &PracticeId,
        revision: i64,
        version: &NewVersion,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let work = (practice.clone(), version.clone());
        self.write(move |tx| {
            let (practice, version) = work.clone();
            Box::pin(async move {
                let of = args![practice.as_str(), version.kind.as_str(), revision];
                if tx.run(TAKE, of).await? == 0 {
                    return Ok(None);
                }
                publications::add(tx, &practice, &version, now)
                    .await
                    .map(Some)
            })
        })
        .await
    }
}

async fn draft(
    tx: &mut Tx,
    find: Sql,
    (practice, kind): (&PracticeId, Published),
) -> Result<Option<Draft>, StoreError> {
    let of = args![practice.as_str(), kind.as_str()];
    let Some(row) = tx.row(find, of).await? else {
        return Ok(None);
    };
    let key = tx.key_for_row(practice.as_str()).await?;
    let damage = |column| {
        Inconsistency::on("draft")
            .column(column)
            .row(practice.as_str())
    };
    let place = place(practice.as_str(), table(kind), "sealed", "");
    let content: Content = open_json(&key, &place, &row.blob("sealed")?, damage("sealed"))?;
    Ok(Some(Draft {
        revision: row.int("revision")?,
        at: instant(row.int("at")?, damage("at"))?,
        author: row.text("author")?,
        files: content.files,
        gated: row.text("gated")?,
        report: row.text("report")?,
    }))
}

async fn edit_in(
    tx: &mut Tx,
    of: (&PracticeId, Published),
    by: &str,
    edit: Edit,
    now: Timestamp,
) -> Result<Edited, StoreError> {
    let mut own = draft(tx, FIND, of).await?.unwrap_or_default();
    let stands = own.files.get(&edit.place).unwrap_or(&edit.live);
    if *stands != edit.seen && *stands != edit.source {
        return Ok(Edited::Overtaken {
            source: stands.clone(),
            author: own.author,
        });
    }
    if *stands == edit.source {
        return Ok(Edited::Kept);
    }
    let detail = serde_json::json!({ "file": edit.place });
    if edit.source == edit.live {
        own.files.remove(&edit.place);
    } else {
        own.files.insert(edit.place, edit.source);
    }
    keep(tx, of, by, own, now).await?;
    note(tx, of, (by, "edited"), &detail, now).await?;
    Ok(Edited::Kept)
}

async fn keep(
    tx: &mut Tx,
    (practice, kind): (&PracticeId, Published),
    by: &str,
    draft: Draft,
    now: Timestamp,
) -> Result<(), StoreError> {
    if draft.files.is_empty() {
        let of = args![practice.as_str(), kind.as_str()];
        return tx.run(DROP, of).await.map(drop);
    }
    let key = tx.key(practice).await?;
    let content = Content {
        files: draft.files,
        note: String::new(),
    };
    let place = place(practice.as_str(), table(kind), "sealed", "");
    let sealed = seal_json(&key, &place, &content)?;
    // The present, so that a number is never given twice though the row comes and goes.
    let revision = now.as_microsecond().max(draft.revision + 1);
    let row = args![practice.as_str(), kind.as_str(), revision, now, by, sealed];
    tx.run(KEEP, row).await.map(drop)
}

async fn note(
    tx: &mut Tx,
    (practice, kind): (&PracticeId, Published),
    (by, deed): (&str, &str),
    detail: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (action, about) = match kind {
        Published::Prompt => (format!("prompt.{deed}"), "prompts"),
        Published::Policy | Published::Overlay => (format!("{kind}.{deed}"), kind.as_str()),
    };
    tx.append_audit(&Entry::new(practice, now, by, &action, about, detail))
        .await
}

/// The table that a draft's envelope names: the wording had one of its own before others came.
const fn table(kind: Published) -> &'static str {
    match kind {
        Published::Prompt => "prompt_draft",
        Published::Policy | Published::Overlay => "draft",
    }
}
