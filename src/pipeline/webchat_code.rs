//! How somebody shows in the chat that a number is theirs: a code by text to it.
//!
//! Whatever the number is, the page is told the same: on file or not, opted out or not, too often or not.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::agent::texts::RenderedText;
use crate::audit::Entry;
use crate::domain::conversation::Conversation;
use crate::domain::message::OutboundKind;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::pipeline::portal::{CODE_LIFE, TRIES_MAX, hash};
use crate::pipeline::reply::Reply;
use crate::pipeline::webchat::subject;
use crate::policy::words::{Jurisdiction, Language};
use crate::store::{ChatSession, NewConversation, StoreError, Tx};

/// Codes to one number in an hour and in a day: whoever comes back often still gets one, and nobody is
/// plagued with texts. With five tries each, guessing for a whole day finds one code in twenty thousand.
const CODES_AN_HOUR: i64 = 4;
const CODES_A_DAY: i64 = 10;

/// Numbers that are given in an hour to one practice; more are no patients, and texts cost money.
const BEGUN_AN_HOUR: i64 = 240;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What giving a number leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// A code is on its way, where one may be texted; the token of the half session.
    Asked(String),
    /// Nobody can begin now.
    Busy,
}

/// What giving a code leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The token of the whole session.
    In(String),
    /// Another code, or one that is too old; tries left.
    Wrong(i64),
    /// It must be begun anew.
    Over,
}

/// Whether a code may go to a number.
enum May {
    Text(Box<Conversation>),
    Not(&'static str),
    Busy,
}

type Sending = ([u8; 32], ChatSession, String, Result<Letter, &'static str>);
type Letter = (Conversation, Reply);

impl House {
    /// Takes a number that wants to chat: texts a code to it, where it may be texted.
    pub async fn chat_begin(
        &self,
        practice: &Arc<Practice>,
        number: &E164,
        language: Language,
    ) -> Result<Begun, StoreError> {
        let now = self.clock().now();
        let (Some(token), Some(code)) = (self.portal_token(), self.drawn_code()) else {
            return Ok(Begun::Busy);
        };
        let session = ChatSession {
            practice: practice.id.clone(),
            number: number.clone(),
            language,
            whole: false,
            tries_left: TRIES_MAX,
            began: now,
            seen: now,
            ended: false,
        };
        let letter = match self.chat_may_code(practice, &session, now).await? {
            May::Busy => return Ok(Begun::Busy),
            May::Not(why) => Err(why),
            May::Text(line) => {
                let said = practice.said_name(language);
                let rendered = self.portal_code_text(said, &code, language);
                let reply = self.approved(practice, &line, &rendered, now);
                let held = "the text with the code was held";
                let cleared = reply.cleared.is_some();
                if cleared {
                    Ok((*line, reply))
                } else {
                    Err(held)
                }
            }
        };
        let work: Arc<Sending> = Arc::new((hash(&token), session, code, letter));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { send(tx, &work, now).await })
            })
            .await?;
        self.outbox.notify_one();
        self.changed();
        Ok(Begun::Asked(token))
    }

    async fn chat_may_code(
        &self,
        practice: &Arc<Practice>,
        session: &ChatSession,
        now: Timestamp,
    ) -> Result<May, StoreError> {
        let Some(line) = text_line(practice, &session.number, session.language) else {
            return Ok(May::Busy);
        };
        let work = Arc::new(line);
        let may = self.store().write(move |tx| {
            let line = Arc::clone(&work);
            Box::pin(async move { may_code(tx, &line, now).await })
        });
        may.await
    }

    /// The conversation by which a number is texted.
    pub(super) async fn text_line(
        &self,
        practice: &Practice,
        session: &ChatSession,
        now: Timestamp,
    ) -> Result<Option<Conversation>, StoreError> {
        let Some(line) = text_line(practice, &session.number, session.language) else {
            return Ok(None);
        };
        let line = Arc::new(line);
        let found = self.store().write(move |tx| {
            let line = Arc::clone(&line);
            Box::pin(async move { tx.conversation_for(&line, now).await })
        });
        found.await.map(Some)
    }

    /// Approved words to this conversation, with the law that they were cleared by.
    pub(super) fn approved(
        &self,
        practice: &Practice,
        line: &Conversation,
        rendered: &RenderedText,
        now: Timestamp,
    ) -> Reply {
        let mut reply = self.fixed(practice, line, rendered, now);
        reply.tag(&self.governed_in(line, practice, Jurisdiction::UNKNOWN, now));
        reply
    }

    /// Makes a half session whole with the code that was texted. A wrong one costs a try.
    pub async fn chat_confirm(
        &self,
        practice: &Practice,
        token: &str,
        code: &str,
    ) -> Result<Confirmed, StoreError> {
        let now = self.clock().now();
        let half = hash(token);
        let begun = self.store().chat_session(&half).await?;
        let open = |it: &ChatSession| !it.whole && !it.ended && it.practice == practice.id;
        let (Some(session), Some(fresh)) = (begun.filter(open), self.portal_token()) else {
            return Ok(Confirmed::Over);
        };
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        let whole = ChatSession {
            whole: true,
            began: now,
            seen: now,
            ..session
        };
        let work = Arc::new((half, whole, digits, hash(&fresh)));
        let left = self.store().write(move |tx| {
            let work = Arc::clone(&work);
            Box::pin(async move { confirm(tx, &work, now).await })
        });
        Ok(match left.await? {
            None => Confirmed::In(fresh),
            Some(left) if left <= 0 => Confirmed::Over,
            Some(left) => Confirmed::Wrong(left),
        })
    }
}

/// The line by which a number is texted.
fn text_line(practice: &Practice, number: &E164, language: Language) -> Option<NewConversation> {
    let sender = practice.text_sender()?;
    Some(NewConversation {
        practice: practice.id.clone(),
        carrier: sender.carrier,
        channel: sender.channel,
        sender: sender.number.clone(),
        number: number.clone(),
        language,
    })
}

async fn may_code(tx: &mut Tx, line: &NewConversation, now: Timestamp) -> Result<May, StoreError> {
    let ago = |span| now.saturating_sub(span).unwrap_or(Timestamp::MIN);
    if tx.chats_begun(&line.practice, ago(HOUR)).await? >= BEGUN_AN_HOUR {
        return Ok(May::Busy);
    }
    let to = (&line.practice, &line.number);
    if tx.chat_codes(to, ago(HOUR)).await? >= CODES_AN_HOUR
        || tx.chat_codes(to, ago(DAY)).await? >= CODES_A_DAY
    {
        return Ok(May::Not("too many codes"));
    }
    let conversation = tx.conversation_for(line, now).await?;
    Ok(if conversation.allows_texts() {
        May::Text(Box::new(conversation))
    } else {
        May::Not("opted out")
    })
}

async fn send(
    tx: &mut Tx,
    (token, session, code, letter): &Sending,
    now: Timestamp,
) -> Result<(), StoreError> {
    let until = now.saturating_add(CODE_LIFE).unwrap_or(now);
    let (action, detail) = match letter {
        Ok((line, reply)) => {
            let Some(cleared) = &reply.cleared else {
                return Ok(());
            };
            tx.begin_chat(token, session, Some((code, until))).await?;
            let law = (None, &reply.law);
            tx.enqueue(line, cleared, OutboundKind::Reply, law, now)
                .await?;
            tx.set_unheard_aside(line.id).await?;
            let detail = serde_json::json!({ "conversation": line.id.0 });
            ("chat.code_sent", detail)
        }
        Err(why) => {
            tx.begin_chat(token, session, None).await?;
            ("chat.no_code", serde_json::json!({ "why": why }))
        }
    };
    let (practice, about) = (&session.practice, subject(token));
    let entry = Entry::new(practice, now, "patient", action, &about, &detail);
    tx.append_audit(&entry).await
}

/// Spends a try, or makes the session whole; `None` means whole.
async fn confirm(
    tx: &mut Tx,
    (half, whole, code, fresh): &([u8; 32], ChatSession, String, [u8; 32]),
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let practice = &whole.practice;
    let left = tx.spend_chat_try(half, practice).await?;
    if left < 0 {
        return Ok(Some(left));
    }
    let right = tx.use_chat_code(half, (practice, code), now).await?;
    if right {
        tx.begin_chat(fresh, whole, None).await?;
    }
    let (action, token) = if right {
        ("chat.opened", fresh)
    } else {
        ("chat.refused", half)
    };
    let detail = serde_json::json!({ "tries_left": left });
    let about = subject(token);
    let entry = Entry::new(practice, now, "patient", action, &about, &detail);
    tx.append_audit(&entry).await?;
    Ok((!right).then_some(left))
}
