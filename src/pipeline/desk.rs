//! Desk: what staff do in a conversation. Their words pass the same guardrail as the agent's.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::agent::facts;
use crate::audit::Entry;
use crate::domain::alarm::AlarmKind;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::ids::{AlarmId, ConversationId, HoldId, PracticeId, TurnId};
use crate::domain::message::{LawTag, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Fact, Patient};
use crate::domain::staff::Staff;
use crate::guardrail::finding::Verdict;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::Author;
use crate::guardrail::wire::{self, FindingOut};
use crate::pipeline::clear::{Writing, Written};
use crate::pipeline::draft::{Asking, closed_page};
use crate::pipeline::house::House;
use crate::pipeline::plan::waiting;
use crate::pipeline::portal::PortalLink;
use crate::policy::words::{Jurisdiction, Purpose};
use crate::store::{StoreError, Tx};

/// A text within this time of the patient's last one is an answer; a later one is a text that the
/// practice begins, and waits for the hours in which it may.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The same words within this time are one answer that was sent twice.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// How much of a conversation is read to find what waits.
const TURNS_MAX: u32 = 40;

/// What the guardrail says of the words of staff.
#[derive(Clone, Debug)]
pub struct Verdicted {
    /// Pass, rewrite or hold.
    pub verdict: Verdict,
    /// What the patient would get as a text.
    pub text: Option<Phi<String>>,
    /// What moves behind the portal's link.
    pub portal: Option<Phi<String>>,
    /// What was found in the words.
    pub findings: Vec<FindingOut>,
    /// Segments of the text that would leave.
    pub segments: usize,
    /// Why nothing may leave although nothing is wrong with the words.
    pub closed: Option<&'static str>,
}

/// What became of an answer.
#[derive(Clone, Debug)]
pub enum Answered {
    /// It is on its way.
    Sent,
    /// Something else than what was written would leave: to be looked at first.
    Changed(Verdicted),
    /// Nothing may leave.
    Held(Verdicted),
    /// No such conversation at this practice.
    Unknown,
}

/// An answer of staff.
#[derive(Clone, Debug)]
pub struct Answer {
    /// In which conversation.
    pub conversation: ConversationId,
    /// The words.
    pub text: Phi<String>,
    /// What the sender saw would leave instead; then that leaves without another look.
    pub seen: Option<Phi<String>>,
    /// The held draft that it settles, if one.
    pub hold: Option<HoldId>,
}

struct Ready {
    conversation: Conversation,
    patient: Option<Patient>,
    written: Written,
    link: Option<PortalLink>,
    closed: Option<&'static str>,
    law: LawTag,
    kind: OutboundKind,
}

impl House {
    /// What the guardrail says of a text that staff are writing. Keeps nothing.
    pub async fn desk_review(
        &self,
        practice: &PracticeId,
        conversation: ConversationId,
        text: &str,
    ) -> Result<Option<Verdicted>, StoreError> {
        let ready = self.desk_ready(practice, conversation, text).await?;
        Ok(ready.map(|ready| verdicted(&ready, text)))
    }

    async fn desk_ready(
        &self,
        practice: &PracticeId,
        id: ConversationId,
        text: &str,
    ) -> Result<Option<Ready>, StoreError> {
        let now = self.clock().now();
        let found = self.store().conversation(id).await?;
        let Some(conversation) = found.filter(|it| it.practice == *practice) else {
            return Ok(None);
        };
        let Some(practice) = self.practice_of(&conversation) else {
            return Ok(None);
        };
        let patient = self.desk_patient(&practice, &conversation).await;
        let known = self.desk_facts(&practice, patient.as_ref()).await;
        let residence = patient.as_ref().map(|it| it.state);
        let law = self.governed(&practice, residence.unwrap_or(Jurisdiction::UNKNOWN), now);
        let covered = self.covered(&practice, &conversation, now).await?;
        let told = self.told(conversation.id).await?;
        let link = PortalLink::new(
            &self.parts.public_url,
            &practice.portal_url,
            &self.parts.entropy,
        );
        let written = self.clear(&Writing {
            practice: &practice,
            conversation: &conversation,
            patient: patient.as_ref(),
            author: Author::Staff,
            purpose: Purpose::Reply,
            text,
            facts: &known,
            link: link.as_ref(),
            told: &told,
            now,
            law: &law,
            session: None,
            covered,
        });
        let asking = Asking {
            practice: &practice,
            conversation: &conversation,
            patient: patient.as_ref(),
            turns: &[],
            told: &told,
            now,
            law: &law,
            covered,
        };
        let closed = match &written.review.cleared {
            _ if conversation.consent.state == ConsentState::OptedOut => Some("opted out"),
            _ if written.barred.is_some() => written.barred,
            None => None,
            Some(cleared) => cleared
                .portal()
                .and_then(|_| closed_page(&asking, link.is_some())),
        };
        let recent = |last| now.duration_since(last) < ANSWER_WITHIN;
        let kind = if conversation.last_inbound.is_some_and(recent) {
            OutboundKind::Reply
        } else {
            OutboundKind::Initiated
        };
        let law = law.tag(kind, &written.law);
        Ok(Some(Ready {
            conversation,
            patient,
            written,
            link,
            closed,
            law,
            kind,
        }))
    }

    /// The person whom a conversation is with: who was taken for the writer, else the only one whose
    /// number it is.
    pub async fn desk_patient(
        &self,
        practice: &Practice,
        conversation: &Conversation,
    ) -> Option<Patient> {
        let records = self.records();
        if let Some(id) = &conversation.patient {
            return records.patient(&practice.id, id).await.ok().flatten();
        }
        let people = records.patients_by_phone(&practice.id, &conversation.number);
        let mut people = people.await.ok()?;
        (people.len() == 1).then(|| people.remove(0))
    }

    async fn desk_facts(&self, practice: &Practice, patient: Option<&Patient>) -> Vec<Fact> {
        let Some(patient) = patient else {
            return Vec::new();
        };
        let mut known = facts::of_patient(patient);
        if let Ok(clinical) = self.records().clinical(&practice.id, &patient.id).await {
            known.extend(facts::of_clinical(&clinical));
        }
        known
    }

    /// Sends an answer of staff if what would leave is what they wrote or what they have seen.
    /// Whoever answers has taken the conversation over: a draft of the agent can cross no more.
    pub async fn desk_answer(&self, staff: &Staff, answer: Answer) -> Result<Answered, StoreError> {
        let text = answer.text.as_str();
        let ready = self
            .desk_ready(&staff.practice, answer.conversation, text)
            .await?;
        let Some(ready) = ready else {
            return Ok(Answered::Unknown);
        };
        let shown = verdicted(&ready, text);
        let leaves = match &shown.text {
            Some(leaves) if ready.closed.is_none() => leaves.as_str(),
            _ => return Ok(Answered::Held(shown)),
        };
        // Each review draws a new link, so the text is compared without its token.
        let same = |seen: &Phi<String>| without(seen.as_str(), "/p/") == without(leaves, "/p/");
        let verbatim = leaves == text && shown.portal.is_none();
        if !verbatim && !answer.seen.as_ref().is_some_and(same) {
            return Ok(Answered::Changed(shown));
        }
        let now = self.clock().now();
        let epoch = ready.conversation.epoch;
        let work = Arc::new((ready, staff.clone(), answer));
        let sent = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { answer_in(tx, &work, epoch, now).await })
            })
            .await?;
        if !sent {
            // The patient wrote, or a colleague did, while this was sent: to be looked at again.
            return Ok(Answered::Changed(shown));
        }
        self.outbox.notify_one();
        self.changed();
        Ok(Answered::Sent)
    }

    /// Takes a conversation over, or gives it back to the agent; false when there is none.
    pub async fn desk_take(
        &self,
        staff: &Staff,
        id: ConversationId,
        taken: bool,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let work = Arc::new(staff.clone());
        let known = self
            .store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    let Some(mut conversation) = locked(tx, &staff, id).await? else {
                        return Ok(false);
                    };
                    take(tx, &staff, &mut conversation, taken, now).await?;
                    Ok(true)
                })
            })
            .await?;
        self.changed();
        Ok(known)
    }

    /// Marks a conversation as read up to this text, or as unread; a look at it is audited.
    pub async fn desk_see(
        &self,
        staff: &Staff,
        id: ConversationId,
        upto: Option<i64>,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        let work = Arc::new(staff.clone());
        self.store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    let Some(turn) = upto else {
                        return tx.unsee(id).await;
                    };
                    tx.see(id, turn).await?;
                    let subject = format!("conversation/{id}");
                    let entry = Entry::new(
                        &staff.practice,
                        now,
                        &staff.actor(),
                        "record.viewed",
                        &subject,
                        &serde_json::json!({ "upto": turn }),
                    );
                    tx.append_audit(&entry).await
                })
            })
            .await?;
        self.changed();
        Ok(())
    }

    /// Sets a held draft aside: nothing of it leaves, and the log says who decided and why.
    pub async fn desk_set_aside(
        &self,
        staff: &Staff,
        id: ConversationId,
        hold: HoldId,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let work = Arc::new(staff.clone());
        let settled = self
            .store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    if locked(tx, &staff, id).await?.is_none() {
                        return Ok(false);
                    }
                    settle(tx, &staff, id, hold, "set aside", now).await
                })
            })
            .await?;
        self.changed();
        Ok(settled)
    }

    /// Says that somebody has the open alarms of a conversation; how many there were.
    pub async fn desk_acknowledge(
        &self,
        staff: &Staff,
        id: ConversationId,
    ) -> Result<usize, StoreError> {
        let now = self.clock().now();
        let open = self.store().open_alarms().await?;
        let own = open
            .iter()
            .filter(|it| it.conversation == id && it.practice == staff.practice);
        let alarms: Vec<(AlarmId, AlarmKind)> = own.map(|it| (it.id, it.kind)).collect();
        for (alarm, _) in &alarms {
            let by = staff.id.to_string();
            self.store().acknowledge_alarm(*alarm, &by, now).await?;
        }
        self.changed();
        Ok(alarms.len())
    }
}

/// Whether a text says what was just said: the second click of a double click, or a form that was
/// sent again.
fn repeats(last: &Turn, text: &str, now: Timestamp) -> bool {
    last.direction == Direction::Outbound
        && without(last.body.as_str(), "/p/") == without(text, "/p/")
        && now.duration_since(last.at) < REPEATED_WITHIN
}

/// The text without the token of its link, which differs each time.
fn without(text: &str, before: &str) -> String {
    let Some((head, tail)) = text.split_once(before) else {
        return text.to_owned();
    };
    let rest = tail.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
    format!("{head}{before}{rest}")
}

fn verdicted(ready: &Ready, text: &str) -> Verdicted {
    let review = &ready.written.review;
    let cleared = review.cleared.as_ref();
    Verdicted {
        verdict: if ready.closed.is_some() {
            Verdict::Hold
        } else {
            review.verdict
        },
        text: cleared.map(|it| Phi::from(it.text())),
        portal: cleared.and_then(Cleared::portal).map(Phi::from),
        findings: wire::findings_out(text, &review.findings),
        segments: cleared.map_or(0, |it| it.segments().count),
        closed: ready.closed,
    }
}

/// A conversation of this person's practice, locked.
async fn locked(
    tx: &mut Tx,
    staff: &Staff,
    id: ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    let found = tx.lock_conversation(id).await?;
    Ok(found.filter(|it| it.practice == staff.practice))
}

/// Takes a conversation over or gives it back: the epoch rises, so that no draft crosses.
async fn take(
    tx: &mut Tx,
    staff: &Staff,
    conversation: &mut Conversation,
    taken: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    conversation.epoch += 1;
    conversation.human = taken;
    tx.save_conversation(conversation).await?;
    tx.taken_by(conversation.id, taken.then_some(staff.id))
        .await?;
    if !taken {
        tx.want_reply(conversation.id, now).await?;
    }
    let action = if taken {
        "conversation.taken"
    } else {
        "conversation.given_back"
    };
    let detail = serde_json::json!({ "epoch": conversation.epoch });
    let subject = format!("conversation/{}", conversation.id);
    let entry = Entry::new(
        &staff.practice,
        now,
        &staff.actor(),
        action,
        &subject,
        &detail,
    );
    tx.append_audit(&entry).await
}

async fn settle(
    tx: &mut Tx,
    staff: &Staff,
    conversation: ConversationId,
    hold: HoldId,
    how: &'static str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !tx
        .settle_hold(conversation, hold, staff.id, how, now)
        .await?
    {
        return Ok(false);
    }
    let entry = Entry::new(
        &staff.practice,
        now,
        &staff.actor(),
        "hold.settled",
        &format!("conversation/{conversation}"),
        &serde_json::json!({ "hold": hold.0, "how": how }),
    );
    tx.append_audit(&entry).await?;
    Ok(true)
}

async fn answer_in(
    tx: &mut Tx,
    (ready, staff, answer): &(Ready, Staff, Answer),
    epoch: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut conversation) = locked(tx, staff, answer.conversation).await? else {
        return Ok(false);
    };
    let Some(cleared) = &ready.written.review.cleared else {
        return Ok(false);
    };
    if conversation.epoch != epoch {
        return Ok(false);
    }
    let turns = tx.turns(conversation.id, TURNS_MAX).await?;
    if turns
        .last()
        .is_some_and(|it| repeats(it, cleared.text(), now))
    {
        return Ok(true);
    }
    if !conversation.human {
        take(tx, staff, &mut conversation, true, now).await?;
    }
    let proof = conversation.proof(now).filter(|_| cleared.holds_phi());
    let id = tx
        .enqueue(&conversation, cleared, ready.kind, (proof, &ready.law), now)
        .await?;
    if let (Some(body), Some(link), Some(patient)) = (cleared.portal(), &ready.link, &ready.patient)
        && let Some(message) = link.message(&conversation, patient, body, now)
    {
        tx.create_portal_message(&link.hash, &message, conversation.id)
            .await?;
    }
    tx.keep_glass(&conversation, &ready.written.report("staff"), now)
        .await?;
    let answers: Vec<TurnId> = waiting(&turns).map(|turn| turn.id).collect();
    tx.mark_answered(conversation.id, &answers).await?;
    // What only asked for an answer has one now; a draft is settled by whoever decides on it.
    for hold in tx.holds_of(conversation.id).await? {
        if Some(hold.id) == answer.hold || hold.draft.as_str().is_empty() {
            settle(tx, staff, conversation.id, hold.id, "answered", now).await?;
        }
    }
    if let Some(last) = turns.last() {
        tx.see(conversation.id, last.id.0).await?;
    }
    let detail = serde_json::json!({
        "kind": ready.kind.as_str(),
        "outbox": id.0,
        "answers": answers.iter().map(|turn| turn.0).collect::<Vec<_>>(),
        "phi": cleared.holds_phi(),
        "portal": cleared.portal().is_some(),
        "proof": cleared.proof(),
        "verdict": ready.written.review.verdict.as_str(),
        "law": { "rules": ready.law.rules, "policy": ready.law.policy },
    });
    let subject = format!("conversation/{}", conversation.id);
    let actor = staff.actor();
    let entry = Entry::new(
        &staff.practice,
        now,
        &actor,
        "message.cleared",
        &subject,
        &detail,
    );
    tx.append_audit(&entry).await?;
    Ok(true)
}
