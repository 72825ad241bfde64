//! The end of pictures: with their posts, when nothing uses them, and with their owner.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use super::{library, picture, post_with, process_all, ready, state, sweep, upload};
use crate::SERVICE;
use crate::core::ground::worker::Worker;
use crate::core::testing::{Platform, new_user};
use crate::media::attachments::signals::attached;
use crate::media::blobs::schedulers::{Sweeper, delete_abandoned, job};
use crate::media::events::{MEDIA_DELETED, MEDIA_READY};
use crate::media::signals::posts_deleted;
use crate::posts::models::Post;
use crate::posts::tests::{path, until_one_waits};

/// The files in a folder, beneath all of its folders.
fn files(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

async fn start(database: PgConnectOptions) -> (Platform, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Platform::start(&SERVICE, database, &["--media-store", folder.path().to_str().unwrap()]).await, folder)
}

/// The upload as it came is deleted when its renditions are there: it may say where it was taken.
#[sqlx::test(migrations = false)]
async fn the_upload_itself_is_deleted_once_it_is_processed(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, folder) = start(database).await;
    let (anna, _) = new_user();
    upload(&platform, &anna, "POST", &picture(400, 300)).await;
    assert_eq!(files(folder.path()), 1);
    process_all(&platform).await;
    sweep(&platform).await;
    assert_eq!(files(folder.path()), 2, "thumbnail and medium");
}

/// A post takes its pictures with it, but not one that another post shows.
#[sqlx::test(migrations = false)]
async fn a_deleted_post_takes_its_pictures_with_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, folder) = start(database).await;
    let (anna, _) = new_user();
    let alone = ready(&platform, &anna, "POST", &picture(400, 300)).await;
    let shared = ready(&platform, &anna, "POST", &picture(410, 300)).await;
    let post = post_with(&platform, &anna, &[&alone, &shared]).await;
    let other = post_with(&platform, &anna, &[&shared]).await;
    let delete = async |post: &serde_json::Value| {
        let path = format!("/posts/{}", post["id"].as_str().unwrap());
        assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
        sweep(&platform).await;
        files(folder.path())
    };
    assert_eq!(delete(&post).await, 2);
    assert_eq!(state(&platform, &anna, &alone).await["status"], 404);
    assert_eq!(state(&platform, &anna, &shared).await["status"], "READY");
    assert_eq!(delete(&other).await, 0);
}

fn id_of(post: &serde_json::Value) -> Uuid {
    post["id"].as_str().unwrap().parse().unwrap()
}

/// A post that is deleted while another one gets its picture leaves the picture to that one.
#[sqlx::test(migrations = false)]
async fn a_picture_that_another_post_gets_meanwhile_is_kept(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database).await;
    let (anna, her) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(40, 30)).await;
    let (old, new) = (post_with(&platform, &anna, &[&id]).await, post_with(&platform, &anna, &[]).await);
    let mut attaching = platform.app.db.begin().await.unwrap();
    let media: Uuid = id.parse().unwrap();
    attached(&mut attaching, id_of(&new), her, Some(&[media])).await.unwrap();
    let old = path(&old);
    let (deleted, ()) = tokio::join!(platform.call("DELETE", &old, Some(&anna), None), async {
        until_one_waits(&platform).await;
        attaching.commit().await.unwrap();
    });
    assert_eq!(deleted.status, 204);
    assert_eq!(state(&platform, &anna, &id).await["status"], "READY");
    assert_eq!(platform.call("GET", &path(&new), Some(&anna), None).await.body["media"][0]["id"], json!(id));
}

/// Of posts that lose one picture at once, each could take the other for one that still shows it.
#[sqlx::test(migrations = false)]
async fn a_picture_that_its_posts_lose_at_once_is_not_forgotten(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database).await;
    let (anna, _) = new_user();
    for (width, method) in [(40, "DELETE"), (41, "PUT")] {
        let id = ready(&platform, &anna, "POST", &picture(width, 30)).await;
        let (one, other) = (post_with(&platform, &anna, &[&id]).await, post_with(&platform, &anna, &[&id]).await);
        let mut losing = platform.app.db.begin().await.unwrap();
        Post::delete(&mut losing, id_of(&one), None).await.unwrap().unwrap();
        posts_deleted(&mut losing, &[id_of(&one)]).await.unwrap();
        let body = (method == "PUT").then(|| json!({ "content": "x", "types": [], "media": [] }));
        let other = path(&other);
        let (lost, ()) = tokio::join!(platform.call(method, &other, Some(&anna), body), async {
            until_one_waits(&platform).await;
            losing.commit().await.unwrap();
        });
        assert!(lost.status.is_success(), "{lost:?}");
        platform.app.db.execute("update media set unused_since = unused_since - interval '25 hours'").await.unwrap();
        delete_abandoned(&platform.app).await.unwrap();
        assert_eq!(state(&platform, &anna, &id).await["status"], 404, "{method}");
    }
}

/// Whether something shows a picture is looked at again before it is deleted as abandoned.
#[sqlx::test(migrations = false)]
async fn a_picture_that_is_shown_is_not_abandoned(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database).await;
    let (anna, _) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(40, 30)).await;
    post_with(&platform, &anna, &[&id]).await;
    platform.app.db.execute("update media set unused_since = now() - interval '25 hours'").await.unwrap();
    assert!(!delete_abandoned(&platform.app).await.unwrap());
    assert_eq!(state(&platform, &anna, &id).await["status"], "READY");
    let noted = platform.app.db.fetch_all("select from media where unused_since is not null").await.unwrap();
    assert!(noted.is_empty(), "it does not come up again");
}

/// A file that cannot be deleted holds up no other, and is deleted once it can be.
#[sqlx::test(migrations = false)]
async fn a_file_that_cannot_be_deleted_stalls_no_other(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, folder) = start(database).await;
    let (anna, _) = new_user();
    for width in [5, 6] {
        let id = upload(&platform, &anna, "POST", &picture(width, 5)).await;
        assert_eq!(platform.call("DELETE", &format!("/media/{id}"), Some(&anna), None).await.status, 204);
    }
    assert_eq!(files(folder.path()), 2);
    let oldest = "select id from media_blob where doomed_at is not null order by doomed_at limit 1";
    let oldest: Uuid = platform.app.db.fetch_one(oldest).await.unwrap().get(0);
    let name = oldest.simple().to_string();
    let file = folder.path().join("objects").join(&name[30..]).join(&name);
    std::fs::remove_file(&file).unwrap();
    // A folder in its place is not deleted as a file is.
    std::fs::create_dir(&file).unwrap();
    let mut sweeper = Sweeper { app: platform.app.clone(), library: library(&platform) };
    let failure = format!("{:#}", sweeper.step().await.unwrap_err());
    assert!(failure.contains(&oldest.to_string()), "{failure}");
    assert_eq!(files(folder.path()), 0, "the other one is gone");
    std::fs::remove_dir(&file).unwrap();
    sweep(&platform).await;
    assert_eq!(platform.app.db.fetch_all("select from media_blob").await.unwrap().len(), 0);
}

/// A picture that nothing shows is deleted after a day; one that a post or a profile shows is not.
#[sqlx::test(migrations = false)]
async fn an_abandoned_picture_is_deleted_after_a_day(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, folder) = start(database).await;
    let (anna, _) = new_user();
    let shown = ready(&platform, &anna, "POST", &picture(10, 10)).await;
    post_with(&platform, &anna, &[&shown]).await;
    let avatar = ready(&platform, &anna, "AVATAR", &picture(11, 11)).await;
    platform.call("PUT", "/me/avatar", Some(&anna), Some(json!({ "media_id": avatar }))).await;
    let abandoned = ready(&platform, &anna, "POST", &picture(12, 12)).await;
    assert!(!delete_abandoned(&platform.app).await.unwrap(), "a day has not passed");
    let passed = "update media set unused_since = unused_since - interval '25 hours', created_at = created_at - interval '25 hours'";
    platform.app.db.execute(passed).await.unwrap();
    assert!(delete_abandoned(&platform.app).await.unwrap());
    assert!(!delete_abandoned(&platform.app).await.unwrap());
    assert_eq!(state(&platform, &anna, &abandoned).await["status"], 404);
    for id in [&shown, &avatar] {
        assert_eq!(state(&platform, &anna, id).await["status"], "READY");
    }
    sweep(&platform).await;
    assert_eq!(files(folder.path()), 2);
    // The job does the same, and leaves what is in use.
    let _job = job(&platform.app, &library(&platform));
}

/// The end of a picture is published in whatever way it comes: once, and above every version that was published before.
#[sqlx::test(migrations = false)]
async fn every_end_of_a_picture_is_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database).await;
    let ((anna, her), (bert, his)) = (new_user(), new_user());
    let mut ends = Vec::new();
    for width in 1..=4 {
        ends.push(upload(&platform, &anna, "POST", &picture(width, 9)).await);
    }
    process_all(&platform).await;
    assert_eq!(platform.call("DELETE", &format!("/media/{}", ends[0]), Some(&anna), None).await.status, 204);
    let post = post_with(&platform, &anna, &[&ends[1]]).await;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    let removal = json!({ "subject_type": "MEDIA", "subject_id": ends[2], "version": 1, "visibility": "REMOVED" });
    platform.consume("moderation_decided", &removal).await;
    platform.app.db.execute("update media set unused_since = unused_since - interval '25 hours'").await.unwrap();
    assert!(delete_abandoned(&platform.app).await.unwrap());
    // Of another one that was never processed.
    let waiting = upload(&platform, &bert, "AVATAR", &picture(9, 9)).await;
    platform.consume("user_deleted", &json!({ "id": his, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(his).await;

    let ready = platform.published(MEDIA_READY).await;
    let version = |id: &str| ready.iter().find(|event| event["media_id"] == id).map(|event| &event["version"]);
    let deleted = platform.published(MEDIA_DELETED).await;
    let expected: Vec<_> = ends.iter().map(|id| (id.as_str(), her)).chain([(waiting.as_str(), his)]).collect();
    let published: Vec<_> =
        deleted.iter().map(|event| (event["media_id"].as_str().unwrap(), event["owner_id"].clone())).collect();
    assert_eq!(published, expected.iter().map(|(id, owner)| (*id, json!(owner))).collect::<Vec<_>>());
    for event in &deleted {
        let before = version(event["media_id"].as_str().unwrap()).map_or(1, |version| version.as_i64().unwrap());
        assert!(event["version"].as_i64().unwrap() > before, "{event}");
    }
}

/// The export has a person's pictures with the paths of their files; after the erasure neither rows nor files are left.
#[sqlx::test(migrations = false)]
async fn a_persons_pictures_are_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, folder) = start(database).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let shown = ready(&platform, &anna, "POST", &picture(400, 300)).await;
    let words = Some(json!({ "alt": "Annasword" }));
    assert_eq!(platform.call("PATCH", &format!("/media/{shown}"), Some(&anna), words).await.status, 200);
    let post = post_with(&platform, &anna, &[&shown]).await;
    let avatar = ready(&platform, &anna, "AVATAR", &picture(300, 400)).await;
    platform.call("PUT", "/me/avatar", Some(&anna), Some(json!({ "media_id": avatar }))).await;
    upload(&platform, &anna, "POST", &picture(3, 3)).await;
    ready(&platform, &bert, "POST", &picture(500, 400)).await;
    for stream in SERVICE.publishes {
        platform.published(stream).await;
    }
    let held = platform.personal_data_of(her, "media").await;
    assert_eq!(held.len(), 3);
    assert_eq!((&held[2]["alt"], &held[2]["posts"]), (&json!("Annasword"), &json!([post["id"]])));
    assert_eq!(
        held[2]["files"],
        json!([format!("/api/v1/media/{shown}/medium"), format!("/api/v1/media/{shown}/thumbnail")])
    );
    assert!(platform.finds("Annasword").await.contains(&"post.media".to_owned()));
    let profile = platform.personal_data_of(her, "profile_pictures").await;
    let file = format!("/api/v1/media/{avatar}/medium");
    assert_eq!(profile, [json!({ "purpose": "AVATAR", "media_id": avatar, "file": file })]);

    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    sweep(&platform).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    for kind in ["media", "profile_pictures"] {
        assert_eq!(platform.personal_data_of(her, kind).await, [json!(null); 0]);
    }
    assert_eq!(files(folder.path()), 2, "the other one's");
    let left = sqlx::query_scalar!(
        r#"select (select count(*) from profile_picture where user_id = $1)
            + (select count(*) from media_usage where owner = $1) as "left!""#,
        her
    );
    assert_eq!(left.fetch_one(&platform.app.db).await.unwrap(), 0);
}
