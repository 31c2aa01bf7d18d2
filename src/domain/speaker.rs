//! Who writes from a number: a number is a way to reach somebody, not who they are.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::consent::{Consent, Doubt};
use crate::domain::ids::PatientId;
use crate::domain::practice::IdentifyBy;

/// How long one person is taken for the writer on a phone that several share. Two people who hand a
/// phone to each other rarely do so within one conversation; portals end idle sessions as soon.
pub const SESSION: SignedDuration = SignedDuration::from_mins(30);

/// Birth dates that belong to nobody before staff take over: a typo or two, never a search.
pub const MISSES_MAX: u8 = 3;

/// What is known of who writes from a number, beside the one person who is taken for the writer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Speaker {
    /// Why the number may be another's now; until somebody shows who they are.
    pub doubt: Option<Doubt>,
    /// Whether the record knows several people at this number.
    pub shared: bool,
    /// When the writer last showed who they are.
    pub shown: Option<Timestamp>,
    /// Birth dates given since then that belong to nobody here.
    pub misses: u8,
    /// Whether this line is closed by a STOP that was said on another line of the practice: START
    /// there lifts it here as well.
    pub closed_elsewhere: bool,
    /// The consent of the other people at this number.
    pub others: Vec<PersonConsent>,
}

/// The consent of one person, kept while another writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonConsent {
    /// Who.
    pub patient: PatientId,
    /// What they agreed to.
    pub consent: Consent,
}

/// Who is taken for the writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writer {
    /// This person: the only one at the number, or one who showed it in this session.
    Known(PatientId),
    /// The record knows nobody here, several people, or somebody who may be gone: nobody is assumed.
    Unsure,
}

impl Speaker {
    /// Who writes, given the people that the record knows at this number and the one who was taken
    /// for the writer so far. Where a number alone shows nothing, the only person at it is known who
    /// showed it once, or to whom the practice itself has written there.
    pub fn writer(
        &self,
        so_far: Option<&PatientId>,
        (candidates, by): (&[PatientId], IdentifyBy),
        last_inbound: Option<Timestamp>,
        now: Timestamp,
    ) -> Writer {
        let shown = |who: &PatientId| {
            let awake = last_inbound.is_none_or(|last| now.duration_since(last) < SESSION);
            self.shown.is_some() && awake && so_far == Some(who)
        };
        match candidates {
            [only]
                if self.doubt.is_none() && (by == IdentifyBy::Number || so_far == Some(only)) =>
            {
                Writer::Known(only.clone())
            }
            several => several
                .iter()
                .find(|who| shown(who))
                .map_or(Writer::Unsure, |who| Writer::Known(who.clone())),
        }
    }
}
