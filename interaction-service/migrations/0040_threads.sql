-- Replies to comments, and reactions to comments.

alter table comment
    -- The first comment of the thread that it replies in; null: it is a first one itself. A thread has one level: a reply to a reply
    -- is a reply to the first. Checked when the transaction ends, since a deletion removes the first comment before its replies:
    -- from then on its row lets no further reply in.
    add column reply_to uuid constraint comment_reply_to_fkey references comment (id) deferrable initially deferred;

-- The replies of a thread, newest first, and how many there are.
create index comment_reply_to on comment (reply_to, created_at desc, id desc) where reply_to is not null;

-- Reactions to comments. They are counted when they are read: a stored count would make all who react to a comment at once wait in
-- one line, and would be one more number that can be wrong.
create table comment_reaction (
    id uuid primary key,
    created_at timestamptz not null default now(),
    -- Who reacted.
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    -- Deferred as above: a deletion removes the comment, then what belongs to it.
    comment_id uuid not null
        constraint comment_reaction_comment_id_fkey references comment (id) deferrable initially deferred,
    -- The post of the comment, for those who consume the events.
    post_id uuid not null,
    type text not null
        constraint comment_reaction_type check (type in ('LIKE', 'LOVE', 'ANGRY', 'SAD', 'FUNNY', 'JOY')),
    -- One reaction of a person to a comment. It decides which of two at once is the first.
    constraint comment_reaction_comment_id_created_by_key unique (comment_id, created_by)
);

-- The reactions to a comment, newest first.
create index comment_reaction_comment_id on comment_reaction (comment_id, created_at desc, id desc);
-- What a person gave, for who asks what is held about them, and for who leaves.
create index comment_reaction_created_by on comment_reaction (created_by, created_at desc, id desc);
