//! Lines: what is said on one line of a practice (a number of its, on a channel) and holds for all.
//!
//! A revocation reaches the caller, not a sender number: 47 CFR 64.1200(a)(10) lets a person revoke by
//! any reasonable means, and nobody who texts STOP means "by SMS only". So STOP closes every line of
//! the practice to the number, also lines on which nothing was said yet. START opens the line on which
//! it is written (a carrier lifts its own block there and nowhere else); lines that were only closed
//! along with it are as if never asked; a line on which STOP itself was said stays closed until START
//! on it. A number that is another's now is so on every line.

use jiff::Timestamp;

use crate::domain::consent::{Act, ConsentEvent, Doubt, Evidence};
use crate::domain::conversation::Conversation;
use crate::domain::message::OutboundKind;
use crate::domain::phone::E164;
use crate::pipeline::consent;
use crate::pipeline::house::House;
use crate::policy::words::Channel;
use crate::store::{StoreError, Tx};

/// Tells the other lines what was said on this one, with its evidence.
pub(super) async fn tell(
    tx: &mut Tx,
    said_on: &Conversation,
    event: &ConsentEvent,
) -> Result<(), StoreError> {
    let act = match event.act {
        Act::Stop => {
            tx.close_lines(said_on, event.at()).await?;
            Act::Stop
        }
        Act::Start => {
            tx.reopen_lines(said_on).await?;
            Act::Lifted
        }
        Act::Reassigned(doubt @ (Doubt::WrongNumber | Doubt::Carrier)) => Act::Reassigned(doubt),
        // Silence is of one line, and what is asked and answered is between two.
        Act::Reassigned(Doubt::Silent)
        | Act::Lifted
        | Act::NoticeSent(_)
        | Act::Yes(_)
        | Act::No
        | Act::Wrote
        | Act::Recorded(_)
        | Act::Identified(_)
        | Act::Expire => return Ok(()),
    };
    let told = ConsentEvent::new(act, elsewhere(&event.evidence, said_on));
    for mut line in tx.other_lines(said_on).await? {
        // Who opens a chat asks to be answered there; the opt-out is of texts.
        if line.channel == Channel::Webchat && told.act == Act::Stop {
            continue;
        }
        if let Some(moved) = hear(tx, &mut line, &told).await? {
            tx.save_conversation(&line).await?;
            tx.append_audit(&consent::entry(&line, &told, &moved))
                .await?;
        }
    }
    Ok(())
}

/// What another line said; none where it moves nothing here.
async fn hear(
    tx: &mut Tx,
    line: &mut Conversation,
    told: &ConsentEvent,
) -> Result<Option<serde_json::Value>, StoreError> {
    let stops = told.act == Act::Stop;
    if stops && !line.consent.allows_texts() {
        return Ok(None);
    }
    let Some(shift) = consent::shift(line, told) else {
        return Ok(None);
    };
    if stops {
        line.speaker.closed_elsewhere = true;
        tx.suppress_queued(line.id, &[OutboundKind::Safety]).await?;
    }
    shift.keep(tx, line, told).await?;
    Ok(Some(shift.json(told)))
}

/// Closes a line that its number has opted out of on another: one that began since then, or that was
/// kept before lines knew of each other. What moved.
pub(crate) async fn close_if_opted_out(
    tx: &mut Tx,
    line: &mut Conversation,
    now: Timestamp,
) -> Result<Option<serde_json::Value>, StoreError> {
    if !line.closed || !line.consent.allows_texts() {
        return Ok(None);
    }
    let rule = Evidence::of_rule(now, "opted out on another line of the practice");
    hear(tx, line, &ConsentEvent::new(Act::Stop, rule)).await
}

/// The evidence of what was said, and where.
fn elsewhere(evidence: &Evidence, said_on: &Conversation) -> Evidence {
    let there = format!("in conversation {}", said_on.id);
    let reason = evidence.reason.as_ref();
    Evidence {
        reason: Some(reason.map_or_else(|| there.clone(), |reason| format!("{reason}, {there}"))),
        ..evidence.clone()
    }
}

impl House {
    /// Whether another line of the practice is closed to the number of this conversation.
    pub(crate) async fn is_closed(
        &self,
        conversation: &Conversation,
        channel: Channel,
        sender: &E164,
    ) -> Result<bool, StoreError> {
        let practice = &conversation.practice;
        let lines = self
            .store()
            .conversations_with(practice, &conversation.number)
            .await?;
        Ok(lines
            .iter()
            .any(|it| it.channel == channel && it.sender == *sender && !it.allows_texts()))
    }
}
