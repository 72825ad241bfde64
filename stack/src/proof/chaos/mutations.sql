-- Mutations: each spoils one thing and returns its id, and a check has to report it afterwards.
--
-- A mutation begins with the kind of the violation and words of it, in which {} is the id. `without` drops a constraint that
-- would not let the mutation happen. Under `counted` it is two: with ± as plus the violation is doubled, with ± as minus it is lost.
--
-- None depends on chance: a row that it needs is in every run (`prelude.rs` makes what is rare), or it makes the row itself.

-- Events.

-- lost: post has an event of post_created without a number (seq {})
update post.outbox set pos = null, prev = null
where stream = 'post_created' and pos = (select max(pos) from post.outbox where stream = 'post_created')
returning seq;

-- lost: post applied post_viewed up to {}
update post.inbox set ms = ms - 1 where stream = 'post_viewed' returning ms;

-- lost: auth has not written the hash of {}
update auth.user_detail set written = version - 1
where ctid = (select ctid from auth.user_detail where true order by ctid limit 1) returning user_id;

-- lost: post has not erased {}
insert into post.erasure (person) values (gen_random_uuid()) returning person;

-- lost: moderation has not made scheduled decision {}
insert into moderation.scheduled_decision (id, subject_type, subject_id, author, moderator, due_at, actions, reason, abusive)
values (gen_random_uuid(), 'POST', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now(), '[]', 'OTHER_RULES', false)
returning id;

-- lost: interaction: post_viewed has
delete from interaction.outbox where stream = 'post_viewed' and pos = 2 returning seq;

-- wrong: post: post_created gave numbers up to {}, the last is
delete from post.outbox
where stream = 'post_created' and pos = (select max(pos) from post.outbox where stream = 'post_created')
returning pos;

-- wrong: post: event {} of post_created is number 2 behind 0-0
update post.outbox set prev = '0-0' where stream = 'post_created' and pos = 2 returning event_id;

-- doubled: event {} was published 2 times
insert into moderation.outbox (event_id, stream, pos, prev, message)
select event_id, stream, pos, prev, message from post.outbox where stream = 'post_created' and pos = 1
returning event_id;

-- wrong: {} is published by 2 services
insert into auth.outbox (event_id, stream, pos, prev, message)
select gen_random_uuid(), stream, pos, prev, message from post.outbox where stream = 'post_created' and pos = 1
returning stream;

-- wrong: post parked {} of post_viewed
insert into post.dead_letter (id, stream, entry_id, occurred_at, version, message, error)
values (gen_random_uuid(), 'post_viewed', '1-0', now(), 1, '{}', 'spoilt') returning entry_id;

-- Search.

-- lost: post {} is not found by search
delete from post.post_search where post_id = (select post_id from post.post_search order by post_id limit 1) returning post_id;

-- wrong: search finds post {}, which not all may read
update post.post_search set post_id = gen_random_uuid()
where post_id = (select post_id from post.post_search order by post_id limit 1) returning post_id;

-- wrong: post {} is found as an earlier version of it
update post.post_search set published_at = published_at - interval '1 second'
where post_id = (select post_id from post.post_search order by post_id limit 1) returning post_id;

-- lost: search takes post {} for one without pictures
insert into post.post_media (post_id, place, media_id, key)
select post_id, 1, gen_random_uuid(), gen_random_uuid() from post.post_search
where not has_media and not exists (select from post.post_media where post_media.post_id = post_search.post_id)
order by post_id limit 1
returning post_id;

-- wrong: search takes post {} for one with pictures
update post.post_search set has_media = true where post_id = (
    select post_id from post.post_search
    where not has_media and not exists (
        select from post.outbox where stream = 'media_deleted' and message ->> 'owner_id' = author::text)
    order by post_id limit 1)
returning post_id;

-- Promises.

-- lost: account {}
delete from auth.account where id = (select id from promised_account where there limit 1) returning id;

-- lost: the connection of {}
insert into promised_relation
select 'connection', id, id, true from promised_account
where there and exists (select from auth.account where account.id = promised_account.id)
limit 1
returning user_id || ' to ' || target_id;

-- lost: the mute of {}
insert into promised_relation
select 'mute', id, id, true from promised_account where there and exists (select from auth.account where account.id = promised_account.id)
limit 1
returning user_id || ' to ' || target_id;

-- lost: the disinterest of {}
insert into promised_relation
select 'disinterest', id, id, true from promised_account
where there and exists (select from auth.account where account.id = promised_account.id)
limit 1
returning user_id || ' to ' || target_id;

-- lost: the dismissal of {}
insert into promised_relation
select 'dismissal', id, id, true from promised_account
where there and exists (select from auth.account where account.id = promised_account.id)
limit 1
returning user_id || ' to ' || target_id;

-- doubled: 2 times the disinterest of {}
-- without: alter table engagement.not_interested drop constraint not_interested_user_id_post_id_key;
insert into engagement.not_interested (id, user_id, post_id)
select gen_random_uuid(), one, one from gen_random_uuid() as one, generate_series(1, 2)
returning user_id || ' to ' || post_id;

-- doubled: 2 times the dismissal of {}
-- without: alter table engagement.dismissed_person drop constraint dismissed_person_pkey;
insert into engagement.dismissed_person (user_id, person_id)
select one, one from gen_random_uuid() as one, generate_series(1, 2)
returning user_id || ' to ' || person_id;

-- wrong: {} is gone, and is still not interested
insert into engagement.not_interested (id, user_id, post_id)
values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid()) returning user_id;

-- wrong: has dismissed {}, and one of them is gone
insert into engagement.dismissed_person (user_id, person_id) select id, gen_random_uuid() from auth.account order by id limit 1
returning person_id;

-- wrong: the connection of {} is there again
insert into promised_relation select 'connection', user_id, target_id, false from auth.connection limit 1
returning user_id || ' to ' || target_id;

-- wrong: {}, and one of them blocks the other
insert into auth.block (user_id, target_id) select target_id, user_id from auth.connection limit 1
returning target_id || ' is connected to ' || user_id;

-- wrong: {} was refused with 403, and was
insert into restricted values (gen_random_uuid(), 403) returning person;

-- lost: post {}
delete from post.post where id = (
    select id from promised_post
    where there and not insult and exists (select from post.post where post.id = promised_post.id) limit 1)
returning id;

-- lost: the status POSTED of post {}, which is DRAFT
update post.post set status = 'DRAFT' where id = (
    select promised_post.id from promised_post join post.post using (id) where promised_post.status = 'POSTED' limit 1)
returning id;

-- lost: post_viewed of {}:
delete from interaction.outbox where seq = (
    select published.seq from published
    join tally on tally.stream = published.stream and person = message ->> 'viewed_by'
    where published.stream = 'post_viewed' and unknown = 0 limit 1)
returning message ->> 'viewed_by';

-- doubled: post_viewed of {}:
insert into interaction.outbox (event_id, stream, message)
select gen_random_uuid(), published.stream, message
from published join tally on tally.stream = published.stream and person = message ->> 'viewed_by'
where published.stream = 'post_viewed' and unknown = 0 limit 1
returning message ->> 'viewed_by';

-- lost: the deletion of post {}, an insult
update post.post set content = :'insult' where ctid = (
    select ctid from post.post
    where status = 'POSTED' and hidden_at is null and id not in (select id from decided_by_people) order by ctid limit 1)
returning id;

-- lost: the deletion of comment {}, an insult
update interaction.comment set content = :'insult' where ctid = (
    select ctid from interaction.comment
    where hidden_at is null and id not in (select id from decided_by_people) order by ctid limit 1)
returning id;

-- lost: comment {} on post
delete from interaction.comment where id = (
    select promised.id from promised_comment as promised
    join interaction.comment using (id) join post.post on post.id = comment.post_id
    where there and not insult limit 1)
returning id;

-- lost: reaction {} on post
delete from interaction.reaction where id = (
    select promised.id from promised_reaction as promised
    join interaction.reaction using (id) join post.post on post.id = reaction.post_id
    where there and not insult limit 1)
returning id;

-- wrong: account {} is there again
update promised_account set there = false where id = (
    select id from promised_account join auth.account using (id) where there limit 1)
returning id;

-- wrong: account {} is there, and a user was answered that it is not
insert into denied select 'account', id, id from auth.account limit 1 returning id;

-- wrong: post {} is there again
update promised_post set there = false where id = (
    select id from promised_post join post.post using (id) where there limit 1)
returning id;

-- wrong: post {} is there, and a user was answered that it is not
insert into denied select 'post', id, created_by from post.post where id not in (select id from unwanted) limit 1 returning id;

-- wrong: comment {} is there again
update promised_comment set there = false where id = (
    select id from promised_comment join interaction.comment using (id) where there limit 1)
returning id;

-- wrong: comment {} is there, and a user was answered that it is not
insert into denied select 'comment', comment.id, post.created_by from interaction.comment join post.post on post.id = post_id
where comment.id not in (select id from unwanted) and post_id not in (select id from unwanted) limit 1
returning id;

-- wrong: reaction {} is there again
update promised_reaction set there = false where id = (
    select id from promised_reaction join interaction.reaction using (id) where there limit 1)
returning id;

-- wrong: reaction {} is there, and a user was answered that it is not
insert into denied select 'reaction', reaction.id, post.created_by from interaction.reaction join post.post on post.id = post_id
where post_id not in (select id from unwanted) limit 1
returning id;

-- Every counter one too high, and one too low.

-- counted: comments of post {}: counted
update post.post set total_comments = total_comments ± 1
where ctid = (select ctid from post.post where total_comments > 0 order by ctid limit 1) returning id;

-- counted: reactions to post {}: counted
update post.post set total_reactions = total_reactions ± 1
where ctid = (select ctid from post.post where total_reactions > 0 order by ctid limit 1) returning id;

-- counted: views of post {}: counted
update post.post set total_views = total_views ± 1
where ctid = (select ctid from post.post where total_views > 0 order by ctid limit 1) returning id;

-- counted: repeated views of post {}: counted
update post.post set repeated_views = repeated_views ± 1
where ctid = (select ctid from post.post where total_views > 0 order by ctid limit 1) returning id;

-- counted: connections of account {}: counted
update auth.account set total_connections = total_connections ± 1
where ctid = (select ctid from auth.account where total_connections > 0 order by ctid limit 1) returning id;

-- counted: posts of profile {}: counted
update engagement.profile set total_owned_posts = total_owned_posts ± 1
where ctid = (select ctid from engagement.profile where total_owned_posts > 0
    and not exists (select from erasures where person = user_id) order by ctid limit 1) returning user_id;

-- counted: comments of profile {}: counted
update engagement.profile set total_post_comments = total_post_comments ± 1
where ctid = (select ctid from engagement.profile where total_post_comments > 0
    and not exists (select from erasures where person = user_id) order by ctid limit 1) returning user_id;

-- counted: reactions of profile {}: counted
update engagement.profile set total_post_reactions = total_post_reactions ± 1
where ctid = (select ctid from engagement.profile where total_post_reactions > 0
    and not exists (select from erasures where person = user_id) order by ctid limit 1) returning user_id;

-- counted: views of profile {}: counted
update engagement.profile set total_post_views = total_post_views ± 1
where ctid = (select ctid from engagement.profile where total_post_views > 0
    and not exists (select from erasures where person = user_id) order by ctid limit 1) returning user_id;

-- counted: posts in category {}: counted
update engagement.summary set total = total ± 1
where ctid = (select ctid from engagement.summary where total > 0
    and not exists (select from erasures where person = user_id) order by ctid limit 1) returning category || ' of profile ' || user_id;

-- counted: actions by day of profile {}: counted
update engagement.activity set total = total ± 1
where ctid = (select ctid from engagement.activity where total > 0
    and not exists (select from erasures where person = user_id) order by ctid limit 1) returning user_id;

-- wrong: post {} scores
update post.post set score = score + 1 where ctid = (select ctid from post.post where true order by ctid limit 1) returning id;

-- Effects.

-- lost: the NFT record of post {}
delete from post.post_nft where post_id = (
    select post_id from post.post_nft join post.post on post.id = post_id
    where post.status = 'POSTED' and hidden_at is null order by post_id limit 1)
returning post_id;

-- doubled: 2 NFT records of {}
-- without: alter table post.post_nft drop constraint post_nft_post_id_key;
insert into post.post_nft select (copied).* from (
    select jsonb_populate_record(null::post.post_nft, to_jsonb(original) || jsonb_build_object('id', gen_random_uuid()))
    from post.post_nft as original where true limit 1) as copy (copied)
returning post_id;

-- lost: the NFT record of comment {}
delete from interaction.comment_nft where comment_id = (
    select comment_id from interaction.comment_nft join interaction.comment on comment.id = comment_id
    where hidden_at is null order by comment_id limit 1)
returning comment_id;

-- doubled: 2 NFT records of {}
-- without: alter table interaction.comment_nft drop constraint comment_nft_comment_id_key;
insert into interaction.comment_nft select (copied).* from (
    select jsonb_populate_record(null::interaction.comment_nft, to_jsonb(original) || jsonb_build_object('id', gen_random_uuid()))
    from interaction.comment_nft as original where true limit 1) as copy (copied)
returning comment_id;

-- wrong: the NFT record of post {} is READY_FOR_MINTING, its minting PINNED
insert into post.mint (id, created_by, kind, subject_id, status, store, cid, token_uri)
select id, created_by, 'POST', post_id, 'PINNED', 'local', 'bafk', 'ipfs://bafk' from post.post_nft order by id limit 1
returning subject_id;

-- wrong: post {} is not published, its minting UPLOADING
insert into post.mint (id, created_by, kind, subject_id)
values (gen_random_uuid(), gen_random_uuid(), 'POST', gen_random_uuid()) returning subject_id;

-- lost: the metadata of comment {}
insert into post.mint (id, created_by, kind, subject_id, status, store, cid, token_uri)
select id, created_by, 'COMMENT', comment_id, 'PINNED', 'local', 'bafk', 'ipfs://bafk'
from interaction.comment_nft order by id limit 1
returning subject_id;

-- lost: the token of comment {}
insert into post.mint (id, created_by, kind, subject_id, status, store, cid, token_uri, contract, token_id, transaction_hash,
    minted_at)
select id, created_by, 'COMMENT', comment_id, 'MINTED', 'local', 'bafk', 'ipfs://bafk', 'eip155:1:0xa', '0xb', '0xc', now()
from interaction.comment_nft order by id limit 1
returning subject_id;

-- wrong: NFT {} is TX_SIGNED, its transaction missing
insert into post.mint (id, created_by, kind, subject_id, status, store, cid, token_uri)
select id, created_by, 'COMMENT', comment_id, 'TX_SIGNED', 'local', 'bafk', 'ipfs://bafk'
from interaction.comment_nft order by id limit 1
returning id;

-- lost: the nonce 8 of {}
insert into post.signer (account, next_nonce) values ('eip155:1:0xa', 9) returning account;

-- lost: the profile of {}
delete from engagement.profile where ctid = (
    select ctid from engagement.profile where exists (
        select from published where stream = 'user_registered' and message ->> 'id' = user_id::text)
    order by ctid limit 1)
returning user_id;

-- doubled: 2 profiles of {}
-- without: alter table engagement.profile drop constraint profile_user_id_key;
insert into engagement.profile select (copied).* from (
    select jsonb_populate_record(null::engagement.profile, to_jsonb(original) || jsonb_build_object('id', gen_random_uuid()))
    from engagement.profile as original where true limit 1) as copy (copied)
returning user_id;

-- wrong: the interaction service takes post {} for deleted
update interaction.post set deleted_at = now() where ctid = (
    select ctid from interaction.post
    where exists (select from post.post as there where there.id = post.id) order by ctid limit 1)
returning id;

-- wrong: the engagement service takes post {} for deleted
update engagement.post set types = null where ctid = (
    select ctid from engagement.post
    where exists (select from post.post as there where there.id = post.id) order by ctid limit 1)
returning id;

-- wrong: the moderation service takes {} for gone
update moderation.content set gone_at = now() where ctid = (
    select ctid from moderation.content
    where gone_at is null and exists (select from post.post where post.id = content.id and hidden_at is null)
    order by ctid limit 1)
returning id;

-- wrong: comment {} is about post
update interaction.comment set post_id = gen_random_uuid()
where ctid = (select ctid from interaction.comment where true order by ctid limit 1) returning id;

-- wrong: reaction {} is about post
update interaction.reaction set post_id = gen_random_uuid()
where (tableoid, ctid) = (select tableoid, ctid from interaction.reaction where true order by 1, 2 limit 1) returning id;

-- Cases of moderation.

-- doubled: cases about {}, 2 of them: it was hidden 1 times
insert into moderation.moderation (id, type, content_id, author, raw_content, status, reason)
select gen_random_uuid(), type, content_id, author, raw_content, status, reason from moderation.moderation
where content_id in (select id from visibility_change where hides = 1) limit 1
returning content_id;

-- doubled: requests to delete {}, 2 of them: it was hidden 1 times
insert into moderation.outbox (event_id, stream, message)
select gen_random_uuid(), stream, message from moderation.outbox
where (message ->> 'content_id')::uuid in (select id from visibility_change where hides = 1) limit 1
returning message ->> 'content_id';

-- lost: the end of case {} about
update moderation.moderation set status = 'DELETE_REQUESTED'
where ctid = (select ctid from moderation.moderation where true order by ctid limit 1) returning id;

-- lost: the deletion of {}, which case
update moderation.moderation set content_id = (
    select id from post.post where hidden_at is null and id not in (select id from unwanted) limit 1)
where ctid = (select ctid from moderation.moderation where true order by ctid limit 1) returning content_id;

-- Subjects, decisions and strikes.

-- wrong: {} is VISIBLE and ACTIVE in version 0, and the log says
update moderation.subject set version = 0 where (type, id) = (
    select type, id from moderation.subject
    where version > 0 and visibility = 'VISIBLE' and standing = 'ACTIVE'
        and not exists (select from erasures where person = author) order by id limit 1)
returning id;

-- wrong: decision {} is REVERSED, and the log says otherwise
update moderation.decision set ended_at = now(), ended_by = 'REVERSED' where id = (
    select id from moderation.decision
    where ended_at is null and not exists (select from erasures where person = author) order by id limit 1)
returning id;

-- lost: the strike of decision {}
delete from moderation.strike where decision = (select decision from moderation.strike order by decision limit 1) returning decision;

-- doubled: the strike of decision {}, which is none
insert into moderation.strike (decision, author, weight, at, expires_at)
select gen_random_uuid(), gen_random_uuid(), 1, now(), now() returning decision;

-- wrong: the strike of decision {} weighs 9
update moderation.strike set weight = 9 where decision = (select decision from moderation.strike order by decision limit 1)
returning decision;

-- wrong: decision {} is in force for 999 strikes
update moderation.decision set strikes = 999, ended_at = null, ended_by = null where id = (
    select id from moderation.decision order by id limit 1)
returning id;

-- wrong: account {} is MUTED, and moderation has it ACTIVE
update auth.account set status = 'MUTED' where id = (
    select id from auth.account where status not in ('MUTED', 'BANNED') order by id limit 1) returning id;

-- wrong: appeal {} is UPHELD by
insert into moderation.appeal (id, decision, author, text, status, moderator)
select gen_random_uuid(), id, author, 'spoilt', 'UPHELD', moderator from moderation.decision
where moderator is not null and not exists (select from moderation.appeal where appeal.decision = decision.id) order by id limit 1
returning id;

-- doubled: the claim on {}, by two
insert into claimed_twice values (gen_random_uuid()) returning id;

-- doubled: entry {} decides
insert into moderation.ledger (seq, id, at, actor_type, actor, subject_type, subject_id, version, kind, details, details_hash,
    previous, hash)
select (select max(seq) + 1 from moderation.ledger), gen_random_uuid(), at, actor_type, actor, subject_type, subject_id, version, kind,
    details, details_hash, previous, hash
from moderation.ledger where seq in (select seq from closing where not (details -> 'actions') @> '[{"action": "RESTORE"}]')
    and not exists (
        select from log_entry as later
        where (later.type, later.id) = (subject_type, subject_id) and later.seq > ledger.seq
            and later.kind in ('flagged', 'reported', 'escalated', 'decided'))
order by seq desc limit 1
returning seq;

-- lost: the notice {} to
delete from engagement.notification where id = (
    select id from engagement.notification
    where type = 'SYSTEM_MESSAGE' and subject_id in (
        select (message ->> 'id')::uuid from moderation.outbox where stream = 'moderation_notice')
    order by id limit 1)
returning subject_id;

-- lost: {} is shown, and moderation has it HIDDEN
insert into moderation.subject (type, id, author, visibility)
select 'POST', id, created_by, 'HIDDEN' from post.post where hidden_at is null limit 1
on conflict (type, id) do update set visibility = excluded.visibility
returning id;

-- wrong: {} is hidden, and moderation has it VISIBLE
update moderation.subject set visibility = 'VISIBLE' where ctid = (
    select subject.ctid from moderation.subject join post.post using (id)
    where subject.visibility in ('HELD', 'HIDDEN') and post.hidden_at is not null order by subject.ctid limit 1)
returning id;

-- wrong: {}, and no decision in force says so
update moderation.decision set ended_at = now() where subject_id = (
    select id from moderation.subject
    where visibility in ('HELD', 'HIDDEN') and not exists (select from erasures where person = author) order by id limit 1)
    and ended_at is null
returning subject_id || ' is ' || (select visibility from moderation.subject where id = subject_id);

-- lost: the lock of post {}: who may comment is EVERYONE
insert into moderation.subject (type, id, author, locked)
select 'POST', id, created_by, true from post.post where comments = 'EVERYONE' limit 1
on conflict (type, id) do update set locked = true
returning id;

-- wrong: post {} is closed for comments, and moderation has not locked it
update post.post set comments = 'LOCKED' where id = (
    select id from post.post
    where hidden_at is null and comments <> 'LOCKED' and not exists (select from erasures where person = created_by)
    order by id limit 1)
returning id;

-- wrong: post {} is locked, and no decision in force says so
insert into moderation.subject (type, id, author, locked)
select 'POST', id, created_by, true from post.post
where not exists (
    select from moderation.decision where subject_id = post.id and actions @> '[{"action": "LOCK"}]')
order by id limit 1
on conflict (type, id) do update set locked = true
returning id;

-- What moderation has removed, limited and labelled, and what was scheduled or sent again.

-- lost: the removal of POST {}
insert into moderation.subject (type, id, author, visibility)
select 'POST', id, created_by, 'REMOVED' from post.post order by id limit 1
on conflict (type, id) do update set visibility = excluded.visibility
returning id;

-- wrong: POST {}, and moderation has it
update post.post set labels = '{mutant}' where id = (
    select id from post.post where not exists (select from erasures where person = created_by) order by id limit 1)
returning id || ' is ' || visibility || ' and labelled {mutant}';

-- wrong: feeds take post {} for
update engagement.moderated_post set limited = not limited where post_id = (
    select post_id from engagement.moderated_post join engagement.post_card on post_card.id = post_id
    where deleted_at is null and not exists (select from erasures where person = author) order by post_id limit 1)
returning post_id;

-- lost: scheduled decision {}
insert into promised_schedule values (gen_random_uuid(), gen_random_uuid(), false) returning id;

-- wrong: scheduled decision {} is DONE, and was cancelled
insert into promised_schedule
select id, author, true from moderation.scheduled_decision where status = 'DONE' order by id limit 1
returning id;

-- lost: the decision of scheduled decision {}
update moderation.scheduled_decision set decision = gen_random_uuid() where id = (
    select id from moderation.scheduled_decision
    where status = 'DONE' and not exists (select from erasures where person = author) order by id limit 1)
returning id;

-- doubled: by scheduled decision {}, which is CANCELLED
update moderation.decision set internal_note = scheduled.internal_note, subject_id = scheduled.subject_id
from moderation.scheduled_decision as scheduled
where decision.id = (select id from moderation.decision where subject_type = 'POST' order by id limit 1)
    and scheduled.id = (
        select id from moderation.scheduled_decision
        where status = 'CANCELLED' and subject_type = 'POST' and internal_note is not null order by id limit 1)
returning scheduled.id;

-- doubled: made 2 times about {}
insert into moderation.decision select (copied).* from (
    select jsonb_populate_record(null::moderation.decision, to_jsonb(original) || jsonb_build_object('id', gen_random_uuid()))
    from moderation.decision as original
    where moderator is not null and internal_note is not null order by id limit 1) as copy (copied)
returning subject_id;

-- lost: results of bulk {}, which has 2 subjects and 0 results
insert into promised_bulk values (gen_random_uuid(), 'mutant', 2) returning key;

-- wrong: subject 0 of bulk {} is DECIDED
insert into moderation.bulk_result (moderator, key, place, outcome) values (gen_random_uuid(), 'mutant', 0, 'DECIDED')
returning key;

-- lost: MEDIA {} is shown, and moderation has it HIDDEN
insert into moderation.subject (type, id, author, visibility)
select 'MEDIA', id, created_by, 'HIDDEN' from post.media where hidden_at is null limit 1
on conflict (type, id) do update set visibility = excluded.visibility
returning id;

-- Pictures and the model in shadow.

-- lost: picture {}, which moderation does not know
update moderation.picture set hash = ~hash where id = (
    select picture.id from moderation.picture join post.media using (id)
    where status = 'READY' and not exists (select from erasures where person = owner) order by id limit 1)
returning id;

-- wrong: moderation has picture {}, which is gone
insert into moderation.picture (id, owner, purpose, content_type, width, height, sha256, hash, version)
values (gen_random_uuid(), gen_random_uuid(), 'POST', 'image/png', 1, 1, decode(repeat('00', 32), 'hex'), 0, 1) returning id;

-- lost: the turn of picture {}, which no image
update moderation.picture set score_at = null, nudity_model = null
where id = (select id from moderation.picture order by id limit 1) returning id;

-- wrong: picture {} looks like a blocked one
insert into moderation.blocked_picture (id, hash, reason)
select gen_random_uuid(), hash, 'OTHER_RULES' from moderation.picture where not is_due order by id limit 1
returning (select id from moderation.picture where not is_due order by id limit 1);

-- lost: the place of the model in shadow
delete from moderation.shadow_progress returning one;

-- wrong: the reading of analysis {} in shadow
insert into moderation.shadow_reading (analysis, model_version, scores, thresholds, heads_agreed, verdict)
select id, model_version, '[]', '[]', 5, verdict from moderation.analysis order by id limit 1 returning analysis;

-- wrong: the explanation of analysis {} waits, of a text
insert into moderation.waiting_explanation (analysis, model_version, severity)
select analysis.id, model_version, severity from moderation.analysis join moderation.content on content.id = content_id
where gone_at is not null and not exists (select from erasures where person = analysis.author)
order by analysis.id limit 1 returning analysis;

-- wrong: the explanation of analysis {} waits, which has one
insert into moderation.waiting_explanation (analysis, model_version, severity)
select id, 'another', severity from moderation.analysis order by id limit 1
on conflict (analysis) do update set model_version = excluded.model_version returning analysis;

-- wrong: entry {} of the ledger is not
update moderation.ledger set at = at + interval '1 second' where seq = (select max(seq) from moderation.ledger) returning seq;

-- lost: what stood before entry {} of
delete from moderation.ledger where seq = (select max(seq) - 1 from moderation.ledger) returning seq + 1;

-- lost: the entries of the ledger between {} and
delete from moderation.ledger where seq = (select max(seq) from moderation.ledger) returning seq - 1;

-- doubled: 2 claims on {}
-- without: alter table moderation.claim drop constraint claim_pkey;
insert into moderation.claim (subject_type, subject_id, moderator, until)
select 'POST', id, gen_random_uuid(), now() from (select id from post.post limit 1) as one, generate_series(1, 2)
returning subject_id;

-- lost: a report about {}, which counts
insert into moderation.report (id, reporter, subject_type, subject_id, author, reason, weight)
select gen_random_uuid(), gen_random_uuid(), 'POST', id, created_by, 'SPAM_LINK', 1 from post.post limit 1
returning subject_id;

-- doubled: subject {} counts
update moderation.subject set reports = reports + 1
where ctid = (select ctid from moderation.subject where true order by ctid limit 1) returning id;

-- The read model.

-- wrong: the read model has person {} as MUTED
update engagement.person set status = 'MUTED'
where id = (select id from engagement.person where status <> 'MUTED' order by id limit 1) returning id;

-- wrong: the read model takes the connection of {} for ended
update auth.connection set target_id = gen_random_uuid()
where ctid = (select ctid from auth.connection where true order by ctid limit 1) returning user_id || ' to ' || target_id;

-- wrong: the engagement service takes the block of {} for there
insert into engagement.block (user_id, target_id, stands, at)
select gen_random_uuid(), gen_random_uuid(), true, now() returning target_id || ' by ' || user_id;

-- wrong: the read model has post {} as gone
update engagement.post_card set deleted_at = now() where ctid = (
    select ctid from engagement.post_card where deleted_at is null order by ctid limit 1)
returning id;

-- wrong: the read model has post {} as POSTED, which is POSTED
update engagement.post_card set content = 'spoilt' where ctid = (
    select ctid from engagement.post_card where deleted_at is null and not hidden and status = 'POSTED' order by ctid limit 1)
returning id;

-- wrong: the read model takes comment {} for gone
update engagement.comment_card set deleted_at = now() where ctid = (
    select ctid from engagement.comment_card where deleted_at is null order by ctid limit 1)
returning id;

-- wrong: the read model takes reaction {} for there
update engagement.reaction_card set type = 'ANGRY' where ctid = (
    select ctid from engagement.reaction_card where deleted_at is null and type <> 'ANGRY' order by ctid limit 1)
returning id;

-- counted: comments of card {}: counted
update engagement.post_count set comments = comments ± 1
where ctid = (select ctid from engagement.post_count where comments > 0 order by ctid limit 1) returning post_id;

-- counted: reactions of card {}: counted
update engagement.post_count set reactions = reactions ± 1
where ctid = (select ctid from engagement.post_count where reactions > 0 order by ctid limit 1) returning post_id;

-- counted: views of card {}: counted
update engagement.post_count set views = views ± 1
where ctid = (select ctid from engagement.post_count where views > 0 order by ctid limit 1) returning post_id;

-- Recommended posts.

-- lost: has seen post {}, and recommendations do not know
delete from engagement.seen_post where (user_id, post_id) = (
    select user_id, post_id from engagement.seen_post
    where exists (select from auth.account where account.id = user_id)
        and not exists (select from engagement.erasure where person = user_id)
        and exists (
            select from interaction.outbox
            where stream = 'post_viewed' and (message::json ->> 'viewed_by')::uuid = user_id
                and (message::json ->> 'id')::uuid = post_id)
    order by user_id, post_id limit 1
) returning post_id;

-- doubled: a post stands twice in list {} of recommended posts
insert into engagement.recommendation_list (id, user_id, posts, sources, numbers, words)
select gen_random_uuid(), gen_random_uuid(), array[one, one], '{FRESH,FRESH}', '{0,0}', '{"",""}' from gen_random_uuid() as one
returning id;

-- wrong: post {} is similar to itself
insert into engagement.similar_post (post_id, others, weights, found_at)
select one, array[one], '{1}', now() from gen_random_uuid() as one returning post_id;

-- Feeds and notifications.

-- lost: post {} in the feed that
update read_feed set posts = posts[2:] where reader = (
    select reader from read_feed where cardinality(posts) between 1 and 100 order by reader limit 1)
returning (select post_id from feed_recount where feed_recount.reader = read_feed.reader and place = 1);

-- wrong: post {} is item 1 of the feed that
update read_feed set posts = gen_random_uuid() || posts where reader = (select reader from read_feed order by reader limit 1)
returning posts[1];

-- wrong: post {} is in the explore feed that
insert into read_explore
select gen_random_uuid(), array[subject.id] from moderation.subject join post.post on post.id = subject.id
where subject.type = 'POST' and subject.visibility = 'LIMITED' order by subject.id limit 1
returning posts[1];

-- lost: the fan-out of post {}
insert into engagement.fan_out (post_id, author_id) select gen_random_uuid(), gen_random_uuid() returning post_id;

-- wrong: post {} is in feeds under
update engagement.post_card set fanned_key = gen_random_uuid()
where ctid = (select ctid from engagement.post_card where fanned_key is not null order by ctid limit 1) returning id;

-- wrong: the publication of post {} is
update post.post set published_at = published_at + interval '1 second'
where ctid = (select ctid from post.post where published_at is not null order by ctid limit 1) returning id;

-- lost: POST_REACTION_RECEIVED of post {}
update engagement.notification_actor set stands = false where ctid = (
    select notification_actor.ctid from engagement.notification_actor
    join engagement.notification on notification.id = notification_id
    where type = 'POST_REACTION_RECEIVED' and stands and shown order by 1 limit 1)
returning (select subject_id from engagement.notification where id = notification_id);

-- doubled: POST_COMMENT_RECEIVED of post {} by
insert into engagement.notification_actor (notification_id, actor_id, stands, at, newest)
select id, gen_random_uuid(), true, now(), now() from engagement.notification
where type = 'POST_COMMENT_RECEIVED' and shown limit 1
returning (select subject_id from engagement.notification where id = notification_id);

-- wrong: is notified of POST_COMMENT_RECEIVED by {}, from whom
insert into engagement.mute (id, user_id, target_id)
select gen_random_uuid(), notification.user_id, actor_id
from engagement.notification join engagement.notification_actor on notification_id = notification.id
where type = 'POST_COMMENT_RECEIVED' and stands and shown limit 1
returning target_id;

-- wrong: notification {} counts
update engagement.notification set causes = causes + 1
where ctid = (select ctid from engagement.notification where type = 'POST_COMMENT_RECEIVED' order by ctid limit 1) returning id;

-- wrong: {} is notified of
update engagement.notification set causes = causes + 1
where ctid = (select ctid from engagement.notification where type = 'USER_CONNECTED' and shown order by ctid limit 1)
returning user_id;

-- doubled: 2 notifications of POST_COMMENT_RECEIVED about {}
-- without: alter table engagement.notification drop constraint notification_group_key;
insert into engagement.notification (id, user_id, type, subject_id, causes, created_at, updated_at)
select gen_random_uuid(), user_id, type, subject_id, 0, now(), now() from engagement.notification
where type = 'POST_COMMENT_RECEIVED' order by id limit 1
returning subject_id;

-- wrong: the changes of {} are numbered up to
update engagement.notification_reader set last_change = 0 where user_id = (
    select user_id from engagement.notification where change > 0 order by id limit 1)
returning user_id;

-- Tags and mentions.

-- lost: the tags of post {} are not read yet
update post.tag_backfill set done_at = null, done_to = default
returning (select id from post.post order by id limit 1);

-- wrong: the tags of post {} are
insert into post.post_tag (post_id, tag, written, author_id, created_at)
select id, 'mutant', 'Mutant', user_id, created_at from engagement.post_card join post.post using (id, created_at)
where deleted_at is null and not hidden and post.status = 'POSTED' and hidden_at is null order by id limit 1
returning post_id;

-- wrong: tag lost leads to post {}, which not all may read
insert into post.post_tag (post_id, tag, written, author_id, created_at)
values (gen_random_uuid(), 'lost', 'Lost', gen_random_uuid(), now()) returning post_id;

-- wrong: post {} stands under mutant
insert into engagement.tagged_post (post_id, tag, feed_key, author_id)
select id, 'mutant', feed_key, user_id from engagement.post_card where engagement.is_public(post_card) order by id limit 1
returning post_id;

-- wrong: the facets of post {} name
update engagement.post_card set facets = '[]' where id = (
    select id from engagement.post_card where engagement.is_public(post_card) and cardinality(tags) > 0 order by id limit 1)
returning id;

-- doubled: is notified of a mention in post {} by
update engagement.notification set type = 'USER_MENTIONED' where id = (
    select id from engagement.notification where type = 'POST_COMMENT_RECEIVED' and shown order by id limit 1)
returning subject_id;

-- lost: {} is not notified of a mention
insert into engagement.mention (source_id, name, post_id, author_id, person_id, at)
select id, 'mutant', id, user_id, gen_random_uuid(), now() from engagement.post_card
where engagement.is_public(post_card) and not exists (select from engagement.erasure where person = user_id) order by id limit 1
returning person_id;

-- Threads, reactions to comments and bookmarks.

-- wrong: comment {} replies to
update interaction.comment set reply_to = id
where ctid = (select ctid from interaction.comment order by ctid limit 1) returning id;

-- wrong: the read model takes reaction {} to a comment for gone
insert into interaction.comment_reaction (id, created_by, comment_id, post_id, type)
select gen_random_uuid(), created_by, id, post_id, 'LIKE' from interaction.comment limit 1 returning id;

-- wrong: reaction {} is to comment
insert into interaction.comment_reaction (id, created_by, comment_id, post_id, type)
values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'LIKE') returning id;

-- wrong: bookmark {} is of post
insert into interaction.bookmark (id, user_id, post_id)
values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid()) returning id;

-- wrong: comments on post {} are for EVERYONE, and taken for NOBODY
update interaction.post set comments = 'NOBODY' where id = (
    select id from post.post join interaction.post as copy using (id)
    where post.hidden_at is null and copy.deleted_at is null and post.comments = 'EVERYONE' limit 1)
returning id;

-- wrong: the copy takes the connection of {}
delete from interaction.connection where (user_id, target_id) = (
    select user_id, target_id from interaction.connection join auth.connection as made using (user_id, target_id)
    where stands limit 1)
returning user_id || ' to ' || target_id;

-- wrong: key mutant leads to post {}, which search does not find
insert into post.search_key (kind, key, post_id) values ('TITLE', 'mutant', gen_random_uuid()) returning post_id;

-- Pictures.

-- lost: a file of picture {}
insert into post.media (id, created_by, purpose, status, content_type, bytes, sha256)
values (gen_random_uuid(), gen_random_uuid(), 'POST', 'READY', 'image/png', 1, '') returning id;

-- lost: the file of rendition medium of picture {}
insert into post.media_rendition (media_id, name, blob_id, width, height)
values (gen_random_uuid(), 'medium', gen_random_uuid(), 1, 1) returning media_id;

-- wrong: file {} is kept and nothing refers to it
insert into post.media_blob (id, sha256, content_type, bytes)
values (gen_random_uuid(), decode(repeat('00', 32), 'hex'), 'image/png', 1) returning id;

-- lost: the choice of avatar of {}
insert into post.profile_picture (user_id, purpose, version)
select id, 'AVATAR', 1 from auth.account order by id limit 1 returning user_id;

-- Recommended people.

-- wrong: the list of {} has 1 people and 0 scores
insert into engagement.recommended_people (user_id, people, scores) values (gen_random_uuid(), array[gen_random_uuid()], '{}')
returning user_id;

-- wrong: {} is no person here, and people are recommended to them
insert into engagement.recommended_people (user_id, people, scores) values (gen_random_uuid(), '{}', '{}') returning user_id;

-- Links to accounts elsewhere, and tastes.

-- lost: link {}
insert into promised_link values (gen_random_uuid(), true) returning id;

-- wrong: link {} is there again
insert into promised_link select id, false from auth.linked_account order by id limit 1 returning id;

-- wrong: link {} is of account
update auth.linked_account set user_id = gen_random_uuid() where id = (select id from auth.linked_account order by id limit 1)
returning id;

-- lost: the identity of link {}
delete from auth.provider_identity where link_id = (select id from auth.linked_account order by id limit 1) returning link_id;

-- wrong: the identity of link {} is of
update auth.provider_identity set user_id = gen_random_uuid()
where link_id = (select id from auth.linked_account order by id limit 1) returning link_id;

-- doubled: 2 links of {} to spotify
-- without: alter table auth.linked_account drop constraint linked_account_provider_key;
insert into auth.linked_account select (copied).* from (
    select jsonb_populate_record(null::auth.linked_account,
        to_jsonb(original) || jsonb_build_object('id', gen_random_uuid(), 'subject', 'mutant'))
    from auth.linked_account as original order by id limit 1) as copy (copied)
returning user_id;

-- doubled: 2 links to {} of spotify
-- without: alter table auth.linked_account drop constraint linked_account_subject_key;
insert into auth.linked_account select (copied).* from (
    select jsonb_populate_record(null::auth.linked_account,
        to_jsonb(original) || jsonb_build_object('id', gen_random_uuid(), 'user_id', gen_random_uuid()))
    from auth.linked_account as original order by id limit 1) as copy (copied)
returning subject;

-- lost: the event of link {}
delete from auth.outbox where stream = 'linked_account_changed' and message ->> 'user_id' = (
    select user_id::text from auth.linked_account order by id limit 1)
returning (select id from auth.linked_account order by id limit 1);

-- lost: engagement has not looked for who listens to what {} does
update engagement.taste set matched = false where person_id = (
    select person_id from engagement.taste where items is not null order by person_id limit 1)
returning person_id;

-- lost: the taste of {}, whose account elsewhere is linked
update engagement.taste set linked_at = linked_at - interval '1 second' where person_id = (
    select user_id from auth.linked_account order by id limit 1)
returning person_id;

-- wrong: {} has a taste, and no account elsewhere is linked
insert into engagement.taste (person_id, linked, linked_at, due_at) values (gen_random_uuid(), true, now(), now())
returning person_id;

-- wrong: {} is gone, and has a taste
insert into engagement.taste (person_id, linked, linked_at, due_at) values (gen_random_uuid(), false, now(), now())
returning person_id;

-- wrong: the taste of {} has ended, and something is left
update engagement.taste set forgotten_at = now() where person_id = (
    select person_id from engagement.taste where items is not null order by person_id limit 1)
returning person_id;

-- wrong: {} has a taste, and was answered that there is none
insert into denied select 'taste', person_id, person_id from engagement.taste where items is not null order by person_id limit 1
returning id;

-- lost: the choice of {}, whose
update engagement.taste set shared = not shared where person_id = (
    select person from promised_sharing join engagement.taste on person_id = person order by person limit 1)
returning person_id;

-- lost: {} in the index of tastes
delete from engagement.taste_item where (kind, item, person_id) = (
    select kind, item, person_id from engagement.taste_item order by kind, item, person_id limit 1)
returning lower(kind) || ' ' || item || ' of ' || person_id;

-- wrong: {} is in the index of tastes, and not shared
insert into engagement.taste_item (kind, item, person_id, weight) values ('TRACK', 'mutant', gen_random_uuid(), 1)
returning 'track mutant of ' || person_id;

-- wrong: the match of {} with
insert into engagement.taste_match (person_id, other_id, similarity) values (gen_random_uuid(), gen_random_uuid(), 1)
returning person_id;

-- wrong: the tastes of {} are similar by
update engagement.taste_match set similarity = similarity + 1 where (person_id, other_id) = (
    select found.person_id, other_id from engagement.taste_match as found
    join engagement.taste as mine on mine.person_id = found.person_id
    join engagement.taste as theirs on theirs.person_id = other_id
    where mine.items is not null and theirs.items is not null order by 1, 2 limit 1)
returning person_id || ' and ' || other_id;
