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
/// How long a claim lasts, in seconds: a quarter of an hour, as with cases.
const LEASE: f64 = 900.0;
/// Appeals that a moderator has claimed at once, at most, so that no client that asks again and again keeps all from the others.
const MOST_HELD: i64 = 1_000;

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
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        (decision, author): (Uuid, Uuid),
        text: &str,
        urgency: f64,
    ) -> sqlx::Result<Self> {
        let appeal = sqlx::query_as!(
            Self,
            "insert into appeal (id, decision, author, text, urgency) values ($1, $2, $3, $4, $5)
            returning id, decision, author, at, text, status, moderator, note, resolved_at",
            Uuid::now_v7(),
            decision,
            author,
            text,
            urgency
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

/// An open appeal, with its place in the order and who looks at it.
#[derive(Debug)]
pub struct WaitingAppeal {
    pub id: Uuid,
    pub decision: Uuid,
    pub author: Uuid,
    pub at: Timestamp,
    pub text: String,
    /// Its place in the order, latest first.
    pub place: Timestamp,
    pub claimed_by: Option<Uuid>,
    pub claimed_until: Option<Timestamp>,
}

impl WaitingAppeal {
    /// The open appeals in a scope, the most urgent first: by the kind of subject and the reason of the decision, and whether the subject
    /// was escalated.
    pub async fn list(
        db: impl PgExecutor<'_>,
        scope: &ScopeFilter,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        let appeals = sqlx::query_as!(
            Self,
            r#"select appeal.id, decision, appeal.author, appeal.at, text, appeal_place(appeal.at, urgency) as "place!",
                appeal_claim.moderator as "claimed_by?", until as "claimed_until?"
            from appeal join decision on decision.id = decision
                left join subject on subject.type = subject_type and subject.id = subject_id
                left join appeal_claim on appeal_claim.appeal = appeal.id and until > now()
            where status = 'OPEN' and (appeal_place(appeal.at, urgency), appeal.id) < ($1, $2)
                and ($4::text[] is null or subject_type = any($4))
                and ($5::text[] is null
                    or exists (select from unnest($5) as family where starts_with(reason, family || '_')))
                and ($6 or review is distinct from 'ESCALATED')
            order by appeal_place(appeal.at, urgency) desc, appeal.id desc limit $3"#,
            before.at as Timestamp,
            before.id,
            rows,
            scope.types.as_deref(),
            scope.families.as_deref(),
            scope.escalated
        );
        appeals.fetch_all(db).await
    }

    /// What a moderator has claimed, the most urgent first.
    pub async fn list_claimed(db: impl PgExecutor<'_>, moderator: Uuid) -> sqlx::Result<Vec<Self>> {
        let appeals = sqlx::query_as!(
            Self,
            r#"select appeal.id, decision, author, at, text, appeal_place(at, urgency) as "place!",
                appeal_claim.moderator as "claimed_by?", until as "claimed_until?"
            from appeal_claim join appeal on appeal.id = appeal_claim.appeal
            where appeal_claim.moderator = $1 and until > now() and status = 'OPEN'
            order by appeal_place(at, urgency) desc, appeal.id desc limit $2"#,
            moderator,
            MOST_HELD
        );
        appeals.fetch_all(db).await
    }

    /// Claims the most urgent open appeals that are free, in the scope of a moderator, and not about what they [took part in](took_part) or
    /// wrote themselves. One that another claim has at hand is skipped, and not waited for; what was claimed while this search was under way is
    /// seen by the primary key: then the other moderator keeps it. Who has [very many](MOST_HELD) gets no more.
    pub async fn claim_next(
        tx: &mut PgTransaction<'_>,
        (moderator, scope): (Uuid, &ScopeFilter),
        rows: i64,
    ) -> sqlx::Result<ClaimedAppeals> {
        let held = sqlx::query_scalar!(
            r#"select count(*) as "held!" from appeal_claim where moderator = $1 and until > now()"#,
            moderator
        );
        let room = (MOST_HELD - held.fetch_one(&mut **tx).await?).max(0);
        let found = sqlx::query_scalar!(
            r#"with free as materialized (
                select appeal.id from appeal join decision on decision.id = decision
                    left join subject on subject.type = subject_type and subject.id = subject_id
                where status = 'OPEN' and appeal.author <> $1 and decision.moderator is distinct from $1
                    and (decision.strikes is null or not has_counted_strike($1, decision.author, decision.at))
                    and not exists (select from appeal_claim where appeal_claim.appeal = appeal.id and until > now())
                    and ($4::text[] is null or subject_type = any($4))
                    and ($5::text[] is null
                        or exists (select from unnest($5) as family where starts_with(reason, family || '_')))
                    and ($6 or review is distinct from 'ESCALATED')
                order by appeal_place(appeal.at, urgency) desc, appeal.id desc limit $2 for update of appeal skip locked
            ),
            taken as (
                insert into appeal_claim (appeal, moderator, until)
                select id, $1, now() + make_interval(secs => $3) from free
                on conflict (appeal) do update set moderator = excluded.moderator, until = excluded.until
                where appeal_claim.until <= now()
                returning appeal
            )
            select appeal is not null as "taken!" from free left join taken on appeal = id"#,
            moderator,
            rows.min(room),
            LEASE,
            scope.types.as_deref(),
            scope.families.as_deref(),
            scope.escalated
        );
        let found = found.fetch_all(&mut **tx).await?;
        Ok(ClaimedAppeals { is_outrun: !found.is_empty() && !found.contains(&true) })
    }
}

/// What a search for free appeals came to.
#[derive(Debug)]
pub struct ClaimedAppeals {
    /// Whether another moderator was faster with all that were found, so that a second search may find more.
    pub is_outrun: bool,
}

/// Whether a moderator took part in a decision: has made it or, where the ladder has, one whose strike counted then.
pub async fn took_part(db: impl PgExecutor<'_>, decision: Uuid, moderator: Uuid) -> sqlx::Result<bool> {
    let took_part = sqlx::query_scalar!(
        r#"select exists (
            select from decision where id = $1
                and (moderator = $2 or strikes is not null and has_counted_strike($2, author, at))
        ) as "took_part!""#,
        decision,
        moderator
    );
    took_part.fetch_one(db).await
}

/// Locks an appeal until the transaction ends, if it is open. What is about to resolve it is waited for.
pub async fn lock_open(tx: &mut PgTransaction<'_>, appeal: Uuid) -> sqlx::Result<bool> {
    let open = sqlx::query_scalar!("select id from appeal where id = $1 and status = 'OPEN' for update", appeal);
    Ok(open.fetch_optional(&mut **tx).await?.is_some())
}

/// Claims an appeal, or extends the moderator's own claim; until when. None when another moderator has it.
pub async fn claim(tx: &mut PgTransaction<'_>, appeal: Uuid, moderator: Uuid) -> sqlx::Result<Option<Timestamp>> {
    let until = sqlx::query_scalar!(
        "insert into appeal_claim (appeal, moderator, until) values ($1, $2, now() + make_interval(secs => $3))
        on conflict (appeal) do update set moderator = excluded.moderator, until = excluded.until
        where appeal_claim.until <= now() or appeal_claim.moderator = excluded.moderator
        returning until",
        appeal,
        moderator,
        LEASE
    );
    until.fetch_optional(&mut **tx).await
}

/// Ends the claim of a moderator on an appeal, or, for an administrator, that of any; whether there was one.
pub async fn release(db: impl PgExecutor<'_>, appeal: Uuid, moderator: Option<Uuid>) -> sqlx::Result<bool> {
    let released = sqlx::query!(
        "delete from appeal_claim where appeal = $1 and ($2::uuid is null or moderator = $2)",
        appeal,
        moderator
    );
    Ok(released.execute(db).await?.rows_affected() > 0)
}

/// Whether another moderator than this one looks at an appeal.
pub async fn is_claimed_by_another(db: impl PgExecutor<'_>, appeal: Uuid, moderator: Uuid) -> sqlx::Result<bool> {
    let claimed = sqlx::query_scalar!(
        r#"select exists (select from appeal_claim where appeal = $1 and moderator <> $2 and until > now()) as "is!""#,
        appeal,
        moderator
    );
    claimed.fetch_one(db).await
}

/// Deletes the claims that ended an hour ago: most end with the appeal, which deletes them.
pub async fn delete_ended_claims(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from appeal_claim where until < now() - interval '1 hour'").execute(db).await?;
    Ok(())
}
