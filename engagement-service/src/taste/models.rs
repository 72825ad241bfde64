//! Tastes in the database, less who listens to the same.
use std::time::Duration;

use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::PROVIDER;
use super::services::TasteItems;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// Items of a kind that lead to others, the weightiest.
const INDEXED: i64 = 20;
/// Days between two fetches of a taste.
const FRESH_DAYS: i32 = 7;
/// The pause after a fetch that failed, in minutes; it doubles with each failure, up to a day.
const FIRST_PAUSE: i32 = 5;

/// Whether an account that says what a person listens to is linked.
#[derive(Clone, Copy, Debug)]
pub struct TasteLink {
    pub person_id: Uuid,
    pub linked: bool,
    pub at: Timestamp,
}

/// A taste as its person sees it.
pub struct Taste {
    pub shared: bool,
    pub items: Option<Json<TasteItems>>,
    pub fetched_at: Option<Timestamp>,
    pub due_at: Timestamp,
}

/// A taste that a worker fetches.
#[derive(Clone, Copy, Debug)]
pub struct DueTaste {
    pub person_id: Uuid,
    /// The link for which it is fetched.
    pub linked_at: Timestamp,
}

impl Taste {
    /// Saves that accounts were linked or unlinked; what is older than what is known changes nothing. The tastes of links that
    /// ended are deleted, and so are those of links that replaced another one; each link begins private.
    pub async fn save_links(tx: &mut PgTransaction<'_>, links: &[TasteLink]) -> sqlx::Result<()> {
        let changed = sqlx::query_scalar!(
            "insert into taste (person_id, linked, linked_at, due_at)
            select distinct on (person_id) person_id, linked, at, now()
            from unnest($1::uuid[], $2::boolean[], $3::timestamptz[]) as link (person_id, linked, at)
            where not exists (select from erasure where person = person_id)
            order by person_id, at desc, linked
            on conflict (person_id) do update set linked = excluded.linked, linked_at = excluded.linked_at, due_at = now(),
                items = null, fetched_at = null, failures = 0, matched = true,
                shared = false,
                forgotten_at = case when taste.forgotten_at >= excluded.linked_at then taste.forgotten_at end
            where taste.linked_at < excluded.linked_at or (taste.linked_at = excluded.linked_at and taste.linked and not excluded.linked)
            returning person_id",
            &links.iter().map(|link| link.person_id).collect::<Vec<_>>(),
            &links.iter().map(|link| link.linked).collect::<Vec<_>>(),
            &links.iter().map(|link| link.at).collect::<Vec<_>>() as &[Timestamp]
        );
        let changed = changed.fetch_all(&mut **tx).await?;
        delete_derived(tx, &changed).await
    }

    /// The taste of a person who has linked an account and not asked to forget it.
    pub async fn find(db: impl PgExecutor<'_>, person: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select shared, items as "items: Json<TasteItems>", fetched_at, due_at from taste
            where person_id = $1 and linked and forgotten_at is null"#,
            person
        )
        .fetch_optional(db)
        .await
    }

    /// What a person listens to, as far as a reader may know: their own, or that of a person who exists for them and shares it.
    pub async fn find_shown(db: impl PgExecutor<'_>, reader: Uuid, person: Uuid) -> sqlx::Result<Option<TasteItems>> {
        let query = sqlx::query_scalar!(
            r#"select items as "items!: Json<TasteItems>" from taste join person on person.id = person_id
            where person_id = $2 and items is not null and (shared or person_id = $1) and status <> 'BANNED'
                and not hidden($1, $2)"#,
            reader,
            person
        );
        Ok(query.fetch_optional(db).await?.map(|items| items.0))
    }

    /// Changes whether others see a taste; false when there is none.
    pub async fn share(tx: &mut PgTransaction<'_>, person: Uuid, shared: bool) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "update taste set shared = $2 where person_id = $1 and linked and forgotten_at is null",
            person,
            shared
        );
        let has_taste = query.execute(&mut **tx).await?.rows_affected() == 1;
        index(tx, person).await?;
        Ok(has_taste)
    }

    /// Forgets a taste: it is deleted, and not fetched again for this link.
    pub async fn forget(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update taste set forgotten_at = greatest(now(), linked_at), shared = false, items = null, fetched_at = null,
                matched = true
            where person_id = $1",
            person
        )
        .execute(&mut **tx)
        .await?;
        delete_derived(tx, &[person]).await
    }

    /// Whether a person wants their taste forgotten.
    pub async fn is_forgotten(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar!(
            r#"select forgotten_at is not null as "is_forgotten!" from taste where person_id = $1 for update"#,
            person
        );
        Ok(query.fetch_optional(&mut **tx).await? == Some(true))
    }

    /// Takes the taste that is to be fetched next, and puts it off for ten minutes, so that no other worker takes it meanwhile. While the
    /// source wants to be left alone, there is none.
    pub async fn claim(db: &PgPool) -> sqlx::Result<Option<DueTaste>> {
        sqlx::query_as!(
            DueTaste,
            "update taste set due_at = now() + interval '10 minutes' where person_id = (
                select person_id from taste where linked and forgotten_at is null and due_at <= now()
                    and not exists (select from taste_pause where provider = $1 and not_before > now())
                order by due_at limit 1 for update skip locked
            ) returning person_id, linked_at",
            PROVIDER
        )
        .fetch_optional(db)
        .await
    }

    /// Saves what was fetched, unless the link has changed meanwhile; false then. Those who listen to the same are looked for next.
    pub async fn save(tx: &mut PgTransaction<'_>, due: DueTaste, items: &TasteItems) -> sqlx::Result<bool> {
        let saved = sqlx::query!(
            "update taste set items = $3, fetched_at = now(), failures = 0, matched = false,
                due_at = now() + make_interval(days => $4) + random() * interval '1 day'
            where person_id = $1 and linked_at = $2 and linked and forgotten_at is null",
            due.person_id,
            due.linked_at as Timestamp,
            Json(items) as Json<&TasteItems>,
            FRESH_DAYS
        );
        if saved.execute(&mut **tx).await?.rows_affected() == 0 {
            return Ok(false);
        }
        index(tx, due.person_id).await?;
        Ok(true)
    }

    /// Puts a taste off that could not be fetched, for a pause that grows.
    pub async fn put_off(db: &PgPool, due: DueTaste) -> sqlx::Result<()> {
        sqlx::query!(
            "update taste set failures = failures + 1, due_at = now() +
                least(make_interval(mins => $3) * power(2, least(failures, 10)), interval '1 day')
            where person_id = $1 and linked_at = $2",
            due.person_id,
            due.linked_at as Timestamp,
            FIRST_PAUSE
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Puts a taste off, and with it all others, for as long as the source wants: its limit is that of the application, and no failure of
    /// this taste. What was longer stays.
    pub async fn pause(db: &PgPool, due: DueTaste, wait: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into taste_pause (provider, not_before) values ($1, now() + make_interval(secs => $2))
            on conflict (provider) do update set not_before = greatest(taste_pause.not_before, excluded.not_before)",
            PROVIDER,
            wait.as_secs_f64()
        )
        .execute(db)
        .await?;
        sqlx::query!(
            "update taste set due_at = now() + make_interval(secs => $3) where person_id = $1 and linked_at = $2",
            due.person_id,
            due.linked_at as Timestamp,
            wait.as_secs_f64()
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// The taste of a person for their export, with who listens to the same.
    pub async fn list_personal_data(
        db: &PgPool,
        person: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select linked_at as at, person_id as id, to_jsonb(taste) || jsonb_build_object(
                'matches', (select jsonb_agg(to_jsonb(taste_match)) from taste_match where person_id = taste.person_id)
            ) as "thing!" from taste
            where person_id = $1 and (linked_at, person_id) < ($2, $3) limit $4"#,
            person,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes the taste of a person, also what was made of it.
    pub async fn delete(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from taste where person_id = $1", person).execute(&mut **tx).await?;
        delete_derived(tx, &[person]).await
    }
}

/// Lets the items of a person lead to them, as far as they share that.
async fn index(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from taste_item where person_id = $1", person).execute(&mut **tx).await?;
    sqlx::query!(
        "insert into taste_item (kind, item, person_id, weight)
        select kind, item ->> 'id', person_id, (item ->> 'weight')::real from taste
        cross join lateral (values ('TRACK', items -> 'tracks'), ('ARTIST', items -> 'artists')) as list (kind, list)
        cross join lateral jsonb_array_elements(list) with ordinality as one (item, place)
        where person_id = $1 and shared and items is not null and place <= $2
        on conflict do nothing",
        person,
        INDEXED
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes what was made of tastes: the index, and the matches.
async fn delete_derived(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("delete from taste_item where person_id = any($1)", people).execute(&mut **tx).await?;
    sqlx::query!("delete from taste_match where person_id = any($1) or other_id = any($1)", people)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
