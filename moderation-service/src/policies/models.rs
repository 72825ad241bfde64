//! Policies in the database: all of the SQL of this feature.
use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::Mode;
use super::evaluation::{CompiledPolicy, Match};
use super::parsing::parse_rules;
use super::rules::HeadThresholds;
use crate::core::contract::timestamp::Timestamp;
use crate::signals::Signals;
use crate::subjects::SubjectType;
use crate::text_model::HEADS;

/// The constraint by which the database refuses a name that another policy has.
pub const NAME_TAKEN: &str = "policy_name_key";
/// The days for which hits are kept.
const HIT_DAYS: i32 = 90;

/// A policy as it is stored.
#[derive(Debug)]
pub struct Policy {
    pub id: Uuid,
    pub name: String,
    pub version: i32,
    pub mode: Mode,
    pub rules: Value,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
}

/// A version of a policy.
#[derive(Debug)]
pub struct PolicyVersion {
    pub version: i32,
    pub mode: Mode,
    pub rules: Value,
    pub at: Timestamp,
    pub by: Option<Uuid>,
    pub note: Option<String>,
}

/// What an administrator sets.
#[derive(Debug)]
pub struct PolicyChange<'a> {
    pub name: &'a str,
    pub mode: Mode,
    pub rules: &'a [Value],
    pub note: Option<&'a str>,
    pub by: Uuid,
}

impl Policy {
    /// Stores a new policy, with its first version.
    pub async fn create(tx: &mut PgTransaction<'_>, change: &PolicyChange<'_>) -> sqlx::Result<Self> {
        let policy = sqlx::query_as!(
            Self,
            r#"insert into policy (id, name, version, mode, rules, updated_by) values ($1, $2, 1, $3, $4, $5)
            returning id, name, version, mode as "mode: Mode", rules, created_at, updated_at, updated_by"#,
            Uuid::now_v7(),
            change.name,
            change.mode as Mode,
            Json(change.rules) as _,
            change.by
        );
        let policy = policy.fetch_one(&mut **tx).await?;
        policy.save_version(tx, change.note).await?;
        Ok(policy)
    }

    /// Stores a change as the next version; none when the policy has another version than `expected`, or does not exist.
    pub async fn update(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        expected: i32,
        change: &PolicyChange<'_>,
    ) -> sqlx::Result<Option<Self>> {
        let policy = sqlx::query_as!(
            Self,
            r#"update policy set name = $3, version = version + 1, mode = $4, rules = $5, updated_by = $6, updated_at = now()
            where id = $1 and version = $2
            returning id, name, version, mode as "mode: Mode", rules, created_at, updated_at, updated_by"#,
            id,
            expected,
            change.name,
            change.mode as Mode,
            Json(change.rules) as _,
            change.by
        );
        let policy = policy.fetch_optional(&mut **tx).await?;
        if let Some(policy) = &policy {
            policy.save_version(tx, change.note).await?;
        }
        Ok(policy)
    }

    async fn save_version(&self, tx: &mut PgTransaction<'_>, note: Option<&str>) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into policy_version (policy, version, mode, rules, by, note) values ($1, $2, $3, $4, $5, $6)",
            self.id,
            self.version,
            self.mode as Mode,
            self.rules,
            self.updated_by,
            note
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// All policies, oldest first: the order in which they are evaluated.
    pub async fn list(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, name, version, mode as "mode: Mode", rules, created_at, updated_at, updated_by
            from policy order by created_at, id"#
        )
        .fetch_all(db)
        .await
    }

    /// One policy.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, name, version, mode as "mode: Mode", rules, created_at, updated_at, updated_by
            from policy where id = $1"#,
            id
        )
        .fetch_optional(db)
        .await
    }

    /// Its versions, newest first.
    pub async fn versions(db: impl PgExecutor<'_>, id: Uuid, rows: i64) -> sqlx::Result<Vec<PolicyVersion>> {
        sqlx::query_as!(
            PolicyVersion,
            r#"select version, mode as "mode: Mode", rules, at, by, note
            from policy_version where policy = $1 order by version desc limit $2"#,
            id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// The policies that are not off, ready to be evaluated. Rules that a newer release has written, and this one does not understand, are left
/// out and logged: without them contents are still judged, by all others.
pub async fn load_policies(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<CompiledPolicy>> {
    let policies = sqlx::query!(
        r#"select id, version, mode as "mode: Mode", rules as "rules: Json<Vec<Value>>"
        from policy where mode <> 'OFF' order by created_at, id"#
    );
    let policies = policies.fetch_all(db).await?.into_iter().map(|row| {
        let rules = row.rules.0.iter().filter_map(|rule| match parse_rules(std::slice::from_ref(rule)) {
            Ok(rules) => rules.into_iter().next(),
            Err(faults) => {
                tracing::error!(policy = %row.id, ?faults, "a rule is not understood, and left out");
                metrics::counter!("policy_rules_left_out_total").increment(1);
                None
            }
        });
        CompiledPolicy { id: row.id, version: row.version, mode: row.mode, rules: rules.collect() }
    });
    Ok(policies.collect())
}

/// Counts matches of rules.
pub async fn save_hits<'a>(tx: &mut PgTransaction<'_>, matches: impl Iterator<Item = &'a Match>) -> sqlx::Result<()> {
    let mut hits: BTreeMap<(Uuid, &str, bool), i64> = BTreeMap::new();
    for found in matches {
        *hits.entry((found.policy, found.rule.as_str(), found.mode == Mode::Enforce)).or_default() += 1;
    }
    let word = |enforced: bool| if enforced { "ENFORCE" } else { "SHADOW" }.to_owned();
    sqlx::query!(
        "insert into rule_hit (policy, rule, mode, day, hits)
        select policy, rule, mode, (now() at time zone 'UTC')::date, hits
        from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) as found (policy, rule, mode, hits)",
        &hits.keys().map(|(policy, _, _)| *policy).collect::<Vec<_>>(),
        &hits.keys().map(|(_, rule, _)| (*rule).to_owned()).collect::<Vec<_>>(),
        &hits.keys().map(|(_, _, enforced)| word(*enforced)).collect::<Vec<_>>(),
        &hits.values().copied().collect::<Vec<_>>()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How often a rule has matched on a day.
#[derive(Debug)]
pub struct HitCount {
    pub day: NaiveDate,
    pub rule: String,
    pub mode: Mode,
    pub hits: i64,
}

/// The hits of a policy's rules in the last days, newest first.
pub async fn list_hits(db: impl PgExecutor<'_>, policy: Uuid, days: i32) -> sqlx::Result<Vec<HitCount>> {
    sqlx::query_as!(
        HitCount,
        r#"select day, rule, mode as "mode: Mode", sum(hits)::bigint as "hits!" from rule_hit
        where policy = $1 and day > (now() at time zone 'UTC')::date - $2::integer
        group by day, rule, mode order by day desc, rule, mode"#,
        policy,
        days
    )
    .fetch_all(db)
    .await
}

/// Makes one row per day, rule and mode of those of past days, and deletes the old ones.
pub async fn fold_hits(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "with past as (
            delete from rule_hit where day < (now() at time zone 'UTC')::date returning *
        )
        insert into rule_hit (policy, rule, mode, day, hits)
        select policy, rule, mode, day, sum(hits) from past
        where day > (now() at time zone 'UTC')::date - $1::integer group by policy, rule, mode, day",
        HIT_DAYS
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What an analysis has found, to be judged again.
#[derive(Debug)]
pub struct Past {
    pub id: Uuid,
    pub kind: SubjectType,
    pub content_id: Uuid,
    pub at: Timestamp,
    pub scores: Option<Json<[f64; HEADS]>>,
    pub thresholds: Option<Json<[HeadThresholds; HEADS]>>,
    pub signals: Json<Signals>,
    /// The beginning of the text; none when it is gone.
    pub excerpt: Option<String>,
}

/// The newest analyses, of each content the newest one, up to `rows` of them.
pub async fn list_past(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Past>> {
    sqlx::query_as!(
        Past,
        r#"select analysis.id, content_type as "kind!: SubjectType", content_id, at,
            scores as "scores: Json<[f64; HEADS]>", thresholds as "thresholds: Json<[HeadThresholds; HEADS]>",
            signals as "signals: Json<Signals>", left(content.text, 200) as excerpt
        from (select * from analysis order by at desc, id desc limit $1) as analysis
        left join content on content.id = analysis.content_id
        where not exists (select from analysis as newer where newer.content_id = analysis.content_id
            and newer.at > analysis.at)
        order by at desc, analysis.id desc"#,
        rows
    )
    .fetch_all(db)
    .await
}

/// Takes a deleted administrator out of the policies that they have changed.
pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update policy set updated_by = null where updated_by = $1", user).execute(&mut **tx).await?;
    sqlx::query!("update policy_version set by = null, note = null where by = $1", user).execute(&mut **tx).await?;
    Ok(())
}
