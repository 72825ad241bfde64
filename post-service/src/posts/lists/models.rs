//! Filtered lists of posts and posts by their ids in the database: all of their SQL.
//!
//! Each filter has an index in the order of the list, and of several the one that lets the fewest posts through leads: author, tag,
//! category, pictures. What it leads to is looked at by the others, until there are enough for a page.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::backfill::models::ListingBackfill;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::posts::models::{EXCERPT, Post, WHOLE_PAGE};
use crate::posts::{Commenters, Status};

/// The list of posts that have pictures, in `post_listing`; the others are categories.
const WITH_MEDIA: &str = "media";
/// How far the posts of an author are counted.
pub const MAX_COUNT: i64 = 10_000;

/// By what a list is filtered.
#[derive(Debug, Default)]
pub struct PostFilter {
    pub author: Option<Uuid>,
    pub category: Option<String>,
    /// Folded, as it is indexed.
    pub tag: Option<String>,
    /// Whether it shows pictures.
    pub has_media: Option<bool>,
}

/// Which posts a page has: those that the viewer may see, behind a place.
#[derive(Clone, Copy)]
struct Window {
    viewer: Uuid,
    before: Cursor,
    rows: i64,
}

impl PostFilter {
    /// Whether it lets all posts through.
    pub fn is_empty(&self) -> bool {
        self.author.is_none() && self.category.is_none() && self.tag.is_none() && self.has_media.is_none()
    }

    /// The posts that it lets through and the viewer may see, newest first; long contents are cut as in the list of all.
    pub async fn list(&self, db: &PgPool, viewer: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Post>> {
        let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
        // Which filters are given decides which index is read.
        sqlx::query!("select set_config('plan_cache_mode', 'force_custom_plan', true)").fetch_one(&mut *tx).await?;
        let window = Window { viewer, before, rows };
        let mut ids = match (self.author, &self.tag, &self.category, self.has_media) {
            (Some(author), ..) => self.of_author(&mut tx, author, window).await?,
            (None, Some(tag), ..) => self.of_tag(&mut tx, tag, window).await?,
            (None, None, Some(category), _) => self.of_list(&mut tx, category, window).await?,
            (None, None, None, Some(true)) => self.of_list(&mut tx, WITH_MEDIA, window).await?,
            (None, None, None, _) => self.of_all(&mut tx, window).await?,
        };
        // Drafts and archived posts stand under no tag.
        if self.tag.is_none() && self.author.is_none_or(|author| author == viewer) {
            ids.extend(self.private(&mut tx, window).await?);
        }
        load_page(&mut tx, &ids, rows).await
    }

    async fn of_author(&self, tx: &mut PgTransaction<'_>, author: Uuid, window: Window) -> sqlx::Result<Vec<Uuid>> {
        let Window { viewer, before, rows } = window;
        sqlx::query_scalar!(
            r#"select id from post
            where created_by = $1 and status = 'POSTED' and visible(post, $2) and (created_at, id) < ($3, $4)
                and ($5::text is null or types @> array[$5])
                and ($6::text is null or exists (select from post_tag where post_id = post.id and tag collate "C" = $6))
                and ($7::boolean is null or exists (select from shown_media where post_id = post.id) = $7)
            order by created_at desc, id desc limit $8"#,
            author,
            viewer,
            before.at,
            before.id,
            self.category,
            self.tag,
            self.has_media,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    async fn of_tag(&self, tx: &mut PgTransaction<'_>, tag: &str, window: Window) -> sqlx::Result<Vec<Uuid>> {
        let Window { viewer, before, rows } = window;
        sqlx::query_scalar!(
            r#"select post.id as "id!" from (
                select post_id, created_at from post_tag where tag collate "C" = $1 and (created_at, post_id) < ($2, $3)
                order by created_at desc, post_id desc offset 0
            ) as tagged join post on post.id = post_id
            where status = 'POSTED' and visible(post, $4) and ($5::text is null or types @> array[$5])
                and ($6::boolean is null or exists (select from shown_media where shown_media.post_id = post.id) = $6)
            order by tagged.created_at desc, tagged.post_id desc limit $7"#,
            tag,
            before.at,
            before.id,
            viewer,
            self.category,
            self.has_media,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// The posts of a category, or those that have pictures. Until older posts are listed, they are looked for among all posts.
    async fn of_list(&self, tx: &mut PgTransaction<'_>, list: &str, window: Window) -> sqlx::Result<Vec<Uuid>> {
        if !ListingBackfill::is_done(tx).await? {
            return self.of_all(tx, window).await;
        }
        let Window { viewer, before, rows } = window;
        sqlx::query_scalar!(
            r#"select post.id as "id!" from (
                select post_id, created_at from post_listing where list = $1 and (created_at, post_id) < ($2, $3)
                order by created_at desc, post_id desc offset 0
            ) as listed join post on post.id = post_id
            where status = 'POSTED' and visible(post, $4) and ($5::text is null or types @> array[$5])
                and ($6::boolean is null or exists (select from shown_media where shown_media.post_id = post.id) = $6)
            order by listed.created_at desc, listed.post_id desc limit $7"#,
            list,
            before.at,
            before.id,
            viewer,
            self.category,
            self.has_media,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// All published posts, by the one filter that most of them pass, or by those whose lists are not complete yet.
    async fn of_all(&self, tx: &mut PgTransaction<'_>, window: Window) -> sqlx::Result<Vec<Uuid>> {
        let Window { viewer, before, rows } = window;
        sqlx::query_scalar!(
            r#"select id from post
            where status = 'POSTED' and visible(post, $1) and (created_at, id) < ($2, $3)
                and ($4::boolean is null or exists (select from shown_media where post_id = post.id) = $4)
                and ($6::text is null or types @> array[$6])
            order by created_at desc, id desc limit $5"#,
            viewer,
            before.at,
            before.id,
            self.has_media,
            rows,
            self.category
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// The viewer's own drafts and archived posts.
    async fn private(&self, tx: &mut PgTransaction<'_>, window: Window) -> sqlx::Result<Vec<Uuid>> {
        let Window { viewer, before, rows } = window;
        sqlx::query_scalar!(
            r#"select id from post
            where created_by = $1 and status <> 'POSTED' and visible(post, $1) and (created_at, id) < ($2, $3)
                and ($4::text is null or types @> array[$4])
                and ($5::boolean is null or exists (select from shown_media where post_id = post.id) = $5)
            order by created_at desc, id desc limit $6"#,
            viewer,
            before.at,
            before.id,
            self.category,
            self.has_media,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// The first of these posts, newest first, as a page shows them.
async fn load_page(tx: &mut PgTransaction<'_>, ids: &[Uuid], rows: i64) -> sqlx::Result<Vec<Post>> {
    sqlx::query_as!(
        Post,
        r#"with page as (
            select * from post where id = any($1) order by created_at desc, id desc limit $2
        ), heavy as (select coalesce(sum(char_length(content)), 0) > $3 as is_heavy from page)
        select id as "id!", created_at as "created_at!", created_by as "created_by!",
            updated_at as "updated_at!", updated_by, title,
            edited_at, publish_at, publish_refused,
            case when is_heavy then left(content, $4) else content end as "content!", types as "types!",
            status as "status!: Status", comments as "comments!: Commenters", total_views as "total_views!", total_comments as "total_comments!",
            total_reactions as "total_reactions!", score as "score!", popularity as "popularity!",
            published_at, hidden_at, hidden_reason, restored_at, labels as "labels!",
            is_heavy and char_length(content) > $4 as "truncated!"
        from page, heavy order by created_at desc, id desc"#,
        ids,
        rows,
        WHOLE_PAGE,
        EXCERPT
    )
    .fetch_all(&mut **tx)
    .await
}

/// Those of these posts that the viewer may see, whole, each once and where its id stands first.
pub async fn load_visible(db: impl PgExecutor<'_>, ids: &[Uuid], viewer: Uuid) -> sqlx::Result<Vec<Post>> {
    sqlx::query_as!(
        Post,
        r#"select id, created_at, created_by, updated_at,
            edited_at, publish_at, publish_refused,
            updated_by, title, content, types, status, comments, total_views, total_comments,
            total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
            false as "truncated!"
        from post where id = any($1) and visible(post, $2) order by array_position($1, id)"#,
        ids,
        viewer
    )
    .fetch_all(db)
    .await
}

/// A version of a post, as readers are shown it: another one has another time, or other words of moderation about it.
#[derive(Debug, PartialEq, Eq)]
pub struct PostVersionKey {
    pub id: Uuid,
    pub updated_at: Timestamp,
    pub labels: Vec<String>,
    pub comments: Commenters,
}

/// The versions of those of these posts that the viewer may see, in no order; for a search those that it finds.
pub async fn load_version_keys(
    db: impl PgExecutor<'_>,
    ids: &[Uuid],
    viewer: Uuid,
    is_search: bool,
) -> sqlx::Result<Vec<PostVersionKey>> {
    sqlx::query_as!(
        PostVersionKey,
        "select id, updated_at, labels, comments from post
        where id = any($1) and visible(post, $2)
            and (not $3::boolean or exists (select from post_search where post_id = post.id))",
        ids,
        viewer,
        is_search
    )
    .fetch_all(db)
    .await
}

/// How many posts of an author the viewer may see, drafts and archived ones aside, counted up to [`MAX_COUNT`].
pub async fn count_posts(db: impl PgExecutor<'_>, author: Uuid, viewer: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
            select from post where created_by = $1 and status = 'POSTED' and visible(post, $2) limit $3
        ) as counted"#,
        author,
        viewer,
        MAX_COUNT
    )
    .fetch_one(db)
    .await
}
