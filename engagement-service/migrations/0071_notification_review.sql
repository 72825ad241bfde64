-- The review of notifications behind a rebuild: the read model has then been filled by other ways than events, so the people behind
-- notifications are compared with what caused them, a page at a time. How far that is.
set local lock_timeout = '2s';

create table notification_review (
    -- One row, which is also the lock of a page.
    is_it boolean primary key default true check (is_it),
    -- The last row of notification_actor that was compared; nil: none is yet, or it has ended.
    past_notification uuid not null default '00000000-0000-0000-0000-000000000000',
    past_actor uuid not null default '00000000-0000-0000-0000-000000000000',
    -- Rows that were compared since it began, and those of them that were not true any more.
    compared bigint not null default 0,
    corrected bigint not null default 0,
    started_at timestamptz,
    -- Null: it is to be done. So it is at first, since rebuilds by the release before have compared nothing.
    finished_at timestamptz,
    -- When it was asked for.
    due_at timestamptz not null default now()
);

insert into notification_review default values;
