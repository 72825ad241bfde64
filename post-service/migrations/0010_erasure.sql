-- The end of a person's data; the same in every service.

-- Whose data are to be erased, and how far that is.
create table erasure (
    person uuid primary key,
    asked_at timestamptz not null default now(),
    -- Up to which row of the outbox it was looked through.
    scanned bigint not null default 0,
    -- Since when nothing of theirs is left, and that was said.
    confirmed_at timestamptz,
    -- Since when it was looked once more, for what was being written at the time.
    done_at timestamptz
);

-- What has to be done.
create index erasure_open on erasure (asked_at) where done_at is null;

-- Whether a person's words were taken out of an event. Its entry in the stream is removed as soon as nobody needs it, and
-- again whenever a restored Redis has brought it back.
alter table outbox add column erased boolean not null default false;

create index outbox_erased on outbox (stream, pos) where erased;
