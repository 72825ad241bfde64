-- no-transaction
-- Who replied to a comment, the latest first, for the same: a comment can have any number of replies.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists comment_card_replies on comment_card (reply_to, created_at desc, id desc)
    include (user_id) where reply_to is not null and deleted_at is null and not hidden;
