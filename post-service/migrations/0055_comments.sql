-- Who may comment on a post beside its author. The interaction service learns it from the post's events and enforces it.
alter table post
    -- EVERYONE who sees it, CONNECTIONS: those to whom the author is connected, or NOBODY. It changes nothing about comments that are
    -- there.
    add column comments text not null default 'EVERYONE'
        constraint post_comments check (comments in ('EVERYONE', 'CONNECTIONS', 'NOBODY'));
