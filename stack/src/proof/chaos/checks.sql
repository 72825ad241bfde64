-- The checks: each selects one text column, a row for every violation of the kind that stands before it, with the ids that are
-- needed to look for the cause. No row, no violation.

-- Events: numbered without a gap, each once, applied by every subscriber, none parked, none waiting.

-- lost
select * from behind;

-- lost
select format('%s: %s has %s events up to number %s', noun, stream, count(*), max(pos))
from published group by noun, stream having count(pos) <> max(pos) or min(pos) <> 1;

-- wrong
select format('%s: %s gave numbers up to %s, the last is %s', noun, stream, last_pos, max(pos))
from numbers left join published using (noun, stream)
group by noun, stream, last_pos having last_pos is distinct from max(pos);

-- wrong
select format('%s: event %s of %s is number %s behind %s', noun, event_id, stream, pos, prev)
from published where prev is distinct from (pos - 1) || '-0';

-- doubled
select format('event %s was published %s times', event_id, count(*))
from published group by event_id having count(*) > 1;

-- wrong
select format('%s is published by %s services', stream, count(distinct noun))
from published group by stream having count(distinct noun) > 1;

-- wrong
select format('%s parked %s of %s (event %s): %s', noun, entry_id, stream, event_id, left(error, 200)) from parked;

-- Promises: every write that was answered with success is there, and none that was deleted with success.

-- lost
select format('account %s', id) from promised_account
where there and not exists (select from auth.account where account.id = promised_account.id);

-- Connections, blocks, mutes and dismissals end when one of the two leaves.

-- lost
select format('the %s of %s to %s', kind, user_id, target_id) from promised_relation as promised
where there and exists (select from promised_account where id = user_id and promised_account.there)
    and (kind in ('hide', 'disinterest') or exists (
        select from promised_account where id = target_id and promised_account.there))
    and not exists (
        select from related
        where (related.kind, related.user_id, related.target_id) = (promised.kind, promised.user_id, promised.target_id));

-- wrong
select format('the %s of %s to %s is there again', kind, user_id, target_id)
from promised_relation join related using (kind, user_id, target_id) where not there;

-- doubled
select format('%s times the %s of %s to %s', count(*), kind, user_id, target_id)
from related group by kind, user_id, target_id having count(*) > 1;

-- What a person has said about recommendations goes with them, and with the person that it is about. What was written while they were
-- erased is removed by the second pass.

-- wrong
select format('%s is gone, and is still not interested in post %s', user_id, post_id) from engagement.not_interested
where not exists (select from auth.account where account.id = user_id)
    and not exists (select from engagement.erasure where person = user_id and done_at is null);

-- wrong
select format('%s has dismissed %s, and one of them is gone', user_id, person_id) from engagement.dismissed_person
where (select count(*) from auth.account where account.id in (user_id, person_id)) < 2
    and not exists (select from engagement.erasure where person in (user_id, person_id) and done_at is null);

-- wrong
select format('%s is connected to %s, and one of them blocks the other', user_id, target_id)
from auth.connection join apart on (one, other) = (user_id, target_id);

-- Users are refused who are muted or banned, and no others.

-- wrong
select format('%s was refused with %s, and was neither muted nor banned', person, status) from restricted
where not exists (
    select from moderation.outbox
    where stream = 'user_status_changed' and message ->> 'user_id' = person::text
        and (message ->> 'status' = 'BANNED' or message ->> 'status' = 'MUTED' and restricted.status = 403));

-- An insult may be hidden, and then deleted by its author, if moderation asked for it. Users are answered that it is not there. What a
-- moderator removes is gone, whatever it says.

-- lost
select format('post %s', id) from promised_post
where there and not exists (select from post.post where post.id = promised_post.id)
    and not (insult and id in (select id from unwanted)) and id not in (select id from removed);

-- lost
select format('the status %s of post %s, which is %s', promised_post.status, id, post.status)
from promised_post join post.post using (id) where promised_post.status <> post.status;

-- lost
select format('the deletion of post %s, an insult', id) from post.post
where content = :'insult' and status = 'POSTED' and hidden_at is null and id not in (select id from decided_by_people)
union all
select format('the deletion of comment %s, an insult', id) from interaction.comment
where content = :'insult' and hidden_at is null and id not in (select id from decided_by_people);

-- Every action is one event: as often as it succeeded, and at most as often more as its outcome is unknown. What moderation shows
-- again is published like something new, with the time at which it was restored.

-- lost
select format('%s of %s: %s succeeded, %s were published', stream, person, ok, events)
from (
    select person, tally.stream, ok, unknown, count(published.seq) as events from tally
    left join published on published.stream = tally.stream and message ->> 'restored_at' is null and person =
        case published.stream when 'post_viewed' then message ->> 'viewed_by' else message ->> 'created_by' end
    group by person, tally.stream, ok, unknown) as actions
where events < ok;

-- doubled
select format('%s of %s: %s succeeded, %s are unknown, %s were published', stream, person, ok, unknown, events)
from (
    select person, tally.stream, ok, unknown, count(published.seq) as events from tally
    left join published on published.stream = tally.stream and message ->> 'restored_at' is null and person =
        case published.stream when 'post_viewed' then message ->> 'viewed_by' else message ->> 'created_by' end
    group by person, tally.stream, ok, unknown) as actions
where events > ok + unknown;

-- What was written about a post that is gone is gone too.

-- lost
select format('comment %s on post %s', id, post_id) from promised_comment
where there and exists (select from post.post where post.id = post_id)
    and not exists (select from interaction.comment where comment.id = promised_comment.id)
    and not (insult and id in (select id from unwanted)) and id not in (select id from removed);

-- lost
select format('reaction %s on post %s', id, post_id) from promised_reaction
where there and exists (select from post.post where post.id = post_id)
    and not exists (select from interaction.reaction where reaction.id = promised_reaction.id)
    and not (insult and id in (select id from unwanted));

-- A user is answered that something is not there: what moderation has hidden, for however long, and what is of a user with whom there
-- is a block, or was one.

-- wrong
select format('account %s is there, and a user was answered that it is not', id)
from denied join auth.account using (id)
where what = 'account' and not exists (select from parted where (one, other) = (person, id));

-- wrong
select format('account %s is there again', id) from promised_account join auth.account using (id) where not there;

-- wrong
select format('post %s is there, and a user was answered that it is not', id)
from denied join post.post using (id) where what = 'post' and id not in (select unwanted.id from unwanted)
    and not exists (select from parted where (one, other) = (person, created_by));

-- wrong
select format('post %s is there again', id) from promised_post join post.post using (id) where not there;

-- wrong
select format('comment %s is there, and a user was answered that it is not', id)
from denied join interaction.comment using (id)
where what = 'comment' and not exists (select from unwanted where unwanted.id in (comment.id, post_id)) and not exists (
    select from post.post join parted on (one, other) = (person, post.created_by) where post.id = post_id);

-- wrong
select format('comment %s is there again', id) from promised_comment join interaction.comment using (id) where not there;

-- wrong
select format('reaction %s is there, and a user was answered that it is not', id)
from denied join interaction.reaction using (id)
where what = 'reaction' and not exists (select from unwanted where unwanted.id = post_id) and not exists (
    select from post.post join parted on (one, other) = (person, post.created_by) where post.id = post_id);

-- wrong
select format('reaction %s is there again', id) from promised_reaction join interaction.reaction using (id) where not there;

-- Counters: each equals a recount. Those of a person who has just left are not checked: their late events are removed by the
-- second pass of the erasure, a minute later.

-- lost
select format('%s %s: counted %s, there are %s', what, id, counter, recount) from counters
where counter < recount and not exists (select from erasures where person::text = id and done_at is null);

-- doubled
select format('%s %s: counted %s, there are %s', what, id, counter, recount) from counters
where counter > recount and not exists (select from erasures where person::text = id and done_at is null);

-- Rounded to two digits, so that a hundredth is no difference.

-- wrong
select format('post %s scores %s with %s views, %s comments, %s reactions', id, score, total_views, total_comments,
    total_reactions)
from post.post where abs(score - case total_views - repeated_views when 0 then 0
    else least(100, (total_comments + total_reactions)::float8 / (total_views - repeated_views)) end) > 0.0051;

-- Effects: what follows from a fact in another service is there, and is there once. One NFT record per published post and per
-- comment, none of what is gone or hidden; one profile per person who signed up.

-- lost
select format('the NFT record of post %s', id) from post.post
where status = 'POSTED' and hidden_at is null
    and not exists (select from post.post_nft where post_id = post.id)
union all
select format('the NFT record of comment %s', id) from interaction.comment
where hidden_at is null and not exists (select from interaction.comment_nft where comment_id = comment.id);

-- doubled
select format('%s NFT records of %s', count(*), id) from (
    select post_id from post.post_nft union all select comment_id from interaction.comment_nft
) as record (id) group by id having count(*) > 1;

-- wrong
select format('the NFT record of post %s is %s, its minting %s', post_id, post_nft.status, mint.status)
from post.post_nft join post.mint using (id)
where post_nft.token_uri is distinct from mint.token_uri
    or post_nft.status <> case mint.status when 'CANCELLED' then 'READY_FOR_MINTING' else mint.status end;

-- wrong
select format('post %s is not published, its minting %s', subject_id, mint.status) from post.mint
where kind = 'POST' and mint.status not in ('CANCELLED', 'MINTED') and not exists (
    select from post.post where post.id = subject_id and post.status = 'POSTED' and hidden_at is null);

-- lost
select format('the metadata of comment %s', comment_id) from post.mint join interaction.comment_nft using (id)
where kind = 'COMMENT' and mint.status = 'PINNED' and comment_nft.token_uri is distinct from mint.token_uri;

-- lost
select format('the token of comment %s', comment_id) from post.mint join interaction.comment_nft using (id)
where kind = 'COMMENT' and mint.status = 'MINTED'
    and (comment_nft.status, comment_nft.token_id, comment_nft.transaction_hash) is distinct from
        ('MINTED', mint.token_id, mint.transaction_hash);

-- wrong
select format('NFT %s is %s, its transaction %s', mint.id, mint.status, coalesce(entry.status, 'missing'))
from post.mint left join post.chain_transaction as entry
    on entry.record_id = mint.id and entry.status in ('SIGNED', 'SUBMITTED', 'MINED')
where mint.status in ('TX_SIGNED', 'SUBMITTED', 'MINED') and entry.status is null;

-- lost
select format('the nonce %s of %s', nonce, account) from post.signer
cross join lateral generate_series(coalesce((select min(first.nonce) from post.chain_transaction as first
    where first.account = signer.account), next_nonce - 1), next_nonce - 1) as series (nonce)
where not exists (select from post.chain_transaction as entry
    where entry.account = signer.account and entry.nonce = series.nonce);

-- lost
select format('the profile of %s', message ->> 'id') from published
where stream = 'user_registered' and exists (select from auth.account where id::text = message ->> 'id')
    and not exists (select from engagement.profile where user_id::text = message ->> 'id');

-- doubled
select format('%s profiles of %s', count(*), user_id) from engagement.profile group by user_id having count(*) > 1;

-- What other services store of posts and comments agrees on whether each exists.

-- wrong
select format('the interaction service takes post %s for %s, which is %s', id,
    case when known.id is null then 'unknown' when deleted_at is not null then 'deleted' when hidden then 'hidden'
        else known.status end,
    case when post.hidden_at is not null then 'hidden' else coalesce(post.status, 'deleted') end)
from post.post full join interaction.post as known using (id)
where case when post.hidden_at is not null then 'hidden' else coalesce(post.status, 'deleted') end is distinct from
    case when deleted_at is not null then 'deleted' when hidden then 'hidden' else known.status end;

-- wrong
select format('the engagement service takes post %s for %s', id,
    case when known.types is null then 'deleted' else 'there' end)
from post.post full join engagement.post as known using (id) where (post.id is null) <> (known.types is null);

-- The deletion of what is hidden already is not published.

-- wrong
with here as (select id from post.post union all select id from interaction.comment)
select format('the moderation service takes %s for %s', id, case when gone_at is null then 'there' else 'gone' end)
from here full join (select * from moderation.content where type is null or type not in ('MEDIA', 'USER')) as content using (id)
where (here.id is null) <> (gone_at is not null) and id not in (select id from unwanted);

-- wrong
select format('%s %s is about post %s, which is gone', noun, id, post_id) from (
    select 'comment', id, post_id from interaction.comment
    union all select 'reaction', id, post_id from interaction.reaction
) as answer (noun, id, post_id) where not exists (select from post.post where post.id = post_id);

-- Moderation: a content has a case and a request to delete it for each time that it was hidden, and every case is closed.

-- doubled
select format('cases about %s, %s of them: it was hidden %s times', content_id, cases, coalesce(hides, 0))
from (select content_id, count(*) as cases from moderation.moderation group by content_id) as case_of
left join visibility_change on id = content_id where cases > coalesce(hides, 0);

-- doubled
select format('requests to delete %s, %s of them: it was hidden %s times', content_id, requests, coalesce(hides, 0))
from (
    select (message ->> 'content_id')::uuid as content_id, count(*) as requests from moderation.outbox
    where message ->> 'content_id' is not null group by 1
) as asked left join visibility_change on id = content_id where requests > coalesce(hides, 0);

-- lost
select format('the end of case %s about %s', id, content_id) from moderation.moderation
where status <> 'DELETE_CONFIRMED';

-- lost
select format('the deletion of %s, which case %s asked for', content_id, moderation.id) from moderation.moderation
where (exists (select from post.post where post.id = content_id and hidden_at is null)
        or exists (select from interaction.comment where comment.id = content_id and hidden_at is null))
    and not exists (select from visibility_change where visibility_change.id = content_id and shows > 0);

-- Subjects are what the log says of them, and so are decisions and strikes. What is known of persons who have left is erased.

-- wrong
select format('%s %s is %s and %s in version %s, and the log says %s and %s in version %s', type, id, subject.visibility,
    subject.standing, subject.version, coalesce(folded.visibility, 'VISIBLE'), coalesce(folded.standing, 'ACTIVE'),
    coalesce(folded.version, 0))
from moderation.subject left join folded using (type, id)
where (subject.version, subject.visibility, subject.locked, subject.standing) is distinct from (
        coalesce(folded.version, 0), coalesce(folded.visibility, 'VISIBLE'), coalesce(folded.locked, false),
        coalesce(folded.standing, 'ACTIVE'))
    and not exists (select from erasures where person = subject.author);

-- wrong
select format('decision %s is %s, and the log says otherwise', id, coalesce(ended_by, 'in force')) from moderation.decision
where (ended_at is null) = exists (
        select from log_entry as ended
        where ended.kind = 'ended' and (ended.type, ended.id) = (subject_type, subject_id)
            and ended.details ->> 'decision' = decision.id::text)
    and not exists (select from erasures where person = decision.author);

-- lost
select format('the strike of decision %s', decision) from logged_strike
where decision not in (select strike.decision from moderation.strike);

-- doubled
select format('the strike of decision %s, which is none in the log', decision) from moderation.strike
where decision not in (select logged_strike.decision from logged_strike);

-- wrong
select format('the strike of decision %s weighs %s%s, and in the log %s%s', decision, strike.weight,
    case when revoked_at is not null then ', taken back' end, logged.weight, case when revoked then ', taken back' end)
from moderation.strike join logged_strike as logged using (decision)
where (strike.weight, revoked_at is not null) <> (logged.weight, revoked);

-- What strikes have led to stands as long as there are as many of them; of several about one content the gravest counts.

-- wrong
select format('decision %s is in force for %s strikes, and there are %s', id, strikes, counted)
from moderation.decision cross join lateral (
    select coalesce(sum(weight), 0) as counted from (
        select max(weight) as weight from moderation.strike join moderation.decision as made on made.id = strike.decision
        where strike.author = decision.author and revoked_at is null group by made.subject_type, made.subject_id
    ) as strike
) as total
where strikes is not null and ended_at is null and counted < strikes;

-- wrong
select format('account %s is %s, and moderation has it %s', account.id, account.status, coalesce(standing, 'ACTIVE'))
from auth.account left join moderation.subject on subject.type = 'USER' and subject.id = account.id
where (case when account.status in ('MUTED', 'BANNED') then account.status end)
    is distinct from (case when standing in ('MUTED', 'BANNED') then standing end);

-- wrong
select format('appeal %s is %s by %s; decision %s is by %s and %s', appeal.id, status, appeal.moderator, decision.id,
    decision.moderator, coalesce(ended_by, 'in force'))
from moderation.appeal join moderation.decision on decision.id = appeal.decision
where appeal.moderator = decision.moderator or (status = 'OVERTURNED' and ended_at is null);

-- Nothing is decided about by two moderators: each has what they have claimed for themselves, and what one has decided about another
-- decides about when something has opened it again. To restore something needs no reason of that kind.

-- doubled
select format('the claim on %s, by two moderators at once', id) from claimed_twice;

-- doubled
select format('entry %s decides about %s once more, and nothing has opened it again', seq, id) from closing
where not (details -> 'actions') @> '[{"action": "RESTORE"}]' and exists (
        select from closing as first where (first.type, first.id) = (closing.type, closing.id) and first.seq < closing.seq)
    and not exists (
    select from log_entry as opening
    where (opening.type, opening.id) = (closing.type, closing.id) and opening.seq < closing.seq
        and opening.seq > coalesce((
            select max(before.seq) from closing as before
            where (before.type, before.id) = (closing.type, closing.id) and before.seq < closing.seq), 0)
        and (opening.kind in ('flagged', 'reported', 'escalated')
            or opening.kind = 'decided' and opening.details ->> 'visibility' = 'HELD'));

-- Authors and reporters read what became of it.

-- lost
select format('the notice %s to %s', message ->> 'id', message ->> 'user_id') from moderation.outbox
where stream = 'moderation_notice' and exists (select from auth.account where id::text = message ->> 'user_id')
    and not exists (
        select from engagement.notification where type = 'SYSTEM_MESSAGE' and subject_id::text = message ->> 'id');

-- A content is hidden exactly as long as a decision in force hides it.

-- lost
select format('%s %s is shown, and moderation has it %s', type, id, visibility)
from judged_content join moderation.subject using (type, id)
where visibility in ('HELD', 'HIDDEN', 'REMOVED') and not hidden;

-- wrong
select format('%s %s is hidden, and moderation has it %s', type, id, coalesce(visibility, 'unknown'))
from judged_content left join moderation.subject using (type, id)
where hidden and coalesce(visibility, 'VISIBLE') not in ('HELD', 'HIDDEN', 'REMOVED')
    and not exists (select from erasures where person = judged_content.author);

-- wrong
select format('%s %s is %s, and no decision in force says so', type, id, visibility) from moderation.subject
where visibility in ('HELD', 'HIDDEN') and not exists (select from erasures where person = subject.author)
    and not exists (
        select from moderation.decision where (subject_type, subject_id) = (subject.type, subject.id) and ended_at is null
            and actions @? '$[*] ? (@.action == "HOLD" || @.action == "HIDE" || @.action == "REMOVE")');

-- A post is closed for comments exactly as long as a decision in force says so.

-- lost
select format('the lock of post %s: who may comment is %s', id, comments)
from post.post join moderation.subject using (id)
where subject.type = 'POST' and locked and comments <> 'LOCKED';

-- wrong
select format('post %s is closed for comments, and moderation has not locked it', id) from post.post
where comments = 'LOCKED' and not exists (select from erasures where person = post.created_by)
    and not exists (select from moderation.subject where subject.type = 'POST' and subject.id = post.id and locked);

-- wrong
select format('post %s is locked, and no decision in force says so', id) from moderation.subject
where locked and not exists (select from erasures where person = subject.author)
    and not exists (
        select from moderation.decision where (subject_type, subject_id) = (subject.type, subject.id) and ended_at is null
            and actions @? '$[*] ? (@.action == "LOCK")');

-- What a moderator has removed is gone everywhere.

-- lost
select format('the removal of %s %s', type, id) from (
    select type, id from judged_content
    union select 'POST', id from interaction.post where deleted_at is null
    union select 'POST', id from engagement.post_card where deleted_at is null
) as there (type, id) join moderation.subject using (type, id) where visibility = 'REMOVED';

-- Labels and limits are known where contents are shown.

-- wrong
select format('%s %s is %s and labelled %s, and moderation has it %s and labelled %s', type, id, content.visibility, content.labels,
    coalesce(subject.visibility, 'VISIBLE'), coalesce(subject.labels, '{}'))
from (
    select 'POST', id, created_by, visibility, labels from post.post
    union all select 'COMMENT', id, created_by, visibility, labels from interaction.comment
) as content (type, id, author, visibility, labels) left join moderation.subject using (type, id)
where (content.visibility, content.labels) is distinct from
        (coalesce(subject.visibility, 'VISIBLE'), coalesce(subject.labels, '{}'))
    and not exists (select from erasures where person = content.author);

-- wrong
select format('feeds take post %s for %s and labelled %s, and moderation has it %s and labelled %s', card.id,
    case when copy.limited then 'limited' else 'open' end, coalesce(copy.labels, '{}'),
    coalesce(subject.visibility, 'VISIBLE'), coalesce(subject.labels, '{}'))
from engagement.post_card as card left join engagement.moderated_post as copy on copy.post_id = card.id
left join moderation.subject on (subject.type, subject.id) = ('POST', card.id)
where card.deleted_at is null
    and (coalesce(copy.limited, false), coalesce(copy.labels, '{}')) is distinct from
        (coalesce(subject.visibility, 'VISIBLE') <> 'VISIBLE', coalesce(subject.labels, '{}'))
    and not exists (select from erasures where person = card.user_id);

-- What is scheduled is made once, unless it was cancelled, or its subject deleted before. Every decision of a moderator has a note of its
-- own, and is made once about each of its subjects, however often its request was sent; of many decided about at once each has its result.
-- What machines note is the same each time that they hold a content.

-- lost
select format('scheduled decision %s', id) from promised_schedule as promised
where not exists (select from moderation.scheduled_decision where scheduled_decision.id = promised.id)
    and not exists (select from erasures where person = promised.author);

-- wrong
select format('scheduled decision %s is %s, and was cancelled', id, status)
from promised_schedule join moderation.scheduled_decision using (id) where cancelled and status <> 'CANCELLED';

-- lost
select format('the decision of scheduled decision %s', id) from moderation.scheduled_decision as scheduled
where status = 'DONE' and not exists (select from moderation.decision where decision.id = scheduled.decision)
    and not exists (select from erasures where person = scheduled.author);

-- doubled
select format('decision %s, by scheduled decision %s, which is %s', made.id, scheduled.id, scheduled.status)
from moderation.scheduled_decision as scheduled join moderation.decision as made
    on (made.subject_type, made.subject_id, made.internal_note) =
        (scheduled.subject_type, scheduled.subject_id, scheduled.internal_note)
where scheduled.decision is distinct from made.id;

-- doubled
select format('a decision with the note %s, made %s times about %s', internal_note, count(*), subject_id)
from moderation.decision where moderator is not null and internal_note is not null
group by internal_note, subject_type, subject_id having count(*) > 1;

-- lost
select format('results of bulk %s, which has %s subjects and %s results', promised.key, subjects, count(place))
from promised_bulk as promised left join moderation.bulk_result as result
    on (result.moderator, result.key) = (promised.moderator, promised.key)
group by promised.moderator, promised.key, subjects having count(place) <> subjects;

-- wrong
select format('subject %s of bulk %s is %s, and its decision is %s', place, key, outcome, coalesce(decision::text, 'missing'))
from moderation.bulk_result where (outcome = 'DECIDED') <> (decision is not null);

-- Moderation knows the pictures that are ready, as they look, and no others; each waits for the image model until one has seen it.

-- lost
select format('picture %s, which moderation does not know', id) from post.media
where status = 'READY' and not exists (select from erasures where person = media.created_by)
    and not exists (select from moderation.picture where (picture.id, picture.hash) = (media.id, media.perceptual_hash));

-- wrong
select format('moderation has picture %s, which is gone', id) from moderation.picture
where not exists (select from post.media where media.id = picture.id) and not exists (select from erasures where person = owner);

-- lost
select format('the turn of picture %s, which no image model has seen', id) from moderation.picture
where score_at is null and nudity_model is null;

-- wrong
select format('picture %s looks like a blocked one, and is not judged by that', picture.id)
from moderation.picture join moderation.blocked_picture as blocked on bit_count((picture.hash # blocked.hash)::bit(64)) <= 5
where not is_due and not exists (
    select from moderation.analysis where content_id = picture.id and signals -> 'picture' ->> 'blocked' is not null);

-- The model in shadow has its place, and reads what another model has read.

-- lost
select 'the place of the model in shadow' where (select count(*) from moderation.shadow_progress) <> 1;

-- wrong
select format('the reading of analysis %s in shadow, which has no other model', analysis.id)
from moderation.shadow_reading as shadow join moderation.analysis on analysis.id = analysis
where shadow.model_version = analysis.model_version or analysis.scores is null;

-- Analyses wait for an explanation whose text is there and which have none, with the model that has read it.

-- wrong
select format('the explanation of analysis %s waits, of a text that is gone', analysis) from moderation.waiting_explanation
join moderation.analysis on analysis.id = analysis join moderation.content on content.id = content_id
where gone_at is not null and not exists (select from erasures where person = analysis.author);

-- wrong
select format('the explanation of analysis %s waits, which has one or is by another model', analysis)
from moderation.waiting_explanation as waiting join moderation.analysis on analysis.id = analysis
where spans <> '[]' or waiting.model_version <> analysis.model_version;

-- The log of moderation is whole: each entry has the hash of the one before it and of itself, and the head is the last one.

-- wrong
select format('entry %s of the ledger is not what it was', seq) from moderation.ledger as entry
where hash <> moderation.entry_hash(entry)
    or details_hash <> sha256(convert_to(details, 'UTF8')) or words_hash <> sha256(convert_to(words, 'UTF8'));

-- lost
select format('what stood before entry %s of the ledger', seq) from (
    select seq, previous, lag(seq, 1, 0::bigint) over in_order as seq_before, lag(hash, 1, ''::bytea) over in_order as hash_before
    from moderation.ledger window in_order as (order by seq)
) as chain where seq <> seq_before + 1 or previous <> hash_before;

-- lost
select format('the entries of the ledger between %s and its head, which is %s', coalesce(max(ledger.seq), 0), head.seq)
from moderation.ledger_head as head left join moderation.ledger on true
group by head.seq, head.hash
having head.seq <> coalesce(max(ledger.seq), 0);

-- Nothing is with two moderators, and each subject counts the reports that no decision has answered.

-- doubled
select format('%s claims on %s', count(*), subject_id) from moderation.claim
group by subject_type, subject_id having count(*) > 1;

-- lost
select format('a report about %s, which counts %s', subject_id, coalesce(subject.reports, 0)) from (
    select subject_type, subject_id, count(*) as reports from moderation.report where status = 'OPEN' group by 1, 2
) as made left join moderation.subject on (subject.type, subject.id) = (subject_type, subject_id)
where made.reports > coalesce(subject.reports, 0);

-- doubled
select format('subject %s counts %s reports, and %s are open', id, subject.reports, coalesce(made.reports, 0))
from moderation.subject left join (
    select subject_type, subject_id, count(*) as reports from moderation.report where status = 'OPEN' group by 1, 2
) as made on (subject.type, subject.id) = (subject_type, subject_id)
where subject.reports > coalesce(made.reports, 0);

-- The read model of the engagement service is what it was copied from. The deletion of what is hidden is not published, and the words
-- of hidden posts are not copied.

-- wrong
select format('the read model has person %s as %s, who is %s', id,
    coalesce(person.status, 'unknown'), coalesce(account.status, 'gone'))
from auth.account full join engagement.person using (id)
where (account.status, account.username, account.first_name, account.last_name, account.avatar_url, account.interests)
    is distinct from
    (person.status, person.username, person.first_name, person.last_name, person.avatar_url, person.interests);

-- wrong
select format('the read model takes the connection of %s to %s for %s', user_id, target_id,
    case when follow.stands then 'there' else 'ended' end)
from auth.connection full join (select * from engagement.follow where stands) as follow using (user_id, target_id)
where connection.connected_at is null or follow.stands is null;

-- wrong
select format('the %s service takes the block of %s by %s for %s', noun, target_id, user_id,
    case when copy.stands then 'there' else 'ended' end)
from (
    select noun, user_id, target_id, true as stands
    from auth.block cross join (values ('post'), ('interaction'), ('engagement')) as service (noun)
) as made
full join (
    select 'post' as noun, user_id, target_id, stands from post.block where stands
    union all select 'interaction', user_id, target_id, stands from interaction.block where stands
    union all select 'engagement', user_id, target_id, stands from engagement.block where stands
) as copy using (noun, user_id, target_id)
where made.stands is null or copy.stands is null;

-- wrong
select format('the read model has post %s as %s, which is %s', id,
    case when card.id is null then 'gone' when card.hidden then 'hidden' else card.status end,
    case when post.hidden_at is not null then 'hidden' else coalesce(post.status, 'gone') end)
from post.post full join (select * from engagement.post_card where deleted_at is null) as card using (id)
where (post.created_by, post.created_at, post.updated_at, post.types, post.status, post.hidden_at is not null,
        case when post.hidden_at is null then post.title end, case when post.hidden_at is null then post.content else '' end)
    is distinct from
    (card.user_id, card.created_at, card.version, card.types, card.status, coalesce(card.hidden, false), card.title,
        coalesce(card.content, ''))
    and not (post.id is null and card.hidden);

-- wrong
select format('the read model takes comment %s for %s', id, case when card.id is null then 'gone' else 'there' end)
from interaction.comment full join (select * from engagement.comment_card where deleted_at is null) as card using (id)
where (comment.post_id, comment.created_by, comment.updated_at, comment.reply_to, comment.hidden_at is not null)
    is distinct from (card.post_id, card.user_id, card.version, card.reply_to, coalesce(card.hidden, false))
    and not (comment.id is null and card.hidden);

-- wrong
select format('the read model takes reaction %s for %s', id, case when card.id is null then 'gone' else 'there' end)
from interaction.reaction full join (select * from engagement.reaction_card where deleted_at is null) as card using (id)
where (reaction.post_id, reaction.created_by, reaction.updated_at, reaction.type)
    is distinct from (card.post_id, card.user_id, card.version, card.type);

-- wrong
select format('the read model takes reaction %s to a comment for %s', id, case when card.id is null then 'gone' else 'there' end)
from interaction.comment_reaction as reaction
full join (select * from engagement.comment_reaction_card where deleted_at is null) as card using (id)
where (reaction.comment_id, reaction.post_id, reaction.created_by, reaction.updated_at)
    is distinct from (card.comment_id, card.post_id, card.user_id, card.version);

-- Threads, reactions to comments and bookmarks: each belongs to something that is there.

-- wrong
select format('comment %s replies to %s, which is %s', said.id, said.reply_to, case when first.id is null then 'gone'
    when first.reply_to is not null then 'a reply itself' else 'on another post' end)
from interaction.comment as said left join interaction.comment as first on first.id = said.reply_to
where said.reply_to is not null
    and (first.id is null or first.reply_to is not null or first.post_id <> said.post_id);

-- wrong
select format('reaction %s is to comment %s, which is gone or on another post', id, comment_id)
from interaction.comment_reaction as reaction where not exists (
    select from interaction.comment where comment.id = comment_id and comment.post_id = reaction.post_id);

-- wrong
select format('bookmark %s is of post %s, which is gone', id, post_id)
from interaction.bookmark where not exists (select from post.post where post.id = post_id);

-- wrong
select format('comments on post %s are for %s, and taken for %s', id, post.comments, copy.comments)
from post.post join interaction.post as copy using (id)
where post.hidden_at is null and copy.deleted_at is null and post.comments <> copy.comments;

-- wrong
select format('the copy takes the connection of %s to %s for %s', user_id, target_id,
    case when copy.stands then 'there' else 'ended' end)
from auth.connection full join (select * from interaction.connection where stands) as copy using (user_id, target_id)
where connection.connected_at is null or copy.stands is null;

-- Feeds. Jobs are worked off, and what stands in feeds is what may.

-- lost
select format('the fan-out of post %s', post_id) from engagement.fan_out
union all
select format('the end of the feed of %s', user_id) from engagement.feed_drop;

-- wrong
select format('post %s is in feeds under %s, and its key is %s', id, fanned_key,
    case when engagement.is_public(post_card) then feed_key end)
from engagement.post_card
where fanned_key is distinct from case when engagement.is_public(post_card) then feed_key end;

-- wrong
select format('the publication of post %s is %s, and in the read model %s', id, post.published_at, card.published_at)
from post.post join engagement.post_card as card using (id)
where card.deleted_at is null and post.published_at is distinct from card.published_at;

-- Home feeds as they were read, of up to 200 posts: exactly those of a recount, in its order.

-- lost
select format('post %s in the feed that %s has read', post_id, reader) from read_feed join feed_recount using (reader)
where place <= 200 and post_id <> all (posts);

-- wrong
select format('post %s is item %s of the feed that %s has read, and should not be', item.post_id, item.place, reader)
from read_feed cross join unnest(posts) with ordinality as item (post_id, place)
where not exists (
    select from feed_recount as recount
    where (recount.reader, recount.post_id, recount.place) = (read_feed.reader, item.post_id, item.place));

-- Explore as it was read: nothing that is hidden, limited, gone or the reader's own, or that a block, a mute or the reader keeps away.

-- wrong
select format('post %s is in the explore feed that %s has read, and should not be', item.post_id, reader)
from read_explore cross join unnest(posts) as item (post_id) left join post.post on post.id = item.post_id
where post.status is distinct from 'POSTED' or hidden_at is not null or created_by = reader
    or exists (
        select from moderation.subject
        where (subject.type, subject.id) = ('POST', item.post_id) and subject.visibility = 'LIMITED')
    or exists (select from apart where (one, other) = (reader, created_by))
    or exists (select from engagement.mute where (mute.user_id, mute.target_id) = (reader, created_by))
    or exists (
        select from engagement.post_hide where (post_hide.user_id, post_hide.post_id) = (reader, item.post_id));

-- Recommended posts. Who has seen what is known, and lists are whole.

-- lost
select format('%s has seen post %s, and recommendations do not know', viewer, post)
from (
    select (message::json ->> 'viewed_by')::uuid as viewer, (message::json ->> 'id')::uuid as post
    from published where stream = 'post_viewed'
) as view
where exists (select from auth.account where id = viewer)
    and not exists (select from engagement.erasure where person = viewer)
    and not exists (select from engagement.seen_post where user_id = viewer and post_id = post);

-- doubled
select format('a post stands twice in list %s of recommended posts', id) from engagement.recommendation_list
where cardinality(posts) <> (select count(distinct post) from unnest(posts) as post);

-- wrong
select format('post %s is similar to itself', post_id) from engagement.similar_post
where post_id = any (others) or cardinality(others) <> cardinality(weights);

-- Notifications, recounted from the services that own what they are about.

-- lost
select format('%s is not notified that %s of post %s', reader, what, post_id) from expected_notification as expected
where not exists (
    select from engagement.notification join engagement.notification_actor on notification_id = notification.id
    where notification.user_id = reader and notification.type = what and subject_id = post_id and actor_id = actor and stands
        and shown);

-- doubled
select format('%s is notified that %s of post %s by %s, who did not', user_id, type, subject_id, actor_id)
from engagement.notification join engagement.notification_actor on notification_id = notification.id
where type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'COMMENT_REPLY', 'COMMENT_REACTION_RECEIVED')
    and stands and shown
    and not exists (
        select from expected_notification
        where reader = user_id and what = type and post_id = subject_id and actor = actor_id);

-- wrong
select format('%s is notified of %s by %s, from whom a block or a mute keeps them', notification.user_id, type, actor_id)
from engagement.notification join engagement.notification_actor on notification_id = notification.id
where stands and shown and (
    exists (select from apart where (one, other) = (notification.user_id, actor_id))
    or exists (select from engagement.mute where (mute.user_id, mute.target_id) = (notification.user_id, actor_id)));

-- wrong
select format('notification %s counts %s people, they are %s', id, causes, count(actor_id))
from engagement.notification
left join engagement.notification_actor on notification_id = notification.id and stands
where type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'COMMENT_REPLY', 'COMMENT_REACTION_RECEIVED', 'USER_CONNECTED')
group by id, causes having causes <> count(actor_id);

-- wrong
select format('%s is notified of %s connections on %s, there are %s', coalesce(user_id, target_id), coalesce(causes, 0),
    coalesce(counted.day, made.day), coalesce(connections, 0))
from (
    select user_id, day, causes from engagement.notification where type = 'USER_CONNECTED' and shown
) as counted full join (
    select target_id, (connected_at at time zone 'UTC')::date as day, count(*) as connections
    from auth.connection where not exists (
        select from engagement.mute where (mute.user_id, mute.target_id) = (connection.target_id, connection.user_id))
    group by 1, 2
) as made on target_id = user_id and made.day = counted.day
where coalesce(causes, 0) <> coalesce(connections, 0);

-- doubled
select format('%s notifications of %s about %s', count(*), type, subject_id)
from engagement.notification group by user_id, type, subject_id, day having count(*) > 1;

-- wrong
select format('the changes of %s are numbered up to %s, the last is %s', user_id, last_change, max(change))
from engagement.notification_reader left join engagement.notification using (user_id)
group by user_id, last_change having last_change < max(change);

-- Tags and mentions: in the services and in the read model as in the posts.

-- lost
select format('the tags of post %s are not read yet', id) from post.tag_backfill, post.post where done_at is null and id > done_to;

-- wrong
select format('the tags of post %s are %s, and in the read model %s', post.id, own.tags, copied.tags)
from post.post join engagement.post_card as card on card.id = post.id
cross join lateral (
    select coalesce(array_agg(tag order by tag), '{}') as tags from post.post_tag where post_id = post.id) as own
cross join lateral (select coalesce(array_agg(tag order by tag), '{}') as tags from unnest(card.tags) as tag) as copied
where post.status = 'POSTED' and post.hidden_at is null and card.deleted_at is null and not card.hidden and own.tags is distinct from copied.tags;

-- wrong
select format('tag %s leads to post %s, which not all may read', tag, post_id)
from post.post_tag left join post.post on id = post_id where status is distinct from 'POSTED' or hidden_at is not null;

-- wrong
select format('post %s stands under %s, and has %s', coalesce(card.post_id, listed.post_id), listed.tag, card.tag)
from (
    select id as post_id, unnest(tags) as tag, feed_key from engagement.post_card where engagement.is_public(post_card)
) as card full join engagement.tagged_post as listed using (post_id, tag)
where card.feed_key is distinct from listed.feed_key;

-- wrong
select format('the facets of post %s name other tags than it has', id) from engagement.post_card
where deleted_at is null and not hidden
    and (cardinality(tags) > 0) <> exists (select from jsonb_array_elements(facets) as facet where facet ->> 'kind' = 'TAG');

-- doubled
select format('%s is notified of a mention in post %s by %s, which does not stand', user_id, subject_id, actor_id)
from engagement.notification join engagement.notification_actor on notification_id = notification.id
where type = 'USER_MENTIONED' and stands and shown and not exists (
    select from engagement.mention
    where mention.stands and post_id = subject_id and author_id = actor_id and person_id = user_id);

-- lost
select format('%s is not notified of a mention in post %s by %s', person_id, post_id, author_id)
from engagement.mention join engagement.post_card on post_card.id = post_id
where mention.stands and engagement.is_public(post_card) and person_id <> author_id
    and not exists (select from engagement.erasure where person in (person_id, author_id))
    and not exists (select from engagement.mute where mute.user_id = person_id and target_id = author_id)
    and not exists (
        select from engagement.block where stands and (block.user_id, target_id) in (
            (person_id, author_id), (author_id, person_id), (person_id, post_card.user_id), (post_card.user_id, person_id)))
    and not exists (
        select from engagement.notification join engagement.notification_actor on notification_id = notification.id
        where type = 'USER_MENTIONED' and notification.user_id = person_id and subject_id = post_id
            and actor_id = author_id and notification_actor.stands);

-- Search: what all may read is found, and nothing else.

-- lost
select format('post %s is not found by search', id) from post.post
where status = 'POSTED' and hidden_at is null and not exists (select from post.post_search where post_id = id);

-- wrong
select format('search finds post %s, which not all may read', post_id)
from post.post_search left join post.post on id = post_id
where status is distinct from 'POSTED' or hidden_at is not null;

-- wrong
select format('post %s is found as an earlier version of it', id) from post.post join post.post_search on post_id = id
where post_search.types <> post.types or post_search.published_at <> coalesce(post.published_at, post.created_at);

-- Whether a post has pictures, for searches that ask for it. It stays said of one whose pictures were deleted.

-- lost
select format('search takes post %s for one without pictures, and it has some', post_id) from post.post_search as found
where not has_media and exists (select from post.post_media where post_media.post_id = found.post_id);

-- wrong
select format('search takes post %s for one with pictures, and it has none', post_id) from post.post_search as found
where has_media and not exists (select from post.post_media where post_media.post_id = found.post_id)
    and not exists (
        select from post.outbox where stream = 'media_deleted' and message ->> 'owner_id' = found.author::text);

-- wrong
select format('key %s leads to post %s, which search does not find', key, post_id)
from post.search_key where not exists (select from post.post_search where post_search.post_id = search_key.post_id);

-- Pictures: what is ready has its files, what is not used goes, and what a person has chosen is in their profile.

-- lost
select format('a file of picture %s', media.id) from post.media
where status = 'READY' and not exists (select from post.media_rendition where media_id = media.id and name = 'medium');

-- lost
select format('the file of rendition %s of picture %s', name, media_id)
from post.media_rendition left join post.media_blob on media_blob.id = blob_id
where media_blob.id is null or doomed_at is not null;

-- wrong
select format('file %s is kept and nothing refers to it', id) from post.media_blob
where doomed_at is null and not exists (select from post.media where original = media_blob.id)
    and not exists (select from post.media_rendition where blob_id = media_blob.id);

-- lost
select format('the choice of %s of %s', lower(chosen.purpose), chosen.user_id)
from post.profile_picture as chosen join auth.account on account.id = chosen.user_id
where not exists (
    select from auth.profile_picture as shown
    where (shown.user_id, shown.purpose, shown.version) = (chosen.user_id, chosen.purpose, chosen.version));

-- Recommended people: a list and its scores belong together, and who has left has none.

-- wrong
select format('the list of %s has %s people and %s scores', user_id, cardinality(people), cardinality(scores))
from engagement.recommended_people where cardinality(people) <> cardinality(scores);

-- wrong
select format('%s is no person here, and people are recommended to them', user_id) from engagement.recommended_people
where not exists (select from engagement.person where id = user_id);

-- Links to accounts elsewhere: each is of one account and has one identity, and was published.

-- lost
select format('link %s', id) from promised_link
where there and not exists (select from auth.linked_account where linked_account.id = promised_link.id);

-- wrong
select format('link %s is there again', id) from promised_link join auth.linked_account using (id) where not there;

-- wrong
select format('link %s is of account %s, which is gone', id, user_id) from auth.linked_account
where not exists (select from auth.account where account.id = linked_account.user_id);

-- lost
select format('the identity of link %s', id) from auth.linked_account
where not exists (select from auth.provider_identity where link_id = linked_account.id);

-- wrong
select format('the identity of link %s is of %s, and the link of %s', link_id, identity.user_id, coalesce(link.user_id::text, 'no account'))
from auth.provider_identity as identity left join auth.linked_account as link on link.id = link_id
where (identity.subject, identity.user_id) is distinct from (link.subject, link.user_id);

-- doubled
select format('%s links of %s to %s', count(*), user_id, provider)
from auth.linked_account group by user_id, provider having count(*) > 1;

-- doubled
select format('%s links to %s of %s', count(*), subject, provider)
from auth.linked_account group by provider, subject having count(*) > 1;

-- lost
select format('the event of link %s', id) from auth.linked_account as link
where not exists (
    select from auth.outbox
    where stream = 'linked_account_changed' and message ->> 'user_id' = link.user_id::text
        and message ->> 'provider' = link.provider and message ->> 'linked' = 'true'
        and (message ->> 'at')::timestamptz = link.linked_at);

-- Tastes: as long as the account is linked, and by the link of now; what its person has chosen holds, and what is made of tastes follows
-- from them.

-- lost
select format('the taste of %s, whose account elsewhere is linked', user_id) from auth.linked_account as link
where provider = 'spotify' and not exists (
    select from engagement.taste where person_id = link.user_id and linked and taste.linked_at = link.linked_at);

-- wrong
select format('%s has a taste, and no account elsewhere is linked', person_id) from engagement.taste
where linked and not exists (select from auth.linked_account where user_id = person_id and provider = 'spotify');

-- wrong
select format('%s is gone, and has a taste', person_id) from engagement.taste
where not exists (select from auth.account where account.id = person_id);

-- wrong
select format('the taste of %s has ended, and something is left of it', person_id) from engagement.taste
where (not linked or forgotten_at is not null) and (items is not null or fetched_at is not null or shared or not matched);

-- wrong
select format('%s has a taste, and was answered that there is none', id) from denied join engagement.taste on person_id = id
where what = 'taste' and linked and forgotten_at is null;

-- lost
select format('the choice of %s, whose taste is %s', person, case when taste.shared then 'shared' else 'not shared' end)
from promised_sharing as promised left join engagement.taste on person_id = person
where promised.shared is distinct from taste.shared;

-- lost
select format('%s %s of %s in the index of tastes', lower(kind), item, person_id) from taste_recount as recount
where not exists (
    select from engagement.taste_item as indexed
    where (indexed.kind, indexed.item, indexed.person_id, indexed.weight) =
        (recount.kind, recount.item, recount.person_id, recount.weight));

-- wrong
select format('%s %s of %s is in the index of tastes, and not shared', lower(kind), item, person_id)
from engagement.taste_item as indexed
where not exists (
    select from taste_recount as recount
    where (recount.kind, recount.item, recount.person_id) = (indexed.kind, indexed.item, indexed.person_id));

-- A match stays as it was found until its person's taste is fetched again. In a run what a person listens to does not change: so it holds
-- as long as the other one has a taste.

-- wrong
select format('the match of %s with %s is of a taste that is not there', person_id, other_id) from engagement.taste_match
where not exists (
    select from engagement.taste where taste.person_id = taste_match.person_id and linked and items is not null);

-- wrong
select format('the tastes of %s and %s are similar by %s, and a recount says %s', person_id, other_id, found.similarity,
    coalesce(recount.similarity, 0))
from engagement.taste_match as found left join taste_similarity as recount using (person_id, other_id)
where abs(found.similarity - coalesce(recount.similarity, 0)) > 1e-9
    and exists (select from engagement.taste where taste.person_id = found.person_id and items is not null)
    and exists (select from engagement.taste where taste.person_id = found.other_id and items is not null);
