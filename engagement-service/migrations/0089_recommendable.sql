set local lock_timeout = '2s';

-- Whether a person may be recommended to a reader, as a function that Postgres writes into the statement that asks: one row where they may,
-- none where not. As a function that is called for each row it was most of what a page, and a batch of the run, cost. Blocks are
-- those of hidden(), which would be such a call again.
create function recommendable(reader uuid, other uuid) returns setof boolean language sql stable as $$
    select true
    where reader <> other
        and not exists (select from follow where user_id = reader and target_id = other and stands)
        and not exists (select from dismissed_person where user_id = reader and person_id = other)
        and not exists (select from mute where user_id = reader and target_id = other)
        and not exists (select from block where user_id = reader and target_id = other and stands)
        and not exists (select from block where user_id = other and target_id = reader and stands)
        and not exists (select from erasure where person in (reader, other))
$$;

-- The same as a condition, for those who ask about few people.
create or replace function may_recommend(reader uuid, other uuid) returns boolean language sql stable as $$
    select exists (select from recommendable(reader, other))
$$;
