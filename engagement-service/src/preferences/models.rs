//! Preferences in the database: all of the SQL of this feature.
use std::collections::{BTreeMap, HashMap};

use chrono::NaiveTime;
use chrono_tz::Tz;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::{ChannelChoice, DIGEST_HOUR, Preferences, QuietHours};
use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::notifications::Type;

/// A row of preferences.
struct PreferenceRow {
    user_id: Uuid,
    choices: Json<BTreeMap<Type, ChannelChoice>>,
    time_zone: String,
    digest_hour: i16,
    quiet_from: Option<NaiveTime>,
    quiet_to: Option<NaiveTime>,
}

impl From<PreferenceRow> for Preferences {
    fn from(row: PreferenceRow) -> Self {
        Self {
            choices: row.choices.0,
            // A name that a later release of the IANA database drops is no reason to send nothing.
            time_zone: row.time_zone.parse().unwrap_or(Tz::UTC),
            digest_hour: u32::try_from(row.digest_hour).unwrap_or(DIGEST_HOUR),
            quiet_hours: row.quiet_from.zip(row.quiet_to).map(|(from, to)| QuietHours { from, to }),
        }
    }
}

impl Preferences {
    /// The preferences of each of these users; the defaults of those who have chosen nothing.
    pub async fn list(db: impl PgExecutor<'_>, users: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Self>> {
        let rows = sqlx::query_as!(
            PreferenceRow,
            "select user_id, choices, time_zone, digest_hour, quiet_from, quiet_to from notification_preference
            where user_id = any($1)",
            users
        )
        .fetch_all(db)
        .await?;
        let mut preferences: HashMap<_, _> = users.iter().map(|user| (*user, Self::default())).collect();
        preferences.extend(rows.into_iter().map(|row| (row.user_id, row.into())));
        Ok(preferences)
    }

    /// The preferences of a user.
    pub async fn find(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<Self> {
        Ok(Self::list(db, &[user]).await?.remove(&user).unwrap_or_default())
    }

    /// The preferences of a user, which no other transaction changes until the end of this one. A user whose data are erased
    /// gets no row again: a link in a mail outlives the account.
    pub async fn create_and_lock(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<Self> {
        let row = sqlx::query_as!(
            PreferenceRow,
            "insert into notification_preference (user_id, time_zone, digest_hour)
            select $1, $2, $3 where not exists (select from erasure where person = $1)
            on conflict (user_id) do update set user_id = excluded.user_id
            returning user_id, choices, time_zone, digest_hour, quiet_from, quiet_to",
            user,
            Tz::UTC.name(),
            i16::try_from(DIGEST_HOUR).unwrap_or_default()
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(row.map(Self::from).unwrap_or_default())
    }

    /// Saves the preferences of a user, which this transaction has locked.
    pub async fn save(&self, tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update notification_preference set choices = $2, time_zone = $3, digest_hour = $4, quiet_from = $5, quiet_to = $6,
                updated_at = now()
            where user_id = $1",
            user,
            Json(&self.choices) as Json<&BTreeMap<Type, ChannelChoice>>,
            self.time_zone.name(),
            i16::try_from(self.digest_hour).unwrap_or_default(),
            self.quiet_hours.map(|quiet| quiet.from),
            self.quiet_hours.map(|quiet| quiet.to)
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes the preferences of a user.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from notification_preference where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }

    /// The preferences of a user, as the row that they are.
    pub async fn list_personal_data(
        db: impl PgExecutor<'_>,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, user_id as id, to_jsonb(notification_preference) as "thing!"
            from notification_preference where user_id = $1 and (created_at, user_id) < ($2, $3) limit $4"#,
            user,
            before.at as _,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
