//! Where the audit log names a rule: an index by stretches of the chain. Entries are only read for it, so
//! the chain stays as it was signed; an entry counts only if its own words name the rule.

use std::collections::BTreeSet;

use crate::audit::Linked;
use crate::domain::ids::PracticeId;
use crate::store::Store;
use crate::store::audit_log::linked;
use crate::store::audit_pages::Look;
use crate::store::dialect::Sql;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;

/// Entries of one stretch: few enough to read for the one that names a rule, many enough that a rule which
/// every answer names takes little room.
const BLOCK: i64 = 64;
/// Entries that are indexed in one transaction.
const BATCH: i64 = 1_000;
/// Batches of one round: a log from before the index is taken bit by bit, beside the other work.
const BATCHES_MAX: u32 = 4;
/// Longest name of a rule.
const RULE_BYTES_MAX: usize = 100;
/// Stretches that are read at first; each further reading takes twice as many.
const BLOCKS_FIRST: i64 = 8;
/// Stretches that one page reads: more take longer than anybody waits.
const BLOCKS_MAX: i64 = 512;
/// Entries that one page reads one by one, where the index has not come to them yet.
const UNINDEXED_MAX: i64 = 20_000;

const BEHIND: &str = "SELECT h.practice, h.seq, COALESCE(r.upto, 0) AS upto FROM audit_head h \
    LEFT JOIN audit_ruled r ON r.practice = h.practice WHERE h.seq > COALESCE(r.upto, 0)";
const DETAILS: &str = "SELECT seq, detail FROM audit_entry WHERE practice = $1 AND seq > $2 \
    AND seq <= $3 AND seq IS NOT NULL ORDER BY seq";
const ADD: Sql = Sql {
    lite: "INSERT INTO audit_rule (practice, rule, block) \
           SELECT $1, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($2) \
           WHERE true ON CONFLICT DO NOTHING",
    pg: "INSERT INTO audit_rule (practice, rule, block) \
         SELECT $1, value->>0, (value->>1)::bigint FROM json_array_elements($2::json) AS value \
         ON CONFLICT DO NOTHING",
};
const DONE: &str = "INSERT INTO audit_ruled (practice, upto) VALUES ($1, $2) \
    ON CONFLICT (practice) DO UPDATE SET upto = CASE WHEN audit_ruled.upto < excluded.upto \
    THEN excluded.upto ELSE audit_ruled.upto END";
const UPTO: &str = "SELECT upto FROM audit_ruled WHERE practice = $1";
const BLOCKS: &str = "SELECT block FROM audit_rule WHERE practice = $1 AND rule = $2 \
    AND block <= $3 AND block >= $4 ORDER BY block DESC LIMIT $5";
/// The entries of stretches, `$2` as `[block, ...]`.
const OF_BLOCKS: Sql = Sql {
    lite: "SELECT e.* FROM json_each($2) b CROSS JOIN audit_entry e ON e.practice = $1 \
           AND e.seq >= b.value * 64 AND e.seq < b.value * 64 + 64 AND e.seq IS NOT NULL \
           AND e.seq < $3 AND e.seq > $4 AND e.detail LIKE $5 \
           AND ($6 = '' OR e.actor = $6) \
           AND ($7 = '' OR e.action = $7 OR substr(e.action, 1, length($7) + 1) = $7 || '.') \
           AND e.at >= $8 AND e.at < $9 ORDER BY e.seq DESC LIMIT $10",
    pg: "SELECT e.* FROM json_array_elements_text($2::json) b JOIN audit_entry e ON e.practice = $1 \
         AND e.seq >= b.value::bigint * 64 AND e.seq < b.value::bigint * 64 + 64 \
         AND e.seq IS NOT NULL AND e.seq < $3 AND e.seq > $4 AND e.detail LIKE $5 \
         AND ($6 = '' OR e.actor = $6) \
         AND ($7 = '' OR e.action = $7 OR substr(e.action, 1, length($7) + 1) = $7 || '.') \
         AND e.at >= $8 AND e.at < $9 ORDER BY e.seq DESC LIMIT $10",
};

/// The words of an entry that may name a rule: what its lists hold, and every dotted name.
fn named<'d>(value: &'d serde_json::Value, listed: bool, into: &mut BTreeSet<&'d str>) {
    match value {
        serde_json::Value::String(text) => {
            let short = !text.is_empty() && text.len() <= RULE_BYTES_MAX;
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if short && (listed || text.contains('.')) && text.bytes().all(plain) {
                into.insert(text);
            }
        }
        serde_json::Value::Array(all) => all.iter().for_each(|it| named(it, true, into)),
        serde_json::Value::Object(all) => all.values().for_each(|it| named(it, false, into)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

impl Tx {
    /// Indexes entries after one of the chain, up to another.
    async fn index_rules(
        &mut self,
        practice: &PracticeId,
        (after, upto): (i64, i64),
    ) -> Result<(), StoreError> {
        let find = args![practice.as_str(), after, upto];
        let mut all: BTreeSet<(String, i64)> = BTreeSet::new();
        for row in self.rows(DETAILS, find).await? {
            let block = row.int("seq")? / BLOCK;
            let detail = row.text("detail")?;
            let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
            let mut rules = BTreeSet::new();
            named(&detail, false, &mut rules);
            all.extend(rules.into_iter().map(|rule| (rule.to_owned(), block)));
        }
        if !all.is_empty() {
            let all = serde_json::json!(all).to_string();
            self.run(ADD, args![practice.as_str(), all]).await?;
        }
        let done = args![practice.as_str(), upto];
        self.run(DONE, done).await.map(drop)
    }

    /// The newest entries that name the rule of a look, so many at most, and below which number nothing
    /// was looked at, if the look ended before the chain did.
    pub(super) async fn audit_rows_of_rule(
        &mut self,
        practice: &PracticeId,
        (rule, look): (&str, &Look<'_>),
        limit: u32,
    ) -> Result<(Vec<Linked>, Option<i64>), StoreError> {
        let upto = self.row(UPTO, args![practice.as_str()]).await?;
        let upto = upto.map_or(Ok(0), |row| row.int("upto"))?;
        let wanted = limit as usize;
        let mut found = Vec::new();
        let mut before = look.before;
        if before > upto + 1 {
            let after = upto.max(before - UNINDEXED_MAX);
            let newest = Look {
                after: after.max(look.after),
                ..*look
            };
            found = self.audit_rows_of_any(practice, &newest, limit).await?;
            if found.len() >= wanted {
                return Ok((found, None));
            }
            if after > upto {
                let further = (after > look.after).then_some(after + 1);
                return Ok((found, further));
            }
            before = upto + 1;
        }
        let (mut size, mut read) = (BLOCKS_FIRST, 0);
        let (mut highest, lowest) = ((before - 1).max(0) / BLOCK, look.after.max(0) / BLOCK);
        loop {
            let find = args![practice.as_str(), rule, highest, lowest, size];
            let rows = self.rows(BLOCKS, find).await?;
            let blocks: Result<Vec<i64>, StoreError> =
                rows.iter().map(|row| row.int("block")).collect();
            let blocks = blocks?;
            let Some(last) = blocks.last().copied() else {
                return Ok((found, None));
            };
            let whole = i64::try_from(blocks.len()).unwrap_or(size) < size;
            let missing = wanted.saturating_sub(found.len());
            let find = args![
                practice.as_str(),
                serde_json::json!(blocks).to_string(),
                before,
                look.after,
                look.rule,
                look.actor,
                look.action,
                look.from,
                look.to,
                i64::try_from(missing).unwrap_or(i64::MAX),
            ];
            let rows = self.rows(OF_BLOCKS, find).await?;
            let more: Result<Vec<Linked>, StoreError> = rows.iter().map(linked).collect();
            found.extend(more?);
            if whole || found.len() >= wanted {
                return Ok((found, None));
            }
            read += size;
            if read >= BLOCKS_MAX {
                return Ok((found, Some(last * BLOCK)));
            }
            (size, highest) = (size * 2, last - 1);
        }
    }
}

impl Store {
    /// Indexes what the chains have gained, and bit by bit what they had before there was an index.
    pub(super) async fn index_rules(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        let mut behind = Vec::new();
        for row in tx.rows(BEHIND, args![]).await? {
            let practice = PracticeId::new(row.text("practice")?);
            behind.push((practice, row.int("upto")?, row.int("seq")?));
        }
        drop(tx);
        for (practice, mut done, top) in behind {
            for _ in 0..BATCHES_MAX {
                if done >= top {
                    break;
                }
                let (practice, part) = (practice.clone(), (done, top.min(done + BATCH)));
                self.write(move |tx| {
                    let practice = practice.clone();
                    Box::pin(async move { tx.index_rules(&practice, part).await })
                })
                .await?;
                done = part.1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_in_lists_and_by_their_dots() {
        let detail = serde_json::json!({
            "kind": "reply", "held": "the draft holds health details", "rule": "us.tcpa.hours",
            "law": { "state": "CA", "rules": ["ca.access", "ip"] }, "outbox": 7,
            "review": { "rules": ["policy.no-medical-advice", "two words", "x".repeat(200)] },
        });
        let mut found = BTreeSet::new();
        named(&detail, false, &mut found);
        let wanted = [
            "ca.access",
            "ip",
            "policy.no-medical-advice",
            "us.tcpa.hours",
        ];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), wanted);
    }
}
