//! Tags of posts, and trends, in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::posts::models::{EXCERPT, Post, WHOLE_PAGE};
use crate::posts::{Commenters, Status};

/// A tag in a post: as it is compared, and as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostTag {
    pub post_id: Uuid,
    pub tag: String,
    pub written: String,
}

impl PostTag {
    /// Saves all tags of posts that this transaction has locked or written.
    pub async fn save(tx: &mut PgTransaction<'_>, posts: &[Uuid], tags: &[Self]) -> sqlx::Result<()> {
        let (ids, names): (Vec<Uuid>, Vec<String>) = tags.iter().map(|tag| (tag.post_id, tag.tag.clone())).unzip();
        // One statement: what a post has no more goes, what it has is written.
        sqlx::query!(
            "with given as (select * from unnest($2::uuid[], $3::text[], $4::text[]) as given (post_id, tag, written)),
            outdated as (
                delete from post_tag where post_id = any($1) and not exists (
                    select from given where given.post_id = post_tag.post_id and given.tag = post_tag.tag)
            )
            insert into post_tag (post_id, tag, written, author_id, created_at, published_at)
            select post.id, given.tag, given.written, post.created_by, post.created_at, post.published_at
            from given join post on post.id = given.post_id
            on conflict (post_id, tag) do update
            set written = excluded.written, published_at = excluded.published_at",
            posts,
            &ids,
            &names,
            &tags.iter().map(|tag| tag.written.clone()).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The published posts with a tag that the viewer may see, newest first; the long ones are cut as in the list of all posts.
    pub async fn list_posts(
        db: impl PgExecutor<'_>,
        tag: &str,
        viewer: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Post>> {
        sqlx::query_as!(
            Post,
            r#"with page as (
                select post.* from (
                    select post_id, created_at from post_tag where tag collate "C" = $1 and (created_at, post_id) < ($2, $3)
                    order by created_at desc, post_id desc offset 0
                ) as tagged join post on post.id = post_id
                where status = 'POSTED' and visible(post, $5)
                order by tagged.created_at desc, post_id desc limit $4
            ), heavy as (select coalesce(sum(char_length(content)), 0) > $6 as is_heavy from page)
            select id as "id!", created_at as "created_at!", created_by as "created_by!",
                updated_at as "updated_at!", updated_by, title,
                case when is_heavy then left(content, $7) else content end as "content!", types as "types!",
                status as "status!: Status", total_views as "total_views!", total_comments as "total_comments!",
                total_reactions as "total_reactions!", score as "score!", popularity as "popularity!",
                published_at, hidden_at, hidden_reason, restored_at, labels as "labels!",
                edited_at, publish_at, publish_refused, comments as "comments!: Commenters",
                is_heavy and char_length(content) > $7 as "truncated!"
            from page, heavy order by created_at desc, id desc"#,
            tag,
            before.at,
            before.id,
            rows,
            viewer,
            WHOLE_PAGE,
            EXCERPT
        )
        .fetch_all(db)
        .await
    }
}

/// A post whose tags are not read yet.
pub struct UnreadPost {
    pub id: Uuid,
    /// Empty of a post that not all users may read.
    pub content: String,
}

/// How far the tags of older posts are read.
pub struct TagBackfill;

impl TagBackfill {
    /// Takes the next posts, in the order of ids, and locks them, so that what their authors change meanwhile comes before or behind;
    /// none when all are done, or another replica is at it.
    pub async fn take(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Option<Vec<UnreadPost>>> {
        let done_to =
            sqlx::query_scalar!("select done_to from tag_backfill where done_at is null for update skip locked")
                .fetch_optional(&mut **tx)
                .await?;
        let Some(done_to) = done_to else { return Ok(None) };
        let posts = sqlx::query_as!(
            UnreadPost,
            r#"select id, case when status = 'POSTED' and hidden_at is null then content else '' end as "content!"
            from post where id > $1 order by id limit $2 for update"#,
            done_to,
            rows
        );
        posts.fetch_all(&mut **tx).await.map(Some)
    }

    /// Saves that the posts up to one are done; none: all are.
    pub async fn advance(tx: &mut PgTransaction<'_>, done_to: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query!(
            "update tag_backfill set done_to = coalesce($1, done_to), done_at = case when $1::uuid is null then now() end",
            done_to
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// How a tag is used: what its score is calculated from.
pub struct TagUse {
    pub tag: String,
    pub written: String,
    /// The people who used it in the last day.
    pub authors: i64,
    /// The same, each by how long ago they last did.
    pub weight: f64,
    /// The people of each day of the week before, summed up.
    pub past: i64,
}

impl TagUse {
    /// The tags that at least `least` people used in the day before `now`, by posts that all may see. A person
    /// who uses a tag a hundred times counts once, with the last time; `half_life` is in hours.
    pub async fn list(db: impl PgExecutor<'_>, now: Timestamp, least: i64, half_life: f64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"with used as materialized (
                select tag, post_tag.author_id, max(post_tag.published_at) as newest,
                    mode() within group (order by written) as written
                from post_tag join post on post.id = post_id
                where post_tag.published_at > $1::timestamptz - interval '1 day' and post_tag.published_at <= $1
                    and status = 'POSTED' and hidden_at is null and visibility <> 'LIMITED'
                group by tag, post_tag.author_id
            ), recent as materialized (
                select tag, mode() within group (order by written) as written, count(*) as authors,
                    sum(power(0.5, floor(extract(epoch from $1 - newest) / 3600)::double precision / $3)) as weight
                from used group by tag having count(*) >= $2
            ), past as (
                select tag, count(*) as authors from (
                    select distinct tag, author_id, floor(extract(epoch from $1 - post_tag.published_at) / 86400) as day
                    from post_tag join post on post.id = post_id
                    where tag in (select tag from recent)
                        and post_tag.published_at > $1 - interval '8 days'
                        and post_tag.published_at <= $1 - interval '1 day'
                        and status = 'POSTED' and hidden_at is null and visibility <> 'LIMITED'
                ) as day group by tag
            )
            select tag as "tag!", written as "written!", recent.authors as "authors!", weight as "weight!",
                coalesce(past.authors, 0) as "past!"
            from recent left join past using (tag)"#,
            now as Timestamp,
            least,
            half_life
        )
        .fetch_all(db)
        .await
    }
}

/// A tag that is talked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    pub tag: String,
    pub written: String,
    pub score: f64,
    pub authors: i64,
}

impl Trend {
    /// Replaces all trends.
    pub async fn replace(tx: &mut PgTransaction<'_>, trends: &[Self]) -> sqlx::Result<()> {
        sqlx::query!("delete from trend").execute(&mut **tx).await?;
        sqlx::query!(
            "insert into trend (tag, written, score, authors)
            select * from unnest($1::text[], $2::text[], $3::double precision[], $4::bigint[])",
            &trends.iter().map(|trend| trend.tag.clone()).collect::<Vec<_>>(),
            &trends.iter().map(|trend| trend.written.clone()).collect::<Vec<_>>(),
            &trends.iter().map(|trend| trend.score).collect::<Vec<_>>(),
            &trends.iter().map(|trend| trend.authors).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The highest scores.
    pub async fn list(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as!(
            Self,
            "select tag, written, score, authors from trend order by score desc, tag limit $1",
            rows
        );
        query.fetch_all(db).await
    }
}
