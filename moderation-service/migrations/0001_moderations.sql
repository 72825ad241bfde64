-- Cases of moderation, and what is known of the posts and comments that they may be about.

-- Posts and comments that were heard of. Events of different streams overtake each other: an update its creation, and a
-- deletion both.
create table content (
    id uuid primary key,
    -- The newest updated_at heard of; older versions are not analysed any more. Null when only its end was heard of.
    version timestamptz,
    -- Since when it is known to be gone. The row stays: what comes late opens no case any more.
    gone_at timestamptz
);

-- One row per decision that a post or comment is to be deleted.
create table moderation (
    id uuid primary key,
    created_at timestamptz not null default now(),
    -- Who decided; null: the analyser.
    created_by uuid,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    -- What the content is.
    type text not null check (type in ('POST', 'COMMENT')),
    content_id uuid not null,
    -- Who wrote the content, and so may see the case.
    author uuid not null,
    -- The content as it was told. json, not jsonb: the order of the fields is the contract's.
    raw_content json not null,
    -- DELETE_REQUESTED: its service was asked to delete it. DELETE_CONFIRMED: it is gone, whoever deleted it.
    status text not null default 'DELETE_REQUESTED' check (status in ('DELETE_REQUESTED', 'DELETE_CONFIRMED')),
    reason text not null check (reason in ('OFFENSIVE_CONTENT', 'NUDITY', 'RULES_VIOLATION', 'RACISM'))
);

-- One open case per content: whoever comes second asks nobody.
create unique index moderation_open on moderation (content_id) where status = 'DELETE_REQUESTED';
-- The list of the cases about what one wrote.
create index moderation_author on moderation (author, created_at desc, id desc);
