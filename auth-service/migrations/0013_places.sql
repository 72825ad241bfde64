-- From where somebody has signed in before, so that they hear of a sign-in from elsewhere.

create table place (
    user_id uuid not null references account (id) on delete cascade,
    -- The kind of program and of machine, in words of ours: Firefox on Linux.
    device text not null,
    -- 192.0.2.0/24 or 2001:db8:1::/48; empty where it is not known.
    address_prefix text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    primary key (user_id, device, address_prefix)
);

-- What the sweep forgets.
create index place_last_seen_at on place (last_seen_at);
