//! Shelter: visits of a kind of care on which a minor decides alone are told to nobody by text. The
//! agent does not see them, so that no model can tell of them; staff get the question.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::agent::layer::RecordsLayer;
use crate::agent::ports::{BoxFuture, Records, RecordsError};
use crate::agent::texts::TextId;
use crate::domain::conversation::Conversation;
use crate::domain::ids::{AppointmentId, PatientId, PracticeId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::domain::reach::{is_sheltered, may_be_minor};
use crate::domain::record::{Appointment, AppointmentStatus, Patient, Provider};
use crate::pipeline::house::House;
use crate::pipeline::law::Governed;
use crate::pipeline::reply::{Pending, Reply};
use crate::policy::law::minors::Care;
use crate::policy::words::Channel;

/// Why staff get a question about visits.
pub(crate) const SHELTERED: &str =
    "visits of a minor, or to one who acts for the patient, of a protected kind: staff tell them";

/// Whose visits are looked at, and by what.
#[derive(Clone)]
pub(crate) struct Watch {
    patient: Patient,
    number: E164,
    channel: Channel,
    kind: String,
    law: Governed,
    today: Date,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch(..)")
    }
}

impl Watch {
    /// Where a visit of this patient could be one that nobody is told of at this number; none where
    /// it cannot: an adult at a number of their own.
    pub(crate) fn over(
        practice: &Practice,
        patient: &Patient,
        conversation: &Conversation,
        law: &Governed,
        now: Timestamp,
    ) -> Option<Self> {
        let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
        let today = now.to_zoned(zone).date();
        let number = &conversation.number;
        let acts = patient.guardians.iter().any(|it| it.phone == *number);
        let own = patient.phones.contains(number) && !acts;
        if own && !may_be_minor(patient, today) {
            return None;
        }
        Some(Self {
            patient: patient.clone(),
            number: number.clone(),
            channel: conversation.channel,
            kind: practice.kind.clone(),
            law: law.clone(),
            today,
        })
    }

    /// Whether a visit stays untold. `providers` is none where the record did not give them: then
    /// nobody knows the kind of care.
    pub(crate) fn hides(&self, visit: &Appointment, providers: Option<&[Provider]>) -> bool {
        let cares = providers.and_then(|providers| self.cares(visit, providers));
        is_sheltered(
            &self.patient,
            &self.number,
            self.today,
            cares.as_deref(),
            |care| self.law.minor_decides_from(care, self.channel),
        )
    }

    /// The protected kinds of care that a visit is of, by its reason, by whom it is with and by the
    /// kind of practice; none where the record has no reason.
    fn cares(&self, visit: &Appointment, providers: &[Provider]) -> Option<Vec<Care>> {
        let reason = visit.reason.as_str().trim();
        if reason.is_empty() {
            return None;
        }
        let found = self.law.judge.guardrail.detect(reason);
        let seen = providers.iter().filter(|it| it.name == visit.provider);
        let with: Vec<_> = seen
            .map(|it| self.law.judge.guardrail.detect(&it.specialty))
            .collect();
        let found = found.iter().chain(with.iter().flat_map(|it| it.iter()));
        let mut cares: Vec<Care> = found
            .filter_map(|it| Care::of_category(it.category.as_str()))
            .chain(of_practice(&self.kind))
            .collect();
        cares.sort_unstable();
        cares.dedup();
        Some(cares)
    }
}

/// What every visit is of in a practice of this kind.
fn of_practice(kind: &str) -> Option<Care> {
    match kind {
        "behavioral_health" | "mental_health" | "psychiatry" | "psychology"
        | "eating_disorders" => Some(Care::MentalHealth),
        "sud" | "addiction" | "substance_use" => Some(Care::SubstanceUse),
        "hiv_sti" | "hiv" | "sexual_health" => Some(Care::Sti),
        "fertility" | "reproductive" | "obstetrics" | "abortion" => Some(Care::Reproductive),
        "domestic_violence" => Some(Care::Abuse),
        "gender_affirming" => Some(Care::GenderAffirming),
        _ => None,
    }
}

/// The record without the visits that nobody is told of by text.
#[derive(Debug)]
pub(crate) struct Shelter {
    record: Arc<dyn Records>,
    watch: Watch,
    asked: AtomicBool,
    hid: AtomicBool,
    told: AtomicBool,
}

impl Shelter {
    pub(crate) fn new(record: &Arc<dyn Records>, watch: Watch) -> Self {
        Self {
            record: Arc::clone(record),
            watch,
            asked: AtomicBool::new(false),
            hid: AtomicBool::new(false),
            told: AtomicBool::new(false),
        }
    }

    /// Whether a visit was left out.
    pub(crate) fn hid(&self) -> bool {
        self.hid.load(Ordering::Relaxed)
    }

    async fn visible(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        from: Timestamp,
    ) -> Result<Vec<Appointment>, RecordsError> {
        let mut visits = self.record.appointments(practice, patient, from).await?;
        let providers = self.record.providers(practice).await.ok();
        let all = visits.len();
        visits.retain(|visit| !self.watch.hides(visit, providers.as_deref()));
        self.asked.store(true, Ordering::Relaxed);
        self.hid.fetch_or(visits.len() < all, Ordering::Relaxed);
        self.told.fetch_or(!visits.is_empty(), Ordering::Relaxed);
        Ok(visits)
    }

    /// Nothing can be done to a visit that is not seen.
    async fn seen(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        id: &AppointmentId,
    ) -> Result<(), RecordsError> {
        let visits = self.visible(practice, patient, Timestamp::MIN).await?;
        let seen = visits.iter().any(|it| it.id == *id);
        seen.then_some(()).ok_or(RecordsError::NotFound)
    }
}

impl RecordsLayer for Shelter {
    fn behind(&self, _practice: &PracticeId) -> &dyn Records {
        &*self.record
    }

    fn appointments<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        Box::pin(self.visible(practice, patient, from))
    }

    fn set_status<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        status: AppointmentStatus,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        Box::pin(async move {
            self.seen(practice, patient, appointment).await?;
            let set = self
                .record
                .set_status(practice, patient, appointment, status, key);
            set.await
        })
    }

    fn reschedule<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        slot: &'a SlotId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        Box::pin(async move {
            self.seen(practice, patient, appointment).await?;
            let moved = self
                .record
                .reschedule(practice, patient, appointment, slot, key);
            moved.await
        })
    }
}

impl House {
    /// What becomes of an answer about visits some of which were not seen. Where no visit may be told
    /// the answer is the same whether there is one or none: staff have the question.
    pub(crate) fn sheltered(
        &self,
        reply: Reply,
        shelter: &Shelter,
        practice: &Practice,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Reply {
        let is = |it: &AtomicBool| it.load(Ordering::Relaxed);
        if !is(&shelter.asked) || reply.acted {
            return reply;
        }
        if is(&shelter.told) {
            let hold = is(&shelter.hid).then(|| (Phi::default(), SHELTERED));
            return Reply {
                hold: reply.hold.or(hold),
                ..reply
            };
        }
        let text = self.fixed_text(TextId::Handoff, practice, conversation.language);
        let mut handed = self.fixed(practice, conversation, &text, now);
        handed.pending = Pending::Set(None);
        handed.hold = Some((Phi::default(), SHELTERED));
        handed.aside = reply.aside;
        handed.recording = reply.recording;
        handed
    }
}
