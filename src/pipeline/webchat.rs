//! The chat of a practice's web site: who is in it, what they say and read, and how they learn of an
//! answer that came when they were gone.
//!
//! A chat belongs to the phone number that its code was texted to, like any other conversation of that
//! number; what is said in it takes the one way in that every text takes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::agent::texts::TextId;
use crate::audit::Entry;
use crate::carrier::hear::Report;
use crate::carrier::web::Web;
use crate::domain::conversation::{Conversation, Direction, PendingKind, Turn};
use crate::domain::message::{Delivery, Inbound, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::{CarrierKind, Practice};
use crate::pipeline::house::{House, Parts};
use crate::pipeline::portal::hash;
use crate::pipeline::portal_room::{ROOM_IDLE, ROOM_WHOLE, SECURE_REPLY};
use crate::pipeline::receive::Received;
use crate::pipeline::reply::Reply;
use crate::policy::words::Channel;
use crate::store::{ChatSession, StoreError, Tx, Unread};

/// How much of what was said before a session began its page shows: a phone that is used by others since
/// tells them nothing old.
const SHOWN_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// How long an answer that nobody has taken waits in the chat; then it is with staff alone.
const WAITS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Texts of a conversation that its page shows.
const THREAD_TURNS_MAX: u32 = 200;

/// Messages in a minute that a person may write; more is no person.
const SAID_MAX: i64 = 12;
const SAID_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// After so long an answer that no page has taken is told of by text: an open page takes it within a
/// second, and whoever opens the page again at once has seen it.
const UNTAKEN_FOR: SignedDuration = SignedDuration::from_mins(2);

/// Chats that are looked at in one round; the next round takes the rest.
const UNTOLD_MAX: u32 = 50;

/// What stands before the key of a message in its id.
const KEY: &str = "chat-";

/// Opens the chats that are configured, as lines of their practices.
pub(super) fn open(parts: &mut Parts) {
    for (id, practice) in &mut parts.practices {
        if practice.webchat.is_some() {
            Arc::make_mut(practice).open_chat();
        }
        if practice.chat_sender().is_some() {
            let key = (id.clone(), CarrierKind::Web);
            parts.carriers.insert(key, Arc::new(Web));
        }
    }
}

/// Somebody who has shown that the number is theirs.
#[derive(Debug)]
pub struct Guest {
    /// Whose chat.
    pub practice: Arc<Practice>,
    /// The session.
    pub session: ChatSession,
    token: [u8; 32],
}

/// One message, as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTurn {
    /// Its number; ascending.
    pub id: i64,
    /// Whether the practice wrote it.
    pub ours: bool,
    /// Under which key the page sent it.
    pub key: Option<String>,
    /// The words.
    pub body: Phi<String>,
    /// When.
    pub at: Timestamp,
    /// Whether no page has taken it yet.
    pub fresh: bool,
}

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatThread {
    /// The messages, oldest first.
    pub turns: Vec<ChatTurn>,
    /// Whether YES or NO is waited for.
    pub asks: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is committed, now or before.
    Kept,
    /// Too many at once.
    TooMany,
}

impl House {
    /// Whoever holds this token, if it is of a whole session of this practice that has not ended.
    pub async fn chat_guest(
        &self,
        practice: &Arc<Practice>,
        token: &str,
    ) -> Result<Option<Guest>, StoreError> {
        let now = self.clock().now();
        let token = hash(token);
        let found = self.store().chat_session(&token).await?;
        let live = |it: &ChatSession| {
            it.whole
                && !it.ended
                && it.practice == practice.id
                && now.duration_since(it.seen) <= ROOM_IDLE
                && now.duration_since(it.began) <= ROOM_WHOLE
        };
        Ok(found.filter(live).map(|session| Guest {
            practice: Arc::clone(practice),
            session,
            token,
        }))
    }

    /// Takes what is written in the chat, by the one way in; the same key is the same message.
    pub async fn chat_say(
        self: &Arc<Self>,
        guest: &Guest,
        key: &str,
        text: &str,
    ) -> Result<Said, StoreError> {
        let Some(line) = guest.practice.chat_sender() else {
            return Ok(Said::TooMany);
        };
        let now = self.clock().now();
        let since = now.saturating_sub(SAID_WITHIN).unwrap_or(now);
        let may = self
            .store()
            .say_in_chat(&guest.token, now, (since, SAID_MAX));
        if !may.await? {
            return Ok(Said::TooMany);
        }
        let inbound = Inbound::text(
            (CarrierKind::Web, format!("{KEY}{key}")),
            Channel::Webchat,
            guest.session.number.clone(),
            line.number.clone(),
            Phi::from(text),
            now,
        );
        let practice = Arc::clone(&guest.practice);
        match self.receive(practice, inbound).await? {
            Received::New | Received::Duplicate => Ok(Said::Kept),
        }
    }

    /// What the page shows, oldest first: this session, a day before it, and what waits.
    pub async fn chat_thread(&self, guest: &Guest) -> Result<ChatThread, StoreError> {
        let Some(conversation) = self.chat_line(guest).await? else {
            return Ok(ChatThread::default());
        };
        let turns = self
            .store()
            .turns(conversation.id, THREAD_TURNS_MAX)
            .await?;
        let began = guest.session.began;
        // Of a number that may have changed hands, nothing is shown that was said before.
        let doubted = conversation.speaker.doubt.is_some();
        let ago = |span| began.saturating_sub(span).unwrap_or(began);
        let since = if doubted { began } else { ago(SHOWN_BEFORE) };
        let waits = if doubted { began } else { ago(WAITS) };
        let shown = |it: &Turn| match (it.direction, it.delivery) {
            (Direction::Inbound, _) => it.at >= since && it.intent != SECURE_REPLY,
            (Direction::Outbound, Some(Delivery::Sent)) => it.at >= waits,
            (Direction::Outbound, Some(Delivery::Delivered | Delivery::Read)) => it.at >= since,
            (Direction::Outbound, _) => false,
        };
        let pending = conversation.pending.as_ref();
        Ok(ChatThread {
            asks: pending.is_some_and(|it| it.kind == PendingKind::Consent),
            turns: turns.into_iter().filter(shown).map(told).collect(),
        })
    }

    /// Takes note of the texts that a page has taken; they are delivered.
    pub async fn chat_taken(&self, guest: &Guest, turns: &[i64]) -> Result<(), StoreError> {
        let Some(conversation) = self.chat_line(guest).await? else {
            return Ok(());
        };
        let untaken = self.store().chat_untaken(conversation.id).await?;
        for (outbox, _) in untaken.iter().filter(|(_, turn)| turns.contains(&turn.0)) {
            let reference = super::report::reference_of(&conversation.practice, *outbox);
            let report = Report {
                carrier_id: reference.clone(),
                delivery: Delivery::Delivered,
                code: None,
                reference: Some(reference),
            };
            let practice = &conversation.practice;
            self.delivery(practice, CarrierKind::Web, &report).await?;
        }
        Ok(())
    }

    /// Takes note that somebody is there: a session lives while something is done in it.
    pub async fn chat_here(&self, guest: &Guest) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.store().see_chat(&guest.token, now).await
    }

    /// Ends a session.
    pub async fn chat_end(&self, guest: &Guest) -> Result<(), StoreError> {
        let now = self.clock().now();
        let (token, practice) = (guest.token, guest.practice.id.clone());
        self.store()
            .write(move |tx| {
                let practice = practice.clone();
                Box::pin(async move {
                    if !tx.end_chat(&token, now).await? {
                        return Ok(());
                    }
                    let none = serde_json::json!({});
                    let about = subject(&token);
                    let entry = Entry::new(&practice, now, "patient", "chat.ended", &about, &none);
                    tx.append_audit(&entry).await
                })
            })
            .await?;
        self.changed();
        Ok(())
    }

    async fn chat_line(&self, guest: &Guest) -> Result<Option<Conversation>, StoreError> {
        let Some(line) = guest.practice.chat_sender() else {
            return Ok(None);
        };
        let (practice, number) = (&guest.practice.id, &guest.session.number);
        let lines = self.store().conversations_with(practice, number).await?;
        let ours = |it: &Conversation| it.carrier == CarrierKind::Web && it.sender == line.number;
        Ok(lines.into_iter().find(ours))
    }

    /// Tells whoever is gone from a chat, once and by text, that an answer waits there; how many were
    /// told. The text says nothing of it. Who wants no texts is not told: the answer waits all the same.
    pub async fn tell_of_chats_once(&self) -> Result<u64, StoreError> {
        let now = self.clock().now();
        let before = now.saturating_sub(UNTAKEN_FOR).unwrap_or(Timestamp::MIN);
        let mut told = 0;
        for unread in self.store().chats_untold(before, UNTOLD_MAX).await? {
            told += u64::from(self.tell_of_chat(&unread, now).await?);
        }
        if told > 0 {
            self.outbox.notify_one();
            self.changed();
        }
        Ok(told)
    }

    async fn tell_of_chat(&self, unread: &Unread, now: Timestamp) -> Result<bool, StoreError> {
        let session = &unread.session;
        let mut said = None;
        if let Some(practice) = self.practice(&session.practice)
            && let Some(line) = self.text_line(&practice, session, now).await?
            && line.allows_texts()
        {
            let language = self.store().conversation(unread.conversation).await?;
            let language = language.map_or(session.language, |it| it.language);
            let rendered = self.fixed_text(TextId::ChatWaits, &practice, language);
            let reply = self.approved(&practice, &line, &rendered, now);
            said = reply.cleared.is_some().then_some((line, reply));
        }
        let work = Arc::new((unread.clone(), said));
        let write = self.store().write(move |tx| {
            let work = Arc::clone(&work);
            Box::pin(async move { tell(tx, &work, now).await })
        });
        write.await
    }
}

fn told(turn: Turn) -> ChatTurn {
    let key = turn.carrier_id.as_deref();
    ChatTurn {
        id: turn.id.0,
        ours: turn.direction == Direction::Outbound,
        key: key.and_then(|id| id.strip_prefix(KEY)).map(str::to_owned),
        body: turn.body,
        at: turn.at,
        fresh: turn.delivery == Some(Delivery::Sent),
    }
}

/// How the audit log names a session.
pub(super) fn subject(token: &[u8; 32]) -> String {
    format!("chat/{}", hex::encode(token.get(..8).unwrap_or_default()))
}

async fn tell(
    tx: &mut Tx,
    (unread, said): &(Unread, Option<(Conversation, Reply)>),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let session = &unread.session;
    if !tx
        .tell_chat(&session.practice, &session.number, now)
        .await?
    {
        return Ok(false);
    }
    let mut left = None;
    if let Some((line, reply)) = said
        && let Some(cleared) = &reply.cleared
    {
        let law = (None, &reply.law);
        let outbox = tx
            .enqueue(line, cleared, OutboundKind::Reply, law, now)
            .await?;
        left = Some(outbox.0);
    }
    let about = format!("conversation/{}", unread.conversation);
    let detail = serde_json::json!({ "outbox": left });
    let action = if left.is_some() {
        "chat.told"
    } else {
        "chat.not_told"
    };
    let entry = Entry::new(&session.practice, now, "anteroom", action, &about, &detail);
    tx.append_audit(&entry).await?;
    Ok(left.is_some())
}
