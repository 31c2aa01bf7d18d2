//! The inbox: queues, a page of conversations, and the one that is open; live by a stream of ticks.

use std::convert::Infallible;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use crate::domain::alarm::AlarmKind;
use crate::domain::conversation::Direction;
use crate::domain::ids::{ConversationId, HoldId, StaffId};
use crate::domain::practice::Practice;
use crate::domain::staff::{IDLE, Right, Staff};
use crate::pipeline::house::House;
use crate::store::StoreError;
use crate::store::inbox::{Line, Queue, Wanted};
use crate::store::triage::Label;
use crate::web::console::looked::{Looks, View};
use crate::web::console::seat::{Fields, LIVE, Seat, again, desk, line, to};
use crate::web::console::thread::Look;
use crate::web::console::{search, thread, triage};

pub(super) use crate::web::console::search::typed_number;
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Conversations on one page of the inbox.
const PAGE_LINES: u32 = 50;
/// Signs of a text that a line shows.
const PREVIEW_CHARS: usize = 90;

/// Signs of a search that are looked at: longer than any name.
const SEARCH_CHARS: usize = 120;

/// What a page of the inbox was asked for.
#[derive(Debug, Default)]
struct Asked {
    conversation: Option<ConversationId>,
    before: Option<i64>,
    search: String,
    /// What was searched for as addresses tell it: a word that opens here only.
    word: String,
    label: Option<i64>,
    undo: String,
    of: Option<i64>,
}

impl Asked {
    fn read(query: Option<&str>) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "c" => asked.conversation = value.parse().ok().map(ConversationId),
                "before" => asked.before = value.parse().ok(),
                "label" => asked.label = value.parse().ok(),
                "undo" => asked.undo = value.into_owned(),
                "of" => asked.of = value.parse().ok(),
                "s" => asked.word = value.into_owned(),
                _ => {}
            }
        }
        asked
    }
}

/// The store's error is logged; who asked is told to come back.
#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
pub(crate) fn unavailable(error: StoreError) -> Problem {
    tracing::error!(%error, "the store did not answer");
    Problem::unavailable()
}

/// The first page that the role opens.
pub(crate) async fn home(Extension(seat): Extension<Seat>) -> Response {
    let role = seat.staff.role;
    if role.may(Right::Read) {
        to("/console/inbox/all")
    } else if role.may(Right::Policy) {
        to("/console/prompts")
    } else if role.may(Right::Audit) {
        to("/console/audit")
    } else {
        again(
            StatusCode::OK,
            "You are signed in",
            "Your role opens no page yet. An owner of the practice can change it under Team.",
        )
    }
}

/// What every page of the console has: who is there, where they may go, what waits.
pub(crate) async fn frame(door: &Door, seat: &Seat, tab: &str) -> Result<Value, Problem> {
    let desk = desk(door)?;
    let practice = desk.practice(&seat.staff.practice);
    let (practice_id, me) = (&seat.staff.practice, seat.staff.id);
    let counts = desk.store().inbox_counts(practice_id, me).await;
    let counts = counts.map_err(unavailable)?;
    let role = seat.staff.role;
    let may: serde_json::Map<String, Value> = Right::ALL
        .iter()
        .map(|right| (right.as_str().to_owned(), role.may(*right).into()))
        .collect();
    Ok(json!({
        "csrf": seat.csrf(), "tab": tab, "may": may, "idle_seconds": IDLE.as_secs(),
        "me": { "name": seat.staff.secrets.name, "role": role.title() },
        "practice_name": practice.map(|it| it.name.clone()),
        "counts": {
            "mine": counts.mine, "mentions": counts.mentions, "unassigned": counts.unassigned,
            "snoozed": counts.snoozed, "unread": counts.unread, "held": counts.held,
            "emergency": counts.emergency, "taken": counts.taken,
        },
    }))
}

/// A page of the console: its tab, its template and its status, with what it shows besides the frame.
pub(super) async fn filled(
    door: &Door,
    seat: &Seat,
    (tab, template, status): (&str, &str, StatusCode),
    more: Value,
) -> Result<Response, Problem> {
    let mut values = frame(door, seat, tab).await?;
    if let (Some(fields), Value::Object(more)) = (values.as_object_mut(), more) {
        fields.extend(more);
    }
    Ok(pages::console(template, status, &values))
}

/// A queue, and the conversation that is open beside it.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(looks): Extension<Looks>,
    Path(queue): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let queue: Queue = queue.parse().map_err(|_unknown| Problem::not_found())?;
    let mut asked = Asked::read(query.as_deref());
    let desk = desk(&door)?;
    let store = desk.store();
    if !asked.word.is_empty() {
        let typed = store.search_behind(&seat.staff.practice, &asked.word).await;
        asked.search = typed.map_err(unavailable)?.unwrap_or_default();
    }
    let practice = desk
        .practice(&seat.staff.practice)
        .ok_or_else(Problem::not_found)?;
    let (now, look) = (desk.clock().now(), look(&headers));
    // Looking at a conversation is what marks it read, so it comes before the counts.
    let open = match asked.conversation {
        Some(id) => Some(
            thread::open(desk, &seat, &practice, (id, look), now)
                .await
                .map_err(unavailable)?
                .ok_or_else(Problem::not_found)?,
        ),
        None => None,
    };
    let (lines, fault) = lines(desk, &practice, (queue, seat.staff.id), &asked).await?;
    let more = (lines.len() > PAGE_LINES as usize)
        .then(|| lines.get(PAGE_LINES as usize - 1).map(|it| it.last_turn))
        .flatten();
    // A page that refreshes itself is the look of before.
    if look == Look::Opened {
        let view = View {
            queue: queue.as_str(),
            label: asked.label,
            before: asked.before,
            search: &asked.search,
            shown: lines.len().min(PAGE_LINES as usize),
        };
        let noted = looks.note(desk, &seat, view, now).await;
        noted.map_err(unavailable)?;
    }
    let beside = Beside::of(desk, &practice).await.map_err(unavailable)?;
    let shown = shown(desk, &practice, (&lines, &beside), now).await?;
    let undo = undone(&door, &seat, (queue, &asked), &practice, now).await;
    let on: Vec<i64> = asked.label.into_iter().collect();
    let told = json!({
        "queue": queue.as_str(), "lines": shown, "more": more, "before": asked.before,
        "search": asked.search, "word": asked.word, "label": asked.label,
        "labels": triage::shown(&beside.labels, &on), "undo": undo, "fault": fault,
        "open": open.unwrap_or_default(),
    });
    let page = ("inbox", "console_inbox.html", StatusCode::OK);
    filled(&door, &seat, page, told).await
}

/// The lines of one page.
async fn shown(
    desk: &House,
    practice: &Practice,
    (lines, beside): (&[Line], &Beside),
    now: Timestamp,
) -> Result<Vec<Value>, Problem> {
    let mut shown = Vec::new();
    for line in lines.iter().take(PAGE_LINES as usize) {
        let told = line_of(desk, practice, (line, beside), now).await;
        shown.push(told.map_err(unavailable)?);
    }
    Ok(shown)
}

/// Looks for what somebody typed. No address tells a name or a number: it is sealed into a word, which the
/// page is then asked for with.
pub(crate) async fn search(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(queue): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let queue: Queue = queue.parse().map_err(|_unknown| Problem::not_found())?;
    let typed: String = fields.get("q").trim().chars().take(SEARCH_CHARS).collect();
    let path = format!("/console/inbox/{}", queue.as_str());
    if typed.is_empty() {
        return Ok(to(&path));
    }
    let store = desk(&door)?.store();
    let word = store.search_word(&seat.staff.practice, &typed).await;
    Ok(to(&format!("{path}?s={}", word.map_err(unavailable)?)))
}

/// Whether somebody looks at the page, or it only refreshes itself.
fn look(headers: &HeaderMap) -> Look {
    match headers.get(LIVE).map(HeaderValue::as_bytes) {
        None => Look::Opened,
        Some(b"look") => Look::Watched,
        Some(_) => Look::Unattended,
    }
}

/// What stands beside every line: the labels of the practice and the names of its staff.
struct Beside {
    labels: Vec<Label>,
    staff: Vec<Staff>,
}

impl Beside {
    async fn of(desk: &House, practice: &Practice) -> Result<Self, StoreError> {
        Ok(Self {
            labels: desk.store().labels(&practice.id).await?,
            staff: desk.store().all_staff(&practice.id).await?,
        })
    }

    fn name(&self, id: StaffId) -> Option<&str> {
        let found = self.staff.iter().find(|it| it.id == id);
        found.map(|it| it.secrets.name.as_str())
    }
}

/// What was just put out of the way, if it still is.
async fn undone(
    door: &Door,
    seat: &Seat,
    (queue, asked): (Queue, &Asked),
    practice: &Practice,
    now: Timestamp,
) -> Option<Value> {
    let of = asked.of?;
    if asked.undo == "aside" {
        return Some(triage::undo_aside(
            asked.conversation?.0,
            HoldId(of),
            queue.as_str(),
        ));
    }
    let line = line(door, seat, of).await.ok()?;
    triage::undo(&line, (&asked.undo, queue.as_str()), practice, now)
}

async fn lines(
    desk: &House,
    practice: &Practice,
    (queue, staff): (Queue, StaffId),
    asked: &Asked,
) -> Result<(Vec<Line>, &'static str), Problem> {
    let store = desk.store();
    if asked.search.is_empty() {
        let wanted = Wanted {
            queue,
            staff,
            label: asked.label,
            before: asked.before,
            limit: PAGE_LINES + 1,
        };
        let page = store.inbox(&practice.id, wanted);
        return Ok((page.await.map_err(unavailable)?, ""));
    }
    let found = search::found(desk, practice, (&asked.search, staff), PAGE_LINES).await;
    found.map_err(unavailable)
}

async fn line_of(
    desk: &House,
    practice: &Practice,
    (line, beside): (&Line, &Beside),
    now: Timestamp,
) -> Result<Value, StoreError> {
    let conversation = &line.conversation;
    let turns = desk.store().turns(conversation.id, 1).await?;
    let last = turns.last();
    let words = last.map_or("", |turn| turn.body.as_str());
    let patient = match &conversation.patient {
        Some(id) => desk
            .records()
            .patient(&practice.id, id)
            .await
            .ok()
            .flatten(),
        None => None,
    };
    let number = conversation.number.display_us();
    let name = patient.map_or_else(
        || number.clone(),
        |it| format!("{} {}", it.first_name.as_str(), it.last_name.as_str()),
    );
    Ok(json!({
        "id": conversation.id.0,
        "name": name,
        "number": number,
        "when": last.map(|turn| when(turn.at, now, practice)),
        "at": last.map(|turn| turn.at.to_string()),
        "preview": cut(words),
        "ours": last.is_some_and(|turn| turn.direction == Direction::Outbound),
        "unread": line.unread,
        "holds": line.holds,
        "alarm": line.alarm.map(AlarmKind::as_str),
        "human": conversation.human,
        "assigned": line.triage.assigned.and_then(|it| beside.name(it)),
        "named": line.named,
        "done": line.triage.done,
        "snoozed": line.triage.snoozed.map(|it| triage::moment(it, practice, now)),
        "labels": triage::shown(&beside.labels, &line.labels),
        "channel": conversation.channel.as_str(),
        "consent": conversation.consent.state.as_str(),
    }))
}

fn cut(text: &str) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(PREVIEW_CHARS) {
        Some((at, _)) => format!("{}…", flat.get(..at).unwrap_or_default()),
        None => flat,
    }
}

/// A time as a line shows it, in the practice's zone: "9:41 AM", "Tue", "Nov 3", "Nov 3, 2025".
pub(crate) fn when(at: Timestamp, now: Timestamp, practice: &Practice) -> String {
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone));
    let days = now
        .date()
        .since(at.date())
        .map_or(i32::MAX, |it| it.get_days());
    let form = match days {
        0 => "%-I:%M %p",
        1..=6 => "%a",
        _ if at.year() == now.year() => "%b %-d",
        _ => "%b %-d, %Y",
    };
    at.strftime(form).to_string()
}

/// A stream of ticks, one for each change, without any content: the page asks anew. Beside them who
/// of the colleagues writes where.
pub(crate) async fn events(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let house = desk(&door)?;
    let ended = door.settings.shutdown.clone().cancelled_owned();
    let ticks = WatchStream::from_changes(house.changes())
        .map(|tick| Event::default().event("change").data(tick.to_string()));
    let reads = seat.staff.role.may(Right::Read);
    let writing = BroadcastStream::new(house.hear_writing()).filter_map(move |heard| {
        let told = heard
            .ok()
            .filter(|it| reads && it.practice == seat.staff.practice && it.staff != seat.staff.id);
        std::future::ready(told.map(|it| {
            let about = json!({
                "conversation": it.conversation.0, "staff": it.staff.0,
                "who": it.name, "seconds": it.seconds,
            });
            Event::default().event("writing").data(about.to_string())
        }))
    });
    let all = futures_util::stream::select(ticks, writing)
        .map(Ok)
        .take_until(ended);
    Ok(Sse::new(all).keep_alive(KeepAlive::default()))
}
