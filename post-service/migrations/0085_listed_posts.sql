set local lock_timeout = '2s';

-- The posts from before there were lists; new ones are added meanwhile. No reader waits for it; a write that
-- lists a post which is done already waits for its end, and fails after two seconds.
insert into post_listing (list, created_at, post_id)
select distinct category, created_at, id from post, unnest(types) as category where status = 'POSTED'
on conflict do nothing;

insert into post_listing (list, created_at, post_id)
select 'media', created_at, id from post where exists (select from post_media where post_id = post.id)
on conflict do nothing;
