//! Accounts in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::address::{self, EmailAddress};
use super::{Role, Status};
use crate::core::contract::timestamp::Timestamp;

/// For how many hours a change of address or password can be taken back; until then no other account takes the address
/// that it was before. Two days may be a weekend.
pub const UNDO_HOURS: i32 = 72;

/// A person as they are stored.
#[derive(Clone)]
pub struct Account {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    /// The address to which mail goes; `address::shown` is what people read.
    pub email: String,
    /// The address that they want instead, until it is proved.
    pub pending_email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub password_hash: String,
    pub is_verified: bool,
    pub date_joined: Timestamp,
    pub rating: f64,
    pub status: Status,
    pub interests: Vec<String>,
    pub total_connections: i64,
    pub role: Role,
}

/// What a person says of themselves, checked; in an update `None` leaves a name as it is.
pub struct Draft<'a> {
    pub email: &'a EmailAddress,
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
pub struct UpdatedAccount {
    pub before: Account,
    pub account: Account,
    /// It has another address, which is not verified, as the one before.
    pub moved: bool,
    /// It is to have another address, which has to be proved.
    pub asks: bool,
    pub password_changed: bool,
}

/// An account that was deleted.
pub struct DeletedAccount {
    pub id: Uuid,
    pub at: Timestamp,
    /// Those who were connected to it, in the order of ids.
    pub lost: Vec<Uuid>,
}

impl Account {
    /// Whether an address is another account's, or is kept for one that may take it back.
    pub async fn is_taken(db: impl PgExecutor<'_>, address: &EmailAddress, by_others_than: Uuid) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select exists (select from account where email_key = $1 and id <> $2) or exists (
                select from account_change where email_key = $1 and user_id <> $2
                    and changed_at > now() - make_interval(hours => $3)) as "taken!""#,
            address.key(),
            by_others_than,
            UNDO_HOURS
        )
        .fetch_one(db)
        .await
    }

    /// Creates an account; none when its address has one already, or is kept for one that may take it back. `browser` is
    /// where it is made from.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        draft: &Draft<'_>,
        hash: &str,
        browser: &[u8; 32],
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"insert into account (id, email, email_key, first_name, last_name, interests, password_hash, signed_up_by)
            select $1, $2, $3, $4, $5, $6, $7, $8
            where not exists (select from account_change
                where email_key = $3 and changed_at > now() - make_interval(hours => $9))
            on conflict (email_key) do nothing
            returning id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role"#,
            Uuid::now_v7(),
            draft.email.as_str(),
            draft.email.key(),
            draft.first_name,
            draft.last_name,
            draft.interests,
            hash,
            browser,
            UNDO_HOURS
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// The account with that id.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role
            from account where id = $1"#,
            id
        )
        .fetch_optional(db)
        .await
    }

    /// The account with that address, however it is written.
    pub async fn find_by_address(db: impl PgExecutor<'_>, address: &EmailAddress) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role
            from account where email_key = $1"#,
            address.key()
        )
        .fetch_optional(db)
        .await
    }

    /// The account that claims belong to: none when there is no such account, or its session is over. Without a session, when
    /// tokens of the original are not accepted for it any more.
    pub async fn find_by_claims(
        db: impl PgExecutor<'_>,
        id: Uuid,
        session: Option<Uuid>,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role
            from account where id = $1 and status <> 'BANNED' and case when $2::uuid is null then accepts_legacy else exists (
                select from session
                where session.id = $2 and user_id = account.id and ended_at is null and expires_at > now()) end"#,
            id,
            session
        )
        .fetch_optional(db)
        .await
    }

    /// The account after its owner's update. An address that is not verified is replaced; instead of a verified one the
    /// new one is noted, and counts once it is proved. Fails with [`super::EMAIL_TAKEN`] when another account has the new one.
    pub async fn update(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        draft: &Draft<'_>,
        password: &NewPassword<'_>,
    ) -> sqlx::Result<Option<UpdatedAccount>> {
        let Some(before) = Self::lock(tx, id).await? else { return Ok(None) };
        let moves = address::key(&before.email) != draft.email.key();
        let waits = moves && before.is_verified;
        let email = if waits { before.email.as_str() } else { draft.email.as_str() };
        let pending = if waits { Some(draft.email.as_str()) } else { before.pending_email.as_deref() };
        let account = sqlx::query_as!(
            Self,
            r#"update account set email = $2, email_key = $3, pending_email = $4, first_name = coalesce($5, first_name),
                last_name = coalesce($6, last_name), interests = $7, password_hash = $8,
                updated_by = id, updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1
            returning id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role"#,
            id,
            email,
            address::key(email),
            pending,
            draft.first_name,
            draft.last_name,
            draft.interests,
            password.hash
        )
        .fetch_one(&mut **tx)
        .await?;
        let asks = waits && before.pending_email != account.pending_email;
        let password_changed = before.password_hash != password.compared || password.differs;
        Ok(Some(UpdatedAccount { moved: moves && !waits, asks, password_changed, account, before }))
    }

    /// The account, locked until the end of the transaction.
    pub async fn lock(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role
            from account where id = $1 for no key update"#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
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
            returning id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role"#,
            id,
            hash,
            compared
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Voids the tokens of the original; when that is.
    pub async fn void_legacy(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Timestamp>> {
        sqlx::query_scalar!(r#"update account set accepts_legacy = false where id = $1 returning now() as "at!""#, id)
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

    /// The account after its address was verified. An account that moderation has muted or banned stays so.
    pub async fn verify(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update account set is_verified = true, signed_up_by = null, status = case status when 'INACTIVE' then 'ACTIVE' else status end,
                updated_by = id, updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1
            returning id, created_at, created_by, updated_at,
                updated_by, email, pending_email, first_name, last_name, password_hash, is_verified,
                date_joined, rating, status, interests,
                total_connections, role"#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes an account with all that hangs on it; none when there is none.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<DeletedAccount>> {
        // Locks in the order of ids, as a connect takes them. Once the account itself is locked no user can connect to it; a
        // connection between the snapshot and the lock is found by the next statement.
        sqlx::query!(
            "select id from account where id in (
                select $1 union select user_id from connection where target_id = $1
                union select target_id from connection where user_id = $1
            ) order by id for update",
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
        sqlx::query!(
            "update account set total_followers = total_followers - 1
            where id in (select target_id from connection where user_id = $1)",
            id
        )
        .execute(&mut **tx)
        .await?;
        let at = sqlx::query_scalar!(r#"delete from account where id = $1 returning now() as "at!""#, id)
            .fetch_optional(&mut **tx)
            .await?;
        lost.sort_unstable();
        Ok(at.map(|at| DeletedAccount { id, at, lost }))
    }
}
