//! The words by which wishes beyond the calendar are known: the waitlist, copies of the record, calls,
//! messages, languages.

use crate::llm::offline::keywords::MEDICINE;
use crate::llm::offline::words::Clause;

/// A copy of one's own record.
#[rustfmt::skip]
pub(super) fn is_records(c: &Clause) -> bool {
    c.has(&[
        "medical records", "medical record", "my records", "my record", "health records", "copy of my chart",
        "my chart", "expediente", "historial", "historia clinica", "mis registros",
    ]) && !c.has(&["vaccine", "immunization", "vacunas"])
}

#[rustfmt::skip]
pub(super) fn is_waitlist(c: &Clause) -> bool {
    c.has(&["waitlist", "wait list", "waiting list", "cancellation list", "lista de espera"])
}

#[rustfmt::skip]
pub(super) fn leaves_waitlist(c: &Clause) -> bool {
    is_waitlist(c) && c.has(&[
        "off", "remove", "leave", "out of", "no longer", "dont need", "quitar", "quiteme", "quitenme",
        "salir", "borrar", "borreme", "saqueme", "ya no",
    ])
}

#[rustfmt::skip]
pub(super) fn is_preparation(c: &Clause) -> bool {
    c.has(&[
        "prepare", "preparation", "get ready for", "prep for", "preparo", "prepararme", "preparacion",
        "preparar",
    ]) && !c.has(MEDICINE)
}

#[rustfmt::skip]
pub(super) fn is_new_patient(c: &Clause) -> bool {
    c.has(&[
        "new patient", "new patients", "become a patient", "accepting patients", "taking patients",
        "paciente nuevo", "paciente nueva", "pacientes nuevos", "ser paciente",
    ])
}

#[rustfmt::skip]
pub(super) fn wants_spanish(c: &Clause) -> bool {
    c.has(&[
        "text me in spanish", "write in spanish", "write me in spanish", "spanish please", "prefer spanish",
        "messages in spanish", "texts in spanish", "switch to spanish", "en espanol por favor",
        "escribame en espanol", "escribanme en espanol", "mensajes en espanol", "prefiero espanol",
        "prefiero en espanol", "prefiero el espanol", "espanol por favor",
    ])
}

#[rustfmt::skip]
pub(super) fn wants_english(c: &Clause) -> bool {
    c.has(&[
        "text me in english", "write in english", "write me in english", "english please", "prefer english",
        "messages in english", "texts in english", "switch to english", "en ingles por favor",
        "prefiero ingles", "prefiero en ingles", "ingles por favor",
    ])
}

#[rustfmt::skip]
pub(super) fn is_callback(c: &Clause) -> bool {
    c.has(&[
        "call me", "call back", "callback", "give me a call", "llamenme", "llameme", "me llamen",
        "me llame", "pueden llamarme", "puede llamarme", "devolver la llamada",
    ])
}

#[rustfmt::skip]
pub(super) fn is_message(c: &Clause) -> bool {
    c.has(&[
        "message for", "message to", "tell the doctor", "tell dr", "tell my doctor", "tell the nurse",
        "let the doctor know", "let dr", "let my doctor know", "recado", "mensaje para", "digale al doctor",
        "digale a la doctora", "avisele al doctor", "avisele a la doctora",
    ])
}
