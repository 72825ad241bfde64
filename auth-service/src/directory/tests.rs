//! The hashes that other services read of people, through the routes that change them.
use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use redis::AsyncCommands;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::schedulers::{HashWriter, key};
use crate::connections::tests::{connect, disconnect};
use crate::core::ground::worker::{Outcome, Worker};
use crate::testing::{PASSWORD, Person, finish, hash, join, mailed, sign_in, start};

#[sqlx::test(migrations = false)]
async fn other_services_read_the_hash_that_the_original_writes(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = json!({ "email": "Anna@Example.com", "password": PASSWORD, "interests": ["SPORTS", "NEWS"],
        "first_name": "Anna" });
    let user = platform.call("POST", "/auth/signup", None, Some(body)).await.body;
    let token =
        sign_in(&platform, "anna@example.com", PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    let anna =
        Person { id: serde_json::from_value(user["id"].clone()).unwrap(), email: "Anna@example.com".into(), token };
    let text = |name: &str| user[name].as_str().unwrap().to_owned();
    let mut expected = BTreeMap::from(
        [
            ("pk", text("id")),
            ("id", text("id")),
            ("email", "Anna@example.com".into()),
            ("first_name", "Anna".into()),
            ("last_name", "null".into()),
            ("connections", "[]".into()),
            ("is_verified", "0".into()),
            ("date_joined", text("date_joined")),
            ("rating", "0.0".into()),
            ("status", "INACTIVE".into()),
            ("interests", "[\"SPORTS\", \"NEWS\"]".into()),
            ("total_connections", "0".into()),
            ("created_at", text("created_at")),
            ("created_by", "null".into()),
            ("updated_at", text("updated_at")),
            ("updated_by", "null".into()),
        ]
        .map(|(field, value)| (field.to_owned(), value)),
    );
    assert_eq!(hash(&platform, anna.id).await, expected);

    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    for target in [&ben, &carla] {
        connect(&platform, &anna, target.id).await;
    }
    expected.insert("connections".into(), format!("[\"{}\", \"{}\"]", carla.id, ben.id));
    expected.insert("total_connections".into(), "2".into());
    assert_eq!(hash(&platform, anna.id).await, expected, "a connection is no update of the account");

    let mails = mailed(&platform).await;
    assert_eq!(mails.len(), 3);
    let token = &mails.iter().find(|(recipient, _)| recipient == "Anna@example.com").unwrap().1;
    let active = platform.call("POST", &format!("/users/activate?activation_token={token}"), None, None).await.body;
    expected.insert("is_verified".into(), "1".into());
    expected.insert("status".into(), "ACTIVE".into());
    expected.insert("updated_by".into(), anna.id.to_string());
    expected.insert("updated_at".into(), active["updated_at"].as_str().unwrap().into());
    assert_eq!(hash(&platform, anna.id).await, expected);
    disconnect(&platform, &anna, carla.id).await;
    assert_eq!(hash(&platform, anna.id).await["connections"], format!("[\"{}\"]", ben.id));
}

#[sqlx::test(migrations = false)]
async fn hashes_come_back_when_redis_has_lost_them(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let people = join_all(["anna", "ben", "carla"].map(|name| join(&platform, name))).await;
    let leaver = join(&platform, "dora").await;
    let mut writer = HashWriter::new(&platform.app);
    while writer.step().await.unwrap() == Outcome::Busy {}
    let before = hash(&platform, people[0].id).await;
    platform.call("DELETE", &format!("/users/{}", leaver.id), Some(&leaver.token), None).await;
    let mut redis = platform.app.redis.clone();
    let () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
    // The very writer that knew them to be there, as in a process that goes on.
    while writer.step().await.unwrap() == Outcome::Busy {}
    assert_eq!(hash(&platform, people[0].id).await, before);
    let keys: BTreeSet<String> = redis.keys(":apps.core.models.UserDetailInfo:*").await.unwrap();
    assert_eq!(keys, people.iter().map(|person| key(person.id)).collect());
    assert_ne!(writer.step().await.unwrap(), Outcome::Busy);

    // A process that was started again may lack the end of what it held.
    let () = redis.del(key(people[0].id)).await.unwrap();
    assert_ne!(writer.step().await.unwrap(), Outcome::Busy);
    let () = redis.set("auth:user_detail:complete", "another process").await.unwrap();
    assert_eq!(hash(&platform, people[0].id).await, before);
}

/// A Redis that is restored from an older file brings back the hash of a deleted account, which must be deleted again.
#[sqlx::test(migrations = false)]
async fn who_left_does_not_come_back_with_an_older_redis(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let before: Vec<(String, String)> = hash(&platform, anna.id).await.into_iter().collect();
    platform.call("DELETE", &format!("/users/{}", anna.id), Some(&anna.token), None).await;
    assert!(hash(&platform, anna.id).await.is_empty());
    let mut redis = platform.app.redis.clone();
    let () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
    let () = redis.hset_multiple(key(anna.id), &before).await.unwrap();
    assert!(hash(&platform, anna.id).await.is_empty());
}

#[sqlx::test(migrations = false)]
async fn an_older_state_never_replaces_a_newer_one(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    finish(HashWriter::new(&platform.app)).await;
    let mut redis = platform.app.redis.clone();
    // As if another writer, with a state of the future, had been faster.
    let () = redis.hset_multiple(key(anna.id), &[("version", "9007199254740991"), ("rating", "5.0")]).await.unwrap();
    let ben = join(&platform, "ben").await;
    connect(&platform, &anna, ben.id).await;
    let held = hash(&platform, anna.id).await;
    assert_eq!((held["rating"].as_str(), held["total_connections"].as_str()), ("5.0", "0"));
    let finished = HashWriter::new(&platform.app).step().await.unwrap();
    assert_ne!(finished, Outcome::Busy, "what was refused is not tried for ever");
}
