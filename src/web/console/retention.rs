//! Retention: what is kept how long and by which law, what is due, what was destroyed, what is held.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::domain::practice::Practice;
use crate::domain::staff::Right;
use crate::pipeline::house::House;
use crate::pipeline::retention::{DESTROYED_MAX, Keeping, LOOKED_MAX};
use crate::policy::words::Jurisdiction;
use crate::store::audit_pages::AuditFilter;
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::rights::{complies, name, name_of};
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::versions::{when, zone};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Entries of what was destroyed that the page lists.
const LOG_MAX: u32 = 20;
/// The word that somebody types before anything is destroyed.
const WORD: &str = "destroy";

/// What is kept: its name, the record that the law knows it as (none: the program's own rule), and what
/// happens here.
const KINDS: &[(&str, Option<&str>, &str)] = &[
    (
        "Texts, secure messages, files, notes, held drafts",
        Some("patient_record"),
        "Kept until staff destroy what is due below.",
    ),
    (
        "Consent and opt-outs",
        Some("consent"),
        "Never destroyed here: the ledger proves why each text was allowed.",
    ),
    (
        "Audit log",
        Some("audit_event"),
        "Never destroyed here: a chain with a link cut out proves nothing. It holds no patient's words.",
    ),
    (
        "Versions of policy and prompts, agreements",
        Some("policy"),
        "Never destroyed here.",
    ),
    (
        "Breach worksheets",
        Some("breach_file"),
        "Never destroyed here.",
    ),
    (
        "Requests of patients, disclosures, accountings",
        Some("consent"),
        "Never destroyed here (45 CFR 164.524(e), 164.528(d)).",
    ),
    (
        "Links to secure messages",
        None,
        "A link ends by itself; 30 days later its message is erased. What it said stays with the texts.",
    ),
    (
        "Sessions of staff and patients",
        None,
        "15 minutes without a click, 12 hours (patients: 2) in any case; then erased.",
    ),
];

/// The page.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let gone = pairs.into_iter().find(|(name, _)| name == "destroyed");
    let gone = gone.and_then(|(_, value)| value.parse::<usize>().ok());
    shown(&door, &seat, StatusCode::OK, (gone, "")).await
}

async fn shown(
    door: &Door,
    seat: &Seat,
    status: StatusCode,
    (gone, fault): (Option<usize>, &str),
) -> Result<Response, Problem> {
    let house = desk(door)?;
    let (store, now, zone) = (house.store(), house.clock().now(), zone(house, seat));
    let practice = house.practice(&seat.staff.practice);
    let practice = practice.ok_or_else(Problem::not_found)?;
    let due = house.retention_due(&practice, now).await;
    let due = due.map_err(unavailable)?;
    let free = due.iter().filter(|it| !it.held).count();
    let rows: Vec<Value> = due
        .iter()
        .take(100)
        .map(|it| {
            json!({
                "id": it.conversation.0, "last": when(it.last, &zone),
                "since": it.since.to_string(), "held": it.held,
            })
        })
        .collect();
    let filter = AuditFilter {
        action: "retention".to_owned(),
        ..AuditFilter::default()
    };
    let log = store.audit_page(&practice.id, &filter, LOG_MAX).await;
    let staff = store.all_staff(&practice.id).await.map_err(unavailable)?;
    let log: Vec<Value> = log
        .map_err(unavailable)?
        .entries
        .iter()
        .map(|it| {
            let who = staff.iter().find(|one| one.actor() == it.entry.actor);
            let who = who.map_or_else(|| it.entry.actor.clone(), |it| it.secrets.name.clone());
            let detail: Value = serde_json::from_str(&it.entry.detail).unwrap_or_default();
            json!({
                "at": when(it.entry.at, &zone), "who": who, "about": it.entry.subject,
                "what": told(&it.entry.action, &detail),
            })
        })
        .collect();
    let reads = seat.staff.role.may(Right::Read);
    let held = standing(house, seat, (reads, &zone)).await?;
    let more = json!({
        "kinds": kinds(house, &practice), "state": practice.state.as_str(), "due": rows,
        "due_count": due.len(), "free": free, "more": due.len() == LOOKED_MAX as usize,
        "at_once": DESTROYED_MAX, "log": log, "held": held, "complies": complies(seat),
        "said": gone.map(said), "fault": fault, "word": WORD,
    });
    let page = ("compliance", "console_retention.html", status);
    filled(door, seat, page, more).await
}

fn said(gone: usize) -> String {
    match gone {
        0 => "Nothing was destroyed: a colleague was first, or it is held or still waits to leave."
            .to_owned(),
        1 => "The words of 1 conversation are destroyed.".to_owned(),
        many => format!("The words of {many} conversations are destroyed."),
    }
}

fn kinds(house: &House, practice: &Practice) -> Vec<Value> {
    let now = house.clock().now();
    let of =
        |residence: Jurisdiction, record: &str| house.keeping(practice, residence, record, now);
    KINDS
        .iter()
        .map(|(name, record, here)| {
            let keeping = record.map(|record| of(practice.state, record));
            let rules: Vec<Value> = keeping
                .iter()
                .flat_map(|it| &it.rules)
                .map(|(summary, cite, id)| json!({ "summary": summary, "cite": cite, "id": id }))
                .collect();
            json!({
                "name": name, "here": here, "rules": rules,
                "time": keeping.as_ref().map(in_words),
            })
        })
        .collect()
}

fn in_words(it: &Keeping) -> String {
    let years = format!("{} years", it.years);
    match it.minor_until {
        Some(age) => format!("{years}; of a minor until {age} at least"),
        None => years,
    }
}

fn told(action: &str, detail: &Value) -> String {
    let count = |name: &str| detail.get(name).and_then(Value::as_i64).unwrap_or(0);
    match action {
        "retention.destroyed" => format!("destroyed the words of {} texts", count("texts")),
        "retention.erased" => format!("erased {} ended secure messages", count("messages")),
        "retention.held" => "placed a legal hold".to_owned(),
        "retention.released" => "ended a legal hold".to_owned(),
        other => other.to_owned(),
    }
}

async fn standing(
    house: &House,
    seat: &Seat,
    (reads, zone): (bool, &TimeZone),
) -> Result<Vec<Value>, Problem> {
    let (store, practice) = (house.store(), &seat.staff.practice);
    let staff = store.all_staff(practice).await.map_err(unavailable)?;
    let mut all = Vec::new();
    for hold in store.standing_holds(practice).await.map_err(unavailable)? {
        let known = if reads {
            house
                .records()
                .patient(practice, &hold.patient)
                .await
                .ok()
                .flatten()
        } else {
            None
        };
        let word = match &known {
            Some(it) => Some(
                store
                    .patient_word(practice, &it.id)
                    .await
                    .map_err(unavailable)?,
            ),
            None => None,
        };
        all.push(json!({
            "name": known.as_ref().map(name), "word": word, "at": when(hold.at, zone),
            "by": name_of(&staff, hold.staff), "why": reads.then_some(hold.why),
        }));
    }
    Ok(all)
}

/// Destroys what is due, once somebody has typed the word.
pub(crate) async fn destroy(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    if !fields.get("word").trim().eq_ignore_ascii_case(WORD) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let fault = "Type the word destroy: what is gone does not come back.";
        return shown(&door, &seat, status, (None, fault)).await;
    }
    let practice = house.practice(&seat.staff.practice);
    let practice = practice.ok_or_else(Problem::not_found)?;
    let gone = house.destroy_due(&seat.staff, &practice).await;
    let gone = gone.map_err(unavailable)?;
    Ok(to(&format!("/console/retention?destroyed={gone}")))
}
