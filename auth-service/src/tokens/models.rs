//! Tokens in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::Purpose;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;

/// The record of a token.
pub struct UserToken {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
}

/// A token as it goes by mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailedToken {
    pub user: Uuid,
    /// The address that it is mailed to, and proves.
    pub email: String,
    /// What else it is about, by its purpose: a claim, or a change.
    pub about: Option<Uuid>,
}

/// What a token that was brought back is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenCheck {
    /// Used up by this transaction.
    Valid(MailedToken),
    Expired,
    Unknown,
}

impl UserToken {
    /// Stores a token by its SHA-256.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        token: &MailedToken,
        purpose: Purpose,
        sha256: &[u8; 32],
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into user_token (id, created_by, user_id, purpose, sha256, email, about)
            values ($1, $2, $2, $3, $4, $5, $6)",
            Uuid::now_v7(),
            token.user,
            purpose as Purpose,
            sha256,
            token.email,
            token.about
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The tokens of a person, newest first.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at, updated_by
            from user_token where user_id = $1 and (created_at, id) < ($2, $3)
            order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Uses a token up, if it is one of that purpose and younger than `lifetime` seconds.
    pub async fn consume(tx: &mut PgTransaction<'_>, purpose: Purpose, sha256: &[u8; 32]) -> sqlx::Result<TokenCheck> {
        // The account first, then its token: in this order a deletion of the account takes its locks, too.
        let owner = sqlx::query_scalar!(
            "select id from account
            where id = (select user_id from user_token where sha256 = $1 and purpose = $2) for no key update",
            sha256,
            purpose as Purpose
        )
        .fetch_optional(&mut **tx)
        .await?;
        if owner.is_none() {
            return Ok(TokenCheck::Unknown);
        }
        let token = sqlx::query!(
            r#"delete from user_token where sha256 = $1 and purpose = $2
            returning user_id, email, about, created_at > now() - make_interval(secs => $3) as "fresh!""#,
            sha256,
            purpose as Purpose,
            purpose.lifetime()
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(match token {
            Some(token) if token.fresh => {
                TokenCheck::Valid(MailedToken { user: token.user_id, email: token.email, about: token.about })
            }
            Some(_) => TokenCheck::Expired,
            None => TokenCheck::Unknown,
        })
    }

    /// Lets all tokens of a person look older than they are.
    #[cfg(test)]
    pub async fn age(db: impl PgExecutor<'_>, user: Uuid, seconds: f64) -> sqlx::Result<()> {
        sqlx::query!(
            "update user_token set created_at = created_at - make_interval(secs => $2) where user_id = $1",
            user,
            seconds
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Voids the tokens of a person for a purpose.
pub async fn revoke(tx: &mut PgTransaction<'_>, user: Uuid, purpose: Purpose) -> sqlx::Result<()> {
    sqlx::query!("delete from user_token where user_id = $1 and purpose = $2", user, purpose as Purpose)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Removes a person's tokens of a purpose that ended more than a day ago; until then they are reported as expired.
pub async fn sweep(tx: &mut PgTransaction<'_>, user: Uuid, purpose: Purpose) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from user_token where user_id = $1 and purpose = $2 and created_at < now() - make_interval(days => 1, secs => $3)",
        user,
        purpose as Purpose,
        purpose.lifetime()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
