//! Search, through its route: who is found by what, and in which order.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::connections::tests::connect;
use crate::core::testing::{Platform, Reply};
use crate::testing::{PASSWORD, Person, ids, join, sign_in, start};

async fn search(platform: &Platform, viewer: &Person, query: &str) -> Reply {
    platform.call("GET", &format!("/users/search?{query}"), Some(&viewer.token), None).await
}

/// A user with a name.
async fn person(platform: &Platform, username: Option<&str>, first: &str, last: &str) -> Person {
    let person = join(platform, &Uuid::now_v7().simple().to_string()).await;
    let body = json!({ "username": username, "first_name": first, "last_name": last });
    assert_eq!(platform.call("PATCH", "/users/me", Some(&person.token), Some(body)).await.status, 200);
    person
}

#[sqlx::test(migrations = false)]
async fn a_username_comes_before_its_beginning_and_that_before_a_name(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let viewer = person(&platform, None, "Viewer", "Wide").await;
    let named = person(&platform, None, "Carla", "Nord").await;
    let exact = person(&platform, Some("Carl"), "X", "Y").await;
    let longer = person(&platform, Some("carlos7"), "X", "Y").await;
    let last = person(&platform, None, "Ole", "Carlsen").await;
    let nearly = person(&platform, None, "Karl", "Marcarl").await;
    connect(&platform, &viewer, last.id).await;
    let found = ids(&search(&platform, &viewer, "q=cArL").await);
    let expected = [exact.id, longer.id, last.id, named.id, nearly.id];
    assert_eq!(found, expected, "of two names the one with more followers, and last what is only similar");
    assert_eq!(ids(&search(&platform, &viewer, "q=%40carl&limit=2").await), [exact.id, longer.id]);
    assert_eq!(ids(&search(&platform, &viewer, "q=carla+n&limit=1").await), [named.id]);
    assert_eq!(ids(&search(&platform, &viewer, "q=marcarl&limit=1").await), [nearly.id]);
}

#[sqlx::test(migrations = false)]
async fn a_name_is_found_in_spite_of_a_slip(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let viewer = person(&platform, None, "Viewer", "Wide").await;
    let carolina = person(&platform, Some("carolina.b"), "Carolina", "Berg").await;
    let asta = person(&platform, None, "Åsta", "Østby").await;
    for slip in ["carolna", "carollina", "CAROLENA", "bergg"] {
        assert_eq!(ids(&search(&platform, &viewer, &format!("q={slip}")).await), [carolina.id], "{slip}");
    }
    assert_eq!(ids(&search(&platform, &viewer, "q=%C3%A5s").await), [asta.id], "letters beyond ASCII have cases, too");
    assert_eq!(ids(&search(&platform, &viewer, "q=%C3%98STBY").await), [asta.id]);
    for strange in ["zzzzzz", "%25", "%25%25", "__", "c%25", "_a", "%5C%5C", "%27%22"] {
        let found = search(&platform, &viewer, &format!("q={strange}")).await;
        assert!(found.status == 422 || ids(&found).is_empty(), "{strange}: {found:?}");
    }
}

/// People are looked for by the very name that they gave, and by the same as others type it.
#[sqlx::test(migrations = false)]
async fn people_are_found_by_how_they_write_themselves(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let viewer = person(&platform, None, "Viewer", "Wide").await;
    for (first, last, questions) in [
        ("İsa", "Kaya", &["İsa", "isa", "ısa", "ISA", "isa kaya", "Kaya İsa"][..]),
        ("Zoe\u{308}", "Müller", &["Zoë", "Zoe\u{308}", "zoe", "MULLER", "müller zoë"]),
        ("Ὀδυσσεύς", "Παπαδόπουλος", &["Οδυσσεύς", "ΟΔΥΣΣΕΥΣ", "οδυσσευσ", "παπαδοπουλος"]),
        ("Karl", "Groß", &["gross", "GROSS", "groß"]),
        ("伟", "王", &["王伟", "王 伟", "伟王", "王", "伟"]),
        ("雨欣", "欧阳", &["欧阳雨欣", "欧阳", "雨欣", "欣", "欧阳 雨欣"]),
        ("민수", "김", &["김민수", "김", "민수", "\u{1100}\u{1175}\u{11b7}민수"]),
        ("さくら", "田中", &["田中さくら", "田中", "さくら", "桜田中さくら"]),
        ("Wei", "Zhang", &["Zhang Wei", "Wei Zhang", "zhangwei", "zhang"]),
        ("Ngũgĩ wa", "Thiong'o", &["thiongo", "Thiong’o", "wa thiongo ngugi", "ngugi"]),
        ("Jean-Luc", "Picard", &["jean luc", "jeanluc", "Luc Picard", "picard"]),
        ("Анна", "Ковалёва", &["анна ковалева", "КОВАЛЁВА"]),
        ("可", "می\u{200c}خواهم", &["میخواهم"]),
    ] {
        let who = person(&platform, None, first, last).await;
        for question in questions {
            let query = serde_urlencoded::to_string([("q", question)]).unwrap();
            let found = ids(&search(&platform, &viewer, &query).await);
            assert_eq!(
                found.contains(&who.id),
                *question != "桜田中さくら",
                "{question:?} for {first} {last}: {found:?}"
            );
        }
    }
}

#[sqlx::test(migrations = false)]
async fn a_name_is_found_from_the_moment_it_was_given_and_not_after_it_was_dropped(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let viewer = join(&platform, "viewer").await;
    let body = json!({ "email": "x@example.com", "password": PASSWORD, "interests": [], "first_name": "Ærø" });
    let anna = platform.call("POST", "/auth/signup", None, Some(body.clone())).await.body["id"].clone();
    let found = async |query: &str| search(&platform, &viewer, query).await.body;
    assert_eq!(found("q=aero").await[0]["id"], anna);
    let token = sign_in(&platform, "x@example.com", PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    let mut put = body;
    put["first_name"] = json!("Bjørn");
    let path = format!("/users/{}", anna.as_str().unwrap());
    assert_eq!(platform.call("PUT", &path, Some(&token), Some(put)).await.status, 200);
    assert_eq!((found("q=aero").await, found("q=bjorn").await[0]["id"].clone()), (json!([]), anna));
}

#[sqlx::test(migrations = false)]
async fn who_is_blocked_or_banned_is_not_found(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let viewer = person(&platform, None, "Viewer", "Wide").await;
    let [shown, blocked, blocker, banned] = [
        person(&platform, None, "Carla", "One").await,
        person(&platform, None, "Carla", "Two").await,
        person(&platform, None, "Carla", "Three").await,
        person(&platform, None, "Carla", "Four").await,
    ];
    for (one, other) in [(&viewer, &blocked), (&blocker, &viewer)] {
        platform.call("POST", &format!("/users/{}/block", other.id), Some(&one.token), None).await;
    }
    sqlx::query!("update account set status = 'BANNED' where id = $1", banned.id)
        .execute(&platform.app.db)
        .await
        .unwrap();
    for text in ["carla", "carlla"] {
        let found = search(&platform, &viewer, &format!("q={text}")).await;
        assert_eq!(ids(&found), [shown.id], "{text}");
        assert_eq!(found.body[0]["email"], "");
    }
}

#[sqlx::test(migrations = false)]
async fn what_is_looked_for_has_a_length_and_no_control_characters(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let fault = async |query: &str| {
        let refused = search(&platform, &anna, query).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let fault: &Value = &refused.body["detail"][0];
        (fault["loc"].clone(), fault["type"].as_str().unwrap().to_owned())
    };
    let long = format!("q={}", "x".repeat(51));
    for (query, kind) in [
        ("", "value_error.missing"),
        ("q=", "value_error.any_str.min_length"),
        ("q=+a+", "value_error.any_str.min_length"),
        ("q=%40a", "value_error.any_str.min_length"),
        ("q=%E2%80%8B%E2%81%A0", "value_error.any_str.min_length"),
        ("q=a%CC%81", "value_error.any_str.min_length"),
        ("q=a%00b", "value_error.any_str.control_character"),
        (long.as_str(), "value_error.any_str.max_length"),
    ] {
        assert_eq!(fault(query).await, (json!(["query", "q"]), kind.to_owned()), "{query}");
    }
    assert_eq!(fault("q=anna&limit=201").await.0, json!(["query", "limit"]));
    assert_eq!(platform.call("GET", "/users/search?q=anna", None, None).await.status, 401);
}
