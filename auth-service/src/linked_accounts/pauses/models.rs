//! Pauses of providers in the database: all of the SQL of this feature.
use std::time::Duration;

use sqlx::PgExecutor;

use crate::linked_accounts::http::ProviderFault;

/// The pause of a provider.
pub struct ProviderPause;

impl ProviderPause {
    /// Begins the pause that a provider wants, if this fault says so.
    pub async fn note(db: impl PgExecutor<'_>, issuer: &str, fault: &ProviderFault) -> sqlx::Result<()> {
        match fault {
            ProviderFault::TooMany(wait) => Self::begin(db, issuer, *wait).await,
            ProviderFault::Away(_) | ProviderFault::Refused(_) | ProviderFault::Invalid(_) => Ok(()),
        }
    }

    /// Lets a provider be left alone for so long from now on; what was longer stays.
    pub async fn begin(db: impl PgExecutor<'_>, issuer: &str, wait: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into provider_pause (issuer, not_before) values ($1, now() + make_interval(secs => $2))
            on conflict (issuer) do update set not_before = greatest(provider_pause.not_before, excluded.not_before)",
            issuer,
            wait.as_secs_f64()
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// For how long a provider is still to be left alone, if it is.
    pub async fn find(db: impl PgExecutor<'_>, issuer: &str) -> sqlx::Result<Option<Duration>> {
        let left = sqlx::query_scalar!(
            r#"select extract(epoch from not_before - now())::double precision as "left!" from provider_pause
            where issuer = $1 and not_before > now()"#,
            issuer
        );
        Ok(left.fetch_optional(db).await?.and_then(|left| Duration::try_from_secs_f64(left).ok()))
    }
}
