//! The guardrail as the command line and the server use it: over the policy folder that is
//! configured, and with the user's own model, if one is named.

use std::path::Path;
use std::sync::Arc;

use crate::agent::texts::TextId;
use crate::config::Config;
use crate::guardrail::review::Guardrail;
use crate::policy::law::file::LawRule;
use crate::policy::law::params::Term;
use crate::policy::{Policy, PolicyError};

/// The guardrail that a server with this configuration judges by.
pub(super) fn configured(config: &Config) -> Result<Guardrail, PolicyError> {
    over(&config.policy_dir, Some(config.guard.token_model.as_ref()))
}

/// The policy that a server with this configuration judges by. A rule that asks for a fixed text that
/// does not exist is refused: what it wants told could never be told.
pub(super) fn policy(folder: &Path) -> Result<Policy, PolicyError> {
    let policy = if folder.as_os_str().is_empty() {
        Policy::embedded()?
    } else {
        Policy::from_dir(folder)?
    };
    for rule in policy.law().rules() {
        if let Some(text) = texts_nowhere(rule).next() {
            return Err(rule.refuse(
                &format!("there is no fixed text `{text}`"),
                "name one of those in prompts/en/texts.toml, or add it there and in prompts/es",
            ));
        }
    }
    Ok(policy)
}

/// The fixed texts that a rule wants told and that do not exist.
pub(super) fn texts_nowhere(rule: &LawRule) -> impl Iterator<Item = &Term> {
    let texts = rule.params.text_ids().into_iter();
    texts.filter(|text| text.as_str().parse::<TextId>().is_err())
}

fn over(folder: &Path, model: Option<&Path>) -> Result<Guardrail, PolicyError> {
    let guardrail = Guardrail::new(Arc::new(policy(folder)?))?;
    match model.filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => with_model(guardrail, dir),
        None => Ok(guardrail),
    }
}

#[cfg(feature = "hf")]
fn with_model(guardrail: Guardrail, dir: &Path) -> Result<Guardrail, PolicyError> {
    use crate::guardrail::hf::Model;
    use crate::policy::folder::ModelFolder;

    let model = Model::new(&ModelFolder::read(dir)?)?;
    Ok(guardrail.with_voter(Arc::new(model)))
}

#[cfg(not(feature = "hf"))]
fn with_model(_guardrail: Guardrail, dir: &Path) -> Result<Guardrail, PolicyError> {
    Err(PolicyError {
        file: dir.to_string_lossy().into_owned(),
        line: 1,
        rule: "token model".to_owned(),
        message: "this program was built without the feature `hf`".to_owned(),
        remedy: "build it with `cargo build --release --features hf`, or leave the model out"
            .to_owned(),
    })
}
