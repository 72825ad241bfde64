//! Uploaded pictures, through the events of the post service and the profile that they change.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::PROFILE_PICTURE_CHANGED;
use crate::core::testing::Platform;
use crate::profiles::events::USER_UPDATED;
use crate::testing::{Person, join, start};

/// A choice, as the post service publishes it.
async fn choose(platform: &Platform, person: Uuid, purpose: &str, url: Option<&str>, version: i64) {
    let media = url.map(|_| Uuid::now_v7());
    let event = json!({ "user_id": person, "purpose": purpose, "media_id": media, "url": url, "version": version });
    platform.consume(PROFILE_PICTURE_CHANGED, &event).await;
}

async fn profile(platform: &Platform, person: &Person) -> Value {
    platform.call("GET", "/users/me", Some(&person.token), None).await.body
}

/// A chosen picture becomes the avatar or the banner, and other services learn of it.
#[sqlx::test(migrations = false)]
async fn a_chosen_picture_is_in_the_profile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    assert_eq!(profile(&platform, &anna).await.get("banner_url"), None);
    choose(&platform, anna.id, "AVATAR", Some("/api/v1/media/1/medium"), 1).await;
    choose(&platform, anna.id, "BANNER", Some("/api/v1/media/2/medium"), 1).await;
    let seen = profile(&platform, &anna).await;
    assert_eq!(
        (&seen["avatar_url"], &seen["banner_url"]),
        (&json!("/api/v1/media/1/medium"), &json!("/api/v1/media/2/medium"))
    );
    let published = platform.published(USER_UPDATED).await;
    let last = published.last().unwrap();
    assert_eq!((&last["id"], &last["avatar_url"]), (&json!(anna.id), &json!("/api/v1/media/1/medium")));
}

/// The newest choice holds, in whatever order the events come; and the same one twice is published once.
#[sqlx::test(migrations = false)]
async fn the_newest_choice_holds(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    choose(&platform, anna.id, "AVATAR", Some("/second"), 2).await;
    let published = platform.published(USER_UPDATED).await.len();
    choose(&platform, anna.id, "AVATAR", Some("/first"), 1).await;
    choose(&platform, anna.id, "AVATAR", Some("/second"), 2).await;
    assert_eq!(profile(&platform, &anna).await["avatar_url"], "/second");
    assert_eq!(platform.published(USER_UPDATED).await.len(), published);
    choose(&platform, anna.id, "AVATAR", None, 3).await;
    assert_eq!(profile(&platform, &anna).await["avatar_url"], json!(null));
}

/// An address that was given by hand stays when a picture is taken away, and gives way to one that is chosen.
#[sqlx::test(migrations = false)]
async fn an_address_given_by_hand_is_not_taken_away(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    choose(&platform, anna.id, "AVATAR", Some("/picture"), 1).await;
    let own = json!({ "avatar_url": "https://example.com/anna.png" });
    assert_eq!(platform.call("PATCH", "/users/me", Some(&anna.token), Some(own)).await.status, 200);
    choose(&platform, anna.id, "AVATAR", None, 2).await;
    assert_eq!(profile(&platform, &anna).await["avatar_url"], "https://example.com/anna.png");
    choose(&platform, anna.id, "AVATAR", Some("/another"), 3).await;
    assert_eq!(profile(&platform, &anna).await["avatar_url"], "/another");
}

/// A choice of a person who has left is nothing.
#[sqlx::test(migrations = false)]
async fn a_late_choice_of_a_person_who_has_left_is_not_stored(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let person = Uuid::now_v7();
    choose(&platform, person, "AVATAR", Some("/late"), 1).await;
    assert!(!platform.finds(&person.to_string()).await.contains(&"auth.profile_picture".to_owned()));
}
