//! Summaries of reactions in the database: all of the SQL of them.
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::reactions::Type;

/// People in a summary at most: a client shows a few names and a number.
const PEOPLE: i64 = 10;

/// How many reactions of one type a post has.
pub struct TypeCount {
    pub r#type: Type,
    pub total: i64,
}

/// A person who reacted.
pub struct Reactor {
    pub user_id: Uuid,
    pub r#type: Type,
    /// Whether the viewer is connected to them.
    pub connected: bool,
}

impl TypeCount {
    /// The types of the reactions to a post, the most frequent first.
    pub async fn list(db: impl PgExecutor<'_>, post: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select type, count(*) as "total!" from reaction where post_id = $1 group by type order by 2 desc, type"#,
            post
        )
        .fetch_all(db)
        .await
    }
}

impl Reactor {
    /// The newest users beside the viewer that reacted to a post: first those that the viewer is connected to, and none that the viewer
    /// has a block with.
    pub async fn list(db: impl PgExecutor<'_>, post: Uuid, viewer: Uuid) -> sqlx::Result<Vec<Self>> {
        // Two short lists, each by an index, and not one order over all who reacted.
        sqlx::query_as!(
            Self,
            r#"with known as (
                select reaction.id, created_by, type, created_at, true as connected
                from reaction join connection on user_id = $2 and target_id = created_by and stands
                where post_id = $1 and not hidden($2, created_by) order by created_at desc, reaction.id desc limit $3
            ), newest as (
                select id, created_by, type, created_at, false as connected from reaction
                where post_id = $1 and created_by <> $2 and not hidden($2, created_by)
                    and id not in (select id from known)
                order by created_at desc, id desc limit $3
            )
            select created_by as "user_id!", type as "type!: Type", connected as "connected!"
            from (select * from known union all select * from newest) as seen
            order by connected desc, created_at desc, id desc limit $3"#,
            post,
            viewer,
            PEOPLE
        )
        .fetch_all(db)
        .await
    }
}

/// The viewer's own reaction to a post.
pub async fn find_own(db: impl PgExecutor<'_>, post: Uuid, viewer: Uuid) -> sqlx::Result<Option<Type>> {
    sqlx::query_scalar!(
        r#"select type as "type: Type" from reaction where post_id = $1 and created_by = $2"#,
        post,
        viewer
    )
    .fetch_optional(db)
    .await
}
