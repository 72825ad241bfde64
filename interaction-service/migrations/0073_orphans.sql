set local lock_timeout = '2s';

-- A comment may be gone before the replies and reactions to it (removal). That none is added meanwhile the locks see to: both lock the
-- comment before, and its deletion waits for them. The release before deletes all in one transaction, with and without these.
-- squawk-ignore ban-drop-constraint
alter table comment drop constraint comment_reply_to_fkey;
-- squawk-ignore ban-drop-constraint
alter table comment_reaction drop constraint comment_reaction_comment_id_fkey;

-- Whether a comment is gone with its post, or with the comment that it replies to, and only waits to be deleted.
create function removed(said comment) returns boolean language sql stable as $$
    select exists (select from post where id = said.post_id and deleted_at is not null)
        or exists (select from removal where subject_id = said.reply_to and what = 'REPLIES')
$$;

-- Whether a viewer may see a comment on a post that they may see.
create or replace function readable(said comment, viewer uuid) returns boolean language sql stable as $$
    select said.hidden_at is null and not hidden(viewer, said.created_by)
        and not exists (select from removal where subject_id = said.reply_to and what = 'REPLIES')
$$;
