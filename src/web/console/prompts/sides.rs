//! Two texts side by side, word by word.

use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

/// The old text and the new one in pieces; what the other lacks is marked. A gap between two changed
/// words is changed with them, so that a changed phrase reads as one.
pub(in crate::web::console) fn sides(old: &str, new: &str) -> (Vec<Value>, Vec<Value>) {
    let diff = TextDiff::from_words(old, new);
    let changes: Vec<(ChangeTag, &str)> = diff
        .iter_all_changes()
        .map(|it| (it.tag(), it.value()))
        .collect();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for (at, (tag, text)) in changes.iter().enumerate() {
        let beside = |at: Option<usize>| {
            at.and_then(|at| changes.get(at))
                .is_some_and(|(tag, _)| *tag != ChangeTag::Equal)
        };
        let gap = text.trim().is_empty() && beside(at.checked_sub(1)) && beside(Some(at + 1));
        match tag {
            ChangeTag::Equal => {
                add(&mut left, text, gap);
                add(&mut right, text, gap);
            }
            ChangeTag::Delete => add(&mut left, text, true),
            ChangeTag::Insert => add(&mut right, text, true),
        }
    }
    let told = |pieces: Vec<(String, bool)>| {
        let told = pieces.into_iter();
        told.map(|(text, changed)| json!({ "text": text, "changed": changed }))
            .collect()
    };
    (told(left), told(right))
}

fn add(pieces: &mut Vec<(String, bool)>, text: &str, changed: bool) {
    match pieces.last_mut() {
        Some((last, same)) if *same == changed => last.push_str(text),
        _ => pieces.push((text.to_owned(), changed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(pieces: &[Value]) -> String {
        let piece = |it: &Value| {
            let text = it["text"].as_str().unwrap();
            if it["changed"] == true {
                format!("[{text}]")
            } else {
                text.to_owned()
            }
        };
        pieces.iter().map(piece).collect()
    }

    #[test]
    fn what_the_other_side_lacks_is_marked_and_nothing_is_lost() {
        for (old, new, left, right) in [
            ("", "", "", ""),
            ("same", "same", "same", "same"),
            ("", "new", "", "[new]"),
            ("old", "", "[old]", ""),
            (
                "Your next visit is {{ when }}.",
                "You come on {{ when }}.",
                "[Your next visit is] {{ when }}.",
                "[You come on] {{ when }}.",
            ),
            ("a b", "a b c", "a b", "a b[ c]"),
        ] {
            let (before, after) = sides(old, new);
            assert_eq!(spelled(&before).replace("][", ""), left, "{old} | {new}");
            assert_eq!(spelled(&after).replace("][", ""), right, "{old} | {new}");
        }
    }
}
