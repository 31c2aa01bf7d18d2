//! Compliance: what patients may ask by law and by when, and what each of them has agreed to.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::audit::Entry;
use crate::domain::consent::{ConsentProof, ConsentPurpose};
use crate::domain::conversation::Conversation;
use crate::domain::phone::E164;
use crate::domain::staff::Right;
use crate::pipeline::house::House;
use crate::policy::words::Language;
use crate::store::{LedgerEntry, StoreError};
use crate::web::console::cases;
use crate::web::console::inbox::{filled, typed_number, unavailable};
use crate::web::console::rights::name;
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::versions::{short, when, zone};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Closed cases that the page lists, the newest.
const CLOSED_MAX: u32 = 10;
/// Texts with health details that a page lists, of one conversation.
const DISCLOSED_MAX: u32 = 100;

/// The page.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    shown(&door, &seat, StatusCode::OK, (query.as_deref(), "", "")).await
}

async fn shown(
    door: &Door,
    seat: &Seat,
    status: StatusCode,
    (query, fault, typed): (Option<&str>, &str, &str),
) -> Result<Response, Problem> {
    let desk = desk(door)?;
    let zone = zone(desk, seat);
    let now = desk.clock().now();
    let reads = seat.staff.role.may(Right::Read);
    let practice = &seat.staff.practice;
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    let cases = desk.store().open_cases(practice).await;
    for case in cases.map_err(unavailable)? {
        open.push(cases::line(desk, seat, &case, (reads, now), &zone).await);
    }
    // What the law wants first stands first; what has no day keeps the order in which it was asked.
    open.sort_by_key(|it| {
        let first = it.get("first").and_then(Value::as_str).map(str::to_owned);
        (first.is_none(), first)
    });
    let cases = desk.store().closed_cases(practice, CLOSED_MAX).await;
    for case in cases.map_err(unavailable)? {
        closed.push(cases::line(desk, seat, &case, (reads, now), &zone).await);
    }
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let word = pairs.into_iter().find(|(name, _)| name == "n");
    let number = match word.filter(|_| reads) {
        Some((_, word)) => desk.store().number_behind(practice, &word).await,
        None => Ok(None),
    };
    let number = number.map_err(unavailable)?;
    let (mut people, mut patients, mut search) = (Vec::new(), Vec::new(), String::new());
    if let Some(number) = number {
        people = ledgers(desk, seat, &number, now, &zone).await?;
        patients = at_number(desk, seat, &number).await?;
        search = number.display_us();
    }
    let more = json!({
        "requests": open, "closed": closed, "people": people, "patients": patients,
        "search": search, "fault": fault, "typed": typed,
    });
    let page = ("compliance", "console_compliance.html", status);
    filled(door, seat, page, more).await
}

/// Finds what is kept of a number. The address that follows holds a sealed word, not the number.
pub(crate) async fn find(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let typed = fields.get("q").trim();
    let Some(number) = typed_number(typed) else {
        let fault = "Search by the patient's phone number, with area code.";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return shown(&door, &seat, status, (None, fault, typed)).await;
    };
    let word = desk(&door)?
        .store()
        .number_word(&seat.staff.practice, &number);
    let word = word.await.map_err(unavailable)?;
    Ok(to(&format!("/console/compliance?n={word}#patient")))
}

/// The patients at a number, each with the word that opens their page.
async fn at_number(desk: &House, seat: &Seat, number: &E164) -> Result<Vec<Value>, Problem> {
    let practice = &seat.staff.practice;
    let found = desk.records().patients_by_phone(practice, number).await;
    let mut all = Vec::new();
    for patient in found.unwrap_or_default() {
        let word = desk.store().patient_word(practice, &patient.id).await;
        all.push(json!({ "name": name(&patient), "word": word.map_err(unavailable)? }));
    }
    Ok(all)
}

/// What everybody at a number has agreed to, how it came about, and what left with health details. The
/// look is audited.
async fn ledgers(
    desk: &House,
    seat: &Seat,
    number: &E164,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Vec<Value>, Problem> {
    let practice = &seat.staff.practice;
    let found = desk.store().conversations_with(practice, number).await;
    let mut all = Vec::new();
    for conversation in found.map_err(unavailable)? {
        let told = ledger(desk, &conversation, zone).await;
        all.push(told.map_err(unavailable)?);
        let entry = Entry::new(
            practice,
            now,
            &seat.staff.actor(),
            "consent.viewed",
            &format!("conversation/{}", conversation.id),
            &json!({}),
        );
        let noted = desk.note(entry).await;
        noted.map_err(unavailable)?;
    }
    Ok(all)
}

async fn ledger(
    desk: &House,
    conversation: &Conversation,
    zone: &TimeZone,
) -> Result<Value, StoreError> {
    let events = desk.store().consent_ledger(conversation.id).await?;
    let others = conversation.speaker.others.iter();
    let others = others.map(|other| (Some(&other.patient), &other.consent));
    let people = std::iter::once((conversation.patient.as_ref(), &conversation.consent));
    let mut standing = Vec::new();
    for (patient, consent) in people.chain(others) {
        let known = match patient {
            Some(id) => desk.records().patient(&conversation.practice, id).await,
            None => Ok(None),
        };
        let name = known.ok().flatten().as_ref().map(name);
        let purposes: Vec<Value> = ConsentPurpose::ALL
            .iter()
            .map(|purpose| {
                json!({
                    "purpose": in_words(*purpose), "state": consent.standing(*purpose).as_str(),
                })
            })
            .collect();
        standing.push(json!({
            "name": name, "purposes": purposes,
            "proof": consent.proof.as_ref().map(ConsentProof::digest).map(|it| short(&it)),
            "until": consent.proof.as_ref().map(|it| cases::day(it.expires, zone)),
        }));
    }
    let disclosed = desk
        .store()
        .disclosed(conversation.id, DISCLOSED_MAX)
        .await?;
    let disclosed: Vec<Value> = disclosed
        .iter()
        .map(|it| {
            json!({
                "at": when(it.at, zone), "delivery": it.delivery.as_str(),
                "proof": it.proof.as_deref().map(short), "policy": it.policy.as_deref().map(short),
                "state": it.state,
            })
        })
        .collect();
    Ok(json!({
        "id": conversation.id.0, "number": conversation.number.display_us(),
        "channel": conversation.channel.as_str(), "carrier": conversation.carrier.as_str(),
        "standing": standing, "disclosed": disclosed,
        "events": events.iter().rev().map(|it| event(it, zone)).collect::<Vec<_>>(),
    }))
}

const fn in_words(purpose: ConsentPurpose) -> &'static str {
    match purpose {
        ConsentPurpose::Contact => "texts",
        ConsentPurpose::Phi => "health details by text",
        ConsentPurpose::Confirmations => "reminders",
    }
}

fn event(it: &LedgerEntry, zone: &TimeZone) -> Value {
    let told = match it.event.as_str() {
        "notice_sent" => "was asked with the risk notice",
        "yes" => "agreed",
        "no" => "said no to health details by text",
        "stop" => "opted out of all texts",
        "start" => "wants texts again",
        "wrote" => "wrote first",
        "expire" => "the agreement ended by its term",
        "reassigned" => "the number may be another's",
        "identified" => "showed who they are",
        "recorded" => "the practice recorded it",
        "refused" => "does not want this purpose",
        "lifted" => "is open again with another line",
        other => other,
    };
    let evidence = &it.evidence;
    json!({
        "at": when(evidence.at, zone), "event": it.event, "told": told,
        "who": evidence.who.as_str(), "reason": evidence.reason,
        "language": evidence.language.map(Language::as_str),
        "words": evidence.words.as_deref().map(short),
        "notice": it.notice.as_ref().map(|it| it.text_id.clone()),
        "notice_sha256": it.notice.as_ref().map(|it| short(&it.sha256)),
        "proof": it.proof.as_deref().map(short),
        "contact": it.purposes.contact.as_str(), "phi": it.purposes.phi.as_str(),
        "confirmations": it.purposes.confirmations.as_str(),
    })
}
