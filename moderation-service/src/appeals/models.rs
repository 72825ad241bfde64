//! Appeals in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::decisions::AppealStatus;
use crate::scopes::services::ScopeFilter;

/// The constraint that lets a decision be appealed once.
pub const ONE_APPEAL: &str = "appeal_decision_key";

/// An appeal as it is stored.
#[derive(Debug)]
pub struct Appeal {
    pub id: Uuid,
    pub decision: Uuid,
    pub author: Uuid,
    pub at: Timestamp,
    pub text: String,
    pub status: AppealStatus,
    /// Who has resolved it.
    pub moderator: Option<Uuid>,
    pub note: Option<String>,
    pub resolved_at: Option<Timestamp>,
}

impl Appeal {
    /// Makes an appeal; violates [`ONE_APPEAL`] when there is one.
    pub async fn create(tx: &mut PgTransaction<'_>, decision: Uuid, author: Uuid, text: &str) -> sqlx::Result<Self> {
        let appeal = sqlx::query_as!(
            Self,
            "insert into appeal (id, decision, author, text) values ($1, $2, $3, $4)
            returning id, decision, author, at, text, status, moderator, note, resolved_at",
            Uuid::now_v7(),
            decision,
            author,
            text
        );
        appeal.fetch_one(&mut **tx).await
    }

    /// An appeal; none when there is none with that id.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        let appeal = sqlx::query_as!(
            Self,
            "select id, decision, author, at, text, status, moderator, note, resolved_at from appeal where id = $1",
            id
        );
        appeal.fetch_optional(db).await
    }

    /// Resolves an open appeal; none when it is resolved.
    pub async fn resolve(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        status: AppealStatus,
        moderator: Uuid,
        note: &str,
    ) -> sqlx::Result<Option<Self>> {
        let appeal = sqlx::query_as!(
            Self,
            "update appeal set status = $2, moderator = $3, note = $4, resolved_at = now() where id = $1 and status = 'OPEN'
            returning id, decision, author, at, text, status, moderator, note, resolved_at",
            id,
            status as AppealStatus,
            moderator,
            note
        );
        appeal.fetch_optional(&mut **tx).await
    }

    /// A user's appeals, newest first.
    pub async fn list_of(db: impl PgExecutor<'_>, author: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        let appeals = sqlx::query_as!(
            Self,
            "select id, decision, author, at, text, status, moderator, note, resolved_at from appeal
            where author = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4",
            author,
            before.at as Timestamp,
            before.id,
            rows
        );
        appeals.fetch_all(db).await
    }

    /// The open appeals in a scope, newest first: by the kind of subject and the reason of the decision, and whether the subject was
    /// escalated.
    pub async fn list_open(
        db: impl PgExecutor<'_>,
        scope: &ScopeFilter,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        let appeals = sqlx::query_as!(
            Self,
            "select appeal.id, decision, appeal.author, appeal.at, text, status, appeal.moderator, note, resolved_at
            from appeal join decision on decision.id = decision
                left join subject on subject.type = subject_type and subject.id = subject_id
            where status = 'OPEN' and (appeal.at, appeal.id) < ($1, $2)
                and ($4::text[] is null or subject_type = any($4))
                and ($5::text[] is null
                    or exists (select from unnest($5) as family where starts_with(reason, family || '_')))
                and ($6 or review is distinct from 'ESCALATED')
            order by appeal.at desc, appeal.id desc limit $3",
            before.at as Timestamp,
            before.id,
            rows,
            scope.types.as_deref(),
            scope.families.as_deref(),
            scope.escalated
        );
        appeals.fetch_all(db).await
    }

    /// A user's appeals for the export of personal data, newest first. Who resolved them is not theirs to know.
    pub async fn list_personal_data(
        db: &PgPool,
        author: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select at, id, to_json(held) as "thing!" from (
                select id, decision, author, at, text, status, note, resolved_at from appeal
                where author = $1 and (at, id) < ($2, $3)
            ) as held order by at desc, id desc limit $4"#,
            author,
            before.at as Timestamp,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
