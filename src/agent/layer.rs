//! Layer: a record before another record. It hands every question on but those that it answers itself.

use jiff::Timestamp;

use crate::agent::ports::{BoxFuture, Records, RecordsError};
use crate::domain::ids::{AppointmentId, PatientId, PracticeId, RequestId, SlotId};
use crate::domain::phone::E164;
use crate::domain::record::{
    Appointment, AppointmentStatus, Clinical, Filed, NewVisit, Note, Patient, Place, Provider,
    Request, RequestKind, Slot,
};
use crate::policy::words::Language;

/// A question of the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name, as [`Records`] spells it.
    pub name: &'static str,
    /// Whether it changes the record.
    pub writes: bool,
}

macro_rules! layer {
    ($($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        /// A record before another: what it does not answer itself is handed on, so that a new
        /// question of the port needs no word here and in none of the layers. A layer is a
        /// [`Records`] by that alone.
        pub trait RecordsLayer: Send + Sync + std::fmt::Debug {
            /// The record behind, for this practice.
            fn behind(&self, practice: &PracticeId) -> &dyn Records;

            /// What becomes of a question that is handed on; by itself, nothing.
            fn around<'a, T: Send + 'a>(
                &'a self,
                _call: Call,
                work: BoxFuture<'a, Result<T, RecordsError>>,
            ) -> BoxFuture<'a, Result<T, RecordsError>> {
                work
            }

            $(
                #[doc = concat!("As [`Records::", stringify!($name), "`].")]
                fn $name<'a>(
                    &'a self,
                    practice: &'a PracticeId,
                    $($argument: $type),*
                ) -> BoxFuture<'a, Result<$answer, RecordsError>> {
                    let call = Call { name: stringify!($name), writes: layer!(@ $kind) };
                    self.around(call, self.behind(practice).$name(practice, $($argument),*))
                }
            )+
        }

        impl<L: RecordsLayer> Records for L {
            $(fn $name<'a>(
                &'a self,
                practice: &'a PracticeId,
                $($argument: $type),*
            ) -> BoxFuture<'a, Result<$answer, RecordsError>> {
                RecordsLayer::$name(self, practice, $($argument),*)
            })+
        }
    };
    (@ reads) => { false };
    (@ writes) => { true };
}

layer! {
    reads patients_by_phone(number: &'a E164) -> Vec<Patient>;
    reads patients_named(words: &'a [String], limit: usize) -> Vec<Patient>;
    reads patient(patient: &'a PatientId) -> Option<Patient>;
    reads appointments(patient: &'a PatientId, from: Timestamp) -> Vec<Appointment>;
    reads visits_of(patient: &'a PatientId, from: Timestamp) -> Vec<Appointment>;
    reads visits_between(from: Timestamp, to: Timestamp) -> Vec<Appointment>;
    reads slots(from: Timestamp, to: Timestamp, limit: usize) -> Vec<Slot>;
    writes set_status(patient: &'a PatientId, appointment: &'a AppointmentId, status: AppointmentStatus, key: &'a str) -> Appointment;
    writes reschedule(patient: &'a PatientId, appointment: &'a AppointmentId, slot: &'a SlotId, key: &'a str) -> Appointment;
    writes book(patient: &'a PatientId, visit: &'a NewVisit, key: &'a str) -> Appointment;
    writes file(patient: &'a PatientId, request: &'a Request, key: &'a str) -> Filed;
    reads filed(patient: &'a PatientId, kind: RequestKind) -> Vec<Filed>;
    reads waitlist() -> Vec<Place>;
    writes withdraw(patient: &'a PatientId, request: &'a RequestId, key: &'a str) -> ();
    writes prefer_language(patient: &'a PatientId, language: Language, key: &'a str) -> ();
    writes note(patient: &'a PatientId, note: &'a Note, key: &'a str) -> ();
    reads clinical(patient: &'a PatientId) -> Vec<Clinical>;
    reads providers() -> Vec<Provider>;
}
