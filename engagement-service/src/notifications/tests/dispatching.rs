//! How far a notification is on its way, and when its channels are used.
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, PgTransaction};

use super::{Scene, Someone};
use crate::core::ground::worker::{Outcome, Worker};
use crate::notifications::channels::{Handed, Handling, Outlet};
use crate::notifications::models::Notification;
use crate::notifications::schedulers::Dispatcher;

/// A channel that wants every notification, and has it at hand or not.
#[derive(Clone, Copy)]
struct Any {
    waits: bool,
    /// For how long it holds back what it is asked for, as in quiet hours.
    after: TimeDelta,
}

impl Outlet for Any {
    fn hand_over<'a>(
        &'a self,
        tx: &'a mut PgTransaction<'static>,
        due: &'a [Notification],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, sqlx::Result<Vec<Handed>>> {
        Box::pin(async move {
            let handling = match (self.after > TimeDelta::zero(), self.waits) {
                (true, _) => Handling::Held(now + self.after),
                (false, true) => Handling::AtHand,
                (false, false) => Handling::Taken,
            };
            for one in due.iter().filter(|_| handling == Handling::AtHand) {
                let delivery = format!(
                    "insert into push_delivery (id, notification_id, user_id, provider, device_id, due_at, expires_at)
                    values (gen_random_uuid(), '{}', '{}', 'FCM', gen_random_uuid(), now(), now())",
                    one.id, one.user_id
                );
                tx.execute(AssertSqlSafe(delivery)).await?;
            }
            Ok(due.iter().map(|one| Handed { id: one.id, handling }).collect())
        })
    }
}

async fn dispatch(scene: &Scene, channel: Option<Any>) {
    let channels = channel.into_iter().map(|channel| Box::new(channel) as Box<dyn Outlet>).collect();
    let mut dispatcher = Dispatcher::new(&scene.app, channels);
    while dispatcher.step().await.unwrap() == Outcome::Busy {}
}

async fn stages(scene: &Scene, reader: &Someone) -> Vec<String> {
    let all = scene.notifications(reader).await;
    all.iter().map(|notification| notification["status"].as_str().unwrap().to_owned()).collect()
}

#[sqlx::test(migrations = false)]
async fn what_no_channel_wants_is_sent_by_being_in_the_list(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let post = scene.publish(&ann).await;
    scene.react(&bert, post, 1).await;
    assert_eq!(stages(&scene, &ann).await, ["GENERATED"]);
    dispatch(&scene, None).await;
    assert_eq!(stages(&scene, &ann).await, ["SENT"]);
    scene.view_all(&ann).await;
    dispatch(&scene, None).await;
    assert_eq!(stages(&scene, &ann).await, ["VIEWED"]);
    scene.react(&carl, post, 2).await;
    assert_eq!(stages(&scene, &ann).await, ["GENERATED"]);
}

#[sqlx::test(migrations = false)]
async fn channels_are_used_once_an_hour_until_the_reader_looks(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    scene.comment(&bert, post, 1).await;
    dispatch(&scene, Some(Any { waits: true, after: TimeDelta::zero() })).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING"]);
    // The channel is done.
    scene.app.db.execute("update push_delivery set state = 'SENT', ended_at = now()").await.unwrap();
    dispatch(&scene, None).await;
    assert_eq!(stages(&scene, &ann).await, ["SENT"]);
    // More of the same waits for the hour to pass.
    scene.comment(&bert, post, 2).await;
    dispatch(&scene, Some(Any { waits: true, after: TimeDelta::zero() })).await;
    assert_eq!(stages(&scene, &ann).await, ["GENERATED"]);
    scene.app.db.execute("update notification set due_at = due_at - interval '1 hour'").await.unwrap();
    dispatch(&scene, Some(Any { waits: true, after: TimeDelta::zero() })).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING"]);
    // Who has looked is notified of the next one at once.
    scene.view_all(&ann).await;
    scene.comment(&bert, post, 3).await;
    dispatch(&scene, Some(Any { waits: true, after: TimeDelta::zero() })).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING"]);
    assert_eq!(scene.unread(&ann).await, json!(1));
}

#[sqlx::test(migrations = false)]
async fn what_happened_long_ago_and_what_is_withdrawn_uses_no_channel(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let [old, gone] = [scene.publish(&ann).await, scene.publish(&ann).await];
    scene.react(&bert, old, -2 * 86_400).await;
    let reaction = scene.react(&bert, gone, 1).await;
    scene.take_back(&reaction).await;
    dispatch(&scene, Some(Any { waits: true, after: TimeDelta::zero() })).await;
    assert_eq!(stages(&scene, &ann).await, ["SENT"]);
    scene.react(&bert, gone, 2).await;
    dispatch(&scene, Some(Any { waits: true, after: TimeDelta::zero() })).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING", "SENT"]);
}

#[sqlx::test(migrations = false)]
async fn what_a_channel_holds_back_is_handed_to_it_at_the_end_of_quiet_hours(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    let night = Some(Any { waits: true, after: TimeDelta::hours(8) });
    let day = Some(Any { waits: true, after: TimeDelta::zero() });
    let morning = async || scene.app.db.execute("update notification set due_at = now()").await.unwrap();
    // In the same night, also when there is more, and when the reader has looked.
    for second in [1, 2, 3] {
        scene.comment(&bert, post, second).await;
        dispatch(&scene, night).await;
        dispatch(&scene, day).await;
        assert_eq!(stages(&scene, &ann).await, ["GENERATED"], "it is not asked for again before its time");
        if second == 2 {
            scene.view_all(&ann).await;
        }
    }
    morning().await;
    dispatch(&scene, day).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING"]);
    // What is seen or withdrawn before the morning is not handed over.
    scene.view_all(&ann).await;
    let other = scene.publish(&ann).await;
    let reaction = scene.react(&bert, other, 4).await;
    scene.comment(&bert, post, 5).await;
    dispatch(&scene, night).await;
    scene.take_back(&reaction).await;
    scene.view_all(&ann).await;
    scene.app.db.execute("truncate push_delivery").await.unwrap();
    morning().await;
    dispatch(&scene, day).await;
    assert_eq!(stages(&scene, &ann).await, ["VIEWED"]);
    assert!(scene.app.db.fetch_optional("select from push_delivery").await.unwrap().is_none());
}
