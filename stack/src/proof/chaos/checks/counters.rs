//! Counters: each equals a recount of the facts that it counts. Those of somebody who has just left are not judged: what
//! is heard of them late is removed when a service looks once more, a minute later.

use crate::proof::chaos::checks::{Check, Kind, check};

/// What is counted: a query of who, what, the counter and the recount.
const COUNTERS: [&str; 5] = [
    // On posts.
    "select id::text, 'comments of post', total_comments,
        (select count(*) from interaction.comment where post_id = post.id) from post.post
    union all
    select id::text, 'reactions to post', total_reactions,
        (select count(*) from interaction.reaction where post_id = post.id) from post.post
    union all
    select id::text, 'views of post', total_views, coalesce(views, 0) from post.post left join (
        select message ->> 'id' as post_id, count(*) as views from interaction.outbox where stream = 'post_viewed' group by 1
    ) as viewed on post_id = id::text",
    // On accounts.
    "select id::text, 'connections of account', total_connections,
        (select count(*) from auth.connection where user_id = account.id) from auth.account",
    // On profiles.
    "select user_id::text, 'posts of profile', total_owned_posts,
        (select count(*) from post.post where created_by = user_id) from engagement.profile
    union all
    select user_id::text, 'comments of profile', total_post_comments,
        (select count(*) from interaction.comment where created_by = user_id) from engagement.profile
    union all
    select user_id::text, 'reactions of profile', total_post_reactions,
        (select count(*) from interaction.reaction where created_by = user_id) from engagement.profile
    union all
    select user_id::text, 'views of profile', total_post_views, coalesce(views, 0) from engagement.profile left join (
        select message ->> 'viewed_by' as viewer, count(*) as views
        from interaction.outbox where stream = 'post_viewed' group by 1
    ) as viewed on viewer = user_id::text",
    // Per category, where either side has something.
    "select coalesce(user_id, created_by)::text, 'posts in category ' || coalesce(summary.category, posts.category)
            || ' of profile', coalesce(total, 0), coalesce(posts, 0)
    from engagement.summary full join (
        select created_by, category, count(*) as posts from post.post, unnest(types) as category group by 1, 2
    ) as posts on created_by = user_id and posts.category = summary.category",
    // Per day, all days of a run together.
    "select profile.user_id::text, 'actions by day of profile', coalesce(sum(total), 0)::bigint,
        total_owned_posts + total_post_comments + total_post_reactions + total_post_views
    from engagement.profile left join engagement.activity on activity.user_id = profile.user_id
    group by profile.user_id, total_owned_posts, total_post_comments, total_post_reactions, total_post_views",
];

pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for counter in COUNTERS {
        for (kind, compare) in [(Kind::Lost, "<"), (Kind::Doubled, ">")] {
            checks.push(check(
                kind,
                format!(
                    "select format('%s %s: counted %s, there are %s', what, id, counter, recount)
                    from ({counter}) as counted (id, what, counter, recount) where counter {compare} recount
                        and not exists (select from erasures where person::text = id and done_at is null)"
                ),
            ));
        }
    }
    // Rounded to two digits, so that a hundredth is no difference.
    checks.push(check(
        Kind::Wrong,
        "select format('post %s scores %s with %s views, %s comments, %s reactions', id, score, total_views,
            total_comments, total_reactions)
        from post.post where abs(score - case total_views when 0 then 0
            else least(100, (total_comments + total_reactions)::float8 / total_views) end) > 0.0051",
    ));
    checks
}
