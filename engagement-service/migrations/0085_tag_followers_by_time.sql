-- no-transaction
-- Who follows a tag, the latest first: who is recommended to its followers are its newest ones and those who began right before them. It
-- counts the followers of a tag as well.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists tag_follow_newest on tag_follow (tag, followed_at desc, user_id);
