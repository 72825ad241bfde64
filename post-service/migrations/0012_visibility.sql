-- Who may see a post: the one rule, for a single post and for the list.
create function visible(seen post, viewer uuid) returns boolean language sql stable as $$
    select seen.created_by = viewer or (seen.status = 'POSTED' and not hidden(viewer, seen.created_by))
$$;
