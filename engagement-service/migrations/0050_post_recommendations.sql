-- Posts for people: what each has seen and does not want, which posts are similar, and the lists that were made of that. The walk-through is in
-- docs/recommendations.md. Only posts of the last 30 days are recommended, so all that is kept here is kept for little longer than that.

-- What a person has seen: a recommendation is news. From the views of the post service; no copy of it exists elsewhere, so that the
-- read model that is filled anew leaves it as it is.
create table seen_post (
    user_id uuid not null,
    post_id uuid not null,
    -- When they saw it first.
    seen_at timestamptz not null,
    primary key (user_id, post_id)
);

-- A person's, the latest first, for their export; and what is old, to be deleted.
create index seen_post_user on seen_post (user_id, seen_at desc, post_id desc);
create index seen_post_seen_at on seen_post (seen_at);

-- What a person said not to be interested in. The post is recommended to them no more; its author and posts that are similar to it are less.
create table not_interested (
    id uuid primary key,
    user_id uuid not null,
    post_id uuid not null,
    said_at timestamptz not null default now(),
    constraint not_interested_user_id_post_id_key unique (user_id, post_id)
);

-- A person's, the latest first; and what is old, to be deleted.
create index not_interested_user on not_interested (user_id, said_at desc, id desc);
create index not_interested_said_at on not_interested (said_at);

-- What a person did on posts, the latest first, and who did something on a post, the latest first: a bounded walk from a post over
-- people to other posts. The index of all reactions of a person has the tombstones as well, and no order.
create index reaction_card_trail on reaction_card (user_id, created_at desc) include (post_id) where deleted_at is null;
create index reaction_card_fans on reaction_card (post_id, created_at desc) include (user_id) where deleted_at is null;
create index comment_card_trail on comment_card (user_id, created_at desc) include (post_id) where deleted_at is null and not hidden;
create index comment_card_fans on comment_card (post_id, created_at desc) include (user_id) where deleted_at is null and not hidden;

-- The posts that a person reacted to or commented on last: up to `most` of each kind.
create function engaged_with(person uuid, most bigint) returns table (post_id uuid, at timestamptz) language sql stable as $$
    select engaged.post_id, max(engaged.created_at)
    from (
        (select reaction_card.post_id, created_at from reaction_card
            where user_id = person and deleted_at is null order by created_at desc limit most)
        union all
        (select comment_card.post_id, created_at from comment_card
            where user_id = person and deleted_at is null and not hidden order by created_at desc limit most)
    ) as engaged
    group by engaged.post_id
$$;

-- The posts that are most similar to a post, by the people who reacted to both or commented on both.
create table similar_post (
    post_id uuid primary key,
    -- The most similar first, and how similar each is, 0 to 1. Arrays, because they are always written and read together.
    others uuid[] not null,
    weights real[] not null,
    found_at timestamptz not null
);

-- What no pass has found again, because its post has become old or is gone.
create index similar_post_found_at on similar_post (found_at);

-- The pass over the posts that finds similar ones: one row. It is the lock of a step, and where the next step goes on after a restart.
create table similar_pass (
    is_it boolean primary key default true check (is_it),
    begun_at timestamptz not null default now(),
    -- The feed key of the last post that was worked on; null: none was, the pass begins with the newest.
    below uuid,
    -- Null while it is under way.
    ended_at timestamptz,
    posts bigint not null default 0,
    -- How long it has worked, pauses left out.
    worked_ms bigint not null default 0
);

-- The first pass begins with the service.
insert into similar_pass default values;

-- Lists of posts for a reader, each kept for an hour, so that pages of it are stable while newer ones are made.
create table recommendation_list (
    -- What a cursor names.
    id uuid primary key,
    user_id uuid not null,
    made_at timestamptz not null default now(),
    -- Whether the reader said since then that they are not interested in something: it is paged on, and begun no more.
    outdated boolean not null default false,
    -- The posts in their order, why each is there, and the number and the word of that reason; all of one length.
    posts uuid[] not null,
    sources text[] not null,
    numbers integer[] not null,
    words text[] not null
);

create index recommendation_list_user on recommendation_list (user_id, made_at desc);
create index recommendation_list_made_at on recommendation_list (made_at);

-- The weekly round over all people, in which those are notified for whom there is something good: one row, the lock of a step.
create table post_digest_round (
    is_it boolean primary key default true check (is_it),
    begun_at timestamptz not null default now(),
    -- The last person who was looked at.
    past uuid not null default '00000000-0000-0000-0000-000000000000',
    -- Null while it is under way. No round is due before the first one that the calendar begins.
    ended_at timestamptz default now()
);

insert into post_digest_round default values;

-- When a person was last notified of posts that they may like: once a week at most, whenever rounds begin.
create table post_digest (
    user_id uuid primary key,
    notified_at timestamptz not null
);
