set local lock_timeout = '2s';

-- A user's views of a post are all counted, as the contract has it, and those within half an hour are one for what ranks posts, so that
-- reloading a page lifts none.
alter table post_count
    -- How many of `views` were repeated. Those that were taken over with a sum are not known apart, and count as first ones.
    add column repeated_views bigint not null default 0;
