//! The audit log as pages of what a filter lets through: by who, what, about whom, rule and day. Each way
//! in has an index of its own, so that a rare entry is found among many as fast as a frequent one.

use jiff::Timestamp;

use crate::audit::Linked;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::store::Store;
use crate::store::audit_log::linked;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::record_writes::patient_hash;
use crate::store::rights;
use crate::store::tx::Tx;

/// A page by a filter; `$by` tells the planner which index finds it.
macro_rules! page {
    ($by:literal) => {
        concat!(
            "SELECT * FROM audit_entry WHERE practice = $1 AND seq < $2 AND seq > $9 \
             AND seq IS NOT NULL ",
            $by,
            "AND ($3 = '' OR actor = $3) \
             AND ($4 = '' OR action = $4 OR substr(action, 1, length($4) + 1) = $4 || '.') \
             AND ($5 = '' OR subject = $5) AND ($6 = '' OR detail LIKE $6) \
             AND at >= $7 AND at < $8 ORDER BY seq DESC LIMIT $10"
        )
    };
}
const PAGE: &str = page!("");
const PAGE_OF_SUBJECT: &str = page!("AND subject = $5 ");
const PAGE_OF_ACTOR: &str = page!("AND actor = $3 ");
const PAGE_OF_ACTION: &str = page!("AND action = $4 ");
/// The actions that were ever logged, from one on: a seek for each, however many entries there are.
const ACTIONS: &str = "WITH RECURSIVE known(action) AS (\
    SELECT min(action) FROM audit_entry WHERE practice = $1 AND seq IS NOT NULL AND action >= $2 \
    UNION ALL SELECT (SELECT min(e.action) FROM audit_entry e WHERE e.practice = $1 \
    AND e.seq IS NOT NULL AND e.action > known.action) FROM known WHERE known.action IS NOT NULL) \
    SELECT action FROM known WHERE action IS NOT NULL";
const TOP: &str = "SELECT seq FROM audit_head WHERE practice = $1";
const AT: &str = "SELECT at FROM audit_entry WHERE practice = $1 AND seq >= $2 \
    AND seq IS NOT NULL ORDER BY seq LIMIT 1";
const REQUESTS: &str = "SELECT id FROM request WHERE practice = $1 AND patient_hash = $2";
const LINKS: &str = "SELECT token_hash FROM portal_message WHERE conversation = $1";

/// Entries between two days are found by their place in the chain. Entries of one instant may be chained
/// in another order than they were made, by no more than so many places.
const SLACK: i64 = 2_000;

/// Which entries of the log a page shows; an empty word lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who: `staff/3`, `agent`, `patient`.
    pub actor: String,
    /// What: `message.cleared`, or all of a kind by its first word, `message`.
    pub action: String,
    /// About which: `conversation/12`.
    pub subject: String,
    /// About any of these, as those of one patient; all where there is none.
    pub subjects: Vec<String>,
    /// A rule that the entry names: `us.hipaa.access`.
    pub rule: String,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Only entries before this sequence number.
    pub before: Option<i64>,
}

/// What a filter lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The newest entries, newest first.
    pub entries: Vec<Linked>,
    /// The filter's `before` for what comes after them; none where nothing is left. A page that ends in the
    /// midst of a long look may have fewer entries than it could, or none.
    pub further: Option<i64>,
}

/// Which part of the chain is looked through, from when to when, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'f> {
    pub(super) before: i64,
    pub(super) after: i64,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) actor: &'f str,
    pub(super) action: &'f str,
    pub(super) subject: &'f str,
    /// The pattern of an entry that names the rule.
    pub(super) rule: &'f str,
}

impl Tx {
    /// A page of one action, or of all whose first word it is.
    async fn audit_page_of_kind(
        &mut self,
        practice: &PracticeId,
        look: &Look<'_>,
        limit: u32,
    ) -> Result<Vec<Linked>, StoreError> {
        let kind = look.action;
        let mut found = Vec::new();
        for row in self.rows(ACTIONS, args![practice.as_str(), kind]).await? {
            let action = row.text("action")?;
            let rest = action.strip_prefix(kind);
            if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                continue;
            }
            let own = Look {
                action: &action,
                ..*look
            };
            let rows = self.audit_rows((PAGE_OF_ACTION, practice), &own, limit);
            found.extend(rows.await?);
        }
        Ok(newest(found, limit))
    }

    /// A page that no index but the chain's own finds.
    pub(super) async fn audit_rows_of_any(
        &mut self,
        practice: &PracticeId,
        look: &Look<'_>,
        limit: u32,
    ) -> Result<Vec<Linked>, StoreError> {
        self.audit_rows((PAGE, practice), look, limit).await
    }

    async fn audit_rows(
        &mut self,
        (sql, practice): (&'static str, &PracticeId),
        look: &Look<'_>,
        limit: u32,
    ) -> Result<Vec<Linked>, StoreError> {
        let find = args![
            practice.as_str(),
            look.before,
            look.actor,
            look.action,
            look.subject,
            look.rule,
            look.from,
            look.to,
            look.after,
            i64::from(limit),
        ];
        let rows = self.rows(sql, find).await?;
        rows.iter().map(linked).collect()
    }

    /// The first place of the chain whose entry is not before an instant.
    async fn audit_place(
        &mut self,
        practice: &PracticeId,
        at: Timestamp,
        top: i64,
    ) -> Result<i64, StoreError> {
        let (mut low, mut high) = (1, top + 1);
        while low < high {
            let middle = i64::midpoint(low, high);
            let row = self.row(AT, args![practice.as_str(), middle]).await?;
            let earlier = match row {
                Some(row) => row.int("at")? < at.as_microsecond(),
                None => false,
            };
            if earlier {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Where a filter looks: between its days, and before the page above.
    async fn audit_look<'f>(
        &mut self,
        practice: &PracticeId,
        (filter, rule): (&'f AuditFilter, &'f str),
    ) -> Result<Look<'f>, StoreError> {
        let top = self.row(TOP, args![practice.as_str()]).await?;
        let top = match top {
            Some(row) => row.int("seq")?,
            None => 0,
        };
        let mut look = Look {
            before: filter.before.unwrap_or(i64::MAX).min(top + 1),
            after: 0,
            from: filter.from.unwrap_or(Timestamp::UNIX_EPOCH),
            to: filter.to.unwrap_or(Timestamp::MAX),
            actor: &filter.actor,
            action: &filter.action,
            subject: &filter.subject,
            rule,
        };
        if let Some(from) = filter.from {
            look.after = (self.audit_place(practice, from, top).await? - SLACK).max(0);
        }
        if let Some(to) = filter.to {
            let place = self.audit_place(practice, to, top).await? + SLACK;
            look.before = look.before.min(place);
        }
        Ok(look)
    }

    /// The newest entries that a filter lets through, and below which number nothing was looked at.
    async fn audit_found(
        &mut self,
        practice: &PracticeId,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<(Vec<Linked>, Option<i64>), StoreError> {
        let rule = if filter.rule.is_empty() {
            String::new()
        } else {
            format!("%\"{}\"%", filter.rule)
        };
        let look = self.audit_look(practice, (filter, &rule)).await?;
        if !filter.subjects.is_empty() {
            let mut found = Vec::new();
            let wanted = filter.subjects.iter();
            let wanted = wanted.filter(|it| filter.subject.is_empty() || **it == filter.subject);
            for subject in wanted {
                let own = Look { subject, ..look };
                let rows = self.audit_rows((PAGE_OF_SUBJECT, practice), &own, limit);
                found.extend(rows.await?);
            }
            return Ok((newest(found, limit), None));
        }
        let found = match (look.subject, look.rule, look.actor, look.action) {
            ("", "", "", "") => self.audit_rows_of_any(practice, &look, limit).await?,
            ("", "", "", _) => self.audit_page_of_kind(practice, &look, limit).await?,
            ("", "", ..) => {
                let sql = (PAGE_OF_ACTOR, practice);
                self.audit_rows(sql, &look, limit).await?
            }
            ("", ..) => {
                let of = (filter.rule.as_str(), &look);
                return self.audit_rows_of_rule(practice, of, limit).await;
            }
            _ => {
                let sql = (PAGE_OF_SUBJECT, practice);
                self.audit_rows(sql, &look, limit).await?
            }
        };
        Ok((found, None))
    }
}

fn newest(mut found: Vec<Linked>, limit: u32) -> Vec<Linked> {
    found.sort_by_key(|it| std::cmp::Reverse(it.seq));
    found.dedup_by_key(|it| it.seq);
    found.truncate(limit as usize);
    found
}

impl Store {
    /// The newest entries that a filter lets through, newest first.
    pub async fn audit_page(
        &self,
        practice: &PracticeId,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<AuditPage, StoreError> {
        let mut tx = self.read().await?;
        let (mut entries, looked) = tx.audit_found(practice, filter, limit + 1).await?;
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let last = entries.last().map(|it| it.seq);
        Ok(AuditPage {
            further: if more { last } else { looked },
            entries,
        })
    }

    /// How long the chain of a practice is.
    pub async fn audit_length(&self, practice: &PracticeId) -> Result<i64, StoreError> {
        let mut tx = self.read().await?;
        match tx.row(TOP, args![practice.as_str()]).await? {
            Some(row) => row.int("seq"),
            None => Ok(0),
        }
    }

    /// Every action that the log of a practice has.
    pub async fn audit_actions(&self, practice: &PracticeId) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(ACTIONS, args![practice.as_str(), ""]).await?;
        rows.iter().map(|row| row.text("action")).collect()
    }

    /// What entries about a patient are about: these conversations, the links in them, the patient's
    /// requests and their own page.
    pub async fn audit_subjects(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        conversations: &[ConversationId],
    ) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let whose = patient_hash(&key, patient);
        let mut all = vec![rights::subject(&whose)];
        for row in tx.rows(REQUESTS, args![practice.as_str(), &whose]).await? {
            let id = row.text("id")?;
            all.push(format!("request/{}", id.get(..16).unwrap_or(&id)));
        }
        for conversation in conversations {
            all.push(format!("conversation/{conversation}"));
            for row in tx.rows(LINKS, args![conversation.0]).await? {
                let hash = hex::encode(row.blob("token_hash")?);
                all.push(format!("portal/{}", hash.get(..16).unwrap_or(&hash)));
            }
        }
        Ok(all)
    }
}
