//! Work that waits: reply jobs, the outbox, delivery reports.

#![cfg(test)]

use anteroom::domain::conversation::OutboxRow;
use anteroom::domain::conversation::ReplyJob;
use anteroom::domain::message::Delivery;
use anteroom::domain::message::OutboundKind;
use anteroom::domain::message::SendOutcome;
use anteroom::domain::practice::CarrierKind;
use anteroom::store::StoreError;
use futures_util::future::join_all;

use super::lab::Lab;
use super::lab::VISIT;
use super::lab::at;
use super::lab::cleared;
use super::lab::inbound;
use super::lab::practice;
use super::lab::proof;
use super::lab::tag;
use super::lab::unit;

async fn want(lab: &Lab, number: &str, due: i64) {
    let id = lab.conversation_with(number).await.id;
    unit!(lab.store, [], |tx| tx.want_reply(id, at(due)).await).unwrap();
}

async fn lease(lab: &Lab, now: i64) -> Option<ReplyJob> {
    lab.store.lease_reply(at(now), at(now + 60)).await.unwrap()
}

async fn finish(lab: &Lab, job: &ReplyJob) -> bool {
    unit!(lab.store, [job], |tx| tx.finish_reply(&job).await).unwrap()
}

async fn take(lab: &Lab, now: i64) -> Option<OutboxRow> {
    lab.store.lease_outbox(at(now), at(now + 60)).await.unwrap()
}

async fn record(lab: &Lab, row: &OutboxRow, outcome: SendOutcome, next: Option<i64>) -> bool {
    unit!(lab.store, [row, outcome], |tx| {
        tx.record_attempt(&row, &outcome, next.map(at), at(50))
            .await
    })
    .unwrap()
}

fn accepted(id: &str) -> SendOutcome {
    SendOutcome::Accepted {
        carrier_id: id.to_owned(),
        delivery: Delivery::Queued,
    }
}

async fn report(lab: &Lab, id: &'static str, delivery: Delivery) -> Option<Delivery> {
    unit!(lab.store, [], |tx| {
        tx.delivery_report(
            (&practice(), CarrierKind::Twilio, id),
            None,
            delivery,
            Some("0"),
        )
        .await
    })
    .unwrap()
    .map(|reported| reported.state)
}

async fn deliveries(lab: &Lab) -> Vec<Option<Delivery>> {
    let id = lab.conversation().await.id;
    let turns = lab.store.turns(id, 99).await.unwrap();
    turns.into_iter().map(|turn| turn.delivery).collect()
}

pub(super) async fn a_reply_job_is_leased_by_one_worker(lab: Lab) {
    for n in 0..5 {
        want(&lab, &format!("+1415555014{n}"), 10 - n).await;
    }
    assert_eq!(
        lease(&lab, 5).await.map(|job| job.attempts),
        None,
        "none is due before 6"
    );
    let jobs = join_all((0..20).map(|_| lease(&lab, 10))).await;
    let mut ids: Vec<_> = jobs.iter().flatten().map(|job| job.conversation).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert_eq!(jobs.iter().flatten().count(), 5, "no job has two workers");
    assert_eq!(lab.store.depth().await.unwrap().replies, 5);
    for job in jobs.iter().flatten() {
        assert!(finish(&lab, job).await);
    }
    assert_eq!(lab.store.depth().await.unwrap().replies, 0);
}

pub(super) async fn a_lost_lease_undoes_the_work_of_the_old_worker(lab: Lab) {
    want(&lab, "+14155550142", 0).await;
    let old = lease(&lab, 1).await.unwrap();
    assert_eq!(lease(&lab, 60).await, None);
    let new = lease(&lab, 61).await.unwrap();
    assert_eq!((new.attempts, new.conversation), (2, old.conversation));
    let it = lab.conversation().await;
    let text = inbound("late", "SM9");
    let late = unit!(lab.store, [it, text, old], |tx| {
        tx.append_inbound(&it, &text, "question", at(62)).await?;
        if tx.finish_reply(&old).await? {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    });
    assert!(late.is_err());
    assert_eq!(
        lab.store.turns(it.id, 9).await.unwrap(),
        vec![],
        "its work is undone"
    );
    let current = unit!(lab.store, [new], |tx| tx.reply_is_current(&new).await);
    assert!(current.unwrap().0);
    assert!(finish(&lab, &new).await);
    assert_eq!(lease(&lab, 500).await, None);
    want(&lab, "+14155550142", 500).await;
    let next = lease(&lab, 500).await.unwrap();
    assert!(
        !finish(&lab, &old).await && !finish(&lab, &new).await,
        "old leases stay dead"
    );
    assert!(finish(&lab, &next).await);
}

pub(super) async fn a_newer_text_makes_a_finished_job_due_again(lab: Lab) {
    want(&lab, "+14155550142", 0).await;
    let first = lease(&lab, 1).await.unwrap();
    want(&lab, "+14155550142", 3).await;
    let current = unit!(lab.store, [first], |tx| tx.reply_is_current(&first).await);
    assert!(!current.unwrap().0);
    assert_eq!(lease(&lab, 5).await, None, "one worker per conversation");
    assert!(finish(&lab, &first).await);
    let second = lease(&lab, 5).await.unwrap();
    assert_eq!(second.generation, first.generation + 1);
    let later = unit!(lab.store, [second], |tx| tx
        .postpone_reply(&second, at(90))
        .await);
    assert!(later.unwrap());
    assert_eq!(lease(&lab, 89).await, None);
    assert_eq!(
        lease(&lab, 90).await.unwrap().attempts,
        2,
        "attempts are counted"
    );
}

pub(super) async fn a_parked_job_waits_for_a_new_text(lab: Lab) {
    want(&lab, "+14155550142", 0).await;
    let job = lease(&lab, 1).await.unwrap();
    let parked = unit!(lab.store, [job], |tx| tx.park_reply(&job).await);
    assert!(parked.unwrap());
    assert_eq!(lease(&lab, 10_000).await, None);
    assert_eq!(lab.store.depth().await.unwrap().parked, 1);
    want(&lab, "+14155550142", 2).await;
    assert_eq!(lease(&lab, 10_000).await.unwrap().attempts, 1);
    assert_eq!(lab.store.depth().await.unwrap().parked, 0);
}

pub(super) async fn texts_of_a_conversation_leave_in_order(lab: Lab) {
    lab.enqueue("one", OutboundKind::Reply).await;
    lab.enqueue("two", OutboundKind::Reply).await;
    lab.enqueue("911", OutboundKind::Safety).await;
    let first = take(&lab, 5).await.unwrap();
    assert_eq!(first.body.as_str(), "one");
    let safety = take(&lab, 5).await.unwrap();
    assert_eq!(safety.body.as_str(), "911", "safety overtakes");
    assert_eq!(take(&lab, 5).await, None, "the second waits for the first");
    assert!(record(&lab, &first, accepted("SM1"), None).await);
    assert_eq!(take(&lab, 5).await.unwrap().body.as_str(), "two");
}

pub(super) async fn an_outbox_row_is_leased_by_one_worker(lab: Lab) {
    lab.enqueue("one", OutboundKind::Reply).await;
    let rows = join_all((0..16).map(|_| take(&lab, 5))).await;
    assert_eq!(rows.iter().flatten().count(), 1);
}

pub(super) async fn a_hand_over_without_word_is_in_doubt(lab: Lab) {
    lab.enqueue("one", OutboundKind::Reply).await;
    let old = take(&lab, 5).await.unwrap();
    assert_eq!((old.in_doubt, old.attempts), (false, 1));
    assert_eq!(take(&lab, 64).await, None);
    let new = take(&lab, 65).await.unwrap();
    assert_eq!((new.in_doubt, new.attempts), (true, 2));
    assert!(
        !record(&lab, &old, accepted("SM1"), None).await,
        "the old lease is lost"
    );
    let unknown = SendOutcome::Unknown {
        code: "in_doubt".to_owned(),
    };
    assert!(record(&lab, &new, unknown, None).await);
    assert_eq!(
        take(&lab, 10_000).await,
        None,
        "an unknown text is not sent again"
    );
    assert_eq!(deliveries(&lab).await, [Some(Delivery::Unknown)]);
    assert_eq!(lab.store.depth().await.unwrap().unknown, 1);
}

pub(super) async fn a_retry_waits_and_an_end_is_final(lab: Lab) {
    let retry = || SendOutcome::Retry {
        code: "503".to_owned(),
        after_ms: None,
    };
    let ends = [
        (
            SendOutcome::Fail {
                code: "30003".to_owned(),
            },
            None,
            Delivery::Failed,
        ),
        (
            SendOutcome::Suppress {
                code: "21610".to_owned(),
            },
            None,
            Delivery::Suppressed,
        ),
        (retry(), None, Delivery::Failed),
    ];
    let mut seen = Vec::new();
    for (end, next, state) in ends {
        lab.enqueue("one", OutboundKind::Reply).await;
        let row = take(&lab, 5).await.unwrap();
        assert!(record(&lab, &row, retry(), Some(70)).await);
        assert_eq!(take(&lab, 69).await, None);
        let row = take(&lab, 70).await.unwrap();
        assert_eq!((row.in_doubt, row.attempts), (false, 2));
        assert!(record(&lab, &row, end, next).await);
        assert_eq!(take(&lab, 10_000).await, None);
        seen.push(Some(state));
        assert_eq!(deliveries(&lab).await, seen);
    }
    lab.enqueue("one", OutboundKind::Reply).await;
    let row = take(&lab, 5).await.unwrap();
    for held in [true, false] {
        let withdrawn = unit!(lab.store, [row], |tx| tx.withdraw(&row, at(6)).await);
        assert_eq!(withdrawn.unwrap(), held);
    }
    seen.push(Some(Delivery::Suppressed));
    assert_eq!(deliveries(&lab).await, seen);
}

pub(super) async fn reports_only_move_forward_and_may_come_early(lab: Lab) {
    lab.enqueue("one", OutboundKind::Reply).await;
    let row = take(&lab, 5).await.unwrap();
    assert!(record(&lab, &row, accepted("SM1"), None).await);
    for (told, then) in [
        (Delivery::Sent, Delivery::Sent),
        (Delivery::Queued, Delivery::Sent),
        (Delivery::Delivered, Delivery::Delivered),
        (Delivery::Sent, Delivery::Delivered),
    ] {
        assert_eq!(report(&lab, "SM1", told).await, Some(then));
    }
    lab.enqueue("two", OutboundKind::Reply).await;
    let row = take(&lab, 5).await.unwrap();
    assert_eq!(report(&lab, "SM2", Delivery::Delivered).await, None);
    assert_eq!(report(&lab, "SM2", Delivery::Sent).await, None);
    assert!(record(&lab, &row, accepted("SM2"), None).await);
    assert_eq!(deliveries(&lab).await, [Some(Delivery::Delivered); 2]);
    lab.enqueue("three", OutboundKind::Reply).await;
    let row = take(&lab, 5).await.unwrap();
    let (answer, told) = tokio::join!(
        record(&lab, &row, accepted("SM3"), None),
        report(&lab, "SM3", Delivery::Delivered)
    );
    assert!(answer);
    assert!(matches!(told, None | Some(Delivery::Delivered)));
    assert_eq!(
        deliveries(&lab).await,
        [Some(Delivery::Delivered); 3],
        "whoever was first"
    );
}

pub(super) async fn stop_suppresses_what_waits_but_its_confirmation(lab: Lab) {
    lab.enqueue("going", OutboundKind::Reply).await;
    let going = take(&lab, 5).await.unwrap();
    for kind in [
        OutboundKind::Reply,
        OutboundKind::Initiated,
        OutboundKind::OptOutConfirmation,
    ] {
        lab.enqueue("waits", kind).await;
    }
    let id = lab.conversation().await.id;
    let suppressed = unit!(lab.store, [], |tx| {
        tx.suppress_queued(id, &[OutboundKind::OptOutConfirmation])
            .await
    });
    assert_eq!(suppressed.unwrap(), 2);
    let next = take(&lab, 5).await.unwrap();
    assert_eq!(next.kind, OutboundKind::OptOutConfirmation);
    assert!(
        record(&lab, &going, accepted("SM1"), None).await,
        "one already going is recorded"
    );
    assert_eq!(take(&lab, 5).await, None);
}

pub(super) async fn phi_without_its_proof_is_refused(lab: Lab) {
    let it = lab.conversation().await;
    let (given, mut other) = (proof(), proof());
    "SM99".clone_into(&mut other.reply_id);
    for (text, with) in [
        (cleared("hello", None), Some(given.clone())),
        (cleared(VISIT, Some(&given)), None),
        (cleared(VISIT, Some(&given)), Some(other)),
    ] {
        let refused = unit!(lab.store, [it, text, with], |tx| {
            tx.enqueue(
                &it,
                &text,
                OutboundKind::Reply,
                (with.as_ref(), &tag()),
                at(1),
            )
            .await
        });
        assert!(matches!(refused, Err(StoreError::Proof)));
    }
    let text = cleared(VISIT, Some(&given));
    unit!(lab.store, [it, text, given], |tx| {
        tx.enqueue(
            &it,
            &text,
            OutboundKind::Reply,
            (Some(&given), &tag()),
            at(1),
        )
        .await
    })
    .unwrap();
    let row = take(&lab, 5).await.unwrap();
    assert_eq!((row.phi, row.proof.as_ref()), (true, Some(&given)));
    let around = lab.raw("UPDATE outbox SET proof = NULL").await;
    assert!(
        around
            .unwrap_err()
            .to_string()
            .to_lowercase()
            .contains("phi_has_proof")
    );
}

pub(super) async fn a_restart_of_the_only_process_gives_leases_back(lab: Lab) {
    want(&lab, "+14155550142", 0).await;
    lab.enqueue("one", OutboundKind::Reply).await;
    let (job, row) = (lease(&lab, 1).await.unwrap(), take(&lab, 5).await.unwrap());
    let lab = lab.reopen_same().await;
    let alone = lab.is_sqlite();
    let given_back = lab.store.release_leases().await.unwrap();
    assert_eq!(
        given_back,
        if alone { 2 } else { 0 },
        "other replicas keep theirs"
    );
    assert_eq!(lease(&lab, 6).await.is_some(), alone);
    let again = take(&lab, 6).await;
    assert_eq!(again.map(|again| again.in_doubt), alone.then_some(true));
    if alone {
        assert!(!finish(&lab, &job).await, "the old lease is lost");
        assert!(!record(&lab, &row, accepted("SM1"), None).await);
    }
}

pub(super) async fn a_code_that_is_no_code_is_not_kept(lab: Lab) {
    lab.enqueue("one", OutboundKind::Reply).await;
    let row = take(&lab, 5).await.unwrap();
    let code = "Ana Invented\0 has no such number".to_owned();
    assert!(record(&lab, &row, SendOutcome::Fail { code }, None).await);
    let kept = lab
        .raw("DELETE FROM outbox WHERE code = 'unreadable'")
        .await;
    assert_eq!(kept.unwrap(), 1);
}
