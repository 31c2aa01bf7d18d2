//! Alarms: what a patient's text raised for staff, with a clock that runs until a person has it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::{AlarmId, ConversationId, PracticeId, TurnId};
use crate::policy::words::vocabulary;

vocabulary! {
    /// What kind of alarm, in the screen's words.
    AlarmKind, "alarm kind" {
        /// A medical emergency.
        Emergency = "emergency",
        /// Suicide or self-harm.
        Crisis = "crisis",
        /// Poison or overdose.
        Poison = "poison",
        /// Abuse, of the writer or of somebody else.
        Abuse = "abuse",
        /// A threat to somebody else.
        Harm = "harm",
    }
}

/// How long staff have to say that they have it, and how long it then takes until it is repeated:
/// the patient was told to call 911, 988 or Poison Help at once, and this clock is for the person
/// who looks whether they did.
pub const ACKNOWLEDGE_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// An alarm that nobody takes for an hour is repeated each hour: it never falls silent by itself,
/// and the log of a closed office does not drown in it.
const OFTEN: u32 = 12;
const SELDOM: SignedDuration = SignedDuration::from_hours(1);

/// When an alarm that has been repeated so many times is next due.
pub fn due_after(now: Timestamp, repeated: u32) -> Timestamp {
    let pause = if repeated < OFTEN {
        ACKNOWLEDGE_WITHIN
    } else {
        SELDOM
    };
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its number.
    pub id: AlarmId,
    /// Whose patient wrote.
    pub practice: PracticeId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// The text that raised it.
    pub turn: TurnId,
    /// What kind.
    pub kind: AlarmKind,
    /// When the text came.
    pub raised: Timestamp,
    /// When it is repeated, if nobody has it by then; none once somebody has.
    pub due: Option<Timestamp>,
    /// How many times it has been repeated.
    pub repeated: u32,
    /// Who has it.
    pub acknowledged_by: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_stops_by_itself() {
        let now = Timestamp::UNIX_EPOCH;
        let minutes = |repeated| due_after(now, repeated).duration_since(now).as_mins();
        assert_eq!(minutes(0), 5);
        assert_eq!(minutes(11), 5);
        assert_eq!(minutes(12), 60);
        assert_eq!(minutes(u32::MAX), 60);
    }
}
