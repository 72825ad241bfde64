-- no-transaction
-- Who is connected to a person, the latest first: whom they may want to be connected to as well.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists follow_newest on follow (target_id, at desc, user_id) where stands;
