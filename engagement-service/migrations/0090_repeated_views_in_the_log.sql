set local lock_timeout = '2s';

-- The sums of posts that are copied say how many of their views were repeated, so the log that is added to them has to say it as well.
alter table view_log
    -- Whether it was repeated. The release before does not say: what it logs while posts are copied counts as a first view.
    add column repeated boolean not null default false;
