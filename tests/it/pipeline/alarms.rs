//! Alarms: raised with the text, repeated while nobody has them, taken by a named person.

#![cfg(test)]

use anteroom::domain::alarm::AlarmKind;
use anteroom::domain::ids::AlarmId;
use anteroom::store::{Acknowledged, Store};
use jiff::SignedDuration;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA, TOM};

stories! {
    an_alarm_is_repeated_until_somebody_has_it => repeated;
    each_kind_of_alarm_is_raised_and_a_calm_text_raises_none => kinds;
    an_open_alarm_is_not_raised_twice_and_a_taken_one_is_raised_anew => once;
    an_alarm_after_stop_is_raised_all_the_same => after_stop;
    word_left_beside_the_database_stops_the_clock => left_word;
}

async fn open(app: &App) -> Vec<(AlarmKind, u32)> {
    let alarms = app.house.store().open_alarms().await.unwrap();
    alarms.iter().map(|it| (it.kind, it.repeated)).collect()
}

async fn after(app: &App, minutes: i64) {
    app.clock.advance(SignedDuration::from_mins(minutes));
    app.house.repeat_alarms_once().await.unwrap();
}

async fn holds(app: &App) -> usize {
    let practice = app.conversation(TOM).await.practice;
    let holds = app.house.store().holds(&practice).await.unwrap();
    let alarms = holds.iter().filter(|it| it.reason.starts_with("alarm not"));
    alarms.count()
}

async fn repeated(store: Store) {
    let app = App::new(store).await;
    let answer = app.one(TOM, "I have chest pain").await;
    assert!(answer.contains("911"), "{answer}");
    assert_eq!(open(&app).await, [(AlarmKind::Emergency, 0)]);
    after(&app, 4).await;
    assert_eq!(open(&app).await, [(AlarmKind::Emergency, 0)]);
    assert_eq!(holds(&app).await, 0);
    after(&app, 1).await;
    assert_eq!(open(&app).await, [(AlarmKind::Emergency, 1)]);
    assert_eq!(holds(&app).await, 1);
    after(&app, 5).await;
    assert_eq!(open(&app).await, [(AlarmKind::Emergency, 2)]);
    assert_eq!(holds(&app).await, 1, "one place among the holds");
    let id = app.house.store().open_alarms().await.unwrap()[0].id;
    let now = app.house.clock().now();
    let acknowledge = async |id| {
        let store = app.house.store();
        store
            .acknowledge_alarm(id, "  Ana at the desk ", now)
            .await
            .unwrap()
    };
    assert_eq!(acknowledge(id).await, Acknowledged::Now);
    assert_eq!(acknowledge(id).await, Acknowledged::Before);
    assert_eq!(acknowledge(AlarmId(99_999)).await, Acknowledged::Unknown);
    after(&app, 600).await;
    assert_eq!(open(&app).await, []);
    let audited = app.audited().await;
    let alarms: Vec<_> = audited
        .iter()
        .filter(|it| it.starts_with("alarm."))
        .collect();
    assert_eq!(
        alarms,
        [
            "alarm.raised",
            "alarm.repeated",
            "alarm.repeated",
            "alarm.acknowledged"
        ]
    );
}

async fn kinds(store: Store) {
    let app = App::new(store).await;
    for (from, text, kind) in [
        (TOM, "mi niño se tomó cloro", AlarmKind::Poison),
        (TOM, "my husband hits me", AlarmKind::Abuse),
        (MARIA, "ya no quiero vivir", AlarmKind::Crisis),
        (MARIA, "voy a matar a mi vecino", AlarmKind::Harm),
        (JAMES, "she is having a stroke", AlarmKind::Emergency),
    ] {
        app.text(from, text).await;
        let last = open(&app).await.pop();
        assert_eq!(last, Some((kind, 0)), "{text}");
    }
    app.text(JAMES, "what are your hours?").await;
    app.text(JAMES, "no chest pain today").await;
    assert_eq!(open(&app).await.len(), 5);
}

async fn once(store: Store) {
    let app = App::new(store).await;
    app.text(TOM, "chest pain").await;
    app.text(TOM, "it hurts so much, chest pain").await;
    let alarms = app.house.store().open_alarms().await.unwrap();
    assert_eq!(alarms.len(), 1);
    let now = app.house.clock().now();
    let taken = app
        .house
        .store()
        .acknowledge_alarm(alarms[0].id, "Ana", now)
        .await;
    assert_eq!(taken.unwrap(), Acknowledged::Now);
    app.text(TOM, "chest pain is back").await;
    assert_eq!(open(&app).await, [(AlarmKind::Emergency, 0)]);
}

async fn after_stop(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.text(TOM, "STOP").await;
    app.text(TOM, "my boyfriend hits me").await;
    assert_eq!(open(&app).await, [(AlarmKind::Abuse, 0)]);
}

async fn left_word(store: Store) {
    let app = App::new(store).await;
    app.text(TOM, "I can't breathe").await;
    let alarm = app.house.store().open_alarms().await.unwrap().remove(0);
    let folder = app.house.store().data_dir().to_owned();
    Store::leave_word(&folder, alarm.id, "Ana").unwrap();
    Store::leave_word(&folder, AlarmId(4_000), "Nobody").unwrap();
    after(&app, 0).await;
    assert_eq!(open(&app).await, []);
    assert!(
        app.audited()
            .await
            .contains(&"alarm.acknowledged".to_owned())
    );
    assert_eq!(
        app.house
            .store()
            .take_left_word(alarm.raised)
            .await
            .unwrap(),
        0
    );
}
