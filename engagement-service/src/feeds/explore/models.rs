//! Editions of explore in the database.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::EditionPlace;

/// An edition of the list, with what a reader sees on a page of it.
pub struct EditionPage {
    pub id: i64,
    /// Whether there is no edition that is newer.
    pub newest: bool,
    pub entries: Vec<EditionEntry>,
}

/// A post in an edition, and whether it is none of the reader's interests.
pub struct EditionEntry {
    pub feed_key: Uuid,
    pub place: i32,
    pub beyond: bool,
}

/// Lists of the best posts of all users.
pub struct Edition;

impl Edition {
    /// Makes an edition from the newest `posts`, with the best `places` of them, and deletes those of more than an hour ago. Nothing
    /// is made when there is one of less than `seconds` ago; whether one was made.
    ///
    /// The rank of a post is that of Reddit's "hot" list (`_sorts.pyx` in reddit/reddit, 2017): the decimal logarithm of what the post
    /// has got, plus its time in units of 12.5 hours (45,000 s). So ten times as much lifts a post as far as being 12.5 hours newer.
    /// What it has got is 1, 2 for each comment, 1 for each reaction and a tenth for each view that is not repeated, by the effort of each.
    pub async fn create(tx: &mut PgTransaction<'_>, posts: i64, places: i64, seconds: f64) -> sqlx::Result<bool> {
        // Of two replicas at the same time one waits, and then finds an edition.
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended('explore', 0))").fetch_one(&mut **tx).await?;
        let edition = sqlx::query_scalar!(
            "insert into explore_edition (made_at)
            select clock_timestamp() where not exists (
                select from explore_edition where made_at > clock_timestamp() - make_interval(secs => $1)
            ) returning id",
            seconds
        );
        let Some(edition) = edition.fetch_optional(&mut **tx).await? else { return Ok(false) };
        sqlx::query!(
            "insert into explore_entry (edition, place, feed_key, user_id, types)
            select $1, row_number() over (order by rank desc, feed_key desc), feed_key, user_id, types
            from (
                select post.feed_key, post.user_id, post.types,
                    log((1 + 2 * greatest(tally.comments, 0) + greatest(tally.reactions, 0)
                        + greatest(tally.views - tally.repeated_views, 0) / 10.0)::double precision)
                        + extract(epoch from post.published_at)::double precision / 45000 as rank
                from (
                    select * from post_card where deleted_at is null and not hidden and status = 'POSTED'
                        and not exists (select from moderated_post where post_id = post_card.id and limited)
                    order by feed_key desc limit $2
                ) as post
                left join post_count as tally on tally.post_id = post.id
                order by rank desc, feed_key desc limit $3
            ) as best",
            edition,
            posts,
            places
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "delete from explore_edition where made_at < clock_timestamp() - interval '1 hour' and id <> $1",
            edition
        )
        .execute(&mut **tx)
        .await?;
        Ok(true)
    }

    /// What a reader sees of an edition behind a place, their interests first; of the newest one from its beginning where no place is
    /// given, and where the edition of the place is not there. None when there is no edition at all. Their own posts are no news to them.
    pub async fn read(
        db: impl PgExecutor<'_>,
        reader: Uuid,
        behind: Option<EditionPlace>,
        rows: i64,
    ) -> sqlx::Result<Option<EditionPage>> {
        // The edition has one row at least, so that it is known where the reader sees nothing of it.
        let found = sqlx::query!(
            r#"with chosen as materialized (
                select id, id = max(id) over () as newest from (
                    (select id from explore_edition order by id desc limit 1)
                    union (select id from explore_edition where id = $2)
                ) as known order by id = $2 desc nulls last limit 1
            )
            select chosen.id as "id!", newest as "newest!", feed_key as "feed_key?", place as "place?", beyond as "beyond?"
            from chosen left join lateral (
                select entry.feed_key, entry.place, entry.beyond
                from (
                    select feed_key, place, user_id,
                        not types && coalesce((select interests from person where id = $1), '{}') as beyond
                    from explore_entry where edition = chosen.id
                ) as entry
                cross join lateral (
                    select from post_card
                    where feed_key = entry.feed_key and deleted_at is null and not post_card.hidden and status = 'POSTED'
                        and not exists (select from post_hide where post_hide.user_id = $1 and post_id = post_card.id)
                        and not exists (select from moderated_post where post_id = post_card.id and limited)
                    offset 0
                ) as shown
                where (entry.beyond, entry.place) > ($3, $4) and entry.user_id <> $1
                    and not exists (select from mute where mute.user_id = $1 and target_id = entry.user_id)
                    and not exists (select from block where stands and block.user_id = $1 and target_id = entry.user_id)
                    and not exists (select from block where stands and block.user_id = entry.user_id and target_id = $1)
                order by entry.beyond, entry.place limit $5
            ) as listed on true
            order by beyond, place"#,
            reader,
            behind.map(|behind| behind.edition),
            behind.is_some_and(|behind| behind.beyond),
            behind.map_or(0, |behind| behind.place),
            rows
        )
        .fetch_all(db)
        .await?;
        let Some(edition) = found.first().map(|row| (row.id, row.newest)) else { return Ok(None) };
        let entry = |(feed_key, place, beyond)| EditionEntry { feed_key, place, beyond };
        let entries = found.into_iter().filter_map(|row| Some(entry((row.feed_key?, row.place?, row.beyond?))));
        Ok(Some(EditionPage { id: edition.0, newest: edition.1, entries: entries.collect() }))
    }
}
