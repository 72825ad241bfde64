-- What moderation has decided about posts, as far as it is the business of feeds. A table of its own, and not columns of post_card: an
-- event of moderation may be consumed before the one that creates the post.

create table moderated_post (
    post_id uuid primary key,
    -- The author, with whose data the row leaves.
    author uuid not null,
    -- The newest decision that was applied, by moderation's counting; 0: none was. An older one changes nothing.
    version bigint not null default 0,
    -- Whether it keeps the post out of the feeds of all but its author. Whether the post is to be seen at all is the post service's
    -- word, in post_card.
    limited boolean not null default false,
    -- The same counting for labels, which have a stream of their own.
    labels_version bigint not null default 0,
    -- What readers are warned of, in moderation's words.
    labels text[] not null default '{}'
);

-- What feeds leave out: of all that moderation has ever decided about, few.
create index moderated_post_limited on moderated_post (post_id) where limited;
create index moderated_post_author on moderated_post (author);

-- Messages to one reader, with whose notification they leave.
create index system_message_done_at on system_message (done_at) where cardinality(user_ids) = 1;
