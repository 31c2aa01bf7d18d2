//! Figures of a practice over its newest texts: what the overview draws. Counted over so many rows at
//! most, so that the page is as quick with ten years of texts as with ten days.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::alarm::AlarmKind;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::Direction;
use crate::domain::ids::PracticeId;
use crate::domain::message::Delivery;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::word;

/// Texts that are looked at, the newest of every practice.
pub const TEXTS_LOOKED: i64 = 20_000;
/// Entries of the audit log that are looked at, the newest of every practice.
const ENTRIES_LOOKED: i64 = 40_000;

/// A row for each conversation: the instants of its texts in their order, those of outbound ones below
/// nought. A row for each text would cost several times the counting. The `+` keeps the engine from reading
/// whole conversations in the order of another index, and the name of the index from reading the rows
/// themselves, whose sealed words are long: where all are of one practice, it takes that for cheaper.
const TEXTS: Sql = Sql {
    lite: "SELECT conversation, group_concat(CASE direction WHEN 'inbound' THEN at ELSE -at END, ' ' ORDER BY id) \
        AS texts FROM turn INDEXED BY turn_figures WHERE practice = $1 \
        AND id > (SELECT COALESCE(MAX(id), 0) - $3 FROM turn) AND at >= $2 AND at < $4 GROUP BY +conversation",
    pg: "SELECT conversation, \
        string_agg(CAST(CASE direction WHEN 'inbound' THEN at ELSE -at END AS TEXT), ' ' ORDER BY id) AS texts \
        FROM turn WHERE practice = $1 \
        AND id > (SELECT COALESCE(MAX(id), 0) - $3 FROM turn) AND at >= $2 AND at < $4 GROUP BY conversation",
};
const DELIVERIES: Sql = Sql {
    lite: "SELECT delivery, count(*) AS n FROM outbox INDEXED BY outbox_figures WHERE practice = $1 \
        AND id > (SELECT COALESCE(MAX(id), 0) - $3 FROM outbox) AND at >= $2 AND at < $4 \
        GROUP BY delivery",
    pg: "SELECT delivery, count(*) AS n FROM outbox WHERE practice = $1 \
        AND id > (SELECT COALESCE(MAX(id), 0) - $3 FROM outbox) AND at >= $2 AND at < $4 \
        GROUP BY delivery",
};
const ANSWERS: &str = "SELECT CASE WHEN actor LIKE 'staff/%' THEN 1 ELSE 0 END AS staff, count(*) AS n \
    FROM audit_entry WHERE practice = $1 \
    AND id > (SELECT COALESCE(MAX(id), 0) - $3 FROM audit_entry) AND at >= $2 AND at < $4 \
    AND action = 'message.cleared' AND actor <> 'anteroom' GROUP BY 1";
const HOLDS: &str = "SELECT reason, count(*) AS n, \
    CAST(sum(CASE WHEN settled IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS waiting, \
    CAST(sum(CASE WHEN wrong = 1 THEN 1 ELSE 0 END) AS BIGINT) AS wrong, \
    count(wrong) AS judged \
    FROM hold WHERE practice = $1 AND at >= $2 AND at < $3 GROUP BY reason ORDER BY n DESC, reason LIMIT 10";
const ALARMS: &str = "SELECT kind, raised, acknowledged_at FROM alarm \
    WHERE practice = $1 AND raised >= $2 AND raised < $3 ORDER BY id DESC LIMIT 1000";
/// Entries of answers in which a draft was held; they name the rules that found something.
const HELD: &str = "SELECT detail FROM audit_entry WHERE practice = $1 \
    AND id > (SELECT COALESCE(MAX(id), 0) - $3 FROM audit_entry) AND at >= $2 AND at < $4 \
    AND action IN ('message.cleared', 'message.held') AND detail LIKE '%\"held\":\"%' \
    ORDER BY id DESC LIMIT 5000";
const CONSENT: &str =
    "SELECT consent, count(*) AS n FROM conversation WHERE practice = $1 GROUP BY consent";

/// One text, without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextAt {
    /// In which conversation, by its number.
    pub conversation: i64,
    /// Which way.
    pub direction: Direction,
    /// When.
    pub at: Timestamp,
}

/// One reason for which drafts and questions waited for staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldReason {
    /// In words.
    pub reason: String,
    /// How many there were.
    pub count: i64,
    /// How many of them still wait.
    pub waiting: i64,
    /// How many staff said of that they were wrong.
    pub wrong: i64,
    /// How many staff said anything of.
    pub judged: i64,
}

/// One alarm, without its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmAt {
    /// Of which kind.
    pub kind: AlarmKind,
    /// When it was raised.
    pub raised: Timestamp,
    /// When somebody said that they have it.
    pub acknowledged: Option<Timestamp>,
}

/// What the overview draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Texts in both directions, conversation after conversation, each in its order.
    pub texts: Vec<TextAt>,
    /// Where outbound texts stand.
    pub deliveries: Vec<(Delivery, i64)>,
    /// Answers of the agent.
    pub by_agent: i64,
    /// Answers of staff.
    pub by_staff: i64,
    /// Why drafts and questions waited for staff, the most frequent first.
    pub holds: Vec<HoldReason>,
    /// How many held drafts each rule found something in, the most frequent first.
    pub rules: Vec<(String, i64)>,
    /// Alarms, the newest first.
    pub alarms: Vec<AlarmAt>,
    /// Conversations by their consent to health details by text, today.
    pub consent: Vec<(ConsentState, i64)>,
}

impl Store {
    /// The figures of a practice between two instants.
    pub async fn figures(
        &self,
        practice: &PracticeId,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Figures, StoreError> {
        let mut tx = self.read().await?;
        let mut figures = Figures {
            texts: texts(&mut tx, practice, (since, until)).await?,
            ..Figures::default()
        };
        let look = args![practice.as_str(), since, TEXTS_LOOKED, until];
        for row in tx.rows(DELIVERIES, look).await? {
            let damage = Inconsistency::on("outbox").column("delivery");
            let state = word(&row.text("delivery")?, damage)?;
            figures.deliveries.push((state, row.int("n")?));
        }
        let look = args![practice.as_str(), since, ENTRIES_LOOKED, until];
        for row in tx.rows(ANSWERS, look).await? {
            match row.int("staff")? {
                1 => figures.by_staff = row.int("n")?,
                _ => figures.by_agent = row.int("n")?,
            }
        }
        for row in tx
            .rows(HOLDS, args![practice.as_str(), since, until])
            .await?
        {
            figures.holds.push(HoldReason {
                reason: row.text("reason")?,
                count: row.int("n")?,
                waiting: row.int("waiting")?,
                wrong: row.int("wrong")?,
                judged: row.int("judged")?,
            });
        }
        figures.rules = rules(&mut tx, practice, (since, until)).await?;
        for row in tx
            .rows(ALARMS, args![practice.as_str(), since, until])
            .await?
        {
            let damage = |column| Inconsistency::on("alarm").column(column);
            let acknowledged = match row.int_opt("acknowledged_at")? {
                Some(at) => Some(instant(at, damage("acknowledged_at"))?),
                None => None,
            };
            figures.alarms.push(AlarmAt {
                kind: word(&row.text("kind")?, damage("kind"))?,
                raised: instant(row.int("raised")?, damage("raised"))?,
                acknowledged,
            });
        }
        for row in tx.rows(CONSENT, args![practice.as_str()]).await? {
            let damage = Inconsistency::on("conversation").column("consent");
            let state = word(&row.text("consent")?, damage)?;
            figures.consent.push((state, row.int("n")?));
        }
        Ok(figures)
    }
}

async fn texts(
    tx: &mut Tx,
    practice: &PracticeId,
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<TextAt>, StoreError> {
    let look = args![practice.as_str(), since, TEXTS_LOOKED, until];
    let rows = tx.rows(TEXTS, look).await?;
    let damage = || Inconsistency::on("turn").column("at");
    let mut texts = Vec::new();
    for row in &rows {
        let conversation = row.int("conversation")?;
        for signed in row.text("texts")?.split(' ') {
            let signed: i64 = signed.parse().map_err(|_not_a_number| damage())?;
            let direction = if signed < 0 {
                Direction::Outbound
            } else {
                Direction::Inbound
            };
            texts.push(TextAt {
                conversation,
                direction,
                at: instant(signed.saturating_abs(), damage())?,
            });
        }
    }
    Ok(texts)
}

/// What is read of an entry in which a draft was held.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Held {
    review: HeldReview,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HeldReview {
    rules: Vec<String>,
}

/// The rules that found something in held drafts, as the log names them.
async fn rules(
    tx: &mut Tx,
    practice: &PracticeId,
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<(String, i64)>, StoreError> {
    let look = args![practice.as_str(), since, ENTRIES_LOOKED, until];
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for row in tx.rows(HELD, look).await? {
        let named: Held = serde_json::from_str(&row.text("detail")?).unwrap_or_default();
        for rule in named.review.rules {
            *counts.entry(rule).or_default() += 1;
        }
    }
    let mut all: Vec<(String, i64)> = counts.into_iter().collect();
    all.sort_by(|(one, n), (other, m)| m.cmp(n).then(one.cmp(other)));
    Ok(all)
}
