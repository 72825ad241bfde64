//! Rules about domains, through their routes.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::Platform;

fn staff(role: &str) -> String {
    format!("{}:ACTIVE:{role}", Uuid::now_v7())
}

/// A rule is set, read, replaced and deleted; each change is audited.
#[sqlx::test(migrations = false)]
async fn administrators_set_rules_about_domains(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let admin = staff("ADMIN");
    let call = async |method: &str, path: &str, body| {
        platform.call(method, &format!("/moderation/domains{path}"), Some(&admin), body).await
    };
    let set = call("PUT", "/B%C3%BCcher.example.", Some(json!({ "verdict": "BLOCK", "note": "sells fakes" }))).await;
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!((&set.body["domain"], &set.body["note"]), (&json!("xn--bcher-kva.example"), &json!("sells fakes")));
    call("PUT", "/a.example", Some(json!({ "verdict": "WARN" }))).await;
    call("PUT", "/a.example", Some(json!({ "verdict": "ALLOW" }))).await;
    let all = call("GET", "", None).await.body;
    let named: Vec<_> = all.as_array().unwrap().iter().map(|rule| (&rule["domain"], &rule["verdict"])).collect();
    let (first, second) = ((json!("a.example"), json!("ALLOW")), (json!("xn--bcher-kva.example"), json!("BLOCK")));
    assert_eq!(named, [(&first.0, &first.1), (&second.0, &second.1)]);
    assert_eq!(call("GET", "?after=a.example&limit=1", None).await.body[0]["domain"], second.0);
    assert_eq!(call("GET", "/a.example", None).await.body["verdict"], "ALLOW");
    assert_eq!(call("DELETE", "/a.example", None).await.status, 204);
    assert_eq!(call("DELETE", "/a.example", None).await.status, 404);
    assert_eq!(call("GET", "/a.example", None).await.status, 404);
    let audited = platform.app.db.fetch_all("select action || ' ' || result from audit order by at, id").await.unwrap();
    let audited: Vec<String> = audited.iter().map(|row| row.get(0)).collect();
    let expected = [
        "domain_rule_set xn--bcher-kva.example Block",
        "domain_rule_set a.example Warn",
        "domain_rule_set a.example Allow",
        "domain_rule_deleted a.example",
    ];
    assert_eq!(audited, expected);
}

/// What is no domain, and what is no verdict, is refused with its place.
#[sqlx::test(migrations = false)]
async fn faults_of_a_rule_about_a_domain_are_named(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let admin = staff("ADMIN");
    for domain in ["com", "a_b.example", "-a.example", "a..example", "%20"] {
        let path = format!("/moderation/domains/{domain}");
        let refused = platform.call("PUT", &path, Some(&admin), Some(json!({ "verdict": "BLOCK" }))).await;
        assert_eq!(refused.status, 422, "{domain}: {refused:?}");
        assert_eq!(refused.body["detail"][0]["loc"], json!(["path", "domain"]), "{domain}");
    }
    for (body, place) in [
        (json!({}), "verdict"),
        (json!({ "verdict": "MAYBE" }), "verdict"),
        (json!({ "verdict": null }), "verdict"),
        (json!({ "verdict": "WARN", "more": 1 }), "more"),
        (json!({ "verdict": "WARN", "note": "x".repeat(501) }), "note"),
    ] {
        let refused = platform.call("PUT", "/moderation/domains/a.example", Some(&admin), Some(body.clone())).await;
        assert_eq!(refused.status, 422, "{body}: {refused:?}");
        let places: Vec<_> = refused.body["detail"].as_array().unwrap().iter().map(|fault| &fault["loc"][1]).collect();
        assert_eq!(places, [&json!(place)], "{body}");
    }
}

/// Fingerprints from before the window go, with a job.
#[sqlx::test(migrations = false)]
async fn old_fingerprints_are_deleted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let fill = "insert into fingerprint (content_id, author, at, hash)
        select gen_random_uuid(), gen_random_uuid(), now() - hours * interval '1 hour', -1 from unnest(array[1, 23, 25, 99]) as hours";
    platform.app.db.execute(fill).await.unwrap();
    let bands = "select band0, band1, band2, band3 from fingerprint limit 1";
    let bands = platform.app.db.fetch_one(bands).await.unwrap();
    assert_eq!((0..4).map(|band| bands.get::<i32, _>(band)).collect::<Vec<_>>(), [65535; 4]);
    assert_eq!(super::models::delete_old_fingerprints(&platform.app.db, 24.0).await.unwrap(), 2);
    assert_eq!(super::models::delete_old_fingerprints(&platform.app.db, 24.0).await.unwrap(), 0);
}
