//! Accounts and connections in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::Status;
use crate::core::pagination::Cursor;
use crate::core::timestamp::Timestamp;

/// The constraint by which the database refuses an address that has an account already.
pub const EMAIL_TAKEN: &str = "account_email_key";

/// A person as they are stored.
#[derive(Clone)]
pub struct Account {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub password_hash: String,
    pub is_verified: bool,
    pub date_joined: Timestamp,
    pub rating: f64,
    pub status: Status,
    pub interests: Vec<String>,
    pub total_connections: i64,
}

/// What a person says of themselves, checked; in an update `None` leaves a name as it is.
pub struct Draft<'a> {
    pub email: &'a str,
    pub first_name: Option<&'a str>,
    pub last_name: Option<&'a str>,
    pub interests: &'a [String],
}

/// A password that is to be stored.
pub struct NewPassword<'a> {
    /// The hash of it.
    pub hash: &'a str,
    /// The hash that the caller has compared it with; another one in the row means another password.
    pub compared: &'a str,
    /// Whether it differs from the one before, so that all sessions are to end.
    pub differs: bool,
}

/// An account after its owner's update, and what of it is another one than before.
pub struct Updated {
    pub account: Account,
    pub moved: bool,
    pub password_changed: bool,
}

/// Who of two people does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The one who wishes to connect or disconnect.
    User,
    /// The other one.
    Target,
}

impl Account {
    /// The new account of somebody; none when their address has one.
    pub async fn create(tx: &mut PgTransaction<'_>, draft: &Draft<'_>, hash: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"insert into account (id, email, first_name, last_name, interests, password_hash)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (lower(email)) do nothing
            returning id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections"#,
            Uuid::now_v7(),
            draft.email,
            draft.first_name,
            draft.last_name,
            draft.interests,
            hash
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// The account with that id.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections
            from account where id = $1"#,
            id
        )
        .fetch_optional(db)
        .await
    }

    /// The account with that address, in any case.
    pub async fn with_email(db: impl PgExecutor<'_>, email: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections
            from account where lower(email) = lower($1)"#,
            email
        )
        .fetch_optional(db)
        .await
    }

    /// The person whom claims are of: none when there is no such person, or their session does not go on. Without a session,
    /// when tokens of the original are not good for them any more.
    pub async fn holding(db: impl PgExecutor<'_>, id: Uuid, session: Option<Uuid>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections
            from account where id = $1 and case when $2::uuid is null then accepts_legacy else exists (
                select from session
                where session.id = $2 and user_id = account.id and ended_at is null and expires_at > now()) end"#,
            id,
            session
        )
        .fetch_optional(db)
        .await
    }

    /// Those whom a person is connected to, who joined last first.
    pub async fn connections(db: impl PgExecutor<'_>, id: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Uuid>> {
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

    /// The account after its owner's update.
    pub async fn update(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        draft: &Draft<'_>,
        password: &NewPassword<'_>,
    ) -> sqlx::Result<Option<Updated>> {
        let before = sqlx::query!(
            r#"select lower(email) <> lower($2) as "moved!", password_hash <> $3 or $4 as "password_changed!"
            from account where id = $1 for update"#,
            id,
            draft.email,
            password.compared,
            password.differs
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(before) = before else { return Ok(None) };
        // A new address is one that nobody has verified yet.
        let account = sqlx::query_as!(
            Self,
            r#"update account set email = $2, first_name = coalesce($3, first_name),
                last_name = coalesce($4, last_name), interests = $5, password_hash = $6,
                is_verified = is_verified and lower(email) = lower($2),
                updated_by = id, updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1
            returning id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections"#,
            id,
            draft.email,
            draft.first_name,
            draft.last_name,
            draft.interests,
            password.hash
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(Some(Updated { account, moved: before.moved, password_changed: before.password_changed }))
    }

    /// The account with a new password; none when there is no such account, or its password is not
    /// `compared` any more.
    pub async fn change_password(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        hash: &str,
        compared: Option<&str>,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update account set password_hash = $2, updated_by = id,
                updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1 and ($3::text is null or password_hash = $3)
            returning id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections"#,
            id,
            hash,
            compared
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Voids the tokens of the original; when that is.
    pub async fn void_legacy(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Timestamp>> {
        sqlx::query_scalar!(
            r#"update account set accepts_legacy = false where id = $1 returning now() as "at!: Timestamp""#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Stores the same password under today's parameters, unless it has changed meanwhile.
    pub async fn rehash(db: impl PgExecutor<'_>, id: Uuid, stale: &str, hash: &str) -> sqlx::Result<()> {
        sqlx::query!("update account set password_hash = $3 where id = $1 and password_hash = $2", id, stale, hash)
            .execute(db)
            .await?;
        Ok(())
    }

    /// The account after its address was verified. Whoever moderation has muted or banned stays so.
    pub async fn verify(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update account set is_verified = true, status = case status when 'INACTIVE' then 'ACTIVE' else status end,
                updated_by = id, updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1
            returning id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections"#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Connects a person to another one; nothing changes when they are already.
    pub async fn connect(tx: &mut PgTransaction<'_>, id: Uuid, target: Uuid) -> sqlx::Result<Result<Self, Missing>> {
        if let Some(missing) = missing(tx, id, target).await? {
            return Ok(Err(missing));
        }
        let inserted = sqlx::query!(
            "insert into connection (user_id, target_id) values ($1, $2) on conflict do nothing",
            id,
            target
        )
        .execute(&mut **tx)
        .await?;
        Self::count(tx, id, inserted.rows_affected().cast_signed()).await
    }

    /// Ends a connection; nothing changes when there is none.
    pub async fn disconnect(tx: &mut PgTransaction<'_>, id: Uuid, target: Uuid) -> sqlx::Result<Result<Self, Missing>> {
        if let Some(missing) = missing(tx, id, target).await? {
            return Ok(Err(missing));
        }
        let deleted = sqlx::query!("delete from connection where user_id = $1 and target_id = $2", id, target)
            .execute(&mut **tx)
            .await?;
        Self::count(tx, id, -deleted.rows_affected().cast_signed()).await
    }

    async fn count(tx: &mut PgTransaction<'_>, id: Uuid, connections: i64) -> sqlx::Result<Result<Self, Missing>> {
        sqlx::query_as!(
            Self,
            r#"update account set total_connections = total_connections + $2 where id = $1
            returning id, created_at as "created_at: Timestamp", created_by, updated_at as "updated_at: Timestamp",
                updated_by, email, first_name, last_name, password_hash, is_verified,
                date_joined as "date_joined: Timestamp", rating, status as "status: Status", interests,
                total_connections"#,
            id,
            connections
        )
        .fetch_one(&mut **tx)
        .await
        .map(Ok)
    }

    /// Deletes an account with its connections and tokens; those who lost a connection by it.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Vec<Uuid>> {
        // Locks in the order of ids, as a connect takes them. Once the account itself is locked nobody can connect to it; who
        // did between the snapshot and the lock is found by the next statement.
        sqlx::query!(
            "select id from account
            where id = $1 or id in (select user_id from connection where target_id = $1) order by id for update",
            id
        )
        .fetch_all(&mut **tx)
        .await?;
        let mut lost = sqlx::query_scalar!(
            "update account set total_connections = total_connections - 1
            where id in (select user_id from connection where target_id = $1) returning id",
            id
        )
        .fetch_all(&mut **tx)
        .await?;
        sqlx::query!("delete from account where id = $1", id).execute(&mut **tx).await?;
        lost.sort_unstable();
        Ok(lost)
    }
}

/// Locks two people in one order, whoever of them connects, and says which one is missing.
async fn missing(tx: &mut PgTransaction<'_>, id: Uuid, target: Uuid) -> sqlx::Result<Option<Missing>> {
    let there =
        sqlx::query_scalar!("select id from account where id in ($1, $2) order by id for no key update", id, target)
            .fetch_all(&mut **tx)
            .await?;
    Ok(if !there.contains(&id) {
        Some(Missing::User)
    } else if !there.contains(&target) {
        Some(Missing::Target)
    } else {
        None
    })
}
