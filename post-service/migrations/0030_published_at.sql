-- When a post was first published: a draft that is published late enters the feeds of its readers at that time.
alter table post
    -- When the status first became POSTED; archiving and publishing again leave it. Null: it never was.
    add column published_at timestamptz;

-- When the posts that exist were published was never stored, only when they were last changed. They get the time of their
-- creation, which no edit has moved, so that nothing old comes to the top of a feed. One that is archived or a draft now was
-- published before if it has an NFT record: that is made by the first publication, and kept.
update post set published_at = created_at
where status = 'POSTED' or exists (select from post_nft where post_nft.post_id = post.id);
