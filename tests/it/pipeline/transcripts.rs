//! What patients and staff see, written down as it happens: the page in the documentation.

#![cfg(test)]

use std::fmt::Write as _;

use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::waiting::Errand;
use anteroom::pipeline::wish::{Wish, Wished};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::writers::at_phone;
use crate::support::app::{App, JAMES, MARIA, NOBODY, TOM};
use crate::support::stores;

const PAGE: &str = "docs/consent-transcripts.md";

/// One conversation, as it is written down.
struct Scribe<'a> {
    app: &'a App,
    number: &'a str,
    told: usize,
    held: usize,
    page: String,
}

impl<'a> Scribe<'a> {
    async fn new(app: &'a App, number: &'a str) -> Self {
        Self {
            app,
            number,
            told: app.received_by(number).len(),
            held: app.held().await.len(),
            page: String::new(),
        }
    }

    fn line(&mut self, text: &str) {
        writeln!(self.page, "{text}").unwrap();
    }

    fn aside(&mut self, text: &str) {
        self.line(&format!("          ({text})"));
    }

    /// What came to the phone and to staff since the last look.
    async fn look(&mut self) {
        let all = self.app.received_by(self.number);
        if all.len() == self.told {
            self.aside("nothing is sent");
        }
        for text in &all[self.told..] {
            self.line(&format!("practice: {}", text.replace('\n', "\n          ")));
        }
        self.told = all.len();
        let held = self.app.held().await;
        for why in &held[self.held..] {
            self.aside(&format!("staff are told: {why}"));
        }
        self.held = held.len();
    }

    async fn says(&mut self, text: &str) {
        self.line(&format!("patient:  {text}"));
        self.app.receive(self.app.inbound(self.number, text)).await;
        self.app.drain().await;
        self.look().await;
    }

    async fn consent(&mut self) {
        let it = self.app.conversation(self.number).await.consent;
        let told = format!(
            "consent: contact {}, health details {}, reminders {}",
            it.contact.state, it.state, it.confirmations.state
        );
        self.aside(&told);
    }

    async fn pass(&mut self, minutes: i64, told: &str) {
        self.aside(told);
        self.app.wait(SignedDuration::from_mins(minutes));
        self.app.drain().await;
    }
}

async fn ask(app: &App, request: &str, errand: Errand) {
    let wish = Wish {
        practice: app.practice().clone(),
        request: request.to_owned(),
        number: Some(TOM.parse().unwrap()),
        errand,
    };
    let wished = app.house.wish(wish).await.unwrap();
    assert!(matches!(wished, Wished::Taken(_)), "{wished:?}");
    app.drain().await;
}

async fn stop_in_between(app: &App) -> String {
    app.agreed(TOM).await;
    let mut it = Scribe::new(app, TOM).await;
    it.line("patient:  When is my appointment?");
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    it.aside("the answer is made and cleared, and waits to be handed to the carrier");
    it.says("STOP").await;
    it.consent().await;
    it.says("Hello?").await;
    it.page
}

async fn yes_to_nothing(app: &App) -> String {
    let mut it = Scribe::new(app, TOM).await;
    it.says("YES").await;
    it.consent().await;
    it.pass(5, "five minutes later").await;
    it.says("NO").await;
    it.says("YES").await;
    it.consent().await;
    it.page
}

async fn cancel_alone(app: &App) -> String {
    app.agreed(TOM).await;
    let mut it = Scribe::new(app, TOM).await;
    it.says("CANCEL").await;
    it.consent().await;
    it.page
}

async fn cancel_with_visit(app: &App) -> String {
    app.agreed(JAMES).await;
    let mut it = Scribe::new(app, JAMES).await;
    it.says("Can you move it to Thursday?").await;
    it.says("Cancel").await;
    it.consent().await;
    it.page
}

async fn cancel_the_visit(app: &App) -> String {
    app.agreed(JAMES).await;
    let mut it = Scribe::new(app, JAMES).await;
    it.says("Please cancel my appointment").await;
    it.says("YES").await;
    it.consent().await;
    it.page
}

async fn shared_phone(app: &App) -> String {
    app.file(&at_phone("1980-03-05", Some(TOM), None)).await;
    let mut it = Scribe::new(app, TOM).await;
    it.says("When is my appointment?").await;
    it.says("YES").await;
    it.says("7/4/1978").await;
    it.pass(45, "the phone is handed on; 45 minutes later")
        .await;
    it.says("When is my appointment?").await;
    it.says("3/5/1980").await;
    it.says("YES").await;
    it.page
}

async fn stranger(app: &App) -> String {
    let mut it = Scribe::new(app, NOBODY).await;
    it.says("When is my appointment?").await;
    it.says("YES").await;
    it.says("1/1/1990").await;
    it.page
}

async fn spanish(app: &App) -> String {
    let mut it = Scribe::new(app, MARIA).await;
    it.says("¿Cuándo es mi cita?").await;
    it.says("Sí").await;
    it.says("quiero cambiarla para el viernes").await;
    it.says("ya no me manden mensajes").await;
    it.page
}

async fn emergency(app: &App) -> String {
    app.agreed(JAMES).await;
    let mut it = Scribe::new(app, JAMES).await;
    it.says("Can you move it to Thursday?").await;
    it.says("My chest hurts and I can't breathe").await;
    it.consent().await;
    it.page
}

async fn stop_and_emergency(app: &App) -> String {
    app.agreed(JAMES).await;
    let mut it = Scribe::new(app, JAMES).await;
    it.says("STOP texting me, I have chest pain and can't breathe")
        .await;
    it.consent().await;
    it.says("it's getting worse, I think I'm passing out").await;
    it.says("When is my appointment?").await;
    it.page
}

async fn emergency_mid_consent(app: &App) -> String {
    let mut it = Scribe::new(app, MARIA).await;
    it.says("¿Cuándo es mi cita?").await;
    it.says("Me duele mucho el pecho y no puedo respirar").await;
    it.consent().await;
    it.says("Sí").await;
    it.page
}

async fn reminder(app: &App) -> String {
    let mut it = Scribe::new(app, TOM).await;
    it.line("system:   POST /v1/messages {\"practice\": \"lakeside\", \"patient\": \"p-004\", \"appointment\": \"a-004\"}");
    let visit = Errand::Visit {
        patient: PatientId::new("p-004"),
        appointment: AppointmentId::new("a-004"),
        start: None,
        before_h: None,
    };
    ask(app, "r-1", visit).await;
    it.look().await;
    it.consent().await;
    it.says("YES").await;
    it.says("YES").await;
    it.page
}

async fn daylight_saving(app: &App) -> String {
    night_of_change(
        app,
        "2027-03-14T03:00:00Z",
        ["2027-03-14T14:59:00Z", "2027-03-14T15:00:00Z"],
    )
    .await
}

async fn standard_time(app: &App) -> String {
    night_of_change(
        app,
        "2027-11-07T02:00:00Z",
        ["2027-11-07T15:59:00Z", "2027-11-07T16:00:00Z"],
    )
    .await
}

/// Words of the staff, asked for two and a half hours after `start`, looked at at these instants.
async fn night_of_change(app: &App, start: &str, looks: [&str; 2]) -> String {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let local = |at: Timestamp| {
        at.to_zoned(zone.clone())
            .strftime("%a %b %-d, %-I:%M %p %Z")
            .to_string()
    };
    let mut it = Scribe::new(app, TOM).await;
    let start: Timestamp = start.parse().unwrap();
    app.wait(start.duration_since(app.clock_now()));
    app.agreed(TOM).await;
    it.told = app.received_by(TOM).len();
    app.wait(SignedDuration::from_hours(2) + SignedDuration::from_mins(30));
    it.aside(&local(app.clock_now()));
    it.line("system:   POST /v1/messages {..., \"text\": \"Lakeside Family Medicine: please call us at 415-555-0100.\"}");
    let words = Errand::Words {
        patient: PatientId::new("p-004"),
        text: "Lakeside Family Medicine: please call us at 415-555-0100.".to_owned(),
    };
    ask(app, "r-1", words).await;
    it.look().await;
    for until in looks {
        let until: Timestamp = until.parse().unwrap();
        app.wait(until.duration_since(app.clock_now()));
        app.drain().await;
        it.aside(&local(app.clock_now()));
        it.look().await;
    }
    it.page
}

macro_rules! scenes {
    ($($title:literal, $words:literal => $scene:ident;)+) => {
        async fn page() -> String {
            let mut page = "# Conversations, as they happen\n\n\
                Written down by a test (`tests/it/pipeline/transcripts.rs`) from a whole house: the real \
                store, screen, guardrail and offline model; it fails when this page is out of date. \
                Everybody in it is invented.\n"
                .to_owned();
            $({
                let kept = stores::sqlite().await;
                let app = App::new(kept.store.clone()).await;
                let scene = $scene(&app).await;
                write!(page, "\n## {}\n\n{}\n\n```\n{scene}```\n", $title, $words).unwrap();
            })+
            page
        }
    };
}

scenes! {
    "STOP between draft and dispatch",
    "An answer with a visit in it was cleared before STOP came; it never leaves." => stop_in_between;
    "YES with no question open",
    "A YES agrees to nothing that was not asked; after NO it takes the NO back, and the question is asked anew." => yes_to_nothing;
    "CANCEL with nothing open",
    "An opt-out by rule (47 CFR 64.1200(a)(10)), with the phone number." => cancel_alone;
    "CANCEL with a visit open",
    "The same, and staff are told that the visit may have been meant." => cancel_with_visit;
    "Cancelling a visit in words",
    "More than the one word is about the visit." => cancel_the_visit;
    "Two patients on one phone",
    "Nobody is named before they have shown who they are; each agrees for themselves." => shared_phone;
    "A phone that nobody on file has",
    "The same words as on a shared phone: whoever asks learns nothing of who is on file." => stranger;
    "Spanish",
    "The notice, the answers and the opt-out in the language of the patient, from the first text." => spanish;
    "An emergency in the middle of a choice",
    "The fixed text at once, no model; staff are alarmed." => emergency;
    "STOP and an emergency in one text",
    "The help is given and the consent ends; after that only an emergency is answered." => stop_and_emergency;
    "An emergency while the notice is open",
    "It does not wait for YES; the question stays open and is answered afterwards." => emergency_mid_consent;
    "A reminder that waits for YES",
    "The notice names nobody and no visit." => reminder;
    "Quiet hours across the change to daylight saving time",
    "Asked for on Saturday night; clocks go forward at 2 AM on Sunday, and the hours open at 8:00 of the new time." => daylight_saving;
    "Quiet hours across the change to standard time",
    "Asked for on Saturday night; the hour after 1 AM on Sunday comes twice, and the hours open at 8:00 of the new time." => standard_time;
}

#[tokio::test]
async fn the_page_of_conversations_is_what_happens() {
    let made = page().await;
    if std::env::var_os("ANTEROOM_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &made).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    for (at, (made, kept)) in made.lines().zip(kept.lines()).enumerate() {
        assert_eq!(made, kept, "{PAGE}:{}", at + 1);
    }
    assert_eq!(made, kept, "{PAGE}: ANTEROOM_WRITE_DOCS=1 writes it anew");
}
