-- no-transaction
-- The index of before has the same first column.
drop index concurrently if exists bookmark_post_id;
