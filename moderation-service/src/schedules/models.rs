//! Scheduled decisions in the database: all of the SQL of this feature.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{LostRight, ScheduleStatus};
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
    /// The last entry of the ledger about the subject that the moderator has seen; 0: none.
    pub seen: i64,
    /// How often it could not be made.
    pub attempts: i32,
    /// Why it was cancelled by itself.
    pub cancelled_because: Option<LostRight>,
}

/// Which scheduled decisions are listed; what is not given lets all through.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScheduleFilter {
    pub about: Option<SubjectKey>,
    pub moderator: Option<Uuid>,
    /// Only those that wait.
    pub is_waiting: bool,
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
            seen: Some(self.seen),
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
                policy_version, rule, public_note, internal_note, hours, abusive, seen)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                (select coalesce(max(seq), 0) from ledger where subject_type = $2 and subject_id = $3))
            returning id, subject_type, subject_id, author, moderator, created_at, due_at, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, public_note, internal_note, hours, abusive, status, decision, seen, attempts,
                cancelled_because"#,
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

    /// Scheduled decisions, the one that was scheduled last first.
    pub async fn list(
        db: impl PgExecutor<'_>,
        filter: ScheduleFilter,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        let scheduled = sqlx::query_as!(
            Self,
            r#"select id, subject_type, subject_id, author, moderator, created_at, due_at, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, public_note, internal_note, hours, abusive, status, decision, seen, attempts,
                cancelled_because
            from scheduled_decision
            where ($1::text is null or subject_type = $1) and ($2::uuid is null or subject_id = $2)
                and (created_at, id) < ($3, $4) and (not $6 or status = 'WAITING') and ($7::uuid is null or moderator = $7)
            order by created_at desc, id desc limit $5"#,
            filter.about.map(|key| key.r#type) as Option<SubjectType>,
            filter.about.map(|key| key.id),
            before.at as Timestamp,
            before.id,
            rows,
            filter.is_waiting,
            filter.moderator
        );
        scheduled.fetch_all(db).await
    }

    /// Locks one until the transaction ends; none when there is none with that id.
    pub async fn lock(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        let scheduled = sqlx::query_as!(
            Self,
            r#"select id, subject_type, subject_id, author, moderator, created_at, due_at, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, public_note, internal_note, hours, abusive, status, decision, seen, attempts,
                cancelled_because
            from scheduled_decision where id = $1 for update"#,
            id
        );
        scheduled.fetch_optional(&mut **tx).await
    }

    /// Locks one of a moderator that waits; none when none does.
    pub async fn lock_one_of(tx: &mut PgTransaction<'_>, moderator: Uuid) -> sqlx::Result<Option<Self>> {
        let scheduled = sqlx::query_as!(
            Self,
            r#"select id, subject_type, subject_id, author, moderator, created_at, due_at, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, public_note, internal_note, hours, abusive, status, decision, seen, attempts,
                cancelled_because
            from scheduled_decision where moderator = $1 and status = 'WAITING' order by id limit 1 for update"#,
            moderator
        );
        scheduled.fetch_optional(&mut **tx).await
    }

    /// Cancels one whose moderator has lost the right to it.
    pub async fn cancel_for(tx: &mut PgTransaction<'_>, id: Uuid, lost: LostRight) -> sqlx::Result<()> {
        sqlx::query!(
            "update scheduled_decision set status = 'CANCELLED', cancelled_because = $2, ended_at = now() where id = $1",
            id,
            lost as LostRight
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
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

    /// Those about an author for the export of personal data, newest first. Who has decided, which rights they have lost, and what moderators
    /// note, is not theirs to know.
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

    /// Deletes a batch of those about an author, and takes a batch of a moderator's notes out, but what was stated to authors; true when
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
                public_note = case when status = 'DONE' then public_note end
            where id in (select id from scheduled_decision
                where moderator = $1 and (internal_note is not null or public_note is not null and status <> 'DONE')
                order by id limit $2 for update)",
            person,
            BATCH
        );
        Ok(deleted + bare.execute(&mut **tx).await?.rows_affected() > 0)
    }
}

/// The one that is due longest, of those that are not put off.
pub async fn due(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Uuid>> {
    let due = sqlx::query_scalar!(
        "select id from scheduled_decision
        where status = 'WAITING' and due_at <= clock_timestamp()
            and (next_attempt_at is null or next_attempt_at <= clock_timestamp())
        order by due_at limit 1"
    );
    due.fetch_optional(db).await
}

/// The moderator of one, where it is not known what they may do: no event has said so since the service keeps rights.
pub async fn moderator_to_ask_for(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Uuid>> {
    let moderator = sqlx::query_scalar!(
        "select moderator from scheduled_decision
        where id = $1 and not exists (select from account_right where account_right.person = scheduled_decision.moderator)
            and not exists (select from erasure where erasure.person = scheduled_decision.moderator)",
        id
    );
    moderator.fetch_optional(db).await
}

/// When the next one is due; one that is put off waits for the next look instead.
pub async fn next_due(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Timestamp>> {
    let next = sqlx::query_scalar!(
        r#"select min(due_at) as "next: Timestamp" from scheduled_decision
        where status = 'WAITING' and next_attempt_at is null"#
    );
    next.fetch_one(db).await
}

/// Lets one that could not be made be tried again later. It stays due since its time, by which the lag is measured.
pub async fn put_off(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "update scheduled_decision
        set attempts = attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => $2)
        where id = $1 and status = 'WAITING'",
        id,
        RETRY
    )
    .execute(db)
    .await?;
    Ok(())
}
