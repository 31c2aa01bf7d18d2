//! Searching what is sealed, and files of secure messages, on both engines.

use anteroom::domain::ids::StaffId;
use anteroom::domain::phi::Phi;
use anteroom::store::{Bearer, NewAttachment, Store};

use crate::support::app::{App, MARIA, TOM};
use crate::support::stores;

async fn found(store: Store) {
    let app = App::new(store).await;
    for number in [MARIA, TOM] {
        app.text(number, "Hello").await;
    }
    let store = app.house.store();
    let whom = (StaffId(1), 50);
    let numbers = async |typed: &str| {
        let lines = store
            .inbox_named(app.practice(), typed, whom)
            .await
            .unwrap();
        let number = |it: &anteroom::store::inbox::Line| it.conversation.number.as_str().to_owned();
        lines.iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers("nguy").await, [TOM]);
    assert_eq!(numbers("TOM ng").await, [TOM]);
    assert_eq!(numbers("mar gon").await, [MARIA]);
    assert!(numbers("tom gon").await.is_empty());
    assert!(numbers("x").await.is_empty());
    let ended = store
        .inbox_ending(app.practice(), "0114", whom)
        .await
        .unwrap();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].conversation.number.as_str(), TOM);
    assert_eq!(
        store.index_for_search(10).await.unwrap(),
        0,
        "nothing is left to be indexed"
    );
    // A file, sealed and as it was.
    let conversation = app.conversation(TOM).await;
    let bytes = b"%PDF-1.7 a letter".to_vec();
    let file = NewAttachment {
        id: [3; 16],
        name: Phi::from("letter.pdf"),
        kind: "application/pdf",
        bytes: Phi::new(bytes.clone()),
    };
    let link = [9; 32];
    let kept = (conversation, file);
    store
        .write(move |tx| {
            let (conversation, file) = kept.clone();
            Box::pin(async move {
                let now = "2026-11-29T18:00:00Z".parse().unwrap();
                tx.add_attachment(&conversation, Bearer::Link(link), &file, now)
                    .await
            })
        })
        .await
        .unwrap();
    let all = store.attachments(Bearer::Link(link)).await.unwrap();
    assert_eq!((all.len(), all[0].name.as_str()), (1, "letter.pdf"));
    let (_, read) = store
        .attachment(app.practice(), &[3; 16])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*read.expose(), bytes);
    let other = anteroom::domain::ids::PracticeId::new("elsewhere");
    assert!(store.attachment(&other, &[3; 16]).await.unwrap().is_none());
}

#[tokio::test]
async fn people_are_found_and_files_are_kept_on_sqlite() {
    let kept = stores::sqlite().await;
    found(kept.store.clone()).await;
}

#[tokio::test]
async fn people_are_found_and_files_are_kept_on_postgres() {
    let kept = stores::postgres().await;
    found(kept.store.clone()).await;
}
