//! Roles, mutes and bans, through the routes of those who decide and in what they do.
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::commands::grant;
use super::schedulers::lift;
use crate::core::app::identity::Role;
use crate::core::testing::{Platform, Reply};
use crate::profiles::events::USER_UPDATED;
use crate::sessions::events::SESSION_REVOKED;
use crate::testing::{PASSWORD, Person, detail, ids, join, mailed, sign_in, start, token_to};

async fn join_as(platform: &Platform, name: &str, role: Role) -> Person {
    let person = join(platform, name).await;
    grant(&platform.app, &person.email, role).await.unwrap();
    person
}

async fn set_role(platform: &Platform, by: &Person, target: Uuid, role: &str) -> Reply {
    let body = json!({ "role": role, "reason": "a test" });
    platform.call("PUT", &format!("/admin/users/{target}/role"), Some(&by.token), Some(body)).await
}

async fn set_status(platform: &Platform, by: &Person, target: Uuid, body: Value) -> Reply {
    platform.call("PUT", &format!("/admin/users/{target}/status"), Some(&by.token), Some(body)).await
}

async fn get(platform: &Platform, by: &Person, path: &str) -> Reply {
    platform.call("GET", path, Some(&by.token), None).await
}

fn mute() -> Value {
    json!({ "status": "MUTED", "reason": "spam" })
}

fn ban() -> Value {
    json!({ "status": "BANNED", "reason": "threats" })
}

fn free() -> Value {
    json!({ "status": "ACTIVE", "reason": "they were sorry" })
}

#[sqlx::test(migrations = false)]
async fn whoever_verifies_the_address_of_the_settings_is_the_first_admin(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--first-admin", "Root@Example.com"]).await;
    let role = async |person: &Person| get(&platform, person, "/auth/verify-token").await.body["role"].clone();
    let root = join(&platform, "root").await;
    assert_eq!(role(&root).await, "USER", "anybody can sign up with that address");
    let anna = join(&platform, "anna").await;
    for (_, token) in mailed(&platform).await {
        let done = platform.call("POST", &format!("/users/activate?activation_token={token}"), None, None).await;
        assert_eq!(done.status, 200);
    }
    assert_eq!((role(&root).await, role(&anna).await), (json!("ADMIN"), json!("USER")));

    // Another account takes the address over: there is an admin already.
    set_role(&platform, &root, anna.id, "ADMIN").await;
    set_role(&platform, &root, root.id, "USER").await;
    let move_to = async |person: &Person, email: &str| {
        mailed(&platform).await;
        let body = json!({ "email": email, "password": PASSWORD, "interests": [] });
        platform.call("PUT", &format!("/users/{}", person.id), Some(&person.token), Some(body)).await;
        let token = token_to(&platform, email).await;
        platform.call("POST", &format!("/users/activate?activation_token={token}"), None, None).await;
    };
    move_to(&root, "other@example.com").await;
    move_to(&root, "root@example.com").await;
    assert_eq!((role(&root).await, role(&anna).await), (json!("USER"), json!("ADMIN")));
}

#[sqlx::test(migrations = false)]
async fn an_operator_gives_roles_at_the_command_line(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    grant(&platform.app, "ANNA@example.com", Role::Moderator).await.unwrap();
    assert_eq!(get(&platform, &anna, "/users/me").await.body["role"], "MODERATOR");
    grant(&platform.app, &anna.id.to_string(), Role::Admin).await.unwrap();
    let member = get(&platform, &anna, &format!("/admin/users/{}", anna.id)).await.body;
    assert_eq!((&member["role"], &member["status"]), (&json!("ADMIN"), &json!("INACTIVE")));
    let refusals = [
        ("nobody@example.com", Role::Admin, "no account has the address or the id nobody@example.com"),
        ("anna@example.com", Role::User, "The last administrator keeps the role"),
    ];
    for (name, role, expected) in refusals {
        assert_eq!(grant(&platform.app, name, role).await.unwrap_err().to_string(), expected);
    }
    let told = platform.published(USER_UPDATED).await;
    let roles: Vec<_> = told.iter().map(|user| (&user["id"], &user["role"])).collect();
    assert_eq!(roles, [(&json!(anna.id), &json!("MODERATOR")), (&json!(anna.id), &json!("ADMIN"))]);
}

#[sqlx::test(migrations = false)]
async fn roles_are_given_by_admins_and_one_of_them_stays(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let admin = join_as(&platform, "admin", Role::Admin).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    for by in [&moderator, &anna] {
        let refused = set_role(&platform, by, anna.id, "ADMIN").await;
        assert_eq!(detail(&refused), (403, &json!("Only administrators can do this")));
    }
    let last = set_role(&platform, &admin, admin.id, "USER").await;
    assert_eq!(detail(&last), (409, &json!("The last administrator keeps the role")));
    let given = set_role(&platform, &admin, anna.id, "ADMIN").await;
    assert_eq!((given.status.as_u16(), &given.body["role"]), (200, &json!("ADMIN")));

    // Two step down at once: one of them stays.
    let (one, other) =
        tokio::join!(set_role(&platform, &admin, admin.id, "USER"), set_role(&platform, &anna, anna.id, "USER"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);

    let left = if one.status == 409 { &admin } else { &anna };
    assert_eq!(set_role(&platform, left, Uuid::now_v7(), "USER").await.status, 404);
    for body in [json!({}), json!({ "role": "GOD" }), json!({ "role": "USER", "id": 1 })] {
        let path = format!("/admin/users/{}/role", moderator.id);
        assert_eq!(platform.call("PUT", &path, Some(&left.token), Some(body)).await.status, 422);
    }
}

#[sqlx::test(migrations = false)]
async fn a_muted_person_does_not_write_and_keeps_their_account_safe(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let muted = set_status(&platform, &moderator, anna.id, mute()).await;
    assert_eq!(
        (muted.status.as_u16(), &muted.body["status"], &muted.body["status_until"]),
        (200, &json!("MUTED"), &Value::Null)
    );
    let call = async |method: &str, path: &str, body: Option<Value>| {
        platform.call(method, path, Some(&anna.token), body).await
    };
    let profile = json!({ "email": anna.email, "password": PASSWORD, "interests": [] });
    let refusal = (403, &json!("Muted users cannot write"));
    assert_eq!(detail(&call("PATCH", "/users/me", Some(json!({ "bio": "buy this" }))).await), refusal);
    assert_eq!(detail(&call("PUT", &format!("/users/{}", anna.id), Some(profile)).await), refusal);
    assert_eq!(detail(&call("POST", &format!("/users/{}/connect", ben.id), None).await), refusal);
    assert_eq!(call("DELETE", &format!("/users/{}/disconnect", ben.id), None).await.status, 204);
    assert_eq!(call("GET", "/auth/verify-token", None).await.body["status"], "MUTED");
    let new =
        json!({ "current_password": PASSWORD, "new_password": "one tame goose", "confirm_password": "one tame goose" });
    assert_eq!(call("POST", "/auth/change-password", Some(new)).await.status, 200);
    assert_eq!(sign_in(&platform, &anna.email, "one tame goose").await.status, 200, "she may still read");
    let freed = set_status(&platform, &moderator, anna.id, free()).await;
    assert_eq!(freed.body["status"], "INACTIVE", "her address was never verified");
}

#[sqlx::test(migrations = false)]
async fn a_banned_person_is_out_at_once_and_stays_out(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    for (_, token) in mailed(&platform).await {
        platform.call("POST", &format!("/users/activate?activation_token={token}"), None, None).await;
    }
    assert_eq!(set_status(&platform, &moderator, anna.id, ban()).await.body["status"], "BANNED");
    assert_eq!(get(&platform, &anna, "/auth/verify-token").await.status, 401);
    let refused = sign_in(&platform, &anna.email, PASSWORD).await;
    assert_eq!(detail(&refused), (403, &json!("This account is banned")));
    let wrong = sign_in(&platform, &anna.email, "one tame goose").await;
    assert_eq!(detail(&wrong), (404, &json!("Wrong username or password")), "only they hear of it");
    let revoked = platform.published(SESSION_REVOKED).await;
    assert_eq!((&revoked[0]["user_id"], &revoked[0]["reason"]), (&json!(anna.id), &json!("BANNED")));
    let updated = platform.published(USER_UPDATED).await;
    assert_eq!(updated.last().unwrap()["status"], "BANNED");

    assert_eq!(set_status(&platform, &moderator, anna.id, free()).await.body["status"], "ACTIVE");
    assert_eq!(get(&platform, &anna, "/auth/verify-token").await.status, 401, "the session has ended");
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn moderators_decide_about_users_and_admins_about_moderators(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let admin = join_as(&platform, "admin", Role::Admin).await;
    let other = join_as(&platform, "other", Role::Admin).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let second = join_as(&platform, "second", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let cases = [
        (&anna, &ben, 403),
        (&moderator, &second, 403),
        (&moderator, &admin, 403),
        (&moderator, &moderator, 403),
        (&admin, &admin, 403),
        (&admin, &other, 403),
        (&moderator, &ben, 200),
        (&admin, &anna, 200),
        (&admin, &second, 200),
    ];
    for (by, target, expected) in cases {
        let reply = set_status(&platform, by, target.id, ban()).await;
        assert_eq!(reply.status, expected, "{} about {}: {reply:?}", by.email, target.email);
    }
    let refused = set_role(&platform, &admin, anna.id, "MODERATOR").await;
    assert_eq!(detail(&refused), (409, &json!("A muted or banned user has no role")));
    assert_eq!(set_status(&platform, &admin, Uuid::now_v7(), ban()).await.status, 404);
}

#[sqlx::test(migrations = false)]
async fn a_decision_says_why_and_until_when(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    let wrong = [
        (json!({ "status": "MUTED" }), "reason"),
        (json!({ "status": "MUTED", "reason": " " }), "reason"),
        (json!({ "status": "INACTIVE", "reason": "x" }), "status"),
        (json!({ "reason": "x" }), "status"),
        (json!({ "status": "MUTED", "reason": "x", "until": "tomorrow" }), "until"),
        (json!({ "status": "MUTED", "reason": "x", "until": "2020-01-01T00:00:00Z" }), "until"),
        (json!({ "status": "ACTIVE", "reason": "x", "until": "2999-01-01T00:00:00Z" }), "until"),
    ];
    for (body, place) in wrong {
        let refused = set_status(&platform, &moderator, anna.id, body.clone()).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"][1]), (422, &json!(place)), "{body}");
    }
    let until = "2999-01-01T00:00:00+00:00";
    let body = json!({ "status": "MUTED", "reason": "spam", "until": until });
    let muted = set_status(&platform, &moderator, anna.id, body).await;
    assert_eq!(muted.body["status_until"], until);
    set_status(&platform, &moderator, anna.id, free()).await;
    let path = format!("/admin/users/{}/history", anna.id);
    let history = get(&platform, &moderator, &path).await.body;
    assert_eq!(history.as_array().unwrap().len(), 2);
    assert_eq!((&history[0]["status"], &history[0]["reason"]), (&json!("INACTIVE"), &json!("they were sorry")));
    let first = &history[1];
    assert_eq!((&first["status"], &first["until"], &first["role"]), (&json!("MUTED"), &json!(until), &Value::Null));
    assert_eq!((&first["decided_by"], &first["reason"]), (&json!(moderator.id), &json!("spam")));
    assert_eq!(get(&platform, &anna, &path).await.status, 403);
    let nobody = format!("/admin/users/{}/history", Uuid::now_v7());
    assert_eq!(get(&platform, &moderator, &nobody).await.status, 404);
}

#[sqlx::test(migrations = false)]
async fn a_ban_until_a_time_ends_by_itself(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    for person in [&anna, &ben] {
        let body = json!({ "status": "BANNED", "reason": "threats", "until": "2999-01-01T00:00:00Z" });
        assert_eq!(set_status(&platform, &moderator, person.id, body).await.status, 200);
    }
    lift(&platform.app).await.unwrap();
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 403);
    let past =
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("update account set status_until = now() where id = '{}'", anna.id)));
    past.execute(&platform.app.db).await.unwrap();
    lift(&platform.app).await.unwrap();
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 200);
    assert_eq!(sign_in(&platform, &ben.email, PASSWORD).await.status, 403);
    let history = get(&platform, &moderator, &format!("/admin/users/{}/history", anna.id)).await.body;
    let last = (&history[0]["status"], &history[0]["decided_by"], &history[0]["reason"]);
    assert_eq!(last, (&json!("INACTIVE"), &Value::Null, &Value::Null));
}

#[sqlx::test(migrations = false)]
async fn people_are_listed_by_role_and_status_for_those_who_decide(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    set_status(&platform, &moderator, anna.id, mute()).await;
    let list = async |query: &str| ids(&get(&platform, &moderator, &format!("/admin/users{query}")).await);
    assert_eq!(list("").await, [ben.id, anna.id, moderator.id]);
    assert_eq!(list("?status=MUTED").await, [anna.id]);
    assert_eq!(list("?role=MODERATOR").await, [moderator.id]);
    assert_eq!(list("?role=MODERATOR&status=MUTED").await, Vec::<Uuid>::new());
    assert_eq!(list("?limit=1").await, [ben.id]);
    let shown = get(&platform, &moderator, &format!("/admin/users/{}", anna.id)).await;
    assert!(!shown.body.to_string().contains("anna@"), "an address is its owner's: {shown:?}");
    assert_eq!(get(&platform, &moderator, "/admin/users?role=GOD").await.status, 422);
    assert_eq!(get(&platform, &anna, "/admin/users").await.status, 403);
}

#[sqlx::test(migrations = false)]
async fn the_audit_says_who_decided_what_about_whom(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    set_status(&platform, &moderator, anna.id, ban()).await;
    let sql = "select who, action, target, result, address_prefix from audit where action like '%_changed' order by at";
    let rows = sqlx::raw_sql(sql).fetch_all(&platform.app.db).await.unwrap();
    let found: Vec<(Option<Uuid>, String, Option<Uuid>, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
    let expected = [
        (None, "role_changed".to_owned(), Some(moderator.id), "MODERATOR".to_owned()),
        (Some(moderator.id), "status_changed".to_owned(), Some(anna.id), "BANNED".to_owned()),
    ];
    assert_eq!(found, expected);
    assert_eq!(rows[1].get::<Option<String>, _>(4).as_deref(), Some("127.0.0.0/24"));
}

/// What a user sends about themselves never gives them more rights.
#[sqlx::test(migrations = false)]
async fn nobody_gives_themselves_a_role(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = json!({ "email": "anna@example.com", "password": PASSWORD, "interests": [], "role": "ADMIN" });
    assert_eq!(platform.call("POST", "/auth/signup", None, Some(body)).await.status, 422);
    let anna = join(&platform, "anna").await;
    for (name, value) in [("role", "ADMIN"), ("status", "ACTIVE"), ("is_verified", "true"), ("status_until", "null")] {
        let patch = json!({ name: value });
        let refused = platform.call("PATCH", "/users/me", Some(&anna.token), Some(patch)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["type"]), (422, &json!("value_error.extra")));
    }
    assert_eq!(get(&platform, &anna, "/auth/verify-token").await.body["role"], "USER");
}
