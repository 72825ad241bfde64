//! What a decision reads and changes in the rows of other features: all of the SQL of that.
use serde_json::value::RawValue;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::subjects::changes::{PolicyRef, ReportsLeft};
use crate::subjects::reasons::ContractReason;
use crate::subjects::state::Subject;
use crate::subjects::{SubjectKey, SubjectType};

/// Locks a content against the events of its own service until the transaction ends.
pub async fn lock_content(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("select id from content where id = $1 for update", id).fetch_optional(&mut **tx).await?;
    Ok(())
}

/// Who wrote a subject; none when nothing is known of it. A user is their own author.
pub async fn author_of(db: impl PgExecutor<'_>, key: SubjectKey) -> sqlx::Result<Option<Uuid>> {
    if key.is_user() {
        return Ok(Some(key.id));
    }
    let author = sqlx::query_scalar!(
        r#"select author as "author!" from content where type = $1 and id = $2 and author is not null
        union all select author from subject where type = $1 and id = $2 limit 1"#,
        key.r#type as SubjectType,
        key.id
    );
    author.fetch_optional(db).await
}

/// Lets the open appeal of a decision succeed that was taken back meanwhile, and returns it.
pub async fn overturn_appeal(tx: &mut PgTransaction<'_>, decision: Uuid, at: Timestamp) -> sqlx::Result<Option<Uuid>> {
    let appeal = sqlx::query_scalar!(
        "update appeal set status = 'OVERTURNED', resolved_at = $2 where decision = $1 and status = 'OPEN' returning id",
        decision,
        at as Timestamp
    );
    appeal.fetch_optional(&mut **tx).await
}

/// Whether another moderator than this one looks at a subject, so that two do not decide about it.
pub async fn is_claimed_by_another(db: impl PgExecutor<'_>, key: SubjectKey, moderator: Uuid) -> sqlx::Result<bool> {
    let claimed = sqlx::query_scalar!(
        r#"select exists (select from claim where subject_type = $1 and subject_id = $2 and moderator <> $3 and until > now())
            as "is!""#,
        key.r#type as SubjectType,
        key.id,
        moderator
    );
    claimed.fetch_one(db).await
}

/// Ends the lease of the moderator who looks at a subject.
pub async fn release(tx: &mut PgTransaction<'_>, key: SubjectKey) -> sqlx::Result<()> {
    sqlx::query!("delete from claim where subject_type = $1 and subject_id = $2", key.r#type as SubjectType, key.id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Calls the open reports about a subject a misuse, all or those up to an entry of the ledger, in the transaction of the decision that
/// answers them.
pub async fn call_reports_abusive(tx: &mut PgTransaction<'_>, key: SubjectKey, until: Option<i64>) -> sqlx::Result<()> {
    sqlx::query!(
        "update report set abusive = true
        where subject_type = $1 and subject_id = $2 and status = 'OPEN' and ($3::bigint is null or entry <= $3)",
        key.r#type as SubjectType,
        key.id,
        until
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What has happened to a subject since a moderator has seen it.
#[derive(Debug, Default)]
pub struct News {
    /// Whether it was reported, flagged or escalated.
    pub reopens: bool,
    /// What others have decided about it.
    pub decisions: Vec<Uuid>,
    /// How often it was reported, and what these reports weigh.
    pub reports: i32,
    pub weight: f64,
}

impl News {
    /// What is behind an entry of the ledger. The subject is locked, so nothing joins it.
    pub async fn since(
        tx: &mut PgTransaction<'_>,
        key: SubjectKey,
        seen: i64,
        moderator: Option<Uuid>,
    ) -> sqlx::Result<Self> {
        let news = sqlx::query_as!(
            Self,
            r#"select coalesce(bool_or(kind in ('reported', 'flagged', 'escalated')), false) as "reopens!",
                coalesce(array_agg((details::json ->> 'decision')::uuid)
                    filter (where kind = 'decided' and details is not null and actor is distinct from $4), '{}') as "decisions!",
                (count(*) filter (where kind = 'reported'))::integer as "reports!",
                coalesce(sum((details::json ->> 'weight')::float8) filter (where kind = 'reported'), 0) as "weight!"
            from ledger where subject_type = $1 and subject_id = $2 and seq > $3"#,
            key.r#type as SubjectType,
            key.id,
            seen,
            moderator
        );
        news.fetch_one(&mut **tx).await
    }

    /// The open reports among them. What is open is the newest part of all reports, because each decision answers those before some entry:
    /// so it is the shorter one of what is new and what is open.
    pub fn reports_left(&self, subject: &Subject) -> Option<ReportsLeft> {
        let left = if self.reports < subject.reports {
            ReportsLeft { reports: self.reports, weight: self.weight }
        } else {
            ReportsLeft { reports: subject.reports, weight: subject.report_weight }
        };
        Some(left).filter(|left| left.reports > 0)
    }
}

/// A case of the contract, as far as a request needs it.
pub struct OpenCase {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub raw_content: Box<RawValue>,
}

impl OpenCase {
    /// Opens the case about a content that is hidden now, or renews the one that is open.
    pub async fn open(
        tx: &mut PgTransaction<'_>,
        (key, author): (SubjectKey, Uuid),
        reason: ContractReason,
    ) -> sqlx::Result<Self> {
        let case = sqlx::query_as!(
            Self,
            r#"insert into moderation (id, type, content_id, author, raw_content, reason)
            select $1, $2::text, $3::uuid, $4::uuid, coalesce((select raw from content where id = $3), json_build_object(
                'id', $3, 'created_by', $4, 'content', coalesce((select text from content where id = $3), ''))), $5::text
            on conflict (content_id) where status = 'DELETE_REQUESTED' do update
                set updated_at = now(), reason = excluded.reason
            returning id, created_at, updated_at, raw_content as "raw_content: Box<RawValue>""#,
            Uuid::now_v7(),
            key.r#type as SubjectType,
            key.id,
            author,
            reason as ContractReason
        );
        case.fetch_one(&mut **tx).await
    }
}

/// Whether a machine has flagged a subject since it was opened.
pub async fn is_flagged(tx: &mut PgTransaction<'_>, key: SubjectKey) -> sqlx::Result<bool> {
    let flagged = sqlx::query_scalar!(
        r#"select exists (select from subject where type = $1 and id = $2 and flagged) as "is!""#,
        key.r#type as SubjectType,
        key.id
    );
    flagged.fetch_one(&mut **tx).await
}

/// What there is of a policy that is referred to.
#[derive(Clone, Copy, Debug)]
pub struct ReferredPolicy {
    pub has_policy: bool,
    pub has_version: bool,
    pub has_rule: bool,
}

impl ReferredPolicy {
    /// Looks a reference up.
    pub async fn find(db: impl PgExecutor<'_>, reference: &PolicyRef) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select exists (select from policy where id = $1) as "has_policy!",
                exists (select from policy_version where policy = $1 and version = $2) as "has_version!",
                exists (
                    select from policy_version, jsonb_array_elements(rules) as listed (rule)
                    where policy = $1 and version = $2 and rule ->> 'name' = $3
                ) as "has_rule!""#,
            reference.id,
            reference.version,
            reference.rule
        )
        .fetch_one(db)
        .await
    }
}
