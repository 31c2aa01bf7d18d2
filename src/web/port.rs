//! The port of the front door: what the pages and webhooks ask of the house behind them.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use tokio::sync::watch;

use crate::agent::ports::BoxFuture;
use crate::carrier::hear::Report;
use crate::domain::conversation::Direction;
use crate::domain::ids::PracticeId;
use crate::domain::message::{Delivery, Inbound};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::{CarrierKind, Practice};
use crate::domain::waiting::{Errand, Refusal};
use crate::guardrail::review::Guardrail;
use crate::policy::words::Language;

/// The house cannot answer now; the caller should come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store does not answer; try again")]
pub struct Unavailable;

/// What became of an inbound text. Both are answered alike: the sender must not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It was not known and is now committed.
    New,
    /// It was committed before.
    Duplicate,
}

/// One text of a thread, as the phone shows it.
#[derive(Clone, Debug)]
pub struct ThreadTurn {
    /// Ascending within the thread. For an inbound text, the id under which it was received, so
    /// that whoever posted it finds it again.
    pub id: String,
    /// Which way.
    pub direction: Direction,
    /// Who wrote.
    pub from: E164,
    /// To whom.
    pub to: E164,
    /// What.
    pub body: Phi<String>,
    /// When it was accepted.
    pub at: Timestamp,
    /// Where an outbound text stands; none for inbound.
    pub status: Option<Delivery>,
    /// Why an outbound text did not arrive.
    pub reason: Option<String>,
    /// How many SMS segments an outbound text takes.
    pub segments: Option<i64>,
    /// What an outbound text is likely to cost, in US dollars: `0.0128`.
    pub price: Option<String>,
}

/// A sample patient, for the phone's picker. Invented people only.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The number.
    pub number: E164,
    /// Whose patient.
    pub practice_id: PracticeId,
    /// As patients know it.
    pub practice_name: String,
    /// The simulator number of that practice.
    pub practice_number: E164,
    /// What makes this patient worth trying: `speaks Spanish, visit on Thursday`.
    pub note: String,
}

/// What a portal page shows before anybody proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Whose message waits.
    pub practice_name: String,
    /// The front desk, for whoever is locked out.
    pub practice_phone: E164,
    /// The language of the message.
    pub language: Language,
}

/// Where a portal link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortalState {
    /// It waits for a date of birth.
    Asking {
        /// What may be shown.
        cover: Cover,
        /// Wrong answers left.
        tries_left: u32,
        /// Whether the ZIP code is asked for as well.
        zip: bool,
    },
    /// Too many wrong answers.
    Locked(Cover),
    /// Too old.
    Expired(Cover),
    /// Closed by staff.
    Revoked(Cover),
    /// No such link.
    Missing,
}

/// What a date of birth opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortalOpening {
    /// The right one.
    Shown {
        /// Whose message.
        cover: Cover,
        /// The message.
        body: Phi<String>,
        /// The cookie of the session that goes on from here.
        session: Option<String>,
    },
    /// The right one, and a code was texted that must be given too.
    CodeAsked {
        /// What may be shown.
        cover: Cover,
        /// The cookie of the half session.
        session: String,
        /// The last digits of the number; empty when it went by e-mail.
        tail: String,
    },
    /// The right one, and no code can be texted.
    Uncodable(Cover),
    /// A wrong one.
    Wrong {
        /// What may be shown.
        cover: Cover,
        /// Wrong answers left; at least one, otherwise the link is locked.
        tries_left: u32,
        /// Whether the ZIP code is asked for as well.
        zip: bool,
    },
    /// Too many wrong answers, this one included.
    Locked(Cover),
    /// Too old.
    Expired(Cover),
    /// Closed by staff.
    Revoked(Cover),
    /// No such link.
    Missing,
}

/// Why the model server gave no answer. Nothing of what it wrote is in here but short code words:
/// its own sentences may quote what nobody has reviewed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamFault {
    /// It refused.
    #[error("the model server refused the request with status {status}")]
    Refused {
        /// Its HTTP status.
        status: u16,
        /// Its `error.code`, where that is one word.
        code: Option<String>,
        /// Its `error.param`, where that is one word.
        param: Option<String>,
        /// Seconds after which it may be asked again.
        retry_after: Option<u64>,
    },
    /// It took too long.
    #[error("the model server did not answer in time")]
    Timeout,
    /// It is not there.
    #[error("the model server cannot be reached")]
    Unreachable,
    /// Its answer is longer than one that is read.
    #[error("the model server's answer is longer than is read")]
    TooLong,
}

/// The model server behind the guarded chat completions.
pub trait Upstream: Send + Sync + std::fmt::Debug + 'static {
    /// The model that is asked when a request names none.
    fn model(&self) -> &str;

    /// Posts one chat completion request, JSON in, JSON out.
    fn complete(&self, request: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, UpstreamFault>>;
}

/// A text that a practice's own system asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The request's own id.
    pub key: String,
    /// Which practice.
    pub practice: PracticeId,
    /// To which number; none: the only one on file.
    pub number: Option<E164>,
    /// What.
    pub errand: Errand,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It leaves when it may, or staff are told.
    Taken {
        /// Its id.
        id: i64,
        /// Whether it was taken before.
        before: bool,
    },
    /// It cannot be done.
    Refused(Refusal),
    /// Another request was taken under its id.
    Clash,
    /// The patient record does not answer.
    NoRecord,
}

/// The house behind the door.
pub trait House: Send + Sync + std::fmt::Debug + 'static {
    /// All practices, by their ids.
    fn practices(&self) -> Vec<Arc<Practice>> {
        Vec::new()
    }

    /// A practice by its slug.
    fn practice(&self, id: &str) -> Option<Arc<Practice>>;

    /// The practice that texts from this number by this carrier.
    fn practice_by_sender(&self, carrier: CarrierKind, number: &E164) -> Option<Arc<Practice>>;

    /// Takes a text in; answers after the commit.
    fn receive(
        &self,
        practice: Arc<Practice>,
        inbound: Inbound,
    ) -> BoxFuture<'_, Result<Received, Unavailable>>;

    /// Takes a text that a practice's own system asks for; answers after the commit.
    fn ask(&self, request: Request) -> BoxFuture<'_, Result<Asked, Unavailable>>;

    /// Takes a delivery report; `false` when the practice has no text under this id (yet: a report
    /// may overtake the commit of the send it is about).
    fn delivery<'a>(
        &'a self,
        practice: &'a PracticeId,
        carrier: CarrierKind,
        report: &'a Report,
    ) -> BoxFuture<'a, Result<bool, Unavailable>>;

    /// Takes note of something that a carrier, or somebody in its name, said and that was not
    /// believed or not understood: a line in the audit log, not more than one a minute for each
    /// reason, so that nobody can fill it.
    fn refused<'a>(
        &'a self,
        practice: &'a PracticeId,
        carrier: CarrierKind,
        reason: &'static str,
    ) -> BoxFuture<'a, ()>;

    /// The texts with one number, oldest first; of one practice, or of all.
    fn thread<'a>(
        &'a self,
        with: &'a E164,
        practice: Option<&'a PracticeId>,
    ) -> BoxFuture<'a, Result<Vec<ThreadTurn>, Unavailable>>;

    /// What the guardrail did to the drafts for one number, newest first, each an object
    /// `{at, kind, draft, verdict, text, portal, findings: [{start, end, category, rule, action,
    /// confidence, evidence, cite}], policy, micros}`. Offsets count code points of `draft`.
    fn glass<'a>(
        &'a self,
        with: &'a E164,
    ) -> BoxFuture<'a, Result<Vec<serde_json::Value>, Unavailable>>;

    /// The sample patients.
    fn people(&self) -> BoxFuture<'_, Result<Vec<Person>, Unavailable>>;

    /// Where a portal link stands; changes nothing.
    fn portal_state<'a>(
        &'a self,
        token: &'a str,
    ) -> BoxFuture<'a, Result<PortalState, Unavailable>>;

    /// Tries a date of birth, and a ZIP code where one is asked for, on a portal link.
    fn portal_open<'a>(
        &'a self,
        token: &'a str,
        birth_date: Date,
        zip: &'a str,
    ) -> BoxFuture<'a, Result<PortalOpening, Unavailable>>;

    /// Tries the code that was texted, with the half session's cookie.
    fn portal_code<'a>(
        &'a self,
        _token: &'a str,
        _cookie: &'a str,
        _code: &'a str,
    ) -> BoxFuture<'a, Result<PortalOpening, Unavailable>> {
        Box::pin(std::future::ready(Ok(PortalOpening::Missing)))
    }

    /// Takes a bounce of an e-mail; whether it was about one of ours.
    fn mail_bounced<'a>(&'a self, _message: &'a [u8]) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// A number that changes whenever a thread or the glass does.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Whether work can be taken, with what was looked at.
    fn ready(&self) -> BoxFuture<'_, Result<serde_json::Value, serde_json::Value>>;

    /// The guardrail that every text passes.
    fn guardrail(&self) -> Arc<Guardrail>;

    /// The metrics in Prometheus' text format.
    fn metrics(&self) -> String;
}
