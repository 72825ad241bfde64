-- Drafts that publish themselves.
alter table post
    -- When the draft is to be published; null: when its author says so.
    add column publish_at timestamptz,
    -- Why the draft was not published when it was due: CONTENT, moderation would hide it; AUTHOR, its author was muted or banned.
    -- Until the author changes the draft.
    add column publish_refused text
        constraint post_publish_refused check (publish_refused in ('CONTENT', 'AUTHOR')),
    -- Only what is not published yet can be published later.
    add constraint post_publish_at check (publish_at is null or status = 'DRAFT');

-- What is due. No counter is in it, so counting stays as cheap as it was.
create index post_due on post (publish_at, id) where publish_at is not null;
