//! What changed since the last publish: the figures since then beside those of the same span before.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::domain::conversation::Direction;
use crate::domain::message::Delivery;
use crate::domain::publication::{Published, Standing, Version};
use crate::store::figures::Figures;
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::overview::{percent, spoken, waits};
use crate::web::console::prompts::named;
use crate::web::console::seat::{Seat, desk};
use crate::web::console::versions::{when, zone};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The longest span on either side.
const SPAN_MAX: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Publishes that one may choose among, the newest.
const CHOICES_MAX: usize = 8;
/// Rules that the table lists.
const RULES_MAX: usize = 15;

/// The page.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let (store, practice) = (house.store(), &seat.staff.practice);
    let (now, zone) = (house.clock().now(), zone(house, &seat));
    let mut all: Vec<Version> = Vec::new();
    for kind in Published::ALL {
        let found = store.versions(practice, *kind).await;
        all.extend(found.map_err(unavailable)?);
    }
    all.sort_by_key(|it| std::cmp::Reverse((it.at, it.id)));
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let mut asked = pairs.filter(|(name, _)| name == "v");
    let asked = asked
        .next()
        .and_then(|(_, value)| value.parse::<i64>().ok());
    let chosen = match asked {
        Some(id) => Some(
            all.iter()
                .find(|it| it.id == id)
                .ok_or_else(Problem::not_found)?,
        ),
        None => all
            .iter()
            .find(|it| it.standing != Standing::RolledBack)
            .or_else(|| all.first()),
    };
    let mut choices = Vec::new();
    for it in all.iter().take(CHOICES_MAX) {
        choices.push(json!({
            "id": it.id, "kind": it.kind.as_str(), "at": when(it.at, &zone),
            "by": named(house, &seat.staff, &it.author).await?,
            "here": chosen.is_some_and(|chosen| chosen.id == it.id),
        }));
    }
    let mut more = json!({ "choices": choices, "any": chosen.is_some() });
    if let (Some(chosen), Some(fields)) = (chosen, more.as_object_mut()) {
        let span = now.duration_since(chosen.at).min(SPAN_MAX);
        let before = (chosen.at - span, chosen.at);
        let after = (chosen.at, chosen.at + span);
        let was = store.figures(practice, before).await.map_err(unavailable)?;
        let is = store.figures(practice, after).await.map_err(unavailable)?;
        fields.insert("rows".to_owned(), rows(&was, &is).into());
        fields.insert("rules".to_owned(), rules(&was, &is).into());
        fields.insert("reasons".to_owned(), reasons(&was, &is).into());
        fields.insert("span".to_owned(), spoken(span.as_secs()).into());
        for (name, (from, to)) in [("before", before), ("since", after)] {
            let told = format!("{} to {}", when(from, &zone), when(to, &zone));
            fields.insert(name.to_owned(), told.into());
        }
        fields.insert(
            "few".to_owned(),
            (drafts(&was).min(drafts(&is)) < 30).into(),
        );
    }
    let page = ("overview", "console_changes.html", StatusCode::OK);
    filled(&door, &seat, page, more).await
}

fn count(figures: &Figures, direction: Direction) -> i64 {
    let texts = figures.texts.iter().filter(|it| it.direction == direction);
    i64::try_from(texts.count()).unwrap_or(i64::MAX)
}

fn held(figures: &Figures) -> i64 {
    figures.holds.iter().map(|it| it.count).sum()
}

/// Answers and what was held: what a publish is judged by.
fn drafts(figures: &Figures) -> i64 {
    figures.by_agent + figures.by_staff + held(figures)
}

fn of_states(figures: &Figures, states: &[Delivery]) -> i64 {
    let found = figures.deliveries.iter();
    found
        .filter(|(state, _)| states.contains(state))
        .map(|(_, count)| count)
        .sum()
}

/// How long half of the patients waited at most.
fn wait(was: &Figures, is: &Figures) -> Value {
    let median = |figures: &Figures| {
        let (waits, _) = waits(&figures.texts);
        waits.get(waits.len() / 2).copied()
    };
    let told = |seconds: Option<i64>| seconds.map_or_else(|| "–".to_owned(), spoken);
    let (before, after) = (median(was), median(is));
    let tone = match (before, after) {
        (Some(before), Some(after)) if after < before => "good",
        (Some(before), Some(after)) if after > before => "stop",
        _ => "",
    };
    json!({
        "name": "Half are answered within", "before": told(before), "after": told(after),
        "change": "", "tone": tone,
    })
}

/// Each figure before and after, and whether it got better (`good`), worse (`stop`) or is neither.
fn rows(was: &Figures, is: &Figures) -> Vec<Value> {
    let share = |name: &str, better: i64, of: &dyn Fn(&Figures) -> (i64, i64)| {
        let told = |(part, whole): (i64, i64)| {
            if whole == 0 {
                "–".to_owned()
            } else {
                format!("{} % ({part} of {whole})", percent(part, whole))
            }
        };
        let (before, after) = (of(was), of(is));
        let both = before.1 > 0 && after.1 > 0;
        let change = percent(after.0, after.1) - percent(before.0, before.1);
        let tone = match change.signum() * better {
            _ if !both => "",
            1 => "good",
            -1 => "stop",
            _ => "",
        };
        let change = match change {
            _ if !both => String::new(),
            0 => "same".to_owned(),
            more => format!("{more:+} points"),
        };
        json!({ "name": name, "before": told(before), "after": told(after), "change": change, "tone": tone })
    };
    let number = |name: &str, before: i64, after: i64| {
        let change = match (before, after) {
            (0, 0) => String::new(),
            (0, _) => format!("+{after}"),
            _ => format!("{:+} %", percent(after - before, before)),
        };
        json!({ "name": name, "before": before, "after": after, "change": change, "tone": "" })
    };
    let lost = &[Delivery::Undelivered, Delivery::Failed];
    vec![
        number(
            "Texts from patients",
            count(was, Direction::Inbound),
            count(is, Direction::Inbound),
        ),
        number(
            "Texts to patients",
            count(was, Direction::Outbound),
            count(is, Direction::Outbound),
        ),
        share("Answered by the agent", 1, &|it| {
            (it.by_agent, it.by_agent + it.by_staff)
        }),
        wait(was, is),
        share("Held for staff", -1, &|it| (held(it), drafts(it))),
        share("Holds that were wrong, say staff", -1, &|it| {
            let wrong = it.holds.iter().map(|it| it.wrong).sum();
            (wrong, it.holds.iter().map(|it| it.judged).sum())
        }),
        share("Not delivered", -1, &|it| {
            let all = it.deliveries.iter().map(|(_, count)| count).sum();
            (of_states(it, lost), all)
        }),
    ]
}

/// Two counts of each name, what changed most first.
fn beside(was: Vec<(String, i64)>, is: Vec<(String, i64)>) -> Vec<Value> {
    let mut both: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (name, count) in was {
        both.entry(name).or_default().0 = count;
    }
    for (name, count) in is {
        both.entry(name).or_default().1 = count;
    }
    let mut all: Vec<(String, (i64, i64))> = both.into_iter().collect();
    all.sort_by_key(|(_, (was, is))| std::cmp::Reverse((is - was).abs()));
    let all = all.into_iter().take(RULES_MAX);
    all.map(|(name, (was, is))| {
        json!({ "name": name, "before": was, "after": is, "change": format!("{:+}", is - was) })
    })
    .collect()
}

fn rules(was: &Figures, is: &Figures) -> Vec<Value> {
    beside(was.rules.clone(), is.rules.clone())
}

fn reasons(was: &Figures, is: &Figures) -> Vec<Value> {
    let of = |figures: &Figures| {
        let holds = figures.holds.iter();
        holds.map(|it| (it.reason.clone(), it.count)).collect()
    };
    beside(of(was), of(is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_whether_it_got_better_and_nothing_where_there_is_nothing_to_compare() {
        let figures = |by_agent, by_staff| Figures {
            by_agent,
            by_staff,
            ..Figures::default()
        };
        let of = |was: &Figures, is: &Figures| {
            let rows = rows(was, is);
            let row = rows.iter().find(|it| it["name"] == "Answered by the agent");
            let row = row.unwrap();
            (row["change"].clone(), row["tone"].clone())
        };
        for (was, is, change, tone) in [
            (figures(80, 20), figures(90, 10), "+10 points", "good"),
            (figures(80, 20), figures(60, 40), "-20 points", "stop"),
            (figures(80, 20), figures(8, 2), "same", ""),
            (figures(0, 0), figures(8, 2), "", ""),
        ] {
            assert_eq!(of(&was, &is), (change.into(), tone.into()));
        }
        let told = beside(
            vec![("a".to_owned(), 5), ("b".to_owned(), 1)],
            vec![("b".to_owned(), 9), ("c".to_owned(), 1)],
        );
        let names: Vec<&str> = told.iter().filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(told[0]["change"], "+8");
    }
}
