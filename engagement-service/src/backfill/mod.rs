//! The backfill: fills the read model from the services that own what it copies, at the first start and by `rebuild`.
//!
//! Each source is read page by page in the order of its keys, and every row passes through the function by which an event of it
//! is applied. These keep the newest version, so events that are consumed meanwhile are right before and behind a page. What is
//! stored in a page's range of keys and not on the page is deleted there, unless it is so young that the page's snapshot may
//! have missed it. Of moderation's decisions none is: what was decided about a post leaves moderation with its author's data alone,
//! as it leaves this service.
//!
//! Views are counted and have no version. A page of posts therefore says up to which entry W of `post_viewed` its sums go. As long
//! as posts are copied, the views that are counted here are also logged, from entry S on. With W at or behind S, the views of a post
//! are the sum of the page and the logged ones behind W; a page whose W is before S is read again later. A view up to W that is
//! consumed afterwards counts nothing (`views_ms`, `views_seq` of its post).
//!
//! Behind the sources the notifications are reviewed (`reviews`), since pages write rows of which no event comes: people behind a
//! notification whose cause is gone leave it. Those who are missing are counted with the page that brings their row.
//!
//! Connections come as a stream of pages where the auth service has a graph view (`graph`). One that breaks off is opened again
//! behind the last page that was stored.
//!
//! The progress is stored with each page, so a process that takes over goes on at the next one. A lock in Postgres elects the
//! replica that works; two of them at once would do no harm, since a page is applied only where its cursor is still the stored one.
//!
//! The copy gives way to people. While it works without a pause, it keeps a core of Postgres, of an owner or of this service busy at
//! any time, and on a small machine those calls of one service by another that a request waits for, of which the shortest may take
//! 300 ms, ran out of time: requests were answered with 503. So a page is small, no more than a few are read from an owner
//! at once, and behind each the worker rests for half as long as the page took.
pub mod commands;
pub mod events;
pub mod graph;
mod leftovers;
mod models;
mod reviews;
pub mod schedulers;
mod schemas;
mod services;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::core::app::App;

/// What is copied, in the order in which it is, and what is reviewed behind that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, sqlx::Type)]
#[serde(rename_all = "kebab-case")]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum Source {
    People,
    // Before all that may or may not be a reason for a notification because of them.
    Blocks,
    Connections,
    // Before the posts, so that none of these is in a feed that it is to be kept out of.
    ModeratedPosts,
    Posts,
    Comments,
    Reactions,
    CommentReactions,
    Notifications,
}

impl Source {
    /// Its word in paths, metrics and the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Connections => "connections",
            Self::Blocks => "blocks",
            Self::ModeratedPosts => "moderated-posts",
            Self::Posts => "posts",
            Self::Comments => "comments",
            Self::Reactions => "reactions",
            Self::CommentReactions => "comment-reactions",
            Self::Notifications => "notifications",
        }
    }

    /// The service that owns it.
    pub fn owner(self) -> &'static str {
        match self {
            Self::People | Self::Connections | Self::Blocks => "auth-service",
            Self::ModeratedPosts => "moderation-service",
            Self::Posts => "post-service",
            Self::Comments | Self::Reactions | Self::CommentReactions => "interaction-service",
            Self::Notifications => "engagement-service",
        }
    }
}

/// Rows on a page: what one transaction applies. Its locks hold up consumers and readers for as long.
const PAGE_ROWS: u32 = 500;

/// The route for operators; a gateway does not route it.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/internal/rebuild", get(views::show_rebuild))
}
