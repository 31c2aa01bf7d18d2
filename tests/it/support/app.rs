//! A whole house in a test: real store, real guardrail, a clock that stands still, a carrier that remembers.

#![cfg(test)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use anteroom::agent::ports::{Model, Records};
use anteroom::agent::texts::Texts;
use anteroom::carrier::codes::{ErrorClass, class_in};
use anteroom::carrier::pager::Pager;
use anteroom::carrier::twilio::codes_table::CODES;
use anteroom::carrier::{Answering, Capabilities, Carrier, Keywords};
use anteroom::domain::clock::{Clock as _, ManualClock};
use anteroom::domain::conversation::Conversation;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::message::{Delivery, Inbound, Outbound, SendOutcome};
use anteroom::domain::phi::Phi;
use anteroom::domain::phone::E164;
use anteroom::domain::practice::Practice;
use anteroom::domain::record::{Patient, RecordSet};
use anteroom::fhir::bundle;
use anteroom::guardrail::review::Guardrail;
use anteroom::llm::offline::Offline;
use anteroom::mail::Relay;
use anteroom::pipeline::house::{Carriers, House, Parts};
use anteroom::pipeline::receive::Received;
use anteroom::pipeline::work::Step;
use anteroom::policy::words::Channel;
use anteroom::screen::Screen;
use anteroom::store::Store;
use anteroom::store::records::EmbeddedRecords;
use jiff::{SignedDuration, Timestamp};

use super::sample::{Models, alone, no_lines, sample_records};
pub(crate) use super::sample::{sample_practice, staff};

/// A Sunday; the sample's visits begin on the Monday after.
pub(crate) const SUNDAY: &str = "2026-11-29T18:00:00Z";

/// The rules of the way out and the way in, compiled once for all houses of a test.
static RULES: LazyLock<(Guardrail, Screen)> = LazyLock::new(|| {
    let guardrail = Guardrail::embedded().unwrap();
    (guardrail, Screen::embedded().unwrap())
});

/// Patients of the sample practice.
pub(crate) const MARIA: &str = "+14155550111";
pub(crate) const JAMES: &str = "+14155550112";
pub(crate) const TOM: &str = "+14155550114";
pub(crate) const NOBODY: &str = "+14155550190";

/// How a text ends that never reached the carrier.
const NEVER_ARRIVED: &str = "never_arrived";

/// A carrier that keeps what it was given and answers by a script, then with "accepted".
#[derive(Debug, Default)]
pub(crate) struct Loopback {
    sent: Mutex<Vec<Outbound>>,
    script: Mutex<VecDeque<SendOutcome>>,
    /// How often it panics before it sends again.
    pub(crate) panics: AtomicU32,
    /// Cannot tell whether it has a text.
    pub(crate) blind: AtomicBool,
}

impl Carrier for Loopback {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: Channel::ALL,
            text_max: 1_600,
            media: false,
            media_out: true,
            window: &[Channel::Whatsapp],
            templates: &[Channel::Whatsapp],
            keywords: Keywords::WeReply,
            reports: true,
            idempotent: false,
            listing: true,
            redacts: false,
            hook_bytes_max: 0,
        }
    }

    fn class_of(&self, code: &str) -> Option<ErrorClass> {
        class_in(CODES, code)
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        Box::pin(async move {
            let left = self.panics.load(Ordering::Relaxed);
            self.panics.store(left.saturating_sub(1), Ordering::Relaxed);
            assert_eq!(left, 0, "a carrier that panics");
            let scripted = self.script.lock().unwrap().pop_front();
            let outcome = scripted.unwrap_or_else(|| SendOutcome::Accepted {
                carrier_id: format!("LB-{}", outbound.reference),
                delivery: Delivery::Queued,
            });
            let taken = match &outcome {
                SendOutcome::Accepted { .. } => true,
                SendOutcome::Unknown { code } => code != NEVER_ARRIVED,
                SendOutcome::Retry { .. }
                | SendOutcome::Fail { .. }
                | SendOutcome::Suppress { .. } => false,
            };
            if taken {
                self.sent.lock().unwrap().push(outbound.clone());
            }
            outcome
        })
    }

    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        _since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        Box::pin(async move {
            if self.blind.load(Ordering::Relaxed) {
                return None;
            }
            let sent = self.sent.lock().unwrap();
            let known = sent.iter().any(|it| it.reference == outbound.reference);
            Some(known.then(|| SendOutcome::Accepted {
                carrier_id: format!("LB-{}", outbound.reference),
                delivery: Delivery::Queued,
            }))
        })
    }
}

impl Loopback {
    /// The next text is lost on the way to it.
    pub(crate) fn forget_next(&self) {
        let code = NEVER_ARRIVED.to_owned();
        let mut script = self.script.lock().unwrap();
        script.push_back(SendOutcome::Unknown { code });
    }

    /// Our reference of the text that it took last.
    pub(crate) fn last_reference(&self) -> String {
        let sent = self.sent.lock().unwrap();
        sent.last().unwrap().reference.clone()
    }
}

/// Who is paged, and who carries e-mail.
type Beside = (Option<Pager>, Option<Relay>);

/// The house and what a test may turn.
pub(crate) struct App {
    pub(crate) house: Arc<House>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) carrier: Arc<Loopback>,
    practice: Arc<Practice>,
    count: Mutex<u32>,
}

impl App {
    /// The sample practice on this store, answered by the offline model.
    pub(crate) async fn new(store: Store) -> Self {
        Self::with_model(store, Arc::new(Offline::new())).await
    }

    /// The sample practice, changed, on this store.
    pub(crate) async fn with_practice(store: Store, change: impl FnOnce(&mut Practice)) -> Self {
        Self::made(store, Arc::new(Offline::new()), SUNDAY, change).await
    }

    /// This practice and its neighbours on this store, with these lines beside the one that
    /// remembers.
    pub(crate) async fn with_carriers(
        store: Store,
        (practice, neighbours): (Practice, Vec<Practice>),
        carriers: Carriers,
        clock: Arc<ManualClock>,
    ) -> Self {
        let practice = Arc::new(practice);
        let made = (
            Arc::clone(&clock),
            sample_records(&store, &clock, &practice).await,
            (None, None),
        );
        let lines = (carriers, neighbours);
        Self::of(
            store,
            alone(Arc::new(Offline::new())),
            (practice, true),
            lines,
            made,
        )
    }

    /// The sample practice on this store, answered by this model.
    pub(crate) async fn with_model(store: Store, model: Arc<dyn Model>) -> Self {
        Self::made(store, model, SUNDAY, |_| ()).await
    }

    /// The sample practice on this store, whose alarms are told to this pager.
    pub(crate) async fn with_pager(store: Store, pager: Pager) -> Self {
        let model = alone(Arc::new(Offline::new()));
        let practice = sample_practice();
        Self::build_at(store, model, practice, true, (SUNDAY, (Some(pager), None))).await
    }

    /// The sample practice, changed, on this store, with a relay for e-mail.
    pub(crate) async fn with_mail(
        store: Store,
        relay: Relay,
        change: impl FnOnce(&mut Practice),
    ) -> Self {
        let mut practice = sample_practice();
        change(&mut practice);
        let model = alone(Arc::new(Offline::new()));
        Self::build_at(store, model, practice, true, (SUNDAY, (None, Some(relay)))).await
    }

    /// A house on this store that does not know the practice any more.
    pub(crate) async fn closed(store: Store) -> Self {
        let model = alone(Arc::new(Offline::new()));
        Self::build_at(
            store,
            model,
            sample_practice(),
            false,
            (SUNDAY, (None, None)),
        )
        .await
    }

    /// The sample practice, changed, on this store, answered by this model, from this instant on.
    pub(crate) async fn made(
        store: Store,
        model: Arc<dyn Model>,
        start: &str,
        change: impl FnOnce(&mut Practice),
    ) -> Self {
        let mut practice = sample_practice();
        change(&mut practice);
        Self::build_at(store, alone(model), practice, true, (start, (None, None))).await
    }

    /// The sample practice whose record another system keeps, which `open` opens by the clock.
    pub(crate) fn with_records<R: Records + 'static>(
        store: Store,
        open: impl FnOnce(Arc<ManualClock>) -> R,
    ) -> Self {
        Self::kept_by(store, sample_practice(), open)
    }

    /// This practice, whose record another system keeps, which `open` opens by the clock.
    pub(crate) fn kept_by<R: Records + 'static>(
        store: Store,
        practice: Practice,
        open: impl FnOnce(Arc<ManualClock>) -> R,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(SUNDAY.parse().unwrap()));
        let records = Arc::new(open(Arc::clone(&clock)));
        let (model, practice) = (Arc::new(Offline::new()), Arc::new(practice));
        let made = (clock, records as Arc<dyn Records>, (None, None));
        Self::of(store, alone(model), (practice, true), no_lines(), made)
    }

    /// The sample practice, changed, on this store, answered by these models in their order.
    pub(crate) async fn with_models(
        store: Store,
        models: Models,
        change: impl FnOnce(&mut Practice),
    ) -> Self {
        let mut practice = sample_practice();
        change(&mut practice);
        Self::build_at(store, models, practice, true, (SUNDAY, (None, None))).await
    }

    async fn build_at(
        store: Store,
        models: Models,
        practice: Practice,
        open: bool,
        (start, beside): (&str, Beside),
    ) -> Self {
        let clock = Arc::new(ManualClock::new(start.parse().unwrap()));
        let practice = Arc::new(practice);
        let records = sample_records(&store, &clock, &practice).await;
        let made = (clock, records, beside);
        Self::of(store, models, (practice, open), no_lines(), made)
    }

    fn of(
        store: Store,
        (model, fallbacks): Models,
        (practice, open): (Arc<Practice>, bool),
        (mut carriers, neighbours): (Carriers, Vec<Practice>),
        (clock, records, (pager, mail)): (Arc<ManualClock>, Arc<dyn Records>, Beside),
    ) -> Self {
        let carrier = Arc::new(Loopback::default());
        let key = (practice.id.clone(), practice.senders[0].carrier);
        let line = Arc::clone(&carrier) as Arc<dyn Carrier>;
        carriers.entry(key).or_insert(line);
        let seed = Mutex::new((7_u8, 0_usize));
        let house = House::new(Parts {
            store,
            clock: Arc::clone(&clock) as _,
            guardrail: RULES.0.clone().into(),
            screen: RULES.1.clone(),
            texts: Texts::embedded().unwrap(),
            records,
            model,
            fallbacks,
            offline: Arc::new(Offline::new()),
            carriers,
            practices: open
                .then(|| Arc::clone(&practice))
                .into_iter()
                .chain(neighbours.into_iter().map(Arc::new))
                .map(|it| (it.id.clone(), it))
                .collect(),
            public_url: "http://127.0.0.1:8080/".parse().unwrap(),
            entropy: Arc::new(move |buffer: &mut [u8]| {
                let mut seed = seed.lock().unwrap();
                for byte in buffer {
                    // The period of the byte is 256: a round of its own each time makes no token twice.
                    seed.0 = seed.0.wrapping_mul(5).wrapping_add(113);
                    *byte = seed.0 ^ u8::try_from(seed.1 / 256).unwrap();
                    seed.1 += 1;
                }
                true
            }),
            pager,
            mail,
        });
        Self {
            house,
            clock,
            carrier,
            practice,
            count: Mutex::new(0),
        }
    }

    /// A text as a carrier delivers it, with an id of its own.
    pub(crate) fn inbound(&self, from: &str, body: &str) -> Inbound {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        Inbound {
            carrier: self.practice.senders[0].carrier,
            carrier_id: format!("SM{:032x}", *count),
            channel: self.practice.senders[0].channel,
            from: from.parse().unwrap(),
            to: "+14155550101".parse().unwrap(),
            body: Phi::from(body),
            media: Vec::new(),
            button: None,
            at: self.clock.now(),
        }
    }

    /// Hands an inbound text in; nothing is worked on yet.
    pub(crate) async fn receive(&self, inbound: Inbound) -> Received {
        self.house
            .receive(Arc::clone(&self.practice), inbound)
            .await
            .unwrap()
    }

    /// What the patient gets for a text, once everything that is due has been worked on.
    pub(crate) async fn text(&self, from: &str, body: &str) -> Vec<String> {
        let before = self.received_by(from).len();
        assert_eq!(self.receive(self.inbound(from, body)).await, Received::New);
        self.drain().await;
        self.received_by(from).split_off(before)
    }

    /// As [`App::text`], for exactly one answer.
    pub(crate) async fn one(&self, from: &str, body: &str) -> String {
        let mut answers = self.text(from, body).await;
        assert_eq!(answers.len(), 1, "to {body:?}: {answers:?}");
        answers.remove(0)
    }

    /// A patient who has agreed to the risk notice.
    pub(crate) async fn agreed(&self, from: &str) {
        self.text(from, "Hello").await;
        self.drain().await;
        self.text(from, "YES").await;
    }

    /// Works until nothing is due.
    pub(crate) async fn drain(&self) {
        // Bounded: a house that never rests is a bug to be shown, not waited for.
        for _ in 0..200 {
            let replied = self.house.reply_once().await.unwrap();
            let reminded = self.house.remind_once().await.unwrap();
            let dispatched = self.house.dispatch_once().await.unwrap();
            if [replied, reminded, dispatched] == [Step::Idle; 3] {
                return;
            }
        }
        panic!("the house never came to rest");
    }

    /// Everything that the carrier took for this number, oldest first.
    pub(crate) fn received_by(&self, number: &str) -> Vec<String> {
        let sent = self.carrier.sent.lock().unwrap();
        let to: E164 = number.parse().unwrap();
        sent.iter()
            .filter(|it| it.to == to)
            .map(|it| it.body.as_str().to_owned())
            .collect()
    }

    /// What the carrier answers next.
    pub(crate) fn script(&self, outcomes: impl IntoIterator<Item = SendOutcome>) {
        self.carrier.script.lock().unwrap().extend(outcomes);
    }

    /// The present.
    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, span: SignedDuration) {
        self.clock.advance(span);
    }

    /// The one conversation with a number.
    pub(crate) async fn conversation(&self, number: &str) -> Conversation {
        let number = number.parse().unwrap();
        let found = self
            .house
            .store()
            .conversations_with(&self.practice.id, &number)
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
        found.into_iter().next().unwrap()
    }

    /// What staff read beside the text that waits last.
    pub(crate) async fn last_report(&self) -> String {
        let holds = self.house.store().holds(&self.practice.id).await.unwrap();
        holds.last().unwrap().report.as_str().to_owned()
    }

    /// Why texts wait for staff, oldest first.
    pub(crate) async fn held(&self) -> Vec<String> {
        let holds = self.house.store().holds(&self.practice.id).await.unwrap();
        holds.into_iter().map(|hold| hold.reason).collect()
    }

    /// Puts more people and visits on file.
    pub(crate) async fn file(&self, set: &RecordSet) {
        let records = EmbeddedRecords::new(self.house.store().clone())
            .with_clock(Arc::clone(&self.clock) as _);
        records.import(&self.practice.id, set).await.unwrap();
    }

    /// Changes what is on file of the people at this number.
    pub(crate) async fn refile(&self, number: &str, change: impl Fn(&mut Patient)) {
        let (mut set, _) = bundle::parse(include_str!("../../../samples/lakeside.json")).unwrap();
        let number: E164 = number.parse().unwrap();
        set.patients.retain(|it| it.phones.contains(&number));
        set.patients.iter_mut().for_each(change);
        let patients = std::mem::take(&mut set.patients);
        self.file(&RecordSet {
            patients,
            ..RecordSet::default()
        })
        .await;
    }

    /// The practice's id.
    pub(crate) fn practice(&self) -> &PracticeId {
        &self.practice.id
    }

    /// The actions in the audit log, oldest first, after chaining and verifying it.
    pub(crate) async fn audited(&self) -> Vec<String> {
        let store = self.house.store();
        store.sequence_audit(self.clock.now()).await.unwrap();
        store
            .verify_audit(self.practice())
            .await
            .unwrap()
            .expect("the chain is whole");
        let entries = store.audit_entries(self.practice()).await.unwrap();
        entries
            .into_iter()
            .map(|linked| linked.entry.action)
            .collect()
    }
}
