-- no-transaction
-- The open appeals, the most urgent first.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists appeal_waiting on appeal (appeal_place(at, urgency) desc, id desc)
    where status = 'OPEN';
