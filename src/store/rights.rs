//! What patients ask by law, as cases of staff, and the word that opens a patient's page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::ToSpan as _;
use serde::Deserialize;
use serde::Serialize;

use crate::audit::Entry;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::RequestId;
use crate::domain::phone::E164;
use crate::domain::record::Filed;
use crate::domain::record::Request;
use crate::domain::record::RequestKind;
use crate::domain::rights::Closing;
use crate::domain::rights::EXTENSION_DAYS;
use crate::domain::rights::Step;
use crate::domain::staff::Staff;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::record_writes::patient_hash;
use crate::store::requests;
use crate::store::requests::RequestRow;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::open_text;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const CASE: Sql = locking!("SELECT * FROM request WHERE practice = $1 AND id = $2");
const LOOK: &str = "SELECT * FROM request WHERE practice = $1 AND id = $2";
const CASES_OF: &str = "SELECT * FROM request WHERE practice = $1 AND patient_hash = $2 \
    ORDER BY at DESC, id LIMIT 100";
const OPEN: &str = "SELECT * FROM request WHERE practice = $1 AND open = 1 ORDER BY at, id";
const CLOSED: &str = "SELECT * FROM request WHERE practice = $1 AND closed IS NOT NULL \
    ORDER BY closed DESC, id LIMIT $2";
const EXTEND: &str = "UPDATE request SET due = $3, extended = $4 WHERE practice = $1 AND id = $2";
const CLOSE: &str = "UPDATE request SET open = 0, closed = $3, closed_by = $4, closed_how = $5 \
    WHERE practice = $1 AND id = $2";
const REOPEN: &str = "UPDATE request SET open = 1, closed = NULL, closed_by = NULL, \
    closed_how = NULL WHERE practice = $1 AND id = $2";
const SET_NOTES: &str = "UPDATE request SET notes = $3 WHERE practice = $1 AND id = $2";
/// What staff do with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseDeed {
    /// Put its day off, once.
    Extend,
    /// Say something of it.
    Note,
    /// A copy was made in this form.
    Exported(&'static str),
    /// End it.
    Close(Closing),
    /// Open it again.
    Reopen,
}

/// What became of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseDone {
    /// It is done.
    Done,
    /// The day was put off before.
    ExtendedBefore,
    /// It has no day by law.
    NoDay,
    /// A colleague closed it meanwhile.
    IsClosed,
    /// It is open already.
    IsOpen,
    /// The practice has no such case.
    Unknown,
}

/// One line of a case's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseStep {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub staff: i64,
    /// What.
    pub step: Step,
    /// In their words.
    pub words: String,
}

/// Something that a patient asks, with all that was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Whose.
    pub patient: PatientId,
    /// What is asked.
    pub filed: Filed,
    /// When its day was put off.
    pub extended: Option<Timestamp>,
    /// When and how it was closed; none while it is open. Closed by the patient or the program, it
    /// does not say how.
    pub closed: Option<(Timestamp, Option<Closing>)>,
    /// Whether it waits.
    pub open: bool,
    /// What was done, oldest first.
    pub steps: Vec<CaseStep>,
}

impl Store {
    /// A word for the address of a patient's page: it opens here only, and tells nobody who it is.
    pub async fn patient_word(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<String, StoreError> {
        self.word(practice, "patient", patient.as_str()).await
    }

    /// Whose page a word opens; none where it is not one of this practice's.
    pub async fn patient_behind(
        &self,
        practice: &PracticeId,
        word: &str,
    ) -> Result<Option<PatientId>, StoreError> {
        let found = self.behind(practice, "patient", word).await?;
        Ok(found.map(PatientId::new))
    }

    /// A word for an address that looks something up by a phone number.
    pub async fn number_word(
        &self,
        practice: &PracticeId,
        number: &E164,
    ) -> Result<String, StoreError> {
        self.word(practice, "number", number.as_str()).await
    }

    /// The phone number behind a word.
    pub async fn number_behind(
        &self,
        practice: &PracticeId,
        word: &str,
    ) -> Result<Option<E164>, StoreError> {
        let found = self.behind(practice, "number", word).await?;
        Ok(found.and_then(|it| it.parse().ok()))
    }

    /// A word for an address that looks for what somebody typed.
    pub async fn search_word(
        &self,
        practice: &PracticeId,
        typed: &str,
    ) -> Result<String, StoreError> {
        self.word(practice, "search", typed).await
    }

    /// What was typed, behind its word.
    pub async fn search_behind(
        &self,
        practice: &PracticeId,
        word: &str,
    ) -> Result<Option<String>, StoreError> {
        self.behind(practice, "search", word).await
    }

    async fn word(
        &self,
        practice: &PracticeId,
        what: &'static str,
        text: &str,
    ) -> Result<String, StoreError> {
        let mut tx = self.read().await?;
        let key = tx.key_for_row(practice.as_str()).await?;
        let place = place(practice.as_str(), what, "word", "");
        Ok(URL_SAFE_NO_PAD.encode(key.seal(&place, text.as_bytes())?))
    }

    async fn behind(
        &self,
        practice: &PracticeId,
        what: &'static str,
        word: &str,
    ) -> Result<Option<String>, StoreError> {
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(word) else {
            return Ok(None);
        };
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(None);
        };
        let place = place(practice.as_str(), what, "word", "");
        let damage = Inconsistency::on(what).column("word");
        Ok(open_text(&key, &place, &sealed, damage).ok())
    }

    /// A case of the practice.
    pub async fn case(
        &self,
        practice: &PracticeId,
        id: &RequestId,
    ) -> Result<Option<Case>, StoreError> {
        let mut tx = self.read().await?;
        tx.case(LOOK.into(), practice, id).await
    }

    /// Everything that a patient ever asked, newest first.
    pub async fn cases_of(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<Vec<Case>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let find = args![practice.as_str(), &patient_hash(&key, patient)];
        let rows = tx.rows(CASES_OF, find).await?;
        rows.iter()
            .map(|row| case(row, practice.as_str(), &key))
            .collect()
    }

    /// Everything that patients ask and nobody has answered, oldest first.
    pub async fn open_cases(&self, practice: &PracticeId) -> Result<Vec<Case>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let rows = tx.rows(OPEN, args![practice.as_str()]).await?;
        rows.iter()
            .map(|row| case(row, practice.as_str(), &key))
            .collect()
    }

    /// The cases that were closed last, the newest first.
    pub async fn closed_cases(
        &self,
        practice: &PracticeId,
        limit: u32,
    ) -> Result<Vec<Case>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let find = args![practice.as_str(), i64::from(limit)];
        let rows = tx.rows(CLOSED, find).await?;
        rows.iter()
            .map(|row| case(row, practice.as_str(), &key))
            .collect()
    }

    /// Opens a case for a patient who asked otherwise than here: by letter, by phone, at the desk.
    pub async fn open_case(
        &self,
        staff: &Staff,
        patient: &PatientId,
        request: &Request,
        received: Timestamp,
        now: Timestamp,
    ) -> Result<RequestId, StoreError> {
        let work = (staff.clone(), patient.clone(), request.clone());
        self.write(move |tx| {
            let (staff, patient, request) = work.clone();
            Box::pin(async move {
                let name = staff.practice.as_str();
                let key = tx.key(&staff.practice).await?;
                let number = tx.serial("turn").await?;
                let id = hex::encode(key.lookup("request", format!("desk/{number}").as_bytes()));
                let content = RequestRow {
                    patient: patient.clone(),
                    words: request.words.as_str().to_owned(),
                    from: request.from,
                    to: request.to,
                    suits: request.suits.clone(),
                };
                let sealed = seal_json(&key, &place(name, "request", "sealed", &id), &content)?;
                let row = args![
                    name,
                    id.as_str(),
                    &patient_hash(&key, &patient),
                    request.kind.as_str(),
                    received,
                    request.due,
                    sealed,
                ];
                tx.run(requests::ADD, row).await?;
                let detail = serde_json::json!({ "kind": request.kind.as_str() });
                tx.note_case(&staff, &id, "access.opened", &detail, now)
                    .await?;
                Ok(RequestId::new(id))
            })
        })
        .await
    }

    /// Does something with a case, with a line in its history and in the audit log.
    pub async fn on_case(
        &self,
        staff: &Staff,
        id: &RequestId,
        (deed, words): (CaseDeed, &str),
        now: Timestamp,
    ) -> Result<CaseDone, StoreError> {
        let work = (staff.clone(), id.clone(), deed, words.to_owned());
        self.write(move |tx| {
            let (staff, id, deed, words) = work.clone();
            Box::pin(async move { tx.on_case(&staff, &id, (&deed, &words), now).await })
        })
        .await
    }

    /// Takes note that staff looked at, or took, what is kept of a patient.
    pub async fn note_look(
        &self,
        staff: &Staff,
        patient: &PatientId,
        (action, detail): (&'static str, serde_json::Value),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = std::sync::Arc::new((staff.clone(), patient.clone(), detail));
        self.write(move |tx| {
            let work = std::sync::Arc::clone(&work);
            Box::pin(async move {
                let (staff, patient, detail) = &*work;
                let key = tx.key(&staff.practice).await?;
                let whose = patient_hash(&key, patient);
                tx.note_patient(staff, &whose, action, detail, now).await
            })
        })
        .await
    }
}

/// The subject of audit entries about a patient: a part of a keyed hash, which names nobody.
pub(super) fn subject(whose: &[u8]) -> String {
    let hash = hex::encode(whose);
    format!("patient/{}", hash.get(..16).unwrap_or(&hash))
}

impl Tx {
    async fn case(
        &mut self,
        find: Sql,
        practice: &PracticeId,
        id: &RequestId,
    ) -> Result<Option<Case>, StoreError> {
        let Some(row) = self
            .row(find, args![practice.as_str(), id.as_str()])
            .await?
        else {
            return Ok(None);
        };
        let key = self.key_for_row(practice.as_str()).await?;
        case(&row, practice.as_str(), &key).map(Some)
    }

    async fn on_case(
        &mut self,
        staff: &Staff,
        id: &RequestId,
        (deed, words): (&CaseDeed, &str),
        now: Timestamp,
    ) -> Result<CaseDone, StoreError> {
        let (practice, name) = (&staff.practice, staff.practice.as_str());
        let Some(mut case) = self.case(CASE, practice, id).await? else {
            return Ok(CaseDone::Unknown);
        };
        let at = args![name, id.as_str()];
        let with = |more: Vec<_>| at.iter().cloned().chain(more).collect();
        let (step, action, detail) = match deed {
            CaseDeed::Note => (Step::Note, "access.noted", serde_json::json!({})),
            CaseDeed::Exported(form) => {
                let detail = serde_json::json!({ "format": form });
                (Step::Exported, "access.exported", detail)
            }
            CaseDeed::Reopen if case.open => return Ok(CaseDone::IsOpen),
            CaseDeed::Reopen => {
                self.run(REOPEN, at).await?;
                (Step::Reopened, "access.reopened", serde_json::json!({}))
            }
            CaseDeed::Close(_) | CaseDeed::Extend if !case.open => return Ok(CaseDone::IsClosed),
            CaseDeed::Close(how) => {
                let row = with(args![now, staff.id.0, how.as_str()]);
                self.run(CLOSE, row).await?;
                let detail = serde_json::json!({ "how": how.as_str() });
                (Step::Closed, "access.closed", detail)
            }
            CaseDeed::Extend if case.extended.is_some() => return Ok(CaseDone::ExtendedBefore),
            CaseDeed::Extend => {
                let by_law = case.filed.request.kind == RequestKind::Records;
                let Some(due) = case.filed.request.due.filter(|_| by_law) else {
                    return Ok(CaseDone::NoDay);
                };
                let more = (EXTENSION_DAYS * 24).hours();
                let later = due.checked_add(more).unwrap_or(due);
                self.run(EXTEND, with(args![later, now])).await?;
                let detail = serde_json::json!({ "due": later.to_string() });
                (Step::Extended, "access.extended", detail)
            }
        };
        case.steps.push(CaseStep {
            at: now,
            staff: staff.id.0,
            step,
            words: words.to_owned(),
        });
        let key = self.key(practice).await?;
        let place = place(name, "request", "notes", id.as_str());
        let notes = seal_json(&key, &place, &case.steps)?;
        self.run(SET_NOTES, args![name, id.as_str(), notes]).await?;
        self.note_case(staff, id.as_str(), action, &detail, now)
            .await?;
        Ok(CaseDone::Done)
    }

    async fn note_case(
        &mut self,
        staff: &Staff,
        id: &str,
        action: &str,
        detail: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let subject = format!("request/{}", id.get(..16).unwrap_or(id));
        let actor = staff.actor();
        let entry = Entry::new(&staff.practice, now, &actor, action, &subject, detail);
        self.append_audit(&entry).await
    }

    /// An entry about a patient, by the hash that names nobody.
    pub(super) async fn note_patient(
        &mut self,
        staff: &Staff,
        whose: &[u8],
        action: &str,
        detail: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (actor, subject) = (staff.actor(), subject(whose));
        let entry = Entry::new(&staff.practice, now, &actor, action, &subject, detail);
        self.append_audit(&entry).await
    }
}

fn case(row: &Row, practice: &str, key: &DataKey) -> Result<Case, StoreError> {
    let id = row.text("id")?;
    let damage = |column| Inconsistency::on("request").column(column).row(&id);
    let asked = requests::read(row, practice, key)?;
    let time = |column| match row.int_opt(column)? {
        Some(micros) => instant(micros, damage(column)).map(Some),
        None => Ok::<_, StoreError>(None),
    };
    let how = match row.text_opt("closed_how")? {
        Some(how) => Some(word(&how, damage("closed_how"))?),
        None => None,
    };
    let steps = match row.blob_opt("notes")? {
        Some(sealed) => {
            let place = place(practice, "request", "notes", &id);
            open_json(key, &place, &sealed, damage("notes"))?
        }
        None => Vec::new(),
    };
    Ok(Case {
        patient: asked.patient,
        filed: asked.filed,
        extended: time("extended")?,
        closed: time("closed")?.map(|at| (at, how)),
        open: row.int("open")? == 1,
        steps,
    })
}
