//! Tokens of providers and their revocations in the database: all of the SQL of this feature.
use chrono::{DateTime, Utc};
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::linked_accounts::encryption::Sealed;

/// For how many seconds one process has the right to refresh tokens: longer than a provider may take to answer.
const REFRESH_SECONDS: f64 = 20.0;
/// The pause before a revocation is tried again, in seconds; it doubles with each try.
const REVOCATION_PAUSE: f64 = 60.0;
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
    /// Whether one process has the right to refresh them.
    pub is_refreshing: bool,
}

impl StoredTokens {
    /// The tokens of a person at a provider.
    pub async fn find(db: &PgPool, user: Uuid, provider: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, subject, scopes, tokens, key_id, expires_at, refused_at,
                coalesce(refreshing_until > now(), false) as "is_refreshing!"
            from linked_account where user_id = $1 and provider = $2"#,
            user,
            provider
        )
        .fetch_optional(db)
        .await
    }

    /// The tokens of a link, locked until the end of the transaction.
    pub async fn lock(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, subject, scopes, tokens, key_id, expires_at, refused_at,
                coalesce(refreshing_until > now(), false) as "is_refreshing!"
            from linked_account where id = $1 for no key update"#,
            id
        )
        .fetch_optional(&mut **tx)
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

    /// The next tokens after a link, in the order of ids, that are not encrypted with the current key.
    pub async fn list_old(db: &PgPool, key_id: &str, after: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, subject, scopes, tokens, key_id, expires_at, refused_at,
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
