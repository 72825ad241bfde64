//! Digests of recommendations in the database: the round, whose turn is when, and when each person had their last one.
use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// The round over all people, with its row locked, under which digests are written as well.
pub struct DigestRound {
    /// The last person whose turn was planned.
    pub past: Uuid,
    /// Whether there are people whose turn is not planned yet.
    pub is_under_way: bool,
}

/// A person whose turn is planned.
pub struct DigestReader {
    pub id: Uuid,
    /// When they had their last digest; none: never.
    pub notified_at: Option<Timestamp>,
}

impl DigestRound {
    /// Lets a round begin, unless one is under way.
    pub async fn begin(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update post_digest_round set begun_at = now(), past = '00000000-0000-0000-0000-000000000000', ended_at = null
            where ended_at is not null"
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Locks the round when it is under way or the turn of a person is due; none when there is nothing to do, or another replica is at it.
    pub async fn lock(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as!(
            Self,
            r#"select past, ended_at is null as "is_under_way!" from post_digest_round
            where ended_at is null or exists (select from recommendation_turn where due_at <= now())
            for update skip locked"#
        );
        query.fetch_optional(&mut **tx).await
    }

    /// Locks the round, so that no digest is written until this transaction ends; false when one is being written.
    pub async fn try_lock(tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar!("select past from post_digest_round for update skip locked");
        Ok(query.fetch_optional(&mut **tx).await?.is_some())
    }

    /// The next people of the round. The release before saves a digest of people alone with their list.
    pub async fn list_people(&self, db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<DigestReader>> {
        sqlx::query_as!(
            DigestReader,
            r#"select id as "id!",
                greatest(post_digest.notified_at, recommended_people.notified_at) as "notified_at?: Timestamp"
            from person left join post_digest on post_digest.user_id = id
            left join recommended_people on recommended_people.user_id = id
            where id > $1 order by id limit $2"#,
            self.past,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Saves the last person whose turn was planned, or, without one, that the round is over.
    pub async fn save_progress(&self, tx: &mut PgTransaction<'_>, last: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query!(
            "update post_digest_round set past = coalesce($1, past), ended_at = case when $1 is null then now() end",
            last
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Whose turn is when.
pub struct DigestTurn;

impl DigestTurn {
    /// Plans turns. Who waits for one already keeps that one.
    pub async fn create(tx: &mut PgTransaction<'_>, turns: &[(Uuid, DateTime<Utc>)]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into recommendation_turn (user_id, due_at)
            select user_id, due_at from unnest($1::uuid[], $2::timestamptz[]) as turn (user_id, due_at)
            where not exists (select from erasure where person = user_id) order by user_id
            on conflict (user_id) do nothing",
            &turns.iter().map(|(user, _)| *user).collect::<Vec<_>>(),
            &turns.iter().map(|(_, due_at)| Timestamp(*due_at)).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes up to `rows` turns that are due, the oldest first; whose they are.
    pub async fn take_due(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!(
            "delete from recommendation_turn where user_id in (
                select user_id from recommendation_turn where due_at <= now() order by due_at, user_id limit $1
                for update skip locked
            ) returning user_id",
            rows
        );
        query.fetch_all(&mut **tx).await
    }
}

/// When people had their last digest: the row of `post_digest`, which has its name from a time when digests were of posts alone.
pub struct RecommendationDigest;

impl RecommendationDigest {
    /// Of these people those whose turn it is, in the order of their ids: their account is in use, and they were notified of neither posts
    /// nor people for that many hours. The release before notifies of people apart from posts, and saves that with their list.
    pub async fn list_due(db: impl PgExecutor<'_>, people: &[Uuid], hours: i32) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "select id from person
            where id = any($1) and status <> 'BANNED'
                and not exists (
                    select from post_digest where user_id = id and notified_at > now() - make_interval(hours => $2))
                and not exists (
                    select from recommended_people where user_id = id and notified_at > now() - make_interval(hours => $2))
            order by id",
            people,
            hours
        )
        .fetch_all(db)
        .await
    }

    /// Saves that people have their digest now.
    pub async fn save(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into post_digest (user_id, notified_at)
            select id, now() from unnest($1::uuid[]) as person (id)
            where not exists (select from erasure where person = person.id) order by id
            on conflict (user_id) do update set notified_at = excluded.notified_at",
            people
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes when a user has their next digest, and when they had their last one, in the order in which a step writes them.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from recommendation_turn where user_id = $1", user).execute(&mut **tx).await?;
        sqlx::query!("delete from post_digest where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }
}
