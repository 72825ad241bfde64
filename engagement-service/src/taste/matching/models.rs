//! Matches in the database.
use std::collections::HashMap;

use sqlx::PgTransaction;
use sqlx::types::Json;
use uuid::Uuid;

use crate::taste::services::TasteItems;

/// People that an item leads to, in each direction by id.
const NEXT: i64 = 40;
/// Items of a kind by which people are looked for, the weightiest: as many as are in the index.
const LEADING: i64 = 20;
/// People that are compared exactly.
const COMPARED: i64 = 30;

/// A person with a similar taste.
#[derive(Clone, Copy, Debug)]
pub struct TasteMatch {
    pub person_id: Uuid,
    pub other_id: Uuid,
    pub similarity: f64,
}

impl TasteMatch {
    /// Locks up to `rows` people whose matches are to be looked for, and that no other replica has at hand.
    pub async fn lock_unmatched(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!(
            "select person_id from taste where not matched order by person_id limit $1 for update skip locked",
            rows
        );
        query.fetch_all(&mut **tx).await
    }

    /// Notes that the matches of these people were looked for, until their taste is fetched again.
    pub async fn mark_matched(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!("update taste set matched = true where person_id = any($1)", people).execute(&mut **tx).await?;
        Ok(())
    }

    /// For each of these people those who have most items in common with them, of those who share their taste.
    pub async fn list_candidates(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<Vec<(Uuid, Uuid)>> {
        let rows = sqlx::query!(
            r#"with own as (
                select person_id, kind, item ->> 'id' as item, (item ->> 'weight')::real as weight from taste
                cross join lateral (values ('TRACK', items -> 'tracks'), ('ARTIST', items -> 'artists')) as list (kind, list)
                cross join lateral jsonb_array_elements(list) with ordinality as one (item, place)
                where person_id = any($1) and items is not null and place <= $4
            ), met as (
                select own.person_id, other.person_id as other_id, sum(least(own.weight, other.weight)) as weight
                from own cross join lateral (
                    (select person_id, weight from taste_item
                        where kind = own.kind and item = own.item and person_id > own.person_id
                        order by person_id limit $2)
                    union all
                    (select person_id, weight from taste_item
                        where kind = own.kind and item = own.item and person_id < own.person_id
                        order by person_id desc limit $2)
                ) as other
                group by own.person_id, other.person_id
            ), ranked as (
                select person_id, other_id, row_number() over (partition by person_id order by weight desc, other_id) as place
                from met
            )
            select person_id as "person_id!", other_id as "other_id!" from ranked where place <= $3"#,
            people,
            NEXT,
            COMPARED,
            LEADING
        );
        Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(|row| (row.person_id, row.other_id)).collect())
    }

    /// What people listen to.
    pub async fn load_items(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<HashMap<Uuid, TasteItems>> {
        let rows = sqlx::query!(
            r#"select person_id, items as "items!: Json<TasteItems>" from taste
            where person_id = any($1) and items is not null"#,
            people
        );
        Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(|row| (row.person_id, row.items.0)).collect())
    }

    /// Replaces the matches of these people.
    pub async fn save(tx: &mut PgTransaction<'_>, people: &[Uuid], matches: &[Self]) -> sqlx::Result<()> {
        sqlx::query!("delete from taste_match where person_id = any($1)", people).execute(&mut **tx).await?;
        sqlx::query!(
            "insert into taste_match (person_id, other_id, similarity)
            select * from unnest($1::uuid[], $2::uuid[], $3::double precision[]) as met (person_id, other_id, similarity)
            where not exists (select from erasure where person in (met.person_id, met.other_id))",
            &matches.iter().map(|one| one.person_id).collect::<Vec<_>>(),
            &matches.iter().map(|one| one.other_id).collect::<Vec<_>>(),
            &matches.iter().map(|one| one.similarity).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Self::mark_matched(tx, people).await
    }
}
