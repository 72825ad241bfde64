-- no-transaction
-- The bookmarks of a post in the order in which they are deleted with it.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists bookmark_post_id_created_at on bookmark (post_id, created_at desc, id desc);
