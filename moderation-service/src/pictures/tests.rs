//! Pictures, from their event and the blocklist to what is decided about them.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::events::MEDIA_READY;
use super::schedulers::PictureJudge;
use super::services::PictureSettings;
use crate::SERVICE;
use crate::core::events::consumer::Step;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::events::{COMMENT_DELETE_REQUESTED, MODERATION_NOTICE, POST_DELETE_REQUESTED};
use crate::ledger::events::MODERATION_DECIDED;
use crate::reports::tests::{close_reports, new_moderator};

/// What the post service publishes about a picture that looks like this hash.
pub fn picture(owner: Uuid, hash: u64) -> Value {
    json!({ "media_id": Uuid::now_v7(), "owner_id": owner, "purpose": "POST", "content_type": "image/webp", "width": 640,
        "height": 480, "sha256": "0a".repeat(32), "perceptual_hash": format!("{hash:016x}"), "version": 1 })
}

pub fn admin() -> String {
    format!("{}:ACTIVE:ADMIN", Uuid::now_v7())
}

async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

async fn block(platform: &Platform, body: Value) -> Reply {
    platform.call("POST", "/moderation/pictures/blocked", Some(&admin()), Some(body)).await
}

pub async fn block_hash(platform: &Platform, hash: u64, reason: &str) -> String {
    let made = block(platform, json!({ "hash": format!("{hash:016x}"), "reason": reason })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["id"].as_str().unwrap().to_owned()
}

/// Lets the worker judge what the blocklist has made due; how many steps that took.
pub async fn judge_again(platform: &Platform) -> usize {
    let settings = PictureSettings { moderation_picture_distance: 5 };
    let mut worker = PictureJudge { app: platform.app.clone(), settings };
    let mut steps = 0;
    while worker.step().await.unwrap() == Outcome::Busy {
        steps += 1;
    }
    steps
}

/// The state of a picture as moderators see it, with the reason of the decision in force.
pub async fn state(platform: &Platform, picture: &Value) -> (Value, Option<String>) {
    let id = picture["media_id"].as_str().unwrap();
    let path = format!("/moderation/subjects/MEDIA/{id}");
    let shown = platform.call("GET", &path, Some(&new_moderator().0), None).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let reason = format!("select reason from decision where subject_id = '{id}' and ended_at is null");
    let reason = platform.app.db.fetch_optional(AssertSqlSafe(reason)).await.unwrap();
    // Nothing has happened to what has no state.
    let visibility = shown.body["state"]["visibility"].as_str().unwrap_or("VISIBLE");
    (json!(visibility), reason.map(|row| row.get("reason")))
}

/// Copies are recognised by up to five bits and hidden with the reason of the entry; what the decision says is published about a
/// subject of the kind MEDIA, stated to the owner and explained to moderators.
#[sqlx::test(migrations = false)]
async fn a_copy_of_a_blocked_picture_is_hidden(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, her) = new_user();
    let hash = 0xe1c3_870f_1e3c_78f0;
    let entry = block_hash(&platform, hash, "SEXUAL_INTIMATE_IMAGE").await;
    // One bit in each of five bands.
    let (copy, other) = (picture(her, hash ^ 0x0101_0101_0100_0000), picture(her, hash ^ 0x0101_0101_0101_0000));
    for picture in [&copy, &copy, &other] {
        platform.consume(MEDIA_READY, picture).await;
    }
    let hidden = (json!("HIDDEN"), Some("SEXUAL_INTIMATE_IMAGE".to_owned()));
    assert_eq!(state(&platform, &copy).await, hidden);
    assert_eq!(state(&platform, &other).await, (json!("VISIBLE"), None), "six bits are another picture");
    let decided = platform.published(MODERATION_DECIDED).await;
    let [decided] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!((&decided["subject_type"], &decided["subject_id"]), (&json!("MEDIA"), &copy["media_id"]));
    assert_eq!((&decided["visibility"], &decided["decision"]["rule"]), (&json!("HIDDEN"), &json!("blocked-picture")));
    for stream in [POST_DELETE_REQUESTED, COMMENT_DELETE_REQUESTED] {
        assert_eq!(platform.published(stream).await, Vec::<Value>::new(), "the contract knows no pictures");
    }
    let notice = platform.published(MODERATION_NOTICE).await.pop().unwrap();
    assert_eq!((&notice["user_id"], &notice["title"]), (&json!(her), &json!("Your picture was hidden")));

    let statement = platform.call("GET", "/me/moderation/decisions", Some(&anna), None).await.body[0].clone();
    assert_eq!((&statement["subject_type"], &statement["automated_decision"]), (&json!("MEDIA"), &json!(true)));
    let decision = format!("/moderation/decisions/{}", statement["decision_id"].as_str().unwrap());
    let moderator = new_moderator().0;
    let decision = platform.call("GET", &decision, Some(&moderator), None).await.body;
    let path = format!("/moderation/analyses/{}", decision["analysis"].as_str().unwrap());
    let analysis = platform.call("GET", &path, Some(&moderator), None).await.body;
    assert_eq!(analysis["signals"]["picture"]["blocked"], json!({ "entry": entry, "distance": 5 }), "{analysis}");
    assert_eq!((&analysis["content_hash"], &analysis["scores"]), (&copy["sha256"], &Value::Null));
}

/// A picture that is blocked later is found among those that are there, and what followed from an entry ends with it; what a
/// person has decided stays.
#[sqlx::test(migrations = false)]
async fn the_blocklist_reaches_pictures_that_are_there_already(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (moderator, _) = new_moderator();
    let pictures: Vec<Value> = [0x10, 0x11, 0x12, 0xffff_0000_ffff_0000].map(|hash| picture(new_user().1, hash)).into();
    for picture in &pictures {
        platform.consume(MEDIA_READY, picture).await;
    }
    let allowed = &pictures[2];
    let path = format!("/moderation/subjects/MEDIA/{}/decisions", allowed["media_id"].as_str().unwrap());
    let allow = json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
    assert_eq!(platform.call("POST", &path, Some(&moderator), Some(allow)).await.status, 201);
    assert_eq!(judge_again(&platform).await, 0, "nothing is due");

    let made = block(&platform, json!({ "media_id": pictures[0]["media_id"], "reason": "CHILD_SAFETY_ABUSE" })).await;
    assert_eq!((made.status.as_u16(), &made.body["hash"]), (201, &json!("0000000000000010")), "{made:?}");
    assert_eq!(judge_again(&platform).await, 1);
    let hidden = (json!("HIDDEN"), Some("CHILD_SAFETY_ABUSE".to_owned()));
    for picture in &pictures[..2] {
        assert_eq!(state(&platform, picture).await, hidden);
    }
    assert_eq!(state(&platform, allowed).await.0, "VISIBLE", "a person has allowed it");
    assert_eq!(state(&platform, &pictures[3]).await.0, "VISIBLE");

    let path = format!("/moderation/pictures/blocked/{}", made.body["id"].as_str().unwrap());
    assert_eq!(platform.call("DELETE", &path, Some(&admin()), None).await.status, 204);
    assert_eq!(judge_again(&platform).await, 1);
    for picture in &pictures {
        // That which a person has allowed keeps the reason of their decision.
        let reason = (picture == allowed).then(|| "OTHER_RULES".to_owned());
        assert_eq!(state(&platform, picture).await, (json!("VISIBLE"), reason), "{picture}");
    }
    assert_eq!(platform.call("DELETE", &path, Some(&admin()), None).await.status, 404);
}

/// The blocklist is the administrators', each hash is in it once, every change is in the audit, and bad input says what is wrong.
#[sqlx::test(migrations = false)]
async fn administrators_keep_the_blocklist(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let path = "/moderation/pictures/blocked";
    let mut made = Vec::new();
    for hash in [1, 2, 3] {
        made.insert(0, block_hash(&platform, hash, "OTHER_ILLEGAL").await);
    }
    let list = async |query: &str| {
        let reply = platform.call("GET", &format!("{path}{query}"), Some(&admin()), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, made, "newest first");
    assert_eq!(list("?limit=2").await, made[..2]);
    let again = block(&platform, json!({ "hash": "0000000000000001", "reason": "SPAM_COMMERCIAL" })).await;
    assert_eq!((again.status.as_u16(), &again.body["detail"]), (409, &json!("The picture is blocked")));
    let unknown = block(&platform, json!({ "media_id": Uuid::now_v7(), "reason": "SPAM_COMMERCIAL" })).await;
    assert_eq!(unknown.status, 404);
    for (body, field) in [
        (json!({ "reason": "SPAM_COMMERCIAL" }), "hash"),
        (json!({ "hash": "1", "reason": "SPAM_COMMERCIAL" }), "hash"),
        (json!({ "hash": "000000000000000g", "reason": "SPAM_COMMERCIAL" }), "hash"),
        (json!({ "hash": 7, "reason": "SPAM_COMMERCIAL" }), "hash"),
        (json!({ "media_id": "x", "reason": "SPAM_COMMERCIAL" }), "media_id"),
        (json!({ "hash": "00000000000000aa", "media_id": Uuid::now_v7(), "reason": "SPAM_COMMERCIAL" }), "hash"),
        (json!({ "hash": "00000000000000aa" }), "reason"),
        (json!({ "hash": "00000000000000aa", "reason": "UGLY" }), "reason"),
        (json!({ "hash": "00000000000000aa", "reason": "SPAM_COMMERCIAL", "note": "x".repeat(501) }), "note"),
        (json!({ "hash": "00000000000000aa", "reason": "SPAM_COMMERCIAL", "until": 1 }), "until"),
    ] {
        let refused = block(&platform, body.clone()).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"][1]), (422, &json!(field)), "{body}");
    }
    for (method, path) in [("GET", path), ("DELETE", &format!("{path}/{}", made[0]))] {
        assert_eq!(platform.call(method, path, Some(&new_moderator().0), None).await.status, 403);
    }
    let audit = "select count(*) as entries from audit where action = 'picture_blocked' and who is not null";
    assert_eq!(platform.app.db.fetch_one(audit).await.unwrap().get::<i64, _>("entries"), 3);
}

/// A picture is reported like a post: it stands in the queue, enough reports hold it, and a decision answers them.
#[sqlx::test(migrations = false)]
async fn pictures_are_reported(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (moderator, _)) = (new_user(), new_moderator());
    let picture = picture(her, 0xabc);
    platform.consume(MEDIA_READY, &picture).await;
    let report = json!({ "subject_type": "MEDIA", "subject_id": picture["media_id"], "reason": "SEXUAL_NUDITY" });
    let own = platform.call("POST", "/reports", Some(&anna), Some(report.clone())).await;
    assert_eq!(own.status, 409, "{own:?}");
    let reporters = [(); 3].map(|()| new_user());
    for (token, _) in &reporters {
        let made = platform.call("POST", "/reports", Some(token), Some(report.clone())).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    assert_eq!(state(&platform, &picture).await.0, "HELD");
    let queue = platform.call("GET", "/moderation/queue?type=MEDIA", Some(&moderator), None).await;
    assert_eq!(queue.body[0]["id"], picture["media_id"], "{queue:?}");
    let path = format!("/moderation/subjects/MEDIA/{}/decisions", picture["media_id"].as_str().unwrap());
    let remove = json!({ "actions": [{ "action": "REMOVE" }], "reason": "SEXUAL_NUDITY" });
    assert_eq!(platform.call("POST", &path, Some(&moderator), Some(remove)).await.status, 201);
    close_reports(&platform).await;
    let mine = platform.call("GET", "/me/reports", Some(&reporters[0].0), None).await;
    assert_eq!(mine.body[0]["status"], "AGREED");
    let decided = platform.published(MODERATION_DECIDED).await.pop();
    let decided = decided.filter(|event| event["subject_type"] == "MEDIA" && event["visibility"] == "REMOVED");
    assert!(decided.is_some(), "{:?}", platform.published(MODERATION_DECIDED).await);
    let late = platform.call("POST", "/reports", Some(&new_user().0), Some(report)).await;
    assert_eq!(late.status, 404, "it is gone");
}

/// A newer version of a picture is judged, an older one changes nothing, and an event that is not understood is parked.
#[sqlx::test(migrations = false)]
async fn the_newest_version_of_a_picture_counts(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    block_hash(&platform, 0xff, "OTHER_ILLEGAL").await;
    let first = picture(new_user().1, 0xffff_ffff);
    let mut third = first.clone();
    (third["version"], third["perceptual_hash"]) = (json!(3), json!("00000000000000ff"));
    platform.consume(MEDIA_READY, &third).await;
    assert_eq!(state(&platform, &first).await.0, "HIDDEN");
    platform.consume(MEDIA_READY, &first).await;
    assert_eq!(state(&platform, &first).await.0, "HIDDEN", "it is an older one");
    let mut foreign = third.clone();
    (foreign["version"], foreign["owner_id"]) = (json!(9), json!(Uuid::now_v7()));
    platform.consume(MEDIA_READY, &foreign).await;
    assert_eq!(state(&platform, &first).await.0, "HIDDEN", "a picture changes no owner");
    for (field, wrong) in [
        ("perceptual_hash", json!("12")),
        ("sha256", json!("zz")),
        ("sha256", json!("0a".repeat(33))),
        ("width", json!("wide")),
    ] {
        let mut event = picture(new_user().1, 1);
        event[field] = wrong;
        let steps = platform.consume(MEDIA_READY, &event).await;
        assert!(steps.iter().any(|step| matches!(step, Step::Parked(_))), "{field}: {steps:?}");
    }
}

/// Pictures are exported to their owner and erased with the account; those of an erased account are not saved any more.
#[sqlx::test(migrations = false)]
async fn pictures_are_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, anna), (_, bert)) = (new_user(), new_user());
    for owner in [anna, bert] {
        platform.consume(MEDIA_READY, &picture(owner, 0xab)).await;
    }
    let exported = platform.personal_data_of(anna, "pictures").await;
    let [picture_of_anna] = &exported[..] else { panic!("{exported:?}") };
    assert_eq!(
        (&picture_of_anna["owner"], &picture_of_anna["perceptual_hash"]),
        (&json!(anna), &json!("00000000000000ab"))
    );
    platform.erase(anna).await;
    platform.consume(MEDIA_READY, &picture(anna, 0xab)).await;
    assert_eq!(platform.personal_data_of(anna, "pictures").await.len(), 0);
    assert_eq!(platform.personal_data_of(bert, "pictures").await.len(), 1);
}
