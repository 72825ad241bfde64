//! The weekly notification of posts that people may like.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Outcome, Town, Worker};
use crate::post_recommendations::digest::schedulers::PostDigester;

impl Town {
    /// A whole round over all people; how many steps it took.
    async fn round(&self) -> u32 {
        self.sql("update post_digest_round set ended_at = null, past = '00000000-0000-0000-0000-000000000000'").await;
        let mut steps = 1;
        // Each step by a process of its own: the place is in the database.
        while !matches!(PostDigester(self.recommender()).step().await.unwrap(), Outcome::Idle(pause) if pause.as_secs() == 30)
        {
            steps += 1;
        }
        steps
    }

    async fn notified(&self, reader: Uuid) -> Vec<Value> {
        let list = self.read(reader, "/me/notifications?type=POST_RECOMMENDATION").await;
        list.body.as_array().unwrap().iter().map(|item| item["text"].clone()).collect()
    }
}

/// Who has something good is notified once a week, and no other user.
#[sqlx::test(migrations = false)]
async fn people_are_notified_once_a_week_of_what_is_good(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora] = [town.join("carl", &["NEWS"]).await, town.join("dora", &[]).await];
    let emil = town.join("emil", &[]).await;
    // Anna, Dora and Emil are connected to Bert, who likes three posts; Carl has what is new alone.
    for reader in [anna, dora, emil] {
        town.connect(reader, bert).await;
    }
    for number in 0..3 {
        let author = town.join(&format!("author{number}"), &[]).await;
        let post = town.post(author, "NEWS").await;
        town.react(bert, post).await;
    }
    // Dora wants none of it, and Emil has it mailed and not listed.
    for (reader, channels) in [(dora, json!({ "in_app": false })), (emil, json!({ "in_app": false, "mail": "DIGEST" }))]
    {
        let choice = json!({ "types": { "POST_RECOMMENDATION": channels } });
        let path = "/me/notification-preferences";
        let reply = town.platform.call("PATCH", path, Some(&reader.to_string()), Some(choice)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    assert_eq!(town.round().await, 2, "eight people, and none");
    let text = json!("There are posts that you may like");
    assert_eq!(town.notified(anna).await, std::slice::from_ref(&text));
    let notified = format!(
        "select count(*) from notification where type = 'POST_RECOMMENDATION' and user_id in ('{anna}', '{emil}')"
    );
    assert_eq!(town.count(&notified).await, 2);
    assert_eq!(town.count("select count(*) from notification where type = 'POST_RECOMMENDATION'").await, 2);
    assert!(town.notified(emil).await.is_empty());
    assert!(town.notified(carl).await.is_empty());
    town.round().await;
    assert_eq!(town.notified(anna).await.len(), 1, "not twice a week");
    town.sql("update post_digest set notified_at = notified_at - interval '7 days'").await;
    town.round().await;
    assert_eq!(town.notified(anna).await, [text.clone(), text], "the next week");
}

/// A person without a list, since it cannot be made, holds up no other one.
#[sqlx::test(migrations = false)]
async fn a_person_without_a_list_is_left_out(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    for reader in [anna, carl] {
        town.connect(reader, bert).await;
    }
    for number in 0..3 {
        let author = town.join(&format!("author{number}"), &[]).await;
        let post = town.post(author, "NEWS").await;
        town.react(bert, post).await;
    }
    // An interest that is no text.
    town.sql(&format!("update person set interests = array[null]::text[] where id = '{anna}'")).await;
    assert!(town.recommender().pick(anna).await.is_err());
    town.round().await;
    assert_eq!((town.notified(anna).await.len(), town.notified(carl).await.len()), (0, 1));
}
