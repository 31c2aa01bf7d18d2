//! Every word against every open question, as the table in the documentation.

use std::fmt::Write as _;

use super::*;
use crate::carrier::keywords::{Keyword, keyword};
use crate::domain::consent::{Consent, RISK_NOTICE_ASKS};
use crate::domain::ids::{ConversationId, PracticeId};
use crate::domain::phi::Phi;
use crate::domain::practice::CarrierKind;
use crate::domain::speaker::Speaker;
use crate::policy::words::{Channel, Language};
use crate::screen::Screen;

const PAGE: &str = "docs/consent-words.md";

/// The texts: answers, keywords, and a family of free words each.
const WORDS: &[&str] = &[
    "YES",
    "Y",
    "OK",
    "SI",
    "1",
    "C",
    "NO",
    "STOP",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "UNSUBSCRIBE",
    "ALTO",
    "START",
    "UNSTOP",
    "HELP",
    "please cancel",
    "yes but who is this?",
    "take me off your list",
    "ya no me manden mensajes",
    "wrong number",
    "too many texts",
    "stop by Friday",
    "when should I stop taking it?",
    "cancel my Tuesday appointment",
    "quiero dejar de fumar",
];

const QUESTIONS: [Option<PendingKind>; 8] = [
    None,
    Some(PendingKind::Consent),
    Some(PendingKind::AppointmentConfirm),
    Some(PendingKind::RescheduleChoice),
    Some(PendingKind::CancelConfirm),
    Some(PendingKind::NewVisit),
    Some(PendingKind::StopConfirm),
    Some(PendingKind::Person),
];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn open(kind: Option<PendingKind>) -> Conversation {
    let consent = Consent::unknown(at(0));
    let event = |act, second| ConsentEvent::new(act, Evidence::of_rule(at(second), "a test"));
    let notice = Act::NoticeSent(Notice {
        text_id: "risk_notice/1".to_owned(),
        sha256: "00".repeat(32),
        language: Language::En,
        at: at(2),
        asks: RISK_NOTICE_ASKS.to_vec(),
    });
    let wrote = consent.apply(&event(Act::Wrote, 1)).unwrap();
    Conversation {
        id: ConversationId(1),
        practice: PracticeId::new("lakeside"),
        carrier: CarrierKind::Simulator,
        channel: Channel::Sms,
        sender: "+14155550101".parse().unwrap(),
        number: "+14155550142".parse().unwrap(),
        patient: None,
        speaker: Speaker::default(),
        epoch: 0,
        language: Language::En,
        consent: wrote.apply(&event(notice, 2)).unwrap(),
        pending: kind.map(|kind| question(kind, at(2))),
        human: false,
        human_until: None,
        last_inbound: None,
        closed: false,
    }
}

/// What a word comes to, in the fewest words.
fn cell(screen: &Screen, word: &str, kind: Option<PendingKind>, carrier: bool) -> String {
    let conversation = open(kind);
    let reading = screen.read(word, kind.and_then(asked), Language::En);
    let inbound = Inbound::text(
        (CarrierKind::Simulator, "SM1".to_owned()),
        Channel::Sms,
        conversation.number.clone(),
        conversation.sender.clone(),
        Phi::from(word),
        at(9),
    );
    let did = match keyword(word).filter(|_| carrier) {
        Some(Keyword::Stop) => CarrierDid::Stopped,
        Some(Keyword::Help) => CarrierDid::Helped,
        Some(Keyword::Start) | None => CarrierDid::Nothing,
    };
    let meaning = meaning(&conversation, &reading, &inbound, did, true);
    let moves = meaning.acts.iter().find_map(|act| match act {
        Act::Yes(_) => Some("**agrees**"),
        Act::No => Some("**declines**"),
        Act::Stop => Some("**STOP**"),
        Act::Start => Some("START"),
        Act::NoticeSent(_)
        | Act::Refused(_)
        | Act::Lifted
        | Act::Wrote
        | Act::Recorded(_)
        | Act::Identified(_)
        | Act::Expire
        | Act::Reassigned(_) => None,
    });
    let visit = match kind {
        Some(PendingKind::AppointmentConfirm) => "confirms",
        Some(PendingKind::RescheduleChoice) => "chooses",
        Some(PendingKind::CancelConfirm) => "cancels the visit",
        Some(PendingKind::NewVisit) => "wants a time",
        Some(PendingKind::Consent | PendingKind::StopConfirm | PendingKind::Person) | None => {
            "yes, to nothing"
        }
    };
    let plain = match (meaning.intent, kind) {
        ("confirm", _)
        | ("reschedule", Some(PendingKind::RescheduleChoice))
        | ("cancel_appointment", Some(PendingKind::CancelConfirm)) => visit,
        ("consent_yes", _) => "yes, to nothing",
        ("consent_no", _) => "no, to nothing",
        ("cancel_appointment", _) => "asks to cancel",
        ("reschedule", _) => "asks to move",
        ("opt_out_doubt", _) => "is asked once",
        ("keep_texts", _) => "goes on",
        ("question" | "other", _) => "is read",
        (other, _) => other,
    };
    let told = match meaning.intent {
        STOP_VISIT => ", staff look",
        STOP_WRONG => ", in doubt",
        _ => "",
    };
    format!("{}{told}", moves.unwrap_or(plain))
}

fn page() -> String {
    let screen = Screen::embedded().unwrap();
    let mut page = "# What a word means\n\n\
        Made by a test from the screen and the consent machine (`src/pipeline/consent/tests.rs`); it \
        fails when this page is out of date.\n\n\
        Rows are texts, columns the open question. \
        **agrees**, **declines** and **STOP** move consent; nothing else does. \
        \"is read\" goes on to the agent, or waits for YES with the rest.\n"
        .to_owned();
    for (carrier, title) in [
        (false, "Where we answer keywords (`we_reply`)"),
        (
            true,
            "Where the carrier answers keywords (`carrier_replies`)",
        ),
    ] {
        let head = "none | consent | confirm a visit | choose a time | cancel a visit | a new time? | shall we stop? | whose record?";
        let rule = "|---".repeat(9);
        write!(page, "\n## {title}\n\n| text | {head} |\n{rule}|\n").unwrap();
        for word in WORDS {
            let cells = QUESTIONS.map(|kind| cell(&screen, word, kind, carrier));
            writeln!(page, "| {word} | {} |", cells.join(" | ")).unwrap();
        }
    }
    page
}

#[test]
fn every_word_means_what_the_page_says_against_every_question() {
    let made = page();
    if std::env::var_os("ANTEROOM_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &made).unwrap();
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    for (at, (made, kept)) in made.lines().zip(kept.lines()).enumerate() {
        assert_eq!(made, kept, "{PAGE}:{}", at + 1);
    }
    assert_eq!(made, kept, "{PAGE}: ANTEROOM_WRITE_DOCS=1 writes it anew");
}

/// What no page may ever say, whatever the words of the screen.
#[test]
fn nothing_agrees_but_a_yes_to_the_notice_and_every_keyword_ends_texts() {
    let screen = Screen::embedded().unwrap();
    let stops = [
        "STOP",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "UNSUBSCRIBE",
        "ALTO",
        "take me off your list",
        "ya no me manden mensajes",
        "wrong number",
    ];
    let agrees = ["YES", "Y", "OK", "SI"];
    for carrier in [false, true] {
        for kind in QUESTIONS {
            for word in WORDS {
                let cell = cell(&screen, word, kind, carrier);
                let asked = kind == Some(PendingKind::Consent);
                let at = format!("{word} to {kind:?}: {cell}");
                assert_eq!(
                    cell.contains("agrees"),
                    asked && agrees.contains(word),
                    "{at}"
                );
                let yes_to_stop = kind == Some(PendingKind::StopConfirm)
                    && (agrees.contains(word)
                        || ["yes but who is this?", "too many texts", "1", "C"].contains(word));
                let visit = [
                    PendingKind::AppointmentConfirm,
                    PendingKind::RescheduleChoice,
                    PendingKind::CancelConfirm,
                    PendingKind::NewVisit,
                ];
                let visit = kind.is_some_and(|kind| visit.contains(&kind));
                let courteous = *word == "please cancel" && !visit;
                let stop = stops.contains(word) || yes_to_stop || courteous;
                assert_eq!(cell.contains("**STOP**"), stop, "{at}");
            }
        }
    }
}
