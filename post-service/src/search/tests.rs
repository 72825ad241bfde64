//! Search, through its routes.
use std::time::Duration;

use axum::http::header;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, PgTransaction, Row};
use uuid::Uuid;

use super::candidates::MAX_READ;
use super::candidates::models::{PostQuery, SearchWords, begin_search};
use super::results::{most_relevant, newest};
use super::schedulers::{PostIndexer, SearchBackfill};
use crate::SERVICE;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::api::pagination::Cursor;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply, new_user};
use crate::media::tests::{picture, ready};
use crate::posts::events::POST_DELETE_REQUESTED;

async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

/// Writes all documents that wait.
pub async fn index(platform: &Platform) {
    let mut indexer = PostIndexer::new(&platform.app);
    while indexer.step().await.unwrap() == Outcome::Busy {}
}

/// Publishes a post with a title and a content, and indexes it.
async fn write(platform: &Platform, author: &str, title: &str, content: &str) -> Value {
    write_in(platform, author, title, content, &["NEWS"], "POSTED").await
}

async fn write_in(
    platform: &Platform,
    author: &str,
    title: &str,
    content: &str,
    types: &[&str],
    status: &str,
) -> Value {
    let body = json!({ "title": title, "content": content, "types": types, "status": status });
    let reply = platform.call("POST", "/posts", Some(author), Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    index(platform).await;
    reply.body
}

/// The answer to a search; `more` are further parameters.
async fn ask(platform: &Platform, reader: &str, q: &str, more: &str) -> Reply {
    let q = serde_urlencoded::to_string([("q", q)]).unwrap();
    index(platform).await;
    platform.call("GET", &format!("/posts/search?{q}{more}"), Some(reader), None).await
}

/// The titles that a search finds, in its order.
async fn titles(platform: &Platform, reader: &str, q: &str, more: &str) -> Vec<String> {
    let reply = ask(platform, reader, q, more).await;
    assert_eq!(reply.status, 200, "{q}: {reply:?}");
    let hits = reply.body.as_array().unwrap();
    hits.iter().map(|hit| hit["title"].as_str().unwrap().to_owned()).collect()
}

fn next(reply: &Reply) -> Option<String> {
    let link = reply.headers.get(header::LINK)?.to_str().unwrap();
    Some(link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned())
}

fn fault(reply: &Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["detail"][0]["type"])
}

/// A word is found in the title first, then among categories and tags, then in the text; by its endings, and as it is.
#[sqlx::test(migrations = false)]
async fn posts_are_found_by_their_words_and_ranked_by_where_they_stand(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let sentence = "The workers were running along the river because they had heard about";
    write(&platform, &anna, "In the text", &format!("{sentence} the engines of the ship.")).await;
    write(&platform, &anna, "By a tag", &format!("{sentence} it. #engines")).await;
    write(&platform, &anna, "The engines", &format!("{sentence} everything.")).await;
    write(&platform, &anna, "Another", &format!("{sentence} nothing else, says Charles.")).await;
    assert_eq!(titles(&platform, &ben, "engines", "").await, ["The engines", "By a tag", "In the text"]);
    assert_eq!(titles(&platform, &ben, "engine", "&limit=1").await, ["The engines"], "by its stem");
    assert_eq!(titles(&platform, &ben, "RUNS charles", "").await, ["Another"], "a stem and a name");
    assert_eq!(titles(&platform, &ben, "\"engines of the ship\"", "").await, ["In the text"]);
    assert_eq!(titles(&platform, &ben, "\"ship of the engines\"", "").await, [""; 0]);
    assert_eq!(titles(&platform, &ben, "rivers -engine", "").await, ["Another"]);
    assert_eq!(titles(&platform, &ben, "ship or charles", "&order=time").await, ["Another", "In the text"]);
    assert_eq!(titles(&platform, &ben, "news ship", "").await, ["In the text"], "a category is a word, too");
    assert_eq!(titles(&platform, &ben, "the", "&order=time").await.len(), 4, "a word that only a stemmer drops");
    assert_eq!(titles(&platform, &ben, "the -engines", "").await, ["Another"], "an exclusion alone finds nothing");
    assert_eq!(titles(&platform, &ben, "'); drop table post; --", "").await, [""; 0]);
}

/// Each script is found in its way.
#[sqlx::test(migrations = false)]
async fn texts_of_all_scripts_are_found(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let texts = [
        ("Chinese", "我昨天在东京看到了一只可爱的猫。"),
        ("Japanese", "東京都のラーメン屋で友達と会いました。"),
        ("Thai", "ฉันรักประเทศไทยและอาหารไทย"),
        ("Korean", "서울에서 친구를 만났습니다."),
        ("Turkish", "İstanbul'da ısıtma sistemi çok pahalı, Çelik Bey."),
        ("German", "Die Häuser an der Straße sind während des Krieges zerstört und später wieder aufgebaut worden."),
        ("Russian", "Чёрные кошки бегают по улицам большого города каждую ночь."),
        ("Emoji", "What a party 🎉 that was"),
        ("Arabic", "ذهبت إلى المدرسة في الصباح الباكر مع أصدقائي"),
    ];
    for (title, content) in texts {
        write(&platform, &anna, title, content).await;
    }
    let cases = [
        ("可爱", "Chinese"),
        ("猫", "Chinese"),
        ("东京看到", "Chinese"),
        ("東京都", "Japanese"),
        ("ラーメン", "Japanese"),
        ("ประเทศไทย", "Thai"),
        ("서울", "Korean"),
        ("istanbul", "Turkish"),
        ("ISTANBUL", "Turkish"),
        ("isitma celik", "Turkish"),
        ("haus strasse", "German"),
        ("Häuser", "German"),
        ("черный", "Russian"),
        ("кошка", "Russian"),
        ("🎉", "Emoji"),
        ("المدرسة", "Arabic"),
    ];
    for (q, title) in cases {
        let found = titles(&platform, &anna, q, "").await;
        assert_eq!(found, [title], "{q}");
    }
    assert_eq!(titles(&platform, &anna, "京東", "").await, [""; 0], "the order of characters matters");
    let marked = ask(&platform, &anna, "可爱", "").await.body[0]["excerpt_html"].clone();
    assert_eq!(marked, "我昨天在东京看到了一只<mark>可爱</mark>的猫。");
}

/// What an author wrote is shown as text, with marks around what was found and nothing else.
#[sqlx::test(migrations = false)]
async fn excerpts_are_safe_and_around_what_was_found(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let content = format!("{}<script>alert(\"Café\")</script> & more", "straw ".repeat(200));
    write(&platform, &anna, "<b>Café</b>", &content).await;
    let hit = ask(&platform, &anna, "cafe", "").await.body[0].clone();
    assert_eq!(hit["title_html"], "&lt;b&gt;<mark>Café</mark>&lt;/b&gt;");
    let excerpt = hit["excerpt_html"].as_str().unwrap();
    assert!(excerpt.starts_with("…straw"), "{excerpt}");
    assert!(
        excerpt.ends_with("&lt;script&gt;alert(&quot;<mark>Café</mark>&quot;)&lt;/script&gt; &amp; more"),
        "{excerpt}"
    );
    assert_eq!((hit["content"].as_str().unwrap().chars().count(), &hit["truncated"]), (500, &json!(true)));
}

/// Search shows what the list of posts shows to the same reader, and nothing else.
#[sqlx::test(migrations = false)]
async fn only_what_the_reader_may_see_is_found(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, his)) = (new_user(), new_user());
    let post = write(&platform, &anna, "Public", "needle").await;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    write_in(&platform, &anna, "Draft", "needle", &[], "DRAFT").await;
    write_in(&platform, &anna, "Archived", "needle", &[], "ARCHIVED").await;
    assert_eq!(titles(&platform, &ben, "needle", "").await, ["Public"]);
    assert_eq!(titles(&platform, &anna, "needle", "").await, ["Public"], "drafts are in a list of their own");

    let at = |second: u8| format!("2026-11-20T12:00:0{second}+00:00");
    for (who, whom) in [(her, his), (his, her)] {
        platform.consume(USER_BLOCKED, &json!({ "user_id": who, "target_id": whom, "at": at(0) })).await;
        assert_eq!(titles(&platform, &ben, "needle", "").await, [""; 0]);
        assert_eq!(suggested(&platform, &ben, "pub").await["posts"], json!([]));
        platform.consume(USER_UNBLOCKED, &json!({ "user_id": who, "target_id": whom, "at": at(1) })).await;
        assert_eq!(titles(&platform, &ben, "needle", "").await, ["Public"]);
    }

    // Changed, archived, published again, hidden, restored, deleted.
    let put = async |content: &str, status: &str| {
        let body = json!({ "content": content, "types": [], "status": status });
        assert_eq!(platform.call("PUT", &path, Some(&anna), Some(body)).await.status, 200);
    };
    put("thread", "POSTED").await;
    assert_eq!(titles(&platform, &ben, "needle", "").await, [""; 0]);
    assert_eq!(titles(&platform, &ben, "thread", "").await, ["Public"]);
    put("thread", "ARCHIVED").await;
    assert_eq!(left(&platform).await, 0, "what is archived is out of the index at once");
    assert_eq!(titles(&platform, &ben, "thread", "").await, [""; 0]);
    put("thread", "POSTED").await;
    assert_eq!(titles(&platform, &ben, "thread", "").await, ["Public"]);
    let request = json!({ "content_id": post["id"], "raw_content": post, "reason": "NUDITY" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    assert_eq!(left(&platform).await, 0, "what is hidden is out of the index at once");
    assert_eq!(titles(&platform, &ben, "thread", "").await, [""; 0]);
    let judge = format!("{}:ACTIVE:MODERATOR", Uuid::now_v7());
    assert_eq!(platform.call("POST", &format!("{path}/restore"), Some(&judge), None).await.status, 200);
    assert_eq!(titles(&platform, &ben, "thread", "").await, ["Public"]);
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    assert_eq!(titles(&platform, &ben, "thread", "").await, [""; 0]);
    assert_eq!(left(&platform).await, 0);
}

/// The rows of the index, and of what waits for it.
async fn left(platform: &Platform) -> usize {
    let rows = "select from post_search union all select from search_key union all select from search_pending";
    platform.app.db.fetch_all(rows).await.unwrap().len()
}

/// What waits for its document is indexed as it is then: not when it was archived or deleted meanwhile, and later while it is changed.
#[sqlx::test(migrations = false)]
async fn a_post_is_indexed_as_it_is_by_then(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let mut posts = Vec::new();
    for title in ["archived", "deleted", "changed", "kept"] {
        let body = json!({ "title": title, "content": "needle", "types": [], "status": "POSTED" });
        let reply = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
        posts.push(format!("/posts/{}", reply.body["id"].as_str().unwrap()));
    }
    let unindexed = platform.call("GET", "/posts/search?q=needle", Some(&anna), None).await;
    assert_eq!(unindexed.body, json!([]), "the index is no part of a write");
    let archived = json!({ "content": "needle", "types": [], "status": "ARCHIVED" });
    assert_eq!(platform.call("PUT", &posts[0], Some(&anna), Some(archived)).await.status, 200);
    assert_eq!(platform.call("DELETE", &posts[1], Some(&anna), None).await.status, 204);

    let mut change = platform.app.db.begin().await.unwrap();
    change.execute("update post set content = 'thread' where title = 'changed'").await.unwrap();
    let mut indexer = PostIndexer::new(&platform.app);
    assert_eq!(indexer.step().await.unwrap(), Outcome::Busy);
    assert_eq!(indexer.step().await.unwrap(), Outcome::Busy, "what was deleted waits no longer");
    let busy = indexer.step().await.unwrap();
    assert_eq!(busy, Outcome::Idle(Duration::from_millis(100)), "one is being changed, and is tried again soon");
    let found = platform.call("GET", "/posts/search?q=needle", Some(&anna), None).await.body;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["title"]), (1, &json!("kept")));
    change.commit().await.unwrap();
    assert_eq!(titles(&platform, &anna, "thread", "").await, ["changed"]);
    assert_eq!(titles(&platform, &anna, "needle", "").await, ["kept"]);
    assert_eq!(indexer.step().await.unwrap(), Outcome::Idle(Duration::from_secs(1)), "nothing waits");
    for post in &posts[2..] {
        assert_eq!(platform.call("DELETE", post, Some(&anna), None).await.status, 204);
    }
    assert_eq!(left(&platform).await, 0);
}

/// Two replicas index what waits once; a post that cannot be indexed keeps no other from being found.
#[sqlx::test(migrations = false)]
async fn a_post_that_cannot_be_indexed_is_tried_last(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    for number in 0..12 {
        let body = json!({ "title": format!("{number}"), "content": "needle", "types": [], "status": "POSTED" });
        assert_eq!(platform.call("POST", "/posts", Some(&anna), Some(body)).await.status, 201);
    }
    let refuse = "alter table search_key add constraint no_three check (key <> '3')";
    platform.app.db.execute(refuse).await.unwrap();
    let other = platform.beside(&[]);
    let (mut here, mut there) = (PostIndexer::new(&platform.app), PostIndexer::new(&other.app));
    let mut failures = 0;
    for _ in 0..100 {
        let (one, two) = tokio::join!(here.step(), there.step());
        failures += usize::from(one.is_err()) + usize::from(two.is_err());
        if platform.app.db.fetch_all("select from search_pending").await.unwrap().len() == 1 {
            break;
        }
    }
    assert!(failures > 1, "it is said at each try");
    let found = platform.call("GET", "/posts/search?q=needle&limit=50", Some(&anna), None).await.body;
    let found: Vec<&str> = found.as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap()).collect();
    assert!(found.len() == 11 && !found.contains(&"3"), "{found:?}");
    platform.app.db.execute("alter table search_key drop constraint no_three").await.unwrap();
    assert_eq!(titles(&platform, &anna, "needle", "&limit=50").await.len(), 12);
}

/// A search is narrowed by author, category, tag and time.
#[sqlx::test(migrations = false)]
async fn a_search_is_narrowed_by_filters(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    write_in(&platform, &anna, "A", "needle #Café", &["NEWS"], "POSTED").await;
    write_in(&platform, &ben, "B", "needle", &["SPORTS", "NEWS"], "POSTED").await;
    let old = "update post_search set published_at = '2026-01-15T12:00:00Z' from post
        where post.id = post_id and title = 'B'";
    platform.app.db.execute(old).await.unwrap();
    let find = async |more: &str| titles(&platform, &ben, "needle", more).await;
    assert_eq!(find(&format!("&author={her}")).await, ["A"]);
    assert_eq!(find("&category=SPORTS").await, ["B"]);
    assert_eq!(find("&tag=CAF%C3%89").await, ["A"]);
    assert_eq!(find("&tag=%23Caf%C3%A9").await, ["A"]);
    assert_eq!(find("&tag=cafe").await, [""; 0], "diacritics make two tags");
    assert_eq!(find("&since=2026-01-15&until=2026-01-16").await, ["B"]);
    assert_eq!(find("&until=2026-01-15T12:00:00Z").await, [""; 0]);
    assert_eq!(find("&since=2026-01-15T13:00:00+01:00&order=time&category=NEWS").await, ["A", "B"]);
    for (more, kind) in [
        ("&author=17", "type_error.uuid"),
        ("&category=CATS", "type_error.enum"),
        ("&since=yesterday", "value_error.datetime"),
        ("&until=9999999-01-01", "value_error.datetime"),
        ("&order=best", "type_error.enum"),
        (&format!("&tag={}", "x".repeat(101)), "value_error.any_str.max_length"),
        (&format!("&since={}", "1".repeat(41)), "value_error.any_str.max_length"),
        ("&limit=0", "value_error.number.not_ge"),
        ("&cursor=x", "value_error.cursor"),
    ] {
        assert_eq!(fault(&ask(&platform, &ben, "needle", more).await), (422, &json!(kind)), "{more}");
    }
}

/// What is no query is refused in a sentence, and what is a strange one finds nothing and costs nothing.
#[sqlx::test(migrations = false)]
async fn strange_queries_are_answered_clearly(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    write(&platform, &anna, "T", "needle").await;
    for (q, kind) in [
        ("", "value_error.query"),
        ("?! -- \"\"", "value_error.query"),
        ("-needle", "value_error.query"),
        ("or or", "value_error.query"),
        ("x\0y", "value_error.any_str.control_character"),
        (&"x".repeat(201), "value_error.any_str.max_length"),
        (&"word ".repeat(2_000), "value_error.any_str.max_length"),
    ] {
        assert_eq!(fault(&ask(&platform, &anna, q, "").await), (422, &json!(kind)), "{q}");
    }
    let missing = platform.call("GET", "/posts/search", Some(&anna), None).await;
    assert_eq!(fault(&missing), (422, &json!("value_error.missing")));
    for q in ["a b c d e f g h", "or needle or", "needle\"", "& | ! ( ) : * needle <-> needle", &"é".repeat(200)] {
        assert_eq!(ask(&platform, &anna, q, "").await.status, 200, "{q}");
    }
    assert_eq!(titles(&platform, &anna, "needle & | ! ( ) : *", "").await, ["T"]);
}

/// Pages miss nothing and repeat nothing, in both orders, also when posts are written meanwhile.
#[sqlx::test(migrations = false)]
async fn results_are_paged_without_gaps(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    for number in 0..7 {
        // The shorter a text, the more one word counts.
        write(&platform, &anna, &format!("{number}"), &format!("needle {}", "straw ".repeat(number * 20))).await;
    }
    let expected = |order: &str| {
        let mut titles: Vec<_> = (0..7).map(|number| number.to_string()).collect();
        if order == "time" {
            titles.reverse();
        }
        titles
    };
    for order in ["time", "relevance"] {
        let (mut pages, mut seen) = (0, Vec::new());
        let mut path = Some(format!("/posts/search?q=needle&limit=3&order={order}"));
        while let Some(page) = path {
            let reply = platform.call("GET", &page, Some(&anna), None).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let hits = reply.body.as_array().unwrap();
            seen.extend(hits.iter().map(|hit| hit["title"].as_str().unwrap().to_owned()));
            pages += 1;
            path = next(&reply);
            write(&platform, &anna, "late", "needle needle").await;
        }
        assert_eq!((pages, seen), (3, expected(order)), "{order}");
        platform.app.db.execute("delete from post where title = 'late'").await.unwrap();
    }
}

/// Of a common word the newest posts are ranked, and the list ends with them.
#[sqlx::test(migrations = false)]
async fn of_a_common_word_the_newest_are_ranked(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    write(&platform, &anna, "needle", "needle").await;
    let many = "with written as (
            insert into post (id, created_by, content, types, status, published_at)
            select gen_random_uuid(), gen_random_uuid(), 'needle straw', '{}', 'POSTED', now() + make_interval(secs => n)
            from generate_series(1, 2000) as n returning *
        )
        insert into post_search (post_id, author, published_at, types, tags, config, document)
        select id, created_by, published_at - interval '1 hour', types, '{}', 'simple', to_tsvector('simple', content)
        from written";
    platform.app.db.execute(many).await.unwrap();
    platform
        .app
        .db
        .execute(
            "update post_search set published_at = now() - interval '1 day' where config <> 'simple'
        or post_id in (select id from post where title = 'needle')",
        )
        .await
        .unwrap();
    let reply = ask(&platform, &anna, "needle", "&limit=200").await;
    assert!(reply.body.as_array().unwrap().iter().all(|hit| hit["title"] == Value::Null), "the best is too old");
    let (mut pages, mut path) = (1, next(&reply));
    while let Some(page) = path {
        let reply = platform.call("GET", &page, Some(&anna), None).await;
        assert_eq!(reply.body.as_array().unwrap().len(), 200);
        (pages, path) = (pages + 1, next(&reply));
    }
    assert_eq!(pages, 10, "2,000 results");
    assert_eq!(titles(&platform, &anna, "needle", "&until=2000-01-01").await, [""; 0]);
}

async fn suggested(platform: &Platform, reader: &str, q: &str) -> Value {
    let q = serde_urlencoded::to_string([("q", q)]).unwrap();
    index(platform).await;
    let reply = platform.call("GET", &format!("/search/suggest?{q}"), Some(reader), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// While a user types, tags and titles that begin so are suggested: the most used, and the newest.
#[sqlx::test(migrations = false)]
async fn tags_and_titles_are_suggested(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let first = write(&platform, &anna, "On the Éngine", "#English #energy").await;
    let second = write(&platform, &anna, "Engines — a survey", "#energy #Café").await;
    write_in(&platform, &anna, "Engine draft", "#engine", &[], "DRAFT").await;
    let ids =
        |body: &Value| body["posts"].as_array().unwrap().iter().map(|post| post["id"].clone()).collect::<Vec<_>>();
    let body = suggested(&platform, &anna, "en").await;
    assert_eq!(body["tags"], json!([{ "tag": "energy", "uses": 2 }, { "tag": "english", "uses": 1 }]));
    assert_eq!(ids(&body), [second["id"].clone(), first["id"].clone()]);
    assert_eq!(body["posts"][1], json!({ "id": first["id"], "title": "On the Éngine" }));
    assert_eq!(ids(&suggested(&platform, &anna, "the engi").await), [first["id"].clone()]);
    assert_eq!(ids(&suggested(&platform, &anna, "Engines a s").await), [second["id"].clone()]);
    assert_eq!(suggested(&platform, &anna, "#caf").await["tags"], json!([{ "tag": "café", "uses": 1 }]));
    assert_eq!(suggested(&platform, &anna, "100%").await, json!({ "tags": [], "posts": [] }), "no pattern");
    for (q, kind) in [("%23", "value_error.query"), ("a%00", "value_error.any_str.control_character")] {
        let reply = platform.call("GET", &format!("/search/suggest?q={q}"), Some(&anna), None).await;
        assert_eq!(fault(&reply), (422, &json!(kind)), "{q}");
    }
    // What not all users may read any more leads nowhere, and comes back with it.
    let path = format!("/posts/{}", second["id"].as_str().unwrap());
    let mut body = json!({ "title": "Engines", "content": "#energy #Café", "types": [], "status": "ARCHIVED" });
    assert_eq!(platform.call("PUT", &path, Some(&anna), Some(body.clone())).await.status, 200);
    let request = json!({ "content_id": first["id"], "raw_content": first, "reason": "NUDITY" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    assert_eq!(suggested(&platform, &anna, "en").await, json!({ "tags": [], "posts": [] }));
    let judge = format!("{}:ACTIVE:MODERATOR", Uuid::now_v7());
    let restore = format!("/posts/{}/restore", first["id"].as_str().unwrap());
    assert_eq!(platform.call("POST", &restore, Some(&judge), None).await.status, 200);
    body["status"] = json!("POSTED");
    assert_eq!(platform.call("PUT", &path, Some(&anna), Some(body)).await.status, 200);
    let tags = &suggested(&platform, &anna, "en").await["tags"];
    assert_eq!(tags, &json!([{ "tag": "energy", "uses": 2 }, { "tag": "english", "uses": 1 }]));
    let reply = platform.call("GET", "/search/suggest?q=a&most=21", Some(&anna), None).await;
    assert_eq!(fault(&reply), (422, &json!("value_error.number.not_le")));
}

/// Posts from before search are found after the backfill, which goes on where it was and leaves drafts and newer words alone.
#[sqlx::test(migrations = false)]
async fn older_posts_are_indexed_step_by_step(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    for number in 0..3 {
        write(&platform, &anna, &format!("{number}"), "needle").await;
    }
    write_in(&platform, &anna, "draft", "needle", &[], "DRAFT").await;
    let many = "insert into post (id, created_by, content, types, status, published_at, title)
        select gen_random_uuid(), gen_random_uuid(), 'needle', '{}', 'POSTED', now(), 'older' from generate_series(1, 150)";
    platform.app.db.execute(many).await.unwrap();
    platform
        .app
        .db
        .execute("delete from post_search where post_id in (select id from post where title = '1')")
        .await
        .unwrap();
    let keys = "insert into search_key (kind, key, post_id) select 'TAG', 'old', post_id from post_search";
    platform.app.db.execute(keys).await.unwrap();
    let mut steps = 0;
    let mut backfill = SearchBackfill(platform.app.clone());
    loop {
        // Each step by a replica that was started anew.
        let Outcome::Idle(pause) = backfill.step().await.unwrap() else { panic!("it makes pauses") };
        steps += 1;
        if pause.as_secs() > 60 {
            break;
        }
        index(&platform).await;
        backfill = SearchBackfill(platform.app.clone());
    }
    assert_eq!(steps, 3, "two batches, and a look behind the last post");
    assert_eq!(backfill.step().await.unwrap(), Outcome::Idle(Duration::from_millis(100)));
    let old = platform.app.db.fetch_all("select from search_key where kind = 'TAG'").await.unwrap();
    assert_eq!(old.len(), 0, "the keys of tags are looked up elsewhere now");
    assert_eq!(backfill.step().await.unwrap(), Outcome::Idle(Duration::from_hours(1)));
    let found = titles(&platform, &anna, "needle", "&limit=200").await;
    assert_eq!((found.len(), found.iter().filter(|title| *title == "draft").count()), (153, 0));
}

/// Where few posts have a tag, a search for a common word reads these, and not the posts with the word until it has found enough.
#[sqlx::test(migrations = false)]
async fn a_search_with_a_rare_tag_begins_with_its_posts(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, him)) = (new_user(), new_user());
    write(&platform, &anna, "Rare", "needle #rare").await;
    write(&platform, &anna, "Common", "needle #common").await;
    copy_often(&platform, "Common").await;
    for order in ["", "&order=time"] {
        assert_eq!(titles(&platform, &ben, "needle", &format!("&tag=rare{order}")).await, ["Rare"]);
        assert_eq!(titles(&platform, &ben, "needle", &format!("&tag=none{order}")).await, [""; 0]);
        assert_eq!(titles(&platform, &ben, "needle", &format!("&tag=common&limit=3{order}")).await, ["Common"; 3]);
    }

    let (mut tx, words) = begin_search(&platform.app.db, "simple", "needle", "needle", "rare").await.unwrap();
    let before = rows_read(&mut tx).await;
    let query = PostQuery { tag: Some("rare"), ..all_with(&words) };
    assert_eq!(newest(&mut tx, &query, him, Cursor::end(), 50).await.unwrap().0.len(), 1);
    assert_eq!(most_relevant(&mut tx, &query, him, Cursor::end(), 50).await.unwrap().0.len(), 1);
    let read = rows_read(&mut tx).await - before;
    assert!(read < 100, "{read} rows and looks into an index");
    let no_name = PostQuery { tag: Some(""), max_read: 700, ..query };
    let (found, next) = newest(&mut tx, &no_name, him, Cursor::end(), 50).await.unwrap();
    assert!(found.is_empty() && next.is_none(), "what can be no tag has no pages that find nothing");
}

/// A query without filters.
fn all_with(words: &SearchWords) -> PostQuery<'_> {
    PostQuery {
        words,
        author: None,
        category: None,
        tag: None,
        has_media: None,
        reads_media: false,
        since: None,
        until: None,
        max_read: MAX_READ,
    }
}

/// How many rows and looks into an index the searches of a transaction have taken.
async fn rows_read(tx: &mut PgTransaction<'_>) -> i64 {
    let read = "select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_scan, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint
        from pg_stat_xact_user_tables where relname in ('post_search', 'post_tag', 'post_media', 'media')";
    tx.fetch_one(read).await.unwrap().get(0)
}

/// Adds three thousand posts like the one with this title, and lets the database know how many there are.
async fn copy_often(platform: &Platform, title: &str) {
    let copies = format!(
        "with copy as (
            insert into post (id, created_by, title, content, types, status, published_at)
            select gen_random_uuid(), created_by, title, content, types, status, published_at
            from post, generate_series(1, 3000) where title = '{title}' returning id
        ), tagged as (
            insert into post_tag (post_id, tag, written, author_id, created_at, published_at)
            select copy.id, tag, written, author_id, post_tag.created_at, post_tag.published_at
            from copy, post_tag join post on post.id = post_id where title = '{title}'
        )
        insert into post_search (post_id, author, published_at, types, config, document)
        select copy.id, author, post_search.published_at, post_search.types, config, document
        from copy, post_search join post on post.id = post_id where title = '{title}'"
    );
    platform.app.db.execute(AssertSqlSafe(copies)).await.unwrap();
    for table in ["analyze post_search", "analyze post_tag", "analyze post_media", "analyze media"] {
        platform.app.db.execute(table).await.unwrap();
    }
}

/// Where few posts have pictures, a search for a common word among these reads no others, also behind the documents from before.
#[sqlx::test(migrations = false)]
async fn a_search_for_pictures_begins_with_posts_that_have_some(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, him)) = (new_user(), new_user());
    let picture = ready(&platform, &anna, "POST", &picture(3, 3)).await;
    let body = |media: Value| json!({ "title": "Shown", "content": "needle", "types": [], "status": "POSTED", "media": media });
    let shown = platform.call("POST", "/posts", Some(&anna), Some(body(json!([picture])))).await.body;
    write(&platform, &anna, "Common", "needle").await;
    copy_often(&platform, "Common").await;
    let finds = async || {
        for order in ["", "&order=time"] {
            assert_eq!(titles(&platform, &ben, "needle", &format!("&has_media=true{order}")).await, ["Shown"]);
            assert_eq!(titles(&platform, &ben, "straw", &format!("&has_media=true{order}")).await, [""; 0]);
        }
    };
    let noted = async || {
        let noted = platform.app.db.fetch_one("select count(*) from post_search where has_media").await.unwrap();
        noted.get::<i64, _>(0)
    };
    finds().await;
    assert_eq!(noted().await, 1);

    // As the documents of the release before are: they are found, and then noted.
    let before =
        "update post_search set has_media = false where has_media; update search_backfill set media_done_at = null";
    platform.app.db.execute(before).await.unwrap();
    finds().await;
    let mut backfill = SearchBackfill(platform.app.clone());
    for step in ["the page", "that there is no other"] {
        assert_eq!(backfill.step().await.unwrap(), Outcome::Idle(Duration::from_millis(100)), "{step}");
        assert_eq!(noted().await, 1);
        finds().await;
    }

    let (mut tx, words) = begin_search(&platform.app.db, "simple", "needle", "needle", "").await.unwrap();
    let mut query = PostQuery { has_media: Some(true), ..all_with(&words) };
    query.begin_with_media(&mut tx).await.unwrap();
    assert!(query.reads_media, "the worker has noted that it is done");
    let before = rows_read(&mut tx).await;
    assert_eq!(newest(&mut tx, &query, him, Cursor::end(), 50).await.unwrap().0.len(), 1);
    assert_eq!(most_relevant(&mut tx, &query, him, Cursor::end(), 50).await.unwrap().0.len(), 1);
    let read = rows_read(&mut tx).await - before;
    assert!(read < 100, "{read} rows and looks into an index");
    drop(tx);

    // Pictures that are taken off or put on later are noted as well, by the worker that writes documents or at once.
    let path = format!("/posts/{}", shown["id"].as_str().unwrap());
    assert_eq!(platform.call("PUT", &path, Some(&anna), Some(body(json!([])))).await.status, 200);
    index(&platform).await;
    assert_eq!(noted().await, 0);
    assert_eq!(platform.call("PUT", &path, Some(&anna), Some(body(json!([picture])))).await.status, 200);
    assert_eq!(noted().await, 1, "before its document is written anew, as of the release before");
}

/// Mixes the times of all documents and of their tags, each its own, and returns the ids of the posts with a title, newest first.
async fn mix(platform: &Platform, title: &str) -> Vec<Uuid> {
    let mixed = "with mixed as (
            select post_id, now() - make_interval(secs => row_number() over (order by md5(post_id::text))) as at from post_search
        ), tags as (
            update post_tag set published_at = at from mixed where mixed.post_id = post_tag.post_id
        )
        update post_search set published_at = at from mixed where mixed.post_id = post_search.post_id";
    platform.app.db.execute(mixed).await.unwrap();
    platform.app.db.execute("analyze post_search").await.unwrap();
    let ids = format!(
        "select post_id from post_search join post on id = post_id where title = '{title}' order by post_search.published_at desc"
    );
    let rows = platform.app.db.fetch_all(AssertSqlSafe(ids)).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The ids that a search finds on all of its pages.
async fn all_pages(platform: &Platform, reader: &str, path: &str) -> Vec<Uuid> {
    let (mut found, mut path) = (Vec::new(), Some(path.to_owned()));
    while let Some(page) = path {
        let reply = platform.call("GET", &page, Some(reader), None).await;
        assert_eq!(reply.status, 200, "{page}: {reply:?}");
        found.extend(
            reply.body.as_array().unwrap().iter().map(|hit| Uuid::try_parse(hit["id"].as_str().unwrap()).unwrap()),
        );
        path = next(&reply);
    }
    found
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}

/// Where thousands of posts have the tag or the category, and thousands of others the word, the few that have both are found without
/// reading the others.
#[sqlx::test(migrations = false)]
async fn few_posts_with_a_common_word_and_a_common_tag_or_category_are_all_found(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((anna, _), (ben, him)) = (new_user(), new_user());
    write_in(&platform, &anna, "Tagged", "straw #common", &["HEALTH"], "POSTED").await;
    copy_often(&platform, "Tagged").await;
    write_in(&platform, &anna, "Worded", "needle", &["NEWS"], "POSTED").await;
    copy_often(&platform, "Worded").await;
    for _ in 0..5 {
        write_in(&platform, &anna, "Both", "needle #common", &["HEALTH"], "POSTED").await;
    }
    let both = mix(&platform, "Both").await;
    for filter in ["tag=common", "category=HEALTH"] {
        let path = format!("/posts/search?q=needle&limit=2&{filter}");
        assert_eq!(all_pages(&platform, &ben, &format!("{path}&order=time")).await, both, "{filter}, newest first");
        assert_eq!(sorted(all_pages(&platform, &ben, &path).await), sorted(both.clone()), "{filter}");
    }

    for (labels, tag, category, most) in [("common", Some("common"), None, 50), ("health", None, Some("HEALTH"), 600)] {
        let (mut tx, words) = begin_search(&platform.app.db, "simple", "needle", "needle", labels).await.unwrap();
        let query = PostQuery { category, tag, ..all_with(&words) };
        let before = rows_read(&mut tx).await;
        let (found, next) = newest(&mut tx, &query, him, Cursor::end(), 50).await.unwrap();
        let read = rows_read(&mut tx).await - before;
        assert_eq!(found.iter().map(|post| post.post_id).collect::<Vec<_>>(), both);
        assert!(next.is_none() && read < most, "{labels}: {read} rows and looks into an index");
    }
}

/// Where more posts have the word than are read for a page, a page has what was found among the newest that pass the filter, and the next
/// one goes on behind these: all are found once, and newest first by time.
#[sqlx::test(migrations = false)]
async fn pages_of_a_bounded_search_go_on_where_it_stopped(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, him)) = (new_user(), new_user());
    write(&platform, &anna, "Hers", "straw").await;
    copy_often(&platform, "Hers").await;
    write(&platform, &ben, "His", "needle").await;
    copy_often(&platform, "His").await;
    for _ in 0..5 {
        write(&platform, &anna, "Found", "needle").await;
    }
    let expected = mix(&platform, "Found").await;
    let path = format!("/posts/search?q=needle&author={her}&limit=2");
    assert_eq!(all_pages(&platform, &ben, &format!("{path}&order=time")).await, expected);
    assert_eq!(sorted(all_pages(&platform, &ben, &path).await), sorted(expected.clone()));

    let (mut tx, words) = begin_search(&platform.app.db, "simple", "needle", "needle", "").await.unwrap();
    let query = PostQuery { author: Some(her), max_read: 700, ..all_with(&words) };
    for by_time in [true, false] {
        let (mut found, mut pages, mut next) = (Vec::new(), 0, Some(Cursor::end()));
        while let Some(behind) = next {
            let before = rows_read(&mut tx).await;
            let (page, following) = if by_time {
                newest(&mut tx, &query, him, behind, 2).await.unwrap()
            } else {
                most_relevant(&mut tx, &query, him, behind, 2).await.unwrap()
            };
            let read = rows_read(&mut tx).await - before;
            // Half of all posts are hers, so Postgres may read the newest of all to find as many of hers: twice as many.
            assert!(read < 3_900, "{read} rows and looks into an index, for 500 and twice 701 of hers");
            assert!(page.len() <= 2);
            found.extend(page.iter().map(|post| post.post_id));
            (pages, next) = (pages + 1, following);
        }
        assert!(pages >= 5, "{pages} pages of 3,006 posts, of which 700 are read for one");
        if by_time {
            assert_eq!(found, expected);
        } else {
            assert_eq!(sorted(found), sorted(expected.clone()));
        }
    }

    // Of a word that few posts have all are read, however many posts the author has.
    let (mut tx, words) = begin_search(&platform.app.db, "simple", "found", "found", "").await.unwrap();
    let query = PostQuery { author: Some(her), max_read: 700, ..all_with(&words) };
    let (found, next) = newest(&mut tx, &query, him, Cursor::end(), 50).await.unwrap();
    let found: Vec<Uuid> = found.iter().map(|post| post.post_id).collect();
    assert_eq!((found, next), (expected, None));
}

/// Posts of one moment are ranked together, also where a search stops among them.
#[sqlx::test(migrations = false)]
async fn a_stretch_of_the_most_relevant_ends_between_two_moments(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (_, him)) = (new_user(), new_user());
    write(&platform, &anna, "Straw", "straw").await;
    copy_often(&platform, "Straw").await;
    for _ in 0..9 {
        write(&platform, &anna, "Found", "needle").await;
    }
    let expected = mix(&platform, "Found").await;
    // Three hundred posts a moment, of which a search that reads seven hundred takes two.
    let moments = "update post_search set published_at = date_bin('300 seconds', published_at, '2000-01-01')";
    platform.app.db.execute(moments).await.unwrap();
    let (mut tx, words) = begin_search(&platform.app.db, "simple", "needle", "needle", "").await.unwrap();
    // As if there were no word to look up: so few posts have this one that all would be read.
    let words = SearchWords { lookup: String::new(), ..words };
    let query = PostQuery { author: Some(her), max_read: 700, ..all_with(&words) };
    let (mut found, mut next) = (Vec::new(), Some(Cursor::end()));
    while let Some(behind) = next {
        let (page, following) = most_relevant(&mut tx, &query, him, behind, 1).await.unwrap();
        found.extend(page.iter().map(|post| post.post_id));
        next = following;
    }
    assert_eq!(sorted(found), sorted(expected));
}

/// Where posts are read in stretches, each stretch is in order by itself, and an older one stands behind all of a newer one, whatever the
/// length of a page.
#[sqlx::test(migrations = false)]
async fn each_stretch_of_the_most_relevant_is_in_order_on_pages_of_any_length(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((anna, her), (_, him)) = (new_user(), new_user());
    write(&platform, &anna, "Straw", "straw").await;
    copy_often(&platform, "Straw").await;
    for number in 0..24 {
        write(&platform, &anna, if number % 2 == 0 { "Needle" } else { "Found" }, "needle").await;
    }
    mix(&platform, "Needle").await;
    let (mut tx, words) = begin_search(&platform.app.db, "simple", "needle", "needle", "").await.unwrap();
    // As if there were no word to look up: so few posts have this one that all would be read.
    let words = SearchWords { lookup: String::new(), ..words };
    let expected = format!(
        "select post_id, ts_rank(document, query, 1) as rank, (number - 1) / 700 as stretch from (
            select *, row_number() over (order by published_at desc, post_id desc) as number from post_search
        ) as own cross join (select '{}'::tsquery as query) as asked
        where document @@ query order by stretch, rank desc, published_at desc, post_id desc",
        words.tsquery.replace('\'', "''")
    );
    let expected = tx.fetch_all(AssertSqlSafe(expected)).await.unwrap();
    let in_one_order = expected.windows(2).all(|pair| pair[0].get::<f32, _>("rank") >= pair[1].get::<f32, _>("rank"));
    assert!(!in_one_order, "there are several stretches");
    let expected: Vec<Uuid> = expected.iter().map(|row| row.get("post_id")).collect();
    let query = PostQuery { author: Some(her), max_read: 700, ..all_with(&words) };
    for length in [1, 3, 50] {
        let (mut found, mut next) = (Vec::new(), Some(Cursor::end()));
        while let Some(behind) = next {
            let (page, following) = most_relevant(&mut tx, &query, him, behind, length).await.unwrap();
            found.extend(page.iter().map(|post| post.post_id));
            next = following;
        }
        assert_eq!(found, expected, "pages of {length}");
    }
}
