//! Linked accounts and attempts in the database: all of the SQL of this feature but that of the tokens.
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::encryption::Sealed;
use super::providers::ProviderKey;
use crate::core::contract::timestamp::Timestamp;

/// For how many seconds an attempt may be finished: as long as a person needs to sign in at the provider.
pub const ATTEMPT_SECONDS: f64 = 600.0;

/// Links to which an identity is given by one statement.
const BATCH: i64 = 10_000;

/// The constraints by which the database refuses a person of a provider that is linked to another account: by its issuer, and by
/// the name of the settings, as the release before has it.
pub const SUBJECT_TAKEN: [&str; 2] = ["provider_identity_subject_key", "linked_account_subject_key"];
/// The constraints by which it refuses a second link to one provider.
pub const PROVIDER_TAKEN: [&str; 2] = ["provider_identity_user_key", "linked_account_provider_key"];
/// The constraint by which it refuses a username, or one that looks like it.
const USERNAME_TAKEN: &str = "account_username_key";

/// What an attempt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttemptPurpose {
    SignIn,
    Link,
}

/// A sign-in or a link that has begun at a provider.
pub struct LoginAttempt {
    pub provider: String,
    /// None: it began in the release before.
    pub issuer: Option<String>,
    /// Whether the provider was asked to have its person sign in again.
    pub is_fresh: bool,
    pub purpose: AttemptPurpose,
    pub user_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub nonce: String,
    pub verifier: Vec<u8>,
    pub key_id: String,
    /// None before it is stored.
    pub begun_at: Option<Timestamp>,
}

impl LoginAttempt {
    /// Stores an attempt under the hashes of its state and of the browser's cookie.
    pub async fn create(
        db: impl PgExecutor<'_>,
        attempt: &Self,
        state_sha256: &[u8; 32],
        browser_sha256: &[u8; 32],
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into login_attempt (state_sha256, browser_sha256, provider, issuer, is_fresh, purpose, user_id, session_id,
                nonce, verifier, key_id)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            state_sha256,
            browser_sha256,
            attempt.provider,
            attempt.issuer,
            attempt.is_fresh,
            attempt.purpose as AttemptPurpose,
            attempt.user_id,
            attempt.session_id,
            attempt.nonce,
            attempt.verifier,
            attempt.key_id
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Removes and returns an attempt of a browser: of two that bring the same state, one gets it. Another browser leaves
    /// it as it is, and so does a process without the key that it needs.
    pub async fn take(
        db: impl PgExecutor<'_>,
        state_sha256: &[u8; 32],
        browser_sha256: &[u8; 32],
        key_ids: &[String],
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from login_attempt where state_sha256 = $1 and browser_sha256 = $2
                and begun_at > now() - make_interval(secs => $3) and key_id = any($4)
            returning provider, issuer, is_fresh, purpose, user_id, session_id, nonce, verifier, key_id,
                begun_at as "begun_at?""#,
            state_sha256,
            browser_sha256,
            ATTEMPT_SECONDS,
            key_ids
        )
        .fetch_optional(db)
        .await
    }

    /// Whether a browser has an attempt that this process could not take, for want of its key.
    pub async fn is_of_other_key(
        db: impl PgExecutor<'_>,
        state_sha256: &[u8; 32],
        browser_sha256: &[u8; 32],
        key_ids: &[String],
    ) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select exists (select from login_attempt where state_sha256 = $1 and browser_sha256 = $2
                and begun_at > now() - make_interval(secs => $3) and key_id <> all($4)) as "waits!""#,
            state_sha256,
            browser_sha256,
            ATTEMPT_SECONDS,
            key_ids
        )
        .fetch_one(db)
        .await
    }

    /// Removes attempts that cannot be finished any more.
    pub async fn sweep(db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!("delete from login_attempt where begun_at < now() - make_interval(secs => $1)", ATTEMPT_SECONDS)
            .execute(db)
            .await?;
        Ok(())
    }

    /// Lets all attempts look older than they are.
    #[cfg(test)]
    pub async fn age(db: &PgPool, seconds: f64) -> sqlx::Result<()> {
        sqlx::query!("update login_attempt set begun_at = begun_at - make_interval(secs => $1)", seconds)
            .execute(db)
            .await?;
        Ok(())
    }
}

/// An account elsewhere, as its person sees it.
pub struct LinkedAccount {
    pub id: Uuid,
    pub user_id: Uuid,
    /// The name that the settings had for the provider when it was linked.
    pub provider: String,
    /// None: it was linked in the release before, and has no identity yet.
    pub issuer: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub linked_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub scopes: String,
    pub refused_at: Option<Timestamp>,
}

/// What is stored of an account elsewhere at a sign-in or a link.
pub struct LinkedState<'a> {
    pub name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub scopes: &'a str,
    pub tokens: &'a Sealed,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A link that its person has ended.
pub struct Unlinked {
    pub provider: String,
    pub issuer: Option<String>,
    pub at: Timestamp,
}

impl LinkedAccount {
    /// The link of a person of a provider: by its issuer, or, of a link without an identity, by its name.
    pub async fn find_by_subject(
        db: impl PgExecutor<'_>,
        provider: ProviderKey<'_>,
        subject: &str,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select id, user_id, provider, (select issuer from provider_identity where link_id = link.id) as issuer, name, email,
                linked_at, last_used_at, scopes, refused_at
            from linked_account as link where id = coalesce(
                (select link_id from provider_identity where issuer = $1 and subject = $3),
                (select old.id from linked_account as old where old.provider = $2 and old.subject = $3
                    and not exists (select from provider_identity where link_id = old.id)))",
            provider.issuer,
            provider.name,
            subject
        )
        .fetch_optional(db)
        .await
    }

    /// The links of a person, the oldest first; there is one per provider at most.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, user_id, provider, (select issuer from provider_identity where link_id = link.id) as issuer, name, email,
                linked_at, last_used_at, scopes, refused_at
            from linked_account as link where user_id = $1 order by linked_at, id",
            user
        )
        .fetch_all(db)
        .await
    }

    /// Links an account elsewhere. Fails with one of [`SUBJECT_TAKEN`] or of [`PROVIDER_TAKEN`].
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        user: Uuid,
        (provider, subject): (ProviderKey<'_>, &str),
        state: &LinkedState<'_>,
    ) -> sqlx::Result<Self> {
        let linked = sqlx::query_as!(
            Self,
            // The time of the statement, not of the transaction, which may have waited for one that ended an earlier link: consumers go by
            // the order of these times.
            "insert into linked_account
                (id, user_id, provider, subject, name, email, scopes, tokens, key_id, expires_at, linked_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp())
            returning id, user_id, provider, $11::text as issuer, name, email, linked_at, last_used_at, scopes, refused_at",
            id,
            user,
            provider.name,
            subject,
            state.name,
            state.email,
            state.scopes,
            state.tokens.bytes,
            state.tokens.key_id,
            state.expires_at.map(Timestamp) as Option<Timestamp>,
            provider.issuer
        )
        .fetch_one(&mut **tx)
        .await?;
        sqlx::query!(
            "insert into provider_identity (link_id, issuer, subject, user_id) values ($1, $2, $3, $4)",
            id,
            provider.issuer,
            subject,
            user
        )
        .execute(&mut **tx)
        .await?;
        Ok(linked)
    }

    /// Gives identities to links of a provider that have none: up to ten thousand; how many they were. A link whose identity another
    /// one has keeps none.
    pub async fn identify(db: &PgPool, provider: ProviderKey<'_>) -> sqlx::Result<u64> {
        let identified = sqlx::query!(
            "insert into provider_identity (link_id, issuer, subject, user_id)
            select id, $1, subject, user_id from linked_account
            where provider = $2 and not exists (select from provider_identity where link_id = id)
            limit $3 on conflict do nothing",
            provider.issuer,
            provider.name,
            BATCH
        );
        Ok(identified.execute(db).await?.rows_affected())
    }

    /// Stores what a sign-in has brought. Tokens that replace others end the refresh that is in flight.
    pub async fn record_use(tx: &mut PgTransaction<'_>, id: Uuid, state: &LinkedState<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set last_used_at = now(), refused_at = null, name = $2, email = $3, scopes = $4,
                tokens = $5, key_id = $6, expires_at = $7, token_version = token_version + 1, refreshing_until = null
            where id = $1",
            id,
            state.name,
            state.email,
            state.scopes,
            state.tokens.bytes,
            state.tokens.key_id,
            state.expires_at.map(Timestamp) as Option<Timestamp>
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Stores that a sign-in leaves the tokens as they are.
    pub async fn record_visit(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        name: Option<&str>,
        email: Option<&str>,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set last_used_at = now(), name = $2, email = $3 where id = $1",
            id,
            name,
            email
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends a link of a person; none when they have no such link.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid, user: Uuid) -> sqlx::Result<Option<Unlinked>> {
        sqlx::query_as!(
            Unlinked,
            r#"delete from linked_account where id = $1 and user_id = $2
            returning provider, (select issuer from provider_identity where link_id = $1) as issuer,
                clock_timestamp() as "at!: Timestamp""#,
            id,
            user
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// How many links to these providers a person has: to one of the issuers, or, without an identity, to one of the names.
    pub async fn count(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        issuers: &[String],
        names: &[String],
    ) -> sqlx::Result<i64> {
        sqlx::query_scalar!(
            r#"select count(*) as "count!" from linked_account as link
            where user_id = $1 and coalesce(
                (select issuer from provider_identity where link_id = link.id) = any($2), provider = any($3))"#,
            user,
            issuers,
            names
        )
        .fetch_one(&mut **tx)
        .await
    }
}

/// Gives an account a username; false when another one has it, or one that looks like it.
pub async fn claim_username(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    username: &str,
    skeleton: &str,
) -> sqlx::Result<bool> {
    let mut attempt = tx.begin().await?;
    let claimed = sqlx::query!(
        "update account set username = $2, username_skeleton = $3 where id = $1",
        user,
        username,
        skeleton
    )
    .execute(&mut *attempt)
    .await;
    match claimed {
        Ok(_) => attempt.commit().await.map(|()| true),
        Err(sqlx::Error::Database(cause)) if cause.constraint() == Some(USERNAME_TAKEN) => {
            attempt.rollback().await.map(|()| false)
        }
        Err(error) => Err(error),
    }
}
