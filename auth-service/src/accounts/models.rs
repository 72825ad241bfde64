//! What an account can be proved to be, and what it was before: all of the SQL of this feature.
use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::users::models::{Account, Draft, UNDO_HOURS};
use crate::users::{EMAIL_TAKEN, address};

/// How long a claim stays, in days: as long as the token that accepts it, and a day.
const CLAIM_DAYS: i32 = 8;
/// Addresses that are brought into today's form in one step.
const BATCH: i64 = 100;

/// A change that can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeKind {
    /// A new address was given, and is not proved.
    AddressAsked,
    Address,
    Password,
}

/// An account as it was before a change.
pub struct AccountChange {
    pub id: Uuid,
    pub email: String,
    pub password_hash: String,
}

/// A link to another platform that has ended.
pub struct EndedLink {
    pub provider: String,
    pub at: Timestamp,
}

impl AccountChange {
    /// Keeps the state before a change.
    pub async fn record(tx: &mut PgTransaction<'_>, before: &Account, kind: ChangeKind) -> sqlx::Result<Uuid> {
        sqlx::query_scalar!(
            "insert into account_change (id, user_id, kind, email, email_key, password_hash)
            values ($1, $2, $3, $4, $5, $6) returning id",
            Uuid::now_v7(),
            before.id,
            kind as ChangeKind,
            before.email,
            address::key(&before.email),
            before.password_hash
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Ends the links to other platforms that were made after a change, which is to be taken back, and in the [`UNDO_HOURS`]
    /// before it: the user who made the change may have linked first, and has no other way in then.
    pub async fn end_links(tx: &mut PgTransaction<'_>, id: Uuid, user: Uuid) -> sqlx::Result<Vec<EndedLink>> {
        sqlx::query_as!(
            EndedLink,
            r#"delete from linked_account using account_change as change
            where change.id = $1 and change.user_id = $2 and linked_account.user_id = $2
                and linked_at >= change.changed_at - make_interval(hours => $3)
            returning provider, now() as "at!: Timestamp""#,
            id,
            user,
            UNDO_HOURS
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Removes and returns a change of a person, with all that came after it, whose tokens are void then: the user who made the
    /// change cannot take its end back.
    pub async fn take(tx: &mut PgTransaction<'_>, id: Uuid, user: Uuid) -> sqlx::Result<Option<Self>> {
        let change = sqlx::query_as!(
            Self,
            "select id, email, password_hash from account_change
            where id = $1 and user_id = $2 and changed_at > now() - make_interval(hours => $3)",
            id,
            user,
            UNDO_HOURS
        )
        .fetch_optional(&mut **tx)
        .await?;
        sqlx::query!(
            "delete from account_change where user_id = $2
                and (changed_at, id) >= (select changed_at, id from account_change where id = $1 and user_id = $2)",
            id,
            user
        )
        .execute(&mut **tx)
        .await?;
        Ok(change)
    }

    /// The account as it was before the change, with its address proved.
    pub async fn undo(&self, tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<Account> {
        sqlx::query!(
            "update account set email = $2, email_key = $3, pending_email = null, password_hash = $4 where id = $1",
            user,
            self.email,
            address::key(&self.email),
            self.password_hash
        )
        .execute(&mut **tx)
        .await?;
        Account::verify(tx, user).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Removes changes that cannot be taken back any more.
    pub async fn sweep(db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!("delete from account_change where changed_at < now() - make_interval(hours => $1)", UNDO_HOURS)
            .execute(db)
            .await?;
        Ok(())
    }
}

/// A sign-up with the address of an account that is not verified.
pub struct SignUpClaim {
    pub id: Uuid,
    pub signed_up_by: Vec<u8>,
}

impl SignUpClaim {
    /// Stores a claim on an account.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        draft: &Draft<'_>,
        hash: &str,
        browser: &[u8; 32],
    ) -> sqlx::Result<Uuid> {
        sqlx::query_scalar!(
            "insert into sign_up_claim
                (id, user_id, email, first_name, last_name, interests, password_hash, signed_up_by)
            values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
            Uuid::now_v7(),
            user,
            draft.email.as_str(),
            draft.first_name,
            draft.last_name,
            draft.interests,
            hash,
            browser
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Removes claims whose token has ended, and forgets the browsers that signed up as long ago.
    pub async fn sweep(db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!("delete from sign_up_claim where claimed_at < now() - make_interval(days => $1)", CLAIM_DAYS)
            .execute(db)
            .await?;
        sqlx::query!(
            "update account set signed_up_by = null
            where signed_up_by is not null and created_at < now() - make_interval(days => $1)",
            CLAIM_DAYS
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// A claim on the account of a person.
    pub async fn find(db: impl PgExecutor<'_>, id: Option<Uuid>, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(Self, "select id, signed_up_by from sign_up_claim where id = $1 and user_id = $2", id, user)
            .fetch_optional(db)
            .await
    }

    /// Gives the account to the person who made the claim: their password, and their names alone.
    pub async fn accept(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update account set password_hash = claim.password_hash, first_name = claim.first_name,
                last_name = claim.last_name, interests = claim.interests
            from sign_up_claim as claim where claim.id = $1 and account.id = claim.user_id",
            self.id
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Removes the claims on an account: its address is proved.
pub async fn delete_claims(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from sign_up_claim where user_id = $1", user).execute(&mut **tx).await?;
    Ok(())
}

/// The browser that signed up, as long as the address is not verified.
pub async fn signed_up_by(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<Option<Vec<u8>>> {
    let found = sqlx::query_scalar!("select signed_up_by from account where id = $1", user).fetch_optional(db).await?;
    Ok(found.flatten())
}

/// The hash of the password of an account that the same browser made since a time, and that is not verified.
pub async fn recent_sign_up(
    db: impl PgExecutor<'_>,
    email_key: &str,
    browser: &[u8; 32],
    since: DateTime<Utc>,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select password_hash from account
        where email_key = $1 and signed_up_by = $2 and not is_verified and created_at > $3",
        email_key,
        browser,
        Timestamp(since) as Timestamp
    )
    .fetch_optional(db)
    .await
}

/// What stands in place of the hash of an account without a password: no hash is like it.
pub const PASSWORDLESS: &str = "!";

/// Makes the password of an account unusable.
pub async fn void_password(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update account set password_hash = $2 where id = $1", user, PASSWORDLESS).execute(&mut **tx).await?;
    Ok(())
}

/// The account with the address that was pending, proved. Fails with `EMAIL_TAKEN` when another account has it.
pub async fn move_to_pending(tx: &mut PgTransaction<'_>, before: &Account, to: &str) -> sqlx::Result<Account> {
    sqlx::query!(
        "update account set email = $2, email_key = $3, pending_email = null where id = $1",
        before.id,
        to,
        address::key(to)
    )
    .execute(&mut **tx)
    .await?;
    Account::verify(tx, before.id).await?.ok_or(sqlx::Error::RowNotFound)
}

/// Whether the person of a session has shown who they are less than `seconds` ago: when it began, or at the provider by which it did.
pub async fn authenticated_within(db: impl PgExecutor<'_>, session: Option<Uuid>, seconds: f64) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from session
            where id = $1 and coalesce(authenticated_at, created_at) > now() - make_interval(secs => $2)) as "recent!""#,
        session,
        seconds
    )
    .fetch_one(db)
    .await
}

/// An account whose address is not in today's form yet.
pub struct OldAddress {
    pub id: Uuid,
    pub email: String,
}

/// The next accounts after one, in the order of ids, whose address is not in today's form: the verified ones, or the others.
pub async fn list_old_addresses(db: impl PgExecutor<'_>, verified: bool, after: Uuid) -> sqlx::Result<Vec<OldAddress>> {
    sqlx::query_as!(
        OldAddress,
        "select id, email from account where email_key is null and is_verified = $1 and id > $2 order by id limit $3",
        verified,
        after,
        BATCH
    )
    .fetch_all(db)
    .await
}

/// Stores an address in today's form; false when another account has it.
pub async fn convert_address(db: &PgPool, id: Uuid, address: &address::EmailAddress) -> sqlx::Result<bool> {
    let converted = sqlx::query!(
        "update account set email = $2, email_key = $3 where id = $1 and email_key is null",
        id,
        address.as_str(),
        address.key()
    )
    .execute(db)
    .await;
    match converted {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(cause)) if cause.constraint() == Some(EMAIL_TAKEN) => Ok(false),
        Err(error) => Err(error),
    }
}
