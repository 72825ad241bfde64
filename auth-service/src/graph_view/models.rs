//! People around one person, in the database: all of the SQL of this feature. All connections are those of
//! [`crate::read_model`].
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A person at the other end of a connection, and since when.
pub struct Neighbour {
    pub id: Uuid,
    pub at: Timestamp,
}

impl Neighbour {
    /// Followers of a person behind a place, in the order in which they connected: that of an index, read backwards.
    pub async fn list_followers(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        after: (Timestamp, Uuid),
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select user_id as id, connected_at as at from connection
            where target_id = $1 and (connected_at, user_id) > ($2, $3) order by connected_at, user_id limit $4",
            id,
            after.0 as Timestamp,
            after.1,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// The people that a person is connected to, likewise.
    pub async fn list_connections(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        after: (Timestamp, Uuid),
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select target_id as id, connected_at as at from connection
            where user_id = $1 and (connected_at, target_id) > ($2, $3) order by connected_at, target_id limit $4",
            id,
            after.0 as Timestamp,
            after.1,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// What there is between a person and another one.
#[expect(clippy::struct_excessive_bools, reason = "each is a row that exists or not")]
pub struct PersonRelation {
    pub id: Uuid,
    pub follows: bool,
    pub followed_by: bool,
    pub blocks: bool,
    pub blocked_by: bool,
}

impl PersonRelation {
    /// Those of a person and these others, in their order.
    pub async fn list(db: impl PgExecutor<'_>, id: Uuid, others: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select other.id as "id!",
                exists (select from connection where user_id = $1 and target_id = other.id) as "follows!",
                exists (select from connection where user_id = other.id and target_id = $1) as "followed_by!",
                exists (select from block where user_id = $1 and target_id = other.id) as "blocks!",
                exists (select from block where user_id = other.id and target_id = $1) as "blocked_by!"
            from unnest($2::uuid[]) with ordinality as other (id, place) order by other.place"#,
            id,
            others
        )
        .fetch_all(db)
        .await
    }
}
