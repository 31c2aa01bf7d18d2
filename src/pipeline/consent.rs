//! Consent: what a text does to it against the open question, and the one way in which it moves.

pub(crate) mod lines;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::consent::{
    Act, ConsentEvent, ConsentProof, ConsentState, Doubt, Evidence, Notice, Party,
};
use crate::domain::conversation::{Conversation, PendingKind, PendingQuestion};
use crate::domain::message::Inbound;
use crate::llm::offline::asks_of_visit;
use crate::screen::{Intent, Pending, Reading, Screen};
use crate::store::{StoreError, Tx};

/// Kept as the intent of a text that tells of abuse: a person answers, and the text to the patient
/// tells nothing to whoever else reads the phone.
pub(crate) const ABUSE: &str = "abuse";

/// Kept as the intent of a text that may be an opt-out: asked once.
pub(crate) const STOP_DOUBT: &str = "opt_out_doubt";

/// Kept as the intent of a CANCEL while a visit was talked about: an opt-out by rule, and staff are
/// told, for the patient may have meant the visit.
pub(crate) const STOP_VISIT: &str = "opt_out_visit";

/// Kept as the intent of an opt-out that says that the number is another's.
pub(crate) const STOP_WRONG: &str = "opt_out_wrong_number";

/// Kept as the intent of "no, go on" to the question whether texts shall stop.
pub(crate) const KEEP: &str = "keep_texts";

/// Kept as the intent of a text that asks who or what writes, and nothing else.
pub(crate) const ASKS_WHO: &str = "asks_who_writes";

/// Kept as the intent of a text that asks who or what writes, and more.
pub(crate) const ASKS_WHO_TOO: &str = "asks_who_writes_too";

/// Words of a text that says one thing and cannot well say more.
const ASKS_ONLY_WORDS: usize = 6;

/// The rules that read an opt-out which says that the number is another's begin so.
const WRONG_NUMBER: &str = "opt_out.wrong-number";

/// The rule that reads a perhaps.
const DOUBT: &str = "opt_out.doubt";

/// What one text means once the open question has been considered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// What is kept as the intent of the turn.
    pub(crate) intent: &'static str,
    /// What happens to consent, in order.
    pub(crate) acts: Vec<Act>,
}

/// What the carrier itself did about a text, where it replies to keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CarrierDid {
    /// Nothing: the text is ours to answer.
    Nothing,
    /// It blocked the number and confirmed it to the patient.
    Stopped,
    /// It lifted the block and said so.
    Started,
    /// It answered HELP.
    Helped,
}

/// The question as the screen knows it. "Shall we stop?" and "Who is this about?" are ours alone:
/// the first is a yes or no, the second no word of the screen's.
pub(crate) const fn asked(kind: PendingKind) -> Option<Pending> {
    match kind {
        PendingKind::Consent | PendingKind::StopConfirm => Some(Pending::Consent),
        // Yes, no, another time: answered as a reminder is.
        PendingKind::AppointmentConfirm | PendingKind::NewVisit | PendingKind::SlotOffer => {
            Some(Pending::AppointmentConfirm)
        }
        PendingKind::RescheduleChoice => Some(Pending::RescheduleChoice),
        PendingKind::CancelConfirm => Some(Pending::CancelConfirm),
        PendingKind::Person => None,
    }
}

/// A text against the open question. Where none is open and the person has said NO, their YES takes
/// it back, as START does: they read the notice once, and it is sent anew.
pub(crate) fn read(screen: &Screen, said: &str, conversation: &Conversation) -> Reading {
    let open = conversation.pending.as_ref();
    let hint = conversation.language;
    let reading = screen.read(said, open.and_then(|question| asked(question.kind)), hint);
    let said_no = conversation.consent.state == ConsentState::Declined;
    let idle = matches!(reading.intent, Intent::Other | Intent::Confirm) && !reading.ambiguous;
    if open.is_some() || !said_no || !idle || !says_yes(said) {
        return reading;
    }
    let yes = screen.read(said, Some(Pending::Consent), hint);
    if yes.intent != Intent::ConsentYes && !leads_with_yes(said) {
        return reading;
    }
    Reading {
        intent: Intent::OptIn,
        ..yes
    }
}

/// Whether a text says yes by that word: "ok" to the answer to NO agrees with the NO.
fn says_yes(said: &str) -> bool {
    words(said).iter().any(|word| is_yes(word))
}

/// Whether a short text begins with yes, whatever follows: "YES I agree to texts".
fn leads_with_yes(said: &str) -> bool {
    let words = words(said);
    let polite = ["ok", "okay", "oh", "hi", "hello", "hola", "pues"];
    let first = words.iter().find(|it| !polite.contains(&it.as_str()));
    words.len() <= ASKS_ONLY_WORDS && !said.contains('?') && first.is_some_and(|it| is_yes(it))
}

fn words(said: &str) -> Vec<String> {
    said.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn is_yes(word: &str) -> bool {
    [
        "yes", "yeah", "yep", "yup", "y", "agree", "accept", "si", "s\u{ed}", "acepto",
    ]
    .contains(&word)
}

/// What a text means in this conversation; pure. `heard` is whether the notice has left: nobody
/// answers what still lies here.
pub(crate) fn meaning(
    conversation: &Conversation,
    reading: &Reading,
    inbound: &Inbound,
    did: CarrierDid,
    heard: bool,
) -> Meaning {
    let open = conversation.pending.as_ref().map(|question| question.kind);
    let plain = Meaning {
        intent: reading.intent.as_str(),
        acts: wrote(conversation, reading, inbound),
    };
    if did == CarrierDid::Stopped || reading.revokes() {
        return stop(reading, inbound, open);
    }
    if did == CarrierDid::Started || reading.intent == Intent::OptIn {
        return Meaning {
            intent: Intent::OptIn.as_str(),
            acts: vec![Act::Start],
        };
    }
    if reading.tells_of_abuse() {
        return Meaning {
            intent: ABUSE,
            ..plain
        };
    }
    let doubt = reading.rules.iter().any(|rule| &**rule == DOUBT);
    if open == Some(PendingKind::StopConfirm) {
        // Asked once; whatever is not a clear no to it now revokes (47 CFR 64.1200(a)(10)).
        let yes = reading.intent == Intent::ConsentYes || reading.ambiguous || doubt;
        if yes && !is_safety(reading.intent) {
            return stop(reading, inbound, open);
        }
        if reading.intent == Intent::ConsentNo {
            return Meaning {
                intent: KEEP,
                ..plain
            };
        }
    }
    if doubt && !is_safety(reading.intent) {
        return Meaning {
            intent: STOP_DOUBT,
            ..plain
        };
    }
    let talk = matches!(reading.intent, Intent::Question | Intent::Other) || only_voted(reading);
    if talk && reading.asks_who_writes() {
        let words = inbound.body.as_str().split_whitespace().count();
        return Meaning {
            intent: if words <= ASKS_ONLY_WORDS {
                ASKS_WHO
            } else {
                ASKS_WHO_TOO
            },
            ..plain
        };
    }
    if only_voted(reading) && asks_of_visit(inbound.body.as_str()) {
        return Meaning {
            intent: Intent::Question.as_str(),
            ..plain
        };
    }
    let asked = open == Some(PendingKind::Consent);
    let mut acts = plain.acts;
    if asked && heard && reading.intent == Intent::ConsentYes {
        acts.push(Act::Yes(party(conversation)));
    } else if asked && reading.intent == Intent::ConsentNo {
        acts.push(Act::No);
    }
    Meaning {
        intent: plain.intent,
        acts,
    }
}

/// Whether a text is taken for one to a person by the look of its sentences alone, while its words ask
/// who writes: "Estoy hablando con un robot?".
fn only_voted(reading: &Reading) -> bool {
    let vote = |rule: &str| {
        rule.ends_with(".sentence") || rule.starts_with("identity.") || rule.starts_with("wish.")
    };
    reading.intent == Intent::Human && reading.rules.iter().all(|rule| vote(rule))
}

const fn is_safety(intent: Intent) -> bool {
    matches!(intent, Intent::Emergency | Intent::Crisis | Intent::Poison)
}

/// A text of the person's own lets us answer, unless it is the very answer to "may we?".
fn wrote(conversation: &Conversation, reading: &Reading, inbound: &Inbound) -> Vec<Act> {
    let blank = inbound.body.as_str().trim().is_empty();
    let refused = reading.intent == Intent::ConsentNo;
    let known = conversation.consent.contact.state == ConsentState::Granted;
    if known || blank || refused || !conversation.consent.allows_texts() {
        return Vec::new();
    }
    vec![Act::Wrote]
}

fn stop(reading: &Reading, inbound: &Inbound, open: Option<PendingKind>) -> Meaning {
    let wrong = reading
        .rules
        .iter()
        .any(|rule| rule.starts_with(WRONG_NUMBER));
    let visit = matches!(
        open,
        Some(
            PendingKind::AppointmentConfirm
                | PendingKind::CancelConfirm
                | PendingKind::RescheduleChoice
                | PendingKind::NewVisit
                | PendingKind::SlotOffer
        )
    );
    // A text may call for help and revoke: the help is given, the consent ends.
    let intent = if is_safety(reading.intent) {
        reading.intent.as_str()
    } else if wrong {
        STOP_WRONG
    } else if visit && says_cancel(inbound.body.as_str()) {
        STOP_VISIT
    } else {
        Intent::OptOut.as_str()
    };
    let mut acts = vec![Act::Stop];
    if wrong {
        acts.insert(0, Act::Reassigned(Doubt::WrongNumber));
    }
    Meaning { intent, acts }
}

/// CANCEL and nothing else: decisive by rule, even with a visit open.
fn says_cancel(body: &str) -> bool {
    let word: String = body.chars().filter(|c| c.is_alphabetic()).collect();
    ["cancel", "cancelar", "cancela", "cancele"]
        .iter()
        .any(|cancel| word.eq_ignore_ascii_case(cancel))
}

fn party(conversation: &Conversation) -> Party {
    Party {
        practice: conversation.practice.clone(),
        patient: conversation.patient.clone(),
        number: conversation.number.clone(),
        channel: conversation.channel,
    }
}

/// The evidence that a text is.
pub(crate) fn evidence(inbound: &Inbound, reading: &Reading) -> Evidence {
    Evidence::of_text(
        inbound.at,
        &inbound.carrier_id,
        inbound.body.as_str(),
        reading.language,
    )
}

/// Moves consent, raises the fence where what may leave is less or other than before, and closes
/// the question that was answered. What moved, for the ledger and the audit entry; none when
/// nothing did. Pure: the store keeps what it gives.
pub(crate) fn shift(conversation: &mut Conversation, event: &ConsentEvent) -> Option<Shift> {
    let before = conversation.consent.clone();
    let patient = conversation.patient.clone();
    let moved = conversation.apply(event).ok()?;
    // Another text to the same end, such as a second STOP: no open question is closed by it and
    // nothing on its way, such as the one confirmation, is overtaken.
    let answered = matches!(event.act, Act::Yes(_) | Act::No);
    if !moved && !answered {
        return None;
    }
    match event.act {
        Act::Wrote | Act::Recorded(_) => {}
        Act::NoticeSent(_) | Act::Identified(_) | Act::Refused(_) => conversation.epoch += 1,
        Act::Yes(_)
        | Act::No
        | Act::Stop
        | Act::Start
        | Act::Lifted
        | Act::Expire
        | Act::Reassigned(_) => {
            conversation.epoch += 1;
            conversation.pending = None;
        }
    }
    Some(Shift {
        from: before.state,
        to: conversation.consent.state,
        notice: conversation.consent.notice.clone().or(before.notice),
        patient: conversation.patient.clone().or(patient),
        proof: conversation
            .consent
            .proof
            .as_ref()
            .map(ConsentProof::digest),
        epoch: conversation.epoch,
    })
}

/// What moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    from: ConsentState,
    to: ConsentState,
    notice: Option<Notice>,
    patient: Option<crate::domain::ids::PatientId>,
    proof: Option<String>,
    epoch: i64,
}

impl Shift {
    /// Writes the ledger.
    async fn keep(
        &self,
        tx: &mut Tx,
        conversation: &Conversation,
        event: &ConsentEvent,
    ) -> Result<(), StoreError> {
        let (notice, patient) = (self.notice.as_ref(), self.patient.as_ref());
        tx.record_consent(conversation, event, notice, patient)
            .await?;
        metrics::counter!("anteroom_consent_events_total", "event" => event.as_str()).increment(1);
        Ok(())
    }

    /// For an audit entry: states and digests, no person.
    pub(crate) fn json(&self, event: &ConsentEvent) -> serde_json::Value {
        serde_json::json!({
            "event": event.as_str(),
            "who": event.evidence.who.as_str(),
            "reason": event.evidence.reason,
            "from": self.from.as_str(),
            "to": self.to.as_str(),
            "notice": self.notice.as_ref().map(|notice| &notice.text_id),
            "proof": self.proof,
            "epoch": self.epoch,
        })
    }
}

/// Moves the consent of a locked conversation and writes the ledger; the caller saves the
/// conversation and appends the audit entry in the same transaction.
pub(crate) async fn record(
    tx: &mut Tx,
    conversation: &mut Conversation,
    event: &ConsentEvent,
) -> Result<Option<serde_json::Value>, StoreError> {
    let Some(shift) = shift(conversation, event) else {
        return Ok(None);
    };
    shift.keep(tx, conversation, event).await?;
    lines::tell(tx, conversation, event).await?;
    Ok(Some(shift.json(event)))
}

/// Takes the acts of one text, all with its evidence; what moved.
pub(crate) async fn take(
    tx: &mut Tx,
    conversation: &mut Conversation,
    acts: Vec<Act>,
    evidence: &Evidence,
) -> Result<Vec<serde_json::Value>, StoreError> {
    let mut moved = Vec::new();
    for act in acts {
        let event = ConsentEvent::new(act, evidence.clone());
        moved.extend(record(tx, conversation, &event).await?);
    }
    Ok(moved)
}

/// A number that was silent for long may be another's: what was agreed and assumed is in doubt.
pub(crate) async fn doubt_silence(
    tx: &mut Tx,
    conversation: &mut Conversation,
    now: Timestamp,
) -> Result<Option<serde_json::Value>, StoreError> {
    if !(conversation.is_silent(now) && conversation.doubt_may_begin()) {
        return Ok(None);
    }
    let rule = Evidence::of_rule(now, "silent too long");
    let event = ConsentEvent::new(Act::Reassigned(Doubt::Silent), rule);
    record(tx, conversation, &event).await
}

/// An audit entry of its own, for consent that moved with no text to tell of it.
pub(crate) fn entry(
    conversation: &Conversation,
    event: &ConsentEvent,
    detail: &serde_json::Value,
) -> Entry {
    Entry::new(
        &conversation.practice,
        event.at(),
        event.evidence.who.as_str(),
        &format!("consent.{}", event.as_str()),
        &format!("conversation/{}", conversation.id),
        detail,
    )
}

/// A question about no visit.
pub(crate) const fn question(kind: PendingKind, asked: Timestamp) -> PendingQuestion {
    PendingQuestion {
        kind,
        appointment: None,
        slots: Vec::new(),
        visits: Vec::new(),
        asked,
    }
}

#[cfg(test)]
mod tests;
