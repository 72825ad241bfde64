//! What people did to each other, in the database.
use sqlx::PgTransaction;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::causes::{Pair, PostActor};

/// Who stands, or may stand, behind notifications of a reader because of another person: that person, and all others on the posts of that
/// person, which the reader may not see.
///
/// Those who have a row behind a group are found by the groups of the reader. Beside them are those whose causes were never evaluated,
/// as in the time of a block; these are what happened after `since`, and of each kind the newest `most` of who did it. So one person
/// who did very much costs no more than others, and holds up no event.
pub async fn list_interactions(
    tx: &mut PgTransaction<'_>,
    pairs: &[Pair],
    since: Timestamp,
    most: i64,
) -> sqlx::Result<Vec<PostActor>> {
    sqlx::query_as!(
        PostActor,
        r#"with pair as (select * from unnest($1::uuid[], $2::uuid[]) as pair (user_id, actor_id)),
        mine as materialized (
            select pair.actor_id, known.id, known.subject_id from pair
            cross join lateral (
                select id, subject_id from notification
                where notification.user_id = pair.user_id
                    and type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'USER_MENTIONED', 'COMMENT_REPLY',
                        'COMMENT_REACTION_RECEIVED')
                offset 0
            ) as known
        )
        select mine.subject_id as "post_id!", mine.actor_id as "actor_id!" from mine
        join notification_actor on notification_id = mine.id and notification_actor.actor_id = mine.actor_id
        union
        select mine.subject_id, notification_actor.actor_id from mine
        join post_card on post_card.id = mine.subject_id and post_card.user_id = mine.actor_id
        join notification_actor on notification_id = mine.id
        union
        -- Reactions and comments on the reader's posts, and replies to their comments.
        select made.post_id, pair.actor_id from pair
        cross join lateral (
            select post_id from reaction_card
            where reaction_card.user_id = pair.actor_id and deleted_at is null and created_at > $3
            order by created_at desc limit $4
        ) as made
        join post_card on post_card.id = made.post_id and post_card.user_id = pair.user_id
        union
        select said.post_id, pair.actor_id from pair
        cross join lateral (
            select post_id, reply_to from comment_card
            where comment_card.user_id = pair.actor_id and deleted_at is null and not hidden and created_at > $3
            order by created_at desc limit $4
        ) as said
        left join post_card on post_card.id = said.post_id
        left join comment_card as first on first.id = said.reply_to
        where post_card.user_id = pair.user_id or first.user_id = pair.user_id
        union
        select made.post_id, pair.actor_id from pair
        cross join lateral (
            select post_id, comment_id from comment_reaction_card
            where comment_reaction_card.user_id = pair.actor_id and deleted_at is null and created_at > $3
            order by created_at desc limit $4
        ) as made
        join comment_card on comment_card.id = made.comment_id and comment_card.user_id = pair.user_id
        union
        -- Who names the reader: the other, and third people on the posts of the other.
        select named.post_id, pair.actor_id from pair
        cross join lateral (
            select post_id from mention
            where person_id = pair.user_id and author_id = pair.actor_id and stands and at > $3 limit $4
        ) as named
        union
        select named.post_id, named.author_id from pair
        cross join lateral (
            select post_id, author_id from mention where person_id = pair.user_id and stands and at > $3 limit $4
        ) as named
        join post_card on post_card.id = named.post_id and post_card.user_id = pair.actor_id
        union
        -- Third people who reply or react there to the reader's comments.
        select said.post_id, said.user_id from pair
        cross join lateral (
            select id, post_id from comment_card
            where comment_card.user_id = pair.user_id and deleted_at is null and not hidden
            order by created_at desc limit $4
        ) as first
        join post_card on post_card.id = first.post_id and post_card.user_id = pair.actor_id
        join comment_card as said on said.reply_to = first.id and said.created_at > $3
        union
        select made.post_id, made.user_id from pair
        cross join lateral (
            select id, post_id from comment_card
            where comment_card.user_id = pair.user_id and deleted_at is null and not hidden
            order by created_at desc limit $4
        ) as first
        join post_card on post_card.id = first.post_id and post_card.user_id = pair.actor_id
        join comment_reaction_card as made on made.comment_id = first.id and made.created_at > $3"#,
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>(),
        since as Timestamp,
        most
    )
    .fetch_all(&mut **tx)
    .await
}
