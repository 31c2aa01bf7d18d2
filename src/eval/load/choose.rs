//! Which suites are meant: by name, by path or by folder; a name that two suites share is asked
//! back.

use crate::eval::load::{Files, LoadError, is_suite};

/// Edits after which a name is no slip of the finger any more.
const EDITS_MAX: usize = 3;

/// A suite's name: its path without the ending, so that no two have the same.
pub(super) fn name(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(name, _)| name)
}

/// The last part of a name.
pub(super) fn stem(path: &str) -> &str {
    let name = name(path);
    name.rsplit('/').next().unwrap_or(name)
}

/// The paths that are meant; all of them where nothing is chosen.
pub(super) fn chosen<'a>(
    files: &'a Files,
    wanted: &[String],
) -> Result<Vec<&'a str>, Vec<LoadError>> {
    let all = || {
        let paths = files.keys().map(String::as_str);
        paths.filter(|path| is_suite(path))
    };
    if wanted.is_empty() {
        return Ok(all().collect());
    }
    let (mut met, mut errors) = (Vec::new(), Vec::new());
    for asked in wanted {
        let asked = asked.trim_end_matches('/');
        let whole: Vec<&str> = all()
            .filter(|path| {
                let below = path.strip_prefix(asked);
                name(path) == asked
                    || *path == asked
                    || below.is_some_and(|rest| rest.starts_with('/'))
            })
            .collect();
        if !whole.is_empty() {
            met.extend(whole);
            continue;
        }
        let last: Vec<&str> = all().filter(|path| stem(path) == asked).collect();
        match last.as_slice() {
            [] => {
                let names: Vec<&str> = all().map(name).collect();
                errors.push(unknown(asked, &names));
            }
            [one] => met.push(one),
            several => {
                let names: Vec<&str> = several.iter().map(|path| name(path)).collect();
                let text = format!(
                    "`{asked}` is the name of several suites; say which: {}",
                    names.join(", ")
                );
                errors.push(LoadError::whole("", text));
            }
        }
    }
    if errors.is_empty() {
        met.sort_unstable();
        met.dedup();
        Ok(met)
    } else {
        Err(errors)
    }
}

fn unknown(asked: &str, names: &[&str]) -> LoadError {
    let near = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(stem(name), asked), name))
        .min();
    let meant = match near {
        Some((edits, name)) if edits <= EDITS_MAX => format!("did you mean `{name}`? "),
        _ => String::new(),
    };
    let all = names.join(", ");
    let text = format!("no suite of that name: `{asked}`; {meant}There are {all}");
    LoadError::whole("", text)
}
