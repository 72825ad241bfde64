//! Effects: what follows from a fact in another service is there, and is there once.

use crate::proof::chaos::checks::{Check, Kind, check};

pub fn checks() -> Vec<Check> {
    let mut checks = records();
    checks.extend(knowledge());
    checks.extend(cases());
    checks
}

/// NFT records: one per published post, one per comment, none of what is gone. Profiles: one per person who signed up.
fn records() -> Vec<Check> {
    vec![
        check(
            Kind::Lost,
            "select format('the NFT record of post %s', id) from post.post
            where status = 'POSTED' and not exists (select from post.post_nft where post_id = post.id)
            union all
            select format('the NFT record of comment %s', id) from interaction.comment
            where not exists (select from interaction.comment_nft where comment_id = comment.id)",
        ),
        check(
            Kind::Doubled,
            "select format('%s NFT records of %s', count(*), id) from (
                select post_id from post.post_nft union all select comment_id from interaction.comment_nft
            ) as record (id) group by id having count(*) > 1",
        ),
        check(
            Kind::Lost,
            "select format('the profile of %s', message ->> 'id') from told
            where stream = 'user_registered'
                and exists (select from auth.account where id::text = message ->> 'id')
                and not exists (select from engagement.profile where user_id::text = message ->> 'id')",
        ),
        check(
            Kind::Doubled,
            "select format('%s profiles of %s', count(*), user_id) from engagement.profile
            group by user_id having count(*) > 1",
        ),
    ]
}

/// What other services keep of posts and comments says of each whether it is there.
fn knowledge() -> Vec<Check> {
    vec![
        check(
            Kind::Wrong,
            "select format('the interaction service takes post %s for %s, which is %s', id,
                case when known.id is null then 'unheard of' when deleted_at is null then known.status else 'deleted' end,
                coalesce(post.status, 'deleted'))
            from post.post full join interaction.post as known using (id)
            where coalesce(post.status, 'deleted') is distinct from
                case when deleted_at is null then known.status else 'deleted' end",
        ),
        check(
            Kind::Wrong,
            "select format('the engagement service takes post %s for %s', id,
                case when known.types is null then 'deleted' else 'there' end)
            from post.post full join engagement.post as known using (id) where (post.id is null) <> (known.types is null)",
        ),
        check(
            Kind::Wrong,
            "with here as (select id from post.post union all select id from interaction.comment)
            select format('the moderation service takes %s for %s', id,
                case when gone_at is null then 'there' else 'gone' end)
            from here full join moderation.content using (id) where (here.id is null) <> (gone_at is not null)",
        ),
        check(
            Kind::Wrong,
            "select format('%s %s is about post %s, which is gone', noun, id, post_id) from (
                select 'comment', id, post_id from interaction.comment
                union all select 'reaction', id, post_id from interaction.reaction
            ) as answer (noun, id, post_id) where not exists (select from post.post where post.id = post_id)",
        ),
    ]
}

/// Moderation: a content has one case at most, every case was asked for once, and is closed.
fn cases() -> Vec<Check> {
    vec![
        check(
            Kind::Doubled,
            "select format('%s cases about %s', count(*), content_id) from moderation.moderation
            group by content_id having count(*) > 1",
        ),
        check(
            Kind::Doubled,
            "select format('%s requests to delete %s', count(*), message ->> 'content_id') from moderation.outbox
            where message ->> 'content_id' is not null group by message ->> 'content_id' having count(*) > 1",
        ),
        check(
            Kind::Lost,
            "select format('the end of case %s about %s', id, content_id) from moderation.moderation
            where status <> 'DELETE_CONFIRMED'",
        ),
        check(
            Kind::Lost,
            "select format('the deletion of %s, which case %s asked for', content_id, moderation.id)
            from moderation.moderation
            where exists (select from post.post where post.id = content_id)
                or exists (select from interaction.comment where comment.id = content_id)",
        ),
    ]
}
