-- People for a person: who they may want to be connected to, and why.

-- The connections of a person, the latest first, without a look at the table: what two steps through the graph are made of.
create index follow_latest on follow (user_id, at desc, target_id) where stands;

-- What a person deals with: categories of posts, and tags with a # before them, each with its weight. Made from what others can
-- see of them as well: their posts, comments and reactions.
create table affinity (
    person_id uuid primary key,
    -- By topic its share of all, the weightiest 40. One row per person, since it is only ever read as a whole.
    weights jsonb not null,
    computed_at timestamptz not null default now()
);

-- Who is recommended to a person, as it was last computed. Whether each may still be shown is decided when it is read.
create table recommended_people (
    user_id uuid primary key,
    -- The best first, with their scores. Lists and not rows, since they are written and read as a whole.
    people uuid[] not null,
    scores double precision[] not null,
    refreshed_at timestamptz not null default now(),
    -- When the person was last notified; null: never.
    notified_at timestamptz
);

-- What a person does not want to be recommended again, or has accepted.
create table dismissed_person (
    user_id uuid not null,
    person_id uuid not null,
    dismissed_at timestamptz not null default now(),
    primary key (user_id, person_id)
);

-- Whose dismissals name a person, for their erasure.
create index dismissed_person_person on dismissed_person (person_id);

-- Whose recommendations are to be computed anew before their turn comes, because they were just active.
create table recommendation_due (
    user_id uuid primary key,
    -- Not before then: what a person does within a minute is computed once.
    due_at timestamptz not null
);

create index recommendation_due_at on recommendation_due (due_at);

-- The refresh of everyone: one row, which is also the lock of the replica that has a batch at hand.
create table recommendation_run (
    id boolean primary key default true check (id),
    -- The last person that was done; null: no run is under way.
    cursor uuid,
    started_at timestamptz,
    finished_at timestamptz,
    -- How long its batches have taken, rests left out: what a refresh of everyone costs.
    worked_ms bigint not null default 0
);

insert into recommendation_run default values;

-- Whether a person may be recommended to a reader, leaving aside whether they are here and not banned.
create function may_recommend(reader uuid, other uuid) returns boolean language sql stable as $$
    select reader <> other
        and not exists (select from follow where user_id = reader and target_id = other and stands)
        and not exists (select from dismissed_person where user_id = reader and person_id = other)
        and not exists (select from mute where user_id = reader and target_id = other)
        and not hidden(reader, other)
        and not exists (select from erasure where person in (reader, other))
$$;
