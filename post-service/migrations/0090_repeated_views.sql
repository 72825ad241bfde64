set local lock_timeout = '2s';

-- A user's views of a post are all counted, as the contract has it, and those within half an hour are one for score and popularity, so
-- that reloading a page makes no post popular.
alter table post
    -- How many of `total_views` were repeated; the interaction service says which.
    add column repeated_views bigint not null default 0;
