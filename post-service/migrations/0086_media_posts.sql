-- no-transaction
-- The posts of a picture a page at a time, in the order of ids.
create index concurrently if not exists post_media_media_post on post_media (media_id, post_id);
