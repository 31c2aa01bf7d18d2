//! Notes beside a conversation, and the replies that a practice keeps ready.

use std::ops::Range;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::domain::ids::StaffId;
use crate::domain::staff::Staff;
use crate::web::console::actions::back;
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::seat::{Fields, Seat, desk, line, to};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Longest note.
const NOTE_CHARS_MAX: usize = 4_000;
/// Longest name of a reply.
const NAME_CHARS_MAX: usize = 60;
/// Longest reply: what six segments hold.
const REPLY_CHARS_MAX: usize = 900;
/// Replies that one practice keeps; more is a list that nobody finds anything in.
const REPLIES_MAX: usize = 100;

/// Keeps a note.
pub(crate) async fn note(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let conversation = line(&door, &seat, id).await?.conversation.id;
    let text = fields.get("text").replace("\r\n", "\n");
    let text = text.trim();
    if text.chars().count() > NOTE_CHARS_MAX {
        return Err(Problem::because(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the note is longer than 4,000 characters; nothing was kept",
        ));
    }
    if !text.is_empty() {
        let desk = desk(&door)?;
        let all = desk.store().all_staff(&seat.staff.practice).await;
        let all = all.map_err(unavailable)?;
        let named = mentions(text, &all).into_iter().map(|(_, id)| id);
        let about = (text, named.collect());
        let now = desk.clock().now();
        let added = desk
            .store()
            .add_note(&seat.staff, conversation, about, now)
            .await;
        if !added.map_err(unavailable)? {
            return Err(Problem::not_found());
        }
        desk.writes(&seat.staff, conversation, false);
        desk.changed();
    }
    Ok(back(&fields, id))
}

/// The colleagues whom a note names, each with where their name stands: `@Dana Whitfield`, or `@Dana`
/// where only one has that first name. Nobody is guessed.
pub(super) fn mentions(text: &str, all: &[Staff]) -> Vec<(Range<usize>, StaffId)> {
    let active: Vec<&Staff> = all.iter().filter(|it| it.active).collect();
    let first = |it: &Staff| {
        let name = it.secrets.name.to_lowercase();
        name.split_whitespace().next().map(str::to_owned)
    };
    // Whole names before first names, so that the longest one counts.
    let mut names: Vec<(String, StaffId)> = Vec::new();
    for it in &active {
        names.push((it.secrets.name.to_lowercase(), it.id));
        if let Some(own) = first(it)
            && active
                .iter()
                .filter(|other| first(other).as_ref() == Some(&own))
                .count()
                == 1
        {
            names.push((own, it.id));
        }
    }
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut found: Vec<(Range<usize>, StaffId)> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let before = text.get(..at).and_then(|it| it.chars().next_back());
        if before.is_some_and(char::is_alphanumeric) {
            // An e-mail address.
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let whose = names.iter().find_map(|(name, id)| {
            let end = spelled(rest, name)?;
            Some((at..at + 1 + end, *id))
        });
        found.extend(whose);
    }
    found
}

/// Where a text that begins with this name, in lower case, goes on behind it.
fn spelled(text: &str, name: &str) -> Option<usize> {
    let mut wanted = name.chars();
    let mut end = 0;
    for sign in text.chars() {
        if wanted.as_str().is_empty() {
            break;
        }
        for lower in sign.to_lowercase() {
            let want = wanted.next()?;
            if want != lower && !(want == ' ' && lower.is_whitespace()) {
                return None;
            }
        }
        end += sign.len_utf8();
    }
    let next = text.get(end..)?.chars().next();
    (wanted.as_str().is_empty() && !next.is_some_and(char::is_alphanumeric)).then_some(end)
}

/// The replies.
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    listed(&door, &seat, StatusCode::OK, ("", "", "")).await
}

async fn listed(
    door: &Door,
    seat: &Seat,
    status: StatusCode,
    (fault, name, text): (&str, &str, &str),
) -> Result<Response, Problem> {
    let kept = desk(door)?.store().canned(&seat.staff.practice).await;
    let kept: Vec<Value> = kept
        .map_err(unavailable)?
        .iter()
        .map(|it| json!({ "name": it.name, "text": it.text }))
        .collect();
    let more = json!({ "replies": kept, "fault": fault, "name": name, "text": text });
    filled(door, seat, ("inbox", "console_replies.html", status), more).await
}

/// Keeps a reply, or takes it away.
pub(crate) async fn change(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let text = fields.get("text").replace("\r\n", "\n");
    let (name, text) = (fields.get("name").trim(), text.trim());
    let removes = fields.get("do") == "remove";
    let kept = house.store().canned(&seat.staff.practice).await;
    let kept = kept.map_err(unavailable)?;
    let full = kept.len() >= REPLIES_MAX && !kept.iter().any(|it| it.name == name);
    let fault = if name.is_empty() || (text.is_empty() && !removes) {
        "Give the reply a name and its words."
    } else if name.chars().count() > NAME_CHARS_MAX {
        "The name is longer than 60 characters."
    } else if text.chars().count() > REPLY_CHARS_MAX {
        "The reply is longer than 900 characters: more than six segments."
    } else if full && !removes {
        "There are 100 replies already: take one away first."
    } else {
        ""
    };
    if !fault.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return listed(&door, &seat, status, (fault, name, text)).await;
    }
    let words = (!removes).then_some(text);
    let now = house.clock().now();
    let set = house
        .store()
        .set_canned(&seat.staff, name, words, now)
        .await;
    set.map_err(unavailable)?;
    house.changed();
    Ok(to("/console/replies"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PracticeId;
    use crate::domain::staff::{Role, StaffSecrets};

    fn colleague(id: i64, name: &str, active: bool) -> Staff {
        Staff {
            id: StaffId(id),
            practice: PracticeId::new("lakeside"),
            role: Role::FrontDesk,
            active,
            wrong: 0,
            resting_until: None,
            secrets: StaffSecrets {
                name: name.to_owned(),
                email: String::new(),
                password: None,
                totp: None,
                offered: None,
                last_step: 0,
                recovery: Vec::new(),
                subject: None,
            },
        }
    }

    #[test]
    fn a_note_names_whom_it_spells_and_nobody_is_guessed() {
        let all = [
            colleague(1, "Dana Whitfield", true),
            colleague(2, "Sam Rivera", true),
            colleague(3, "Sam Okafor", true),
            colleague(4, "Éloïse 🙂 Díaz", true),
            colleague(5, "يوسف حداد", true),
            colleague(6, "Robin Vega", false),
        ];
        for (text, wanted) in [
            ("@Dana please", vec![1]),
            ("Ask @dana whitfield.", vec![1]),
            ("@DANA, @Sam Rivera", vec![1, 2]),
            ("@Sam", vec![]),
            ("@Sam Okafor and @Sam Rivera", vec![3, 2]),
            ("@éloïse 🙂 díaz!", vec![4]),
            ("(@يوسف حداد)", vec![5]),
            ("@Robin Vega left us", vec![]),
            ("dana@dana.example.com", vec![]),
            ("@Danas", vec![]),
            ("@", vec![]),
            ("Dana", vec![]),
        ] {
            let found: Vec<i64> = mentions(text, &all).iter().map(|(_, id)| id.0).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }
}
