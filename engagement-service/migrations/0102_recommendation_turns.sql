-- The weekly digest of recommendations comes at the hour of its reader. A round plans a turn for each person, and a turn that is due is
-- worked off: people of one hour in different zones are at different times of the world.
set local lock_timeout = '2s';

create table recommendation_turn (
    user_id uuid primary key,
    -- The hour of their digests in their time zone, as a time of the world: the first one that is late enough after their last digest.
    due_at timestamptz not null
);

-- What is due, the oldest first.
create index recommendation_turn_due_at on recommendation_turn (due_at);
