-- The pictures of posts, as far as feeds show them.
create table post_picture (
    post_id uuid primary key,
    -- Whose data they are, for the erasure.
    author uuid not null,
    -- The version of the post that they are of, as in post_card: an older one changes nothing.
    version timestamptz not null,
    -- In the post's order: id, alt, width, height, blurhash, and the key by which the post service shows them as long as the post
    -- is published. Only posts that have pictures, or have had some, have a row.
    pictures jsonb not null
);

create index post_picture_author on post_picture (author);
