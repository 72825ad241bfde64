//! Deliveries in the database: all of the SQL of this feature.
use std::time::Duration;

use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::DeliveryState;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::devices::{ApnsEnvironment, Provider};

/// For how many seconds a delivery is tried: a push about yesterday is no news.
pub const LIFETIME: f64 = 86_400.0;
/// For how many seconds a delivery that was claimed is not tried again: longer than sending it takes.
const CLAIMED: f64 = 60.0;
/// For how many days a delivery stays after its end.
const KEPT: i32 = 7;
/// Deliveries that are looked at before some of them are claimed: a few times as many as are.
pub const LOOKED_AT: i64 = 500;
/// Rows changed in one statement of the clean-up.
const BATCH: i64 = 5_000;

/// A message that is to go to all devices of a user.
pub struct NewDelivery<'a> {
    pub notification_id: Uuid,
    pub user_id: Uuid,
    pub title: &'a str,
    pub body: &'a str,
    pub url: &'a str,
    pub collapse_key: &'a str,
    /// The users whose names are in the words.
    pub named: &'a [Uuid],
    /// Not sent before; at once when it is in the past.
    pub not_before: Timestamp,
}

/// A delivery that was claimed, with its device, which may be gone.
pub struct Delivery {
    pub id: Uuid,
    pub notification_id: Uuid,
    pub device_id: Uuid,
    pub version: i32,
    pub title: String,
    pub body: String,
    pub url: String,
    pub collapse_key: String,
    pub shrunk: bool,
    pub tries: i32,
    pub expires_at: Timestamp,
    pub address: Option<String>,
    pub p256dh: Option<Vec<u8>>,
    pub auth: Option<Vec<u8>>,
    pub topic: Option<String>,
    pub environment: Option<ApnsEnvironment>,
    pub registered_at: Option<Timestamp>,
}

/// What waits of one provider.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PushBacklog {
    pub waiting: i64,
    /// How long the oldest of them has been due, in seconds.
    pub age: f64,
}

impl Delivery {
    /// Writes a delivery to each device of a user that is of one of these providers; how many there are. One that waits for the
    /// same notification and device takes over the message: if it was tried already, it keeps its place in time.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        providers: &[Provider],
        new: &NewDelivery<'_>,
    ) -> sqlx::Result<u64> {
        // Locked, so that a device which is removed meanwhile ends what is written here.
        let devices = sqlx::query!(
            "select id, provider from device where user_id = $1 and provider = any($2) order by id for key share",
            new.user_id,
            providers as &[Provider]
        )
        .fetch_all(&mut **tx)
        .await?;
        let written = sqlx::query!(
            "insert into push_delivery (id, device_id, provider, notification_id, user_id, title, body, url, collapse_key,
                named, due_at, expires_at)
            select seen.id, seen.device_id, seen.provider, $4, $5, $6, $7, $8, $9, $10, greatest(now(), $11),
                greatest(now(), $11) + make_interval(secs => $12)
            from unnest($1::uuid[], $2::uuid[], $3::text[]) as seen (id, device_id, provider)
            on conflict (notification_id, device_id) where state = 'WAITING' do update set
                version = push_delivery.version + 1, title = excluded.title, body = excluded.body, url = excluded.url,
                collapse_key = excluded.collapse_key, named = excluded.named, shrunk = false,
                due_at = case when push_delivery.tries = 0 then excluded.due_at
                    else greatest(push_delivery.due_at, excluded.due_at) end,
                expires_at = excluded.expires_at",
            &devices.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
            &devices.iter().map(|device| device.id).collect::<Vec<_>>(),
            &devices.iter().map(|device| device.provider).collect::<Vec<_>>() as &[Provider],
            new.notification_id,
            new.user_id,
            new.title,
            new.body,
            new.url,
            new.collapse_key,
            new.named,
            new.not_before as Timestamp,
            LIFETIME
        )
        .execute(&mut **tx)
        .await?;
        Ok(written.rows_affected())
    }

    /// Ends what is no news of a provider's deliveries that have been due for longest: its reader saw the notification meanwhile, or it is
    /// withdrawn. How many there were. It looks at a bounded number, since very many may be due after an outage; what is behind them
    /// is looked at when it is claimed.
    pub async fn end_outdated(db: impl PgExecutor<'_>, provider: Provider) -> sqlx::Result<u64> {
        let ended = sqlx::query!(
            "update push_delivery set state = 'FAILED', error = 'outdated', ended_at = now(), title = null, body = null,
                url = null, collapse_key = null, named = '{}'
            from (
                select id, notification_id from push_delivery
                where state = 'WAITING' and provider = $1 and due_at <= now() order by due_at limit $2
            ) as due
            join notification on notification.id = due.notification_id
            where push_delivery.id = due.id and push_delivery.state = 'WAITING' and push_delivery.due_at <= now()
                and (not shown or viewed_at is not null)",
            provider as Provider,
            LOOKED_AT
        )
        .execute(db)
        .await?;
        Ok(ended.rows_affected())
    }

    /// Claims deliveries by a provider that are due, those first that have been for longest, and one per device: what is broken
    /// or silent is tried once at a time, and takes no place from others.
    pub async fn claim(db: impl PgExecutor<'_>, provider: Provider, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"with due as (
                select id, device_id, user_id from push_delivery
                where state = 'WAITING' and provider = $1 and due_at <= now() and not exists (
                    select from push_delivery as other
                    where other.device_id = push_delivery.device_id and other.state = 'WAITING'
                        and ((other.tries > 0 and other.due_at > now())
                            or (other.due_at, other.id) < (push_delivery.due_at, push_delivery.id)))
                order by due_at limit $2 for update of push_delivery skip locked
            )
            update push_delivery set tries = tries + 1, due_at = now() + make_interval(secs => $3)
            from due left join device on device.id = due.device_id and device.user_id = due.user_id
            where push_delivery.id = due.id
            returning push_delivery.id, notification_id, push_delivery.device_id, version, title as "title!",
                body as "body!", url as "url!", collapse_key as "collapse_key!", shrunk, tries, expires_at,
                device.address as "address?", device.p256dh, device.auth, device.topic,
                device.environment as "environment?: ApnsEnvironment", device.registered_at as "registered_at?""#,
            provider as Provider,
            rows,
            CLAIMED
        )
        .fetch_all(db)
        .await
    }

    /// Ends a delivery and empties it. One whose message was replaced meanwhile does not end: the newer one is due, as soon as it may
    /// be sent. Its time to live says when that is, since it begins then.
    pub async fn end(
        &self,
        tx: &mut PgTransaction<'_>,
        state: DeliveryState,
        status: Option<i16>,
        reason: &str,
    ) -> sqlx::Result<()> {
        let ended = sqlx::query!(
            "update push_delivery set state = $3, status = $4, error = nullif($5, ''), ended_at = now(), title = null,
                body = null, url = null, collapse_key = null, named = '{}'
            where id = $1 and version = $2 and state = 'WAITING'",
            self.id,
            self.version,
            state as DeliveryState,
            status,
            reason
        )
        .execute(&mut **tx)
        .await?;
        if ended.rows_affected() == 0 {
            sqlx::query!(
                "update push_delivery set due_at = greatest(now(), expires_at - make_interval(secs => $2)), tries = 0
                where id = $1 and state = 'WAITING'",
                self.id,
                LIFETIME
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }

    /// Notes why a delivery was not taken, and when it is tried again; what else waits for the device is not tried before. A message
    /// that took its place may have to wait for longer.
    pub async fn put_off(
        &self,
        tx: &mut PgTransaction<'_>,
        wait: Duration,
        status: Option<i16>,
        reason: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "update push_delivery set status = $4, error = nullif($5, ''),
                due_at = case when version = $2 then now() + make_interval(secs => $3)
                    else greatest(due_at, now() + make_interval(secs => $3)) end
            where id = $1 and state = 'WAITING'",
            self.id,
            self.version,
            wait.as_secs_f64(),
            status,
            reason
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update push_delivery set due_at = greatest(due_at, now() + make_interval(secs => $3))
            where device_id = $1 and id <> $2 and state = 'WAITING'",
            self.device_id,
            self.id,
            wait.as_secs_f64()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Lets a delivery that is too large go again, without its body; one that was replaced meanwhile as soon as it may be sent.
    pub async fn shrink(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update push_delivery set shrunk = version = $2,
                due_at = greatest(now(), expires_at - make_interval(secs => $3))
            where id = $1 and state = 'WAITING'",
            self.id,
            self.version,
            LIFETIME
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends all that waits for devices which do not exist any more, as an answer of a push service shows or their user wants.
    pub async fn end_by_devices(
        tx: &mut PgTransaction<'_>,
        devices: &[Uuid],
        status: Option<i16>,
        reason: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "update push_delivery set state = 'GONE', status = coalesce($2, status), error = $3, ended_at = now(),
                title = null, body = null, url = null, collapse_key = null, named = '{}'
            where device_id = any($1) and state = 'WAITING'",
            devices,
            status,
            reason
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What waits of a provider.
    pub async fn backlog(db: impl PgExecutor<'_>, provider: Provider) -> sqlx::Result<PushBacklog> {
        sqlx::query_as!(
            PushBacklog,
            r#"select count(*) as "waiting!", greatest(0,
                extract(epoch from now() - min(expires_at) + make_interval(secs => $2)))::float8 as "age!"
            from push_delivery where state = 'WAITING' and provider = $1"#,
            provider as Provider,
            LIFETIME
        )
        .fetch_one(db)
        .await
    }

    /// Ends what is no news any more, also of providers that are not configured, and removes what has ended long ago.
    pub async fn clean_up(db: &PgPool) -> sqlx::Result<()> {
        loop {
            let expired = sqlx::query!(
                "update push_delivery set state = 'FAILED', error = 'expired', ended_at = now(), title = null, body = null,
                    url = null, collapse_key = null, named = '{}'
                where id in (select id from push_delivery
                    where state = 'WAITING' and expires_at < now() and due_at <= now() limit $1 for update skip locked)",
                BATCH
            );
            let expired = expired.execute(db).await?.rows_affected();
            let removed = sqlx::query!(
                "delete from push_delivery where id in (
                    select id from push_delivery where ended_at < now() - make_interval(days => $1) limit $2)",
                KEPT,
                BATCH
            );
            if removed.execute(db).await?.rows_affected() + expired == 0 {
                return Ok(());
            }
        }
    }

    /// Deletes up to `rows` of what is kept of a user's deliveries, and as many of what waits for others with the user's name in it;
    /// true when there may be more.
    pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let own = sqlx::query!(
            "delete from push_delivery where id in (select id from push_delivery where user_id = $1 limit $2)",
            user,
            rows
        );
        let own = own.execute(&mut **tx).await?.rows_affected();
        // By itself: what waits has indexes of its own, and what has ended is far more.
        let others = sqlx::query!(
            "delete from push_delivery where id in (
                select id from push_delivery where state = 'WAITING' and named @> array[$1::uuid] limit $2)",
            user,
            rows
        );
        Ok(own + others.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// What is exported of a user's deliveries.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_jsonb(push_delivery) - 'named' as "thing!" from push_delivery
            where user_id = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
