//! Roles, restrictions and decisions in the database: all of the SQL of this feature.
use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::app::identity::{Role, Status};
use crate::core::contract::timestamp::Timestamp;
use crate::users::address::EmailAddress;

/// A person as those see them who decide.
pub struct Member {
    pub id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub date_joined: Timestamp,
    pub is_verified: bool,
    pub role: Role,
    pub status: Status,
    pub status_until: Option<Timestamp>,
}

/// The role and status of an account.
#[derive(Clone, Copy)]
pub struct AccountState {
    pub id: Uuid,
    pub role: Role,
    pub status: Status,
}

/// The accounts that a decision involves, locked until the end of the transaction.
pub struct LockedAccounts {
    accounts: Vec<AccountState>,
}

impl LockedAccounts {
    /// How many have the highest role.
    pub fn admins(&self) -> usize {
        self.accounts.iter().filter(|person| person.role == Role::Admin).count()
    }

    /// One of them, if they exist.
    pub fn find(&self, id: Uuid) -> Option<AccountState> {
        self.accounts.iter().find(|person| person.id == id).copied()
    }
}

/// Locks these people and all admins, so that of two who step down at once one stays.
pub async fn lock_accounts(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<LockedAccounts> {
    // In the order of ids, as others lock two people. An account that becomes admin meanwhile is locked by
    // that decision.
    let accounts = sqlx::query_as!(
        AccountState,
        r#"select id, role, status from account
        where id = any($1) or role = 'ADMIN' order by id for no key update"#,
        ids
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(LockedAccounts { accounts })
}

impl Member {
    /// People, who joined last first: all, or those of a role, or of a status, or of both.
    pub async fn list(
        db: impl PgExecutor<'_>,
        role: Option<Role>,
        status: Option<Status>,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, first_name, last_name, date_joined, is_verified,
                role, status, status_until
            from account
            where (date_joined, id) < ($1, $2) and ($3::text is null or role = $3) and ($4::text is null or status = $4)
            order by date_joined desc, id desc limit $5"#,
            before.at,
            before.id,
            role as Option<Role>,
            status as Option<Status>,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// One person.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, first_name, last_name, date_joined, is_verified,
                role, status, status_until
            from account where id = $1"#,
            id
        )
        .fetch_optional(db)
        .await
    }

    /// The person of an address, however it is written, or of an id.
    pub async fn named(db: impl PgExecutor<'_>, name: &str) -> sqlx::Result<Option<Uuid>> {
        let id = Uuid::try_parse(name).ok();
        let key = EmailAddress::parse(name).ok().map(|address| address.key());
        sqlx::query_scalar!("select id from account where id = $1 or email_key = $2", id, key).fetch_optional(db).await
    }
}

/// Stores the role of an account.
pub async fn set_role(tx: &mut PgTransaction<'_>, id: Uuid, role: Role) -> sqlx::Result<()> {
    sqlx::query!(
        "update account set role = $2, updated_at = greatest(now(), updated_at + interval '1 microsecond') where id = $1",
        id,
        role as Role
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Mutes or bans an account until a time or for good, by moderation or by a person here, or, with [`Status::Active`], lifts what
/// there is: an account whose address was never verified is INACTIVE again. Returns the status that it has then.
pub async fn set_status(
    tx: &mut PgTransaction<'_>,
    id: Uuid,
    status: Status,
    until: Option<DateTime<Utc>>,
    moderated: bool,
) -> sqlx::Result<Status> {
    sqlx::query_scalar!(
        r#"update account set status_until = $3, status_moderated = $4,
            status = case when $2 = 'ACTIVE' and not is_verified then 'INACTIVE' else $2 end,
            updated_at = greatest(now(), updated_at + interval '1 microsecond')
        where id = $1 returning status"#,
        id,
        status as Status,
        until.map(Timestamp),
        moderated
    )
    .fetch_one(&mut **tx)
    .await
}

/// Locks an account whose mute or ban is over and was not lifted yet; other replicas skip it.
pub async fn lock_expired(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "select id from account where status_until <= now() order by status_until limit 1 for no key update skip locked"
    )
    .fetch_optional(&mut **tx)
    .await
}

/// A decision about an account.
pub struct Decision {
    pub id: Uuid,
    pub at: Timestamp,
    pub decided_by: Option<Uuid>,
    pub role: Option<Role>,
    pub status: Option<Status>,
    pub until: Option<Timestamp>,
    pub reason: Option<String>,
    /// Moderation's decision that it follows from.
    pub moderation_id: Option<Uuid>,
}

/// What is decided: a role, or a status with its end and moderation's decision that it follows from.
#[derive(Clone, Copy)]
pub enum DecisionKind {
    Role(Role),
    Status(Status, Option<DateTime<Utc>>, Option<Uuid>),
}

impl Decision {
    /// Stores a decision about an account; without `by` it is an operator's or moderation's, or time was up.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        by: Option<Uuid>,
        kind: DecisionKind,
        reason: Option<&str>,
    ) -> sqlx::Result<()> {
        let (role, status, until, moderation) = match kind {
            DecisionKind::Role(role) => (Some(role), None, None, None),
            DecisionKind::Status(status, until, moderation) => (None, Some(status), until, moderation),
        };
        sqlx::query!(
            "insert into decision (id, user_id, decided_by, role, status, until, reason, moderation_id)
            values ($1, $2, $3, $4, $5, $6, $7, $8)",
            Uuid::now_v7(),
            user,
            by,
            role as Option<Role>,
            status as Option<Status>,
            until.map(Timestamp),
            reason,
            moderation
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What was decided about a person, newest first.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, at, decided_by, role, status,
                until, reason, moderation_id
            from decision where user_id = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
