-- NFTs of posts and comments: the records lose what they doubled, and a request to mint one is carried out in steps.

-- The metadata is built from the post whenever it is read or pinned. Stored, it was a second copy of every text.
alter table post_nft drop column data;

-- The record shows how far its minting is. MINTED is the contract's word for a record whose token exists.
alter table post_nft drop constraint post_nft_status_check;
alter table post_nft add constraint post_nft_status
    check (status in ('READY_FOR_MINTING', 'UPLOADING', 'RETRY', 'PINNED', 'FAILED', 'MINTED'));

-- What authors have asked to be minted, a row per post or comment. A record goes with its post; this row stays, and says why
-- nothing came of it.
create table mint (
    -- The id of the NFT record: of post_nft here, or of comment_nft in the interaction service. What was hidden and restored has
    -- another record, and the same row.
    id uuid not null,
    -- When it was asked for, the last time.
    created_at timestamptz not null default now(),
    -- The author, who alone can ask.
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    kind text not null constraint mint_kind check (kind in ('POST', 'COMMENT')),
    -- The post or comment.
    subject_id uuid not null,
    -- UPLOADING: a worker takes it when it is due. RETRY: the last try failed, and another one will come. PINNED: its metadata can
    -- be read at token_uri. FAILED: given up, reason says why. CANCELLED: its content was withdrawn, reason says how.
    status text not null default 'UPLOADING'
        constraint mint_status check (status in ('UPLOADING', 'RETRY', 'PINNED', 'FAILED', 'CANCELLED')),
    -- Why it waits, failed or was cancelled.
    reason text,
    -- The kind of store in which the metadata is, or is being put, and its content identifier: written before the upload begins,
    -- so that what a dying process has uploaded can be found and removed.
    store text,
    cid text,
    -- What a pinning service calls the request that is under way or done.
    pin_request text,
    -- Where the metadata can be read.
    token_uri text,
    -- How often a worker has claimed it: a worker whose claim is not the last one any more changes nothing.
    claims bigint not null default 0,
    -- Failed tries in a row.
    failures integer not null default 0,
    -- When a worker takes it next; a claim moves it ahead, so that it ends by itself when the worker dies.
    next_try_at timestamptz not null default now(),
    -- A post or comment is minted once. It is the only unique constraint, so that authors who ask at the same moment meet in it.
    constraint mint_kind_subject_id_key primary key (kind, subject_id),
    constraint mint_pinned_has_uri check (status <> 'PINNED' or (cid is not null and token_uri is not null))
);

create index mint_id on mint (id);
-- What is due.
create index mint_due on mint (next_try_at) where status in ('UPLOADING', 'RETRY');
-- An author's, newest first.
create index mint_created_by on mint (created_by, created_at desc, id desc);
-- Whether a document is still referred to.
create index mint_cid on mint (cid) where cid is not null;

-- Documents that are to be removed from a store, since their content was withdrawn. They name no user, so an erasure can leave
-- them behind until the store has answered.
create table unpin (
    store text not null,
    cid text not null,
    pin_request text,
    tries integer not null default 0,
    -- When a worker takes it next. Of one that may be being uploaded, not before that has ended.
    next_try_at timestamptz not null,
    primary key (store, cid)
);

create index unpin_due on unpin (store, next_try_at);
