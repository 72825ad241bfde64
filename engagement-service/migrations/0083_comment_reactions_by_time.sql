-- no-transaction
-- Who reacted to a comment, the latest first, for the same.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists comment_reaction_card_newest on comment_reaction_card (comment_id, created_at desc, id desc)
    include (user_id) where deleted_at is null;
