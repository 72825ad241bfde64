//! Connections in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;

/// The most connections of one user: more than people know, and few enough for each list of them, the hash in Redis as
/// well, to be made at once.
pub const MAX_CONNECTIONS: i64 = 10_000;

/// A connection that began or ended, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    pub user_id: Uuid,
    pub target_id: Uuid,
    pub at: Timestamp,
}

/// A user in a list of connections or followers, and since when.
pub struct ListedUser {
    pub id: Uuid,
    pub at: Timestamp,
}

/// Why two people cannot be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The one who acts does not exist.
    NoUser,
    /// The other one does not exist, or wants not to exist for the one who acts.
    NoTarget,
    /// The one who acts has blocked the other one.
    Blocked,
    /// The one who acts has [`MAX_CONNECTIONS`] connections.
    TooMany,
}

/// Two people, locked until the transaction ends.
pub struct Pair {
    user_id: Uuid,
    target_id: Uuid,
    total_connections: i64,
    /// Whether the one who acts has blocked the other one.
    pub blocked: bool,
}

impl Pair {
    /// Locks two people in the order of their ids, when both exist and the target has not blocked the user.
    pub async fn lock(
        tx: &mut PgTransaction<'_>,
        user_id: Uuid,
        target_id: Uuid,
    ) -> sqlx::Result<Result<Self, Refusal>> {
        let rows = sqlx::query!(
            "select id, total_connections from account where id in ($1, $2) order by id for no key update",
            user_id,
            target_id
        )
        .fetch_all(&mut **tx)
        .await?;
        // A statement of its own: it sees what was committed while the one before waited for the rows.
        let block = sqlx::query!(
            r#"select exists (select from block where user_id = $1 and target_id = $2) as "blocked!",
                exists (select from block where user_id = $2 and target_id = $1) as "hidden!""#,
            user_id,
            target_id
        )
        .fetch_one(&mut **tx)
        .await?;
        let Some(user) = rows.iter().find(|row| row.id == user_id) else { return Ok(Err(Refusal::NoUser)) };
        if block.hidden || !rows.iter().any(|row| row.id == target_id) {
            return Ok(Err(Refusal::NoTarget));
        }
        Ok(Ok(Self { user_id, target_id, total_connections: user.total_connections, blocked: block.blocked }))
    }

    /// Connects the user to the target; none when they are connected already.
    pub async fn connect(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<Result<Option<Connection>, Refusal>> {
        if self.blocked {
            return Ok(Err(Refusal::Blocked));
        }
        let made = sqlx::query_as!(
            Connection,
            r#"insert into connection (user_id, target_id) values ($1, $2) on conflict do nothing
            returning user_id, target_id, connected_at as at"#,
            self.user_id,
            self.target_id
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(made) = made else { return Ok(Ok(None)) };
        if self.total_connections >= MAX_CONNECTIONS {
            return Ok(Err(Refusal::TooMany));
        }
        count(tx, self.user_id, self.target_id, 1).await?;
        Ok(Ok(Some(made)))
    }

    /// Ends the connection of the user to the target; none when there is none.
    pub async fn disconnect(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Connection>> {
        end(tx, self.user_id, self.target_id).await
    }

    /// Ends the connections between the two, in both directions.
    pub async fn disconnect_both(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<Vec<Connection>> {
        let there = end(tx, self.user_id, self.target_id).await?;
        let back = end(tx, self.target_id, self.user_id).await?;
        Ok(there.into_iter().chain(back).collect())
    }
}

async fn end(tx: &mut PgTransaction<'_>, user_id: Uuid, target_id: Uuid) -> sqlx::Result<Option<Connection>> {
    let ended = sqlx::query_as!(
        Connection,
        r#"delete from connection where user_id = $1 and target_id = $2
        returning user_id, target_id, now() as "at!""#,
        user_id,
        target_id
    )
    .fetch_optional(&mut **tx)
    .await?;
    if ended.is_some() {
        count(tx, user_id, target_id, -1).await?;
    }
    Ok(ended)
}

/// Adds to the counts of two people whose rows are locked.
async fn count(tx: &mut PgTransaction<'_>, user_id: Uuid, target_id: Uuid, more: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update account set total_connections = total_connections + case id when $1 then $3::bigint else 0 end,
            total_followers = total_followers + case id when $2 then $3::bigint else 0 end
        where id in ($1, $2)",
        user_id,
        target_id,
        more
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The connections of a user, those who joined last first.
pub async fn list_own(db: impl PgExecutor<'_>, id: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from account join connection on connection.target_id = account.id
        where connection.user_id = $1 and (date_joined, id) < ($2, $3)
        order by date_joined desc, id desc limit $4",
        id,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}

/// The connections of a user that `viewer` may see, the latest first.
pub async fn connections(
    db: impl PgExecutor<'_>,
    id: Uuid,
    viewer: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<ListedUser>> {
    sqlx::query_as!(
        ListedUser,
        r#"select target_id as id, connected_at as at from connection
        where user_id = $1 and (connected_at, target_id) < ($3, $4)
            and not exists (select from block where block.user_id = $2 and block.target_id = connection.target_id)
            and not exists (select from block where block.user_id = connection.target_id and block.target_id = $2)
        order by connected_at desc, target_id desc limit $5"#,
        id,
        viewer,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}

/// The followers of a user that `viewer` may see, the latest first.
pub async fn followers(
    db: impl PgExecutor<'_>,
    id: Uuid,
    viewer: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<ListedUser>> {
    sqlx::query_as!(
        ListedUser,
        r#"select user_id as id, connected_at as at from connection
        where target_id = $1 and (connected_at, user_id) < ($3, $4)
            and not exists (select from block where block.user_id = $2 and block.target_id = connection.user_id)
            and not exists (select from block where block.user_id = connection.user_id and block.target_id = $2)
        order by connected_at desc, user_id desc limit $5"#,
        id,
        viewer,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}

/// Takes up to `rows` followers from a person who leaves; who they are.
pub async fn remove_followers(tx: &mut PgTransaction<'_>, id: Uuid, rows: i64) -> sqlx::Result<Vec<Uuid>> {
    let followers = sqlx::query_scalar!("select user_id from connection where target_id = $1 limit $2", id, rows)
        .fetch_all(&mut **tx)
        .await?;
    sqlx::query!("select id from account where id = $1 or id = any($2) order by id for no key update", id, &followers)
        .fetch_all(&mut **tx)
        .await?;
    let lost = sqlx::query_scalar!(
        "delete from connection where target_id = $1 and user_id = any($2) returning user_id",
        id,
        &followers
    )
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query!(
        "update account set total_connections = total_connections - case id when $1 then 0 else 1 end,
            total_followers = total_followers - case id when $1 then cardinality($2::uuid[]) else 0 end
        where id = $1 or id = any($2)",
        id,
        &lost
    )
    .execute(&mut **tx)
    .await?;
    Ok(lost)
}
