//! Kills and failures at every write into the store: whatever they cut through, nothing is half visible, and nothing stays.
//!
//! A write that is never answered, and whose caller is then dropped, is what a killed process leaves: all writes before it are done,
//! its own is not, and no line of code after it has run.
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::buckets::{Bucket, Fault};
use super::direct::{begin, put};
use super::{get, library, picture, process_all, state, sweep, upload, upload_form, url, worker};
use crate::core::ground::worker::Worker;
use crate::core::testing::{Platform, new_user};
use crate::media::blobs::schedulers::delete_left_behind;

/// More writes than a picture takes: a loop that goes so far does not end.
const MOST: i64 = 20;

/// The objects in the store after the sweep, and the rows of files: they must be the same.
async fn swept(platform: &Platform) -> usize {
    sweep(platform).await;
    delete_left_behind(&platform.app, &library(platform), Duration::ZERO).await.unwrap();
    let store = &library(platform).store;
    let mut stored: Vec<Uuid> = store.list(None, 1_000).await.unwrap().iter().map(|object| object.id).collect();
    let rows = sqlx::query_scalar!("select id from media_blob order by id");
    stored.sort_unstable();
    assert_eq!(stored, rows.fetch_all(&platform.app.db).await.unwrap(), "objects and rows");
    stored.len()
}

/// Does something until it ends, or until the fault has come and the process is killed.
async fn until_killed<T>(bucket: &Bucket, fault: Fault, work: impl Future<Output = T>) -> Option<T> {
    if fault == Fault::Refused {
        return Some(work.await);
    }
    tokio::select! {
        done = work => Some(done),
        () = bucket.faults.came.notified() => None,
    }
}

/// An upload that fails or is killed at any of its writes is nowhere.
#[sqlx::test(migrations = false)]
async fn an_upload_that_ends_at_any_write_leaves_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, bucket) = Bucket::start_platform(database, &[]).await;
    for fault in [Fault::Refused, Fault::Killed] {
        for writes in 0.. {
            assert!(writes < MOST, "{fault:?}");
            let (anna, _) = new_user();
            let file = picture(9, 9);
            bucket.faults.fail_after(writes, fault);
            let request = upload_form(&platform, &anna, &[("purpose", "POST")], Some(&file));
            let reply = until_killed(&bucket, fault, request).await;
            let failed = bucket.faults.end();
            let listed = platform.call("GET", "/me/media", Some(&anna), None).await.body;
            if !failed {
                assert!(writes > 0, "nothing was written");
                assert_eq!((reply.unwrap().status, listed.as_array().unwrap().len()), (StatusCode::ACCEPTED, 1));
                let path = format!("/media/{}", listed[0]["id"].as_str().unwrap());
                assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
                assert_eq!(swept(&platform).await, 0);
                break;
            }
            assert_eq!(
                reply.map(|reply| reply.status),
                (fault == Fault::Refused).then_some(StatusCode::SERVICE_UNAVAILABLE)
            );
            assert_eq!(listed, json!([]), "{fault:?} after {writes} writes");
            assert_eq!(swept(&platform).await, 0, "{fault:?} after {writes} writes");
        }
    }
}

/// A worker that fails or is killed at any of its writes has made nothing visible; another one makes it anew, and what the first has
/// written is swept.
#[sqlx::test(migrations = false)]
async fn processing_that_ends_at_any_write_is_begun_anew(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, bucket) = Bucket::start_platform(database, &[]).await;
    let (anna, _) = new_user();
    for fault in [Fault::Refused, Fault::Killed] {
        for writes in 0.. {
            assert!(writes < MOST, "{fault:?}");
            let id = upload(&platform, &anna, "POST", &picture(400, 300)).await;
            let body = json!({ "content": "x", "types": [], "status": "POSTED", "media": [id] });
            let post = platform.call("POST", "/posts", Some(&anna), Some(body)).await.body;
            let post = format!("/posts/{}", post["id"].as_str().unwrap());
            bucket.faults.fail_after(writes, fault);
            let mut worker = worker(&platform);
            let ended = until_killed(&bucket, fault, worker.step()).await;
            let failed = bucket.faults.end();
            if failed {
                assert!(ended.is_none_or(|outcome| outcome.is_err()), "{fault:?} after {writes} writes");
                let shown = platform.call("GET", &post, Some(&anna), None).await.body["media"][0].clone();
                assert_eq!((&shown["status"], shown.get("medium")), (&json!("UPLOADED"), None));
                let renditions = sqlx::query_scalar!(r#"select count(*) as "count!" from media_rendition"#);
                assert_eq!(renditions.fetch_one(&platform.app.db).await.unwrap(), 0);
                assert_eq!(swept(&platform).await, 1, "the upload, and nothing of what the worker has written");
                let passed = sqlx::query!("update media set leased_until = now() - interval '1 second'");
                passed.execute(&platform.app.db).await.unwrap();
                process_all(&platform).await;
            }
            let media = state(&platform, &anna, &id).await;
            assert_eq!(media["status"], "READY", "{fault:?} after {writes} writes");
            assert_eq!(get(&platform, url(&media["medium"])).await.0, 200);
            assert_eq!(swept(&platform).await, 2, "thumbnail and medium");
            assert_eq!(platform.call("DELETE", &post, Some(&anna), None).await.status, 204);
            assert_eq!(swept(&platform).await, 0);
            if !failed {
                assert_eq!(writes, 2, "each of its writes has failed once");
                break;
            }
        }
    }
}

/// A direct upload whose completion fails or is killed can be completed again.
#[sqlx::test(migrations = false)]
async fn a_completion_that_ends_at_its_write_is_said_again(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, bucket) = Bucket::start_platform(database, &[]).await;
    let (anna, _) = new_user();
    for fault in [Fault::Refused, Fault::Killed] {
        let file = picture(7, 7);
        let new = begin(&platform, &anna, file.len()).await.body;
        assert_eq!(put(&new, &file).await, 200);
        let path = format!("/media/uploads/{}/complete", new["id"].as_str().unwrap());
        bucket.faults.fail_after(0, fault);
        let reply = until_killed(&bucket, fault, platform.call("POST", &path, Some(&anna), None)).await;
        assert!(bucket.faults.end());
        assert_eq!(
            reply.map(|reply| reply.status),
            (fault == Fault::Refused).then_some(StatusCode::SERVICE_UNAVAILABLE)
        );
        assert_eq!(platform.call("GET", "/me/media", Some(&anna), None).await.body, json!([]));
        assert_eq!(swept(&platform).await, 0);
        assert_eq!(platform.call("POST", &path, Some(&anna), None).await.status, 202);
        assert_eq!(swept(&platform).await, 1);
        let path = format!("/media/{}", new["id"].as_str().unwrap());
        assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
        assert_eq!(swept(&platform).await, 0);
    }
}
