set local lock_timeout = '2s';

-- Appeals wait in an order, as the cases of the queue do, and are claimed before they are resolved.

alter table appeal
    -- How much its decision takes from its author: 4 an account, 2 a voice or a content, 1 anything else.
    add column urgency double precision not null default 1;

-- The place of an appeal in the order: what waits longest comes first, and what is e times as urgent comes before what has waited up to a
-- day (86,400 s) longer. All ages grow alike, so the order of two appeals never changes by itself, and an index holds it. As in the
-- queue it is a time, mirrored at a day far ahead (2200-01-01, 7,258,118,400 s), so that the list runs from the latest to the oldest.
create function appeal_place(made_at timestamptz, urgency double precision) returns timestamptz
language sql immutable strict parallel safe as $$
    select to_timestamp(
        7258118400 - extract(epoch from made_at at time zone 'UTC')::double precision + 86400 * ln(greatest(urgency, 1)))
$$;

-- Which moderator looks at an appeal, and until when: no appeal is with two.
create table appeal_claim (
    appeal uuid primary key references appeal on delete cascade,
    moderator uuid not null,
    until timestamptz not null
);
create index appeal_claim_moderator on appeal_claim (moderator, until);
create index appeal_claim_until on appeal_claim (until);
