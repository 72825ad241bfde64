//! Recommended people in the database: lists, dismissals, and the refresh of everyone.
use std::time::Duration;

use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::queues::models::{RecommendationDue, RecommendationReview};
use super::services::ScoredPerson;
use crate::affinities::services::Weights;
use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;

/// The connections of the reader that are looked at for those in common, the latest: as many as the score counts.
const MAX_OWN: i64 = 300;

/// A person as they are recommended, with what speaks for them now.
pub struct RecommendedPerson {
    pub id: Uuid,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
    pub interests: Vec<String>,
    pub score: f64,
    pub mutual_connections: i64,
    pub follows_you: bool,
    /// Whether they listen to the same, and share that.
    pub similar_taste: bool,
    pub weights: Option<Json<Weights>>,
}

impl RecommendedPerson {
    /// Up to `rows` of these people who may be shown to a reader, in this order.
    pub async fn list(
        db: impl PgExecutor<'_>,
        reader: Uuid,
        people: &[ScoredPerson],
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            // Common connections are looked for in those of the reader's connections, which are bounded, and not among all who are
            // connected to a person, who may be any number.
            r#"with near as materialized (
                select target_id from follow where user_id = $1 and stands order by at desc, target_id limit $5
            ), shown as materialized (
                select person.id, username, first_name, last_name, avatar_url, interests, score, place
                from unnest($2::uuid[], $3::double precision[]) with ordinality as one (id, score, place)
                join person on person.id = one.id cross join lateral recommendable($1, person.id)
                where status <> 'BANNED' order by place limit $4
            ), mutual as materialized (
                select reached.id, count(*) as connections from near cross join lateral (
                    select target_id as id from follow
                    where user_id = near.target_id and target_id = any(array(select id from shown)) and stands offset 0
                ) as reached group by reached.id
            )
            select shown.id as "id!", username as "username?", first_name as "first_name?", last_name as "last_name?",
                avatar_url as "avatar_url?", interests as "interests!", score as "score!",
                coalesce(connections, 0) as "mutual_connections!",
                exists (select from follow where user_id = shown.id and target_id = $1 and stands) as "follows_you!",
                exists (select from taste_match join taste on taste.person_id = other_id and shared
                    where taste_match.person_id = $1 and other_id = shown.id and similarity >= 0.05) as "similar_taste!",
                weights as "weights?: Json<Weights>"
            from shown left join mutual on mutual.id = shown.id left join affinity on person_id = shown.id order by place"#,
            reader,
            &people.iter().map(|person| person.id).collect::<Vec<_>>(),
            &people.iter().map(|person| person.score).collect::<Vec<_>>(),
            rows,
            MAX_OWN
        )
        .fetch_all(db)
        .await
    }

    /// Up to `rows` of the people who came last and may be shown to a reader, less those who are given.
    pub async fn list_newest(
        db: impl PgExecutor<'_>,
        reader: Uuid,
        less: &[Uuid],
        rows: i64,
    ) -> sqlx::Result<Vec<ScoredPerson>> {
        sqlx::query_as!(
            ScoredPerson,
            r#"select id as "id!", 0::double precision as "score!" from person cross join lateral recommendable($1, id)
            where id <> all($2) and status <> 'BANNED' order by id desc limit $3"#,
            reader,
            less,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// The reader of a page of recommended people.
#[derive(Default)]
pub struct RecommendationReader {
    /// What they have in common with others.
    pub interests: Vec<String>,
    pub weights: Weights,
    /// Their list, the best first; none: it was never computed.
    pub list: Option<Vec<ScoredPerson>>,
}

impl RecommendationReader {
    /// A reader with their list; none when they are not here.
    pub async fn find(db: impl PgExecutor<'_>, reader: Uuid) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query!(
            r#"select interests as "interests!", weights as "weights?: Json<Weights>", people as "people?", scores as "scores?"
            from person left join affinity on person_id = id left join recommended_people on user_id = id where id = $1"#,
            reader
        );
        let row = row.fetch_optional(db).await?;
        Ok(row.map(|row| {
            let list = |(people, scores): (Vec<Uuid>, Vec<f64>)| {
                people.into_iter().zip(scores).map(|(id, score)| ScoredPerson { id, score }).collect()
            };
            Self {
                interests: row.interests,
                weights: row.weights.map(|weights| weights.0).unwrap_or_default(),
                list: row.people.zip(row.scores).map(list),
            }
        }))
    }
}

/// The stored list of a person.
pub struct PeopleRecommendationList;

impl PeopleRecommendationList {
    /// Saves lists. Nothing is saved for a person whose data are erased.
    pub async fn save(tx: &mut PgTransaction<'_>, lists: &[(Uuid, Vec<ScoredPerson>)]) -> sqlx::Result<()> {
        // Postgres has no lists of lists of different lengths: all in one list, with the place at which each ends.
        let all = || lists.iter().flat_map(|(_, list)| list);
        let ends = lists.iter().scan(0_i32, |end, (_, list)| {
            *end = end.saturating_add(i32::try_from(list.len()).unwrap_or(i32::MAX));
            Some(*end)
        });
        sqlx::query!(
            "insert into recommended_people (user_id, people, scores)
            select user_id, ($3::uuid[])[coalesce(lag(list_end) over (order by place), 0) + 1 : list_end],
                ($4::double precision[])[coalesce(lag(list_end) over (order by place), 0) + 1 : list_end]
            from unnest($1::uuid[], $2::integer[]) with ordinality as list (user_id, list_end, place)
            where not exists (select from erasure where person = user_id)
            order by user_id
            on conflict (user_id) do update set people = excluded.people, scores = excluded.scores,
                refreshed_at = excluded.refreshed_at",
            &lists.iter().map(|(user, _)| *user).collect::<Vec<_>>(),
            &ends.collect::<Vec<_>>(),
            &all().map(|person| person.id).collect::<Vec<_>>(),
            &all().map(|person| person.score).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The people that are worth a notification of these users, up to three at the head of the list of each, the best first: who may be shown, have
    /// a score of a twentieth, as of one common connection with twenty, and are new to them as recommendations. Each is behind their user.
    pub async fn list_unknown_heads(db: impl PgExecutor<'_>, users: &[Uuid]) -> sqlx::Result<Vec<(Uuid, Uuid)>> {
        let rows = sqlx::query!(
            r#"select list.user_id as "user_id!", one.id as "id!"
            from recommended_people as list
            cross join lateral unnest(people[1:3], scores[1:3]) with ordinality as one (id, score, place)
            join person on person.id = one.id and person.status <> 'BANNED'
            cross join lateral recommendable(list.user_id, one.id)
            where list.user_id = any($1) and score >= 0.05
                and not exists (
                    select from notification join notification_actor on notification_id = notification.id
                    where notification.user_id = list.user_id and type = 'CONNECTION_RECOMMENDATION'
                        and actor_id = one.id)
            order by list.user_id, place"#,
            users
        );
        Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.user_id, row.id)).collect())
    }

    /// Saves that users have their digest of recommendations now, where the release before looks for it.
    pub async fn save_notified(tx: &mut PgTransaction<'_>, users: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "update recommended_people set notified_at = now() where user_id in (
                select user_id from recommended_people where user_id = any($1) order by user_id for update
            )",
            users
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The list of a person for their export.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select refreshed_at as at, user_id as id, to_jsonb(recommended_people) as "thing!" from recommended_people
            where user_id = $1 and (refreshed_at, user_id) < ($2, $3) limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes the list of a person, and takes them out of both queues. In the lists of others their id stays until these are computed anew,
    /// within a day; it is shown to no reader, since there is no such person.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        RecommendationDue::delete(tx, user).await?;
        RecommendationReview::delete(tx, user).await?;
        sqlx::query!("delete from recommended_people where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }
}

/// A person that another one does not want to be recommended again.
pub struct DismissedPerson;

impl DismissedPerson {
    /// Dismisses a person for good; whether they exist for the user.
    pub async fn create(tx: &mut PgTransaction<'_>, user: Uuid, other: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar!(
            r#"with other as (select id from person where id = $2 and id <> $1 and not hidden($1, $2)), fresh as (
                insert into dismissed_person (user_id, person_id) select $1, id from other
                where not exists (select from erasure where person in ($1, $2)) on conflict do nothing
            )
            select exists (select from other) as "exists!""#,
            user,
            other
        );
        query.fetch_one(&mut **tx).await
    }

    /// Whether a person exists for a user.
    pub async fn exists(db: impl PgExecutor<'_>, user: Uuid, other: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar!(
            r#"select exists (select from person where id = $2 and id <> $1 and not hidden($1, $2)) as "exists!""#,
            user,
            other
        );
        query.fetch_one(db).await
    }

    /// The people that a user has dismissed for their export, the latest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select dismissed_at as at, person_id as id, to_jsonb(dismissed_person) as "thing!" from dismissed_person
            where user_id = $1 and (dismissed_at, person_id) < ($2, $3)
            order by dismissed_at desc, person_id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes up to `rows` of the dismissals by a user and of a user; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from dismissed_person where (user_id, person_id) in (
                (select user_id, person_id from dismissed_person where user_id = $1 limit $2)
                union all (select user_id, person_id from dismissed_person where person_id = $1 limit $2)
            )",
            user,
            rows
        );
        Ok(deleted.execute(&mut **tx).await?.rows_affected() > 0)
    }
}

/// The refresh of everyone.
pub struct RecommendationRun {
    /// The last person that was done.
    pub cursor: Uuid,
}

impl RecommendationRun {
    /// Begins a run, unless one is under way.
    pub async fn begin(db: &PgPool) -> sqlx::Result<()> {
        sqlx::query!(
            "update recommendation_run set cursor = '00000000-0000-0000-0000-000000000000', started_at = now(),
                finished_at = null, worked_ms = 0
            where cursor is null"
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Locks the run that is under way, unless another replica has it at hand.
    pub async fn lock(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as!(
            Self,
            r#"select cursor as "cursor!" from recommendation_run where cursor is not null for update skip locked"#
        );
        query.fetch_optional(&mut **tx).await
    }

    /// The next people.
    pub async fn list_people(&self, tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!("select id from person where id > $1 order by id limit $2", self.cursor, rows);
        query.fetch_all(&mut **tx).await
    }

    /// Saves the last person that was done, or, without one, that all are; and how long this batch has taken.
    pub async fn save(tx: &mut PgTransaction<'_>, last: Option<Uuid>, work: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "update recommendation_run set cursor = $1, worked_ms = worked_ms + $2,
                finished_at = case when $1::uuid is null then now() end",
            last,
            i64::try_from(work.as_millis()).unwrap_or(i64::MAX)
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
