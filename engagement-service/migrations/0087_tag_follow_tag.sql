-- no-transaction
-- The index of the newest followers has the same first column.
-- The session has a time limit for locks.
-- squawk-ignore require-lock-timeout
drop index concurrently if exists tag_follow_tag;
