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
        "lost my balance", "hit my head", "fell", "fallen", "me cai", "throwing up", "threw up", "puking", "diarrhea", "diarrea", "cramp*",
        "calambre*", "burning", "numb", "tingling", "lump", "hives", "allergic", "alergia", "uti", "stomach",
        "estomago", "cant sleep", "no puedo dormir", "insomnia", "anxiety", "anxious", "ansiedad", "panic",
        "depressed", "deprimid*", "sprain*", "broken bone", "broke my", "std", "sti", "burns", "pee", "what does it mean", "what does that mean", "cancer*",
        "is it bad", "is it serious", "que significa", "es grave", "es malo", "be worried", "should i worry",
        "preocuparme", "positive or negative", "positivo o negativo", "have to fast", "fasting", "fast for",
        "ayuno", "flu symptoms", "contagious", "eat before", "drink before", "eat or drink", "comer antes",
        "me arde", "me pica", "vomitando", "bulto", "me lastime", "me siento", "feeling bad", "feel sick",
        "feeling well", "feel good", "feel well", "feeling worse", "getting worse", "worse", "swell*",
        "bleed", "is that normal", "is it normal", "es normal", "tomar antes",
        "efectos secundarios", "dosis", "puedo tomar", "debo tomar", "puedo dejar de tomar", "en ayunas",
        "es seguro tomar", "infeccion", "tos", "embarazada", "presion alta", "me siento mal", "feel bad",
    ];
/// What medicines are also named by.
#[rustfmt::skip]
const REFILLED_FOR: &[&str] = &[
        "pain", "fever", "rash", "cough", "headache", "headaches", "blood pressure", "nausea", "infection",
        "presion alta", "tos", "dolor", "dose", "dosage", "dosis", "itchy", "anxiety", "ansiedad", "stomach",
        "estomago", "alergia", "allergic", "uti", "insomnia", "fiebre", "infeccion",
    ];
/// None of the offered times.
#[rustfmt::skip]
pub(super) const REFUSED: &[&str] = &[
        "none of those", "none of these", "none of them", "none work", "neither", "none", "dont work",
        "do not work", "doesnt work", "ninguna", "ninguno", "no me sirve", "no me sirven", "no me queda",
    ];
#[rustfmt::skip]
pub(super) const UNABLE: &[&str] = &[
        "cant make", "cannot make", "can not make", "wont make", "cant come", "cannot come", "cant do",
        "doesnt work", "does not work", "wont work", "no puedo ir", "no puedo asistir", "no puedo llegar",
        "no puedo ese", "no puedo esa", "no puedo a esa", "cant that day", "cant on", "not able to make",
        "unable to make", "no alcanzo", "none of those", "none of these", "none of them", "none work",
        "neither works", "neither", "none", "dont work", "do not work", "ninguna", "ninguno", "no me sirve",
        "no me sirven", "no me queda",
        "no podre ir", "no voy a poder", "no puedo el", "no me queda bien",
    ];
#[rustfmt::skip]
pub(super) const MOVE: &[&str] = &[
        "reschedul*", "resched*", "re schedule", "move", "moved", "moving", "switch", "postpone", "change",
        "changed", "push back", "push it", "another day", "another time", "different day", "different time",
        "other times", "later time", "earlier time", "sooner", "reprogram*", "reagend*", "cambiar",
        "cambiarla", "cambiarme", "cambio", "cambie", "mover", "moverla", "muevan", "posponer", "aplazar",
        "slot", "slots", "openings", "availability", "available", "anything earlier", "anything later",
        "anything sooner", "anything after", "anything before", "anything else", "anything in", "anything on",
        "something earlier", "something sooner", "something later", "any other times", "other options",
        "come earlier", "come in earlier", "come later", "earlier appointment", "earlier appt",
        "earlier that day", "later that day", "any earlier", "any sooner", "mas temprano", "algo mas tarde",
        "hora mas tarde", "cita mas tarde", "tienen algo", "hay algo", "otras horas", "otro horario",
        "disponible*", "disponibilidad",
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
        "son", "estoy hablando", "are you", "is this", "am i", "eres", "es usted", "es esto", "hablo con",
    ]))
        || c.has(&[
        "who dis", "who am i texting", "con quien hablo",
        "who are you", "who is this", "whos this", "quien eres", "quien es usted", "quien habla",
    ])
        || c.is(&["quien es", "who is it", "who"])
}

#[rustfmt::skip]
pub(super) fn is_medical(c: &Clause) -> bool {
    let result_read = c.has(&["result*", "a1c", "test*"])
        && c.has(&[
        "mean", "means", "normal", "bad", "worry", "worried", "significa*", "malo", "grave",
    ]);
    if is_refill(c) {
        // "Refill my blood pressure pills" tells what they are for.
        return MEDICAL.iter().any(|key| c.has(&[*key]) && !REFILLED_FOR.contains(key));
    }
    (result_read || c.has(MEDICAL)) && !c.has(&["sick note", "note", "nota", "justificante"])
}

#[rustfmt::skip]
pub(super) fn is_late(c: &Clause) -> bool {
    c.has(&[
        "on my way", "en camino", "minutos tarde", "min tarde",
        "running late", "be late", "im late", "minutes late", "min late", "mins late", "stuck in traffic",
        "llegar tarde", "llego tarde", "voy tarde", "llegare tarde", "atrasad*", "retraso", "retrasad*",
    ])
}

#[rustfmt::skip]
pub(super) fn is_keep(c: &Clause) -> bool {
    c.has(&[
        "dont cancel", "do not cancel", "no cancele", "no cancelen", "never mind", "nevermind", "keep my",
        "keep it", "leave it", "keep the", "changed my mind", "forget it", "no importa", "asi dejelo", "dejelo", "dejalo", "dejela", "olvidelo", "olvidalo",
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

/// "Did you move it?" asks how things stand and changes nothing.
#[rustfmt::skip]
pub(super) fn asks_whether_done(c: &Clause) -> bool {
    c.has(&[
        "did you", "did it", "was it", "has it been", "have you", "is it cancelled", "is it canceled",
        "is it moved", "is it still", "still on", "ya cambiaron", "ya cancelaron", "ya movieron",
        "si cambiaron", "si cancelaron", "sigue en pie", "todavia tengo",
    ]) && c.has(&[
        "move", "moved", "change", "changed", "cancel", "cancelled", "canceled", "reschedul*", "go through",
        "appointment", "appt", "visit", "cambiaron", "cancelaron", "movieron", "cita", "still on", "pie",
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
        "note for work", "note for school", "a note", "form", "forms", "paperwork", "medical records", "my records", "referral", "referrals",
        "doctors note", "sick note", "school note", "work note", "letter", "fmla", "vaccine record",
        "immunization record", "formulario", "formularios", "expediente", "referido", "remision", "carta",
        "constancia", "justificante", "nota para el trabajo", "nota para la escuela", "historial",
    ])
}

/// What the record is to hold from now on: staff enter it.
#[rustfmt::skip]
pub(super) fn is_own_details(c: &Clause) -> bool {
    let changes = c.has(&[
        "my new", "changed", "change my", "update", "updated", "updating", "new phone", "new number",
        "new address", "new email", "new cell", "is now", "number now", "mi nuevo", "mi nueva", "nuevo numero",
        "nueva direccion", "cambio", "cambie", "cambiar mi", "cambiaron", "actualizar", "actualice",
    ]);
    let details = c.has(&[
        "phone", "number", "address", "email", "cell", "last name", "emergency contact", "insurance", "telefono",
        "numero", "direccion", "correo", "celular", "apellido", "contacto de emergencia", "seguro",
    ]);
    (changes && details && !c.has(VISIT))
        || c.has(&["i moved to", "we moved to", "just moved to", "me mude a", "nos mudamos a"])
}

/// A wish that none of the topics covers.
#[rustfmt::skip]
pub(super) fn is_wish(c: &Clause) -> bool {
    c.has(&[
        "i need", "i want", "i would like", "id like", "necesito", "quiero", "quisiera", "me gustaria",
    ]) && c.words.len() > 2 && !c.has(days::NAMES)
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
    ]) && !is_uninsured(c)
        && !c.has(&["how much", "cuanto"])
}

#[rustfmt::skip]
fn is_uninsured(c: &Clause) -> bool {
    c.has(&[
        "dont have insurance", "no insurance", "without insurance", "uninsured", "self pay", "sin seguro",
        "no tengo seguro", "lost my insurance",
    ])
}

#[rustfmt::skip]
pub(super) fn is_billing(c: &Clause) -> bool {
    is_uninsured(c) || c.has(&[
        "bill", "bills", "billing", "billed", "invoice", "owe", "copay", "co pay", "payment", "pay",
        "how much", "cost", "costs", "price", "charge", "charged", "charges", "balance", "statement",
        "recibo", "factura", "facturas", "cobro", "cobraron", "cobrar", "cuanto", "pago", "pagar", "copago", "precio",
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
        "new patient", "new patients", "become a patient", "accepting patients", "taking patients",
        "paciente nuevo", "paciente nueva", "pacientes nuevos", "ser paciente",
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

/// Hours on a day that weekly hours say nothing about.
#[rustfmt::skip]
pub(super) fn is_holiday(c: &Clause) -> bool {
    c.has(&[
        "thanksgiving", "christmas", "xmas", "new years", "new year", "holiday", "holidays", "labor day",
        "memorial day", "july 4th", "4th of july", "fourth of july", "easter", "navidad", "nochebuena",
        "ano nuevo", "feriado", "feriados", "festivo", "festivos", "accion de gracias", "semana santa",
    ]) && is_hours(c)
}

#[rustfmt::skip]
pub(super) fn is_fax(c: &Clause) -> bool {
    c.has(&["fax"])
}

#[rustfmt::skip]
pub(super) fn is_email(c: &Clause) -> bool {
    c.has(&["your email", "email address", "email you", "e mail", "su correo", "correo electronico"])
}

#[rustfmt::skip]
pub(super) fn is_website(c: &Clause) -> bool {
    c.has(&["website", "web site", "webpage", "sitio web", "pagina web", "pagina de internet"])
}

#[rustfmt::skip]
pub(super) fn is_languages(c: &Clause) -> bool {
    c.has(&[
        "speak spanish", "speak english", "speaks spanish", "speak espanol", "spanish speaking",
        "speak chinese", "what languages", "which languages", "interpreter", "translator", "habla espanol",
        "hablan espanol", "hablan ingles", "habla ingles", "que idiomas", "interprete", "traductor",
        "in spanish", "en espanol",
    ])
}

#[rustfmt::skip]
pub(super) fn is_accessibility(c: &Clause) -> bool {
    c.has(&[
        "wheelchair", "ramp", "elevator", "handicap*", "silla de ruedas", "rampa", "elevador", "ascensor",
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
        "with dr", "with doctor", "con la doctora", "con el doctor", "con el dr", "con la dra",
        "is it with", "is that with", "is this with", "is my appointment with", "es con", "sera con",
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
        "find you", "cant find", "cannot find", "find the building", "how far", "que tan lejos", "no encuentro",
        "where", "wheres", "address", "located", "location", "directions", "how do i get", "get there",
        "donde", "direccion", "ubicacion", "ubicados", "ubicada", "como llego", "queda",
    ]) && !c.has(&["how early", "how soon", "que tan temprano", "can you come"]) && !c.has(MEDICINE)
}

#[rustfmt::skip]
pub(super) fn is_when(c: &Clause) -> bool {
    let other_thing = c.has(&["ready", "they be", "call me", "hear back", "listo", "listos", "lista", "listas"]);
    if other_thing && !c.has(VISIT) {
        return false;
    }
    c.has(&[
        "what was that again", "say that again", "repeat that", "what did you say", "como dijo", "repita",
        "my time", "new time", "is it at", "mi hora", "la hora", "es a las",
    ]) || c.has(&[
        "when", "whens", "wen", "what time", "wat time", "what day", "what date", "cuando", "a que hora",
        "que hora", "que dia", "what days", "upcoming", "coming up",
    ]) || (c.has(VISIT) && !asks_about_visit(c))
        || c.has(&["scheduled", "am i booked", "supposed to come", "me toca"])
}

/// Something about a visit that its day and hour do not answer.
#[rustfmt::skip]
fn asks_about_visit(c: &Clause) -> bool {
    c.has(&[
        "reminder", "reminders", "how long", "bring", "can my", "come with", "prepare", "wear", "video",
        "telehealth", "virtual", "zoom", "phone visit", "by phone", "why", "what for", "reason", "record",
        "cuanto dura", "cuanto tiempo", "llevar", "traer", "videollamada", "por telefono", "por que",
        "para que es", "recordatorio", "acompanar", "puede venir", "puede ir", "late fee", "no show", "missed",
        "falte", "perdi",
    ])
}

#[rustfmt::skip]
pub(super) fn is_medicine(c: &Clause) -> bool {
    c.has(MEDICINE) && c.has(&[
        "need", "want", "send", "get", "more", "order", "out", "low", "call in", "pick up", "ready", "renew",
        "left", "another", "new", "necesito", "quiero", "mande", "manden", "mandar", "mas", "renovar", "lista",
        "listo", "recojo", "recoger", "acabo", "pedir", "ocupo", "surtir", "faltan",
    ]) && !c.has(&["what", "which", "how", "why", "who", "cual", "cuales", "que", "como"])
}

#[rustfmt::skip]
const MEDICINE: &[&str] = &[
    "medicine", "medication", "medications", "meds", "pills", "rx", "pharmacy", "medicina", "medicamento",
    "medicamentos", "pastillas", "farmacia",
];

/// Something about a medicine that is no wish for more of it.
#[rustfmt::skip]
pub(super) fn is_about_medicine(c: &Clause) -> bool {
    c.has(MEDICINE) && !names_a_person(c)
}

/// "What medications is Maria taking": not a question of one's own.
#[rustfmt::skip]
fn names_a_person(c: &Clause) -> bool {
    c.has(&["is", "toma", "taking"]) && !c.has(&["my", "i", "im", "me", "mi", "mis", "esta"])
}

#[rustfmt::skip]
pub(super) fn is_thanks(c: &Clause) -> bool {
    c.has(&[
        "thanks", "thank", "thankyou", "thx", "ty", "tysm", "gracias", "appreciate",
    ]) || c.is(&[
        "ok", "okay", "k", "kk", "cool", "great", "perfect", "sounds good", "got it", "awesome", "good",
        "vale", "bueno", "listo", "perfecto", "de acuerdo", "entendido", "okey", "esta bien", "muy bien",
        "no problem", "np", "lol", "haha", "jaja", "jajaja", "will do", "bye", "goodbye", "bye bye", "adios",
        "hasta luego", "good night", "see ya", "have a good day", "have a nice day", "igualmente",
        "bendiciones", "nice", "ok cool", "ok great", "ok good", "okay great", "alright", "ok bye", "ok perfect",
    ])
}

#[rustfmt::skip]
pub(super) fn is_hello(c: &Clause) -> bool {
    c.has(&[
        "hi", "hello", "hey", "hola", "good morning", "good afternoon", "good evening", "buenos dias",
        "hiya", "heyy", "heyyy", "hii", "hellooo", "good day", "buen dia", "que tal", "greetings",
        "buenas tardes", "buenas noches", "buenas", "saludos",
    ])
}

#[rustfmt::skip]
pub(super) fn is_no(c: &Clause) -> bool {
    c.is(&[
        "no", "nope", "nah", "no thanks", "no gracias", "nada", "no thank you", "no quiero", "actually no", "no actually",
        "wait no", "no wait", "no dont", "please dont", "no please dont", "no sorry", "no dont do that",
        "mejor no", "pensandolo bien no", "no no", "ay no", "not anymore", "no por favor", "dont", "no lo haga",
        "no la cancele", "oh no", "hmm no", "no i dont", "i dont", "no mejor no", "siempre no", "mejor ya no",
    ])
}

#[rustfmt::skip]
pub(super) fn is_bare(c: &Clause) -> bool {
    c.is(&[
        "maybe", "idk", "hmm", "what", "huh", "no se", "quizas", "tal vez", "a ver", "yo", "sup", "test",
        "testing", "prueba", "ok so", "so", "you there", "are you there", "anyone there", "hay alguien",
        "yes", "y", "yeah", "yep", "si", "sure", "claro", "please", "por favor", "1", "2", "3", "help",
        "ayuda", "excuse me", "disculpe", "question", "una pregunta", "i have a question",
        "tengo una pregunta",
    ])
}
