-- People whose account is banned are no reason for a recommended post: they are neither counted nor named, as they are recommended to no
-- one themselves. The function is that of 0065 with the last condition; the newest 200 are those that are left.
set local lock_timeout = '2s';

create or replace function recommending_people(reader uuid) returns table (target_id uuid) language sql stable as $$
    select follow.target_id from follow
    where follow.user_id = reader and stands
        and not exists (select from mute where mute.user_id = reader and mute.target_id = follow.target_id)
        and not exists (select from block where block.stands and block.user_id = reader and block.target_id = follow.target_id)
        and not exists (select from block where block.stands and block.user_id = follow.target_id and block.target_id = reader)
        and exists (select from person where person.id = follow.target_id and person.status <> 'BANNED')
    order by follow.at desc limit 200
$$;
