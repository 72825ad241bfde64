-- A network as feeds find it, in the read model of the engagement service: the people and connections of `bench.person` and
-- `bench.edge`, and :posts posts, one a second until now. Who writes is drawn by a power law: of :people numbers the one at
-- people · u², where u is even between 0 and 1.

begin;
-- The event of a reader's own registration may have come before.
insert into engagement.person (id, username, first_name, last_name, status, version)
select id, 'person.' || n, 'Person', n::text, 'ACTIVE', now() from bench.person on conflict (id) do nothing;

insert into engagement.follow (user_id, target_id, stands, at)
select one.id, other.id, true, now()
from bench.edge join bench.person as one on one.n = edge.reader join bench.person as other on other.n = edge.target;

select setseed(0.5);
-- Every post stands in feeds under its key already: none is on its way there.
insert into engagement.post_card
    (id, user_id, created_at, title, content, types, status, version, published_at, fanned_key)
select post.id, author.id, at, 'A walk', repeat('By the sea, and back. ', 10), '{TRAVEL}', 'POSTED', at, at, post.id
from (
    select n, now() - (1 + :posts - n) * interval '1 second' as at, floor(:people * power(random(), 2))::integer as author
    from generate_series(1, :posts) as n
) as drawn
cross join lateral (
    -- Its key in feeds as well: it was published when it was written.
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id
) as post
join bench.person as author on author.n = drawn.author;

insert into engagement.post_count (post_id, views, comments, reactions)
select id, 100, 10, 20 from engagement.post_card;

-- Every reader reacted to a fifth of the newest posts.
insert into engagement.reaction_card (id, post_id, user_id, type, created_at, version)
select gen_random_uuid(), card.id, reader.id, 'LIKE', now(), now()
from bench.person as reader
cross join (select id from engagement.post_card order by feed_key desc limit 1000) as card
where reader.reads and random() < 0.2;
commit;

vacuum analyze engagement.person;
vacuum analyze engagement.follow;
vacuum analyze engagement.post_card;
vacuum analyze engagement.post_count;
vacuum analyze engagement.reaction_card;
-- All of this is on the disk before anything is measured.
checkpoint;
