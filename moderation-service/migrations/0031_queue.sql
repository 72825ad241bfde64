-- Reports, and the order of the queue.

-- What users report. A report is closed by what becomes of its subject, and so counts for or against its reporter.
create table report (
    id uuid primary key,
    at timestamptz not null default now(),
    reporter uuid not null,
    subject_type text not null check (subject_type in ('POST', 'COMMENT', 'USER')),
    subject_id uuid not null,
    -- Who wrote the subject, for the export and the erasure.
    author uuid not null,
    -- A code of the taxonomy.
    reason text not null,
    -- What the reporter adds. Null: nothing, or erased.
    text text,
    -- What it weighed when it was made; 0 where the reporter was muted. It stays when the text is erased.
    weight double precision not null check (weight >= 0),
    -- AGREED: a person restricted the subject. IGNORED: a person saw no breach. ABUSIVE: a person saw a misuse of reporting.
    -- GONE: the subject was deleted by its owner before; this counts for nothing.
    status text not null default 'OPEN' check (status in ('OPEN', 'AGREED', 'IGNORED', 'ABUSIVE', 'GONE')),
    -- The decision that closed it; none where the subject is gone.
    decision uuid,
    closed_at timestamptz,
    -- Whether the moderator who decided called the reports about it a misuse; it counts when the report is closed.
    abusive boolean not null default false,
    -- The number of its entry in the ledger: a decision closes the reports that were entered before it, and no later one.
    entry bigint,
    check ((status = 'OPEN') = (closed_at is null))
);

-- One open report per person and subject.
create unique index report_open on report (reporter, subject_type, subject_id) where status = 'OPEN';
create index report_subject on report (subject_type, subject_id, at desc, id desc);
create index report_reporter on report (reporter, at desc, id desc);
-- The record of a reporter is that of their last reports.
create index report_record on report (reporter, closed_at desc) where status in ('AGREED', 'IGNORED', 'ABUSIVE');
create index report_decision on report (decision);
-- What the erasure of an author, and the statistics, look for.
create index report_author on report (author, at desc, id desc);
create index report_at on report (at);

-- Reporters whose reports weigh nothing. They are accepted as before, so that a muted reporter does not notice.
create table reporter_mute (
    reporter uuid primary key,
    moderator uuid not null,
    at timestamptz not null default now(),
    -- Null: for good.
    until timestamptz,
    note text
);

-- Up to which entry of the ledger reports were closed. The ledger is dense and in the order of commits, so a number is enough.
create table report_follower (
    one boolean primary key default true check (one),
    seq bigint not null
);
insert into report_follower (seq) select seq from ledger_head;

-- How long a subject waited for a person: from the first report, finding or appeal since the decision of a person before.
create table review_time (
    decision uuid primary key,
    opened_at timestamptz not null,
    decided_at timestamptz not null
);
create index review_time_decided_at on review_time (decided_at);

-- The order of the queue, and what it is filtered by.
alter table subject
    -- Views, comments and reactions of the content. It is kept up to date while a person has to look at the subject.
    add column reach bigint not null default 0,
    -- For what it was reported and flagged since it was opened: codes of the taxonomy.
    add column reasons text[] not null default '{}',
    -- The family of the gravest of them, of equally grave ones the last: an item stands in the queue of one family.
    add column family text,
    -- Whether a machine has flagged it, since then.
    add column flagged boolean not null default false,
    -- The place in the queue. Urgency is severity x reach x reports x age, and all ages grow alike: an item with e times the
    -- weight of another one comes first until the other has waited 6 hours (21,600 s) longer. So the order of two items
    -- never changes by itself, and an index holds it. Written as a time, like the places in all other lists, with the most
    -- urgent latest: what has waited is subtracted from a day far ahead (2200-01-01, 7,258,118,400 s). Severity counts from
    -- 0.05, so that a mild report is not put off for ever; reach by its order of magnitude.
    add column place timestamptz generated always as (to_timestamp(
        7258118400 - extract(epoch from opened_at at time zone 'UTC')::double precision
        + 21600 * ln(greatest(severity, 0.05) * (1 + log(1 + greatest(reach, 0)::double precision)) * (1 + greatest(report_weight, 0)))
    )) stored;

create index subject_queue on subject (place desc, id desc) where review in ('OPEN', 'ESCALATED');
-- What is rare is found without a walk through the queue: the items of a family, and those that were escalated.
create index subject_family on subject (family, place desc, id desc) where review in ('OPEN', 'ESCALATED');
create index subject_escalated on subject (place desc, id desc) where review = 'ESCALATED';
create index subject_opened_at on subject (opened_at) where review in ('OPEN', 'ESCALATED');

-- A subject that is opened gets the reach of its content; one that is closed is in no queue.
create function prepare_for_queue() returns trigger language plpgsql as $$
begin
    if new.review not in ('OPEN', 'ESCALATED') then
        new.reasons := '{}';
        new.family := null;
        new.flagged := false;
    elsif tg_op = 'INSERT' or old.review not in ('OPEN', 'ESCALATED') then
        new.reach := coalesce((select reach from content where id = new.id), 0);
    end if;
    return new;
end
$$;
create trigger prepare_for_queue before insert or update of review on subject
    for each row execute function prepare_for_queue();

-- The family of a reason: what its code begins with.
create function reason_family(reason text) returns text language sql immutable as $$
    select case when reason like 'CHILD\_SAFETY\_%' then 'CHILD_SAFETY' when reason like 'SELF\_HARM\_%' then 'SELF_HARM'
        else split_part(reason, '_', 1) end
$$;

-- The reasons of reports and findings, and the numbers of reports, from their entries.
create function add_reason() returns trigger language plpgsql as $$
declare
    reason text := new.details::json ->> 'reason';
    gravity double precision := (new.details::json ->> 'severity')::double precision;
begin
    update subject set
        reasons = case when reason is null or reason = any(reasons) then reasons else reasons || reason end,
        family = case when family is null or gravity >= severity then reason_family(reason) else family end,
        flagged = flagged or new.kind = 'flagged'
    where type = new.subject_type and id = new.subject_id and review in ('OPEN', 'ESCALATED');
    if new.kind = 'reported' then
        update report set entry = new.seq where id = (new.details::json ->> 'report')::uuid;
    end if;
    return null;
end
$$;
create trigger add_reason after insert on ledger
    for each row when (new.kind in ('flagged', 'reported')) execute function add_reason();

-- Reach in steps of a tenth of a magnitude: most views change no place, and so write nothing.
create function move_in_queue() returns trigger language plpgsql as $$
begin
    update subject set reach = new.reach
    where type = new.type and id = new.id and review in ('OPEN', 'ESCALATED')
        and trunc(log(1 + reach::double precision) * 10) <> trunc(log(1 + new.reach::double precision) * 10);
    return null;
end
$$;
create trigger move_in_queue after update of reach on content
    for each row when (old.reach is distinct from new.reach) execute function move_in_queue();

-- The claims that have ended, which are deleted.
create index claim_until on claim (until);

-- The key of the moderators' pseudonyms in the public log, one for all replicas. It never leaves the database, and without it a
-- pseudonym cannot be compared with an id.
create table pseudonym_key (
    one boolean primary key default true check (one),
    key bytea not null check (length(key) = 32)
);
insert into pseudonym_key (key)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- The numbers that anyone may see, counted once in a while and not for each reader.
create table transparency (
    one boolean primary key default true check (one),
    counted_at timestamptz not null,
    numbers json not null
);

-- The public log, and the statistics of a time.
create index decision_at on decision (at desc, id desc);
