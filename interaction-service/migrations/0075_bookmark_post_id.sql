-- no-transaction
-- The index of before has the same first column.
-- The session has a time limit for locks.
-- squawk-ignore require-lock-timeout
drop index concurrently if exists bookmark_post_id;
