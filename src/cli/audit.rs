//! `audit`: prove that the log is whole, and print it.

use tokio_util::task::TaskTracker;

use crate::cli::assemble::open_store;
use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::config::Loaded;
use crate::store::Store;

async fn store(loaded: &Loaded) -> Result<Store, u8> {
    let tracker = TaskTracker::new();
    open_store(&loaded.config, &tracker)
        .await
        .map_err(|error| refuse(&error))
}

/// Verifies the chain of every practice against the checkpoints in the database and beside it.
pub(super) async fn verify(loaded: &Loaded) -> u8 {
    let store = match store(loaded).await {
        Ok(store) => store,
        Err(code) => return code,
    };
    match verify_all(&store).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("anteroom: {error}");
            NO_VERDICT
        }
    }
}

async fn verify_all(store: &Store) -> Result<u8, crate::store::StoreError> {
    let (mut code, mut entries) = (HOLDS, 0);
    for practice in store.audited_practices().await? {
        match store.verify_audit(&practice).await? {
            Ok(summary) => {
                entries += summary.entries;
                println!(
                    "{practice}: {} entries whole, {} signed checkpoints hold, signed up to entry {}",
                    summary.entries, summary.checkpoints, summary.covered
                );
            }
            Err(bad) => {
                code = FINDINGS;
                println!("{practice}: BROKEN at {bad}");
            }
        }
    }
    if entries == 0 && code == HOLDS {
        eprintln!("anteroom: the audit log is empty; nothing was verified");
        return Ok(NOTHING);
    }
    Ok(code)
}

/// Prints the chained entries of every practice (or one) as JSONL.
pub(super) async fn export(loaded: &Loaded, only: Option<&str>) -> u8 {
    let store = match store(loaded).await {
        Ok(store) => store,
        Err(code) => return code,
    };
    let exported = async {
        for practice in store.audited_practices().await? {
            if only.is_some_and(|only| only != practice.as_str()) {
                continue;
            }
            for linked in store.audit_entries(&practice).await? {
                println!("{}", serde_json::to_string(&linked).unwrap_or_default());
            }
        }
        Ok::<(), crate::store::StoreError>(())
    };
    match exported.await {
        Ok(()) => HOLDS,
        Err(error) => {
            eprintln!("anteroom: {error}");
            NO_VERDICT
        }
    }
}
