-- Replies to comments and reactions to comments: who is notified of them, beside the author of the post.

alter table comment_card
    -- The first comment of the thread that it replies in; null: it is no reply.
    add column reply_to uuid;

-- Who replied to a comment.
create index comment_card_reply_to on comment_card (reply_to) where reply_to is not null;

-- Reactions to comments. A user who takes one back and reacts again has two rows here, one of them a tombstone.
create table comment_reaction_card (
    id uuid primary key,
    comment_id uuid not null,
    -- The post of the comment.
    post_id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null,
    -- The reaction's updated_at.
    version timestamptz not null,
    deleted_at timestamptz
);

create index comment_reaction_card_comment on comment_reaction_card (comment_id);
create index comment_reaction_card_post on comment_reaction_card (post_id, user_id) where deleted_at is null;
create index comment_reaction_card_user on comment_reaction_card (user_id);

insert into backfill (source) values ('comment-reactions');

alter table notification drop constraint notification_type;
alter table notification add constraint notification_type check (
    type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'CONNECTION_RECOMMENDATION', 'POST_RECOMMENDATION',
        'SYSTEM_MESSAGE', 'PROFILE_ACTIVITY', 'USER_CONNECTED', 'USER_MENTIONED', 'COMMENT_REPLY',
        'COMMENT_REACTION_RECEIVED')
);

-- What reactions, comments, mentions and replies are a cause of; who is notified: none, the author of the post. The author of a post whose own
-- comment is replied to is notified of the reply, and not of a comment as well.
create or replace view notification_cause as
    select 'POST_REACTION_RECEIVED'::text as type, post_id, user_id as actor_id, created_at as at, null::uuid as reader_id
    from reaction_card where deleted_at is null
    union all
    select 'POST_COMMENT_RECEIVED'::text, post_id, user_id, created_at, null::uuid
    from comment_card as said where deleted_at is null and not hidden and not exists (
        select from comment_card as first join post_card on post_card.id = first.post_id
        where first.id = said.reply_to and first.user_id = post_card.user_id
    )
    union all
    select 'USER_MENTIONED'::text, post_id, author_id, at, person_id from mention where stands
    union all
    select 'COMMENT_REPLY'::text, said.post_id, said.user_id, said.created_at, first.user_id
    from comment_card as said join comment_card as first on first.id = said.reply_to
    where said.deleted_at is null and not said.hidden and first.deleted_at is null and not first.hidden
    union all
    select 'COMMENT_REACTION_RECEIVED'::text, reaction.post_id, reaction.user_id, reaction.created_at, comment.user_id
    from comment_reaction_card as reaction join comment_card as comment on comment.id = reaction.comment_id
    where reaction.deleted_at is null and comment.deleted_at is null and not comment.hidden;

-- Notifications with all that is shown of them; of mentions, replies and reactions to comments the post as well.
create or replace view notification_card as
    select notification.*, post_card.title as post_title, left(post_card.content, 140) as excerpt,
        system_message.title as message_title, system_message.content as message,
        (
            select coalesce(jsonb_agg(jsonb_build_object('id', actor.actor_id, 'username', username,
                'first_name', first_name, 'last_name', last_name, 'avatar_url', avatar_url)
                order by actor.at desc, actor.actor_id), '[]')
            from (
                select actor_id, at from notification_actor where notification_id = notification.id and stands
                order by at desc, actor_id limit 3
            ) as actor left join person on person.id = actor.actor_id
        ) as actors
    from notification
    left join post_card on post_card.id = subject_id
        and type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'USER_MENTIONED', 'COMMENT_REPLY',
            'COMMENT_REACTION_RECEIVED')
    left join system_message on system_message.id = subject_id and type = 'SYSTEM_MESSAGE';
