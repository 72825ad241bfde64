-- no-transaction
-- The posts of a picture a page at a time, in the order of ids.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists post_media_media_post on post_media (media_id, post_id);
