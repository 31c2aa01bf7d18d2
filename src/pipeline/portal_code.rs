//! The code that a portal link asks for beside the birth date: by text to the number that got the link, or
//! by e-mail where texts were stopped and an address was confirmed.

use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, PortalMessage};
use crate::domain::ids::ConversationId;
use crate::domain::message::OutboundKind;
use crate::pipeline::house::House;
use crate::pipeline::portal::{CODE_LIFE, Opening, hash, subject};
use crate::pipeline::reply::Reply;
use crate::policy::words::Jurisdiction;
use crate::store::{LetterBody, LetterKind, StoreError, Tx};

/// Codes that are sent for one link before somebody has opened it.
const CODES_MAX: i64 = 4;

/// How the code goes.
enum Way {
    Text(Box<Reply>),
    Mail([u8; 16], LetterBody),
}

type Sending = ([u8; 32], ConversationId, Way, String, String);

impl House {
    /// Sends a code the way that the link came.
    pub(super) async fn portal_send_code(
        &self,
        key: &[u8; 32],
        message: PortalMessage,
        now: Timestamp,
    ) -> Result<Opening, StoreError> {
        let code = self.drawn_code();
        let conversation = self.portal_place(key).await?;
        let (Some(session), Some(conversation), Some(code)) =
            (self.portal_token(), conversation, code)
        else {
            return Ok(Opening::Uncodable(message));
        };
        let Some((way, tail)) = self.code_way(&message, &conversation, &code, now).await? else {
            return Ok(Opening::Uncodable(message));
        };
        let work = Arc::new((*key, conversation.id, way, code, session.clone()));
        let sent = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { send_code(tx, &work, now).await })
            })
            .await?;
        if !sent {
            return Ok(Opening::Uncodable(message));
        }
        self.outbox.notify_one();
        self.letters.notify_one();
        self.changed();
        Ok(Opening::Coded {
            message,
            session,
            tail,
        })
    }

    /// By text, or by e-mail to whoever wants no texts; none where neither goes.
    async fn code_way(
        &self,
        message: &PortalMessage,
        conversation: &Conversation,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<(Way, String)>, StoreError> {
        let Some(practice) = self.practice(&message.practice) else {
            return Ok(None);
        };
        if conversation.consent.state == ConsentState::OptedOut {
            let to = self.mail_address(&practice, &message.patient).await?;
            let (Some(to), Some(id)) = (to, self.letter_id()) else {
                return Ok(None);
            };
            let body = LetterBody {
                to: to.into_inner(),
                patient: message.patient.clone(),
                language: message.language,
                word: code.to_owned(),
            };
            return Ok(Some((Way::Mail(id, body), String::new())));
        }
        let said = practice.said_name(message.language);
        let rendered = self.portal_code_text(said, code, message.language);
        let mut reply = self.fixed(&practice, conversation, &rendered, now);
        reply.tag(&self.governed_in(conversation, &practice, Jurisdiction::UNKNOWN, now));
        let number = conversation.number.as_str();
        let tail = number.get(number.len().saturating_sub(2)..);
        let tail = tail.unwrap_or_default().to_owned();
        Ok(Some((Way::Text(Box::new(reply)), tail)))
    }
}

async fn send_code(
    tx: &mut Tx,
    (key, id, way, code, session): &Sending,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(conversation) = tx.lock_conversation(*id).await? else {
        return Ok(false);
    };
    if matches!(way, Way::Text(reply) if reply.cleared.is_none()) {
        return Ok(false);
    }
    let practice = &conversation.practice;
    let until = now.saturating_add(CODE_LIFE).unwrap_or(now);
    if tx.spend_portal_try(key).await? < 0
        || !tx
            .set_portal_code(key, (practice, code), until, CODES_MAX)
            .await?
    {
        return Ok(false);
    }
    tx.begin_portal_session(&hash(session), (key, practice), false, now)
        .await?;
    let by = match way {
        Way::Text(reply) => {
            let Some(cleared) = &reply.cleared else {
                return Ok(false);
            };
            let law = (None, &reply.law);
            tx.enqueue(&conversation, cleared, OutboundKind::Reply, law, now)
                .await?;
            "text"
        }
        Way::Mail(letter, body) => {
            tx.add_letter(letter, &conversation, LetterKind::Code, body, now)
                .await?;
            "mail"
        }
    };
    let detail = serde_json::json!({ "conversation": id.0, "by": by });
    let subject = subject(key);
    let entry = Entry::new(
        practice,
        now,
        "patient",
        "portal.code_sent",
        &subject,
        &detail,
    );
    tx.append_audit(&entry).await?;
    Ok(true)
}
