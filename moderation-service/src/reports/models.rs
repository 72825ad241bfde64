//! Reports and reporters in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::ReportStatus;
use super::services::{RECORD, ReporterRecord};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::subjects::reasons::Reason;
use crate::subjects::{SubjectKey, SubjectType};

/// The constraint that one person has one open report about a subject.
pub const ONE_OPEN_REPORT: &str = "report_open";

/// Rows erased in one statement.
const BATCH: i64 = 500;

/// A report.
#[derive(Clone, Debug)]
pub struct UserReport {
    pub id: Uuid,
    pub at: Timestamp,
    pub reporter: Uuid,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub reason: Reason,
    pub text: Option<String>,
    pub weight: f64,
    pub status: ReportStatus,
    pub closed_at: Option<Timestamp>,
}

/// A report that is to be made.
#[derive(Clone, Debug)]
pub struct NewReport {
    pub reporter: Uuid,
    pub key: SubjectKey,
    pub reason: Reason,
    pub text: Option<String>,
}

/// What a report can be about.
#[derive(Clone, Copy, Debug)]
pub struct ReportTarget {
    /// Who wrote it; a user is their own author.
    pub author: Uuid,
    /// Whether a person has allowed the content as it is: what a campaign reports again waits for a person, and stays.
    pub is_allowed: bool,
}

impl ReportTarget {
    /// A post, comment or picture that other users can see, or a user who is known here. Blocks do not count: who was insulted can
    /// report the insult, even if its author has blocked them since.
    pub async fn find(db: impl PgExecutor<'_>, key: SubjectKey) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select content.author as "author!", exists (
                select from decision where subject_type = $1 and subject_id = $2 and (
                    -- A restored content comes back as a new version, a moment after the decision.
                    moderator is not null and at > coalesce(content.text_version, content.version) - interval '5 minutes' and actions
                        @? '$[*] ? (@.action == "ALLOW" || @.action == "DISMISS" || @.action == "RESTORE")'
                    or ended_by in ('REVERSED', 'OVERTURNED') and ended_at > coalesce(content.text_version, content.version) - interval '5 minutes'
                )
            ) as "is_allowed!"
            from content
            where $1 <> 'USER' and content.id = $2 and content.type = $1 and gone_at is null
                and (text is not null or content.type = 'MEDIA')
                and author is not null and not exists (
                    select from subject
                    where (subject.type, subject.id) in ((content.type, content.id), ('POST', content.post_id))
                        and visibility in ('HELD', 'HIDDEN', 'REMOVED')
                )
            union all
            (select author, false from content where $1 = 'USER' and author = $2 limit 1)
            union all
            select id, false from subject where $1 = 'USER' and type = 'USER' and id = $2
            union all
            -- Who has written nothing has registered, and can have a name or a picture that breaks the rules.
            select id, false from person where $1 = 'USER' and id = $2
            limit 1"#,
            key.r#type as SubjectType,
            key.id
        )
        .fetch_optional(db)
        .await
    }
}

impl UserReport {
    /// Makes a report of this weight.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        report: &NewReport,
        author: Uuid,
        weight: f64,
    ) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into report (id, reporter, subject_type, subject_id, author, reason, text, weight)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            returning id, at, reporter, subject_type, subject_id, reason, text, weight,
                status, closed_at"#,
            Uuid::now_v7(),
            report.reporter,
            report.key.r#type as SubjectType,
            report.key.id,
            author,
            report.reason as Reason,
            report.text,
            weight
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// The reports of a person, newest first.
    pub async fn list_by(
        db: impl PgExecutor<'_>,
        reporter: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, at, reporter, subject_type, subject_id, reason, text, weight,
                status, closed_at
            from report where reporter = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4"#,
            reporter,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// The newest reports about a subject.
    pub async fn list_about(db: impl PgExecutor<'_>, key: SubjectKey, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, at, reporter, subject_type, subject_id, reason, text, weight,
                status, closed_at
            from report where subject_type = $1 and subject_id = $2 order by at desc, id desc limit $3"#,
            key.r#type as SubjectType,
            key.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Closes a batch of the open reports about a subject that were entered in the ledger before this entry.
    pub async fn close(
        tx: &mut PgTransaction<'_>,
        key: SubjectKey,
        before: i64,
        status: ReportStatus,
        decision: Option<Uuid>,
        rows: i64,
    ) -> sqlx::Result<Vec<ClosedReport>> {
        sqlx::query_as!(
            ClosedReport,
            r#"update report set decision = $5, closed_at = now(),
                status = case when abusive and $4 <> 'GONE' then 'ABUSIVE' else $4 end
            where id in (
                select id from report where subject_type = $1 and subject_id = $2 and status = 'OPEN' and entry < $3
                order by id limit $6 for update
            )
            returning reporter, status as "status!", exists (select from erasure where person = reporter) as "is_erased!""#,
            key.r#type as SubjectType,
            key.id,
            before,
            status as ReportStatus,
            decision,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Corrects what became of a closed report; whether there is one.
    pub async fn correct(tx: &mut PgTransaction<'_>, id: Uuid, status: ReportStatus) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "update report set status = $2 where id = $1 and status in ('AGREED', 'IGNORED', 'ABUSIVE')",
            id,
            status as ReportStatus
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// Counts the reports with which a decision agreed that does not hold any more as ignored ones.
    pub async fn disagree(tx: &mut PgTransaction<'_>, decision: Uuid) -> sqlx::Result<()> {
        sqlx::query!("update report set status = 'IGNORED' where decision = $1 and status = 'AGREED'", decision)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// The reports by a person for their export, newest first; not what they weighed, which would reveal a mute.
    pub async fn list_personal_data(
        db: &PgPool,
        person: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select at, id, to_jsonb(made) as "thing!" from (
                select id, at, subject_type, subject_id, reason, text, status, closed_at from report
                where reporter = $1 and (at, id) < ($2, $3)
            ) as made order by at desc, id desc limit $4"#,
            person,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// The reports about a person and what they wrote for their export, newest first; never by which user, nor in whose words.
    pub async fn list_personal_data_about(
        db: &PgPool,
        person: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select at, id, to_jsonb(received) as "thing!" from (
                select id, at, subject_type, subject_id, reason, status, closed_at from report
                where author = $1 and (at, id) < ($2, $3)
            ) as received order by at desc, id desc limit $4"#,
            person,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Erases a batch of the words in reports by and about a person, and closes those about them, which no decision will answer;
    /// true when there may be more. Weights and outcomes stay: the queue, and the records of others, depend on them.
    pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
        let erased = sqlx::query!(
            "update report set text = null,
                status = case when status = 'OPEN' and author = $1 then 'GONE' else status end,
                closed_at = case when status = 'OPEN' and author = $1 then now() else closed_at end
            where id in (
                select id from report
                where (reporter = $1 or author = $1) and text is not null or author = $1 and status = 'OPEN'
                order by id limit $2 for update
            )",
            person,
            BATCH
        )
        .execute(&mut **tx)
        .await?;
        Ok(erased.rows_affected() > 0)
    }
}

/// A report that has just been closed.
#[derive(Debug)]
pub struct ClosedReport {
    pub reporter: Uuid,
    pub status: ReportStatus,
    /// Whether its reporter has left the platform.
    pub is_erased: bool,
}

impl ReporterRecord {
    /// The record of a person's last reports.
    pub async fn of(db: impl PgExecutor<'_>, reporter: Uuid) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select count(*) filter (where status = 'AGREED') as "agreed!",
                count(*) filter (where status = 'IGNORED') as "ignored!",
                count(*) filter (where status = 'ABUSIVE') as "abusive!",
                exists (
                    select from reporter_mute where reporter = $1 and (until is null or until > now())
                ) as "muted!"
            from (
                select status from report where reporter = $1 and status in ('AGREED', 'IGNORED', 'ABUSIVE')
                order by closed_at desc limit $2
            ) as last"#,
            reporter,
            RECORD
        )
        .fetch_one(db)
        .await
    }
}

/// A reporter whose reports weigh nothing.
#[derive(Clone, Debug)]
pub struct ReporterMute {
    pub moderator: Uuid,
    pub at: Timestamp,
    pub until: Option<Timestamp>,
    pub note: Option<String>,
}

impl ReporterMute {
    /// The mute of a reporter, if there is one that has not ended.
    pub async fn find(db: impl PgExecutor<'_>, reporter: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select moderator, at, until, note from reporter_mute
            where reporter = $1 and (until is null or until > now())",
            reporter
        )
        .fetch_optional(db)
        .await
    }

    /// Mutes a reporter, in place of an earlier mute.
    pub async fn save(
        tx: &mut PgTransaction<'_>,
        reporter: Uuid,
        moderator: Uuid,
        until: Option<Timestamp>,
        note: Option<&str>,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into reporter_mute (reporter, moderator, until, note) values ($1, $2, $3, $4)
            on conflict (reporter) do update set moderator = excluded.moderator, at = excluded.at, until = excluded.until,
                note = excluded.note",
            reporter,
            moderator,
            until as Option<Timestamp>,
            note
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends the mute of a reporter.
    pub async fn delete(tx: &mut PgTransaction<'_>, reporter: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from reporter_mute where reporter = $1", reporter).execute(&mut **tx).await?;
        Ok(())
    }
}
