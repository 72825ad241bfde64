//! The queues in the database: whose list is computed before its turn comes, and whose account changed.
use std::time::Duration;

use sqlx::PgTransaction;
use uuid::Uuid;

use crate::notifications::causes::Pair;

/// People whose lists are to be computed before their turn comes.
pub struct RecommendationDue;

impl RecommendationDue {
    /// Puts people into the queue, to be computed after a while; who is in it stays where they are.
    pub async fn create(tx: &mut PgTransaction<'_>, users: &[Uuid], after: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into recommendation_due (user_id, due_at)
            select distinct id, now() + make_interval(secs => $2) from unnest($1::uuid[]) as active (id)
            where not exists (select from erasure where person = id) order by id
            on conflict (user_id) do nothing",
            users,
            after.as_secs_f64()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes up to `rows` people out of the queue that no other replica has at hand.
    pub async fn take(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!(
            "delete from recommendation_due where user_id in (
                select user_id from recommendation_due where due_at <= now() order by due_at limit $1
                for update skip locked
            ) returning user_id",
            rows
        );
        query.fetch_all(&mut **tx).await
    }

    /// Takes a person out of the queue.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from recommendation_due where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }
}

/// People whose account changed and who may stand behind notifications.
pub struct RecommendationReview;

impl RecommendationReview {
    /// Puts people into the queue; who is in it stays where they are.
    pub async fn create(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into recommendation_review (person_id) select distinct id from unnest($1::uuid[]) as changed (id)
            where not exists (select from erasure where person = id) order by id
            on conflict (person_id) do nothing",
            people
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes up to `rows` people out of the queue that no other replica has at hand. Who changes meanwhile is in it again: their event waits
    /// for the end of this transaction.
    pub async fn take(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!(
            "delete from recommendation_review where person_id in (
                select person_id from recommendation_review order by asked_at limit $1 for update skip locked
            ) returning person_id",
            rows
        );
        query.fetch_all(&mut **tx).await
    }

    /// Up to `rows` readers who were notified of one of these people, as long as that is not as it is to be now.
    pub async fn list_changed(tx: &mut PgTransaction<'_>, people: &[Uuid], rows: i64) -> sqlx::Result<Vec<Pair>> {
        sqlx::query_as!(
            Pair,
            r#"select notification.user_id as "user_id!", notification_actor.actor_id as "actor_id!" from notification_actor
            join notification on notification.id = notification_id and type = 'CONNECTION_RECOMMENDATION'
            where notification_actor.actor_id = any($1)
                and stands <> may_recommend(notification.user_id, notification_actor.actor_id)
            limit $2"#,
            people,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Takes a person out of the queue.
    pub async fn delete(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from recommendation_review where person_id = $1", person).execute(&mut **tx).await?;
        Ok(())
    }
}
