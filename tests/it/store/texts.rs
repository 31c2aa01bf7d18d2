//! Conversations, their texts, portal messages, holds.

#![cfg(test)]

use anteroom::domain::consent::Consent;
use anteroom::domain::consent::ConsentState;
use anteroom::domain::consent::Doubt;
use anteroom::domain::conversation::Direction;
use anteroom::domain::conversation::PendingKind;
use anteroom::domain::conversation::PendingQuestion;
use anteroom::domain::conversation::PortalMessage;
use anteroom::domain::ids::AppointmentId;
use anteroom::domain::ids::PatientId;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::ids::SlotId;
use anteroom::domain::message::Delivery;
use anteroom::domain::message::OutboundKind;
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::CarrierKind;
use anteroom::domain::speaker::PersonConsent;
use anteroom::policy::words::Language;
use futures_util::future::join_all;

use super::lab::Lab;
use super::lab::at;
use super::lab::inbound;
use super::lab::number;
use super::lab::practice;
use super::lab::proof;
use super::lab::unit;
use super::lab::wanted;

pub(super) async fn a_repeated_carrier_id_is_admitted_once(lab: Lab) {
    let store = &lab.store;
    let admit = |practice: &'static str, id: &'static str| async move {
        let practice = PracticeId::new(practice);
        unit!(store, [practice], |tx| {
            tx.admit(&practice, CarrierKind::Twilio, id).await
        })
        .unwrap()
    };
    for round in ["SM1", "SM2", "SM3", "SM4", "SM5"] {
        let told = join_all((0..12).map(|_| admit("lakeside", round))).await;
        assert_eq!(told.iter().filter(|fresh| **fresh).count(), 1, "{round}");
    }
    assert!(!admit("lakeside", "SM1").await);
    assert!(
        admit("hillside", "SM1").await,
        "another practice's texts are its own"
    );
}

pub(super) async fn a_conversation_comes_back_as_it_was_saved(lab: Lab) {
    let mut it = lab.conversation().await;
    assert_eq!(it.consent.state, ConsentState::Unknown);
    assert_eq!(it.language, Language::Es);
    it.patient = Some(PatientId::new("pat-1"));
    it.epoch = 7;
    it.language = Language::En;
    it.consent = Consent {
        state: ConsentState::Granted,
        notice: Some(proof().notice),
        proof: Some(proof()),
        ..Consent::unknown(at(-10))
    };
    it.speaker.shared = true;
    it.speaker.doubt = Some(Doubt::Silent);
    it.speaker.others = vec![PersonConsent {
        patient: PatientId::new("pat-2"),
        consent: Consent::unknown(at(-9)),
    }];
    it.pending = Some(PendingQuestion {
        kind: PendingKind::RescheduleChoice,
        appointment: Some(AppointmentId::new("apt-1")),
        slots: vec![SlotId::new("slot-1"), SlotId::new("slot-2")],
        visits: Vec::new(),
        asked: at(3),
    });
    it.human = true;
    it.last_inbound = Some(at(5));
    unit!(lab.store, [it], |tx| tx.save_conversation(&it).await).unwrap();
    assert_eq!(
        lab.store.conversation(it.id).await.unwrap(),
        Some(it.clone())
    );
    let id = it.id;
    let locked = unit!(lab.store, [], |tx| tx.lock_conversation(id).await).unwrap();
    assert_eq!(locked, Some(it.clone()));
    assert_eq!(lab.conversation().await, it, "an old one is not begun anew");
    let found = lab
        .store
        .conversations_with(&practice(), &it.number)
        .await
        .unwrap();
    assert_eq!(found, vec![it.clone()]);
    let nobody = number("+14155550199");
    assert_eq!(
        lab.store
            .conversations_with(&practice(), &nobody)
            .await
            .unwrap(),
        vec![]
    );
    let elsewhere = PracticeId::new("hillside");
    assert_eq!(
        lab.store
            .conversations_with(&elsewhere, &it.number)
            .await
            .unwrap(),
        vec![]
    );
    let store = lab.reopen_same().await;
    assert_eq!(store.store.conversation(id).await.unwrap(), Some(it));
}

pub(super) async fn two_first_texts_at_once_begin_one_conversation(lab: Lab) {
    let wanted = wanted("+14155550142");
    let ids = join_all((0..10).map(|_| async {
        unit!(lab.store, [wanted], |tx| tx
            .conversation_for(&wanted, at(0))
            .await)
        .unwrap()
        .id
    }))
    .await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

pub(super) async fn turns_come_back_in_order_with_their_outcome(lab: Lab) {
    let it = lab.conversation().await;
    let mut turns = Vec::new();
    for (n, body) in ["uno", "dos", "tres"].into_iter().enumerate() {
        let (it, text) = (it.clone(), inbound(body, &format!("SM{n}")));
        let id = unit!(lab.store, [it, text], |tx| {
            tx.append_inbound(&it, &text, "question", at(1)).await
        });
        turns.push(id.unwrap());
    }
    lab.enqueue("hello", OutboundKind::Reply).await;
    let (id, ended) = (it.id, vec![turns[0], turns[1]]);
    for still_open in [2, 0] {
        let marked = unit!(lab.store, [ended], |tx| tx.mark_answered(id, &ended).await).unwrap();
        assert_eq!(marked, still_open);
    }
    let shown: Vec<_> = lab
        .store
        .turns(it.id, 3)
        .await
        .unwrap()
        .into_iter()
        .map(|turn| {
            (
                turn.body.into_inner(),
                turn.direction,
                turn.answered,
                turn.delivery,
                turn.carrier_id,
            )
        })
        .collect();
    let sid = |text: &str| Some(text.to_owned());
    assert_eq!(
        shown,
        vec![
            ("dos".to_owned(), Direction::Inbound, true, None, sid("SM1")),
            (
                "tres".to_owned(),
                Direction::Inbound,
                false,
                None,
                sid("SM2")
            ),
            (
                "hello".to_owned(),
                Direction::Outbound,
                false,
                Some(Delivery::Pending),
                None
            ),
        ]
    );
}

pub(super) async fn a_portal_message_is_opened_with_few_tries_and_outlives_its_link(lab: Lab) {
    let it = lab.conversation().await.id;
    let message = PortalMessage {
        practice: practice(),
        patient: PatientId::new("pat-1"),
        body: Phi::from("Your result is in."),
        language: Language::En,
        tries_left: 2,
        expires: at(600),
        opened: None,
        revoked: None,
    };
    let token = [9; 32];
    unit!(lab.store, [message], |tx| tx
        .create_portal_message(&token, &message, it)
        .await)
    .unwrap();
    assert_eq!(
        lab.store.portal_message(&token).await.unwrap(),
        Some(message.clone())
    );
    assert_eq!(lab.store.portal_message(&[8; 32]).await.unwrap(), None);
    let mut left =
        join_all((0..5).map(|_| async {
            unit!(lab.store, [], |tx| tx.spend_portal_try(&token).await).unwrap()
        }))
        .await;
    left.sort_unstable();
    assert_eq!(
        left,
        [-1, -1, -1, 0, 1],
        "two tries, however many ask at once"
    );
    for first in [true, false] {
        let opened = unit!(lab.store, [], |tx| tx
            .open_portal_message(&token, at(9))
            .await);
        assert_eq!(opened.unwrap(), first);
    }
    let found = lab.store.portal_message(&token).await.unwrap().unwrap();
    assert_eq!((found.opened, found.tries_left), (Some(at(9)), 0));
    // The link ends; what was said stays until the conversation is destroyed.
    assert_eq!(lab.store.erase_expired(at(60_000)).await.unwrap(), 0);
    let kept = lab.store.portal_message(&token).await.unwrap().unwrap();
    assert_eq!(kept.body, message.body);
    let whose = practice();
    let destroyed = lab
        .store
        .destroy_texts((&whose, "anteroom"), it, 0, at(60_000));
    assert!(destroyed.await.unwrap());
    assert_eq!(lab.store.portal_message(&token).await.unwrap(), None);
}

pub(super) async fn held_drafts_and_reports_come_back(lab: Lab) {
    let it = lab.conversation().await;
    let (draft, report) = (Phi::from("Take two."), Phi::from("{\"verdict\":\"hold\"}"));
    let id = unit!(lab.store, [it, draft, report], |tx| {
        tx.keep_glass(&it, &Phi::from("first"), at(3)).await?;
        tx.keep_glass(&it, &report, at(4)).await?;
        tx.hold(&it, &draft, &report, "clinical_advice", at(4))
            .await
    })
    .unwrap();
    let holds = lab.store.holds(&practice()).await.unwrap();
    assert_eq!(holds.len(), 1);
    assert_eq!((holds[0].id, holds[0].conversation), (id, it.id));
    assert_eq!((&holds[0].draft, &holds[0].report), (&draft, &report));
    assert_eq!(
        (holds[0].reason.as_str(), holds[0].at),
        ("clinical_advice", at(4))
    );
    assert_eq!(
        lab.store.glass(it.id, 9).await.unwrap(),
        vec![Phi::from("first"), report.clone()]
    );
    assert_eq!(lab.store.glass(it.id, 1).await.unwrap(), vec![report]);
    assert_eq!(
        lab.store.holds(&PracticeId::new("hillside")).await.unwrap(),
        vec![]
    );
}
