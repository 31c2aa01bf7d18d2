//! Cases: what patients ask by law or otherwise, each with its day, its history, and its end.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::ids::{RequestId, StaffId};
use crate::domain::record::RequestKind;
use crate::domain::rights::{Closing, Step};
use crate::domain::staff::Right;
use crate::pipeline::access::LawDue;
use crate::pipeline::house::House;
use crate::policy::words::Jurisdiction;
use crate::store::rights::{Case, CaseDeed, CaseDone};
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::rights::{complies, name, name_of};
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::versions::{when, zone};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// A case whose day is nearer than this is told of in another colour.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest note, and longest reason.
const WORDS_CHARS_MAX: usize = 2_000;

/// By when a case is due, by whichever law wants it first; a day that was put off is the later one.
pub(super) struct Day {
    pub(super) at: Option<Timestamp>,
    law: Option<LawDue>,
}

impl Day {
    fn of(house: &House, seat: &Seat, case: &Case, residence: Jurisdiction) -> Self {
        let asked = &case.filed.request;
        let practice = house.practice(&seat.staff.practice);
        let law = practice
            .filter(|_| asked.kind == RequestKind::Records)
            .and_then(|it| house.access_due(&it, residence, case.filed.at));
        let zone = zone(house, seat);
        let end = |it: &LawDue| {
            let midnight = it.day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
            Some(midnight.timestamp() - SignedDuration::from_secs(1))
        };
        let by_law = law
            .as_ref()
            .filter(|_| case.extended.is_none())
            .and_then(end);
        let at = match (asked.due, by_law) {
            (Some(due), Some(law)) => Some(due.min(law)),
            (due, law) => due.or(law),
        };
        Self { at, law }
    }
}

/// A case as a line of a table.
pub(super) async fn line(
    house: &House,
    seat: &Seat,
    case: &Case,
    (reads, now): (bool, Timestamp),
    zone: &TimeZone,
) -> Value {
    let practice = &seat.staff.practice;
    let known = house.records().patient(practice, &case.patient).await;
    let known = known.ok().flatten();
    let residence = known.as_ref().map_or(Jurisdiction::UNKNOWN, |it| it.state);
    let due = Day::of(house, seat, case, residence);
    let asked = &case.filed.request;
    let (state, words) = match (due.at, &case.closed) {
        (_, Some((at, how))) => {
            let how = how.map_or("closed", Closing::as_str);
            ("", format!("{how} {}", day(*at, zone)))
        }
        _ if !case.open => ("", "ended".to_owned()),
        (None, None) => ("", String::new()),
        (Some(at), None) if at < now => ("stop", format!("was due {}", day(at, zone))),
        (Some(at), None) if at.duration_since(now) < SOON => {
            ("wait", format!("due {}", day(at, zone)))
        }
        (Some(at), None) => ("good", format!("due {}", day(at, zone))),
    };
    json!({
        "id": case.filed.id.as_str(), "kind": asked.kind.told(), "open": case.open,
        "by_law": asked.kind == RequestKind::Records, "at": day(case.filed.at, zone),
        "state": state, "due": words, "extended": case.extended.is_some(),
        "name": known.as_ref().filter(|_| reads).map(name),
        "words": reads.then(|| asked.words.as_str().to_owned()),
        "first": due.at,
    })
}

pub(super) fn day(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    at.strftime("%b %-d, %Y").to_string()
}

/// One case.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let done = pairs.into_iter().find(|(name, _)| name == "done");
    let done = match done.as_ref().map(|(_, value)| &**value) {
        Some("extended") => {
            "Put off by 30 days. Send the patient the reason in writing before the first day is over."
        }
        Some("noted") => "The note is kept.",
        Some("closed") => "Closed.",
        Some("reopened") => "Open again.",
        _ => "",
    };
    shown(
        &door,
        &seat,
        &RequestId::new(id),
        StatusCode::OK,
        Said {
            done,
            ..Said::default()
        },
    )
    .await
}

/// What the page says besides the case.
#[derive(Default)]
struct Said<'a> {
    done: &'a str,
    fault: &'a str,
    /// What was typed into the form that has a fault, and which it is.
    words: &'a str,
    form: &'a str,
    how: &'a str,
}

async fn shown(
    door: &Door,
    seat: &Seat,
    id: &RequestId,
    status: StatusCode,
    said: Said<'_>,
) -> Result<Response, Problem> {
    let house = desk(door)?;
    let (practice, store) = (&seat.staff.practice, house.store());
    let case = store.case(practice, id).await.map_err(unavailable)?;
    let case = case.ok_or_else(Problem::not_found)?;
    let (now, zone) = (house.clock().now(), zone(house, seat));
    let reads = seat.staff.role.may(Right::Read);
    let staff = store.all_staff(practice).await.map_err(unavailable)?;
    let known = house.records().patient(practice, &case.patient).await;
    let known = known.ok().flatten();
    let residence = known.as_ref().map_or(Jurisdiction::UNKNOWN, |it| it.state);
    let due = Day::of(house, seat, &case, residence);
    let word = match known.as_ref().filter(|_| reads) {
        Some(patient) => Some(
            store
                .patient_word(practice, &patient.id)
                .await
                .map_err(unavailable)?,
        ),
        None => None,
    };
    let steps: Vec<Value> = case
        .steps
        .iter()
        .rev()
        .map(|it| {
            json!({
                "at": when(it.at, &zone), "by": name_of(&staff, StaffId(it.staff)),
                "told": told(it.step), "step": it.step.as_str(),
                "words": reads.then_some(&it.words),
            })
        })
        .collect();
    let law = due.law.as_ref().map(|it| {
        json!({
            "day": it.day.to_string(), "extended": it.extended.map(|it| it.to_string()),
            "inspect": it.inspect.map(|it| it.to_string()), "rule": it.rule,
            "summary": it.summary, "cite": it.cite, "state": residence.as_str(),
        })
    });
    let closings: Vec<Value> = Closing::ALL
        .iter()
        .map(|it| json!({ "id": it.as_str(), "told": it.told(), "on": said.how == it.as_str() }))
        .collect();
    let more = json!({
        "case": line(house, seat, &case, (reads, now), &zone).await,
        "word": word, "steps": steps, "law": law, "closings": closings, "reads": reads,
        "complies": complies(seat), "done": said.done, "fault": said.fault,
        "words": said.words, "form": said.form,
    });
    let page = ("compliance", "console_case.html", status);
    filled(door, seat, page, more).await
}

const fn told(step: Step) -> &'static str {
    match step {
        Step::Note => "noted",
        Step::Extended => "put off by 30 days",
        Step::Exported => "made a copy",
        Step::Closed => "closed it",
        Step::Reopened => "opened it again",
    }
}

/// Does something with a case.
pub(crate) async fn act(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let (house, id) = (desk(&door)?, RequestId::new(id));
    let words = fields.get("words").replace("\r\n", "\n");
    let words = words.trim();
    let form = fields.get("do");
    let how = fields.get("how");
    let refused = |fault| Said {
        fault,
        words,
        form,
        how,
        ..Said::default()
    };
    let deed = match read(form, how, words) {
        Ok(deed) => deed,
        Err(fault) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return shown(&door, &seat, &id, status, refused(fault)).await;
        }
    };
    let done = match &deed {
        CaseDeed::Extend => "extended",
        CaseDeed::Close(_) => "closed",
        CaseDeed::Reopen => "reopened",
        CaseDeed::Note | CaseDeed::Exported(_) => "noted",
    };
    let now = house.clock().now();
    let outcome = house
        .store()
        .on_case(&seat.staff, &id, (deed, words), now)
        .await;
    let fault = match outcome.map_err(unavailable)? {
        CaseDone::Done => {
            house.changed();
            return Ok(to(&format!("/console/requests/{id}?done={done}")));
        }
        CaseDone::Unknown => return Err(Problem::not_found()),
        CaseDone::ExtendedBefore => {
            "Its day was put off once already, and the law allows it once (45 CFR 164.524(b)(2)(iii))."
        }
        CaseDone::NoDay => "No law sets a day for this request, so none can be put off.",
        CaseDone::IsClosed => {
            "A colleague closed it meanwhile. Open it again first if that was wrong."
        }
        CaseDone::IsOpen => "It is open already.",
    };
    shown(&door, &seat, &id, StatusCode::CONFLICT, refused(fault)).await
}

/// What a form asks, or what is wrong with it.
fn read(form: &str, how: &str, words: &str) -> Result<CaseDeed, &'static str> {
    if words.chars().count() > WORDS_CHARS_MAX {
        return Err("That is longer than 2,000 characters: shorten it.");
    }
    match form {
        "extend" if words.is_empty() => Err(
            "Say why it takes longer: the patient gets the reason in writing (45 CFR 164.524(b)(2)(iii)).",
        ),
        "extend" => Ok(CaseDeed::Extend),
        "note" if words.is_empty() => Err("The note is empty."),
        "note" => Ok(CaseDeed::Note),
        "reopen" => Ok(CaseDeed::Reopen),
        "close" => {
            let Ok(how) = how.parse::<Closing>() else {
                return Err("Choose how it ended.");
            };
            if how.needs_words() && words.is_empty() {
                return Err(
                    "Say what was refused and why: a refusal has its reason on file (45 CFR 164.524(d)).",
                );
            }
            Ok(CaseDeed::Close(how))
        }
        _ => Err("Choose what is to be done."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_put_off_or_refused_only_with_its_reason() {
        for (form, how, words, fine) in [
            ("extend", "", "", false),
            ("extend", "", "Older charts are in the archive", true),
            ("note", "", " ", true),
            ("note", "", "", false),
            ("close", "given", "", true),
            ("close", "part", "", false),
            ("close", "refused", "", false),
            ("close", "refused", "Psychotherapy notes", true),
            ("close", "lost", "x", false),
            ("reopen", "", "", true),
            ("burn", "", "", false),
        ] {
            assert_eq!(read(form, how, words).is_ok(), fine, "{form} {how} {words}");
        }
        assert!(read("note", "", &"x".repeat(WORDS_CHARS_MAX + 1)).is_err());
    }
}
