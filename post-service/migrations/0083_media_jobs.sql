set local lock_timeout = '2s';

-- Pictures that have changed or are deleted: the posts that show them are published again, some at a time. One picture may be on a
-- hundred thousand posts, which no transaction of a request can lock.
create table media_republication (
    media_id uuid primary key,
    -- The last post that is done, in the order of ids.
    done_to uuid not null default '00000000-0000-0000-0000-000000000000',
    -- Grows when the picture changes once more: then all of its posts are to be done, those that were done, too.
    revision integer not null default 0,
    -- Until when a worker has it, or since when none has.
    free_at timestamptz not null default now(),
    asked_at timestamptz not null default now()
);

-- The order in which they are taken.
create index media_republication_free_at on media_republication (free_at);

-- How many bytes of the quota a person uses: of their pictures, and of the direct uploads that are announced and not over. A sum of
-- all their pictures at each upload would take the longer the more they have.
create table media_usage (
    owner uuid primary key,
    bytes bigint not null
);

-- They find their tables whatever the path of the connection is that sets them off.
create function add_media_bytes() returns trigger language plpgsql set search_path from current as $$
begin
    insert into media_usage (owner, bytes) values (new.created_by, new.bytes)
    on conflict (owner) do update set bytes = media_usage.bytes + excluded.bytes;
    return null;
end
$$;

create function subtract_media_bytes() returns trigger language plpgsql set search_path from current as $$
begin
    update media_usage set bytes = bytes - old.bytes where owner = old.created_by;
    return null;
end
$$;

-- They are triggers and not statements of the service, so that the release before counts, too.
create trigger media_bytes_added after insert on media for each row execute function add_media_bytes();
create trigger media_bytes_subtracted after delete on media for each row execute function subtract_media_bytes();
create trigger media_upload_bytes_added after insert on media_upload for each row execute function add_media_bytes();
create trigger media_upload_bytes_subtracted after update of ended_at on media_upload for each row
    when (old.ended_at is null and new.ended_at is not null) execute function subtract_media_bytes();

-- Nothing is written meanwhile, since the triggers hold writers off until the end: some two seconds per million pictures.
insert into media_usage (owner, bytes)
select created_by, sum(bytes) from (
    select created_by, bytes from media
    union all
    select created_by, bytes from media_upload where ended_at is null
) as kept
group by created_by;

-- People whose rows are erased and whose files may not be gone yet. The erasure is confirmed when they are, and the row goes with that.
create table unconfirmed_erasure (
    person uuid primary key
);

-- Of a file that is to be deleted, whose picture was the last to refer to it; null: the release before has marked it. Their erasure
-- waits for it.
alter table media_blob add column owner uuid;

-- A deleted picture leaves its posts a page at a time, as the others learn of it: until then its rows here lead nowhere, and all that
-- reads them joins the pictures. What adds a row holds the lock of the picture, so none is added of one that is gone.
-- squawk-ignore ban-drop-constraint
alter table post_media drop constraint post_media_media_id_fkey;
