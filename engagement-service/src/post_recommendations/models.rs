//! Lists of recommended posts in the database.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::services::Pick;
use super::sources::RecommendationSource;
use crate::core::contract::timestamp::Timestamp;
use crate::notifications::models::ActorCard;

/// Lists of one reader that are kept: one who asks for list after list fills no table.
const KEPT_LISTS: i64 = 5;

/// A list of posts for a reader.
pub struct PostRecommendationList;

/// The list from which a reader begins, as the database had it at a time.
pub struct CurrentList {
    pub id: Option<Uuid>,
    pub read_at: Timestamp,
}

/// A post of a list, as it is shown now.
pub struct RecommendedEntry {
    pub post_id: Uuid,
    pub feed_key: Uuid,
    /// Its place in the list, from 1.
    pub place: i64,
    pub source: RecommendationSource,
    /// The number of the reason: people now, or similar posts when the list was made.
    pub number: i64,
    /// The category of the reason.
    pub word: String,
    /// The first two of the people of the reason.
    pub people: Json<Vec<ActorCard>>,
}

impl PostRecommendationList {
    /// The list from which a reader begins: their newest one, unless it is older than that many minutes, or they reacted, commented, connected
    /// to others or said that they are not interested since it was made. A refusal is timed by the beginning of its transaction and seen from
    /// the end on, so one of the two seconds before the list counts, too.
    pub async fn find_current(db: impl PgExecutor<'_>, reader: Uuid, minutes: i32) -> sqlx::Result<CurrentList> {
        sqlx::query_as!(
            CurrentList,
            r#"select now() as "read_at!", (select id from recommendation_list
            where user_id = $1 and not outdated and made_at > now() - make_interval(mins => $2)
                and not exists (
                    select from reaction_card
                    where reaction_card.user_id = $1 and deleted_at is null and created_at > recommendation_list.made_at)
                and not exists (
                    select from comment_card where comment_card.user_id = $1 and deleted_at is null and not comment_card.hidden
                        and created_at > recommendation_list.made_at)
                and not exists (
                    select from follow where follow.user_id = $1 and at > recommendation_list.made_at)
                and not exists (
                    select from not_interested where not_interested.user_id = $1
                        and said_at > recommendation_list.made_at - interval '2 seconds')
            order by made_at desc limit 1) as "id?""#,
            reader,
            minutes
        )
        .fetch_one(db)
        .await
    }

    /// Whether a list is kept, and is that reader's.
    pub async fn exists(db: impl PgExecutor<'_>, reader: Uuid, id: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar!(
            r#"select exists (select from recommendation_list where id = $2 and user_id = $1) as "exists!""#,
            reader,
            id
        );
        query.fetch_one(db).await
    }

    /// Saves a list that was made at a time, and deletes the reader's oldest; nothing of a reader whose data are erased. The time is one of
    /// the database before its posts were picked: what its reader did since then is not in it.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        reader: Uuid,
        made_at: Timestamp,
        picks: &[Pick],
    ) -> sqlx::Result<Uuid> {
        let id = Uuid::now_v7();
        sqlx::query!(
            "insert into recommendation_list (id, user_id, posts, sources, numbers, words, made_at)
            select $1, $2, $3, $4, $5, $6, $7 where not exists (select from erasure where person = $2)",
            id,
            reader,
            &picks.iter().map(|pick| pick.post).collect::<Vec<_>>(),
            &picks.iter().map(|pick| pick.source.word().to_owned()).collect::<Vec<_>>(),
            &picks.iter().map(|pick| i32::try_from(pick.number).unwrap_or(i32::MAX)).collect::<Vec<_>>(),
            &picks.iter().map(|pick| pick.word.clone()).collect::<Vec<_>>(),
            made_at as Timestamp
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "delete from recommendation_list where id in (
                select id from recommendation_list where user_id = $1 order by made_at desc, id desc offset $2
            )",
            reader,
            KEPT_LISTS
        )
        .execute(&mut **tx)
        .await?;
        Ok(id)
    }

    /// What a reader sees of a list behind a place: what became true since it was made is applied, so that nothing is shown that they
    /// have seen or may not see. A reason that names people is counted again, and a post whose reason is gone is left out. The places
    /// are sorted before that, so that no more posts are looked at than the page takes.
    pub async fn list_entries(
        db: impl PgExecutor<'_>,
        reader: Uuid,
        list: Uuid,
        behind: i64,
        rows: i64,
    ) -> sqlx::Result<Vec<RecommendedEntry>> {
        sqlx::query_as!(
            RecommendedEntry,
            r#"with friend as materialized (
                select target_id from recommending_people($1)
            )
            select entry.post_id as "post_id!", post.feed_key as "feed_key!", entry.place as "place!", entry.source as "source!: RecommendationSource",
                case when entry.source like 'CONNECTIONS%' then live.number else entry.number end as "number!",
                entry.word as "word!", live.people as "people!: Json<Vec<ActorCard>>"
            from (
                select entry.* from recommendation_list as list
                cross join lateral unnest(posts, sources, numbers, words) with ordinality as entry (post_id, source, number, word, place)
                where list.id = $2 and list.user_id = $1 and place > $3 order by place
            ) as entry
            cross join lateral (
                select feed_key, user_id from recommendable_post($1, entry.post_id)
                offset 0
            ) as post
            cross join lateral (
                select count(*) as number,
                    coalesce(jsonb_agg(to_jsonb(person) order by person.turn) filter (where person.turn <= 2), '[]') as people
                from (
                    select person.id, username, first_name, last_name, avatar_url, row_number() over (order by person.id) as turn
                    from friend join person on person.id = friend.target_id
                    where case entry.source
                        when 'CONNECTIONS_REACTED' then exists (
                            select from reaction_card where post_id = entry.post_id and reaction_card.user_id = friend.target_id
                                and reaction_card.deleted_at is null)
                        when 'CONNECTIONS_CONNECTED' then exists (
                            select from follow where follow.user_id = friend.target_id and target_id = post.user_id and stands)
                        else false end
                ) as person
            ) as live
            where live.number > 0 or entry.source not like 'CONNECTIONS%'
            order by entry.place limit $4"#,
            reader,
            list,
            behind,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Lets a reader begin from no list that was made until now; they can go on in it.
    pub async fn outdate(tx: &mut PgTransaction<'_>, reader: Uuid) -> sqlx::Result<()> {
        let query =
            sqlx::query!("update recommendation_list set outdated = true where user_id = $1 and not outdated", reader);
        query.execute(&mut **tx).await?;
        Ok(())
    }

    /// Deletes up to `rows` lists that were made before a time; how many they were.
    pub async fn purge(db: impl PgExecutor<'_>, before: Timestamp, rows: i64) -> sqlx::Result<u64> {
        let purged = sqlx::query!(
            "delete from recommendation_list where id in (
                select id from recommendation_list where made_at < $1 limit $2 for update skip locked
            )",
            before as Timestamp,
            rows
        );
        Ok(purged.execute(db).await?.rows_affected())
    }

    /// Deletes the lists of a user.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from recommendation_list where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }
}
