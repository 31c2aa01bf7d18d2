//! Secure messages from the console: files that go with them, and links that are closed before their time.

use anteroom::domain::staff::Role;
use anteroom::pipeline::portal::{LinkState, Opening};
use axum::body::Body;
use axum::http::Request;
use jiff::civil::date;

use crate::console::hand::{Hand, Lab, between};
use crate::simulator::fake::{Told, ask};
use crate::support::app::TOM;

pub(super) const PDF: &[u8] = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n";

/// A form with files, as a browser sends it.
pub(crate) fn multipart(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head =
            format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(head.as_bytes());
    }
    for (name, bytes) in files {
        let head = format!(
            "--b0\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b0--\r\n");
    ("multipart/form-data; boundary=b0".to_owned(), body)
}

pub(super) async fn sent(lab: &Lab, cookie: &str, path: &str, form: (String, Vec<u8>)) -> Told {
    let request = Request::post(path)
        .header("content-type", form.0)
        .header("cookie", cookie)
        .header("x-script", "1");
    ask(&lab.router, request.body(Body::from(form.1)).unwrap()).await
}

/// Tom's conversation, and somebody of the front desk who looks at it.
async fn desk(lab: &Lab) -> (Hand<'_>, String, String) {
    lab.app.agreed(TOM).await;
    let id = lab.app.conversation(TOM).await.id.to_string();
    let mut hand = lab.staff(Role::FrontDesk).await;
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    let csrf = between(page.text(), "name=\"csrf\" value=\"", "\"")
        .unwrap()
        .to_owned();
    (hand, id, csrf)
}

/// The token of the last link that was texted to Tom, and a session at it.
async fn opened(lab: &Lab) -> (String, String) {
    lab.app.drain().await;
    let text = lab.app.received_by(TOM).pop().unwrap();
    let token = text.split_once("/p/").unwrap().1;
    let token: String = token
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    let born = date(1978, 7, 4);
    let opening = lab.app.house.portal_open(&token, born, "").await.unwrap();
    let Opening::Shown(_, Some(session)) = opening else {
        panic!("{opening:?}");
    };
    (token, format!("anteroom_portal={session}"))
}

pub(super) async fn fetched(lab: &Lab, cookie: &str, path: &str) -> Told {
    let request = Request::get(path).header("cookie", cookie);
    ask(&lab.router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_file_goes_behind_the_link_and_to_nobody_else() {
    let lab = Lab::new().await;
    let (mut hand, id, csrf) = desk(&lab).await;
    let path = format!("/console/portal/{id}");
    let fields = [
        ("csrf", csrf.as_str()),
        ("text", "Here is the letter for your surgeon."),
    ];
    // What calls itself a PDF and is none, and what is too much, is refused with the way out.
    let page = b"<!doctype html><script>alert(1)</script>";
    let large = [PDF, &vec![b' '; 10 * 1024 * 1024]].concat();
    let many = [("a.pdf", PDF); 6];
    for (files, told) in [
        (&[("letter.pdf", page.as_slice())][..], "PDF, JPEG or PNG"),
        (&[("letter.pdf", &large[..])], "10 MB"),
        (&many, "5 files"),
    ] {
        let answer = sent(&lab, &hand.cookie, &path, multipart(&fields, files)).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(
            answer.text().contains(told) && answer.text().contains("Nothing was sent"),
            "{}",
            answer.text()
        );
    }
    let stranger = [("csrf", "0"), ("text", "x")];
    let answer = sent(
        &lab,
        &hand.cookie,
        &path,
        multipart(&stranger, &[("a.pdf", PDF)]),
    )
    .await;
    assert_eq!(answer.status, 403);
    let elsewhere = format!("/console/answer/{id}");
    let answer = sent(
        &lab,
        &hand.cookie,
        &elsewhere,
        multipart(&fields, &[("a.pdf", PDF)]),
    )
    .await;
    assert_eq!(answer.status, 403, "only a secure message takes files");
    let name = "Brief an Dr. Ré.pdf";
    let answer = sent(
        &lab,
        &hand.cookie,
        &path,
        multipart(&fields, &[(name, PDF)]),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // Staff see it beside the conversation.
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    let number = between(page.text(), "/console/file/", "\"")
        .unwrap()
        .to_owned();
    assert!(page.text().contains(name) && page.text().contains("Close the link"));
    let file = hand.get(&format!("/console/file/{number}")).await;
    assert_eq!((file.status.as_u16(), &file.body[..]), (200, PDF));
    handed_out(&lab, (name, &number)).await;
}

/// The patient gets the file, after both factors, and nobody else does.
async fn handed_out(lab: &Lab, (name, number): (&str, &str)) {
    let (token, cookie) = opened(lab).await;
    let page = fetched(lab, &cookie, &format!("/p/{token}")).await;
    assert!(
        page.text().contains(name) && page.text().contains("PDF, 1 KB"),
        "{}",
        page.text()
    );
    let path = format!("/p/{token}/file/{number}");
    let file = fetched(lab, &cookie, &path).await;
    assert_eq!((file.status.as_u16(), &file.body[..]), (200, PDF));
    for (header, value) in [
        ("content-type", "application/pdf"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(file.header(header), value);
    }
    let told = file.header("content-disposition");
    assert!(
        told.starts_with("attachment; filename=\"Brief an Dr. R_.pdf\"; filename*=UTF-8''Brief%20"),
        "{told}"
    );
    // Nobody without the session, and no other file.
    assert_ne!(fetched(lab, "", &path).await.body, PDF);
    let other = format!("/p/{token}/file/{}", "0".repeat(32));
    assert_eq!(fetched(lab, &cookie, &other).await.status, 404);
    let log = lab.app.audited().await;
    assert!(
        log.iter().any(|it| it == "portal.file_downloaded"),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_patient_sends_a_photo_without_what_the_camera_wrote() {
    let lab = Lab::new().await;
    let (mut hand, id, csrf) = desk(&lab).await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("text", "Please show us the wound."),
    ];
    let path = format!("/console/portal/{id}");
    assert_eq!(
        sent(&lab, &hand.cookie, &path, multipart(&fields, &[]))
            .await
            .status,
        200
    );
    let (token, cookie) = opened(&lab).await;
    let page = fetched(&lab, &cookie, &format!("/p/{token}")).await;
    let tag = between(page.text(), "name=\"tag\" value=\"", "\"")
        .unwrap()
        .to_owned();
    // A picture with a note of the camera's (APP1).
    let mut photo = vec![0xff, 0xd8, 0xff, 0xe1, 0, 12];
    photo.extend_from_slice(b"Exif\0\0GPS!");
    photo.extend_from_slice(&[0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9]);
    let fields = [("do", "reply"), ("tag", tag.as_str()), ("text", "")];
    let reply = format!("/p/{token}/reply");
    let answer = sent(
        &lab,
        &cookie,
        &reply,
        multipart(&fields, &[("IMG_1.jpg", &photo)]),
    )
    .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), format!("../{token}?done=reply"));
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(page.text().contains("IMG_1.jpg"));
    let number = between(page.text(), "/console/file/", "\"")
        .unwrap()
        .to_owned();
    let kept = hand.get(&format!("/console/file/{number}")).await;
    assert_eq!(kept.header("content-type"), "image/jpeg");
    assert!(!kept.body.windows(4).any(|it| it == b"GPS!"));
    // Without a session, or with another's form, nothing is taken.
    let answer = sent(&lab, "", &reply, multipart(&fields, &[("a.pdf", PDF)])).await;
    assert_ne!(answer.status, 303);
    let forged = [("do", "reply"), ("tag", "0"), ("text", "x")];
    let answer = sent(&lab, &cookie, &reply, multipart(&forged, &[("a.pdf", PDF)])).await;
    assert_eq!(answer.status, 403);
    let wrong = sent(
        &lab,
        &cookie,
        &reply,
        multipart(&fields, &[("a.exe", b"MZ")]),
    )
    .await;
    assert_eq!(wrong.header("location"), format!("../{token}?done=kind"));
}

#[tokio::test]
async fn a_link_that_staff_closed_opens_for_nobody_and_sends_whoever_reads_out() {
    let lab = Lab::new().await;
    let (mut hand, id, csrf) = desk(&lab).await;
    let fields = [("csrf", csrf.as_str()), ("text", "Your letter is ready.")];
    let path = format!("/console/portal/{id}");
    assert_eq!(
        sent(&lab, &hand.cookie, &path, multipart(&fields, &[]))
            .await
            .status,
        200
    );
    let (token, cookie) = opened(&lab).await;
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(
        page.text()
            .contains("<p dir=\"auto\">Your letter is ready.</p>"),
        "staff read what they sent: {}",
        page.text()
    );
    let link = between(page.text(), "name=\"link\" value=\"", "\"")
        .unwrap()
        .to_owned();
    let revoke = format!("/console/revoke/{id}");
    // The wrong conversation closes nothing.
    let other = format!("/console/revoke/{}", 999_999);
    assert_eq!(hand.post(&other, &[("link", &link)]).await.status, 409);
    assert_eq!(hand.post(&revoke, &[("link", "zz")]).await.status, 422);
    assert_eq!(hand.post(&revoke, &[("link", &link)]).await.status, 303);
    assert_eq!(
        hand.post(&revoke, &[("link", &link)]).await.status,
        409,
        "once"
    );
    let session = cookie.split_once('=').unwrap().1;
    assert!(
        lab.app
            .house
            .portal_room(&token, session)
            .await
            .unwrap()
            .is_none()
    );
    let born = date(1978, 7, 4);
    let opening = lab.app.house.portal_open(&token, born, "").await.unwrap();
    assert!(
        matches!(opening, Opening::Closed(LinkState::Revoked(_))),
        "{opening:?}"
    );
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(page.text().contains("closed by staff") && !page.text().contains("Close the link"));
    let log = lab.app.audited().await;
    assert!(log.iter().any(|it| it == "portal.revoked"), "{log:?}");
}

#[tokio::test]
async fn where_another_portal_stands_nothing_is_dropped_behind_it() {
    const OTHER: &str = "https://portal.example.com/lakeside";
    let lab = Lab::changed(|it| OTHER.clone_into(&mut it.portal_url)).await;
    let (mut hand, id, csrf) = desk(&lab).await;
    let before = lab.app.received_by(TOM).len();
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(
        page.text().contains("written in the practice"),
        "{}",
        page.text()
    );
    let named = between(page.text(), "own portal, <bdi>", "</bdi>").unwrap();
    assert_eq!(named.replace("&#x2F;", "/"), OTHER);
    for gone in ["By portal", "id=\"attach\""] {
        assert!(!page.text().contains(gone), "{gone}");
    }
    // What a form asks for all the same is refused: by portal, with a file, and as an answer with details.
    let words = "Your biopsy was benign, and your A1c was 9.2 %.";
    let fields = [("csrf", csrf.as_str()), ("text", words)];
    let portal = format!("/console/portal/{id}");
    for files in [&[][..], &[("letter.pdf", PDF)]] {
        let told = sent(&lab, &hand.cookie, &portal, multipart(&fields, files)).await;
        assert_eq!(told.status, 422, "{}", told.text());
        let why = told.json()["closed"].as_str().unwrap().to_owned();
        assert!(
            why.contains(OTHER) && why.contains("Write it there"),
            "{why}"
        );
    }
    lab.app.text(TOM, "STOP").await;
    lab.app.text(TOM, "START").await;
    let before_answer = lab.app.received_by(TOM).len();
    let told = hand
        .post(&format!("/console/answer/{id}"), &[("text", words)])
        .await;
    assert_eq!(told.status, 422, "{}", told.text());
    assert!(told.text().contains("own portal"), "{}", told.text());
    lab.app.drain().await;
    assert_eq!(lab.app.received_by(TOM).len(), before_answer);
    assert!(before_answer > before);
    // What may be texted goes.
    let plain = [("text", "We open at 8 tomorrow.")];
    let told = hand.post(&format!("/console/answer/{id}"), &plain).await;
    assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
}

#[tokio::test]
async fn what_the_agent_meant_for_another_portal_waits_for_staff_in_its_own_words() {
    const OTHER: &str = "https://portal.example.com/lakeside";
    let lab = Lab::changed(|it| OTHER.clone_into(&mut it.portal_url)).await;
    let (mut hand, id, _) = desk(&lab).await;
    lab.app.one(TOM, "Are my biopsy results in?").await;
    let page = hand.get(&format!("/console/inbox/held?c={id}")).await;
    let card = between(page.text(), "<article class=\"hold\"", "</article>").unwrap();
    let words = card.replace("&#x2F;", "/");
    for told in [
        "meant for your own portal",
        OTHER,
        "Put them there",
        "biopsy",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    assert!(!words.contains("Send by portal"), "{words}");
    let hold = between(card, "data-id=\"", "\"").unwrap().to_owned();
    let aside = format!("/console/aside/{id}");
    let told = hand
        .post(&aside, &[("hold", &hold), ("queue", "held")])
        .await;
    assert_eq!(told.status, 303, "{}", told.text());
    assert!(lab.app.held().await.is_empty());
}
