-- Uploads that go to the store without passing the service: the client has an address to write to, and says when it is done.
create table media_upload (
    -- That of the picture that it becomes, and the key of what the client writes.
    id uuid primary key,
    created_at timestamptz not null default now(),
    created_by uuid not null,
    -- As in media: what the picture will be for, and what it shows.
    purpose text not null constraint media_upload_purpose check (purpose in ('POST', 'AVATAR', 'BANNER')),
    alt text not null,
    -- The size that the client has announced. It counts towards the quota while the address is good, and what is there in the
    -- end must have it.
    bytes bigint not null constraint media_upload_bytes check (bytes > 0),
    -- Until when the address is good.
    expires_at timestamptz not null,
    -- Since when it is over: completed, erased, or given up after a day. Its object is deleted, and then the row.
    ended_at timestamptz
);

-- The sum of the quota, the export, the erasure.
create index media_upload_created_by on media_upload (created_by, created_at desc, id desc);
create index media_upload_created_at on media_upload (created_at) where ended_at is null;
create index media_upload_ended on media_upload (ended_at) where ended_at is not null;
