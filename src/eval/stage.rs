//! The stage: a whole house in this process for one story, with a clock that jumps and a carrier
//! that keeps what it is given. Nothing of it outlives the story.

mod listening;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::agent::ports::{Answer, Model, ModelError, Records};
use crate::agent::prompts::Wording;
use crate::agent::texts::Texts;
use crate::carrier::Carrier;
use crate::carrier::at_once::{AtOnce, Report};
use crate::domain::clock::{Clock as _, ManualClock};
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::dice::SharedDice;
use crate::domain::ids::TurnId;
use crate::domain::message::{Delivery, Inbound};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::{CarrierKind, Practice};
use crate::domain::record::{Appointment, Patient, RecordSet};
use crate::domain::waiting::Errand;
use crate::eval::stage::listening::Listening;
use crate::fhir::bundle;
use crate::guardrail::review::Guardrail;
use crate::llm::offline::Offline;
use crate::pipeline::house::{House, Parts};
use crate::pipeline::wish::{Wish, Wished};
use crate::pipeline::work::Step;
use crate::policy::words::{Channel, Jurisdiction};
use crate::screen::Screen;
use crate::seal::MasterKey;
use crate::store::Store;
use crate::store::records::EmbeddedRecords;

const SAMPLE_PRACTICE: &str = include_str!("../../samples/lakeside.toml");
const SAMPLE_RECORD: &str = include_str!("../../samples/lakeside.json");
/// Steps after which a house that never rests is called broken.
const STEPS_MAX: u32 = 400;
/// Texts of one conversation that are looked through.
const TURNS_MAX: u32 = 500;

/// Stories played by this process, for folder names.
static PLAYED: AtomicU64 = AtomicU64::new(0);

/// What every story begins from, read once.
#[derive(Debug)]
pub(crate) struct Setup {
    practice: Arc<Practice>,
    record: RecordSet,
    guardrail: Guardrail,
    screen: Screen,
    texts: Texts,
    wording: Wording,
}

/// What of the sample a story changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// How texts come and go.
    pub(crate) channel: Option<Channel>,
    /// Where the practice is and every patient lives.
    pub(crate) state: Option<Jurisdiction>,
    /// What the practice is.
    pub(crate) practice_type: Option<String>,
    /// Numbers of people who text from this one number instead.
    pub(crate) shared: Option<(E164, Vec<E164>)>,
}

/// The house of one story.
pub(crate) struct Stage {
    pub(crate) house: Arc<House>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) practice: Arc<Practice>,
    patients: Vec<Patient>,
    visits: Vec<Appointment>,
    reports: mpsc::Receiver<Report>,
    model: Arc<Listening>,
    tracker: TaskTracker,
    folder: PathBuf,
    count: u32,
}

impl Setup {
    /// The sample practice and its record under a policy.
    pub(crate) fn new(
        (guardrail, screen): (Guardrail, Screen),
        texts: Texts,
        wording: Wording,
    ) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct File {
            practice: Vec<Practice>,
        }
        let file: File = toml::from_str(SAMPLE_PRACTICE).map_err(|error| error.to_string())?;
        let practice = file
            .practice
            .into_iter()
            .next()
            .ok_or("the sample practice is empty")?;
        let (record, _) = bundle::parse(SAMPLE_RECORD).map_err(|error| error.to_string())?;
        Ok(Self {
            practice: Arc::new(practice),
            record,
            guardrail,
            screen,
            texts,
            wording,
        })
    }

    /// A house at `start`, with an empty store of its own and a model that is listened to.
    pub(crate) async fn stage(
        &self,
        start: Timestamp,
        model: Arc<dyn Model>,
        place: &Place,
    ) -> Result<Stage, String> {
        let number = PLAYED.fetch_add(1, Ordering::Relaxed);
        let folder = room().join(format!("anteroom-story-{}-{number}", std::process::id()));
        let tell = |error: &dyn std::fmt::Display| format!("the stage: {error}");
        let url = format!("sqlite://{}", folder.join("story.db").display());
        let tracker = TaskTracker::new();
        let master = MasterKey::generate().map_err(|error| tell(&error))?;
        let store = Store::open(&url, master, &tracker, &folder)
            .await
            .map_err(|it| tell(&it))?;
        let clock = Arc::new(ManualClock::new(start));
        let records =
            Arc::new(EmbeddedRecords::new(store.clone()).with_clock(Arc::clone(&clock) as _));
        let mut set = self.record.clone();
        bundle::freshen(&mut set, start);
        place.settle(&mut set);
        let practice = Arc::new(place.practice(&self.practice));
        records
            .import(&practice.id, &set)
            .await
            .map_err(|it| tell(&it))?;
        let (carrier, reports) = AtOnce::new();
        let model = Arc::new(Listening::new(model));
        let house = self.house(
            (store, Arc::clone(&clock)),
            (Arc::clone(&model) as _, records),
            (Arc::clone(&practice), Arc::new(carrier)),
        )?;
        Ok(Stage {
            house,
            clock,
            practice,
            patients: set.patients,
            visits: set.appointments,
            reports,
            model,
            tracker,
            folder,
            count: 0,
        })
    }

    /// A house of the sample's rules and words on a store.
    pub(crate) fn house(
        &self,
        (store, clock): (Store, Arc<ManualClock>),
        (model, records): (Arc<dyn Model>, Arc<dyn Records>),
        (practice, carrier): (Arc<Practice>, Arc<dyn Carrier>),
    ) -> Result<Arc<House>, String> {
        let key = (practice.id.clone(), CarrierKind::Simulator);
        let address = "http://127.0.0.1:8080/";
        let house = House::new(Parts {
            store,
            clock,
            guardrail: self.guardrail.clone().into(),
            screen: self.screen.clone(),
            texts: self.texts.clone(),
            records,
            model,
            fallbacks: Vec::new(),
            offline: Arc::new(Offline::new()),
            carriers: BTreeMap::from([(key, carrier)]),
            practices: BTreeMap::from([(practice.id.clone(), Arc::clone(&practice))]),
            public_url: address
                .parse()
                .map_err(|error| format!("{address}: {error}"))?,
            entropy: Arc::new(steps()),
            pager: None,
            mail: None,
        });
        house.speak(&practice.id, self.wording.clone());
        Ok(house)
    }

    /// The sample practice.
    pub(crate) fn practice(&self) -> Arc<Practice> {
        Arc::clone(&self.practice)
    }

    /// The sample's record.
    pub(crate) const fn record(&self) -> &RecordSet {
        &self.record
    }
}

impl Place {
    /// The practice of the story.
    fn practice(&self, sample: &Practice) -> Practice {
        let mut practice = sample.clone();
        if let Some(kind) = &self.practice_type {
            practice.kind.clone_from(kind);
        }
        if let Some(state) = self.state {
            practice.state = state;
        }
        if let (Some(channel), Some(sender)) = (self.channel, practice.senders.first_mut()) {
            sender.channel = channel;
        }
        practice
    }

    /// The people of the story.
    fn settle(&self, set: &mut RecordSet) {
        for patient in &mut set.patients {
            if let Some(state) = self.state {
                patient.state = state;
            }
            if let Some((number, others)) = &self.shared {
                for phone in &mut patient.phones {
                    if others.contains(phone) {
                        phone.clone_from(number);
                    }
                }
            }
        }
    }
}

/// Memory where the machine has a folder in it: a story wants speed, not durability.
fn room() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// Token bytes that are the same in every run: no secret, only different each time.
fn steps() -> impl Fn(&mut [u8]) -> bool + Send + Sync {
    let dice = SharedDice::new(0);
    move |buffer: &mut [u8]| {
        for byte in buffer {
            *byte = (dice.next() >> 56)
                .to_le_bytes()
                .first()
                .copied()
                .unwrap_or_default();
        }
        true
    }
}

impl Stage {
    /// A patient has written before and has agreed to the risk notice; the story's own model is not
    /// asked for it.
    pub(crate) async fn agrees(&mut self, from: &E164) -> Result<(), String> {
        self.model.before(true);
        self.says(from, "Hello").await?;
        self.says(from, "YES").await?;
        self.model.before(false);
        Ok(())
    }

    /// Hands in a text and works until nothing is due; gives the texts that left since.
    pub(crate) async fn says(&mut self, from: &E164, body: &str) -> Result<Vec<String>, String> {
        self.receive(from, body).await?;
        self.rest(from).await
    }

    /// Hands in a text; nothing is worked on yet.
    pub(crate) async fn receive(&mut self, from: &E164, body: &str) -> Result<(), String> {
        self.count += 1;
        let sender = self
            .practice
            .senders
            .first()
            .ok_or("the practice has no number")?;
        let inbound = Inbound {
            carrier: CarrierKind::Simulator,
            carrier_id: format!("story-{}", self.count),
            channel: sender.channel,
            from: from.clone(),
            to: sender.number.clone(),
            body: Phi::from(body),
            media: Vec::new(),
            button: None,
            at: self.clock.now(),
        };
        let practice = Arc::clone(&self.practice);
        let received = self.house.receive(practice, inbound).await;
        received.map(drop).map_err(|error| error.to_string())
    }

    /// The practice wants to tell a person something; nothing is worked on yet.
    pub(crate) async fn wishes(
        &mut self,
        number: &E164,
        words: Option<&str>,
    ) -> Result<(), String> {
        self.count += 1;
        let owns = |patient: &&Patient| patient.phones.contains(number);
        let patient = self.patients.iter().find(owns);
        let patient = patient.ok_or("nobody on file has that number")?.id.clone();
        let errand = match words {
            Some(text) => Errand::Words {
                patient,
                text: text.to_owned(),
            },
            None => {
                let own = |visit: &&Appointment| visit.patient == patient;
                let visit = self.visits.iter().find(own);
                let appointment = visit.ok_or("the person has no visit")?.id.clone();
                Errand::Visit {
                    patient,
                    appointment,
                    start: None,
                    before_h: None,
                }
            }
        };
        let wish = Wish {
            practice: self.practice.id.clone(),
            request: format!("story-{}", self.count),
            number: Some(number.clone()),
            errand,
        };
        match self.house.wish(wish).await {
            Ok(Wished::Taken(_) | Wished::Repeated(_)) => Ok(()),
            Ok(Wished::Refused(why)) => {
                // What may not even be tried sends nothing, which is what a story asserts.
                tracing::debug!(%why, "the text was refused");
                Ok(())
            }
            Ok(other @ (Wished::Clash | Wished::NoRecord)) => {
                Err(format!("the text was not taken: {other:?}"))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Works until nothing is due; gives the texts that left for `number` since `seen`.
    pub(crate) async fn rest(&mut self, number: &E164) -> Result<Vec<String>, String> {
        let before = self.left(number).await?.len();
        for _ in 0..STEPS_MAX {
            let replied = self.house.reply_once().await.map_err(|it| it.to_string())?;
            let dispatched = self
                .house
                .dispatch_once()
                .await
                .map_err(|it| it.to_string())?;
            let reminded = self
                .house
                .remind_once()
                .await
                .map_err(|it| it.to_string())?;
            while self.reports.try_recv().is_ok() {}
            if [replied, dispatched, reminded] == [Step::Idle; 3] {
                let mut left = self.left(number).await?;
                return Ok(left.split_off(before.min(left.len())));
            }
        }
        Err("the house never came to rest".to_owned())
    }

    /// The conversations with a number.
    pub(crate) async fn conversations(&self, number: &E164) -> Result<Vec<Conversation>, String> {
        let found = self
            .house
            .store()
            .conversations_with(&self.practice.id, number)
            .await;
        found.map_err(|error| error.to_string())
    }

    /// Texts that a carrier took for this number, oldest first.
    async fn left(&self, number: &E164) -> Result<Vec<String>, String> {
        let mut turns: Vec<(TurnId, Turn)> = Vec::new();
        for conversation in self.conversations(number).await? {
            let all = self.house.store().turns(conversation.id, TURNS_MAX).await;
            let all = all.map_err(|error| error.to_string())?;
            turns.extend(all.into_iter().map(|turn| (turn.id, turn)));
        }
        turns.sort_by_key(|(id, _)| *id);
        let went = |turn: &Turn| {
            turn.direction == Direction::Outbound
                && turn.delivery.is_some_and(|it| {
                    !matches!(
                        it,
                        Delivery::Pending | Delivery::Suppressed | Delivery::Failed
                    )
                })
        };
        let texts = turns.into_iter().filter(|(_, turn)| went(turn));
        Ok(texts
            .map(|(_, turn)| turn.body.as_str().to_owned())
            .collect())
    }

    /// Why texts wait for staff.
    pub(crate) async fn holds(&self) -> Result<Vec<String>, String> {
        let holds = self.house.store().holds(&self.practice.id).await;
        let holds = holds.map_err(|error| error.to_string())?;
        Ok(holds.into_iter().map(|hold| hold.reason).collect())
    }

    /// The actions in the audit log, once the chain is verified.
    pub(crate) async fn audited(&self) -> Result<Vec<String>, String> {
        let store = self.house.store();
        let practice = &self.practice.id;
        store
            .sequence_audit(self.clock.now())
            .await
            .map_err(|it| it.to_string())?;
        let verified = store
            .verify_audit(practice)
            .await
            .map_err(|it| it.to_string())?;
        verified.map_err(|error| error.to_string())?;
        let entries = store
            .audit_entries(practice)
            .await
            .map_err(|it| it.to_string())?;
        Ok(entries.into_iter().map(|it| it.entry.action).collect())
    }

    /// Why the model gave no answer, the last time that it gave none.
    pub(crate) fn failed(&self) -> Option<ModelError> {
        self.model.failed()
    }

    /// What the model answered, in order.
    pub(crate) fn said(&self) -> Vec<Answer> {
        self.model.said()
    }

    /// What the model was shown.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.model.heard()
    }

    /// Takes the house down and its folder with it.
    pub(crate) async fn close(self) {
        let Self {
            house,
            tracker,
            folder,
            ..
        } = self;
        drop(house);
        tracker.close();
        tracker.wait().await;
        if std::fs::remove_dir_all(&folder).is_err() {
            tracing::debug!("the folder of a story was gone already");
        }
    }
}
