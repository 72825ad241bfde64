-- Tags and mentions: what leads somewhere in the words of posts and comments, who reads by tags, and who is mentioned.

alter table post_card
    -- The tags, mentions and links of the content with their places, as the post service reads them; shown as they come.
    add column facets jsonb not null default '[]',
    -- The tags as they are compared, each once.
    add column tags text[] not null default '{}';

alter table comment_card
    -- The usernames that it mentions, in lower case; its words are not kept. Null: not known, of a comment that was copied from
    -- its owner's rows and not consumed.
    add column mentions text[];

-- The posts with a tag that stand in feeds, by their place there. Kept by the trigger below, so that whatever changes a post, an
-- event, a backfill or an erasure, leaves no tag behind.
create table tagged_post (
    post_id uuid not null references post_card (id) on delete cascade,
    tag text not null,
    feed_key uuid not null,
    author_id uuid not null,
    primary key (post_id, tag)
);

-- The posts with a tag, newest first.
create index tagged_post_tag on tagged_post (tag, feed_key desc) include (post_id, author_id);

create function post_tagged() returns trigger language plpgsql set search_path from current as $$
begin
    delete from tagged_post where post_id = new.id;
    insert into tagged_post (post_id, tag, feed_key, author_id)
    select new.id, tag, new.feed_key, new.user_id from (select distinct unnest(new.tags) as tag) as distinct_tag
    where is_public(new) and new.feed_key is not null;
    return null;
end $$;

-- A post without tags, as most are, costs nothing.
create trigger post_tagged after insert on post_card
    for each row when (new.tags <> '{}') execute function post_tagged();
create trigger post_tagged_again after update on post_card
    for each row when (
        (old.tags <> '{}' or new.tags <> '{}')
        and (old.tags, old.feed_key, old.status, old.hidden, old.deleted_at)
            is distinct from (new.tags, new.feed_key, new.status, new.hidden, new.deleted_at)
    ) execute function post_tagged();

-- The tags by which people read.
create table tag_follow (
    id uuid primary key,
    user_id uuid not null,
    -- The name as it is compared, and as the user wrote it.
    tag text not null,
    written text not null,
    followed_at timestamptz not null default now(),
    constraint tag_follow_user_id_tag_key unique (user_id, tag)
);

-- A user's tags, the latest first.
create index tag_follow_user on tag_follow (user_id, followed_at desc, id desc);
-- How many follow a tag.
create index tag_follow_tag on tag_follow (tag);

-- The lock under which the tags of a user change, so that their number has a bound whatever they ask for at once.
create table tag_follower (
    user_id uuid primary key
);

-- Who is mentioned in which text. The person is who had the name when the mention was consumed, and stays so whatever the names
-- become: someone who takes a name that was given up is not mentioned by what was written before.
create table mention (
    -- The post or the comment that has it.
    source_id uuid not null,
    -- The username, in lower case.
    name text not null,
    -- The post, also of a comment.
    post_id uuid not null,
    author_id uuid not null,
    person_id uuid not null,
    -- The version of the text that had it first: of one that is added later, the edit.
    at timestamptz not null,
    -- Whether the newest version of the text has it, and the text is there and was once published.
    stands boolean not null default true,
    primary key (source_id, name)
);

-- What people wrote on a post.
create index mention_post on mention (post_id, author_id);
create index mention_person on mention (person_id, author_id);
create index mention_author on mention (author_id);

-- Who has a username.
create index person_username on person (lower(username));

-- Notifications with all that is shown of them; of a mention the post as well.
drop view notification_card;
create view notification_card as
    select notification.*, post_card.title as post_title, left(post_card.content, 140) as excerpt,
        system_message.title as message_title, system_message.content as message,
        (
            select coalesce(jsonb_agg(jsonb_build_object('id', actor.actor_id, 'username', username,
                'first_name', first_name, 'last_name', last_name, 'avatar_url', avatar_url)
                order by actor.at desc, actor.actor_id), '[]')
            from (
                select actor_id, at from notification_actor where notification_id = notification.id and stands
                order by at desc, actor_id limit 3
            ) as actor left join person on person.id = actor.actor_id
        ) as actors
    from notification
    left join post_card on post_card.id = subject_id
        and type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'USER_MENTIONED')
    left join system_message on system_message.id = subject_id and type = 'SYSTEM_MESSAGE';
