//! A mended sentence in good order: spaces, punctuation, articles, a capital to begin with.

/// Single spaces, punctuation where it belongs, "a" or "an", a capital to begin with.
pub(crate) fn tidy(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let mark = word
            .chars()
            .all(|c| matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | ')'));
        match words.last_mut() {
            Some(last) if mark => {
                let ended = last.ends_with([',', ';', ':']);
                if ended {
                    last.pop();
                }
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    for at in 1..words.len() {
        let following = words.get(at).cloned().unwrap_or_default();
        let vowel = following.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
        let Some(article) = words.get_mut(at - 1) else {
            continue;
        };
        if article == "an" && !vowel {
            "a".clone_into(article);
        } else if article == "a" && is_english_noun(&following) {
            "an".clone_into(article);
        }
    }
    let joined = words
        .join(" ")
        .replace(",,", ",")
        .replace(",.", ".")
        .replace(",!", "!")
        .replace(",?", "?")
        // "a las 4:00 p. m." ends in a dot of its own.
        .replace(" m..", " m.")
        .replace("()", "");
    let trimmed = joined.trim_start_matches([',', ';', ' ', '-', ':']);
    let mut chars = trimmed.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().collect::<String>() + chars.as_str(),
        None => String::new(),
    }
}

/// The Spanish preposition "a" must not become "an".
fn is_english_noun(word: &str) -> bool {
    matches!(
        word.trim_end_matches(['.', ',']),
        "appointment" | "appt" | "exam" | "order" | "office"
    )
}
