-- What people may do beyond their own things, and how long they are kept from writing or from signing in.

alter table account
    -- MODERATOR: mutes, bans and deletes what others wrote. ADMIN: gives and takes roles, too.
    add column role text not null default 'USER'
        constraint account_role check (role in ('USER', 'MODERATOR', 'ADMIN')),
    -- When MUTED or BANNED ends by itself; null is never.
    add column status_until timestamptz
        constraint account_status_until check (status_until is null or status in ('MUTED', 'BANNED'));

-- The few who are not just anybody, newest first, and those whose time is up.
create index account_with_role on account (role, date_joined desc, id desc) where role <> 'USER';
create index account_restricted on account (status, date_joined desc, id desc) where status in ('MUTED', 'BANNED');
create index account_status_due on account (status_until) where status_until is not null;

-- What was decided about a person, for those who decide next. It leaves with the person; that somebody decided stays in
-- the audit, which has nobody's words.
create table decision (
    id uuid primary key,
    at timestamptz not null default now(),
    user_id uuid not null references account (id) on delete cascade,
    -- Who decided; null is an operator at the command line, or time that was up. It may be somebody who has left since.
    decided_by uuid,
    -- The role that was given, or the status that was set; one of the two.
    role text,
    status text,
    -- When the status ends by itself.
    until timestamptz,
    -- Why, in the words of whoever decided.
    reason text,
    constraint decision_one check (num_nonnulls(role, status) = 1)
);

create index decision_user on decision (user_id, at desc, id desc);
