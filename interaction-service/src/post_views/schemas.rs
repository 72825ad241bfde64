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

    /// The views that the post is shown with.
    pub fn total_views(&self) -> i64 {
        self.post.total_views
    }
}

/// A view as it is published: all fields, with the beginning of a long content.
#[derive(Serialize)]
pub struct PublishedView {
    #[serde(flatten)]
    view: PostViewed,
    /// Whether the viewer has viewed the post within the window, so that this view is none for its score. Absent where they have not:
    /// then the message is the original's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
}

impl PublishedView {
    /// The event of a view.
    pub fn new(mut view: PostViewed, repeated: bool) -> Self {
        if let Some((end, _)) = view.post.content.char_indices().nth(MAX_EVENT_CONTENT) {
            view.post.content.truncate(end);
        }
        Self { view, repeated }
    }
}
