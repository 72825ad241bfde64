set local lock_timeout = '2s';

-- Reactions lie in partitions by the time of their post: they are the largest table of all, and a partition is vacuumed, indexed and
-- restored by itself. Ids of posts are UUIDv7, so a range of them is a range of time, and with the post in it the key that decides which of
-- two reactions of a user is the first stays one of the whole table. What was the table becomes the first partition, and the only one
-- until it is large (0081): no row is read or moved here.
-- The name is there for the release before at every moment: this is one transaction.
-- squawk-ignore renaming-object, renaming-table
alter table reaction rename to reaction_first;
-- squawk-ignore renaming-object
alter index reaction_pkey rename to reaction_first_pkey;
-- squawk-ignore renaming-object
alter index reaction_post_id rename to reaction_first_post_id;
-- squawk-ignore renaming-object
alter index reaction_created_by rename to reaction_first_created_by;
-- squawk-ignore renaming-object
alter index reaction_post_id_created_by_key rename to reaction_first_post_id_created_by_key;

create table reaction (
    -- The primary key of each partition. One of the whole table would have to have the post in it.
    id uuid not null,
    created_at timestamptz not null default now(),
    -- Who reacted.
    created_by uuid not null,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    post_id uuid not null constraint reaction_post_id_fkey references post (id),
    type text not null constraint reaction_type check (type in ('LIKE', 'LOVE', 'ANGRY', 'SAD', 'FUNNY', 'JOY')),
    -- One reaction of a person to a post.
    constraint reaction_post_id_created_by_key unique (post_id, created_by)
) partition by range (post_id);
-- The reactions to a post, newest first.
create index reaction_post_id on reaction (post_id, created_at desc, id desc);
-- What a person gave, for who asks what is held about them, and for who leaves.
create index reaction_created_by on reaction (created_by, created_at desc, id desc);

-- Its keys, indexes and checks are those of the whole table, so that none is built or checked again.
alter table reaction attach partition reaction_first for values from (minvalue) to (maxvalue);
