//! The guardrail as the command line and the server use it: with the user's own model, if one is named.

use std::path::Path;

use crate::guardrail::review::Guardrail;

/// The embedded guardrail; with the token-classification model in `dir` as a voter.
pub(super) fn load(dir: Option<&Path>) -> Result<Guardrail, String> {
    let guardrail = Guardrail::embedded().map_err(|error| error.to_string())?;
    match dir.filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => with_model(guardrail, dir),
        None => Ok(guardrail),
    }
}

#[cfg(feature = "hf")]
fn with_model(guardrail: Guardrail, dir: &Path) -> Result<Guardrail, String> {
    use std::sync::Arc;

    use crate::guardrail::hf::Model;
    use crate::policy::folder::ModelFolder;

    let folder = ModelFolder::read(dir).map_err(|error| error.to_string())?;
    let model = Model::new(&folder).map_err(|error| error.to_string())?;
    Ok(guardrail.with_voter(Arc::new(model)))
}

#[cfg(not(feature = "hf"))]
fn with_model(_guardrail: Guardrail, dir: &Path) -> Result<Guardrail, String> {
    let dir = dir.display();
    Err(format!(
        "token model {dir}: this program was built without the feature `hf`; build it with \
         `cargo build --release --features hf`, or leave the model out"
    ))
}
