set local lock_timeout = '2s';

-- How the last partition of reactions, which has no end, is given one when it is large. Posts of later months then have their reactions in
-- the next one, which is there long before the first of these posts.
--
-- Postgres reads all rows of a partition that is given bounds, behind a lock that no statement passes, unless a check proves them. So
-- a cut has three steps: begin_reaction_cut adds the check, which holds for new rows only; validate_reaction_cut has Postgres read the rows,
-- while they are read and written; finish_reaction_cut sets the bounds. A step returns false where it has nothing to do, or another replica
-- is at one. All that they know is in the catalogue, so a cut goes on wherever it broke off.

-- The lowest UUIDv7 of a moment.
create function first_id_of(moment timestamptz) returns uuid language sql stable as $$
    select rpad(lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- The moment of a UUIDv7.
create function moment_of_id(id uuid) returns timestamptz language sql stable as $$
    select to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;

create view last_reaction_partition as
select relname::text as name,
    -- With its indexes.
    pg_total_relation_size(pg_class.oid) as bytes,
    -- Where it begins; null: it is the first one, too.
    substring(pg_get_expr(relpartbound, pg_class.oid) from 'FROM \(''(.*)''\) TO')::uuid as begins_at,
    -- Where the cut is that was begun; null: none was.
    substring(pg_get_constraintdef(pg_constraint.oid) from 'post_id < ''([^'']*)''')::uuid as ends_at,
    -- Whether all of its rows lie before that.
    coalesce(convalidated, false) as is_validated
from pg_inherits join pg_class on pg_class.oid = inhrelid
    left join pg_constraint on conrelid = inhrelid and conname = 'reaction_cut'
where inhparent = 'reaction'::regclass and pg_get_expr(relpartbound, pg_class.oid) like '% TO (MAXVALUE)';

-- Makes the transaction the only one that cuts; false: another one does. What it locks it waits for only briefly, since all statements
-- behind it would wait as long.
create function lock_reaction_cut() returns boolean language sql volatile as $$
    select set_config('lock_timeout', '100ms', true) is not null
        and pg_try_advisory_xact_lock(hashtextextended(current_schema || '/reaction_cut', 0))
$$;

-- None is begun where posts have ids that are no UUIDv7, which other implementations give them: most of those lie behind every month.
create function begin_reaction_cut(moment timestamptz) returns boolean language plpgsql as $$
declare
    cut uuid := first_id_of(moment);
    last last_reaction_partition;
begin
    if not lock_reaction_cut() or exists (select from post where id >= cut) then
        return false;
    end if;
    select * into strict last from last_reaction_partition;
    if last.ends_at is not null or last.begins_at >= cut then
        return false;
    end if;
    execute format('alter table %I add constraint reaction_cut check (%s post_id < %L) not valid', last.name,
        case when last.begins_at is not null then format('post_id >= %L and', last.begins_at) end, cut);
    return true;
end
$$;

create function validate_reaction_cut() returns boolean language plpgsql as $$
declare
    last last_reaction_partition;
begin
    if not lock_reaction_cut() then
        return false;
    end if;
    select * into last from last_reaction_partition where ends_at is not null and not is_validated;
    if not found then
        return false;
    end if;
    execute format('alter table %I validate constraint reaction_cut', last.name);
    return true;
end
$$;

create function finish_reaction_cut() returns boolean language plpgsql as $$
declare
    last last_reaction_partition;
    next text;
begin
    if not lock_reaction_cut() then
        return false;
    end if;
    select * into last from last_reaction_partition where is_validated;
    if not found then
        return false;
    end if;
    next := 'reaction_' || to_char(moment_of_id(last.ends_at) at time zone 'UTC', 'YYYY_MM');
    execute format('alter table reaction detach partition %I', last.name);
    execute format('alter table reaction attach partition %I for values from (%s) to (%L)', last.name,
        coalesce(quote_literal(last.begins_at), 'minvalue'), last.ends_at);
    execute format('alter table %I drop constraint reaction_cut', last.name);
    execute format('create table %I partition of reaction (primary key (id)) for values from (%L) to (maxvalue)', next, last.ends_at);
    return true;
end
$$;

-- Gives up a cut that is not finished when its month is near, or posts come that lie behind it: their reactions would be refused.
create function abandon_reaction_cut() returns boolean language plpgsql as $$
declare
    last last_reaction_partition;
begin
    if not lock_reaction_cut() then
        return false;
    end if;
    select * into last from last_reaction_partition where ends_at is not null;
    if not found then
        return false;
    end if;
    execute format('alter table %I drop constraint reaction_cut', last.name);
    return true;
end
$$;
