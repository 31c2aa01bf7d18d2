//! Changes of visits on a FHIR server. A slot is claimed first, under `If-Match`, so that of two who
//! want it one gets it; then the visit is written; what fails in between is undone. Every write
//! carries a mark of its key, so that the same key again finds what it did and does nothing more.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::domain::ids::{AppointmentId, PatientId, SlotId};
use crate::domain::record::{Appointment, AppointmentStatus, NewVisit};
use crate::fhir::client::Versioned;
use crate::fhir::fault::Fault;
use crate::fhir::names::Names;
use crate::fhir::records::FhirRecords;
use crate::fhir::resource::{At, CONFIRMED_TAG, appointment, referred};

/// The system of the identifiers by which a write is known again.
pub(super) const MARKS: &str = "urn:anteroom:write";
/// Marks that a resource keeps: a key is repeated at once or never.
const MARKS_MAX: usize = 4;
/// How often a resource that changes under our hands is read again.
const TRIES_MAX: usize = 3;

/// The mark of a key: nothing of the conversation that it names can be read from it.
pub(super) fn mark(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    hex::encode(digest.get(..16).unwrap_or_default())
}

/// Searches for what a key made.
pub(super) fn marked_by(mark: &str) -> String {
    format!("{MARKS}|{mark}")
}

fn is_marked(resource: &Value, mark: &str) -> bool {
    At::alone(resource).list("/identifier").any(|it| {
        let word = |name| it.get(name).and_then(Value::as_str);
        word("system") == Some(MARKS) && word("value") == Some(mark)
    })
}

fn set_mark(resource: &mut Value, mark: &str) {
    let ours = |it: &Value| it.get("system").and_then(Value::as_str) == Some(MARKS);
    let mut kept: Vec<Value> = At::alone(resource).list("/identifier").cloned().collect();
    let excess = (kept.iter().filter(|it| ours(it)).count() + 1).saturating_sub(MARKS_MAX);
    for _ in 0..excess {
        if let Some(oldest) = kept.iter().position(ours) {
            kept.remove(oldest);
        }
    }
    kept.push(json!({ "system": MARKS, "value": mark }));
    put(resource, "identifier", kept.into());
}

pub(super) fn put(resource: &mut Value, field: &str, value: Value) {
    if let Some(fields) = resource.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}

/// The version without which no write is safe.
pub(super) fn version(found: &Versioned) -> Result<&str, Fault> {
    found.version.as_deref().ok_or_else(|| {
        Fault::Unreadable(
            "it gives no meta.versionId and no ETag; without a version a slot could be booked twice"
                .to_owned(),
        )
    })
}

/// Who comes and with whom, after a visit has moved to another calendar.
fn participants(resource: &Value, who: &PatientId, others: &[String]) -> Value {
    let replaced = ["Practitioner", "PractitionerRole", "Location"];
    let mut all: Vec<Value> = At::alone(resource)
        .list("/participant")
        .filter(|it| {
            let actor = it.get("actor");
            let of = |kind: &&str| actor.is_some_and(|it| referred(it, kind).is_some());
            !replaced.iter().any(of) && !of(&"Patient")
        })
        .cloned()
        .collect();
    let one =
        |reference: &str| json!({ "actor": { "reference": reference }, "status": "accepted" });
    all.push(one(&format!("Patient/{who}")));
    all.extend(others.iter().map(|it| one(it)));
    all.into()
}

impl FhirRecords {
    /// This patient's own visit; another's is none at all.
    async fn own(&self, who: &PatientId, id: &AppointmentId) -> Result<Versioned, Fault> {
        let found = self.client.read("Appointment", id.as_str()).await?;
        let theirs = At::alone(&found.resource)
            .list("/participant")
            .filter_map(|it| it.get("actor"))
            .any(|it| referred(it, "Patient") == Some(who.as_str()));
        if theirs { Ok(found) } else { Err(Fault::Gone) }
    }

    pub(super) async fn told(&self, resource: &Value) -> Result<Appointment, Fault> {
        let directory = self.names().await?;
        let visit = appointment(&At::alone(resource), &directory.names)?;
        visit.ok_or_else(|| Fault::Unreadable("a visit in a state that is not known".to_owned()))
    }

    /// A visit that was just made or moved. It is told even where the names beside it cannot be had, for it
    /// stands in the record.
    async fn told_anyhow(&self, resource: &Value) -> Result<Appointment, Fault> {
        let told = self.told(resource).await;
        let Err(fault) = told else { return told };
        let visit = appointment(&At::alone(resource), &Names::default());
        visit.ok().flatten().ok_or(fault)
    }

    pub(super) async fn change_status(
        &self,
        who: &PatientId,
        id: &AppointmentId,
        status: AppointmentStatus,
        key: &str,
    ) -> Result<Appointment, Fault> {
        use AppointmentStatus::{Booked, Cancelled, Confirmed, Fulfilled, Missed};
        let mark = mark(key);
        let mut last = Fault::Changed;
        for _ in 0..TRIES_MAX {
            let found = self.own(who, id).await?;
            let before = self.told(&found.resource).await?;
            if !is_marked(&found.resource, &mark) {
                match (status, before.status) {
                    (Confirmed, Booked | Confirmed)
                    | (Cancelled, Booked | Confirmed | Cancelled) => {}
                    (Booked | Confirmed | Fulfilled | Missed, _)
                    | (Cancelled, Fulfilled | Missed) => {
                        return Err(Fault::Changed);
                    }
                }
                let mut next = found.resource.clone();
                set_mark(&mut next, &mark);
                if status == Confirmed {
                    confirm(&mut next, who);
                } else {
                    cancel(&mut next);
                }
                match self.client.update(&next, version(&found)?).await {
                    Ok(_) => {}
                    // Changed meanwhile, or done and the answer lost: reading again tells.
                    Err(fault) if fault == Fault::Changed || fault.in_doubt() => {
                        last = fault;
                        continue;
                    }
                    Err(fault) => return Err(fault),
                }
            }
            if status == Cancelled
                && let Some(slot) = &before.slot
            {
                self.free_unused(slot, None).await;
            }
            self.audited("U", &format!("Appointment/{id}"), who).await;
            let done = self.own(who, id).await?;
            return self.told(&done.resource).await;
        }
        Err(last)
    }

    pub(super) async fn move_visit(
        &self,
        who: &PatientId,
        id: &AppointmentId,
        slot: &SlotId,
        key: &str,
    ) -> Result<Appointment, Fault> {
        let mark = mark(key);
        let found = self.own(who, id).await?;
        let before = self.told(&found.resource).await?;
        if is_marked(&found.resource, &mark) {
            return Ok(before);
        }
        if !matches!(
            before.status,
            AppointmentStatus::Booked | AppointmentStatus::Confirmed
        ) {
            return Err(Fault::Changed);
        }
        let claimed = self.claim(slot, &mark).await?;
        match self.write_move(who, id, &claimed, &mark).await {
            Ok(moved) => {
                if let Some(old) = before.slot.as_ref().filter(|old| *old != slot) {
                    self.free_unused(old, None).await;
                }
                self.audited("U", &format!("Appointment/{id}"), who).await;
                Ok(moved)
            }
            Err(fault) => {
                self.free_unused(slot, Some(&mark)).await;
                Err(fault)
            }
        }
    }

    async fn write_move(
        &self,
        who: &PatientId,
        id: &AppointmentId,
        claimed: &Value,
        mark: &str,
    ) -> Result<Appointment, Fault> {
        let at = At::alone(claimed);
        let mut last = Fault::Changed;
        for _ in 0..TRIES_MAX {
            let found = self.own(who, id).await?;
            if is_marked(&found.resource, mark) {
                return self.told(&found.resource).await;
            }
            let mut next = found.resource.clone();
            set_mark(&mut next, mark);
            untag(&mut next);
            put(&mut next, "status", "booked".into());
            put(
                &mut next,
                "start",
                at.get("/start").cloned().unwrap_or_default(),
            );
            put(
                &mut next,
                "end",
                at.get("/end").cloned().unwrap_or_default(),
            );
            let reference = format!("Slot/{}", at.text("/id").unwrap_or_default());
            put(&mut next, "slot", json!([{ "reference": reference }]));
            let others = self.keepers(claimed).await?;
            let participants = participants(&next, who, &others);
            put(&mut next, "participant", participants);
            match self.client.update(&next, version(&found)?).await {
                Ok(done) => return self.told_anyhow(&done.resource).await,
                Err(fault) if fault == Fault::Changed || fault.in_doubt() => last = fault,
                Err(fault) => return Err(fault),
            }
        }
        Err(last)
    }

    pub(super) async fn book_visit(
        &self,
        who: &PatientId,
        visit: &NewVisit,
        key: &str,
    ) -> Result<Appointment, Fault> {
        let mark = mark(key);
        if let Some(made) = self.made("Appointment", &mark).await? {
            return self.told(&made).await;
        }
        let (claimed, others) = match self.claim_kept(&visit.slot, &mark).await {
            Ok(both) => both,
            Err(fault) => {
                // Nothing is half booked: what may have been taken is given back.
                if !matches!(fault, Fault::Changed | Fault::Gone) {
                    self.free_unused(&visit.slot, Some(&mark)).await;
                }
                return Err(fault);
            }
        };
        let at = At::alone(&claimed);
        let mut resource = json!({
            "resourceType": "Appointment",
            "identifier": [{ "system": MARKS, "value": mark }],
            "status": "booked",
            "start": at.get("/start"),
            "end": at.get("/end"),
            "slot": [{ "reference": format!("Slot/{}", visit.slot) }],
            "participant": participants(&Value::Null, who, &others),
        });
        if !visit.kind.is_empty() {
            put(
                &mut resource,
                "appointmentType",
                json!({ "text": visit.kind }),
            );
        }
        if !visit.reason.as_str().is_empty() {
            put(
                &mut resource,
                "reasonCode",
                json!([{ "text": visit.reason.as_str() }]),
            );
        }
        let unless = format!("identifier={}", marked_by(&mark));
        let made = match self.client.create(&resource, &unless).await {
            Ok(made) => Ok(made),
            // Made and the answer lost, perhaps: the mark tells.
            Err(fault) if fault.in_doubt() => match self.made("Appointment", &mark).await {
                Ok(Some(made)) => Ok(made),
                Ok(None) => Err((fault, true)),
                Err(_still_down) => Err((fault, false)),
            },
            Err(fault) => Err((fault, true)),
        };
        match made {
            Ok(made) => {
                let id = At::alone(&made).text("/id").unwrap_or_default().to_owned();
                self.audited("C", &format!("Appointment/{id}"), who).await;
                self.told_anyhow(&made).await
            }
            Err((fault, undo)) => {
                if undo {
                    self.free_unused(&visit.slot, Some(&mark)).await;
                }
                Err(fault)
            }
        }
    }

    /// What a key made, if it made anything.
    pub(super) async fn made(&self, kind: &str, mark: &str) -> Result<Option<Value>, Fault> {
        let wanted = [("identifier", marked_by(mark))];
        let found = self.client.search(kind, &wanted, 2).await?;
        Ok(found.into_iter().find(|it| is_marked(it, mark)))
    }

    /// A slot of this mark, and whose calendar it is in.
    async fn claim_kept(&self, slot: &SlotId, mark: &str) -> Result<(Value, Vec<String>), Fault> {
        let claimed = self.claim(slot, mark).await?;
        let others = self.keepers(&claimed).await?;
        Ok((claimed, others))
    }

    /// Whose calendar a slot is in, as references.
    async fn keepers(&self, slot: &Value) -> Result<Vec<String>, Fault> {
        let schedule = slot.get("schedule").and_then(|it| referred(it, "Schedule"));
        let directory = self.names().await?;
        Ok(schedule.map_or_else(Vec::new, |id| directory.names.references(id)))
    }

    /// Takes a free slot, or finds it taken by this very mark.
    async fn claim(&self, slot: &SlotId, mark: &str) -> Result<Value, Fault> {
        let mut last = Fault::Changed;
        for _ in 0..TRIES_MAX {
            let found = self.client.read("Slot", slot.as_str()).await?;
            let status = At::alone(&found.resource)
                .text("/status")
                .unwrap_or_default();
            if status == "busy" && is_marked(&found.resource, mark) {
                return Ok(found.resource);
            }
            if status != "free" {
                return Err(Fault::Changed);
            }
            let mut next = found.resource.clone();
            put(&mut next, "status", "busy".into());
            set_mark(&mut next, mark);
            match self.client.update(&next, version(&found)?).await {
                Ok(done) => return Ok(done.resource),
                Err(fault) if fault == Fault::Changed || fault.in_doubt() => last = fault,
                Err(fault) => return Err(fault),
            }
        }
        Err(last)
    }

    /// Frees a slot that no visit holds any more: one that a cancelled or moved visit held, or
    /// (with a mark) one that was claimed for nothing. Where it cannot be done the calendar offers
    /// a time less, and the log says so.
    async fn free_unused(&self, slot: &SlotId, mark: Option<&str>) {
        match self.try_free(slot, mark).await {
            Ok(()) | Err(Fault::Gone) => {}
            Err(fault) => {
                metrics::counter!("anteroom_fhir_slots_left_busy_total").increment(1);
                tracing::warn!(cause = %fault, %slot, "a slot stays busy that no visit holds; free it by hand");
            }
        }
    }

    async fn try_free(&self, slot: &SlotId, mark: Option<&str>) -> Result<(), Fault> {
        for _ in 0..TRIES_MAX {
            let found = self.client.read("Slot", slot.as_str()).await?;
            let busy = At::alone(&found.resource).text("/status") == Some("busy");
            if !busy || mark.is_some_and(|mark| !is_marked(&found.resource, mark)) {
                return Ok(());
            }
            let holding = [
                ("slot", format!("Slot/{slot}")),
                (
                    "status",
                    "booked,pending,arrived,checked-in,fulfilled".to_owned(),
                ),
            ];
            if !self
                .client
                .search("Appointment", &holding, 1)
                .await?
                .is_empty()
            {
                return Ok(());
            }
            let mut next = found.resource.clone();
            put(&mut next, "status", "free".into());
            match self.client.update(&next, version(&found)?).await {
                Ok(_) => return Ok(()),
                Err(Fault::Changed) => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::Changed)
    }
}

/// The patient's own yes: the participant's, and a tag, since many servers book people as accepted.
fn confirm(visit: &mut Value, who: &PatientId) {
    if let Some(all) = visit.get_mut("participant").and_then(Value::as_array_mut) {
        for it in all {
            let theirs = it
                .get("actor")
                .is_some_and(|actor| referred(actor, "Patient") == Some(who.as_str()));
            if theirs {
                put(it, "status", "accepted".into());
            }
        }
    }
    untag(visit);
    let (system, code) = CONFIRMED_TAG;
    let mut meta = visit.get("meta").cloned().unwrap_or_else(|| json!({}));
    let mut tags: Vec<Value> = At::alone(visit).list("/meta/tag").cloned().collect();
    tags.push(json!({ "system": system, "code": code }));
    put(&mut meta, "tag", tags.into());
    put(visit, "meta", meta);
}

fn untag(visit: &mut Value) {
    if let Some(tags) = visit.pointer_mut("/meta/tag").and_then(Value::as_array_mut) {
        tags.retain(|it| it.get("system").and_then(Value::as_str) != Some(CONFIRMED_TAG.0));
    }
}

fn cancel(visit: &mut Value) {
    put(visit, "status", "cancelled".into());
    let system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason";
    let reason = json!({ "coding": [{ "system": system, "code": "pat", "display": "Patient" }] });
    put(visit, "cancelationReason", reason);
}
