//! The models that a run of the suites may ask, from the configuration.

use std::path::Path;
use std::sync::Arc;

use crate::agent::ports::Model;
use crate::cli::{assemble, configured};
use crate::config::Config;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::eval::models::{Elsewhere, Judge, Models};
use crate::llm::offline::Offline;
use crate::policy::law::Law;

/// What is asked for.
pub(super) struct Wanted {
    /// A model for stories.
    pub(super) configured: bool,
    /// A judge, asked so often.
    pub(super) judge: Option<u32>,
}

/// Opens them; an error says what the configuration lacks.
pub(super) fn open(wanted: &Wanted, config: Option<&Path>) -> Result<Models, String> {
    let loaded = configured(config)?;
    let offline: Arc<dyn Model> = Arc::new(Offline::new());
    let model = assemble::model(&loaded.config.llm, &offline)?;
    if model.name() == offline.name() {
        return Err(
            "no model is configured: set [llm] base_url and model (a server on this machine will \
             do), or leave --model and --judge out"
                .to_owned(),
        );
    }
    if wanted.judge.is_some() {
        agreed(&loaded.config, &*model)?;
    }
    let model: Arc<dyn Model> = Arc::new(Elsewhere::new(model)?);
    Ok(Models {
        configured: wanted.configured.then(|| Arc::clone(&model)),
        judge: wanted.judge.map(|repeats| Judge { model, repeats }),
    })
}

/// A judge reads what patients might have written one day: it runs on this machine, or its vendor
/// has signed an agreement with a practice of this configuration.
fn agreed(config: &Config, model: &dyn Model) -> Result<(), String> {
    let Some(host) = model.host() else {
        return Ok(());
    };
    let law = Law::embedded().map_err(|error| error.to_string())?;
    let Some(paper) = law.channels().model_paper(host) else {
        return Ok(());
    };
    let today = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    for practice in &config.practice {
        let signed = practice.agreements.iter().any(|it| {
            it.counterparty == paper.counterparty && it.product == paper.product && it.covers(today)
        });
        if signed {
            return Ok(());
        }
    }
    Err(format!(
        "--judge: {host} is not on this machine, and no [[practice.agreement]] with {paper} is in \
         force; use a model on this machine, or record the agreement"
    ))
}
