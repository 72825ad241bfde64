//! Readers and their news in the database: all of the SQL of this feature.
use sqlx::PgExecutor;
use uuid::Uuid;

/// A reader, and the number of the last change of their notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    pub user_id: Uuid,
    pub last_change: i64,
}

impl News {
    /// The numbers of readers; a reader is missing until something changes.
    pub async fn list(db: impl PgExecutor<'_>, users: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as!(
            Self,
            "select user_id, last_change from notification_reader where user_id = any($1)",
            users
        );
        query.fetch_all(db).await
    }

    /// Up to `rows` readers whose open streams do not know of their last change yet.
    pub async fn list_unannounced(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as!(
            Self,
            "select user_id, last_change from notification_reader where announced < last_change limit $1",
            rows
        );
        query.fetch_all(db).await
    }

    /// Saves that changes were announced; of how many readers. One that a transaction has locked is left out, and announced once more.
    pub async fn save_announced(db: impl PgExecutor<'_>, news: &[Self]) -> sqlx::Result<u64> {
        let query = sqlx::query!(
            "update notification_reader set announced = greatest(announced, news.last_change)
            from (
                select known.user_id, known.last_change
                from unnest($1::uuid[], $2::bigint[]) as known (user_id, last_change)
                join notification_reader as reader on reader.user_id = known.user_id
                order by known.user_id for update of reader skip locked
            ) as news
            where notification_reader.user_id = news.user_id",
            &news.iter().map(|news| news.user_id).collect::<Vec<_>>(),
            &news.iter().map(|news| news.last_change).collect::<Vec<_>>()
        );
        Ok(query.execute(db).await?.rows_affected())
    }
}

/// Which of some readers look up one of these posts when they read, because its author has very many followers or because of a tag,
/// and may see it.
pub async fn list_readers_of_posts(
    db: impl PgExecutor<'_>,
    posts: &[Uuid],
    readers: &[Uuid],
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with post as materialized (
            select id, user_id as author from post_card
            where id = any($1) and deleted_at is null and not hidden and status = 'POSTED'
                and not exists (select from moderated_post where post_id = post_card.id and limited)
        ),
        lookup as (
            select post.id, post.author, follow.user_id as reader
            from post join follow on follow.target_id = post.author
            where follow.user_id = any($2) and follow.stands and follow.pulled
            union
            select post.id, post.author, tag_follow.user_id
            from post join tagged_post on tagged_post.post_id = post.id
            join tag_follow on tag_follow.tag = tagged_post.tag
            where tag_follow.user_id = any($2)
        )
        select distinct reader as "reader!" from lookup
        where not exists (select from mute where mute.user_id = reader and mute.target_id = author)
            and not exists (select from block where block.stands and block.user_id = reader and block.target_id = author)
            and not exists (select from block where block.stands and block.user_id = author and block.target_id = reader)
            and not exists (select from post_hide where post_hide.user_id = reader and post_hide.post_id = lookup.id)"#,
        posts,
        readers
    )
    .fetch_all(db)
    .await
}
