//! `import`: a FHIR R4 Bundle into the embedded record.

use std::path::Path;

use tokio_util::task::TaskTracker;

use crate::cli::assemble::open_store;
use crate::cli::{HOLDS, NO_VERDICT, refuse};
use crate::config::Loaded;
use crate::domain::ids::PracticeId;
use crate::fhir::bundle;
use crate::store::records::EmbeddedRecords;

/// Loads the Bundle for one practice; the same Bundle again changes nothing.
pub(super) async fn import(loaded: &Loaded, path: &Path, practice: &str) -> u8 {
    let known = loaded
        .config
        .practice
        .iter()
        .any(|it| it.id.as_str() == practice);
    if !known && practice != "lakeside" {
        return refuse(&format!(
            "there is no practice `{practice}` in the configuration"
        ));
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return refuse(&format!("{}: {error}", path.display())),
    };
    let (records, passed_over) = match bundle::parse(&text) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&format!("{}: {error}", path.display())),
    };
    let tracker = TaskTracker::new();
    let store = match open_store(&loaded.config, &tracker).await {
        Ok(store) => store,
        Err(error) => return refuse(&error),
    };
    let imported = EmbeddedRecords::new(store)
        .import(&PracticeId::new(practice), &records)
        .await;
    match imported {
        Ok(_) => {
            println!(
                "{} patients, {} providers, {} appointments, {} free slots, {} clinical entries",
                records.patients.len(),
                records.providers.len(),
                records.appointments.len(),
                records.slots.len(),
                records.clinical.len()
            );
            for (kind, count) in passed_over {
                eprintln!("passed over: {count} {kind}");
            }
            HOLDS
        }
        Err(error) => {
            eprintln!("anteroom: {error}");
            NO_VERDICT
        }
    }
}
