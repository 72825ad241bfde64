set local lock_timeout = '2s';

-- The outbox in parts, of which each holds the events of one day in ten: what is old and published leaves it by `truncate`, whose
-- lock lasts as long for ten events as for ten million. It leaves nothing to be vacuumed, and holds up no writer, since nothing is
-- written to an old part. All parts are made here, once. When a day comes to a part that still has events of ten days ago, because
-- they are not published, both are in it, until both may go.
--
-- A part has the keys and indexes of the table from before, but none by time: its newest event is its last one. Thus `event_id`, and
-- a number in its stream, are unique in a part; in the whole outbox they are because an id is random and numbers are given out
-- under the lock of the stream's row in relay_state.
do $$
begin
    for slot in 0..9 loop
        execute format('create table outbox_%s (like outbox including indexes)', slot);
        execute format('drop index outbox_%s_occurred_at_idx', slot);
    end loop;
end
$$;

-- From here on writers wait, since the table that is renamed stays locked; what they had begun to write is committed. Those of the
-- release before go on with the new table afterwards: they name it, and its columns are the same.
-- squawk-ignore renaming-table
alter table outbox rename to outbox_10;
-- Nothing names the sequence.
-- squawk-ignore renaming-object
alter sequence outbox_seq_seq rename to outbox_10_seq;

create table outbox (
    -- The order of writing. A lower number may commit later, so nothing ever reads "everything after seq".
    seq bigint generated always as identity,
    -- What a listener can recognise the event by, wherever it gets it from.
    event_id uuid not null,
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
    -- Whether a person's words were taken out of it.
    erased boolean not null default false,
    -- Its part: the day on which it was written (UTC), and never changed, so that no update moves it.
    slot smallint not null default (floor(extract(epoch from clock_timestamp()) / 86400)::bigint % 10)::smallint
) partition by list (slot);

-- Numbers go on behind those of the table from before, which may be empty.
select setval(pg_get_serial_sequence('outbox', 'seq'), last_value, is_called) from outbox_10_seq;
-- Nothing is inserted into a part by its name: the numbers are given by the table over all parts.
-- squawk-ignore ban-alter-identity
alter table outbox_10 alter column seq drop identity;
alter table outbox attach partition outbox_10 for values in (10);
do $$
begin
    for slot in 0..9 loop
        execute format('alter table outbox attach partition outbox_%1$s for values in (%1$s)', slot);
    end loop;
end
$$;
-- The part from before is emptied like the others, and nothing is written to it again. A later release drops it.
