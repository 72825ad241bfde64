-- How far the read model was filled from the services that own what it copies. Events alone do not fill it on a platform that is
-- older: they reach back a week.
create table backfill (
    -- people, connections, blocks, posts, comments or reactions.
    source text primary key,
    -- The key of the last row of the last page that was applied: where a process that takes over goes on. Null: at the beginning.
    cursor text,
    -- Rows that were copied, and rows that the owner did not have any more, since it began.
    rows bigint not null default 0,
    removed bigint not null default 0,
    -- Null: it is to begin, for the first time or anew. Also a mark of this run: a page that was read for another one is not applied.
    started_at timestamptz,
    finished_at timestamptz,
    -- When it is due: later than now where the owner has no such rows to read, as the original services.
    due_at timestamptz not null default now(),
    -- Of posts: since which entry of post_viewed views are logged, below.
    log_ms bigint not null default 0,
    log_seq bigint not null default 0
);

insert into backfill (source) values ('people'), ('connections'), ('blocks'), ('posts'), ('comments'), ('reactions');

-- The views that were counted while posts are copied. The owner's sum has views up to an entry of post_viewed; those behind it that
-- were counted here are in this log. It is emptied at the end.
create table view_log (
    post_id uuid not null,
    -- The entry of post_viewed.
    ms bigint not null,
    seq bigint not null,
    primary key (post_id, ms, seq)
);
