//! Digests in the database: all of the SQL of this feature.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::notifications::Type;

/// A notification as a mail shows it. Who caused it is said by ids: the auth service has the names, and looks them up when it
/// sends the mail, so that none of a user who has left, or was blocked meanwhile, is in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MailItem {
    #[serde(skip)]
    pub notification_id: Uuid,
    /// Its reader.
    #[serde(skip)]
    pub user_id: Uuid,
    pub r#type: Type,
    /// Who caused it, the newest first; a few are enough.
    pub actor_ids: Vec<Uuid>,
    /// How many users caused it, of which the above are some.
    pub people: i64,
    /// What the platform itself says, where it does; never words of a user.
    pub text: Option<String>,
    /// The post that it is about.
    pub post_id: Option<Uuid>,
    /// When it changed for the last time.
    pub at: Timestamp,
}

/// People of a group that a mail may name; a few more than it does, since some may have left or be blocked.
const NAMED: i64 = 10;

/// What waits for a user's next digest.
pub struct Digest;

impl Digest {
    /// Locks the digests of these users, and creates those that are missing, for these times. Not for users whose data are
    /// erased.
    pub async fn create_and_lock(
        tx: &mut PgTransaction<'_>,
        next: &HashMap<Uuid, DateTime<Utc>>,
    ) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "insert into digest (user_id, next_at)
            select user_id, next_at from unnest($1::uuid[], $2::timestamptz[]) as new (user_id, next_at)
            where not exists (select from erasure where person = user_id)
            order by user_id
            on conflict (user_id) do update set next_at = digest.next_at
            returning user_id",
            &next.keys().copied().collect::<Vec<_>>(),
            &next.values().copied().map(Timestamp).collect::<Vec<_>>() as &[Timestamp]
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Adds notifications to the digests of their readers, which this transaction has locked. One that waits already waits on
    /// as it is now. One that was added when it was new, and that only another channel has held back since, is not added again.
    pub async fn add(tx: &mut PgTransaction<'_>, items: &[MailItem]) -> sqlx::Result<()> {
        let actors: Vec<_> = items.iter().map(|item| serde_json::json!(item.actor_ids)).collect();
        sqlx::query!(
            "insert into digest_entry (notification_id, user_id, type, actor_ids, people, text, post_id, at)
            select distinct on (notification_id) notification_id, user_id, type,
                array(select actor::uuid from jsonb_array_elements_text(actors) as actor), people, text, post_id, at
            from unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::bigint[], $6::text[], $7::uuid[],
                $8::timestamptz[]) as new (notification_id, user_id, type, actors, people, text, post_id, at)
            where not exists (select from notification where notification.id = new.notification_id and gathered)
            order by notification_id, at desc
            on conflict (notification_id) do update set actor_ids = excluded.actor_ids, people = excluded.people,
                text = excluded.text, post_id = excluded.post_id, at = excluded.at",
            &items.iter().map(|item| item.notification_id).collect::<Vec<_>>(),
            &items.iter().map(|item| item.user_id).collect::<Vec<_>>(),
            &items.iter().map(|item| item.r#type).collect::<Vec<_>>() as &[Type],
            &actors,
            &items.iter().map(|item| item.people).collect::<Vec<_>>(),
            &items.iter().map(|item| item.text.clone()).collect::<Vec<_>>() as &[Option<String>],
            &items.iter().map(|item| item.post_id).collect::<Vec<_>>() as &[Option<Uuid>],
            &items.iter().map(|item| item.at).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Gives the digest of a user another time, when one waits.
    pub async fn reschedule(tx: &mut PgTransaction<'_>, user: Uuid, next: DateTime<Utc>) -> sqlx::Result<()> {
        sqlx::query!("update digest set next_at = $2 where user_id = $1", user, Timestamp(next) as _)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Takes the digests that are due and that no other replica has at hand, the oldest first, at most `count`; their users.
    pub async fn take_due(tx: &mut PgTransaction<'_>, now: DateTime<Utc>, count: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "delete from digest where user_id in (
                select user_id from digest where next_at <= $1 order by next_at limit $2 for update skip locked)
            returning user_id",
            Timestamp(now) as _,
            count
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Takes what waits for these users, the newest first, as it is now; this transaction has taken their digests. What they have seen
    /// meanwhile, and what is withdrawn, is taken and left out.
    pub async fn take_entries(tx: &mut PgTransaction<'_>, users: &[Uuid]) -> sqlx::Result<Vec<MailItem>> {
        sqlx::query_as!(
            MailItem,
            r#"with taken as (delete from digest_entry where user_id = any($1) returning *)
            select taken.notification_id as "notification_id!", taken.user_id as "user_id!", taken.type as "type!: Type",
                array(
                    select actor_id from notification_actor
                    where notification_actor.notification_id = taken.notification_id and stands
                    order by at desc, actor_id limit $2
                ) as "actor_ids!",
                case when taken.people = 0 then 0 else causes end as "people!",
                text, post_id, notification.updated_at as "at!: Timestamp"
            from taken join notification on notification.id = taken.notification_id
            where shown and viewed_at is null order by notification.updated_at desc, notification.id"#,
            users,
            NAMED
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Deletes up to `rows` of what waits for a user, and when it is due; true when there may be more.
    pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        sqlx::query!("delete from digest where user_id = $1", user).execute(&mut **tx).await?;
        let deleted = sqlx::query!(
            "delete from digest_entry where notification_id in (
                select notification_id from digest_entry where user_id = $1 limit $2)",
            user,
            rows
        );
        Ok(deleted.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// What waits for a user, newest first, as the rows that they are.
    pub async fn list_personal_data(
        db: impl PgExecutor<'_>,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select at, notification_id as id, to_jsonb(digest_entry) as "thing!"
            from digest_entry where user_id = $1 and (at, notification_id) < ($2, $3)
            order by at desc, notification_id desc limit $4"#,
            user,
            before.at as _,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
