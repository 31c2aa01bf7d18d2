//! Identifiers, one type each, so that one kind is never taken for another.

use serde::{Deserialize, Serialize};

/// Defines a number assigned by the store, never reused, never zero.
macro_rules! number_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

number_id! {
    /// One phone number talking with one sender number of one practice on one channel.
    ConversationId,
    /// One text in a conversation, either direction.
    TurnId,
    /// One cleared text waiting to leave, or gone.
    OutboxId,
    /// One draft that waits for staff.
    HoldId,
    /// One alarm that a patient's text raised.
    AlarmId,
}

/// Defines an identifier that somebody else assigned: a slug or a FHIR id.
macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(String);

        impl $name {
            /// Wraps an identifier as its owner spells it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The identifier as its owner spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_id! {
    /// A practice's slug, also the last part of its webhook addresses.
    PracticeId,
    /// A patient's id in the record system (FHIR `Patient.id`).
    PatientId,
    /// An appointment's id in the record system (FHIR `Appointment.id`).
    AppointmentId,
    /// A free slot's id in the record system (FHIR `Slot.id`).
    SlotId,
    /// A request's id in the record system (FHIR `Task/1`, `Communication/2`).
    RequestId,
}
