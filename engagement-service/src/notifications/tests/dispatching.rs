//! How far a notification is on its way, and when its channels are used.
use futures::future::BoxFuture;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgTransaction};
use uuid::Uuid;

use super::{Scene, Someone};
use crate::core::ground::worker::{Outcome, Worker};
use crate::notifications::models::{DueNotification, Notification};
use crate::notifications::schedulers::{Channel, Dispatcher};

/// A channel that wants every notification.
fn any<'a>(_: &'a mut PgTransaction<'static>, due: &'a [DueNotification]) -> BoxFuture<'a, sqlx::Result<Vec<Uuid>>> {
    Box::pin(async move { Ok(due.iter().map(|one| one.id).collect()) })
}

async fn dispatch(scene: &Scene, channels: &[Channel]) {
    let mut dispatcher = Dispatcher::new(&scene.app, channels.to_vec());
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
    dispatch(&scene, &[]).await;
    assert_eq!(stages(&scene, &ann).await, ["SENT"]);
    scene.view_all(&ann).await;
    dispatch(&scene, &[]).await;
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
    dispatch(&scene, &[any]).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING"]);
    // The channel is done.
    let id = scene.notifications(&ann).await[0]["id"].as_str().unwrap().parse().unwrap();
    let mut tx = scene.app.db.begin().await.unwrap();
    Notification::mark_sent(&mut tx, &[id]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stages(&scene, &ann).await, ["SENT"]);
    // More of the same waits for the hour to pass.
    scene.comment(&bert, post, 2).await;
    dispatch(&scene, &[any]).await;
    assert_eq!(stages(&scene, &ann).await, ["GENERATED"]);
    scene.app.db.execute("update notification set due_at = due_at - interval '1 hour'").await.unwrap();
    dispatch(&scene, &[any]).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING"]);
    // Who has looked is notified of the next one at once.
    scene.view_all(&ann).await;
    scene.comment(&bert, post, 3).await;
    dispatch(&scene, &[any]).await;
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
    dispatch(&scene, &[any]).await;
    assert_eq!(stages(&scene, &ann).await, ["SENT"]);
    scene.react(&bert, gone, 2).await;
    dispatch(&scene, &[any]).await;
    assert_eq!(stages(&scene, &ann).await, ["SENDING", "SENT"]);
}
