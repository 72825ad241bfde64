-- no-transaction
-- What a person did to comments, the latest first, as of reactions to posts and of comments: where one who is not blocked any more is
-- brought back into the notifications of another, however much they ever did.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists comment_reaction_card_trail on comment_reaction_card (user_id, created_at desc)
    include (comment_id, post_id) where deleted_at is null;
