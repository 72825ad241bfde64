-- The posts that the events of a backlog are about.
insert into post.post (id, created_by, title, content, types, status)
select md5('post ' || n)::uuid, md5('author ' || n % 100)::uuid, 'A walk', repeat('By the sea, and back. ', 10),
    '{TRAVEL}', 'POSTED'
from generate_series(0, 999) as n
