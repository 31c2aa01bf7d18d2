//! `alarm`: which alarms nobody has, and to say that somebody has one.

use tokio_util::task::TaskTracker;

use crate::cli::audit::store_to_read;
use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::ids::AlarmId;
use crate::seal::MasterKey;
use crate::store::{Acknowledged, Store, StoreError};

/// Prints the open alarms as JSONL, oldest first. Exit 1 while there is one, for a monitor.
pub(super) async fn list(loaded: &Loaded) -> u8 {
    let store = match store_to_read(loaded).await {
        Ok(Some(store)) => store,
        Ok(None) => return HOLDS,
        Err(code) => return code,
    };
    let open = match store.open_alarms().await {
        Ok(open) => open,
        Err(error) => return broken(&error),
    };
    for alarm in &open {
        let line = serde_json::json!({
            "alarm": alarm.id.0, "kind": alarm.kind.as_str(), "practice": alarm.practice.as_str(),
            "conversation": alarm.conversation.0, "raised": alarm.raised.to_string(),
            "due": alarm.due.map(|due| due.to_string()), "repeated": alarm.repeated,
        });
        println!("{line}");
    }
    if open.is_empty() {
        eprintln!("anteroom: no alarm is open");
        return HOLDS;
    }
    FINDINGS
}

/// Stops the clock of an alarm in the name of whoever has it, also while a server runs.
pub(super) async fn acknowledge(loaded: &Loaded, id: i64, by: &str) -> u8 {
    if by.trim().is_empty() {
        return refuse("--by needs the name of whoever has the alarm");
    }
    let (url, data_dir) = (loaded.config.database_url(), &loaded.config.data_dir);
    let master = match MasterKey::load_or_create(&loaded.config.master_key_file(), false) {
        Ok(master) => master,
        Err(error) => return refuse(&error.to_string()),
    };
    let (id, tracker) = (AlarmId(id), TaskTracker::new());
    let store = match Store::open(&url, master, &tracker, data_dir).await {
        Ok(store) => store,
        // The server has the embedded database: it takes the word that is left for it.
        Err(StoreError::Locked { .. }) => {
            return match Store::leave_word(data_dir, id, by) {
                Ok(()) => {
                    eprintln!(
                        "anteroom: left for the running server; `anteroom alarm list` shows when it is taken"
                    );
                    HOLDS
                }
                Err(error) => broken(&error),
            };
        }
        Err(error) => return refuse(&error.to_string()),
    };
    match store.acknowledge_alarm(id, by, SystemClock.now()).await {
        Ok(Acknowledged::Now) => {
            eprintln!("anteroom: alarm {id} is yours; its clock has stopped");
            HOLDS
        }
        Ok(Acknowledged::Before) => {
            eprintln!("anteroom: somebody has alarm {id} already");
            HOLDS
        }
        Ok(Acknowledged::Unknown) => refuse(&format!(
            "there is no alarm {id}; `anteroom alarm list` prints those that are open"
        )),
        Err(error) => broken(&error),
    }
}

fn broken(error: &StoreError) -> u8 {
    eprintln!("anteroom: {error}");
    NO_VERDICT
}
