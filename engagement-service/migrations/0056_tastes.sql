-- What people listen to, as an account of theirs elsewhere says, and who listens to the same.

create table taste (
    person_id uuid primary key,
    -- Whether the account is linked, as the newest event about it has it, and when that was: an older event changes nothing.
    linked boolean not null,
    linked_at timestamptz not null,
    -- Since when its person wants it forgotten; a link that is made later than that begins anew.
    forgotten_at timestamptz,
    -- Whether others see it, and are recommended for it. Not unless its person says so.
    shared boolean not null default false,
    -- By kind the items with their names and weights, the weightiest first. Null: not fetched yet.
    items jsonb,
    fetched_at timestamptz,
    -- When it is fetched next. A worker that fetches it moves this ahead, so that a crash puts it off and loses nothing.
    due_at timestamptz not null,
    -- Fetches in a row that failed, by which the next one waits longer.
    failures integer not null default 0,
    -- Whether those who listen to the same were looked for since it was fetched.
    matched boolean not null default true
);

create index taste_due on taste (due_at) where linked and forgotten_at is null;
create index taste_unmatched on taste (person_id) where not matched;

-- The inverted index: who listens to an artist or a track, of those who share that. The weightiest twenty of each kind, so that a person
-- costs 40 rows. The weight is in the key's index, so that looking for people reads that alone.
create table taste_item (
    kind text not null constraint taste_item_kind check (kind in ('TRACK', 'ARTIST')),
    -- The id at the provider.
    item text not null,
    person_id uuid not null,
    weight real not null,
    primary key (kind, item, person_id) include (weight)
);

create index taste_item_person on taste_item (person_id);

-- The people with the most similar taste, of a person, as it was when theirs was last fetched.
create table taste_match (
    person_id uuid not null,
    other_id uuid not null,
    -- 0 to 1.
    similarity double precision not null,
    primary key (person_id, other_id)
);

create index taste_match_other on taste_match (other_id);
