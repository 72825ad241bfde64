-- no-transaction
-- Who mentioned a person, the latest first: where a block ends, what happened meanwhile is looked up from the newest on, however many
-- ever mentioned that person.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists mention_trail on mention (person_id, at desc, source_id desc)
    include (post_id, author_id) where stands;
