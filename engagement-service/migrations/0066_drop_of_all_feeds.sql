-- The order to drop all feeds, as after a restart of their Redis. It was a row of feed_drop for each person, in one transaction: with
-- millions of people that takes longer than a step of a worker may. Now it is one row, worked off in pages, and a process that takes over
-- goes on at the next one.
set local lock_timeout = '2s';

create table feed_drop_all (
    -- One row.
    is_it boolean primary key default true check (is_it),
    -- The last reader whose feed is dropped; nil: none is yet. Null: there is nothing to do.
    done_to uuid,
    -- Counts the orders. It only grows, so that a page that was begun for an older order moves no newer one.
    revision bigint not null default 0,
    -- When the newest order was given.
    asked_at timestamptz not null default now()
);

insert into feed_drop_all default values;
