//! What patients ask of staff, on a FHIR server: tasks, messages, the waitlist; language; and copies
//! of consent and of audit entries.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::ids::{PatientId, RequestId};
use crate::domain::phi::Phi;
use crate::domain::record::{Filed, Note, Place, Request, RequestKind, Suits};
use crate::fhir::client::kind_of;
use crate::fhir::fault::Fault;
use crate::fhir::records::FhirRecords;
use crate::fhir::resource::{At, referred};
use crate::fhir::visits::{MARKS, mark, marked_by, put, version};
use crate::policy::words::Language;

/// The system of the codes of our requests.
const KINDS: &str = "urn:anteroom:request";
/// Open requests of one kind that are read.
const REQUESTS_MAX: usize = 20;
/// Places on the waitlist that are read: a practice with more offers from the oldest of them.
const PLACES_MAX: usize = 500;
/// The extension that says which times suit somebody on the waitlist.
const SUITS: &str = "urn:anteroom:waitlist-suits";
/// How we are named where a resource says who did it.
const US: &str = "anteroom (patient texting)";

impl FhirRecords {
    pub(super) async fn file_request(
        &self,
        who: &PatientId,
        request: &Request,
        key: &str,
    ) -> Result<Filed, Fault> {
        let mark = mark(key);
        let now = self.client.clock.now();
        let resource = match request.kind {
            RequestKind::Waitlist => waiting(who, request, &mark, now),
            RequestKind::Message => message(who, request, &mark, now),
            RequestKind::Refill
            | RequestKind::Callback
            | RequestKind::Billing
            | RequestKind::Records
            | RequestKind::Accessibility => task(who, request, &mark, now),
        };
        let unless = format!("identifier={}", marked_by(&mark));
        let made = match self.client.create(&resource, &unless).await {
            Err(fault) if fault.in_doubt() => {
                let made = self.made(kind_of(&resource), &mark).await?;
                made.ok_or(fault)?
            }
            answer => answer?,
        };
        let id = spelled(&made);
        self.audited("C", &id, who).await;
        Ok(Filed {
            id: RequestId::new(id),
            request: request.clone(),
            at: now,
        })
    }

    pub(super) async fn open_requests(
        &self,
        who: &PatientId,
        kind: RequestKind,
    ) -> Result<Vec<Filed>, Fault> {
        let patient = ("patient", format!("Patient/{who}"));
        let found = if kind == RequestKind::Waitlist {
            let wanted = [patient, ("status", "waitlist".to_owned())];
            self.client
                .search("Appointment", &wanted, REQUESTS_MAX)
                .await?
        } else {
            let wanted = [patient, ("status", "requested".to_owned())];
            self.client.search("Task", &wanted, REQUESTS_MAX).await?
        };
        let of_kind = found.iter().filter(|it| {
            let coded = At::alone(it).list("/code/coding").any(|coding| {
                let word = |name| coding.get(name).and_then(Value::as_str);
                (word("system"), word("code")) == (Some(KINDS), Some(kind.as_str()))
            });
            kind == RequestKind::Waitlist || coded
        });
        Ok(of_kind.map(|it| filed(it, kind)).collect())
    }

    /// Everybody on the waitlist, who waits longest first.
    pub(super) async fn all_places(&self) -> Result<Vec<Place>, Fault> {
        let wanted = [("status", "waitlist".to_owned())];
        let found = self
            .client
            .search("Appointment", &wanted, PLACES_MAX)
            .await?;
        let mut places: Vec<Place> = found
            .iter()
            .filter_map(|it| {
                let at = At::alone(it);
                let mut actors = at.list("/participant").filter_map(|it| it.get("actor"));
                let patient = actors.find_map(|it| referred(it, "Patient"))?;
                Some(Place {
                    patient: PatientId::new(patient),
                    filed: filed(it, RequestKind::Waitlist),
                })
            })
            .collect();
        places.sort_by(|a, b| (a.filed.at, &a.filed.id).cmp(&(b.filed.at, &b.filed.id)));
        Ok(places)
    }

    pub(super) async fn withdraw_request(
        &self,
        who: &PatientId,
        request: &RequestId,
    ) -> Result<(), Fault> {
        let Some((kind @ ("Task" | "Appointment"), id)) = request.as_str().split_once('/') else {
            return Err(Fault::Gone);
        };
        let found = self.client.read(kind, id).await?;
        let at = At::alone(&found.resource);
        let actors = at.list("/participant").filter_map(|it| it.get("actor"));
        let theirs = actors
            .chain(at.get("/for"))
            .any(|it| referred(it, "Patient") == Some(who.as_str()));
        match at.text("/status") {
            _ if !theirs => Err(Fault::Gone),
            Some("cancelled") => Ok(()),
            Some("waitlist" | "requested") => {
                let mut next = found.resource.clone();
                put(&mut next, "status", "cancelled".into());
                self.client.update(&next, version(&found)?).await?;
                self.audited("U", request.as_str(), who).await;
                Ok(())
            }
            // Staff are at it already, or a waitlisted visit was booked.
            _ => Err(Fault::Changed),
        }
    }

    pub(super) async fn set_language(
        &self,
        who: &PatientId,
        language: Language,
    ) -> Result<(), Fault> {
        let found = self.client.read("Patient", who.as_str()).await?;
        let mut next = found.resource.clone();
        let mut all: Vec<Value> = At::alone(&next).list("/communication").cloned().collect();
        let code = language.as_str();
        let speaks = |it: &Value| {
            let spoken = it
                .pointer("/language/coding/0/code")
                .and_then(Value::as_str);
            spoken.is_some_and(|it| it.split('-').next() == Some(code))
        };
        for it in &mut all {
            let preferred = speaks(it);
            put(it, "preferred", preferred.into());
        }
        if !all.iter().any(speaks) {
            let coding = json!([{ "system": "urn:ietf:bcp:47", "code": code }]);
            all.push(json!({ "language": { "coding": coding }, "preferred": true }));
        }
        put(&mut next, "communication", all.into());
        if next == found.resource {
            return Ok(());
        }
        self.client.update(&next, version(&found)?).await?;
        self.audited("U", &format!("Patient/{who}"), who).await;
        Ok(())
    }

    /// A copy of what anteroom keeps itself, for those who look in the record only.
    pub(super) async fn keep_note(
        &self,
        who: &PatientId,
        note: &Note,
        key: &str,
    ) -> Result<(), Fault> {
        let mark = mark(key);
        let resource = match note {
            Note::Consent { agreed, at } => consent(who, *agreed, *at, &mark),
        };
        let kind = kind_of(&resource);
        if !self.capability().await?.can(kind, "create") {
            return Ok(());
        }
        let unless = format!("identifier={}", marked_by(&mark));
        self.client.create(&resource, &unless).await.map(drop)
    }

    /// A copy of the audit entry of a write (FHIR `AuditEvent`), where the server keeps them. Our own
    /// log has the entry in any case.
    pub(super) async fn audited(&self, action: &str, what: &str, who: &PatientId) {
        let kept = match self.capability().await {
            Ok(capability) if capability.can("AuditEvent", "create") => {
                let event = audit_event(action, what, who, self.client.clock.now());
                self.client.add(&event).await
            }
            Ok(_) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = kept {
            tracing::warn!(cause = %fault, "the FHIR server did not keep an AuditEvent");
        }
    }
}

fn spelled(resource: &Value) -> String {
    let id = At::alone(resource).text("/id").unwrap_or_default();
    format!("{}/{id}", kind_of(resource))
}

fn filed(resource: &Value, kind: RequestKind) -> Filed {
    let at = At::alone(resource);
    let when = |pointer| at.text(pointer).and_then(|it| it.parse::<Timestamp>().ok());
    let words = at.text("/description").or_else(|| at.text("/comment"));
    Filed {
        id: RequestId::new(spelled(resource)),
        request: Request {
            kind,
            words: Phi::from(words.unwrap_or_default()),
            due: when("/restriction/period/end"),
            from: when("/requestedPeriod/0/start"),
            to: when("/requestedPeriod/0/end"),
            suits: suits(&at),
        },
        at: when("/authoredOn")
            .or_else(|| when("/created"))
            .unwrap_or(Timestamp::UNIX_EPOCH),
    }
}

fn task(who: &PatientId, request: &Request, mark: &str, now: Timestamp) -> Value {
    let patient = json!({ "reference": format!("Patient/{who}") });
    let kind = request.kind.as_str();
    let mut task = json!({
        "resourceType": "Task",
        "identifier": [{ "system": MARKS, "value": mark }],
        "status": "requested",
        "intent": "proposal",
        "code": { "coding": [{ "system": KINDS, "code": kind }], "text": request.kind.told() },
        "description": request.words.as_str(),
        "for": patient,
        "requester": patient,
        "authoredOn": format!("{now:.0}"),
    });
    if let Some(due) = request.due {
        put(
            &mut task,
            "restriction",
            json!({ "period": { "end": format!("{due:.0}") } }),
        );
    }
    task
}

fn message(who: &PatientId, request: &Request, mark: &str, now: Timestamp) -> Value {
    let patient = json!({ "reference": format!("Patient/{who}") });
    json!({
        "resourceType": "Communication",
        "identifier": [{ "system": MARKS, "value": mark }],
        "status": "completed",
        "category": [{ "coding": [{ "system": KINDS, "code": "message" }], "text": request.kind.told() }],
        "subject": patient,
        "sender": patient,
        "sent": format!("{now:.0}"),
        "payload": [{ "contentString": request.words.as_str() }],
    })
}

/// What a place asks for: our own extension, and the type of visit that another system wrote.
fn suits(at: &At<'_>) -> Suits {
    let kept = at
        .list("/extension")
        .find(|it| it.get("url").and_then(Value::as_str) == Some(SUITS))
        .and_then(|it| it.get("valueString")?.as_str())
        .and_then(|it| serde_json::from_str::<Suits>(it).ok())
        .unwrap_or_default();
    let kind = at.text("/appointmentType/text").map(str::to_owned);
    Suits {
        kind: kept.kind.clone().or(kind),
        ..kept
    }
}

fn waiting(who: &PatientId, request: &Request, mark: &str, now: Timestamp) -> Value {
    let patient = json!({ "reference": format!("Patient/{who}") });
    let mut period = json!({});
    if let Some(from) = request.from {
        put(&mut period, "start", format!("{from:.0}").into());
    }
    if let Some(to) = request.to {
        put(&mut period, "end", format!("{to:.0}").into());
    }
    let mut place = json!({
        "resourceType": "Appointment",
        "identifier": [{ "system": MARKS, "value": mark }],
        "status": "waitlist",
        "created": format!("{now:.0}"),
        "requestedPeriod": [period],
        "comment": request.words.as_str(),
        "participant": [{ "actor": patient, "status": "tentative" }],
    });
    if let Some(kind) = &request.suits.kind {
        put(&mut place, "appointmentType", json!({ "text": kind }));
    }
    if request.suits != Suits::default()
        && let Ok(text) = serde_json::to_string(&request.suits)
    {
        let extension = json!([{ "url": SUITS, "valueString": text }]);
        put(&mut place, "extension", extension);
    }
    place
}

fn consent(who: &PatientId, agreed: bool, at: Timestamp, mark: &str) -> Value {
    let coded =
        |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    json!({
        "resourceType": "Consent",
        "identifier": [{ "system": MARKS, "value": mark }],
        "status": if agreed { "active" } else { "inactive" },
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coded("http://loinc.org", "59284-0")],
        "patient": { "reference": format!("Patient/{who}") },
        "dateTime": format!("{at:.0}"),
        "policyRule": { "text": "Health details by text message after a notice of the risk (45 CFR 164.522(b))" },
        "provision": { "type": if agreed { "permit" } else { "deny" } },
    })
}

fn audit_event(action: &str, what: &str, who: &PatientId, now: Timestamp) -> Value {
    json!({
        "resourceType": "AuditEvent",
        "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest" },
        "action": action,
        "recorded": format!("{now:.0}"),
        "outcome": "0",
        "agent": [{ "who": { "display": US }, "requestor": false }],
        "source": { "observer": { "display": US } },
        "entity": [
            { "what": { "reference": what } },
            { "what": { "reference": format!("Patient/{who}") } },
        ],
    })
}
