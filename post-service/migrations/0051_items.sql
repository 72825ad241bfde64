-- Attachments: what a post is about, a link or a thing of another catalogue.

-- The catalogue. An item is written by the first post that has it, and stays as it is while posts have it.
create table item (
    id uuid primary key,
    created_at timestamptz not null default now(),
    kind text not null constraint item_kind check (kind in ('LINK', 'TRACK', 'ALBUM', 'ARTIST', 'MOVIE', 'BOOK', 'OTHER')),
    -- What another catalogue calls it, such as an ISBN; null: its address is its name.
    external_id text,
    -- As browsers read it (WHATWG URL): https, with a host of the public web.
    url text not null,
    title text not null,
    -- Those who made it, in their order.
    artists text[] not null,
    -- Where it is, in words.
    site text,
    -- A picture of it, like the address above. Clients load it; the service never does.
    picture_url text,
    -- When a post was last given it. What no post has is deleted a day later.
    used_at timestamptz not null default now()
);

-- The catalogue has no doubles: a thing is there once by its kind and name, or, without a name, by its kind and address.
create unique index item_kind_external_id_key on item (kind, external_id) where external_id is not null;
create unique index item_kind_url_key on item (kind, url) where external_id is null;
-- What may be to be deleted.
create index item_used_at on item (used_at);

-- The item of a post, at most one.
create table post_item (
    post_id uuid primary key references post (id) on delete cascade,
    item_id uuid not null references item (id)
);

-- The posts of an item.
create index post_item_item on post_item (item_id);
