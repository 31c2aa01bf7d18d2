//! Rights of one patient: who was told of them (45 CFR 164.528), what they asked for, a copy of what is
//! kept, and whether a dispute keeps it from being destroyed. The address holds a sealed word, nobody's
//! name or number.

mod account;
mod copy;
mod form;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::domain::ids::{PatientId, StaffId};
use crate::domain::phone::E164;
use crate::domain::record::{Patient, Request, RequestKind, Suits};
use crate::domain::rights::{ACCESS_DUE, ACCOUNTING_YEARS, DisclosureKind};
use crate::domain::staff::{Right, Staff};
use crate::pipeline::house::House;
use crate::store::disclosures::Recorded;
use crate::web::console::cases;
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::seat::{Fields, Seat, again, desk, to};
use crate::web::console::versions::{when, zone};
use crate::web::problem::Problem;
use crate::web::router::Door;

pub(super) use account::account;
pub(super) use copy::{copy, of_case};

/// Longest reason for a hold, or for striking a line.
const WHY_CHARS_MAX: usize = 500;

/// Whose page it is.
pub(super) struct Whose {
    pub(super) id: PatientId,
    pub(super) word: String,
    pub(super) patient: Patient,
}

impl Whose {
    /// The patient behind the word of an address.
    pub(super) async fn of(desk: &House, seat: &Seat, word: &str) -> Result<Self, Problem> {
        let practice = &seat.staff.practice;
        let found = desk.store().patient_behind(practice, word).await;
        let id = found.map_err(unavailable)?.ok_or_else(Problem::not_found)?;
        let patient = desk.records().patient(practice, &id).await;
        let patient = patient.map_err(|_down| {
            let why = "the record of the practice does not answer; try again";
            Problem::because(StatusCode::SERVICE_UNAVAILABLE, why)
        })?;
        Ok(Self {
            id,
            word: word.to_owned(),
            patient: patient.ok_or_else(Problem::not_found)?,
        })
    }

    fn to(&self, done: &str) -> Response {
        to(&format!("/console/patients/{}?done={done}", self.word))
    }
}

/// The first instant of the six years that an accounting reaches back.
pub(super) fn since(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let today = now.to_zoned(zone.clone()).date();
    let first = today.saturating_sub(i64::from(ACCOUNTING_YEARS).years());
    let first = first.to_zoned(zone.clone());
    first.map_or(Timestamp::MIN, |it| it.timestamp())
}

/// The page.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(word): Path<String>,
    axum::extract::RawQuery(query): axum::extract::RawQuery,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let whose = Whose::of(house, &seat, &word).await?;
    let now = house.clock().now();
    let looked = ("patient.viewed", json!({}));
    let noted = house.store().note_look(&seat.staff, &whose.id, looked, now);
    noted.await.map_err(unavailable)?;
    let said = Said {
        done: done(query.as_deref()),
        ..Said::default()
    };
    shown(&door, &seat, &whose, StatusCode::OK, said).await
}

fn done(query: Option<&str>) -> &'static str {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut named = pairs.filter(|(name, _)| name == "done");
    match named.next().as_ref().map(|(_, value)| &**value) {
        Some("recorded") => "Recorded. The accounting tells of it from now on.",
        Some("struck") => "Struck. The accounting leaves it out; what was recorded stays on file.",
        Some("held") => "Nothing of this patient is destroyed until the hold is ended.",
        Some("ended") => "The hold is ended.",
        _ => "",
    }
}

/// What the page says besides what is on file.
#[derive(Default)]
struct Said<'a> {
    done: &'a str,
    /// Which form has a fault, and what is to be mended in it.
    fault: (&'a str, &'a str),
    typed: form::Typed,
    /// What the other forms held.
    words: &'a str,
    received: &'a str,
}

async fn shown(
    door: &Door,
    seat: &Seat,
    whose: &Whose,
    status: StatusCode,
    said: Said<'_>,
) -> Result<Response, Problem> {
    let house = desk(door)?;
    let (practice, store) = (&seat.staff.practice, house.store());
    let (now, zone) = (house.clock().now(), zone(house, seat));
    let today = now.to_zoned(zone.clone()).date();
    let all = store.disclosures(practice, &whose.id, since(now, &zone));
    let all = all.await.map_err(unavailable)?;
    let staff = store.all_staff(practice).await.map_err(unavailable)?;
    let rows: Vec<Value> = all
        .iter()
        .rev()
        .map(|it| row(it, &staff, today, &zone))
        .collect();
    let mut asked = Vec::new();
    let found = store.cases_of(practice, &whose.id).await;
    for case in found.map_err(unavailable)? {
        asked.push(cases::line(house, seat, &case, (true, now), &zone).await);
    }
    let holds = store.legal_holds(practice, &whose.id).await;
    let holds: Vec<Value> = holds
        .map_err(unavailable)?
        .iter()
        .map(|it| {
            json!({
                "id": it.id, "at": when(it.at, &zone), "by": name_of(&staff, it.staff),
                "why": it.why, "ended": it.ended.map(|it| when(it, &zone)),
            })
        })
        .collect();
    let held = holds
        .iter()
        .any(|it| it.get("ended").is_some_and(Value::is_null));
    let kinds: Vec<Value> = DisclosureKind::ALL
        .iter()
        .map(|it| {
            json!({
                "id": it.as_str(), "told": it.told(), "cite": it.cite(),
                "on": said.typed.kind == it.as_str(),
            })
        })
        .collect();
    let patient = &whose.patient;
    let phones: Vec<String> = patient.phones.iter().map(E164::display_us).collect();
    let more = json!({
        "word": whose.word, "name": name(patient), "phones": phones.join(", "),
        "born": patient.birth_date.as_ref().map(|it| it.expose().to_string()),
        "mrn": patient.mrn.as_ref().map(|it| it.as_str().to_owned()),
        "disclosures": rows, "cases": asked, "holds": holds, "held": held, "kinds": kinds,
        "today": today.to_string(), "typed": said.typed.shown(), "done": said.done,
        "fault_of": said.fault.0, "fault": said.fault.1,
        "words": said.words, "received": said.received,
    });
    let page = ("compliance", "console_patient.html", status);
    filled(door, seat, page, more).await
}

pub(super) fn name(patient: &Patient) -> String {
    let (first, last) = (patient.first_name.as_str(), patient.last_name.as_str());
    format!("{first} {last}")
}

pub(super) fn name_of(staff: &[Staff], id: StaffId) -> String {
    let found = staff.iter().find(|it| it.id == id);
    found.map_or_else(|| format!("staff/{id}"), |it| it.secrets.name.clone())
}

fn row(it: &Recorded, staff: &[Staff], today: Date, zone: &TimeZone) -> Value {
    let told = &it.disclosure;
    json!({
        "id": it.id, "on": told.on.to_string(), "recipient": told.recipient,
        "address": told.address, "what": told.what, "purpose": told.purpose,
        "repeated": told.repeated, "kind": it.kind.told(), "cite": it.kind.cite(),
        "recorded": when(it.recorded, zone), "by": name_of(staff, it.staff),
        "withheld": told.withheld_until.filter(|until| *until >= today).map(|it| it.to_string()),
        "struck": it.struck.as_ref().map(|(at, by, why)| json!({
            "at": when(*at, zone), "by": name_of(staff, *by), "why": why,
        })),
    })
}

/// Records that somebody was told.
pub(crate) async fn record(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(word): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let whose = Whose::of(house, &seat, &word).await?;
    let (now, zone) = (house.clock().now(), zone(house, &seat));
    let today = now.to_zoned(zone.clone()).date();
    let typed = form::Typed::read(&fields);
    let (kind, disclosure) = match typed.disclosure(today) {
        Ok(read) => read,
        Err(fault) => {
            let said = Said {
                fault: ("disclosure", &fault),
                typed,
                ..Said::default()
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return shown(&door, &seat, &whose, status, said).await;
        }
    };
    let (store, practice) = (house.store(), &seat.staff.practice);
    let known = store
        .disclosures(practice, &whose.id, since(now, &zone))
        .await;
    // A second click of the same form is the same disclosure.
    let twice = known.map_err(unavailable)?.iter().any(|it| {
        let age = now.duration_since(it.recorded).as_secs();
        it.disclosure == disclosure && it.kind == kind && it.staff == seat.staff.id && age < 60
    });
    if !twice {
        let on = disclosure
            .on
            .to_zoned(zone)
            .map_or(now, |it| it.timestamp());
        let kept = store.record_disclosure(&seat.staff, &whose.id, (kind, &disclosure), on, now);
        kept.await.map_err(unavailable)?;
    }
    Ok(whose.to("recorded"))
}

/// Strikes a line that was recorded by mistake.
pub(crate) async fn strike(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(word): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let whose = Whose::of(house, &seat, &word).await?;
    let id: i64 = fields
        .get("id")
        .parse()
        .map_err(|_no_number| Problem::not_found())?;
    let why = match reason(&fields, "Say why it was recorded by mistake") {
        Ok(why) => why,
        Err(fault) => {
            let said = Said {
                fault: ("strike", &fault),
                ..Said::default()
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return shown(&door, &seat, &whose, status, said).await;
        }
    };
    let now = house.clock().now();
    let struck = house
        .store()
        .strike_disclosure(&seat.staff, &whose.id, (id, why), now);
    if struck.await.map_err(unavailable)? {
        Ok(whose.to("struck"))
    } else {
        Ok(again(
            StatusCode::CONFLICT,
            "It is struck already",
            "A colleague struck this line meanwhile. Open the page again to see it.",
        ))
    }
}

/// The reason of a form, or what is wrong with it.
pub(super) fn reason<'f>(fields: &'f Fields, ask: &str) -> Result<&'f str, String> {
    let why = fields.get("why").trim();
    match why.chars().count() {
        0 => Err(format!("{ask}.")),
        count if count > WHY_CHARS_MAX => Err(format!(
            "The reason is {count} characters long; at most {WHY_CHARS_MAX} are kept."
        )),
        _ => Ok(why),
    }
}

/// Places a hold on what is kept of a patient, or ends one.
pub(crate) async fn hold(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(word): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let whose = Whose::of(house, &seat, &word).await?;
    let (store, now) = (house.store(), house.clock().now());
    if fields.get("do") == "end" {
        let ended = store.end_legal_hold(&seat.staff, &whose.id, now).await;
        ended.map_err(unavailable)?;
        return Ok(whose.to("ended"));
    }
    match reason(&fields, "Say for which dispute or investigation it is held") {
        Ok(why) => {
            let placed = store
                .place_legal_hold(&seat.staff, &whose.id, why, now)
                .await;
            placed.map_err(unavailable)?;
            Ok(whose.to("held"))
        }
        Err(fault) => {
            let said = Said {
                fault: ("hold", &fault),
                ..Said::default()
            };
            shown(&door, &seat, &whose, StatusCode::UNPROCESSABLE_ENTITY, said).await
        }
    }
}

/// Opens a case for a patient who asked by letter, by phone or at the desk.
pub(crate) async fn open_case(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(word): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let whose = Whose::of(house, &seat, &word).await?;
    let (now, zone) = (house.clock().now(), zone(house, &seat));
    let today = now.to_zoned(zone.clone()).date();
    let (words, received) = (fields.get("words").trim(), fields.get("received").trim());
    let day = form::day(received, "The day on which it came in", today);
    let fault = match &day {
        Err(fault) => fault.clone(),
        Ok(None) => "Give the day on which it came in: the law counts from it.".to_owned(),
        Ok(Some(_)) if words.is_empty() => "Say what the patient asks for.".to_owned(),
        Ok(Some(_)) if words.chars().count() > form::WORDS_CHARS_MAX => {
            "What the patient asks for is longer than 1,000 characters: shorten it.".to_owned()
        }
        Ok(Some(_)) => String::new(),
    };
    let (true, Ok(Some(day))) = (fault.is_empty(), day) else {
        let said = Said {
            fault: ("case", &fault),
            words,
            received,
            ..Said::default()
        };
        return shown(&door, &seat, &whose, StatusCode::UNPROCESSABLE_ENTITY, said).await;
    };
    let received = if day == today {
        now
    } else {
        day.to_zoned(zone).map_or(now, |it| it.timestamp())
    };
    let request = Request {
        kind: RequestKind::Records,
        words: words.into(),
        due: received.checked_add(ACCESS_DUE).ok(),
        from: None,
        to: None,
        suits: Suits::default(),
    };
    let opened = house
        .store()
        .open_case(&seat.staff, &whose.id, &request, received, now)
        .await;
    let id = opened.map_err(unavailable)?;
    house.changed();
    Ok(to(&format!("/console/requests/{id}")))
}

/// Whether somebody may do what an officer does.
pub(super) fn complies(seat: &Seat) -> bool {
    seat.staff.role.may(Right::Comply)
}
