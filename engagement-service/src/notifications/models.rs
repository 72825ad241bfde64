//! Notifications in the database, as their reader has them.
use serde::Deserialize;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::{Builder, Uuid};

use super::numbers::models::{Change, lock_readers, number_changes};
use super::{Stage, Type};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::profiles::Level;

/// Rows that one statement writes: far fewer than it could in the time that it may take.
const WRITTEN_AT_ONCE: usize = 2_000;

/// A person behind a group, as far as they are known.
#[derive(Clone, Debug, Deserialize)]
pub struct ActorCard {
    pub id: Uuid,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
}

/// A group of causes, or one thing that the platform has to say, with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Notification {
    pub id: Uuid,
    /// The reader.
    pub user_id: Uuid,
    pub r#type: Type,
    pub status: Stage,
    /// The post, of reactions and comments.
    pub subject_id: Uuid,
    pub causes: i64,
    /// The newest people behind it.
    pub actors: Json<Vec<ActorCard>>,
    pub post_title: Option<String>,
    /// The beginning of the post.
    pub excerpt: Option<String>,
    pub message_title: Option<String>,
    pub message: Option<String>,
    pub level: Option<Level>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub viewed_at: Option<Timestamp>,
    pub shown: bool,
    pub change: i64,
}

/// Which notifications are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Selection {
    /// Those that are shown, newest first: of one type or all, only unread or all.
    Page { r#type: Option<Type>, unread: bool, before: Cursor, rows: i64 },
    /// All that changed after a change, in the order of changes, those that are withdrawn as well.
    After { change: i64, rows: i64 },
}

/// Something that the platform has to say to one reader.
pub struct Announcement {
    pub user_id: Uuid,
    /// What it is about: the same is said once.
    pub subject_id: Uuid,
    pub at: Timestamp,
    /// Of a new level: that of before and the new one.
    pub levels: Option<(Level, Level)>,
}

impl Notification {
    /// A reader's notifications.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid, selection: Selection) -> sqlx::Result<Vec<Self>> {
        let (after, word, only_unread, before, limit) = match selection {
            Selection::Page { r#type, unread, before, rows } => (None, r#type.map(Type::word), unread, before, rows),
            Selection::After { change, rows } => (Some(change), None, false, Cursor::end(), rows),
        };
        sqlx::query_as!(
            Self,
            r#"select card.id as "id!", user_id as "user_id!", type as "type!: Type", status as "status!: Stage",
                subject_id as "subject_id!", causes as "causes!", level as "level: Level", created_at as "created_at!",
                updated_at as "updated_at!", viewed_at, shown as "shown!", change as "change!", post_title, excerpt,
                message_title, message, actors as "actors!: Json<Vec<ActorCard>>"
            from (
                (select id from notification where user_id = $1 and shown and $2::bigint is null
                    and (updated_at, id) < ($3, $4) and ($5::text is null or type = $5) and (not $6 or viewed_at is null)
                    and type <> all ((select unlisted($1))::text[])
                order by updated_at desc, id desc limit $7)
                union all
                (select id from notification where user_id = $1 and change > $2
                    and type <> all ((select unlisted($1))::text[])
                order by change limit $7)
            ) as chosen join notification_card as card on card.id = chosen.id
            order by case when $2 is not null then change end, updated_at desc, card.id desc"#,
            user,
            after,
            before.at as Timestamp,
            before.id,
            word,
            only_unread,
            limit
        )
        .fetch_all(db)
        .await
    }

    /// How many notifications a reader has not seen.
    pub async fn count_unread(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<i64> {
        let query = sqlx::query_scalar!(
            r#"select count(*) as "count!" from notification
            where user_id = $1 and shown and viewed_at is null and type <> all ((select unlisted($1))::text[])"#,
            user
        );
        query.fetch_one(db).await
    }

    /// Marks notifications as viewed: those with these ids, or all up to a time or a change. The reader is locked. How many have
    /// these ids, viewed before or not.
    pub async fn view(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        ids: Option<&[Uuid]>,
        up_to: Option<Timestamp>,
        up_to_change: Option<i64>,
    ) -> sqlx::Result<usize> {
        let found = sqlx::query!(
            "select id, viewed_at from notification
            where user_id = $1 and shown
                and (id = any($2) or (viewed_at is null and (updated_at <= $3 or change <= $4)))
                and type <> all ((select unlisted($1))::text[])",
            user,
            ids,
            up_to as Option<Timestamp>,
            up_to_change
        )
        .fetch_all(&mut **tx)
        .await?;
        let unread: Vec<Uuid> = found.iter().filter(|row| row.viewed_at.is_none()).map(|row| row.id).collect();
        for page in unread.chunks(WRITTEN_AT_ONCE) {
            // What was seen is news again at once when there is more of it.
            sqlx::query!(
                "update notification set status = 'VIEWED', viewed_at = now(), dispatched_at = null where id = any($1)",
                page
            )
            .execute(&mut **tx)
            .await?;
            let changes: Vec<_> = page.iter().map(|id| Change { id: *id, was_shown: true, is_shown: true }).collect();
            number_changes(tx, &changes).await?;
        }
        Ok(found.len())
    }

    /// Deletes a notification for its reader, who is locked, until there is a new cause; false when there is none.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "update notification set deleted_at = now(), dispatched_at = null where id = $1 and user_id = $2 and shown",
            id,
            user
        )
        .execute(&mut **tx)
        .await?;
        let was_there = deleted.rows_affected() == 1;
        if was_there {
            number_changes(tx, &[Change { id, was_shown: true, is_shown: false }]).await?;
        }
        Ok(was_there)
    }

    /// Writes what the platform has to say; the readers are locked. What was said already, what is older than what is kept, and what
    /// is for a person who left is not written.
    pub async fn announce(tx: &mut PgTransaction<'_>, r#type: Type, all: &[Announcement]) -> sqlx::Result<()> {
        let since = super::kept_since();
        let recent: Vec<_> = all.iter().filter(|one| one.at > since).collect();
        let written = sqlx::query_as!(
            Change,
            r#"insert into notification (id, user_id, type, subject_id, causes, previous, level, created_at, updated_at)
            select id, user_id, $1, subject_id, 1, previous, level, at, at
            from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[])
                as said (id, user_id, subject_id, previous, level, at)
            where not exists (select from erasure where person = user_id)
            on conflict on constraint notification_group_key do nothing
            returning id, false as "was_shown!", shown as "is_shown!""#,
            r#type.word(),
            &recent.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
            &recent.iter().map(|one| one.user_id).collect::<Vec<_>>(),
            &recent.iter().map(|one| one.subject_id).collect::<Vec<_>>(),
            &recent.iter().map(|one| one.levels.map(|levels| levels.0)).collect::<Vec<_>>() as &[Option<Level>],
            &recent.iter().map(|one| one.levels.map(|levels| levels.1)).collect::<Vec<_>>() as &[Option<Level>],
            &recent.iter().map(|one| one.at).collect::<Vec<_>>() as &[Timestamp]
        )
        .fetch_all(&mut **tx)
        .await?;
        number_changes(tx, &written).await
    }

    /// Deletes notifications whose newest cause is old, up to `rows` of each kind: those that were viewed or withdrawn `before` one
    /// time, and of all others what was there and had no news before an earlier one. How many there were.
    pub async fn purge(
        tx: &mut PgTransaction<'_>,
        before: Timestamp,
        unseen_before: Timestamp,
        rows: i64,
    ) -> sqlx::Result<usize> {
        // The ids are in the order in which rows were written (UUIDv7), so that the primary key finds those of long ago.
        let millis = u64::try_from(unseen_before.0.timestamp_millis()).unwrap_or_default();
        let written_before = Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
        let found = sqlx::query!(
            r#"with settled as (
                select id, user_id from notification where updated_at < $1 and (not shown or viewed_at is not null) limit $4
            ), unseen as (
                select id, user_id from notification where id < $2 and updated_at < $3 limit $4
            )
            select id as "id!", user_id as "user_id!" from settled union select id, user_id from unseen"#,
            before as Timestamp,
            written_before,
            unseen_before as Timestamp,
            rows
        )
        .fetch_all(&mut **tx)
        .await?;
        // As for every other change, so that no person comes to a group while it is taken apart. One that has news by now stays.
        lock_readers(tx, &found.iter().map(|row| row.user_id).collect::<Vec<_>>()).await?;
        let old = sqlx::query_scalar!(
            "select id from notification where id = any($1)
                and ((updated_at < $2 and (not shown or viewed_at is not null)) or (id < $3 and updated_at < $4))",
            &found.iter().map(|row| row.id).collect::<Vec<_>>(),
            before as Timestamp,
            written_before,
            unseen_before as Timestamp
        )
        .fetch_all(&mut **tx)
        .await?;
        // The people behind them first, a page in each transaction: a group of very many would hold its reader's rows up for as long.
        if !delete_actors(tx, &old).await? {
            sqlx::query!("delete from notification where id = any($1)", &old).execute(&mut **tx).await?;
        }
        Ok(found.len())
    }

    /// Notifications of a reader as personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        let rows = sqlx::query!(
            r#"select id, updated_at, to_jsonb(notification) - 'change' - 'due_at' - 'gathered' as "thing!: Value"
            from notification
            where user_id = $1 and (updated_at, id) < ($2, $3) order by updated_at desc, id desc limit $4"#,
            user,
            before.at as Timestamp,
            before.id,
            rows
        )
        .fetch_all(db)
        .await?;
        Ok(rows.into_iter().map(|row| PersonalDataItem { at: row.updated_at, id: row.id, thing: row.thing }).collect())
    }

    /// Deletes up to `rows` notifications of a reader and some of the people behind them, and at last their numbers; true when there may
    /// be more.
    pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let ids =
            sqlx::query_scalar!("select id from notification where user_id = $1 order by id limit $2", user, rows);
        let ids = ids.fetch_all(&mut **tx).await?;
        if delete_actors(tx, &ids).await? {
            return Ok(true);
        }
        sqlx::query!("delete from notification where id = any($1)", &ids).execute(&mut **tx).await?;
        if !ids.is_empty() {
            return Ok(true);
        }
        sqlx::query!("delete from notification_reader where user_id = $1", user).execute(&mut **tx).await?;
        Ok(false)
    }
}

/// Deletes some of the people behind notifications that are deleted next, who are not counted any more: between two pages a person may
/// come, and the group goes on with those who are left. True when there may be more.
async fn delete_actors(tx: &mut PgTransaction<'_>, notifications: &[Uuid]) -> sqlx::Result<bool> {
    let rows = i64::try_from(WRITTEN_AT_ONCE).unwrap_or(i64::MAX);
    let reduced = sqlx::query!(
        "with gone as (
            delete from notification_actor where (notification_id, actor_id) in (
                select notification_id, actor_id from notification_actor where notification_id = any($1) limit $2)
            returning notification_id, stands
        ), counted as (
            select notification_id, count(*) filter (where stands) as stood from gone group by notification_id
        )
        update notification set causes = causes - stood from counted where notification.id = notification_id",
        notifications,
        rows
    );
    Ok(reduced.execute(&mut **tx).await?.rows_affected() > 0)
}
