//! Sessions and their refresh tokens in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::Reason;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::users::models::Account;

/// How long a refresh token is good, in days: after a longer absence a sign-in is needed.
const IDLE_DAYS: i32 = 14;
/// How long a session goes on at most, in days.
const ABSOLUTE_DAYS: i32 = 30;
/// For how many seconds after its exchange a refresh token is answered again: as long as a client waits for an answer that
/// does not come, and then tries again.
const LEEWAY_SECONDS: f64 = 30.0;
/// How long a session that is over stays in the database, in days: for later investigation.
const KEPT_DAYS: i32 = 7;

/// A session of a user on a device.
pub struct Session {
    pub id: Uuid,
    pub user_id: Uuid,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    pub device: Option<String>,
    pub address_prefix: Option<String>,
    pub expires_at: Timestamp,
}

/// The device of a sign-in.
pub struct Device {
    /// What it says of itself.
    pub name: Option<String>,
    /// The network that it speaks from.
    pub address_prefix: Option<String>,
}

/// What came of the exchange of a refresh token.
pub enum Rotation {
    /// It was good, and is not any more; the next one is stored.
    Done(Session),
    /// It was exchanged within the last [`LEEWAY_SECONDS`]: the same request once more, or another window.
    Repeated(Session),
    /// It had been exchanged before that: the session has to end.
    Replayed { session: Uuid, user: Uuid },
    /// It is none of ours, too old, or of a session that is over.
    Refused,
}

impl Session {
    /// Begins a session of an account, with its first refresh token; none when the password is another one by now, or the
    /// account is banned or gone.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        account: &Account,
        device: &Device,
        sha256: &[u8; 32],
    ) -> sqlx::Result<Option<Self>> {
        // The lock keeps a change of the password, which ends all sessions, from overlooking this one.
        let session = sqlx::query_as!(
            Self,
            r#"insert into session (id, user_id, device, address_prefix, expires_at)
            select $1, id, $4, $5, now() + make_interval(days => $6) from account
            where id = $2 and password_hash = $3 and status <> 'BANNED' for share
            returning id, user_id, created_at, last_used_at,
                device, address_prefix, expires_at"#,
            Uuid::now_v7(),
            account.id,
            account.password_hash,
            device.name,
            device.address_prefix,
            ABSOLUTE_DAYS
        )
        .fetch_optional(&mut **tx)
        .await?;
        if let Some(session) = &session {
            store(tx, session.id, sha256).await?;
        }
        Ok(session)
    }

    /// Notes when the person of a session has shown who they are, where that was not at its beginning.
    pub async fn date_authentication(tx: &mut PgTransaction<'_>, id: Uuid, at: Timestamp) -> sqlx::Result<()> {
        sqlx::query!("update session set authenticated_at = $2 where id = $1", id, at as Timestamp)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Exchanges a refresh token for the next one: of many exchanges of one token, one is done.
    pub async fn rotate(
        tx: &mut PgTransaction<'_>,
        device: &Device,
        sha256: &[u8; 32],
        next: &[u8; 32],
    ) -> sqlx::Result<Rotation> {
        // The session first, then its token: in this order the deletion of an account takes its locks, too.
        let session = sqlx::query_as!(
            Self,
            r#"update session set last_used_at = now(), address_prefix = coalesce($2, address_prefix)
            where id = (select session_id from refresh_token where sha256 = $1)
                and ended_at is null and expires_at > now()
            returning id, user_id, created_at, last_used_at,
                device, address_prefix, expires_at"#,
            sha256,
            device.address_prefix
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(session) = session else { return Ok(Rotation::Refused) };
        let consumed = sqlx::query_scalar!(
            "update refresh_token set consumed_at = now()
            where sha256 = $1 and consumed_at is null and issued_at > now() - make_interval(days => $2)
            returning session_id",
            sha256,
            IDLE_DAYS
        )
        .fetch_optional(&mut **tx)
        .await?;
        if consumed.is_some() {
            store(tx, session.id, next).await?;
            return Ok(Rotation::Done(session));
        }
        // By the clock of the database, which is the same for all replicas. A token that was not consumed was too old.
        let within_leeway = sqlx::query_scalar!(
            "select consumed_at >= now() - make_interval(secs => $2) from refresh_token where sha256 = $1",
            sha256,
            LEEWAY_SECONDS
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(match within_leeway {
            Some(true) => Rotation::Repeated(session),
            Some(false) => Rotation::Replayed { session: session.id, user: session.user_id },
            None => Rotation::Refused,
        })
    }

    /// Whether a refresh token of this session was exchanged; none when it has no such token.
    pub async fn has_exchanged(&self, tx: &mut PgTransaction<'_>, sha256: &[u8; 32]) -> sqlx::Result<Option<bool>> {
        sqlx::query_scalar!(
            r#"select consumed_at is not null as "exchanged!" from refresh_token where sha256 = $1 and session_id = $2"#,
            sha256,
            self.id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// The sessions of a person that go on, newest first.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, user_id, created_at, last_used_at,
                device, address_prefix, expires_at
            from session
            where user_id = $1 and (created_at, id) < ($2, $3) and ended_at is null and expires_at > now()
                and last_used_at > now() - make_interval(days => $5)
            order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows,
            IDLE_DAYS
        )
        .fetch_all(db)
        .await
    }

    /// Ends a session of a person; when that is, and none when they have no such session that goes on.
    pub async fn end(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        user: Uuid,
        reason: Reason,
    ) -> sqlx::Result<Option<Timestamp>> {
        sqlx::query_scalar!(
            r#"update session set ended_at = now(), end_reason = $3
            where id = $1 and user_id = $2 and ended_at is null and expires_at > now()
            returning now() as "at!""#,
            id,
            user,
            reason as Reason
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Ends all sessions of a person, whose account the caller has locked.
    pub async fn end_all(tx: &mut PgTransaction<'_>, user: Uuid, reason: Reason) -> sqlx::Result<()> {
        sqlx::query!(
            "update session set ended_at = now(), end_reason = $2 where user_id = $1 and ended_at is null",
            user,
            reason as Reason
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Removes some of the sessions that have been over for long enough, with their tokens; how many.
    pub async fn sweep(db: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<u64> {
        let swept = sqlx::query!(
            "delete from session where id in (
                select id from session where least(ended_at, expires_at) < now() - make_interval(days => $1)
                order by least(ended_at, expires_at) limit $2 for update skip locked)",
            KEPT_DAYS,
            limit
        )
        .execute(db)
        .await?;
        Ok(swept.rows_affected())
    }

    /// Lets a person's sessions, and all that happened in them, look older than they are.
    #[cfg(test)]
    pub async fn age(tx: &mut PgTransaction<'_>, user: Uuid, seconds: f64) -> sqlx::Result<()> {
        sqlx::query!(
            "update refresh_token set issued_at = issued_at - make_interval(secs => $2),
                consumed_at = consumed_at - make_interval(secs => $2)
            where session_id in (select id from session where user_id = $1)",
            user,
            seconds
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update session set created_at = created_at - make_interval(secs => $2),
                authenticated_at = authenticated_at - make_interval(secs => $2),
                last_used_at = last_used_at - make_interval(secs => $2),
                expires_at = expires_at - make_interval(secs => $2), ended_at = ended_at - make_interval(secs => $2)
            where user_id = $1",
            user,
            seconds
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// How many sessions and how many refresh tokens are stored.
    #[cfg(test)]
    pub async fn stored(db: impl PgExecutor<'_>) -> sqlx::Result<(i64, i64)> {
        let row = sqlx::query!(
            r#"select (select count(*) from session) as "sessions!", (select count(*) from refresh_token) as "tokens!""#
        )
        .fetch_one(db)
        .await?;
        Ok((row.sessions, row.tokens))
    }
}

async fn store(tx: &mut PgTransaction<'_>, session: Uuid, sha256: &[u8; 32]) -> sqlx::Result<()> {
    sqlx::query!("insert into refresh_token (sha256, session_id) values ($1, $2)", sha256, session)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
