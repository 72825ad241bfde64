-- Who may see a post: the one rule, for what is read and for what is written alike. A write that asked less than the read of
-- the same post would let a user change what stands where they can no longer look.
create function visible(seen post, viewer uuid) returns boolean language sql stable as $$
    select seen.deleted_at is null
        and (seen.created_by = viewer or (seen.status = 'POSTED' and not hidden(viewer, seen.created_by)))
$$;
