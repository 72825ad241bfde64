-- Pictures: what was uploaded, the files in the store, which post shows which, who has which avatar and banner.

-- A file in the store. Its key there is made of the id and is written once: no object is ever overwritten, so nothing that is
-- read can change, and nothing that is deleted can be what another upload has just written.
create table media_blob (
    id uuid primary key,
    -- Of the content. Equal bytes are one blob, however many pictures have them.
    sha256 bytea not null constraint media_blob_sha256_length check (octet_length(sha256) = 32),
    -- Found by the content, or chosen by the encoder; never what a client has claimed.
    content_type text not null,
    bytes bigint not null,
    created_at timestamptz not null default now(),
    -- Since when nothing refers to it. Its object is deleted, and then the row; nothing refers to it again meanwhile, and an
    -- upload of the same bytes is a new blob.
    doomed_at timestamptz
);

create unique index media_blob_sha256_key on media_blob (sha256) where doomed_at is null;
create index media_blob_doomed on media_blob (doomed_at) where doomed_at is not null;

-- A picture, from its upload on.
create table media (
    id uuid primary key,
    created_at timestamptz not null default now(),
    -- The owner.
    created_by uuid not null,
    -- What it is for, which decides how it is cut: POST as it is, AVATAR square, BANNER as it is.
    purpose text not null constraint media_purpose check (purpose in ('POST', 'AVATAR', 'BANNER')),
    -- UPLOADED: waits for the worker. READY: has its renditions. REFUSED: will never be shown.
    status text not null default 'UPLOADED' constraint media_status check (status in ('UPLOADED', 'READY', 'REFUSED')),
    -- Why it was refused.
    reason text,
    -- Of the upload, found by its content.
    content_type text not null,
    -- Of the upload, which is what the owner's quota counts.
    bytes bigint not null,
    -- Of the upload; by it other services recognise the same file.
    sha256 bytea not null,
    -- Of the picture as it is shown, after it was turned. Null until it is ready, as the next two are.
    width integer,
    height integer,
    -- A few colours as a short text, shown until the picture is loaded. <https://blurha.sh>
    blurhash text,
    -- 64 bits that are alike for pictures that look alike: the Hamming distance of two is their difference.
    perceptual_hash bigint,
    -- What it shows, in the owner's words.
    alt text not null default '',
    -- Grows with each change of what others may know of it.
    version bigint not null default 1,
    -- The upload as it came. Null once its renditions are made: it holds where the photograph was taken.
    original uuid references media_blob (id),
    -- Until when a worker has it. One that died leaves it, and another takes it then.
    leased_until timestamptz,
    -- How often a worker has begun; a picture that ends its worker is refused after a few.
    attempts integer not null default 0,
    -- Since when no post shows it, and it is nobody's avatar. Abandoned for a day it is deleted.
    unused_since timestamptz default now(),
    -- Since when moderation hides it; and the newest decision about it that was applied, as in `post`.
    hidden_at timestamptz,
    decision_version bigint not null default 0
);

-- The owner's list, and the sum of the quota.
create index media_created_by on media (created_by, created_at desc, id desc);
-- The worker's queue.
create index media_uploaded on media (created_at) where status = 'UPLOADED';
create index media_unused on media (unused_since) where unused_since is not null;
create index media_original on media (original) where original is not null;

-- What is served of a picture.
create table media_rendition (
    media_id uuid not null references media (id) on delete cascade,
    -- thumbnail, medium, or original where that is kept (an animation).
    name text not null,
    blob_id uuid not null references media_blob (id),
    width integer not null,
    height integer not null,
    primary key (media_id, name)
);

create index media_rendition_blob on media_rendition (blob_id);

-- Which post shows which pictures, in what order.
create table post_media (
    -- Deferred, so that a post is deleted first and its pictures in the same transaction; one that is forgotten fails the commit.
    post_id uuid not null references post (id) deferrable initially deferred,
    place smallint not null,
    media_id uuid not null references media (id) on delete cascade,
    -- With it a feed of another service can show the picture as long as the post is published. It is random and stored, so that
    -- it ends with the row.
    key uuid not null,
    primary key (post_id, place),
    constraint post_media_once unique (post_id, media_id)
);

create index post_media_media on post_media (media_id);

-- Who has which picture as avatar and as banner. The row stays when the picture is gone, for its version.
create table profile_picture (
    user_id uuid not null,
    purpose text not null constraint profile_picture_purpose check (purpose in ('AVATAR', 'BANNER')),
    media_id uuid references media (id) on delete set null,
    -- Of this picture of this person; consumers act on the newest.
    version bigint not null default 1,
    primary key (user_id, purpose)
);

create index profile_picture_media on profile_picture (media_id) where media_id is not null;
