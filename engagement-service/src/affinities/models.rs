//! Affinities in the database: all of the SQL of this feature.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::services::Weights;
use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;

/// What a person deals with.
pub struct Affinity;

impl Affinity {
    /// Computes the weights of people anew, also those that look fresh where `all` is said. Weights are fresh for five minutes less
    /// than since the last activity, by which a transaction may have been late, and for a week at most.
    pub async fn refresh(tx: &mut PgTransaction<'_>, people: &[Uuid], all: bool) -> sqlx::Result<()> {
        sqlx::query!(
            "with stale as (
                select person.id from person left join affinity on person_id = person.id
                left join profile on profile.user_id = person.id
                where person.id = any($1) and not exists (select from erasure where erasure.person = person.id) and (
                    $2 or computed_at is null or computed_at < now() - interval '7 days'
                    or computed_at < profile.updated_at + interval '5 minutes')
            ), act as (
                select stale.id, types, tags, 3 as weight from stale cross join lateral (
                    select types, tags from post_card
                    where user_id = stale.id and deleted_at is null and not hidden and status = 'POSTED'
                    order by feed_key desc limit 100) as own
                union all
                select stale.id, types, tags, 2 from stale cross join lateral (
                    select post_id from comment_card
                    where user_id = stale.id and deleted_at is null and not hidden order by id desc limit 100) as said
                join post_card on post_card.id = post_id and is_public(post_card)
                union all
                select stale.id, types, tags, 1 from stale cross join lateral (
                    select post_id from reaction_card
                    where user_id = stale.id and deleted_at is null order by id desc limit 100) as liked
                join post_card on post_card.id = post_id and is_public(post_card)
            ), topic as (
                select id, topic, sum(weight)::double precision as weight from act cross join lateral (
                    select distinct unnest(types) as topic union all select distinct '#' || unnest(tags)
                ) as topics group by id, topic
            ), ranked as (
                select id, topic, weight / sum(weight) over (partition by id) as share,
                    row_number() over (partition by id order by weight desc, topic) as place
                from topic
            )
            insert into affinity (person_id, weights)
            select stale.id, coalesce(jsonb_object_agg(topic, round(share::numeric, 4)) filter (where place <= 40), '{}')
            from stale left join ranked on ranked.id = stale.id group by stale.id order by stale.id
            on conflict (person_id) do update set weights = excluded.weights, computed_at = excluded.computed_at",
            people,
            all
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The weights of a person; none where nothing is known.
    pub async fn find(db: impl PgExecutor<'_>, person: Uuid) -> sqlx::Result<Weights> {
        let query = sqlx::query_scalar!(
            r#"select weights as "weights: Json<Weights>" from affinity where person_id = $1"#,
            person
        );
        Ok(query.fetch_optional(db).await?.map(|weights| weights.0).unwrap_or_default())
    }

    /// The weights of a person for their export.
    pub async fn list_personal_data(
        db: &PgPool,
        person: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select computed_at as at, person_id as id, to_jsonb(affinity) as "thing!" from affinity
            where person_id = $1 and (computed_at, person_id) < ($2, $3) limit $4"#,
            person,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes the weights of a person.
    pub async fn delete(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from affinity where person_id = $1", person).execute(&mut **tx).await?;
        Ok(())
    }
}
