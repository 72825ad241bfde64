//! Rules about domains, through their routes; and near-duplicates, by their fingerprints and on events.
use chrono::{TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use super::models::{Place, find_surroundings, save_fingerprints};
use super::similarity::fingerprint;
use super::similarity::tests::LONG;
use super::surroundings::Surroundings;
use crate::SERVICE;
use crate::core::contract::timestamp::Timestamp;
use crate::core::testing::Platform;
use crate::moderations::events::{COMMENT_CREATED, POST_CREATED};

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

/// Stores the fingerprints of texts of an author, that old in seconds.
async fn store(platform: &Platform, author: Uuid, texts: &[(u64, i64)]) {
    let place = |(hash, age): &(u64, i64)| Place {
        content: Uuid::now_v7(),
        author,
        at: Timestamp(Utc::now() - TimeDelta::seconds(*age)),
        fingerprint: Some(hash.cast_signed()),
    };
    let places: Vec<Place> = texts.iter().map(place).collect();
    let mut tx = platform.app.db.begin().await.unwrap();
    save_fingerprints(&mut tx, &places).await.unwrap();
    tx.commit().await.unwrap();
}

/// What is around new texts of an author, in their order.
async fn surroundings(platform: &Platform, author: Uuid, hashes: &[u64]) -> Vec<Surroundings> {
    let place = |hash: &u64| Place {
        content: Uuid::now_v7(),
        author,
        at: Timestamp(Utc::now()),
        fingerprint: Some(hash.cast_signed()),
    };
    let places: Vec<Place> = hashes.iter().map(place).collect();
    let mut tx = platform.app.db.begin().await.unwrap();
    let mut found = find_surroundings(&mut tx, &places, 24.0).await.unwrap();
    places.iter().map(|place| found.remove(&place.content).unwrap()).collect()
}

/// A hash that differs in that many bits, wherever the dice want them.
fn near(hash: u64, distance: u32, dice: &mut StdRng) -> u64 {
    let mut other = hash;
    while (hash ^ other).count_ones() != distance {
        other ^= 1_u64 << dice.random_range(0..64);
    }
    other
}

/// Whichever bits differ, up to three of them are found by an equal quarter; more are none of a near-duplicate, also where a quarter is
/// equal.
#[sqlx::test(migrations = false)]
async fn near_duplicates_are_found_at_every_distance_that_is_promised(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", "off"]).await;
    let (anna, bert) = (Uuid::now_v7(), Uuid::now_v7());
    let mut dice = StdRng::seed_from_u64(7);
    for distance in 0..=8 {
        let asked: Vec<u64> = (0..100).map(|_| dice.random()).collect();
        let stored: Vec<(u64, i64)> = asked.iter().map(|hash| (near(*hash, distance, &mut dice), 60)).collect();
        store(&platform, anna, &stored).await;
        let expected = i64::from(distance <= 3);
        for (hash, found) in asked.iter().zip(surroundings(&platform, bert, &asked).await) {
            let counted = (found.duplicates, found.duplicate_authors);
            assert_eq!(counted, (expected, expected), "{hash:x} at a distance of {distance}");
        }
    }
    // Bits at both ends of each quarter, and all three in one quarter.
    let hash = 0x0f1e_2d3c_4b5a_6978_u64;
    let bits =
        [[0, 15, 16], [31, 32, 47], [48, 49, 63], [0, 1, 2], [16, 17, 31], [61, 62, 63], [1, 17, 33], [15, 31, 63]];
    let copies: Vec<(u64, i64)> =
        bits.iter().map(|bits| (bits.iter().fold(hash, |hash, bit| hash ^ (1_u64 << *bit)), 60)).collect();
    store(&platform, anna, &copies).await;
    assert_eq!(surroundings(&platform, bert, &[hash]).await[0].duplicates, 8);
}

/// Copies are counted over the posts and comments of all authors, each once, within the window, and none that was written later.
#[sqlx::test(migrations = false)]
async fn copies_are_counted_across_posts_and_authors(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", "off"]).await;
    let [anna, bert, cleo] = [(); 3].map(|()| Uuid::now_v7());
    let at = |minute: u32| format!("2026-11-20T12:{minute:02}:00+00:00");
    let write = async |stream: &str, author: Uuid, minute: u32, text: &str| {
        let id = Uuid::now_v7();
        let content = json!({ "id": id, "created_at": at(minute), "created_by": author, "updated_at": at(minute),
            "updated_by": null, "post_id": Uuid::nil(), "title": null, "content": text, "status": "POSTED" });
        platform.consume(stream, &content).await;
        let signals = format!("select signals from analysis where content_id = '{id}'");
        let row = platform.app.db.fetch_one(sqlx::AssertSqlSafe(signals)).await.unwrap();
        let signals: serde_json::Value = row.get("signals");
        (signals["duplicates"].as_i64().unwrap(), signals["duplicate_authors"].as_i64().unwrap())
    };
    assert_eq!(write(POST_CREATED, anna, 0, LONG).await, (0, 0));
    // One bit, two and three away from the first, by others, as comments and as posts.
    let [one, three] = [("Good luck", "Much luck"), ("in red,", "in black,")].map(|(from, to)| LONG.replace(from, to));
    assert_eq!(write(COMMENT_CREATED, bert, 1, &one).await, (1, 1));
    assert_eq!(write(POST_CREATED, cleo, 2, &format!("Dear friend, {LONG}")).await, (2, 2));
    assert_eq!(write(COMMENT_CREATED, anna, 3, LONG).await, (3, 2), "one's own copy is a copy, and no other author");
    assert_eq!(write(POST_CREATED, bert, 4, &three).await, (3, 2), "it is four bits away from his own comment");
    let dog = LONG.replace("for your shopping", "for your dog");
    assert_eq!(
        write(COMMENT_CREATED, cleo, 5, &dog).await,
        (1, 0),
        "five bits away from the first, three from her own"
    );
    // Written before the others, though it arrives after them; and a day later.
    assert_eq!(write(COMMENT_CREATED, cleo, 0, LONG).await, (1, 1));
    let (hash, later) = (fingerprint(LONG).unwrap().cast_unsigned(), Uuid::now_v7());
    store(&platform, later, &[(hash, 25 * 3_600), (hash, -60)]).await;
    assert_eq!(surroundings(&platform, anna, &[hash]).await[0].duplicates, 0, "25 hours before, and a minute after");
}

/// However many texts share a quarter of their fingerprints, the newest 200 of them are read. What lies behind these is found by another
/// quarter, or not at all.
#[sqlx::test(migrations = false)]
async fn a_loud_quarter_costs_no_more_than_a_quiet_one(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", "off"]).await;
    let loud = "insert into fingerprint (content_id, author, at, hash)
        select gen_random_uuid(), gen_random_uuid(), now() - n * interval '1 second',
            (4660::bigint << 48) | (hashtextextended(n::text, 0) & 281474976710655) from generate_series(60, 20060) as n";
    platform.app.db.execute(loud).await.unwrap();
    platform.app.db.execute("analyze fingerprint").await.unwrap();
    let (anna, bert) = (Uuid::now_v7(), Uuid::now_v7());
    let hash = 0x1234_aaaa_bbbb_cccc_u64;
    // Older than all of these: one that is equal in two more quarters, and one that is equal in the loud one alone.
    store(&platform, anna, &[(hash ^ (3 << 32), 36_000), (hash ^ (1 << 32 | 1 << 16 | 1), 36_000)]).await;
    assert_eq!(surroundings(&platform, bert, &[hash]).await[0].duplicates, 1);
    store(&platform, anna, &[(hash ^ (1 << 33 | 1 << 17 | 2), 30)]).await;
    assert_eq!(surroundings(&platform, bert, &[hash]).await[0].duplicates, 2, "it is among the newest of the loud one");

    let mut tx = platform.app.db.begin().await.unwrap();
    let read = "select sum(pg_stat_get_xact_tuples_returned(oid))::bigint from (
            select indexrelid from pg_index where indrelid = 'moderation.fingerprint'::regclass
            union all select 'moderation.fingerprint'::regclass::oid
        ) as relation (oid)";
    let before = tx.fetch_one(read).await.unwrap().get::<i64, _>(0);
    let (content, at) = (Uuid::now_v7(), Timestamp(Utc::now()));
    let place = Place { content, author: bert, at, fingerprint: Some(hash.cast_signed()) };
    find_surroundings(&mut tx, &[place], 24.0).await.unwrap();
    let rows = tx.fetch_one(read).await.unwrap().get::<i64, _>(0) - before;
    assert!((200..=810).contains(&rows), "{rows} rows were read of 20,001");
}
