//! Mail: patients who chose it are told of secure messages by e-mail, at an address that they have shown to
//! be theirs. The notice is an approved text that the guardrail has cleared, and holds no health information
//! (45 CFR 164.522(b): a request for another way to be told; 164.530(c): safeguards).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::agent::texts::TextId;
use crate::audit::Entry;
use crate::domain::conversation::Conversation;
use crate::domain::ids::{ConversationId, PatientId};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::mail::{self, Letter, Posted, Relay};
use crate::pipeline::house::House;
use crate::pipeline::mail_choice::CODE_LIFE;
use crate::pipeline::portal::LinkState;
use crate::pipeline::work::Step;
use crate::policy::words::Language;
use crate::store::{LetterBody, LetterJob, LetterKind, MailChoice, StoreError, Tx};

/// Tries before a letter is given up: with the waits below about a day and a half.
const ATTEMPTS_MAX: i64 = 14;
/// First wait after a try that failed; doubled each time, capped at [`BACKOFF_MAX`].
const BACKOFF: SignedDuration = SignedDuration::from_secs(30);
/// See [`BACKOFF`].
const BACKOFF_MAX: SignedDuration = SignedDuration::from_hours(4);
/// How long a letter is its worker's: longer than the longest exchange.
const LETTER_LEASE: SignedDuration = SignedDuration::from_mins(3);
/// Why staff look at a conversation whose notice came back.
pub const CAME_BACK: &str = "e-mail could not be delivered";

impl House {
    /// The relay, where this practice may use it: its agreement is in force.
    pub(super) async fn relay_of(
        &self,
        practice: &Practice,
        now: Timestamp,
    ) -> Result<Option<&Relay>, StoreError> {
        let Some(relay) = &self.parts.mail else {
            return Ok(None);
        };
        let lack = self.register(now).mail(practice, relay.host()).await?;
        Ok(lack.is_none().then_some(relay))
    }

    /// A number for a letter; none without randomness.
    pub(crate) fn letter_id(&self) -> Option<[u8; 16]> {
        let mut id = [0; 16];
        (self.parts.entropy)(&mut id).then_some(id)
    }

    /// A code of six digits; none without randomness.
    pub(crate) fn drawn_code(&self) -> Option<String> {
        let mut random = [0_u8; 4];
        (self.parts.entropy)(&mut random)
            .then(|| format!("{:06}", u32::from_be_bytes(random) % 1_000_000))
    }

    /// The address that a patient has confirmed, where it can be mailed to now.
    pub(crate) async fn mail_address(
        &self,
        practice: &Practice,
        patient: &PatientId,
    ) -> Result<Option<Phi<String>>, StoreError> {
        let now = self.clock().now();
        if self.relay_of(practice, now).await?.is_none() {
            return Ok(None);
        }
        let choice = self.store().mail_choice(&practice.id, patient).await?;
        Ok(choice.as_ref().and_then(usable).map(Phi::from))
    }

    /// Posts the next letter that is due.
    pub async fn mail_once(self: &Arc<Self>) -> Result<Step, StoreError> {
        if self.parts.mail.is_none() {
            return Ok(Step::Idle);
        }
        let now = self.clock().now();
        let Some(job) = self.store().lease_letter(now, now + LETTER_LEASE).await? else {
            return Ok(Step::Idle);
        };
        let posted = self.posted(&job, now).await?;
        let outcome = match &posted {
            None => "dropped",
            Some(Posted::Taken) => "sent",
            Some(Posted::Refused(_)) => "refused",
            Some(Posted::Later(_)) => "later",
        };
        metrics::counter!("anteroom_mails_total", "outcome" => outcome).increment(1);
        let now = self.clock().now();
        let work = Arc::new((job, posted));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { settle(tx, &work, now).await })
            })
            .await?;
        self.changed();
        Ok(Step::Worked)
    }

    /// Hands a letter over; none when it has no use any more.
    async fn posted(&self, job: &LetterJob, now: Timestamp) -> Result<Option<Posted>, StoreError> {
        let body = job.body.expose();
        let Some(practice) = self.practice(&job.practice) else {
            return Ok(None);
        };
        let late = match job.kind {
            LetterKind::Notice => match body.word.rsplit_once("/p/") {
                Some((_, token)) => {
                    !matches!(self.portal_state(token).await?, LinkState::Asking(_))
                }
                // The practice's own portal says itself what is there.
                None => false,
            },
            LetterKind::Confirm | LetterKind::Code => now.duration_since(job.at) > CODE_LIFE,
        };
        let choice = self
            .store()
            .mail_choice(&practice.id, &body.patient)
            .await?;
        let wanted = choice.is_some_and(|it| {
            let addresses = it.addresses.expose();
            let same = |it: &Option<String>| it.as_deref() == Some(body.to.as_str());
            match job.kind {
                LetterKind::Confirm => same(&addresses.wanted),
                LetterKind::Notice | LetterKind::Code => same(&addresses.confirmed),
            }
        });
        if late || !wanted {
            return Ok(None);
        }
        let Some(relay) = self.relay_of(&practice, now).await? else {
            return Ok(Some(Posted::Later("no agreement".to_owned())));
        };
        let Some(conversation) = self.store().conversation(job.conversation).await? else {
            return Ok(None);
        };
        let Some((subject, text)) = self.written_letter(job, &practice, &conversation, now) else {
            return Ok(Some(Posted::Later("held".to_owned())));
        };
        let letter = Letter {
            id: job.id,
            sender: practice.said_name(body.language).to_owned(),
            to: Phi::from(body.to.as_str()),
            subject,
            text,
        };
        Ok(Some(relay.post(&letter).await))
    }

    /// The subject and the words; none when the guardrail lets an approved text not pass.
    fn written_letter(
        &self,
        job: &LetterJob,
        practice: &Practice,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Option<(String, String)> {
        let LetterBody { language, word, .. } = job.body.expose();
        let said = practice.said_name(*language);
        let rendered = match job.kind {
            LetterKind::Notice => self.fixed_text(TextId::MailNotice, practice, *language),
            LetterKind::Confirm => self.mail_code_text(said, word, *language),
            LetterKind::Code => self.portal_code_text(said, word, *language),
        };
        // What is mailed is read by whoever reads the mailbox: judged as for somebody who agreed to nothing.
        let mut anybody = conversation.clone();
        anybody.consent = crate::domain::consent::Consent::unknown(now);
        anybody.patient = None;
        let cleared = self.fixed(practice, &anybody, &rendered, now).cleared?;
        let subject = self.fixed_text(TextId::MailSubject, practice, *language);
        let subject = self.fixed(practice, &anybody, &subject, now).cleared?;
        let text = match job.kind {
            LetterKind::Notice => format!("{}\n\n{word}\n", cleared.text()),
            LetterKind::Confirm | LetterKind::Code => format!("{}\n", cleared.text()),
        };
        Some((subject.text().to_owned(), text))
    }

    /// Takes a bounce; whether it was about a letter of ours that had left.
    pub async fn mail_bounced(&self, message: &[u8]) -> Result<bool, StoreError> {
        let Some(bounce) = mail::bounce(message) else {
            return Ok(false);
        };
        let now = self.clock().now();
        let work = Arc::new(bounce);
        let known = self
            .store()
            .write(move |tx| {
                let bounce = Arc::clone(&work);
                Box::pin(async move {
                    let back = tx.letter_came_back(&bounce.id, &bounce.status, now).await?;
                    let Some((_, id, _)) = back else {
                        return Ok(false);
                    };
                    came_back(tx, id, &bounce.status, now).await?;
                    Ok(true)
                })
            })
            .await?;
        if known {
            metrics::counter!("anteroom_mails_total", "outcome" => "bounced").increment(1);
            self.changed();
        }
        Ok(known)
    }
}

/// The confirmed address, unless mail to it comes back.
fn usable(choice: &MailChoice) -> Option<&str> {
    let confirmed = choice.addresses.expose().confirmed.as_deref();
    confirmed.filter(|_| choice.bounced.is_none())
}

/// Tells of a secure message by e-mail where the patient chose it.
pub(crate) async fn tell(
    tx: &mut Tx,
    conversation: &Conversation,
    (patient, language): (&PatientId, Language),
    (id, url): (Option<[u8; 16]>, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let choice = tx.mail_choice(&conversation.practice, patient).await?;
    let (Some(to), Some(id)) = (choice.as_ref().and_then(usable), id) else {
        return Ok(false);
    };
    let body = LetterBody {
        to: to.to_owned(),
        patient: patient.clone(),
        language,
        word: url.to_owned(),
    };
    tx.add_letter(&id, conversation, LetterKind::Notice, &body, now)
        .await?;
    Ok(true)
}

async fn settle(
    tx: &mut Tx,
    (job, posted): &(LetterJob, Option<Posted>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (state, code) = match posted {
        None => ("dropped", ""),
        Some(Posted::Taken) => ("sent", ""),
        Some(Posted::Refused(code)) => ("refused", code.as_str()),
        Some(Posted::Later(code)) if job.attempts >= ATTEMPTS_MAX => ("failed", code.as_str()),
        Some(Posted::Later(code)) => {
            let doubled = 1_i32
                .checked_shl(u32::try_from(job.attempts - 1).unwrap_or(0))
                .unwrap_or(i32::MAX);
            let wait = BACKOFF.saturating_mul(doubled).min(BACKOFF_MAX);
            let due = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
            return tx.letter_later(job, due, code).await.map(drop);
        }
    };
    if !tx.letter_done(job, state, code).await? {
        return Ok(());
    }
    let detail = serde_json::json!({
        "kind": job.kind.as_str(), "state": state, "code": code, "attempts": job.attempts,
    });
    tx.append_audit(&Entry::new(
        &job.practice,
        now,
        "anteroom",
        if state == "sent" {
            "mail.sent"
        } else {
            "mail.not_sent"
        },
        &format!("conversation/{}", job.conversation),
        &detail,
    ))
    .await?;
    if state == "refused" && job.kind != LetterKind::Confirm {
        tx.mail_comes_back(&job.practice, &job.body.expose().patient, now)
            .await?;
    }
    let told = job.kind == LetterKind::Notice && matches!(state, "refused" | "failed");
    if told && let Some(conversation) = tx.lock_conversation(job.conversation).await? {
        let none = Phi::default();
        tx.hold(&conversation, &none, &none, CAME_BACK, now).await?;
    }
    Ok(())
}

/// A letter came back after it had left: the log says so, and staff may call.
async fn came_back(
    tx: &mut Tx,
    id: ConversationId,
    status: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(conversation) = tx.lock_conversation(id).await? else {
        return Ok(());
    };
    let none = Phi::default();
    tx.hold(&conversation, &none, &none, CAME_BACK, now).await?;
    tx.append_audit(&Entry::new(
        &conversation.practice,
        now,
        "anteroom",
        "mail.bounced",
        &format!("conversation/{id}"),
        &serde_json::json!({ "status": status }),
    ))
    .await
}
