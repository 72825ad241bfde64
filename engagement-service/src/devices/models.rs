//! Devices in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{ApnsEnvironment, Provider};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// Devices of one user; when there are more, the one that was registered longest ago goes.
const MAX_DEVICES: i64 = 20;

/// What a device is registered with: where its messages go, and how they are made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    WebPush { endpoint: String, p256dh: Vec<u8>, auth: Vec<u8> },
    Fcm { token: String },
    Apns { token: String, topic: Option<String>, environment: ApnsEnvironment },
}

impl Registration {
    fn provider(&self) -> Provider {
        match self {
            Self::WebPush { .. } => Provider::WebPush,
            Self::Fcm { .. } => Provider::Fcm,
            Self::Apns { .. } => Provider::Apns,
        }
    }
}

/// A device of a user, without what is secret about it.
pub struct Device {
    pub id: Uuid,
    pub provider: Provider,
    /// The endpoint of a browser's subscription, or an app's token.
    pub address: String,
    pub registered_at: Timestamp,
}

/// The end of a session, or of all sessions of a user.
#[derive(Clone, Copy, Debug)]
pub struct EndedSession {
    pub user_id: Uuid,
    /// None: all.
    pub session_id: Option<Uuid>,
    pub at: Timestamp,
}

impl Device {
    /// Registers a device for a user, in a session of theirs, or renews its registration.
    pub async fn register(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        session: Option<Uuid>,
        registration: &Registration,
    ) -> sqlx::Result<Self> {
        let (address, p256dh, auth, topic, environment) = match registration {
            Registration::WebPush { endpoint, p256dh, auth } => (endpoint, Some(p256dh), Some(auth), None, None),
            Registration::Fcm { token } => (token, None, None, None, None),
            Registration::Apns { token, topic, environment } => (token, None, None, topic.as_ref(), Some(*environment)),
        };
        // Of two users who register it at once the later one gets it, under a new id: what is on its way to the old one is not
        // for them.
        sqlx::query_as!(
            Self,
            "insert into device (id, user_id, provider, address, p256dh, auth, topic, environment, session_id)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict on constraint device_provider_address_key do update set
                id = case when device.user_id = excluded.user_id then device.id else excluded.id end,
                user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth, topic = excluded.topic,
                environment = excluded.environment, session_id = excluded.session_id,
                registered_at = excluded.registered_at
            returning id, provider, address, registered_at",
            Uuid::now_v7(),
            user,
            registration.provider() as Provider,
            address,
            p256dh,
            auth,
            topic,
            environment as Option<ApnsEnvironment>,
            session
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Takes a device away from all users but one; the ids under which they had it.
    pub async fn delete_of_others(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        registration: &Registration,
    ) -> sqlx::Result<Vec<Uuid>> {
        let address = match registration {
            Registration::WebPush { endpoint: address, .. }
            | Registration::Fcm { token: address }
            | Registration::Apns { token: address, .. } => address,
        };
        sqlx::query_scalar!(
            "delete from device where provider = $1 and address = $2 and user_id <> $3 returning id",
            registration.provider() as Provider,
            address,
            user
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Deletes the devices of a user that are too many, those registered longest ago; their ids. The user's registrations wait
    /// for each other until the end of the transaction, so that two at once do not leave one too many.
    pub async fn delete_surplus(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", format!("devices of {user}"))
            .execute(&mut **tx)
            .await?;
        sqlx::query_scalar!(
            "delete from device where id in
                (select id from device where user_id = $1 order by registered_at desc, id desc offset $2)
            returning id",
            user,
            MAX_DEVICES
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// The devices of a user, the one that was registered last first.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, provider, address, registered_at from device
            where user_id = $1 order by registered_at desc, id desc limit $2",
            user,
            MAX_DEVICES
        )
        .fetch_all(db)
        .await
    }

    /// Deletes a user's device; false when they have no such device.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid) -> sqlx::Result<bool> {
        let deleted = sqlx::query!("delete from device where id = $1 and user_id = $2", id, user).execute(&mut **tx);
        Ok(deleted.await?.rows_affected() == 1)
    }

    /// Deletes a device that the push service does not know any more, unless it was registered again since; whether it did.
    pub async fn delete_gone(tx: &mut PgTransaction<'_>, id: Uuid, registered_at: Timestamp) -> sqlx::Result<bool> {
        let deleted =
            sqlx::query!("delete from device where id = $1 and registered_at = $2", id, registered_at as Timestamp);
        Ok(deleted.execute(&mut **tx).await?.rows_affected() == 1)
    }

    /// Deletes the devices that were registered in sessions which have ended; their ids. Of a user all of whose sessions have, also
    /// those that were registered in none.
    pub async fn delete_by_sessions(tx: &mut PgTransaction<'_>, ended: &[EndedSession]) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "delete from device where id in (
                select device.id from device
                join unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as ended (user_id, session_id, at)
                    on device.user_id = ended.user_id and (device.session_id = ended.session_id
                        or (ended.session_id is null and device.registered_at <= ended.at))
                order by device.id for update of device)
            returning id",
            &ended.iter().map(|session| session.user_id).collect::<Vec<_>>(),
            &ended.iter().map(|session| session.session_id).collect::<Vec<_>>() as &[Option<Uuid>],
            &ended.iter().map(|session| session.at).collect::<Vec<_>>() as &[Timestamp]
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Deletes all devices of a user.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from device where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }

    /// What is exported of a user's devices: all but the keys of their encryption.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select registered_at as at, id, to_jsonb(device) - 'p256dh' - 'auth' as "thing!" from device
            where user_id = $1 and (registered_at, id) < ($2, $3) order by registered_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
