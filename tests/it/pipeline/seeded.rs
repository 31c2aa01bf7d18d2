//! A store full of invented conversations: whole, counted as told, and nothing of it leaves.

use std::sync::Arc;

use anteroom::domain::ids::PracticeId;
use anteroom::domain::ids::StaffId;
use anteroom::domain::practice::Practice;
use anteroom::guardrail::review::Guardrail;
use anteroom::pipeline::seed::{Seeding, seed};
use anteroom::store::Store;
use anteroom::store::audit_pages::AuditFilter;
use anteroom::store::inbox::{Queue, Wanted};

use crate::support::stores::{self, Kept};

async fn is_counted_and_quiet(kept: Kept) {
    let store = &kept.store;
    let file: toml::Table = toml::from_str(include_str!("../../../samples/lakeside.toml")).unwrap();
    let practice: Practice = file["practice"][0].clone().try_into().unwrap();
    let practice = Arc::new(practice);
    let guardrail = Arc::new(Guardrail::embedded().unwrap());
    let wanted = Seeding {
        conversations: 620,
        days: 30,
        seed: 7,
    };
    let now = "2026-12-01T18:00:00Z".parse().unwrap();
    let mut told = Vec::new();
    let seeded = seed(store, &guardrail, &practice, (wanted, now), |done| {
        told.push(done);
    })
    .await
    .unwrap();
    assert_eq!(told, [500, 620], "progress is told after each batch");
    let counts = store.inbox_counts(&practice.id, StaffId(0)).await.unwrap();
    let counted = [counts.unread, counts.held, counts.emergency, counts.taken];
    let expected = [seeded.unread, seeded.held, seeded.alarms, seeded.taken].map(i64::from);
    assert_eq!(counted, expected);
    assert!(
        seeded.unread > 30 && seeded.held > 3 && seeded.taken > 3,
        "{seeded:?}"
    );
    assert!(seeded.texts > 3 * seeded.conversations, "{seeded:?}");
    let depth = store.depth().await.unwrap();
    assert_eq!(
        (depth.outbox, depth.replies, depth.unknown),
        (0, 0, 0),
        "{depth:?}"
    );

    // A page of the inbox is the newest, and the next page goes on below it.
    let page = store
        .inbox(&practice.id, Wanted::first(Queue::All, 50))
        .await
        .unwrap();
    let below = page.last().unwrap().last_turn;
    let next = store
        .inbox(
            &practice.id,
            Wanted {
                before: Some(below),
                ..Wanted::first(Queue::All, 50)
            },
        )
        .await
        .unwrap();
    assert!(page.len() == 50 && next.len() == 50);
    assert!(next.iter().all(|line| line.last_turn < below));

    filters_find_what_a_look_at_every_entry_finds(store, &practice.id, seeded.conversations).await;
}

async fn filters_find_what_a_look_at_every_entry_finds(
    store: &Store,
    practice: &PracticeId,
    least: u32,
) {
    let verified = store.verify_audit(practice).await.unwrap().unwrap();
    assert!(verified.entries > u64::from(least));
    // A filter by kind finds what a look at every entry finds, the newest first, page by page.
    let all = store.audit_entries(practice).await.unwrap();
    for (kind, fits) in [
        ("message", "message."),
        ("message.cleared", "message.cleared"),
        ("conversation", "conversation."),
        ("record", "record."),
        ("mess", "no entry begins so"),
    ] {
        let expected: Vec<i64> = all
            .iter()
            .rev()
            .filter(|it| it.entry.action.starts_with(fits))
            .map(|it| it.seq)
            .collect();
        let mut found = Vec::new();
        let mut filter = AuditFilter {
            action: kind.to_owned(),
            ..AuditFilter::default()
        };
        loop {
            let page = store.audit_page(practice, &filter, 400).await.unwrap();
            found.extend(page.entries.iter().map(|it| it.seq));
            filter.before = page.further;
            if filter.before.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn is_counted_and_quiet_on_sqlite() {
    is_counted_and_quiet(stores::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn is_counted_and_quiet_on_postgres() {
    is_counted_and_quiet(stores::postgres().await).await;
}
