//! The practice's own words and rules over the policy: written here, tried by the suites and on stored
//! drafts, published only when both let them, taken back with one click.

mod run;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::domain::publication::{BUILT_IN, Content, NewVersion, Published, Standing};
use crate::pipeline::house::House;
use crate::pipeline::overlays::laid;
use crate::policy::overlay::{RULES, WORDS};
use crate::store::{Draft, Edit, Edited, RolledBack};
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::prompts::{Runs, history_row, named, sides};
use crate::web::console::rights::complies;
use crate::web::console::seat::{Fields, Seat, again, desk, to};
use crate::web::console::versions::{short, when, zone};
use crate::web::problem::Problem;
use crate::web::router::Door;

pub(super) use run::{progress, run};

const KIND: Published = Published::Overlay;
/// Longest file; the form of both is well below the console's limit.
const FILE_CHARS_MAX: usize = 20_000;
/// Longest note of a version.
const NOTE_CHARS_MAX: usize = 300;

/// The two files, each with what it is.
const FILES: &[(&str, &str, &str, &str)] = &[
    (
        "words",
        WORDS,
        "Words of our own",
        "Medicines, conditions and other words that no built-in list has. A section says what they are, \
         how sure it is and in which language; one entry a line, its other spellings behind commas.",
    ),
    (
        "rules",
        RULES,
        "Rules of our own",
        "What never goes by text, narrower hours, longer retention: each a [[rule]] with basis \"policy\". \
         A rule more never lets more leave.",
    ),
];

/// What is in force, what is in work, and both together.
struct Work {
    live: BTreeMap<String, String>,
    live_version: i64,
    draft: Option<Draft>,
    next: BTreeMap<String, String>,
}

impl Work {
    async fn of(house: &House, seat: &Seat) -> Result<Self, Problem> {
        let (store, practice) = (house.store(), &seat.staff.practice);
        let versions = store.versions(practice, KIND).await.map_err(unavailable)?;
        let live = versions.iter().find(|it| it.standing == Standing::Live);
        let live_version = live.map_or(BUILT_IN, |it| it.id);
        let content = match live {
            Some(live) => store
                .content(practice, live.id)
                .await
                .map_err(unavailable)?,
            None => None,
        };
        let live = content.unwrap_or_default().files;
        let draft = store.draft(practice, KIND).await.map_err(unavailable)?;
        let mut next = live.clone();
        if let Some(draft) = &draft {
            next.extend(draft.files.clone());
        }
        next.retain(|_, text| !text.trim().is_empty());
        Ok(Self {
            live,
            live_version,
            draft,
            next,
        })
    }
}

/// What the page says besides.
#[derive(Default)]
struct Said<'a> {
    done: &'a str,
    fault: String,
    /// What a form held that was refused, by field.
    written: BTreeMap<&'static str, String>,
    /// What a colleague wrote meanwhile, by field.
    theirs: BTreeMap<&'static str, String>,
}

/// The page.
pub(in crate::web::console) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let done = pairs.into_iter().find(|(name, _)| name == "done");
    let done = match done.as_ref().map(|(_, value)| &**value) {
        Some("saved") => "Saved. Run the suites before it can be published.",
        Some("published") => "Published. Every text from now on is judged by it.",
        Some("back") => "Taken back. Every text from now on is judged by the earlier version.",
        Some("discarded") => "The changes are discarded.",
        _ => "",
    };
    let said = Said {
        done,
        ..Said::default()
    };
    shown(&door, &seat, &runs, StatusCode::OK, said).await
}

async fn shown(
    door: &Door,
    seat: &Seat,
    runs: &Runs,
    status: StatusCode,
    said: Said<'_>,
) -> Result<Response, Problem> {
    let house = desk(door)?;
    let (store, practice) = (house.store(), &seat.staff.practice);
    let zone = zone(house, seat);
    let work = Work::of(house, seat).await?;
    let files: Vec<Value> = FILES
        .iter()
        .map(|(field, place, title, about)| {
            let kept = work.next.get(*place).map_or("", String::as_str);
            let theirs = said.theirs.get(field);
            json!({
                "field": field, "place": place, "title": title, "about": about,
                "text": said.written.get(field).map_or(kept, String::as_str),
                "seen": theirs.map_or(kept, String::as_str), "theirs": theirs,
            })
        })
        .collect();
    let versions = store.versions(practice, KIND).await.map_err(unavailable)?;
    let mut rows = Vec::new();
    for version in versions.iter().rev() {
        rows.push(history_row(house, seat, version, &zone).await?);
    }
    let draft = match &work.draft {
        Some(draft) => in_work(house, seat, &work, draft, (runs, &zone)).await?,
        None => Value::Null,
    };
    let broken = house.overlay_faults();
    let broken = broken.iter().find(|(whose, ..)| whose == practice);
    let more = json!({
        "files": files, "versions": rows, "draft": draft, "done": said.done, "fault": said.fault,
        "complies": complies(seat), "chars_max": FILE_CHARS_MAX,
        "none_live": work.live_version == BUILT_IN,
        "broken": broken.map(|(_, version, error)| format!("Version {version}: {error}")),
    });
    let page = ("policy", "console_overlay.html", status);
    filled(door, seat, page, more).await
}

/// The card of what is in work: its changes, what the suites and stored drafts say, and whether Publish
/// is open.
async fn in_work(
    house: &House,
    seat: &Seat,
    work: &Work,
    draft: &Draft,
    (runs, zone): (&Runs, &jiff::tz::TimeZone),
) -> Result<Value, Problem> {
    let mut changes = Vec::new();
    for (_, place, title, _) in FILES {
        let of = |all: &BTreeMap<String, String>| all.get(*place).cloned().unwrap_or_default();
        let (old, new) = (of(&work.live), of(&work.next));
        if old != new {
            let (before, after) = sides::sides(&old, &new);
            changes.push(json!({ "place": title, "before": before, "after": after }));
        }
    }
    let digest = digest(house, &work.next);
    let found: Value = serde_json::from_str(&draft.report).unwrap_or_default();
    let gated = !draft.report.is_empty() && draft.gated == digest;
    let refusal = found.get("refusal").and_then(Value::as_str);
    Ok(json!({
        "author": named(house, &seat.staff, &draft.author).await?, "at": when(draft.at, zone),
        "digest": digest, "short": short(&digest), "changes": changes,
        "running": runs.told(&seat.staff.practice, KIND), "gated": gated,
        "open": gated && refusal.is_none(), "refusal": refusal, "found": found,
    }))
}

/// What an overlay is known by while it is in work: its files, and the policy that they lie over.
fn digest(house: &House, files: &BTreeMap<String, String>) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    hash.update(house.policy_digest());
    for (place, text) in files {
        hash.update(place.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hex::encode(hash.finalize())
}

/// What a form holds, by field.
fn written(fields: &Fields) -> BTreeMap<&'static str, String> {
    let own = |field: &str| {
        let text = fields.get(field).replace("\r\n", "\n");
        if text.trim().is_empty() {
            String::new()
        } else {
            format!("{}\n", text.trim_end())
        }
    };
    FILES
        .iter()
        .map(|(field, ..)| (*field, own(field)))
        .collect()
}

/// What is too long of it, if anything is.
fn long(written: &BTreeMap<&'static str, String>) -> Option<String> {
    let counted = written.iter();
    let mut counted = counted.map(|(field, text)| (field, text.chars().count()));
    let (field, count) = counted.find(|(_, count)| *count > FILE_CHARS_MAX)?;
    Some(format!(
        "The {field} have {count} signs; at most {FILE_CHARS_MAX} are kept here. A longer list goes \
         into the policy folder of the server."
    ))
}

/// Keeps both files in work, if they may ever be published.
pub(in crate::web::console) async fn save(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let work = Work::of(house, &seat).await?;
    let written = written(&fields);
    let fault = match long(&written) {
        Some(fault) => Some(fault),
        None => {
            let mut next = work.next.clone();
            for (field, place, ..) in FILES {
                let own = written.get(field).cloned().unwrap_or_default();
                next.insert((*place).to_owned(), own);
            }
            let laid = laid(house.guardrail(), next).await;
            laid.err().map(|error| error.to_string())
        }
    };
    if let Some(fault) = fault {
        let said = Said {
            fault,
            written,
            ..Said::default()
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return shown(&door, &seat, &runs, status, said).await;
    }
    let (practice, now, by) = (
        &seat.staff.practice,
        house.clock().now(),
        seat.staff.actor(),
    );
    for (field, place, ..) in FILES {
        let live = work.live.get(*place).cloned().unwrap_or_default();
        let edit = Edit {
            place: (*place).to_owned(),
            source: written.get(field).cloned().unwrap_or_default(),
            seen: fields.get(&format!("seen_{field}")).replace("\r\n", "\n"),
            live,
        };
        let edited = house
            .store()
            .edit_draft((practice, KIND), &by, edit, now)
            .await;
        if let Edited::Overtaken { author, source } = edited.map_err(unavailable)? {
            let who = named(house, &seat.staff, &author).await?;
            let said = Said {
                fault: format!(
                    "{who} changed the {field} while you wrote. Below the box is what they wrote; your \
                     words are still in it. Saving again replaces theirs."
                ),
                written,
                theirs: BTreeMap::from([(*field, source)]),
                ..Said::default()
            };
            return shown(&door, &seat, &runs, StatusCode::CONFLICT, said).await;
        }
    }
    house.changed();
    Ok(to("/console/policy/overlay?done=saved"))
}

/// Discards what is in work.
pub(in crate::web::console) async fn discard(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let (practice, now) = (&seat.staff.practice, house.clock().now());
    let by = seat.staff.actor();
    let gone = house
        .store()
        .discard_draft((practice, KIND), &by, None, now);
    gone.await.map_err(unavailable)?;
    house.changed();
    Ok(to("/console/policy/overlay?done=discarded"))
}

/// Publishes what is in work, if the gate let exactly this pass.
pub(in crate::web::console) async fn publish(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let work = Work::of(house, &seat).await?;
    let new = match ready(house, &work, &fields, &seat) {
        Ok(new) => new,
        Err(why) => return closed(&door, &seat, &runs, why).await,
    };
    let revision = work.draft.as_ref().map_or(0, |it| it.revision);
    let (practice, now) = (&seat.staff.practice, house.clock().now());
    let kept = house
        .store()
        .publish_draft(practice, revision, &new, now)
        .await;
    if kept.map_err(unavailable)?.is_none() {
        let why = "A colleague changed or published it at the same moment. Look at it again.";
        return closed(&door, &seat, &runs, why).await;
    }
    take_up(house).await?;
    Ok(to("/console/policy/overlay?done=published"))
}

fn ready(
    house: &House,
    work: &Work,
    fields: &Fields,
    seat: &Seat,
) -> Result<NewVersion, &'static str> {
    let Some(draft) = &work.draft else {
        return Err("There is nothing to publish: a colleague published or discarded the changes.");
    };
    let digest = digest(house, &work.next);
    if fields.get("digest") != digest {
        return Err(
            "It was changed after you opened this page. Look at it, and run the suites again.",
        );
    }
    let found: Value = serde_json::from_str(&draft.report).unwrap_or_default();
    let report = found.get("sha256").and_then(Value::as_str);
    let passed = draft.gated == digest && found.get("refusal").is_some_and(Value::is_null);
    let Some(report) = report.filter(|_| passed) else {
        return Err("Publish is closed until the suites pass for exactly these words and rules.");
    };
    let note = fields.get("note").trim();
    Ok(NewVersion {
        kind: KIND,
        author: seat.staff.actor(),
        digest,
        report: report.to_owned(),
        trial: None,
        content: Content {
            files: work.next.clone(),
            note: note.chars().take(NOTE_CHARS_MAX).collect(),
        },
    })
}

async fn closed(door: &Door, seat: &Seat, runs: &Runs, why: &str) -> Result<Response, Problem> {
    let said = Said {
        fault: why.to_owned(),
        ..Said::default()
    };
    shown(door, seat, runs, StatusCode::CONFLICT, said).await
}

/// Puts an earlier version in force again, or none.
pub(in crate::web::console) async fn roll_back(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let (practice, now, by) = (
        &seat.staff.practice,
        house.clock().now(),
        seat.staff.actor(),
    );
    let wanted = fields.get("to").parse::<i64>();
    let wanted = wanted.map_err(|_no_number| Problem::new(StatusCode::UNPROCESSABLE_ENTITY))?;
    let why = (by.as_str(), "taken back in the console");
    let back = house
        .store()
        .roll_back(practice, KIND, Some(wanted), why, now)
        .await;
    match back.map_err(unavailable)? {
        RolledBack::To(_) | RolledBack::TrialEnded(_) => {
            take_up(house).await?;
            Ok(to("/console/policy/overlay?done=back"))
        }
        RolledBack::Nothing => Ok(to("/console/policy/overlay")),
        RolledBack::Unknown => Ok(again(
            StatusCode::NOT_FOUND,
            "There is no such version",
            "Open the page again to see which there are.",
        )),
    }
}

async fn take_up(house: &Arc<House>) -> Result<(), Problem> {
    house.tend_policies_once().await.map_err(unavailable)?;
    house.changed();
    Ok(())
}
