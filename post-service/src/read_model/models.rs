//! What other services copy, in the database: all of the SQL of this feature.
use serde::Serialize;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::Id;
use crate::posts::Status;
use crate::posts::events::POST_VIEWED;

/// The longest contents of a page together, in bytes, unless its first one is longer: a thousand of the longest posts would be
/// 40 MB in the memory of both services.
const MAX_CONTENTS: i64 = 4_000_000;

/// Begins a transaction all of whose statements see one moment, and returns when that is.
pub async fn begin_snapshot(db: &PgPool) -> sqlx::Result<(PgTransaction<'static>, Timestamp)> {
    let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
    let as_of = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *tx).await?;
    Ok((tx, as_of))
}

/// The last view that is counted; 0-0 before the first.
pub async fn view_watermark(tx: &mut PgTransaction<'_>) -> sqlx::Result<Id> {
    let query = sqlx::query_as!(Id, "select ms, seq from inbox where stream = $1", POST_VIEWED);
    Ok(query.fetch_optional(&mut **tx).await?.unwrap_or_default())
}

/// A post, with what a card of it shows.
#[derive(Serialize)]
pub struct PostRow {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The author.
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
    pub status: Status,
    pub published_at: Option<Timestamp>,
    pub hidden_at: Option<Timestamp>,
    pub total_views: i64,
    /// How many of these were repeated.
    pub repeated_views: i64,
    /// Its pictures with their keys, as in its events.
    pub media: serde_json::Value,
}

impl PostRow {
    /// Posts behind an id, in the order of ids; fewer where their contents are long.
    pub async fn list(tx: &mut PgTransaction<'_>, after: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id as "id!", created_at as "created_at!", created_by as "created_by!", updated_at as "updated_at!",
                title, content as "content!", types as "types!", status as "status!: Status", published_at, hidden_at,
                total_views as "total_views!", repeated_views as "repeated_views!",
                coalesce((select json_agg(json_build_object('id', media.id, 'alt', alt, 'width', width, 'height', height,
                    'blurhash', blurhash, 'key', key) order by place) from post_media join media on media.id = media_id
                    where post_id = page.id and media.status = 'READY' and media.hidden_at is null), '[]') as "media!"
            from (
                select *, sum(octet_length(content)) over (order by id) - octet_length(content) as before
                from (select * from post where id > $1 order by id limit $2) as behind
            ) as page
            where before = 0 or before + octet_length(content) <= $3 order by id"#,
            after,
            rows,
            MAX_CONTENTS
        )
        .fetch_all(&mut **tx)
        .await
    }
}
