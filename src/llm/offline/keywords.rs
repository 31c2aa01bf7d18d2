//! The words by which each topic is known, English and Spanish, folded as `words` folds them.

use crate::llm::offline::days;
use crate::llm::offline::words::Clause;

#[rustfmt::skip]
const MEDICAL: &[&str] = &[
        "pain", "painful", "hurts", "hurt", "hurting", "fever", "rash", "bleeding", "dizzy", "nausea",
        "nauseous", "vomiting", "swollen", "swelling", "symptom*", "side effect", "side effects", "dose",
        "dosage", "should i take", "can i take", "should i stop", "is it safe", "is it ok to take",
        "need to fast", "should i fast", "infection", "infected", "cough", "headache", "headaches", "sick",
        "im pregnant", "blood pressure", "do i have cancer", "itchy", "sore throat", "dolor", "duele",
        "duelen", "fiebre", "sarpullido", "sangrado", "sangrando", "mareo", "mareos", "mareada", "mareado",
        "nauseas", "vomito", "vomitos", "hinchado", "hinchada", "sintoma*", "enferma", "enfermo",
        "efectos secundarios", "dosis", "puedo tomar", "debo tomar", "puedo dejar de tomar", "en ayunas",
        "es seguro tomar", "infeccion", "tos", "embarazada", "presion alta", "me siento mal", "feel bad",
    ];
#[rustfmt::skip]
pub(super) const UNABLE: &[&str] = &[
        "cant make", "cannot make", "can not make", "wont make", "cant come", "cannot come", "cant do",
        "doesnt work", "does not work", "wont work", "no puedo ir", "no puedo asistir", "no puedo llegar",
        "no podre ir", "no voy a poder", "no puedo el", "no me queda bien",
    ];
#[rustfmt::skip]
pub(super) const MOVE: &[&str] = &[
        "reschedul*", "resched*", "re schedule", "move", "moved", "moving", "switch", "postpone", "change",
        "changed", "push back", "push it", "another day", "another time", "different day", "different time",
        "other times", "later time", "earlier time", "sooner", "reprogram*", "reagend*", "cambiar",
        "cambiarla", "cambiarme", "cambio", "cambie", "mover", "moverla", "muevan", "posponer", "aplazar",
        "adelantar", "otro dia", "otra hora", "otra fecha", "pasar mi cita", "pasarla", "pasarla para",
    ];
#[rustfmt::skip]
pub(super) const VISIT: &[&str] = &[
        "appointment", "appointments", "appt", "appts", "apt", "apointment", "appoinment", "visit",
        "visits", "checkup", "cita", "citas", "consulta", "turno",
    ];

#[rustfmt::skip]
pub(super) fn is_assistant(c: &Clause) -> bool {
    let being = c.has(&[
        "robot", "bot", "human", "real", "person", "ai", "machine", "persona", "humano", "maquina",
    ]);
    (being
        && c.has(&[
        "are you", "is this", "am i", "eres", "es usted", "es esto", "hablo con",
    ]))
        || c.has(&[
        "who are you", "who is this", "whos this", "quien eres", "quien es usted", "quien habla",
    ])
}

#[rustfmt::skip]
pub(super) fn is_medical(c: &Clause) -> bool {
    let result_read = c.has(&["result*", "a1c", "test*"])
        && c.has(&[
        "mean", "means", "normal", "bad", "worry", "worried", "significa*", "malo", "grave",
    ]);
    result_read
        || c.has(MEDICAL)
}

#[rustfmt::skip]
pub(super) fn is_late(c: &Clause) -> bool {
    c.has(&[
        "running late", "be late", "im late", "minutes late", "min late", "mins late", "stuck in traffic",
        "llegar tarde", "llego tarde", "voy tarde", "llegare tarde", "atrasad*", "retraso", "retrasad*",
    ])
}

#[rustfmt::skip]
pub(super) fn is_keep(c: &Clause) -> bool {
    c.has(&[
        "dont cancel", "do not cancel", "no cancele", "no cancelen", "never mind", "nevermind", "keep my",
        "keep it", "leave it", "dejelo", "dejalo", "dejela", "olvidelo", "olvidalo",
    ])
}

#[rustfmt::skip]
pub(super) fn is_cancel(c: &Clause) -> bool {
    !c.has(&["cancellation policy", "politica"])
        && c.has(&[
        "cancel", "canceled", "cancelled", "cancelar", "cancele", "cancela", "cancelarla", "cancelen",
        "cancell*", "cancle", "call off", "not coming", "im not going", "wont be coming", "anular",
        "no voy a ir", "ya no voy", "ya no ire",
    ])
}

#[rustfmt::skip]
pub(super) fn asks_whether_confirmed(c: &Clause) -> bool {
    c.has(&["confirm*"])
        && (c.has(&[
        "time", "date", "when", "what", "hora", "cuando", "is my", "is it", "esta", "address",
    ]) && !c.has(&["i confirm", "yo confirmo"]))
}

#[rustfmt::skip]
pub(super) fn is_confirm(c: &Clause) -> bool {
    c.has(&[
        "confirm", "confirmed", "confirming", "confirmo", "confirmar", "confirmada", "confirmado",
        "ill be there", "i will be there", "be there", "see you then", "see you there", "see you tomorrow",
        "im coming", "i am coming", "ill come", "i can make it", "will make it", "ahi estare",
        "alli estare", "estare ahi", "estare alli", "si voy", "si ire", "ahi nos vemos", "nos vemos",
        "asistire", "si asistire",
    ]) && !c.has(&["not", "cant", "no"])
}

#[rustfmt::skip]
pub(super) fn is_paperwork(c: &Clause) -> bool {
    c.has(&[
        "form", "forms", "paperwork", "medical records", "my records", "referral", "referrals",
        "doctors note", "sick note", "school note", "work note", "letter", "fmla", "vaccine record",
        "immunization record", "formulario", "formularios", "expediente", "referido", "remision", "carta",
        "constancia", "justificante", "nota para el trabajo", "nota para la escuela", "historial",
    ])
}

#[rustfmt::skip]
pub(super) fn is_move(c: &Clause) -> bool {
    c.has(MOVE) || c.has(UNABLE) || (c.has(&["instead", "en vez", "mejor"]) && c.has(days::NAMES))
}

#[rustfmt::skip]
pub(super) fn is_refill(c: &Clause) -> bool {
    c.has(&[
        "refill", "refills", "refil", "prescription", "prescriptions", "ran out", "running out",
        "running low", "run out", "out of my", "almost out of", "receta", "recetas", "resurtir",
        "resurtido", "se me acabo", "se me acabaron", "se me acaba", "se me esta acabando", "mas pastillas",
    ])
}

#[rustfmt::skip]
pub(super) fn is_results(c: &Clause) -> bool {
    c.has(&[
        "result", "results", "resutls", "biopsy", "labs", "lab", "bloodwork", "blood work", "blood test",
        "test come back", "a1c", "pathology", "resultado", "resultados", "biopsia", "analisis",
        "laboratorio", "examen de sangre", "prueba de sangre", "papanicolau", "pap smear", "mammogram",
    ])
}

#[rustfmt::skip]
pub(super) fn is_insurance(c: &Clause) -> bool {
    c.has(&[
        "insurance", "insurances", "insured", "aetna", "cigna", "medicare", "medicaid", "medical", "humana",
        "kaiser", "blue cross", "blue shield", "unitedhealthcare", "united healthcare", "covered", "seguro",
        "seguros", "aseguranza", "aseguradora", "medi cal",
    ])
}

#[rustfmt::skip]
pub(super) fn is_billing(c: &Clause) -> bool {
    c.has(&[
        "bill", "bills", "billing", "billed", "invoice", "owe", "copay", "co pay", "payment", "pay",
        "how much", "cost", "costs", "price", "charge", "charged", "charges", "balance", "statement",
        "factura", "facturas", "cobro", "cobraron", "cobrar", "cuanto", "pago", "pagar", "copago", "precio",
        "cuesta", "deuda",
    ])
}

#[rustfmt::skip]
pub(super) fn is_parking(c: &Clause) -> bool {
    c.has(&[
        "park", "parking", "garage", "estacionamiento", "estacionar", "estacionarme", "parqueo", "parquear",
        "parqueadero",
    ])
}

#[rustfmt::skip]
pub(super) fn is_new(c: &Clause) -> bool {
    c.has(&[
        "book", "make an appointment", "make an appt", "make appointment", "schedule an appointment",
        "schedule appointment", "schedule a visit", "schedule a checkup", "schedule an appt",
        "need an appointment", "need an appt", "want an appointment", "new appointment",
        "get an appointment", "set up an appointment", "see the doctor", "see a doctor", "be seen",
        "get in to see", "schedule me", "like an appointment", "sacar cita", "sacar una cita",
        "hacer una cita", "hacer cita", "agendar", "pedir cita", "pedir una cita", "necesito cita",
        "necesito una cita", "quiero una cita", "quisiera una cita", "quiero cita", "nueva cita",
        "otra cita", "una cita nueva", "another appointment", "programar una cita", "ver al doctor",
        "ver a la doctora",
    ])
}

#[rustfmt::skip]
pub(super) fn is_hours(c: &Clause) -> bool {
    c.has(&[
        "hours", "hrs", "open", "opens", "opening", "close", "closes", "closed", "closing", "horario",
        "horarios", "abren", "abre", "abierto", "abiertos", "abierta", "cierran", "cierra", "cerrado",
        "cerrados", "atienden", "trabajan",
    ])
}

#[rustfmt::skip]
pub(super) fn is_phone(c: &Clause) -> bool {
    c.has(&[
        "phone number", "your number", "your phone", "number to call", "the number for", "office number",
        "call you", "call the office", "telefono", "numero de la clinica", "su numero", "llamarlos",
    ])
}

#[rustfmt::skip]
pub(super) fn is_person(c: &Clause) -> bool {
    c.has(&[
        "person", "human", "representative", "operator", "receptionist", "talk to", "speak to",
        "speak with", "talk with", "call me", "call back", "callback", "someone", "somebody", "nurse",
        "front desk", "persona", "humano", "operadora", "recepcionista", "recepcion", "hablar con",
        "llamenme", "llameme", "me llamen", "pueden llamarme", "alguien", "enfermera", "message for",
        "recado", "mensaje para",
    ])
}

#[rustfmt::skip]
pub(super) fn is_who(c: &Clause) -> bool {
    c.has(&[
        "who", "whos", "whom", "which doctor", "what doctor", "which provider", "which dr", "what dr",
        "quien", "que doctor", "que doctora", "cual doctor", "cual doctora", "que medico",
    ])
}

#[rustfmt::skip]
pub(super) fn is_place(c: &Clause) -> bool {
    c.has(&[
        "where", "donde", "what address", "which office", "which location", "que clinica", "wheres",
    ]) && (c.has(VISIT)
        || c.has(&[
        "do i go", "should i go", "do i need to go", "tengo que ir", "debo ir", "voy",
    ]))
}

#[rustfmt::skip]
pub(super) fn is_address(c: &Clause) -> bool {
    c.has(&[
        "where", "wheres", "address", "located", "location", "directions", "how do i get", "get there",
        "donde", "direccion", "ubicacion", "ubicados", "ubicada", "como llego", "queda",
    ])
}

#[rustfmt::skip]
pub(super) fn is_when(c: &Clause) -> bool {
    c.has(&[
        "when", "whens", "wen", "what time", "wat time", "what day", "what date", "cuando", "a que hora",
        "que hora", "que dia", "what days", "upcoming", "coming up",
    ]) || (c.has(VISIT) && !c.has(&["reminder"]))
        || c.has(&["scheduled", "am i booked", "supposed to come", "me toca"])
}

#[rustfmt::skip]
pub(super) fn is_medicine(c: &Clause) -> bool {
    c.has(&[
        "medicine", "medication", "medications", "meds", "pills", "rx", "pharmacy", "medicina",
        "medicamento", "medicamentos", "pastillas", "farmacia",
    ])
}

#[rustfmt::skip]
pub(super) fn is_thanks(c: &Clause) -> bool {
    c.has(&[
        "thanks", "thank", "thankyou", "thx", "ty", "tysm", "gracias", "appreciate",
    ]) || c.is(&[
        "ok", "okay", "k", "kk", "cool", "great", "perfect", "sounds good", "got it", "awesome", "good",
        "vale", "bueno", "listo", "perfecto", "de acuerdo", "entendido", "okey", "esta bien", "muy bien",
        "great",
    ])
}

#[rustfmt::skip]
pub(super) fn is_hello(c: &Clause) -> bool {
    c.has(&[
        "hi", "hello", "hey", "hola", "good morning", "good afternoon", "good evening", "buenos dias",
        "buenas tardes", "buenas noches", "buenas", "saludos",
    ])
}

#[rustfmt::skip]
pub(super) fn is_no(c: &Clause) -> bool {
    c.is(&[
        "no", "nope", "nah", "no thanks", "no gracias", "nada", "no thank you", "no quiero",
    ])
}

#[rustfmt::skip]
pub(super) fn is_bare(c: &Clause) -> bool {
    c.is(&[
        "yes", "y", "yeah", "yep", "si", "sure", "claro", "please", "por favor", "1", "2", "3", "help",
        "ayuda", "excuse me", "disculpe", "question", "una pregunta", "i have a question",
        "tengo una pregunta",
    ])
}
