-- Authors with more followers than posts are copied to, in the read model of the engagement service: each has :followers who do not
-- read themselves, and a post a minute until now. Some readers read what another reader does and no one else, others these authors
-- as well. Whether posts are copied or looked up the service finds out by itself.

begin;
insert into engagement.follow (user_id, target_id, stands, at)
select reader, target_id, true, now()
from unnest(:'plain'::uuid[] || :'loaded'::uuid[]) as reader cross join engagement.follow
where follow.user_id = :'pattern' and stands;

insert into engagement.follow (user_id, target_id, stands, at)
select reader, author, true, now()
from unnest(:'loaded'::uuid[]) as reader cross join unnest(:'authors'::uuid[]) as author;

insert into engagement.follow (user_id, target_id, stands, at)
select ('01900000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, author, true, now()
from generate_series(1, :followers) as n cross join unnest(:'authors'::uuid[]) as author;

-- The keys of these posts are their ids, and they are on their way into no feed.
insert into engagement.post_card
    (id, user_id, created_at, title, content, types, status, version, published_at, fanned_key)
select post.id, author, at, 'A walk', repeat('By the sea, and back. ', 10), '{TRAVEL}', 'POSTED', at, at, post.id
from generate_series(1, 1000) as n
cross join unnest(:'authors'::uuid[]) with ordinality as big (author, place)
cross join lateral (select now() - n * interval '1 minute' - place * interval '3 seconds' as at) as moment
cross join lateral (
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70009000'
        || lpad(to_hex(n * 100 + place), 12, '0'))::uuid as id
) as post;

insert into engagement.post_count (post_id, views, comments, reactions)
select id, 100, 10, 20 from engagement.post_card where user_id = any (:'authors'::uuid[]);
commit;

vacuum analyze engagement.follow;
vacuum analyze engagement.post_card;
vacuum analyze engagement.post_count;
checkpoint;
