//! Portal: links that show nothing until the birth date is given, and what else the practice asks.

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
use crate::domain::ids::PracticeId;
use crate::domain::phi::Phi;
use crate::domain::practice::PortalFactor;
use crate::domain::record::Patient;
use crate::pipeline::house::{Entropy, House};
use crate::store::{StoreError, Tx};

/// Wrong birth dates before a link is locked: a typo or two, never a search.
pub const TRIES_MAX: i64 = 5;
/// Why staff look at a conversation whose link was closed.
const LOCKED: &str = "portal link closed after wrong answers";

/// Why nothing goes behind a link where another portal stands in the place of ours: it takes no words from
/// here, and a link to it would promise what is not there. Staff put them there.
pub const OTHER_PORTAL: &str = "meant for your own portal";

/// How long a link lives: a patient who reads it after the weekend still can.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A link to one message: 256 random bits, of which only the hash is kept.
pub(crate) struct PortalLink {
    pub(crate) url: String,
    pub(crate) hash: [u8; 32],
    /// The number of the letter that tells of it where the patient chose e-mail.
    pub(crate) letter: Option<[u8; 16]>,
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
                letter: None,
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
            letter: letter(&token),
            built_in: true,
        })
    }

    /// Whether the page behind it is ours; else nothing can be kept there from here.
    pub(crate) const fn keeps(&self) -> bool {
        self.built_in
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
            revoked: None,
        })
    }
}

/// How long a code opens its link.
pub(super) const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// How the audit log names a link.
pub(crate) fn subject(link: &[u8; 32]) -> String {
    format!("portal/{}", hex::encode(link.get(..8).unwrap_or_default()))
}

/// A number that tells nothing of the token.
fn letter(token: &str) -> Option<[u8; 16]> {
    let digest = Sha256::new()
        .chain_update(b"anteroom letter v1")
        .chain_update(token.as_bytes())
        .finalize();
    digest.first_chunk::<16>().copied()
}

pub(crate) fn hash(token: &str) -> [u8; 32] {
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
    /// Closed by staff.
    Revoked(PortalMessage),
    /// No such link.
    Missing,
}

/// What giving a birth date leads to.
#[derive(Debug)]
pub enum Opening {
    /// The message, and the session that goes on from here; none without randomness.
    Shown(PortalMessage, Option<String>),
    /// The birth date is right, and a code is on its way to the number that got the link.
    Coded {
        /// For its language and practice; its body stays closed.
        message: PortalMessage,
        /// The half session that the code makes whole.
        session: String,
        /// The last digits of the number; empty when it went by e-mail.
        tail: String,
    },
    /// The birth date is right, and no code can be texted: staff must help.
    Uncodable(PortalMessage),
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

    /// Whether the page asks for a ZIP code beside the birth date.
    pub fn portal_asks_zip(&self, practice: &PracticeId) -> bool {
        let practice = self.practice(practice);
        practice.is_some_and(|it| it.portal_factor == PortalFactor::Zip)
    }

    /// Opens a link with a birth date, and the ZIP code where the practice asks for one. A wrong
    /// answer costs a try, and does not say which part is wrong.
    pub async fn portal_open(
        &self,
        token: &str,
        birth_date: Date,
        zip: &str,
    ) -> Result<Opening, StoreError> {
        let now = self.clock().now();
        let key = hash(token);
        let message = match state(self.store().portal_message(&key).await?, now) {
            LinkState::Asking(message) => message,
            closed @ (LinkState::Locked(_)
            | LinkState::Expired(_)
            | LinkState::Revoked(_)
            | LinkState::Missing) => {
                return Ok(Opening::Closed(closed));
            }
        };
        let patient = self
            .records()
            .patient(&message.practice, &message.patient)
            .await;
        let patient = patient.ok().flatten();
        let known = patient.as_ref().and_then(|it| it.birth_date.as_ref());
        let born = known.is_some_and(|known| same_day(*known.expose(), birth_date));
        let factor = self
            .practice(&message.practice)
            .map_or(PortalFactor::Code, |it| it.portal_factor);
        let on_file = patient
            .as_ref()
            .and_then(|it| zip_of(it.address.as_ref()?.as_str()));
        let (right, coded) = match (factor, &on_file) {
            (PortalFactor::None, _) => (born, false),
            (PortalFactor::Zip, Some(on_file)) => (born && same_zip(on_file, zip), false),
            // What is not on file cannot be asked for.
            (PortalFactor::Zip, None) | (PortalFactor::Code, _) => (born, true),
        };
        if right && coded {
            return self.portal_send_code(&key, message, now).await;
        }
        self.portal_settle(key, message, Proof::Known(right), now)
            .await
    }

    /// Makes a half session whole with the code that was texted. A wrong one costs a try.
    pub async fn portal_code(
        &self,
        token: &str,
        cookie: &str,
        code: &str,
    ) -> Result<Opening, StoreError> {
        let now = self.clock().now();
        let key = hash(token);
        let message = match state(self.store().portal_message(&key).await?, now) {
            LinkState::Asking(message) => message,
            closed @ (LinkState::Locked(_)
            | LinkState::Expired(_)
            | LinkState::Revoked(_)
            | LinkState::Missing) => {
                return Ok(Opening::Closed(closed));
            }
        };
        let session = self.store().portal_session(&hash(cookie)).await?;
        let half = session.is_some_and(|it| {
            it.link == key && !it.whole && now.duration_since(it.began) <= CODE_LIFE
        });
        if !half {
            // Whoever comes without the first step begins with it.
            return Ok(Opening::Closed(LinkState::Asking(message)));
        }
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        self.portal_settle(key, message, Proof::Code(digits), now)
            .await
    }

    async fn portal_settle(
        &self,
        key: [u8; 32],
        message: PortalMessage,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Opening, StoreError> {
        let session = self.portal_token();
        let opening = Arc::new((message, proof, session.clone()));
        let written = Arc::clone(&opening);
        let tries_left = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&written);
                Box::pin(async move { settle(tx, &key, &work, now).await })
            })
            .await?;
        let (message, ..) = &*opening;
        let message = message.clone();
        if tries_left == Some(0) {
            self.changed();
        }
        Ok(match tries_left {
            None => Opening::Shown(message, session),
            Some(0) => Opening::Closed(LinkState::Locked(message)),
            Some(tries_left) => Opening::Wrong {
                tries_left,
                message,
            },
        })
    }

    /// A secret of 256 bits as it stands in a cookie; none without randomness.
    pub(super) fn portal_token(&self) -> Option<String> {
        let mut token = [0_u8; 32];
        (self.parts.entropy)(&mut token).then(|| URL_SAFE_NO_PAD.encode(token))
    }
}

/// What is given at a link.
enum Proof {
    /// What the record knows: compared already.
    Known(bool),
    /// The code, in digits.
    Code(String),
}

/// Records an opening or spends a try, with its audit entry; `None` means opened.
async fn settle(
    tx: &mut Tx,
    key: &[u8; 32],
    (message, proof, session): &(PortalMessage, Proof, Option<String>),
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    // Spent before it is compared, so that two answers at once cannot both have the last try.
    let left = tx.spend_portal_try(key).await?;
    let right = match proof {
        Proof::Known(right) => *right,
        Proof::Code(code) => {
            left >= 0
                && tx
                    .use_portal_code(key, (&message.practice, code), now)
                    .await?
        }
    };
    let opened = right && left >= 0;
    if opened {
        tx.open_portal_message(key, now).await?;
        tx.restore_portal_tries(key, TRIES_MAX).await?;
        tx.end_portal_sessions(key).await?;
        if let Some(session) = session {
            tx.begin_portal_session(&hash(session), (key, &message.practice), true, now)
                .await?;
        }
    }
    let action = if opened {
        "portal.opened"
    } else {
        "portal.refused"
    };
    let detail = serde_json::json!({ "tries_left": left.max(0) });
    let practice = &message.practice;
    let entry = Entry::new(practice, now, "patient", action, &subject(key), &detail);
    tx.append_audit(&entry).await?;
    if left == 0 && !opened {
        tell_of_lock(tx, key, now).await?;
    }
    Ok((!opened).then_some(left.max(0)))
}

/// Somebody could not show who they are: staff may call and help.
async fn tell_of_lock(tx: &mut Tx, key: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    let Some(id) = tx.portal_conversation(key).await? else {
        return Ok(());
    };
    let Some(conversation) = tx.lock_conversation(id).await? else {
        return Ok(());
    };
    let none = Phi::default();
    tx.hold(&conversation, &none, &none, LOCKED, now)
        .await
        .map(drop)
}

/// The ZIP code of an address in one line: its last five digits that stand alone.
fn zip_of(address: &str) -> Option<String> {
    let mut words = address.split(|c: char| !c.is_ascii_alphanumeric());
    let five = |word: &&str| word.len() == 5 && word.bytes().all(|it| it.is_ascii_digit());
    words.rfind(five).map(str::to_owned)
}

/// Compares the first five digits in constant time.
fn same_zip(on_file: &str, given: &str) -> bool {
    let digits: String = given.chars().filter(char::is_ascii_digit).take(5).collect();
    on_file.as_bytes().ct_eq(digits.as_bytes()).into()
}

fn state(message: Option<PortalMessage>, now: Timestamp) -> LinkState {
    match message {
        None => LinkState::Missing,
        Some(message) if message.revoked.is_some() => LinkState::Revoked(message),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_code_is_read_from_an_address_and_compared() {
        for (address, zip) in [
            ("12 Lake Street, Springfield, CA 94016", Some("94016")),
            (
                "12345 Lake Street, Springfield CA 94016-1234",
                Some("94016"),
            ),
            ("12 Lake Street, Springfield", None),
            ("", None),
        ] {
            assert_eq!(zip_of(address).as_deref(), zip, "{address}");
        }
        for (given, same) in [
            ("94016", true),
            (" 94016-1234 ", true),
            ("940 16", true),
            ("94017", false),
            ("9401", false),
            ("", false),
        ] {
            assert_eq!(same_zip("94016", given), same, "{given}");
        }
    }
}
