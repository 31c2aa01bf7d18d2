//! The room behind a portal link: what a patient who has shown who they are reads, writes, chooses
//! and asks for.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::agent::texts::TextId;
use crate::audit::Entry;
use crate::domain::consent::{
    Act, ConsentEvent, ConsentState, Evidence, Notice, Party, RISK_NOTICE_ASKS,
};
use crate::domain::conversation::Conversation;
use crate::domain::ids::{ConversationId, PatientId};
use crate::domain::message::OutboundKind;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::pipeline::alarm;
use crate::pipeline::consent;
use crate::pipeline::house::House;
use crate::pipeline::portal::{LIFETIME, LinkState, hash, subject};
use crate::policy::words::{Language, vocabulary};
use crate::screen::Intent;
use crate::store::{Attached, Bearer, NewAttachment, SentLink, StoreError, Tx};

/// A session at the portal ends after so long without a click, as one of staff does.
pub const ROOM_IDLE: SignedDuration = SignedDuration::from_mins(15);
/// And after so long in any case.
pub const ROOM_WHOLE: SignedDuration = SignedDuration::from_hours(2);
/// Longest text that a patient may write there.
pub const REPLY_CHARS_MAX: usize = 4_000;
/// Texts of the patient's own that the page shows.
const REPLIES_MAX: u32 = 40;
/// The same words within this time are one text that was sent twice.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_mins(2);
/// What stands for the words where a patient sent files alone.
const FILES_ALONE: &str = "(files)";
/// The intent of a turn that was written in the portal.
pub const SECURE_REPLY: &str = "secure_reply";

/// Somebody who has shown who they are.
#[derive(Debug)]
pub struct Room {
    /// Whose practice.
    pub practice: Arc<Practice>,
    /// Who.
    pub patient: PatientId,
    /// The language of the message.
    pub language: Language,
    /// The conversation that the link was sent in.
    pub conversation: Conversation,
    pub(super) link: [u8; 32],
}

/// One message of the secure thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Whether the practice wrote it.
    pub ours: bool,
    /// The words.
    pub body: Phi<String>,
    /// When.
    pub at: Timestamp,
    /// The files with it.
    pub files: Vec<Attached>,
}

/// How the secure thread is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// On the page.
    Page,
    /// As a file that is kept elsewhere.
    Download,
    /// One of its files.
    File,
}

impl Look {
    const fn action(self) -> &'static str {
        match self {
            Self::Page => "portal.viewed",
            Self::Download => "portal.downloaded",
            Self::File => "portal.file_downloaded",
        }
    }
}

/// What became of a text that was written in the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replied {
    /// Staff have it.
    Kept,
    /// Staff have it, and the person must read this now: 911, 988, Poison Help.
    Urgent(String),
}

vocabulary! {
    /// What a patient chooses about texts.
    Choice, "choice" {
        /// Health details may be texted.
        Details = "details",
        /// No health details by text.
        NoDetails = "no_details",
        /// No texts at all.
        NoTexts = "no_texts",
        /// Texts again.
        Texts = "texts",
    }
}

impl Room {
    /// What may be chosen now.
    pub fn choices(&self) -> &'static [Choice] {
        let own = self.conversation.patient.as_ref() == Some(&self.patient);
        let state = self.conversation.consent.state;
        if state == ConsentState::OptedOut {
            &[Choice::Texts]
        } else if state == ConsentState::Granted {
            &[Choice::NoDetails, Choice::NoTexts]
        } else if own {
            &[Choice::Details, Choice::NoTexts]
        } else {
            // Agreeing binds a person: on a number that several share, by text and by name only.
            &[Choice::NoTexts]
        }
    }
}

impl House {
    /// Whoever has shown who they are at this link, if the cookie is of a whole session that has not
    /// ended.
    pub async fn portal_room(&self, token: &str, cookie: &str) -> Result<Option<Room>, StoreError> {
        let now = self.clock().now();
        let (link, session) = (hash(token), hash(cookie));
        let Some(found) = self.store().portal_session(&session).await? else {
            return Ok(None);
        };
        let idle = now.duration_since(found.seen) > ROOM_IDLE;
        if !found.whole
            || idle
            || now.duration_since(found.began) > ROOM_WHOLE
            || found.link != link
        {
            return Ok(None);
        }
        let LinkState::Asking(message) = self.portal_state(token).await? else {
            return Ok(None);
        };
        let Some(conversation) = self.portal_place(&link).await? else {
            return Ok(None);
        };
        let Some(practice) = self.practice(&message.practice) else {
            return Ok(None);
        };
        self.store().see_portal_session(&session, now).await?;
        Ok(Some(Room {
            practice,
            patient: message.patient,
            language: message.language,
            conversation,
            link,
        }))
    }

    /// Whether the cookie is of somebody who had shown who they are at this link, though the session has ended.
    pub async fn portal_was_in(&self, token: &str, cookie: &str) -> Result<bool, StoreError> {
        let found = self.store().portal_session(&hash(cookie)).await?;
        Ok(found.is_some_and(|it| it.whole && it.link == hash(token)))
    }

    pub(crate) async fn portal_place(
        &self,
        link: &[u8; 32],
    ) -> Result<Option<Conversation>, StoreError> {
        match self.store().portal_conversation(link).await? {
            Some(id) => self.store().conversation(id).await,
            None => Ok(None),
        }
    }

    /// The secure thread: what was sent to this person behind links, on whatever line of this number,
    /// and what they wrote, oldest first. The look is audited, as what it was.
    pub async fn portal_thread(&self, room: &Room, look: Look) -> Result<Vec<Said>, StoreError> {
        let now = self.clock().now();
        let number = &room.conversation.number;
        let lines = self
            .store()
            .conversations_with(&room.practice.id, number)
            .await?;
        let mut all = Vec::new();
        for line in lines {
            for SentLink { hash, message } in self.store().portal_messages(line.id).await? {
                if message.patient == room.patient {
                    all.push(Said {
                        ours: true,
                        body: message.body,
                        at: message.expires.saturating_sub(LIFETIME).unwrap_or(now),
                        files: self.store().attachments(Bearer::Link(hash)).await?,
                    });
                }
            }
            for reply in self.store().secure_replies(line.id, REPLIES_MAX).await? {
                if reply.patient == room.patient {
                    all.push(Said {
                        ours: false,
                        body: reply.body,
                        at: reply.at,
                        files: self.store().attachments(Bearer::Turn(reply.turn)).await?,
                    });
                }
            }
        }
        all.sort_by_key(|it| it.at);
        let detail = serde_json::json!({ "messages": all.len() });
        let entry = Arc::new(Entry::new(
            &room.practice.id,
            now,
            "patient",
            look.action(),
            &subject(&room.link),
            &detail,
        ));
        self.store()
            .write(move |tx| {
                let entry = Arc::clone(&entry);
                Box::pin(async move { tx.append_audit(&entry).await })
            })
            .await?;
        Ok(all)
    }

    /// A file of the secure thread, with its bytes; none that is another's, or whose link was closed.
    /// The look is audited.
    pub async fn portal_file(
        &self,
        room: &Room,
        id: &[u8; 16],
    ) -> Result<Option<(Attached, Phi<Vec<u8>>)>, StoreError> {
        let thread = self.portal_thread(room, Look::File).await?;
        let mut own = thread.iter().flat_map(|it| &it.files);
        if !own.any(|it| it.id == hex::encode(id)) {
            return Ok(None);
        }
        self.store().attachment(&room.practice.id, id).await
    }

    /// Takes what a patient wrote in the portal: staff read it in the inbox; no text answers it. A
    /// call for help is answered on the page and raises its alarm, as a text's does.
    pub async fn portal_reply(
        &self,
        room: &Room,
        text: &str,
        files: Vec<NewAttachment>,
    ) -> Result<Replied, StoreError> {
        let now = self.clock().now();
        let reading = self.parts.screen.read(text, None, room.language);
        let urgent = [
            (Intent::Emergency, TextId::Emergency),
            (Intent::Crisis, TextId::Crisis),
            (Intent::Poison, TextId::Poison),
        ];
        let urgent = urgent.iter().find(|(intent, _)| *intent == reading.intent);
        let urgent = urgent.map(|(_, id)| *id);
        let newest = self.store().secure_replies(room.conversation.id, 1).await?;
        let text = if text.is_empty() { FILES_ALONE } else { text };
        let twice = newest.first().is_some_and(|last| {
            last.patient == room.patient
                && last.body.as_str() == text
                && now.duration_since(last.at) < REPEATED_WITHIN
        });
        if !twice {
            let work = Arc::new((
                room.conversation.id,
                room.patient.clone(),
                text.to_owned(),
                reading,
                files,
            ));
            self.store()
                .write(move |tx| {
                    let work = Arc::clone(&work);
                    Box::pin(async move {
                        let (id, patient, text, reading, files) = &*work;
                        keep(tx, *id, (patient, text, files), reading, now).await
                    })
                })
                .await?;
            self.changed();
        }
        Ok(match urgent {
            Some(id) => {
                let said = self.fixed_text(id, &room.practice, room.language);
                Replied::Urgent(said.text)
            }
            None => Replied::Kept,
        })
    }

    /// The notice that a patient agrees to, as it would be texted.
    pub fn portal_notice(&self, room: &Room, language: Language) -> String {
        let rendered = self.fixed_text(TextId::RiskNotice, &room.practice, language);
        rendered.text
    }

    /// Takes a choice about texts, as if it had been texted; false when it cannot be chosen now.
    pub async fn portal_choose(&self, room: &Room, choice: Choice) -> Result<bool, StoreError> {
        if !room.choices().contains(&choice) {
            return Ok(false);
        }
        let now = self.clock().now();
        let notice = self.fixed_text(TextId::RiskNotice, &room.practice, room.language);
        let notice = Notice {
            text_id: notice.text_id,
            sha256: notice.sha256,
            language: room.language,
            at: now,
            asks: RISK_NOTICE_ASKS.to_vec(),
        };
        let party = Party {
            practice: room.practice.id.clone(),
            patient: Some(room.patient.clone()),
            number: room.conversation.number.clone(),
            channel: room.conversation.channel,
        };
        let acts = match choice {
            Choice::Details => vec![Act::NoticeSent(notice), Act::Yes(party)],
            Choice::NoDetails => vec![Act::No],
            Choice::NoTexts => vec![Act::Stop],
            Choice::Texts => vec![Act::Start],
        };
        let message = format!(
            "portal/{}",
            hex::encode(room.link.get(..8).unwrap_or_default())
        );
        let evidence = Evidence::of_text(now, &message, choice.as_str(), room.language);
        let work = Arc::new((room.conversation.id, acts, evidence));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { choose(tx, &work).await })
            })
            .await?;
        self.changed();
        Ok(true)
    }

    /// Ends a session at the portal.
    pub async fn portal_leave(&self, cookie: &str) -> Result<(), StoreError> {
        self.store().end_portal_session(&hash(cookie)).await
    }

    /// The tag of a form of this session, so that no other site's page can send one.
    pub fn portal_tag(cookie: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(b"anteroom portal form v1");
        digest.update(cookie.as_bytes());
        hex::encode(digest.finalize())
    }
}

async fn keep(
    tx: &mut Tx,
    id: ConversationId,
    (patient, text, files): (&PatientId, &str, &[NewAttachment]),
    reading: &crate::screen::Reading,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(conversation) = tx.lock_conversation(id).await? else {
        return Ok(());
    };
    let turn = tx
        .append_secure(&conversation, (patient, text), SECURE_REPLY, now)
        .await?;
    for file in files {
        tx.add_attachment(&conversation, Bearer::Turn(turn), file, now)
            .await?;
    }
    tx.save_heard(&conversation, Some(turn)).await?;
    alarm::raise(tx, &conversation, turn, reading, now).await?;
    // No text answers it; a person does.
    tx.mark_answered(id, &[turn]).await?;
    let none = Phi::default();
    tx.hold(&conversation, &none, &none, "wrote in the portal", now)
        .await?;
    let about = serde_json::json!({ "turn": turn.0, "rules": reading.rules, "files": files.len() });
    tx.append_audit(&Entry::new(
        &conversation.practice,
        now,
        "patient",
        "portal.replied",
        &format!("conversation/{id}"),
        &about,
    ))
    .await
}

async fn choose(
    tx: &mut Tx,
    (id, acts, evidence): &(ConversationId, Vec<Act>, Evidence),
) -> Result<(), StoreError> {
    let Some(mut conversation) = tx.lock_conversation(*id).await? else {
        return Ok(());
    };
    for act in acts {
        let event = ConsentEvent::new(act.clone(), evidence.clone());
        if let Some(moved) = consent::record(tx, &mut conversation, &event).await? {
            let entry = consent::entry(&conversation, &event, &moved);
            tx.append_audit(&entry).await?;
        }
    }
    if conversation.consent.state == ConsentState::OptedOut {
        tx.suppress_queued(*id, &[OutboundKind::Safety]).await?;
    }
    tx.save_conversation(&conversation).await
}
