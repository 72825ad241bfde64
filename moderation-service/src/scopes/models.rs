//! Scopes in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::subjects::{SubjectKey, SubjectType};

/// What of the queue a moderator works on.
#[derive(Clone, Debug)]
pub struct ModeratorScope {
    pub moderator: Uuid,
    /// Kinds of subjects; empty: all.
    pub types: Vec<String>,
    /// Families of reasons; empty: all.
    pub families: Vec<String>,
    /// Whether also what was escalated.
    pub escalated: bool,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
}

impl ModeratorScope {
    /// The scope of a moderator; none: all of the queue.
    pub async fn find(db: impl PgExecutor<'_>, moderator: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select moderator, types, families, escalated, updated_at, updated_by from moderator_scope where moderator = $1",
            moderator
        )
        .fetch_optional(db)
        .await
    }

    /// Scopes, the one that was set last first.
    pub async fn list(db: impl PgExecutor<'_>, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select moderator, types, families, escalated, updated_at, updated_by from moderator_scope
            where (updated_at, moderator) < ($1, $2) order by updated_at desc, moderator desc limit $3",
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Sets the scope of a moderator, in the place of an earlier one. Their claims end: the items may be for others now.
    pub async fn save(
        tx: &mut PgTransaction<'_>,
        moderator: Uuid,
        (types, families, escalated): (&[String], &[String], bool),
        by: Uuid,
    ) -> sqlx::Result<Self> {
        sqlx::query!("delete from claim where moderator = $1", moderator).execute(&mut **tx).await?;
        sqlx::query!("delete from appeal_claim where moderator = $1", moderator).execute(&mut **tx).await?;
        sqlx::query_as!(
            Self,
            "insert into moderator_scope (moderator, types, families, escalated, updated_by) values ($1, $2, $3, $4, $5)
            on conflict (moderator) do update set types = excluded.types, families = excluded.families,
                escalated = excluded.escalated, updated_at = now(), updated_by = excluded.updated_by
            returning moderator, types, families, escalated, updated_at, updated_by",
            moderator,
            types,
            families,
            escalated,
            by
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Ends the scope of a moderator, who works on all of the queue again; whether there was one.
    pub async fn delete(tx: &mut PgTransaction<'_>, moderator: Uuid) -> sqlx::Result<bool> {
        let deleted = sqlx::query!("delete from moderator_scope where moderator = $1", moderator);
        Ok(deleted.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// Erases a person: their scope and their rights, and that they have set the scopes of others.
    pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        Self::delete(tx, person).await?;
        sqlx::query!("delete from account_right where person = $1", person).execute(&mut **tx).await?;
        sqlx::query!("update moderator_scope set updated_by = null where updated_by = $1", person)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// A moderator's own scope, for the export of personal data. The administrator who has set it is another person.
    pub async fn list_personal_data(
        db: &PgPool,
        person: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select updated_at as at, moderator as id, to_json(held) as "thing!" from (
                select moderator, types, families, escalated, updated_at from moderator_scope
                where moderator = $1 and (updated_at, moderator) < ($2, $3) limit $4
            ) as held"#,
            person,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// What an account may do, as the auth service has said last.
#[derive(Clone, Copy, Debug)]
pub struct AccountRight {
    /// Whether it decides as a moderator, and whether as an administrator; none: neither an event nor a token has said so.
    pub moderates: Option<bool>,
    pub administrates: Option<bool>,
    /// Whether its owner has left the platform.
    pub has_left: bool,
}

impl AccountRight {
    /// What an account may do now.
    pub async fn find(db: impl PgExecutor<'_>, person: Uuid) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select moderates as "moderates?", administrates as "administrates?",
                exists (select from erasure where erasure.person = asked.person) as "has_left!"
            from (values ($1::uuid)) as asked (person) left join account_right on account_right.person = asked.person"#,
            person
        )
        .fetch_one(db)
        .await
    }

    /// Saves what accounts may do, each as of the newest version; of those that have left nothing.
    pub async fn save(tx: &mut PgTransaction<'_>, changed: &[ChangedRight]) -> sqlx::Result<()> {
        let people: Vec<Uuid> = changed.iter().map(|right| right.person).collect();
        let moderates: Vec<bool> = changed.iter().map(|right| right.moderates).collect();
        let administrates: Vec<bool> = changed.iter().map(|right| right.administrates).collect();
        let versions: Vec<Timestamp> = changed.iter().map(|right| right.version).collect();
        sqlx::query!(
            "insert into account_right (person, moderates, administrates, version)
            select distinct on (person) person, moderates, administrates, version
            from unnest($1::uuid[], $2::boolean[], $3::boolean[], $4::timestamptz[])
                as changed (person, moderates, administrates, version)
            where not exists (select from erasure where erasure.person = changed.person)
            order by person, version desc
            on conflict (person) do update set moderates = excluded.moderates, administrates = excluded.administrates,
                version = excluded.version
            where account_right.version < excluded.version",
            &people,
            &moderates,
            &administrates,
            &versions as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// What an account may do from a version on.
#[derive(Clone, Copy, Debug)]
pub struct ChangedRight {
    pub person: Uuid,
    pub moderates: bool,
    pub administrates: bool,
    pub version: Timestamp,
}

/// In which family of reasons a subject stands in the queue, and whether it was escalated; none and not, where it is not in the queue.
pub async fn find_place(tx: &mut PgTransaction<'_>, key: SubjectKey) -> sqlx::Result<(Option<String>, bool)> {
    let found = sqlx::query!(
        r#"select family, review = 'ESCALATED' as "is_escalated!" from subject where type = $1 and id = $2"#,
        key.r#type as SubjectType,
        key.id
    );
    let found = found.fetch_optional(&mut **tx).await?;
    Ok(found.map_or((None, false), |row| (row.family, row.is_escalated)))
}
