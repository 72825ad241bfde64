//! Recommended people behind notifications, in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::Type;
use crate::notifications::causes::{Group, Pair, Standing};

/// Of these pairs, the readers who were notified of the other.
pub async fn list_recommended_readers(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select distinct notification.user_id from unnest($1::uuid[], $2::uuid[]) as pair (user_id, actor_id)
        join notification on notification.user_id = pair.user_id and type = 'CONNECTION_RECOMMENDATION'
        join notification_actor on notification_id = notification.id and notification_actor.actor_id = pair.actor_id",
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await
}

/// The rows of these pairs, as they are to be: a person stands there for as long as they may be recommended.
pub async fn list_recommended(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<Vec<Standing>> {
    let rows = sqlx::query!(
        r#"select notification.user_id, subject_id, day, notification_actor.actor_id, at, newest,
            may_recommend(notification.user_id, notification_actor.actor_id) as "stands!"
        from unnest($1::uuid[], $2::uuid[]) as pair (user_id, actor_id)
        join notification on notification.user_id = pair.user_id and type = 'CONNECTION_RECOMMENDATION'
        join notification_actor on notification_id = notification.id and notification_actor.actor_id = pair.actor_id
        where stands <> may_recommend(notification.user_id, notification_actor.actor_id)"#,
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>()
    );
    let standing = rows.fetch_all(&mut **tx).await?.into_iter().map(|row| Standing {
        group: Group {
            user_id: row.user_id,
            r#type: Type::ConnectionRecommendation,
            subject_id: row.subject_id,
            day: row.day,
        },
        actor_id: row.actor_id,
        stands: row.stands,
        at: row.at,
        newest: row.newest,
        is_news: false,
    });
    Ok(standing.collect())
}

/// Of these pairs, in their order, those in which the other may be recommended to the reader.
pub async fn list_recommendable(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<Vec<Pair>> {
    sqlx::query_as!(
        Pair,
        r#"select user_id as "user_id!", actor_id as "actor_id!"
        from unnest($1::uuid[], $2::uuid[]) with ordinality as pair (user_id, actor_id, place)
        where may_recommend(user_id, actor_id) order by place"#,
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await
}

/// The rows of pairs of which the reader is notified now.
pub fn recommend(pairs: &[Pair], now: Timestamp) -> Vec<Standing> {
    let standing = |pair: &Pair| Standing {
        group: Group {
            user_id: pair.user_id,
            r#type: Type::ConnectionRecommendation,
            subject_id: pair.user_id,
            day: Some(now.0.date_naive()),
        },
        actor_id: pair.actor_id,
        stands: true,
        at: now,
        newest: now,
        is_news: true,
    };
    pairs.iter().map(standing).collect()
}
