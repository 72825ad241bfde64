-- Who is connected to whom, copied from the auth service's events and, for what happened before they were kept, from its list.

-- One row per pair that ever was. An event of one stream overtakes that of the other: the newest one counts.
create table connection (
    user_id uuid not null,
    target_id uuid not null,
    -- Whether the user is connected to the target now.
    stands boolean not null,
    -- When that began or ended.
    at timestamptz not null,
    primary key (user_id, target_id)
);

-- Whose connections name a user, for their erasure.
create index connection_target on connection (target_id);

-- How far the auth service's list is copied. One row.
create table connection_copy (
    single boolean primary key default true check (single),
    -- Up to which pair, as the list's cursor has it; empty: from the first one.
    cursor text not null default '',
    -- Since when all of it is here.
    done_at timestamptz
);
insert into connection_copy default values;

alter table post
    -- Who may comment beside the author: EVERYONE, CONNECTIONS (those to whom the author is connected) or NOBODY.
    add column comments text not null default 'EVERYONE'
        constraint post_comments check (comments in ('EVERYONE', 'CONNECTIONS', 'NOBODY'));

-- Whether a user may comment on a post that they may see: one rule, applied where the post is locked.
create function may_comment(seen post, writer uuid) returns boolean language sql stable as $$
    select seen.created_by = writer or seen.comments = 'EVERYONE' or (
        seen.comments = 'CONNECTIONS'
        and exists (select from connection where user_id = seen.created_by and target_id = writer and stands)
    )
$$;
