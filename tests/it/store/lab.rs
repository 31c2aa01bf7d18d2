//! A store on its own database, and invented people to fill it with.

#![cfg(test)]

use std::path::PathBuf;

use anteroom::domain::consent::ConsentProof;
use anteroom::domain::consent::Notice;
use anteroom::domain::consent::RISK_NOTICE_ASKS;
use anteroom::domain::conversation::Conversation;
use anteroom::domain::ids::OutboxId;
use anteroom::domain::ids::PatientId;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::message::Inbound;
use anteroom::domain::message::LawTag;
use anteroom::domain::message::OutboundKind;
use anteroom::domain::phi::Phi;
use anteroom::domain::phone::E164;
use anteroom::domain::practice::CarrierKind;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::rewrite::Cleared;
use anteroom::guardrail::setting::Author;
use anteroom::guardrail::setting::Consent;
use anteroom::guardrail::setting::Fact;
use anteroom::guardrail::setting::Relation;
use anteroom::guardrail::setting::Setting;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::policy::words::Purpose;
use anteroom::seal::MasterKey;
use anteroom::store::NewConversation;
use anteroom::store::Store;
use anteroom::store::StoreError;
use jiff::Timestamp;
use sqlx::Connection as _;
use tokio_util::task::TaskTracker;

use crate::support::postgres;

pub(super) struct Lab {
    pub(super) store: Store,
    pub(super) url: String,
    pub(super) master: MasterKey,
    pub(super) tracker: TaskTracker,
    pub(super) folder: tempfile::TempDir,
}

impl Lab {
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a.db").display());
        Self::open(folder, url).await
    }

    pub(super) async fn postgres() -> Self {
        let url = postgres::new_database().await;
        Self::open(tempfile::tempdir().unwrap(), url).await
    }

    async fn open(folder: tempfile::TempDir, url: String) -> Self {
        let master = MasterKey::generate().unwrap();
        let tracker = TaskTracker::new();
        assert!(!Store::holds_keys(&url).await.unwrap());
        let store = Store::open(&url, master.clone(), &tracker, folder.path())
            .await
            .unwrap();
        assert!(Store::holds_keys(&url).await.unwrap());
        Self {
            store,
            url,
            master,
            tracker,
            folder,
        }
    }

    /// Another process's view: a second data folder on PostgreSQL; SQLite must be closed first.
    pub(super) async fn reopen(self, master: MasterKey) -> Result<Self, StoreError> {
        let Self {
            store,
            url,
            tracker,
            folder,
            ..
        } = self;
        drop(store);
        tracker.close();
        tracker.wait().await;
        let tracker = TaskTracker::new();
        let store = Store::open(&url, master.clone(), &tracker, folder.path()).await?;
        Ok(Self {
            store,
            url,
            master,
            tracker,
            folder,
        })
    }

    pub(super) async fn reopen_same(self) -> Self {
        let master = self.master.clone();
        self.reopen(master).await.unwrap()
    }

    pub(super) async fn reopen_refused(self) -> StoreError {
        let master = self.master.clone();
        self.reopen(master).await.map(drop).unwrap_err()
    }

    pub(super) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite")
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }

    /// Runs a statement behind the store's back.
    pub(super) async fn raw(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        if self.is_sqlite() {
            let url = format!("sqlite://{}", self.file().display());
            let mut link = sqlx::SqliteConnection::connect(&url).await?;
            return Ok(sqlx::raw_sql(sql).execute(&mut link).await?.rows_affected());
        }
        let mut link = sqlx::PgConnection::connect(&self.url).await?;
        Ok(sqlx::raw_sql(sql).execute(&mut link).await?.rows_affected())
    }

    pub(super) async fn conversation(&self) -> Conversation {
        self.conversation_with("+14155550142").await
    }

    pub(super) async fn conversation_with(&self, number: &str) -> Conversation {
        let wanted = wanted(number);
        self.store
            .write(move |tx| {
                let wanted = wanted.clone();
                Box::pin(async move { tx.conversation_for(&wanted, at(0)).await })
            })
            .await
            .unwrap()
    }

    pub(super) async fn enqueue(&self, text: &str, kind: OutboundKind) -> OutboxId {
        let conversation = self.conversation().await;
        let cleared = cleared(text, None);
        self.store
            .write(move |tx| {
                let (conversation, cleared) = (conversation.clone(), cleared.clone());
                Box::pin(async move {
                    tx.enqueue(&conversation, &cleared, kind, (None, &tag()), at(1))
                        .await
                })
            })
            .await
            .unwrap()
    }
}

/// A unit of work that borrows nothing: `unit!(store, |tx| expression, with these clones)`.
macro_rules! unit {
    ($store:expr, [$($kept:ident),*], |$tx:ident| $run:expr) => {{
        $(let $kept = $kept.clone();)*
        $store
            .write(move |$tx| {
                $(let $kept = $kept.clone();)*
                Box::pin(async move { $run })
            })
            .await
    }};
}
pub(super) use unit;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn practice() -> PracticeId {
    PracticeId::new("lakeside")
}

pub(super) fn number(text: &str) -> E164 {
    text.parse().unwrap()
}

pub(super) fn wanted(from: &str) -> NewConversation {
    NewConversation {
        practice: practice(),
        carrier: CarrierKind::Twilio,
        channel: Channel::Sms,
        sender: number("+14155550100"),
        number: number(from),
        language: Language::Es,
    }
}

pub(super) fn inbound(body: &str, carrier_id: &str) -> Inbound {
    Inbound {
        carrier: CarrierKind::Twilio,
        carrier_id: carrier_id.to_owned(),
        channel: Channel::Sms,
        from: number("+14155550142"),
        to: number("+14155550100"),
        body: Phi::from(body),
        media: Vec::new(),
        button: None,
        at: at(0),
    }
}

pub(super) fn proof() -> ConsentProof {
    ConsentProof {
        practice: practice(),
        patient: Some(PatientId::new("pat-1")),
        number: number("+14155550142"),
        channel: Channel::Sms,
        notice: Notice {
            text_id: "risk_notice/1".to_owned(),
            sha256: "00".repeat(32),
            language: Language::En,
            at: at(-20),
            asks: RISK_NOTICE_ASKS.to_vec(),
        },
        reply_id: "SM01".to_owned(),
        at: at(-10),
        expires: at(1_000_000),
    }
}

/// The text of the tests that holds PHI.
pub(super) const VISIT: &str = "Your visit is Wed, Dec 2 at 3:00 PM.";

/// A text that passed review; with a proof it tells of a visit, and so holds PHI.
pub(super) fn cleared(text: &str, proof: Option<&ConsentProof>) -> Cleared<'static> {
    let digest = proof.map(ConsentProof::digest);
    let consent = digest
        .as_deref()
        .map_or(Consent::None, |proof| Consent::Granted { proof });
    let facts = [
        Fact {
            field: "appointment.start",
            value: "2026-12-02T15:00:00-08:00",
        },
        // Public words pass as they stand.
        Fact {
            field: "practice.notice",
            value: text,
        },
    ];
    let setting = Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: "https://portal.example.com",
        channel: Channel::Sms,
        consent,
        state: Jurisdiction::UNKNOWN,
        language: Language::En,
        timezone: "America/Los_Angeles",
        now: "2026-12-01T18:00:00Z".parse().unwrap(),
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Agent,
        facts: if proof.is_some() { &facts } else { &facts[1..] },
        told: &[],
        covered: false,
    };
    let review = Guardrail::embedded().unwrap().review(text, &setting);
    let findings = review.findings;
    let cleared = review
        .cleared
        .unwrap_or_else(|| panic!("{text} was held: {findings:?}"));
    assert_eq!(cleared.text(), text, "{findings:?}");
    assert_eq!(cleared.holds_phi(), proof.is_some(), "{findings:?}");
    cleared.into_owned()
}

/// By which law every text of the lab was cleared.
pub(super) fn tag() -> LawTag {
    LawTag {
        state: Some("CA".parse().unwrap()),
        rules: vec!["us.hipaa.minimum".to_owned()],
        policy: "a digest".to_owned(),
    }
}
