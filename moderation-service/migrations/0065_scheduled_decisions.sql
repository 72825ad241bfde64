set local lock_timeout = '2s';

-- Decisions that moderators have made now for later. When one is due it is made like any other, with its rows and entries; until then it
-- has no effect.
create table scheduled_decision (
    id uuid primary key,
    subject_type text not null check (subject_type in ('POST', 'COMMENT', 'MEDIA', 'USER')),
    subject_id uuid not null,
    -- Who wrote the subject, for the export and the erasure.
    author uuid not null,
    -- Who has decided.
    moderator uuid not null,
    created_at timestamptz not null default now(),
    due_at timestamptz not null,
    -- What a decision has: actions as JSON, a code of the taxonomy, the policy that it follows from, notes for the author and for moderators,
    -- for how many hours it is in force, and whether the reports that it answers were a misuse.
    actions jsonb not null,
    reason text not null,
    policy uuid,
    policy_version integer,
    rule text,
    public_note text,
    internal_note text,
    hours integer,
    abusive boolean not null,
    -- WAITING: it is not due. DONE: it was made. CANCELLED: a moderator has taken it back before. GONE: its subject was deleted before.
    status text not null default 'WAITING' check (status in ('WAITING', 'DONE', 'CANCELLED', 'GONE')),
    -- The decision that was made.
    decision uuid,
    -- Since when it waits no more.
    ended_at timestamptz,
    check ((status = 'WAITING') = (ended_at is null))
);
-- What is due next.
create index scheduled_decision_due on scheduled_decision (due_at) where status = 'WAITING';
create index scheduled_decision_created_at on scheduled_decision (created_at desc, id desc);
create index scheduled_decision_subject on scheduled_decision (subject_type, subject_id, created_at desc, id desc);
-- What the erasure of an author or a moderator looks for.
create index scheduled_decision_author on scheduled_decision (author, created_at desc, id desc);
create index scheduled_decision_moderator on scheduled_decision (moderator);
