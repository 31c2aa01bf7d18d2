//! What somebody types into the search of the inbox: a name, a number or its end, or a label.

use crate::domain::ids::StaffId;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::store::StoreError;
use crate::store::inbox::{Line, Queue, Wanted};
use crate::store::search::{ENDING_DIGITS, NAME_CHARS_MIN, words};

/// The conversations that fit, newest first, or what to type instead.
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
    Ok((lines, ""))
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
