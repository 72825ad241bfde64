-- Connections in lists of any length, and who wants nothing to do with whom.

alter table account
    -- How many people are connected to this person. Changed only together with a row of connection.
    add column total_followers bigint not null default 0
        constraint account_total_followers check (total_followers >= 0);

update account set total_followers = (select count(*) from connection where target_id = account.id);

-- Counters change often: with room on its page a row is rewritten without touching an index.
alter table account set (fillfactor = 80);

-- Somebody's connections and followers, who was connected last first: the order of the pages is the order of the index, so
-- that page 1,000 costs what page 1 costs.
create index connection_of_user on connection (user_id, connected_at desc, target_id desc);
create index connection_of_target on connection (target_id, connected_at desc, user_id desc);
drop index connection_target;

-- Who has blocked whom. There is no connection between the two, in either direction, and the target does not see the user.
create table block (
    user_id uuid not null references account (id) on delete cascade,
    target_id uuid not null references account (id) on delete cascade,
    blocked_at timestamptz not null default now(),
    primary key (user_id, target_id),
    constraint block_not_self check (user_id <> target_id)
);

-- Whom somebody has blocked, last first.
create index block_of_user on block (user_id, blocked_at desc, target_id desc);
-- By whom somebody is blocked.
create index block_of_target on block (target_id, user_id);
