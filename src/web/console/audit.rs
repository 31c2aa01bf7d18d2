//! The audit log for people: newest first, by who, what, about whom, rule and day, with the chain's check.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::Linked;
use crate::domain::ids::PracticeId;
use crate::domain::staff::{Right, Staff};
use crate::pipeline::house::House;
use crate::store::audit_pages::{AuditFilter, AuditPage};
use crate::web::console::inbox::{filled, typed_number, unavailable};
use crate::web::console::rights::{Whose, name};
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::versions::zone;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Entries on one page.
const PAGE_ENTRIES: u32 = 100;
/// A check of the chain that is older than this is made anew when somebody looks.
const FRESH: SignedDuration = SignedDuration::from_mins(15);
/// Chains that are checked by themselves: a longer one takes more than a glance, so staff ask for it.
const LENGTH_MAX: i64 = 50_000;
/// Longest word of a filter.
const WORD_CHARS_MAX: usize = 100;

/// What is asked of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) filter: AuditFilter,
    /// The sealed word of a patient.
    patient: String,
    from: String,
    to: String,
    check: bool,
}

impl Asked {
    /// The filter of an address. Days are those of the practice, `to` included.
    pub(super) fn read<'a>(
        pairs: impl Iterator<Item = (impl AsRef<str> + 'a, impl AsRef<str> + 'a)>,
        zone: &TimeZone,
    ) -> Self {
        let mut asked = Self::default();
        for (name, value) in pairs {
            let value = value.as_ref().trim();
            let kept = || value.chars().take(WORD_CHARS_MAX).collect::<String>();
            match name.as_ref() {
                "actor" => asked.filter.actor = kept(),
                "action" => asked.filter.action = kept(),
                "subject" => asked.filter.subject = kept(),
                // A wildcard of the database is no part of a rule's name.
                "rule" => asked.filter.rule = kept().replace(['%', '"'], ""),
                "from" => asked.from = kept(),
                "to" => asked.to = kept(),
                "patient" => value.clone_into(&mut asked.patient),
                "before" => asked.filter.before = value.parse().ok(),
                "check" => asked.check = value == "1",
                _ => {}
            }
        }
        let start = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        let day = |text: &str| text.parse::<Date>().ok();
        asked.filter.from = day(&asked.from).and_then(start);
        asked.filter.to = day(&asked.to).and_then(|it| start(it.tomorrow().ok()?));
        asked
    }

    /// What is wrong with the days, if anything is.
    fn fault(&self) -> &'static str {
        let strange = |text: &str| !text.is_empty() && text.parse::<Date>().is_err();
        if strange(&self.from) || strange(&self.to) {
            return "A day is written as 2026-12-01.";
        }
        match (self.filter.from, self.filter.to) {
            (Some(from), Some(to)) if from >= to => "The first day lies behind the last one.",
            _ => "",
        }
    }

    /// The same as a query, with the rest that an address has besides.
    fn query(&self, more: &[(&str, &str)]) -> String {
        let AuditFilter {
            actor,
            action,
            subject,
            rule,
            ..
        } = &self.filter;
        let own = [
            ("actor", actor),
            ("action", action),
            ("subject", subject),
            ("rule", rule),
            ("from", &self.from),
            ("to", &self.to),
            ("patient", &self.patient),
        ];
        let own = own.iter().filter(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(own)
            .extend_pairs(more)
            .finish();
        format!("?{query}")
    }

    /// Looks up what entries about the patient are about; whose they are. Only whoever may read
    /// conversations asks by a patient.
    pub(super) async fn resolve(
        &mut self,
        house: &House,
        seat: &Seat,
    ) -> Result<Option<String>, Problem> {
        if self.patient.is_empty() {
            return Ok(None);
        }
        if !seat.staff.role.may(Right::Read) {
            return Err(Problem::not_found());
        }
        let whose = Whose::of(house, seat, &self.patient).await?;
        let (practice, store) = (&seat.staff.practice, house.store());
        let mut conversations = Vec::new();
        for number in &whose.patient.phones {
            let found = store.conversations_with(practice, number).await;
            conversations.extend(found.map_err(unavailable)?.iter().map(|it| it.id));
        }
        let subjects = store.audit_subjects(practice, &whose.id, &conversations);
        self.filter.subjects = subjects.await.map_err(unavailable)?;
        Ok(Some(name(&whose.patient)))
    }
}

/// A page of the log.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(checks): Extension<Checks>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let zone = zone(desk(&door)?, &seat);
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let asked = Asked::read(pairs, &zone);
    shown(
        &door,
        &seat,
        &checks,
        (StatusCode::OK, asked),
        Found::default(),
    )
    .await
}

/// What a search for a patient found.
#[derive(Default)]
struct Found<'a> {
    typed: &'a str,
    fault: &'a str,
    choices: Vec<Value>,
}

/// Finds the patient whom the log is asked about. The address that follows holds a sealed word.
pub(crate) async fn find(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(checks): Extension<Checks>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let mut asked = Asked::read(fields.all(), &zone(house, &seat));
    asked.filter.before = None;
    let typed = fields.get("q").trim();
    let practice = &seat.staff.practice;
    let people = match typed_number(typed) {
        Some(number) => house.records().patients_by_phone(practice, &number).await,
        None => Ok(Vec::new()),
    };
    let mut choices = Vec::new();
    for patient in people.unwrap_or_default() {
        let word = house.store().patient_word(practice, &patient.id).await;
        asked.patient = word.map_err(unavailable)?;
        choices.push(json!({ "name": name(&patient), "query": asked.query(&[]) }));
    }
    if choices.len() == 1 {
        return Ok(to(&format!("/console/audit{}", asked.query(&[]))));
    }
    asked.patient.clear();
    let fault = if choices.is_empty() {
        "Nobody on file has this number. Search by the patient's phone number, with area code."
    } else {
        ""
    };
    let status = if fault.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let found = Found {
        typed,
        fault,
        choices,
    };
    shown(&door, &seat, &checks, (status, asked), found).await
}

async fn shown(
    door: &Door,
    seat: &Seat,
    checks: &Checks,
    (status, mut asked): (StatusCode, Asked),
    found: Found<'_>,
) -> Result<Response, Problem> {
    let house = desk(door)?;
    let (store, practice) = (house.store(), &seat.staff.practice);
    let whom = asked.resolve(house, seat).await?;
    let fault = asked.fault();
    let found_page = if fault.is_empty() {
        let page = store.audit_page(practice, &asked.filter, PAGE_ENTRIES);
        page.await.map_err(unavailable)?
    } else {
        AuditPage::default()
    };
    let staff = store.all_staff(practice).await.map_err(unavailable)?;
    let zone = zone(house, seat);
    let rows: Vec<Value> = found_page
        .entries
        .iter()
        .map(|it| row(it, &staff, &zone))
        .collect();
    let length = store.audit_length(practice).await.map_err(unavailable)?;
    let more = found_page.further;
    let looked = more.is_some() && rows.len() < PAGE_ENTRIES as usize;
    let more = more.map(|seq| asked.query(&[("before", &seq.to_string())]));
    let chain = checks.told(house, practice, (asked.check, length)).await?;
    let people: Vec<Value> = staff
        .iter()
        .map(|it| json!({ "id": it.actor(), "name": it.secrets.name, "role": it.role.title() }))
        .collect();
    let actions = store.audit_actions(practice).await.map_err(unavailable)?;
    let fault = if fault.is_empty() { found.fault } else { fault };
    let told = json!({
        "entries": rows, "more": more, "looked": looked,
        "query": asked.query(&[("format", "")]), "chain": chain, "people": people,
        "kinds": kinds(&actions), "actor": asked.filter.actor, "action": asked.filter.action,
        "subject": asked.filter.subject, "rule": asked.filter.rule, "from": asked.from,
        "to": asked.to, "patient": asked.patient, "whom": whom, "fault": fault,
        "typed": found.typed, "choices": found.choices,
        "narrowed": asked.query(&[]) != "?",
        "without": Asked { patient: String::new(), ..asked.clone() }.query(&[]),
    });
    let page = ("audit", "console_audit.html", status);
    filled(door, seat, page, told).await
}

fn row(it: &Linked, staff: &[Staff], zone: &TimeZone) -> Value {
    let at = it.entry.at.to_zoned(zone.clone());
    let who = staff.iter().find(|one| one.actor() == it.entry.actor);
    json!({
        "seq": it.seq, "at": at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "actor": it.entry.actor, "who": who.map(|it| it.secrets.name.clone()),
        "action": it.entry.action, "subject": it.entry.subject, "detail": it.entry.detail,
        "hash": hex::encode(it.hash.get(..6).unwrap_or_default()),
    })
}

/// The actions of a log by their first words, for choosing.
fn kinds(actions: &[String]) -> Vec<Value> {
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for action in actions {
        let first = action.split('.').next().unwrap_or_default();
        by.entry(first).or_default().push(action);
    }
    let all = by.into_iter();
    all.map(|(kind, actions)| json!({ "kind": kind, "actions": actions }))
        .collect()
}

/// What the last check of each practice's chain said, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks(Arc<Mutex<BTreeMap<PracticeId, Check>>>);

#[derive(Clone, Debug)]
enum Check {
    Running,
    Done(Timestamp, Result<(u64, i64), String>),
}

impl Checks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PracticeId, Check>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The badge: what is known of the chain. One that was not checked lately is checked beside the
    /// page, so that nobody waits for it; whoever asks for a check waits.
    async fn told(
        &self,
        house: &Arc<House>,
        practice: &PracticeId,
        (wanted, length): (bool, i64),
    ) -> Result<Value, Problem> {
        let now = house.clock().now();
        if wanted {
            let found = checked(house, practice).await.map_err(unavailable)?;
            self.lock()
                .insert(practice.clone(), Check::Done(now, found));
        }
        let known = self.lock().get(practice).cloned();
        let stale = match &known {
            None => true,
            Some(Check::Running) => false,
            Some(Check::Done(at, _)) => now.duration_since(*at) > FRESH,
        };
        if stale && length <= LENGTH_MAX {
            self.begin(house, practice);
        }
        Ok(match known {
            Some(Check::Done(at, found)) => {
                let minutes = now.duration_since(at).as_mins();
                let when = match minutes {
                    0 => "just now".to_owned(),
                    1 => "a minute ago".to_owned(),
                    more => format!("{more} minutes ago"),
                };
                match found {
                    Ok((entries, covered)) => json!({
                        "state": "whole", "entries": entries, "covered": covered, "when": when,
                    }),
                    Err(words) => json!({ "state": "broken", "words": words, "when": when }),
                }
            }
            Some(Check::Running) => json!({ "state": "running" }),
            None if length <= LENGTH_MAX => json!({ "state": "running" }),
            None => json!({ "state": "unknown" }),
        })
    }

    fn begin(&self, house: &Arc<House>, practice: &PracticeId) {
        let fresh = !self.lock().contains_key(practice);
        if fresh {
            self.lock().insert(practice.clone(), Check::Running);
        }
        let (checks, house, practice) = (self.clone(), Arc::clone(house), practice.clone());
        tokio::task::spawn_blocking(move || {
            let handle = tokio::runtime::Handle::current();
            let found = handle.block_on(checked(&house, &practice));
            let now = house.clock().now();
            match found {
                Ok(found) => drop(checks.lock().insert(practice, Check::Done(now, found))),
                Err(error) => {
                    tracing::error!(%error, "the audit chain could not be checked");
                    drop(checks.lock().remove(&practice));
                }
            }
            house.changed();
        });
    }
}

/// What the check of the whole chain says: entries and how far they are signed, or what is broken.
async fn checked(
    house: &House,
    practice: &PracticeId,
) -> Result<Result<(u64, i64), String>, crate::store::StoreError> {
    let verified = house.store().verify_audit(practice).await?;
    Ok(match verified {
        Ok(whole) => Ok((whole.entries, whole.covered)),
        Err(bad) => Err(bad.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        Asked::read(form_urlencoded::parse(query.as_bytes()), &zone)
    }

    #[test]
    fn days_are_those_of_the_practice_and_the_last_one_counts() {
        let it = asked("from=2026-11-26&to=2026-11-26&rule=%25us.hipaa%22.access");
        assert_eq!(it.filter.from.unwrap().to_string(), "2026-11-26T08:00:00Z");
        assert_eq!(it.filter.to.unwrap().to_string(), "2026-11-27T08:00:00Z");
        assert_eq!(it.filter.rule, "us.hipaa.access");
        assert_eq!(it.fault(), "");
        for (query, wrong) in [
            ("from=yesterday", true),
            ("to=2026-13-01", true),
            ("from=2026-11-27&to=2026-11-26", true),
            ("from=2026-11-26", false),
            ("from=&to=", false),
        ] {
            assert_eq!(!asked(query).fault().is_empty(), wrong, "{query}");
        }
    }

    #[test]
    fn a_query_keeps_the_whole_filter_and_nothing_empty() {
        let it = asked("actor=staff%2F3&action=&rule=a.b&from=2026-11-26&patient=xyz&before=7");
        assert_eq!(
            it.query(&[("before", "5")]),
            "?actor=staff%2F3&rule=a.b&from=2026-11-26&patient=xyz&before=5"
        );
        assert_eq!(asked("").query(&[]), "?");
    }
}
