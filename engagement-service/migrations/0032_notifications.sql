-- Notifications. Whether somebody is notified of something follows from the read model alone: who reacted, commented or connected, and
-- who blocks or mutes. So each order of events, and each repetition, ends in the same rows.

-- One row per group: all reactions to one post, all comments on one post, all who connected on one day; or one thing that the
-- platform itself has to say. A row stays when its causes are gone, so that open streams can say that it is withdrawn.
create table notification (
    id uuid primary key,
    -- The reader.
    user_id uuid not null,
    type text not null constraint notification_type check (
        type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'CONNECTION_RECOMMENDATION', 'POST_RECOMMENDATION',
            'SYSTEM_MESSAGE', 'PROFILE_ACTIVITY', 'USER_CONNECTED', 'USER_MENTIONED', 'COMMENT_REPLY')
    ),
    -- What it is about: the post; of connections the reader; of a level the event that said so; the system message.
    subject_id uuid not null,
    -- The UTC day of a group of connections; null where the subject alone makes the group.
    day date,
    -- How many distinct people stand behind it; 1 where the platform itself does.
    causes bigint not null default 0,
    -- Whether its post is not to be seen now: a draft, archived, hidden or deleted.
    withheld boolean not null default false,
    -- Since when the reader does not want to see it; a new cause brings it back.
    deleted_at timestamptz,
    -- Whether the reader sees it.
    shown boolean not null generated always as (causes > 0 and not withheld and deleted_at is null) stored,
    -- Of PROFILE_ACTIVITY: the level of before, and the new one.
    previous text,
    level text,
    -- How far it is on its way.
    status text not null default 'GENERATED' constraint notification_status check (
        status in ('GENERATED', 'SENDING', 'SENT', 'VIEWED')
    ),
    -- The time of the oldest cause that stands, and of the newest: the place in the list.
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- When the reader saw it. Null: not yet, or there is a new cause since.
    viewed_at timestamptz,
    -- From when its channels may be used.
    due_at timestamptz not null default now(),
    -- When its channels were last used since the reader last saw it.
    dispatched_at timestamptz,
    -- The number of its last change among all changes of its reader's notifications.
    change bigint not null default 0,
    constraint notification_group_key unique nulls not distinct (user_id, type, subject_id, day)
);

-- The list of a reader, newest first.
create index notification_list on notification (user_id, updated_at desc, id desc) where shown;
-- What a reader has not seen.
create index notification_unread on notification (user_id) where shown and viewed_at is null;
-- What changed since a stream last looked.
create index notification_change on notification (user_id, change);
-- The groups of a post.
create index notification_subject on notification (subject_id, type);
-- What waits for its channels.
create index notification_due on notification (due_at) where status = 'GENERATED' and shown;
-- What channels have at hand.
create index notification_sending on notification (id) where status = 'SENDING';
-- What is forgotten after a while.
create index notification_settled on notification (updated_at) where not shown or viewed_at is not null;

-- The people behind a group. The row of a person whose cause is gone stays: by it a cause that comes back, as after a block, is told
-- from a new one.
create table notification_actor (
    notification_id uuid not null references notification (id) on delete cascade,
    actor_id uuid not null,
    -- Whether a cause of this person exists now, and they may be seen.
    stands boolean not null,
    -- When the newest of their causes happened: of those that exist.
    at timestamptz not null,
    -- The same, of all that ever existed: only a later cause is news for the reader.
    newest timestamptz not null,
    primary key (notification_id, actor_id)
);

-- The newest and the oldest of a group.
create index notification_actor_at on notification_actor (notification_id, at desc, actor_id) where stands;
-- What a person is behind, when they are blocked or leave.
create index notification_actor_person on notification_actor (actor_id);

-- The numbers of a reader's changes. The row is the lock under which all of their notifications change, so that the numbers are in
-- the order of commits, and a stream that has read up to one has missed nothing before it.
create table notification_reader (
    user_id uuid primary key,
    last_change bigint not null default 0,
    -- Up to which change open streams were woken.
    announced bigint not null default 0
);

create index notification_reader_news on notification_reader (user_id) where announced < last_change;

-- What reactions and comments are a cause of.
create view notification_cause as
    select 'POST_REACTION_RECEIVED'::text as type, post_id, user_id as actor_id, created_at as at
    from reaction_card where deleted_at is null
    union all
    select 'POST_COMMENT_RECEIVED'::text, post_id, user_id, created_at
    from comment_card where deleted_at is null and not hidden;

-- Whether a reader wants to be told of what an actor did, and may be.
create function may_notify(reader uuid, actor uuid) returns boolean language sql stable as $$
    select reader <> actor
        and not hidden(reader, actor)
        and not exists (select from mute where user_id = reader and target_id = actor)
        and not exists (select from erasure where person in (reader, actor))
$$;

-- What operators have to say to some people or to all.
create table system_message (
    -- Given by the operator: the same request twice is one message.
    id uuid primary key,
    title text not null,
    content text not null,
    -- To whom, in order; null: to all who are here.
    user_ids uuid[],
    created_at timestamptz not null default now(),
    -- Up to whom it was written out.
    last_user_id uuid not null default '00000000-0000-0000-0000-000000000000',
    -- When all had it.
    done_at timestamptz
);

create index system_message_open on system_message (created_at) where done_at is null;

-- Notifications with all that is shown of them.
create view notification_card as
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
    left join post_card on post_card.id = subject_id and type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED')
    left join system_message on system_message.id = subject_id and type = 'SYSTEM_MESSAGE';
