//! One transaction (or one read), with the keys that its rows are sealed with.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::ids::PracticeId;
use crate::seal::Aad;
use crate::seal::DataKey;
use crate::store::dialect;
use crate::store::dialect::Sql;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::keys::KeyRing;
use crate::store::keys::Owner;
use crate::store::link::Link;
use crate::store::link::Row;
use crate::store::link::Value;
use crate::store::link::args;

const FIND_KEY: &str = "SELECT id, wrapped FROM data_key WHERE practice = $1 AND patient = $2";
const ADD_KEY: &str = "INSERT INTO data_key (practice, patient, id, wrapped) \
                       VALUES ($1, $2, $3, $4) ON CONFLICT (practice, patient) DO NOTHING";

/// A transaction: what it does is kept together or not at all.
#[derive(Debug)]
pub struct Tx {
    pub(super) link: Link,
    pub(super) keys: Arc<KeyRing>,
    /// Keys met in this transaction; others learn of them after the commit.
    fresh: Vec<(Owner, Arc<DataKey>)>,
}

impl Tx {
    pub(super) const fn new(link: Link, keys: Arc<KeyRing>) -> Self {
        Self {
            link,
            keys,
            fresh: Vec::new(),
        }
    }

    /// How many keys were met so far, to forget later ones with [`Self::forget_keys`].
    pub(super) const fn fresh_keys(&self) -> usize {
        self.fresh.len()
    }

    /// Forgets the keys met in work that was rolled back.
    pub(super) fn forget_keys(&mut self, keep: usize) {
        self.fresh.truncate(keep);
    }

    /// Publishes the keys met in work that is committed.
    pub(super) fn publish_keys(&mut self) {
        self.keys.add(self.fresh.drain(..));
    }

    pub(super) async fn run(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<u64, StoreError> {
        self.link.run(sql, args).await
    }

    pub(super) async fn rows(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.link.rows(sql, args).await
    }

    pub(super) async fn row(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        self.link.row(sql, args).await
    }

    /// The next number of a series.
    pub(super) async fn serial(&mut self, name: &'static str) -> Result<i64, StoreError> {
        self.row(dialect::NEXT_SERIAL, args![name])
            .await?
            .ok_or_else(|| Inconsistency::on("serial").column("value").row(name))?
            .int("value")
    }

    /// The practice's key, made when it has none yet.
    pub(super) async fn key(&mut self, practice: &PracticeId) -> Result<Arc<DataKey>, StoreError> {
        self.key_of(practice.as_str(), "").await
    }

    pub(super) async fn key_of(
        &mut self,
        practice: &str,
        patient: &str,
    ) -> Result<Arc<DataKey>, StoreError> {
        if let Some(key) = self.find_key(practice, patient).await? {
            return Ok(key);
        }
        let key = DataKey::generate()?;
        let wrapped = self.keys.master.wrap(practice, patient, &key)?;
        let row = args![practice, patient, key.id(), wrapped];
        self.run(ADD_KEY, row).await?;
        // Somebody else may have been first; the row decides.
        self.find_key(practice, patient)
            .await?
            .ok_or_else(|| Inconsistency::on("data_key").row(practice).into())
    }

    /// The practice's key, if it has one: without, nothing of it is kept.
    pub(super) async fn known_key(
        &mut self,
        practice: &PracticeId,
    ) -> Result<Option<Arc<DataKey>>, StoreError> {
        self.find_key(practice.as_str(), "").await
    }

    /// The practice's key, which must exist, for a row of it does.
    pub(super) async fn key_for_row(&mut self, practice: &str) -> Result<Arc<DataKey>, StoreError> {
        self.find_key(practice, "")
            .await?
            .ok_or_else(|| Inconsistency::on("data_key").row(practice).into())
    }

    async fn find_key(
        &mut self,
        practice: &str,
        patient: &str,
    ) -> Result<Option<Arc<DataKey>>, StoreError> {
        let owner = (practice.to_owned(), patient.to_owned());
        let met = self.fresh.iter().find(|(it, _)| *it == owner);
        if let Some(key) = met.map(|(_, key)| Arc::clone(key)) {
            return Ok(Some(key));
        }
        if let Some(key) = self.keys.get(&owner) {
            return Ok(Some(key));
        }
        let Some(row) = self.row(FIND_KEY, args![practice, patient]).await? else {
            return Ok(None);
        };
        let (id, wrapped) = (row.blob("id")?, row.blob("wrapped")?);
        let key = self
            .keys
            .master
            .unwrap_key(practice, patient, &id, &wrapped)?;
        let key = Arc::new(key);
        self.fresh.push((owner, Arc::clone(&key)));
        Ok(Some(key))
    }
}

/// The place of a sealed column.
pub(super) const fn place<'a>(
    practice: &'a str,
    table: &'static str,
    column: &'static str,
    row: &'a str,
) -> Aad<'a> {
    Aad {
        practice,
        table,
        column,
        row,
    }
}

/// Seals a value as JSON.
pub(super) fn seal_json<T: serde::Serialize>(
    key: &DataKey,
    place: &Aad<'_>,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(value).map_err(|_has_no_text_keys| StoreError::Refused {
        cause: "a value cannot be written as JSON".to_owned(),
    })?;
    let json = zeroize::Zeroizing::new(json);
    Ok(key.seal(place, &json)?)
}

/// Opens a value sealed with [`seal_json`].
pub(super) fn open_json<T: serde::de::DeserializeOwned>(
    key: &DataKey,
    place: &Aad<'_>,
    sealed: &[u8],
    damage: Inconsistency,
) -> Result<T, StoreError> {
    let json = key.open(place, sealed).map_err(|_any| damage.clone())?;
    serde_json::from_slice(&json).map_err(|_content| damage.into())
}

/// Opens a sealed text.
pub(super) fn open_text(
    key: &DataKey,
    place: &Aad<'_>,
    sealed: &[u8],
    damage: Inconsistency,
) -> Result<String, StoreError> {
    let bytes = key.open(place, sealed).map_err(|_any| damage.clone())?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_content) => Err(damage.into()),
    }
}

/// A time column.
pub(super) fn instant(micros: i64, damage: Inconsistency) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_range| damage.into())
}

/// A column with a word of a closed vocabulary.
pub(super) fn word<T: std::str::FromStr>(
    text: &str,
    damage: Inconsistency,
) -> Result<T, StoreError> {
    text.parse().map_err(|_unknown| damage.into())
}
