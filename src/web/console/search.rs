//! What somebody types into the search of the inbox: a name, a number or its end, or a label.

use crate::domain::ids::StaffId;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::domain::record::Patient;
use crate::pipeline::house::House;
use crate::store::StoreError;
use crate::store::inbox::{Line, Queue, Wanted};
use crate::store::search::{ENDING_DIGITS, NAME_CHARS_MIN, words};

/// Words of a name that another record system is asked for.
const WORDS_MAX: usize = 3;
/// People whom one search looks for in another record system.
const PEOPLE_MAX: usize = 200;
/// Names could not be searched.
const SILENT: &str = "The record system does not answer, so people cannot be found by name now. Search by \
    phone number, or try again in a minute.";
/// Not all of them were looked at.
const MANY: &str =
    "Many people are called so, and only the first 200 were looked at. Type more of the name.";

/// The conversations that fit, newest first, or what to type instead; both where the search was cut short.
pub(super) async fn found(
    desk: &House,
    practice: &Practice,
    (typed, staff): (&str, StaffId),
    limit: u32,
) -> Result<(Vec<Line>, &'static str), StoreError> {
    let store = desk.store();
    let whom = (staff, limit);
    if let Some(number) = typed_number(typed) {
        let lines = store.inbox_with(&practice.id, &number, whom).await?;
        return Ok((lines, ""));
    }
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    if !digits.is_empty() && !typed.chars().any(char::is_alphabetic) {
        if digits.len() < ENDING_DIGITS {
            return Ok((
                Vec::new(),
                "Type at least the last four digits of the number.",
            ));
        }
        let lines = store.inbox_ending(&practice.id, &digits, whom).await?;
        return Ok((lines, ""));
    }
    let wanted = words(typed);
    if !wanted.iter().any(|it| it.chars().count() >= NAME_CHARS_MIN) {
        return Ok((
            Vec::new(),
            "Type two letters of a name, the last four digits of a number, or a label.",
        ));
    }
    let mut lines = store.inbox_named(&practice.id, typed, whom).await?;
    let (others, fault) = on_record(desk, practice, &wanted, whom).await?;
    lines.extend(others);
    for label in store.labels(&practice.id).await? {
        let begins = words(&label.name);
        let fits = wanted
            .iter()
            .all(|word| begins.iter().any(|it| it.starts_with(word.as_str())));
        if fits {
            let page = Wanted {
                label: Some(label.id),
                staff,
                ..Wanted::first(Queue::All, limit)
            };
            lines.extend(store.inbox(&practice.id, page).await?);
        }
    }
    lines.sort_by_key(|it| std::cmp::Reverse(it.last_turn));
    lines.dedup_by_key(|it| it.conversation.id);
    lines.truncate(limit as usize);
    Ok((lines, fault))
}

/// The conversations of people whose names another record system keeps; what staff are told where it
/// could not be searched, or not to its end.
async fn on_record(
    desk: &House,
    practice: &Practice,
    wanted: &[String],
    whom: (StaffId, u32),
) -> Result<(Vec<Line>, &'static str), StoreError> {
    let asked: Vec<String> = wanted.iter().take(WORDS_MAX).cloned().collect();
    let records = desk.records();
    let found = records.patients_named(&practice.id, &asked, PEOPLE_MAX + 1);
    let people = match found.await {
        Ok(people) => people,
        Err(error) => {
            tracing::warn!(%error, "the record could not be searched by name");
            return Ok((Vec::new(), SILENT));
        }
    };
    let fault = if people.len() > PEOPLE_MAX { MANY } else { "" };
    // What the server takes for a beginning may be wider than what was asked.
    let fits = |it: &&Patient| {
        let mut names = words(it.first_name.as_str());
        names.extend(words(it.last_name.as_str()));
        let begun = |word: &String| names.iter().any(|name| name.starts_with(word.as_str()));
        asked.iter().all(begun)
    };
    let mut numbers: Vec<E164> = people
        .iter()
        .take(PEOPLE_MAX)
        .filter(fits)
        .flat_map(|it| it.phones.iter().cloned())
        .collect();
    numbers.sort();
    numbers.dedup();
    let mut lines = Vec::new();
    for number in &numbers {
        lines.extend(desk.store().inbox_with(&practice.id, number, whom).await?);
    }
    Ok((lines, fault))
}

/// A number as people type it: "(415) 555-0142", "415.555.0142", "+14155550142".
pub(super) fn typed_number(text: &str) -> Option<E164> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let spelled = match (digits.len(), text.trim_start().starts_with('+')) {
        (_, true) => format!("+{digits}"),
        (10, false) => format!("+1{digits}"),
        (11, false) if digits.starts_with('1') => format!("+{digits}"),
        _ => return None,
    };
    spelled.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::typed_number;

    #[test]
    fn numbers_are_found_however_they_are_typed() {
        for typed in [
            "(415) 555-0142",
            "415.555.0142",
            "4155550142",
            "1 415 555 0142",
            "+1 415 555 0142",
        ] {
            let number = typed_number(typed).map(|it| it.as_str().to_owned());
            assert_eq!(number.as_deref(), Some("+14155550142"), "{typed}");
        }
        for typed in ["Maria", "555-0142", "", "+", "41555501429999999999"] {
            assert_eq!(typed_number(typed), None, "{typed}");
        }
    }
}
