//! Scheduled decisions in the database: all of the SQL of this feature.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::ScheduleStatus;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::decisions::NewDecision;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, PolicyRef};
use crate::subjects::reasons::Reason;
use crate::subjects::{SubjectKey, SubjectType};

/// Rows erased in one statement.
const BATCH: i64 = 500;
/// After how many seconds one is tried again that could not be made: the others do not wait for it.
const RETRY: f64 = 60.0;

/// A scheduled decision as it is stored.
#[derive(Debug)]
pub struct ScheduledDecision {
    pub id: Uuid,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub author: Uuid,
    pub moderator: Uuid,
    pub created_at: Timestamp,
    pub due_at: Timestamp,
    pub actions: Json<Vec<Action>>,
    pub reason: Reason,
    pub policy: Option<Uuid>,
    pub policy_version: Option<i32>,
    pub rule: Option<String>,
    pub public_note: Option<String>,
    pub internal_note: Option<String>,
    pub hours: Option<i32>,
    pub abusive: bool,
    pub status: ScheduleStatus,
    pub decision: Option<Uuid>,
}

impl ScheduledDecision {
    /// What it is about.
    pub fn key(&self) -> SubjectKey {
        SubjectKey { r#type: self.subject_type, id: self.subject_id }
    }

    /// The policy that it follows from.
    pub fn policy(&self) -> Option<PolicyRef> {
        let policy = self.policy.zip(self.policy_version).zip(self.rule.clone());
        policy.map(|((id, version), rule)| PolicyRef { id, version, rule })
    }

    /// The decision, now that it is due.
    pub fn to_decision(&self) -> NewDecision {
        NewDecision {
            key: self.key(),
            author: self.author,
            actor: Actor::Moderator(self.moderator),
            actions: self.actions.0.clone(),
            reason: self.reason,
            policy: self.policy(),
            analysis: None,
            means: None,
            internal_note: self.internal_note.clone(),
            public_note: self.public_note.clone(),
            hours: self.hours,
            strikes: None,
            abusive: self.abusive,
            seen_until: Some(self.created_at),
        }
    }

    /// Stores a decision of a moderator that is to be made at a time.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        new: &NewDecision,
        moderator: Uuid,
        due_at: Timestamp,
    ) -> sqlx::Result<Self> {
        let scheduled = sqlx::query_as!(
            Self,
            r#"insert into scheduled_decision (id, subject_type, subject_id, author, moderator, due_at, actions, reason, policy,
                policy_version, rule, public_note, internal_note, hours, abusive)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            returning id, subject_type, subject_id, author, moderator, created_at, due_at, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, public_note, internal_note, hours, abusive, status, decision"#,
            Uuid::now_v7(),
            new.key.r#type as SubjectType,
            new.key.id,
            new.author,
            moderator,
            due_at as Timestamp,
            Json(&new.actions) as _,
            new.reason as Reason,
            new.policy.as_ref().map(|policy| policy.id),
            new.policy.as_ref().map(|policy| policy.version),
            new.policy.as_ref().map(|policy| policy.rule.as_str()),
            new.public_note,
            new.internal_note,
            new.hours,
            new.abusive
        );
        scheduled.fetch_one(&mut **tx).await
    }

    /// Scheduled decisions, the one that was scheduled last first: all, or those about one subject, and of these all, or those that wait.
    pub async fn list(
        db: impl PgExecutor<'_>,
        (about, is_waiting): (Option<SubjectKey>, bool),
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        let scheduled = sqlx::query_as!(
            Self,
            r#"select id, subject_type, subject_id, author, moderator, created_at, due_at, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, public_note, internal_note, hours, abusive, status, decision
            from scheduled_decision
            where ($1::text is null or subject_type = $1) and ($2::uuid is null or subject_id = $2)
                and (created_at, id) < ($3, $4) and (not $6 or status = 'WAITING')
            order by created_at desc, id desc limit $5"#,
            about.map(|key| key.r#type) as Option<SubjectType>,
            about.map(|key| key.id),
            before.at as Timestamp,
            before.id,
            rows,
            is_waiting
        );
        scheduled.fetch_all(db).await
    }

    /// Locks one until the transaction ends; none when there is none with that id.
    pub async fn lock(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        let scheduled = sqlx::query_as!(
            Self,
            r#"select id, subject_type, subject_id, author, moderator, created_at, due_at, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, public_note, internal_note, hours, abusive, status, decision
            from scheduled_decision where id = $1 for update"#,
            id
        );
        scheduled.fetch_optional(&mut **tx).await
    }

    /// Lets one wait no more.
    pub async fn finish(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        status: ScheduleStatus,
        decision: Option<Uuid>,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "update scheduled_decision set status = $2, decision = $3, ended_at = now() where id = $1",
            id,
            status as ScheduleStatus,
            decision
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Those about an author for the export of personal data, newest first. Who has decided, and what moderators note, is not theirs to
    /// know.
    pub async fn list_personal_data(
        db: &PgPool,
        author: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(held) as "thing!" from (
                select id, subject_type, subject_id, author, created_at, due_at, actions, reason, policy, policy_version, rule,
                    public_note, hours, status, decision, ended_at
                from scheduled_decision where author = $1 and (created_at, id) < ($2, $3)
            ) as held order by created_at desc, id desc limit $4"#,
            author,
            before.at as Timestamp,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes a batch of those about an author, and takes a batch of a moderator's notes out, whose decisions are made no more; true when
    /// there may be more.
    pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from scheduled_decision
            where id in (select id from scheduled_decision where author = $1 order by id limit $2 for update)",
            person,
            BATCH
        );
        let deleted = deleted.execute(&mut **tx).await?.rows_affected();
        let bare = sqlx::query!(
            "update scheduled_decision set internal_note = null,
                status = case when status = 'WAITING' then 'CANCELLED' else status end, ended_at = coalesce(ended_at, now())
            where id in (select id from scheduled_decision
                where moderator = $1 and (internal_note is not null or status = 'WAITING') order by id limit $2 for update)",
            person,
            BATCH
        );
        Ok(deleted + bare.execute(&mut **tx).await?.rows_affected() > 0)
    }
}

/// The one that is due longest.
pub async fn due(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Uuid>> {
    let due = sqlx::query_scalar!(
        "select id from scheduled_decision where status = 'WAITING' and due_at <= clock_timestamp() order by due_at limit 1"
    );
    due.fetch_optional(db).await
}

/// When the next one is due.
pub async fn next_due(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Timestamp>> {
    let next = sqlx::query_scalar!(
        r#"select min(due_at) as "next: Timestamp" from scheduled_decision where status = 'WAITING'"#
    );
    next.fetch_one(db).await
}

/// Lets one that could not be made be due again later.
pub async fn put_off(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "update scheduled_decision set due_at = clock_timestamp() + make_interval(secs => $2)
        where id = $1 and status = 'WAITING'",
        id,
        RETRY
    )
    .execute(db)
    .await?;
    Ok(())
}
