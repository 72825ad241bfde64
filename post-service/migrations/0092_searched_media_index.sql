-- no-transaction
-- The newest documents of posts with pictures that have a common word.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists post_search_media on post_search (published_at desc, post_id desc) where has_media;
