//! The chat on a practice's web site: who may embed it, who may write in it, and what becomes of that.

#![cfg(test)]

mod browser;
mod setting;

use anteroom::domain::conversation::Conversation;
use anteroom::domain::message::Delivery;
use anteroom::domain::practice::CarrierKind;
use anteroom::domain::staff::Role;
use anteroom::domain::webchat::Webchat;
use anteroom::policy::words::Channel;
use anteroom::store::inbox::{Queue, Wanted};
use anteroom::web::gate::Peer;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::console::hand::Lab;
use crate::simulator::fake::{Told, ask, get};
use crate::support::app::{MARIA, NOBODY, TOM};

const SITE: &str = "https://www.example.com";
const OTHER_SITE: &str = "https://clinic.example.org";
const KEY: &str = "5f2b8c1e-9d0a-4c35-8f11-2a6b7c8d9e0f";

/// A house whose practice has a chat on two sites.
async fn lab() -> Lab {
    Lab::changed(|it| {
        it.webchat = Some(Webchat {
            origins: vec![SITE.to_owned(), OTHER_SITE.to_owned()],
        });
    })
    .await
}

async fn call(lab: &Lab, method: &str, path: &str, token: &str, body: Option<Value>) -> Told {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = match body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    ask(&lab.router, request.body(body).unwrap()).await
}

/// Gives a number; the half session's token.
async fn number(lab: &Lab, number: &str) -> String {
    let body = json!({ "number": number, "language": "en" });
    let told = call(lab, "POST", "/chat/lakeside/number", "", Some(body)).await;
    assert_eq!(told.status, 200, "{}", told.text());
    lab.app.drain().await;
    told.json()["session"].as_str().unwrap().to_owned()
}

async fn code(lab: &Lab, token: &str, code: &str) -> Told {
    let body = json!({ "code": code });
    call(lab, "POST", "/chat/lakeside/code", token, Some(body)).await
}

/// The code that was texted last.
fn texted(lab: &Lab, number: &str) -> String {
    let last = lab.app.received_by(number).pop().unwrap();
    assert!(last.contains("your code is"), "{last}");
    let mut words = last.split(|c: char| !c.is_ascii_digit());
    words.rfind(|it| it.len() == 6).unwrap().to_owned()
}

/// Another code than this.
fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

/// A session of whoever has this phone.
async fn entered(lab: &Lab, who: &str) -> String {
    let half = number(lab, who).await;
    let told = code(lab, &half, &texted(lab, who)).await;
    assert_eq!(told.status, 200, "{}", told.text());
    told.json()["session"].as_str().unwrap().to_owned()
}

async fn say(lab: &Lab, token: &str, key: &str, text: &str) -> StatusCode {
    let body = json!({ "key": key, "text": text });
    let told = call(lab, "POST", "/chat/lakeside/messages", token, Some(body)).await;
    lab.app.drain().await;
    told.status
}

/// A key of its own for each message.
fn key(count: u32) -> String {
    format!("{count:08x}-0000-4000-8000-000000000000")
}

/// A page that listens.
struct Page(BodyDataStream);

impl Page {
    async fn open(lab: &Lab, token: &str) -> Self {
        let request = Request::get("/chat/lakeside/events");
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let response = lab.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        Self(response.into_body().into_data_stream())
    }

    /// What it is told next: the kind, and the data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            let bytes = self.0.next().await.expect("an event").unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let line = |name: &str| {
                let mut lines = text.lines();
                lines.find_map(|it| it.strip_prefix(name).map(|it| it.trim().to_owned()))
            };
            if let (Some(kind), Some(data)) = (line("event:"), line("data:")) {
                return (kind, serde_json::from_str(&data).unwrap());
            }
        }
    }
}

/// What a page that is opened now shows: whether it is ours, and the words.
async fn shown(lab: &Lab, token: &str) -> Vec<(bool, String)> {
    let (kind, data) = Page::open(lab, token).await.next().await;
    assert_eq!(kind, "said");
    let turn = |it: &Value| {
        let text = it["text"].as_str().unwrap().to_owned();
        (it["ours"].as_bool().unwrap(), text)
    };
    data["turns"].as_array().unwrap().iter().map(turn).collect()
}

async fn line(lab: &Lab, who: &str) -> Conversation {
    let store = lab.app.house.store();
    let number = who.parse().unwrap();
    let lines = store.conversations_with(lab.practice(), &number);
    let lines = lines.await.unwrap();
    let ours = |it: &Conversation| it.carrier == CarrierKind::Web;
    lines.into_iter().find(ours).expect("a chat")
}

#[tokio::test]
async fn the_frame_opens_on_the_practices_sites_alone_and_runs_nothing_inline() {
    let lab = lab().await;
    let page = get(&lab.router, "/chat/lakeside").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    let frames = format!("frame-ancestors {SITE} {OTHER_SITE}");
    assert!(policy.ends_with(&frames), "{policy}");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    assert_eq!(
        page.header("x-frame-options"),
        "",
        "it knows no list of sites"
    );
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("set-cookie"), "");
    let html = page.text();
    assert!(!html.contains("<style") && !html.contains("style=\"") && !html.contains(" onclick"));
    assert!(html.contains("Do not use this chat in an emergency") && html.contains("Llame al 911"));
    assert!(html.contains("<noscript>") && html.contains("tel:+14155550100"));
    let spanish = get(&lab.router, "/chat/lakeside?lang=es").await;
    assert!(spanish.text().contains("<html lang=\"es\">"));
    assert!(
        spanish
            .text()
            .contains("No use este chat en una emergencia")
    );

    // Every other page is framed by nobody, as before.
    for path in ["/", "/console/sign-in"] {
        let other = get(&lab.router, path).await;
        let policy = other.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(other.header("x-frame-options"), "DENY", "{path}");
    }

    let script = get(&lab.router, "/chat/lakeside/widget.js").await;
    assert_eq!(script.status, 200);
    assert_eq!(
        script.header("cross-origin-resource-policy"),
        "cross-origin"
    );
    assert!(script.header("content-type").starts_with("text/javascript"));
    for never in [
        "document.cookie",
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "innerHTML",
        "fetch(",
    ] {
        assert!(!script.text().contains(never), "{never}");
    }
    let size = |path: &str| path.len();
    let all = [
        include_str!("../../src/web/assets/chat.css"),
        include_str!("../../src/web/assets/chat.js"),
        script.text(),
        html,
    ];
    assert!(all.map(size).iter().sum::<usize>() < 50 * 1024);
}

#[tokio::test]
async fn a_practice_without_a_chat_is_as_unknown_as_any_other() {
    let without = Lab::new().await;
    let with = lab().await;
    for (lab, id) in [(&without, "lakeside"), (&with, "nobody"), (&with, "%00")] {
        for (method, rest) in [
            ("GET", ""),
            ("GET", "/widget.js"),
            ("POST", "/number"),
            ("POST", "/code"),
            ("POST", "/messages"),
            ("GET", "/events"),
            ("POST", "/here"),
            ("DELETE", "/session"),
        ] {
            let told = call(lab, method, &format!("/chat/{id}{rest}"), "", None).await;
            assert_eq!(told.status, 404, "{method} {id}{rest}");
        }
    }
}

#[tokio::test]
async fn a_code_by_text_opens_the_chat_once_and_five_wrong_ones_end_it() {
    let lab = lab().await;
    let half = number(&lab, MARIA).await;
    let right = texted(&lab, MARIA);
    for left in [4, 3, 2, 1] {
        let told = code(&lab, &half, wrong(&right)).await;
        assert_eq!(
            (told.status.as_u16(), told.json()["tries_left"].clone()),
            (403, json!(left))
        );
    }
    for _ in 0..2 {
        assert_eq!(code(&lab, &half, wrong(&right)).await.status, 423);
    }
    assert_eq!(
        code(&lab, &half, &right).await.status,
        423,
        "the right one comes too late"
    );

    let half = number(&lab, MARIA).await;
    assert_eq!(
        say(&lab, &half, KEY, "Hello").await,
        401,
        "half a session says nothing"
    );
    let right = texted(&lab, MARIA);
    let (front, back) = right.split_at(3);
    let told = code(&lab, &half, &format!("{front} {back}")).await;
    assert_eq!(told.status, 200);
    assert_eq!(
        code(&lab, &half, &texted(&lab, MARIA)).await.status,
        423,
        "it is used up"
    );
    let log = lab.app.audited().await;
    for action in ["chat.code_sent", "chat.refused", "chat.opened"] {
        assert!(log.iter().any(|it| it == action), "{action}: {log:?}");
    }
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes() {
    let lab = lab().await;
    let half = number(&lab, MARIA).await;
    lab.app.wait(SignedDuration::from_mins(11));
    assert_eq!(code(&lab, &half, &texted(&lab, MARIA)).await.status, 403);
}

#[tokio::test]
async fn the_page_is_told_the_same_whatever_the_number_is() {
    let lab = lab().await;
    lab.app.text(TOM, "STOP").await;
    let texts = lab.app.received_by(TOM).len();
    let mut answers = Vec::new();
    for who in [MARIA, NOBODY, TOM] {
        let body = json!({ "number": who, "language": "en" });
        let told = call(&lab, "POST", "/chat/lakeside/number", "", Some(body)).await;
        lab.app.drain().await;
        let half = told.json()["session"].as_str().unwrap().to_owned();
        let refused = code(&lab, &half, "123").await;
        let keys: Vec<String> = told.json().as_object().unwrap().keys().cloned().collect();
        answers.push((
            told.status,
            half.len(),
            keys,
            refused.status,
            refused.text().to_owned(),
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(lab.app.received_by(TOM).len(), texts, "no text after STOP");
    assert!(texted(&lab, NOBODY).len() == 6 && texted(&lab, MARIA).len() == 6);
    let page = get(&lab.router, "/chat/lakeside").await;
    assert!(
        page.text().contains("text START to 415-555-0101"),
        "and it says what to do"
    );

    // START by text, and the next code comes.
    lab.app.text(TOM, "START").await;
    entered(&lab, TOM).await;
}

#[tokio::test]
async fn a_number_is_not_plagued_with_codes_and_a_flood_is_turned_away() {
    let lab = lab().await;
    for _ in 0..6 {
        number(&lab, MARIA).await;
    }
    assert_eq!(lab.app.received_by(MARIA).len(), 4);
    lab.app.wait(SignedDuration::from_mins(61));
    number(&lab, MARIA).await;
    assert_eq!(lab.app.received_by(MARIA).len(), 5);
    for bad in ["", "555-0142", "+442079460958", "call me"] {
        let body = json!({ "number": bad, "language": "en" });
        let told = call(&lab, "POST", "/chat/lakeside/number", "", Some(body)).await;
        assert_eq!(
            (told.status.as_u16(), told.json()["reason"].clone()),
            (422, json!("number"))
        );
        assert!(
            bad.is_empty() || !told.text().contains(bad),
            "{}",
            told.text()
        );
    }
    let mut last = StatusCode::OK;
    for at in 0..240 {
        let body = json!({ "number": format!("+1212555{:04}", 100 + at), "language": "es" });
        let told = call(&lab, "POST", "/chat/lakeside/number", "", Some(body)).await;
        last = told.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn one_visitor_cannot_close_the_chat_to_everybody_else() {
    let lab = lab().await;
    let begin = async |peer: &str, told: &str, at: usize| {
        let body = json!({ "number": format!("+1212555{:04}", 100 + at), "language": "en" });
        let mut request = Request::post("/chat/lakeside/number")
            .header("content-type", "application/json")
            .extension(Peer(peer.parse().unwrap()));
        if !told.is_empty() {
            request = request.header("x-forwarded-for", told);
        }
        ask(
            &lab.router,
            request.body(Body::from(body.to_string())).unwrap(),
        )
        .await
    };
    // From outside nobody speaks for another address; behind our proxy the last one counts.
    for (peer, told) in [
        ("203.0.113.7", "198.51.100."),
        ("127.0.0.1", "1.2.3.4, 203.0.113."),
    ] {
        for at in 0..60 {
            let told = match peer {
                "127.0.0.1" => format!("{told}9"),
                _ => format!("{told}{at}"),
            };
            let answer = begin(peer, &told, at).await;
            let wanted = if at < 40 { 200 } else { 429 };
            assert_eq!(answer.status, wanted, "{peer} {at}: {}", answer.text());
        }
    }
    let refused = begin("203.0.113.7", "", 61).await;
    assert_eq!(refused.json()["reason"], "busy");
    assert!(refused.text().contains("from this network") && !refused.text().contains("203.0"));
    // Everybody else begins as before, and so do they, an hour later.
    assert_eq!(begin("203.0.113.8", "", 62).await.status, 200);
    assert_eq!(begin("127.0.0.1", "203.0.113.10", 63).await.status, 200);
    assert_eq!(begin("127.0.0.1", "", 64).await.status, 200);
    lab.app.wait(SignedDuration::from_mins(61));
    assert_eq!(begin("203.0.113.7", "", 65).await.status, 200);
}

#[tokio::test]
async fn a_message_is_answered_in_the_chat_and_stands_in_the_inbox_and_a_double_click_sends_once() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    assert_eq!(shown(&lab, &token).await, vec![]);
    for _ in 0..2 {
        assert_eq!(
            say(&lab, &token, KEY, " When is my appointment? ").await,
            202
        );
    }
    let thread = shown(&lab, &token).await;
    assert_eq!(thread.len(), 2, "{thread:?}");
    assert_eq!(thread[0], (false, "When is my appointment?".to_owned()));
    assert!(
        thread[1].0 && thread[1].1.contains("Reply YES"),
        "{thread:?}"
    );
    let (_, data) = Page::open(&lab, &token).await.next().await;
    assert_eq!(
        (&data["asks"], &data["turns"][0]["key"]),
        (&json!(true), &json!(KEY))
    );

    // YES, and the question is answered without asking again.
    assert_eq!(say(&lab, &token, &key(2), "YES").await, 202);
    let thread = shown(&lab, &token).await;
    assert!(
        thread.last().unwrap().1.contains("Your next visit"),
        "{thread:?}"
    );

    // The number by which the code went is no work for staff; the chat is.
    let inbox = Wanted::first(Queue::All, 10);
    let open = lab.app.house.store().inbox(lab.practice(), inbox);
    assert_eq!(open.await.unwrap().len(), 1);

    let chat = line(&lab, MARIA).await;
    assert_eq!(
        (chat.channel, chat.number.as_str()),
        (Channel::Webchat, MARIA)
    );
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk.get(&format!("/console/inbox/all?c={}", chat.id)).await;
    assert!(page.text().contains("webchat"), "{}", page.text());
    assert!(page.text().contains("When is my appointment?"));
}

#[tokio::test]
async fn what_staff_answer_reaches_an_open_page_and_is_delivered_when_it_is_seen() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    say(&lab, &token, KEY, "Hello").await;
    say(&lab, &token, &key(2), "YES").await;
    let mut page = Page::open(&lab, &token).await;
    page.next().await;

    let chat = line(&lab, MARIA).await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let words = [("text", "Yes, we open at 8 tomorrow.")];
    let told = desk
        .post(&format!("/console/answer/{}", chat.id), &words)
        .await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    lab.app.drain().await;
    let (kind, data) = page.next().await;
    assert_eq!(kind, "said");
    let turn = &data["turns"][0];
    assert_eq!(turn["text"], "Yes, we open at 8 tomorrow.");
    assert_eq!(turn["fresh"], true);

    let stands = || async {
        let turns = lab.app.house.store().turns(chat.id, 1).await.unwrap();
        turns[0].delivery.unwrap()
    };
    assert_eq!(stands().await, Delivery::Sent);
    let seen = json!({ "taken": [turn["id"]] });
    let told = call(&lab, "POST", "/chat/lakeside/here", &token, Some(seen)).await;
    assert_eq!(told.status, 204);
    assert_eq!(stands().await, Delivery::Delivered);
}

#[tokio::test]
async fn an_answer_that_comes_when_the_page_is_closed_waits_and_one_text_says_so() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    say(&lab, &token, KEY, "Hello").await;
    say(&lab, &token, &key(2), "When is my appointment?").await;
    let before = lab.app.received_by(MARIA).len();
    let told = call(&lab, "DELETE", "/chat/lakeside/session", &token, None).await;
    assert_eq!(told.status, 204);
    let tell = || async {
        lab.app.house.tell_of_chats_once().await.unwrap();
        lab.app.drain().await;
        lab.app.received_by(MARIA).split_off(before)
    };
    assert!(
        tell().await.is_empty(),
        "an open page takes it within a second"
    );
    lab.app.wait(SignedDuration::from_mins(3));
    let texts = tell().await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0].contains("an answer is waiting") && texts[0].contains("STOP"),
        "{texts:?}"
    );
    lab.app.wait(SignedDuration::from_mins(3));
    assert_eq!(tell().await.len(), 1, "once");

    // It is there for whoever comes back within the week, and an older thread is not.
    lab.app.wait(SignedDuration::from_hours(48));
    let token = entered(&lab, MARIA).await;
    let thread = shown(&lab, &token).await;
    assert!(
        thread.iter().all(|(ours, _)| *ours) && !thread.is_empty(),
        "{thread:?}"
    );
    assert!(
        !lab.app
            .audited()
            .await
            .iter()
            .any(|it| it == "chat.not_told")
    );
}

#[tokio::test]
async fn who_wants_no_texts_gets_none_about_the_chat() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    say(&lab, &token, KEY, "Hello").await;
    lab.app.text(MARIA, "STOP").await;
    let before = lab.app.received_by(MARIA).len();
    lab.app.wait(SignedDuration::from_mins(3));
    lab.app.house.tell_of_chats_once().await.unwrap();
    lab.app.drain().await;
    assert_eq!(lab.app.received_by(MARIA).len(), before);
    assert!(
        lab.app
            .audited()
            .await
            .iter()
            .any(|it| it == "chat.not_told")
    );
}

#[tokio::test]
async fn a_session_ends_by_itself_and_its_page_is_told() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    let mut page = Page::open(&lab, &token).await;
    page.next().await;
    lab.app.wait(SignedDuration::from_mins(14));
    let here = json!({ "active": true });
    let told = call(
        &lab,
        "POST",
        "/chat/lakeside/here",
        &token,
        Some(here.clone()),
    )
    .await;
    assert_eq!(told.status, 204);
    lab.app.wait(SignedDuration::from_mins(14));
    assert_eq!(shown(&lab, &token).await, vec![], "somebody was there");
    lab.app.wait(SignedDuration::from_mins(2));
    assert_eq!(page.next().await.0, "ended");
    for (method, path, body) in [
        (
            "POST",
            "messages",
            Some(json!({ "key": KEY, "text": "Hello" })),
        ),
        ("POST", "here", Some(here)),
        ("GET", "events", None),
        ("DELETE", "session", None),
    ] {
        let told = call(
            &lab,
            method,
            &format!("/chat/lakeside/{path}"),
            &token,
            body,
        )
        .await;
        assert_eq!(
            (told.status.as_u16(), told.json()["reason"].clone()),
            (401, json!("ended")),
            "{path}"
        );
    }

    // And after two hours in any case.
    let token = entered(&lab, MARIA).await;
    for _ in 0..13 {
        lab.app.wait(SignedDuration::from_mins(10));
        let here = json!({ "active": true });
        call(&lab, "POST", "/chat/lakeside/here", &token, Some(here)).await;
    }
    assert_eq!(say(&lab, &token, KEY, "Hello").await, 401);
}

#[tokio::test]
async fn an_emergency_is_answered_with_911_at_once_and_raises_its_alarm() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    say(
        &lab,
        &token,
        KEY,
        "I have crushing chest pain and can't breathe",
    )
    .await;
    let thread = shown(&lab, &token).await;
    assert!(thread[1].0 && thread[1].1.contains("911"), "{thread:?}");
    assert_eq!(lab.app.house.store().open_alarms().await.unwrap().len(), 1);
}

#[tokio::test]
async fn stop_in_the_chat_is_heard_and_help_is_answered() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    say(&lab, &token, &key(1), "HELP").await;
    say(&lab, &token, &key(2), "STOP").await;
    say(&lab, &token, &key(3), "When is my appointment?").await;
    let thread = shown(&lab, &token).await;
    let ours = thread.iter().filter(|(ours, _)| *ours).count();
    assert_eq!(ours, 2, "{thread:?}");
    assert!(!line(&lab, MARIA).await.allows_texts());
}

#[tokio::test]
async fn what_is_too_much_is_refused_and_nothing_is_quoted() {
    let lab = lab().await;
    let token = entered(&lab, MARIA).await;
    let path = "/chat/lakeside/messages";
    for (body, status) in [
        (json!({ "key": KEY, "text": "   " }), 422),
        (json!({ "key": "1", "text": "metformin" }), 422),
        (json!({ "key": KEY, "text": "é".repeat(4_001) }), 422),
        (
            json!({ "key": KEY, "text": "metformin".repeat(10_000) }),
            413,
        ),
        (json!({ "key": KEY, "text": "metformin", "more": 1 }), 400),
        (json!({ "text": "metformin" }), 400),
        (json!(["metformin"]), 400),
    ] {
        let told = call(&lab, "POST", path, &token, Some(body)).await;
        assert_eq!(told.status, status, "{}", told.text());
        assert!(!told.text().contains("metformin"), "{}", told.text());
    }
    let mut told = Vec::new();
    for at in 0..13 {
        told.push(say(&lab, &token, &key(at), "Hello").await.as_u16());
    }
    assert_eq!(told[11..], [202, 429]);
    lab.app.wait(SignedDuration::from_secs(61));
    assert_eq!(
        say(&lab, &token, &key(12), "Hello").await,
        202,
        "the same message, later"
    );
    // A form of another site's page is no JSON, and is refused before anything is looked at.
    let form = Request::post("/chat/lakeside/number")
        .header("content-type", "text/plain")
        .body(Body::from(
            json!({ "number": MARIA, "language": "en" }).to_string(),
        ));
    assert_eq!(ask(&lab.router, form.unwrap()).await.status, 415);
}
