set local lock_timeout = '2s';

-- Moderation reads a text after it is published. What its author replaces before that, no other user finds in the history: there it would
-- be read by all without ever having been judged.
alter table post
    -- Since when the post says what it says to those who may read it. Null: since it was first published. It is neither edited_at, which
    -- moves with edits of a draft that no other user reads, nor updated_at, which moves with each version.
    add column worded_at timestamptz;

alter table post_version
    -- Whether it stood for so short a time that moderation may not have read it. Of the versions from before nothing is known.
    add column brief boolean not null default false;
