set local lock_timeout = '2s';

-- What is still to be deleted beneath posts and comments that are gone. A popular one has more beneath it than one transaction should
-- delete: a worker deletes it in pages, each with its events. Until then no user sees it, since what it belongs to is gone.
create table removal (
    -- The post, or the comment.
    subject_id uuid not null,
    -- COMMENTS on a post, REACTIONS to it, BOOKMARKS of it; REPLIES to a comment, COMMENT_REACTIONS to it.
    what text not null
        constraint removal_what check (what in ('COMMENTS', 'REACTIONS', 'BOOKMARKS', 'REPLIES', 'COMMENT_REACTIONS')),
    -- Since when it waits for its next page. The one that waits longest comes next, so that a long one does not stop those behind it.
    at timestamptz not null default clock_timestamp(),
    -- The last row of the last page; rows are deleted newest first. Null: none was deleted. The next page begins there, and does not
    -- look through what the pages before have deleted.
    reached_at timestamptz,
    reached_id uuid,
    primary key (subject_id, what)
);

create index removal_at on removal (at);
