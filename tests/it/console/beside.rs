//! Notes and replies kept ready: for colleagues, and never for patients by themselves.

use anteroom::domain::staff::Role;

use crate::console::hand::Lab;
use crate::support::app::MARIA;

#[tokio::test]
async fn a_note_stands_among_the_texts_and_no_patient_gets_it() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let before = lab.app.received_by(MARIA).len();
    let mut desk = lab.staff(Role::FrontDesk).await;
    let path = format!("/console/note/{id}");
    let words = "Her daughter calls for her; <b>ask</b> for the form.";
    let told = desk.post(&path, &[("text", words), ("queue", "all")]).await;
    assert_eq!(
        told.header("location"),
        format!("/console/inbox/all?c={id}")
    );
    // A blank one is none.
    desk.post(&path, &[("text", "  "), ("queue", "all")]).await;
    lab.app.one(MARIA, "Thank you").await;
    let mut officer = lab.staff(Role::Compliance).await;
    let page = officer
        .get(&format!("/console/inbox/all?c={id}"))
        .await
        .text()
        .to_owned();
    let (above, below) = page
        .split_once("&lt;b&gt;ask&lt;")
        .expect("the note, escaped");
    assert!(
        below.contains("Note of <bdi>Dana Whitfield</bdi>"),
        "{below}"
    );
    assert!(
        above.contains("YES") && below.contains("Thank you"),
        "in its place among the texts"
    );
    assert_eq!(page.matches("Note of ").count(), 1);
    // Answers to YES and to thanks, and nothing else.
    assert_eq!(lab.app.received_by(MARIA).len(), before + 1);
    assert_eq!(officer.post(&path, &[("text", "x")]).await.status, 403);
    assert_eq!(
        desk.post("/console/note/999", &[("text", "x")])
            .await
            .status,
        404
    );
    let log = lab.app.audited().await;
    assert_eq!(log.iter().filter(|it| *it == "note.added").count(), 1);
}

#[tokio::test]
async fn a_reply_is_kept_under_its_name_offered_in_the_box_and_taken_away() {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let page = desk.get("/console/replies").await.text().to_owned();
    assert!(page.contains("No reply is kept yet"), "{page}");
    for (name, text, status) in [
        ("Parking", "Parking is free.", 303),
        ("Parking", "Parking is free behind the house.", 303),
        ("", "No name", 422),
        ("No words", "", 422),
        ("Long", "a".repeat(901).as_str(), 422),
        ("n".repeat(61).as_str(), "x", 422),
    ] {
        let told = desk
            .post("/console/replies", &[("name", name), ("text", text)])
            .await;
        assert_eq!(told.status, status, "{name}");
    }
    let open = format!("/console/inbox/all?c={id}");
    let page = desk.get(&open).await.text().to_owned();
    assert!(
        page.contains("<option value=\"Parking is free behind the house.\">Parking</option>"),
        "{page}"
    );
    let gone = [("do", "remove"), ("name", "Parking")];
    desk.post("/console/replies", &gone).await;
    let page = desk.get(&open).await.text().to_owned();
    assert!(!page.contains("behind the house"), "{page}");
}
