-- Views over the tables of all five services, which the checks query; `subscriptions` is made before them.

create temp view published as
select 'auth' as noun, stream, pos, prev, event_id, message, seq from auth.outbox
union all select 'post', stream, pos, prev, event_id, message, seq from post.outbox
union all select 'interaction', stream, pos, prev, event_id, message, seq from interaction.outbox
union all select 'moderation', stream, pos, prev, event_id, message, seq from moderation.outbox
union all select 'engagement', stream, pos, prev, event_id, message, seq from engagement.outbox;

create temp view watermarks as
select 'auth' as noun, stream, ms from auth.inbox
union all select 'post', stream, ms from post.inbox
union all select 'interaction', stream, ms from interaction.inbox
union all select 'moderation', stream, ms from moderation.inbox
union all select 'engagement', stream, ms from engagement.inbox;

create temp view numbers as
select 'auth' as noun, stream, last_pos from auth.relay_state
union all select 'post', stream, last_pos from post.relay_state
union all select 'interaction', stream, last_pos from interaction.relay_state
union all select 'moderation', stream, last_pos from moderation.relay_state
union all select 'engagement', stream, last_pos from engagement.relay_state;

create temp view parked as
select 'auth' as noun, stream, entry_id, event_id, error from auth.dead_letter
union all select 'post', stream, entry_id, event_id, error from post.dead_letter
union all select 'interaction', stream, entry_id, event_id, error from interaction.dead_letter
union all select 'moderation', stream, entry_id, event_id, error from moderation.dead_letter
union all select 'engagement', stream, entry_id, event_id, error from engagement.dead_letter;

create temp view erasures as
select 'auth' as noun, person, confirmed_at, done_at from auth.erasure
union all select 'post', person, confirmed_at, done_at from post.erasure
union all select 'interaction', person, confirmed_at, done_at from interaction.erasure
union all select 'moderation', person, confirmed_at, done_at from moderation.erasure
union all select 'engagement', person, confirmed_at, done_at from engagement.erasure;

-- What has not been applied everywhere; empty when the platform has settled.
create temp view behind as
select format('%s has an event of %s without a number (seq %s)', noun, stream, seq) from published where pos is null
union all
select format('%s applied %s up to %s of %s', subscriptions.noun, subscriptions.stream, coalesce(ms, 0), last_pos)
from subscriptions join numbers on numbers.stream = subscriptions.stream
    left join watermarks on watermarks.noun = subscriptions.noun and watermarks.stream = subscriptions.stream
where coalesce(ms, 0) <> last_pos
union all
select format('auth has not written the hash of %s', user_id) from auth.user_detail where written < version
union all
select format('%s has not erased %s', noun, person) from erasures where confirmed_at is null
union all
select format('moderation has closed reports up to entry %s of %s', follower.seq, head.seq)
from moderation.report_follower as follower, moderation.ledger_head as head where follower.seq <> head.seq
union all
select format('engagement has a fan-out of post %s', post_id) from engagement.fan_out
union all
select format('engagement has not dropped the feed of %s', user_id) from engagement.feed_drop
union all
select 'engagement has not dropped all feeds' from engagement.feed_drop_all where done_to is not null
union all
select format('post has not indexed post %s', post_id) from post.search_pending
union all
select format('post has not processed picture %s', id) from post.media where status = 'UPLOADED'
union all
select format('post has not deleted file %s', id) from post.media_blob where doomed_at is not null;

-- What moderation asked to take down. Its cases about a person end when they leave; its events stay.
create temp view unwanted as
select (message ->> 'content_id')::uuid as id from moderation.outbox
where stream in ('post_delete_requested', 'moderation_post_comment_delete_requested');

-- Posts, comments and pictures, and whether users are answered that they do not exist.
create temp view judged_content as
select 'POST' as type, id, created_by as author, hidden_at is not null as hidden from post.post
union all select 'COMMENT', id, created_by, hidden_at is not null from interaction.comment
union all select 'MEDIA', id, created_by, hidden_at is not null from post.media;

-- Every counter, and a recount of the facts that it counts.
create temp view counters (id, what, counter, recount) as
select id::text, 'comments of post', total_comments::bigint,
    (select count(*) from interaction.comment where post_id = post.id and comment.hidden_at is null)
from post.post
union all
select id::text, 'reactions to post', total_reactions,
    (select count(*) from interaction.reaction where post_id = post.id)
from post.post
union all
select id::text, 'views of post', total_views, coalesce(views, 0)
from post.post left join (
    select message ->> 'id' as post_id, count(*) as views from interaction.outbox where stream = 'post_viewed' group by 1
) as viewed on post_id = id::text
union all
select post_id::text, 'comments of card', comments,
    (select count(*) from interaction.comment where comment.post_id = post_count.post_id and comment.hidden_at is null)
from engagement.post_count
union all
select post_id::text, 'reactions of card', reactions,
    (select count(*) from interaction.reaction where reaction.post_id = post_count.post_id)
from engagement.post_count
union all
select post_count.post_id::text, 'views of card', post_count.views, coalesce(viewed.views, 0)
from engagement.post_count left join (
    select message ->> 'id' as post_id, count(*) as views from interaction.outbox where stream = 'post_viewed' group by 1
) as viewed on viewed.post_id = post_count.post_id::text
union all
select id::text, 'connections of account', total_connections,
    (select count(*) from auth.connection where user_id = account.id)
from auth.account
union all
select user_id::text, 'posts of profile', total_owned_posts,
    (select count(*) from post.post where created_by = user_id)
from engagement.profile
union all
select user_id::text, 'comments of profile', total_post_comments,
    (select count(*) from interaction.comment where created_by = user_id and hidden_at is null)
from engagement.profile
union all
select user_id::text, 'reactions of profile', total_post_reactions,
    (select count(*) from interaction.reaction where created_by = user_id)
from engagement.profile
union all
select user_id::text, 'views of profile', total_post_views, coalesce(views, 0)
from engagement.profile left join (
    select message ->> 'viewed_by' as viewer, count(*) as views
    from interaction.outbox where stream = 'post_viewed' group by 1
) as viewed on viewer = user_id::text
union all
-- Per category, where either side has something.
select coalesce(user_id, created_by)::text,
    'posts in category ' || coalesce(summary.category, posts.category) || ' of profile', coalesce(total, 0), coalesce(posts, 0)
from engagement.summary full join (
    select created_by, category, count(*) as posts from post.post, unnest(types) as category group by 1, 2
) as posts on created_by = user_id and posts.category = summary.category
union all
-- Per day, all days of a run together.
select profile.user_id::text, 'actions by day of profile', coalesce(sum(total), 0)::bigint,
    total_owned_posts + total_post_comments + total_post_reactions + total_post_views
from engagement.profile left join engagement.activity on activity.user_id = profile.user_id
group by profile.user_id, total_owned_posts, total_post_comments, total_post_reactions, total_post_views;

-- Who must be notified of whose reaction, comment or reply on which post: of others', while the post can be seen.
create temp view expected_notification as
select reply.reader, reply.what, reply.post_id, reply.actor
from post.post join (
    select post.created_by as reader, 'POST_REACTION_RECEIVED' as what, post_id, reaction.created_by as actor
    from interaction.reaction join post.post on post.id = post_id
    union select post.created_by, 'POST_COMMENT_RECEIVED', said.post_id, said.created_by
    from interaction.comment as said join post.post on post.id = said.post_id
    left join interaction.comment as first on first.id = said.reply_to
    where said.hidden_at is null and first.created_by is distinct from post.created_by
    union select first.created_by, 'COMMENT_REPLY', said.post_id, said.created_by
    from interaction.comment as said join interaction.comment as first on first.id = said.reply_to
    where said.hidden_at is null and first.hidden_at is null
    union select comment.created_by, 'COMMENT_REACTION_RECEIVED', comment.post_id, reaction.created_by
    from interaction.comment_reaction as reaction join interaction.comment on comment.id = comment_id
    where comment.hidden_at is null
) as reply on reply.post_id = post.id
where post.status = 'POSTED' and post.hidden_at is null and reply.reader <> reply.actor
    and not exists (select from erasures where noun = 'engagement' and person in (reply.reader, reply.actor));
