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

-- What reactions and comments on a post are a cause of for its author. An author whose own comment is replied to is notified of the
-- reply, and not of a comment as well. These are functions and no view, so that each branch is read by its index.
drop view notification_cause;
create function author_causes(on_post uuid) returns table (type text, actor_id uuid, at timestamptz) language sql stable as $$
    select 'POST_REACTION_RECEIVED', user_id, created_at
    from reaction_card where post_id = on_post and deleted_at is null
    union all
    select 'POST_COMMENT_RECEIVED', said.user_id, said.created_at
    from comment_card as said where said.post_id = on_post and said.deleted_at is null and not said.hidden and not exists (
        select from comment_card as first join post_card on post_card.id = first.post_id
        where first.id = said.reply_to and first.user_id = post_card.user_id
    )
$$;

-- What they did on a post is a cause of for others: whom they mentioned, and whose comments they replied or reacted to.
create function reader_causes(on_post uuid) returns table (type text, actor_id uuid, at timestamptz, reader_id uuid)
language sql stable as $$
    select 'USER_MENTIONED', author_id, at, person_id from mention where post_id = on_post and stands
    union all
    select 'COMMENT_REPLY', said.user_id, said.created_at, first.user_id
    from comment_card as said join comment_card as first on first.id = said.reply_to
    where said.post_id = on_post and said.deleted_at is null and not said.hidden
        and first.deleted_at is null and not first.hidden
    union all
    select 'COMMENT_REACTION_RECEIVED', reaction.user_id, reaction.created_at, comment.user_id
    from comment_reaction_card as reaction join comment_card as comment on comment.id = reaction.comment_id
    where reaction.post_id = on_post and reaction.deleted_at is null
        and comment.deleted_at is null and not comment.hidden
$$;

-- Both, of one person; who is notified: none, the author of the post.
create function causes(on_post uuid, by_actor uuid) returns table (type text, at timestamptz, reader_id uuid)
language sql stable as $$
    select type, at, null::uuid from author_causes(on_post) where actor_id = by_actor
    union all
    select type, at, reader_id from reader_causes(on_post) where actor_id = by_actor
$$;

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
