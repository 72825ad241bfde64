set local lock_timeout = '2s';

-- Moderation can close a post for comments: it is LOCKED then, for its author, too.
-- The constraint is replaced by one that allows more: what the release before writes and reads holds under both.
-- squawk-ignore ban-drop-constraint
alter table post drop constraint post_comments,
    add constraint post_comments check (comments in ('EVERYONE', 'CONNECTIONS', 'NOBODY', 'LOCKED')) not valid;

create or replace function may_comment(seen post, writer uuid) returns boolean language sql stable as $$
    select seen.comments <> 'LOCKED' and (
        seen.created_by = writer or seen.comments = 'EVERYONE' or (
            seen.comments = 'CONNECTIONS'
            and exists (select from connection where user_id = seen.created_by and target_id = writer and stands)
        )
    )
$$;
