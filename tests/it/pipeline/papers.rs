//! Papers: agreements that a channel or a model takes, and the law that every text carries.

#![cfg(test)]

use anteroom::domain::agreement::Agreement;
use anteroom::domain::practice::{CarrierKind, OutsideWindow, Practice, TemplateText};
use anteroom::policy::words::{Channel, Language};
use anteroom::store::Store;
use jiff::civil::date;

use super::lawful::{at, heard, laws, offline, remind};
use super::{on_postgres, on_sqlite};
use crate::support::app::{App, SUNDAY, TOM};
use crate::support::stores;

stories! {
    a_text_with_phi_is_withdrawn_when_its_agreement_ends => agreement_ends;
    whatsapp_carries_nothing_from_the_instant_that_a_paper_ends => whatsapp_ends;
    every_text_of_every_kind_carries_its_law => tagged;
}

/// A paper from this day to that.
pub(super) fn paper(
    counterparty: &str,
    product: &str,
    until: Option<jiff::civil::Date>,
) -> Agreement {
    Agreement {
        counterparty: counterparty.to_owned(),
        product: product.to_owned(),
        document_sha256: "a".repeat(64),
        signer: "R. Vega, privacy officer".to_owned(),
        from: date(2026, 1, 1),
        until,
    }
}

async fn agreement_ends(store: Store) {
    let app = App::made(store, offline(), SUNDAY, |it| {
        it.senders[0].carrier = CarrierKind::Twilio;
    })
    .await;
    let practice = app.practice().clone();
    // Runs until the end of Sunday, where the practice is.
    let twilio = paper("twilio", "programmable-messaging", Some(date(2026, 11, 29)));
    let now = app.house.clock().now();
    app.house
        .store()
        .add_agreement(&practice, &twilio, now)
        .await
        .unwrap();
    assert_eq!(app.house.missing_papers(now).await.unwrap(), []);
    heard(&app, "Hello").await;
    heard(&app, "YES").await;
    at(&app, "2026-11-30T07:59:00Z").await; // Sunday 23:59 in California
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    let drafted = app.house.reply_once().await.unwrap();
    let before = app.received_by(TOM).len();
    at(&app, "2026-11-30T08:00:00Z").await; // Monday: the agreement is over
    assert_eq!(app.received_by(TOM).len(), before, "{drafted:?}");
    assert_eq!(
        app.held().await.last().map(String::as_str),
        Some("withdrawn: agreement")
    );
    let missing = app
        .house
        .missing_papers(app.house.clock().now())
        .await
        .unwrap();
    assert!(
        missing[0]
            .to_string()
            .contains("twilio (programmable-messaging)"),
        "{missing:?}"
    );
    // What needs no agreement is still said, and nothing of the visit.
    let said = heard(&app, "When is my appointment?").await;
    assert!(!said.contains("Dec 1") && !said.contains("9:00"), "{said}");
    let said = heard(&app, "Where are you?").await;
    assert!(said.contains("Shore Road"), "{said}");
}

fn by_whatsapp(practice: &mut Practice) {
    practice.senders[0].carrier = CarrierKind::Twilio;
    practice.senders[0].channel = Channel::Whatsapp;
}

/// What is on record, whether WhatsApp tells a visit then, and what is said to be missing.
type Papers = (&'static str, Vec<Agreement>, bool, &'static [&'static str]);

const NO_BAA: &str = "no executed agreement with twilio (whatsapp-business) is recorded";
const NO_TERMS: &str = "no signed review of the terms of meta (terms-review) is recorded";
const BAA_OVER: &str = "the executed agreement with twilio (whatsapp-business) ended on 2026-11-28";
const TERMS_OVER: &str =
    "the signed review of the terms of meta (terms-review) ended on 2026-11-28";
const BAA_LATER: &str =
    "the executed agreement with twilio (whatsapp-business) begins on 2026-12-01";

fn whatsapp_papers() -> Vec<Papers> {
    let baa = || paper("twilio", "whatsapp-business", None);
    let terms = || paper("meta", "terms-review", None);
    let over = Some(date(2026, 11, 28));
    let later = |it: Agreement| Agreement {
        from: date(2026, 12, 1),
        ..it
    };
    let sms = paper("twilio", "programmable-messaging", None);
    let bird = paper("bird", "whatsapp-business", None);
    vec![
        ("neither", vec![], false, &[NO_BAA, NO_TERMS]),
        ("the agreement alone", vec![baa()], false, &[NO_TERMS]),
        ("the review alone", vec![terms()], false, &[NO_BAA]),
        ("both", vec![baa(), terms()], true, &[]),
        ("for SMS", vec![sms, terms()], false, &[NO_BAA]),
        ("of another carrier", vec![bird, terms()], false, &[NO_BAA]),
        (
            "the agreement is over",
            vec![paper("twilio", "whatsapp-business", over), terms()],
            false,
            &[BAA_OVER],
        ),
        (
            "the review is over",
            vec![baa(), paper("meta", "terms-review", over)],
            false,
            &[TERMS_OVER],
        ),
        ("not yet", vec![later(baa()), terms()], false, &[BAA_LATER]),
        (
            "renewed",
            vec![paper("twilio", "whatsapp-business", over), baa(), terms()],
            true,
            &[],
        ),
    ]
}

#[tokio::test]
async fn whatsapp_tells_a_visit_with_both_its_papers_in_force_and_not_otherwise() {
    let visit = |said: &str| said.contains("Dec 1") && said.contains("9:00");
    for (case, papers, tells, lacks) in whatsapp_papers() {
        let kept = stores::sqlite().await;
        let app = App::made(kept.store.clone(), offline(), SUNDAY, by_whatsapp).await;
        let now = app.house.clock().now();
        for one in &papers {
            let store = app.house.store();
            store.add_agreement(app.practice(), one, now).await.unwrap();
        }
        heard(&app, "Hello").await;
        heard(&app, "YES").await;
        let said = heard(&app, "When is my appointment?").await;
        assert_eq!(visit(&said), tells, "{case}: {said}");
        // What is clinical stays behind the link, whatever is signed.
        let said = heard(&app, "Is my biopsy result in?").await;
        assert!(!said.contains("biopsy"), "{case}: {said}");
        let missing = app.house.missing_papers(now).await.unwrap();
        let told: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let told = told.join("; ");
        assert_eq!(told.is_empty(), lacks.is_empty(), "{case}: {told}");
        for lack in lacks {
            assert!(told.contains(lack), "{case}: {told}");
        }
        assert_eq!(told.matches(" is recorded").count(), {
            let is = |it: &&&str| it.contains(" is recorded");
            lacks.iter().filter(is).count()
        });
    }
}

async fn whatsapp_ends(store: Store) {
    let app = App::made(store, offline(), SUNDAY, |it| {
        by_whatsapp(it);
        it.agreements = vec![
            paper("twilio", "whatsapp-business", None),
            paper("meta", "terms-review", Some(date(2026, 11, 29))),
        ];
    })
    .await;
    heard(&app, "Hello").await;
    heard(&app, "YES").await;
    let said = heard(&app, "When is my appointment?").await;
    assert!(said.contains("Dec 1"), "{said}");
    at(&app, "2026-11-30T07:59:00Z").await; // Sunday 23:59 in California
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    let before = app.received_by(TOM).len();
    at(&app, "2026-11-30T08:00:00Z").await; // Monday: the review is over
    assert_eq!(
        app.received_by(TOM).len(),
        before,
        "it was cleared, and stays"
    );
    let held = app.held().await;
    assert_eq!(held.last().unwrap(), "withdrawn: agreement");
    let said = heard(&app, "When is my appointment?").await;
    assert!(!said.contains("Dec 1") && said.contains("http"), "{said}");
}

async fn tagged(store: Store) {
    let app = App::made(store, offline(), SUNDAY, |it| {
        let template = TemplateText {
            id: "HX0000".to_owned(),
            locale: String::new(),
            text: "Lakeside Family Medicine has a message for you. Reply here to read it."
                .to_owned(),
            variables: std::collections::BTreeMap::new(),
        };
        by_whatsapp(it);
        it.senders[0].outside_window = OutsideWindow::Template;
        it.senders[0].templates = std::collections::BTreeMap::from([(Language::En, template)]);
        it.agreements = vec![
            paper("twilio", "whatsapp-business", None),
            paper("meta", "terms-review", None),
        ];
    })
    .await;
    app.agreed(TOM).await;
    for text in [
        "When is my appointment?",
        "HELP",
        "are you a bot?",
        "person",
        "I have chest pain",
    ] {
        app.text(TOM, text).await;
    }
    // A day later the window is shut: a template goes in the reminder's place.
    at(&app, "2026-11-30T19:00:00Z").await;
    remind(&app, "closed").await;
    app.text(TOM, "STOP").await;
    let rows = laws(&app).await;
    let kinds: std::collections::BTreeSet<&str> = rows.iter().map(|it| it.kind.as_str()).collect();
    for kind in [
        "notice",
        "reply",
        "help",
        "safety",
        "initiated",
        "opt_out_confirmation",
    ] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
    assert!(
        app.received_by(TOM)
            .iter()
            .any(|it| it.contains("has a message for you"))
    );
    for row in &rows {
        assert_eq!(row.law.policy, app.house.policy_digest(), "{row:?}");
        assert_eq!(row.law.state, Some("CA".parse().unwrap()), "{row:?}");
        assert!(!row.law.rules.is_empty(), "{row:?}");
    }
}
