//! Empty stores for stories: on SQLite in a folder of their own, on a database of their own.

#![cfg(test)]

use anteroom::seal::MasterKey;
use anteroom::store::Store;
use tokio_util::task::TaskTracker;

use crate::support::postgres;

/// A store and the folder that it lives in.
pub(crate) struct Kept {
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
}

async fn open(url: impl FnOnce(&std::path::Path) -> String) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let master = MasterKey::generate().unwrap();
    let store = Store::open(&url, master, &TaskTracker::new(), folder.path())
        .await
        .unwrap();
    Kept {
        store,
        _folder: folder,
    }
}

pub(crate) async fn sqlite() -> Kept {
    open(|folder| format!("sqlite://{}", folder.join("anteroom.db").display())).await
}

pub(crate) async fn postgres() -> Kept {
    let url = postgres::new_database().await;
    open(|_| url).await
}
