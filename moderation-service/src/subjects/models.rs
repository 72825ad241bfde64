//! Subjects in the database: all of the SQL of this feature.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::state::{InForce, Subject};
use super::{Review, Standing, SubjectKey, SubjectType, Visibility};
use crate::core::contract::timestamp::Timestamp;

/// Subjects erased in one statement.
const BATCH: i64 = 500;

/// A row of the table.
struct SubjectRow {
    r#type: SubjectType,
    id: Uuid,
    author: Uuid,
    version: i64,
    visibility: Visibility,
    labels: Vec<String>,
    locked: bool,
    standing: Standing,
    standing_until: Option<Timestamp>,
    review: Review,
    severity: f64,
    reports: i32,
    report_weight: f64,
    opened_at: Option<Timestamp>,
    hidden_at: Option<Timestamp>,
    active: Json<Vec<InForce>>,
}

impl From<SubjectRow> for Subject {
    fn from(row: SubjectRow) -> Self {
        Self {
            key: SubjectKey { r#type: row.r#type, id: row.id },
            author: row.author,
            version: row.version,
            visibility: row.visibility,
            labels: row.labels,
            locked: row.locked,
            standing: row.standing,
            standing_until: row.standing_until,
            review: row.review,
            severity: row.severity,
            reports: row.reports,
            report_weight: row.report_weight,
            opened_at: row.opened_at,
            hidden_at: row.hidden_at,
            active: row.active.0,
        }
    }
}

/// Locks subjects until the transaction ends, in the order of their keys; those that are new get a row. A transaction that
/// decides about several locks them all before its first entry in the ledger, because the ledger's head is the last lock.
/// Returns them in the order of their keys.
pub async fn lock(tx: &mut PgTransaction<'_>, subjects: &[(SubjectKey, Uuid)]) -> sqlx::Result<Vec<Subject>> {
    let types: Vec<String> = subjects.iter().map(|(key, _)| key.r#type.word().to_owned()).collect();
    let ids: Vec<Uuid> = subjects.iter().map(|(key, _)| key.id).collect();
    let authors: Vec<Uuid> = subjects.iter().map(|(_, author)| *author).collect();
    sqlx::query!(
        "insert into subject (type, id, author)
        select distinct on (type, id) type, id, author
        from unnest($1::text[], $2::uuid[], $3::uuid[]) as wanted (type, id, author) order by type, id
        on conflict do nothing",
        &types,
        &ids,
        &authors
    )
    .execute(&mut **tx)
    .await?;
    let rows = sqlx::query_as!(
        SubjectRow,
        r#"select type as "type", id, author, version, visibility, labels, locked, standing, standing_until, review, severity,
            reports, report_weight, opened_at, hidden_at, active as "active: Json<Vec<InForce>>"
        from subject where (type, id) in (select * from unnest($1::text[], $2::uuid[]))
        order by type, id for update"#,
        &types,
        &ids
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(Subject::from).collect())
}

impl Subject {
    /// A subject; none when nothing has happened to it.
    pub async fn find(db: impl PgExecutor<'_>, key: SubjectKey) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query_as!(
            SubjectRow,
            r#"select type as "type", id, author, version, visibility, labels, locked, standing, standing_until, review, severity,
                reports, report_weight, opened_at, hidden_at, active as "active: Json<Vec<InForce>>"
            from subject where type = $1 and id = $2"#,
            key.r#type as SubjectType,
            key.id
        );
        Ok(row.fetch_optional(db).await?.map(Self::from))
    }

    /// Stores the state of a subject that is locked.
    pub async fn save(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update subject set version = $3, visibility = $4, labels = $5, standing = $6, standing_until = $7,
                review = $8, severity = $9, reports = $10, report_weight = $11, opened_at = $12, hidden_at = $13,
                active = $14, locked = $15
            where type = $1 and id = $2",
            self.key.r#type as SubjectType,
            self.key.id,
            self.version,
            self.visibility as Visibility,
            &self.labels,
            self.standing as Standing,
            self.standing_until as Option<Timestamp>,
            self.review as Review,
            self.severity,
            self.reports,
            self.report_weight,
            self.opened_at as Option<Timestamp>,
            self.hidden_at as Option<Timestamp>,
            Json(&self.active) as _,
            self.locked
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Deletes a batch of the subjects of an author, with the claims on them; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
    let erased = sqlx::query_scalar!(
        r#"with gone as (
            delete from subject where (type, id) in (
                select type, id from subject where author = $1 order by type, id limit $2 for update)
            returning type, id
        ), released as (
            delete from claim using gone where claim.subject_type = gone.type and claim.subject_id = gone.id
        )
        select count(*) as "erased!" from gone"#,
        author,
        BATCH
    );
    Ok(erased.fetch_one(&mut **tx).await? > 0)
}
