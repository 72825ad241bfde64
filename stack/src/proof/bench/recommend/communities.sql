-- Planted communities in the read model of the engagement service: `people` people in `groups` groups, as many posts as people over the
-- last 29 days, and 20 reactions of each person. Of five reactions four are to posts of the own group and one is noise. Within a
-- group posts are liked by a power law: of k posts the one at k · u², where u is even between 0 and 1. Nobody is connected:
-- what is found, is found by what people like alone.
--
-- `bench.reader` has the ids of those who sign in: they are the people 1, 2, … For each a quarter of the reactions is held out: it is
-- in `bench.held_out` and nowhere else.
begin;
create schema if not exists bench;
create table if not exists bench.reader (n integer primary key, id uuid not null);
create table bench.community (n integer primary key, id uuid not null, team integer not null);
insert into bench.community
select n, coalesce(reader.id, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid), n % :groups
from generate_series(1, :people) as n left join bench.reader using (n);

insert into engagement.person (id, username, first_name, last_name, status, version)
select id, 'member.' || n, 'Member', n::text, 'ACTIVE', now() from bench.community on conflict (id) do nothing;

select setseed(0.5);
create table bench.story (n integer primary key, id uuid not null, team integer not null, rank integer not null, at timestamptz not null);
insert into bench.story
select n, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
    n % :groups, n / :groups, at
from (select n, now() - interval '29 days' * random() as at from generate_series(1, :people) as n) as drawn;

-- The author of a post is of its group; one in ten people writes.
insert into engagement.post_card (id, user_id, created_at, title, content, types, status, version, published_at, fanned_key)
select story.id, author.id, at, 'A walk', 'By the sea, and back.', '{TRAVEL}', 'POSTED', at, at, story.id
from bench.story as story join bench.community as author
    on author.n = (1 + (story.n * 7919::bigint) % (:people / 10 / :groups)) * :groups + story.team;

create table bench.liking (reader integer not null, post uuid not null, at timestamptz not null, held boolean not null);
insert into bench.liking
select n, story.id, max(now() - interval '20 days' * random()), bool_and(turn <= 5) and n <= :readers
from (
    select n, team, turn, case when turn % 5 = 4 then floor(random() * :groups)::integer else team end as target,
        floor((:people / :groups - 1) * power(random(), 2))::integer as place
    from bench.community cross join generate_series(1, 20) as turn
) as drawn
join bench.story as story on story.team = drawn.target and story.rank = drawn.place
group by n, story.id;

create table bench.held_out (reader uuid not null, post uuid not null);
insert into bench.held_out
select member.id, post from bench.liking join bench.community as member on member.n = reader
join engagement.post_card on post_card.id = post and post_card.user_id <> member.id
where held;

insert into engagement.reaction_card (id, post_id, user_id, type, created_at, version)
select gen_random_uuid(), post, member.id, 'LIKE', at, at
from bench.liking join bench.community as member on member.n = reader where not held;

insert into engagement.post_count (post_id, views, comments, reactions)
select story.id, 5 * count(post_id), 0, count(post_id) from bench.story as story left join engagement.reaction_card on post_id = story.id
group by story.id;
commit;

vacuum analyze engagement.person;
vacuum analyze engagement.post_card;
vacuum analyze engagement.post_count;
vacuum analyze engagement.reaction_card;
checkpoint;
