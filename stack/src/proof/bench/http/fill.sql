-- Posts and comments as they are after a while: :posts posts, 20 comments on each tenth of them, by 1,000 authors in turn.

create schema if not exists bench;
grant usage on schema bench to public;
-- The id of a post by its number.
create or replace function bench.post(n bigint) returns uuid immutable parallel safe
    language sql as $$ select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;

begin;
-- All references are to rows that exist: foreign keys need not be checked once for every comment.
set local session_replication_role = replica;
insert into post.post (id, created_by, created_at, updated_at, title, content, types, status)
select bench.post(n), md5('author ' || n % 1000)::uuid, at, at, 'A walk', repeat('By the sea, and back. ', 10),
    '{TRAVEL}', 'POSTED'
from generate_series(1, :posts) as n
cross join lateral (select timestamptz '2026-01-01' + n * interval '1 second') as written (at);
insert into interaction.post (id, created_by, status, updated_at)
select id, created_by, status, updated_at from post.post where id between bench.post(1) and bench.post(:posts);
insert into interaction.comment (id, created_by, created_at, updated_at, post_id, content)
select bench.post(n * 20 + k), md5('author ' || (n + k) % 1000)::uuid, at, at, bench.post(n),
    'Well said. I had not looked at it in this way before, and now I cannot look at it in any other.'
from generate_series(:commented, :posts, :commented) as n cross join generate_series(1, 20) as k
cross join lateral (select timestamptz '2026-02-01' + (n * 20 + k) * interval '1 second') as written (at);
-- A profile for each hundredth post, with its sums.
insert into engagement.profile (id, user_id, total_owned_posts, total_post_comments, scored_on)
select bench.post(n), md5('author ' || n)::uuid, 100, 100, current_date from generate_series(1, :posts / 100) as n;
insert into engagement.summary (user_id, category, total)
select md5('author ' || n)::uuid, category, n % 100
from generate_series(1, :posts / 100) as n cross join unnest(array['TRAVEL', 'NEWS', 'SPORTS', 'BOOKS', 'FOOD']) as category;
commit;

vacuum analyze post.post;
vacuum analyze interaction.post;
vacuum analyze interaction.comment;
vacuum analyze engagement.profile;
vacuum analyze engagement.summary;
-- All of this is on the disk before anything is measured.
checkpoint;
