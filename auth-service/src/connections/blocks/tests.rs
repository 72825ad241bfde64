//! Blocks, through their routes: which users are kept apart, and where.
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::connections::events::{USER_BLOCKED, USER_CONNECTED, USER_DISCONNECTED, USER_UNBLOCKED};
use crate::connections::tests::{connect, connections, disconnect};
use crate::core::testing::{Platform, Reply};
use crate::testing::{Person, detail, ids, join, start};

async fn block(platform: &Platform, person: &Person, target: Uuid) -> Reply {
    platform.call("POST", &format!("/users/{target}/block"), Some(&person.token), None).await
}

async fn unblock(platform: &Platform, person: &Person, target: Uuid) -> Reply {
    platform.call("DELETE", &format!("/users/{target}/block"), Some(&person.token), None).await
}

async fn see(platform: &Platform, viewer: &Person, path: &str) -> Reply {
    platform.call("GET", path, Some(&viewer.token), None).await
}

#[sqlx::test(migrations = false)]
async fn a_block_ends_both_directions_and_is_told_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    connect(&platform, &anna, ben.id).await;
    connect(&platform, &ben, anna.id).await;
    for _ in 0..2 {
        let blocked = block(&platform, &anna, ben.id).await;
        assert_eq!((blocked.status.as_u16(), blocked.body), (204, Value::Null));
    }
    assert_eq!(connections(&platform, &anna).await, (0, vec![]));
    assert_eq!(connections(&platform, &ben).await, (0, vec![]));
    let own = see(&platform, &anna, "/users/me").await.body;
    assert_eq!((&own["total_connections"], &own["total_followers"]), (&json!(0), &json!(0)));
    let pairs = |told: &[Value]| -> Vec<[Value; 2]> {
        told.iter().map(|event| [event["user_id"].clone(), event["target_id"].clone()]).collect()
    };
    let [there, back] = [[json!(anna.id), json!(ben.id)], [json!(ben.id), json!(anna.id)]];
    assert_eq!(pairs(&platform.published(USER_DISCONNECTED).await), [there.clone(), back]);
    assert_eq!(pairs(&platform.published(USER_BLOCKED).await), std::slice::from_ref(&there));

    let list = see(&platform, &anna, "/users/me/blocks").await;
    assert_eq!(ids(&list), [ben.id]);
    assert_eq!((&list.body[0]["blocked"], &list.body[0]["email"]), (&json!(true), &json!("")));
    assert_eq!(list.body[0]["blocked_at"], platform.published(USER_BLOCKED).await[0]["at"]);
    for _ in 0..2 {
        assert_eq!(unblock(&platform, &anna, ben.id).await.status, 204);
    }
    assert_eq!(pairs(&platform.published(USER_UNBLOCKED).await), [there]);
    assert!(ids(&see(&platform, &anna, "/users/me/blocks").await).is_empty());
    assert_eq!(connections(&platform, &anna).await, (0, vec![]), "no connection comes back");
    assert_eq!(connect(&platform, &ben, anna.id).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn for_whom_one_has_blocked_one_does_not_exist(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    platform.call("PATCH", "/users/me", Some(&anna.token), Some(json!({ "username": "anna" }))).await;
    connect(&platform, &anna, carla.id).await;
    connect(&platform, &carla, anna.id).await;
    block(&platform, &anna, ben.id).await;
    for path in [
        format!("/users/{}", anna.id),
        "/users/by-username/anna".into(),
        format!("/users/{}/connections", anna.id),
        format!("/users/{}/followers", anna.id),
    ] {
        assert_eq!(detail(&see(&platform, &ben, &path).await), (404, &json!("User not found")), "{path}");
        assert_eq!(see(&platform, &carla, &path).await.status, 200, "{path}");
    }
    for path in
        ["/users".to_owned(), format!("/users/{}/connections", carla.id), format!("/users/{}/followers", carla.id)]
    {
        assert!(!ids(&see(&platform, &ben, &path).await).contains(&anna.id), "{path}");
        assert!(ids(&see(&platform, &carla, &path).await).contains(&anna.id), "{path}");
    }
    let both = json!({ "ids": [anna.id, carla.id] });
    let found = platform.call("POST", "/users/lookup", Some(&ben.token), Some(both)).await;
    assert_eq!(ids(&found), [carla.id]);
    let toggle = format!("/users/{}/connect/toggle", anna.id);
    for refused in [
        connect(&platform, &ben, anna.id).await,
        disconnect(&platform, &ben, anna.id).await,
        platform.call("POST", &toggle, Some(&ben.token), None).await,
        block(&platform, &ben, anna.id).await,
        unblock(&platform, &ben, anna.id).await,
    ] {
        assert_eq!(detail(&refused), (404, &json!("Target user not found")));
    }
    assert!(platform.published(USER_CONNECTED).await.iter().all(|event| event["user_id"] != json!(ben.id)));
}

#[sqlx::test(migrations = false)]
async fn who_blocks_meets_the_other_nowhere_but_by_asking(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    connect(&platform, &ben, carla.id).await;
    connect(&platform, &carla, ben.id).await;
    block(&platform, &anna, ben.id).await;
    for path in
        ["/users".to_owned(), format!("/users/{}/connections", carla.id), format!("/users/{}/followers", carla.id)]
    {
        assert!(!ids(&see(&platform, &anna, &path).await).contains(&ben.id), "{path}");
    }
    let asked = see(&platform, &anna, &format!("/users/{}", ben.id)).await;
    assert_eq!((asked.status.as_u16(), &asked.body["blocked"]), (200, &json!(true)));
    assert_eq!(detail(&connect(&platform, &anna, ben.id).await), (400, &json!("You have blocked this user")));
    assert_eq!(detail(&block(&platform, &anna, anna.id).await), (400, &json!("Can not self block")));
    assert_eq!(detail(&block(&platform, &anna, Uuid::now_v7()).await), (404, &json!("Target user not found")));
    assert_eq!(detail(&unblock(&platform, &anna, Uuid::now_v7()).await), (404, &json!("Target user not found")));
    assert_eq!(platform.call("POST", &format!("/users/{}/block", ben.id), None, None).await.status, 401);
    assert_eq!(platform.call("GET", "/users/me/blocks", None, None).await.status, 401);
    let people = join_all(["dora", "emil"].map(|name| join(&platform, name))).await;
    for person in &people {
        block(&platform, &anna, person.id).await;
    }
    let first = see(&platform, &anna, "/users/me/blocks?limit=2").await;
    assert_eq!(ids(&first), [people[1].id, people[0].id]);
    let link = first.headers[axum::http::header::LINK].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(ids(&see(&platform, &anna, next).await), [ben.id]);
}

#[sqlx::test(migrations = false)]
async fn of_two_who_block_each_other_at_once_one_does(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let (one, other) = tokio::join!(block(&platform, &anna, ben.id), block(&platform, &ben, anna.id));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404], "for the second one the first does not exist any more");
    assert_eq!(platform.published(USER_BLOCKED).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn no_connection_slips_in_beside_a_block(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    for _ in 0..10 {
        let (blocked, connected, back) = tokio::join!(
            block(&platform, &anna, ben.id),
            connect(&platform, &ben, anna.id),
            connect(&platform, &anna, ben.id)
        );
        assert_eq!(blocked.status, 204);
        assert!([200, 404].contains(&connected.status.as_u16()), "{connected:?}");
        assert!([200, 400].contains(&back.status.as_u16()), "{back:?}");
        assert_eq!(connections(&platform, &ben).await, (0, vec![]));
        assert_eq!(connections(&platform, &anna).await, (0, vec![]));
        unblock(&platform, &anna, ben.id).await;
    }
}
