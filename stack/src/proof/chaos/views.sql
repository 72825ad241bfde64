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
select format('interaction has not deleted the %s of %s', lower(what), subject_id) from interaction.removal
union all
select format('post has not published the posts of picture %s again', media_id) from post.media_republication
union all
select format('post has not confirmed the erasure of %s', person) from post.unconfirmed_erasure
union all
select format('post has not indexed post %s', post_id) from post.search_pending
union all
select format('engagement has not looked for who listens to what %s does', person_id) from engagement.taste where not matched
union all
select format('post has not processed picture %s', id) from post.media where status = 'UPLOADED'
union all
select format('post has not deleted file %s', id) from post.media_blob where doomed_at is not null
union all
select format('moderation has not made scheduled decision %s', id) from moderation.scheduled_decision where status = 'WAITING';

-- The relations of users to each other and to posts.
create temp view related (kind, user_id, target_id) as
select 'connection', user_id, target_id from auth.connection
union all select 'block', user_id, target_id from auth.block
union all select 'mute', user_id, target_id from engagement.mute
union all select 'hide', user_id, post_id from engagement.post_hide
union all select 'disinterest', user_id, post_id from engagement.not_interested
union all select 'dismissal', user_id, person_id from engagement.dismissed_person;

-- The items of tastes that lead to their people, as the tastes have them: the weightiest twenty of a kind, of those who share that.
create temp view taste_recount (kind, item, person_id, weight) as
select list.kind, one.item ->> 'id', person_id, (one.item ->> 'weight')::real
from engagement.taste
cross join lateral (values ('TRACK', items -> 'tracks'), ('ARTIST', items -> 'artists')) as list (kind, items)
cross join lateral jsonb_array_elements(list.items) with ordinality as one (item, place)
where shared and place <= 20;

-- How similar two tastes are, of which something is in common: of tracks, artists and genres the weighted Jaccard index, with their shares.
create temp view taste_similarity (person_id, other_id, similarity) as
with part (kind, factor) as (values ('tracks', 4), ('artists', 3), ('genres', 3)),
weighed as materialized (
    select person_id, kind, factor, one.item ->> 'id' as item, (one.item ->> 'weight')::float8 as weight
    from engagement.taste cross join part cross join lateral jsonb_array_elements(taste.items -> kind) as one (item)
),
total as (select person_id, kind, sum(weight) as weight from weighed group by person_id, kind),
common as (
    select mine.person_id, theirs.person_id as other_id, kind, mine.factor, sum(least(mine.weight, theirs.weight)) as weight
    from weighed as mine join weighed as theirs using (kind, item)
    where mine.person_id <> theirs.person_id group by mine.person_id, theirs.person_id, kind, mine.factor
)
select common.person_id, common.other_id,
    sum(common.factor * common.weight / (mine.weight + theirs.weight - common.weight)) / 10
from common join total as mine on (mine.person_id, mine.kind) = (common.person_id, common.kind)
join total as theirs on (theirs.person_id, theirs.kind) = (common.other_id, common.kind)
group by common.person_id, common.other_id;

-- Two users of whom one blocks the other, in either order.
create temp view apart (one, other) as
select user_id, target_id from auth.block union select target_id, user_id from auth.block;

-- Two users between whom there was a block at any time.
create temp view parted (one, other) as
select (message ->> 'user_id')::uuid, (message ->> 'target_id')::uuid from auth.outbox where stream = 'user_blocked'
union
select (message ->> 'target_id')::uuid, (message ->> 'user_id')::uuid from auth.outbox where stream = 'user_blocked';

-- What moderation asked to take down, which is all that it ever had hidden. Its cases about a person end when they leave; its events
-- stay.
create temp view unwanted as
select (message ->> 'content_id')::uuid as id from moderation.outbox
where stream in ('post_delete_requested', 'moderation_post_comment_delete_requested');

-- What moderation has deleted for good.
create temp view removed as
select (message ->> 'subject_id')::uuid as id from moderation.outbox
where stream = 'moderation_decided' and message ->> 'visibility' = 'REMOVED';

-- How often moderation has hidden a post or comment that was to be seen, and what it has shown again.
create temp view visibility_change (id, hides, shows) as
select subject_id,
    count(*) filter (where visibility in ('HELD', 'HIDDEN', 'REMOVED') and previous not in ('HELD', 'HIDDEN', 'REMOVED')),
    count(*) filter (where visibility not in ('HELD', 'HIDDEN', 'REMOVED') and previous in ('HELD', 'HIDDEN', 'REMOVED'))
from (
    select (message ->> 'subject_id')::uuid as subject_id, message ->> 'visibility' as visibility,
        message ->> 'previous_visibility' as previous
    from moderation.outbox where stream = 'moderation_decided' and message ->> 'subject_type' in ('POST', 'COMMENT')
) as decided
group by subject_id;

-- The log of moderation; the details of an entry about a person who has left are null.
create temp view log_entry as
select seq, actor_type, subject_type as type, subject_id as id, kind, details::jsonb as details from moderation.ledger;

-- What the log says of each subject: the number of its entries, and the strictest of the decisions that have not ended.
create temp view folded as
select type, id, version, case when removed then 'REMOVED' else coalesce(visibility, 'VISIBLE') end as visibility,
    coalesce(locked, false) as locked, coalesce(standing, 'ACTIVE') as standing
from (
    select type, id, count(*) as version, bool_or(kind = 'removed' or details ->> 'visibility' = 'REMOVED') as removed
    from log_entry group by type, id
) as entries
left join (
    select type, id, bool_or((details ->> 'locked')::boolean) as locked,
        (array['LIMITED', 'HELD', 'HIDDEN'])[
            max(array_position(array['LIMITED', 'HELD', 'HIDDEN'], details ->> 'visibility'))] as visibility,
        (array['APPROVAL_REQUIRED', 'MUTED', 'BANNED'])[
            max(array_position(array['APPROVAL_REQUIRED', 'MUTED', 'BANNED'], details ->> 'standing'))] as standing
    from log_entry as made
    where kind = 'decided' and not exists (
        select from log_entry as ended
        where ended.kind = 'ended' and (ended.type, ended.id) = (made.type, made.id)
            and ended.details ->> 'decision' = made.details ->> 'decision')
    group by type, id
) as in_force using (type, id);

-- The decisions of moderators that close a review. A scheduled one is made whoever has claimed its subject then, and ends the claim: so
-- two moderators may decide about that subject.
create temp view closing as
select seq, type, id, details from log_entry
where kind = 'decided' and actor_type = 'MODERATOR' and (details ->> 'closes_review')::boolean
    and not exists (
        select from moderation.scheduled_decision as scheduled
        where (scheduled.subject_type, scheduled.subject_id) = (log_entry.type, log_entry.id));

-- The strikes that follow from the log, with the weights of the reasons for which the moderators of a run hide or remove something.
create temp view logged_strike (decision, weight, revoked) as
select (made.details ->> 'decision')::uuid, weight, taken_back.decision is not null
from log_entry as made
join (values ('SPAM_COMMERCIAL', 1), ('HARASSMENT_INSULT', 1), ('HATE_SLUR', 2)) as reason (word, weight)
    on word = made.details ->> 'reason'
left join (
    select distinct details ->> 'decision' as decision from log_entry
    where kind = 'ended' and details ->> 'why' in ('REVERSED', 'OVERTURNED')
) as taken_back on taken_back.decision = made.details ->> 'decision'
where made.kind = 'decided' and made.actor_type = 'MODERATOR' and made.type <> 'USER'
    and made.details -> 'actions' @? '$[*] ? (@.action == "HIDE" || @.action == "REMOVE")';

-- Contents that a moderator has decided about, or an appeal: what machines say of their texts holds no longer.
create temp view decided_by_people as
select distinct id from log_entry where actor_type = 'MODERATOR' and kind in ('decided', 'ended');

-- The home feed of each user, newest first: the published posts of those whom they read, and their own, less what they have muted or
-- hidden, and what moderation has limited to its author.
create temp view feed_recount (reader, post_id, key, place) as
select reader, post.id, key, row_number() over (partition by reader order by key desc)
from (
    select user_id as reader, target_id as author from auth.connection union all select id, id from auth.account
) as reads
join post.post on created_by = author
cross join lateral engagement.feed_key(post.id, published_at) as key
where status = 'POSTED' and hidden_at is null and published_at is not null
    and not exists (select from apart where (one, other) = (reader, author))
    and not exists (select from engagement.mute where (mute.user_id, mute.target_id) = (reader, author))
    and not exists (select from engagement.post_hide where (post_hide.user_id, post_hide.post_id) = (reader, post.id))
    and (reader = author or not exists (
        select from moderation.subject
        where (subject.type, subject.id) = ('POST', post.id) and subject.visibility = 'LIMITED'));

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
select id::text, 'repeated views of post', repeated_views, coalesce(views, 0)
from post.post left join (
    select message ->> 'id' as post_id, count(*) as views from interaction.outbox
    where stream = 'post_viewed' and message ->> 'repeated' = 'true' group by 1
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
select post_count.post_id::text, 'repeated views of card', post_count.repeated_views, coalesce(viewed.views, 0)
from engagement.post_count left join (
    select message ->> 'id' as post_id, count(*) as views from interaction.outbox
    where stream = 'post_viewed' and message ->> 'repeated' = 'true' group by 1
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
-- Per day, all days of a run together; repeated views are on none.
select profile.user_id::text, 'actions by day of profile', coalesce(sum(total), 0)::bigint,
    total_owned_posts + total_post_comments + total_post_reactions + total_post_views - coalesce(repeated, 0)
from engagement.profile left join engagement.activity on activity.user_id = profile.user_id
left join (
    select message ->> 'viewed_by' as viewer, count(*) as repeated from interaction.outbox
    where stream = 'post_viewed' and message ->> 'repeated' = 'true' group by 1
) as viewed on viewer = profile.user_id::text
group by profile.user_id, total_owned_posts, total_post_comments, total_post_reactions, total_post_views, repeated;

-- Who must be notified of whose reaction, comment or reply on which post: of others', while the post can be seen, and no block or mute
-- keeps the reader away from them or from the post's author.
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
    and not exists (select from erasures where noun = 'engagement' and person in (reply.reader, reply.actor))
    and not exists (select from apart where one = reply.reader and other in (reply.actor, post.created_by))
    and not exists (
        select from engagement.mute where (mute.user_id, mute.target_id) = (reply.reader, reply.actor));
