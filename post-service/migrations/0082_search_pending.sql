set local lock_timeout = '2s';

-- Posts whose documents are to be written, so that the index is no part of a write: a worker takes them in batches. A post that was
-- deleted meanwhile leaves its row, which the worker takes out; a foreign key would be checked at each write.
create table search_pending (
    post_id uuid primary key,
    -- Since when; of one that could not be indexed, since when it waits to be tried again.
    at timestamptz not null default clock_timestamp()
);

-- The order in which they are taken.
create index search_pending_at on search_pending (at);
