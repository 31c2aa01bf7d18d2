//! Who wants to be told by e-mail: the address, the code that shows whose it is, and the end of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use crate::audit::Entry;
use crate::domain::conversation::Conversation;
use crate::domain::ids::{ConversationId, PatientId};
use crate::domain::phi::Phi;
use crate::mail;
use crate::pipeline::house::House;
use crate::pipeline::portal_room::Room;
use crate::store::{Addresses, LetterBody, LetterKind, MailChoice, StoreError, Tx};

/// How long a code counts: mail may be grey-listed for minutes.
pub(super) const CODE_LIFE: SignedDuration = SignedDuration::from_mins(30);
/// Wrong codes that may be given.
const TRIES_MAX: i64 = 5;
/// Codes that are mailed for one patient in a day, so that nobody's mailbox is filled.
const CODES_MAX: i64 = 5;
/// See [`CODES_MAX`].
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Where a patient stands with e-mail, as the page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailShown {
    /// Whether it can be chosen here.
    pub open: bool,
    /// The confirmed address, masked.
    pub confirmed: Option<String>,
    /// The address that a code was sent to, masked.
    pub wanted: Option<String>,
    /// Whether mail to the confirmed address comes back.
    pub bounced: bool,
}

/// What became of an address or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailAnswer {
    /// A code is on its way.
    CodeSent,
    /// The address is confirmed.
    Confirmed,
    /// No e-mail any more.
    Off,
    /// Not an address.
    BadAddress,
    /// Not the code, or too old.
    BadCode,
    /// Too many codes or tries today.
    TooMany,
    /// No e-mail can be chosen here.
    Closed,
}

impl House {
    /// Where whoever is in the room stands with e-mail.
    pub async fn portal_mail(&self, room: &Room) -> Result<MailShown, StoreError> {
        let now = self.clock().now();
        let open = self.relay_of(&room.practice, now).await?.is_some();
        let choice = self
            .store()
            .mail_choice(&room.practice.id, &room.patient)
            .await?;
        let Some(choice) = choice else {
            return Ok(MailShown {
                open,
                ..MailShown::default()
            });
        };
        let addresses = choice.addresses.expose();
        let counts = choice.code.is_some_and(|(_, until)| now < until);
        let masked = |it: &Option<String>| it.as_deref().map(mail::masked);
        Ok(MailShown {
            open,
            confirmed: masked(&addresses.confirmed),
            wanted: masked(&addresses.wanted).filter(|_| counts),
            bounced: choice.bounced.is_some(),
        })
    }

    /// Sends a code to an address, so that whoever reads mail there can say so here.
    pub async fn portal_mail_ask(
        &self,
        room: &Room,
        typed: &str,
    ) -> Result<MailAnswer, StoreError> {
        let now = self.clock().now();
        if self.relay_of(&room.practice, now).await?.is_none() {
            return Ok(MailAnswer::Closed);
        }
        let Some(address) = mail::address(typed) else {
            return Ok(MailAnswer::BadAddress);
        };
        let (Some(code), Some(id)) = (self.drawn_code(), self.letter_id()) else {
            return Ok(MailAnswer::Closed);
        };
        let body = LetterBody {
            to: address.as_str().to_owned(),
            patient: room.patient.clone(),
            language: room.language,
            word: code,
        };
        let work = Arc::new((room.conversation.id, id, body));
        let answer = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { ask(tx, &work, now).await })
            })
            .await?;
        self.letters.notify_one();
        Ok(answer)
    }

    /// Takes the code that was mailed.
    pub async fn portal_mail_confirm(
        &self,
        room: &Room,
        typed: &str,
    ) -> Result<MailAnswer, StoreError> {
        let now = self.clock().now();
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        let work = Arc::new((room.conversation.id, room.patient.clone(), digits));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { confirm(tx, &work, now).await })
            })
            .await
    }

    /// No e-mail any more.
    pub async fn portal_mail_off(&self, room: &Room) -> Result<MailAnswer, StoreError> {
        let now = self.clock().now();
        let work = Arc::new((room.conversation.clone(), room.patient.clone()));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (conversation, patient) = &*work;
                    if tx
                        .forget_mail_choice(&conversation.practice, patient)
                        .await?
                    {
                        tx.append_audit(&entry(conversation, "mail.ended", now))
                            .await?;
                    }
                    Ok(MailAnswer::Off)
                })
            })
            .await
    }
}

fn entry(conversation: &Conversation, action: &'static str, now: Timestamp) -> Entry {
    Entry::new(
        &conversation.practice,
        now,
        "patient",
        action,
        &format!("conversation/{}", conversation.id),
        &serde_json::json!({}),
    )
}

async fn ask(
    tx: &mut Tx,
    (conversation, id, body): &(ConversationId, [u8; 16], LetterBody),
    now: Timestamp,
) -> Result<MailAnswer, StoreError> {
    let Some(conversation) = tx.lock_conversation(*conversation).await? else {
        return Ok(MailAnswer::Closed);
    };
    let practice = &conversation.practice;
    let before = tx.mail_choice(practice, &body.patient).await?;
    let (codes, since) = match before.as_ref().map(|it| it.codes) {
        Some((codes, since)) if now.duration_since(since) < A_DAY => (codes, since),
        _ => (0, now),
    };
    if codes >= CODES_MAX {
        return Ok(MailAnswer::TooMany);
    }
    let code = tx.mail_code(practice, &body.word).await?;
    let until = now.saturating_add(CODE_LIFE).unwrap_or(now);
    let confirmed = before
        .as_ref()
        .and_then(|it| it.addresses.expose().confirmed.clone());
    let choice = MailChoice {
        addresses: Phi::new(Addresses {
            confirmed,
            wanted: Some(body.to.clone()),
        }),
        code: Some((code.to_vec(), until)),
        tries: TRIES_MAX,
        codes: (codes + 1, since),
        bounced: before.and_then(|it| it.bounced),
    };
    tx.set_mail_choice(practice, &body.patient, &choice).await?;
    tx.add_letter(id, &conversation, LetterKind::Confirm, body, now)
        .await?;
    tx.append_audit(&entry(&conversation, "mail.asked", now))
        .await?;
    Ok(MailAnswer::CodeSent)
}

async fn confirm(
    tx: &mut Tx,
    (id, patient, digits): &(ConversationId, PatientId, String),
    now: Timestamp,
) -> Result<MailAnswer, StoreError> {
    let Some(conversation) = tx.lock_conversation(*id).await? else {
        return Ok(MailAnswer::Closed);
    };
    let practice = &conversation.practice;
    let Some(mut choice) = tx.mail_choice(practice, patient).await? else {
        return Ok(MailAnswer::BadCode);
    };
    let Some((known, until)) = choice.code.clone().filter(|(_, until)| now < *until) else {
        return Ok(MailAnswer::BadCode);
    };
    if choice.tries <= 0 || now >= until {
        return Ok(MailAnswer::TooMany);
    }
    let given = tx.mail_code(practice, digits).await?;
    if !bool::from(known.ct_eq(&given)) {
        choice.tries -= 1;
        tx.set_mail_choice(practice, patient, &choice).await?;
        return Ok(MailAnswer::BadCode);
    }
    let mut addresses = choice.addresses.expose().clone();
    addresses.confirmed = addresses.wanted.take();
    choice.addresses = Phi::new(addresses);
    choice.code = None;
    choice.bounced = None;
    tx.set_mail_choice(practice, patient, &choice).await?;
    tx.append_audit(&entry(&conversation, "mail.chosen", now))
        .await?;
    Ok(MailAnswer::Confirmed)
}
