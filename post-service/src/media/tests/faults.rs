//! Faults: the store in a folder and in a bucket, killed uploads and workers, a store that is away.
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::{StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::buckets::Bucket;
use super::{
    form_with, get, library, picture, post_with, process_all, ready, signed_in, state, sweep, upload, upload_form,
    upload_request, url, worker,
};
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::media::blobs::schedulers::{Sweeper, delete_left_behind};
use crate::media::events::MEDIA_READY;
use crate::media::store::{Store, StoredObject};
use crate::personal_data::USER_ERASED;
use crate::personal_data::schedulers::ErasureConfirmer;

/// What every store has to do.
async fn check_store(store: &Store) {
    let content = Bytes::from((0..6 * 1024 * 1024_u32).map(|n| n.to_le_bytes()[1]).collect::<Vec<u8>>());
    let [long, short, never] = [(); 3].map(|()| Uuid::now_v7());
    let mut object = store.create(long).await.unwrap();
    for piece in content.chunks(100_000) {
        object.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert!(store.read(long).await.is_err(), "half of it is not seen");
    object.finish().await.unwrap();
    store.put(short, Bytes::from_static(b"0123456789")).await.unwrap();
    assert_eq!(store.read(long).await.unwrap(), content);
    let part: Vec<Bytes> = store.stream(short, Some(2..5)).await.unwrap().try_collect().await.unwrap();
    assert_eq!(part.concat(), b"234");
    let mut aborted = store.create(never).await.unwrap();
    aborted.write(content.clone()).await.unwrap();
    aborted.abort().await;
    assert!(store.read(never).await.is_err());

    let ids = |objects: &[StoredObject]| objects.iter().map(|object| object.id).collect::<Vec<Uuid>>();
    let listed = store.list(None, 10).await.unwrap();
    // Of a folder a page is a whole shelf, on which the second one may be, too.
    let first = store.list(None, 1).await.unwrap();
    let rest = store.list(Some(first.last().unwrap().id), 10).await.unwrap();
    assert_eq!(ids(&[first, rest].concat()), ids(&listed));
    let mut sizes: Vec<(Uuid, u64)> = listed.iter().map(|object| (object.id, object.bytes)).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [(long, content.len() as u64), (short, 10)]);
    for blob in [long, short, never] {
        store.delete(blob).await.unwrap();
    }
    assert!(store.list(None, 10).await.unwrap().is_empty());
    assert!(matches!(store.read(short).await, Err(object_store::Error::NotFound { .. })));
}

/// A folder does what a store has to do.
#[sqlx::test(migrations = false)]
async fn a_folder_is_a_store(_: PgPoolOptions, database: PgConnectOptions) {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::start(&SERVICE, database, &["--media-store", folder.path().to_str().unwrap()]).await;
    let store = library(&platform).store.clone();
    assert!(format!("{store:?}").contains("fsync: true"), "what is written survives a power failure: {store:?}");
    check_store(&store).await;
}

/// A bucket does the same; and a picture goes all its way through one.
#[sqlx::test(migrations = false)]
async fn a_bucket_is_a_store(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _bucket) = Bucket::start_platform(database, &[]).await;
    check_store(&library(&platform).store).await;
    let (anna, _) = new_user();
    let id = upload(&platform, &anna, "POST", &picture(400, 300)).await;
    process_all(&platform).await;
    let post = post_with(&platform, &anna, &[&id]).await;
    let (status, _, file) = get(&platform, url(&post["media"][0]["medium"])).await;
    assert_eq!((status.as_u16(), image::load_from_memory(&file).unwrap().width()), (200, 400));
    assert_eq!(platform.call("DELETE", &format!("/media/{id}"), Some(&anna), None).await.status, 204);
    sweep(&platform).await;
    assert!(library(&platform).store.list(None, 10).await.unwrap().is_empty());
}

/// An upload whose client goes away in its middle is nowhere, and what a killed process has left is swept.
#[sqlx::test(migrations = false)]
async fn an_upload_that_breaks_off_leaves_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::start(&SERVICE, database, &["--media-store", folder.path().to_str().unwrap()]).await;
    let (anna, _) = new_user();
    let body = form_with(&[("purpose", "POST")], Some(&picture(600, 600)));
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let broken = Body::from_stream(futures::stream::iter([Ok(half.clone()), Err(gone)]));
    assert_eq!(platform.send(signed_in(upload_request("POST", broken), &anna)).await.status, 400);
    // The process is killed: its request never ends, and neither does its file.
    let hanging =
        Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(half)]).chain(futures::stream::pending()));
    let request = platform.send(signed_in(upload_request("POST", hanging), &anna));
    let cut = tokio::time::timeout(Duration::from_millis(300), request).await;
    assert!(cut.is_err(), "it waits for the rest");
    assert!(library(&platform).store.list(None, 10).await.unwrap().is_empty());
    assert_eq!(platform.call("GET", "/me/media", Some(&anna), None).await.body, serde_json::json!([]));

    // Killed between the file and its row, and in the middle of a file.
    let store = library(&platform).store.clone();
    let orphan = Uuid::now_v7();
    store.put(orphan, Bytes::from_static(b"orphan")).await.unwrap();
    let shelf = std::fs::read_dir(folder.path().join("objects")).unwrap().next().unwrap().unwrap().path();
    let unfinished = shelf.join(format!("{}#1", Uuid::now_v7().simple()));
    std::fs::write(&unfinished, b"half").unwrap();
    let kept = upload(&platform, &anna, "POST", &picture(5, 5)).await;
    delete_left_behind(&platform.app, &library(&platform), Duration::from_hours(24)).await.unwrap();
    assert_eq!(store.list(None, 10).await.unwrap().len(), 2, "they may be of an upload under way");
    assert!(unfinished.exists());
    delete_left_behind(&platform.app, &library(&platform), Duration::ZERO).await.unwrap();
    assert_eq!(store.list(None, 10).await.unwrap().len(), 1);
    assert!(!unfinished.exists());
    process_all(&platform).await;
    assert_eq!(state(&platform, &anna, &kept).await["status"], "READY");
}

/// Of a worker that is killed the lease ends, another one begins anew, and the first one's late end has no effect.
#[sqlx::test(migrations = false)]
async fn a_picture_whose_worker_was_killed_is_processed_by_another(_: PgPoolOptions, database: PgConnectOptions) {
    use crate::media::processing::models::{LeasedMedia, ProcessedMedia};
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let id = upload(&platform, &anna, "POST", &picture(50, 40)).await;
    let killed = LeasedMedia::take(&platform.app.db).await.unwrap().unwrap();
    process_all(&platform).await;
    assert_eq!(state(&platform, &anna, &id).await["status"], "UPLOADED", "it is the first one's for two minutes");
    let ended = sqlx::query!("update media set leased_until = now() - interval '1 second'");
    ended.execute(&platform.app.db).await.unwrap();
    let second = LeasedMedia::take(&platform.app.db).await.unwrap().unwrap();
    assert_eq!((second.id, second.attempts), (killed.id, 2));
    let late = ProcessedMedia { width: 1, height: 1, blurhash: None, perceptual_hash: 0 };
    let mut tx = platform.app.db.begin().await.unwrap();
    assert!(killed.finish(&mut tx, &late).await.unwrap().is_none(), "it is not its own any more");
    tx.rollback().await.unwrap();
    second.give_back(&platform.app.db, -1.0).await.unwrap();
    process_all(&platform).await;
    assert_eq!(state(&platform, &anna, &id).await["width"], 50);
    assert_eq!(platform.published(MEDIA_READY).await.len(), 1);
}

/// While the store is away an erasure is not confirmed whose files it has, and once it is back it is, when they are gone; that of a person
/// without files waits for no one.
#[sqlx::test(migrations = false)]
async fn an_erasure_is_confirmed_when_its_files_are_gone(_: PgPoolOptions, database: PgConnectOptions) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("store");
    let platform = Platform::start(&SERVICE, database, &["--media-store", folder.to_str().unwrap()]).await;
    let ((anna, her), (_, his), (carla, its)) = (new_user(), new_user(), new_user());
    ready(&platform, &anna, "POST", &picture(50, 40)).await;
    let gone = ready(&platform, &carla, "POST", &picture(60, 40)).await;
    let mut sweeper = Sweeper { app: platform.app.clone(), library: library(&platform) };
    while sweeper.step().await.unwrap() == Outcome::Busy {}
    let mut confirmer = ErasureConfirmer(platform.app.clone());
    let away = parent.path().join("away");
    std::fs::rename(&folder, &away).unwrap();
    // As a disk looks that is not mounted.
    std::fs::create_dir(&folder).unwrap();
    // Her last picture, deleted by herself, is on that disk as well when she leaves.
    assert_eq!(platform.call("DELETE", &format!("/media/{gone}"), Some(&carla), None).await.status, 204);
    for person in [her, his, its] {
        platform
            .consume("user_deleted", &serde_json::json!({ "id": person, "deleted_at": "2026-11-20T12:00:00Z" }))
            .await;
        platform.erase(person).await;
        assert_eq!(platform.personal_data_of(person, "media").await, [serde_json::json!(null); 0]);
    }
    assert!(sweeper.step().await.is_err());
    assert_eq!(confirmer.step().await.unwrap(), Outcome::Busy);
    assert!(matches!(confirmer.step().await.unwrap(), Outcome::Idle(_)));
    let confirmed = |people: &[Uuid]| people.iter().map(|id| serde_json::json!({ "user_id": id })).collect::<Vec<_>>();
    assert_eq!(platform.published(USER_ERASED).await, confirmed(&[his]), "of the others there are files");

    std::fs::remove_dir(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    assert!(matches!(confirmer.step().await.unwrap(), Outcome::Idle(_)), "it is back, and nothing is deleted yet");
    while sweeper.step().await.unwrap() == Outcome::Busy {}
    assert!(library(&platform).store.list(None, 10).await.unwrap().is_empty());
    assert_eq!(confirmer.step().await.unwrap(), Outcome::Busy);
    let mut last = platform.published(USER_ERASED).await.split_off(1);
    last.sort_by_key(|event| event["user_id"].to_string());
    assert_eq!(last, confirmed(&[her, its]), "each once");
    // The second pass, and what comes twice, confirms nothing again.
    platform.erase(her).await;
    assert!(matches!(confirmer.step().await.unwrap(), Outcome::Idle(_)));
}

/// While the store is away uploads are refused for the moment, pictures wait, and nothing is half there.
#[sqlx::test(migrations = false)]
async fn while_the_store_is_away_pictures_wait(_: PgPoolOptions, database: PgConnectOptions) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("store");
    let platform = Platform::start(&SERVICE, database, &["--media-store", folder.to_str().unwrap()]).await;
    let (anna, _) = new_user();
    let id = upload(&platform, &anna, "POST", &picture(50, 40)).await;
    let mut worker = worker(&platform);
    let away = parent.path().join("away");
    std::fs::rename(&folder, &away).unwrap();
    // A file in its place: nothing can be read or written beneath it.
    std::fs::write(&folder, b"").unwrap();
    assert!(worker.step().await.is_err());
    let reply = upload_form(&platform, &anna, &[("purpose", "POST")], Some(&picture(9, 9))).await;
    assert_eq!((reply.status.as_u16(), reply.headers["retry-after"].to_str().unwrap()), (503, "2"));
    let media = state(&platform, &anna, &id).await;
    assert_eq!((&media["status"], media.get("reason")), (&serde_json::json!("UPLOADED"), None));
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    let paused = sqlx::query!("update media set leased_until = now() - interval '1 second'");
    paused.execute(&platform.app.db).await.unwrap();
    process_all(&platform).await;
    let media = state(&platform, &anna, &id).await;
    assert_eq!(media["status"], "READY");
    std::fs::rename(&folder, &away).unwrap();
    assert_eq!(get(&platform, url(&media["medium"])).await.0, 503);
    std::fs::rename(&away, &folder).unwrap();
    assert_eq!(get(&platform, url(&media["medium"])).await.0, 200);
}
