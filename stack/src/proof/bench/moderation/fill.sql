-- A queue of :cases cases as it is when nobody has decided for a while: all families, one in 20,000 of a rare one, one in 500
-- escalated; opened one per second.

begin;
-- What the triggers would do is in the rows.
set local session_replication_role = replica;
delete from moderation.claim;
delete from moderation.subject where review in ('OPEN', 'ESCALATED');
insert into moderation.subject (type, id, author, version, review, severity, opened_at, reports, report_weight, reach, reasons,
    family, flagged)
select case n % 10 when 0 then 'USER' when 1 then 'COMMENT' else 'POST' end, md5('case ' || n)::uuid, md5('author ' || n % 1000)::uuid,
    1, case when n % 500 = 1 then 'ESCALATED' else 'OPEN' end, (n % 4 + 1) / 4.0, now() - n * interval '1 second',
    n % 5, n % 5, n::bigint * 7919 % 100000, array[reason], moderation.reason_family(reason), n % 3 = 0
from generate_series(1, :cases) as n cross join lateral (
    select case when n % 20000 = 2 then 'CHILD_SAFETY_PRIVACY' else (array['SPAM_COMMERCIAL', 'HARASSMENT_INSULT', 'HATE_SLUR',
        'VIOLENCE_THREAT', 'SEXUAL_NUDITY', 'MISLEADING_SCAM'])[1 + n % 6] end
) as found (reason);
commit;

vacuum analyze moderation.subject;
vacuum analyze moderation.claim;
-- All of this is on the disk before anything is measured.
checkpoint;
