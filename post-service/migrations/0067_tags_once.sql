-- The tags of a post were kept three times: here, in the row of its document, and as keys of suggestions. They are kept here alone now:
-- as the tags of posts that all users may read, which a draft's or a hidden post's are not. Filters, suggestions, pages and trends read them.
delete from post_tag using post where post.id = post_id and (status <> 'POSTED' or hidden_at is not null);

-- In the order of bytes, in which all that begins alike lies together, and each tag's posts the newest first. Building it holds up
-- writes of posts with tags for some two seconds per million tags.
create index post_tag_tag on post_tag (tag collate "C", created_at desc, post_id desc);
drop index post_tag_page;

-- Replicas of the version before write it until they are gone; it is dropped with a later version. Keys of tags in search_key are deleted
-- by the worker that fills the index, a few at a time.
alter table post_search alter column tags drop not null;
