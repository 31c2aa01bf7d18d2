//! Portal: links that show nothing until the birth date is given.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::audit::Entry;
use crate::domain::conversation::{Conversation, PortalMessage};
use crate::domain::phi::Phi;
use crate::domain::record::Patient;
use crate::pipeline::house::{Entropy, House};
use crate::store::{StoreError, Tx};

/// Wrong birth dates before a link is locked: a typo or two, never a search.
pub const TRIES_MAX: i64 = 5;

/// How long a link lives: a patient who reads it after the weekend still can.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A link to one message: 256 random bits, of which only the hash is kept.
pub(crate) struct PortalLink {
    pub(crate) url: String,
    pub(crate) hash: [u8; 32],
    built_in: bool,
}

impl PortalLink {
    /// A fresh link, or the practice's own portal where it has one. None without randomness: a
    /// link that can be guessed is worse than no answer.
    pub(crate) fn new(public_url: &Url, outside: &str, entropy: &Entropy) -> Option<Self> {
        if !outside.is_empty() {
            return Some(Self {
                url: outside.to_owned(),
                hash: [0; 32],
                built_in: false,
            });
        }
        let mut token = [0_u8; 32];
        if !entropy(&mut token) {
            return None;
        }
        let token = URL_SAFE_NO_PAD.encode(token);
        let base = public_url.as_str().trim_end_matches('/');
        Some(Self {
            url: format!("{base}/p/{token}"),
            hash: hash(&token),
            built_in: true,
        })
    }

    /// The message behind it; none where the practice's own portal keeps it.
    pub(crate) fn message(
        &self,
        conversation: &Conversation,
        patient: &Patient,
        body: &str,
        now: Timestamp,
    ) -> Option<PortalMessage> {
        self.built_in.then(|| PortalMessage {
            practice: conversation.practice.clone(),
            patient: patient.id.clone(),
            body: Phi::from(body),
            language: conversation.language,
            tries_left: TRIES_MAX,
            expires: now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX),
            opened: None,
        })
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// What a link is worth before the birth date is given.
#[derive(Debug)]
pub enum LinkState {
    /// Asks for the birth date.
    Asking(PortalMessage),
    /// Too many wrong answers.
    Locked(PortalMessage),
    /// Too old.
    Expired(PortalMessage),
    /// No such link.
    Missing,
}

/// What giving a birth date leads to.
#[derive(Debug)]
pub enum Opening {
    /// The message.
    Shown(PortalMessage),
    /// Not this person's birth date.
    Wrong {
        /// How many tries are left.
        tries_left: i64,
        /// For its language and practice; its body stays closed.
        message: PortalMessage,
    },
    /// The link cannot be opened.
    Closed(LinkState),
}

impl House {
    /// What a link is worth now; looking never uses it up.
    pub async fn portal_state(&self, token: &str) -> Result<LinkState, StoreError> {
        let message = self.store().portal_message(&hash(token)).await?;
        Ok(state(message, self.clock().now()))
    }

    /// Opens a link with a birth date. A wrong one costs a try.
    pub async fn portal_open(&self, token: &str, birth_date: Date) -> Result<Opening, StoreError> {
        let now = self.clock().now();
        let key = hash(token);
        let message = match state(self.store().portal_message(&key).await?, now) {
            LinkState::Asking(message) => message,
            closed @ (LinkState::Locked(_) | LinkState::Expired(_) | LinkState::Missing) => {
                return Ok(Opening::Closed(closed));
            }
        };
        let patient = self
            .records()
            .patient(&message.practice, &message.patient)
            .await;
        let known = patient
            .ok()
            .flatten()
            .and_then(|patient| patient.birth_date);
        let right = known.is_some_and(|known| same_day(*known.expose(), birth_date));
        let opening = Arc::new(message);
        let written = Arc::clone(&opening);
        let tries_left = self
            .store()
            .write(move |tx| {
                let message = Arc::clone(&written);
                Box::pin(async move { settle(tx, &key, &message, right, now).await })
            })
            .await?;
        let message = Arc::unwrap_or_clone(opening);
        Ok(match tries_left {
            None => Opening::Shown(message),
            Some(0) => Opening::Closed(LinkState::Locked(message)),
            Some(tries_left) => Opening::Wrong {
                tries_left,
                message,
            },
        })
    }
}

/// Records an opening or spends a try, with its audit entry; `None` means opened.
async fn settle(
    tx: &mut Tx,
    key: &[u8; 32],
    message: &PortalMessage,
    right: bool,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    // Spent before it is compared, so that two answers at once cannot both have the last try.
    let left = tx.spend_portal_try(key).await?;
    let opened = right && left >= 0;
    if opened {
        tx.open_portal_message(key, now).await?;
    }
    let action = if opened {
        "portal.opened"
    } else {
        "portal.refused"
    };
    let subject = format!("portal/{}", hex::encode(key.get(..8).unwrap_or_default()));
    let detail = serde_json::json!({ "tries_left": left.max(0) });
    let entry = Entry::new(&message.practice, now, "patient", action, &subject, &detail);
    tx.append_audit(&entry).await?;
    Ok((!opened).then_some(left.max(0)))
}

fn state(message: Option<PortalMessage>, now: Timestamp) -> LinkState {
    match message {
        None => LinkState::Missing,
        Some(message) if message.expires <= now => LinkState::Expired(message),
        Some(message) if message.tries_left <= 0 => LinkState::Locked(message),
        Some(message) => LinkState::Asking(message),
    }
}

/// Compares in constant time; the birth date is the secret here.
fn same_day(known: Date, given: Date) -> bool {
    let bytes = |day: Date| day.to_string().into_bytes();
    bytes(known).ct_eq(&bytes(given)).into()
}
