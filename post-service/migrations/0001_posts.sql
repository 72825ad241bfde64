-- Posts, their NFT records, and what is known of their authors.

create table post (
    id uuid primary key,
    created_at timestamptz not null default now(),
    -- The author. Also the one field by which a post belongs to somebody.
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    title text,
    content text not null,
    -- Categories, in the author's order; duplicates are kept and count twice in the author's summary.
    types text[] not null,
    -- DRAFT: the author's alone. POSTED: everybody's. ARCHIVED: the author's alone again.
    status text not null constraint post_status check (status in ('DRAFT', 'POSTED', 'ARCHIVED')),
    -- Signed sums of events: an event that overtakes another may bring one below zero for a moment.
    -- They are never written as read-then-add, and clamped only when they are shown.
    total_views bigint not null default 0,
    total_comments bigint not null default 0,
    total_reactions bigint not null default 0,
    -- min(100, (reactions + comments) / views), two digits; 0 without a view.
    score double precision not null default 0,
    -- min(100, views / connections of the author); 100 when the author has none. 0 until the first event.
    popularity double precision not null default 0
);

-- The list of all posts, newest first.
create index post_posted on post (created_at desc, id desc) where status = 'POSTED';
-- The list of one's own posts.
create index post_created_by on post (created_by, created_at desc, id desc);

-- What the popularity of a post depends on, copied from the hash that the auth service keeps in Redis.
create table author (
    id uuid primary key,
    total_connections bigint not null
);

-- The record from which a post's NFT can be minted; it exists from the moment a post is published.
create table post_nft (
    id uuid primary key,
    created_at timestamptz not null default now(),
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    post_id uuid not null unique references post (id) on delete cascade,
    -- READY_FOR_MINTING until somebody mints it.
    status text not null default 'READY_FOR_MINTING' check (status in ('READY_FOR_MINTING', 'MINTED')),
    title text,
    description text not null,
    -- ERC-1155 metadata. json, not jsonb: the order of the fields is the contract's.
    data json not null,
    -- Where the metadata can be read once it is minted.
    token_uri text
);
