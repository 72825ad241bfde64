//! Bookmarks in the API: request, response, validation.
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::MAX_FOLDER;
use super::models::{Bookmark, Folder};
use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::core::contract::timestamp::Timestamp;

/// Where a bookmark is put.
#[derive(ToSchema)]
#[schema(examples(json!({ "folder": "To read" })))]
pub struct BookmarkIn {
    /// The name of a folder, 1 to 50 characters without the blanks around it; in no folder when it is not given
    #[schema(min_length = 1, max_length = 50, required = false)]
    pub folder: Option<String>,
}

impl Input for BookmarkIn {
    fn read(fields: &mut Fields) -> Self {
        let folder = fields.optional_text("folder", MAX_FOLDER).map(|folder| folder.trim().to_owned());
        if folder.as_deref() == Some("") && fields.errors.is_empty() {
            let msg = "ensure this value has at least 1 characters";
            fields.refuse(
                "folder",
                msg,
                "value_error.any_str.min_length",
                Some(serde_json::json!({ "limit_value": 1 })),
            );
        }
        Self { folder }
    }
}

/// The folder whose bookmarks a list is asked for; none: all.
pub struct FolderFilter(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for FolderFilter {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let mut query = Query::from_request_parts(parts, state).await?;
        let folder = query.get("folder").map(|folder| folder.trim().to_owned());
        // No folder has such a name, and Postgres takes no NUL.
        let is_name = |folder: &String| folder.chars().count() <= MAX_FOLDER && !folder.chars().any(char::is_control);
        if folder.as_ref().is_some_and(|folder| !is_name(folder)) {
            let msg = "value is not the name of a folder";
            query.errors.push(invalid(&["query", "folder"], msg, "value_error.folder", None));
        }
        query.check()?;
        Ok(Self(folder))
    }
}

/// A post that the caller keeps.
#[derive(Serialize, ToSchema)]
pub struct BookmarkOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub post_id: Uuid,
    /// Null: in no folder
    pub folder: Option<String>,
}

impl From<Bookmark> for BookmarkOut {
    fn from(bookmark: Bookmark) -> Self {
        let Bookmark { id, created_at, post_id, folder } = bookmark;
        Self { id, created_at, post_id, folder }
    }
}

/// A folder of bookmarks.
#[derive(Serialize, ToSchema)]
pub struct FolderOut {
    /// Null: the bookmarks that are in no folder
    pub folder: Option<String>,
    /// How many of its posts the caller may see now
    pub total: i64,
}

impl From<Folder> for FolderOut {
    fn from(folder: Folder) -> Self {
        let Folder { folder, total } = folder;
        Self { folder, total }
    }
}
