//! Which of several versions of a post is stored.
use std::collections::BTreeMap;

use uuid::Uuid;

use super::models::PostCard;

/// Each post once, in the order of ids, in which all transactions lock them: the newest version, and the earliest publication of
/// any.
pub fn newest(posts: Vec<PostCard>) -> Vec<PostCard> {
    let mut newest: BTreeMap<Uuid, PostCard> = BTreeMap::new();
    for post in posts {
        let Some(kept) = newest.get_mut(&post.id) else {
            newest.insert(post.id, post);
            continue;
        };
        let published_at = [kept.published_at, post.published_at].into_iter().flatten().min();
        // An equal version is written again: the original post service changes a post without a new version.
        if kept.version <= post.version {
            *kept = post;
        }
        kept.published_at = published_at;
    }
    newest.into_values().collect()
}
