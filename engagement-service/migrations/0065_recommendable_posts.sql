-- What may be recommended to whom, in one place: a list is made by it, and each page of the list is read by it, so that the two cannot
-- differ. The walk-through is in docs/recommendations.md.
--
-- Both functions are one select, are stable and are not strict, so that Postgres puts their text in the place of a call and plans it with
-- the rest of the statement. A test reads the plan.
set local lock_timeout = '2s';

-- The people by whom posts are recommended to a reader: the newest 200 whom they are connected to, less those whom they mute or who do not
-- see each other with them, since a reason that names these would not be welcome.
create function recommending_people(reader uuid) returns table (target_id uuid) language sql stable as $$
    select follow.target_id from follow
    where follow.user_id = reader and stands
        and not exists (select from mute where mute.user_id = reader and mute.target_id = follow.target_id)
        and not exists (select from block where block.stands and block.user_id = reader and block.target_id = follow.target_id)
        and not exists (select from block where block.stands and block.user_id = follow.target_id and block.target_id = reader)
    order by follow.at desc limit 200
$$;

-- A post, if it may be recommended to a reader. It may be when it is published, when their home feed does not have it (by their connections,
-- by a tag that they follow, or since it is theirs), when it is new to them, and when they may and want to read of its author.
create function recommendable_post(reader uuid, wanted uuid)
returns table (feed_key uuid, user_id uuid, types text[], published_at timestamptz) language sql stable as $$
    select post_card.feed_key, post_card.user_id, post_card.types, post_card.published_at
    from post_card
    where post_card.id = wanted and post_card.deleted_at is null and not post_card.hidden and post_card.status = 'POSTED'
        and not exists (select from moderated_post where moderated_post.post_id = post_card.id and limited)
        -- Their home feed has it.
        and post_card.user_id <> reader
        and not exists (select from follow where follow.user_id = reader and follow.target_id = post_card.user_id and follow.stands)
        and not exists (
            select from tagged_post join tag_follow on tag_follow.tag = tagged_post.tag
            where tagged_post.post_id = post_card.id and tag_follow.user_id = reader)
        -- They know it, or do not want it.
        and not exists (select from seen_post where seen_post.user_id = reader and seen_post.post_id = post_card.id)
        and not exists (select from post_hide where post_hide.user_id = reader and post_hide.post_id = post_card.id)
        and not exists (select from not_interested where not_interested.user_id = reader and not_interested.post_id = post_card.id)
        and not exists (
            select from reaction_card
            where reaction_card.post_id = post_card.id and reaction_card.user_id = reader and reaction_card.deleted_at is null)
        and not exists (
            select from comment_card
            where comment_card.post_id = post_card.id and comment_card.user_id = reader and comment_card.deleted_at is null)
        -- They may not or do not want to read of its author.
        and not exists (select from mute where mute.user_id = reader and mute.target_id = post_card.user_id)
        and not exists (select from block where block.stands and block.user_id = reader and block.target_id = post_card.user_id)
        and not exists (select from block where block.stands and block.user_id = post_card.user_id and block.target_id = reader)
        and exists (select from person where person.id = post_card.user_id and person.status <> 'BANNED')
$$;
