//! Matrix: one case becomes one for each combination of values.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::eval::case::{Case, Suite};
use crate::eval::suite::Level;

/// The values that a key of `vars` takes in turn.
pub type Matrix = BTreeMap<String, Vec<Value>>;

/// Cases that one test may become: more is a mistake, or belongs into several suites.
const COMBINATIONS_MAX: usize = 1_000;

/// A case for each combination; the case itself for an empty matrix.
pub(crate) fn expand(case: &Case, matrix: &Matrix) -> Result<Vec<Case>, String> {
    let mut cases = vec![case.clone()];
    for (key, values) in matrix {
        if values.is_empty() {
            return Err(format!("matrix: `{key}` has no values"));
        }
        if cases.len() * values.len() > COMBINATIONS_MAX {
            return Err(format!(
                "matrix: more than {COMBINATIONS_MAX} combinations; split the suite"
            ));
        }
        let combined = cases.iter().flat_map(|case| {
            values.iter().map(move |value| {
                let mut one = case.clone();
                one.id = format!("{} {key}={}", case.id, shown(value));
                one.vars.insert(key.clone(), value.clone());
                if key == "language"
                    && let Some(language) = value.as_str()
                {
                    language.clone_into(&mut one.language);
                }
                one
            })
        });
        cases = combined.collect();
    }
    Ok(cases)
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads `state=CA,TX` as it is typed.
pub fn typed(text: &str) -> Result<(String, Vec<Value>), String> {
    let wrong = || format!("`{text}`: write it as state=CA,TX");
    let (key, values) = text.split_once('=').ok_or_else(wrong)?;
    let values: Vec<Value> = values
        .split(',')
        .filter(|it| !it.is_empty())
        .map(Value::from)
        .collect();
    if key.is_empty() || values.is_empty() {
        return Err(wrong());
    }
    Ok((key.to_owned(), values))
}

/// Every story of the suites in each combination, a story's own value going before.
pub fn permute(suites: &mut [Suite], matrix: &Matrix) -> Result<(), String> {
    let stories = suites
        .iter_mut()
        .filter(|suite| suite.level == Level::Conversation);
    for suite in stories {
        let mut all = Vec::new();
        for case in &suite.cases {
            let open: Matrix = matrix
                .iter()
                .filter(|(key, _)| !case.vars.contains_key(*key))
                .map(|(key, values)| (key.clone(), values.clone()))
                .collect();
            all.extend(expand(case, &open)?);
        }
        suite.cases = all;
    }
    Ok(())
}
