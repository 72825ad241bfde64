//! Accounts, through their routes.
use axum::http::header;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::events::USER_DELETED;
use super::schedulers::AddressWorker;
use crate::connections::tests::{connect, connections};
use crate::core::testing::{Platform, Reply};
use crate::sessions::models::Session;
use crate::testing::{
    PASSWORD, Person, Posted, account, activate, detail, finish, hash, join, join_verified, mailed, sign_in, sign_up,
    start, token_to,
};
use crate::tokens::models::UserToken;

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
    assert_eq!((&user["email"], &user["first_name"]), (&json!("Anna@example.com"), &json!("Anna")));
    assert_eq!((&user["last_name"], &user["interests"]), (&json!("Å"), &json!(["NEWS", "NEWS"])));
    assert_eq!((&user["updated_by"], &user["created_by"]), (&json!(anna.id), &Value::Null));
    assert_eq!((&user["created_at"], &user["date_joined"]), (&before["created_at"], &before["date_joined"]));
    assert_ne!(user["updated_at"], before["updated_at"]);
    let read = platform.call("GET", &path, Some(&anna.token), None).await;
    assert_eq!(account(&read.body), account(user), "with the same password the token is still good");
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
    assert_eq!(account(&platform.call("GET", &path, Some(&anna.token), None).await.body), account(&updated));
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

async fn update(platform: &Platform, person: &Person, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password, "interests": [] });
    platform.call("PUT", &format!("/users/{}", person.id), Some(&person.token), Some(body)).await
}

async fn me(platform: &Platform, token: &str) -> Value {
    platform.call("GET", "/users/me", Some(token), None).await.body
}

async fn undo(platform: &Platform, token: &str) -> Reply {
    platform.call("POST", "/auth/undo-change", None, Some(json!({ "token": token }))).await
}

#[sqlx::test(migrations = false)]
async fn a_new_address_counts_once_it_is_proved(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join_verified(&platform, "anna").await;
    platform.call("POST", "/auth/forgot-password?email=anna%40example.com", None, None).await;
    let reset = token_to(&platform, &anna.email).await;
    let moved = update(&platform, &anna, "anna@example.org", PASSWORD).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    let addresses = |user: &Value| [user["email"].clone(), user["pending_email"].clone(), user["is_verified"].clone()];
    let both = [json!("anna@example.com"), json!("anna@example.org"), json!(true)];
    assert_eq!((addresses(&moved.body), addresses(&me(&platform, &anna.token).await)), (both.clone(), both));
    let path =
        format!("/auth/reset-password?reset_token={reset}&password=abcdefghijklm&confirmed_password=abcdefghijklm");
    assert_eq!(detail(&platform.call("POST", &path, None, None).await), (401, &json!("Invalid Token")));
    assert_eq!(sign_in(&platform, "anna@example.org", PASSWORD).await.status, 404);
    let mails = mailed(&platform).await;
    assert_eq!(mails.iter().map(|mail| mail.0.as_str()).collect::<Vec<_>>(), ["anna@example.com", "anna@example.org"]);
    let ben = join(&platform, "ben").await;
    assert!(me(&platform, &ben.token).await["pending_email"].is_null());
    let seen = platform.call("GET", &format!("/users/{}", anna.id), Some(&ben.token), None).await.body;
    assert!(!seen.to_string().contains("example.org"), "only its owner sees it: {seen}");

    assert_eq!(activate(&platform, &mails[1].1).await.status, 200);
    let new = [json!("anna@example.org"), Value::Null, json!(true)];
    assert_eq!(addresses(&me(&platform, &anna.token).await), new);
    assert_eq!(sign_in(&platform, "anna@example.org", PASSWORD).await.status, 200);
    assert_eq!(sign_in(&platform, "anna@example.com", PASSWORD).await.status, 404);
}

#[sqlx::test(migrations = false)]
async fn whoever_took_an_account_over_is_put_out_by_the_mail_to_its_verified_address(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let anna = join_verified(&platform, "anna").await;
    assert_eq!(update(&platform, &anna, "thief@example.com", "the password of a thief").await.status, 200);
    let mails = mailed(&platform).await;
    let undos: Vec<_> = mails.iter().filter(|mail| mail.0 == anna.email).map(|mail| mail.1.clone()).collect();
    assert_eq!(undos.len(), 2, "of the address and of the password: {mails:?}");
    let proof = mails.iter().find(|mail| mail.0 == "thief@example.com").unwrap();
    assert_eq!(activate(&platform, &proof.1).await.status, 200);
    let thief = sign_in(&platform, "thief@example.com", "the password of a thief").await;
    let token = thief.body["access_token"].as_str().unwrap();
    let body = json!({ "current_password": "the password of a thief", "new_password": "another of a thief",
        "confirm_password": "another of a thief" });
    let thief = platform.call("POST", "/auth/change-password", Some(token), Some(body)).await;
    let token = thief.body["access_token"].as_str().unwrap();
    let thiefs = mailed(&platform).await;
    let thiefs = &thiefs.iter().find(|mail| mail.0 == "thief@example.com").unwrap().1;
    sign_up_again(&platform, &anna.email).await;

    let link = platform.call("GET", &format!("/auth/undo-change?token={}", undos[0]), None, None).await;
    assert_eq!(link.status, 405, "what fetches the links of a mail changes nothing");
    let undone = undo(&platform, &undos[0]).await;
    assert_eq!((undone.status.as_u16(), &undone.body["email"]), (200, &json!(anna.email)), "{undone:?}");
    assert_eq!(platform.call("GET", "/users/me", Some(token), None).await.status, 401);
    assert_eq!(sign_in(&platform, "thief@example.com", "another of a thief").await.status, 404);
    let back = sign_in(&platform, &anna.email, PASSWORD).await;
    let back = me(&platform, back.body["access_token"].as_str().unwrap()).await;
    assert_eq!((&back["id"], &back["is_verified"]), (&json!(anna.id), &json!(true)));
    for used in [&undos[0], thiefs] {
        assert_eq!(detail(&undo(&platform, used).await), (401, &json!("Invalid Token")));
    }
    let audit = platform.personal_data_of(anna.id, "audit").await;
    let actions: Vec<_> = audit.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    for action in ["address_asked", "address_changed", "password_changed", "change_undone"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
}

/// Signs up with the address of another account, as a thief does who wants it to stay lost.
async fn sign_up_again(platform: &Platform, email: &str) {
    let body = json!({ "email": email, "password": "the password of a thief", "interests": [] });
    assert_eq!(platform.call("POST", "/auth/signup", None, Some(body)).await.status, 201);
    assert_eq!(sign_in(platform, email, "the password of a thief").await.status, 404, "the address is kept");
}

#[sqlx::test(migrations = false)]
async fn a_change_can_be_undone_for_three_days(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join_verified(&platform, "anna").await;
    assert_eq!(update(&platform, &anna, &anna.email, "eight tame geese").await.status, 200);
    let token = token_to(&platform, &anna.email).await;
    UserToken::age(&platform.app.db, anna.id, 72.0 * 3600.0).await.unwrap();
    assert_eq!(detail(&undo(&platform, &token).await), (401, &json!("Token Expired")));
    UserToken::age(&platform.app.db, anna.id, -60.0).await.unwrap();
    assert_eq!(undo(&platform, &token).await.status, 200);
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 200);
    assert_eq!(sign_in(&platform, &anna.email, "eight tame geese").await.status, 404);
}

async fn age_sessions(platform: &Posted, person: &Person, seconds: f64) {
    let mut tx = platform.app.db.begin().await.unwrap();
    Session::age(&mut tx, person.id, seconds).await.unwrap();
    tx.commit().await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn an_old_session_alone_changes_no_password_and_no_address(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database.clone(), &[]).await;
    let anna = join_verified(&platform, "anna").await;
    age_sessions(&platform, &anna, 601.0).await;
    for email in [anna.email.as_str(), "thief@example.com"] {
        let refused = update(&platform, &anna, email, "the password of a thief").await;
        assert_eq!(detail(&refused), (401, &json!("Sign in again, or send the current password")), "{email}");
        assert_eq!(refused.body["code"], "insufficient_user_authentication");
        let challenge = "Bearer error=\"insufficient_user_authentication\", max_age=\"600\"";
        assert_eq!(refused.headers[header::WWW_AUTHENTICATE], challenge);
        assert_eq!(refused.headers[header::CONTENT_TYPE], "application/problem+json");
    }
    assert!(me(&platform, &anna.token).await["pending_email"].is_null());
    assert_eq!(mailed(&platform).await, []);
    assert_eq!(update(&platform, &anna, "anna@example.org", PASSWORD).await.status, 200, "with the current password");
    let with = async |current: &str| {
        let body = json!({ "email": anna.email, "password": "eight tame geese", "interests": [],
            "current_password": current });
        platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await
    };
    assert_eq!(detail(&with("nine tame geese").await), (400, &json!("Current password not matching")));
    assert_eq!(with(PASSWORD).await.status, 200);
    assert_eq!(sign_in(&platform, &anna.email, "eight tame geese").await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_setting_lets_sessions_change_passwords_as_in_the_original(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--update-without-password", "true"]).await;
    let anna = join(&platform, "anna").await;
    age_sessions(&platform, &anna, 86_400.0).await;
    assert_eq!(update(&platform, &anna, &anna.email, "eight tame geese").await.status, 200);
    assert_eq!(sign_in(&platform, &anna.email, "eight tame geese").await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn guesses_at_the_current_password_by_an_old_session_are_counted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--rate-limits", "account=3/900"]).await;
    let anna = join_verified(&platform, "anna").await;
    age_sessions(&platform, &anna, 601.0).await;
    let mut statuses = Vec::new();
    for guess in 0..5 {
        let refused = update(&platform, &anna, &anna.email, &format!("guess number {guess}")).await;
        statuses.push(refused.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429], "the fourth begins the pauses");
}

#[sqlx::test(migrations = false)]
async fn old_addresses_are_brought_into_todays_form_and_collisions_are_reported(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let [anna, ben, carla] =
        [join(&platform, "anna").await, join(&platform, "ben").await, join(&platform, "carla").await];
    for (person, email) in
        [(&anna, "Anna@BÜCHER.example"), (&ben, "ben@\u{200b}example.com"), (&carla, "anna@bücher.example")]
    {
        let old = format!("update account set email = '{email}', email_key = null where id = '{}'", person.id);
        platform.app.db.execute(AssertSqlSafe(old)).await.unwrap();
    }
    let verified = format!("update account set is_verified = true where id = '{}'", carla.id);
    platform.app.db.execute(AssertSqlSafe(verified)).await.unwrap();
    finish(AddressWorker::new(&platform.app)).await;
    let rows = "select id, email, email_key from account order by id";
    let rows = platform.app.db.fetch_all(rows).await.unwrap();
    let rows: Vec<(Uuid, String, Option<String>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let key = "anna@xn--bcher-kva.example";
    let left_over = [(anna.id, "Anna@BÜCHER.example".into(), None), (ben.id, "ben@\u{200b}example.com".into(), None)];
    assert_eq!(rows[..2], left_over);
    assert_eq!(rows[2], (carla.id, key.into(), Some(key.into())), "the verified one comes first");
    let signed_in = sign_in(&platform, "anna@bücher.example", PASSWORD).await;
    let shown = me(&platform, signed_in.body["access_token"].as_str().unwrap()).await;
    assert_eq!((&shown["id"], &shown["email"]), (&json!(carla.id), &json!("anna@bücher.example")));
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
