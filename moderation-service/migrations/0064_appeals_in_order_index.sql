-- no-transaction
-- The open appeals, the most urgent first.
create index concurrently if not exists appeal_waiting on appeal (appeal_place(at, urgency) desc, id desc)
    where status = 'OPEN';
