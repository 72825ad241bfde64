//! Mentions, from the events of texts to the notifications of people.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED};
use crate::core::testing::new_user;
use crate::notifications::tests::{Scene, Someone};
use crate::people::events::USER_UPDATED;
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};

const NO_TEXTS: [&str; 0] = [];

/// A person with a username.
async fn named(scene: &Scene, name: &str) -> Someone {
    let (token, id) = new_user();
    scene.consume(USER_UPDATED, &person(scene, id, name, 0)).await;
    Someone { id, token }
}

fn person(scene: &Scene, id: Uuid, name: &str, second: i64) -> Value {
    json!({ "id": id, "username": name, "first_name": name, "status": "ACTIVE", "updated_at": scene.at(second) })
}

/// A version of a text with its mentions.
fn mentioning(mut text: Value, names: &[&str]) -> Value {
    let facet = |name: &&str| json!({ "kind": "MENTION", "value": name, "byte_start": 0, "byte_end": 1, "utf16_start": 0, "utf16_end": 1 });
    text["facets"] = names.iter().map(facet).collect();
    text
}

#[sqlx::test(migrations = false)]
async fn a_mention_notifies_once_also_when_an_edit_adds_it(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (named(&scene, "Ann").await, named(&scene, "Bert").await, named(&scene, "Carl").await);
    let id = Uuid::now_v7();
    let post = |status, second, names: &[&str]| mentioning(scene.post(&ann, id, status, second), names);
    scene.consume(POST_CREATED, &post("POSTED", 0, &["BERT", "bert", "ann", "unknown"])).await;
    let listed = scene.notifications(&bert).await;
    assert_eq!(
        (listed.len(), &listed[0]["type"], &listed[0]["text"]),
        (1, &json!("USER_MENTIONED"), &json!("Ann mentioned you"))
    );
    assert_eq!((&listed[0]["post"]["id"], &listed[0]["total_actors"]), (&json!(id), &json!(1)));
    assert_eq!(scene.texts(&ann).await, NO_TEXTS, "nobody is notified of their own words");
    scene.view_all(&bert).await;
    scene.consume(POST_UPDATED, &post("POSTED", 1, &["Bert", "carl"])).await;
    assert_eq!(scene.unread(&bert).await, json!(0), "an edit that keeps a mention is no news");
    assert_eq!(scene.texts(&carl).await, ["Ann mentioned you"]);
    scene.consume(POST_UPDATED, &post("POSTED", 2, &[])).await;
    assert_eq!((scene.texts(&bert).await, scene.texts(&carl).await), (vec![], vec![]), "withdrawn with the mention");
    scene.consume(POST_UPDATED, &post("POSTED", 3, &["carl"])).await;
    assert_eq!(scene.texts(&carl).await, ["Ann mentioned you"]);
    scene.consume(POST_DELETED, &post("POSTED", 3, &["carl"])).await;
    assert_eq!(scene.texts(&carl).await, NO_TEXTS, "and with the post");
}

#[sqlx::test(migrations = false)]
async fn a_draft_mentions_people_when_it_is_published(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (named(&scene, "Ann").await, named(&scene, "Bert").await);
    let id = Uuid::now_v7();
    scene.consume(POST_CREATED, &mentioning(scene.post(&ann, id, "DRAFT", 0), &["bert"])).await;
    assert_eq!(scene.texts(&bert).await, NO_TEXTS);
    scene.consume(POST_UPDATED, &mentioning(scene.post(&ann, id, "POSTED", 1), &["bert"])).await;
    assert_eq!(scene.texts(&bert).await, ["Ann mentioned you"]);
    scene.consume(POST_UPDATED, &mentioning(scene.post(&ann, id, "ARCHIVED", 2), &["bert"])).await;
    assert_eq!(scene.texts(&bert).await, NO_TEXTS, "what is archived is not seen");
    let mut hidden = mentioning(scene.post(&ann, id, "POSTED", 4), &["bert"]);
    scene.consume(POST_UPDATED, &mentioning(scene.post(&ann, id, "POSTED", 3), &["bert"])).await;
    assert_eq!(scene.texts(&bert).await, ["Ann mentioned you"]);
    hidden["hidden_at"] = json!(scene.at(4));
    scene.consume(POST_DELETED, &hidden).await;
    assert_eq!(scene.texts(&bert).await, NO_TEXTS, "nor is what moderation hides");
}

#[sqlx::test(migrations = false)]
async fn a_comment_mentions_people_before_and_after_its_post_is_known(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (named(&scene, "Ann").await, named(&scene, "Bert").await, named(&scene, "Carl").await);
    let id = Uuid::now_v7();
    let comment = mentioning(scene.made(&bert, id, 1), &["carl", "ann"]);
    scene.consume(COMMENT_CREATED, &comment).await;
    assert_eq!(scene.texts(&carl).await, NO_TEXTS, "whether the post may be seen is not known yet");
    scene.consume(POST_CREATED, &scene.post(&ann, id, "POSTED", 0)).await;
    assert_eq!(scene.texts(&carl).await, ["Bert mentioned you"]);
    let mut texts = scene.texts(&ann).await;
    texts.sort();
    assert_eq!(texts, ["Bert commented on your post", "Bert mentioned you"]);
    let mut edited = mentioning(comment.clone(), &["ann"]);
    edited["updated_at"] = json!(scene.at(2));
    scene.consume(COMMENT_UPDATED, &edited).await;
    assert_eq!(scene.texts(&carl).await, NO_TEXTS, "an edit took it away");
    scene.consume(COMMENT_UPDATED, &comment).await;
    assert_eq!(scene.texts(&carl).await, NO_TEXTS, "an older version changes nothing");
    scene.consume(COMMENT_DELETED, &edited).await;
    assert_eq!(scene.texts(&ann).await, NO_TEXTS);
}

#[sqlx::test(migrations = false)]
async fn no_mention_crosses_a_block_or_a_mute(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (named(&scene, "Ann").await, named(&scene, "Bert").await, named(&scene, "Carl").await);
    scene.block(&bert, &ann, 0).await;
    let id = Uuid::now_v7();
    scene.consume(POST_CREATED, &mentioning(scene.post(&ann, id, "POSTED", 1), &["bert", "carl"])).await;
    assert_eq!((scene.texts(&bert).await, scene.texts(&carl).await), (vec![], vec!["Ann mentioned you".to_owned()]));
    scene.unblock(&bert, &ann, 2).await;
    assert_eq!(scene.texts(&bert).await, ["Ann mentioned you"]);
    let mute = format!("/me/mutes/{}", ann.id);
    assert_eq!(scene.call("POST", &mute, Some(&carl.token), None).await.status, 204);
    assert_eq!(scene.texts(&carl).await, NO_TEXTS);
    assert_eq!(scene.call("DELETE", &mute, Some(&carl.token), None).await.status, 204);
    assert_eq!(scene.texts(&carl).await, ["Ann mentioned you"]);
    // A third person names the reader where the reader may not look.
    scene.block(&ann, &bert, 3).await;
    scene.consume(COMMENT_CREATED, &mentioning(scene.made(&carl, id, 4), &["bert"])).await;
    assert_eq!(scene.texts(&bert).await, NO_TEXTS);
    scene.unblock(&ann, &bert, 5).await;
    assert_eq!(scene.texts(&bert).await, ["Carl and Ann mentioned you"]);
}

#[sqlx::test(migrations = false)]
async fn a_mention_is_of_the_person_who_had_the_name(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (named(&scene, "Ann").await, named(&scene, "Bert").await);
    let id = Uuid::now_v7();
    scene.consume(POST_CREATED, &mentioning(scene.post(&ann, id, "POSTED", 0), &["bert"])).await;
    scene.consume(USER_UPDATED, &person(&scene, bert.id, "Robert", 1)).await;
    let heir = named(&scene, "bert").await;
    scene.consume(POST_UPDATED, &mentioning(scene.post(&ann, id, "POSTED", 2), &["bert"])).await;
    assert_eq!(scene.texts(&bert).await, ["Ann mentioned you"], "the name has gone on, the mention has not");
    assert_eq!(scene.texts(&heir).await, NO_TEXTS);
    let next = Uuid::now_v7();
    scene.consume(POST_CREATED, &mentioning(scene.post(&ann, next, "POSTED", 3), &["bert"])).await;
    assert_eq!(scene.texts(&heir).await, ["Ann mentioned you"]);
    assert_eq!(scene.texts(&bert).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn an_erased_person_is_mentioned_no_more_and_mentions_no_one(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (named(&scene, "Ann").await, named(&scene, "Bert").await);
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    scene.consume(POST_CREATED, &mentioning(scene.post(&ann, one, "POSTED", 0), &["bert"])).await;
    scene.consume(POST_CREATED, &mentioning(scene.post(&bert, other, "POSTED", 0), &["ann"])).await;
    assert_eq!((scene.texts(&ann).await.len(), scene.texts(&bert).await.len()), (1, 1));
    scene.consume("user_deleted", &json!({ "id": bert.id, "deleted_at": scene.at(1) })).await;
    scene.erase(bert.id).await;
    assert_eq!(scene.texts(&ann).await, NO_TEXTS);
    let left = scene.finds(&bert.id.to_string()).await;
    assert!(!left.iter().any(|place| place.ends_with("mention")), "{left:?}");
}
