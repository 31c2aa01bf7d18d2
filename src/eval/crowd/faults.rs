//! What goes wrong in a crowd, by a seed: a model that fails and lies, a record that is down or says
//! so after it wrote, a carrier that refuses, waits or cannot tell.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use crate::agent::layer::{Call, RecordsLayer};
use crate::agent::ports::{Answer, BoxFuture, Model, ModelError, Records, RecordsError, Request};
use crate::carrier::{Answering, Capabilities, Carrier, Keywords};
use crate::domain::dice::SharedDice;
use crate::domain::ids::PracticeId;
use crate::domain::message::{Delivery, INBOUND_CHARS_MAX, Outbound, SendOutcome};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::llm::offline::Offline;
use crate::policy::words::Channel;
use crate::store::records::EmbeddedRecords;

/// Chance of a fault, in a thousand, and where the dice stand.
#[derive(Debug)]
pub(super) struct Chance {
    dice: SharedDice,
    in_thousand: u64,
    met: AtomicU64,
}

impl Chance {
    pub(super) fn new(seed: u64, in_thousand: u64) -> Self {
        Self {
            dice: SharedDice::new(seed),
            in_thousand,
            met: AtomicU64::new(0),
        }
    }

    /// Which of so many faults is met now, if one is.
    fn fault(&self, kinds: u64) -> Option<u64> {
        // The low bits of such dice are poor.
        let thrown = self.dice.next() >> 16;
        let met = thrown % 1_000 < self.in_thousand;
        met.then(|| {
            self.met.fetch_add(1, Ordering::Relaxed);
            (self.dice.next() >> 16) % kinds
        })
    }

    /// How many faults were met.
    pub(super) fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }
}

/// The offline model, which fails and lies now and then.
#[derive(Debug)]
pub(super) struct ShakyModel {
    inner: Offline,
    pub(super) chance: Chance,
    lies: Vec<String>,
    micros: AtomicU64,
}

impl ShakyModel {
    pub(super) fn new(chance: Chance, lies: Vec<String>) -> Self {
        Self {
            inner: Offline::new(),
            chance,
            lies,
            micros: AtomicU64::new(0),
        }
    }

    /// The time that it took for itself, so far.
    pub(super) fn micros(&self) -> u64 {
        self.micros.load(Ordering::Relaxed)
    }

    fn misses(&self) -> Option<Result<Answer, ModelError>> {
        let failures = [
            ModelError::Timeout,
            ModelError::RateLimited,
            ModelError::Unreachable,
            ModelError::Malformed,
            ModelError::Truncated,
            ModelError::Empty,
        ];
        let kinds = failures.len() + self.lies.len();
        let met = self.chance.fault(u64::try_from(kinds).unwrap_or(1))?;
        let at = usize::try_from(met).unwrap_or(0);
        match failures.get(at) {
            Some(error) => Some(Err(*error)),
            None => {
                let lie = self.lies.get(at - failures.len())?;
                Some(Ok(Answer::Text(Phi::from(lie.as_str()))))
            }
        }
    }
}

impl Model for ShakyModel {
    fn name(&self) -> &'static str {
        "shaky"
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async move {
            if let Some(missed) = self.misses() {
                return missed;
            }
            let began = Instant::now();
            let answer = self.inner.complete(request).await;
            let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.micros.fetch_add(took, Ordering::Relaxed);
            answer
        })
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.inner.count_tokens(text)
    }
}

/// A record that is down now and then; also after it wrote, so that nobody is told.
#[derive(Debug)]
pub(super) struct ShakyRecords {
    pub(super) inner: EmbeddedRecords,
    pub(super) chance: Chance,
}

/// What becomes of a write.
enum Write {
    Well,
    Before(RecordsError),
    After,
}

impl ShakyRecords {
    fn read(&self) -> Result<(), RecordsError> {
        match self.chance.fault(1) {
            Some(_) => Err(RecordsError::Unavailable),
            None => Ok(()),
        }
    }

    fn write(&self) -> Write {
        match self.chance.fault(3) {
            None => Write::Well,
            Some(0) => Write::Before(RecordsError::Unavailable),
            Some(1) => Write::Before(RecordsError::Conflict),
            Some(_) => Write::After,
        }
    }

    async fn written<T>(
        &self,
        work: BoxFuture<'_, Result<T, RecordsError>>,
    ) -> Result<T, RecordsError> {
        match self.write() {
            Write::Well => work.await,
            Write::Before(error) => Err(error),
            Write::After => {
                let done = work.await;
                done.and(Err(RecordsError::Unavailable))
            }
        }
    }
}

impl RecordsLayer for ShakyRecords {
    fn behind(&self, _practice: &PracticeId) -> &dyn Records {
        &self.inner
    }

    fn around<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        work: BoxFuture<'a, Result<T, RecordsError>>,
    ) -> BoxFuture<'a, Result<T, RecordsError>> {
        Box::pin(async move {
            if call.writes {
                self.written(work).await
            } else {
                self.read()?;
                work.await
            }
        })
    }
}

/// A carrier that keeps what it took, and refuses, waits or cannot tell now and then.
#[derive(Debug)]
pub(super) struct ShakyCarrier {
    pub(super) chance: Chance,
    taken: Mutex<BTreeMap<String, Vec<(String, String)>>>,
}

impl ShakyCarrier {
    pub(super) fn new(chance: Chance) -> Self {
        Self {
            chance,
            taken: Mutex::default(),
        }
    }

    /// What it took for a number, oldest first.
    pub(super) fn taken_for(&self, number: &E164) -> Vec<String> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = taken.get(number.as_str()).into_iter().flatten();
        texts.map(|(_, text)| text.clone()).collect()
    }

    fn take(&self, outbound: &Outbound) -> SendOutcome {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = taken.entry(outbound.to.as_str().to_owned()).or_default();
        texts.push((
            outbound.reference.clone(),
            outbound.body.as_str().to_owned(),
        ));
        accepted(outbound)
    }
}

fn accepted(outbound: &Outbound) -> SendOutcome {
    SendOutcome::Accepted {
        carrier_id: format!("CROWD{}", outbound.reference),
        delivery: Delivery::Delivered,
    }
}

impl Carrier for ShakyCarrier {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: Channel::ALL,
            text_max: INBOUND_CHARS_MAX,
            media: false,
            media_out: false,
            window: &[],
            templates: &[],
            keywords: Keywords::WeReply,
            reports: true,
            idempotent: false,
            listing: true,
            redacts: false,
            hook_bytes_max: 0,
        }
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        let code = "30001".to_owned();
        let outcome = match self.chance.fault(4) {
            None => self.take(outbound),
            Some(0) => SendOutcome::Retry {
                code,
                after_ms: Some(1_000),
            },
            Some(1) => SendOutcome::Fail { code },
            // It took it and the connection broke, or it never arrived.
            Some(2) => {
                let _lost_answer = self.take(outbound);
                SendOutcome::Unknown { code }
            }
            Some(_) => SendOutcome::Unknown { code },
        };
        Box::pin(std::future::ready(outcome))
    }

    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        _since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut texts = taken.get(outbound.to.as_str()).into_iter().flatten();
        let known = texts.any(|(reference, _)| *reference == outbound.reference);
        let found = known.then(|| accepted(outbound));
        Box::pin(std::future::ready(Some(found)))
    }
}
