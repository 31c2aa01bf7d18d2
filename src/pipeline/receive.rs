//! Receive: an authenticated text becomes one committed inbound, whatever the carrier repeats.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::audit::Entry;
use crate::carrier::keywords::{Keyword, keyword};
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{
    Conversation, Direction, INTERIM, PendingKind, PendingQuestion, Turn,
};
use crate::domain::ids::{ConversationId, TurnId};
use crate::domain::message::{INBOUND_CHARS_MAX, Inbound, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::{KeywordReplies, Practice};
use crate::domain::waiting::Errand;
use crate::llm::offline::{speaks_of_waitlist, takes_off};
use crate::pipeline::alarm;
use crate::pipeline::consent::{self, CarrierDid, KEEP, Meaning, STOP_DOUBT, lines};
use crate::pipeline::handoff;
use crate::pipeline::house::House;
use crate::pipeline::plan::told_to_staff;
use crate::pipeline::remind::QUESTION_WAITS;
use crate::policy::words::{Channel, Language};
use crate::screen::{Intent, Reading};
use crate::store::{NewConversation, StoreError, Tx};

/// What still leaves after STOP: its one confirmation, what HELP asked for, and safety.
const AFTER_STOP: &[OutboundKind] = &[
    OutboundKind::Safety,
    OutboundKind::OptOutConfirmation,
    OutboundKind::Help,
];

/// Why staff look at the first text on a line that a STOP on another has closed: whoever writes may
/// not know that nobody answers there.
const UNAWARE: &str = "wrote here after STOP on another line";

/// How far a carrier's clock and ours may differ.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(120);

/// How many texts back our last one is looked for.
const SAID_BEFORE: u32 = 8;

/// How long after our text what is not named in an answer is what it spoke of.
const STILL_MEANT: SignedDuration = SignedDuration::from_hours(24);

/// What became of an inbound text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Committed now.
    New,
    /// Committed before; nothing changed.
    Duplicate,
}

impl House {
    /// Commits an inbound text, its consent event and the wish for a reply, in one transaction.
    pub async fn receive(
        self: &Arc<Self>,
        practice: Arc<Practice>,
        inbound: Inbound,
    ) -> Result<Received, StoreError> {
        let house = Arc::clone(self);
        let now = self.clock().now().max(inbound.at);
        let inbound = Arc::new(inbound);
        let received = self
            .store()
            .write(move |tx| {
                let (house, practice, inbound) = (
                    Arc::clone(&house),
                    Arc::clone(&practice),
                    Arc::clone(&inbound),
                );
                Box::pin(async move { house.receive_in(tx, &practice, &inbound, now).await })
            })
            .await?;
        let (received, conversation) = received;
        if let Some(conversation) = conversation {
            self.overtake(conversation);
        }
        if received == Received::New {
            metrics::counter!("anteroom_inbound_total").increment(1);
            self.replies.notify_one();
            self.waiting.notify_one();
            self.files.notify_one();
            self.changed();
        }
        Ok(received)
    }

    async fn receive_in(
        &self,
        tx: &mut Tx,
        practice: &Practice,
        inbound: &Inbound,
        now: Timestamp,
    ) -> Result<(Received, Option<ConversationId>), StoreError> {
        if !tx
            .admit(&practice.id, inbound.carrier, &inbound.carrier_id)
            .await?
        {
            return Ok((Received::Duplicate, None));
        }
        // A text whose webhook was lost was written before it came here: what it says of consent, and
        // WhatsApp's window, count from then; what is done about it counts from now.
        let at = inbound.at;
        let mut conversation = tx.conversation_for(&key_of(practice, inbound), at).await?;
        handoff::come_back(tx, &mut conversation, now).await?;
        let closed = lines::close_if_opted_out(tx, &mut conversation, at).await?;
        let doubt = consent::doubt_silence(tx, &mut conversation, at).await?;
        let newly_closed = closed.is_some();
        let mut moved: Vec<_> = closed.into_iter().chain(doubt).collect();
        conversation.end_session(at);
        // What was asked after it was written, it does not answer.
        let later = conversation.pending.take_if(|it| asked_after(it, at));
        let epoch = conversation.epoch;
        let reading = self.read(inbound, &conversation);
        let did = carrier_did(practice, &conversation, inbound);
        let about = (inbound, did);
        let meaning = self.meant(tx, &conversation, &reading, about).await?;
        let silence = silence(&conversation, &reading, did, meaning.intent);
        let turn = tx
            .append_inbound(&conversation, inbound, meaning.intent, at)
            .await?;
        alarm::raise(tx, &conversation, turn, &reading, now).await?;
        let evidence = consent::evidence(inbound, &reading);
        moved.extend(consent::take(tx, &mut conversation, meaning.acts, &evidence).await?);
        if meaning.intent == KEEP {
            // The question that stood open before is open again.
            let waits = conversation.consent.state == ConsentState::NoticeSent;
            conversation.pending = waits.then(|| consent::question(PendingKind::Consent, now));
        }
        if conversation.epoch == epoch {
            conversation.pending = conversation.pending.take().or(later);
        }
        conversation.language = reading.wished_language().unwrap_or(reading.language);
        conversation.last_inbound = conversation.last_inbound.max(Some(at));
        if moved.iter().any(|it| it["event"] == "yes") {
            tx.wake_waiting(conversation.id, now).await?;
        }
        if opens_live(&reading) && tx.release_invitation(conversation.id, now).await? {
            // What is asked now waits for YES like any first question.
            let until = now.saturating_add(QUESTION_WAITS).unwrap_or(now);
            tx.wait_for_yes(&conversation, &Errand::Question, until, until, now)
                .await?;
        }
        let mut suppressed = 0;
        if conversation.consent.state == ConsentState::OptedOut {
            suppressed = tx.suppress_queued(conversation.id, AFTER_STOP).await?;
        }
        tx.save_heard(&conversation, Some(turn)).await?;
        match silence {
            None => tx.want_reply(conversation.id, now).await?,
            Some(_) => drop(tx.mark_answered(conversation.id, &[turn]).await?),
        }
        let staff = told_to_staff(meaning.intent).or_else(|| newly_closed.then_some(UNAWARE));
        let staff = staff.filter(|_| silence.is_some());
        if let Some(reason) = staff {
            let none = Phi::default();
            tx.hold(&conversation, &none, &none, reason, now).await?;
        }
        let outcome = silence.unwrap_or("queued");
        let did = (meaning.intent, moved, suppressed);
        let about = told((turn, inbound, now), &reading, did, outcome);
        tx.append_audit(&received(&conversation, now, &about))
            .await?;
        Ok((Received::New, Some(conversation.id)))
    }
}

impl House {
    /// A text against the open question.
    fn read(&self, inbound: &Inbound, conversation: &Conversation) -> Reading {
        consent::read(
            &self.parts.screen,
            said(inbound, conversation),
            conversation,
        )
    }
}

impl House {
    /// What a text means here.
    async fn meant(
        &self,
        tx: &mut Tx,
        conversation: &Conversation,
        reading: &Reading,
        (inbound, did): (&Inbound, CarrierDid),
    ) -> Result<Meaning, StoreError> {
        let about = (inbound, did);
        if let Some(meaning) = self.elided(tx, conversation, reading, about).await? {
            return Ok(meaning);
        }
        // A YES to a notice that has not left answers something else.
        let heard = reading.intent != Intent::ConsentYes || tx.notice_left(conversation.id).await?;
        Ok(consent::meaning(conversation, reading, inbound, did, heard))
    }

    /// What "take me off" means where our last text spoke of another list than that of texts: the place
    /// on the waitlist, if that was the text; and if it offered a time from it, we ask. What names texts,
    /// or says STOP, ends them wherever it stands (47 CFR 64.1200(a)(10)).
    async fn elided(
        &self,
        tx: &mut Tx,
        conversation: &Conversation,
        reading: &Reading,
        (inbound, did): (&Inbound, CarrierDid),
    ) -> Result<Option<Meaning>, StoreError> {
        let urgent = [Intent::Emergency, Intent::Crisis, Intent::Poison];
        let ends = |rule: &Arc<str>| rule.starts_with("opt_out");
        let unsaid = did == CarrierDid::Nothing
            && reading.rules.iter().any(ends)
            && !urgent.contains(&reading.intent)
            && takes_off(inbound.body.as_str());
        if !unsaid || !conversation.allows_texts() {
            return Ok(None);
        }
        let turns = tx.turns(conversation.id, SAID_BEFORE).await?;
        let ours = |turn: &&Turn| turn.direction == Direction::Outbound && turn.intent != INTERIM;
        let Some(last) = turns.iter().rfind(ours) else {
            return Ok(None);
        };
        let fresh = inbound.at.duration_since(last.at) < STILL_MEANT;
        let offered = conversation.pending.as_ref();
        let offered = offered.is_some_and(|it| it.kind == PendingKind::SlotOffer);
        let intent = if !fresh {
            return Ok(None);
        } else if offered {
            STOP_DOUBT
        } else if speaks_of_waitlist(last.body.as_str()) {
            Intent::Other.as_str()
        } else {
            return Ok(None);
        };
        let acts = Vec::new();
        Ok(Some(Meaning { intent, acts }))
    }
}

/// What is told of a text without its words.
fn told(
    (turn, inbound, now): (TurnId, &Inbound, Timestamp),
    reading: &Reading,
    (intent, moved, suppressed): (&str, Vec<serde_json::Value>, u64),
    outcome: &str,
) -> serde_json::Value {
    serde_json::json!({
        "turn": turn.0,
        "written": (inbound.at < now).then(|| inbound.at.to_string()),
        "consent": moved,
        "suppressed": suppressed,
        "outcome": outcome,
        "carrier": inbound.carrier.as_str(),
        "channel": inbound.channel.as_str(),
        "intent": intent,
        "injection": reading.injection,
        "language": reading.language.as_str(),
        "rules": reading.rules,
        "at_length_limit": inbound.body.as_str().chars().count() >= INBOUND_CHARS_MAX,
    })
}

/// Whether a question was asked after a text was written.
fn asked_after(question: &PendingQuestion, at: Timestamp) -> bool {
    at + CLOCK_SLACK < question.asked
}

fn received(conversation: &Conversation, now: Timestamp, about: &serde_json::Value) -> Entry {
    let subject = format!("conversation/{}", conversation.id);
    let practice = &conversation.practice;
    Entry::new(
        practice,
        now,
        "patient",
        "message.received",
        &subject,
        about,
    )
}

/// What the carrier did about a text by itself, where this number is set so.
fn carrier_did(practice: &Practice, conversation: &Conversation, inbound: &Inbound) -> CarrierDid {
    let (carrier, channel) = (inbound.carrier, inbound.channel);
    let sender = practice.sender_by(carrier, channel, &inbound.to);
    if sender.is_none_or(|sender| sender.keywords == KeywordReplies::WeReply) {
        return CarrierDid::Nothing;
    }
    match keyword(inbound.body.as_str()) {
        Some(Keyword::Stop) => CarrierDid::Stopped,
        Some(Keyword::Help) => CarrierDid::Helped,
        // To a number that is not blocked, YES is an answer and START a word.
        // Nor has it blocked a line that only we closed, for a STOP on another.
        Some(Keyword::Start)
            if !conversation.consent.allows_texts() && !conversation.speaker.closed_elsewhere =>
        {
            CarrierDid::Started
        }
        Some(Keyword::Start) | None => CarrierDid::Nothing,
    }
}

/// Whether a text opens a live conversation, in which a notice that was kept back for quiet hours
/// may go out. A call for help, HELP and an opt-out do not ask for it.
fn opens_live(reading: &Reading) -> bool {
    let other = [
        Intent::Emergency,
        Intent::Crisis,
        Intent::Poison,
        Intent::Help,
        Intent::OptOut,
    ];
    !other.contains(&reading.intent) && !reading.revokes() && !reading.tells_of_abuse()
}

/// Why a text gets no answer, if it gets none: after STOP only START, HELP and an emergency are
/// answered, and what the carrier has answered is not answered again.
fn silence(
    before: &Conversation,
    reading: &Reading,
    did: CarrierDid,
    intent: &str,
) -> Option<&'static str> {
    let urgent = matches!(
        reading.intent,
        Intent::Emergency | Intent::Crisis | Intent::Poison
    );
    if urgent {
        return None;
    }
    match did {
        CarrierDid::Stopped => return Some("silence: the carrier confirms the opt-out"),
        CarrierDid::Helped => return Some("silence: the carrier answers HELP"),
        CarrierDid::Started | CarrierDid::Nothing => {}
    }
    let asks = intent == Intent::OptIn.as_str() || intent == Intent::Help.as_str();
    (!before.consent.allows_texts() && !asks).then_some("silence: opted out")
}

/// What a text says. A button of ours says the word in its payload, `consent.yes`, where its
/// question is the open one; a button of an older question says only what is written on it.
fn said<'a>(inbound: &'a Inbound, conversation: &Conversation) -> &'a str {
    let open = conversation.pending.as_ref().map(|it| it.kind.as_str());
    let button = inbound.button.as_deref();
    match button.and_then(|payload| payload.split_once('.')) {
        Some((question, word)) if Some(question) == open => word,
        _ => inbound.body.as_str(),
    }
}

/// What the conversation of a text is found by.
fn key_of(practice: &Practice, inbound: &Inbound) -> NewConversation {
    NewConversation {
        practice: practice.id.clone(),
        carrier: inbound.carrier,
        // A picture among texts is part of the same talk.
        channel: match inbound.channel {
            Channel::Mms => Channel::Sms,
            other @ (Channel::Sms | Channel::Whatsapp | Channel::Webchat) => other,
        },
        sender: inbound.to.clone(),
        number: inbound.from.clone(),
        language: Language::En,
    }
}
