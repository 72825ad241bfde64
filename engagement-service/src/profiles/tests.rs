//! Activity profiles, through their route, their events and the calendar.
use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::CATEGORIES;
use super::events::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, LEVEL_CHANGED, POST_CREATED,
    POST_DELETE_COMPLETED, POST_DELETED, POST_UPDATED, POST_VIEWED, REACTION_CREATED, REACTION_DELETED,
    USER_REGISTERED,
};
use super::models::Profile;
use super::schedulers::recalculate_scores;
use crate::SERVICE;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::consumer::Step;
use crate::core::testing::{Platform, new_user};

async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

/// Appends events to a stream, as an original service does; the service does not consume them yet.
async fn put(platform: &Platform, stream: &str, messages: &[Value]) {
    for message in messages {
        put_text(platform, stream, &message.to_string()).await;
    }
}

async fn put_text(platform: &Platform, stream: &str, message: &str) {
    let fields = [("message", message), ("type", "json")];
    let _: String = platform.app.redis.clone().xadd(stream, "*", &fields).await.unwrap();
}

async fn profile(platform: &Platform, token: &str) -> Value {
    let reply = platform.call("GET", "/me/activity-profile", Some(token), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// Posts, comments, reactions, views, as the profile shows them.
fn totals(profile: &Value) -> [i64; 4] {
    ["total_owned_posts", "total_post_comments", "total_post_reactions", "total_post_views"]
        .map(|name| profile[name].as_i64().unwrap())
}

/// The categories of the summary that have posts.
fn written(profile: &Value) -> Value {
    let mut summary = profile["summary"].clone();
    summary.as_object_mut().unwrap().retain(|_, total| *total != json!(0.0));
    summary
}

fn post(author: Uuid, id: Uuid, at: DateTime<Utc>, types: &[&str], version: i64) -> Value {
    json!({ "id": id, "created_at": at, "created_by": author, "updated_at": at + TimeDelta::microseconds(version),
        "updated_by": null, "title": null, "content": "x", "types": types, "status": "POSTED", "total_views": 0,
        "total_comments": 0, "total_reactions": 0, "score": 0.0, "popularity": 0.0 })
}

fn new_post(author: Uuid, at: DateTime<Utc>, types: &[&str]) -> Value {
    post(author, Uuid::now_v7(), at, types, 0)
}

/// A comment or a reaction, with the fields that count.
fn made(by: Uuid, at: DateTime<Utc>) -> Value {
    json!({ "id": Uuid::now_v7(), "created_at": at, "created_by": by, "updated_at": at, "updated_by": null,
        "post_id": Uuid::now_v7(), "content": "x", "type": "LIKE" })
}

fn view(by: Uuid) -> Value {
    let mut seen = new_post(Uuid::now_v7(), Utc::now(), &["NEWS"]);
    seen["viewed_by"] = json!(by);
    seen
}

fn ago(days: u64) -> DateTime<Utc> {
    Utc::now() - Days::new(days)
}

fn today() -> NaiveDate {
    Utc::now().date_naive()
}

#[sqlx::test(migrations = false)]
async fn a_profile_is_answered_as_the_original_does(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    platform.consume(USER_REGISTERED, &json!({ "id": id, "email": "anna@example.com", "interests": ["NEWS"] })).await;
    let fresh = profile(&platform, &anna).await;
    let names: Vec<_> = fresh.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "id",
            "created_at",
            "created_by",
            "updated_at",
            "updated_by",
            "user_id",
            "total_owned_posts",
            "total_post_views",
            "total_post_reactions",
            "total_post_comments",
            "engagement_score",
            "status",
            "summary"
        ]
    );
    assert_eq!(
        (&fresh["user_id"], &fresh["created_by"], &fresh["updated_by"]),
        (&json!(id), &Value::Null, &Value::Null)
    );
    assert_eq!(totals(&fresh), [0, 0, 0, 0]);
    assert_eq!((fresh["engagement_score"].to_string(), &fresh["status"]), ("0.0".to_owned(), &json!("ISOLATED")));
    let categories: Vec<_> = fresh["summary"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(categories, CATEGORIES);
    let numbers: Vec<_> = fresh["summary"].as_object().unwrap().values().map(Value::to_string).collect();
    assert_eq!(numbers, ["0.0"; 22]);
    assert!(DateTime::parse_from_rfc3339(fresh["created_at"].as_str().unwrap()).is_ok());
}

#[sqlx::test(migrations = false)]
async fn an_unknown_user_has_no_profile_and_an_invalid_token_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let reply = platform.call("GET", "/me/activity-profile", Some(&new_user().0), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (404, &json!("User engagement profile not found")));
    let reply = platform.call("GET", "/me/activity-profile", None, None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (401, &json!("Not authenticated")));
    assert_eq!(reply.headers["www-authenticate"], "Bearer");
    let reply = platform.call("GET", "/me/activity-profile", Some("nobody"), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (401, &json!("Invalid credential")));
}

#[sqlx::test(migrations = false)]
async fn every_user_who_signs_up_in_one_batch_has_a_profile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let people: Vec<_> = (0..7).map(|_| new_user()).collect();
    let registered: Vec<_> = people.iter().map(|(_, id)| json!({ "id": id })).collect();
    put(&platform, USER_REGISTERED, &registered).await;
    assert_eq!(platform.consume_waiting(USER_REGISTERED).await, [Step::Applied { fresh: 7, duplicates: 0 }]);
    let mut ids = Vec::new();
    for (token, user) in &people {
        let profile = profile(&platform, token).await;
        assert_eq!(profile["user_id"], json!(user));
        ids.push(profile["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 7);
}

#[sqlx::test(migrations = false)]
async fn activity_before_the_sign_up_event_keeps_its_profile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    platform.consume(COMMENT_CREATED, &made(id, Utc::now())).await;
    let before = profile(&platform, &anna).await;
    assert_eq!(totals(&before), [0, 1, 0, 0]);
    platform.consume(USER_REGISTERED, &json!({ "id": id })).await;
    assert_eq!(profile(&platform, &anna).await, before);
}

#[sqlx::test(migrations = false)]
async fn activity_is_counted_and_deleted_activity_is_not(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, id), (ben, other)) = (new_user(), new_user());
    let first = new_post(id, Utc::now(), &["NEWS", "BOOKS", "NEWS"]);
    platform.consume(POST_CREATED, &first).await;
    platform.consume(POST_CREATED, &new_post(id, Utc::now(), &["NEWS"])).await;
    platform.consume(POST_CREATED, &new_post(other, Utc::now(), &[])).await;
    let (comment, reaction) = (made(id, Utc::now()), made(other, Utc::now()));
    platform.consume(COMMENT_CREATED, &comment).await;
    platform.consume(COMMENT_CREATED, &made(id, Utc::now())).await;
    platform.consume(COMMENT_CREATED, &made(id, Utc::now())).await;
    platform.consume(REACTION_CREATED, &reaction).await;
    for _ in 0..4 {
        platform.consume(POST_VIEWED, &view(id)).await;
    }
    let full = profile(&platform, &anna).await;
    assert_eq!(totals(&full), [2, 3, 0, 4]);
    assert_eq!(full["summary"]["NEWS"].to_string(), "3.0");
    assert_eq!(written(&full), json!({ "NEWS": 3.0, "BOOKS": 1.0 }));
    assert_eq!(totals(&profile(&platform, &ben).await), [1, 0, 1, 0]);

    platform.consume(POST_DELETED, &first).await;
    platform.consume(COMMENT_DELETED, &comment).await;
    platform.consume(REACTION_DELETED, &reaction).await;
    let less = profile(&platform, &anna).await;
    assert_eq!(totals(&less), [1, 2, 0, 4]);
    assert_eq!(written(&less), json!({ "NEWS": 1.0 }));
    let ben = profile(&platform, &ben).await;
    assert_eq!((totals(&ben), written(&ben)), ([1, 0, 0, 0], json!({})));
}

#[sqlx::test(migrations = false)]
async fn a_post_that_moderation_hides_stays_its_authors(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, author), id, at) = (new_user(), Uuid::now_v7(), Utc::now());
    let version = |number: i64, name: &str| {
        let mut post = post(author, id, at, &["NEWS"], number);
        post[name] = post["updated_at"].clone();
        post
    };
    platform.consume(POST_CREATED, &post(author, id, at, &["NEWS"], 0)).await;
    for (stream, event) in [
        (POST_DELETED, version(1, "hidden_at")),
        (POST_CREATED, version(2, "restored_at")),
        (POST_DELETED, version(3, "hidden_at")),
    ] {
        platform.consume(stream, &event).await;
        let profile = profile(&platform, &anna).await;
        assert_eq!((totals(&profile), written(&profile)), ([1, 0, 0, 0], json!({ "NEWS": 1.0 })), "{event}");
    }
    // Its author deletes it for good.
    platform.consume(POST_DELETED, &post(author, id, at, &["NEWS"], 3)).await;
    assert_eq!(totals(&profile(&platform, &anna).await), [0; 4]);
}

#[sqlx::test(migrations = false)]
async fn a_deletion_may_be_consumed_before_its_creation(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let (comment, reaction) = (made(id, Utc::now()), made(id, Utc::now()));
    platform.consume(COMMENT_DELETED, &comment).await;
    platform.consume(REACTION_DELETED, &reaction).await;
    let before = profile(&platform, &anna).await;
    assert_eq!((totals(&before), &before["engagement_score"]), ([0, 0, 0, 0], &json!(0.0)));
    platform.consume(COMMENT_CREATED, &comment).await;
    platform.consume(REACTION_CREATED, &reaction).await;
    assert_eq!(totals(&profile(&platform, &anna).await), [0, 0, 0, 0]);
    platform.consume(COMMENT_CREATED, &made(id, Utc::now())).await;
    platform.consume(REACTION_CREATED, &made(id, Utc::now())).await;
    let after = profile(&platform, &anna).await;
    assert_eq!((totals(&after), &after["engagement_score"]), ([0, 1, 1, 0], &json!(2.37)));
}

#[sqlx::test(migrations = false)]
async fn an_update_moves_the_difference_of_categories(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let (post_id, at) = (Uuid::now_v7(), Utc::now());
    platform.consume(POST_CREATED, &post(id, post_id, at, &["NEWS", "FOOD"], 0)).await;
    let before = profile(&platform, &anna).await;
    platform.consume(POST_UPDATED, &post(id, post_id, at, &["FOOD", "FOOD", "TRAVEL"], 1)).await;
    let after = profile(&platform, &anna).await;
    assert_eq!((totals(&after), written(&after)), ([1, 0, 0, 0], json!({ "FOOD": 2.0, "TRAVEL": 1.0 })));
    assert_eq!(after["engagement_score"], before["engagement_score"]);
}

/// The stream, version and categories of an event of a post.
type PostEvent = (&'static str, i64, &'static [&'static str]);

/// All orders of `items`.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let first = |place: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(place);
        orders(&rest).into_iter().map(move |rest| [vec![first.clone()], rest].concat())
    };
    (0..items.len()).flat_map(first).collect()
}

#[sqlx::test(migrations = false)]
async fn the_events_of_a_post_yield_the_same_sums_in_every_order(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let alive: [PostEvent; 3] = [
        (POST_CREATED, 0, &["NEWS", "NEWS"]),
        (POST_UPDATED, 1, &["NEWS", "FOOD"]),
        (POST_UPDATED, 2, &["BOOKS", "FOOD", "FOOD"]),
    ];
    let deleted = [alive.as_slice(), &[(POST_DELETED, 2, &["BOOKS", "FOOD", "FOOD"])]].concat();
    let ends = [(orders(&alive), 1, json!({ "FOOD": 2.0, "BOOKS": 1.0 }), 6.36), (orders(&deleted), 0, json!({}), 0.0)];
    for (orders, owned, categories, score) in ends {
        for order in orders {
            let (token, id) = new_user();
            let (post_id, at) = (Uuid::now_v7(), Utc::now());
            for (stream, version, types) in &order {
                platform.consume(stream, &post(id, post_id, at, types, *version)).await;
            }
            let end = profile(&platform, &token).await;
            assert_eq!(totals(&end), [owned, 0, 0, 0], "{order:?}");
            assert_eq!((written(&end), &end["engagement_score"]), (categories.clone(), &json!(score)), "{order:?}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn one_batch_may_hold_all_events_of_a_post(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let (post_id, at) = (Uuid::now_v7(), Utc::now());
    let version = |types: &[&str], version| post(id, post_id, at, types, version);
    put(&platform, POST_UPDATED, &[version(&["NEWS"], 1), version(&["FOOD", "NEWS"], 3), version(&["BOOKS"], 2)]).await;
    assert_eq!(platform.consume_waiting(POST_UPDATED).await, [Step::Applied { fresh: 3, duplicates: 0 }]);
    let end = profile(&platform, &anna).await;
    assert_eq!((totals(&end), written(&end)), ([1, 0, 0, 0], json!({ "FOOD": 1.0, "NEWS": 1.0 })));
}

#[sqlx::test(migrations = false)]
async fn a_redelivered_event_is_not_counted_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let streams = [POST_CREATED, COMMENT_CREATED, REACTION_CREATED, POST_VIEWED];
    put(&platform, POST_CREATED, &[new_post(id, Utc::now(), &["NEWS"])]).await;
    put(&platform, COMMENT_CREATED, &[made(id, Utc::now()), made(id, Utc::now())]).await;
    put(&platform, REACTION_CREATED, &[made(id, Utc::now())]).await;
    put(&platform, POST_VIEWED, &[view(id), view(id), view(id)]).await;
    for stream in streams {
        platform.consume_waiting(stream).await;
    }
    let before = profile(&platform, &anna).await;
    assert_eq!(totals(&before), [1, 2, 1, 3]);
    for (stream, count) in streams.into_iter().zip([1, 2, 1, 3]) {
        let mut back = redis::cmd("XGROUP");
        back.arg("SETID").arg(stream).arg(SERVICE.group).arg("0");
        let () = back.query_async(&mut platform.app.redis.clone()).await.unwrap();
        assert_eq!(platform.consume_waiting(stream).await, [Step::Applied { fresh: 0, duplicates: count }]);
    }
    assert_eq!(profile(&platform, &anna).await, before);
}

#[sqlx::test(migrations = false)]
async fn counts_are_exact_when_all_streams_are_consumed_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let people: Vec<_> = (0..3).map(|_| new_user()).collect();
    let ids: Vec<Uuid> = people.iter().map(|(_, id)| *id).collect();
    for round in 0..40 {
        // In another order each time, so that batches begin with different people.
        for place in 0..3 {
            let (id, at) = (ids[(round + place) % 3], Utc::now());
            let gone = new_post(id, at, &["NEWS", "FOOD"]);
            put(&platform, POST_CREATED, &[gone.clone(), new_post(id, at, &["FOOD"])]).await;
            put(&platform, POST_DELETED, &[gone]).await;
            let (comment, reaction) = (made(id, at), made(id, at));
            put(&platform, COMMENT_CREATED, &[comment.clone(), made(id, at), made(id, at)]).await;
            put(&platform, COMMENT_DELETED, &[comment]).await;
            put(&platform, REACTION_CREATED, &[reaction.clone(), made(id, at)]).await;
            put(&platform, REACTION_DELETED, &[reaction]).await;
            put(&platform, POST_VIEWED, &[view(id), view(id), view(id)]).await;
        }
    }
    tokio::join!(
        platform.consume_waiting(POST_CREATED),
        platform.consume_waiting(POST_DELETED),
        platform.consume_waiting(COMMENT_CREATED),
        platform.consume_waiting(COMMENT_DELETED),
        platform.consume_waiting(REACTION_CREATED),
        platform.consume_waiting(REACTION_DELETED),
        platform.consume_waiting(POST_VIEWED),
    );
    for (token, _) in &people {
        let end = profile(&platform, token).await;
        assert_eq!((totals(&end), written(&end)), ([40, 80, 40, 120], json!({ "FOOD": 40.0 })));
        // 100 · (.4·(1 − 2^−10) + .3·(1 − 2^(−80/12)) + .2·(1 − 2^−2) + .1·(1 − 2^−2))
        assert_eq!((&end["engagement_score"], &end["status"]), (&json!(92.17), &json!("HIGHLY_ACTIVE")));
    }
}

/// Every view counts, and those within half an hour are one for the score.
#[sqlx::test(migrations = false)]
async fn a_repeated_view_is_in_the_total_and_in_no_score(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let mut again = view(id);
    again["repeated"] = json!(true);
    put(&platform, POST_VIEWED, &[again.clone(), view(id), again]).await;
    platform.consume_waiting(POST_VIEWED).await;
    let seen = profile(&platform, &anna).await;
    assert_eq!((totals(&seen), &seen["engagement_score"]), ([0, 0, 0, 3], &json!(0.11)));
}

#[sqlx::test(migrations = false)]
async fn a_new_level_is_published_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let many = |count: usize, one: &dyn Fn() -> Value| (0..count).map(|_| one()).collect::<Vec<_>>();
    put(&platform, POST_CREATED, &many(4, &|| new_post(id, Utc::now(), &[]))).await;
    put(&platform, COMMENT_CREATED, &many(12, &|| made(id, Utc::now()))).await;
    put(&platform, REACTION_CREATED, &many(20, &|| made(id, Utc::now()))).await;
    put(&platform, POST_VIEWED, &many(60, &|| view(id))).await;
    let steps = [
        (POST_CREATED, 20.0, "LESS_ACTIVE"),
        (COMMENT_CREATED, 35.0, "LESS_ACTIVE"),
        (REACTION_CREATED, 45.0, "LESS_ACTIVE"),
        (POST_VIEWED, 50.0, "NORMALLY_ACTIVE"),
    ];
    for (stream, score, status) in steps {
        platform.consume_waiting(stream).await;
        let profile = profile(&platform, &anna).await;
        assert_eq!((&profile["engagement_score"], &profile["status"]), (&json!(score), &json!(status)));
    }
    recalculate_scores(&platform.app, today()).await.unwrap();
    let changed = |previous: &str, status: &str, score: f64| json!({ "user_id": id, "previous": previous, "status": status, "engagement_score": score });
    assert_eq!(
        platform.published(LEVEL_CHANGED).await,
        [changed("ISOLATED", "LESS_ACTIVE", 20.0), changed("LESS_ACTIVE", "NORMALLY_ACTIVE", 50.0)]
    );
}

#[sqlx::test(migrations = false)]
async fn the_score_looks_back_thirty_days_and_follows_the_calendar(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let posts = [ago(0), ago(10), ago(10), ago(29), ago(30), ago(400)].map(|at| new_post(id, at, &["NEWS"]));
    put(&platform, POST_CREATED, &posts).await;
    platform.consume_waiting(POST_CREATED).await;
    let begin = profile(&platform, &anna).await;
    assert_eq!(totals(&begin), [6, 0, 0, 0]);
    assert_eq!((&begin["engagement_score"], &begin["status"]), (&json!(20.0), &json!("LESS_ACTIVE")));

    // After these days, fewer of the four posts are left in the window: 100 · .4 · (1 − 2^(−n/4)).
    for (later, score) in [(1, 16.22), (19, 16.22), (20, 6.36), (29, 6.36), (30, 0.0), (400, 0.0)] {
        recalculate_scores(&platform.app, today() + Days::new(later)).await.unwrap();
        let profile = profile(&platform, &anna).await;
        assert_eq!((later, &profile["engagement_score"]), (later, &json!(score)));
        assert_eq!((totals(&profile), &profile["status"]), ([6, 0, 0, 0], &json!("ISOLATED")));
    }
    assert_eq!(
        platform.published(LEVEL_CHANGED).await,
        [
            json!({ "user_id": id, "previous": "ISOLATED", "status": "LESS_ACTIVE", "engagement_score": 20.0 }),
            json!({ "user_id": id, "previous": "LESS_ACTIVE", "status": "ISOLATED", "engagement_score": 16.22 }),
        ]
    );
}

#[sqlx::test(migrations = false)]
async fn a_profile_that_looks_the_same_the_next_day_was_not_updated(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    platform.consume(COMMENT_CREATED, &made(id, Utc::now())).await;
    let before = profile(&platform, &anna).await;
    recalculate_scores(&platform.app, today() + Days::new(1)).await.unwrap();
    assert_eq!(profile(&platform, &anna).await, before);
}

#[sqlx::test(migrations = false)]
async fn a_deletion_takes_away_from_the_day_of_the_creation(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let (old, recent) = (made(id, ago(40)), made(id, ago(20)));
    put(&platform, REACTION_CREATED, &[old.clone(), recent.clone(), made(id, ago(0))]).await;
    platform.consume_waiting(REACTION_CREATED).await;
    assert_eq!(profile(&platform, &anna).await["engagement_score"], json!(1.34));
    platform.consume(REACTION_DELETED, &old).await;
    let without_old = profile(&platform, &anna).await;
    assert_eq!((totals(&without_old), &without_old["engagement_score"]), ([0, 0, 2, 0], &json!(1.34)));
    platform.consume(REACTION_DELETED, &recent).await;
    let without_both = profile(&platform, &anna).await;
    assert_eq!((totals(&without_both), &without_both["engagement_score"]), ([0, 0, 1, 0], &json!(0.68)));
}

#[sqlx::test(migrations = false)]
async fn a_view_counts_on_the_day_on_which_it_happened(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    for at in [ago(31), ago(29), ago(0)] {
        let fields =
            [("message", view(id).to_string()), ("type", "json".into()), ("occurred_at", Timestamp(at).to_string())];
        let _: String = platform.app.redis.clone().xadd(POST_VIEWED, "*", &fields).await.unwrap();
    }
    // An entry of the original has its time in its id.
    put(&platform, POST_VIEWED, &[view(id)]).await;
    platform.consume_waiting(POST_VIEWED).await;
    // 100 · .1 · (1 − 2^(−n/60)) for the three that are not too old, then for two.
    let now = profile(&platform, &anna).await;
    assert_eq!((totals(&now), &now["engagement_score"]), ([0, 0, 0, 4], &json!(0.34)));
    recalculate_scores(&platform.app, today() + Days::new(1)).await.unwrap();
    assert_eq!(profile(&platform, &anna).await["engagement_score"], json!(0.23));
}

#[sqlx::test(migrations = false)]
async fn more_profiles_than_one_batch_are_all_recalculated(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let people: Vec<_> = (0..1001).map(|_| new_user()).collect();
    let comments: Vec<_> = people.iter().map(|(_, id)| made(*id, Utc::now())).collect();
    put(&platform, COMMENT_CREATED, &comments).await;
    let applied = |fresh| Step::Applied { fresh, duplicates: 0 };
    assert_eq!(platform.consume_waiting(COMMENT_CREATED).await, [applied(500), applied(500), applied(1)]);
    for later in [1, 30, 31] {
        let day = today() + Days::new(later);
        let due = Profile::list_due(&platform.app.db, day, 2000).await.unwrap().len();
        // On the 30th day all profiles drop out, and cost nothing from then on.
        assert_eq!((later, due), (later, if later == 31 { 0 } else { 1001 }));
        recalculate_scores(&platform.app, day).await.unwrap();
        assert_eq!(Profile::list_due(&platform.app.db, day, 1).await.unwrap().len(), 0);
        let last = profile(&platform, &people[1000].0).await;
        assert_eq!((later, &last["engagement_score"]), (later, &json!(if later == 1 { 1.68 } else { 0.0 })));
    }
}

#[sqlx::test(migrations = false)]
async fn an_unreadable_event_is_parked_and_the_rest_is_applied(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    for broken in ["", "{", "[]", r#"{"id": 7}"#, "\"\u{0}\""] {
        for (stream, good) in [
            (USER_REGISTERED, json!({ "id": id })),
            (POST_CREATED, new_post(id, Utc::now(), &["NEWS"])),
            (POST_DELETED, new_post(id, Utc::now(), &["NEWS"])),
            (POST_VIEWED, view(id)),
            (COMMENT_CREATED, made(id, Utc::now())),
            (REACTION_CREATED, made(id, Utc::now())),
        ] {
            put(&platform, stream, std::slice::from_ref(&good)).await;
            put_text(&platform, stream, broken).await;
            put(&platform, stream, &[good]).await;
            let steps = platform.consume_waiting(stream).await;
            let parked = steps.iter().filter(|step| matches!(step, Step::Parked(_))).count();
            assert_eq!(parked, 1, "{stream} {broken:?}: {steps:?}");
        }
    }
    let end = profile(&platform, &anna).await;
    // A post whose event is published twice still counts once.
    assert_eq!((totals(&end), written(&end)), ([5, 10, 10, 10], json!({ "NEWS": 5.0 })));
    let mut request = axum::http::Request::builder().uri("/internal/dead-letters?limit=200");
    request = request.header("authorization", "Bearer operator");
    let letters = platform.send(request.body(axum::body::Body::empty()).unwrap()).await.body;
    let mut parked: HashMap<&str, usize> = HashMap::new();
    for letter in letters.as_array().unwrap() {
        *parked.entry(letter["stream"].as_str().unwrap()).or_default() += 1;
    }
    let streams = [USER_REGISTERED, POST_CREATED, POST_DELETED, POST_VIEWED, COMMENT_CREATED, REACTION_CREATED];
    assert_eq!(parked, streams.map(|stream| (stream, 5)).into());
}

#[sqlx::test(migrations = false)]
async fn a_category_that_the_database_cannot_hold_is_parked(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let steps = platform.consume(POST_CREATED, &new_post(id, Utc::now(), &["NE\0WS"])).await;
    assert!(matches!(steps[..], [Step::Parked(_)]), "{steps:?}");
    platform.consume(POST_CREATED, &new_post(id, Utc::now(), &["NEWS", "A_NEW_ONE"])).await;
    let end = profile(&platform, &anna).await;
    assert_eq!((totals(&end), written(&end)), ([1, 0, 0, 0], json!({ "NEWS": 1.0 })));
    assert_eq!(end["summary"].as_object().unwrap().len(), 22);
}

#[sqlx::test(migrations = false)]
async fn an_event_that_changes_no_profile_is_consumed(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    platform.consume(COMMENT_CREATED, &made(id, Utc::now())).await;
    let before = profile(&platform, &anna).await;
    for stream in [COMMENT_UPDATED, POST_DELETE_COMPLETED, COMMENT_DELETE_COMPLETED] {
        let steps = platform.consume(stream, &made(id, Utc::now())).await;
        assert_eq!(steps, [Step::Applied { fresh: 1, duplicates: 0 }]);
        let pending: redis::streams::StreamPendingReply =
            platform.app.redis.clone().xpending(stream, SERVICE.group).await.unwrap();
        assert_eq!(pending.count(), 0, "{stream}");
    }
    assert_eq!(profile(&platform, &anna).await, before);
}
