-- Who wants nothing to do with whom, as the auth service tells it.

-- One row per pair that ever was. An event of one stream overtakes that of the other: the newest one counts.
create table block (
    user_id uuid not null,
    target_id uuid not null,
    -- Whether the user blocks the target now.
    stands boolean not null,
    -- When that began or ended.
    at timestamptz not null,
    primary key (user_id, target_id)
);

create index block_target on block (target_id);

-- Whether two people do not see each other, whoever of them has blocked the other.
create function hidden(one uuid, other uuid) returns boolean language sql stable as $$
    select exists (select from block where stands and user_id = one and target_id = other)
        or exists (select from block where stands and user_id = other and target_id = one)
$$;
