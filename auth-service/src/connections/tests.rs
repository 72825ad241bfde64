//! Connections, through their routes.
use axum::http::header;
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{USER_CONNECTED, USER_DISCONNECTED};
use super::models::MAX_CONNECTIONS;
use crate::accounts::events::USER_DELETED;
use crate::core::testing::{Platform, Reply};
use crate::testing::{Person, detail, ids, join, start};

/// Connects a user to another one.
pub async fn connect(platform: &Platform, person: &Person, target: Uuid) -> Reply {
    platform.call("POST", &format!("/users/{target}/connect"), Some(&person.token), None).await
}

/// Ends a user's connection to another one.
pub async fn disconnect(platform: &Platform, person: &Person, target: Uuid) -> Reply {
    platform.call("DELETE", &format!("/users/{target}/disconnect"), Some(&person.token), None).await
}

/// The number of connections of a user, and their ids.
pub async fn connections(platform: &Platform, person: &Person) -> (i64, Vec<Uuid>) {
    let verified = platform.call("GET", "/auth/verify-token", Some(&person.token), None).await;
    let list = platform.call("GET", "/users/me/connections", Some(&person.token), None).await;
    (verified.body["total_connections"].as_i64().unwrap(), ids(&list))
}

/// Sends a request about another person.
async fn act(platform: &Platform, person: &Person, method: &str, target: Uuid, what: &str) -> Reply {
    platform.call(method, &format!("/users/{target}/{what}"), Some(&person.token), None).await
}

/// How a user appears to another one: their counts, and the relation between the two.
async fn relation(platform: &Platform, viewer: &Person, id: Uuid) -> Value {
    let profile = platform.call("GET", &format!("/users/{id}"), Some(&viewer.token), None).await.body;
    let names = ["total_connections", "total_followers", "following", "followed_by", "blocked"];
    names.map(|name| profile[name].clone()).into()
}

/// All pages of a list, each a list of people.
async fn pages(platform: &Platform, viewer: &Person, path: &str) -> Vec<Vec<Uuid>> {
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = platform.call("GET", &path, Some(&viewer.token), None).await;
        pages.push(ids(&page));
        let link = page.headers.get(header::LINK).map(|link| link.to_str().unwrap());
        next =
            link.map(|link| link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned());
    }
    pages
}

/// Many people who are connected to one, made without signing up.
async fn crowd(platform: &Platform, target: Uuid, size: i32) {
    sqlx::query!(
        "with made as (
            insert into account (id, email, password_hash, interests, total_connections)
            select gen_random_uuid(), n || '@crowd.example', '', '{}', 1 from generate_series(1, $2::int) as n
            returning id
        ), connected as (insert into connection (user_id, target_id) select id, $1 from made returning user_id)
        update account set total_followers = total_followers + (select count(*) from connected) where id = $1",
        target,
        size
    )
    .execute(&platform.app.db)
    .await
    .unwrap();
}

#[sqlx::test(migrations = false)]
async fn a_connection_is_directed_and_made_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    for target in [ben.id, ben.id, carla.id] {
        let connected = connect(&platform, &anna, target).await;
        assert_eq!((connected.status.as_u16(), &connected.body["id"]), (200, &json!(anna.id)));
    }
    assert_eq!(connections(&platform, &anna).await, (2, vec![carla.id, ben.id]));
    assert_eq!(connections(&platform, &ben).await, (0, vec![]));
    for _ in 0..2 {
        let gone = disconnect(&platform, &anna, ben.id).await;
        assert_eq!((gone.status.as_u16(), gone.body), (204, Value::Null));
    }
    assert_eq!(connections(&platform, &anna).await, (1, vec![carla.id]));
    let first = platform.call("GET", "/users/me/connections?limit=1", Some(&anna.token), None).await;
    assert!(first.headers.get(header::LINK).is_none());

    let nobody = Uuid::now_v7();
    assert_eq!(detail(&connect(&platform, &anna, anna.id).await), (400, &json!("Can not self connect")));
    assert_eq!(detail(&disconnect(&platform, &anna, anna.id).await), (400, &json!("Can not self disconnect")));
    assert_eq!(detail(&connect(&platform, &anna, nobody).await), (404, &json!("Target user not found")));
    assert_eq!(detail(&disconnect(&platform, &anna, nobody).await), (404, &json!("Target user not found")));
    assert_eq!(platform.call("POST", "/users/x/connect", Some(&anna.token), None).await.status, 422);
    assert_eq!(platform.call("DELETE", "/users/x/disconnect", Some(&anna.token), None).await.status, 422);
    assert_eq!(platform.call("POST", &format!("/users/{nobody}/connect"), None, None).await.status, 401);
}

#[sqlx::test(migrations = false)]
async fn counts_are_exact_when_many_connect_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let people = join_all(["anna", "ben", "carla", "dora"].map(|name| join(&platform, name))).await;
    let mut calls = Vec::new();
    for person in &people {
        for target in people.iter().filter(|target| target.id != person.id) {
            // Each twice, and all users to and from all: locks in different orders would block each other.
            calls.extend([connect(&platform, person, target.id), connect(&platform, person, target.id)]);
        }
    }
    for reply in join_all(calls).await {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    for person in &people {
        let (count, list) = connections(&platform, person).await;
        assert_eq!((count, list.len()), (3, 3));
    }
    let both = people[1..].iter().map(|target| async {
        let (one, other) =
            tokio::join!(disconnect(&platform, &people[0], target.id), connect(&platform, &people[0], target.id));
        (one.status.as_u16(), other.status.as_u16())
    });
    assert_eq!(join_all(both).await, [(204, 200); 3]);
    let (count, list) = connections(&platform, &people[0]).await;
    assert_eq!(usize::try_from(count).unwrap(), list.len());
}

#[sqlx::test(migrations = false)]
async fn counts_are_exact_when_somebody_leaves_whom_others_connect_to(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let people = join_all(["anna", "ben", "carla", "dora"].map(|name| join(&platform, name))).await;
    let path = format!("/users/{}", people[1].id);
    let leave = platform.call("DELETE", &path, Some(&people[1].token), None);
    let others = [&people[0], &people[2], &people[3]];
    let (left, _) = tokio::join!(leave, join_all(others.map(|person| connect(&platform, person, people[1].id))));
    assert_eq!(left.status, 204);
    for person in others {
        assert_eq!(connections(&platform, person).await, (0, vec![]));
    }
}

#[sqlx::test(migrations = false)]
async fn what_happens_between_two_is_told_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    for _ in 0..2 {
        connect(&platform, &anna, ben.id).await;
    }
    let connected = platform.published(USER_CONNECTED).await;
    assert_eq!(connected.len(), 1);
    let names: Vec<_> = connected[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["user_id", "target_id", "at"]);
    assert_eq!((&connected[0]["user_id"], &connected[0]["target_id"]), (&json!(anna.id), &json!(ben.id)));
    let list = platform.call("GET", &format!("/users/{}/followers", ben.id), Some(&anna.token), None).await;
    assert_eq!(list.body[0]["connected_at"], connected[0]["at"]);
    for _ in 0..2 {
        disconnect(&platform, &anna, ben.id).await;
    }
    let ended = platform.published(USER_DISCONNECTED).await;
    assert_eq!(ended.len(), 1);
    assert_eq!((&ended[0]["user_id"], &ended[0]["target_id"]), (&json!(anna.id), &json!(ben.id)));
    assert_eq!(platform.published(USER_CONNECTED).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn a_toggle_turns_a_connection_on_and_off(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    connect(&platform, &ben, anna.id).await;
    for (following, followers) in [(true, 1), (false, 0), (true, 1)] {
        let toggled = act(&platform, &anna, "POST", ben.id, "connect/toggle").await;
        assert_eq!((toggled.status.as_u16(), &toggled.body["id"]), (200, &json!(ben.id)));
        assert_eq!((&toggled.body["following"], &toggled.body["followed_by"]), (&json!(following), &json!(true)));
        assert_eq!((&toggled.body["total_followers"], &toggled.body["email"]), (&json!(followers), &json!("")));
    }
    assert_eq!(connections(&platform, &anna).await, (1, vec![ben.id]));
    assert_eq!(
        (platform.published(USER_CONNECTED).await.len(), platform.published(USER_DISCONNECTED).await.len()),
        (3, 1)
    );
    let oneself = act(&platform, &anna, "POST", anna.id, "connect/toggle").await;
    assert_eq!(detail(&oneself), (400, &json!("Can not self connect")));
    let nobody = act(&platform, &anna, "POST", Uuid::now_v7(), "connect/toggle").await;
    assert_eq!(detail(&nobody), (404, &json!("Target user not found")));
    let both = join_all([0; 6].map(|_| act(&platform, &anna, "POST", ben.id, "connect/toggle"))).await;
    assert_eq!(both.iter().filter(|reply| reply.body["following"] == json!(true)).count(), 3, "each turned it around");
}

#[sqlx::test(migrations = false)]
async fn relations_and_counts_are_seen_from_both_sides(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    connect(&platform, &anna, ben.id).await;
    connect(&platform, &carla, ben.id).await;
    connect(&platform, &ben, carla.id).await;
    assert_eq!(relation(&platform, &anna, ben.id).await, json!([1, 2, true, false, false]));
    assert_eq!(relation(&platform, &ben, anna.id).await, json!([1, 0, false, true, false]));
    assert_eq!(relation(&platform, &carla, ben.id).await, json!([1, 2, true, true, false]));
    assert_eq!(relation(&platform, &anna, carla.id).await, json!([1, 1, false, false, false]));
    let own = platform.call("GET", "/users/me", Some(&ben.token), None).await.body;
    assert_eq!((&own["total_connections"], &own["total_followers"]), (&json!(1), &json!(2)));
}

#[sqlx::test(migrations = false)]
async fn connections_and_followers_are_paged_last_connected_first(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let mut people = Vec::new();
    for name in ["anna", "ben", "carla", "dora", "emil"] {
        people.push(join(&platform, name).await);
    }
    let [anna, ben, carla, dora, emil] = &people[..] else { panic!("five") };
    for target in [dora, ben, emil, carla] {
        connect(&platform, anna, target.id).await;
    }
    for follower in [emil, carla, ben] {
        connect(&platform, follower, anna.id).await;
    }
    let list = pages(&platform, dora, &format!("/users/{}/connections?limit=2", anna.id)).await;
    assert_eq!(list, [[carla.id, emil.id], [ben.id, dora.id]]);
    let list = pages(&platform, dora, &format!("/users/{}/followers?limit=2", anna.id)).await;
    assert_eq!(list, [vec![ben.id, carla.id], vec![emil.id]]);
    // The contract's list goes by who joined last.
    let joined = [emil.id, dora.id, carla.id, ben.id];
    assert_eq!(pages(&platform, anna, "/users/me/connections?limit=3").await.concat(), joined);
    let shown = platform.call("GET", &format!("/users/{}/followers", anna.id), Some(&emil.token), None).await;
    assert_eq!((&shown.body[2]["email"], &shown.body[1]["email"]), (&json!(emil.email), &json!("")));
    assert_eq!(shown.body[2]["followed_by"], false);

    for list in ["connections", "followers"] {
        let nobody = act(&platform, anna, "GET", Uuid::now_v7(), list).await;
        assert_eq!(detail(&nobody), (404, &json!("User not found")));
        assert_eq!(platform.call("GET", &format!("/users/{}/{list}", ben.id), None, None).await.status, 401);
        let limit = platform.call("GET", &format!("/users/{}/{list}?limit=0", ben.id), Some(&anna.token), None).await;
        assert_eq!(limit.status, 422);
    }
}

#[sqlx::test(migrations = false)]
async fn opposite_connects_at_once_do_not_block_each_other(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    for _ in 0..10 {
        let both = tokio::join!(connect(&platform, &anna, ben.id), connect(&platform, &ben, anna.id));
        assert_eq!((both.0.status.as_u16(), both.1.status.as_u16()), (200, 200));
        let both = tokio::join!(disconnect(&platform, &anna, ben.id), disconnect(&platform, &ben, anna.id));
        assert_eq!((both.0.status.as_u16(), both.1.status.as_u16()), (204, 204));
    }
    assert_eq!(relation(&platform, &anna, ben.id).await, json!([0, 0, false, false, false]));
    assert_eq!(
        (platform.published(USER_CONNECTED).await.len(), platform.published(USER_DISCONNECTED).await.len()),
        (20, 20)
    );
}

#[sqlx::test(migrations = false)]
async fn nobody_has_more_connections_than_can_be_listed_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let full = |count: i64| sqlx::query!("update account set total_connections = $2 where id = $1", anna.id, count);
    full(MAX_CONNECTIONS).execute(&platform.app.db).await.unwrap();
    let refused = connect(&platform, &anna, ben.id).await;
    assert_eq!(detail(&refused), (400, &json!("You have too many connections")));
    full(MAX_CONNECTIONS - 1).execute(&platform.app.db).await.unwrap();
    assert_eq!(connect(&platform, &anna, ben.id).await.status, 200);
    assert_eq!(connect(&platform, &anna, ben.id).await.status, 200, "they are connected already");
    assert!(platform.published(USER_CONNECTED).await.len() == 1);
}

#[sqlx::test(migrations = false)]
async fn whom_very_many_are_connected_to_can_leave(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    crowd(&platform, anna.id, 2500).await;
    connect(&platform, &anna, ben.id).await;
    assert_eq!(relation(&platform, &ben, anna.id).await, json!([1, 2500, false, true, false]));
    let gone = platform.call("DELETE", &format!("/users/{}", anna.id), Some(&anna.token), None).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let left = sqlx::query!(
        r#"select (select sum(total_connections) + sum(total_followers) from account)::bigint as "counted!",
            (select count(*) from connection) as "connections!",
            (select count(*) from user_detail where written < version) as "due!""#
    )
    .fetch_one(&platform.app.db)
    .await
    .unwrap();
    assert_eq!((left.counted, left.connections), (0, 0));
    assert!(left.due >= 2501, "the hash of everybody who lost a connection is out of date: {}", left.due);
    let told = platform.published(USER_DELETED).await;
    let names: Vec<_> = told[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((told.len(), names), (1, vec!["id", "deleted_at"]));
    assert_eq!(told[0]["id"], json!(anna.id));
}
