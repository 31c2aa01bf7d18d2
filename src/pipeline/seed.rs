//! Seed: a store full of invented conversations, so that pages and queries can be looked at and timed
//! as they are after years. Every answer passes the guardrail's door like any other, and none leaves.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil};

use crate::audit::Entry;
use crate::domain::alarm::AlarmKind;
use crate::domain::conversation::Conversation;
use crate::domain::dice::Dice;
use crate::domain::ids::{PatientId, TurnId};
use crate::domain::message::{Inbound, LawTag, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::{CarrierKind, Practice};
use crate::domain::record::{Patient, RecordSet};
use crate::guardrail::review::Guardrail;
use crate::guardrail::setting::{Author, Consent, Relation, Setting};
use crate::guardrail::wire::{CheckIn, check_line};
use crate::policy::words::{Channel, Jurisdiction, Language, Purpose};
use crate::store::records::EmbeddedRecords;
use crate::store::{NewConversation, Store, StoreError, Tx};

/// Conversations of one transaction: long enough that its commit is cheap, short enough to show progress.
pub const BATCH: u32 = 500;
/// Area codes from 200 to 999, each with the hundred numbers that are kept for inventions
/// (555-0100 to 555-0199), on text message and on WhatsApp.
pub const CONVERSATIONS_MAX: u32 = 2 * 800 * 100;

/// A draft that waits for staff.
const HELD: &str = "Your metformin 500 mg is ready, and your A1c was 9.2 %.";

/// What patients write and are answered: intent, words, answer; in English and Spanish.
const TALKS: &[(&str, &str, &str)] = &[
    (
        "question",
        "What time are you open on Friday?",
        "Please call us and we will tell you our hours.",
    ),
    (
        "reschedule",
        "Can I move my visit to next week?",
        "Of course. Please call us and we will find another time.",
    ),
    (
        "question",
        "Where do I park?",
        "You can park behind the building.",
    ),
    ("other", "Thank you so much 🙂", "You are welcome."),
    (
        "refill",
        "I need my refill please, I am out on Monday",
        "Thank you. Our staff will look at this and call you.",
    ),
    (
        "question",
        "Do you take my insurance?",
        "Please call us and we will look that up with you.",
    ),
    (
        "question",
        "¿A qué hora abren mañana?",
        "Llámenos y le diremos nuestro horario.",
    ),
    (
        "cancel_appointment",
        "Tengo que cancelar mi cita, lo siento",
        "Gracias por avisarnos. Llámenos para buscar otro día.",
    ),
];
const FIRST: &[&str] = &[
    "Ana", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Inés", "Jamal", "Kavya",
    "Liam", "Mei", "Noor", "Omar", "Priya", "Quinn", "Rosa", "Sam", "Tova", "Uma", "Víctor",
    "Wren", "Ximena", "Yusuf", "Zoë",
];
const LAST: &[&str] = &[
    "Abara", "Bianchi", "Castillo", "Dunn", "Eriksen", "Fonseca", "Grant", "Hashemi", "Ibarra",
    "Jansen", "Kowalski", "Laurent", "Mbeki", "Nakamura", "O'Neill", "Park", "Quispe", "Rahimi",
    "Schmidt", "Tran", "Ueda", "Vance", "Whitlock", "Xu", "Yoon", "Zamora",
];

/// How a store is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeding {
    /// How many conversations.
    pub conversations: u32,
    /// Over how many days until now.
    pub days: u32,
    /// The same seed gives the same talk.
    pub seed: u64,
}

/// How many rows there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Conversations, each with a person in the record.
    pub conversations: u32,
    /// Texts in both directions.
    pub texts: u32,
    /// Conversations that staff have not looked at.
    pub unread: u32,
    /// Drafts that wait for staff.
    pub held: u32,
    /// Alarms that nobody has.
    pub alarms: u32,
    /// Conversations that a person has taken over.
    pub taken: u32,
}

impl Seeded {
    const fn add(&mut self, other: Self) {
        self.conversations += other.conversations;
        self.texts += other.texts;
        self.unread += other.unread;
        self.held += other.held;
        self.alarms += other.alarms;
        self.taken += other.taken;
    }
}

/// One invented conversation.
#[derive(Clone, Debug)]
struct Invented {
    number: E164,
    channel: Channel,
    patient: Patient,
    language: Language,
    began: Timestamp,
    talks: Vec<usize>,
    left: Left,
    taken: bool,
}

/// What staff have left to do with an invented conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Unread,
    Held,
    Alarm,
}

/// Fills a store for one practice, batch after batch; `told` hears after each how many there are.
pub async fn seed(
    store: &Store,
    guardrail: &Arc<Guardrail>,
    practice: &Arc<Practice>,
    (wanted, now): (Seeding, Timestamp),
    mut told: impl FnMut(u32),
) -> Result<Seeded, StoreError> {
    let records = EmbeddedRecords::new(store.clone());
    let mut seeded = Seeded::default();
    let mut dice = Dice::new(wanted.seed);
    while seeded.conversations < wanted.conversations {
        let end = wanted
            .conversations
            .min(seeded.conversations.saturating_add(BATCH));
        let batch: Vec<Invented> = (seeded.conversations..end)
            .filter_map(|at| invent(&mut dice, at, wanted, now))
            .collect();
        let people = RecordSet {
            patients: batch.iter().map(|it| it.patient.clone()).collect(),
            ..RecordSet::default()
        };
        records.import(&practice.id, &people).await?;
        seeded.add(keep(store, guardrail, practice, batch).await?);
        store.sequence_audit(now).await?;
        told(seeded.conversations);
    }
    store.analyze().await?;
    Ok(seeded)
}

fn invent(dice: &mut Dice, at: u32, wanted: Seeding, now: Timestamp) -> Option<Invented> {
    let line = at % (CONVERSATIONS_MAX / 2);
    let number = format!("+1{}5550{:03}", 200 + line / 100, 100 + line % 100);
    let number: E164 = number.parse().ok()?;
    let pick = |dice: &mut Dice, from: &[&'static str]| dice.pick(from).copied().unwrap_or("");
    let (first, last) = (pick(dice, FIRST), pick(dice, LAST));
    let language = if dice.below(3) == 0 {
        Language::Es
    } else {
        Language::En
    };
    let span = i64::from(wanted.days) * 86_400;
    let back = span - span * i64::from(at) / i64::from(wanted.conversations.max(1));
    let talks = (0..2 + dice.below(3)).map(|_| dice.below(TALKS.len()));
    let talks = talks.collect();
    let year = 1940 + i16::try_from(dice.below(65)).unwrap_or(0);
    let month = 1 + i8::try_from(dice.below(12)).unwrap_or(0);
    Some(Invented {
        channel: if at < CONVERSATIONS_MAX / 2 {
            Channel::Sms
        } else {
            Channel::Whatsapp
        },
        patient: Patient {
            id: PatientId::new(format!("seed-{at}")),
            first_name: Phi::new(first.to_owned()),
            last_name: Phi::new(last.to_owned()),
            birth_date: Some(Phi::new(civil::date(year, month, 15))),
            phones: vec![number.clone()],
            guardians: Vec::new(),
            language: Some(language),
            state: Jurisdiction::UNKNOWN,
            mrn: None,
            email: None,
            address: None,
        },
        number,
        language,
        began: now
            .checked_sub(SignedDuration::from_secs(back + 3_600))
            .ok()?,
        talks,
        left: match dice.below(1_000) {
            0 => Left::Alarm,
            1..=20 => Left::Held,
            21..=120 => Left::Unread,
            _ => Left::Nothing,
        },
        taken: dice.below(50) == 0,
    })
}

async fn keep(
    store: &Store,
    guardrail: &Arc<Guardrail>,
    practice: &Arc<Practice>,
    batch: Vec<Invented>,
) -> Result<Seeded, StoreError> {
    let work = Arc::new((Arc::clone(guardrail), Arc::clone(practice), batch));
    store
        .write(move |tx| {
            let work = Arc::clone(&work);
            Box::pin(async move {
                let (guardrail, practice, batch) = &*work;
                let mut seeded = Seeded::default();
                for one in batch {
                    seeded.add(keep_one(tx, guardrail, practice, one).await?);
                }
                Ok(seeded)
            })
        })
        .await
}

/// As a text minutes apart from the last.
fn minutes(from: Timestamp, count: usize) -> Timestamp {
    let count = i64::try_from(count).unwrap_or(0);
    from.saturating_add(SignedDuration::from_mins(count))
        .unwrap_or(from)
}

async fn keep_one(
    tx: &mut Tx,
    guardrail: &Guardrail,
    practice: &Practice,
    one: &Invented,
) -> Result<Seeded, StoreError> {
    let sender = practice.senders.first().map(|it| it.number.clone());
    let line = NewConversation {
        practice: practice.id.clone(),
        carrier: CarrierKind::Simulator,
        channel: one.channel,
        sender: sender.unwrap_or_else(|| practice.phone.clone()),
        number: one.number.clone(),
        language: one.language,
    };
    let mut conversation = tx.conversation_for(&line, one.began).await?;
    conversation.patient = Some(one.patient.id.clone());
    let mut seeded = Seeded {
        conversations: 1,
        ..Seeded::default()
    };
    for (at, talk) in one.talks.iter().enumerate() {
        let Some((intent, words, answer)) = TALKS.get(*talk) else {
            continue;
        };
        let heard_at = minutes(one.began, 2 * at);
        let inbound = Inbound::text(
            (CarrierKind::Simulator, format!("{}-{at}", one.patient.id)),
            one.channel,
            one.number.clone(),
            line.sender.clone(),
            Phi::new((*words).to_owned()),
            heard_at,
        );
        let turn = tx
            .append_inbound(&conversation, &inbound, intent, heard_at)
            .await?;
        conversation.last_inbound = Some(heard_at);
        tx.save_heard(&conversation, Some(turn)).await?;
        seeded.texts += 1;
        if at + 1 < one.talks.len() || one.left == Left::Nothing {
            tx.mark_answered(conversation.id, &[turn]).await?;
            let answer = (&conversation, *answer, minutes(heard_at, 1));
            seeded.texts += answered(tx, guardrail, practice, one, answer).await?;
        }
        if at + 1 == one.talks.len() {
            let end = (&mut conversation, turn, heard_at);
            leave(tx, guardrail, one, end, &mut seeded).await?;
        }
    }
    Ok(seeded)
}

/// What the guardrail finds in a held draft, as the console shows it.
fn report(guardrail: &Guardrail, draft: &str) -> String {
    let line = serde_json::json!({
        "id": 0, "draft": draft,
        "context": {
            "practice": {
                "name": "Lakeside Family Medicine", "phone": "(415) 555-0100",
                "type": "primary_care", "portal_url": "https://portal.example.com",
            },
            "channel": "sms", "consent": "granted", "state": "CA", "language": "en",
            "timezone": "America/Los_Angeles", "now": "2026-12-01T10:00:00-08:00",
            "purpose": "reply", "facts": [],
        },
    });
    let line = serde_json::from_value::<CheckIn>(line);
    let out = line.map(|line| check_line(guardrail, &line));
    out.ok()
        .and_then(|out| serde_json::to_string(&out).ok())
        .unwrap_or_else(|| "{}".to_owned())
}

/// Leaves a conversation as staff find it.
async fn leave(
    tx: &mut Tx,
    guardrail: &Guardrail,
    one: &Invented,
    (conversation, turn, at): (&mut Conversation, TurnId, Timestamp),
    seeded: &mut Seeded,
) -> Result<(), StoreError> {
    match one.left {
        Left::Nothing => {}
        Left::Unread => seeded.unread = 1,
        Left::Held => {
            let draft = Phi::new(HELD.to_owned());
            let report = Phi::new(report(guardrail, HELD));
            let reason = "the draft holds health details";
            tx.hold(conversation, &draft, &report, reason, at).await?;
            seeded.held = 1;
        }
        Left::Alarm => {
            tx.raise_alarm(conversation, turn, AlarmKind::Emergency, at)
                .await?;
            seeded.alarms = 1;
        }
    }
    if one.taken {
        conversation.human = true;
        tx.save_conversation(conversation).await?;
        seeded.taken = 1;
    }
    if one.left != Left::Unread {
        tx.see(conversation.id, turn.0).await?;
    }
    let subject = format!("conversation/{}", conversation.id);
    let detail = serde_json::json!({ "texts": seeded.texts, "invented": true });
    let practice = &conversation.practice;
    let entry = Entry::new(
        practice,
        at,
        "operator",
        "conversation.seeded",
        &subject,
        &detail,
    );
    tx.append_audit(&entry).await
}

/// An answer that left and arrived; how many texts that is.
async fn answered(
    tx: &mut Tx,
    guardrail: &Guardrail,
    practice: &Practice,
    one: &Invented,
    (conversation, words, at): (&Conversation, &str, Timestamp),
) -> Result<u32, StoreError> {
    let setting = Setting {
        practice_name: &practice.name,
        practice_phone: practice.phone.as_str(),
        practice_type: &practice.kind,
        portal_url: "https://portal.example.com",
        channel: one.channel,
        consent: Consent::None,
        covered: false,
        state: Jurisdiction::UNKNOWN,
        language: one.language,
        timezone: &practice.timezone,
        now: at,
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Staff,
        facts: &[],
        told: &[],
    };
    let review = guardrail.review(words, &setting);
    let Some(cleared) = &review.cleared else {
        return Ok(0);
    };
    let law = LawTag {
        policy: review.policy.to_string(),
        ..LawTag::default()
    };
    let id = tx
        .enqueue(conversation, cleared, OutboundKind::Reply, (None, &law), at)
        .await?;
    tx.arrived(id).await?;
    let subject = format!("conversation/{}", conversation.id);
    let detail = serde_json::json!({ "outbox": id.0, "invented": true });
    let entry = Entry::new(
        &practice.id,
        at,
        "anteroom",
        "message.cleared",
        &subject,
        &detail,
    );
    tx.append_audit(&entry).await?;
    Ok(1)
}
