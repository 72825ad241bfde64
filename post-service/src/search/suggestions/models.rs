//! Suggestions in the database: all of their SQL.
use sqlx::PgExecutor;
use uuid::Uuid;

/// Keys that begin with a text and are looked at, at most: so a letter with which all titles begin costs no more than any other.
const MAX_KEYS: i64 = 200;
/// Tags that begin with a text and are compared by their use, at most.
const MAX_TAGS: i64 = 100;
/// How far the uses of a tag are counted.
const MAX_USES: i64 = 100;

/// A tag that begins with a text.
pub struct SuggestedTag {
    pub tag: String,
    /// Posts that have it; of a popular one not all are counted.
    pub uses: i64,
}

impl SuggestedTag {
    /// The most used tags that begin with a folded text.
    pub async fn list(db: impl PgExecutor<'_>, prefix: &str, rows: i64) -> sqlx::Result<Vec<Self>> {
        // From one tag to the next by the index: a tag that a million posts have is one step.
        sqlx::query_as!(
            Self,
            r#"with recursive next as (
                (select tag collate "C" as tag from post_tag
                    where tag collate "C" between $1 and $1 || chr(1114111) order by tag collate "C" limit 1)
                union all
                select (select post_tag.tag collate "C" from post_tag
                    where post_tag.tag collate "C" > next.tag and post_tag.tag collate "C" <= $1 || chr(1114111)
                    order by post_tag.tag collate "C" limit 1)
                from next where next.tag is not null
            ), first as (select tag from next where tag is not null limit $2)
            select first.tag as "tag!", uses as "uses!" from first, lateral (
                select count(*) as uses from (
                    select from post_tag where post_tag.tag collate "C" = first.tag limit $3
                ) as used
            ) as counted
            order by uses desc, first.tag limit $4"#,
            prefix,
            MAX_TAGS,
            MAX_USES,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// A post in whose title a word, and what follows it, begins with a text.
pub struct SuggestedPost {
    pub id: Uuid,
    pub title: String,
}

impl SuggestedPost {
    /// The newest of those posts that the viewer may see.
    pub async fn list(db: impl PgExecutor<'_>, viewer: Uuid, prefix: &str, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"with found as materialized (
                select post_id from search_key where kind = 'TITLE' and key between $1 and $1 || chr(1114111)
                order by key limit $2
            )
            select id, coalesce(title, '') as "title!" from post
            where id in (select post_id from found) and visible(post, $3)
            order by published_at desc, id desc limit $4"#,
            prefix,
            MAX_KEYS,
            viewer,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// Whether there are posts with these tags, and the viewer may see these posts, under these titles.
pub async fn are_current(
    db: impl PgExecutor<'_>,
    viewer: Uuid,
    tags: &[SuggestedTag],
    posts: &[SuggestedPost],
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select not exists (
            select from unnest($1::text[]) as shown (tag)
            where not exists (select from post_tag where post_tag.tag collate "C" = shown.tag)
        ) and not exists (
            select from unnest($2::uuid[], $3::text[]) as shown (id, title)
            where not exists (
                select from post join post_search on post_id = post.id
                where post.id = shown.id and visible(post, $4) and coalesce(post.title, '') = shown.title)
        ) as "are_current!""#,
        &tags.iter().map(|one| one.tag.clone()).collect::<Vec<_>>(),
        &posts.iter().map(|one| one.id).collect::<Vec<_>>(),
        &posts.iter().map(|one| one.title.clone()).collect::<Vec<_>>(),
        viewer
    )
    .fetch_one(db)
    .await
}
