//! Notifications on their way to channels, in the database.
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::models::{ActorCard, Notification};
use crate::notifications::numbers::models::lock_readers;
use crate::notifications::{Stage, Type};
use crate::profiles::Level;

impl Notification {
    /// Some notifications whose channels may be used; their readers are locked then, and none of them has changed. What is recommended to
    /// a reader, people and posts, is one mail where both are mailed at once: so one does not come without the other, and there may be a few
    /// more than `rows`.
    pub async fn lock_due(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Self>> {
        let recommendations = Type::ALL.into_iter().filter(|r#type| r#type.is_recommendation());
        let recommendations: Vec<String> = recommendations.map(|r#type| r#type.word().to_owned()).collect();
        let due = sqlx::query!(
            r#"with due as materialized (
                select id, user_id, type from notification
                where status = 'GENERATED' and shown and due_at <= now() order by due_at limit $1
            )
            select id as "id!", user_id as "user_id!" from due
            union
            select other.id, other.user_id from due cross join lateral (
                select id, user_id from notification
                where notification.user_id = due.user_id and type = any($2::text[])
                    and status = 'GENERATED' and shown and viewed_at is null and due_at <= now() offset 0
            ) as other
            where due.type = any($2::text[])"#,
            rows,
            &recommendations
        )
        .fetch_all(&mut **tx)
        .await?;
        lock_readers(tx, &due.iter().map(|due| due.user_id).collect::<Vec<_>>()).await?;
        Self::list_cards(&mut **tx, &due.iter().map(|due| due.id).collect::<Vec<_>>(), true).await
    }

    /// The notifications with these ids as they are now, also those that are not shown any more.
    pub async fn find_all(db: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        Self::list_cards(db, ids, false).await
    }

    async fn list_cards(db: impl PgExecutor<'_>, ids: &[Uuid], only_due: bool) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id as "id!", user_id as "user_id!", type as "type!: Type", status as "status!: Stage",
                subject_id as "subject_id!", causes as "causes!", level as "level: Level", created_at as "created_at!",
                updated_at as "updated_at!", viewed_at, shown as "shown!", change as "change!", post_title, excerpt,
                message_title, message, actors as "actors!: Json<Vec<ActorCard>>"
            from notification_card
            where id = any($1) and (not $2::boolean or (status = 'GENERATED' and shown and due_at <= now()))"#,
            ids,
            only_due
        )
        .fetch_all(db)
        .await
    }

    /// Saves that channels hold notifications back, each until its time: then all of its channels are asked again. `gathered` are those
    /// that a digest has already.
    pub async fn hold(
        tx: &mut PgTransaction<'_>,
        held: &BTreeMap<Uuid, DateTime<Utc>>,
        gathered: &BTreeSet<Uuid>,
    ) -> sqlx::Result<()> {
        if held.is_empty() {
            return Ok(());
        }
        // A database whose clock is ahead would say at once that they are due.
        sqlx::query!(
            "update notification set due_at = greatest(held.until, now() + interval '1 second'),
                gathered = notification.gathered or held.is_gathered
            from unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) as held (id, until, is_gathered)
            where notification.id = held.id",
            &held.keys().copied().collect::<Vec<_>>(),
            &held.values().copied().map(Timestamp).collect::<Vec<_>>() as &[Timestamp],
            &held.keys().map(|id| gathered.contains(id)).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Saves that channels have taken notifications: from now on they are not sent again for a while.
    pub async fn mark_sending(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!("update notification set status = 'SENDING', dispatched_at = now() where id = any($1)", ids)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Saves that channels are done with notifications, unless they were viewed, or are news again.
    pub async fn mark_sent(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "update notification set status = 'SENT' where id = any($1) and status in ('GENERATED', 'SENDING')",
            ids
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Saves that up to `rows` notifications are sent of which no channel has anything at hand any more; how many. Of two deliveries
    /// that end at once neither sees the other's end, so it is looked for, and not said by the last one.
    pub async fn settle(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<u64> {
        let settled = sqlx::query!(
            "update notification set status = 'SENT' where id in (
                select id from notification where status = 'SENDING'
                    and not exists (select from push_delivery where notification_id = notification.id and state = 'WAITING')
                limit $1 for update skip locked
            )",
            rows
        );
        Ok(settled.execute(db).await?.rows_affected())
    }
}
