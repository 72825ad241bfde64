-- What an analysis looks up beside the text: earlier texts, the age of accounts, rules about domains.

alter table content
    -- Whether a moderator has restored this version: a machine does not decide about it again.
    add column restored boolean not null default false;

-- How much an author has written lately.
create index content_author_created on content (author, created_at);

-- Users whose registration was consumed; of an older account the age is unknown, which counts as old.
create table person (
    id uuid primary key,
    registered_at timestamptz not null
);

-- A fingerprint of each text of five words and more, to find what is posted many times with small changes: the SimHash of
-- its word 3-shingles, 64 bits. Two texts are near-duplicates when at most 3 bits differ.
create table fingerprint (
    content_id uuid primary key,
    author uuid not null,
    -- When the text was written; the nightly job deletes what is older than the window.
    at timestamptz not null,
    -- As a signed number: the bits are what counts.
    hash bigint not null,
    -- The four quarters of the hash. Of two hashes that differ in at most 3 bits, at least one quarter is equal.
    band0 integer not null generated always as (((hash >> 48) & 65535)::integer) stored,
    band1 integer not null generated always as (((hash >> 32) & 65535)::integer) stored,
    band2 integer not null generated always as (((hash >> 16) & 65535)::integer) stored,
    band3 integer not null generated always as ((hash & 65535)::integer) stored
);

-- The candidates of each quarter, the newest first.
create index fingerprint_band0 on fingerprint (band0, at desc);
create index fingerprint_band1 on fingerprint (band1, at desc);
create index fingerprint_band2 on fingerprint (band2, at desc);
create index fingerprint_band3 on fingerprint (band3, at desc);
create index fingerprint_at on fingerprint (at);
create index fingerprint_author on fingerprint (author);

-- What links to a domain, or to one below it, mean. Of several rules the one of the longest domain counts.
create table domain_rule (
    -- As in DNS: lower case, A-labels, no dot at the end.
    domain text primary key,
    verdict text not null check (verdict in ('BLOCK', 'WARN', 'ALLOW')),
    -- Why, for other administrators.
    note text,
    updated_at timestamptz not null default now(),
    updated_by uuid
);
