-- Comments, their NFT records, reactions, and what is known of the posts that they are about.

-- What this service needs to know of a post, copied from the post service's events and answers.
create table post (
    id uuid primary key,
    -- The author, who sees it whatever its status is.
    created_by uuid not null,
    -- DRAFT and ARCHIVED: the author's alone. POSTED: everybody's.
    status text not null constraint post_status check (status in ('DRAFT', 'POSTED', 'ARCHIVED')),
    -- The version: an older one never replaces a newer one, in whatever order events and answers come.
    updated_at timestamptz not null,
    -- The tombstone. The row stays, so that nothing that comes late brings the post back to life.
    deleted_at timestamptz
);

create table comment (
    id uuid primary key,
    created_at timestamptz not null default now(),
    -- Who wrote it.
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    -- Rows of post are never deleted; the comments of a post that is gone are, with their events.
    post_id uuid not null references post (id),
    content text not null
);

-- The comments of a post, newest first.
create index comment_post_id on comment (post_id, created_at desc, id desc);

-- The record from which a comment's NFT can be minted; it lives as long as the comment.
create table comment_nft (
    id uuid primary key,
    created_at timestamptz not null default now(),
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    comment_id uuid not null unique references comment (id) on delete cascade,
    -- READY_FOR_MINTING until somebody mints it.
    status text not null default 'READY_FOR_MINTING' check (status in ('READY_FOR_MINTING', 'MINTED')),
    title text,
    description text not null,
    -- ERC-1155 metadata. json, not jsonb: the order of the fields is the contract's.
    data json not null,
    -- Where the metadata can be read once it is minted.
    token_uri text
);

create table reaction (
    id uuid primary key,
    created_at timestamptz not null default now(),
    -- Who reacted.
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    post_id uuid not null references post (id),
    type text not null constraint reaction_type check (type in ('LIKE', 'LOVE', 'ANGRY', 'SAD', 'FUNNY', 'JOY')),
    -- One reaction of a person to a post.
    constraint reaction_post_id_created_by_key unique (post_id, created_by)
);

-- The reactions to a post, newest first.
create index reaction_post_id on reaction (post_id, created_at desc, id desc);
