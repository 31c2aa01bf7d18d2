//! Rights of one patient: who was told of them, what they asked for, a copy, and a legal hold.

use anteroom::domain::record::{Request, RequestKind, Suits};
use anteroom::domain::staff::Role;
use jiff::SignedDuration;

use crate::console::hand::{Hand, Lab, between};
use crate::support::app::{MARIA, TOM};

/// The word of a patient's page, as the compliance page gives it.
async fn word(hand: &mut Hand<'_>, number: &str) -> String {
    let told = hand.post("/console/compliance", &[("q", number)]).await;
    let path = told.header("location").to_owned();
    let page = hand.get(path.split('#').next().unwrap()).await;
    let page = page.text().to_owned();
    let word = between(&page, "href=\"/console/patients/", "\"");
    word.expect("a link to the patient's page").to_owned()
}

const SHERIFF: &[(&str, &str)] = &[
    ("kind", "law_enforcement"),
    ("on", "2026-11-20"),
    ("recipient", "Lake County Sheriff 👮"),
    ("address", "1 Court Street"),
    ("what", "Dates of two visits"),
    ("purpose", "Warrant of November 19"),
];

const BOARD: &[(&str, &str)] = &[
    ("kind", "oversight"),
    ("on", "2026-11-21"),
    ("recipient", "State board"),
    ("what", "The whole chart"),
    ("purpose", "Inspection"),
    ("withheld", "2026-12-20"),
    ("statement", "written"),
];

#[tokio::test]
async fn staff_record_who_was_told_and_the_patient_gets_an_accounting() {
    let lab = Lab::new().await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let mut officer = lab.staff(Role::Compliance).await;
    let word = word(&mut officer, TOM).await;
    let path = format!("/console/patients/{word}");
    let page = officer.get(&path).await.text().to_owned();
    assert!(
        page.contains("No disclosure is recorded") && page.contains("Tom Nguyen"),
        "{page}"
    );
    let to = format!("{path}/disclosures");
    // Twice the same within a minute is one click too many.
    for _ in 0..2 {
        assert_eq!(desk.post(&to, SHERIFF).await.status, 303);
    }
    assert_eq!(desk.post(&to, BOARD).await.status, 303);
    let page = officer.get(&path).await.text().to_owned();
    assert_eq!(page.matches("Lake County Sheriff").count(), 1, "{page}");
    assert!(page.contains("not told until 2026-12-20"), "{page}");
    // What is wrong is told, and nothing that was typed is lost.
    let mut wrong = SHERIFF.to_vec();
    wrong[4] = ("what", "");
    let told = desk.post(&to, &wrong).await;
    assert_eq!(told.status, 422);
    let page = told.text();
    assert!(
        page.contains("What they were told is missing") && page.contains("Warrant of November 19"),
        "{page}"
    );
    accounted(&lab, &mut officer, &path).await;
    let log = lab.app.audited().await;
    for action in [
        "patient.viewed",
        "disclosure.recorded",
        "disclosure.struck",
        "accounting.made",
    ] {
        assert!(log.iter().any(|it| it == action), "{action} in {log:?}");
    }
}

/// The accounting tells what it must, leaves out what an agency keeps back until that is over, and what
/// was struck.
async fn accounted(lab: &Lab, officer: &mut Hand<'_>, path: &str) {
    let account = format!("{path}/accounting");
    let paper = officer.get(&account).await.text().to_owned();
    assert!(
        paper.contains("Lake County Sheriff") && paper.contains("1 Court Street"),
        "{paper}"
    );
    assert!(!paper.contains("State board"), "an agency has it left out");
    assert!(paper.contains("1 more is left out for now"), "{paper}");
    let file = officer.get(&format!("{account}?format=csv")).await;
    assert!(file.header("content-type").starts_with("text/csv"));
    let line = "Dates of two visits,Warrant of November 19";
    assert!(file.text().contains(line), "{}", file.text());
    // The time of the agency is over: the patient is told.
    lab.app.wait(SignedDuration::from_hours(24 * 23));
    let mut owner = lab.signed_in(Role::Owner).await;
    let paper = owner.get(&account).await.text().to_owned();
    assert!(paper.contains("State board"), "{paper}");

    // A mistake is struck with its reason and stays on file.
    let page = owner.get(path).await.text().to_owned();
    let (_, from) = page.split_once("State board").unwrap();
    let id = between(from, "name=\"id\" value=\"", "\"")
        .unwrap()
        .to_owned();
    let strike = format!("{path}/strike");
    let told = owner.post(&strike, &[("id", &id), ("why", "")]).await;
    assert_eq!(told.status, 422);
    let fields = [("id", id.as_str()), ("why", "it was another Tom")];
    assert_eq!(owner.post(&strike, &fields).await.status, 303);
    assert_eq!(owner.post(&strike, &fields).await.status, 409);
    let page = owner.get(path).await.text().to_owned();
    assert!(page.contains("it was another Tom"), "{page}");
    let paper = owner.get(&account).await.text().to_owned();
    assert!(!paper.contains("State board"), "{paper}");
}

/// Tom asks for his record; the id of the case.
async fn asked(lab: &Lab) -> String {
    let (practice, now) = (lab.practice(), lab.app.clock_now());
    let records = lab.app.house.records();
    let number = TOM.parse().unwrap();
    let people = records.patients_by_phone(practice, &number).await;
    let tom = people.unwrap().remove(0);
    let request = Request {
        kind: RequestKind::Records,
        words: "All of it, by mail".into(),
        due: Some(now + SignedDuration::from_hours(30 * 24)),
        from: None,
        to: None,
        suits: Suits::default(),
    };
    let filed = records.file(practice, &tom.id, &request, "k1").await;
    filed.unwrap().id.to_string()
}

#[tokio::test]
async fn a_request_is_put_off_once_noted_copied_and_closed() {
    let lab = Lab::new().await;
    lab.app.agreed(TOM).await;
    lab.app.one(TOM, "When is my appointment?").await;
    let id = asked(&lab).await;
    let path = format!("/console/requests/{id}");
    let mut officer = lab.staff(Role::Compliance).await;
    let page = officer.get(&path).await.text().to_owned();
    // California wants a copy within 15 days, sooner than the 30 of the federal rule.
    assert!(
        page.contains("By law: 2026-12-14") && page.contains("123110"),
        "{page}"
    );
    assert!(page.contains("due Dec 14, 2026"), "{page}");
    for (fields, status, said) in [
        (
            &[("do", "extend"), ("words", "")][..],
            422,
            "Say why it takes longer",
        ),
        (
            &[("do", "close"), ("how", "refused")],
            422,
            "what was refused and why",
        ),
        (
            &[("do", "note"), ("words", "Called on Monday, wants paper")],
            303,
            "",
        ),
        (
            &[
                ("do", "extend"),
                ("words", "Older charts are in the archive"),
            ],
            303,
            "",
        ),
        (
            &[("do", "extend"), ("words", "And again")],
            409,
            "put off once already",
        ),
    ] {
        let told = officer.post(&path, fields).await;
        assert_eq!(told.status, status, "{fields:?}: {}", told.text());
        assert!(told.text().contains(said), "{said}: {}", told.text());
    }
    let page = officer.get(&path).await.text().to_owned();
    assert!(page.contains("due Jan 28, 2027"), "{page}");
    assert!(page.contains("Older charts are in the archive"), "{page}");

    copied(&mut officer, &path).await;
    ended(&mut officer, &path).await;

    // An auditor sees that there is a request and what was done, and not whose or in which words.
    let mut auditor = lab.staff(Role::Auditor).await;
    let page = auditor.get(&path).await.text().to_owned();
    assert!(page.contains("put off by 30 days"), "{page}");
    for secret in ["Nguyen", "by mail", "archive", "/console/patients/"] {
        assert!(!page.contains(secret), "{secret}: {page}");
    }
    let log = lab.app.audited().await;
    for action in [
        "access.extended",
        "access.noted",
        "access.exported",
        "record.exported",
        "access.closed",
        "access.reopened",
    ] {
        assert!(log.iter().any(|it| it == action), "{action} in {log:?}");
    }
}

/// A copy in three forms: Tom's words, his visits, and nobody else's.
async fn copied(officer: &mut Hand<'_>, path: &str) {
    let copy = format!("{path}/copy");
    let told = officer.get(&format!("{copy}?format=json")).await;
    let named = told.header("content-disposition");
    assert!(named.contains("record-copy.json"), "{named}");
    let json = told.json();
    assert_eq!(json["patient"]["last_name"], "Nguyen");
    let said = json["messages"].to_string();
    assert!(said.contains("When is my appointment?"), "{said}");
    assert!(!json["visits"].as_array().unwrap().is_empty(), "{json}");
    assert!(!json["consent"].as_array().unwrap().is_empty(), "{json}");
    assert!(!json.to_string().contains("Maria"), "{json}");
    let csv = officer.get(&format!("{copy}?format=csv")).await;
    assert!(csv.text().starts_with("at,over,from,words,state\r\n"));
    let pdf = officer.get(&format!("{copy}?format=pdf")).await;
    assert_eq!(pdf.header("content-type"), "application/pdf");
    let docx = officer.get(&format!("{copy}?format=docx")).await;
    assert_eq!(docx.status, 422);
}

/// Closed once, in the list of what was closed, and opened again.
async fn ended(officer: &mut Hand<'_>, path: &str) {
    let close = [("do", "close"), ("how", "given"), ("words", "By mail")];
    assert_eq!(officer.post(path, &close).await.status, 303);
    let told = officer
        .post(path, &[("do", "close"), ("how", "done")])
        .await;
    assert_eq!(told.status, 409);
    let page = officer.get("/console/compliance").await.text().to_owned();
    assert!(
        page.contains("No request is open") && page.contains("Closed lately"),
        "{page}"
    );
    assert_eq!(officer.post(path, &[("do", "reopen")]).await.status, 303);
    let page = officer.get("/console/compliance").await.text().to_owned();
    assert!(!page.contains("No request is open"), "{page}");
}

#[tokio::test]
async fn a_case_is_opened_by_hand_and_another_s_word_opens_nothing() {
    let lab = Lab::new().await;
    let mut officer = lab.staff(Role::Compliance).await;
    let word = word(&mut officer, MARIA).await;
    let path = format!("/console/patients/{word}");
    let to = format!("{path}/case");
    for (received, words, said) in [
        ("", "A copy", "Give the day"),
        ("2027-01-01", "A copy", "lies ahead"),
        ("2026-11-20", "", "Say what the patient asks for"),
    ] {
        let told = officer
            .post(&to, &[("received", received), ("words", words)])
            .await;
        assert_eq!(told.status, 422);
        assert!(told.text().contains(said), "{said}: {}", told.text());
    }
    let told = officer
        .post(
            &to,
            &[("received", "2026-11-20"), ("words", "A copy, by letter")],
        )
        .await;
    assert_eq!(told.status, 303);
    let case = told.header("location").to_owned();
    let page = officer.get(&case).await.text().to_owned();
    // Counted from the day on which the letter came in, not from today.
    assert!(page.contains("due Dec 5, 2026"), "{page}");

    let hold = format!("{path}/hold");
    assert_eq!(officer.post(&hold, &[("why", "")]).await.status, 422);
    let told = officer.post(&hold, &[("why", "Suit of November")]).await;
    assert_eq!(told.status, 303);
    let page = officer.get(&path).await.text().to_owned();
    assert!(
        page.contains("legal hold") && page.contains("Suit of November"),
        "{page}"
    );
    assert_eq!(officer.post(&hold, &[("do", "end")]).await.status, 303);
    let page = officer.get(&path).await.text().to_owned();
    assert!(page.contains("Ended "), "{page}");

    for strange in ["maria", "999", "AAAA", &format!("{word}x")] {
        let told = officer.get(&format!("/console/patients/{strange}")).await;
        assert_eq!(told.status, 404, "{strange}");
    }
    assert_eq!(officer.get("/console/requests/nothing").await.status, 404);
}
