-- What a post said before it was edited. Readers who answered an earlier text can show what they answered.
alter table post
    -- When its author last changed what its readers had read: the title, the content or the categories, after it was first
    -- published. Null: never. updated_at moves with every version, also by moderation.
    add column edited_at timestamptz;

-- An earlier version, of a post that had been published when it was changed.
create table post_version (
    id uuid primary key,
    post_id uuid not null references post (id) on delete cascade,
    -- The author, for the export of personal data.
    created_by uuid not null,
    -- Until when the post was so.
    replaced_at timestamptz not null,
    title text,
    content text not null,
    types text[] not null
);

-- The history of a post, the last version first.
create index post_version_post on post_version (post_id, replaced_at desc, id desc);
create index post_version_created_by on post_version (created_by, replaced_at desc, id desc);
