-- no-transaction
-- A search for a common word in a rare category: the two are intersected, instead of reading all posts with the word.
create index concurrently if not exists post_search_types on post_search using gin (types);
