//! Mails in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

/// A mail that is to be sent.
pub struct Mail {
    pub id: Uuid,
    pub recipient: String,
    pub subject: String,
    pub body: String,
}

impl Mail {
    /// Writes a mail to a person.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        recipient: &str,
        subject: &str,
        body: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into mail (id, user_id, recipient, subject, body) values ($1, $2, $3, $4, $5)",
            Uuid::now_v7(),
            user,
            recipient,
            subject,
            body
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The mail that has been due for longest. It is due again after 30 s, and after each further try twice as long, at most
    /// 32 min: until then nobody else sends it.
    pub async fn claim(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "update mail set tries = tries + 1, due_at = now() + interval '30 seconds' * power(2, least(tries, 6))
            where id = (select id from mail where due_at <= now() order by due_at limit 1 for update skip locked)
            returning id, recipient, subject, body"
        )
        .fetch_optional(db)
        .await
    }

    /// Forgets a mail that was sent.
    pub async fn sent(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from mail where id = $1", id).execute(db).await?;
        Ok(())
    }

    /// How many mails were not sent yet, and how many of them are due now.
    #[cfg(test)]
    pub async fn waiting(db: impl PgExecutor<'_>) -> sqlx::Result<(i64, i64)> {
        let row =
            sqlx::query!(r#"select count(*) as "all!", count(*) filter (where due_at <= now()) as "due!" from mail"#)
                .fetch_one(db)
                .await?;
        Ok((row.all, row.due))
    }

    /// Lets all mails be due now.
    #[cfg(test)]
    pub async fn hurry(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!("update mail set due_at = now()").execute(db).await?;
        Ok(())
    }
}
