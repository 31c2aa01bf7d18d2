//! One conversation as staff see it: what was said, what waits for them, and what is known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::domain::alarm::AlarmKind;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::ids::{ConversationId, StaffId, TurnId};
use crate::domain::message::Delivery;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::domain::record::Patient;
use crate::domain::staff::{Right, Staff};
use crate::pipeline::house::House;
use crate::pipeline::portal::OTHER_PORTAL;
use crate::pipeline::portal_room::SECURE_REPLY;
use crate::pipeline::window::WINDOW;
use crate::policy::words::Channel;
use crate::store::inbox::Line;
use crate::store::{Bearer, Hold, Note, StoreError};
use crate::web::console::beside::mentions;
use crate::web::console::seat::Seat;
use crate::web::console::{secure, triage, used};

/// How much of a conversation a page shows.
const TURNS_MAX: u32 = 100;
/// How many visits the side panel shows.
const VISITS_MAX: usize = 4;

/// Who asks for a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Somebody opened it.
    Opened,
    /// The page that refreshes itself, with somebody before it: what is new is read.
    Watched,
    /// The page that refreshes itself, in a hidden tab or before an empty chair: nobody reads it.
    Unattended,
}

/// A conversation of the practice, marked as seen where somebody looks; none when there is none.
pub(super) async fn open(
    desk: &House,
    seat: &Seat,
    practice: &Practice,
    (id, look): (ConversationId, Look),
    now: Timestamp,
) -> Result<Option<Value>, StoreError> {
    let Some(line) = desk
        .store()
        .inbox_line(&practice.id, id, seat.staff.id)
        .await?
    else {
        return Ok(None);
    };
    // A refresh that marked what is read already would be a change, and so the next refresh.
    if look == Look::Opened || (look == Look::Watched && line.unread) {
        desk.desk_see(&seat.staff, id, Some(line.last_turn)).await?;
    }
    let conversation = &line.conversation;
    let turns = desk.store().turns(id, TURNS_MAX).await?;
    let files = files_of(desk, &turns).await?;
    let holds = desk.store().holds_of(id).await?;
    let notes = desk.store().notes(id, TURNS_MAX).await?;
    let all = desk.store().all_staff(&practice.id).await?;
    let named = |staff: StaffId| {
        let found = all.iter().find(|it| it.id == staff);
        found.map(|it| it.secrets.name.clone())
    };
    let canned = desk.store().canned(&practice.id).await?;
    let canned = canned
        .iter()
        .map(|it| json!({ "name": it.name, "text": it.text }));
    let patient = desk.desk_patient(practice, conversation).await;
    let taken = match line.taken_by {
        Some(staff) if staff == seat.staff.id => Some("you".to_owned()),
        Some(staff) => named(staff),
        None => None,
    };
    let number = conversation.number.display_us();
    let name = patient.as_ref().map(full_name);
    let opted_out = conversation.consent.state == ConsentState::OptedOut;
    let mut told = json!({
        "id": id.0,
        "name": name.as_deref().unwrap_or(&number),
        "number": number,
        "known": name.is_some(),
        "sure": conversation.patient.is_some(),
        "shared": conversation.speaker.shared,
        "channel": conversation.channel.as_str(),
        "language": conversation.language.as_str(),
        "consent": consent(conversation, now, practice),
        "opted_out": opted_out,
        "human": conversation.human,
        "back": conversation.human_until.map(|until| back(until, practice)),
        "taken_by": taken,
        "alarm": line.alarm.map(AlarmKind::as_str),
        "window": window(desk, conversation, practice, now),
        "used": used::told(desk, id, &holds).await?,
        "links": secure::links(desk, id, (practice, now)).await?,
        "mail": secure::mail(desk, id, (practice, now)).await?,
        "items": items((&turns, &files), (&notes, &all), &named, (practice, conversation.channel), now),
        "canned": canned.collect::<Vec<_>>(),
        "last": line.last_turn,
        "unread": line.unread && look == Look::Unattended,
        "holds": holds.iter().map(|hold| held(hold, practice, now)).collect::<Vec<_>>(),
        "facts": facts(desk, practice, patient.as_ref(), now).await,
        "word": match &patient {
            Some(it) => Some(desk.store().patient_word(&practice.id, &it.id).await?),
            None => None,
        },
    });
    let more = standing(desk, seat, practice, (&line, &all), now).await?;
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
    Ok(Some(told))
}

/// The files that came with what was written in the portal.
async fn files_of(
    desk: &House,
    turns: &[Turn],
) -> Result<BTreeMap<TurnId, Vec<Value>>, StoreError> {
    let mut files = BTreeMap::new();
    for turn in turns.iter().filter(|it| it.intent == SECURE_REPLY) {
        files.insert(turn.id, secure::files(desk, Bearer::Turn(turn.id)).await?);
    }
    Ok(files)
}

/// Who looks after a conversation, what it is labelled, whether it is out of the way, who else writes in
/// it, and what may be done about each.
async fn standing(
    desk: &House,
    seat: &Seat,
    practice: &Practice,
    (line, all): (&Line, &[Staff]),
    now: Timestamp,
) -> Result<Value, StoreError> {
    let (me, id, stands) = (seat.staff.id, line.conversation.id, &line.triage);
    let labels = desk.store().labels(&practice.id).await?;
    let able: Vec<Value> = all
        .iter()
        .filter(|it| it.active && it.role.may(Right::Answer))
        .map(|it| {
            json!({
                "id": it.id.0, "name": it.secrets.name, "me": it.id == me,
                "on": Some(it.id) == stands.assigned,
            })
        })
        .collect();
    let colleagues: Vec<&str> = all
        .iter()
        .filter(|it| it.active && it.id != me)
        .map(|it| it.secrets.name.as_str())
        .collect();
    let writing: Vec<Value> = desk
        .others_writing(me, id)
        .into_iter()
        .map(|(who, seconds)| json!({ "who": who, "seconds": seconds }))
        .collect();
    let assigned = all.iter().find(|it| Some(it.id) == stands.assigned);
    Ok(json!({
        "other_portal": Some(&practice.portal_url).filter(|it| !it.is_empty()),
        "assigned": assigned.map(|it| &it.secrets.name),
        "mine": stands.assigned == Some(me),
        "able": able,
        "done": stands.done,
        "snoozed": stands.snoozed.map(|it| triage::moment(it, practice, now)),
        "snoozes": triage::SNOOZES,
        "labels": triage::shown(&labels, &line.labels),
        "colleagues": serde_json::to_string(&colleagues).unwrap_or_default(),
        "writing": writing,
    }))
}

fn full_name(patient: &Patient) -> String {
    format!(
        "{} {}",
        patient.first_name.as_str(),
        patient.last_name.as_str()
    )
}

/// The state of consent in words, with what proves it.
fn consent(conversation: &Conversation, now: Timestamp, practice: &Practice) -> Value {
    let proof = conversation.proof(now);
    let (words, tone) = match conversation.consent.state {
        ConsentState::Granted if proof.is_some() => ("Agreed to health details by text", "good"),
        ConsentState::Granted => ("Agreed, but not by this person", "quiet"),
        ConsentState::NoticeSent => ("Asked; no answer yet", "wait"),
        ConsentState::Unknown => ("Not asked yet", "quiet"),
        ConsentState::Declined => ("Said no to health details by text", "stop"),
        ConsentState::OptedOut => ("Opted out: nothing may be texted", "stop"),
        ConsentState::Expired => ("Agreed, but too long ago", "wait"),
        ConsentState::Reassigned => ("The number may be another's", "stop"),
    };
    json!({
        "state": conversation.consent.state.as_str(), "words": words, "tone": tone,
        "since": proof.map(|it| day(it.at, practice)),
        "until": proof.map(|it| day(it.expires, practice)),
        "notice": proof.map(|it| it.notice.text_id.clone()),
        "sha256": proof.map(|it| it.notice.sha256.chars().take(12).collect::<String>()),
    })
}

fn zone(practice: &Practice) -> TimeZone {
    TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC)
}

fn day(at: Timestamp, practice: &Practice) -> String {
    at.to_zoned(zone(practice))
        .strftime("%b %-d, %Y")
        .to_string()
}

fn clock(at: Timestamp, practice: &Practice) -> String {
    at.to_zoned(zone(practice))
        .strftime("%-I:%M %p")
        .to_string()
}

/// The texts and the notes in their order, with a line before each new day.
fn items(
    (turns, files): (&[Turn], &BTreeMap<TurnId, Vec<Value>>),
    (notes, staff): (&[Note], &[Staff]),
    named: &dyn Fn(StaffId) -> Option<String>,
    (practice, channel): (&Practice, Channel),
    now: Timestamp,
) -> Vec<Value> {
    let first = turns.first().map_or(0, |it| it.id.0);
    let texts = turns.iter().map(|turn| {
        let outbound = turn.direction == Direction::Outbound;
        let shown = json!({
            "id": turn.id.0,
            "ours": outbound,
            "text": turn.body.as_str(),
            "at": clock(turn.at, practice),
            "state": turn.delivery.map(|it| in_words(it, channel)),
            "bad": turn.delivery.is_some_and(failed),
            "segments": turn.segments,
            "waits": !outbound && !turn.answered,
            "secure": turn.intent == SECURE_REPLY,
            "files": files.get(&turn.id).map_or(&[][..], Vec::as_slice),
        });
        (turn.id.0, turn.at, shown)
    });
    let notes = notes.iter().filter(|it| it.id > first).map(|note| {
        let shown = json!({
            "id": note.id, "note": true, "pieces": marked(note.text.as_str(), staff),
            "who": named(note.staff), "at": clock(note.at, practice),
        });
        (note.id, note.at, shown)
    });
    let mut all: Vec<(i64, Timestamp, Value)> = texts.chain(notes).collect();
    all.sort_by_key(|(id, ..)| *id);
    let today = now.to_zoned(zone(practice)).date();
    let mut last_day = None;
    let mut items = Vec::new();
    for (_, at, mut item) in all {
        let on = at.to_zoned(zone(practice));
        let fresh = last_day != Some(on.date());
        last_day = Some(on.date());
        let heading = fresh.then(|| {
            if on.date() == today {
                "Today".to_owned()
            } else {
                on.strftime("%A, %B %-d").to_string()
            }
        });
        if let Some(fields) = item.as_object_mut() {
            fields.insert("day".to_owned(), heading.into());
        }
        items.push(item);
    }
    items
}

/// A note in pieces, each with whether it names a colleague.
fn marked(text: &str, staff: &[Staff]) -> Vec<Value> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for (span, _) in mentions(text, staff) {
        pieces.push(json!({ "text": text.get(at..span.start) }));
        pieces.push(json!({ "text": text.get(span.clone()), "names": true }));
        at = span.end;
    }
    pieces.push(json!({ "text": text.get(at..) }));
    pieces
}

/// How long a patient may still be written to freely, where the channel limits that.
fn window(desk: &House, conversation: &Conversation, practice: &Practice, now: Timestamp) -> Value {
    let limited = desk
        .carrier_of(conversation)
        .is_some_and(|it| it.capabilities().window.contains(&conversation.channel));
    if !limited {
        return Value::Null;
    }
    let closes = conversation
        .last_inbound
        .and_then(|at| at.checked_add(WINDOW).ok())
        .filter(|at| *at > now);
    let Some(closes) = closes else {
        return json!({ "open": false });
    };
    let left = closes.duration_since(now).as_secs();
    let (hours, minutes) = (left / 3_600, left % 3_600 / 60);
    json!({
        "open": true, "soon": left < 3_600 * 2, "until": triage::moment(closes, practice, now),
        "left": if hours > 0 { format!("{hours} h {minutes} min") } else { format!("{minutes} min") },
        "seconds": left,
    })
}

const fn failed(delivery: Delivery) -> bool {
    matches!(
        delivery,
        Delivery::Failed | Delivery::Undelivered | Delivery::Suppressed | Delivery::Unknown
    )
}

const fn in_words(delivery: Delivery, channel: Channel) -> &'static str {
    match delivery {
        Delivery::Pending => "waits to leave",
        Delivery::Accepted | Delivery::Queued | Delivery::Sending => "with the carrier",
        Delivery::Sent if matches!(channel, Channel::Webchat) => "waits in the chat",
        Delivery::Sent => "sent",
        Delivery::Unknown => "not known whether it left",
        Delivery::Suppressed => "not sent: opted out or overtaken",
        Delivery::Undelivered => "could not be delivered",
        Delivery::Failed => "refused by the carrier",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
    }
}

/// When the agent is back, in the practice's time.
fn back(until: Timestamp, practice: &Practice) -> String {
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    until.to_zoned(zone).strftime("%a %-I:%M %p").to_string()
}

/// A held draft: why, its words with what was found, and what the guardrail would let go.
fn held(hold: &Hold, practice: &Practice, now: Timestamp) -> Value {
    let report: Value = serde_json::from_str(hold.report.as_str()).unwrap_or_default();
    let draft = hold.draft.as_str();
    let findings = report.get("findings").and_then(Value::as_array);
    let findings = findings.map_or(&[][..], Vec::as_slice);
    let behind = report.get("portal").is_some_and(Value::is_string);
    json!({
        "id": hold.id.0,
        "reason": hold.reason,
        "when": super::inbox::when(hold.at, now, practice),
        "draft": draft,
        "pieces": pieces(draft, findings),
        "findings": findings,
        "wrong": hold.wrong,
        // A text that only leads to a link is no answer by itself: put into the box, it would go behind
        // another link, and the details with it.
        "behind": behind,
        "elsewhere": hold.reason == OTHER_PORTAL,
        "safe": report.get("text").filter(|_| !behind).cloned().unwrap_or_default(),
        "summary": report.get("summary").cloned().unwrap_or_default(),
        "cause": report.get("record").cloned().unwrap_or_default(),
    })
}

/// A text in pieces, each with the finding that it belongs to, if one. Offsets count code points;
/// where findings overlap, the earlier one has the piece.
pub(super) fn pieces(text: &str, findings: &[Value]) -> Vec<Value> {
    let signs: Vec<char> = text.chars().collect();
    let span = |it: &Value| {
        let at = |name| usize::try_from(it.get(name)?.as_u64()?).ok();
        Some((at("start")?, at("end")?.min(signs.len())))
    };
    let mut spans: Vec<(usize, usize, &Value)> = findings
        .iter()
        .filter_map(|it| span(it).map(|(start, end)| (start, end, it)))
        .filter(|(start, end, _)| start < end)
        .collect();
    spans.sort_by_key(|(start, end, _)| (*start, *end));
    let words = |from: usize, to: usize| -> String {
        signs.get(from..to).unwrap_or_default().iter().collect()
    };
    let mut pieces = Vec::new();
    let mut at = 0;
    for (start, end, finding) in spans {
        let start = start.max(at);
        if start >= end {
            continue;
        }
        if at < start {
            pieces.push(json!({ "text": words(at, start) }));
        }
        pieces.push(json!({
            "text": words(start, end),
            "category": finding.get("category"),
            "rule": finding.get("rule"),
            "cite": finding.get("cite"),
            "action": finding.get("action"),
        }));
        at = end;
    }
    if at < signs.len() {
        pieces.push(json!({ "text": words(at, signs.len()) }));
    }
    pieces
}

/// What the side panel shows of the person.
async fn facts(
    desk: &House,
    practice: &Practice,
    patient: Option<&Patient>,
    now: Timestamp,
) -> Value {
    let Some(patient) = patient else {
        return Value::Null;
    };
    let born = patient.birth_date.as_ref().map(|born| {
        let born = born.expose();
        let age = now
            .to_zoned(zone(practice))
            .date()
            .since((jiff::Unit::Year, *born))
            .map_or(0, |it| it.get_years());
        format!("{} ({age})", born.strftime("%b %-d, %Y"))
    });
    let visits = desk.records().appointments(&practice.id, &patient.id, now);
    let visits: Vec<Value> = visits
        .await
        .unwrap_or_default()
        .iter()
        .filter(|it| it.end > now)
        .take(VISITS_MAX)
        .map(|it| {
            let start = it.start.to_zoned(zone(practice));
            json!({
                "start": start.strftime("%a, %b %-d, %-I:%M %p").to_string(),
                "provider": it.provider, "location": it.location,
                "status": it.status.as_str(), "reason": it.reason.as_str(),
            })
        })
        .collect();
    json!({
        "name": full_name(patient),
        "born": born,
        "minor": patient.is_minor(now),
        "mrn": patient.mrn.as_ref().map(|it| it.as_str().to_owned()),
        "state": patient.state.as_str(),
        "phones": patient.phones.iter().map(E164::display_us).collect::<Vec<_>>(),
        "guardians": patient.guardians.len(),
        "visits": visits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_pieces_without_losing_a_sign() {
        let found = |start: u64, end: u64| json!({ "start": start, "end": end, "category": "lab" });
        let text = "Señora 🙂, A1c is 9.2 %";
        for findings in [
            vec![],
            vec![found(10, 13)],
            vec![found(10, 13), found(17, 20)],
            vec![found(17, 20), found(10, 18)],
            vec![found(0, 500)],
            vec![found(5, 5)],
            vec![found(10, 13), found(10, 13)],
        ] {
            let joined: String = pieces(text, &findings)
                .iter()
                .filter_map(|it| it.get("text").and_then(Value::as_str).map(str::to_owned))
                .collect();
            assert_eq!(joined, text, "{findings:?}");
        }
        let marked = pieces(text, &[found(10, 13)]);
        assert_eq!(marked[1]["text"], "A1c");
        assert_eq!(marked[1]["category"], "lab");
    }
}
