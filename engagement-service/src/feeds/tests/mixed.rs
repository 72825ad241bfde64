//! Recommended posts among those of a home feed: where they stand, that they are none of its own, and what they cost.
use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::pages::count_queries;
use super::{World, ids, link};
use crate::core::testing::Reply;
use crate::core::testing::counted::Counted;

/// Anna reads Bert, who has written ten posts; eight strangers have written one each.
async fn town(database: PgConnectOptions, settings: &[&str]) -> (World, Uuid, Vec<Uuid>) {
    let world = World::start(database, settings).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    for number in 0..8 {
        let stranger = world.join(&format!("stranger{number}")).await;
        world.post(stranger).await;
    }
    let mut own = Vec::new();
    for _ in 0..10 {
        own.push(world.post(bert).await);
    }
    own.reverse();
    world.work().await;
    // From now on pages come from Redis.
    world.feed(anna).await;
    (world, anna, own)
}

/// The posts of a page, those of the feed and those that are recommended.
fn split(reply: &Reply) -> (Vec<Uuid>, Vec<Uuid>) {
    let all = ids(reply).into_iter().zip(reply.body.as_array().unwrap());
    let (own, mixed): (Vec<_>, Vec<_>) = all.partition(|(_, item)| item.get("reason").is_none());
    let posts = |part: Vec<(Uuid, &Value)>| part.into_iter().map(|(id, _)| id).collect();
    (posts(own), posts(mixed))
}

/// Behind every second post of the feed stands a recommended one, another on each page, and the feed itself is what it is without them.
#[sqlx::test(migrations = false)]
async fn recommended_posts_stand_at_their_places_and_are_not_repeated(_: PgPoolOptions, database: PgConnectOptions) {
    let (world, anna, own) = town(database, &["--feed-recommendations-every", "2"]).await;
    let counted = Counted::begin();
    world.sql("update recommendation_list set outdated = true").await;
    let (first, made) = count_queries(&world, anna, "/me/feed?limit=6").await;
    let marked = |reply: &Reply| -> Vec<bool> {
        reply.body.as_array().unwrap().iter().map(|item| item.get("reason").is_some()).collect()
    };
    assert_eq!(marked(&first), [false, false, true, false, false, true]);
    let reason = &first.body[2]["reason"];
    let text = if reason["kind"] == "EXPLORATION" {
        "It is new to most: few have seen it so far"
    } else {
        "It was published lately"
    };
    assert_eq!(reason["text"], text);
    counted.assert(r#"feed_mixes_total{outcome="mixed"} 1"#);
    let (second, onward) = count_queries(&world, anna, &link(&first, "next").unwrap()).await;
    let third = world.read(anna, &link(&second, "next").unwrap()).await;
    assert_eq!((marked(&third), link(&third, "next")), (vec![false, false, true], None));
    let pages = [&first, &second, &third].map(split);
    let (shown, mixed): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
    assert_eq!(shown.concat(), own);
    let mixed = mixed.concat();
    assert_eq!((mixed.len(), mixed.iter().collect::<BTreeSet<_>>().len()), (5, 5), "none comes twice");
    let (_, kept) = count_queries(&world, anna, "/me/feed?limit=6").await;
    for (what, count, most) in
        [("whose list is made", made, 14), ("whose list is there", kept, 6), ("that names its list", onward, 5)]
    {
        assert!((1..=most).contains(&count), "{count} statements of a page {what}");
    }

    // What came in since is news, and nothing is recommended in between; below it the list goes on.
    let bert = world.read(anna, "/me/feed").await.body[0]["author"]["id"].as_str().unwrap().parse().unwrap();
    let news = world.post(bert).await;
    world.work().await;
    let since = world.read(anna, &link(&first, "prev").unwrap()).await;
    assert_eq!((ids(&since), marked(&since)), (vec![news], vec![false]));
    let below = world.read(anna, &link(&since, "next").unwrap()).await;
    assert!(split(&below).1.iter().all(|post| !split(&first).1.contains(post)), "{below:?}");
}

/// What her feed shows by a followed tag, or by a connection since the list was made, is not recommended in it as well.
#[sqlx::test(migrations = false)]
async fn nothing_is_recommended_that_the_feed_itself_has(_: PgPoolOptions, database: PgConnectOptions) {
    let (world, anna, own) = town(database, &["--feed-recommendations-every", "1"]).await;
    let page = world.read(anna, "/me/feed?limit=16").await;
    let (shown, mixed) = split(&page);
    assert_eq!((shown.as_slice(), mixed.len()), (&own[..8], 8));
    let author = |post: Uuid| {
        let item = page.body.as_array().unwrap().iter().find(|item| item["id"] == post.to_string()).unwrap();
        item["author"]["id"].as_str().unwrap().parse::<Uuid>().unwrap()
    };
    world.follow(anna, author(mixed[0])).await;
    let mut tagged = world.version(mixed[1], author(mixed[1]), "POSTED");
    tagged["tags"] = serde_json::json!(["autumn"]);
    world.platform.consume(crate::posts::events::POST_UPDATED, &tagged).await;
    let reply = world.platform.call("PUT", "/me/tags/autumn", Some(&anna.to_string()), None).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    let author = author(mixed[2]);
    world.platform.call("POST", &format!("/me/mutes/{author}"), Some(&anna.to_string()), None).await;
    world.work().await;
    let (mut all_own, mut all_mixed) = (Vec::new(), Vec::new());
    let mut path = Some("/me/feed?limit=6".to_owned());
    while let Some(next) = path {
        let page = world.read(anna, &next).await;
        let (own, mixed) = split(&page);
        all_own.extend(own);
        all_mixed.extend(mixed);
        path = link(&page, "next");
    }
    assert_eq!(all_own.iter().filter(|post| mixed[..2].contains(post)).count(), 2, "they are in the feed");
    let mut expected = mixed[3..].to_vec();
    expected.sort_unstable();
    all_mixed.sort_unstable();
    assert_eq!(all_mixed, expected);
}

/// Recommendations are an extra: a feed is read without them when they cannot be had.
#[sqlx::test(migrations = false)]
async fn a_feed_is_read_without_what_cannot_be_recommended(_: PgPoolOptions, database: PgConnectOptions) {
    let (world, anna, own) = town(database, &["--feed-recommendations-every", "2"]).await;
    assert_eq!(split(&world.read(anna, "/me/feed").await).1.len(), 5);
    let counted = Counted::begin();
    world.sql("alter table recommendation_list rename to not_there").await;
    assert_eq!(split(&world.read(anna, "/me/feed").await), (own.clone(), vec![]));
    counted.assert(r#"feed_mixes_total{outcome="failed"} 1"#);
    world.sql("alter table not_there rename to recommendation_list").await;
    // A list that is kept no more has nothing left for the pages that name it.
    let first = world.read(anna, "/me/feed?limit=6").await;
    world.sql("delete from recommendation_list").await;
    let second = world.read(anna, &link(&first, "next").unwrap()).await;
    assert_eq!(split(&second), (own[4..8].to_vec(), vec![]));
    counted.assert(r#"feed_mixes_total{outcome="none"} 1"#);
}
