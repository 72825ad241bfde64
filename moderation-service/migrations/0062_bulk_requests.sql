set local lock_timeout = '2s';

-- Decisions about many subjects at once, as far as they are carried out: a request that is sent again under its Idempotency-Key goes on
-- where it was, and decides nothing twice. A job deletes those of more than a day ago.
create table bulk_request (
    moderator uuid not null,
    key text not null check (length(key) between 1 and 255),
    -- SHA-256 of what was asked for: another request cannot be sent under the same key.
    fingerprint bytea not null check (length(fingerprint) = 32),
    started_at timestamptz not null default now(),
    primary key (moderator, key)
);
create index bulk_request_started_at on bulk_request (started_at);

-- What became of each subject of such a request: a row in the transaction of its decision.
create table bulk_result (
    moderator uuid not null,
    key text not null,
    -- The place of the subject in the request, from 0.
    place integer not null,
    -- As the API has it.
    outcome text not null,
    -- Null: none was made.
    decision uuid,
    primary key (moderator, key, place),
    foreign key (moderator, key) references bulk_request on delete cascade
);
