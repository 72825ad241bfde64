-- no-transaction
-- A search for a common word in a rare category: the two are intersected, instead of reading all posts with the word.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists post_search_types on post_search using gin (types);
