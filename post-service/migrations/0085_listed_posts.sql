set local lock_timeout = '2s';

-- How far the posts from before there were lists are listed: in the background and a page at a time, so that no write waits for more
-- than a page. Until that is done, pages of lists are read from the posts themselves.
create table listing_backfill (
    -- One row.
    is_it boolean primary key default true check (is_it),
    -- The last post that is done, in the order of ids.
    done_to uuid not null default '00000000-0000-0000-0000-000000000000',
    -- When the last one was; null: there are more.
    done_at timestamptz
);

-- Posts that are written from now on are listed by triggers, so where there are none yet, none is ever to be done.
insert into listing_backfill (done_at) select case when not exists (select from post) then now() end;
