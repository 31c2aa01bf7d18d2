//! Rehearse: texts that were answered once are answered again in another wording, beside what is in
//! use; nothing is kept, and nothing in the record is changed.

use std::sync::Arc;

use jiff::Timestamp;

use crate::agent;
use crate::agent::layer::RecordsLayer;
use crate::agent::ports::{BoxFuture, Records, RecordsError};
use crate::agent::prompts::Wording;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::ids::{
    AppointmentId, ConversationId, PatientId, PracticeId, RequestId, SlotId, TurnId,
};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{
    Appointment, AppointmentStatus, Filed, NewVisit, Note, Patient, Request,
};
use crate::guardrail::finding::Verdict;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::Author;
use crate::pipeline::clear::Writing;
use crate::pipeline::house::House;
use crate::policy::words::{Jurisdiction, Language};
use crate::store::StoreError;

/// How much of a conversation is read.
const TURNS_MAX: u32 = 40;
/// Free times that are looked through for one that was chosen.
const SLOTS_MAX: usize = 500;
/// How far ahead they are looked for.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 120);

/// One answer of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What the guardrail decided of it.
    pub verdict: Verdict,
    /// What would be sent.
    pub text: Option<String>,
    /// How long the guardrail took, in microseconds.
    pub micros: u64,
}

/// One text, answered twice.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// The text's turn.
    pub turn: TurnId,
    /// Whose.
    pub conversation: ConversationId,
    /// What the patient wrote.
    pub asked: Phi<String>,
    /// As the wording in use answers.
    pub before: Said,
    /// As the other one does.
    pub after: Said,
}

impl House {
    /// Answers the newest `limit` texts of a practice that the agent is for, in two wordings, by the
    /// offline model. A question that was open then is not open now.
    pub async fn rehearse(
        &self,
        practice: &PracticeId,
        limit: u32,
        (before, after): (&Wording, &Wording),
    ) -> Result<Vec<Rehearsed>, StoreError> {
        let Some(practice) = self.practice(practice) else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for (turn, conversation) in self.store().recently_asked(&practice.id, limit).await? {
            let Some(conversation) = self.store().conversation(conversation).await? else {
                continue;
            };
            let mut turns = self.store().turns(conversation.id, TURNS_MAX).await?;
            turns.retain(|it| it.id <= turn);
            let Some(asked) = turns.pop().filter(|it| it.id == turn) else {
                continue;
            };
            let scene = Scene {
                practice: &practice,
                conversation: &conversation,
                patient: self.patient_of(&practice, &conversation).await,
                turns: &turns,
                asked: &asked,
            };
            all.push(Rehearsed {
                turn,
                conversation: conversation.id,
                asked: asked.body.clone(),
                before: Box::pin(self.say(&scene, before)).await?,
                after: Box::pin(self.say(&scene, after)).await?,
            });
        }
        Ok(all)
    }

    async fn patient_of(
        &self,
        practice: &Practice,
        conversation: &Conversation,
    ) -> Option<Patient> {
        let id = conversation.patient.as_ref()?;
        self.records().patient(&practice.id, id).await.ok()?
    }

    async fn say(&self, scene: &Scene<'_>, wording: &Wording) -> Result<Said, StoreError> {
        let (practice, conversation) = (scene.practice, scene.conversation);
        let now = scene.asked.at;
        let history = scene.turns.iter();
        let input = agent::Input {
            practice,
            patient: scene.patient.as_ref(),
            language: conversation.language,
            now,
            history: history
                .map(|it| (it.direction == Direction::Inbound, it.body.clone()))
                .collect(),
            waiting: vec![scene.asked.body.clone()],
            pending: None,
            choice: None,
            affirmed: false,
            untrusted: false,
            key: format!("rehearsal/{}", scene.asked.id),
            limits: agent::Limits::default(),
            wording: wording.clone(),
            veiled: false,
            for_patient: false,
        };
        let offline = &*self.parts.offline;
        let records = Untouched(Arc::clone(self.records()));
        let outcome = agent::run(input, offline, offline, &records).await;
        let residence = scene
            .patient
            .as_ref()
            .map_or(Jurisdiction::UNKNOWN, |it| it.state);
        let link = self.portal_link(practice);
        let draft = outcome.draft.unwrap_or_default();
        let written = self.clear(&Writing {
            practice,
            conversation,
            patient: scene.patient.as_ref(),
            author: Author::Agent,
            purpose: outcome.purpose,
            text: draft.as_str(),
            facts: &outcome.facts,
            link: link.as_ref(),
            told: &[],
            before: &[],
            now,
            law: &self.governed(practice, residence, now),
            session: None,
            covered: self.covered(practice, conversation, now).await?,
        });
        let cleared = written.review.cleared.as_ref();
        // Links differ from one text to the next; what is compared is what is said.
        let plain = |text: &str| match &link {
            Some(link) => text.replace(&link.url, "[link]"),
            None => text.to_owned(),
        };
        Ok(Said {
            verdict: written.review.verdict,
            text: cleared.map(Cleared::text).map(plain),
            micros: written.micros,
        })
    }
}

struct Scene<'a> {
    practice: &'a Practice,
    conversation: &'a Conversation,
    patient: Option<Patient>,
    turns: &'a [Turn],
    asked: &'a Turn,
}

/// The record, read as it is; what would be changed is told as if it were.
#[derive(Debug)]
struct Untouched(Arc<dyn Records>);

impl Untouched {
    async fn visit(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        id: &AppointmentId,
    ) -> Result<Appointment, RecordsError> {
        let all = self
            .0
            .appointments(practice, patient, Timestamp::UNIX_EPOCH)
            .await?;
        let found = all.into_iter().find(|it| it.id == *id);
        found.ok_or(RecordsError::NotFound)
    }
}

impl RecordsLayer for Untouched {
    fn behind(&self, _practice: &PracticeId) -> &dyn Records {
        &*self.0
    }

    fn note<'a>(
        &'a self,
        _practice: &'a PracticeId,
        _patient: &'a PatientId,
        _note: &'a Note,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn set_status<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        status: AppointmentStatus,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        Box::pin(async move {
            let visit = self.visit(practice, patient, appointment).await?;
            Ok(Appointment { status, ..visit })
        })
    }

    fn reschedule<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        slot: &'a SlotId,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        Box::pin(async move {
            let visit = self.visit(practice, patient, appointment).await?;
            let until = visit.start.saturating_add(AHEAD).unwrap_or(visit.start);
            let from = visit.start.saturating_sub(AHEAD).unwrap_or(visit.start);
            let free = self.0.slots(practice, from, until, SLOTS_MAX).await?;
            let chosen = free.into_iter().find(|it| it.id == *slot);
            let chosen = chosen.ok_or(RecordsError::Conflict)?;
            Ok(Appointment {
                start: chosen.start,
                end: chosen.end,
                ..visit
            })
        })
    }

    fn book<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        visit: &'a NewVisit,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        Box::pin(async move {
            let from = Timestamp::UNIX_EPOCH;
            let free = self
                .0
                .slots(practice, from, Timestamp::MAX, SLOTS_MAX)
                .await?;
            let chosen = free.into_iter().find(|it| it.id == visit.slot);
            let slot = chosen.ok_or(RecordsError::Conflict)?;
            Ok(Appointment {
                id: AppointmentId::new("rehearsal"),
                patient: patient.clone(),
                start: slot.start,
                end: slot.end,
                provider: slot.provider,
                location: slot.location,
                reason: visit.reason.clone(),
                preparation: Phi::default(),
                status: AppointmentStatus::Booked,
                slot: Some(slot.id),
            })
        })
    }

    fn file<'a>(
        &'a self,
        _practice: &'a PracticeId,
        _patient: &'a PatientId,
        request: &'a Request,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<Filed, RecordsError>> {
        Box::pin(async move {
            Ok(Filed {
                id: RequestId::new("rehearsal"),
                request: request.clone(),
                at: Timestamp::UNIX_EPOCH,
            })
        })
    }

    fn withdraw<'a>(
        &'a self,
        _practice: &'a PracticeId,
        _patient: &'a PatientId,
        _request: &'a RequestId,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn prefer_language<'a>(
        &'a self,
        _practice: &'a PracticeId,
        _patient: &'a PatientId,
        _language: Language,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
