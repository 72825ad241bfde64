//! A model in shadow, from what another one has read to the statistics of both.
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::models::ShadowProgress;
use super::schedulers::ShadowReader;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::moderations::events::{COMMENT_CREATED, COMMENT_DELETED};
use crate::reports::tests::new_moderator;
use crate::text_model::{Calibration, Class, HEADS, Head, Scores, TextModel};

/// A model that finds hate in the word "shade" alone.
struct Shade;

impl TextModel for Shade {
    fn version(&self) -> &'static str {
        "shade"
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        &[Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: Some(0.875) }; HEADS]
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        anyhow::ensure!(!texts.contains(&"unreadable"), "the model has failed");
        let read = |text: &&str| {
            let mut scores = [0.0; HEADS];
            scores[Head::Hate as usize] = if text.contains("shade") { 1.0 } else { 0.0 };
            let is = scores.map(|score: f32| score > 0.5);
            Scores { scores, labels: is, hides: is, class: Class::Neither, is_partial: false }
        };
        Ok(texts.iter().map(read).collect())
    }
}

fn reader(platform: &Platform, sample: f64) -> ShadowReader {
    ShadowReader { app: platform.app.clone(), model: Arc::new(Shade), sample }
}

async fn execute(platform: &Platform, statement: &str) {
    platform.app.db.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
}

/// Lets minutes pass since the texts were read, and since the shadow began.
async fn pass(platform: &Platform, minutes: u32) {
    execute(platform, &format!("update analysis set at = at - interval '{minutes} minutes'")).await;
    execute(platform, &format!("update shadow_progress set at = at - interval '{minutes} minutes'")).await;
}

async fn write(platform: &Platform, author: Uuid, content: &str) -> Value {
    let comment = json!({ "id": Uuid::now_v7(), "created_at": "2026-11-20T12:00:00+00:00", "created_by": author,
        "updated_at": "2026-11-20T12:00:00+00:00", "updated_by": null, "post_id": Uuid::nil(), "content": content });
    platform.consume(COMMENT_CREATED, &comment).await;
    comment
}

async fn read(platform: &Platform) -> Vec<String> {
    let rows = "select text || ' ' || shadow.verdict || ' ' || heads_agreed as read from shadow_reading as shadow
        join analysis on analysis.id = analysis join content on content.id = content_id order by 1";
    let rows = platform.app.db.fetch_all(rows).await.unwrap();
    rows.iter().map(|row| row.get("read")).collect()
}

/// What the first model has read, the second one reads, once; and figures say what would have been different with it.
#[sqlx::test(migrations = false)]
async fn a_second_model_reads_in_shadow_and_is_compared(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (author, (moderator, _)) = (new_user().1, new_moderator());
    let hateful = "I hate all faggots";
    for text in ["a fine day in the shade of a tree", hateful, "a fine day"] {
        write(&platform, author, text).await;
    }
    let gone = write(&platform, author, "a day that is gone").await;
    platform.consume(COMMENT_DELETED, &gone).await;
    let mut shadow = reader(&platform, 1.0);
    assert!(matches!(shadow.step().await.unwrap(), Outcome::Idle(_)), "transactions of before may be open");
    assert_eq!(read(&platform).await, [""; 0]);
    // The place is where it was when the texts were written.
    execute(&platform, "update shadow_progress set at = (select min(at) from analysis) - interval '1 second'").await;
    pass(&platform, 2).await;
    let counted = Counted::begin();
    assert_eq!(shadow.step().await.unwrap(), Outcome::Busy);
    counted.assert("shadow_texts_total{outcome=\"read\"} 3");
    assert!(matches!(shadow.step().await.unwrap(), Outcome::Idle(_)), "each is read once");
    let expected = ["I hate all faggots ALLOW 3", "a fine day ALLOW 5", "a fine day in the shade of a tree HIDE 4"];
    let found = read(&platform).await;
    assert_eq!(found[1..], expected[1..], "{found:?}");
    assert!(found[0].starts_with(hateful), "{found:?}");
    let hidden = "select count(*) as hidden from subject where visibility = 'HIDDEN'";
    assert_eq!(platform.app.db.fetch_one(hidden).await.unwrap().get::<i64, _>("hidden"), 1, "nothing follows from it");

    execute(&platform, "update decision set ended_by = 'OVERTURNED', ended_at = now() where analysis is not null")
        .await;
    let stats = platform.call("GET", "/moderation/stats", Some(&moderator), None).await.body;
    let [model] = &stats["by_model"].as_array().unwrap()[..] else { panic!("{stats}") };
    assert_eq!((&model["read"], &model["hidden"], &model["decisions"]), (&json!(4), &json!(1), &json!(1)), "{stats}");
    assert_eq!((&model["taken_back"], &model["precision"]), (&json!(1), &json!(0.0)));
    let [pair] = &stats["by_shadow"].as_array().unwrap()[..] else { panic!("{stats}") };
    assert_eq!((&pair["model_version"], &pair["shadow_version"]), (&model["model_version"], &json!("shade")));
    let figures = ["read", "both_hide", "only_model_hides", "only_shadow_hides", "spared"].map(|name| &pair[name]);
    assert_eq!(json!(figures), json!([3, 0, 1, 1, 1]), "{pair}");
    assert!(pair["agreement"].as_f64().is_some_and(|share| (0.6..0.95).contains(&share)), "{pair}");

    let exported = platform.personal_data_of(author, "analyses").await;
    let with = exported.iter().filter(|analysis| analysis["shadow"][0]["model_version"] == "shade").count();
    assert_eq!((exported.len(), with), (4, 3), "{exported:?}");
    platform.erase(author).await;
    assert_eq!(read(&platform).await, [""; 0]);
}

/// What has waited for too long is skipped and counted, a sample is by the texts, and one replica reads at a time.
#[sqlx::test(migrations = false)]
async fn its_queue_is_bounded_and_its_sample_is_a_share(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let author = new_user().1;
    for number in 0..40 {
        write(&platform, author, &format!("number {number}")).await;
    }
    execute(&platform, "update shadow_progress set at = (select min(at) from analysis) - interval '1 second'").await;
    pass(&platform, 61).await;
    let counted = Counted::begin();
    reader(&platform, 1.0).step().await.unwrap();
    counted.assert("shadow_texts_total{outcome=\"skipped\"} 40");
    assert_eq!(read(&platform).await, [""; 0]);

    execute(&platform, "update analysis set at = now() - interval '10 minutes'").await;
    execute(&platform, "update shadow_progress set at = now() - interval '20 minutes'").await;
    let mut other = platform.app.db.begin().await.unwrap();
    other.execute("select from shadow_progress for update").await.unwrap();
    assert!(matches!(reader(&platform, 1.0).step().await.unwrap(), Outcome::Idle(_)), "another replica reads");
    other.rollback().await.unwrap();
    let mut half = reader(&platform, 0.5);
    while half.step().await.unwrap() == Outcome::Busy {}
    let sampled = read(&platform).await;
    assert!((5..36).contains(&sampled.len()), "{}", sampled.len());
    execute(&platform, "update shadow_progress set at = now() - interval '20 minutes'").await;
    while half.step().await.unwrap() == Outcome::Busy {}
    assert_eq!(read(&platform).await, sampled, "always the same texts");
}

/// What one replica has taken no other one reads; when its lease has ended, the first to store what it has read moves the place, and the other
/// one stores nothing.
#[sqlx::test(migrations = false)]
async fn a_place_is_moved_by_one_replica(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    write(&platform, new_user().1, "a fine day").await;
    execute(&platform, "update shadow_progress set at = (select min(at) from analysis) - interval '1 second'").await;
    pass(&platform, 2).await;
    let slow = ShadowProgress::take(&platform.app.db).await.unwrap().unwrap();
    assert!(matches!(reader(&platform, 1.0).step().await.unwrap(), Outcome::Idle(_)));
    assert_eq!(read(&platform).await, [""; 0]);
    execute(&platform, "update shadow_progress set claimed_until = now()").await;
    assert_eq!(reader(&platform, 1.0).step().await.unwrap(), Outcome::Busy);
    assert_eq!(read(&platform).await.len(), 1);
    assert!(!slow.advance(&platform.app.db, slow.horizon, Uuid::max()).await.unwrap());
}

/// A model that fails loses no text: the worker tries it again, and the first model knows nothing of it.
#[sqlx::test(migrations = false)]
async fn a_model_that_fails_tries_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    write(&platform, new_user().1, "unreadable").await;
    execute(&platform, "update shadow_progress set at = (select min(at) from analysis) - interval '1 second'").await;
    pass(&platform, 2).await;
    for _ in 0..2 {
        let failure = reader(&platform, 1.0).step().await.unwrap_err();
        assert_eq!(failure.to_string(), "the model has failed");
    }
}

/// A model beside itself, or beside none, is a mistake that the service says before it starts.
#[sqlx::test(migrations = false)]
async fn a_shadow_is_another_model_beside_one(_: PgPoolOptions, database: PgConnectOptions) {
    let model = crate::perspective::tests::model();
    let platform = Platform::start(&SERVICE, database, &[]).await;
    for settings in [["--moderation-model", "off"], ["--moderation-model", &model]] {
        let settings = [&settings[..], &["--moderation-shadow-model", &model]].concat();
        let arguments = [&["", "--database-url", "postgres://x"], &settings[..]].concat();
        let arguments = SERVICE.command().get_matches_from(arguments);
        let refused = (SERVICE.features)(&platform.app, &arguments).err().unwrap().to_string();
        assert!(refused.contains("shadow") || refused.contains("SHADOW"), "{refused}");
    }
}
