//! Preferences, through their routes.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SERVICE;
use crate::core::testing::{Platform, Reply, new_user};

const PATH: &str = "/me/notification-preferences";

async fn patch(platform: &Platform, token: &str, changes: Value) -> Reply {
    platform.call("PATCH", PATH, Some(token), Some(changes)).await
}

#[sqlx::test(migrations = false)]
async fn a_user_who_chose_nothing_has_the_defaults(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let reply = platform.call("GET", PATH, Some(&anna), None).await;
    let type_of = |mail: &str, push: bool| json!({ "in_app": true, "mail": mail, "push": push });
    let expected = json!({
        "types": {
            "POST_REACTION_RECEIVED": type_of("DIGEST", false),
            "POST_COMMENT_RECEIVED": type_of("DIGEST", true),
            "CONNECTION_RECOMMENDATION": type_of("NEVER", false),
            "POST_RECOMMENDATION": type_of("NEVER", false),
            "SYSTEM_MESSAGE": type_of("AT_ONCE", true),
            "PROFILE_ACTIVITY": type_of("NEVER", false),
            "USER_CONNECTED": type_of("DIGEST", true),
            "USER_MENTIONED": type_of("DIGEST", true),
            "COMMENT_REPLY": type_of("DIGEST", true),
            "COMMENT_REACTION_RECEIVED": type_of("DIGEST", false),
        },
        "time_zone": "UTC",
        "digest_hour": 8,
        "quiet_hours": null,
    });
    assert_eq!((reply.status.as_u16(), reply.body), (200, expected));
}

#[sqlx::test(migrations = false)]
async fn what_is_given_changes_and_the_rest_stays(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let bertram = platform.call("GET", PATH, Some(&bert), None).await.body;
    let first = json!({ "types": { "USER_CONNECTED": { "mail": "AT_ONCE" } }, "time_zone": "Asia/Kathmandu",
        "quiet_hours": { "from": "22:00", "to": "07:30" } });
    assert_eq!(patch(&platform, &anna, first).await.status, 200);
    let second = json!({ "types": { "USER_CONNECTED": { "push": false } }, "digest_hour": 0 });
    let changed = patch(&platform, &anna, second).await.body;
    assert_eq!(changed["types"]["USER_CONNECTED"], json!({ "in_app": true, "mail": "AT_ONCE", "push": false }));
    assert_eq!(changed["types"]["USER_MENTIONED"], json!({ "in_app": true, "mail": "DIGEST", "push": true }));
    assert_eq!((&changed["time_zone"], &changed["digest_hour"]), (&json!("Asia/Kathmandu"), &json!(0)));
    assert_eq!(changed["quiet_hours"], json!({ "from": "22:00", "to": "07:30" }));
    assert_eq!(platform.call("GET", PATH, Some(&anna), None).await.body, changed);
    assert_eq!(patch(&platform, &anna, json!({ "quiet_hours": null })).await.body["quiet_hours"], json!(null));
    assert_eq!(platform.call("GET", PATH, Some(&bert), None).await.body, bertram, "they are hers alone");
}

#[sqlx::test(migrations = false)]
async fn whatever_is_wrong_is_refused_with_its_place(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let before = platform.call("GET", PATH, Some(&anna), None).await.body;
    for (changes, places) in [
        (json!({ "types": { "USER_POKED": {} } }), vec![json!(["body", "types", "USER_POKED"])]),
        (json!({ "types": { "USER_CONNECTED": null } }), vec![json!(["body", "types", "USER_CONNECTED"])]),
        (
            json!({ "types": { "USER_CONNECTED": { "mail": "at_once", "push": "yes", "in_app": null, "fax": true } } }),
            ["mail", "push", "in_app", "fax"].map(|name| json!(["body", "types", "USER_CONNECTED", name])).into(),
        ),
        (json!({ "types": [] }), vec![json!(["body", "types"])]),
        (json!({ "types": null }), vec![json!(["body", "types"])]),
        (json!({ "time_zone": "Europe/Nowhere" }), vec![json!(["body", "time_zone"])]),
        (json!({ "time_zone": null }), vec![json!(["body", "time_zone"])]),
        (json!({ "time_zone": 1 }), vec![json!(["body", "time_zone"])]),
        (json!({ "digest_hour": 24 }), vec![json!(["body", "digest_hour"])]),
        (json!({ "digest_hour": -1 }), vec![json!(["body", "digest_hour"])]),
        (json!({ "digest_hour": 7.5 }), vec![json!(["body", "digest_hour"])]),
        (json!({ "digest_hour": null }), vec![json!(["body", "digest_hour"])]),
        (json!({ "quiet_hours": { "from": "22:00" } }), vec![json!(["body", "quiet_hours", "to"])]),
        (
            json!({ "quiet_hours": { "from": "24:00", "to": "7:00", "days": 1 } }),
            ["from", "to", "days"].map(|name| json!(["body", "quiet_hours", name])).into(),
        ),
        (json!({ "quiet_hours": { "from": "07:00", "to": "07:00" } }), vec![json!(["body", "quiet_hours"])]),
        (json!({ "quiet_hours": "22-7" }), vec![json!(["body", "quiet_hours"])]),
        (json!({ "digest_hour": 7, "language": "de" }), vec![json!(["body", "language"])]),
    ] {
        let reply = patch(&platform, &anna, changes.clone()).await;
        assert_eq!(reply.status, 422, "{changes}");
        let found: Vec<_> = reply.body["detail"].as_array().unwrap().iter().map(|fault| fault["loc"].clone()).collect();
        assert_eq!(found, places, "{changes}");
    }
    assert_eq!(platform.call("GET", PATH, Some(&anna), None).await.body, before);
}
