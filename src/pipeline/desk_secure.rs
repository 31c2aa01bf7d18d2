//! What staff do with secure messages: keep one behind its link with its files, close a link, open a file.

use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::phi::Phi;
use crate::domain::staff::Staff;
use crate::pipeline::desk::locked;
use crate::pipeline::desk_review::Ready;
use crate::pipeline::house::House;
use crate::pipeline::mail;
use crate::pipeline::portal::{LIFETIME, subject};
use crate::store::{Attached, Bearer, NewAttachment, StoreError, Tx};

/// Keeps what goes behind the link, with its files, and tells of it by e-mail where the patient chose that.
pub(super) async fn keep_behind(
    tx: &mut Tx,
    conversation: &Conversation,
    (ready, files): (&Ready, &[NewAttachment]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let cleared = ready.written.review.cleared.as_ref();
    let behind = cleared.and_then(|it| it.portal());
    let (Some(body), Some(link), Some(patient)) = (behind, &ready.link, &ready.patient) else {
        return Ok(());
    };
    let Some(message) = link.message(conversation, patient, body, now) else {
        return Ok(());
    };
    tx.create_portal_message(&link.hash, &message, conversation.id)
        .await?;
    for file in files {
        tx.add_attachment(conversation, Bearer::Link(link.hash), file, now)
            .await?;
    }
    let whom = (&patient.id, message.language);
    mail::tell(tx, conversation, whom, (link.letter, &link.url), now)
        .await
        .map(drop)
}

/// Whether what goes behind the link was kept there since then: a form that was sent twice.
pub(super) async fn kept_already(
    tx: &mut Tx,
    conversation: &Conversation,
    ready: &Ready,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let cleared = ready.written.review.cleared.as_ref();
    let Some(body) = cleared.and_then(|it| it.portal()) else {
        return Ok(false);
    };
    let ends = since.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    tx.kept_behind(conversation.id, body, ends).await
}

impl House {
    /// Closes a link of a conversation before its time: whoever reads is sent out, and the page says kindly
    /// whom to call. False when it was closed, has ended, or is of another conversation.
    pub async fn desk_revoke(
        &self,
        staff: &Staff,
        id: ConversationId,
        link: [u8; 32],
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let work = Arc::new(staff.clone());
        let closed = self
            .store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    if locked(tx, &staff, id).await?.is_none()
                        || !tx.revoke_portal_message(&link, id, staff.id, now).await?
                    {
                        return Ok(false);
                    }
                    let detail = serde_json::json!({ "conversation": id.0 });
                    tx.append_audit(&Entry::new(
                        &staff.practice,
                        now,
                        &staff.actor(),
                        "portal.revoked",
                        &subject(&link),
                        &detail,
                    ))
                    .await?;
                    Ok(true)
                })
            })
            .await?;
        self.changed();
        Ok(closed)
    }

    /// A file of a conversation of this person's practice; the look is audited before it is shown.
    pub async fn desk_file(
        &self,
        staff: &Staff,
        id: &[u8; 16],
    ) -> Result<Option<(Attached, Phi<Vec<u8>>)>, StoreError> {
        let Some(found) = self.store().attachment(&staff.practice, id).await? else {
            return Ok(None);
        };
        self.note(Entry::new(
            &staff.practice,
            self.clock().now(),
            &staff.actor(),
            "record.viewed",
            &format!("conversation/{}", found.0.conversation),
            &serde_json::json!({ "file": found.0.id }),
        ))
        .await?;
        Ok(Some(found))
    }
}
