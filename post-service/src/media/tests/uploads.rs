//! Uploads: what is taken, what is refused, and that a refusal leaves nothing.
use axum::body::{Body, Bytes};
use futures::stream;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{form_with, library, picture, signed_in, state, upload, upload_form, upload_request};
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};

/// A platform with a store of its own.
async fn start(database: PgConnectOptions, settings: &[&str]) -> (Platform, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let all = [&["--media-store", folder.path().to_str().unwrap()], settings].concat();
    (Platform::start(&SERVICE, database, &all).await, folder)
}

async fn objects(platform: &Platform) -> usize {
    library(platform).store.list(None, 100).await.unwrap().len()
}

/// A picture is taken at once and found by its owner alone, whatever its file is called.
#[sqlx::test(migrations = false)]
async fn an_upload_is_answered_with_an_id_and_its_state(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let file = picture(8, 6);
    let reply = upload_form(&platform, &anna, &[("purpose", "POST"), ("alt", "Ein Verlauf")], Some(&file)).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!((&reply.body["status"], &reply.body["content_type"]), (&json!("UPLOADED"), &json!("image/png")));
    assert_eq!((&reply.body["bytes"], &reply.body["alt"]), (&json!(file.len()), &json!("Ein Verlauf")));
    assert_eq!(reply.body.get("medium"), None, "an upload is never served as it came");
    let id = reply.body["id"].as_str().unwrap();
    assert_eq!(state(&platform, &anna, id).await, reply.body);
    assert_eq!(platform.call("GET", &format!("/media/{id}"), Some(&bert), None).await.status, 404);
    assert_eq!(platform.call("GET", "/me/media", Some(&anna), None).await.body, json!([reply.body]));
    assert_eq!(platform.call("GET", "/me/media", Some(&bert), None).await.body, json!([]));
}

/// What is no picture by its first bytes is refused before any of it is stored.
#[sqlx::test(migrations = false)]
async fn only_pictures_are_taken_and_never_what_holds_scripts(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database, &[]).await;
    let (anna, _) = new_user();
    let files: [&[u8]; 6] = [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7 and what follows",
        b"BM and a bitmap of Windows",
        b"short",
        b"",
    ];
    for file in files {
        let reply = upload_form(&platform, &anna, &[("purpose", "POST")], Some(file)).await;
        assert_eq!(reply.status, 415, "{reply:?}");
    }
    assert_eq!(objects(&platform).await, 0);
}

/// All that is wrong with the texts is said, and the file is not kept.
#[sqlx::test(migrations = false)]
async fn a_form_that_is_wrong_leaves_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database, &[]).await;
    let (anna, _) = new_user();
    let (file, long) = (picture(4, 4), "ä".repeat(1_501));
    let wrong: [(&[(&str, &str)], &str); 5] = [
        (&[], "purpose"),
        (&[("purpose", "COVER")], "purpose"),
        (&[("purpose", "POST"), ("alt", &long)], "alt"),
        (&[("purpose", "POST"), ("alt", "a\u{0}b")], "alt"),
        (&[("purpose", "POST"), ("owner", "x")], "owner"),
    ];
    for (texts, field) in wrong {
        let reply = upload_form(&platform, &anna, texts, Some(&file)).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"][1]), (422, &json!(field)), "{reply:?}");
    }
    let reply = upload_form(&platform, &anna, &[("purpose", "POST")], None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"][1]), (422, &json!("file")));
    let huge = "a".repeat(9_000);
    assert_eq!(upload_form(&platform, &anna, &[("alt", &huge)], Some(&file)).await.status, 422);
    let broken = form_with(&[("purpose", "POST")], Some(&file));
    for end in [10, 80, 200, broken.len() - 10] {
        let request = signed_in(upload_request("POST", Body::from(broken[..end].to_vec())), &anna);
        assert_eq!(platform.send(request).await.status, 400, "{end} bytes");
    }
    let json = platform.call("POST", "/media", Some(&anna), Some(json!({ "purpose": "POST" }))).await;
    assert_eq!(json.status, 400);
    assert_eq!(objects(&platform).await, 0);
    assert_eq!(platform.call("GET", "/me/media", Some(&anna), None).await.body, json!([]));
}

/// The limit holds while a body comes whose length is not known.
#[sqlx::test(migrations = false)]
async fn a_file_that_is_too_large_is_refused_while_it_comes(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database, &["--media-max-bytes", "20000"]).await;
    let (anna, _) = new_user();
    let mut file = picture(8, 8);
    let whole = |file: &[u8]| form_with(&[("purpose", "POST")], Some(file));
    file.resize(20_000, 0);
    let reply = platform.send(signed_in(upload_request("POST", whole(&file).into()), &anna)).await;
    assert_eq!(reply.status, 202, "exactly the limit: {reply:?}");
    file.push(0);
    let body = whole(&file);
    let pieces = body.chunks(700).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)));
    let streamed = Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()));
    let reply = platform.send(signed_in(upload_request("POST", streamed), &anna)).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (413, &json!("The body is larger than 20000 bytes")));
    file.resize(500_000, 0);
    let reply = platform.send(signed_in(upload_request("POST", whole(&file).into()), &anna)).await;
    assert_eq!(reply.status, 413, "{reply:?}");
    assert_eq!(objects(&platform).await, 1);
}

/// Of uploads at the same time, no more are taken than the quota has room for, and what is deleted makes room.
#[sqlx::test(migrations = false)]
async fn a_quota_holds_for_uploads_at_once_and_is_free_again_after_a_deletion(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, _folder) = start(database, &["--media-quota-bytes", "3000"]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let file = |number: u32| {
        let mut file = picture(4, 4 + number);
        file.resize(1_000, 0);
        file
    };
    let files: Vec<_> = (0..6).map(file).collect();
    let texts: [(&str, &str); 1] = [("purpose", "POST")];
    let uploads = files.iter().map(|file| upload_form(&platform, &anna, &texts, Some(file)));
    let replies = futures::future::join_all(uploads).await;
    let accepted: Vec<_> = replies.iter().filter(|reply| reply.status == 202).collect();
    let refused = replies.iter().filter(|reply| reply.status == 409).count();
    assert_eq!((accepted.len(), refused), (3, 3), "{replies:?}");
    assert_eq!(objects(&platform).await, 3);
    assert_eq!(upload_form(&platform, &bert, &texts, Some(&files[0])).await.status, 202, "another one's quota");
    let id = accepted[0].body["id"].as_str().unwrap();
    assert_eq!(platform.call("DELETE", &format!("/media/{id}"), Some(&anna), None).await.status, 204);
    upload(&platform, &anna, "POST", &file(9)).await;
}

/// Equal bytes are one file, and it is there until the last of its pictures is gone.
#[sqlx::test(migrations = false)]
async fn the_same_bytes_are_stored_once(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let file = picture(9, 9);
    let hers = upload(&platform, &anna, "POST", &file).await;
    let his = upload(&platform, &bert, "POST", &file).await;
    assert_eq!(objects(&platform).await, 1);
    super::process_all(&platform).await;
    super::sweep(&platform).await;
    assert_eq!(objects(&platform).await, 1, "thumbnail and medium of a small picture are the same bytes, for both");
    for (token, id, left) in [(&anna, &hers, 1), (&bert, &his, 0)] {
        assert_eq!(platform.call("DELETE", &format!("/media/{id}"), Some(token), None).await.status, 204);
        super::sweep(&platform).await;
        assert_eq!(objects(&platform).await, left);
    }
}

/// The list has pages, as every list has.
#[sqlx::test(migrations = false)]
async fn pictures_are_listed_newest_first_and_described_by_their_owner(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _folder) = start(database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let mut ids = Vec::new();
    for number in 1..4 {
        ids.push(upload(&platform, &anna, "POST", &picture(4, 4 + number)).await);
    }
    let first = platform.call("GET", "/me/media?limit=2", Some(&anna), None).await;
    assert_eq!([&first.body[0]["id"], &first.body[1]["id"]], [&json!(ids[2]), &json!(ids[1])]);
    let link = first.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().split_once('>').unwrap().0;
    let second = platform.call("GET", next, Some(&anna), None).await.body;
    assert_eq!((second.as_array().unwrap().len(), &second[0]["id"]), (1, &json!(ids[0])));

    let path = format!("/media/{}", ids[0]);
    let alt = |words: &str| Some(json!({ "alt": words }));
    let described = platform.call("PATCH", &path, Some(&anna), alt("Rot nach Blau")).await;
    assert_eq!((described.status.as_u16(), &described.body["alt"]), (200, &json!("Rot nach Blau")));
    assert_eq!(platform.call("PATCH", &path, Some(&bert), alt("mine")).await.status, 404);
    assert_eq!(platform.call("DELETE", &path, Some(&bert), None).await.status, 404);
    assert_eq!(platform.call("PATCH", &path, Some(&anna), alt(&"a".repeat(1_501))).await.status, 422);
    assert_eq!(platform.call("PATCH", &path, Some(&anna), Some(json!({ "alt": null }))).await.status, 422);
    assert_eq!(state(&platform, &anna, &ids[0]).await["alt"], "Rot nach Blau");
}
