//! Prompts: what the agent says, as versions. Staff work on one wording at a time; the gate tries it;
//! it is published only when the gate lets it pass, and taken back with one click.

mod editor;
mod history;
mod recent;
pub(super) mod sides;
mod trial;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::agent::prompts::{Prompts, Wording};
use crate::domain::publication::{Content, NewVersion, Published, Standing};
use crate::domain::staff::Staff;
use crate::eval::{gate, preview};
use crate::pipeline::house::House;
use crate::policy::words::Language;
use crate::store::Draft;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::versions::{short, when, zone};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

pub(super) use editor::{edit, save, try_out};
pub(super) use history::row as history_row;
pub(super) use history::{roll_back, version};
pub(super) use recent::recent;
pub(super) use trial::{Running, Runs, progress, run};

/// Longest note of a version.
const NOTE_CHARS_MAX: usize = 300;
/// Conversations of a hundred that a version is tried on, where it is.
const TRIAL_SHARE: u8 = 10;

/// The templates by what they are about, as staff look for them.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Visits",
        &[
            "visit",
            "visits",
            "visit_none",
            "visit_place",
            "visit_provider",
            "confirmed",
            "preparation",
            "reminder",
            "reminders",
            "confirmed_all",
            "missed",
            "freed",
            "recall",
        ],
    ),
    (
        "Changing a visit",
        &[
            "offer",
            "offer_none",
            "booked",
            "moved",
            "cancel_ask",
            "cancel_late",
            "cancelled",
            "kept",
            "waitlist",
            "not_found",
        ],
    ),
    (
        "The practice",
        &[
            "hours",
            "address",
            "phone",
            "parking",
            "insurance",
            "languages",
            "told",
            "not_told",
        ],
    ),
    ("Results", &["results", "results_none"]),
    (
        "Handing over",
        &["handed_over", "not_on_file", "trouble", "record_down"],
    ),
    ("Small talk", &["hello", "thanks", "assistant", "language"]),
    ("The model's instructions", &["system"]),
];

/// The wording in force, the one in work, and the one that both make together.
pub(super) struct Work {
    pub(super) live: Wording,
    pub(super) draft: Option<Draft>,
    pub(super) next: Wording,
}

impl Work {
    /// A practice's.
    pub(super) async fn of(desk: &House, staff: &Staff) -> Result<Self, Problem> {
        let (store, practice) = (desk.store(), &staff.practice);
        let live = gate::wording_in_force(store, practice).await;
        let live = live.map_err(unavailable)?;
        let draft = store
            .draft(practice, Published::Prompt)
            .await
            .map_err(unavailable)?;
        let mut files = gate::differing(prompts(&live)?);
        if let Some(draft) = &draft {
            files.extend(draft.files.clone());
        }
        // What was kept was checked before; a newer program may read it otherwise.
        let next = Prompts::with(&files).map_err(|error| {
            Problem::because(
                StatusCode::CONFLICT,
                format!("the wording in work: {error}"),
            )
        })?;
        Ok(Self {
            live,
            draft,
            next: Wording::published(next),
        })
    }

    /// What the wording in work is known by.
    pub(super) fn digest(&self) -> Result<String, Problem> {
        Ok(prompts(&self.next)?.digest())
    }

    /// The source of a template in force.
    pub(super) fn live_source(&self, place: &str) -> Result<&str, Problem> {
        let source = prompts(&self.live)?.sources().get(place);
        source.map(String::as_str).ok_or_else(Problem::not_found)
    }

    /// The source of a template in work.
    pub(super) fn source(&self, place: &str) -> Result<&str, Problem> {
        let source = prompts(&self.next)?.sources().get(place);
        source.map(String::as_str).ok_or_else(Problem::not_found)
    }
}

pub(super) fn prompts(wording: &Wording) -> Result<&Prompts, Problem> {
    wording.prompts().map_err(|error| {
        tracing::error!(%error, "the prompts cannot be read");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

/// Who somebody of the audit log is, for a page: staff by their name.
pub(super) async fn named(desk: &House, staff: &Staff, actor: &str) -> Result<String, Problem> {
    let all = desk.store().all_staff(&staff.practice).await;
    let all = all.map_err(unavailable)?;
    let found = all.iter().find(|it| it.actor() == actor);
    Ok(found.map_or_else(|| actor.to_owned(), |it| it.secrets.name.clone()))
}

/// What a link to the page says that was done.
fn done(query: Option<&str>) -> Option<&'static str> {
    let (_, what) = form_urlencoded::parse(query?.as_bytes()).find(|(name, _)| name == "done")?;
    Some(match &*what {
        "published" => "Published. Every answer from now on is written in this wording.",
        "trial" => {
            "On trial. One conversation in ten is answered in this wording; it is taken back by itself when more is held or cut than in the others."
        }
        "back" => "Taken back. Every answer from now on is written in the earlier wording.",
        "promoted" => "In force for every conversation.",
        "discarded" => "The changes are discarded.",
        "saved" => "Saved. Run the suites before it can be published.",
        _ => return None,
    })
}

/// Every template, the wording in work, and the versions.
pub(super) async fn list(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let values = listed(&door, &seat, &runs, done(query.as_deref()), "").await?;
    Ok(pages::console(
        "console_prompts.html",
        StatusCode::OK,
        &values,
    ))
}

async fn listed(
    door: &Door,
    seat: &Seat,
    runs: &Runs,
    done: Option<&str>,
    fault: &str,
) -> Result<Value, Problem> {
    let desk = desk(door)?;
    let zone = zone(desk, seat);
    let work = Work::of(desk, &seat.staff).await?;
    let practice = &seat.staff.practice;
    let versions = desk.store().versions(practice, Published::Prompt).await;
    let versions = versions.map_err(unavailable)?;
    let mut rows = Vec::new();
    for version in versions.iter().rev() {
        rows.push(history::row(desk, seat, version, &zone).await?);
    }
    let mut values = frame(door, seat, "prompts").await?;
    let fields = values.as_object_mut().ok_or_else(Problem::unavailable)?;
    fields.insert("groups".to_owned(), groups(&work)?.into());
    fields.insert("versions".to_owned(), rows.into());
    fields.insert(
        "built_in_live".to_owned(),
        versions
            .iter()
            .all(|it| it.standing != Standing::Live)
            .into(),
    );
    fields.insert("done".to_owned(), done.into());
    fields.insert("fault".to_owned(), fault.into());
    let draft = match &work.draft {
        Some(draft) => in_work(desk, seat, &work, draft, (runs, &zone)).await?,
        None => Value::Null,
    };
    fields.insert("draft".to_owned(), draft);
    Ok(values)
}

fn groups(work: &Work) -> Result<Vec<Value>, Problem> {
    let built_in = prompts(&Wording::default())?.sources().clone();
    let changed = |place: &str| {
        work.draft
            .as_ref()
            .is_some_and(|it| it.files.contains_key(place))
    };
    let mut all = Vec::new();
    for (title, names) in GROUPS {
        let mut rows = Vec::new();
        for name in *names {
            let mut languages = Vec::new();
            for language in [Language::En, Language::Es] {
                let place = format!("{language}/{name}");
                let source = work.source(&place)?;
                languages.push(json!({
                    "place": place, "language": language.as_str(), "source": source,
                    "changed": changed(&place),
                    "own": built_in.get(&place).is_some_and(|it| it != work.live_source(&place).unwrap_or_default()),
                }));
            }
            rows.push(json!({
                "name": name, "about": preview::about(name), "languages": languages,
            }));
        }
        all.push(json!({ "title": title, "rows": rows }));
    }
    Ok(all)
}

/// The card of the wording in work: what changes, what the gate says, and whether Publish is open.
async fn in_work(
    desk: &House,
    seat: &Seat,
    work: &Work,
    draft: &Draft,
    (runs, zone): (&Runs, &TimeZone),
) -> Result<Value, Problem> {
    let digest = work.digest()?;
    let mut changes = Vec::new();
    for (place, source) in &draft.files {
        let (before, after) = sides::sides(work.live_source(place)?, source);
        changes.push(json!({ "place": place, "before": before, "after": after }));
    }
    let found: Value = serde_json::from_str(&draft.report).unwrap_or_default();
    let gated = !draft.report.is_empty() && draft.gated == digest;
    let refusal = found.get("refusal").and_then(Value::as_str);
    Ok(json!({
        "author": named(desk, &seat.staff, &draft.author).await?,
        "at": when(draft.at, zone), "digest": digest, "short": short(&digest),
        "changes": changes, "running": runs.told(&seat.staff.practice, Published::Prompt),
        "gated": gated, "open": gated && refusal.is_none(), "refusal": refusal, "found": found,
        "trial_share": TRIAL_SHARE,
    }))
}

/// Discards changes of the wording in work: one template's, or all.
pub(super) async fn discard(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let place = fields.get("place");
    let only = Some(place).filter(|it| !it.is_empty());
    let (practice, now, by) = (&seat.staff.practice, desk.clock().now(), seat.staff.actor());
    let discarded = desk
        .store()
        .discard_draft((practice, Published::Prompt), &by, only, now);
    discarded.await.map_err(unavailable)?;
    desk.changed();
    Ok(to("/console/prompts?done=discarded"))
}

/// Publishes the wording in work, if the gate let exactly this wording pass.
pub(super) async fn publish(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let work = Work::of(desk, &seat.staff).await?;
    let trial = (fields.get("share") == "trial").then_some(TRIAL_SHARE);
    let new = match ready(&work, &fields, &seat, trial)? {
        Ok(new) => new,
        Err(why) => return closed(&door, &seat, &runs, why).await,
    };
    let revision = work.draft.as_ref().map_or(0, |it| it.revision);
    let (practice, now) = (&seat.staff.practice, desk.clock().now());
    let kept = desk
        .store()
        .publish_draft(practice, revision, &new, now)
        .await;
    if kept.map_err(unavailable)?.is_none() {
        let why = "A colleague changed or published it at the same moment. Look at it again.";
        return closed(&door, &seat, &runs, why).await;
    }
    take_up(desk).await?;
    Ok(to(if trial.is_some() {
        "/console/prompts?done=trial"
    } else {
        "/console/prompts?done=published"
    }))
}

/// The version that may be published, or why none may.
fn ready(
    work: &Work,
    fields: &Fields,
    seat: &Seat,
    trial: Option<u8>,
) -> Result<Result<NewVersion, &'static str>, Problem> {
    let Some(draft) = &work.draft else {
        return Ok(Err(
            "There is nothing to publish: a colleague published or discarded the changes.",
        ));
    };
    let digest = work.digest()?;
    if fields.get("digest") != digest {
        return Ok(Err(
            "The wording was changed after you opened this page. Look at it, and run the suites again.",
        ));
    }
    let found: Value = serde_json::from_str(&draft.report).unwrap_or_default();
    let report = found.get("sha256").and_then(Value::as_str);
    let passed = draft.gated == digest && found.get("refusal").is_some_and(Value::is_null);
    let Some(report) = report.filter(|_| passed) else {
        return Ok(Err(
            "Publish is closed until the suites pass for exactly this wording.",
        ));
    };
    let note = fields.get("note").trim();
    Ok(Ok(NewVersion {
        kind: Published::Prompt,
        author: seat.staff.actor(),
        digest,
        report: report.to_owned(),
        trial,
        content: Content {
            files: gate::differing(prompts(&work.next)?),
            note: note.chars().take(NOTE_CHARS_MAX).collect(),
        },
    }))
}

async fn closed(door: &Door, seat: &Seat, runs: &Runs, why: &str) -> Result<Response, Problem> {
    let values = listed(door, seat, runs, None, why).await?;
    Ok(pages::console(
        "console_prompts.html",
        StatusCode::CONFLICT,
        &values,
    ))
}

pub(super) async fn take_up(desk: &std::sync::Arc<House>) -> Result<(), Problem> {
    desk.tend_wordings_once().await.map_err(unavailable)?;
    desk.changed();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::GROUPS;
    use crate::agent::sayings;

    #[test]
    fn every_template_is_in_one_group() {
        let listed: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let known: BTreeSet<&str> = sayings::ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed.len(), known.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), known);
    }
}
