//! Limits posts, and stores their labels.
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::moderated_posts::models::{PostLabels, PostLimit};
use crate::moderated_posts::signals;

/// What an event is about.
#[derive(Deserialize)]
struct EventSubject {
    subject_type: String,
}

#[derive(Deserialize)]
struct PostDecided {
    subject_id: Uuid,
    author: Uuid,
    version: i64,
    visibility: PostVisibility,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum PostVisibility {
    Visible,
    Limited,
    Held,
    Hidden,
    Removed,
}

#[derive(Deserialize)]
struct PostLabelled {
    subject_id: Uuid,
    author: Uuid,
    version: i64,
    labels: Vec<String>,
}

/// The events that are about posts.
fn read<T: DeserializeOwned>(events: &[Event]) -> serde_json::Result<Vec<T>> {
    let about_a_post = |event: &Event| {
        let EventSubject { subject_type } = serde_json::from_str(&event.message)?;
        (subject_type == "POST").then(|| serde_json::from_str(&event.message)).transpose()
    };
    events.iter().filter_map(|event| about_a_post(event).transpose()).collect()
}

/// Takes posts out of all feeds but their authors', or lets them back.
pub fn moderation_decided<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let limit = |post: PostDecided| PostLimit {
            post_id: post.subject_id,
            author: post.author,
            version: post.version,
            limited: post.visibility != PostVisibility::Visible,
        };
        let limits: Vec<PostLimit> = read(events)?.into_iter().map(limit).collect();
        Ok(signals::decided(tx, &limits).await?)
    })
}

/// Stores the labels of posts.
pub fn content_labelled<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let labels = |PostLabelled { subject_id, author, version, labels }: PostLabelled| PostLabels {
            post_id: subject_id,
            author,
            version,
            labels,
        };
        let posts: Vec<PostLabels> = read(events)?.into_iter().map(labels).collect();
        Ok(PostLabels::save(tx, &posts).await?)
    })
}
