-- Pictures: what can be decided about them, and those that are not wanted.

-- MEDIA: a picture that the post service has made. Its row among the contents says whose it is; it has no text.
alter table content drop constraint content_type_check, add check (type in ('POST', 'COMMENT', 'MEDIA'));
alter table subject drop constraint subject_type_check, add check (type in ('POST', 'COMMENT', 'MEDIA', 'USER'));
alter table report drop constraint report_subject_type_check,
    add check (subject_type in ('POST', 'COMMENT', 'MEDIA', 'USER'));
alter table analysis drop constraint analysis_content_type_check,
    add check (content_type in ('POST', 'COMMENT', 'MEDIA'));

-- The bands of a perceptual hash: eight bits each, numbered, so that equal bits of different bands differ. Of two hashes that
-- differ in at most seven bits at least one band is equal.
create function hash_bands(hash bigint) returns integer[] language sql immutable strict parallel safe as $$
    select array[(hash & 255)::integer, 256 + ((hash >> 8) & 255)::integer, 512 + ((hash >> 16) & 255)::integer,
        768 + ((hash >> 24) & 255)::integer, 1024 + ((hash >> 32) & 255)::integer, 1280 + ((hash >> 40) & 255)::integer,
        1536 + ((hash >> 48) & 255)::integer, 1792 + ((hash >> 56) & 255)::integer]
$$;

-- What is known of a picture: how it looks, in 64 bits, and nothing of it itself.
create table picture (
    id uuid primary key,
    owner uuid not null,
    -- What it was uploaded for, as the post service calls it.
    purpose text not null,
    content_type text not null,
    width integer not null,
    height integer not null,
    -- SHA-256 of the file.
    sha256 bytea not null check (length(sha256) = 32),
    -- The perceptual hash, as a signed number: the bits are what counts.
    hash bigint not null,
    bands integer[] not null generated always as (hash_bands(hash)) stored,
    -- Of one picture the newest holds.
    version bigint not null,
    saved_at timestamptz not null default now(),
    -- Whether it is to be judged again, because the blocklist has changed near it.
    is_due boolean not null default false
);
create index picture_bands on picture using gin (bands);
create index picture_owner on picture (owner, saved_at desc, id desc);
create index picture_due on picture (id) where is_due;

-- Pictures whose copies are recognised.
create table blocked_picture (
    id uuid primary key,
    hash bigint not null constraint blocked_picture_hash_key unique,
    bands integer[] not null generated always as (hash_bands(hash)) stored,
    -- What the decisions about copies name: a code of the taxonomy.
    reason text not null,
    -- Why, for other administrators. Null: nothing, or erased.
    note text,
    created_at timestamptz not null default now(),
    -- Null: the account was deleted.
    created_by uuid
);
create index blocked_picture_bands on blocked_picture using gin (bands);
create index blocked_picture_created_at on blocked_picture (created_at desc, id desc);

-- What follows for a copy. A policy of its own: the first one may have been changed since.
insert into policy (id, name, version, mode, rules) values ('019aa0c6-0000-7000-8000-000000000002', 'Pictures', 1, 'ENFORCE', '[
    {"name": "blocked-picture", "when": {"signal": "blocked_pictures", "at_least": 1}, "outcome": "HIDE", "reason": "OTHER_RULES",
     "severity": 1}
]')
on conflict (name) do nothing;
insert into policy_version (policy, version, mode, rules, note)
select id, version, mode, rules, 'It came with the service' from policy
where id = '019aa0c6-0000-7000-8000-000000000002';
