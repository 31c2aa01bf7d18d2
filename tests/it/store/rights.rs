//! Rights of patients, holds, what is destroyed, the filters of the audit log, and drafts of each kind.

#![cfg(test)]

use std::collections::BTreeMap;

use anteroom::domain::ids::PatientId;
use anteroom::domain::ids::StaffId;
use anteroom::domain::publication::Content;
use anteroom::domain::publication::NewVersion;
use anteroom::domain::publication::Published;
use anteroom::domain::record::Request;
use anteroom::domain::record::RequestKind;
use anteroom::domain::record::Suits;
use anteroom::domain::rights::Closing;
use anteroom::domain::rights::Disclosure;
use anteroom::domain::rights::DisclosureKind;
use anteroom::domain::staff::Role;
use anteroom::domain::staff::Staff;
use anteroom::domain::staff::StaffSecrets;
use anteroom::store::Edit;
use anteroom::store::Edited;
use anteroom::store::audit_pages::AuditFilter;
use anteroom::store::rights::CaseDeed;
use anteroom::store::rights::CaseDone;
use jiff::civil::date;

use super::lab::Lab;
use super::lab::at;
use super::lab::inbound;
use super::lab::practice;
use super::lab::unit;

fn officer() -> Staff {
    Staff {
        id: StaffId(7),
        practice: practice(),
        role: Role::Compliance,
        active: true,
        wrong: 0,
        resting_until: None,
        secrets: StaffSecrets {
            name: "Dana Whitfield".to_owned(),
            email: "dana@example.com".to_owned(),
            password: None,
            totp: None,
            offered: None,
            last_step: 0,
            recovery: Vec::new(),
            subject: None,
        },
    }
}

pub(super) async fn a_case_is_put_off_once_and_closed_once(lab: Lab) {
    lab.conversation().await;
    let (store, staff, who) = (&lab.store, officer(), PatientId::new("p1"));
    let request = Request {
        kind: RequestKind::Records,
        words: "All of it".into(),
        due: Some(at(30 * 86_400)),
        from: None,
        to: None,
        suits: Suits::default(),
    };
    let opened = store.open_case(&staff, &who, &request, at(0), at(1)).await;
    let id = opened.unwrap();
    let on = async |deed, words| {
        let done = store.on_case(&staff, &id, (deed, words), at(2)).await;
        done.unwrap()
    };
    for (deed, done) in [
        (CaseDeed::Extend, CaseDone::Done),
        (CaseDeed::Extend, CaseDone::ExtendedBefore),
        (CaseDeed::Note, CaseDone::Done),
        (CaseDeed::Close(Closing::Given), CaseDone::Done),
        (CaseDeed::Close(Closing::Done), CaseDone::IsClosed),
        (CaseDeed::Reopen, CaseDone::Done),
        (CaseDeed::Reopen, CaseDone::IsOpen),
    ] {
        assert_eq!(on(deed.clone(), "why").await, done, "{deed:?}");
    }
    let case = store.case(&practice(), &id).await.unwrap().unwrap();
    assert_eq!(case.filed.request.due, Some(at(60 * 86_400)));
    assert_eq!((case.open, case.steps.len()), (true, 4));
    assert_eq!(store.open_cases(&practice()).await.unwrap().len(), 1);
    assert_eq!(store.cases_of(&practice(), &who).await.unwrap().len(), 1);
    let word = store.patient_word(&practice(), &who).await.unwrap();
    let behind = store.patient_behind(&practice(), &word).await.unwrap();
    assert_eq!(behind, Some(who));
}

pub(super) async fn a_disclosure_is_kept_struck_and_never_erased(lab: Lab) {
    lab.conversation().await;
    let (store, staff, who) = (&lab.store, officer(), PatientId::new("p1"));
    let told = Disclosure {
        on: date(2026, 11, 20),
        recipient: "State board".to_owned(),
        address: String::new(),
        what: "The chart".to_owned(),
        purpose: "Inspection".to_owned(),
        repeated: String::new(),
        withheld_until: None,
    };
    let kind = DisclosureKind::Oversight;
    let kept = store.record_disclosure(&staff, &who, (kind, &told), at(0), at(1));
    let id = kept.await.unwrap();
    let another = PatientId::new("p2");
    for (whose, struck) in [(&another, false), (&who, true), (&who, false)] {
        let done = store.strike_disclosure(&staff, whose, (id, "twice"), at(2));
        assert_eq!(done.await.unwrap(), struck);
    }
    let all = store.disclosures(&practice(), &who, at(-5)).await.unwrap();
    assert_eq!((&all[0].disclosure, all.len()), (&told, 1));
    assert_eq!(all[0].struck.as_ref().unwrap().2, "twice");
    let later = store.disclosures(&practice(), &who, at(5)).await.unwrap();
    assert!(later.is_empty());

    store
        .place_legal_hold(&staff, &who, "suit", at(3))
        .await
        .unwrap();
    store
        .place_legal_hold(&staff, &who, "suit", at(3))
        .await
        .unwrap();
    let standing = store.standing_holds(&practice()).await.unwrap();
    assert_eq!((standing.len(), standing[0].why.as_str()), (1, "suit"));
    assert!(store.end_legal_hold(&staff, &who, at(4)).await.unwrap());
    assert!(!store.end_legal_hold(&staff, &who, at(4)).await.unwrap());
    let holds = store.legal_holds(&practice(), &who).await.unwrap();
    assert_eq!(holds[0].ended, Some(at(4)));
}

fn only(change: impl FnOnce(&mut AuditFilter)) -> AuditFilter {
    let mut filter = AuditFilter::default();
    change(&mut filter);
    filter
}

/// Filters, and whether each finds the entry about what was destroyed on the ninth day.
fn filters(subject: &str) -> Vec<(AuditFilter, usize)> {
    let day = at(9 * 86_400);
    vec![
        (only(|it| it.actor = "staff/7".to_owned()), 1),
        (only(|it| it.actor = "staff/8".to_owned()), 0),
        (only(|it| it.action = "retention".to_owned()), 1),
        (only(|it| it.subjects = vec![subject.to_owned()]), 1),
        (only(|it| it.subjects = vec!["x".to_owned()]), 0),
        // The name of a field is no rule.
        (only(|it| it.rule = "upto".to_owned()), 0),
        (only(|it| it.rule = "us.none".to_owned()), 0),
        (only(|it| it.from = Some(day)), 1),
        (only(|it| it.from = Some(at(9 * 86_400 + 1))), 0),
        (only(|it| it.to = Some(day)), 0),
        (only(|it| it.subject = subject.to_owned()), 1),
    ]
}

pub(super) async fn words_are_destroyed_and_the_log_is_found_by_every_filter(lab: Lab) {
    let it = lab.conversation().await;
    let (store, staff) = (&lab.store, officer());
    let kept = it.clone();
    let message = inbound("Are my results in?", "SM1");
    unit!(store, [kept, message], |tx| {
        let turn = tx
            .append_inbound(&kept, &message, "question", at(0))
            .await?;
        tx.save_heard(&kept, Some(turn)).await?;
        tx.mark_answered(kept.id, &[turn]).await
    })
    .unwrap();
    let rested = store.rested(&practice(), at(1), 10).await.unwrap();
    assert_eq!(rested.len(), 1);
    let (upto, by) = (rested[0].last_turn, staff.actor());
    let destroy = async |upto| {
        let by = (&practice(), by.as_str());
        let done = store.destroy_texts(by, it.id, upto, at(9 * 86_400)).await;
        done.unwrap()
    };
    assert!(!destroy(upto + 1).await, "somebody wrote since");
    assert!(destroy(upto).await);
    assert!(
        store
            .rested(&practice(), at(1), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let turns = store.turns(it.id, 10).await.unwrap();
    assert_eq!((turns.len(), turns[0].body.as_str()), (1, ""));

    store.sequence_audit(at(9 * 86_400)).await.unwrap();
    let subject = format!("conversation/{}", it.id);
    for (filter, count) in filters(&subject) {
        let page = store.audit_page(&practice(), &filter, 50).await.unwrap();
        let own = page
            .entries
            .iter()
            .filter(|it| it.entry.action == "retention.destroyed");
        assert_eq!(own.count(), count, "{filter:?}");
    }
    let actions = store.audit_actions(&practice()).await.unwrap();
    assert!(
        actions.iter().any(|it| it == "retention.destroyed"),
        "{actions:?}"
    );
    let figures = store.figures(&practice(), (at(-5), at(5))).await.unwrap();
    assert_eq!(figures.texts.len(), 1);
    let figures = store.figures(&practice(), (at(5), at(9))).await.unwrap();
    assert!(figures.texts.is_empty() && figures.rules.is_empty());
}

pub(super) async fn drafts_of_each_kind_stand_beside_each_other(lab: Lab) {
    lab.conversation().await;
    let store = &lab.store;
    let edit = |source: &str, seen: &str| Edit {
        place: "a".to_owned(),
        source: source.to_owned(),
        seen: seen.to_owned(),
        live: String::new(),
    };
    for kind in [Published::Prompt, Published::Overlay] {
        let own = practice();
        let of = (&own, kind);
        let kept = store
            .edit_draft(of, "staff/7", edit(kind.as_str(), ""), at(1))
            .await;
        assert_eq!(kept.unwrap(), Edited::Kept);
        let late = store
            .edit_draft(of, "staff/8", edit("mine", ""), at(2))
            .await;
        assert!(matches!(late.unwrap(), Edited::Overtaken { .. }));
    }
    let draft = async |kind| store.draft(&practice(), kind).await.unwrap();
    let overlay = draft(Published::Overlay).await.unwrap();
    assert_eq!(overlay.files["a"], "overlay");
    let version = NewVersion {
        kind: Published::Overlay,
        author: "staff/7".to_owned(),
        digest: "0".repeat(64),
        report: "1".repeat(64),
        trial: None,
        content: Content {
            files: BTreeMap::from([("a".to_owned(), "overlay".to_owned())]),
            note: String::new(),
        },
    };
    let publish = async |revision| {
        let done = store
            .publish_draft(&practice(), revision, &version, at(3))
            .await;
        done.unwrap()
    };
    assert!(publish(overlay.revision + 1).await.is_none());
    assert!(publish(overlay.revision).await.is_some());
    assert!(publish(overlay.revision).await.is_none(), "published once");
    assert!(draft(Published::Overlay).await.is_none());
    assert_eq!(draft(Published::Prompt).await.unwrap().files["a"], "prompt");
}
