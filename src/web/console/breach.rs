//! The breach worksheet: what is known goes in, every clock of every state comes out, each with its
//! source; each save is kept and audited.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Unit;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::domain::staff::Right;
use crate::pipeline::breach::{Clock, Facts, clocks};
use crate::policy::words::Jurisdiction;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::prompts::named;
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::console::versions::{when, zone};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Longest title of a worksheet.
const TITLE_CHARS_MAX: usize = 80;
/// Longest account of what happened.
const ABOUT_CHARS_MAX: usize = 4_000;

/// The worksheets, and an empty one.
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let typed = Typed::default();
    shown(&door, &seat, (StatusCode::OK, None), &typed, "").await
}

/// One worksheet.
pub(crate) async fn open(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let all = desk(&door)?.store().worksheets(&seat.staff.practice).await;
    let all = all.map_err(unavailable)?;
    let found = all.iter().find(|it| it.id == id);
    let sheet = found.ok_or_else(Problem::not_found)?;
    let facts: Facts = serde_json::from_str::<Value>(&sheet.json)
        .ok()
        .and_then(|it| serde_json::from_value(it.get("facts")?.clone()).ok())
        .ok_or_else(Problem::unavailable)?;
    let typed = Typed::of(&facts);
    shown(&door, &seat, (StatusCode::OK, Some(id)), &typed, "").await
}

/// Saves a worksheet.
pub(crate) async fn save(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let now = house.clock().now();
    let typed = Typed::read(&fields);
    let id: Option<i64> = fields.get("id").parse().ok();
    let today = now.to_zoned(zone(house, &seat)).date();
    let facts = match typed.facts(today) {
        Ok(facts) => facts,
        Err(fault) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return shown(&door, &seat, (status, id), &typed, &fault).await;
        }
    };
    let computed = computed(&door, &seat, &facts)?;
    let policy = house.in_force().guardrail.digest().to_owned();
    let json = json!({ "facts": facts, "clocks": computed, "policy": policy }).to_string();
    let saved = house
        .store()
        .save_worksheet(&seat.staff, id, json, now)
        .await;
    let saved = saved.map_err(unavailable)?.ok_or_else(Problem::not_found)?;
    Ok(to(&format!("/console/breach/{saved}")))
}

fn computed(door: &Door, seat: &Seat, facts: &Facts) -> Result<Vec<Clock>, Problem> {
    let house = desk(door)?;
    let practice = house
        .practice(&seat.staff.practice)
        .ok_or_else(Problem::not_found)?;
    let law = house.in_force();
    let law = law.guardrail.law();
    Ok(clocks(law, &practice.kind, &zone(house, seat), facts))
}

/// A form as it was typed, so that nothing is lost when something is wrong.
#[derive(Default)]
struct Typed {
    title: String,
    about: String,
    discovered: String,
    determined: String,
    told: String,
    people: String,
}

impl Typed {
    fn read(fields: &Fields) -> Self {
        let own = |name| fields.get(name).trim().to_owned();
        Self {
            title: own("title"),
            about: own("about"),
            discovered: own("discovered"),
            determined: own("determined"),
            told: own("told"),
            people: own("people"),
        }
    }

    fn of(facts: &Facts) -> Self {
        let day = |day: Option<Date>| day.map_or_else(String::new, |it| it.to_string());
        let people = facts.people.iter();
        let people: Vec<String> = people.map(|(state, n)| format!("{state} {n}")).collect();
        Self {
            title: facts.title.clone(),
            about: facts.about.clone(),
            discovered: day(facts.discovered),
            determined: day(facts.determined),
            told: day(facts.told),
            people: people.join("\n"),
        }
    }

    /// What the form says, or what is wrong with it, where, and how to mend it.
    fn facts(&self, today: Date) -> Result<Facts, String> {
        if self.title.is_empty() || self.title.chars().count() > TITLE_CHARS_MAX {
            return Err("Give the worksheet a name of at most 80 characters.".to_owned());
        }
        if self.about.chars().count() > ABOUT_CHARS_MAX {
            return Err("What happened is longer than 4,000 characters: shorten it.".to_owned());
        }
        let day = |text: &str, what: &str| {
            if text.is_empty() {
                return Ok(None);
            }
            match text.parse::<Date>() {
                Ok(day) if day > today => Err(format!("{what} lies ahead: {day}.")),
                Ok(day) => Ok(Some(day)),
                Err(_no_day) => Err(format!("{what} is no day: write it as 2026-12-01.")),
            }
        };
        let discovered = day(&self.discovered, "The day of discovery")?;
        if discovered.is_none() {
            return Err("Give the day of discovery: every clock starts from it.".to_owned());
        }
        let mut people = std::collections::BTreeMap::new();
        for (number, line) in (1..).zip(self.people.lines()) {
            let words: Vec<&str> = line
                .split([' ', '\t', ',', ':', ';'])
                .filter(|it| !it.is_empty())
                .collect();
            let (state, count) = match *words.as_slice() {
                [] => continue,
                [state, count] => (state, count),
                _ => {
                    return Err(format!(
                        "Line {number} of the people: write a state and a number, as CA 620."
                    ));
                }
            };
            let code = state
                .parse::<Jurisdiction>()
                .ok()
                .filter(|it| *it != Jurisdiction::UNKNOWN);
            let Some(code) = code else {
                return Err(format!(
                    "Line {number} of the people: {state} is no state; write its two letters, as CA."
                ));
            };
            let Ok(count) = count.parse::<u32>() else {
                return Err(format!(
                    "Line {number} of the people: {count} is no number of people."
                ));
            };
            let kept: &mut u32 = people.entry(code.as_str().to_owned()).or_default();
            *kept = kept.saturating_add(count);
        }
        if people.is_empty() {
            return Err("Say how many people of which state, one state a line: CA 620.".to_owned());
        }
        Ok(Facts {
            title: self.title.clone(),
            about: self.about.clone(),
            discovered,
            determined: day(&self.determined, "The day on which it was established")?,
            told: day(&self.told, "The day on which the people were told")?,
            people,
        })
    }
}

async fn shown(
    door: &Door,
    seat: &Seat,
    (status, id): (StatusCode, Option<i64>),
    typed: &Typed,
    fault: &str,
) -> Result<Response, Problem> {
    let house = desk(door)?;
    let zone = zone(house, seat);
    let today = house.clock().now().to_zoned(zone.clone()).date();
    let kept = house.store().worksheets(&seat.staff.practice).await;
    let mut sheets = Vec::new();
    for sheet in kept.map_err(unavailable)? {
        let json: Value = serde_json::from_str(&sheet.json).unwrap_or_default();
        let by = named(house, &seat.staff, &format!("staff/{}", sheet.staff)).await?;
        sheets.push(json!({
            "id": sheet.id, "at": when(sheet.at, &zone), "by": by,
            "title": json.pointer("/facts/title"), "open": Some(sheet.id) == id,
        }));
    }
    let clocks = match typed.facts(today) {
        Ok(facts) => computed(door, seat, &facts)?,
        Err(_incomplete) => Vec::new(),
    };
    let rows: Vec<Value> = clocks.iter().map(|it| row(it, today)).collect();
    let mut values = frame(door, seat, "compliance").await?;
    let fields = values.as_object_mut().ok_or_else(Problem::unavailable)?;
    fields.insert("sheets".to_owned(), sheets.into());
    fields.insert("clocks".to_owned(), rows.into());
    fields.insert("id".to_owned(), id.into());
    fields.insert("fault".to_owned(), fault.into());
    fields.insert(
        "writes".to_owned(),
        seat.staff.role.may(Right::Comply).into(),
    );
    fields.insert("today".to_owned(), today.to_string().into());
    fields.insert(
        "typed".to_owned(),
        json!({
            "title": typed.title, "about": typed.about, "discovered": typed.discovered,
            "determined": typed.determined, "told": typed.told, "people": typed.people,
        }),
    );
    Ok(pages::console("console_breach.html", status, &values))
}

fn row(it: &Clock, today: Date) -> Value {
    let left = it.day.and_then(|day| today.until((Unit::Day, day)).ok());
    let left = left.map(|it| it.get_days());
    let (tone, words) = match left {
        None => ("", it.waits.clone()),
        Some(days) if days < 0 => ("stop", format!("was due {} days ago", -days)),
        Some(0) => ("stop", "due today".to_owned()),
        Some(days) if days <= 14 => ("wait", format!("{days} days left")),
        Some(days) => ("good", format!("{days} days left")),
    };
    json!({
        "state": it.state, "recipient": it.recipient, "day": it.day.map(|it| it.to_string()),
        "tone": tone, "words": words, "rule": it.rule, "summary": it.summary, "cite": it.cite,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::Typed;

    #[test]
    fn what_is_wrong_with_a_form_is_said_with_its_place() {
        let good = || Typed {
            title: "Lost phone".to_owned(),
            discovered: "2026-12-01".to_owned(),
            people: "CA 620\nTX, 40\n\nca 1".to_owned(),
            ..Typed::default()
        };
        let today = date(2026, 12, 5);
        let facts = good().facts(today).unwrap();
        assert_eq!(facts.people["CA"], 621);
        assert_eq!(facts.people["TX"], 40);
        for (field, value, said) in [
            ("title", "", "Give the worksheet a name"),
            ("discovered", "", "Give the day of discovery"),
            ("discovered", "2026-12-06", "lies ahead"),
            ("told", "soon", "people were told is no day"),
            ("people", "", "one state a line"),
            (
                "people",
                "CA 1\nXX 4",
                "Line 2 of the people: XX is no state",
            ),
            ("people", "CA many", "many is no number"),
            ("people", "CA", "Line 1 of the people"),
            ("people", "US 5", "US is no state"),
        ] {
            let mut wrong = good();
            let place = match field {
                "title" => &mut wrong.title,
                "discovered" => &mut wrong.discovered,
                "told" => &mut wrong.told,
                _ => &mut wrong.people,
            };
            value.clone_into(place);
            let fault = wrong.facts(today).unwrap_err();
            assert!(fault.contains(said), "{fault}");
        }
    }
}
