//! Notifications in the API: what is read of them, and what marks them as viewed.
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{ActorCard, Notification};
use super::{Stage, Type};
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::people::schemas::PersonCard;
use crate::profiles::Level;

/// Notifications that one request can mark as viewed.
const MAX_IDS: usize = 200;

/// The post that a notification is about
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NotifiedPost {
    pub id: Uuid,
    pub title: Option<String>,
    /// The first 140 characters
    pub excerpt: String,
}

/// A notification: a group of what others did, or something that the platform has to say
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0199d0ac-3c9e-7a2e-8f3c-6f2d8a1f0b11", "type": "POST_REACTION_RECEIVED", "status": "SENT",
    "actors": [{ "id": "0199d0ac-3c9e-7a2e-8f3c-000000000001", "username": "ann", "first_name": "Ann", "last_name": null,
        "avatar_url": null }],
    "total_actors": 13,
    "post": { "id": "0199d0ac-3c9e-7a2e-8f3c-000000000002", "title": "Autumn", "excerpt": "The leaves are falling." },
    "level": null, "title": null, "text": "Ann and 12 others reacted to your post",
    "created_at": "2026-11-20T15:05:05.052839+00:00", "updated_at": "2026-11-20T16:10:00.000001+00:00", "viewed_at": null,
    "change": 42
})))]
pub struct NotificationOut {
    pub id: Uuid,
    pub r#type: Type,
    pub status: Stage,
    /// The newest three people behind it
    pub actors: Vec<PersonCard>,
    /// How many distinct people are behind it
    pub total_actors: i64,
    /// Of reactions and comments: the post
    pub post: Option<NotifiedPost>,
    /// Of `PROFILE_ACTIVITY`: the new level
    pub level: Option<Level>,
    /// Of `SYSTEM_MESSAGE`: its title
    pub title: Option<String>,
    /// All of it in a sentence
    pub text: String,
    /// When the oldest of what it is about happened
    pub created_at: Timestamp,
    /// When the newest did: the order of the list
    pub updated_at: Timestamp,
    /// Null while it is unread
    pub viewed_at: Option<Timestamp>,
    /// The number of its last change among those of the caller's notifications: what `up_to_change` takes
    pub change: i64,
}

impl From<ActorCard> for PersonCard {
    fn from(actor: ActorCard) -> Self {
        let ActorCard { id, username, first_name, last_name, avatar_url } = actor;
        Self { id, username, first_name, last_name, avatar_url }
    }
}

impl From<Notification> for NotificationOut {
    fn from(notification: Notification) -> Self {
        let text = notification.text();
        let is_by_people = notification.r#type.is_by_people();
        let post = notification.excerpt.map(|excerpt| NotifiedPost {
            id: notification.subject_id,
            title: notification.post_title,
            excerpt,
        });
        Self {
            id: notification.id,
            r#type: notification.r#type,
            status: notification.status,
            actors: notification.actors.0.into_iter().map(PersonCard::from).collect(),
            total_actors: if is_by_people { notification.causes } else { 0 },
            post,
            level: notification.level,
            title: notification.message_title,
            text,
            created_at: notification.created_at,
            updated_at: notification.updated_at,
            viewed_at: notification.viewed_at,
            change: notification.change,
        }
    }
}

/// How many notifications are unread
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({ "unread": 3 })))]
pub struct UnreadCount {
    pub unread: i64,
}

/// Which notifications were viewed: some, or all up to a change or a time
#[derive(ToSchema)]
#[schema(examples(json!({ "up_to_change": 42 })))]
pub struct ViewedIn {
    /// At most 200 ids
    #[schema(value_type = Vec<Uuid>, max_items = 200, required = false)]
    pub ids: Option<Vec<Uuid>>,
    /// All that are not newer than this: the `updated_at` of the newest one that was shown. What happened before and was consumed since
    /// is viewed with them; `up_to_change` leaves it unread
    #[schema(value_type = String, format = DateTime, required = false)]
    pub up_to: Option<Timestamp>,
    /// All that have not changed since this one: the highest `change` of those that were shown
    #[schema(value_type = i64, required = false)]
    pub up_to_change: Option<i64>,
}

impl Input for ViewedIn {
    fn read(fields: &mut Fields) -> Self {
        let ids = fields.value("ids").map(|ids| read_ids(fields, ids));
        let up_to = fields.value("up_to").and_then(|up_to| read_time(fields, &up_to));
        let up_to_change = fields.value("up_to_change").and_then(|change| read_change(fields, &change));
        let given = [ids.is_some(), up_to.is_some(), up_to_change.is_some()];
        if fields.errors.is_empty() && given.into_iter().filter(|is_given| *is_given).count() != 1 {
            fields.refuse(
                "ids",
                "one of ids, up_to and up_to_change is needed, and no other",
                "value_error.either",
                None,
            );
        }
        Self { ids, up_to, up_to_change }
    }
}

fn read_ids(fields: &mut Fields, ids: Value) -> Vec<Uuid> {
    let Value::Array(ids) = ids else {
        fields.refuse("ids", "value is not a valid list", "type_error.list", None);
        return Vec::new();
    };
    if ids.len() > MAX_IDS {
        let msg = format!("ensure this value has at most {MAX_IDS} items");
        fields.refuse("ids", msg, "value_error.list.max_items", Some(json!({ "limit_value": MAX_IDS })));
        return Vec::new();
    }
    let read: Option<Vec<Uuid>> = ids.iter().map(|id| Uuid::try_parse(id.as_str()?).ok()).collect();
    read.unwrap_or_else(|| {
        fields.refuse("ids", "value is not a valid uuid", "type_error.uuid", None);
        Vec::new()
    })
}

fn read_time(fields: &mut Fields, time: &Value) -> Option<Timestamp> {
    let time = time.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    // Postgres knows no other years.
    let time =
        time.map(|time| time.with_timezone(&Utc)).filter(|time| (0..=9_999).contains(&chrono::Datelike::year(time)));
    if time.is_none() {
        fields.refuse("up_to", "invalid datetime format", "value_error.datetime", None);
    }
    time.map(Timestamp)
}

fn read_change(fields: &mut Fields, change: &Value) -> Option<i64> {
    let change = change.as_i64().filter(|change| *change >= 0);
    if change.is_none() {
        fields.refuse("up_to_change", "value is not a valid integer", "type_error.integer", None);
    }
    change
}
