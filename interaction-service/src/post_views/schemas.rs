//! A view in the API and in its event: the post and its viewer.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::posts::schemas::PostOut;

/// The longest content in the event of a view, in characters: its listeners count, and read no text.
const MAX_EVENT_CONTENT: usize = 100;

/// A post after the caller's view, which is counted.
#[derive(Clone, Serialize, ToSchema)]
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

    /// The post after a view that has counted already, when it was shown with `shown` views. The post service may not have counted
    /// it yet.
    pub fn again(mut post: PostOut, viewer: Uuid, shown: i64) -> Self {
        post.total_views = post.total_views.max(shown);
        Self { post, viewed_by: viewer }
    }

    /// The views that the post is shown with.
    pub fn total_views(&self) -> i64 {
        self.post.total_views
    }

    /// The view as it is published: all fields, with the beginning of a long content.
    pub fn shortened(&self) -> Self {
        let mut view = self.clone();
        if let Some((end, _)) = view.post.content.char_indices().nth(MAX_EVENT_CONTENT) {
            view.post.content.truncate(end);
        }
        view
    }
}
