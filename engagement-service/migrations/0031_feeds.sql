-- Feeds: what a reader sees of the read model, newest first. The feeds themselves are a cache in Redis; here is what keeps them
-- true: which posts are in them, what is to be brought in, out, or built anew, and the lists of explore.

-- Under which key the post stands in feeds, or is on its way there; null: it is in none. It is compared with what the post is
-- now, so that neither the order nor the repetition of events makes a difference.
alter table post_card add column fanned_key uuid;

-- An author's posts, newest first. With the id, so that a feed of many authors is put together from the index alone.
create index post_card_author on post_card (user_id, feed_key desc) include (id)
    where deleted_at is null and not hidden and status = 'POSTED';
drop index post_card_user;

-- Who has a copy of a target's posts in their feed: the pages of a fan-out.
create index follow_pushed on follow (target_id, user_id) where stands and not pulled;
-- Whose posts are looked up when a user reads.
create index follow_pulled on follow (user_id, target_id) where stands and pulled;
-- Whose connections change when a target's audience has become small again.
create index follow_pulled_target on follow (target_id, user_id) where pulled;

-- Authors with too many followers for a copy in each of their feeds.
create table big_author (
    user_id uuid primary key,
    since timestamptz not null default now()
);

-- Posts that are to be brought into the feeds of their author's followers, or out of them. Written in the transaction that makes
-- it so; a page of followers at a time is worked off.
create table fan_out (
    post_id uuid primary key,
    author_id uuid not null,
    -- The key that the post gets in feeds; null: it leaves them.
    enters uuid,
    -- The keys under which feeds may have it from before.
    leaves uuid[] not null default '{}',
    -- The last follower whose feed is done.
    done_to uuid not null default '00000000-0000-0000-0000-000000000000',
    -- Counts the changes of the post while the job waits or is under way: a page that was begun before one does not move it.
    revision integer not null default 1,
    asked_at timestamptz not null default now(),
    -- When a worker may take it: in the past while it waits, ahead while one is at it. A change of the post leaves it alone, so that
    -- no two workers are at one post.
    free_at timestamptz not null default now()
);

create index fan_out_free on fan_out (free_at);

-- Readers whose feed is to be dropped, so that the next read builds it: whom they read has changed.
create table feed_drop (
    user_id uuid primary key,
    -- Counts the changes: one that comes while the feed is being dropped is a reason to drop it again.
    revision integer not null default 1,
    -- Its turn: that of all feeds at once is behind those that a reader waits for.
    asked_at timestamptz not null default now()
);

create index feed_drop_asked_at on feed_drop (asked_at);

-- The run of the Redis that holds the feeds. Another one may have lost its last second, or what was not replicated: then all feeds
-- are dropped.
create table feed_redis (
    -- One row.
    is_it boolean primary key default true check (is_it),
    run_id text not null
);

-- A user's mutes, the latest first.
create index mute_user on mute (user_id, muted_at desc, target_id desc);
-- The same of hidden posts.
create index post_hide_user on post_hide (user_id, hidden_at desc, id desc);

-- Lists of everybody's best posts. A page names its list, so that paging is not disturbed by the next one.
create table explore_edition (
    id bigint generated always as identity primary key,
    made_at timestamptz not null default now()
);

-- The posts of a list.
create table explore_entry (
    edition bigint not null references explore_edition (id) on delete cascade,
    -- 1 is the best.
    place integer not null,
    feed_key uuid not null,
    -- The author, and the categories, for which readers may have a preference.
    user_id uuid not null,
    types text[] not null,
    primary key (edition, place)
);
