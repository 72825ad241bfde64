//! Accounts, through their routes.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::events::USER_DELETED;
use crate::connections::tests::{connect, connections};
use crate::testing::{PASSWORD, account, detail, hash, join, mailed, sign_in, sign_up, start};

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
    let told = platform.published(USER_DELETED).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "deleted_at"]);
    assert_eq!(told[0]["id"], json!(ben.id));
    sign_up(&platform, &ben.email).await;
}
