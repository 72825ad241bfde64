//! Mails in the database: all of the SQL of this feature.
use std::collections::HashMap;

use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::MailTemplate;
use crate::core::contract::timestamp::Timestamp;
use crate::tokens::Purpose;
use crate::users::address;

/// For how many days a mail stays that was sent or given up.
const KEPT: i32 = 30;
/// Rows removed in one statement.
const BATCH: i64 = 5_000;

/// A mail that is to be sent.
pub struct Mail {
    pub id: Uuid,
    pub user_id: Uuid,
    pub recipient: String,
    pub letter: Json<MailTemplate>,
    pub created_at: Timestamp,
    /// When it is tried again if this try fails.
    pub due_at: Timestamp,
    pub tries: i32,
    /// What its token is about, beside the address.
    pub about: Option<Uuid>,
}

/// A mail that another service asks for.
pub struct RequestedMail {
    /// The id of the request: of two with one id, one is sent.
    pub request: Uuid,
    pub user_id: Uuid,
    pub letter: MailTemplate,
    pub not_before: Timestamp,
}

impl Mail {
    /// Writes mails to users whose address is verified, unless there is one for that request. Others get none: a foreign
    /// address, or one of a user who may not come in.
    pub async fn create_requested(tx: &mut PgTransaction<'_>, mails: &[RequestedMail]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into mail (id, user_id, recipient, letter, cause, due_at)
            select new.id, account.id, email, new.letter, cause, greatest(not_before, now())
            from unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::text[], $5::timestamptz[])
                as new (id, user_id, letter, cause, not_before)
            join account on account.id = new.user_id and status = 'ACTIVE' and is_verified
            order by new.id
            on conflict ((letter ->> 'kind'), cause) do nothing",
            &mails.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
            &mails.iter().map(|mail| mail.user_id).collect::<Vec<_>>(),
            &mails.iter().map(|mail| Json(&mail.letter)).collect::<Vec<_>>() as &[Json<&MailTemplate>],
            &mails.iter().map(|mail| mail.request.to_string()).collect::<Vec<_>>(),
            &mails.iter().map(|mail| mail.not_before).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Whether the mail still goes to the verified address of a user who may come in.
    pub async fn has_reader(&self, db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select exists (select from account
                where id = $1 and email_key = $2 and status = 'ACTIVE' and is_verified) as "reads!""#,
            self.user_id,
            address::key(&self.recipient)
        )
        .fetch_one(db)
        .await
    }

    /// Those of these users that a reader may read of, with their names where they have one: neither banned ones, nor those
    /// who do not see each other.
    pub async fn list_names(
        db: impl PgExecutor<'_>,
        reader: Uuid,
        users: &[Uuid],
    ) -> sqlx::Result<HashMap<Uuid, Option<String>>> {
        let rows = sqlx::query!(
            r#"select id, coalesce(nullif(btrim(concat_ws(' ', first_name, last_name)), ''), username) as name from account
            where id = any($2) and status <> 'BANNED' and not exists (
                select from block where (user_id = $1 and target_id = id) or (user_id = id and target_id = $1))"#,
            reader,
            users
        )
        .fetch_all(db)
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Writes a mail to a person, unless there is one of its kind with that cause.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        recipient: &str,
        letter: &MailTemplate,
        cause: &str,
        about: Option<Uuid>,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into mail (id, user_id, recipient, letter, cause, about) values ($1, $2, $3, $4, $5, $6)
            on conflict ((letter ->> 'kind'), cause) do nothing",
            Uuid::now_v7(),
            user,
            recipient,
            Json(letter) as Json<&MailTemplate>,
            cause,
            about
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The mail that has been due for longest. It is due again after a minute, and after each further try twice as long, at
    /// most some four hours: until then nobody else sends it.
    pub async fn claim(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update mail set tries = tries + 1, due_at = now() + interval '30 seconds' * power(2, least(tries + 1, 9))
            where id = (select id from mail where due_at <= now() order by due_at limit 1 for update skip locked)
            returning id, user_id, recipient as "recipient!", letter,
                created_at, due_at as "due_at!", tries, about"#
        )
        .fetch_optional(db)
        .await
    }

    /// Whether the mail was not cancelled, and its recipient still is an address that its token is good for: an UNDO goes
    /// to the address of before. Until the end of the transaction neither changes.
    pub async fn still_holds(&self, tx: &mut PgTransaction<'_>, purpose: Purpose) -> sqlx::Result<bool> {
        // The account first: changing the address and cancelling mails lock it, too.
        let owner = sqlx::query_scalar!(
            "select id from account
            where id = $1 and ($3 = 'UNDO' or email_key = $4 or (pending_email = $2 and $3 = 'ACTIVATION')) for no key update",
            self.user_id,
            self.recipient,
            purpose as Purpose,
            address::key(&self.recipient)
        )
        .fetch_optional(&mut **tx)
        .await?;
        let mail = sqlx::query_scalar!("select id from mail where id = $1", self.id).fetch_optional(&mut **tx).await?;
        Ok(owner.is_some() && mail.is_some())
    }

    /// Notes that a mail was sent; only its kind and its cause stay.
    pub async fn sent(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update mail set sent_at = now(), due_at = null, error = null, recipient = null,
                letter = jsonb_build_object('kind', letter -> 'kind')
            where id = $1",
            id
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Notes why a mail was not sent; `over` when it is given up.
    pub async fn failed(db: impl PgExecutor<'_>, id: Uuid, error: &str, over: bool) -> sqlx::Result<()> {
        sqlx::query!(
            "update mail set error = $2, due_at = case when $3 then null else due_at end,
                failed_at = case when $3 then now() end
            where id = $1",
            id,
            error,
            over
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Forgets a mail.
    pub async fn delete(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from mail where id = $1", id).execute(db).await?;
        Ok(())
    }

    /// Cancels the mails to a user that would bring a token of that purpose and were not sent yet.
    pub async fn cancel_pending(tx: &mut PgTransaction<'_>, user: Uuid, purpose: Purpose) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from mail where user_id = $1 and sent_at is null and letter ->> 'kind' =
                any(case $2 when 'ACTIVATION' then '{VERIFICATION}' when 'PASSWORD_RESET' then '{PASSWORD_RESET}'
                    else '{ADDRESS_ASKED,ADDRESS_CHANGED,PASSWORD_CHANGED}' end::text[])",
            user,
            purpose as Purpose
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// How many mails wait to be sent, and how many were given up.
    pub async fn count(db: impl PgExecutor<'_>) -> sqlx::Result<(i64, i64)> {
        let row = sqlx::query!(
            r#"select (select count(*) from mail where due_at is not null) as "waiting!",
                (select count(*) from mail where failed_at is not null) as "failed!""#
        )
        .fetch_one(db)
        .await?;
        Ok((row.waiting, row.failed))
    }

    /// Removes what was sent or given up more than [`KEPT`] days ago.
    pub async fn sweep(db: impl PgExecutor<'_> + Copy) -> sqlx::Result<()> {
        loop {
            let removed = sqlx::query!(
                "delete from mail where id in (
                    select id from mail
                    where sent_at < now() - make_interval(days => $1) or failed_at < now() - make_interval(days => $1)
                    limit $2)",
                KEPT,
                BATCH
            )
            .execute(db)
            .await?
            .rows_affected();
            if removed == 0 {
                return Ok(());
            }
        }
    }
}
