//! People, through their routes, and the hashes that other services read of them.
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use futures::future::join_all;
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tempfile::TempDir;
use uuid::Uuid;

use super::events::USER_DELETED;
use crate::SERVICE;
use crate::auth::schedulers::Resets;
use crate::connections::tests::{connect, connections, disconnect};
use crate::core::testing::{Platform, Reply};
use crate::core::worker::{Outcome, Worker};
use crate::mails::schedulers::Postman;
use crate::users::details::schedulers::{Writer, key};

/// A password that nobody refuses.
pub const PASSWORD: &str = "seven wild geese";

/// Somebody who has signed up and in.
pub struct Person {
    pub id: Uuid,
    pub email: String,
    pub token: String,
}

/// The service with a mailbox of its own, which goes when the test ends.
pub struct Posted {
    platform: Platform,
    _mailbox: TempDir,
}

impl Deref for Posted {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

/// The service, with a mailbox of its own.
pub async fn start(database: PgConnectOptions, settings: &[&str]) -> Posted {
    let mailbox = TempDir::new().unwrap();
    let mut arguments = vec!["--mail-dir", mailbox.path().to_str().unwrap()];
    arguments.extend(settings);
    Posted { platform: Platform::start(&SERVICE, database, &arguments).await, _mailbox: mailbox }
}

/// Signs somebody up.
pub async fn sign_up(platform: &Platform, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD, "interests": [] });
    let reply = platform.call("POST", "/auth/signup", None, Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

/// The token that somebody signs in with.
pub async fn sign_in(platform: &Platform, email: &str, password: &str) -> Reply {
    platform.call("POST", "/auth/signin", None, Some(json!({ "email": email, "password": password }))).await
}

/// Signs somebody up and in.
pub async fn join(platform: &Platform, name: &str) -> Person {
    let email = format!("{name}@example.com");
    let user = sign_up(platform, &email).await;
    let token = sign_in(platform, &email, PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    Person { id: serde_json::from_value(user["id"].clone()).unwrap(), email, token }
}

/// Who is in a list, in its order.
pub fn ids(list: &Reply) -> Vec<Uuid> {
    assert_eq!(list.status, 200, "{list:?}");
    list.body.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// What every answer says of a person: the contract's fields and the role.
pub fn account(user: &Value) -> Value {
    user.as_object().unwrap().iter().take(14).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Lets a worker do all that there is to do.
pub async fn finish(mut worker: impl Worker) {
    while worker.step().await.unwrap() == Outcome::Busy {}
}

/// Sends all mails; all that are in the mailbox then, in no order, and it is empty again.
pub async fn mailbox(platform: &Platform) -> Vec<String> {
    finish(Resets::new(&platform.app)).await;
    finish(Postman::new(&platform.app)).await;
    let mut mails = Vec::new();
    for file in std::fs::read_dir(&platform.app.settings.mail_dir).unwrap() {
        let path = file.unwrap().path();
        // The line breaks of the encoding are none of the text.
        mails.push(std::fs::read_to_string(&path).unwrap().replace("=\r\n", "").replace("=3D", "="));
        std::fs::remove_file(path).unwrap();
    }
    mails
}

/// What follows a beginning of a line in a mail.
pub fn line<'a>(mail: &'a str, start: &str) -> Option<&'a str> {
    mail.lines().find_map(|line| line.strip_prefix(start))
}

/// Sends all mails; who got one with a token, and the token. Then the mailbox is empty again.
pub async fn mailed(platform: &Platform) -> Vec<(String, String)> {
    let mails = mailbox(platform).await;
    let with_token = |mail: &String| Some((line(mail, "To: ")?.to_owned(), line(mail, "Token: ")?.to_owned()));
    let mut mails: Vec<_> = mails.iter().filter_map(with_token).collect();
    mails.sort();
    mails
}

/// The hash that other services read of somebody, after all that is due was written; less its version.
pub async fn hash(platform: &Platform, id: Uuid) -> BTreeMap<String, String> {
    finish(Writer::new(&platform.app)).await;
    let mut hash: BTreeMap<String, String> = platform.app.redis.clone().hgetall(key(id)).await.unwrap();
    assert_eq!(hash.remove("version").is_some(), !hash.is_empty());
    hash
}

/// The status of a refusal, and what it says.
pub fn detail(reply: &Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["detail"])
}

#[sqlx::test(migrations = false)]
async fn interests_are_the_contracts_in_its_order(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let reply = platform.call("GET", "/users/interests-choices", None, None).await;
    assert_eq!(reply.status, 200);
    let words: Vec<_> = reply.body.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!((words.len(), words[0], words[21]), (22, "SPORTS", "SCIENTIFIC"));
}

#[sqlx::test(migrations = false)]
async fn an_update_is_its_owners_and_changes_what_was_given(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let path = format!("/users/{}", anna.id);
    let before = platform.call("GET", &path, Some(&anna.token), None).await.body;
    let body = json!({ "email": "Anna@Example.com", "password": PASSWORD, "interests": ["NEWS", "NEWS"],
        "first_name": "Anna", "last_name": "Å" });
    let updated = platform.call("PUT", &path, Some(&anna.token), Some(body)).await;
    assert_eq!(updated.status, 200, "{updated:?}");
    let user = &updated.body;
    assert_eq!((&user["email"], &user["first_name"]), (&json!("Anna@Example.com"), &json!("Anna")));
    assert_eq!((&user["last_name"], &user["interests"]), (&json!("Å"), &json!(["NEWS", "NEWS"])));
    assert_eq!((&user["updated_by"], &user["created_by"]), (&json!(anna.id), &Value::Null));
    assert_eq!((&user["created_at"], &user["date_joined"]), (&before["created_at"], &before["date_joined"]));
    assert_ne!(user["updated_at"], before["updated_at"]);
    let read = platform.call("GET", &path, Some(&anna.token), None).await;
    assert_eq!(account(&read.body), *user, "with the same password the token is still good");
    let body = json!({ "email": "anna@example.com", "password": PASSWORD, "interests": [], "first_name": null });
    let updated = platform.call("PUT", &path, Some(&anna.token), Some(body.clone())).await.body;
    assert_eq!((&updated["first_name"], &updated["interests"]), (&json!("Anna"), &json!([])));

    let foreign = platform.call("PUT", &path, Some(&ben.token), Some(body.clone())).await;
    assert_eq!(detail(&foreign), (403, &json!("You can only change your own account")));
    let mut taken = body.clone();
    taken["email"] = json!("BEN@example.com");
    let taken = platform.call("PUT", &path, Some(&anna.token), Some(taken)).await;
    assert_eq!(detail(&taken), (400, &json!("User with this email already exists")));
    let mut unknown = body.clone();
    unknown["interests"] = json!(["KNITTING"]);
    let unknown = platform.call("PUT", &path, Some(&anna.token), Some(unknown)).await;
    assert_eq!(detail(&unknown), (400, &json!("Should be from valid interest choices")));
    let mut extra = body.clone();
    extra["status"] = json!("ACTIVE");
    let extra = platform.call("PUT", &path, Some(&anna.token), Some(extra)).await;
    assert_eq!(extra.status, 422);
    assert_eq!(extra.body["detail"][0]["loc"], json!(["body", "status"]));
    assert_eq!(account(&platform.call("GET", &path, Some(&anna.token), None).await.body), updated);
}

#[sqlx::test(migrations = false)]
async fn an_update_with_another_password_ends_older_tokens(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let body = json!({ "email": anna.email, "password": "eight tame geese", "interests": [] });
    let updated = platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await;
    assert_eq!(updated.status, 200);
    assert_eq!(platform.call("GET", "/users/me", Some(&anna.token), None).await.status, 401);
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 404);
    assert_eq!(sign_in(&platform, &anna.email, "eight tame geese").await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_new_address_has_to_be_verified_and_the_old_one_opens_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let [(_, first)] = mailed(&platform).await.try_into().unwrap();
    let activate = async |token: &str| {
        platform.call("POST", &format!("/users/activate?activation_token={token}"), None, None).await
    };
    assert_eq!(activate(&first).await.body["is_verified"], true);
    platform.call("POST", "/auth/forgot-password?email=anna%40example.com", None, None).await;
    let [(_, reset)] = mailed(&platform).await.try_into().unwrap();
    let body = json!({ "email": "anna@example.org", "password": PASSWORD, "interests": [] });
    let moved = platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await.body;
    assert_eq!((&moved["is_verified"], &moved["status"]), (&json!(false), &json!("ACTIVE")));
    let path =
        format!("/auth/reset-password?reset_token={reset}&password=abcdefghijklm&confirmed_password=abcdefghijklm");
    assert_eq!(detail(&platform.call("POST", &path, None, None).await), (401, &json!("Invalid Token")));
    let [(recipient, second)] = mailed(&platform).await.try_into().unwrap();
    assert_eq!(recipient, "anna@example.org");
    assert_eq!(activate(&second).await.body["is_verified"], true);
}

#[sqlx::test(migrations = false)]
async fn who_leaves_is_gone_everywhere(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    connect(&platform, &anna, ben.id).await;
    connect(&platform, &anna, carla.id).await;
    connect(&platform, &ben, anna.id).await;
    assert!(!hash(&platform, ben.id).await.is_empty());
    let foreign = platform.call("DELETE", &format!("/users/{}", ben.id), Some(&anna.token), None).await;
    assert_eq!(detail(&foreign), (403, &json!("You can only delete your own account")));
    let gone = platform.call("DELETE", &format!("/users/{}", ben.id), Some(&ben.token), None).await;
    assert_eq!((gone.status.as_u16(), gone.body), (204, Value::Null));
    let refused = platform.call("GET", "/users/me", Some(&ben.token), None).await;
    assert_eq!(detail(&refused), (401, &json!("Invalid username or password")));
    assert_eq!(sign_in(&platform, &ben.email, PASSWORD).await.status, 404);
    assert_eq!(connections(&platform, &anna).await, (1, vec![carla.id]));
    let annas = hash(&platform, anna.id).await;
    assert_eq!((annas["total_connections"].as_str(), &annas["connections"]), ("1", &format!("[\"{}\"]", carla.id)));
    assert!(hash(&platform, ben.id).await.is_empty());
    let told = platform.told(USER_DELETED).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "deleted_at"]);
    assert_eq!(told[0]["id"], json!(ben.id));
    sign_up(&platform, &ben.email).await;
}

#[sqlx::test(migrations = false)]
async fn other_services_read_the_hash_that_the_original_writes(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = json!({ "email": "Anna@Example.com", "password": PASSWORD, "interests": ["SPORTS", "NEWS"],
        "first_name": "Anna" });
    let user = platform.call("POST", "/auth/signup", None, Some(body)).await.body;
    let token =
        sign_in(&platform, "anna@example.com", PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    let anna =
        Person { id: serde_json::from_value(user["id"].clone()).unwrap(), email: "Anna@Example.com".into(), token };
    let text = |name: &str| user[name].as_str().unwrap().to_owned();
    let mut expected = BTreeMap::from(
        [
            ("pk", text("id")),
            ("id", text("id")),
            ("email", "Anna@Example.com".into()),
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
    let token = &mails.iter().find(|(recipient, _)| recipient == "Anna@Example.com").unwrap().1;
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
    let mut writer = Writer::new(&platform.app);
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
    assert_eq!(writer.step().await.unwrap(), Outcome::Idle);

    // A process that was started again may lack the end of what it held.
    let () = redis.del(key(people[0].id)).await.unwrap();
    assert_eq!(writer.step().await.unwrap(), Outcome::Idle);
    let () = redis.set("auth:user_detail:complete", "another process").await.unwrap();
    assert_eq!(hash(&platform, people[0].id).await, before);
}

/// A Redis that was restored from an older file brought the hash of somebody back who had left, and nobody took it away.
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
    finish(Writer::new(&platform.app)).await;
    let mut redis = platform.app.redis.clone();
    // As if another writer, with a state of the future, had been faster.
    let () = redis.hset_multiple(key(anna.id), &[("version", "9007199254740991"), ("rating", "5.0")]).await.unwrap();
    let ben = join(&platform, "ben").await;
    connect(&platform, &anna, ben.id).await;
    let held = hash(&platform, anna.id).await;
    assert_eq!((held["rating"].as_str(), held["total_connections"].as_str()), ("5.0", "0"));
    let finished = Writer::new(&platform.app).step().await.unwrap();
    assert_eq!(finished, Outcome::Idle, "what was refused is not tried for ever");
}
