-- Posts to be found: `posts` of them, a second apart. Words by how many posts have them: "common", "engine", "steam power" all,
-- "twentieth" one in twenty, "rarest" ten in all, and each post some of its own.
set search_path = post;

insert into post (id, created_at, created_by, title, content, types, status, published_at)
select gen_random_uuid(), now() - make_interval(secs => n), ('00000000-0000-4000-8000-' || lpad((n % 5000)::text, 12, '0'))::uuid,
    'Title ' || substr(md5(n::text), 1, 6) || ' of ' || substr(md5((n * 7)::text), 1, 5) || ' engine',
    concat_ws(' ', 'common', substr(md5((n % 1000)::text), 1, 6), substr(md5((n % 50000)::text), 1, 7), 'steam power',
        substr(md5(n::text), 1, 9), case when n % greatest(:posts / 10, 1) = 0 then 'rarest' end,
        case when n % 20 = 0 then 'twentieth' end, '#tag' || n % 30000),
    '{NEWS}', 'POSTED', now() - make_interval(secs => n)
from generate_series(1, :posts) as n;

insert into post_search (post_id, author, published_at, types, config, document)
select id, created_by, published_at, types, 'english',
    setweight(to_tsvector('simple', lower(title)), 'A') || setweight(to_tsvector('simple', 'news'), 'B')
    || setweight(to_tsvector('simple', content), 'C')
    || setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', content), 'C')
from post;

insert into search_key (kind, key, post_id)
select 'TITLE', key, id from post, unnest(array[lower(title), substr(lower(title), 7), 'engine']) as key;

insert into post_tag (post_id, tag, written, author_id, created_at, published_at)
select id, tag, tag, created_by, created_at, published_at
from post cross join lateral (select substr(content, strpos(content, '#') + 1)) as of_post (tag);

vacuum analyze post;
vacuum analyze post_search;
vacuum analyze search_key;
vacuum analyze post_tag;
