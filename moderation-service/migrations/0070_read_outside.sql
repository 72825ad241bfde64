-- Texts are read in no transaction: a model reads for longer than one may be open. What a lock was held for meanwhile has a lease instead,
-- which the release before does not know and does not need: it holds the lock. Whichever is the first to store what it has read moves the
-- place, and the other one, whose place is gone, stores nothing.
set local lock_timeout = '2s';

-- Until when a replica is at the next page of texts that are read again. Null: none is.
alter table reanalysis add column claimed_until timestamptz;

-- Until when a replica reads with the model in shadow. Null: none does.
alter table shadow_progress add column claimed_until timestamptz;

-- Whether the spans of an analysis were looked for in a part of its text alone: it is too long, or the time for the search was over.
alter table analysis add column explained_in_part boolean not null default false;
