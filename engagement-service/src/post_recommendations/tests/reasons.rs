//! What is recommended and why, page by page.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use super::{PAGE, SimilarPostFinder, Town, Worker, items, next, posts};
use crate::core::testing::counted::Counted;
use crate::feeds::merge::models::{PlanMode, begin};
use crate::post_recommendations::candidates::models::list_candidates;
use crate::post_recommendations::models::PostRecommendationList;

/// Anna and two others liked the same posts, and the others liked one more.
#[sqlx::test(migrations = false)]
async fn what_people_like_a_reader_engaged_with_comes_first(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &["--recommendation-exploration", "0"]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora] = [town.join("carl", &[]).await, town.join("dora", &[]).await];
    let [one, two, more] =
        [town.post(dora, "NEWS").await, town.post(dora, "NEWS").await, town.post(dora, "NEWS").await];
    let alone = town.post(bert, "SPORT").await;
    for (person, post) in
        [(anna, one), (anna, two), (bert, one), (bert, two), (bert, more), (carl, one), (carl, more), (carl, alone)]
    {
        town.react(person, post).await;
    }
    town.find_similar().await;
    let page = town.read(anna, PAGE).await;
    assert_eq!(posts(&items(&page)), [more, alone], "the more people share both, the more similar");
    let (item, reason) = (&page.body[0], &page.body[0]["reason"]);
    let expected = json!({ "kind": "SIMILAR_POSTS", "number": 2, "category": null, "people": [],
        "text": "It has readers in common with 2 posts that you reacted to or commented on" });
    assert_eq!(reason, &expected);
    assert_eq!((&item["title"], &item["author"]["username"]), (&json!("Autumn"), &json!("dora")));
    assert_eq!((&item["total_reactions"], &item["my_reaction"]), (&json!(2), &json!(null)));
    // Two people with three posts each engaged with both; three people with the one post, two with the other.
    let weight = (2.0 / (2.0 + 3.0)) * (2.0 / 4.0_f64.ln()) / 6.0_f64.sqrt();
    let within = format!(
        "select count(*) from similar_post
        where post_id = '{one}' and abs(weights[array_position(others, '{more}')] - {weight}) < 0.0001"
    );
    assert_eq!(town.count(&within).await, 1);
}

/// Three people that the reader is connected to reacted; one is muted, and one takes it back.
#[sqlx::test(migrations = false)]
async fn reasons_name_connections_that_the_reader_may_see_and_are_counted_at_each_read(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let town = Town::start(database, &["--recommendation-exploration", "0"]).await;
    let [anna, bert] = [town.join("anna", &["SPORT"]).await, town.join("bert", &[]).await];
    let [carl, dora, emil] = [town.join("carl", &[]).await, town.join("dora", &[]).await, town.join("emil", &[]).await];
    let (liked, known, sport) = (town.post(emil, "NEWS").await, town.post(emil, "NEWS").await, Uuid::now_v7());
    for friend in [bert, carl, dora] {
        town.connect(anna, friend).await;
    }
    let reaction = town.react(bert, liked).await;
    town.react(carl, liked).await;
    town.react(dora, liked).await;
    town.connect(bert, emil).await;
    town.connect(carl, emil).await;
    let mute = format!("/me/mutes/{dora}");
    assert_eq!(town.platform.call("POST", &mute, Some(&anna.to_string()), None).await.status, 204);
    let author = town.join("fred", &[]).await;
    let version = town.version(sport, author, "SPORT");
    town.platform.consume(crate::posts::events::POST_CREATED, &version).await;

    let page = town.read(anna, PAGE).await;
    let kinds = [(liked, "CONNECTIONS_REACTED"), (sport, "CATEGORY"), (known, "CONNECTIONS_CONNECTED")];
    assert_eq!(items(&page), kinds.map(|(post, kind)| (post, kind.to_owned())));
    let texts: Vec<_> = (0..3).map(|place| page.body[place]["reason"]["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        [
            "2 people you are connected to reacted to it",
            "It is about SPORT, one of your categories",
            "2 people you are connected to are connected to its author"
        ]
    );
    let names = |place: usize| {
        page.body[place]["reason"]["people"].as_array().unwrap().iter().map(|card| card["username"].clone())
    };
    assert_eq!(names(0).collect::<Vec<_>>(), ["bert", "carl"]);

    town.take_back(reaction, bert, liked).await;
    let page = town.read(anna, PAGE).await;
    assert_eq!(page.body[0]["reason"]["text"], "One person you are connected to reacted to it");
    let mute = format!("/me/mutes/{carl}");
    assert_eq!(town.platform.call("POST", &mute, Some(&anna.to_string()), None).await.status, 204);
    let left = posts(&town.recommended(anna).await);
    assert!(!left.contains(&liked), "its reason is gone");
}

/// Of a connection with very many connections the latest count; which ones did was chance.
#[sqlx::test(migrations = false)]
async fn the_latest_connections_of_connections_lead_to_authors(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &["--recommendation-exploration", "0"]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    let [early, late] = [town.join("early", &[]).await, town.join("late", &[]).await];
    let (by_early, by_late) = (town.post(early, "NEWS").await, town.post(late, "NEWS").await);
    for friend in [bert, carl] {
        town.connect(anna, friend).await;
        town.sql(&format!(
            "insert into follow (user_id, target_id, stands, at) values ('{friend}', '{early}', true, now() - interval '2 days');
            insert into follow (user_id, target_id, stands, at)
            select '{friend}', gen_random_uuid(), true, now() - interval '1 day' from generate_series(1, 60);
            insert into follow (user_id, target_id, stands, at) values ('{friend}', '{late}', true, now())"
        ))
        .await;
    }
    let found = town.recommended(anna).await;
    assert!(found.contains(&(by_late, "CONNECTIONS_CONNECTED".to_owned())), "{found:?}");
    assert!(!found.contains(&(by_early, "CONNECTIONS_CONNECTED".to_owned())), "{found:?}");
}

/// However much there is, a source gives the best of it, and its statement is planned for no reader in particular, which takes long.
#[sqlx::test(migrations = false)]
async fn candidates_are_bounded_and_planned_once(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let liked = town.post(bert, "NEWS").await;
    town.react(anna, liked).await;
    town.sql(&format!(
        "insert into post_card (id, user_id, created_at, content, types, status, version, published_at)
        select gen_random_uuid(), '{bert}', now(), '', '{{NEWS}}', 'POSTED', now(), now() - make_interval(secs => turn)
        from generate_series(1, 310) as turn;
        insert into similar_post (post_id, others, weights, found_at)
        select '{liked}', array_agg(id order by published_at), array_agg(1 / turn::real order by published_at), now()
        from (
            select *, row_number() over (order by published_at desc) as turn from post_card where id <> '{liked}'
        ) as other"
    ))
    .await;
    let mut tx = begin(&town.platform.app.db, 2_000, PlanMode::Generic).await.unwrap();
    let found = list_candidates(&mut *tx, anna, &[], 20, Uuid::nil()).await.unwrap();
    let similar: Vec<f64> = found.iter().filter(|found| found.seeds > 0).map(|found| found.similarity).collect();
    let unseen = found.iter().filter(|found| found.unseen).count();
    assert_eq!((similar.len(), unseen, found.len()), (300, 200, 300));
    assert!(similar.iter().all(|similarity| *similarity > 1.0 / 300.5), "the most similar");

    PostRecommendationList::list_entries(&mut *tx, anna, Uuid::nil(), 0, 20).await.unwrap();
    let plans = "select sum(generic_plans)::bigint, sum(custom_plans)::bigint from pg_prepared_statements
        where statement like 'with seed as%' or statement like 'with friend as%'";
    let plans = tx.fetch_one(plans).await.unwrap();
    assert_eq!((plans.get::<i64, _>(0), plans.get::<i64, _>(1)), (2, 0));
}

/// The home feed shows none of it unless a setting says so: it is what the reader's connections published.
#[sqlx::test(migrations = false)]
async fn a_home_feed_has_no_recommended_posts_by_default(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    town.connect(anna, bert).await;
    let (own, stranger) = (town.post(bert, "NEWS").await, town.post(carl, "NEWS").await);
    assert_eq!(posts(&town.recommended(anna).await), [stranger]);
    let feed = town.read(anna, "/me/feed").await;
    let items = feed.body.as_array().unwrap();
    assert_eq!((items.len(), &items[0]["id"], items[0].get("reason")), (1, &json!(own), None), "{feed:?}");
}

/// Pages of one list neither skip nor repeat while posts are written, and a reaction begins a new one.
#[sqlx::test(migrations = false)]
async fn pages_are_stable_and_a_list_ends(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let anna = town.join("anna", &[]).await;
    let mut written = Vec::new();
    for number in 0..12 {
        let author = town.join(&format!("author{number}"), &[]).await;
        written.push(town.post(author, "NEWS").await);
    }
    let counted = Counted::begin();
    let first = town.read(anna, &format!("{PAGE}?limit=5")).await;
    counted.assert(r#"recommendation_lists_total{origin="made"} 1"#);
    counted.assert(r#"recommended_posts_total{source="EXPLORATION"} 1"#);
    let late = town.join("late", &[]).await;
    let new = town.post(late, "NEWS").await;
    let second = town.read(anna, &next(&first).unwrap()).await;
    let third = town.read(anna, &next(&second).unwrap()).await;
    let mut all = [items(&first), items(&second), items(&third)].concat();
    assert_eq!((items(&first).len(), items(&second).len(), next(&third)), (5, 5, None));
    all.sort_unstable();
    written.sort_unstable();
    assert_eq!(posts(&all), written);
    assert!(!posts(&town.recommended(anna).await).contains(&new), "the list is that of before");
    counted.assert(r#"recommendation_lists_total{origin="kept"} 1"#);
    let reaction = json!({ "id": Uuid::now_v7(), "created_at": chrono::Utc::now() + chrono::TimeDelta::seconds(5),
        "created_by": anna, "updated_at": chrono::Utc::now(), "post_id": written[0], "type": "LIKE" });
    town.platform.consume(crate::reactions::events::REACTION_CREATED, &reaction).await;
    let anew = posts(&town.recommended(anna).await);
    assert!(anew.contains(&new) && !anew.contains(&written[0]) && anew.len() == 12, "{anew:?}");

    let path = next(&first).unwrap();
    let foreign = town.platform.call("GET", &path, Some(&late.to_string()), None).await;
    assert_eq!(foreign.status, 410, "a list is its reader's");
    town.sql("update recommendation_list set made_at = made_at - interval '61 minutes'").await;
    super::super::schedulers::purge(&town.platform.app).await.unwrap();
    let old = town.platform.call("GET", &path, Some(&anna.to_string()), None).await;
    assert_eq!(
        (old.status.as_u16(), &old.body["detail"]),
        (410, &json!("This list is too old; start again without a cursor"))
    );
    for wrong in ["cursor=x", "limit=0", "limit=201"] {
        let reply = town.platform.call("GET", &format!("{PAGE}?{wrong}"), Some(&anna.to_string()), None).await;
        assert_eq!(reply.status, 422, "{wrong}");
    }
}

/// A pass goes on where it was, by whatever process, and what is too old or gone is forgotten.
#[sqlx::test(migrations = false)]
async fn a_pass_is_worked_off_in_steps_and_ends(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    for _ in 0..51 {
        let post = town.post(bert, "NEWS").await;
        town.react(anna, post).await;
        town.react(bert, post).await;
    }
    // Two with posts, and one that finds none.
    assert_eq!(town.find_similar().await, 3);
    assert_eq!(town.count("select count(*) from similar_post where cardinality(others) = 20").await, 51);
    assert_eq!(town.count("select posts from similar_pass").await, 51);
    town.sql("update post_card set published_at = published_at - interval '31 days' where id in (select id from post_card limit 1)").await;
    town.sql("update similar_post set found_at = now() - interval '25 hours'").await;
    town.find_similar().await;
    super::super::schedulers::purge(&town.platform.app).await.unwrap();
    let old = "select count(*) from similar_post join post_card on post_card.id = any (post_id || others)
        where published_at < now() - interval '30 days'";
    assert_eq!((town.count("select count(*) from similar_post").await, town.count(old).await), (50, 0));
}

/// A post for which the statement fails holds up no other one.
#[sqlx::test(migrations = false)]
async fn a_post_that_fails_is_skipped(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let mut written = Vec::new();
    for _ in 0..5 {
        let post = town.post(bert, "NEWS").await;
        town.react(anna, post).await;
        town.react(bert, post).await;
        written.push(post);
    }
    town.sql(&format!("alter table similar_post add check (post_id <> '{}')", written[2])).await;
    town.sql("update similar_pass set ended_at = null, below = null").await;
    let mut finder = SimilarPostFinder::new(&town.platform.app);
    let mut steps = 0;
    while town.is_passing().await && steps < 20 {
        // What fails is tried again by the loop around the steps.
        finder.step().await.ok();
        steps += 1;
    }
    assert!(!town.is_passing().await, "the pass does not end");
    assert_eq!(town.count("select count(*) from similar_post where cardinality(others) = 4").await, 4);
}
