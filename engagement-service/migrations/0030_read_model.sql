-- The read model: what feeds and notifications need of the other services, copied from their events. Each table is written by the
-- processors of one feature. Rows carry the version of what they copy, and what is deleted leaves a tombstone, because there is
-- no order between streams: a creation that arrives behind its deletion must change nothing.

-- Who people are: what a card beside a post or in a notification shows.
create table person (
    id uuid primary key,
    -- Null until they choose one.
    username text,
    first_name text,
    last_name text,
    avatar_url text,
    -- Categories that they want to read about, in their order.
    interests text[] not null default '{}',
    -- ACTIVE, INACTIVE, MUTED or BANNED, as the auth service has it.
    status text not null,
    -- The account's updated_at: an older version never replaces a newer one.
    version timestamptz not null
);

-- Who is connected to whom. Directed: the user reads what the target publishes.
create table follow (
    user_id uuid not null,
    target_id uuid not null,
    -- Whether the connection exists now. An event of one stream overtakes that of the other: the newest one counts.
    stands boolean not null,
    -- When it began or ended.
    at timestamptz not null,
    -- Whether the target's posts are looked up when the user reads, since the target has too many followers for a copy in each of
    -- their feeds.
    pulled boolean not null default false,
    primary key (user_id, target_id)
);

-- Who reads a target, for pages of a fan-out.
create index follow_target on follow (target_id, user_id) where stands;

-- Who wants nothing to do with whom; the same table as in the other services that have it.
create table block (
    user_id uuid not null,
    target_id uuid not null,
    -- Whether the user blocks the target now.
    stands boolean not null,
    -- When that began or ended.
    at timestamptz not null,
    primary key (user_id, target_id)
);

create index block_target on block (target_id);

-- Whether two people do not see each other, whoever of them has blocked the other.
create function hidden(one uuid, other uuid) returns boolean language sql stable as $$
    select exists (select from block where stands and user_id = one and target_id = other)
        or exists (select from block where stands and user_id = other and target_id = one)
$$;

-- Whom a user does not want to read of, without the other knowing.
create table mute (
    id uuid primary key,
    user_id uuid not null,
    target_id uuid not null,
    muted_at timestamptz not null default now(),
    constraint mute_user_id_target_id_key unique (user_id, target_id)
);

-- Whose mutes name a user, for their erasure.
create index mute_target on mute (target_id);

-- Single posts that a user does not want to see again.
create table post_hide (
    id uuid primary key,
    user_id uuid not null,
    post_id uuid not null,
    hidden_at timestamptz not null default now(),
    constraint post_hide_user_id_post_id_key unique (user_id, post_id)
);

-- The place of a post in every feed: its id with the time of its publication in the place of the time of its creation. So the
-- order of 16 bytes is the order of publication, and a draft that is published late enters where readers look.
create function feed_key(id uuid, published_at timestamptz) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from published_at) * 1000)::bigint), 12, '0') || substr(replace(id::text, '-', ''), 13))::uuid
$$;

-- Posts, with all that an item of a feed shows of them but the counts.
create table post_card (
    id uuid primary key,
    -- The author.
    user_id uuid not null,
    created_at timestamptz not null,
    title text,
    content text not null,
    types text[] not null,
    -- DRAFT, POSTED or ARCHIVED.
    status text not null,
    -- The post's updated_at: an older version never replaces a newer one.
    version timestamptz not null,
    -- When it was published for the first time, so that archiving and publishing again does not lift it to the top; null: it never
    -- was. The earliest of what the events say, so that their order makes no difference.
    published_at timestamptz,
    -- Its place in feeds.
    feed_key uuid generated always as (feed_key(id, published_at)) stored,
    -- Whether moderation has the stored version hidden from all; a later version may be restored.
    hidden boolean not null default false,
    -- The tombstone: then title and content are empty, and nothing brings it back.
    deleted_at timestamptz
);

-- Whether a post may stand in feeds at all, whoever reads.
create function is_public(card post_card) returns boolean language sql immutable as $$
    select card.deleted_at is null and not card.hidden and card.status = 'POSTED'
$$;

-- A user's posts, newest first, and a feed that is built from those of many.
create index post_card_user on post_card (user_id, feed_key desc) where deleted_at is null and not hidden and status = 'POSTED';
-- Everybody's posts, newest first.
create index post_card_feed_key on post_card (feed_key desc) where deleted_at is null and not hidden and status = 'POSTED';

-- Comments, without their words: who said something, and where.
create table comment_card (
    id uuid primary key,
    post_id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null,
    -- The comment's updated_at.
    version timestamptz not null,
    -- Whether moderation has the stored version hidden from all.
    hidden boolean not null default false,
    deleted_at timestamptz
);

-- What was said about a post, and by whom.
create index comment_card_post on comment_card (post_id, user_id) where deleted_at is null and not hidden;
create index comment_card_user on comment_card (user_id);

-- Reactions. A user who takes one back and reacts again has two rows here, one of them a tombstone.
create table reaction_card (
    id uuid primary key,
    post_id uuid not null,
    user_id uuid not null,
    -- LIKE, LOVE, ANGRY, SAD, FUNNY or JOY.
    type text not null,
    created_at timestamptz not null,
    -- The reaction's updated_at.
    version timestamptz not null,
    deleted_at timestamptz
);

create index reaction_card_post on reaction_card (post_id, user_id) where deleted_at is null;
create index reaction_card_user on reaction_card (user_id);

-- The counts of a post: those of comments and reactions follow from the rows above, in the same transaction.
create table post_count (
    post_id uuid primary key,
    -- Signed sums: an event that overtakes another may bring one below zero for a moment. Clamped only when they are shown.
    views bigint not null default 0,
    comments bigint not null default 0,
    reactions bigint not null default 0,
    -- Up to which entry of post_viewed `views` was taken over from the post service: what is at or before it counts nothing.
    views_ms bigint not null default 0,
    views_seq bigint not null default 0
);
