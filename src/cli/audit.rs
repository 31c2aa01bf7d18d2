//! `audit`: prove that the log is whole, and print it.

use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::config::Loaded;
use crate::seal::MasterKey;
use crate::store::Store;

/// The store, to be read beside a running server; none where nothing was ever kept.
pub(super) async fn store_to_read(loaded: &Loaded) -> Result<Option<Store>, u8> {
    let opened = async {
        let url = loaded.config.database_url();
        if !Store::holds_keys(&url).await.map_err(|it| it.to_string())? {
            return Ok(None);
        }
        let key_file = loaded.config.master_key_file();
        let master = MasterKey::load_or_create(&key_file, false).map_err(|it| it.to_string())?;
        Store::open_to_read(&url, master, &loaded.config.data_dir)
            .await
            .map(Some)
            .map_err(|it| it.to_string())
    };
    opened.await.map_err(|error: String| refuse(&error))
}

/// Verifies the chain of every practice against the checkpoints in the database and beside it.
pub(super) async fn verify(loaded: &Loaded) -> u8 {
    let store = match store_to_read(loaded).await {
        Ok(Some(store)) => store,
        Ok(None) => return nothing(),
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
        return Ok(nothing());
    }
    Ok(code)
}

fn nothing() -> u8 {
    eprintln!("anteroom: the audit log is empty; nothing was verified");
    NOTHING
}

/// Prints the chained entries of every practice (or one) as JSONL.
pub(super) async fn export(loaded: &Loaded, only: Option<&str>) -> u8 {
    let store = match store_to_read(loaded).await {
        Ok(Some(store)) => store,
        Ok(None) => return HOLDS,
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
