-- What moderation's analyser took down: hidden and not deleted, since it reads words and not meaning, and a moderator may restore
-- it.
alter table post
    -- Since when it is hidden from all, its author included.
    add column hidden_at timestamptz,
    -- Moderation's reason, in the words of its case.
    add column hidden_reason text,
    -- The version that a moderator restored: the analyser does not decide about it again, and about a later one it does.
    add column restored_at timestamptz;

-- The list of what is hidden, newest first.
create index post_hidden on post (created_at desc, id desc) where hidden_at is not null;

create or replace function visible(seen post, viewer uuid) returns boolean language sql stable as $$
    select seen.hidden_at is null
        and (seen.created_by = viewer or (seen.status = 'POSTED' and not hidden(viewer, seen.created_by)))
$$;
