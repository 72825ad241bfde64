//! Files: who gets them, with which headers, and until when.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{get, get_with, picture, post_with, ready, state, url};
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::media::grants::Grant;
use crate::posts::events::{MODERATION_DECIDED, POST_CREATED, POST_DELETE_REQUESTED};

/// A file comes with what a browser needs to keep it and must not do with it; and in parts.
#[sqlx::test(migrations = false)]
async fn a_file_is_cached_ranged_and_harmless(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(400, 300)).await;
    let post = post_with(&platform, &anna, &[&id]).await;
    let address = url(&post["media"][0]["medium"]);
    let (status, headers, whole) = get(&platform, address).await;
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!((status.as_u16(), header("content-type")), (200, "image/jpeg".to_owned()));
    assert_eq!(header("content-length"), whole.len().to_string());
    assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let cache = header("cache-control");
    let age = cache.strip_prefix("public, max-age=").unwrap().strip_suffix(", immutable").unwrap();
    assert!((3_600..=7_200).contains(&age.parse::<u64>().unwrap()), "{cache}");

    let tag = header("etag");
    let (status, _, body) = get_with(&platform, address, &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
    assert_eq!((status.as_u16(), body.len()), (304, 0));
    let (status, headers, part) = get_with(&platform, address, &[("range", "bytes=10-19")]).await;
    assert_eq!((status.as_u16(), &part[..]), (206, &whole[10..20]));
    assert_eq!(headers["content-range"], format!("bytes 10-19/{}", whole.len()).as_str());
    let stale = [("range", "bytes=10-19"), ("if-range", "\"other\"")];
    assert_eq!(get_with(&platform, address, &stale).await.2, whole, "of another version a part would be useless");
    let (status, headers, _) = get_with(&platform, address, &[("range", "bytes=999999-")]).await;
    assert_eq!(status, 416);
    assert_eq!(headers["content-range"], format!("bytes */{}", whole.len()).as_str());
}

/// A file is gone for readers as soon as no published post shows it, whatever address they have.
#[sqlx::test(migrations = false)]
async fn a_picture_is_seen_as_long_as_its_post(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(40, 30)).await;
    let post = post_with(&platform, &anna, &[&id]).await;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let signed = url(&post["media"][0]["medium"]).to_owned();
    let key = platform.published(POST_CREATED).await[0]["media"][0]["key"].as_str().unwrap().to_owned();
    let keyed = format!("/api/v1/media/{id}/medium?key={key}");
    let seen = async || [get(&platform, &signed).await.0.as_u16(), get(&platform, &keyed).await.0.as_u16()];
    let status = async |status: &str| {
        let change = json!({ "content": "x", "types": [], "status": status });
        platform.call("PUT", &path, Some(&anna), Some(change)).await.body
    };
    assert_eq!(seen().await, [200, 200]);
    let archived = status("ARCHIVED").await;
    assert_eq!(seen().await, [404, 404], "it is archived");
    let own = url(&archived["media"][0]["medium"]);
    let (code, headers, _) = get(&platform, own).await;
    assert_eq!(code, 200, "its author sees it");
    assert!(headers["cache-control"].to_str().unwrap().starts_with("private, "));
    status("POSTED").await;
    assert_eq!(seen().await, [200, 200]);

    let request = json!({ "content_id": post["id"], "raw_content": post, "reason": "NUDITY" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    assert_eq!(seen().await, [404, 404], "it is hidden");
    let moderator = format!("{}:ACTIVE:MODERATOR", Uuid::now_v7());
    assert_eq!(platform.call("POST", &format!("{path}/restore"), Some(&moderator), None).await.status, 200);
    assert_eq!(seen().await, [200, 200]);
    let without = json!({ "content": "x", "types": [], "media": [] });
    platform.call("PUT", &path, Some(&anna), Some(without)).await;
    assert_eq!(seen().await, [404, 404], "the post does not show it any more");
    let again = json!({ "content": "x", "types": [], "media": [id] });
    let again = platform.call("PUT", &path, Some(&anna), Some(again)).await.body;
    assert_eq!(seen().await, [200, 404], "with a new key");
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    assert_eq!(get(&platform, url(&again["media"][0]["medium"])).await.0, 404, "it is deleted");
    assert_eq!(get(&platform, own).await.0, 404, "and its picture with it");
    assert_eq!(state(&platform, &anna, &id).await["status"], 404);
}

/// Without a good address there is nothing, but for the owner with their token.
#[sqlx::test(migrations = false)]
async fn addresses_cannot_be_made_up(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let id = ready(&platform, &anna, "POST", &picture(40, 30)).await;
    let other = ready(&platform, &anna, "POST", &picture(30, 40)).await;
    let post = post_with(&platform, &anna, &[&id]).await;
    let signed = url(&post["media"][0]["medium"]);
    let grant = signed.split_once("grant=").unwrap().1;
    let bare = format!("/api/v1/media/{id}/medium");
    let media = Uuid::try_parse(&id).unwrap();
    let old = super::library(&platform).urls.sign(media, "medium", Grant::Owner, 0);
    for address in [
        bare.clone(),
        format!("{bare}?grant="),
        format!("{bare}?grant={}", grant.replace('A', "B")),
        format!("/api/v1/media/{other}/medium?grant={grant}"),
        format!("{bare}?key={}", Uuid::now_v7()),
        format!("{bare}?key=x"),
        format!("/api/v1/media/{id}/original?grant={grant}"),
        format!("/api/v1/media/{id}/large?grant={grant}"),
        format!("/api/v1/media/{}/medium?grant={grant}", Uuid::now_v7()),
        old,
    ] {
        assert_eq!(get(&platform, &address).await.0, 404, "{address}");
    }
    assert_eq!(get(&platform, &format!("/api/v1/media/x/medium?grant={grant}")).await.0, 422);
    let as_user =
        async |token: &str| get_with(&platform, &bare, &[("authorization", &format!("Bearer {token}"))]).await;
    let (status, headers, _) = as_user(&anna).await;
    assert_eq!((status.as_u16(), headers["cache-control"].to_str().unwrap()), (200, "no-store"));
    assert_eq!(as_user(&bert).await.0, 404);
    assert_eq!(as_user("nonsense").await.0, 401);
}

/// Moderation hides a picture on all posts, gives it back, and takes it away for good; the newest decision holds.
#[sqlx::test(migrations = false)]
async fn moderation_decides_about_a_picture(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(40, 30)).await;
    let post = post_with(&platform, &anna, &[&id]).await;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let signed = url(&post["media"][0]["medium"]).to_owned();
    let decide = async |version: i64, visibility: &str| {
        let decision =
            json!({ "subject_type": "MEDIA", "subject_id": id, "version": version, "visibility": visibility });
        platform.consume(MODERATION_DECIDED, &decision).await;
        let shown = platform.call("GET", &path, Some(&anna), None).await.body["media"] != Value::Null;
        (shown, get(&platform, &signed).await.0.as_u16())
    };
    assert_eq!(decide(2, "HIDDEN").await, (false, 404));
    let media = state(&platform, &anna, &id).await;
    assert_eq!(media["hidden"], true, "its owner learns it");
    assert_eq!(get(&platform, url(&media["medium"])).await.0, 200);
    let again = json!({ "content": "x", "types": [], "media": [id] });
    assert_eq!(platform.call("POST", "/posts", Some(&anna), Some(again)).await.status, 400);
    assert_eq!(decide(1, "VISIBLE").await, (false, 404), "an older decision");
    assert_eq!(decide(3, "VISIBLE").await, (true, 200));
    assert_eq!(decide(4, "REMOVED").await, (false, 404));
    assert_eq!(state(&platform, &anna, &id).await["status"], 404);
    assert_eq!(decide(5, "VISIBLE").await, (false, 404), "it is gone");
}

/// Other services get the medium rendition with the service token, hidden or not.
#[sqlx::test(migrations = false)]
async fn services_get_a_picture_by_the_service_token(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(40, 30)).await;
    let path = format!("/internal/media/{id}");
    let (status, headers, body) = get_with(&platform, &path, &[("authorization", "Bearer operator")]).await;
    assert_eq!((status.as_u16(), headers["content-type"].to_str().unwrap()), (200, "image/jpeg"));
    assert!(image::load_from_memory(&body).is_ok());
    assert_eq!(get_with(&platform, &path, &[("authorization", &format!("Bearer {anna}"))]).await.0, 403);
    let unknown = format!("/internal/media/{}", Uuid::now_v7());
    assert_eq!(get_with(&platform, &unknown, &[("authorization", "Bearer operator")]).await.0, 404);
}
