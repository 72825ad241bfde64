-- The pictures that readers see of a post. A refused one has nothing to show, and one that moderation hides is its owner's alone;
-- the answers of posts, and the filter for posts with pictures, follow this one rule.
create view shown_media as
    select post_id, place, media_id, key from post_media join media on media.id = media_id
    where media.status <> 'REFUSED' and media.hidden_at is null;
