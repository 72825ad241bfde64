-- What search finds. It is a table of its own and not columns of post: the counters of a post change all the time, and a
-- wide document in the same row would be copied with each change.
create table post_search (
    -- One row per post that all users may read: published, and not hidden. It is written in the transaction of the post.
    post_id uuid primary key references post (id) on delete cascade,
    -- The author, for blocks and for the filter.
    author uuid not null,
    -- When the post was first published: the order of results by time, and of the candidates for the order by relevance.
    published_at timestamptz not null,
    -- The categories, for the filter.
    types text[] not null,
    -- The #tags of the text, folded, for the filter.
    tags text[] not null,
    -- The text search configuration of the language that was found in the text; simple where none was.
    config text not null,
    -- The words of the title (A), tags and categories (B) and the content (C): each as it is written, without case and
    -- accents, and, where the language is known, its stem.
    document tsvector not null
);

create index post_search_document on post_search using gin (document);
-- Results by time, and the newest posts that contain a common word.
create index post_search_time on post_search (published_at desc, post_id desc);
create index post_search_author on post_search (author, published_at desc, post_id desc);

-- Beginnings by which posts and tags are suggested while a user types.
create table search_key (
    -- TAG: a tag. TITLE: a title from one of its words on.
    kind text not null constraint search_key_kind check (kind in ('TAG', 'TITLE')),
    -- Folded. In the order of bytes, in which all that begins alike lies together.
    key text collate "C" not null,
    post_id uuid not null references post_search (post_id) on delete cascade,
    primary key (kind, key, post_id)
);

create index search_key_post on search_key (post_id);

-- How far the posts that were there before search are indexed.
create table search_backfill (
    -- There is one row.
    one boolean primary key default true constraint search_backfill_one check (one),
    -- The last post that was looked at, in the order of ids.
    after uuid not null default '00000000-0000-0000-0000-000000000000',
    -- When the last one was; null: it goes on.
    done_at timestamptz
);

insert into search_backfill default values;
