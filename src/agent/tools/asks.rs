//! What patients ask of staff: filed in the record in the patient's own words, and put before the
//! staff here, so that a record system that is down loses nothing.

use jiff::Timestamp;
use serde_json::json;

use crate::agent::ports::{Records, RecordsError};
use crate::agent::tools::{CheckedCall, HandOver, Scene, ToolResult, desk};
use crate::agent::when;
use crate::domain::ids::AppointmentId;
use crate::domain::record::{Fact, Filed, Patient, Request, RequestKind, Suits};
use crate::domain::rights::ACCESS_DUE;
use crate::policy::words::Language;

/// Places on the waitlist that one patient holds: one for each visit that they could wish sooner.
const PLACES_MAX: usize = 3;

/// One call about requests of one patient.
pub(super) struct Asks<'a> {
    pub(super) call: &'a CheckedCall,
    pub(super) scene: &'a Scene<'a>,
    pub(super) patient: &'a Patient,
    pub(super) records: &'a dyn Records,
}

/// What a request is to the record, to the staff and to the guardrail.
const fn staff(kind: RequestKind) -> (HandOver, &'static str) {
    match kind {
        RequestKind::Refill => (HandOver::Refill, "receipt.refill_requested"),
        RequestKind::Message => (HandOver::Message, "receipt.message_sent"),
        RequestKind::Callback => (HandOver::Callback, "receipt.callback_created"),
        RequestKind::Billing => (HandOver::Billing, "receipt.message_sent"),
        RequestKind::Records => (HandOver::Records, "receipt.records_requested"),
        RequestKind::Waitlist => (HandOver::Other, "receipt.waitlist"),
        RequestKind::Accessibility => (HandOver::Accessibility, "receipt.message_sent"),
    }
}

/// What somebody asks who is not known to be a patient: for the staff, and in no record.
pub(super) fn unknown(call: &CheckedCall, scene: &Scene<'_>, kind: RequestKind) -> ToolResult {
    desk::hand_over(call, scene, staff(kind).0)
}

impl Asks<'_> {
    /// Files what the patient wrote; the receipt is honest even where the record is down, for the
    /// conversation is put before the staff in the transaction that sends the answer.
    pub(super) async fn file(&self, kind: RequestKind) -> ToolResult {
        let (why, receipt) = staff(kind);
        let mut result = desk::hand_over(self.call, self.scene, why);
        let due = (kind == RequestKind::Records)
            .then(|| self.scene.now.saturating_add(ACCESS_DUE).ok())
            .flatten();
        let whole = (None, None, &Suits::default());
        match self.add(kind, due, whole, kind.as_str()).await {
            Ok(_) => result.facts.push(Fact::new(receipt, "staff")),
            Err(why) => {
                // Staff have it all the same; they are told that the record has not.
                result.ok = false;
                result.trouble = Some(why.of_request());
            }
        }
        result
    }

    /// A place on the waitlist for a time between two instants.
    pub(super) async fn wait(
        &self,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        suits: &Suits,
    ) -> ToolResult {
        let open = match self.places().await {
            Ok(open) => open,
            Err(why) => return ToolResult::failed(self.call, why),
        };
        let same = |it: &Filed| {
            (it.request.from, it.request.to) == (from, to) && it.request.suits == *suits
        };
        if open.len() >= PLACES_MAX && !open.iter().any(same) {
            return ToolResult::new(self.call, false, &json!({ "error": "enough_places" }));
        }
        if !open.iter().any(same)
            && let Err(why) = self
                .add(
                    RequestKind::Waitlist,
                    None,
                    (from, to, suits),
                    // A second place that one text asks for is another one.
                    &format!("{}/{}", RequestKind::Waitlist, open.len()),
                )
                .await
        {
            return ToolResult::failed(self.call, why);
        }
        let mut result = ToolResult::new(self.call, true, &json!({ "waitlist": "joined" }));
        result.facts.push(Fact::new("receipt.waitlist", "joined"));
        result
    }

    /// Every place on the waitlist given back.
    pub(super) async fn leave(&self) -> ToolResult {
        let open = match self.places().await {
            Ok(open) => open,
            Err(why) => return ToolResult::failed(self.call, why),
        };
        let count = open.len();
        for place in open {
            let key = format!("{}/leave/{}", self.scene.key, place.id);
            let practice = &self.scene.practice.id;
            let left = self
                .records
                .withdraw(practice, &self.patient.id, &place.id, &key)
                .await;
            match left {
                // Gone already is as good.
                Ok(()) | Err(RecordsError::NotFound) => {}
                Err(why) => return ToolResult::failed(self.call, why),
            }
        }
        let told = json!({ "waitlist": if count == 0 { "none" } else { "left" } });
        let mut result = ToolResult::new(self.call, true, &told);
        if count > 0 {
            result.facts.push(Fact::new("receipt.waitlist", "left"));
        }
        result
    }

    /// The language to write to the patient in, from this answer on.
    pub(super) async fn language(&self, language: Language) -> ToolResult {
        let key = format!("{}/language", self.scene.key);
        let practice = &self.scene.practice.id;
        let kept = self
            .records
            .prefer_language(practice, &self.patient.id, language, &key)
            .await;
        if let Err(why) = kept {
            return ToolResult::failed(self.call, why);
        }
        let told = json!({ "language": language.as_str() });
        let mut result = ToolResult::new(self.call, true, &told);
        result.language = Some(language);
        result
    }

    /// How to prepare for a visit, behind the link.
    pub(super) async fn preparation(&self, id: &AppointmentId) -> ToolResult {
        let (now, practice) = (self.scene.now, &self.scene.practice.id);
        let visits = self.records.appointments(practice, &self.patient.id, now);
        let visit = match visits.await {
            Ok(visits) => visits.into_iter().find(|it| it.id == *id),
            Err(why) => return ToolResult::failed(self.call, why),
        };
        let Some(visit) = visit else {
            return ToolResult::failed(self.call, RecordsError::NotFound);
        };
        let said = visit.preparation.as_str().trim();
        if said.is_empty() {
            let none = json!({ "preparation": null, "say": "Nothing is on file: use hand_over." });
            return ToolResult::new(self.call, true, &none);
        }
        let when = when::spoken(visit.start, &self.scene.zone, self.scene.language);
        let mut result = desk::send_by_portal(self.call, &format!("{when}: {said}").into());
        result.facts = crate::agent::facts::of_visit(&visit, &self.scene.zone);
        result
    }

    async fn places(&self) -> Result<Vec<Filed>, RecordsError> {
        let practice = &self.scene.practice.id;
        self.records
            .filed(practice, &self.patient.id, RequestKind::Waitlist)
            .await
    }

    async fn add(
        &self,
        kind: RequestKind,
        due: Option<Timestamp>,
        (from, to, suits): (Option<Timestamp>, Option<Timestamp>, &Suits),
        which: &str,
    ) -> Result<Filed, RecordsError> {
        let request = Request {
            kind,
            words: self.scene.words.clone(),
            due,
            from,
            to,
            suits: suits.clone(),
        };
        let key = format!("{}/{which}", self.scene.key);
        let practice = &self.scene.practice.id;
        let file = || {
            self.records
                .file(practice, &self.patient.id, &request, &key)
        };
        match file().await {
            // Somebody changed the list at this instant: once more, by the same key.
            Err(RecordsError::Conflict) => file().await,
            done => done,
        }
    }
}
