//! A view in the API and in its event: the post and its viewer.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::posts::schemas::PostOut;

/// A post after the caller's view, which is counted.
#[derive(Serialize, ToSchema)]
pub struct PostViewed {
    #[serde(flatten)]
    post: PostOut,
    /// The user who viewed it
    viewed_by: Uuid,
}

impl PostViewed {
    /// The post after one more view, by this user.
    pub fn new(mut post: PostOut, viewer: Uuid) -> Self {
        post.total_views += 1;
        Self { post, viewed_by: viewer }
    }
}
