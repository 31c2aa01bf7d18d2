//! Search over what is sealed: keyed hashes of the beginnings of names, and of the last digits of numbers.
//! Whoever reads the database without its keys learns neither; whoever has them finds by a prefix.

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::phone::E164;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::inbox::Line;
use crate::store::inbox::lines;
use crate::store::link::args;
use crate::store::record_rows::PatientRow;
use crate::store::tx::Tx;
use crate::store::tx::open_json;
use crate::store::tx::place;

/// Shortest beginning of a name that is found.
pub const NAME_CHARS_MIN: usize = 2;
/// Longest beginning that has a hash; a longer word is found by it and looked at again.
const NAME_CHARS_MAX: usize = 8;
/// Words of a name that are searched for.
const WORDS: usize = 3;
/// The last digits of a number that have a hash.
pub const ENDING_DIGITS: usize = 4;
/// Conversations that a search opens to compare what a hash cannot tell.
const COMPARED_MAX: i64 = 200;

const ADD_NAME: &str = "INSERT INTO patient_name (practice, token, patient_hash) VALUES ($1, $2, $3) \
    ON CONFLICT (practice, token, patient_hash) DO NOTHING";
const DROP_NAMES: &str = "DELETE FROM patient_name WHERE practice = $1 AND patient_hash = $2";
const NAMED: &str = "UPDATE patient SET named = 1 WHERE practice = $1 AND id_hash = $2";
const UNNAMED: &str = "SELECT practice, id_hash, sealed FROM patient WHERE named = 0 LIMIT $1";
const UNENDED: &str = "SELECT * FROM conversation WHERE ends IS NULL LIMIT $1";
const END: &str = "UPDATE conversation SET ends = $2 WHERE id = $1";
/// By the most telling of the words first; every word must fit. Bounded, for two letters may be begun by
/// half of a practice.
const BY_NAME: &str = lines!(
    "AND c.id IN (SELECT k.id FROM conversation k WHERE k.practice = $1 AND k.number_hash IN \
     (SELECT f.number_hash FROM patient_name n JOIN patient_phone f \
     ON f.practice = n.practice AND f.patient_hash = n.patient_hash \
     WHERE n.practice = $1 AND n.token = $5 \
     AND EXISTS (SELECT 1 FROM patient_name m WHERE m.practice = $1 AND m.token = $6 \
     AND m.patient_hash = n.patient_hash) \
     AND EXISTS (SELECT 1 FROM patient_name o WHERE o.practice = $1 AND o.token = $7 \
     AND o.patient_hash = n.patient_hash) LIMIT 500))"
);
const BY_ENDING: &str =
    lines!("AND c.id IN (SELECT k.id FROM conversation k WHERE k.practice = $1 AND k.ends = $5)");

/// The words of a name as they are compared: small letters without accents.
pub fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The beginnings of a word that have a hash.
fn beginnings(word: &str) -> Vec<String> {
    let signs: Vec<char> = word.chars().collect();
    let longest = signs.len().min(NAME_CHARS_MAX);
    let shortest = NAME_CHARS_MIN.min(longest);
    (shortest..=longest)
        .filter_map(|length| signs.get(..length).map(|it| it.iter().collect()))
        .collect()
}

fn token(key: &DataKey, beginning: &str) -> [u8; 32] {
    key.lookup("name", beginning.as_bytes())
}

/// The keyed hash of the last digits of a number.
pub(super) fn ending(key: &DataKey, number: &E164) -> [u8; 32] {
    let digits = number.as_str();
    let last = digits.get(digits.len().saturating_sub(ENDING_DIGITS)..);
    key.lookup("ending", last.unwrap_or(digits).as_bytes())
}

impl Tx {
    /// Makes a patient be found by these names.
    pub(super) async fn index_names(
        &mut self,
        practice: &str,
        (id, names): (&[u8], [&str; 2]),
        key: &DataKey,
    ) -> Result<(), StoreError> {
        self.run(DROP_NAMES, args![practice, id]).await?;
        let mut all: Vec<String> = names
            .iter()
            .flat_map(|name| words(name))
            .flat_map(|word| beginnings(&word))
            .collect();
        all.sort_unstable();
        all.dedup();
        for beginning in all {
            let row = args![practice, &token(key, &beginning), id];
            self.run(ADD_NAME, row).await?;
        }
        self.run(NAMED, args![practice, id]).await.map(drop)
    }
}

impl Store {
    /// What stands for a search in the audit log: the same for the same words, and nothing to anybody
    /// without the practice's key.
    pub async fn search_digest(
        &self,
        practice: &PracticeId,
        typed: &str,
    ) -> Result<String, StoreError> {
        let mut tx = self.read().await?;
        let key = tx.key_for_row(practice.as_str()).await?;
        let same = words(typed).join(" ");
        let digest = key.lookup("searched", same.as_bytes());
        Ok(hex::encode(digest.get(..8).unwrap_or(&digest)))
    }

    /// Makes rows of before be found, so many at most; how many there were.
    pub async fn index_for_search(&self, limit: u32) -> Result<u64, StoreError> {
        let mut look = self.read().await?;
        let wanted = args![i64::from(limit)];
        let waits = look.row(UNNAMED, args![1_i64]).await?.is_some()
            || look.row(UNENDED, args![1_i64]).await?.is_some();
        drop(look);
        if !waits {
            return Ok(0);
        }
        self.write(move |tx| {
            let wanted = wanted.clone();
            Box::pin(async move {
                let mut count = 0;
                for row in tx.rows(UNNAMED, wanted.clone()).await? {
                    let (practice, id) = (row.text("practice")?, row.blob("id_hash")?);
                    let key = tx.key_for_row(&practice).await?;
                    let spelled = hex::encode(&id);
                    let damage = Inconsistency::on("patient").column("sealed");
                    let place = place(&practice, "patient", "sealed", &spelled);
                    let patient: PatientRow =
                        open_json(&key, &place, &row.blob("sealed")?, damage)?;
                    let names = patient.names();
                    tx.index_names(&practice, (&id, names), &key).await?;
                    count += 1;
                }
                for row in tx.rows(UNENDED, wanted).await? {
                    let id = row.int("id")?;
                    let Some(conversation) = tx.conversation_from(Some(row)).await? else {
                        continue;
                    };
                    let key = tx.key(&conversation.practice).await?;
                    tx.run(END, args![id, &ending(&key, &conversation.number)])
                        .await?;
                    count += 1;
                }
                Ok(count)
            })
        })
        .await
    }

    /// The conversations of people whose names begin so, newest first, also those that are done. Each word
    /// must begin one of a person's names: `mar gon` finds Maria Gonzalez.
    pub async fn inbox_named(
        &self,
        practice: &PracticeId,
        text: &str,
        (staff, limit): (StaffId, u32),
    ) -> Result<Vec<Line>, StoreError> {
        let mut words = words(text);
        // The longest tells most.
        words.sort_by_key(|it| std::cmp::Reverse(it.chars().count()));
        words.truncate(WORDS);
        let Some(first) = words
            .first()
            .filter(|it| it.chars().count() >= NAME_CHARS_MIN)
        else {
            return Ok(Vec::new());
        };
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let hash = |at: usize| {
            let word = words.get(at).unwrap_or(first);
            let short: String = word.chars().take(NAME_CHARS_MAX).collect();
            token(&key, &short)
        };
        let find = args![
            practice.as_str(),
            i64::MAX,
            i64::from(limit),
            staff.0,
            &hash(0),
            &hash(1),
            &hash(2),
        ];
        let rows = tx.rows(BY_NAME, find).await?;
        tx.lines(rows).await
    }

    /// The conversations with numbers that end so, newest first, also those that are done; at least
    /// [`ENDING_DIGITS`] digits.
    pub async fn inbox_ending(
        &self,
        practice: &PracticeId,
        digits: &str,
        (staff, limit): (StaffId, u32),
    ) -> Result<Vec<Line>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let Some(last) = digits.get(digits.len().saturating_sub(ENDING_DIGITS)..) else {
            return Ok(Vec::new());
        };
        let hash = key.lookup("ending", last.as_bytes());
        let find = args![practice.as_str(), i64::MAX, COMPARED_MAX, staff.0, &hash,];
        let rows = tx.rows(BY_ENDING, find).await?;
        let mut all = tx.lines(rows).await?;
        all.retain(|it| it.conversation.number.as_str().ends_with(digits));
        all.truncate(limit as usize);
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_accents_and_by_their_beginnings() {
        assert_eq!(
            words("María-José O'Néil  (Pepe)"),
            ["maria", "jose", "o", "neil", "pepe"]
        );
        assert_eq!(words("李小龙 😀"), ["李小龙"]);
        assert_eq!(beginnings("maria"), ["ma", "mar", "mari", "maria"]);
        assert_eq!(beginnings("o"), ["o"]);
        assert_eq!(beginnings("bartholomew").last().unwrap(), "bartholo");
        assert!(beginnings("").is_empty() || beginnings("") == [""]);
    }
}
