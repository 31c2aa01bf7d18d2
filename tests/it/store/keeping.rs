//! Keeping: all or nothing, sealed, bound to the master key, under an audit log that shows tampering.

#![cfg(test)]

use std::path::Path;

use anteroom::audit::BadReason;
use anteroom::audit::Entry;
use anteroom::audit::verify;
use anteroom::domain::message::OutboundKind;
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::CarrierKind;
use anteroom::seal::MasterKey;
use anteroom::seal::SealError;
use anteroom::store::Store;
use anteroom::store::StoreError;
use futures_util::future::join_all;
use tokio_util::task::TaskTracker;

use super::lab::Lab;
use super::lab::VISIT;
use super::lab::at;
use super::lab::cleared;
use super::lab::inbound;
use super::lab::practice;
use super::lab::proof;
use super::lab::tag;
use super::lab::unit;
use super::lab::wanted;
use super::people;
use crate::support::postgres;

pub(super) async fn a_failed_unit_leaves_nothing(lab: Lab) {
    let wanted = wanted("+14155550142");
    let failed: Result<(), _> = unit!(lab.store, [wanted], |tx| {
        // The practice's first data key is made here, and must vanish too.
        tx.conversation_for(&wanted, at(0)).await?;
        Err(StoreError::Proof)
    });
    assert!(matches!(failed, Err(StoreError::Proof)));
    let number = &wanted.number;
    assert_eq!(
        lab.store
            .conversations_with(&practice(), number)
            .await
            .unwrap(),
        vec![]
    );
    let it = lab.conversation().await;
    let lab = lab.reopen_same().await;
    assert_eq!(lab.store.conversation(it.id).await.unwrap(), Some(it));
}

pub(super) async fn a_panicking_unit_leaves_nothing_and_the_store_lives(lab: Lab) {
    let wanted = wanted("+14155550142");
    let store = lab.store.clone();
    let panicked = tokio::task::JoinSet::from_iter([async move {
        let given: Result<(), _> = unit!(store, [wanted], |tx| {
            tx.conversation_for(&wanted, at(0)).await?;
            panic!("a bug in a unit of work")
        });
        given
    }])
    .join_next()
    .await
    .unwrap();
    assert!(!matches!(panicked, Ok(Ok(()))));
    assert_eq!(
        lab.store
            .conversations_with(&practice(), &super::lab::number("+14155550142"))
            .await
            .unwrap(),
        vec![]
    );
    lab.conversation().await;
    lab.store.ping().await.unwrap();
}

pub(super) async fn units_at_once_are_all_kept(lab: Lab) {
    let it = lab.conversation().await;
    let results = join_all((0..60).map(|n| {
        let text = inbound(&format!("text {n}"), &format!("SM{n}"));
        let (it, store) = (it.clone(), lab.store.clone());
        async move {
            unit!(store, [it, text], |tx| {
                tx.lock_conversation(it.id).await?;
                let kept = tx.append_inbound(&it, &text, "question", at(1)).await?;
                // Every third fails after its write, beside others in the same group.
                if n % 3 == 0 {
                    Err(StoreError::Proof)
                } else {
                    Ok(kept)
                }
            })
        }
    }))
    .await;
    let mut kept: Vec<_> = results.into_iter().flatten().collect();
    kept.sort_unstable();
    let found: Vec<_> = lab.store.turns(it.id, 100).await.unwrap();
    assert_eq!(found.iter().map(|turn| turn.id).collect::<Vec<_>>(), kept);
    assert_eq!(kept.len(), 40);
}

const MARKER: &str = "zebrafinch";

/// Everything that is kept of a patient, with the marker in each part that names or describes.
async fn fill(lab: &Lab) {
    let it = lab.conversation().await;
    let mut it = it.clone();
    it.patient = Some(anteroom::domain::ids::PatientId::new(format!(
        "pat-{MARKER}"
    )));
    let text = inbound(&format!("my rash, says {MARKER}"), &format!("SM-{MARKER}"));
    let mut given = proof();
    MARKER.clone_into(&mut given.reply_id);
    let sent = cleared(&format!("{VISIT} {MARKER}"), Some(&given));
    let phi = Phi::new(format!("{{\"quote\":\"{MARKER}\"}}"));
    unit!(lab.store, [it, text, given, sent, phi], |tx| {
        tx.save_conversation(&it).await?;
        tx.admit(&it.practice, CarrierKind::Twilio, &text.carrier_id)
            .await?;
        tx.append_inbound(&it, &text, "question", at(1)).await?;
        tx.enqueue(
            &it,
            &sent,
            OutboundKind::Reply,
            (Some(&given), &tag()),
            at(1),
        )
        .await?;
        tx.hold(&it, &phi, &phi, "clinical_advice", at(1)).await?;
        tx.keep_glass(&it, &phi, at(1)).await
    })
    .unwrap();
    people::fill(lab, MARKER).await;
    let row = lab.store.lease_outbox(at(5), at(9)).await.unwrap().unwrap();
    let outcome = anteroom::domain::message::SendOutcome::Accepted {
        carrier_id: MARKER.to_owned(),
        delivery: anteroom::domain::message::Delivery::Queued,
    };
    unit!(lab.store, [row, outcome], |tx| tx
        .record_attempt(&row, &outcome, None, at(6))
        .await)
    .unwrap();
}

pub(super) async fn nothing_readable_reaches_the_database(lab: Lab) {
    fill(&lab).await;
    let mut places = Vec::new();
    if lab.is_sqlite() {
        for file in std::fs::read_dir(lab.folder.path()).unwrap() {
            let path = file.unwrap().path();
            places.push((path.display().to_string(), std::fs::read(path).unwrap()));
        }
        assert!(places.iter().any(|(name, _)| name.ends_with("-wal")));
    } else {
        places.push(("dump".to_owned(), postgres::dump(&lab.url)));
    }
    let everything: Vec<u8> = places.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(
        holds(&everything, "lakeside"),
        "the search itself finds what is there"
    );
    for (name, bytes) in &places {
        let hex = hex::encode(MARKER);
        // Long enough that sealed bytes, or their digits in a dump, do not spell one by chance.
        for secret in [
            MARKER,
            &hex,
            "+14155550142",
            "+14155550100",
            "my rash, says",
            "Your A1c",
            "Elm Street",
        ] {
            assert!(!holds(bytes, secret), "{secret} can be read in {name}");
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

pub(super) async fn a_wrong_master_key_is_refused(lab: Lab) {
    lab.conversation().await;
    let other = MasterKey::generate().unwrap();
    let refused = lab.reopen(other).await.map(drop);
    assert!(
        matches!(refused, Err(StoreError::Seal(SealError::WrongMaster))),
        "{refused:?}"
    );
}

pub(super) async fn a_value_moved_to_another_row_is_refused(lab: Lab) {
    let it = lab.conversation().await;
    for n in 1..=2 {
        let text = inbound(&format!("text {n}"), &format!("SM{n}"));
        unit!(lab.store, [it, text], |tx| {
            tx.append_inbound(&it, &text, "question", at(n)).await
        })
        .unwrap();
    }
    lab.raw(
        "UPDATE turn SET sealed = (SELECT b.sealed FROM turn b WHERE b.id <> turn.id) \
         WHERE id = (SELECT max(id) FROM turn)",
    )
    .await
    .unwrap();
    let refused = lab.store.turns(it.id, 9).await.unwrap_err().to_string();
    assert!(
        refused.contains("table `turn`, column `sealed`"),
        "{refused}"
    );
    assert!(!refused.contains("text 1"), "{refused}");
    lab.raw("UPDATE conversation SET consent = 'granted'")
        .await
        .unwrap();
    let refused = lab.store.conversation(it.id).await.unwrap_err().to_string();
    assert!(refused.contains("column `consent`"), "{refused}");
}

pub(super) async fn the_audit_log_is_chained_and_tampering_is_found(lab: Lab) {
    let write = |from: i64, to: i64| {
        let store = lab.store.clone();
        async move {
            for n in from..to {
                let detail = serde_json::json!({ "n": n });
                let entry = Entry::new(
                    &practice(),
                    at(n),
                    "agent",
                    "reply.cleared",
                    "conversation/1",
                    &detail,
                );
                unit!(store, [entry], |tx| tx.append_audit(&entry).await).unwrap();
            }
        }
    };
    write(0, 7).await;
    let both = tokio::join!(
        lab.store.sequence_audit(at(10)),
        lab.store.sequence_audit(at(10))
    );
    assert_eq!(
        both.0.unwrap() + both.1.unwrap(),
        7,
        "two sequencers chain nothing twice"
    );
    write(7, 12).await;
    assert_eq!(lab.store.sequence_audit(at(11)).await.unwrap(), 5);
    assert_eq!(lab.store.sequence_audit(at(12)).await.unwrap(), 0);
    let key = lab.store.audit_public_key();
    let check = || async {
        let entries = lab.store.audit_entries(&practice()).await.unwrap();
        let copies = lab.store.copied_checkpoints(&practice()).unwrap();
        assert_eq!(
            copies,
            lab.store.audit_checkpoints(&practice()).await.unwrap()
        );
        verify(&practice(), &entries, &copies, &key)
    };
    let sound = check().await.unwrap();
    assert_eq!((sound.entries, sound.covered), (12, 12));
    for (harm, mend, seq, reason) in [
        (
            "UPDATE audit_entry SET actor = 'x' WHERE seq = 4",
            "UPDATE audit_entry SET actor = 'agent' WHERE seq = 4",
            4,
            BadReason::Altered,
        ),
        (
            "UPDATE audit_entry SET seq = 99 WHERE seq = 12",
            "UPDATE audit_entry SET seq = 12 WHERE seq = 99",
            12,
            BadReason::OutOfSequence,
        ),
        (
            "UPDATE audit_entry SET seq = NULL WHERE seq = 12",
            "UPDATE audit_entry SET seq = 12 WHERE seq IS NULL",
            12,
            BadReason::Missing,
        ),
    ] {
        assert_eq!(lab.raw(harm).await.unwrap(), 1);
        let bad = check().await.unwrap_err();
        assert_eq!((bad.seq, bad.reason), (seq, reason));
        assert_eq!(lab.raw(mend).await.unwrap(), 1);
        check().await.unwrap();
    }
}

pub(super) async fn a_database_of_a_newer_program_is_refused(lab: Lab) {
    lab.raw("UPDATE schema_version SET version = 1000")
        .await
        .unwrap();
    let refused = lab.reopen_refused().await.to_string();
    assert!(refused.contains("use the newer program"), "{refused}");
}

#[tokio::test]
async fn a_second_process_on_the_same_sqlite_folder_is_refused() {
    let lab = Lab::sqlite().await;
    let tracker = TaskTracker::new();
    let again = Store::open(&lab.url, lab.master.clone(), &tracker, lab.folder.path());
    let refused = again.await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
    lab.reopen_same().await;
}

#[tokio::test]
async fn an_address_that_is_no_database_is_refused_with_an_example() {
    for url in [
        "",
        "sqlite:",
        "sqlite://",
        "mysql://localhost/x",
        "postgres:/x",
        "a.db",
    ] {
        let master = MasterKey::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let refused = Store::open(url, master, &TaskTracker::new(), folder.path()).await;
        let refused = refused.map(drop).unwrap_err().to_string();
        assert!(
            refused.contains("sqlite:///path/to/file"),
            "{url}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_reported_without_its_password() {
    let url = "postgres://anteroom:hunter2@localhost/x?host=/nonexistent-folder";
    let master = MasterKey::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let refused = Store::open(url, master, &TaskTracker::new(), Path::new(folder.path())).await;
    let refused = refused.map(drop).unwrap_err();
    assert!(
        matches!(refused, StoreError::Unreachable { .. }),
        "{refused}"
    );
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
}
