//! Tokens of providers and their revocations in the database: all of the SQL of this feature.
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::linked_accounts::encryption::Sealed;
use crate::linked_accounts::http::LONGEST_CALL;
use crate::linked_accounts::providers::ProviderKey;

/// How long it may take to store what a refresh has brought: a connection of the pool, a lock, a statement.
const STORING: Duration = Duration::from_secs(10);
/// For how long one process has the right to refresh tokens: until its call has ended and its answer is stored. What has to be known
/// of the provider is discovered before.
const REFRESH_CLAIM: Duration = LONGEST_CALL.saturating_add(STORING).saturating_add(Duration::from_secs(2));
const _: () = assert!(REFRESH_CLAIM.as_secs() > LONGEST_CALL.as_secs() + STORING.as_secs());
/// The pause before a revocation is tried again, in seconds; it doubles with each try.
const REVOCATION_PAUSE: f64 = 60.0;
/// How long tokens wait for their revocation at most, in days: those that need a key which no replica has any more.
const REVOCATION_DAYS: i32 = 30;
/// Rows that are encrypted anew in one step.
const BATCH: i64 = 100;

/// The tokens of a link, encrypted.
pub struct StoredTokens {
    pub id: Uuid,
    pub subject: String,
    pub scopes: String,
    pub tokens: Vec<u8>,
    pub key_id: String,
    pub expires_at: Option<Timestamp>,
    pub refused_at: Option<Timestamp>,
    /// Which refresh or sign-in they are of.
    pub version: i64,
    /// Whether one process has the right to refresh them.
    pub is_refreshing: bool,
}

/// The right of one process to refresh tokens. It ends with its time, and with a sign-in that brings other tokens: what is stored
/// by it then changes nothing.
#[derive(Debug)]
pub struct RefreshClaim {
    link: Uuid,
    version: i64,
    /// The tokens that are refreshed, as they are encrypted: the release before does not count versions.
    tokens: Vec<u8>,
}

impl StoredTokens {
    /// The tokens of a person at a provider: by its issuer, or, of a link without an identity, by its name.
    pub async fn find(db: &PgPool, user: Uuid, provider: ProviderKey<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, subject, scopes, tokens, key_id, expires_at, refused_at, token_version as version,
                coalesce(refreshing_until > now(), false) as "is_refreshing!"
            from linked_account where id = coalesce(
                (select link_id from provider_identity where user_id = $1 and issuer = $2),
                (select old.id from linked_account as old where old.user_id = $1 and old.provider = $3
                    and not exists (select from provider_identity where link_id = old.id)))"#,
            user,
            provider.issuer,
            provider.name
        )
        .fetch_optional(db)
        .await
    }

    /// The tokens of a link, locked until the end of the transaction.
    pub async fn lock(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, subject, scopes, tokens, key_id, expires_at, refused_at, token_version as version,
                coalesce(refreshing_until > now(), false) as "is_refreshing!"
            from linked_account where id = $1 for no key update"#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// The tokens of a link.
    pub async fn find_by_link(db: &PgPool, link: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, subject, scopes, tokens, key_id, expires_at, refused_at, token_version as version,
                coalesce(refreshing_until > now(), false) as "is_refreshing!"
            from linked_account where id = $1"#,
            link
        )
        .fetch_optional(db)
        .await
    }

    /// What is encrypted.
    pub fn sealed(&self) -> Sealed {
        Sealed { bytes: self.tokens.clone(), key_id: self.key_id.clone() }
    }

    /// Claims the right to refresh the tokens; none when another process has it, or they are other ones by now.
    pub async fn claim_refresh(&self, db: &PgPool) -> sqlx::Result<Option<RefreshClaim>> {
        let version = sqlx::query_scalar!(
            "update linked_account set refreshing_until = now() + make_interval(secs => $3), token_version = token_version + 1
            where id = $1 and tokens = $2 and (refreshing_until is null or refreshing_until < now())
            returning token_version",
            self.id,
            self.tokens,
            REFRESH_CLAIM.as_secs_f64()
        )
        .fetch_optional(db)
        .await?;
        Ok(version.map(|version| RefreshClaim { link: self.id, version, tokens: self.tokens.clone() }))
    }

    /// Notes that the provider does not accept the tokens any more, unless they are other ones by now.
    pub async fn refuse(&self, db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set refused_at = now() where id = $1 and token_version = $2 and tokens = $3",
            self.id,
            self.version,
            self.tokens
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// The next tokens after a link, in the order of ids, that are not encrypted with the current key.
    pub async fn list_old(db: &PgPool, key_id: &str, after: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, subject, scopes, tokens, key_id, expires_at, refused_at, token_version as version,
                coalesce(refreshing_until > now(), false) as "is_refreshing!"
            from linked_account where key_id <> $1 and id > $2 order by id limit $3"#,
            key_id,
            after,
            BATCH
        )
        .fetch_all(db)
        .await
    }

    /// Stores the same tokens in another encryption, unless they have changed meanwhile, or are being refreshed: what comes of
    /// a refresh is stored in place of the bytes that it began with.
    pub async fn reencrypt(&self, db: &PgPool, tokens: &Sealed) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set tokens = $3, key_id = $4
            where id = $1 and tokens = $2 and (refreshing_until is null or refreshing_until < now())",
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

    /// Lets the claims on the tokens of a person have run out.
    #[cfg(test)]
    pub async fn end_claims(db: &PgPool, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set refreshing_until = now() - interval '1 second' where user_id = $1",
            user
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

impl RefreshClaim {
    /// Stores refreshed tokens and gives the right back; false when it was lost: to another process, a sign-in that has brought
    /// other tokens, or the end of the link.
    pub async fn store(
        &self,
        db: &PgPool,
        tokens: &Sealed,
        scopes: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> sqlx::Result<bool> {
        let stored = sqlx::query!(
            "update linked_account set tokens = $4, key_id = $5, scopes = $6, expires_at = $7, refreshing_until = null,
                refused_at = null
            where id = $1 and token_version = $2 and tokens = $3",
            self.link,
            self.version,
            self.tokens,
            tokens.bytes,
            tokens.key_id,
            scopes,
            expires_at.map(Timestamp) as Option<Timestamp>
        )
        .execute(db)
        .await?;
        Ok(stored.rows_affected() == 1)
    }

    /// Gives the right back without new tokens; `refused`: the provider does not accept those of before any more.
    pub async fn release(&self, db: &PgPool, refused: bool) -> sqlx::Result<()> {
        sqlx::query!(
            "update linked_account set refreshing_until = null, refused_at = case when $4 then now() else refused_at end
            where id = $1 and token_version = $2 and tokens = $3",
            self.link,
            self.version,
            self.tokens,
            refused
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Tokens that are to be revoked.
pub struct TokenRevocation {
    pub id: Uuid,
    pub provider: String,
    /// None: of a link of the release before.
    pub issuer: Option<String>,
    /// The row for which they were encrypted, where that is not this one.
    pub sealed_for: Option<Uuid>,
    pub tokens: Vec<u8>,
    pub key_id: String,
    /// This one included.
    pub tries: i32,
}

impl TokenRevocation {
    /// Lets tokens of a person of a provider be revoked that are no link's, encrypted for a row.
    pub async fn create(
        db: impl PgExecutor<'_>,
        (provider, subject): (ProviderKey<'_>, &str),
        tokens: &Sealed,
        row: Uuid,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into token_revocation (id, provider, issuer, identity_sha256, sealed_for, tokens, key_id)
            values ($1, $2, $3, identity_sha256($3, $4), $5, $6, $7)",
            Uuid::now_v7(),
            provider.name,
            provider.issuer,
            subject,
            row,
            tokens.bytes,
            tokens.key_id
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Removes and returns what is to be revoked that a provider has granted for a person.
    pub async fn take(tx: &mut PgTransaction<'_>, issuer: &str, subject: &str) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "delete from token_revocation where identity_sha256 = identity_sha256($1, $2)
            returning id, provider, issuer, sealed_for, tokens, key_id, tries",
            issuer,
            subject
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Claims a revocation that is due and whose key this process has, and puts its next try off. A provider that wants to be left
    /// alone is.
    pub async fn claim_next(db: &PgPool, key_ids: &[String]) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "update token_revocation
            set tries = tries + 1, due_at = now() + make_interval(secs => $1 * power(2, least(tries, 10)))
            where id = (select id from token_revocation as due where due_at <= now() and key_id = any($2)
                and not exists (select from provider_pause where provider_pause.issuer = due.issuer and not_before > now())
                order by due_at limit 1 for update skip locked)
            returning id, provider, issuer, sealed_for, tokens, key_id, tries",
            REVOCATION_PAUSE,
            key_ids
        )
        .fetch_optional(db)
        .await
    }

    /// What is encrypted.
    pub fn sealed(&self) -> Sealed {
        Sealed { bytes: self.tokens.clone(), key_id: self.key_id.clone() }
    }

    /// The row for which it is encrypted.
    pub fn row(&self) -> Uuid {
        self.sealed_for.unwrap_or(self.id)
    }

    /// Removes a revocation that has succeeded, or is given up.
    pub async fn delete(&self, db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!("delete from token_revocation where id = $1", self.id).execute(db).await?;
        Ok(())
    }

    /// Puts a revocation off, and does not count this try.
    pub async fn put_off(&self, db: &PgPool, wait: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "update token_revocation set tries = tries - 1, due_at = now() + make_interval(secs => $2) where id = $1",
            self.id,
            wait.as_secs_f64()
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Gives up what has waited for a month; how many they were.
    pub async fn sweep(db: &PgPool) -> sqlx::Result<u64> {
        let swept = sqlx::query!(
            "delete from token_revocation where created_at < now() - make_interval(days => $1)",
            REVOCATION_DAYS
        );
        Ok(swept.execute(db).await?.rows_affected())
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
