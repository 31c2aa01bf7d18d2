//! Shadow: stored drafts are judged again under another policy, and what would change is counted by
//! rule. Nothing is sent, nothing is kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::audit::Entry;
use crate::domain::ids::PracticeId;
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Guardrail;
use crate::pipeline::again::Reviewed;
use crate::store::{Store, StoreError};

/// Reviews that are read at once.
const PAGE: u32 = 500;

/// What a replay found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Shadow {
    /// Drafts that were judged again.
    pub drafts: usize,
    /// Reviews that keep no setting, so that nothing can be said of them.
    pub unreadable: usize,
    /// Drafts of which today's policy already decides otherwise than was decided then.
    pub drifted: usize,
    /// What would change.
    pub changes: Vec<Change>,
}

/// One draft that would be decided otherwise.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The review's number.
    pub review: i64,
    /// The conversation's.
    pub conversation: i64,
    /// When.
    pub at: Timestamp,
    /// As today's policy decides.
    pub before: Verdict,
    /// As the other one does.
    pub after: Verdict,
    /// Rules that act only in one of the two, `+` in the new one and `-` in today's.
    pub rules: Vec<String>,
    /// What is shown only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<Texts>,
}

/// PHI: shown only to whoever asks for it.
#[derive(Clone, Serialize)]
pub struct Texts {
    /// The draft.
    pub draft: String,
    /// What is sent today.
    pub before: Option<String>,
    /// What would be sent.
    pub after: Option<String>,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texts(..)")
    }
}

/// Which drafts, and how much is told of them.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Since when.
    pub since: Timestamp,
    /// At most so many, the newest.
    pub most: usize,
    /// Whether texts are kept for showing.
    pub texts: bool,
}

/// Who looked, and at how much of it.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// As the audit log names them.
    pub actor: &'a str,
    /// The digest of the other policy.
    pub policy: &'a str,
    /// Whose texts were shown.
    pub shown: Shown,
}

/// Which texts of patients were shown with what a replay found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// None: rules, counts and numbers only.
    Nothing,
    /// Those of one review.
    One(i64),
    /// Those of every draft that would be decided otherwise.
    All,
}

/// Looking at what patients were written is a use of it: the audit log has who did and how much.
pub async fn note(
    store: &Store,
    practice: &PracticeId,
    found: &Shadow,
    look: &Look<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail = serde_json::json!({
        "policy": look.policy,
        "drafts": found.drafts,
        "changed": found.changes.len(),
        "texts_shown": look.shown != Shown::Nothing,
        "review": if let Shown::One(id) = look.shown { Some(id) } else { None },
    });
    let entry = Entry::new(
        practice,
        now,
        look.actor,
        "policy.simulated",
        &format!("practice/{practice}"),
        &detail,
    );
    store
        .write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append_audit(&entry).await })
        })
        .await
}

/// Judges the stored drafts of a practice again.
pub async fn shadow(
    store: &Store,
    practice: &PracticeId,
    (before, after): (&Guardrail, &Guardrail),
    wanted: Wanted,
) -> Result<Shadow, StoreError> {
    let mut found = Shadow::default();
    let mut below = i64::MAX;
    'pages: loop {
        let page = store.reports(practice, wanted.since, below, PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        below = last.id;
        for kept in &page {
            if found.drafts + found.unreadable >= wanted.most {
                break 'pages;
            }
            let Some(reviewed) = Reviewed::of_report(kept.report.as_str()) else {
                found.unreadable += 1;
                continue;
            };
            found.drafts += 1;
            let (is, will) = (reviewed.again(before), reviewed.again(after));
            found.drifted += usize::from(is.verdict != reviewed.verdict);
            if is.verdict == will.verdict && is.text == will.text {
                continue;
            }
            let only = |mark, one: &BTreeSet<String>, other: &BTreeSet<String>| {
                let rules = one.difference(other);
                rules
                    .map(|rule| format!("{mark}{rule}"))
                    .collect::<Vec<_>>()
            };
            let mut rules = only('+', &will.rules, &is.rules);
            rules.extend(only('-', &is.rules, &will.rules));
            found.changes.push(Change {
                review: kept.id,
                conversation: kept.conversation.0,
                at: kept.at,
                before: is.verdict,
                after: will.verdict,
                rules,
                texts: wanted.texts.then(|| Texts {
                    draft: reviewed.draft.clone(),
                    before: is.text,
                    after: will.text,
                }),
            });
        }
    }
    Ok(found)
}

impl Change {
    /// Whether the other policy lets more leave.
    pub fn looser(&self) -> bool {
        self.after < self.before
    }
}

impl Shadow {
    /// How many decisions change, by rule and by what becomes of them.
    pub fn by_rule(&self) -> BTreeMap<(String, String), usize> {
        let mut table = BTreeMap::new();
        for change in &self.changes {
            let how = format!("{} -> {}", change.before, change.after);
            let rules = if change.rules.is_empty() {
                vec!["(the text alone)".to_owned()]
            } else {
                change.rules.clone()
            };
            for rule in rules {
                *table.entry((rule, how.clone())).or_insert(0) += 1;
            }
        }
        table
    }

    /// The table for people: rules, counts, numbers of reviews; no text.
    pub fn table(&self) -> String {
        let mut lines = vec![format!("{:<48} {:<18} {:>6}", "rule", "decision", "drafts")];
        for ((rule, how), count) in self.by_rule() {
            lines.push(format!("{rule:<48} {how:<18} {count:>6}"));
        }
        if self.changes.is_empty() {
            lines = vec!["no decision would change".to_owned()];
        }
        lines.join("\n") + "\n"
    }
}
