-- What moderation's analyser took down: hidden and not deleted, since it reads words and not meaning, and a moderator may restore
-- it.
alter table post
    -- Whether the stored version is hidden from all; a later version may be restored.
    add column hidden boolean not null default false;

alter table comment
    -- Since when it is hidden from all, its author included.
    add column hidden_at timestamptz,
    -- Moderation's reason, in the words of its case.
    add column hidden_reason text,
    -- The version that a moderator restored: the analyser does not decide about it again, and about a later one it does.
    add column restored_at timestamptz;

-- The list of what is hidden, newest first.
create index comment_hidden on comment (created_at desc, id desc) where hidden_at is not null;

create or replace function visible(seen post, viewer uuid) returns boolean language sql stable as $$
    select seen.deleted_at is null and not seen.hidden
        and (seen.created_by = viewer or (seen.status = 'POSTED' and not hidden(viewer, seen.created_by)))
$$;

-- Whether a viewer may see a comment on a post that they may see.
create function readable(said comment, viewer uuid) returns boolean language sql stable as $$
    select said.hidden_at is null and not hidden(viewer, said.created_by)
$$;
