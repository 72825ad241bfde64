//! Profiles, through their routes: who sees what of another user.
use axum::http::header;
use chrono::{Datelike, Utc};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::USER_UPDATED;
use crate::core::testing::{Platform, Reply};
use crate::testing::{Person, detail, hash, ids, join, start};

async fn edit(platform: &Platform, person: &Person, body: Value) -> Reply {
    platform.call("PATCH", "/users/me", Some(&person.token), Some(body)).await
}

async fn see(platform: &Platform, viewer: &Person, path: &str) -> Reply {
    platform.call("GET", path, Some(&viewer.token), None).await
}

/// What is wrong with an update, field by field.
async fn faults(platform: &Platform, person: &Person, body: Value) -> Vec<(String, String)> {
    let reply = edit(platform, person, body).await;
    assert_eq!(reply.status, 422, "{reply:?}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    reply.body["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (text(&fault["loc"][1]), text(&fault["type"])))
        .collect()
}

#[sqlx::test(migrations = false)]
async fn people_are_listed_newest_first_and_page_by_page(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    let all = see(&platform, &anna, "/users").await;
    assert_eq!(ids(&all), [carla.id, ben.id, anna.id]);
    assert!(all.headers.get(header::LINK).is_none());
    let first = see(&platform, &anna, "/users?limit=2").await;
    assert_eq!(ids(&first), [carla.id, ben.id]);
    let link = first.headers[header::LINK].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(ids(&see(&platform, &anna, next).await), [anna.id]);
    assert_eq!(see(&platform, &anna, "/users?limit=201").await.status, 422);
    assert_eq!(platform.call("GET", "/users", None, None).await.status, 401);
}

#[sqlx::test(migrations = false)]
async fn a_person_is_read_by_id_in_all_its_spellings(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let own = see(&platform, &anna, &format!("/users/{}", anna.id)).await;
    let names: Vec<_> = own.body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "id created_at created_by updated_at updated_by email first_name last_name is_verified date_joined \
        rating status interests role username bio location avatar_url total_connections \
        total_followers age following followed_by blocked";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(own.body["email"], "anna@example.com");
    let mut foreign = own.body;
    foreign["email"] = json!("");
    for path in [anna.id.to_string(), anna.id.simple().to_string().to_uppercase(), format!("urn:uuid:{}", anna.id)] {
        assert_eq!(see(&platform, &ben, &format!("/users/{path}")).await.body, foreign, "{path}");
    }
    let unknown = see(&platform, &ben, &format!("/users/{}", Uuid::now_v7())).await;
    assert_eq!(detail(&unknown), (404, &json!("User not found")));
    assert_eq!(see(&platform, &ben, "/users/17").await.status, 422);
}

#[sqlx::test(migrations = false)]
async fn nobody_but_its_owner_sees_an_address(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    edit(&platform, &anna, json!({ "username": "anna" })).await;
    platform.call("POST", &format!("/users/{}/connect", anna.id), Some(&ben.token), None).await;
    for path in [
        format!("/users/{}", anna.id),
        "/users/by-username/anna".into(),
        "/users".into(),
        "/users/me/connections".into(),
    ] {
        let reply = see(&platform, &ben, &path).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let text = reply.body.to_string();
        assert!(text.contains(&anna.id.to_string()) && !text.contains("anna@example.com"), "{path}: {text}");
    }
    let both = json!({ "ids": [anna.id, ben.id] });
    let found = platform.call("POST", "/users/lookup", Some(&ben.token), Some(both)).await;
    assert_eq!((&found.body[0]["email"], &found.body[1]["email"]), (&json!(""), &json!("ben@example.com")));
    assert_eq!(see(&platform, &ben, "/users/me").await.body["email"], "ben@example.com");
    assert_eq!(see(&platform, &ben, "/auth/verify-token").await.body["email"], "ben@example.com");
}

#[sqlx::test(migrations = false)]
async fn an_update_changes_what_is_given_and_null_clears_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let body = json!({ "username": "Anna.B", "first_name": "Anna", "last_name": "Berg", "bio": "Two\r\nlines",
        "location": "Oslo", "avatar_url": "https://example.com/anna.png", "birth_date": "1990-02-28",
        "interests": ["NEWS"], "show_age": false });
    let edited = edit(&platform, &anna, body.clone()).await;
    assert_eq!(edited.status, 200, "{edited:?}");
    let mut expected = body;
    expected["bio"] = json!("Two\nlines");
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&edited.body[name], value, "{name}");
    }
    assert_eq!(see(&platform, &anna, "/users/me").await.body, edited.body);
    assert_eq!((&edited.body["email"], &edited.body["updated_by"]), (&json!(anna.email), &json!(anna.id)));

    let cleared = edit(&platform, &anna, json!({ "bio": null, "last_name": null, "birth_date": null })).await.body;
    for (name, value) in [
        ("bio", json!(null)),
        ("last_name", json!(null)),
        ("birth_date", json!(null)),
        ("username", json!("Anna.B")),
        ("first_name", json!("Anna")),
        ("location", json!("Oslo")),
        ("interests", json!(["NEWS"])),
    ] {
        assert_eq!(cleared[name], value, "{name}");
    }
    assert_eq!(edit(&platform, &anna, json!({ "username": null })).await.body["username"], Value::Null);

    let held = hash(&platform, anna.id).await;
    assert_eq!((held["first_name"].as_str(), held["last_name"].as_str()), ("Anna", "null"));
    let told = platform.published(USER_UPDATED).await;
    assert_eq!(told.len(), 3);
    let names: Vec<_> = told[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        (&names[..2], &names[13..]),
        (&["id", "created_at"][..], &["role", "username", "avatar_url", "bio"][..])
    );
    assert_eq!((&told[0]["email"], &told[0]["username"]), (&json!(anna.email), &json!("Anna.B")));
    assert_eq!((&told[1]["last_name"], &told[2]["username"]), (&Value::Null, &Value::Null));
}

#[sqlx::test(migrations = false)]
async fn an_update_takes_nothing_that_is_not_the_persons_to_say(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let before = see(&platform, &anna, "/users/me").await.body;
    let greedy = json!({ "bio": "x", "status": "ACTIVE", "rating": 5, "id": Uuid::now_v7(), "is_verified": true,
        "email": "x@example.com", "password_hash": "x", "total_connections": 9, "username_skeleton": "x" });
    let kinds = faults(&platform, &anna, greedy).await;
    let expected =
        ["email", "id", "is_verified", "password_hash", "rating", "status", "total_connections", "username_skeleton"];
    assert_eq!(kinds, expected.map(|name| (name.to_owned(), "value_error.extra".to_owned())));
    let year = Utc::now().year();
    for (name, value, kind) in [
        ("username", json!("a"), "value_error.username"),
        ("username", json!("admin"), "value_error.username"),
        ("username", json!("anna@example.com"), "value_error.username"),
        ("username", json!("x".repeat(31)), "value_error.any_str.max_length"),
        ("username", json!(["anna"]), "type_error.str"),
        ("first_name", json!("x".repeat(101)), "value_error.any_str.max_length"),
        ("bio", json!("x".repeat(501)), "value_error.any_str.max_length"),
        ("bio", json!("a\u{0}b"), "value_error.any_str.control_character"),
        ("location", json!("x".repeat(101)), "value_error.any_str.max_length"),
        ("birth_date", json!("1990-02-30"), "value_error.date"),
        ("birth_date", json!(format!("{}-01-01", year - 12)), "value_error.date.age"),
        ("birth_date", json!(format!("{}-01-01", year - 124)), "value_error.date.age"),
        ("birth_date", json!(format!("{}-01-01", year + 1)), "value_error.date.age"),
        ("show_age", json!(null), "type_error.none.not_allowed"),
        ("show_age", json!("perhaps"), "type_error.bool"),
        ("avatar_url", json!("javascript:alert(1)"), "value_error.url"),
        ("avatar_url", json!(format!("https://example.com/{}", "x".repeat(2048))), "value_error.any_str.max_length"),
        ("interests", json!(null), "type_error.none.not_allowed"),
        ("interests", json!("NEWS"), "type_error.list"),
    ] {
        assert_eq!(faults(&platform, &anna, json!({ name: value })).await, [(name.to_owned(), kind.to_owned())]);
    }
    let unknown = edit(&platform, &anna, json!({ "interests": ["KNITTING"] })).await;
    assert_eq!(detail(&unknown), (400, &json!("Should be from valid interest choices")));
    assert_eq!(see(&platform, &anna, "/users/me").await.body, before);
    assert!(platform.published(USER_UPDATED).await.is_empty());
}

/// A name without ink hides its person, and an override makes them look like another one.
#[sqlx::test(migrations = false)]
async fn a_name_can_be_seen_and_disorders_no_page(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    for (name, value, kind) in [
        ("first_name", "\u{200b}\u{200b}", "value_error.any_str.invisible"),
        ("last_name", "\u{3164}", "value_error.any_str.invisible"),
        ("first_name", "   ", "value_error.any_str.invisible"),
        ("first_name", "\u{202e}anna", "value_error.any_str.direction"),
        ("last_name", "anna\u{2066}", "value_error.any_str.direction"),
        ("first_name", "an\u{200d}na", "value_error.any_str.joiner"),
        ("bio", "\u{202e}gnp.exe", "value_error.any_str.direction"),
        ("location", "Oslo\u{2067}", "value_error.any_str.direction"),
    ] {
        let found = faults(&platform, &anna, json!({ name: value })).await;
        assert_eq!(found, [(name.to_owned(), kind.to_owned())], "{value:?}");
        if name.ends_with("name") {
            let body =
                json!({ "email": "new@example.com", "password": "seven wild geese", "interests": [], name: value });
            let refused = platform.call("POST", "/auth/signup", None, Some(body.clone())).await;
            assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["type"]), (422, &json!(kind)));
            let put = platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await;
            assert_eq!((put.status.as_u16(), &put.body["detail"][0]["loc"][1]), (422, &json!(name)));
        }
    }
    for good in ["🏳️\u{200d}⚧️ Robin", "می\u{200c}خواهم", "O'Neill-Ång", "Ngũgĩ wa Thiong'o", "\u{2068}דנה\u{2069}", ""]
    {
        assert_eq!(edit(&platform, &anna, json!({ "first_name": good })).await.body["first_name"], good);
    }
    let parts = json!({ "first_name": "Zoe\u{308}", "last_name": "e\u{301}".repeat(100), "bio": "a\u{308}" });
    let stored = edit(&platform, &anna, parts).await.body;
    assert_eq!(stored["first_name"], "Zo\u{eb}");
    assert_eq!(stored["last_name"], "\u{e9}".repeat(100), "the length is that of what is stored");
    assert_eq!(stored["bio"], "\u{e4}");
}

#[sqlx::test(migrations = false)]
async fn an_avatar_is_read_as_browsers_read_its_address(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let set = async |url: &str| edit(&platform, &anna, json!({ "avatar_url": url })).await;
    let taken = set("HTTPS://b\u{fc}cher.example/\u{e9}.png").await;
    assert_eq!(taken.body["avatar_url"], "https://xn--bcher-kva.example/%C3%A9.png");
    let long = set(&format!("https://example.com/{}", "\u{e9}".repeat(400))).await;
    assert_eq!(
        (long.status.as_u16(), &long.body["detail"][0]["type"]),
        (422, &json!("value_error.any_str.max_length"))
    );
    assert_eq!(set("https:/example.com").await.status, 422);
    assert_eq!(edit(&platform, &anna, json!({ "avatar_url": null })).await.body["avatar_url"], Value::Null);
}

#[sqlx::test(migrations = false)]
async fn a_username_is_one_persons_and_so_is_all_that_looks_like_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    edit(&platform, &anna, json!({ "username": "Emil.10" })).await;
    for alike in ["emil.10", "EMIL_10", "ernil1o", "emillo"] {
        let refused = edit(&platform, &ben, json!({ "username": alike })).await;
        assert_eq!(detail(&refused), (400, &json!("User with this username already exists")), "{alike}");
    }
    assert_eq!(edit(&platform, &anna, json!({ "username": "emil10" })).await.body["username"], "emil10");
    for spelling in ["emil10", "EMIL10"] {
        let found = see(&platform, &ben, &format!("/users/by-username/{spelling}")).await;
        assert_eq!((found.status.as_u16(), &found.body["id"]), (200, &json!(anna.id)));
    }
    // A look-up needs the name itself, not one that looks like it.
    for nobody in ["Emil.10", "ernil10", "admin", "%00", "%FF", "a%2Fb"] {
        let found = see(&platform, &ben, &format!("/users/by-username/{nobody}")).await;
        assert_eq!(detail(&found), (404, &json!("User not found")), "{nobody}");
    }
    edit(&platform, &anna, json!({ "username": null })).await;
    assert_eq!(edit(&platform, &ben, json!({ "username": "emil10" })).await.status, 200, "it is free again");
}

#[sqlx::test(migrations = false)]
async fn of_two_who_want_one_username_at_once_one_gets_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let want = |person| edit(&platform, person, json!({ "username": "wanted" }));
    let (one, other) = tokio::join!(want(&anna), want(&ben));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[sqlx::test(migrations = false)]
async fn an_age_is_shown_to_others_only_when_asked_for(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let birth = format!("{}-01-01", Utc::now().year() - 30);
    edit(&platform, &anna, json!({ "birth_date": birth })).await;
    let path = format!("/users/{}", anna.id);
    let hidden = see(&platform, &ben, &path).await.body;
    assert_eq!((&hidden["age"], hidden.get("birth_date")), (&Value::Null, None));
    edit(&platform, &anna, json!({ "show_age": true })).await;
    let shown = see(&platform, &ben, &path).await.body;
    assert_eq!((&shown["age"], shown.get("birth_date")), (&json!(30), None));
    assert!(!shown.to_string().contains(&birth));
    let own = see(&platform, &anna, "/users/me").await.body;
    assert_eq!((&own["birth_date"], &own["show_age"]), (&json!(birth), &json!(true)));
}

#[sqlx::test(migrations = false)]
async fn people_are_looked_up_in_the_order_asked_for(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    for (person, target) in [(&anna, &ben), (&carla, &anna)] {
        platform.call("POST", &format!("/users/{}/connect", target.id), Some(&person.token), None).await;
    }
    let look = async |list: Value| platform.call("POST", "/users/lookup", Some(&anna.token), Some(list)).await;
    let found = look(json!({ "ids": [carla.id, Uuid::now_v7(), ben.id] })).await;
    assert_eq!(ids(&found), [carla.id, ben.id]);
    let relation = |n: usize| (found.body[n]["following"].clone(), found.body[n]["followed_by"].clone());
    assert_eq!((relation(0), relation(1)), ((json!(false), json!(true)), (json!(true), json!(false))));
    assert_eq!(look(json!({ "ids": [] })).await.body, json!([]));
    assert_eq!(
        look(json!({ "ids": vec![Uuid::nil(); 101] })).await.body["detail"][0]["type"],
        "value_error.list.max_items"
    );
    assert_eq!(look(json!({ "ids": [17] })).await.body["detail"][0]["type"], "type_error.uuid");
    assert_eq!(platform.call("POST", "/users/lookup", None, Some(json!({ "ids": [] }))).await.status, 401);
}
