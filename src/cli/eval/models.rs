//! The models that a run of the suites or a red team may ask, from the configuration.

use std::path::Path;
use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::agent::ports::Model;
use crate::cli::{assemble, configured};
use crate::config::Config;
use crate::domain::agreement::Agreement;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::eval::models::{Elsewhere, Judge, Models};
use crate::llm::offline::Offline;
use crate::policy::law::Law;

/// What is asked for.
#[derive(Default)]
pub(in crate::cli) struct Wanted {
    /// A model for stories.
    pub(in crate::cli) configured: bool,
    /// A judge, asked so often.
    pub(in crate::cli) judge: Option<u32>,
    /// The option that wants an agreement of the model's vendor.
    pub(in crate::cli) agreed: Option<&'static str>,
}

/// Opens them; an error says what the configuration lacks.
pub(in crate::cli) fn open(wanted: &Wanted, config: Option<&Path>) -> Result<Models, String> {
    let loaded = configured(config)?;
    let offline: Arc<dyn Model> = Arc::new(Offline::new());
    let model = assemble::model(&loaded.config.llm, &offline)?;
    if model.name() == offline.name() {
        return Err(
            "no model is configured: set [llm] base_url and model (a server on this machine will \
             do), or leave the option that asks it out"
                .to_owned(),
        );
    }
    if let Some(option) = wanted.agreed {
        agreed(&loaded.config, &*model, option)?;
    }
    let model: Arc<dyn Model> = Arc::new(Elsewhere::new(model)?);
    Ok(Models {
        configured: wanted.configured.then(|| Arc::clone(&model)),
        judge: wanted.judge.map(|repeats| Judge { model, repeats }),
    })
}

/// A judge reads what patients might have written one day, and a red team writes what nobody should
/// read as a practice's own: the model runs on this machine, or its vendor has signed an agreement
/// with a practice of this configuration.
fn agreed(config: &Config, model: &dyn Model, option: &str) -> Result<(), String> {
    let Some(host) = model.host() else {
        return Ok(());
    };
    let law = Law::embedded().map_err(|error| error.to_string())?;
    let Some(paper) = law.channels().model_paper(host) else {
        return Ok(());
    };
    let today = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let signed = |it: &Agreement| {
        it.counterparty == paper.counterparty && it.product == paper.product && it.covers(today)
    };
    let written = config.practice.iter().flat_map(|it| &it.agreements);
    let recorded = recorded(config)?;
    if written.chain(&recorded).any(signed) {
        return Ok(());
    }
    Err(format!(
        "{option}: {host} is not on this machine, and no agreement with {paper} is in force; use a \
         model on this machine, or record the agreement with `anteroom agreement add`"
    ))
}

/// The agreements in the register of every practice; none where there is no database yet.
fn recorded(config: &Config) -> Result<Vec<Agreement>, String> {
    if config.practice.is_empty() || !config.data_dir.is_dir() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let tracker = TaskTracker::new();
        let store = assemble::open_store(config, &tracker).await?;
        let mut all = Vec::new();
        for practice in assemble::practices(config)? {
            let own = store.agreements(&practice.id).await;
            let own = own.map_err(|error| error.to_string())?;
            all.extend(own.into_iter().map(|it| it.agreement));
        }
        Ok(all)
    })
}
