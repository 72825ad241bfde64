//! Linked accounts, attempts and revocations in the database: all of the SQL of this feature.
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::encryption::Sealed;
use crate::core::contract::timestamp::Timestamp;

/// For how many seconds an attempt may be finished: as long as a person needs to sign in at the provider.
pub const ATTEMPT_SECONDS: f64 = 600.0;
/// For how many seconds one process has the right to refresh tokens: longer than a provider may take to answer.
const REFRESH_SECONDS: f64 = 20.0;
/// The pause before a revocation is tried again, in seconds; it doubles with each try.
const REVOCATION_PAUSE: f64 = 60.0;
/// Rows that are encrypted anew in one step.
const BATCH: i64 = 100;

/// The constraint by which the database refuses a person of a provider that is linked to another account.
pub const SUBJECT_TAKEN: &str = "linked_account_subject_key";
/// The constraint by which it refuses a second link to one provider.
pub const PROVIDER_TAKEN: &str = "linked_account_provider_key";
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
    pub purpose: AttemptPurpose,
    pub user_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub nonce: String,
    pub verifier: Vec<u8>,
    pub key_id: String,
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
            "insert into login_attempt
                (state_sha256, browser_sha256, provider, purpose, user_id, session_id, nonce, verifier, key_id)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            state_sha256,
            browser_sha256,
            attempt.provider,
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
    /// it as it is.
    pub async fn take(
        db: impl PgExecutor<'_>,
        state_sha256: &[u8; 32],
        browser_sha256: &[u8; 32],
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "delete from login_attempt where state_sha256 = $1 and browser_sha256 = $2
                and begun_at > now() - make_interval(secs => $3)
            returning provider, purpose, user_id, session_id, nonce, verifier, key_id",
            state_sha256,
            browser_sha256,
            ATTEMPT_SECONDS
        )
        .fetch_optional(db)
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
    pub provider: String,
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

impl LinkedAccount {
    /// The link of a person of a provider.
    pub async fn find_by_subject(db: impl PgExecutor<'_>, provider: &str, subject: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select id, user_id, provider, name, email, linked_at, last_used_at, scopes, refused_at
            from linked_account where provider = $1 and subject = $2",
            provider,
            subject
        )
        .fetch_optional(db)
        .await
    }

    /// The links of a person, the oldest first; there is one per provider at most.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, user_id, provider, name, email, linked_at, last_used_at, scopes, refused_at
            from linked_account where user_id = $1 order by linked_at, id",
            user
        )
        .fetch_all(db)
        .await
    }

    /// Links an account elsewhere. Fails with [`SUBJECT_TAKEN`] or [`PROVIDER_TAKEN`].
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        user: Uuid,
        (provider, subject): (&str, &str),
        state: &LinkedState<'_>,
    ) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            "insert into linked_account (id, user_id, provider, subject, name, email, scopes, tokens, key_id, expires_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            returning id, user_id, provider, name, email, linked_at, last_used_at, scopes, refused_at",
            id,
            user,
            provider,
            subject,
            state.name,
            state.email,
            state.scopes,
            state.tokens.bytes,
            state.tokens.key_id,
            state.expires_at.map(Timestamp) as Option<Timestamp>
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Stores what a sign-in has brought.
    pub async fn record_use(tx: &mut PgTransaction<'_>, id: Uuid, state: &LinkedState<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set last_used_at = now(), refused_at = null, name = $2, email = $3, scopes = $4,
                tokens = $5, key_id = $6, expires_at = $7
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

    /// Ends a link of a person; the name of the provider, and none when they have no such link.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid, user: Uuid) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar!("delete from linked_account where id = $1 and user_id = $2 returning provider", id, user)
            .fetch_optional(&mut **tx)
            .await
    }

    /// How many links a person has.
    pub async fn count(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<i64> {
        sqlx::query_scalar!(r#"select count(*) as "count!" from linked_account where user_id = $1"#, user)
            .fetch_one(&mut **tx)
            .await
    }
}

/// The tokens of a link, encrypted.
pub struct StoredTokens {
    pub id: Uuid,
    pub subject: String,
    pub scopes: String,
    pub tokens: Vec<u8>,
    pub key_id: String,
    pub expires_at: Option<Timestamp>,
    pub refused_at: Option<Timestamp>,
}

impl StoredTokens {
    /// The tokens of a person at a provider.
    pub async fn find(db: &PgPool, user: Uuid, provider: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select id, subject, scopes, tokens, key_id, expires_at, refused_at
            from linked_account where user_id = $1 and provider = $2",
            user,
            provider
        )
        .fetch_optional(db)
        .await
    }

    /// What is encrypted.
    pub fn sealed(&self) -> Sealed {
        Sealed { bytes: self.tokens.clone(), key_id: self.key_id.clone() }
    }

    /// Claims the right to refresh the tokens; false when another process has it, or they are other ones by now.
    pub async fn claim_refresh(&self, db: &PgPool) -> sqlx::Result<bool> {
        let claimed = sqlx::query!(
            "update linked_account set refreshing_until = now() + make_interval(secs => $3)
            where id = $1 and tokens = $2 and (refreshing_until is null or refreshing_until < now())",
            self.id,
            self.tokens,
            REFRESH_SECONDS
        )
        .execute(db)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }

    /// Stores refreshed tokens in place of these; false when a sign-in has brought other ones meanwhile, or the link is
    /// gone.
    pub async fn replace(
        &self,
        db: &PgPool,
        tokens: &Sealed,
        scopes: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> sqlx::Result<bool> {
        let replaced = sqlx::query!(
            "update linked_account set tokens = $3, key_id = $4, scopes = $5, expires_at = $6, refreshing_until = null,
                refused_at = null
            where id = $1 and tokens = $2",
            self.id,
            self.tokens,
            tokens.bytes,
            tokens.key_id,
            scopes,
            expires_at.map(Timestamp) as Option<Timestamp>
        )
        .execute(db)
        .await?;
        Ok(replaced.rows_affected() == 1)
    }

    /// Gives the right to refresh back; `refused`: the provider does not accept the tokens any more.
    pub async fn release(&self, db: &PgPool, refused: bool) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set refreshing_until = null,
                refused_at = case when $3 and tokens = $2 then now() else refused_at end
            where id = $1",
            self.id,
            self.tokens,
            refused
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Some tokens that are not encrypted with the current key.
    pub async fn list_old(db: &PgPool, key_id: &str) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, subject, scopes, tokens, key_id, expires_at, refused_at
            from linked_account where key_id <> $1 order by id limit $2",
            key_id,
            BATCH
        )
        .fetch_all(db)
        .await
    }

    /// Stores the same tokens in another encryption, unless they have changed meanwhile.
    pub async fn reencrypt(&self, db: &PgPool, tokens: &Sealed) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set tokens = $3, key_id = $4 where id = $1 and tokens = $2",
            self.id,
            self.tokens,
            tokens.bytes,
            tokens.key_id
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Lets the access tokens of a person have ended.
    #[cfg(test)]
    pub async fn expire(db: &PgPool, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("update linked_account set expires_at = now() - interval '1 second' where user_id = $1", user)
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Tokens that are to be revoked.
pub struct TokenRevocation {
    pub id: Uuid,
    pub provider: String,
    pub tokens: Vec<u8>,
    pub key_id: String,
    /// This one included.
    pub tries: i32,
}

impl TokenRevocation {
    /// Claims a revocation that is due, and puts its next try off.
    pub async fn claim_next(db: &PgPool) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "update token_revocation
            set tries = tries + 1, due_at = now() + make_interval(secs => $1 * power(2, least(tries, 10)))
            where id = (select id from token_revocation where due_at <= now() order by due_at limit 1
                for update skip locked)
            returning id, provider, tokens, key_id, tries",
            REVOCATION_PAUSE
        )
        .fetch_optional(db)
        .await
    }

    /// Removes a revocation that has succeeded, or is given up.
    pub async fn delete(&self, db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!("delete from token_revocation where id = $1", self.id).execute(db).await?;
        Ok(())
    }

    /// How many wait, and how many of them are due now.
    #[cfg(test)]
    pub async fn waiting(db: &PgPool) -> sqlx::Result<(i64, i64)> {
        let row = sqlx::query!(
            r#"select count(*) as "all!", count(*) filter (where due_at <= now()) as "due!" from token_revocation"#
        )
        .fetch_one(db)
        .await?;
        Ok((row.all, row.due))
    }

    /// Lets all be due.
    #[cfg(test)]
    pub async fn hasten(db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!("update token_revocation set due_at = now()").execute(db).await?;
        Ok(())
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
