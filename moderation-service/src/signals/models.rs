//! What signals look up: users, fingerprints and rules about domains. All of the SQL of this feature.
use std::collections::HashMap;

use serde::Serialize;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use utoipa::ToSchema;
use uuid::Uuid;

use super::similarity::MAX_DISTANCE;
use super::surroundings::Surroundings;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// How far back contents of an author count as one burst, in minutes.
const VELOCITY_MINUTES: f64 = 10.0;
/// The newest fingerprints of a quarter that are compared: a flood is one long before.
const CANDIDATES: i64 = 200;
/// Rows erased in one statement.
const BATCH: i64 = 500;

/// What links to a domain mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum DomainVerdict {
    /// The signal `blocked_links`: the default policy hides
    Block,
    /// The signal `warned_links`: the default policy asks for a person
    Warn,
    /// The signal `allowed_links`; below a blocked domain, an exception
    Allow,
}

/// A rule about a domain and those below it.
#[derive(Debug)]
pub struct DomainRule {
    pub domain: String,
    pub verdict: DomainVerdict,
    pub note: Option<String>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
}

impl DomainRule {
    /// Stores a rule, over the one that the domain has; returns whether it is new.
    pub async fn save(
        tx: &mut PgTransaction<'_>,
        domain: &str,
        verdict: DomainVerdict,
        note: Option<&str>,
        by: Uuid,
    ) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into domain_rule (domain, verdict, note, updated_by) values ($1, $2, $3, $4)
            on conflict (domain) do update set verdict = excluded.verdict, note = excluded.note, updated_at = now(),
                updated_by = excluded.updated_by
            returning domain, verdict as "verdict: DomainVerdict", note, updated_at, updated_by"#,
            domain,
            verdict as DomainVerdict,
            note,
            by
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// The rule of this very domain.
    pub async fn find(db: impl PgExecutor<'_>, domain: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select domain, verdict as "verdict: DomainVerdict", note, updated_at, updated_by
            from domain_rule where domain = $1"#,
            domain
        )
        .fetch_optional(db)
        .await
    }

    /// All rules by the alphabet, after a domain.
    pub async fn list(db: impl PgExecutor<'_>, after: &str, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select domain, verdict as "verdict: DomainVerdict", note, updated_at, updated_by
            from domain_rule where domain > $1 order by domain limit $2"#,
            after,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes the rule of a domain; false when it has none.
    pub async fn delete(tx: &mut PgTransaction<'_>, domain: &str) -> sqlx::Result<bool> {
        let deleted = sqlx::query!("delete from domain_rule where domain = $1", domain).execute(&mut **tx).await?;
        Ok(deleted.rows_affected() == 1)
    }

    /// The verdicts of those among these domains that have a rule.
    pub async fn verdicts(db: impl PgExecutor<'_>, domains: &[String]) -> sqlx::Result<HashMap<String, DomainVerdict>> {
        let rules = sqlx::query!(
            r#"select domain, verdict as "verdict: DomainVerdict" from domain_rule where domain = any($1)"#,
            domains
        );
        Ok(rules.fetch_all(db).await?.into_iter().map(|rule| (rule.domain, rule.verdict)).collect())
    }
}

/// Saves since when users have accounts. Of one that is consumed again, the first time holds.
pub async fn save_people(tx: &mut PgTransaction<'_>, people: &[(Uuid, Timestamp)]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = people.iter().map(|person| person.0).collect();
    let times: Vec<Timestamp> = people.iter().map(|person| person.1).collect();
    sqlx::query!(
        "insert into person (id, registered_at)
        select id, min(at) from unnest($1::uuid[], $2::timestamptz[]) as registered (id, at) group by id order by id
        on conflict (id) do nothing",
        &ids,
        &times as &[Timestamp]
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A text of which the surroundings are looked up.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub content: Uuid,
    pub author: Uuid,
    /// When this version was written.
    pub at: Timestamp,
    pub fingerprint: Option<i64>,
}

/// Saves the fingerprints of texts, over those of earlier versions; of texts that have none any more it is deleted. The
/// transaction has locked the contents.
pub async fn save_fingerprints(tx: &mut PgTransaction<'_>, places: &[Place]) -> sqlx::Result<()> {
    let bare: Vec<Uuid> =
        places.iter().filter(|place| place.fingerprint.is_none()).map(|place| place.content).collect();
    sqlx::query!("delete from fingerprint where content_id = any($1)", &bare).execute(&mut **tx).await?;
    let (mut ids, mut authors, mut times, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for place in places {
        if let Some(hash) = place.fingerprint {
            ids.push(place.content);
            authors.push(place.author);
            times.push(place.at);
            hashes.push(hash);
        }
    }
    sqlx::query!(
        "insert into fingerprint (content_id, author, at, hash)
        select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[])
        on conflict (content_id) do update set at = excluded.at, hash = excluded.hash",
        &ids,
        &authors,
        &times as &[Timestamp],
        &hashes
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The surroundings of texts, by content. Near-duplicates are those up to `window` hours before.
pub async fn find_surroundings(
    tx: &mut PgTransaction<'_>,
    places: &[Place],
    window: f64,
) -> sqlx::Result<HashMap<Uuid, Surroundings>> {
    let ids: Vec<Uuid> = places.iter().map(|place| place.content).collect();
    let authors: Vec<Uuid> = places.iter().map(|place| place.author).collect();
    let times: Vec<Timestamp> = places.iter().map(|place| place.at).collect();
    let hashes: Vec<Option<i64>> = places.iter().map(|place| place.fingerprint).collect();
    let rows = sqlx::query!(
        r#"select text.id as "id!", near.copies as "copies!", near.authors as "authors!",
            (select count(*) from content where content.author = text.author and type in ('POST', 'COMMENT') and content.created_at <= text.at
                and content.created_at > text.at - make_interval(secs => 60 * $5::float8)) as "velocity!",
            (extract(epoch from text.at - person.registered_at) / 3600)::float8 as age,
            exists (select from subject where type = 'USER' and id = text.author) and exists (
                select from decision where decision.author = text.author and moderator is not null
                    and decision.at <= text.at and standing_until > text.at and (ended_at is null or ended_at > text.at)
                    and actions @> '[{"action": "REQUIRE_APPROVAL"}]') as "approval_required!"
        from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[]) as text (id, author, at, hash)
        left join person on person.id = text.author,
        lateral (
            select count(distinct content_id) as copies,
                count(distinct found.author) filter (where found.author <> text.author) as authors
            from (
                (select content_id, author, hash from fingerprint where band0 = ((text.hash >> 48) & 65535)::integer
                    and at <= text.at and at > text.at - make_interval(secs => 3600 * $6::float8)
                    order by at desc limit $7)
                union all (select content_id, author, hash from fingerprint
                    where band1 = ((text.hash >> 32) & 65535)::integer
                    and at <= text.at and at > text.at - make_interval(secs => 3600 * $6::float8)
                    order by at desc limit $7)
                union all (select content_id, author, hash from fingerprint
                    where band2 = ((text.hash >> 16) & 65535)::integer
                    and at <= text.at and at > text.at - make_interval(secs => 3600 * $6::float8)
                    order by at desc limit $7)
                union all (select content_id, author, hash from fingerprint
                    where band3 = (text.hash & 65535)::integer
                    and at <= text.at and at > text.at - make_interval(secs => 3600 * $6::float8)
                    order by at desc limit $7)
            ) as found
            where content_id <> text.id and bit_count((found.hash # text.hash)::bit(64)) <= $8
        ) as near"#,
        &ids,
        &authors,
        &times as &[Timestamp],
        &hashes as &[Option<i64>],
        VELOCITY_MINUTES,
        window,
        CANDIDATES,
        i64::from(MAX_DISTANCE)
    );
    let rows = rows.fetch_all(&mut **tx).await?.into_iter().map(|row| {
        let surroundings = Surroundings {
            duplicates: row.copies,
            duplicate_authors: row.authors,
            velocity: row.velocity,
            account_age_hours: row.age,
            approval_required: row.approval_required,
        };
        (row.id, surroundings)
    });
    Ok(rows.collect())
}

/// Deletes the fingerprints of texts from before the window, in hours.
pub async fn delete_old_fingerprints(db: impl PgExecutor<'_>, window: f64) -> sqlx::Result<u64> {
    let deleted =
        sqlx::query!("delete from fingerprint where at <= now() - make_interval(secs => 3600 * $1::float8)", window);
    Ok(deleted.execute(db).await?.rows_affected())
}

/// Erases fingerprints of a user's texts, a batch, and since when they had an account; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<bool> {
    sqlx::query!("delete from person where id = $1", user).execute(&mut **tx).await?;
    sqlx::query!("update domain_rule set updated_by = null, note = null where updated_by = $1", user)
        .execute(&mut **tx)
        .await?;
    let erased = sqlx::query!(
        "delete from fingerprint where content_id in
            (select content_id from fingerprint where author = $1 order by content_id limit $2 for update)",
        user,
        BATCH
    );
    Ok(erased.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Fingerprints of a user's texts for the export, newest first.
pub async fn list_personal_data(
    db: &PgPool,
    user: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<PersonalDataItem>> {
    sqlx::query_as!(
        PersonalDataItem,
        r#"select at, content_id as id, to_json(held) as "thing!" from (
            select content_id, author, at, hash from fingerprint
            where author = $1 and (at, content_id) < ($2, $3) order by at desc, content_id desc limit $4
        ) as held order by at desc, content_id desc"#,
        user,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}
