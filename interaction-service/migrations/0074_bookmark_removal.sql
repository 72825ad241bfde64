-- no-transaction
-- The bookmarks of a post in the order in which they are deleted with it.
create index concurrently if not exists bookmark_post_id_created_at on bookmark (post_id, created_at desc, id desc);
