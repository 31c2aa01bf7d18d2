//! Published versions: kept with the digest of the report that let them pass, tried, taken back,
//! never erased.

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::ids::PracticeId;
use crate::domain::publication::{
    BUILT_IN, Content, NewVersion, Published, Side, Standing, Verdicts, Version,
};
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const ADD: &str = "INSERT INTO publication (id, practice, kind, at, author, digest, report, \
    standing, share, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const OF: &str = "SELECT * FROM publication WHERE practice = $1 AND kind = $2 ORDER BY id";
const ONE: &str = "SELECT * FROM publication WHERE practice = $1 AND id = $2";
const STANDING: &str = "SELECT * FROM publication WHERE standing IN ('live', 'trial') ORDER BY id";
const MOVE: &str = "UPDATE publication SET standing = $4 WHERE practice = $1 AND kind = $2 \
                    AND standing = $3";
const SET: &str = "UPDATE publication SET standing = $3 WHERE practice = $1 AND id = $2";
/// A reply in the making is made anew under what is in force now. One whose conversation has a text
/// waiting to leave keeps its epoch: that text was cleared, and would never leave.
const FENCE: &str = "UPDATE conversation SET epoch = epoch + 1 WHERE practice = $1 \
    AND id IN (SELECT j.conversation FROM reply_job j WHERE j.practice = $1 AND j.due IS NOT NULL) \
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.conversation = conversation.id \
    AND o.due IS NOT NULL)";
const COUNT: &str = "INSERT INTO trial (publication, side, verdict, count) VALUES ($1, $2, $3, 1) \
    ON CONFLICT (publication, side, verdict) DO UPDATE SET count = trial.count + 1";
const COUNTED: &str = "SELECT side, verdict, count FROM trial WHERE publication = $1";

/// What became of a wish to take a version back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolledBack {
    /// This version (or the program's own, [`BUILT_IN`]) is in force now.
    To(i64),
    /// A trial has ended; what was in force stays so.
    TrialEnded(i64),
    /// Nothing was published, so nothing can be taken back.
    Nothing,
    /// There is no such version.
    Unknown,
}

impl Store {
    /// Keeps a version, in force at once or on trial, with its audit entry.
    pub async fn publish(
        &self,
        practice: &PracticeId,
        version: &NewVersion,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let work = (practice.clone(), version.clone());
        self.write(move |tx| {
            let (practice, version) = work.clone();
            Box::pin(async move { add(tx, &practice, &version, now).await })
        })
        .await
    }

    /// Puts the version on trial in force everywhere; none when there is no trial.
    pub async fn promote(
        &self,
        practice: &PracticeId,
        kind: Published,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let work = (practice.clone(), by.to_owned());
        self.write(move |tx| {
            let (practice, by) = work.clone();
            Box::pin(async move {
                let all = versions(tx, &practice, kind).await?;
                let on_trial = all.iter().find(|it| it.standing == Standing::Trial);
                let Some(version) = on_trial.map(|it| it.id) else {
                    return Ok(None);
                };
                shift(tx, (&practice, kind), Standing::Live, Standing::Superseded).await?;
                set(tx, &practice, version, Standing::Live).await?;
                let detail = serde_json::json!({ "trial": "passed" });
                note(
                    tx,
                    &practice,
                    (kind, "promoted"),
                    version,
                    (&by, &detail),
                    now,
                )
                .await?;
                Ok(Some(version))
            })
        })
        .await
    }

    /// Takes back the trial if there is one, else what is in force: then `to` is in force, or the
    /// version before it, or the program's own.
    pub async fn roll_back(
        &self,
        practice: &PracticeId,
        kind: Published,
        to: Option<i64>,
        (by, why): (&str, &str),
        now: Timestamp,
    ) -> Result<RolledBack, StoreError> {
        let work = (practice.clone(), by.to_owned(), why.to_owned());
        self.write(move |tx| {
            let (practice, by, why) = work.clone();
            Box::pin(async move { back(tx, (&practice, kind), to, (&by, &why), now).await })
        })
        .await
    }

    /// Every version of a practice, oldest first.
    pub async fn versions(
        &self,
        practice: &PracticeId,
        kind: Published,
    ) -> Result<Vec<Version>, StoreError> {
        let mut tx = self.read().await?;
        versions(&mut tx, practice, kind).await
    }

    /// What a version holds.
    pub async fn content(
        &self,
        practice: &PracticeId,
        version: i64,
    ) -> Result<Option<Content>, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = tx.row(ONE, args![practice.as_str(), version]).await? else {
            return Ok(None);
        };
        let key = tx.key_for_row(practice.as_str()).await?;
        let spelled = version.to_string();
        let place = place(practice.as_str(), "publication", "content", &spelled);
        let damage = Inconsistency::on("publication")
            .column("sealed")
            .row(version);
        open_json(&key, &place, &row.blob("sealed")?, damage).map(Some)
    }

    /// The versions that are in force or on trial, of every practice.
    pub async fn standing_versions(&self) -> Result<Vec<(PracticeId, Version)>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(STANDING, args![]).await?;
        rows.iter()
            .map(|row| Ok((PracticeId::new(row.text("practice")?), version(row)?)))
            .collect()
    }

    /// The verdicts of a trial so far: of the new version, and of what was in force before.
    pub async fn trial(&self, version: i64) -> Result<(Verdicts, Verdicts), StoreError> {
        let mut tx = self.read().await?;
        let (mut new, mut old) = (Verdicts::default(), Verdicts::default());
        for row in tx.rows(COUNTED, args![version]).await? {
            let damage = |column| Inconsistency::on("trial").column(column).row(version);
            let side: Side = word(&row.text("side")?, damage("side"))?;
            let verdicts = match side {
                Side::New => &mut new,
                Side::Old => &mut old,
            };
            let count = u64::try_from(row.int("count")?).unwrap_or(0);
            match row.text("verdict")?.as_str() {
                "pass" => verdicts.pass = count,
                "rewrite" => verdicts.rewrite = count,
                "hold" => verdicts.hold = count,
                _ => return Err(damage("verdict").into()),
            }
        }
        Ok((new, old))
    }
}

impl Tx {
    /// Counts the verdict over one draft of a trial.
    pub async fn count_trial(
        &mut self,
        version: i64,
        side: Side,
        verdict: &str,
    ) -> Result<(), StoreError> {
        let row = args![version, side.as_str(), verdict];
        self.run(COUNT, row).await.map(drop)
    }
}

/// Keeps a version in a transaction of the caller's.
pub(super) async fn add(
    tx: &mut Tx,
    practice: &PracticeId,
    new: &NewVersion,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let key = tx.key(practice).await?;
    let id = tx.serial("publication").await?;
    let spelled = id.to_string();
    let place = place(practice.as_str(), "publication", "content", &spelled);
    let sealed = seal_json(&key, &place, &new.content)?;
    // One trial at a time: a newer one ends it.
    let of = (practice, new.kind);
    shift(tx, of, Standing::Trial, Standing::Superseded).await?;
    let (standing, share, what) = match new.trial {
        Some(share) => (Standing::Trial, share, "trial_begun"),
        None => {
            shift(tx, of, Standing::Live, Standing::Superseded).await?;
            (Standing::Live, 100, "published")
        }
    };
    let row = args![
        id,
        practice.as_str(),
        new.kind.as_str(),
        now,
        new.author.as_str(),
        new.digest.as_str(),
        new.report.as_str(),
        standing.as_str(),
        i64::from(share),
        sealed,
    ];
    tx.run(ADD, row).await?;
    let detail = serde_json::json!({
        "digest": new.digest, "report": new.report, "share": share,
        "files": new.content.files.keys().collect::<Vec<_>>(),
    });
    note(
        tx,
        practice,
        (new.kind, what),
        id,
        (&new.author, &detail),
        now,
    )
    .await?;
    Ok(id)
}

async fn back(
    tx: &mut Tx,
    (practice, kind): (&PracticeId, Published),
    to: Option<i64>,
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<RolledBack, StoreError> {
    let all = versions(tx, practice, kind).await?;
    let standing = |wanted| all.iter().find(|it| it.standing == wanted).map(|it| it.id);
    let detail = |to: i64| serde_json::json!({ "why": why, "to": to });
    let live = standing(Standing::Live);
    if let (Some(trial), None) = (standing(Standing::Trial), to) {
        set(tx, practice, trial, Standing::RolledBack).await?;
        let detail = detail(live.unwrap_or(BUILT_IN));
        note(
            tx,
            practice,
            (kind, "rolled_back"),
            trial,
            (by, &detail),
            now,
        )
        .await?;
        return Ok(RolledBack::TrialEnded(trial));
    }
    let target = match to {
        Some(BUILT_IN) => BUILT_IN,
        Some(to) if all.iter().any(|it| it.id == to) => to,
        Some(_) => return Ok(RolledBack::Unknown),
        None => {
            let earlier = all.iter().rev().find(|it| {
                it.standing == Standing::Superseded && live.is_some_and(|live| it.id < live)
            });
            earlier.map_or(BUILT_IN, |it| it.id)
        }
    };
    if live.is_none() && standing(Standing::Trial).is_none() && target == BUILT_IN {
        return Ok(RolledBack::Nothing);
    }
    shift(tx, (practice, kind), Standing::Trial, Standing::RolledBack).await?;
    shift(tx, (practice, kind), Standing::Live, Standing::RolledBack).await?;
    if target != BUILT_IN {
        set(tx, practice, target, Standing::Live).await?;
    }
    let detail = detail(target);
    let from = live.unwrap_or(BUILT_IN);
    note(
        tx,
        practice,
        (kind, "rolled_back"),
        from,
        (by, &detail),
        now,
    )
    .await?;
    Ok(RolledBack::To(target))
}

async fn versions(
    tx: &mut Tx,
    practice: &PracticeId,
    kind: Published,
) -> Result<Vec<Version>, StoreError> {
    let rows = tx.rows(OF, args![practice.as_str(), kind.as_str()]).await?;
    rows.iter().map(version).collect()
}

async fn shift(
    tx: &mut Tx,
    (practice, kind): (&PracticeId, Published),
    from: Standing,
    to: Standing,
) -> Result<(), StoreError> {
    let row = args![practice.as_str(), kind.as_str(), from.as_str(), to.as_str()];
    tx.run(MOVE, row).await.map(drop)
}

async fn set(
    tx: &mut Tx,
    practice: &PracticeId,
    version: i64,
    standing: Standing,
) -> Result<(), StoreError> {
    tx.run(SET, args![practice.as_str(), version, standing.as_str()])
        .await
        .map(drop)
}

/// Every move of a version raises the fence and is in the audit log.
async fn note(
    tx: &mut Tx,
    practice: &PracticeId,
    (kind, what): (Published, &str),
    version: i64,
    (by, detail): (&str, &serde_json::Value),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(FENCE, args![practice.as_str()]).await?;
    let action = format!("{kind}.{what}");
    let subject = format!("publication/{version}");
    tx.append_audit(&Entry::new(practice, now, by, &action, &subject, detail))
        .await
}

fn version(row: &Row) -> Result<Version, StoreError> {
    let id = row.int("id")?;
    let damage = |column| Inconsistency::on("publication").column(column).row(id);
    Ok(Version {
        id,
        kind: word(&row.text("kind")?, damage("kind"))?,
        at: instant(row.int("at")?, damage("at"))?,
        author: row.text("author")?,
        digest: row.text("digest")?,
        report: row.text("report")?,
        standing: word(&row.text("standing")?, damage("standing"))?,
        share: u8::try_from(row.int("share")?).map_err(|_range| damage("share"))?,
    })
}
