-- People in groups in the read model of the engagement service: `people` people in `groups` groups. Each is connected to twenty others, sixteen of
-- them in the group and four anywhere; half of the people of a group have the group's interest and the others a drawn one; each has reacted to
-- ten posts, eight of the group's fifty and two drawn ones. Each tenth connection is held out: it is in `bench.held_edge` and nowhere
-- else. With `tastes` each person listens to fifteen tracks and ten artists, of which two in three are the group's, and shares that.
--
-- `bench.reader` has the ids of those who sign in: they are the people 1, 2, …
begin;
create schema if not exists bench;
create table bench.member (n integer primary key, id uuid not null, team integer not null);
select setseed(0.5);
insert into bench.member
select n, coalesce(reader.id, ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid), n % :groups
from generate_series(1, :people) as n left join bench.reader using (n);

insert into engagement.person (id, username, first_name, last_name, status, version, interests)
select id, 'person.' || n, 'Person', n::text, 'ACTIVE', now(),
    array[(array['FOOD', 'NEWS', 'BOOKS', 'HEALTH', 'SPORTS', 'TRAVEL', 'FASHION', 'FICTION', 'CULTURAL', 'POLITICS'])
        [1 + case when random() < 0.5 then team % 10 else floor(random() * 10)::integer end]]
from bench.member on conflict (id) do update set interests = excluded.interests;

insert into engagement.post_card (id, user_id, created_at, title, content, types, tags, status, version, published_at)
select ('00000000-0000-4000-a000-' || lpad((own.team * 50 + turn)::text, 12, '0'))::uuid,
    (select id from bench.member where n = 1 + own.team), now() - interval '1 day', 'A walk', 'By the sea, and back.',
    array[(array['FOOD', 'NEWS', 'BOOKS', 'HEALTH', 'SPORTS', 'TRAVEL', 'FASHION', 'FICTION', 'CULTURAL', 'POLITICS'])[1 + own.team % 10]],
    array['group' || own.team], 'POSTED', now(), now() - interval '1 day'
from generate_series(0, :groups - 1) as own (team), generate_series(1, 50) as turn;

create table bench.edge (one uuid not null, other uuid not null, held boolean not null);
insert into bench.edge
select drawn.id, friend.id, bool_or(drawn.turn % 10 = 0)
from (select id, n, team, turn, random() as place from bench.member cross join generate_series(1, 20) as turn) as drawn
join bench.member as friend on friend.n = case when drawn.turn % 5 = 4 then 1 + floor(place * :people)::integer
    else greatest(1, least(:people, floor(power(place, 1.5) * (:people / :groups - 1))::integer * :groups
        + case when drawn.team = 0 then :groups else drawn.team end)) end
where friend.id <> drawn.id group by drawn.id, friend.id;
create table bench.held_edge as select one, other from bench.edge where held;
insert into engagement.follow (user_id, target_id, stands, at)
select one, other, true, now() - random() * interval '100 days' from bench.edge where not held on conflict do nothing;

insert into engagement.reaction_card (id, post_id, user_id, type, created_at, version)
select gen_random_uuid(), ('00000000-0000-4000-a000-' || lpad((
        (case when turn > 8 then floor(random() * :groups)::integer else team end) * 50 + 1 + floor(random() * 50)::integer
    )::text, 12, '0'))::uuid, id, 'LIKE', now(), now()
from bench.member cross join generate_series(1, 10) as turn;

insert into engagement.taste (person_id, linked, linked_at, shared, items, fetched_at, due_at, matched)
select id, true, now(), true, jsonb_build_object('tracks', tracks, 'artists', artists, 'genres',
        jsonb_build_array(jsonb_build_object('id', 'genre' || team, 'name', 'genre' || team, 'weight', 40))),
    now(), now() + interval '7 days', true
from bench.member
cross join lateral (
    select jsonb_agg(jsonb_build_object('id', 't' || track, 'name', 't' || track, 'weight', 3)) as tracks from (
        select distinct (case when turn % 3 = 0 then floor(random() * :groups)::integer else team end) * 1000
            + floor(1000 * power(random(), 2) + 0 * n)::integer as track
        from generate_series(1, 15) as turn) as drawn
) as heard
cross join lateral (
    select jsonb_agg(jsonb_build_object('id', 'a' || artist, 'name', 'a' || artist, 'weight', 8)) as artists from (
        select distinct (case when turn % 3 = 0 then floor(random() * :groups)::integer else team end) * 200
            + floor(200 * power(random(), 2) + 0 * n)::integer as artist
        from generate_series(1, 10) as turn) as drawn
) as played
where :tastes;
insert into engagement.taste_item (kind, item, person_id, weight)
select kind, item ->> 'id', person_id, (item ->> 'weight')::real
from engagement.taste cross join lateral (values ('TRACK', items -> 'tracks'), ('ARTIST', items -> 'artists')) as list (kind, list)
cross join lateral jsonb_array_elements(list) as one (item);
commit;

vacuum analyze engagement.person;
vacuum analyze engagement.follow;
vacuum analyze engagement.post_card;
vacuum analyze engagement.reaction_card;
vacuum analyze engagement.taste;
vacuum analyze engagement.taste_item;
checkpoint;
