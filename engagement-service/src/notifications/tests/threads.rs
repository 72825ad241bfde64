//! Notifications of replies and reactions to comments.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Scene, Someone};
use crate::comment_reactions::events::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED};
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED};
use crate::posts::events::{POST_DELETED, POST_UPDATED};

impl Scene {
    fn replied(&self, by: &Someone, post: Uuid, to: &Value, second: i64) -> Value {
        let mut reply = self.made(by, post, second);
        reply["reply_to"] = to["id"].clone();
        reply
    }

    async fn reply(&self, by: &Someone, post: Uuid, to: &Value, second: i64) -> Value {
        let reply = self.replied(by, post, to, second);
        self.consume(COMMENT_CREATED, &reply).await;
        reply
    }

    fn liked(&self, by: &Someone, post: Uuid, comment: &Value, second: i64) -> Value {
        let mut reaction = self.made(by, post, second);
        reaction["comment_id"] = comment["id"].clone();
        reaction
    }

    async fn like(&self, by: &Someone, post: Uuid, comment: &Value, second: i64) -> Value {
        let reaction = self.liked(by, post, comment, second);
        self.consume(COMMENT_REACTION_CREATED, &reaction).await;
        reaction
    }
}

/// The author of a comment is notified of replies, the author of the post of comments, and one who is both of replies alone.
#[sqlx::test(migrations = false)]
async fn a_reply_is_for_the_author_of_the_comment(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let [ann, bert, carl] = [scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await];
    let post = scene.publish(&ann).await;
    let said = scene.comment(&bert, post, 1).await;
    scene.reply(&carl, post, &said, 2).await;
    assert_eq!(scene.texts(&bert).await, ["Carl replied to your comment"]);
    assert_eq!(scene.texts(&ann).await, ["Carl and Bert commented on your post"]);
    let shown = &scene.notifications(&bert).await[0];
    assert_eq!((&shown["type"], &shown["post"]["id"]), (&json!("COMMENT_REPLY"), &json!(post)));
    assert_eq!((&shown["total_actors"], &shown["actors"][0]["id"]), (&json!(1), &json!(carl.id)));
    scene.reply(&bert, post, &said, 3).await;
    assert_eq!(scene.texts(&bert).await, ["Carl replied to your comment"], "nobody is notified of themselves");

    let own = scene.comment(&ann, post, 4).await;
    let answer = scene.reply(&carl, post, &own, 5).await;
    let expected = ["Carl replied to your comment", "Bert and Carl commented on your post"];
    assert_eq!(scene.texts(&ann).await, expected, "the answer is a reply and not a comment as well");
    assert_eq!(scene.notifications(&ann).await[0]["total_actors"], 1);
    scene.consume(COMMENT_DELETED, &answer).await;
    assert_eq!(scene.texts(&ann).await, expected[1..], "a deleted reply is withdrawn");
}

/// The author of a comment is notified of reactions to it, also where the reaction is consumed first, until they are taken back.
#[sqlx::test(migrations = false)]
async fn a_reaction_to_a_comment_is_for_its_author(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let [ann, bert, carl] = [scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await];
    let post = Uuid::now_v7();
    let said = scene.made(&bert, post, 1);
    let liked = scene.like(&carl, post, &said, 2).await;
    assert_eq!(scene.texts(&bert).await, [""; 0], "the comment is not known yet");
    scene.consume(COMMENT_CREATED, &said).await;
    scene.consume(crate::posts::events::POST_CREATED, &scene.post(&ann, post, "POSTED", 0)).await;
    assert_eq!(scene.texts(&bert).await, ["Carl reacted to your comment"]);
    assert_eq!(scene.notifications(&bert).await[0]["type"], "COMMENT_REACTION_RECEIVED");
    let later = scene.like(&ann, post, &said, 3).await;
    assert_eq!(scene.texts(&bert).await, ["Ann and Carl reacted to your comment"]);
    scene.like(&bert, post, &said, 4).await;
    assert_eq!(scene.unread(&bert).await, 1, "nobody is notified of themselves");
    scene.block(&bert, &ann, 5).await;
    assert_eq!(scene.texts(&bert).await, [""; 0], "the post is hers, and Bert may not see it");
    scene.unblock(&bert, &ann, 6).await;
    assert_eq!(scene.texts(&bert).await, ["Ann and Carl reacted to your comment"]);
    scene.consume(COMMENT_REACTION_DELETED, &later).await;
    scene.consume(COMMENT_REACTION_DELETED, &liked).await;
    assert_eq!(scene.texts(&bert).await, [""; 0]);
}

/// While a comment is hidden its author is notified of nothing about it, and its post decides as for other notifications.
#[sqlx::test(migrations = false)]
async fn what_is_hidden_is_withheld(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let [ann, bert, carl] = [scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await];
    let post = scene.publish(&ann).await;
    let said = scene.comment(&bert, post, 1).await;
    scene.reply(&carl, post, &said, 2).await;
    scene.like(&carl, post, &said, 3).await;
    let both = ["Carl reacted to your comment", "Carl replied to your comment"];
    assert_eq!(scene.texts(&bert).await, both);
    let mut hidden = said.clone();
    (hidden["hidden_at"], hidden["updated_at"]) = (json!(scene.at(4)), json!(scene.at(4)));
    scene.consume(COMMENT_DELETED, &hidden).await;
    assert_eq!(scene.texts(&bert).await, [""; 0]);
    let mut restored = said.clone();
    restored["updated_at"] = json!(scene.at(5));
    scene.consume(COMMENT_CREATED, &restored).await;
    assert_eq!(scene.texts(&bert).await, both);

    scene.consume(POST_UPDATED, &scene.post(&ann, post, "ARCHIVED", 6)).await;
    assert_eq!(scene.texts(&bert).await, [""; 0]);
    scene.consume(POST_UPDATED, &scene.post(&ann, post, "POSTED", 7)).await;
    assert_eq!(scene.texts(&bert).await, both);
    scene.consume(POST_DELETED, &scene.post(&ann, post, "POSTED", 8)).await;
    assert_eq!(scene.texts(&bert).await, [""; 0]);
}

/// Each order of a comment, a reply and reactions ends in the same notifications, and a repetition changes nothing.
#[sqlx::test(migrations = false)]
async fn the_order_of_streams_makes_no_difference(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let [ann, bert, carl] = [scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [2, 3, 1, 0]] {
        let post = Uuid::now_v7();
        let said = scene.made(&bert, post, 1);
        let events = [
            (crate::posts::events::POST_CREATED, scene.post(&ann, post, "POSTED", 0)),
            (COMMENT_CREATED, said.clone()),
            (COMMENT_CREATED, scene.replied(&carl, post, &said, 2)),
            (COMMENT_REACTION_CREATED, scene.liked(&carl, post, &said, 3)),
        ];
        for n in order.into_iter().chain(order) {
            let (stream, message) = &events[n];
            scene.consume(stream, message).await;
        }
        let all = scene.notifications(&bert).await;
        let about = all.iter().filter(|notification| notification["post"]["id"] == json!(post));
        let texts: Vec<&Value> = about.map(|notification| &notification["text"]).collect();
        assert_eq!(texts, ["Carl reacted to your comment", "Carl replied to your comment"], "{order:?}");
        let posts = scene.notifications(&ann).await;
        let about = posts.iter().find(|notification| notification["post"]["id"] == json!(post)).unwrap();
        assert_eq!(about["text"], "Carl and Bert commented on your post", "{order:?}");
    }
}

/// Blocked people go on, and so do others under their posts. When the block ends, what they did meanwhile is there, as if it had just been
/// consumed; and what was known before is no news.
#[sqlx::test(migrations = false)]
async fn what_happened_during_a_block_is_there_behind_it(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let [ann, bert, carl] = [scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await];
    let mut named = scene.user(ann.id, "Ann");
    (named["username"], named["updated_at"]) = (json!("ann"), json!(scene.at(1)));
    scene.consume(crate::people::events::USER_UPDATED, &named).await;
    let (hers, his) = (scene.publish(&ann).await, scene.publish(&bert).await);
    let own = scene.comment(&ann, hers, 1).await;
    let said = scene.comment(&ann, his, 1).await;
    scene.block(&ann, &bert, 2).await;
    scene.react(&bert, hers, 3).await;
    scene.comment(&bert, hers, 4).await;
    scene.reply(&bert, hers, &own, 5).await;
    scene.like(&bert, hers, &own, 6).await;
    scene.reply(&carl, his, &said, 7).await;
    scene.like(&carl, his, &said, 8).await;
    let mut mention = scene.made(&carl, his, 9);
    mention["facets"] = json!([{ "kind": "MENTION", "value": "ann", "byte_start": 0, "byte_end": 4, "utf16_start": 0,
        "utf16_end": 4 }]);
    scene.consume(COMMENT_CREATED, &mention).await;
    assert_eq!(scene.texts(&ann).await, [""; 0]);
    let expected = [
        "Carl mentioned you",
        "Carl reacted to your comment",
        "Carl replied to your comment",
        "Bert reacted to your comment",
        "Bert replied to your comment",
        "Bert commented on your post",
        "Bert reacted to your post",
    ];
    scene.unblock(&ann, &bert, 10).await;
    assert_eq!((scene.texts(&ann).await, scene.unread(&ann).await), (expected.map(str::to_owned).to_vec(), json!(7)));
    scene.view_all(&ann).await;
    scene.block(&bert, &ann, 11).await;
    assert_eq!(scene.texts(&ann).await, [""; 0]);
    scene.unblock(&bert, &ann, 12).await;
    assert_eq!((scene.texts(&ann).await, scene.unread(&ann).await), (expected.map(str::to_owned).to_vec(), json!(0)));
}
