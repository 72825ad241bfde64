//! System messages in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A message to some people or to all.
#[derive(Clone, Debug)]
pub struct SystemMessage {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// None: to all.
    pub user_ids: Option<Vec<Uuid>>,
    /// The last reader to which it was written out.
    pub last_user_id: Uuid,
}

impl SystemMessage {
    /// Creates a message, unless one of that id exists; false when that one is another.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        title: &str,
        content: &str,
        user_ids: Option<&[Uuid]>,
    ) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar!(
            r#"insert into system_message (id, title, content, user_ids) values ($1, $2, $3, $4)
            on conflict (id) do update set id = excluded.id
            returning (title, content) = ($2, $3) and user_ids is not distinct from $4 as "same!""#,
            id,
            title,
            content,
            user_ids
        );
        query.fetch_one(&mut **tx).await
    }

    /// Locks the oldest message that not all have yet, and that no other replica has at hand.
    pub async fn lock_next(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as!(
            Self,
            "select id, created_at, user_ids, last_user_id from system_message
            where done_at is null order by created_at limit 1 for update skip locked"
        );
        query.fetch_optional(&mut **tx).await
    }

    /// The next readers.
    pub async fn list_readers(&self, db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!(
            "select id from person where id > $1 and ($2::uuid[] is null or id = any($2)) order by id limit $3",
            self.last_user_id,
            self.user_ids.as_deref(),
            rows
        );
        query.fetch_all(db).await
    }

    /// Saves the last reader to which it was written out, or, without one, that all have it.
    pub async fn save_progress(&self, tx: &mut PgTransaction<'_>, last: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query!(
            "update system_message set last_user_id = coalesce($2, last_user_id), done_at = case when $2 is null then now() end
            where id = $1",
            self.id,
            last
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to `rows` messages to one reader whose notification was deleted as an old one; how many they were.
    pub async fn purge(db: impl PgExecutor<'_>, before: Timestamp, rows: i64) -> sqlx::Result<u64> {
        let purged = sqlx::query!(
            "delete from system_message where id in (
                select id from system_message where cardinality(user_ids) = 1 and done_at < $1 and not exists (
                    select from notification where subject_id = system_message.id and type = 'SYSTEM_MESSAGE'
                ) limit $2 for update skip locked
            )",
            before as Timestamp,
            rows
        );
        Ok(purged.execute(db).await?.rows_affected())
    }

    /// Deletes the messages to a person alone, and takes them out of the other lists of readers.
    pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from system_message where user_ids = array[$1::uuid]", person).execute(&mut **tx).await?;
        sqlx::query!(
            "update system_message set user_ids = array_remove(user_ids, $1),
                last_user_id = case when last_user_id = $1 then '00000000-0000-0000-0000-000000000000' else last_user_id end
            where $1 = any(user_ids) or last_user_id = $1",
            person
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// A message to one reader, from another service.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Given by that service: the same event twice is one message.
    pub id: Uuid,
    pub at: Timestamp,
    pub user_id: Uuid,
    pub title: String,
    pub content: String,
}

impl Notice {
    /// Saves notices that are new as messages that all of their readers have. One for a person whose data are erased is not saved.
    pub async fn save(tx: &mut PgTransaction<'_>, notices: &[Self]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into system_message (id, title, content, user_ids, created_at, done_at)
            select id, title, content, array[user_id], at, now()
            from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[])
                as notice (id, title, content, user_id, at)
            where not exists (select from erasure where person = user_id)
            order by id
            on conflict (id) do nothing",
            &notices.iter().map(|notice| notice.id).collect::<Vec<_>>(),
            &notices.iter().map(|notice| notice.title.clone()).collect::<Vec<_>>(),
            &notices.iter().map(|notice| notice.content.clone()).collect::<Vec<_>>(),
            &notices.iter().map(|notice| notice.user_id).collect::<Vec<_>>(),
            &notices.iter().map(|notice| notice.at).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
