//! What people did to each other, in the database.
use sqlx::PgTransaction;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::causes::{Pair, PostActor};

/// Who stands, or may stand, behind notifications of a reader because of another person: that person, and all others on the posts of that
/// person, which the reader may not see.
///
/// Those who have a row behind a group are found by the groups of the reader, all of them, since none of them may go on standing. Beside
/// them are those whose causes were never evaluated, as in the time of a block; these are what happened after `since`, and of each kind
/// the newest `most`, both of what is looked at and of what is found. So neither one person who did very much nor a post with very many
/// replies holds up an event.
pub async fn list_interactions(
    tx: &mut PgTransaction<'_>,
    pairs: &[Pair],
    since: Timestamp,
    most: i64,
) -> sqlx::Result<Vec<PostActor>> {
    // Each branch reads the end of an index, and of rows of one moment those with the greater id.
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
        ),
        -- What the reader said on posts of the other.
        remark as materialized (
            select pair.user_id, pair.actor_id, said.id, said.post_id from pair
            cross join lateral (
                select id, post_id from comment_card
                where comment_card.user_id = pair.user_id and deleted_at is null and not hidden
                order by created_at desc, id desc limit $4
            ) as said
            join post_card on post_card.id = said.post_id and post_card.user_id = pair.actor_id
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
            order by created_at desc, post_id desc limit $4
        ) as made
        join post_card on post_card.id = made.post_id and post_card.user_id = pair.user_id
        union
        select said.post_id, pair.actor_id from pair
        cross join lateral (
            select post_id, reply_to from comment_card
            where comment_card.user_id = pair.actor_id and deleted_at is null and not hidden and created_at > $3
            order by created_at desc, id desc limit $4
        ) as said
        left join post_card on post_card.id = said.post_id
        left join comment_card as answered on answered.id = said.reply_to
        where post_card.user_id = pair.user_id or answered.user_id = pair.user_id
        union
        select made.post_id, pair.actor_id from pair
        cross join lateral (
            select post_id, comment_id from comment_reaction_card
            where comment_reaction_card.user_id = pair.actor_id and deleted_at is null and created_at > $3
            order by created_at desc, comment_id desc limit $4
        ) as made
        join comment_card on comment_card.id = made.comment_id and comment_card.user_id = pair.user_id
        union
        -- Who names the reader: the other, and third people on the posts of the other.
        select named.post_id, named.author_id from pair
        cross join lateral (
            select post_id, author_id from mention
            where mention.person_id = pair.user_id and stands and at > $3
            order by at desc, source_id desc limit $4
        ) as named
        left join post_card on post_card.id = named.post_id
        where named.author_id = pair.actor_id or post_card.user_id = pair.actor_id
        union
        -- Third people who reply or react there to the reader's comments.
        select newest.post_id, newest.user_id from pair
        cross join lateral (
            select remark.post_id, said.user_id from remark
            cross join lateral (
                select id, user_id, created_at from comment_card
                where comment_card.reply_to = remark.id and deleted_at is null and not hidden and created_at > $3
                order by created_at desc, id desc limit $4
            ) as said
            where remark.user_id = pair.user_id and remark.actor_id = pair.actor_id
            order by said.created_at desc, said.id desc limit $4
        ) as newest
        union
        select newest.post_id, newest.user_id from pair
        cross join lateral (
            select remark.post_id, made.user_id from remark
            cross join lateral (
                select id, user_id, created_at from comment_reaction_card
                where comment_reaction_card.comment_id = remark.id and deleted_at is null and created_at > $3
                order by created_at desc, id desc limit $4
            ) as made
            where remark.user_id = pair.user_id and remark.actor_id = pair.actor_id
            order by made.created_at desc, made.id desc limit $4
        ) as newest"#,
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>(),
        since as Timestamp,
        most
    )
    .fetch_all(&mut **tx)
    .await
}
