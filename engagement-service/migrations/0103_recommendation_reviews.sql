-- A person who is banned behind a notification that recommends them is withdrawn from it, and comes back when the ban ends.
set local lock_timeout = '2s';

-- People whose account changed, until it is seen to that they stand behind such notifications or do not. A queue and not a part of the event,
-- since any number of readers may have been notified of one person.
create table recommendation_review (
    person_id uuid primary key,
    asked_at timestamptz not null default now()
);

-- The oldest first.
create index recommendation_review_asked_at on recommendation_review (asked_at);

-- As in 0089, with the last condition. A person whose sign-up is not consumed yet has no row, and is no banned one.
create or replace function may_recommend(reader uuid, other uuid) returns boolean language sql stable as $$
    select exists (select from recommendable(reader, other))
        and not exists (select from person where id = other and status = 'BANNED')
$$;

-- Those who were banned before.
insert into recommendation_review (person_id) select id from person where status = 'BANNED';
