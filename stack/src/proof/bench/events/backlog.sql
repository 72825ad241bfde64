-- The posts that the events of a backlog are about, and the payload of event n of a stream about a post. A batch of 500 events is
-- about 500 posts.

insert into post.post (id, created_by, title, content, types, status)
select md5('post ' || n)::uuid, md5('author ' || n % 100)::uuid, 'A walk', repeat('By the sea, and back. ', 10),
    '{TRAVEL}', 'POSTED'
from generate_series(0, 999) as n;

create function bench.payload(stream text, post post.post, n bigint) returns json language sql as $$
    select case stream
        when 'post_viewed' then json_build_object('id', post.id, 'created_at', post.created_at,
            'created_by', post.created_by, 'updated_at', post.updated_at, 'updated_by', null, 'title', post.title,
            'content', post.content, 'types', post.types, 'status', post.status, 'total_views', n, 'total_comments', 0,
            'total_reactions', 0, 'score', 0.0, 'popularity', 0.0, 'viewed_by', md5('person ' || n % 10000)::uuid)
        when 'post_comment_created' then json_build_object('id', gen_random_uuid(), 'created_at', now(),
            'created_by', md5('person ' || n % 10000)::uuid, 'updated_at', now(), 'updated_by', null, 'post_id', post.id,
            'content', repeat('Well said, and not seen in this way before. ', 3))
        when 'post_reaction_created' then json_build_object('id', gen_random_uuid(), 'created_at', now(),
            'created_by', md5('person ' || n % 10000)::uuid, 'updated_at', now(), 'updated_by', null, 'post_id', post.id,
            'type', 'LIKE')
    end
$$;
