//! The routes of notifications.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::Type;
use super::models::{Notification, Selection};
use super::schemas::{NotificationOut, UnreadCount, ViewedIn};
use super::signals;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::core::contract::fields::invalid;
use crate::core::doors::callers::EvenMuted;

const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Notification not found");

/// List the caller's notifications, newest first
#[utoipa::path(get, path = "/me/notifications", tag = "notifications", params(
    ("type" = Option<Type>, Query, description = "Only those of this type"),
    ("unread" = Option<bool>, Query, description = "`true`: only those that were not viewed"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<NotificationOut>),
))]
pub async fn list_notifications(
    user: User,
    State(app): State<App>,
    query: Query,
    page: Page,
) -> Result<Response, Error> {
    let (r#type, unread) = filters(query)?;
    let selection = Selection::Page { r#type, unread, before: page.before, rows: page.rows() };
    let notifications = Notification::list(&app.db, user.id, selection).await?;
    let notifications: Vec<NotificationOut> = notifications.into_iter().map(NotificationOut::from).collect();
    Ok(page.answer(notifications, |notification| (notification.updated_at, notification.id)))
}

fn filters(mut query: Query) -> Result<(Option<Type>, bool), Error> {
    let r#type = query.get("type").map(|word| Type::ALL.into_iter().find(|known| known.word() == word));
    let unread = query.get("unread").map(str::parse::<bool>);
    if r#type == Some(None) {
        let words: Vec<_> = Type::ALL.iter().map(|known| format!("'{}'", known.word())).collect();
        let msg = format!("value is not a valid enumeration member; permitted: {}", words.join(", "));
        query.errors.push(invalid(&["query", "type"], msg, "type_error.enum", None));
    }
    if matches!(unread, Some(Err(_))) {
        let msg = "value could not be parsed to a boolean";
        query.errors.push(invalid(&["query", "unread"], msg, "type_error.bool", None));
    }
    query.check()?;
    Ok((r#type.flatten(), matches!(unread, Some(Ok(true)))))
}

/// Count the caller's unread notifications
#[utoipa::path(get, path = "/me/notifications/unread-count", tag = "notifications", responses(
    (status = 200, body = UnreadCount),
))]
pub async fn count_unread_notifications(user: User, State(app): State<App>) -> Result<Json<UnreadCount>, Error> {
    Ok(Json(UnreadCount { unread: Notification::count_unread(&app.db, user.id).await? }))
}

/// Mark a notification of the caller as viewed
#[utoipa::path(post, path = "/me/notifications/{notification_id}/view", tag = "notifications",
    params(("notification_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = UnreadCount),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn view_notification(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Path(id): Path,
) -> Result<Json<UnreadCount>, Error> {
    let mut tx = app.db.begin().await?;
    if signals::viewed(&mut tx, user.id, Some(&[id]), None, None).await? == 0 {
        return Err(NOT_FOUND);
    }
    let unread = Notification::count_unread(&mut *tx, user.id).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(UnreadCount { unread }))
}

/// Mark some of the caller's notifications as viewed, or all up to a change or a time
#[utoipa::path(post, path = "/me/notifications/view", tag = "notifications", request_body = ViewedIn, responses(
    (status = 200, body = UnreadCount),
))]
pub async fn view_notifications(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Body(viewed): Body<ViewedIn>,
) -> Result<Json<UnreadCount>, Error> {
    let mut tx = app.db.begin().await?;
    signals::viewed(&mut tx, user.id, viewed.ids.as_deref(), viewed.up_to, viewed.up_to_change).await?;
    let unread = Notification::count_unread(&mut *tx, user.id).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(UnreadCount { unread }))
}

/// Delete a notification of the caller; something new of the same kind brings it back
#[utoipa::path(delete, path = "/me/notifications/{notification_id}", tag = "notifications",
    params(("notification_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn delete_notification(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if !signals::deleted(&mut tx, user.id, id).await? {
        return Err(NOT_FOUND);
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
