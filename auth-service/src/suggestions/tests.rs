//! Suggestions, through their routes: who, in which order, and why.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::models::load_candidates;
use crate::connections::tests::connect;
use crate::core::testing::{Platform, Reply};
use crate::testing::{Person, detail, ids, join, start};

/// Anna's connections are Ben and Carla. Ben is connected to three: Anna, Dora, Emil; Carla to two: Dora and Frida. So Dora
/// gets 1/3 + 1/2, Frida 1/2 and Emil 1/3. Nobody knows Gustav, who came last.
async fn small_world(platform: &Platform) -> Vec<Person> {
    let names = ["anna", "ben", "carla", "dora", "emil", "frida", "gustav"];
    let mut people = Vec::new();
    for name in names {
        people.push(join(platform, name).await);
    }
    for (one, other) in [(0, 1), (0, 2), (1, 0), (1, 3), (1, 4), (2, 3), (2, 5)] {
        assert_eq!(connect(platform, &people[one], people[other].id).await.status, 200);
    }
    people
}

async fn suggested(platform: &Platform, person: &Person) -> Reply {
    platform.call("GET", "/users/suggestions", Some(&person.token), None).await
}

async fn dismiss(platform: &Platform, person: &Person, id: Uuid) -> Reply {
    platform.call("DELETE", &format!("/users/suggestions/{id}"), Some(&person.token), None).await
}

fn reasons(list: &Reply) -> Vec<(&str, i64)> {
    let items = list.body.as_array().unwrap().iter();
    items.map(|item| (item["reason"].as_str().unwrap(), item["mutual_connections"].as_i64().unwrap())).collect()
}

#[sqlx::test(migrations = false)]
async fn each_common_connection_gives_one_divided_by_its_degree(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let people = small_world(&platform).await;
    let [anna, _, _, dora, emil, frida, gustav] = &people[..] else { panic!("seven") };
    let mut found = load_candidates(&platform.app.db, anna.id).await.unwrap();
    found.sort_by(|one, other| other.resource.total_cmp(&one.resource));
    let expected = [(dora.id, 1.0 / 3.0 + 1.0 / 2.0, 2), (frida.id, 1.0 / 2.0, 1), (emil.id, 1.0 / 3.0, 1)];
    assert_eq!(found.len(), expected.len());
    for (candidate, (id, resource, common)) in found.iter().zip(expected) {
        assert_eq!((candidate.id, candidate.common), (id, common));
        assert!((candidate.resource - resource).abs() < 1e-12, "{candidate:?}");
    }
    let list = suggested(&platform, anna).await;
    assert_eq!(ids(&list), [dora.id, frida.id, emil.id, gustav.id]);
    let why = [("2 mutual connections", 2), ("1 mutual connection", 1), ("1 mutual connection", 1), ("New here", 0)];
    assert_eq!(reasons(&list), why);
    assert_eq!((&list.body[0]["email"], &list.body[0]["following"]), (&json!(""), &json!(false)));
    let short = platform.call("GET", "/users/suggestions?limit=2", Some(&anna.token), None).await;
    assert_eq!(ids(&short), [dora.id, frida.id]);
    assert_eq!(platform.call("GET", "/users/suggestions?limit=0", Some(&anna.token), None).await.status, 422);
    assert_eq!(platform.call("GET", "/users/suggestions", None, None).await.status, 401);
}

#[sqlx::test(migrations = false)]
async fn interests_decide_between_equals_and_are_a_reason(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let people = small_world(&platform).await;
    let [anna, ben, _, _, emil, _, gustav] = &people[..] else { panic!("seven") };
    let helga = join(&platform, "helga").await;
    connect(&platform, ben, helga.id).await;
    for person in [anna, &helga, gustav] {
        let interests = json!({ "interests": ["NEWS", "FOOD"] });
        platform.call("PATCH", "/users/me", Some(&person.token), Some(interests)).await;
    }
    let list = suggested(&platform, anna).await;
    let order = ids(&list);
    assert_eq!(&order[2..], [helga.id, emil.id, gustav.id], "Helga has Emil's 1/4 and what she shares");
    assert_eq!(
        &reasons(&list)[2..],
        [("1 mutual connection", 1), ("1 mutual connection", 1), ("2 shared interests", 0)]
    );
    let shared: Vec<&Value> = list.body.as_array().unwrap().iter().map(|item| &item["shared_interests"]).collect();
    assert_eq!(shared[2..], [&json!(["FOOD", "NEWS"]), &json!([]), &json!(["FOOD", "NEWS"])]);
}

#[sqlx::test(migrations = false)]
async fn whom_one_has_dismissed_never_comes_back(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let people = small_world(&platform).await;
    let [anna, ben, _, dora, emil, frida, gustav] = &people[..] else { panic!("seven") };
    for id in [dora.id, gustav.id, dora.id] {
        let gone = dismiss(&platform, anna, id).await;
        assert_eq!((gone.status.as_u16(), gone.body), (204, Value::Null));
    }
    assert_eq!(ids(&suggested(&platform, anna).await), [frida.id, emil.id]);
    connect(&platform, ben, gustav.id).await;
    assert_eq!(ids(&suggested(&platform, anna).await), [frida.id, emil.id], "not for another reason either");
    assert!(ids(&suggested(&platform, ben).await).contains(&frida.id), "it is Anna's own affair");
    assert_eq!(detail(&dismiss(&platform, anna, Uuid::now_v7()).await), (404, &json!("User not found")));
    assert_eq!(dismiss(&platform, anna, Uuid::nil()).await.status, 404);
    let path = format!("/users/suggestions/{}", dora.id);
    assert_eq!(platform.call("DELETE", &path, None, None).await.status, 401);
    assert_eq!(platform.call("DELETE", "/users/suggestions/x", Some(&anna.token), None).await.status, 422);
    let left = platform.call("DELETE", &format!("/users/{}", dora.id), Some(&dora.token), None).await;
    assert_eq!(left.status, 204, "who is dismissed can leave");
}

#[sqlx::test(migrations = false)]
async fn nobody_is_suggested_who_is_connected_blocked_or_banned(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let people = small_world(&platform).await;
    let [anna, _, _, dora, emil, frida, gustav] = &people[..] else { panic!("seven") };
    let helga = join(&platform, "helga").await;
    connect(&platform, anna, dora.id).await;
    for (one, other) in [(anna, emil), (gustav, anna)] {
        let path = format!("/users/{}/block", other.id);
        assert_eq!(platform.call("POST", &path, Some(&one.token), None).await.status, 204);
    }
    sqlx::query!("update account set status = 'BANNED' where id = any($1)", &[frida.id, helga.id])
        .execute(&platform.app.db)
        .await
        .unwrap();
    assert!(ids(&suggested(&platform, anna).await).is_empty());
}

#[sqlx::test(migrations = false)]
async fn whoever_is_new_meets_the_newest(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let carla = join(&platform, "carla").await;
    let newcomer = join(&platform, "dora").await;
    let list = suggested(&platform, &newcomer).await;
    assert_eq!(ids(&list), [carla.id, ben.id, anna.id]);
    assert_eq!(reasons(&list), [("New here", 0); 3]);
}
