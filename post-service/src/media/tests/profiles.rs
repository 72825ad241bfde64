//! Avatars and banners, and what the auth service learns of them.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{get, picture, ready, upload};
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::media::pictures::events::PROFILE_PICTURE_CHANGED;
use crate::posts::events::MODERATION_DECIDED;

/// An avatar has an address that lasts as long as it is the avatar.
#[sqlx::test(migrations = false)]
async fn an_avatar_is_public_while_it_is_the_avatar(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = new_user();
    let first = ready(&platform, &anna, "AVATAR", &picture(40, 30)).await;
    let second = ready(&platform, &anna, "AVATAR", &picture(30, 50)).await;
    let address = |id: &str| format!("/api/v1/media/{id}/medium");
    assert_eq!(get(&platform, &address(&first)).await.0, 404, "it is not chosen");
    let choose = async |id: &str| {
        let choice = Some(json!({ "media_id": id }));
        platform.call("PUT", "/me/avatar", Some(&anna), choice).await
    };
    let chosen = choose(&first).await;
    assert_eq!((chosen.status.as_u16(), &chosen.body["url"]), (200, &json!(address(&first))));
    let (status, headers, _) = get(&platform, &address(&first)).await;
    assert_eq!((status.as_u16(), headers["cache-control"].to_str().unwrap()), (200, "public, max-age=3600, immutable"));
    assert_eq!(choose(&first).await.status, 200, "which changes nothing");
    choose(&second).await;
    assert_eq!(get(&platform, &address(&first)).await.0, 404, "it is not the avatar any more");
    assert_eq!(platform.call("DELETE", "/me/avatar", Some(&anna), None).await.status, 204);
    assert_eq!(platform.call("DELETE", "/me/avatar", Some(&anna), None).await.status, 204, "there is none");
    assert_eq!(get(&platform, &address(&second)).await.0, 404);

    let event = |media: Option<&str>, version: i64| {
        let url = media.map(address);
        json!({ "user_id": her, "purpose": "AVATAR", "media_id": media, "url": url, "version": version })
    };
    let expected = [event(Some(&first), 1), event(Some(&second), 2), event(None, 3)];
    assert_eq!(platform.published(PROFILE_PICTURE_CHANGED).await, expected);
}

/// Only an own picture that is ready and was uploaded for it can be chosen.
#[sqlx::test(migrations = false)]
async fn what_is_no_avatar_cannot_be_chosen(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let his = ready(&platform, &bert, "AVATAR", &picture(5, 5)).await;
    let for_posts = ready(&platform, &anna, "POST", &picture(6, 6)).await;
    let banner = ready(&platform, &anna, "BANNER", &picture(7, 7)).await;
    let waiting = upload(&platform, &anna, "AVATAR", &picture(8, 8)).await;
    for id in [his, for_posts, banner.clone(), waiting] {
        let choice = Some(json!({ "media_id": id }));
        assert_eq!(platform.call("PUT", "/me/avatar", Some(&anna), choice).await.status, 404);
    }
    for wrong in [json!({}), json!({ "media_id": null }), json!({ "media_id": "x" }), json!({ "media_id": "" })] {
        assert_eq!(platform.call("PUT", "/me/avatar", Some(&anna), Some(wrong.clone())).await.status, 422, "{wrong}");
    }
    assert_eq!(platform.published(PROFILE_PICTURE_CHANGED).await, [json!(null); 0]);
    let choice = Some(json!({ "media_id": banner }));
    assert_eq!(platform.call("PUT", "/me/banner", Some(&anna), choice).await.body["purpose"], "BANNER");
    assert_eq!(platform.call("DELETE", "/me/banner", Some(&anna), None).await.status, 204);
}

/// A picture that is deleted, or hidden by moderation, leaves the profile.
#[sqlx::test(migrations = false)]
async fn a_deleted_or_hidden_picture_leaves_the_profile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let mut seen: Vec<Value> = Vec::new();
    for (number, end) in ["DELETE", "HIDE"].into_iter().enumerate() {
        let id = ready(&platform, &anna, "AVATAR", &picture(5, 5 + u32::try_from(number).unwrap())).await;
        let choice = Some(json!({ "media_id": id }));
        assert_eq!(platform.call("PUT", "/me/avatar", Some(&anna), choice).await.status, 200);
        if end == "DELETE" {
            assert_eq!(platform.call("DELETE", &format!("/media/{id}"), Some(&anna), None).await.status, 204);
        } else {
            let decision = json!({ "subject_type": "MEDIA", "subject_id": id, "version": 1, "visibility": "HELD" });
            platform.consume(MODERATION_DECIDED, &decision).await;
        }
        assert_eq!(get(&platform, &format!("/api/v1/media/{id}/medium")).await.0, 404);
        seen.extend([json!(id), json!(null)]);
    }
    let events = platform.published(PROFILE_PICTURE_CHANGED).await;
    assert_eq!(events.iter().map(|event| event["media_id"].clone()).collect::<Vec<_>>(), seen);
    assert_eq!(events.iter().map(|event| event["version"].clone()).collect::<Vec<_>>(), [1, 2, 3, 4]);
}
