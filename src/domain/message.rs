//! Texts on their way in and out, and what became of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::{Channel, Jurisdiction, vocabulary};

/// Longest inbound text that is read; the rest is cut. Carriers cap at 1,600 characters, the
/// simulator and web chat do not.
pub const INBOUND_CHARS_MAX: usize = 4_000;

/// A text from a patient, as a carrier delivered it, authenticated and parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Who carried it.
    pub carrier: CarrierKind,
    /// The carrier's own id of it (`MessageSid`); duplicates have the same one.
    pub carrier_id: String,
    /// How it came.
    pub channel: Channel,
    /// The patient's number.
    pub from: E164,
    /// The practice's number.
    pub to: E164,
    /// What the patient wrote.
    pub body: Phi<String>,
    /// The pictures or files that came with it, where they lie at the carrier.
    pub media: Vec<Attachment>,
    /// The payload of the button that the patient pressed (WhatsApp), as we sent it.
    pub button: Option<String>,
    /// When it was written, as far as is known: when its webhook came, or, where that was lost and
    /// the text was found in the carrier's list, when the carrier took it.
    pub at: Timestamp,
}

/// By which law a text was cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LawTag {
    /// The patient's state of residence; none when it is not known.
    pub state: Option<Jurisdiction>,
    /// The rules of law and of the house that bore on it.
    pub rules: Vec<String>,
    /// The digest of the policy.
    pub policy: String,
}

impl Inbound {
    /// A text without pictures or buttons.
    pub fn text(
        (carrier, carrier_id): (CarrierKind, String),
        channel: Channel,
        from: E164,
        to: E164,
        body: Phi<String>,
        at: Timestamp,
    ) -> Self {
        Self {
            carrier,
            carrier_id,
            channel,
            from,
            to,
            body,
            media: Vec::new(),
            button: None,
            at,
        }
    }
}

/// A picture or file that came with a text and still lies at the carrier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where: an address of the carrier. It opens the file for whoever has the account, so it is
    /// not printed.
    pub address: String,
    /// What the carrier says that it is, such as `image/jpeg`.
    pub kind: String,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment").finish_non_exhaustive()
    }
}

/// A template that WhatsApp approved, with its variables by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The carrier's id of it, such as Twilio's `HX...`.
    pub id: String,
    /// The language that it was approved in, such as `en` or `en-US`, for carriers whose id stands
    /// for several.
    pub locale: String,
    /// What stands in its places: `1`, `2`, ... or names.
    pub variables: std::collections::BTreeMap<String, Phi<String>>,
}

/// A cleared text handed to a carrier. Made by dispatch only, from an outbox row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// Our own reference, sent along where the carrier has a place for it.
    pub reference: String,
    /// How it goes.
    pub channel: Channel,
    /// The practice's number.
    pub from: E164,
    /// The patient's number.
    pub to: E164,
    /// What the patient will read.
    pub body: Phi<String>,
    /// An approved template that says it, where free text may not be sent.
    pub template: Option<Template>,
    /// Public addresses of files that go along, such as the practice's contact card. Only what the
    /// practice itself publishes to everybody: nothing in a file passes the guardrail.
    pub files: Vec<String>,
    /// Seconds after which the carrier should not deliver it any more.
    pub valid_s: Option<u32>,
}

vocabulary! {
    /// What the carrier says became of a text. Order is the rank: a later state is never
    /// overwritten by an earlier one, whatever order callbacks arrive in.
    Delivery, "delivery state" {
        /// In our outbox.
        Pending = "pending",
        /// The carrier has taken it.
        Accepted = "accepted",
        /// In the carrier's queue.
        Queued = "queued",
        /// Being handed to the network.
        Sending = "sending",
        /// Handed to the network.
        Sent = "sent",
        /// We do not know whether the carrier took it; never repeated without proof of absence.
        Unknown = "unknown",
        /// Not sent: the fence, consent or policy forbade it at the last moment.
        Suppressed = "suppressed",
        /// The network could not deliver it.
        Undelivered = "undelivered",
        /// The carrier refused it.
        Failed = "failed",
        /// On the patient's phone.
        Delivered = "delivered",
        /// Opened by the patient.
        Read = "read",
    }
}

impl Delivery {
    /// Whether no later report is expected.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Suppressed | Self::Undelivered | Self::Failed | Self::Delivered | Self::Read
        )
    }

    /// Whether it did not arrive and never will.
    pub const fn has_failed(self) -> bool {
        matches!(self, Self::Suppressed | Self::Undelivered | Self::Failed)
    }

    /// The state after a report of `next`: moves up in rank only, and never out of a failure.
    #[must_use]
    pub fn advance(self, next: Self) -> Self {
        if self.has_failed() || next <= self {
            self
        } else {
            next
        }
    }
}

vocabulary! {
    /// What kind of text leaves; dispatch decides by it what consent, hours and STOP allow.
    OutboundKind, "outbound kind" {
        /// The first-contact risk notice with its question.
        Notice = "notice",
        /// An answer in a live conversation.
        Reply = "reply",
        /// The one confirmation after STOP.
        OptOutConfirmation = "opt_out_confirmation",
        /// The answer to HELP.
        Help = "help",
        /// 911, 988 or Poison Help: never delayed, never suppressed.
        Safety = "safety",
        /// Something the practice begins: a reminder.
        Initiated = "initiated",
        /// The risk notice, where the practice begins.
        Invitation = "invitation",
        /// An answer takes a moment.
        Interim = "interim",
    }
}

/// What happened to one attempt to hand a text to a carrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendOutcome {
    /// The carrier took it and gave it an id.
    Accepted {
        /// The carrier's own id.
        carrier_id: String,
        /// The carrier's first state.
        delivery: Delivery,
    },
    /// Worth another try, not before this many milliseconds.
    Retry {
        /// The carrier's error code, or an HTTP status, or `timeout_before_send`.
        code: String,
        /// The carrier's wish, if it named one (`Retry-After`), in milliseconds.
        after_ms: Option<u64>,
    },
    /// Will never succeed as it stands.
    Fail {
        /// The carrier's error code.
        code: String,
    },
    /// The carrier says that this person opted out; the ledger must say so too.
    Suppress {
        /// The carrier's error code.
        code: String,
    },
    /// The connection broke after the request was written; the carrier may or may not have it.
    Unknown {
        /// Why we do not know.
        code: String,
    },
}
