//! Filtered lists of posts in the database: all of their SQL.
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::posts::models::{EXCERPT, Post, WHOLE_PAGE};
use crate::posts::{Commenters, Status};

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

impl PostFilter {
    /// Whether it lets all posts through.
    pub fn is_empty(&self) -> bool {
        self.author.is_none() && self.category.is_none() && self.tag.is_none() && self.has_media.is_none()
    }

    /// The posts that it lets through and the viewer may see, newest first; long contents are cut as in the list of all.
    pub async fn list(&self, db: &PgPool, viewer: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Post>> {
        let mut tx = db.begin_with("begin read only").await?;
        // Each combination of filters has an index of its own, which a plan for all of them cannot use.
        sqlx::query!("select set_config('plan_cache_mode', 'force_custom_plan', true)").fetch_one(&mut *tx).await?;
        sqlx::query_as!(
            Post,
            r#"with mine as (
                select * from post where created_by = $1 and status <> 'POSTED' and visible(post, $1)
                    and (created_at, id) < ($2, $3)
                    and ($7::uuid is null or created_by = $7) and ($8::text is null or types @> array[$8])
                    and $9::text is null
                    and ($10::boolean is null or exists (select from shown_media where post_id = post.id) = $10)
                order by created_at desc, id desc limit $4
            ), posted as (
                select * from post where status = 'POSTED' and visible(post, $1) and (created_at, id) < ($2, $3)
                    and ($7::uuid is null or created_by = $7) and ($8::text is null or types @> array[$8])
                    and ($9::text is null or id in (select post_id from post_tag where tag collate "C" = $9))
                    and ($10::boolean is null or exists (select from shown_media where post_id = post.id) = $10)
                order by created_at desc, id desc limit $4
            ), page as (
                select * from (select * from mine union all select * from posted) as seen
                order by created_at desc, id desc limit $4
            ), heavy as (select coalesce(sum(char_length(content)), 0) > $5 as is_heavy from page)
            select id as "id!", created_at as "created_at!", created_by as "created_by!",
                updated_at as "updated_at!", updated_by, title,
                edited_at, publish_at, publish_refused,
                case when is_heavy then left(content, $6) else content end as "content!", types as "types!",
                status as "status!: Status", comments as "comments!: Commenters", total_views as "total_views!", total_comments as "total_comments!",
                total_reactions as "total_reactions!", score as "score!", popularity as "popularity!",
                published_at, hidden_at, hidden_reason, restored_at, labels as "labels!",
                is_heavy and char_length(content) > $6 as "truncated!"
            from page, heavy order by created_at desc, id desc"#,
            viewer,
            before.at,
            before.id,
            rows,
            WHOLE_PAGE,
            EXCERPT,
            self.author,
            self.category,
            self.tag,
            self.has_media
        )
        .fetch_all(&mut *tx)
        .await
    }
}

/// How many posts of an author the viewer may see, drafts and archived ones aside.
pub async fn count_posts(db: impl PgExecutor<'_>, author: Uuid, viewer: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from post where created_by = $1 and status = 'POSTED' and visible(post, $2)"#,
        author,
        viewer
    )
    .fetch_one(db)
    .await
}
