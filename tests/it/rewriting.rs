//! What a patient reads after a rewrite: whole sentences, one link, date and doctor kept.

#![cfg(test)]

use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::review::Review;
use anteroom::guardrail::segment::SEGMENTS_MAX;
use anteroom::guardrail::setting::Author;
use anteroom::guardrail::setting::Consent;
use anteroom::guardrail::setting::Fact;
use anteroom::guardrail::setting::Relation;
use anteroom::guardrail::setting::Setting;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::policy::words::Purpose;

const URL: &str = "https://portal.example.com";
const FACTS: &[Fact<'static>] = &[
    Fact {
        field: "appointment.start",
        value: "2026-12-02T15:00:00-08:00",
    },
    Fact {
        field: "appointment.provider",
        value: "Dr. Ana Reyes",
    },
    Fact {
        field: "appointment.location",
        value: "Lakeside Annex, 210 Harbor Street",
    },
    Fact {
        field: "practice.hours",
        value: "Monday to Friday, 8:00 AM to 5:00 PM",
    },
    Fact {
        field: "patient.first_name",
        value: "Katherine",
    },
    Fact {
        field: "billing.balance",
        value: "$40.00",
    },
];

/// A draft, and what is left of it before the link.
const REWRITES: &[(Language, &str, &str)] = &[
    (
        Language::En,
        "Reminder: MRI tomorrow at 3.",
        "Reminder: visit tomorrow at 3.",
    ),
    (
        Language::En,
        "Your dermatology follow-up is tomorrow at 3 PM.",
        "Your follow-up is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "See you tomorrow at 3 PM for your colonoscopy with Dr. Reyes.",
        "See you tomorrow at 3 PM with Dr. Reyes.",
    ),
    (
        Language::En,
        "Your mammogram is on Wednesday, December 2 at 3 PM at the Lakeside Annex.",
        "Your visit is on Wednesday, December 2 at 3 PM at the Lakeside Annex.",
    ),
    (
        Language::En,
        "Hi Katherine, your A1c was 9.2%. Please see Dr. Reyes tomorrow at 3 PM.",
        "Please see Dr. Reyes tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your lab results are in. Your cholesterol is high. See you tomorrow at 3.",
        "See you tomorrow at 3.",
    ),
    (
        Language::En,
        "Your visit with Dr. Reyes about your anxiety is tomorrow at 3 PM.",
        "Your visit with Dr. Reyes is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Dr. Reyes wants to talk about your biopsy tomorrow at 3.",
        "Dr. Reyes wants to talk tomorrow at 3.",
    ),
    (
        Language::En,
        "Your metformin refill is ready and your visit is tomorrow at 3 PM.",
        "Your refill is ready and your visit is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your appointment (colonoscopy) with Dr. Reyes is tomorrow at 3 PM.",
        "Your appointment with Dr. Reyes is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Colonoscopy - tomorrow, 3 PM - Dr. Reyes",
        "Tomorrow, 3 PM - Dr. Reyes.",
    ),
    (
        Language::En,
        "Appt: 12/2 3:00 PM, Dr. Reyes, Reason: depression follow-up",
        "Appt: 12/2 3:00 PM, Dr. Reyes.",
    ),
    (
        Language::En,
        "Your knee X-ray and your visit are both tomorrow at 3.",
        "Your visit is tomorrow at 3.",
    ),
    (
        Language::En,
        "Thanks for asking. Your strep test was negative, so no antibiotics are needed. Your next visit is tomorrow at 3 PM.",
        "Thanks for asking. Your next visit is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Bring your insulin, your ID and your insurance card tomorrow.",
        "Bring your ID and your insurance card tomorrow.",
    ),
    (
        Language::En,
        "Your pregnancy test, your Pap and your visit with Dr. Reyes are tomorrow at 3.",
        "Your visit with Dr. Reyes is tomorrow at 3.",
    ),
    (
        Language::En,
        "Tomorrow at 3 PM: physical therapy for your shoulder with Dr. Reyes.",
        "Tomorrow at 3 PM: visit with Dr. Reyes.",
    ),
    (
        Language::En,
        "Hello! Just a reminder that you have a chemo session tomorrow at 3:00 PM. Reply C to confirm.",
        "Hello! Just a reminder that you have a visit tomorrow at 3:00 PM. Reply C to confirm.",
    ),
    (
        Language::En,
        "Your balance is $40. Your diabetes visit is tomorrow at 3.",
        "Your visit is tomorrow at 3.",
    ),
    (
        Language::En,
        "Does 3 PM tomorrow still work for your ultrasound?",
        "Does 3 PM tomorrow still work?",
    ),
    (
        Language::En,
        "Don't forget your 3 PM therapy session tomorrow!",
        "Don't forget your 3 PM visit tomorrow!",
    ),
    (
        Language::En,
        "Your annual physical and flu shot are tomorrow at 3 PM.",
        "Your annual physical is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your son's ADHD evaluation is tomorrow at 3 PM.",
        "Your son's visit is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your cardiologist, Dr. Reyes, will see you tomorrow at 3 PM.",
        "Your provider, Dr. Reyes, will see you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "REMINDER: PAP SMEAR TOMORROW 3PM DR REYES",
        "REMINDER: VISIT TOMORROW 3PM DR REYES.",
    ),
    (
        Language::Es,
        "Le recordamos su colonoscopia mañana a las 3 p. m. con la Dra. Reyes.",
        "Le recordamos su cita mañana a las 3 p. m. con la Dra. Reyes.",
    ),
    (
        Language::Es,
        "Su mamografía es el miércoles 2 de diciembre a las 3:00 p. m.",
        "Su cita es el miércoles 2 de diciembre a las 3:00 p. m.",
    ),
    (
        Language::Es,
        "Hola, Katherine. Su azúcar salió alta. Nos vemos mañana a las 3.",
        "Hola, Katherine. Nos vemos mañana a las 3.",
    ),
    (
        Language::Es,
        "Su cita de dermatología es mañana a las 3.",
        "Su cita es mañana a las 3.",
    ),
    (
        Language::Es,
        "Su cita con la Dra. Reyes por su ansiedad es mañana a las 3.",
        "Su cita con la Dra. Reyes es mañana a las 3.",
    ),
    (
        Language::Es,
        "Traiga su insulina, su identificación y su tarjeta del seguro mañana.",
        "Traiga su identificación y su tarjeta del seguro mañana.",
    ),
    (
        Language::Es,
        "Sus análisis de sangre salieron bien. Su próxima cita es mañana a las 3.",
        "Su próxima cita es mañana a las 3.",
    ),
    (
        Language::Es,
        "Recordatorio: resonancia mañana a las 3.",
        "Recordatorio: cita mañana a las 3.",
    ),
    (
        Language::Es,
        "Cita: 2/12 3:00 PM, Dra. Reyes, motivo: depresión",
        "Cita: 2/12 3:00 PM, Dra. Reyes.",
    ),
    (
        Language::Es,
        "¿Le sirve mañana a las 3 para su ultrasonido?",
        "¿Le sirve mañana a las 3?",
    ),
    (
        Language::Es,
        "Su receta de metformina está lista y su cita es mañana a las 3.",
        "Su receta está lista y su cita es mañana a las 3.",
    ),
    (
        Language::Es,
        "Su terapia es mañana a las 3 p. m.",
        "Su cita es mañana a las 3 p. m.",
    ),
    (
        Language::Es,
        "La vacuna y el examen físico de su hijo son mañana a las 3.",
        "El examen físico de su hijo es mañana a las 3.",
    ),
    (
        Language::Es,
        "Mañana a las 3: quimioterapia con la Dra. Reyes.",
        "Mañana a las 3: cita con la Dra. Reyes.",
    ),
    (
        Language::Es,
        "Su cita (colonoscopia) con la Dra. Reyes es mañana a las 3.",
        "Su cita con la Dra. Reyes es mañana a las 3.",
    ),
    (
        Language::Es,
        "No olvide su sesión de terapia mañana a las 3.",
        "No olvide su cita mañana a las 3.",
    ),
    (
        Language::Es,
        "Su cardiólogo, el Dr. Reyes, lo verá mañana a las 3.",
        "Su proveedor, el Dr. Reyes, lo verá mañana a las 3.",
    ),
    (
        Language::Es,
        "Su saldo es de $40. Su cita de diabetes es mañana a las 3.",
        "Su cita es mañana a las 3.",
    ),
    (
        Language::En,
        "Your stress test is Wednesday at 3 PM with Dr. Reyes.",
        "Your visit is Wednesday at 3 PM with Dr. Reyes.",
    ),
    (
        Language::En,
        "Reminder: You have an appointment for your eczema on December 2 at 3:00 PM.",
        "Reminder: You have an appointment on December 2 at 3:00 PM.",
    ),
    (
        Language::En,
        "Your OB visit is tomorrow at 3 PM at the Lakeside Annex.",
        "Your visit is tomorrow at 3 PM at the Lakeside Annex.",
    ),
    (
        Language::En,
        "Please bring your inhaler and your insurance card tomorrow.",
        "Please bring your insurance card tomorrow.",
    ),
    (
        Language::En,
        "Please bring your insurance card and your glucose log tomorrow at 3.",
        "Please bring your insurance card tomorrow at 3.",
    ),
    (
        Language::En,
        "Your dermatologist will see you tomorrow at 3 PM.",
        "Your provider will see you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Hi Katherine! Your biopsy results came back and Dr. Reyes would like to see you tomorrow at 3 PM.",
        "Hi Katherine! Dr. Reyes would like to see you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your flu shot is tomorrow at 3 PM.",
        "Your visit is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Tomorrow, Wednesday, at 3 PM: ultrasound.",
        "Tomorrow, Wednesday, at 3 PM: visit.",
    ),
    (
        Language::En,
        "About your diabetes, please call us at (415) 555-0100.",
        "Please call us at (415) 555-0100.",
    ),
    (
        Language::En,
        "For your colonoscopy, please arrive tomorrow at 3 PM.",
        "Please arrive tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "It is about your CT. Please call (415) 555-0100 to talk.",
        "Please call (415) 555-0100 to talk.",
    ),
    (
        Language::En,
        "Your counseling session with Dr. Reyes is tomorrow at 3 PM.",
        "Your visit with Dr. Reyes is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your HIV appointment is tomorrow at 3.",
        "Your appointment is tomorrow at 3.",
    ),
    (
        Language::En,
        "Thank you for coming in for your knee pain. See you tomorrow at 3 PM.",
        "Thank you for coming in. See you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your appointment with Dr. Reyes (depression follow-up) is December 2 at 3 PM.",
        "Your appointment with Dr. Reyes is December 2 at 3 PM.",
    ),
    (
        Language::En,
        "Your referral is for cardiology. See you tomorrow at 3 PM.",
        "See you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "YOUR MAMMOGRAM IS TOMORROW AT 3 PM",
        "YOUR VISIT IS TOMORROW AT 3 PM.",
    ),
    (
        Language::En,
        "Your visit is tomorrow at 3 PM. It is for your blood pressure. Please bring your ID.",
        "Your visit is tomorrow at 3 PM. Please bring your ID.",
    ),
    (
        Language::En,
        "Sorry to hear about your back pain. Your visit is tomorrow at 3 PM.",
        "Your visit is tomorrow at 3 PM.",
    ),
    (
        Language::Es,
        "Su ultrasonido es mañana a las 3 p. m.",
        "Su cita es mañana a las 3 p. m.",
    ),
    (
        Language::Es,
        "Tiene una cita para su artritis el 2 de diciembre a las 3.",
        "Tiene una cita el 2 de diciembre a las 3.",
    ),
    (
        Language::Es,
        "Traiga su tarjeta del seguro y su inhalador mañana.",
        "Traiga su tarjeta del seguro mañana.",
    ),
    (
        Language::Es,
        "Sus resultados de la biopsia están listos y su cita es mañana a las 3.",
        "Su cita es mañana a las 3.",
    ),
    (
        Language::Es,
        "Para su colonoscopia, llegue mañana a las 3.",
        "Llegue mañana a las 3.",
    ),
    (
        Language::Es,
        "Sobre su diabetes, llámenos al (415) 555-0100.",
        "Llámenos al (415) 555-0100.",
    ),
    (
        Language::Es,
        "Su sesión de consejería con la Dra. Reyes es mañana a las 3.",
        "Su sesión con la Dra. Reyes es mañana a las 3.",
    ),
    (
        Language::Es,
        "Gracias por venir por su dolor de rodilla. Nos vemos mañana a las 3.",
        "Nos vemos mañana a las 3.",
    ),
    (
        Language::Es,
        "Su vacuna es mañana a las 3.",
        "Su cita es mañana a las 3.",
    ),
    (
        Language::Es,
        "El ultrasonido es mañana a las 3.",
        "La cita es mañana a las 3.",
    ),
    (
        Language::Es,
        "Tiene un examen de la vista mañana a las 3.",
        "Tiene una cita mañana a las 3.",
    ),
    (
        Language::Es,
        "Hola Katherine, su cita para la mamografía es el miércoles a las 3.",
        "Hola Katherine, su cita es el miércoles a las 3.",
    ),
    (
        Language::Es,
        "Lamento lo de su espalda. Su cita es mañana a las 3.",
        "Su cita es mañana a las 3.",
    ),
    (
        Language::En,
        "Your daughter's allergy shots are tomorrow at 3 PM.",
        "Your daughter's visit is tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your lab results are in. Dr. Reyes will go over them with you tomorrow at 3 PM.",
        "Dr. Reyes will talk with you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your A1c was 9.2%. Dr. Reyes will discuss it with you tomorrow at 3.",
        "Dr. Reyes will talk with you tomorrow at 3.",
    ),
    (
        Language::En,
        "Your biopsy results came back. They look fine. See you tomorrow at 3 PM.",
        "See you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your cholesterol is high. See you tomorrow at 3. Dr. Reyes will explain it to you then.",
        "See you tomorrow at 3. Dr. Reyes will talk with you then.",
    ),
    (
        Language::En,
        "Your strep test was negative. We can talk about it at your visit tomorrow at 3.",
        "We can talk with you at your visit tomorrow at 3.",
    ),
    (
        Language::En,
        "Your MRI showed a tear. Dr. Reyes wants to talk with you about it tomorrow at 3 PM.",
        "Dr. Reyes wants to talk with you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your Pap results are ready. Please ask us about them at the desk. See you tomorrow at 3.",
        "See you tomorrow at 3.",
    ),
    (
        Language::En,
        "Your insulin and your form are ready. They are at the desk. See you tomorrow at 3.",
        "Your form is ready. See you tomorrow at 3.",
    ),
    (
        Language::En,
        "Your HIV test is back. Bring your card and show it at the desk tomorrow at 3.",
        "Bring your card and show it at the desk tomorrow at 3.",
    ),
    (
        Language::En,
        "Your visit for your eczema is tomorrow at 3 PM. Please confirm it with a YES.",
        "Your visit is tomorrow at 3 PM. Please confirm it with a YES.",
    ),
    (
        Language::En,
        "Your ultrasound found gallstones. Those are in the report. See you tomorrow at 3 PM.",
        "See you tomorrow at 3 PM.",
    ),
    (
        Language::En,
        "Your hemoglobin is low. We can review it with you tomorrow at 3.",
        "We can talk with you tomorrow at 3.",
    ),
    (
        Language::Es,
        "Sus resultados de la biopsia están listos. La Dra. Reyes los revisará con usted mañana a las 3.",
        "La Dra. Reyes hablará con usted mañana a las 3.",
    ),
    (
        Language::Es,
        "Su A1c salió en 9.2%. La Dra. Reyes se lo explicará mañana a las 3.",
        "La Dra. Reyes hablará con usted mañana a las 3.",
    ),
    (
        Language::Es,
        "Su colesterol está alto. Lo revisaremos con usted mañana a las 3.",
        "Hablaremos con usted mañana a las 3.",
    ),
    (
        Language::Es,
        "Su prueba de VIH salió negativa. La Dra. Reyes quiere explicárselo mañana a las 3.",
        "La Dra. Reyes quiere hablar con usted mañana a las 3.",
    ),
    (
        Language::Es,
        "Su mamografía salió bien. La Dra. Reyes hablará de eso con usted mañana a las 3.",
        "La Dra. Reyes hablará con usted mañana a las 3.",
    ),
    (
        Language::Es,
        "Su azúcar salió alta. Esto está en su informe. Nos vemos mañana a las 3.",
        "Nos vemos mañana a las 3.",
    ),
    (
        Language::Es,
        "Sus análisis salieron altos. Pregunte por ellos en la recepción. Nos vemos mañana a las 3.",
        "Nos vemos mañana a las 3.",
    ),
    (
        Language::Es,
        "Su prueba de estrés salió bien. Traiga su tarjeta y muéstrela en la recepción mañana a las 3.",
        "Traiga su tarjeta y muéstrela en la recepción mañana a las 3.",
    ),
    // What falls told of the coming visit: it is told anew from the record.
    (
        Language::En,
        "Wed 12/2 3 PM w/ Dr. Reyes - htn f/u",
        "Your visit is Wednesday, December 2 at 3 PM with Dr. Ana Reyes.",
    ),
    (
        Language::En,
        "Dr. Reyes will discuss the afib Wednesday at 3 PM.",
        "Your visit is Wednesday, December 2 at 3 PM with Dr. Ana Reyes.",
    ),
    (
        Language::En,
        "3 PM on December 2 with Dr. Reyes, your pacemaker interrogation",
        "Your visit is Wednesday, December 2 at 3 PM with Dr. Ana Reyes.",
    ),
    (
        Language::En,
        "Your stress test came back abnormal, which is why Dr. Reyes would like you here Wednesday, December 2, at 3 PM.",
        "Your visit is Wednesday, December 2 at 3 PM with Dr. Ana Reyes.",
    ),
    (
        Language::En,
        "Please bring your warfarin log on Wednesday, December 2.",
        "Your visit is Wednesday, December 2 at 3 PM.",
    ),
    (
        Language::En,
        "bx results 12/2 @ 3 PM, Dr. Reyes",
        "Your visit is Wednesday, December 2 at 3 PM with Dr. Ana Reyes.",
    ),
    (
        Language::En,
        "The lab called about your cortisol. Also, your visit is Wednesday, December 2 at 3 PM.",
        "Your visit is Wednesday, December 2 at 3 PM.",
    ),
    (
        Language::Es,
        "mierc 3 PM con Dr. Reyes, x la infección de orina",
        "Su cita es el miércoles 2 de diciembre a las 3 PM con Dr. Ana Reyes.",
    ),
    (
        Language::Es,
        "Como sigue con la tos y las flemas, la Dra. Reyes la ve el miércoles a las 3 PM.",
        "Su cita es el miércoles 2 de diciembre a las 3 PM con Dr. Ana Reyes.",
    ),
    (
        Language::Es,
        "Traiga su registro de glucosa el miércoles 2 de diciembre.",
        "Su cita es el miércoles 2 de diciembre a las 3 PM.",
    ),
    (
        Language::Es,
        "Mañana a las 3 le sacan sangre para el colesterol.",
        "Su cita es el miércoles 2 de diciembre a las 3 PM.",
    ),
];

/// The visit is denied, moved, called off or asked about: its day is not told as if it stood.
const UNSETTLED: &[(Language, &str)] = &[
    (
        Language::En,
        "Your colonoscopy on Wednesday is cancelled because of your fever.",
    ),
    (
        Language::En,
        "No chemo on Wednesday at 3, your white count is low.",
    ),
    (Language::En, "We moved your biopsy from Wednesday at 3."),
    (
        Language::En,
        "Should we talk about your depression on Wednesday at 3 PM?",
    ),
    (Language::En, "Skip the metformin on Wednesday morning."),
    (
        Language::Es,
        "Ya no hay quimioterapia el miércoles a las 3, sus plaquetas están bajas.",
    ),
    (
        Language::Es,
        "¿Quiere hablar de su depresión el miércoles a las 3?",
    ),
];

/// Drafts of which nothing can be told: the whole goes behind the link, and the practice says so.
const WHOLE: &[(Language, &str)] = &[
    (Language::En, "Your HIV test is positive."),
    (
        Language::En,
        "Good news about the spot we removed: it is not cancer.",
    ),
    (Language::Es, "Su prueba de embarazo salió positiva."),
    (
        Language::Es,
        "Gracias por preguntar. Su radiografía salió normal.",
    ),
];

fn review<'d>(guardrail: &Guardrail, language: Language, draft: &'d str) -> Review<'d> {
    let setting = Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: URL,
        channel: Channel::Sms,
        consent: Consent::Granted { proof: "proof" },
        state: "CA".parse::<Jurisdiction>().unwrap(),
        language,
        timezone: "America/Los_Angeles",
        now: "2026-12-01T10:00:00-08:00".parse().unwrap(),
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Agent,
        facts: FACTS,
        told: &[],
        covered: false,
    };
    guardrail.review(draft, &setting)
}

#[test]
fn a_rewritten_text_reads_well_and_keeps_what_is_useful() {
    let guardrail = Guardrail::embedded().unwrap();
    let mut wrong = Vec::new();
    for (language, draft, left) in REWRITES {
        let review = review(&guardrail, *language, draft);
        let text = review.cleared.as_ref().map(|it| it.text().to_owned());
        let link = match language {
            Language::En => "Details are in your secure message: ",
            Language::Es => "Vea los detalles en su mensaje seguro: ",
        };
        let wanted = format!("{left} {link}{URL}");
        let within = review
            .cleared
            .as_ref()
            .is_some_and(|it| it.segments().count <= SEGMENTS_MAX);
        let whole = review.cleared.as_ref().and_then(|it| it.portal()) == Some(*draft);
        if review.verdict != Verdict::Rewrite
            || text.as_deref() != Some(&*wanted)
            || !within
            || !whole
        {
            wrong.push(format!("{draft}\n  {text:?}\n  {wanted:?}"));
        }
    }
    assert!(REWRITES.len() >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_nothing_can_be_told_the_practice_says_that_a_message_waits() {
    let guardrail = Guardrail::embedded().unwrap();
    for (language, draft) in WHOLE {
        let review = review(&guardrail, *language, draft);
        let text = review.cleared.as_ref().map(|it| it.text().to_owned());
        let wanted = match language {
            Language::En => {
                format!("You have a secure message from Lakeside Family Medicine: {URL}")
            }
            Language::Es => format!("Tiene un mensaje seguro de Lakeside Family Medicine: {URL}"),
        };
        assert_eq!(text.as_deref(), Some(&*wanted), "{draft}");
    }
}

#[test]
fn a_visit_that_is_denied_moved_or_asked_about_is_not_told_as_if_it_stood() {
    let guardrail = Guardrail::embedded().unwrap();
    for (language, draft) in UNSETTLED {
        let review = review(&guardrail, *language, draft);
        let text = review.cleared.as_ref().map_or("", |it| it.text());
        assert!(
            !text.contains("isit is") && !text.contains("cita es"),
            "{text}"
        );
        assert_ne!(review.verdict, Verdict::Pass, "{draft}");
    }
}

/// What is left of these sounds of something else than they do.
const FRAGMENTS: &[&str] = &[
    "your ADHD refill",
    "Your HIV test",
    "my Prozac refill",
    "The refill of your lisinopril",
    "Your colonoscopy booking",
    "Your chemo cancelled",
    "our depression clinic",
    "Refill: metformin. Visit: biopsy.",
    "su receta de Prozac",
    "Su cita de colonoscopia cancelada",
    "Tome su metformina",
    // Signs that nobody sees go; what they stood between may be turned letters.
    "about tha\u{1}\0\0a\u{1d} ung",
    "lbhe \u{200b}ovbcfl vf o\u{2}ravta",
];

#[test]
fn what_is_cleared_passes_when_it_is_reviewed_again() {
    let guardrail = Guardrail::embedded().unwrap();
    let files = std::fs::read_dir("evals/guardrail").unwrap();
    let texts: Vec<String> = files
        .map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap())
        .collect();
    let gold: Vec<String> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|row| row["draft"].as_str().map(str::to_owned))
        .collect();
    assert!(gold.len() > 600, "{}", gold.len());
    let drafts = FRAGMENTS.iter().map(|it| (*it).to_owned()).chain(gold);
    let mut changed = Vec::new();
    for draft in drafts {
        let first = review(&guardrail, Language::En, &draft);
        let Some(cleared) = first.cleared else {
            continue;
        };
        let again = review(&guardrail, Language::En, cleared.text());
        if again.verdict != Verdict::Pass {
            changed.push(format!(
                "{draft} -> {}: {:?}",
                cleared.text(),
                again.findings
            ));
        }
    }
    assert!(
        changed.is_empty(),
        "{} of them:\n{}",
        changed.len(),
        changed.join("\n")
    );
}
