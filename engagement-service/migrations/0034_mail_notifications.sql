-- What users want to be notified of by which channel and when, and what waits for their next digest.

create table notification_preference (
    user_id uuid primary key,
    -- By type of notification what was chosen of it: {"POST_COMMENT_RECEIVED": {"in_app": true, "mail": "NEVER", "push": false}}.
    -- What is not in it was not chosen, and follows the defaults, also when these change.
    choices jsonb not null default '{}',
    -- A name of the IANA database: in it are the two times below.
    time_zone text not null,
    -- The hour of the day at which a digest comes.
    digest_hour smallint not null constraint notification_preference_digest_hour check (digest_hour between 0 and 23),
    -- Between these two times of the day no mail and no push is sent that would go at once. Both null: there are none. The end
    -- may be before the beginning: the night lies between.
    quiet_from time,
    quiet_to time,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint notification_preference_quiet check ((quiet_from is null) = (quiet_to is null) and quiet_from <> quiet_to)
);

-- Users for whose next digest something waits. Whoever adds to a digest, takes from it or sends it locks this row first, so
-- that nothing is added to one that is being sent.
create table digest (
    user_id uuid primary key,
    -- When it is sent: the user's hour, in their time zone, as a time of the world.
    next_at timestamptz not null
);

create index digest_next_at on digest (next_at);

-- What waits for a digest: notifications, with what a mail says about them. Names are not in it: the auth service, which
-- sends the mail, has them.
create table digest_entry (
    -- A notification that grows, such as that of reactions, waits once.
    notification_id uuid primary key,
    user_id uuid not null,
    -- As in notifications.
    type text not null,
    -- Who caused it, the newest first; and how many users did, of which these are some.
    actor_ids uuid[] not null,
    people bigint not null,
    -- What the platform itself says, where it does.
    text text,
    -- The post that it is about.
    post_id uuid,
    -- When the notification changed for the last time.
    at timestamptz not null
);

create index digest_entry_user on digest_entry (user_id, at desc);

-- The types of notifications that a user does not want in their list.
create function unlisted(reader uuid) returns text[] language sql stable as $$
    select coalesce(array_agg(chosen.key), '{}')
    from notification_preference, jsonb_each(choices) as chosen
    where user_id = reader and chosen.value ->> 'in_app' = 'false'
$$;
