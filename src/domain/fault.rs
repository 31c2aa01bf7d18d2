//! What is wrong with a JSON value that a stranger sent, told without the value: that may be PHI.

/// Longest key that is named in an error; a longer one is no typing mistake.
const KEY_CHARS_MAX: usize = 64;

/// Where and what, as serde tells it with the path to the place.
pub type Fault = serde_path_to_error::Error<serde_json::Error>;

/// What is wrong with which key, and what may stand there. Of serde's words only those that it
/// takes from our types are repeated: the rest may quote the value, and that may be PHI.
pub fn told(fault: &Fault, whole: &str) -> String {
    let error = fault.inner();
    let (line, column) = (error.line(), error.column());
    if !error.is_data() {
        return format!("{whole} is not JSON (line {line}, column {column})");
    }
    let text = error.to_string();
    let path = fault.path().to_string();
    let path = path.trim_end_matches('?').trim_end_matches('.');
    let quoted = text.split('`').nth(1).unwrap_or_default();
    let within = if path.is_empty() || path == quoted {
        String::new()
    } else if let Some(parent) = path.strip_suffix(&format!(".{quoted}")) {
        format!(" in `{}`", shown(parent))
    } else {
        format!(" in `{}`", shown(path))
    };
    if text.starts_with("unknown field") {
        return format!("unknown key `{}`{within}{}", shown(quoted), expected(&text));
    }
    if text.starts_with("missing field") {
        return format!("the key `{}`{within} is missing", shown(quoted));
    }
    if text.starts_with("duplicate field") {
        return format!("the key `{}`{within} stands there twice", shown(quoted));
    }
    let ours = text.starts_with("unknown variant") || text.starts_with("invalid type");
    let wanted = if ours {
        expected(&text)
    } else {
        remedy(path, &text)
    };
    match path {
        "" => format!("{whole} is not a JSON object of the documented form{wanted}"),
        path => format!("`{}` has a value that cannot be read{wanted}", shown(path)),
    }
}

/// How a value is written that is read by a rule of our own. Its words quote no value: a list of
/// ours, or a form that is known by its key.
fn remedy(path: &str, text: &str) -> String {
    if let Some((_, list)) = text.split_once("; use one of ")
        && text.starts_with("unknown ")
    {
        let list = list.split(" at line ").next().unwrap_or(list);
        return format!("; use one of {list}");
    }
    match path.rsplit('.').next().unwrap_or_default() {
        "now" | "at" => "; write it as 2026-12-01T10:00:00-08:00".to_owned(),
        "number" | "phone" => "; write it as +14155550100".to_owned(),
        _ => String::new(),
    }
}

/// The end of serde's sentence, which lists what a type takes and nothing of what was given.
fn expected(text: &str) -> String {
    let end = text.rsplit_once(", expected ").map(|(_, end)| end);
    let end = end.map(|end| end.split(" at line ").next().unwrap_or(end));
    end.map_or_else(String::new, |end| format!("; expected {end}"))
}

/// A key as it was sent, unless it is no word: then it may be a value in the wrong place.
fn shown(key: &str) -> &str {
    let word = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    if key.len() <= KEY_CHARS_MAX && key.chars().all(word) {
        key
    } else {
        "(not a word)"
    }
}
