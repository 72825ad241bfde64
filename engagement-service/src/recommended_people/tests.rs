//! Recommended people, through their routes and their events.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use super::candidates::models::{Between, PersonAhead};
use super::schedulers::PeopleRecommender;
use crate::SERVICE;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::people::events::{USER_REGISTERED, USER_UPDATED};
use crate::posts::events::POST_CREATED;
use crate::reactions::events::REACTION_CREATED;

const PEOPLE: &str = "/me/recommendations/people";

/// What an auth service was asked to connect: whose token, and to which person.
type Connected = Arc<Mutex<Vec<(String, Uuid)>>>;

/// An auth service that connects people, and refuses a user whose token ends with `full`, and does not answer one with `away`; its address.
pub async fn start_auth_service() -> (String, Connected) {
    let connected = Connected::default();
    let asked = connected.clone();
    let connect = async move |Path(person): Path<Uuid>, headers: HeaderMap| {
        let token = headers["authorization"].to_str().unwrap_or_default().to_owned();
        match token.rsplit(':').next() {
            Some("full") => return StatusCode::BAD_REQUEST,
            Some("away") => return StatusCode::BAD_GATEWAY,
            _ => {}
        }
        asked.lock().unwrap_or_else(PoisonError::into_inner).push((token, person));
        StatusCode::OK
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/api/v1/users/{person}/connect", post(connect));
    tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    (url, connected)
}

async fn join(platform: &Platform, name: &str, interests: &[&str]) -> (String, Uuid) {
    let (token, id) = new_user();
    let person = json!({ "id": id, "username": name, "status": "ACTIVE", "interests": interests });
    platform.consume(USER_REGISTERED, &person).await;
    (token, id)
}

async fn connect(platform: &Platform, user: Uuid, targets: &[Uuid]) {
    for target in targets {
        let connection = json!({ "user_id": user, "target_id": target, "at": "2026-11-20T12:00:00Z" });
        platform.consume(USER_CONNECTED, &connection).await;
    }
}

/// What is recommended: username, reason, and how many connections are in common.
async fn recommended(platform: &Platform, token: &str) -> Vec<(String, String, i64)> {
    let reply = platform.call("GET", PEOPLE, Some(token), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let one = |one: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&one["user"]["username"]), text(&one["reason"]), one["mutual_connections"].as_i64().unwrap())
    };
    reply.body.as_array().unwrap().iter().map(one).collect()
}

fn person(name: &str, reason: &str, mutual: i64) -> (String, String, i64) {
    (name.to_owned(), reason.to_owned(), mutual)
}

/// Computes everyone's list.
async fn run(platform: &Platform) {
    platform
        .app
        .db
        .execute("update recommendation_run set cursor = '00000000-0000-0000-0000-000000000000'")
        .await
        .unwrap();
    let mut recommender = PeopleRecommender::new(&platform.app);
    while recommender.advance_run().await.unwrap() {}
}

#[sqlx::test(migrations = false)]
async fn people_are_recommended_for_reasons_that_are_true_when_they_are_read(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = join(&platform, "anna", &["NEWS", "FOOD"]).await;
    let (_, bert) = join(&platform, "bert", &[]).await;
    let (_, carl) = join(&platform, "carl", &[]).await;
    let (_, dora) = join(&platform, "dora", &["FOOD"]).await;
    let (_, emil) = join(&platform, "emil", &[]).await;
    let (_, _) = join(&platform, "fred", &["BOOKS"]).await;
    connect(&platform, her, &[bert, carl]).await;
    connect(&platform, bert, &[her, dora, emil]).await;
    connect(&platform, carl, &[dora]).await;
    connect(&platform, emil, &[her]).await;
    let [two, one, new] = [
        person("dora", "2 mutual connections", 2),
        person("emil", "1 mutual connection", 1),
        person("fred", "New to you", 0),
    ];
    assert_eq!(
        recommended(&platform, &anna).await,
        [two.clone(), one.clone(), new.clone()],
        "it is computed for who comes first"
    );
    let listed = platform.call("GET", &format!("{PEOPLE}?limit=1"), Some(&anna), None).await.body;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["shared_interests"], &listed[0]["follows_you"]), (&json!(["FOOD"]), &json!(false)));

    // The stored list is that of before; what is shown is what holds now.
    let end = json!({ "user_id": carl, "target_id": dora, "at": "2026-11-20T13:00:00Z" });
    platform.consume(USER_DISCONNECTED, &end).await;
    assert_eq!(recommended(&platform, &anna).await[0], person("dora", "1 mutual connection", 1));
    let block = |at: &str| json!({ "user_id": dora, "target_id": her, "at": at });
    platform.consume(USER_BLOCKED, &block("2026-11-20T13:00:00Z")).await;
    assert_eq!(recommended(&platform, &anna).await, [one.clone(), new.clone()]);
    platform.consume(USER_UNBLOCKED, &block("2026-11-20T14:00:00Z")).await;
    let own_block = |at: &str| json!({ "user_id": her, "target_id": dora, "at": at });
    platform.consume(USER_BLOCKED, &own_block("2026-11-20T13:00:00Z")).await;
    assert_eq!(recommended(&platform, &anna).await, [one.clone(), new.clone()], "a block of either side counts");
    platform.consume(USER_UNBLOCKED, &own_block("2026-11-20T14:00:00Z")).await;
    platform.call("POST", &format!("/me/mutes/{dora}"), Some(&anna), None).await;
    assert_eq!(recommended(&platform, &anna).await, [one.clone(), new.clone()]);
    connect(&platform, her, &[emil]).await;
    assert_eq!(recommended(&platform, &anna).await, std::slice::from_ref(&new));
    platform.consume(USER_UPDATED, &json!({ "id": dora, "status": "BANNED" })).await;
    platform.call("DELETE", &format!("/me/mutes/{dora}"), Some(&anna), None).await;
    assert_eq!(recommended(&platform, &anna).await, [new], "who is banned is not recommended");
    assert_eq!(platform.call("GET", &format!("{PEOPLE}?limit=201"), Some(&anna), None).await.status, 422);
}

#[sqlx::test(migrations = false)]
async fn who_deals_with_the_same_is_recommended_with_the_topics(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = join(&platform, "anna", &[]).await;
    let (_, bert) = join(&platform, "bert", &[]).await;
    let (_, carl) = join(&platform, "carl", &[]).await;
    let article = Uuid::now_v7();
    let version = json!({ "id": article, "created_at": "2026-11-20T12:00:00Z", "created_by": bert, "content": "x",
        "updated_at": "2026-11-20T12:00:00Z", "types": ["TECHNOLOGY"], "tags": ["rust"], "status": "POSTED" });
    platform.consume(POST_CREATED, &version).await;
    let like = json!({ "id": Uuid::now_v7(), "post_id": article, "created_by": her, "type": "LIKE",
        "created_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T12:00:00Z" });
    platform.consume(REACTION_CREATED, &like).await;
    connect(&platform, carl, &[her]).await;
    run(&platform).await;
    let [fan, alike] =
        [person("carl", "Connected to you", 0), person("bert", "Active in the same topics: #rust, TECHNOLOGY", 0)];
    assert_eq!(recommended(&platform, &anna).await, [fan, alike]);
    let held = platform.personal_data_of(her, "affinities").await;
    assert_eq!(held[0]["weights"], json!({ "#rust": 0.5, "TECHNOLOGY": 0.5 }));

    // A tag that both follow leads to who is reached by nothing else, and is felt as soon as they were active.
    let (dora, other) = join(&platform, "dora", &[]).await;
    for token in [&anna, &dora] {
        assert_eq!(platform.call("PUT", "/me/tags/knitting", Some(token), None).await.status, 204);
    }
    platform.app.db.execute("update recommendation_due set due_at = now()").await.unwrap();
    let mut recommender = PeopleRecommender::new(&platform.app);
    assert!(matches!(recommender.step().await.unwrap(), Outcome::Idle(_)));
    let list = format!("select people from recommended_people where user_id = '{her}'");
    let list = platform.app.db.fetch_one(sqlx::AssertSqlSafe(list)).await.unwrap();
    let stored: Vec<Uuid> = list.get(0);
    assert!(stored.contains(&other), "{stored:?}");
    assert_eq!(recommender.refresh_due().await.unwrap(), 0, "once for all that they did");
}

/// The same thirty were recommended to all who follow a popular tag, and which of the connected people were looked at was chance.
#[sqlx::test(migrations = false)]
async fn of_many_followers_the_newest_and_those_next_to_the_person_are_looked_at(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    for rows in [
        "insert into person (id, status, version)
        select lpad(to_hex(n), 32, '0')::uuid, 'ACTIVE', now() from generate_series(1, 200) as n",
        // In neither order of their ids.
        "insert into tag_follow (id, user_id, tag, written, followed_at)
        select gen_random_uuid(), lpad(to_hex(n), 32, '0')::uuid, 'rust', 'rust', now() + n * interval '1 minute'
        from generate_series(1, 100) as n order by random()",
        "insert into follow (user_id, target_id, stands, at)
        select lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(200), 32, '0')::uuid, true,
            now() + case n when 150 then -1 else n end * interval '1 minute'
        from generate_series(1, 199) as n order by random()",
    ] {
        platform.app.db.execute(rows).await.unwrap();
    }
    let ids = |numbers: Vec<u128>| numbers.into_iter().map(Uuid::from_u128).collect::<Vec<_>>();
    let mut tx = platform.app.db.begin().await.unwrap();
    let mut ahead = PersonAhead::list(&mut tx, &ids(vec![40, 80, 200])).await.unwrap();
    ahead.sort_by_key(|person| person.user_id);
    for (person, own) in ahead.iter_mut().zip([40, 80]) {
        person.like_minded.sort_unstable();
        assert_eq!(person.like_minded, ids((own - 15..own).chain(86..=100).collect()), "person {own}");
    }
    let latest = (99..=199).rev().filter(|number| *number != 150).collect();
    assert_eq!(ahead[2].followers, ids(latest), "the latest hundred");
}

/// With a hundred connections of each, the order of the graph was not that of resource allocation: who is known by popular people alone
/// was passed over.
#[sqlx::test(migrations = false)]
async fn of_a_popular_person_two_hundred_connections_are_looked_at_and_all_are_counted(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    // Person n is connected to n others, later to those with a higher number; one connection of each has ended.
    let rows = "insert into follow (user_id, target_id, stands, at)
        select lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(1000 + other), 32, '0')::uuid, other > 0,
            now() + other * interval '1 minute'
        from unnest(array[0, 3, 200, 250]) as one (n) cross join lateral generate_series(0, n) as other";
    platform.app.db.execute(rows).await.unwrap();
    let ids = |numbers: Vec<u128>| numbers.into_iter().map(Uuid::from_u128).collect::<Vec<_>>();
    let between = Between::list(&platform.app.db, &ids(vec![0, 3, 200, 250])).await.unwrap();
    for (number, least, degree) in [(0, 1, 0), (3, 1, 3), (200, 1, 200), (250, 51, 250)] {
        let one = &between[&Uuid::from_u128(number)];
        assert_eq!(one.degree, degree, "person {number}");
        assert_eq!(one.reached, ids((1000 + least..=1000 + number).rev().collect()), "person {number}");
    }
}

#[sqlx::test(migrations = false)]
async fn who_is_dismissed_is_not_recommended_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = join(&platform, "anna", &[]).await;
    let (bert, him) = join(&platform, "bert", &[]).await;
    for (path, status) in [(him, 204), (him, 204), (her, 404), (Uuid::now_v7(), 404)] {
        let reply = platform.call("DELETE", &format!("{PEOPLE}/{path}"), Some(&anna), None).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    assert_eq!(platform.call("DELETE", &format!("{PEOPLE}/x"), Some(&anna), None).await.status, 422);
    assert_eq!(recommended(&platform, &anna).await, []);
    run(&platform).await;
    assert_eq!(recommended(&platform, &anna).await, [], "nor after the next run");
    assert_eq!(recommended(&platform, &bert).await, [person("anna", "New to you", 0)], "the other does not know");
    assert_eq!(platform.personal_data_of(her, "dismissed_people").await[0]["person_id"], json!(him));
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00Z" })).await;
    platform.erase(her).await;
    for kind in ["affinities", "recommended_people", "dismissed_people"] {
        assert!(platform.personal_data_of(her, kind).await.is_empty(), "{kind}");
    }
    let left = platform.finds(&her.to_string()).await;
    let tables = ["affinity", "recommended_people", "dismissed_person", "recommendation_due"];
    assert!(!left.iter().any(|place| tables.iter().any(|table| place.ends_with(table))), "{left:?}");
}

#[sqlx::test(migrations = false)]
async fn who_is_accepted_is_connected_and_never_disconnected(_: PgPoolOptions, database: PgConnectOptions) {
    let (auth, connected) = start_auth_service().await;
    let producer = format!("auth-service={auth}");
    let platform = Platform::start(&SERVICE, database, &["--producers", &producer]).await;
    let (anna, her) = join(&platform, "anna", &[]).await;
    let (_, him) = join(&platform, "bert", &[]).await;
    let accept = async |platform: &Platform, token: &str, id: Uuid| {
        let reply = platform.call("POST", &format!("{PEOPLE}/{id}/accept"), Some(token), None).await;
        (reply.status.as_u16(), reply.body["detail"].clone())
    };
    let away = format!("{her}:ACTIVE:USER:away");
    assert_eq!(accept(&platform, &away, him).await, (503, json!("The auth service is unavailable")));
    let full = format!("{her}:ACTIVE:USER:full");
    assert_eq!(accept(&platform, &full, him).await.0, 400);
    assert_eq!(recommended(&platform, &anna).await, [person("bert", "New to you", 0)], "a refusal dismisses no one");
    for _ in 0..2 {
        assert_eq!(accept(&platform, &anna, him).await, (204, Value::Null));
    }
    assert_eq!(recommended(&platform, &anna).await, []);
    let asked = (format!("Bearer {anna}"), him);
    assert_eq!(*connected.lock().unwrap(), [asked.clone(), asked], "with the token of the caller");
    assert_eq!(accept(&platform, &anna, her).await, (404, json!("User not found")));
    assert_eq!(accept(&platform, &anna, Uuid::now_v7()).await, (404, json!("User not found")));
    assert_eq!(accept(&platform, &format!("{her}:MUTED"), him).await.0, 403);
}

#[sqlx::test(migrations = false)]
async fn a_run_goes_on_where_it_was_and_notifies_no_user(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = join(&platform, "anna", &[]).await;
    let (_, bert) = join(&platform, "bert", &[]).await;
    let (_, carl) = join(&platform, "carl", &[]).await;
    connect(&platform, her, &[bert]).await;
    connect(&platform, bert, &[carl]).await;
    let lists = async || {
        let query = format!("select count(*) from recommended_people where user_id = '{her}'");
        platform.app.db.fetch_one(sqlx::AssertSqlSafe(query)).await.unwrap().get::<i64, _>(0)
    };
    // A run that died behind the user does not come to them.
    let place = format!("update recommendation_run set cursor = '{her}'");
    platform.app.db.execute(sqlx::AssertSqlSafe(place)).await.unwrap();
    let mut recommender = PeopleRecommender::new(&platform.app);
    while recommender.advance_run().await.unwrap() {}
    assert_eq!(lists().await, 0);
    run(&platform).await;
    assert_eq!(lists().await, 1);
    let list = platform.call("GET", "/me/notifications", Some(&anna), None).await.body;
    assert_eq!(list, json!([]), "that is for the weekly digest");
}

/// A run takes a quarter of one core at most.
#[sqlx::test(migrations = false)]
async fn a_batch_is_followed_by_a_rest_of_three_times_its_work(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (_, her) = join(&platform, "anna", &[]).await;
    let (_, bert) = join(&platform, "bert", &[]).await;
    connect(&platform, her, &[bert]).await;
    let begin = "update recommendation_run set cursor = '00000000-0000-0000-0000-000000000000'";
    platform.app.db.execute(begin).await.unwrap();
    let mut recommender = PeopleRecommender::new(&platform.app);
    let begun = Instant::now();
    let outcome = recommender.step().await.unwrap();
    let (took, longest) = (begun.elapsed(), Duration::from_secs(5));
    let Outcome::Idle(rest) = outcome else { panic!("it goes on without a rest") };
    let row = platform.app.db.fetch_one("select cursor, worked_ms from recommendation_run").await.unwrap();
    assert_eq!(row.get::<Option<Uuid>, _>(0), Some(her.max(bert)), "one batch was done, and where it ended is known");
    let worked = Duration::from_millis(u64::try_from(row.get::<i64, _>(1)).unwrap());
    assert!(((worked * 3).min(longest)..=(took * 3).min(longest)).contains(&rest), "{rest:?} after {worked:?}");
}

/// A list that cannot be saved holds up those of no other person, neither in the queue nor in the run.
#[sqlx::test(migrations = false)]
async fn a_person_who_fails_is_skipped(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut people = Vec::new();
    for name in ["anna", "bert", "carl", "dora", "emil"] {
        people.push(join(&platform, name, &[]).await.1);
    }
    let check = format!("alter table recommended_people add check (user_id <> '{}')", people[2]);
    platform.app.db.execute(sqlx::AssertSqlSafe(check)).await.unwrap();
    let count = async |table: &str| {
        let query = format!("select count(*) from {table}");
        platform.app.db.fetch_one(sqlx::AssertSqlSafe(query)).await.unwrap().get::<i64, _>(0)
    };
    let mut recommender = PeopleRecommender::new(&platform.app);
    platform.app.db.execute("update recommendation_due set due_at = now()").await.unwrap();
    // What fails is tried again by the loop around the steps.
    for _ in 0..20 {
        recommender.refresh_due().await.ok();
    }
    assert_eq!((count("recommended_people").await, count("recommendation_due").await), (4, 0));

    platform.app.db.execute("delete from recommended_people").await.unwrap();
    let begin = "update recommendation_run set cursor = '00000000-0000-0000-0000-000000000000'";
    platform.app.db.execute(begin).await.unwrap();
    for _ in 0..20 {
        recommender.advance_run().await.ok();
    }
    assert_eq!((count("recommended_people").await, count("recommendation_run where cursor is not null").await), (4, 0));

    let mut commits = platform.app.commits.subscribe();
    commits.mark_unchanged();
    assert!(matches!(recommender.step().await.unwrap(), Outcome::Idle(_)));
    assert!(!commits.has_changed().unwrap(), "a step that found nothing wakes no worker");
}
