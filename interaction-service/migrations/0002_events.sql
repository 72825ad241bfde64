-- The tables of the event core; the same in every service.

-- Events that were told, written in the transaction of the change that they tell of.
create table outbox (
    -- The order of writing. A lower number may commit later, so nothing ever reads "everything after seq".
    seq bigint generated always as identity primary key,
    -- What a listener can recognise the event by, wherever it gets it from.
    event_id uuid not null unique,
    -- The Redis stream that it belongs to.
    stream text not null,
    -- Its number in the stream, given by the relay, dense from 1; the entry's id is <pos>-0. Null: not numbered yet.
    pos bigint,
    -- The id of the entry before it in the stream, given with the number.
    prev text,
    -- The version of the payload's shape.
    version smallint not null default 1,
    -- The entity. json, not jsonb: the order of the fields is the contract's.
    message json not null,
    -- The trace that the change was part of (W3C Trace Context).
    traceparent text,
    occurred_at timestamptz not null default clock_timestamp(),
    unique (stream, pos)
);

-- What the relay has to number.
create index outbox_unnumbered on outbox (stream, seq) where pos is null;
-- What the retention removes.
create index outbox_occurred_at on outbox (occurred_at);

-- How far the numbers of a stream were given out. Its row is the lock under which they are.
create table relay_state (
    stream text primary key,
    last_pos bigint not null default 0,
    -- Up to where the stream was seen to have them; it may be further.
    confirmed_pos bigint not null default 0,
    -- The id of the last entry: <last_pos>-0, or that of an entry which another producer wrote.
    last_id text not null default '0-0'
);

-- Up to where a stream was applied: the id of the last entry whose effects are in the tables.
create table inbox (
    stream text primary key,
    ms bigint not null default 0,
    seq bigint not null default 0,
    moved_at timestamptz not null default now()
);

-- Events that could not be applied, until an operator replays or discards them.
create table dead_letter (
    id uuid primary key,
    stream text not null,
    entry_id text not null,
    event_id uuid,
    occurred_at timestamptz not null,
    version smallint not null,
    traceparent text,
    -- text: it may be anything, even what is no JSON.
    message text not null,
    error text not null,
    parked_at timestamptz not null default clock_timestamp()
);

create index dead_letter_parked_at on dead_letter (parked_at desc, id desc);

-- The last stroke of each job's clock that was taken; who writes it runs the job.
create table job (
    name text primary key,
    struck_at timestamptz not null
);

-- The replicas of this service that are alive, to share work out among them.
create table replica (
    id uuid primary key,
    seen_at timestamptz not null
);
