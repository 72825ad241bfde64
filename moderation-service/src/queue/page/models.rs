//! Subjects as moderators read them, in the database: all of the SQL of this feature.
use serde_json::value::RawValue;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::subjects::changes::ActorType;
use crate::subjects::{SubjectKey, SubjectType};

/// What is known of a content, or of a user.
#[derive(Clone, Debug)]
pub struct SubjectContent {
    pub author: Uuid,
    pub post_id: Option<Uuid>,
    pub text: Option<String>,
    pub created_at: Option<Timestamp>,
    pub version: Option<Timestamp>,
    pub gone_at: Option<Timestamp>,
    pub reach: i64,
}

impl SubjectContent {
    /// The content of a subject, or the user; none when it is not known here.
    pub async fn find(db: impl PgExecutor<'_>, key: SubjectKey) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select coalesce(content.author, subject.author) as "author!", post_id, text, created_at as "created_at?",
                content.version as "version?", gone_at as "gone_at?", coalesce(content.reach, 0) as "reach!"
            from (values ($1::text, $2::uuid)) as asked (type, id)
            left join content on content.id = asked.id and content.type = asked.type
            left join subject on subject.id = asked.id and subject.type = asked.type
            where coalesce(content.author, subject.author) is not null
            union all
            (select author as "author!", null, null, null, null, null, 0 from content
            where $1 = 'USER' and author = $2 limit 1)
            union all
            select id as "author!", null, null, null, null, null, 0 from person where $1 = 'USER' and id = $2
            limit 1"#,
            key.r#type as SubjectType,
            key.id
        )
        .fetch_optional(db)
        .await
    }
}

/// What moderation knows of an author.
#[derive(Clone, Debug)]
pub struct AuthorRecord {
    pub decisions: i64,
    pub overturned: i64,
    pub strikes: i64,
    pub strike_weight: i64,
    pub reports: i64,
    pub agreed_reports: i64,
    pub appeals: i64,
}

impl AuthorRecord {
    /// The record of an author: what persons and machines decided about all that they wrote.
    pub async fn of(db: impl PgExecutor<'_>, author: Uuid) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select
                (select count(*) from decision where author = $1) as "decisions!",
                (select count(*) from decision where author = $1 and ended_by in ('REVERSED', 'OVERTURNED')) as "overturned!",
                counted.strikes as "strikes!", counted.weight as "strike_weight!",
                (select count(*) from report where author = $1) as "reports!",
                (select count(*) from report where author = $1 and status = 'AGREED') as "agreed_reports!",
                (select count(*) from appeal where author = $1) as "appeals!"
            from (
                -- As the ladder counts them: several decisions about one content are one strike, the gravest.
                select count(*) as strikes, coalesce(sum(weight), 0) as weight from (
                    select max(weight) as weight from strike join decision on decision.id = strike.decision
                    where strike.author = $1 and revoked_at is null and strike.expires_at > now()
                    group by subject_type, subject_id
                ) as of_content
            ) as counted"#,
            author
        )
        .fetch_one(db)
        .await
    }
}

/// An entry of a subject in the ledger.
#[derive(Debug)]
pub struct HistoryEntry {
    pub id: Uuid,
    pub at: Timestamp,
    pub actor_type: ActorType,
    pub actor: Option<Uuid>,
    pub kind: String,
    pub details: Option<Box<RawValue>>,
    pub words: Option<Box<RawValue>>,
}

impl HistoryEntry {
    /// The newest entries of a subject.
    pub async fn list(db: impl PgExecutor<'_>, key: SubjectKey, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, at, actor_type, actor, kind,
                details::json as "details: Box<RawValue>", words::json as "words: Box<RawValue>"
            from ledger where subject_type = $1 and subject_id = $2 order by seq desc limit $3"#,
            key.r#type as SubjectType,
            key.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
