//! The audit log by rule: the index finds what a look at every entry finds, wherever it has come to.

#![cfg(test)]

use anteroom::audit::{Entry, Linked};
use anteroom::store::audit_pages::AuditFilter;

use super::lab::{Lab, at, practice, unit};

/// Entries of the log; every one names one rule, every 97th another.
const ENTRIES: i64 = 1_300;

async fn fill(lab: &Lab) -> Vec<Linked> {
    let store = &lab.store;
    let range = 0..ENTRIES;
    unit!(store, [range], |tx| {
        for n in range {
            let mut rules = vec!["us.often"];
            if n % 97 == 0 {
                rules.push("us.seldom");
            }
            let detail = serde_json::json!({ "review": { "rules": rules }, "n": n });
            let action = ["message.cleared", "message.held"][usize::from(n % 5 == 0)];
            let actor = ["agent", "anteroom"][usize::from(n % 400 == 0)];
            let entry = Entry::new(&practice(), at(n), actor, action, "conversation/1", &detail);
            tx.append_audit(&entry).await?;
        }
        Ok(())
    })
    .unwrap();
    store.sequence_audit(at(ENTRIES)).await.unwrap();
    store.audit_entries(&practice()).await.unwrap()
}

/// Every page of a filter, one after the other, and how many there were.
async fn pages(lab: &Lab, filter: &AuditFilter, limit: u32) -> (Vec<i64>, usize) {
    let (mut found, mut count) = (Vec::new(), 0);
    let mut filter = filter.clone();
    loop {
        let page = lab.store.audit_page(&practice(), &filter, limit).await;
        let page = page.unwrap();
        count += 1;
        found.extend(page.entries.iter().map(|it| it.seq));
        filter.before = page.further;
        if filter.before.is_none() {
            return (found, count);
        }
    }
}

async fn finds_all(lab: &Lab, all: &[Linked]) {
    for (rule, actor, action) in [
        ("us.often", "", ""),
        ("us.seldom", "", ""),
        ("us.seldom", "agent", ""),
        ("us.often", "anteroom", ""),
        ("us.often", "anteroom", "message"),
        ("us.seldom", "", "message.held"),
        ("us.never", "", ""),
        ("us.oft", "", ""),
    ] {
        let wanted = all.iter().rev().filter(|it| {
            it.entry.detail.contains(&format!("\"{rule}\""))
                && (actor.is_empty() || it.entry.actor == actor)
                && it.entry.action.starts_with(action)
        });
        let wanted: Vec<i64> = wanted.map(|it| it.seq).collect();
        let filter = AuditFilter {
            rule: rule.to_owned(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            ..AuditFilter::default()
        };
        for limit in [7, 2_000] {
            let (found, count) = pages(lab, &filter, limit).await;
            assert_eq!(found, wanted, "{filter:?} by {limit}");
            assert_eq!(
                count,
                wanted.len().div_ceil(limit as usize).max(1),
                "{filter:?}"
            );
        }
    }
}

pub(super) async fn entries_are_found_by_rule_wherever_the_index_has_come_to(lab: Lab) {
    lab.conversation().await;
    let all = fill(&lab).await;
    assert!(i64::try_from(all.len()).unwrap() >= ENTRIES);
    finds_all(&lab, &all).await;
    // As of a log from before there was an index, and of one that is half indexed.
    for (upto, block) in [(700, 10), (0, -1)] {
        lab.raw(&format!("DELETE FROM audit_rule WHERE block > {block}"))
            .await
            .unwrap();
        lab.raw(&format!("UPDATE audit_ruled SET upto = {upto}"))
            .await
            .unwrap();
        finds_all(&lab, &all).await;
    }
    lab.store.sequence_audit(at(ENTRIES + 1)).await.unwrap();
    finds_all(&lab, &all).await;
    // An index that points where nothing is named finds nothing there.
    lab.raw("UPDATE audit_rule SET rule = 'us.never' WHERE rule = 'us.seldom'")
        .await
        .unwrap();
    let filter = AuditFilter {
        rule: "us.never".to_owned(),
        ..AuditFilter::default()
    };
    assert_eq!(pages(&lab, &filter, 50).await, (Vec::new(), 1));
    let whole = lab.store.verify_audit(&practice()).await.unwrap();
    assert!(whole.is_ok(), "the chain is as it was signed: {whole:?}");
}
