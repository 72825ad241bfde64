set local lock_timeout = '2s';

-- What of the queue a moderator works on, where an administrator has said so. A moderator without a row works on all of it.
create table moderator_scope (
    moderator uuid primary key,
    -- Empty: all of them.
    types text[] not null default '{}',
    families text[] not null default '{}',
    -- Whether also what was escalated.
    escalated boolean not null,
    updated_at timestamptz not null default now(),
    -- The administrator; null: the account was deleted.
    updated_by uuid
);
create index moderator_scope_page on moderator_scope (updated_at, moderator);
