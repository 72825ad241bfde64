//! Links that are set aside in the database: all of the SQL of this feature.
use sqlx::PgPool;

use crate::linked_accounts::providers::ProviderKey;

/// What stands for the issuer of a link that is set aside, in front of the name of its provider. No issuer begins so: they are addresses.
const UNKNOWN_ISSUER: &str = "urn:unknown-issuer:";
/// Links that one statement changes.
const BATCH: i64 = 10_000;

/// The links that are set aside.
pub struct LinksAside;

impl LinksAside {
    /// Sets links aside that have no identity, and whose provider is none of these names: up to ten thousand; how many they were.
    pub async fn add(db: &PgPool, configured: &[String]) -> sqlx::Result<u64> {
        let added = sqlx::query!(
            "insert into provider_identity (link_id, issuer, subject, user_id)
            select id, $1::text || provider, subject, user_id from linked_account
            where provider <> all($2) and not exists (select from provider_identity where link_id = id)
            limit $3 on conflict do nothing",
            UNKNOWN_ISSUER,
            configured,
            BATCH
        );
        Ok(added.execute(db).await?.rows_affected())
    }

    /// Gives a provider the links that were set aside under its name: up to ten thousand; how many they were. What its person, or its
    /// subject, has linked anew meanwhile stays, and so does the link of before, beside it.
    pub async fn adopt(db: &PgPool, provider: ProviderKey<'_>) -> sqlx::Result<u64> {
        let adopted = sqlx::query!(
            "update provider_identity set issuer = $1
            where link_id in (
                select link_id from provider_identity as aside
                where issuer = $2::text || $3::text and not exists (
                    select from provider_identity as linked where linked.issuer = $1
                        and (linked.subject = aside.subject or linked.user_id = aside.user_id))
                limit $4)",
            provider.issuer,
            UNKNOWN_ISSUER,
            provider.name,
            BATCH
        );
        Ok(adopted.execute(db).await?.rows_affected())
    }
}
