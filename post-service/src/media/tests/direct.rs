//! Direct uploads: a client writes into the store itself, and what it has written is looked at before it is a picture.
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::buckets::Bucket;
use super::{library, picture, process_all, state, sweep, upload, upload_form};
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply, new_user};
use crate::media::blobs::schedulers::{delete_left_behind, delete_unwanted, end_abandoned};
use crate::media::models::used_bytes;
use crate::personal_data::schedulers::ErasureConfirmer;

/// Announces a file.
pub async fn begin(platform: &Platform, token: &str, bytes: usize) -> Reply {
    let body = json!({ "purpose": "POST", "bytes": bytes, "alt": "A gradient" });
    platform.call("POST", "/media/uploads", Some(token), Some(body)).await
}

/// Writes a file as the answer says; the status of the store.
pub async fn put(upload: &Value, file: &[u8]) -> u16 {
    put_as(upload, upload["headers"]["content-type"].as_str().unwrap(), file).await
}

async fn put_as(upload: &Value, content_type: &str, file: &[u8]) -> u16 {
    assert_eq!(upload["method"], "PUT");
    let request = reqwest::Client::new().put(upload["url"].as_str().unwrap()).header("content-type", content_type);
    request.body(file.to_vec()).send().await.unwrap().status().as_u16()
}

async fn complete(platform: &Platform, token: &str, upload: &Value) -> Reply {
    let path = format!("/media/uploads/{}/complete", upload["id"].as_str().unwrap());
    platform.call("POST", &path, Some(token), None).await
}

fn refusal(reply: &Reply) -> (u16, &str) {
    (reply.status.as_u16(), reply.body["detail"].as_str().unwrap_or_default())
}

/// Lets all addresses have expired that long ago.
async fn expire(platform: &Platform, ago: &str) {
    let expired = format!(
        "update media_upload set expires_at = now() - interval '{ago}',
            ended_at = case when ended_at is not null then now() - interval '{ago}' end"
    );
    platform.app.db.execute(sqlx::AssertSqlSafe(expired)).await.unwrap();
}

async fn objects(platform: &Platform) -> (usize, usize) {
    let store = &library(platform).store;
    (store.list(None, 100).await.unwrap().len(), store.list_incoming(None, 100).await.unwrap().len())
}

/// A file that its owner has written into the bucket becomes a picture like any other, once, and cannot be replaced afterwards.
#[sqlx::test(migrations = false)]
async fn a_file_that_was_written_into_the_store_becomes_a_picture(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _bucket) = Bucket::start_platform(database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let file = picture(400, 300);
    let reply = begin(&platform, &anna, file.len()).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let new = reply.body;
    assert!(new["url"].as_str().unwrap().contains("X-Amz-Expires=900&"), "{new}");
    assert_eq!(state(&platform, &anna, new["id"].as_str().unwrap()).await["status"], 404, "it is no picture yet");
    assert_eq!(refusal(&complete(&platform, &anna, &new).await), (409, "The file has not been uploaded yet"));
    assert_eq!(put_as(&new, "text/html", &file).await, 403, "a header that is signed is not another one");
    assert_eq!(put(&new, &file).await, 200);
    assert_eq!(refusal(&complete(&platform, &bert, &new).await), (404, "Upload not found"));
    let both = futures::future::join(complete(&platform, &anna, &new), complete(&platform, &anna, &new)).await;
    for reply in [both.0, both.1, complete(&platform, &anna, &new).await] {
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!((&reply.body["id"], &reply.body["status"]), (&new["id"], &json!("UPLOADED")));
        assert_eq!((&reply.body["content_type"], &reply.body["alt"]), (&json!("image/png"), &json!("A gradient")));
        assert_eq!(reply.body["bytes"], file.len());
    }
    upload(&platform, &bert, "POST", &file).await;
    assert_eq!(objects(&platform).await.0, 1, "equal bytes are one file, whichever way they came");
    // The address is still good, and leads nowhere.
    assert_eq!(put(&new, b"<script>alert(1)</script>").await, 200);
    process_all(&platform).await;
    sweep(&platform).await;
    let media = complete(&platform, &anna, &new).await.body;
    assert_eq!((&media["status"], &media["width"]), (&json!("READY"), &json!(400)));
    assert_eq!(put(&new, &file).await, 200);
    sweep(&platform).await;
    assert_eq!(
        objects(&platform).await,
        (2, 1),
        "its address is good, and what is written to it is looked at when it is not"
    );
    expire(&platform, "1 minute").await;
    sweep(&platform).await;
    assert_eq!(objects(&platform).await, (2, 0));
    assert_eq!(put(&new, &file).await, 200);
    delete_unwanted(&platform.app, &library(&platform)).await.unwrap();
    assert_eq!(objects(&platform).await, (2, 0), "what belongs to no upload is swept");
    let listed = platform.call("GET", "/me/media", Some(&anna), None).await.body;
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

/// What was announced is refused when it cannot be right, and what was written when it is not what was announced; nothing of it stays.
#[sqlx::test(migrations = false)]
async fn what_is_written_must_be_what_was_announced(_: PgPoolOptions, database: PgConnectOptions) {
    let limits = ["--media-max-bytes", "20000", "--media-quota-bytes", "30000"];
    let (platform, bucket) = Bucket::start_platform(database, &limits).await;
    let (anna, _) = new_user();
    let wrong = [
        (json!({ "purpose": "POST" }), "bytes"),
        (json!({ "purpose": "POST", "bytes": 0 }), "bytes"),
        (json!({ "purpose": "POST", "bytes": -1 }), "bytes"),
        (json!({ "purpose": "POST", "bytes": 1.5 }), "bytes"),
        (json!({ "purpose": "POST", "bytes": null }), "bytes"),
        (json!({ "purpose": "POST", "bytes": [1] }), "bytes"),
        (json!({ "bytes": 1 }), "purpose"),
        (json!({ "purpose": "COVER", "bytes": 1 }), "purpose"),
        (json!({ "purpose": "POST", "bytes": 1, "alt": "a".repeat(1_501) }), "alt"),
        (json!({ "purpose": "POST", "bytes": 1, "url": "x" }), "url"),
    ];
    for (body, field) in wrong {
        let reply = platform.call("POST", "/media/uploads", Some(&anna), Some(body.clone())).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"][1]), (422, &json!(field)), "{body}");
    }
    assert_eq!(begin(&platform, &anna, 20_001).await.status, 413);

    let new = begin(&platform, &anna, 20_000).await.body;
    assert_eq!(begin(&platform, &anna, 10_001).await.status, 409, "what is announced counts towards the quota");
    let mut large = picture(8, 8);
    large.resize(20_000, 0);
    let other_size = "The file has another size than was announced; upload it again";
    let no_picture = "The file must be a JPEG, PNG, WebP or GIF";
    let too_large = "The body is larger than 20000 bytes";
    let files = [
        (picture(8, 8), (409, other_size)),
        ([b"<svg>".to_vec(), vec![b' '; 19_995]].concat(), (415, no_picture)),
        ([large.clone(), vec![0]].concat(), (413, too_large)),
    ];
    for (file, expected) in files {
        assert_eq!(put(&new, &file).await, 200);
        assert!(bucket.incoming(new["id"].as_str().unwrap()).exists());
        assert_eq!(refusal(&complete(&platform, &anna, &new).await), expected);
        assert_eq!(objects(&platform).await, (0, 0));
    }
    assert_eq!(put(&new, &large).await, 200, "it can be written again");
    assert_eq!(complete(&platform, &anna, &new).await.status, 202);
    let second = begin(&platform, &anna, 10_000).await.body;
    let third = begin(&platform, &anna, 1).await;
    assert_eq!(refusal(&third), (409, "Your pictures use up your quota; delete some of them first"));
    // It keeps its room as long as it can be completed, and then it cannot.
    expire(&platform, "30 minutes").await;
    assert_eq!(end_abandoned(&platform.app).await.unwrap(), 0);
    assert_eq!(begin(&platform, &anna, 1).await.status, 409);
    expire(&platform, "2 hours").await;
    assert_eq!(end_abandoned(&platform.app).await.unwrap(), 1);
    let other = begin(&platform, &anna, 9_000).await.body;
    for (upload, size, status) in [(&second, 10_000, 404), (&other, 9_000, 202)] {
        large.resize(size, 0);
        assert_eq!(put(upload, &large).await, 200);
        assert_eq!(complete(&platform, &anna, upload).await.status, status);
    }
    sweep(&platform).await;
    assert_eq!(objects(&platform).await.0, 2);
}

/// An address does not bind the size of what is written to it: what is larger than announced is deleted, though it is never completed.
#[sqlx::test(migrations = false)]
async fn what_is_larger_than_announced_does_not_stay(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _bucket) = Bucket::start_platform(database, &[]).await;
    let (anna, _) = new_user();
    let (file, store) = (picture(9, 9), library(&platform));
    let (small, exact) = (begin(&platform, &anna, 1).await.body, begin(&platform, &anna, file.len()).await.body);
    for upload in [&small, &exact] {
        assert_eq!(put(upload, &file).await, 200);
    }
    delete_unwanted(&platform.app, &store).await.unwrap();
    assert_eq!(objects(&platform).await, (0, 1));
    assert_eq!(refusal(&complete(&platform, &anna, &small).await), (409, "The file has not been uploaded yet"));
    assert_eq!(complete(&platform, &anna, &exact).await.status, 202);
}

/// Of uploads at once, whichever way they come, no more are taken than the quota has room for.
#[sqlx::test(migrations = false)]
async fn announced_sizes_are_reserved_in_the_quota(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _bucket) = Bucket::start_platform(database, &["--media-quota-bytes", "3000"]).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let file = |number: u32| {
        let mut file = picture(4, 4 + number);
        file.resize(1_000, 0);
        file
    };
    let files: Vec<_> = (0..3).map(file).collect();
    let announced = (0..3).map(|_| begin(&platform, &anna, 1_000));
    let sent = files.iter().map(|file| upload_form(&platform, &anna, &[("purpose", "POST")], Some(file)));
    let (announced, sent) = tokio::join!(futures::future::join_all(announced), futures::future::join_all(sent));
    let accepted = |replies: &[Reply]| replies.iter().filter(|reply| reply.status != 409).count();
    assert_eq!(accepted(&announced) + accepted(&sent), 3, "{announced:?} {sent:?}");
    assert_eq!(used_bytes(&platform.app.db, her).await.unwrap(), 3_000);
    assert_eq!(begin(&platform, &bert, 1_000).await.status, 201, "another one's quota");
    // What is completed is counted once, and what is deleted is counted no more.
    for upload in announced.iter().filter(|reply| reply.status == 201) {
        assert_eq!(put(&upload.body, &file(9)).await, 200);
        assert_eq!(complete(&platform, &anna, &upload.body).await.status, 202);
    }
    assert_eq!(used_bytes(&platform.app.db, her).await.unwrap(), 3_000);
    let listed = platform.call("GET", "/me/media", Some(&anna), None).await.body;
    for media in listed.as_array().unwrap() {
        let path = format!("/media/{}", media["id"].as_str().unwrap());
        assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    }
    assert_eq!(used_bytes(&platform.app.db, her).await.unwrap(), 0);
}

/// What is never completed is given up an hour after its address has expired, with what was written; and what a person has announced is exported and erased.
#[sqlx::test(migrations = false)]
async fn what_is_never_completed_is_swept_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _bucket) = Bucket::start_platform(database, &[]).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let file = picture(5, 5);
    let mut uploads = Vec::new();
    for person in [&anna, &anna, &bert] {
        let upload = begin(&platform, person, file.len()).await.body;
        assert_eq!(put(&upload, &file).await, 200);
        uploads.push(upload);
    }
    sweep(&platform).await;
    delete_left_behind(&platform.app, &library(&platform), Duration::ZERO).await.unwrap();
    delete_unwanted(&platform.app, &library(&platform)).await.unwrap();
    assert_eq!((objects(&platform).await, end_abandoned(&platform.app).await.unwrap()), ((0, 3), 0));
    let first = uploads[0]["id"].as_str().unwrap();
    let passed = format!("update media_upload set expires_at = expires_at - interval '2 hours' where id = '{first}'");
    platform.app.db.execute(sqlx::AssertSqlSafe(passed)).await.unwrap();
    assert_eq!(end_abandoned(&platform.app).await.unwrap(), 1);
    assert_eq!(complete(&platform, &anna, &uploads[0]).await.status, 404);
    sweep(&platform).await;
    assert_eq!(objects(&platform).await, (0, 2));

    let held = platform.personal_data_of(her, "media_uploads").await;
    assert_eq!((held.len(), &held[0]["id"], &held[0]["alt"]), (1, &uploads[1]["id"], &json!("A gradient")));
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "media_uploads").await, [json!(null); 0]);
    sweep(&platform).await;
    assert_eq!(objects(&platform).await, (0, 1), "the other one's");
    let mut confirmer = ErasureConfirmer(platform.app.clone());
    assert!(matches!(confirmer.step().await.unwrap(), Outcome::Idle(_)), "her address is good, and may be written to");
    expire(&platform, "1 minute").await;
    sweep(&platform).await;
    assert_eq!(confirmer.step().await.unwrap(), Outcome::Busy);
    let left = sqlx::query_scalar!(r#"select count(*) as "left!" from media_upload where created_by = $1"#, her);
    assert_eq!(left.fetch_one(&platform.app.db).await.unwrap(), 0);
    assert_eq!(complete(&platform, &bert, &uploads[2]).await.status, 202);
}

/// A folder cannot sign: the answer says where the file goes. In a bucket, a request that is sent again gets its first answer.
#[sqlx::test(migrations = false)]
async fn a_folder_takes_no_direct_uploads_and_a_bucket_repeats_its_answer(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (anna, _) = new_user();
    let platform = Platform::start(&SERVICE, database.clone(), &[]).await;
    let sentence = "Pictures are not uploaded to the store here; send the file to POST /media";
    assert_eq!(refusal(&begin(&platform, &anna, 5).await), (409, sentence));

    let (platform, _bucket) =
        Bucket::start_platform(database, &["--media-s3-public-endpoint=https://store.example"]).await;
    let again = || {
        let request = Request::post("/api/v1/media/uploads").header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {anna}")).header("idempotency-key", "one");
        request.body(Body::from(r#"{"purpose": "AVATAR", "bytes": "5"}"#)).unwrap()
    };
    let first = platform.send(again()).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(platform.send(again()).await.body, first.body);
    let url = first.body["url"].as_str().unwrap();
    assert!(url.starts_with("https://store.example/pictures/incoming/"), "as clients reach it: {url}");
}
