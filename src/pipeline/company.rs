//! Company: who writes in which conversation at this moment, so that two people do not answer one
//! patient at once. Kept in memory alone and forgotten within seconds; it never keeps anybody from
//! sending.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast;

use crate::domain::ids::{ConversationId, PracticeId, StaffId};
use crate::domain::staff::Staff;
use crate::pipeline::house::House;

/// How long somebody counts as writing after the last key that was heard of.
pub const WRITES_FOR: SignedDuration = SignedDuration::from_secs(10);
/// Notices that wait for a slow browser; a lost one is made up for by the next key.
const WAITING_MAX: usize = 64;

/// That somebody writes, or stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writing {
    /// At which practice.
    pub practice: PracticeId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Who.
    pub staff: StaffId,
    /// Their name.
    pub name: String,
    /// For how long others are told so; zero when they stopped.
    pub seconds: i64,
}

/// Who writes where.
#[derive(Debug)]
pub(crate) struct Company {
    here: Mutex<BTreeMap<(ConversationId, StaffId), (String, Timestamp)>>,
    told: broadcast::Sender<Writing>,
}

impl Default for Company {
    fn default() -> Self {
        let (told, _) = broadcast::channel(WAITING_MAX);
        Self {
            here: Mutex::default(),
            told,
        }
    }
}

impl House {
    /// Somebody writes in a conversation of their practice, or stopped.
    pub fn writes(&self, staff: &Staff, conversation: ConversationId, on: bool) {
        let now = self.clock().now();
        let mut here = self
            .company
            .here
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        here.retain(|_, (_, until)| *until > now);
        let key = (conversation, staff.id);
        let name = staff.secrets.name.clone();
        if on {
            let until = now.saturating_add(WRITES_FOR).unwrap_or(now);
            here.insert(key, (name.clone(), until));
        } else if here.remove(&key).is_none() {
            return;
        }
        drop(here);
        // Nobody listens when nobody has the inbox open.
        let _unheard = self.company.told.send(Writing {
            practice: staff.practice.clone(),
            conversation,
            staff: staff.id,
            name,
            seconds: if on { WRITES_FOR.as_secs() } else { 0 },
        });
    }

    /// Who else writes in a conversation, and for how many seconds more others are told so.
    pub fn others_writing(&self, me: StaffId, conversation: ConversationId) -> Vec<(String, i64)> {
        let now = self.clock().now();
        let here = self
            .company
            .here
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        here.iter()
            .filter(|((at, who), (_, until))| *at == conversation && *who != me && *until > now)
            .map(|(_, (name, until))| (name.clone(), until.duration_since(now).as_secs().max(1)))
            .collect()
    }

    /// Hears of everybody who writes.
    pub fn hear_writing(&self) -> broadcast::Receiver<Writing> {
        self.company.told.subscribe()
    }
}
