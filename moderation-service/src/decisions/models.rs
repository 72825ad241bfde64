//! Decisions in the database: all of the SQL of this feature.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::AppealStatus;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Ended, PolicyRef};
use crate::subjects::means::AutomatedMeans;
use crate::subjects::reasons::Reason;
use crate::subjects::{SubjectKey, SubjectType};

/// Decisions erased in one statement.
const BATCH: i64 = 500;

/// A decision as it is stored.
#[derive(Clone, Debug)]
pub struct Decision {
    pub id: Uuid,
    pub key: SubjectKey,
    pub author: Uuid,
    pub at: Timestamp,
    /// None: a machine.
    pub moderator: Option<Uuid>,
    pub strikes: Option<i32>,
    pub actions: Vec<Action>,
    pub reason: Reason,
    pub policy: Option<PolicyRef>,
    pub analysis: Option<Uuid>,
    /// What a machine has decided by.
    pub means: Option<AutomatedMeans>,
    /// Whether a machine had found the subject then, and whether users had reported it; none: it is not known.
    pub found_by_machine: Option<bool>,
    pub reported: Option<bool>,
    pub internal_note: Option<String>,
    pub public_note: Option<String>,
    /// Until when what it does to a content is in force.
    pub expires_at: Option<Timestamp>,
    /// Until when what it does to an account is in force.
    pub standing_until: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub ended_by: Option<Ended>,
    /// How far its appeal is, where its author has appealed.
    pub appeal: Option<AppealStatus>,
}

struct DecisionRow {
    id: Uuid,
    subject_type: SubjectType,
    subject_id: Uuid,
    author: Uuid,
    at: Timestamp,
    moderator: Option<Uuid>,
    strikes: Option<i32>,
    actions: Json<Vec<Action>>,
    reason: Reason,
    policy: Option<Uuid>,
    policy_version: Option<i32>,
    rule: Option<String>,
    analysis: Option<Uuid>,
    means: Option<Json<AutomatedMeans>>,
    found_by_machine: Option<bool>,
    reported: Option<bool>,
    internal_note: Option<String>,
    public_note: Option<String>,
    expires_at: Option<Timestamp>,
    standing_until: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    ended_by: Option<Ended>,
    appeal: Option<AppealStatus>,
}

impl From<DecisionRow> for Decision {
    fn from(row: DecisionRow) -> Self {
        let policy = row.policy.zip(row.policy_version).zip(row.rule);
        Self {
            id: row.id,
            key: SubjectKey { r#type: row.subject_type, id: row.subject_id },
            author: row.author,
            at: row.at,
            moderator: row.moderator,
            strikes: row.strikes,
            actions: row.actions.0,
            reason: row.reason,
            policy: policy.map(|((id, version), rule)| PolicyRef { id, version, rule }),
            analysis: row.analysis,
            means: row.means.map(|means| means.0),
            found_by_machine: row.found_by_machine,
            reported: row.reported,
            internal_note: row.internal_note,
            public_note: row.public_note,
            expires_at: row.expires_at,
            standing_until: row.standing_until,
            ended_at: row.ended_at,
            ended_by: row.ended_by,
            appeal: row.appeal,
        }
    }
}

impl Decision {
    /// Stores a new decision.
    pub async fn insert(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into decision (id, subject_type, subject_id, author, at, moderator, strikes, actions, reason, policy,
                policy_version, rule, analysis, internal_note, public_note, expires_at, standing_until, due_at, means,
                found_by_machine, reported)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                least($16::timestamptz, $17::timestamptz), $18, $19, $20)",
            self.id,
            self.key.r#type as SubjectType,
            self.key.id,
            self.author,
            self.at as Timestamp,
            self.moderator,
            self.strikes,
            Json(&self.actions) as _,
            self.reason as Reason,
            self.policy.as_ref().map(|policy| policy.id),
            self.policy.as_ref().map(|policy| policy.version),
            self.policy.as_ref().map(|policy| policy.rule.as_str()),
            self.analysis,
            self.internal_note,
            self.public_note,
            self.expires_at as Option<Timestamp>,
            self.standing_until as Option<Timestamp>,
            self.means.as_ref().map(Json) as _,
            self.found_by_machine,
            self.reported
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// A decision; none when there is none with that id.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query_as!(
            DecisionRow,
            r#"select id, subject_type, subject_id, author, at, moderator, strikes, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, analysis, means as "means: Json<AutomatedMeans>", found_by_machine, reported,
                internal_note, public_note, expires_at, standing_until, ended_at, ended_by,
                (select status from appeal where appeal.decision = decision.id) as "appeal: AppealStatus"
            from decision where id = $1"#,
            id
        );
        Ok(row.fetch_optional(db).await?.map(Self::from))
    }

    /// Ends a decision; false when it has ended before. One that has expired, or that a machine would not make again, can still be
    /// found wrong.
    pub async fn finish(tx: &mut PgTransaction<'_>, id: Uuid, why: Ended, at: Timestamp) -> sqlx::Result<bool> {
        let ended = sqlx::query!(
            "update decision set ended_at = coalesce(ended_at, $3), ended_by = $2, due_at = null
            where id = $1 and (ended_at is null or ended_by in ('EXPIRED', 'REREAD') and $4)",
            id,
            why as Ended,
            at as Timestamp,
            why.is_taken_back()
        );
        Ok(ended.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// Lets a decision be due again when the rest of it is over, if that ends at all.
    pub async fn wait(tx: &mut PgTransaction<'_>, id: Uuid, at: Timestamp) -> sqlx::Result<()> {
        sqlx::query!(
            "update decision set due_at = least(
                case when expires_at > $2 then expires_at end, case when standing_until > $2 then standing_until end)
            where id = $1",
            id,
            at as Timestamp
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Saves that what a decision does to an account is over, and the rest of it is not.
    pub async fn forget_standing(tx: &mut PgTransaction<'_>, id: Uuid, at: Timestamp) -> sqlx::Result<()> {
        sqlx::query!(
            "update decision set due_at = expires_at,
                standing_until = case when standing_until > $2 then $2 else standing_until end
            where id = $1 and ended_at is null",
            id,
            at as Timestamp
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The decisions of the ladder in force for an author.
    pub async fn list_of_ladder(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<Vec<Self>> {
        let rows = sqlx::query_as!(
            DecisionRow,
            r#"select id, subject_type, subject_id, author, at, moderator, strikes, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, analysis, means as "means: Json<AutomatedMeans>", found_by_machine, reported,
                internal_note, public_note, expires_at, standing_until, ended_at, ended_by, null::text as "appeal: AppealStatus"
            from decision where author = $1 and strikes is not null and ended_at is null order by id"#,
            author
        );
        Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Self::from).collect())
    }

    /// The decisions about what an author wrote, and about their account, newest first.
    pub async fn list(db: impl PgExecutor<'_>, author: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        let rows = sqlx::query_as!(
            DecisionRow,
            r#"select id, subject_type, subject_id, author, at, moderator, strikes, actions as "actions: Json<Vec<Action>>",
                reason, policy, policy_version, rule, analysis, means as "means: Json<AutomatedMeans>", found_by_machine, reported,
                internal_note, public_note, expires_at, standing_until, ended_at, ended_by,
                (select status from appeal where appeal.decision = decision.id) as "appeal: AppealStatus"
            from decision where author = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4"#,
            author,
            before.at as Timestamp,
            before.id,
            rows
        );
        Ok(rows.fetch_all(db).await?.into_iter().map(Self::from).collect())
    }
}

impl Decision {
    /// The decisions about an author for the export of personal data, newest first. Who decided is not theirs to know.
    pub async fn list_personal_data(
        db: &PgPool,
        author: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select at, id, to_json(held) as "thing!" from (
                select id, subject_type, subject_id, author, at, moderator is null as automated, strikes, actions, reason,
                    policy, policy_version, rule, means, found_by_machine, reported, public_note, expires_at, standing_until,
                    ended_at, ended_by
                from decision where author = $1 and (at, id) < ($2, $3)
            ) as held order by at desc, id desc limit $4"#,
            author,
            before.at as Timestamp,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes a batch of the decisions about an author, with strikes and appeals, and takes a batch of the notes out that the
    /// person wrote about others; true when there may be more.
    pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from decision
            where id in (select id from decision where author = $1 order by id limit $2 for update)",
            person,
            BATCH
        );
        let deleted = deleted.execute(&mut **tx).await?.rows_affected();
        let bare = sqlx::query!(
            "update decision set internal_note = null where id in (
                select id from decision where moderator = $1 and internal_note is not null order by id limit $2 for update)",
            person,
            BATCH
        );
        Ok(deleted + bare.execute(&mut **tx).await?.rows_affected() > 0)
    }
}
