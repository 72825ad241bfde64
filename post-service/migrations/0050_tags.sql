-- Tags: which posts have which, and what is talked about.

-- The tags of posts, as they stand in the newest version of the content. Written in the transaction that writes the post.
create table post_tag (
    post_id uuid not null references post (id) on delete cascade,
    -- The name as it is compared: folded.
    tag text not null,
    -- The name as it is written there the first time.
    written text not null,
    -- The author, since trends count people. The post's, like the times below, so that a page and a trend are read from an index.
    author_id uuid not null,
    created_at timestamptz not null,
    -- When the post was first published; null: it never was. A tag that is added later gets this time too: an old post that is
    -- edited makes no trend.
    published_at timestamptz,
    primary key (post_id, tag)
);

-- The posts with a tag, newest first.
create index post_tag_page on post_tag (tag, created_at desc, post_id desc);
-- What was used of late.
create index post_tag_published on post_tag (published_at) where published_at is not null;

-- How far the tags of the posts that were written before there were tags are read out of them.
create table tag_backfill (
    -- One row.
    is_it boolean primary key default true check (is_it),
    -- The last post that is done, in the order of ids.
    done_to uuid not null default '00000000-0000-0000-0000-000000000000',
    -- When the last one was; null: there are more.
    done_at timestamptz
);

insert into tag_backfill default values;

-- The tags that are used more than their past lets expect. Written as a whole, once a minute.
create table trend (
    tag text primary key,
    -- How most people write it.
    written text not null,
    score double precision not null,
    -- How many people used it in the last day.
    authors bigint not null
);

create index trend_score on trend (score desc, tag);
