//! Digests of recommendations in the database: the round, and when each person had their last one.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

/// The round over all people, with its row locked.
pub struct DigestRound {
    /// The last person who was looked at.
    pub past: Uuid,
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

    /// Locks the round that is under way; none when there is none, or another replica is at it.
    pub async fn lock(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        let query =
            sqlx::query_as!(Self, "select past from post_digest_round where ended_at is null for update skip locked");
        query.fetch_optional(&mut **tx).await
    }

    /// The next people of the round.
    pub async fn list_people(&self, db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!("select id from person where id > $1 order by id limit $2", self.past, rows);
        query.fetch_all(db).await
    }

    /// Saves the last person who was looked at, or, without one, that the round is over.
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

    /// Deletes when a user had their last digest.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from post_digest where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }
}
