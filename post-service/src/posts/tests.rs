//! Posts, through their routes and their events.
use axum::body::Body;
use axum::http::{Request, header};
use clap::FromArgMatches;
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

use super::events::{
    COMMENT_CREATED, COMMENT_DELETED, POST_CREATED, POST_DELETE_COMPLETED, POST_DELETE_REQUESTED, POST_DELETED,
    POST_UPDATED, POST_VIEWED, REACTION_CREATED, REACTION_DELETED,
};
use crate::SERVICE;
use crate::core::events::consumer::Step;
use crate::core::ground::settings::Base;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, Reply, new_user};
use crate::pre_publish::{self, PrePublish, PrePublishSettings};

pub async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

async fn write(platform: &Platform, author: &str, post: Value) -> Value {
    let reply = platform.call("POST", "/posts", Some(author), Some(post)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

pub async fn posted(platform: &Platform, author: &str) -> Value {
    write(platform, author, json!({ "content": "x", "types": [], "status": "POSTED" })).await
}

/// Creates a post with raw bytes as the body.
async fn send(platform: &Platform, author: &str, kind: Option<&str>, body: impl Into<Body>) -> Reply {
    let mut request = Request::post("/api/v1/posts").header(header::AUTHORIZATION, format!("Bearer {author}"));
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    platform.send(request.body(body.into()).unwrap()).await
}

pub fn path(post: &Value) -> String {
    format!("/posts/{}", post["id"].as_str().unwrap())
}

/// Waits until a statement waits for a lock of another transaction.
pub async fn until_one_waits(platform: &Platform) {
    let waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    for _ in 0..10_000 {
        if !platform.app.db.fetch_all(waiting).await.unwrap().is_empty() {
            return;
        }
    }
    panic!("no statement waits for a lock");
}

pub fn refused(reply: &Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["detail"])
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// All NFT records, oldest first.
pub async fn nfts(platform: &Platform) -> Vec<Value> {
    let rows = platform.app.db.fetch_all("select row_to_json(post_nft)::text from post_nft order by id").await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
}

/// Sets a user's number of connections, as the auth service does.
async fn connect(platform: &Platform, person: Uuid, connections: &str) {
    let key = format!(":apps.core.models.UserDetailInfo:{person}");
    let () = platform.app.redis.clone().hset(key, "total_connections", connections).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn a_post_is_answered_as_the_original_does_and_published(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, id) = new_user();
    let post = write(&platform, &anna, json!({ "title": null, "content": "Grüße", "types": ["NEWS", "NEWS"] })).await;
    let expected = [
        "id",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "title",
        "content",
        "types",
        "status",
        "total_views",
        "total_comments",
        "total_reactions",
        "score",
        "popularity",
    ];
    assert_eq!(names(&post), expected);
    assert_eq!((&post["created_by"], &post["updated_by"]), (&json!(id), &Value::Null));
    assert_eq!((&post["title"], &post["content"]), (&Value::Null, &json!("Grüße")));
    assert_eq!(post["status"], "DRAFT");
    assert_eq!(post["types"], json!(["NEWS", "NEWS"]));
    assert_eq!(
        (&post["total_views"], &post["total_comments"], &post["total_reactions"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!((post["score"].to_string(), post["popularity"].to_string()), ("0.0".to_owned(), "0.0".to_owned()));
    assert_eq!(platform.published(POST_CREATED).await, std::slice::from_ref(&post));
    let read = platform.call("GET", &path(&post), Some(&anna), None).await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &post));
    assert_eq!(read.headers[header::CONTENT_TYPE], "application/json");
}

#[sqlx::test(migrations = false)]
async fn there_are_22_categories_and_no_others_are_accepted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let reply = platform.call("GET", "/posts/category-choices", Some(&anna), None).await;
    let categories = reply.body.as_array().unwrap().clone();
    assert_eq!((categories.len(), &categories[0], &categories[21]), (22, &json!("SPORTS"), &json!("SCIENTIFIC")));
    let post = write(&platform, &anna, json!({ "content": "x", "types": categories })).await;
    assert_eq!(post["types"], reply.body);
    for types in [json!(["CATS"]), json!(["NEWS", "news"]), json!([1]), json!([["NEWS"]]), json!([{}]), json!([null])] {
        let body = json!({ "content": "y", "types": types });
        let expected = (400, &json!("Should be from valid post category choices"));
        assert_eq!(refused(&platform.call("POST", "/posts", Some(&anna), Some(body.clone())).await), expected);
        assert_eq!(refused(&platform.call("PUT", &path(&post), Some(&anna), Some(body)).await), expected);
    }
    assert_eq!(platform.published(POST_CREATED).await.len(), 1);
    assert_eq!(platform.published(POST_UPDATED).await, Vec::<Value>::new());
}

#[sqlx::test(migrations = false)]
async fn a_request_without_a_valid_token_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let unknown = format!("/posts/{}", Uuid::now_v7());
    let routes = [
        ("GET", "/posts/category-choices"),
        ("GET", "/posts"),
        ("POST", "/posts"),
        ("GET", unknown.as_str()),
        ("PUT", "/posts/no-uuid"),
        ("DELETE", unknown.as_str()),
    ];
    for (method, path) in routes {
        let reply = platform.call(method, path, None, None).await;
        assert_eq!(refused(&reply), (401, &json!("Not authenticated")), "{method} {path}");
        assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Bearer");
        let reply = platform.call(method, path, Some("stale"), None).await;
        assert_eq!(refused(&reply), (401, &json!("Invalid credential")), "{method} {path}");
        assert_eq!(reply.headers.get(header::WWW_AUTHENTICATE), None);
    }
    let (anna, _) = new_user();
    let with = |authorization: String| {
        platform.send(
            Request::get("/api/v1/posts").header(header::AUTHORIZATION, authorization).body(Body::empty()).unwrap(),
        )
    };
    assert_eq!(refused(&with(format!("Basic {anna}")).await), (401, &json!("Not authenticated")));
    assert_eq!(with(format!("bEARER {anna}")).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn without_the_auth_service_every_request_is_a_503(_: PgPoolOptions, database: PgConnectOptions) {
    // A port that nothing can listen on.
    let nowhere = "http://127.0.0.1:0/";
    let platform = start(database).await;
    let app = platform.beside(&["--authentication-verification-url", nowhere]);
    let (anna, _) = new_user();
    let request = Request::get("/api/v1/posts").header(header::AUTHORIZATION, format!("Bearer {anna}"));
    let response = app.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["detail"], "Authetication service unavailable");
}

#[sqlx::test(migrations = false)]
async fn validation_reports_every_mistake(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let post = write(&platform, &anna, json!({ "content": "x", "types": [] })).await;
    let missing = |name: &str| json!({ "loc": ["body", name], "msg": "field required", "type": "value_error.missing" });
    let extra =
        |name: &str| json!({ "loc": ["body", name], "msg": "extra fields not permitted", "type": "value_error.extra" });
    let longer = |name: &str, limit: u32| {
        json!({ "loc": ["body", name], "msg": format!("ensure this value has at most {limit} characters"),
            "type": "value_error.any_str.max_length", "ctx": { "limit_value": limit } })
    };
    let none = |name: &str| json!({ "loc": ["body", name], "msg": "none is not an allowed value", "type": "type_error.none.not_allowed" });
    let no_text = |name: &str| json!({ "loc": ["body", name], "msg": "str type expected", "type": "type_error.str" });
    let no_list = json!({ "loc": ["body", "types"], "msg": "value is not a valid list", "type": "type_error.list" });
    let no_status = json!({
        "loc": ["body", "status"],
        "msg": "value is not a valid enumeration member; permitted: 'DRAFT', 'POSTED', 'ARCHIVED'",
        "type": "type_error.enum", "ctx": { "enum_values": ["DRAFT", "POSTED", "ARCHIVED"] },
    });
    let control = |name: &str| {
        json!({ "loc": ["body", name], "msg": "control characters are not allowed",
            "type": "value_error.any_str.control_character" })
    };
    let cases = [
        (json!({}), vec![missing("content"), missing("types")]),
        (json!({ "zebra": 1, "types": [], "ant": 1 }), vec![missing("content"), extra("ant"), extra("zebra")]),
        (json!({ "content": null, "types": null }), vec![none("content"), none("types")]),
        (json!({ "content": [], "types": "NEWS", "title": {} }), vec![no_text("title"), no_text("content"), no_list]),
        (json!({ "content": "x", "types": [], "title": "é".repeat(101) }), vec![longer("title", 100)]),
        (json!({ "content": "x".repeat(10_001), "types": [] }), vec![longer("content", 10_000)]),
        (json!({ "content": "x", "types": [], "status": "GONE" }), vec![no_status.clone()]),
        (json!({ "content": "x", "types": [], "status": "posted" }), vec![no_status]),
        (json!({ "content": "x", "types": [], "status": "PUBLISHED" }), vec![longer("status", 8)]),
        (json!({ "content": "x", "types": [], "status": null }), vec![none("status")]),
        (json!({ "content": "x\0y", "types": [], "title": "\u{7}" }), vec![control("title"), control("content")]),
    ];
    for (body, errors) in cases {
        for (method, path) in [("POST", "/posts".to_owned()), ("PUT", path(&post))] {
            let reply = platform.call(method, &path, Some(&anna), Some(body.clone())).await;
            assert_eq!(refused(&reply), (422, &json!(errors)), "{method} {body}");
            assert_eq!(names(&reply.body), ["type", "title", "status", "detail"]);
            assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
        }
    }
    assert_eq!(platform.call("GET", &path(&post), Some(&anna), None).await.body, post);
}

#[sqlx::test(migrations = false)]
async fn scalars_and_the_longest_texts_are_accepted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    for (written, read) in [(json!(5), "5"), (json!(1.5), "1.5"), (json!(true), "True"), (json!(false), "False")] {
        let post = write(&platform, &anna, json!({ "content": written, "title": written, "types": [] })).await;
        assert_eq!((&post["content"], &post["title"]), (&json!(read), &json!(read)));
    }
    let (title, content) = ("é".repeat(100), "語".repeat(10_000));
    let post = write(&platform, &anna, json!({ "content": content, "title": title, "types": [] })).await;
    assert_eq!((&post["title"], &post["content"]), (&json!(title), &json!(content)));
    let post = write(&platform, &anna, json!({ "content": "", "title": "", "types": [] })).await;
    assert_eq!((&post["title"], &post["content"]), (&json!(""), &json!("")));
}

#[sqlx::test(migrations = false)]
async fn an_invalid_body_is_refused_as_the_original_does(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let json_type = Some("application/json");

    let doc = "{\"content\": \"ü\",\n \"types\": [}";
    let reply = send(&platform, &anna, json_type, doc).await;
    let (status, detail) = refused(&reply);
    assert_eq!((status, &detail[0]["loc"]), (422, &json!(["body", 28])));
    assert_eq!(detail[0]["type"], "value_error.jsondecode");
    let ctx = &detail[0]["ctx"];
    assert_eq!(names(ctx), ["msg", "doc", "pos", "lineno", "colno"]);
    assert_eq!(ctx["msg"], detail[0]["msg"]);
    assert_eq!(
        (&ctx["doc"], &ctx["pos"], &ctx["lineno"], &ctx["colno"]),
        (&json!(doc), &json!(28), &json!(2), &json!(12))
    );

    let lone = send(&platform, &anna, json_type, r#"{"content": "\ud800", "types": []}"#).await;
    assert_eq!((lone.status.as_u16(), &lone.body["detail"][0]["type"]), (422, &json!("value_error.jsondecode")));

    let latin = send(&platform, &anna, json_type, &b"{\"content\": \"\xe9\", \"types\": []}"[..]).await;
    assert_eq!(refused(&latin), (400, &json!("There was an error parsing the body")));

    let required = json!({ "loc": ["body"], "msg": "field required", "type": "value_error.missing" });
    for nothing in ["", "null"] {
        assert_eq!(refused(&send(&platform, &anna, json_type, nothing).await), (422, &json!([required])));
    }
    let missing = json!([
        { "loc": ["body", "content"], "msg": "field required", "type": "value_error.missing" },
        { "loc": ["body", "types"], "msg": "field required", "type": "value_error.missing" },
    ]);
    let post = r#"{"content": "x", "types": ["NEWS"]}"#;
    assert_eq!(refused(&send(&platform, &anna, json_type, format!("[{post}]")).await), (422, &missing));
    assert_eq!(refused(&send(&platform, &anna, Some("text/plain"), post).await), (422, &missing));
    for kind in [None, Some("application/vnd.post+json"), Some("application/json; charset=utf-8")] {
        assert_eq!(send(&platform, &anna, kind, post).await.body["types"], json!(["NEWS"]), "{kind:?}");
    }
    let large = format!(r#"{{"content": "{}", "types": []}}"#, "x".repeat(128 * 1024));
    let reply = send(&platform, &anna, json_type, large).await;
    assert_eq!(refused(&reply), (413, &json!("The body is larger than 131072 bytes")));
}

#[sqlx::test(migrations = false)]
async fn an_id_is_accepted_in_every_form_that_python_parses(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let id: Uuid = post["id"].as_str().unwrap().parse().unwrap();
    let forms = [
        id.simple().to_string(),
        id.hyphenated().to_string().to_uppercase(),
        format!("%7B{id}%7D"),
        id.urn().to_string(),
    ];
    for form in forms {
        assert_eq!(platform.call("GET", &format!("/posts/{form}"), Some(&anna), None).await.body, post, "{form}");
    }
    let wrong = json!([{ "loc": ["path", "post_id"], "msg": "value is not a valid uuid", "type": "type_error.uuid" }]);
    let body = json!({ "content": "x", "types": [] });
    for form in ["17", "category", &id.to_string()[1..], "%00"] {
        for (method, body) in [("GET", None), ("PUT", Some(body.clone())), ("DELETE", None)] {
            let reply = platform.call(method, &format!("/posts/{form}"), Some(&anna), body).await;
            assert_eq!(refused(&reply), (422, &wrong), "{method} {form}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn a_list_is_paged_and_includes_the_callers_drafts(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let mut expected = Vec::new();
    for number in 0..4 {
        for (author, status) in
            [(&anna, "DRAFT"), (&ben, "DRAFT"), (&anna, "ARCHIVED"), (&ben, "ARCHIVED"), (&ben, "POSTED")]
        {
            let post = json!({ "content": number.to_string(), "types": [], "status": status });
            let post = write(&platform, author, post).await;
            if author == &anna || status == "POSTED" {
                expected.insert(0, post);
            }
        }
    }
    let whole = platform.call("GET", "/posts?unknown=1", Some(&anna), None).await;
    assert_eq!(whole.body, json!(expected));
    assert_eq!(whole.headers.get(header::LINK), None);

    let mut pages: Vec<Vec<Value>> = Vec::new();
    let mut next = Some("/posts?limit=5".to_owned());
    while let Some(path) = next {
        let reply = platform.call("GET", &path, Some(&anna), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        next = reply.headers.get(header::LINK).map(|link| {
            let link = link.to_str().unwrap();
            link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
        });
        pages.push(serde_json::from_value(reply.body).unwrap());
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2]);
    assert_eq!(pages.concat(), expected);

    let wrong = platform.call("GET", "/posts?limit=201&cursor=here", Some(&anna), None).await;
    let places: Vec<&Value> = wrong.body["detail"].as_array().unwrap().iter().map(|place| &place["loc"]).collect();
    assert_eq!((wrong.status.as_u16(), places), (422, vec![&json!(["query", "limit"]), &json!(["query", "cursor"])]));
}

#[sqlx::test(migrations = false)]
async fn an_unpublished_post_does_not_exist_for_others(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let not_found = json!("Post object not found");
    for status in ["DRAFT", "ARCHIVED"] {
        let post = write(&platform, &anna, json!({ "content": "x", "types": [], "status": status })).await;
        assert_eq!(platform.call("GET", &path(&post), Some(&anna), None).await.body, post);
        assert_eq!(refused(&platform.call("GET", &path(&post), Some(&ben), None).await), (404, &not_found));
    }
    let post = posted(&platform, &anna).await;
    assert_eq!(platform.call("GET", &path(&post), Some(&ben), None).await.body, post);
    let unknown = format!("/posts/{}", Uuid::now_v7());
    assert_eq!(refused(&platform.call("GET", &unknown, Some(&anna), None).await), (404, &not_found));
    assert_eq!(platform.call("GET", "/posts", Some(&ben), None).await.body, json!([post]));
}

#[sqlx::test(migrations = false)]
async fn a_published_post_has_an_nft_record(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, author) = new_user();
    let post = json!({ "title": "T", "content": "c", "types": ["NEWS"], "status": "POSTED" });
    let post = write(&platform, &anna, post).await;
    let [nft] = &nfts(&platform).await[..] else { panic!("one NFT record") };
    let at = post["created_at"].as_str().unwrap().replace('T', " ");
    assert_eq!(nft["description"], format!("Post created by {author} at {at}"));
    assert_eq!((&nft["status"], &nft["post_id"]), (&json!("READY_FOR_MINTING"), &post["id"]));
    assert_eq!((&nft["title"], &nft["token_uri"], &nft["created_by"]), (&Value::Null, &Value::Null, &json!(author)));
}

#[sqlx::test(migrations = false)]
async fn an_update_that_publishes_saves_the_nft_record_and_publishes_the_event(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let (anna, author) = new_user();
    let draft = write(&platform, &anna, json!({ "title": "T", "content": "draft", "types": ["NEWS"] })).await;
    assert_eq!(nfts(&platform).await, Vec::<Value>::new());
    let update = json!({ "content": "done", "types": ["BOOKS"], "status": "POSTED" });
    let reply = platform.call("PUT", &path(&draft), Some(&anna), Some(update)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let post = reply.body;
    let mut expected = draft.clone();
    expected["content"] = json!("done");
    expected["types"] = json!(["BOOKS"]);
    expected["status"] = json!("POSTED");
    expected["updated_by"] = json!(author);
    expected["updated_at"] = post["updated_at"].clone();
    expected["published_at"] = post["updated_at"].clone();
    assert_eq!(post, expected);
    assert!(post["updated_at"].as_str().unwrap() > draft["updated_at"].as_str().unwrap());
    assert_eq!(platform.published(POST_UPDATED).await, std::slice::from_ref(&post));
    let published = nfts(&platform).await;
    assert_eq!((published.len(), &published[0]["updated_by"]), (1, &Value::Null));

    // A change keeps the record; an archived post leaves it as it was.
    let update = json!({ "content": "mended", "types": [] });
    let changed = platform.call("PUT", &path(&post), Some(&anna), Some(update)).await.body;
    assert_eq!((&changed["status"], &changed["title"]), (&json!("POSTED"), &json!("T")));
    assert!(changed["updated_at"].as_str().unwrap() > post["updated_at"].as_str().unwrap());
    let update = json!({ "content": "secret", "types": [], "status": "ARCHIVED" });
    platform.call("PUT", &path(&post), Some(&anna), Some(update)).await;
    let records = nfts(&platform).await;
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["id"], &records[0]["description"]), (&published[0]["id"], &published[0]["description"]));
    assert_eq!(records[0]["updated_by"], json!(author));
    assert_eq!(platform.published(POST_UPDATED).await.len(), 3);
}

/// A post that was archived for a while must not come to the top of every feed as if it were new.
#[sqlx::test(migrations = false)]
async fn the_time_of_the_first_publication_is_kept(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let at_once = posted(&platform, &anna).await;
    assert_eq!(at_once["published_at"], at_once["created_at"]);
    let draft = write(&platform, &anna, json!({ "content": "x", "types": [] })).await;
    assert_eq!(draft.get("published_at"), None, "the original's fields and no more");
    let change = async |status: &str| {
        let update = json!({ "content": "x", "types": [], "status": status });
        platform.call("PUT", &path(&draft), Some(&anna), Some(update)).await.body
    };
    assert_eq!(change("ARCHIVED").await.get("published_at"), None);
    let published = change("POSTED").await;
    assert_eq!(published["published_at"], published["updated_at"]);
    for status in ["POSTED", "ARCHIVED", "DRAFT", "POSTED"] {
        assert_eq!(change(status).await["published_at"], published["published_at"], "{status}");
    }
    let last = platform.published(POST_UPDATED).await.pop().unwrap();
    assert_eq!(last["published_at"], published["published_at"], "and the events have it");
}

#[sqlx::test(migrations = false)]
async fn only_the_author_changes_and_deletes_a_post(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let unknown = format!("/posts/{}", Uuid::now_v7());
    let update = json!({ "content": "mine", "types": [] });
    for (path, caller) in [(&path(&post), &ben), (&unknown, &anna)] {
        let reply = platform.call("PUT", path, Some(caller), Some(update.clone())).await;
        assert_eq!(refused(&reply), (404, &json!("Post not found for update")));
        let reply = platform.call("DELETE", path, Some(caller), None).await;
        assert_eq!(refused(&reply), (404, &json!("Post not found for deleteing")));
    }
    assert_eq!(platform.call("GET", &path(&post), Some(&anna), None).await.body, post);
    assert_eq!(platform.published(POST_UPDATED).await, Vec::<Value>::new());
    assert_eq!(platform.published(POST_DELETED).await, Vec::<Value>::new());

    let reply = platform.call("DELETE", &path(&post), Some(&anna), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body), (204, &Value::Null));
    assert_eq!(platform.published(POST_DELETED).await, std::slice::from_ref(&post));
    assert_eq!(nfts(&platform).await, Vec::<Value>::new());
    let gone = platform.call("GET", &path(&post), Some(&anna), None).await;
    assert_eq!(refused(&gone), (404, &json!("Post object not found")));
    let again = platform.call("DELETE", &path(&post), Some(&anna), None).await;
    assert_eq!(refused(&again), (404, &json!("Post not found for deleteing")));
    assert_eq!(platform.published(POST_DELETED).await.len(), 1);
}

/// Moderation's request to take down a post in the version that it has read.
pub fn delete_request(content: &Value) -> Value {
    json!({ "id": Uuid::now_v7(), "created_at": "2026-11-20T15:18:00.328547+00:00", "created_by": null,
        "updated_at": "2026-11-20T15:18:00.328557+00:00", "updated_by": null, "type": "POST",
        "content_id": content["id"], "raw_content": content, "status": "DELETE_REQUESTED", "reason": "NUDITY" })
}

#[sqlx::test(migrations = false)]
async fn each_request_of_moderation_is_answered_with_a_completion(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let kept = posted(&platform, &anna).await;
    // What moderation knew of the post is older than the post.
    let mut known = post.clone();
    known["content"] = json!("as moderation knew it");
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&known)).await;
    let [deleted] = &platform.published(POST_DELETED).await[..] else { panic!("one deletion is published") };
    let mut expected = post.clone();
    for name in ["updated_at", "hidden_at"] {
        expected[name] = deleted[name].clone();
        assert!(deleted[name].as_str().unwrap() > post["updated_at"].as_str().unwrap(), "{name}");
    }
    expected["hidden_reason"] = json!("NUDITY");
    assert_eq!(*deleted, expected, "the post as it was, with what tells that it can come back");
    assert_eq!(platform.published(POST_DELETE_COMPLETED).await, std::slice::from_ref(deleted));
    assert_eq!(platform.call("GET", "/posts", Some(&anna), None).await.body, json!([kept]));
    assert_eq!(nfts(&platform).await.len(), 1);

    platform.consume(POST_DELETE_REQUESTED, &delete_request(&known)).await;
    assert_eq!(platform.published(POST_DELETED).await.len(), 1);
    assert_eq!(platform.published(POST_DELETE_COMPLETED).await, [expected, known]);
}

#[sqlx::test(migrations = false)]
async fn a_machine_deletes_nothing_for_good_and_a_moderator_restores_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _), (_, moderator)) = (new_user(), new_user(), new_user());
    let judge = format!("{moderator}:ACTIVE:MODERATOR");
    let content = "Dams and dykes retard water in Niger.";
    let post = write(&platform, &anna, json!({ "content": content, "types": ["NEWS"], "status": "POSTED" })).await;
    let record = nfts(&platform).await;
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&post)).await;
    let update = json!({ "content": "mine", "types": [] });
    for caller in [&anna, &ben, &judge] {
        let read = platform.call("GET", &path(&post), Some(caller), None).await;
        assert_eq!(refused(&read), (404, &json!("Post object not found")));
        assert_eq!(platform.call("GET", "/posts", Some(caller), None).await.body, json!([]));
        let written = platform.call("PUT", &path(&post), Some(caller), Some(update.clone())).await;
        assert_eq!(refused(&written), (404, &json!("Post not found for update")));
    }
    assert_eq!(nfts(&platform).await, Vec::<Value>::new());
    // Its author and moderators know of it, and why.
    let hidden = async |caller: &str| platform.call("GET", "/posts/hidden", Some(caller), None).await.body;
    for caller in [&anna, &judge] {
        let list = hidden(caller).await;
        let seen = (&list[0]["id"], &list[0]["content"], &list[0]["hidden_reason"]);
        assert_eq!(seen, (&post["id"], &json!(content), &json!("NUDITY")));
    }
    assert_eq!(hidden(&ben).await, json!([]));
    assert_eq!(platform.personal_data_of(her, "posts").await[0]["content"], content, "an export has it");

    let restore = format!("{}/restore", path(&post));
    for caller in [&anna, &ben] {
        let reply = platform.call("POST", &restore, Some(caller), None).await;
        assert_eq!(refused(&reply), (403, &json!("Only moderators can do this")));
    }
    let restored = platform.call("POST", &restore, Some(&judge), None).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    let mut expected = post.clone();
    for name in ["updated_at", "restored_at"] {
        expected[name] = restored.body["updated_at"].clone();
    }
    assert_eq!(restored.body, expected, "all of it is as it was, in a version that a moderator has approved");
    assert_eq!(platform.call("GET", &path(&post), Some(&ben), None).await.body, expected);
    assert_eq!(platform.published(POST_CREATED).await, [post.clone(), expected.clone()]);
    assert_eq!(nfts(&platform).await[0]["description"], record[0]["description"]);
    assert_eq!(hidden(&judge).await, json!([]));
    let again = platform.call("POST", &restore, Some(&judge), None).await;
    assert_eq!(refused(&again), (404, &json!("Post object not found")));
    let noted = sqlx::query!("select who, action, target from audit").fetch_one(&platform.app.db).await.unwrap();
    assert_eq!((noted.who, noted.target, noted.action.as_str()), (Some(moderator), Some(her), "post_restored"));

    // A request about what was read before the restoration comes late; one about a change does not.
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&post)).await;
    assert_eq!(platform.call("GET", &path(&post), Some(&ben), None).await.status, 200);
    assert_eq!(platform.published(POST_DELETE_COMPLETED).await.last(), Some(&post));
    let changed = platform.call("PUT", &path(&post), Some(&anna), Some(update)).await.body;
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&changed)).await;
    assert_eq!(platform.call("GET", &path(&post), Some(&ben), None).await.status, 404);

    // Its author deletes it for good.
    assert_eq!(platform.call("DELETE", &path(&post), Some(&anna), None).await.status, 204);
    assert_eq!(platform.published(POST_DELETED).await.last().unwrap().get("hidden_at"), None);
    assert_eq!(hidden(&judge).await, json!([]));
}

#[sqlx::test(migrations = false)]
async fn views_and_comments_are_counted_once_and_rated(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, author) = new_user();
    let post = posted(&platform, &anna).await;
    connect(&platform, author, "2").await;
    for _ in 0..3 {
        platform.consume(POST_VIEWED, &post).await;
    }
    platform.consume(COMMENT_CREATED, &json!({ "id": author, "post_id": post["id"] })).await;
    let rated = platform.call("GET", &path(&post), Some(&anna), None).await.body;
    assert_eq!((&rated["total_views"], &rated["total_comments"]), (&json!(3), &json!(1)));
    assert_eq!((&rated["score"], &rated["popularity"]), (&json!(0.33), &json!(1.5)));
    // Counting makes no new version: the author changed nothing.
    assert_eq!(rated["updated_at"], post["updated_at"]);
    // A repeated view is counted, and rates nothing.
    let mut again = post.clone();
    again["repeated"] = json!(true);
    platform.consume(POST_VIEWED, &again).await;
    let repeated = platform.call("GET", &path(&post), Some(&anna), None).await.body;
    assert_eq!(
        (&repeated["total_views"], &repeated["score"], &repeated["popularity"]),
        (&json!(4), &json!(0.33), &json!(1.5))
    );

    // More connections count from the next event on.
    connect(&platform, author, "8").await;
    platform.consume(REACTION_CREATED, &json!({ "id": author, "post_id": post["id"] })).await;
    let rated = platform.call("GET", &path(&post), Some(&anna), None).await.body;
    assert_eq!(
        (&rated["total_reactions"], &rated["score"], &rated["popularity"]),
        (&json!(1), &json!(0.67), &json!(0.375))
    );
}

#[sqlx::test(migrations = false)]
async fn an_author_without_connections_has_full_popularity(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, bens)) = (new_user(), new_user());
    connect(&platform, bens, "0").await;
    for author in [anna, ben] {
        let post = posted(&platform, &author).await;
        platform.consume(COMMENT_CREATED, &json!({ "id": bens, "post_id": post["id"] })).await;
        let rated = platform.call("GET", &path(&post), Some(&author), None).await.body;
        assert_eq!(
            (rated["popularity"].to_string(), rated["score"].to_string()),
            ("100.0".to_owned(), "0.0".to_owned())
        );
    }
}

#[sqlx::test(migrations = false)]
async fn counters_are_exact_when_all_streams_are_consumed_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let mut posts = Vec::new();
    for _ in 0..4 {
        posts.push(posted(&platform, &anna).await);
    }
    let counts = [
        (POST_VIEWED, "id", 50),
        (COMMENT_CREATED, "post_id", 50),
        (COMMENT_DELETED, "post_id", 20),
        (REACTION_CREATED, "post_id", 50),
        (REACTION_DELETED, "post_id", 10),
    ];
    let mut redis = platform.app.redis.clone();
    for (stream, name, count) in counts {
        let mut events = redis::pipe();
        for number in 0..count * posts.len() {
            let message = json!({ name: posts[number % posts.len()]["id"] }).to_string();
            events.xadd(stream, "*", &[("message", message), ("type", "json".into())]).ignore();
        }
        events.query_async::<()>(&mut redis).await.unwrap();
        // Each stream goes over the posts in another order.
        posts.rotate_left(1);
    }
    let heard = tokio::join!(
        platform.consume_waiting(POST_VIEWED),
        platform.consume_waiting(COMMENT_CREATED),
        platform.consume_waiting(COMMENT_DELETED),
        platform.consume_waiting(REACTION_CREATED),
        platform.consume_waiting(REACTION_DELETED),
    );
    let heard = [heard.0, heard.1, heard.2, heard.3, heard.4];
    assert_eq!(heard, counts.map(|(_, _, count)| vec![Step::Applied { fresh: count * posts.len(), duplicates: 0 }]));
    for post in &posts {
        let post = platform.call("GET", &path(post), Some(&anna), None).await.body;
        let counted = [&post["total_views"], &post["total_comments"], &post["total_reactions"]];
        assert_eq!(counted, [&json!(50), &json!(30), &json!(40)]);
        assert_eq!((&post["score"], &post["popularity"]), (&json!(1.4), &json!(100.0)));
    }
}

#[sqlx::test(migrations = false)]
async fn a_counter_below_zero_is_shown_as_zero(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, author) = new_user();
    let post = posted(&platform, &anna).await;
    let about = json!({ "id": author, "post_id": post["id"] });
    platform.consume(COMMENT_DELETED, &about).await;
    platform.consume(REACTION_DELETED, &about).await;
    let totals = async || {
        let post = platform.call("GET", &path(&post), Some(&anna), None).await.body;
        [post["total_comments"].clone(), post["total_reactions"].clone()]
    };
    assert_eq!(totals().await, [0, 0]);
    platform.consume(COMMENT_CREATED, &about).await;
    platform.consume(REACTION_CREATED, &about).await;
    assert_eq!(totals().await, [0, 0]);
    platform.consume(COMMENT_CREATED, &about).await;
    assert_eq!(totals().await, [1, 0]);
    let deleted = platform.call("DELETE", &path(&post), Some(&anna), None).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(platform.published(POST_DELETED).await[0]["total_comments"], 1);
}

#[sqlx::test(migrations = false)]
async fn events_of_unknown_posts_change_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, author) = new_user();
    let post = posted(&platform, &anna).await;
    let gone = json!({ "id": Uuid::now_v7(), "post_id": Uuid::now_v7() });
    for stream in [POST_VIEWED, COMMENT_CREATED, COMMENT_DELETED, REACTION_CREATED, REACTION_DELETED] {
        assert_eq!(platform.consume(stream, &gone).await, [Step::Applied { fresh: 1, duplicates: 0 }], "{stream}");
        let steps = platform.consume(stream, &json!({ "post_id": "none" })).await;
        assert!(matches!(steps[..], [Step::Parked(_)]), "{stream}: {steps:?}");
    }
    let steps = platform.consume(POST_DELETE_REQUESTED, &json!({ "content_id": post["id"] })).await;
    assert!(matches!(steps[..], [Step::Parked(_)]), "{steps:?}");
    assert_eq!(platform.call("GET", &path(&post), Some(&anna), None).await.body, post);
    platform.consume(POST_VIEWED, &post).await;
    let about = json!({ "id": author, "post_id": post["id"] });
    platform.consume(COMMENT_CREATED, &about).await;
    let counted = platform.call("GET", &path(&post), Some(&anna), None).await.body;
    assert_eq!((&counted["total_views"], &counted["total_comments"]), (&json!(1), &json!(1)));
}

#[sqlx::test(migrations = false)]
async fn a_parked_event_is_applied_when_an_operator_replays_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    // A mistake in the platform, a table that is missing: no service can know whether that will pass.
    platform.app.db.execute("alter table author rename to mislaid").await.unwrap();
    let fields = [("message", post.to_string()), ("type", "json".to_owned())];
    let _: String = platform.app.redis.clone().xadd(POST_VIEWED, "*", &fields).await.unwrap();
    let mut consumer = platform.consumer_of(POST_VIEWED);
    let mut tries = 0;
    let parked = loop {
        match consumer.consume(Duration::from_millis(1)).await {
            Err(_) if tries < 9 => tries += 1,
            Ok(Step::Applied { .. }) => {}
            other => break other,
        }
    };
    assert!(matches!((tries, parked), (4, Ok(Step::Parked(_)))));
    platform.app.db.execute("alter table mislaid rename to author").await.unwrap();

    let order = json!({ "action": "REPLAY", "ids": [], "stream": POST_VIEWED, "reason": "the table is back" });
    let replay = async || {
        let request = Request::post("/internal/dead-letters").header(header::AUTHORIZATION, "Bearer operator");
        platform.send(request.body(Body::from(order.to_string())).unwrap()).await.body
    };
    let replayed = replay().await;
    assert_eq!((replayed["done"].as_array().unwrap().len(), &replayed["failed"]), (1, &json!([])));
    assert_eq!(replay().await, json!({ "done": [], "failed": [] }), "it is taken away with its effect");
    assert_eq!(platform.call("GET", &path(&post), Some(&anna), None).await.body["total_views"], 1);
}

#[sqlx::test(migrations = false)]
async fn a_moderators_deletion_is_recorded_in_the_audit(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (_, moderator)) = (new_user(), new_user());
    let post = json!({ "content": "x", "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&anna), Some(post)).await.body;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let stranger = format!("{}:ACTIVE:USER", Uuid::now_v7());
    assert_eq!(platform.call("DELETE", &path, Some(&stranger), None).await.status, 404);
    let token = format!("{moderator}:ACTIVE:MODERATOR");
    assert_eq!(platform.call("DELETE", &path, Some(&token), None).await.status, 204);
    let noted =
        sqlx::query!("select who, action, target, result from audit").fetch_one(&platform.app.db).await.unwrap();
    assert_eq!((noted.who, noted.target), (Some(moderator), Some(her)));
    assert_eq!((noted.action.as_str(), noted.result.as_str()), ("post_deleted", "by moderator"));
}

#[sqlx::test(migrations = false)]
async fn every_write_and_every_list_has_a_limit(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--rate-limits", "posts=30/60"]).await;
    let request = axum::http::Request::get("/openapi.json").body(axum::body::Body::empty()).unwrap();
    let document = platform.send(request).await.body;
    let mut open = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let list = operation["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array";
            let route = format!("{} {path}", method.to_uppercase());
            if (list || method != "get" || path.ends_with("/view")) && platform.app.limits.of_route(&route).is_none() {
                open.push(route);
            }
        }
    }
    // The categories are a constant.
    assert_eq!(open, ["GET /api/v1/posts/category-choices"]);
}

#[sqlx::test(migrations = false)]
async fn a_users_posts_of_a_day_have_a_ceiling(_: PgPoolOptions, database: PgConnectOptions) {
    let ceiling = ["--rate-limits", "posts=1000/60", "--daily-texts", "20", "--daily-bytes", "50"];
    let platform = Platform::start(&SERVICE, database, &ceiling).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let post = write(&platform, &anna, json!({ "title": "T", "content": "c", "types": ["NEWS"] })).await;
    // Each change is stored and published whole.
    let edit = json!({ "content": "x".repeat(20), "types": [] });
    let path = path(&post);
    let statuses = [(); 3].map(|()| platform.call("PUT", &path, Some(&anna), Some(edit.clone())));
    let statuses: Vec<u16> =
        futures::future::join_all(statuses).await.iter().map(|reply| reply.status.as_u16()).collect();
    let count = |status: u16| statuses.iter().filter(|one| **one == status).count();
    assert_eq!(
        (count(200), count(429)),
        (2, 1),
        "two of 20 bytes at once fit beside the six of the post: {statuses:?}"
    );
    posted(&platform, &ben).await;
    let held = platform.personal_data_of(her, "quotas").await;
    assert_eq!((&held[0]["texts"], &held[0]["bytes"]), (&json!(3), &json!(46)));
    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "quotas").await, Vec::<Value>::new());
}

#[sqlx::test(migrations = false)]
async fn a_post_has_at_most_100_categories(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    write(&platform, &anna, json!({ "content": "x", "types": vec!["NEWS"; 100] })).await;
    let body = json!({ "content": "x", "types": vec!["NEWS"; 101] });
    let reply = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
    let error = json!({ "loc": ["body", "types"], "msg": "ensure this value has at most 100 items",
        "type": "value_error.list.max_items", "ctx": { "limit_value": 100 } });
    assert_eq!(refused(&reply), (422, &json!([error])));
}

#[sqlx::test(migrations = false)]
async fn a_heavy_page_shortens_long_contents(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let long = "\u{1F600}".repeat(10_000);
    // Eleven of them are longer than a page that is listed whole.
    let mut whole = Vec::new();
    for _ in 0..10 {
        whole.insert(0, write(&platform, &anna, json!({ "content": long, "types": [], "status": "POSTED" })).await);
    }
    let list = async |limit: i64| platform.call("GET", &format!("/posts?limit={limit}"), Some(&ben), None).await.body;
    assert_eq!(list(9).await, json!(whole[..9]), "up to 100,000 characters a page is as it always was");
    let short = write(&platform, &anna, json!({ "content": "short", "types": [], "status": "POSTED" })).await;
    let listed = list(200).await;
    assert_eq!(listed[0], short, "what is short stays equal");
    let mut cut = whole[0].clone();
    (cut["content"], cut["truncated"]) = (json!("\u{1F600}".repeat(500)), json!(true));
    assert_eq!(listed[1], cut);
    assert_eq!(platform.call("GET", &path(&whole[0]), Some(&ben), None).await.body, whole[0], "whole by its id");

    let fill = "insert into post (id, created_by, title, content, types, status)
        select gen_random_uuid(), created_by, repeat(chr(128512), 100), content, array_fill('PERSONAL_EVENT'::text, array[100]), status
        from post, generate_series(1, 20) where content <> 'short'";
    platform.app.db.execute(fill).await.unwrap();
    let request = Request::get("/api/v1/posts?limit=200").header(header::AUTHORIZATION, format!("Bearer {ben}"));
    let response = platform.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let page: Vec<Value> = serde_json::from_slice(&body).unwrap();
    assert_eq!(page.len(), 200);
    assert!(body.len() < 1024 * 1024, "the heaviest page has {} bytes", body.len());
}

#[sqlx::test(migrations = false)]
async fn the_longest_post_is_taken_in_any_encoding(_: PgPoolOptions, database: PgConnectOptions) {
    // Python's json and others escape what is not ASCII: twelve bytes for a letter beyond the basic plane.
    let platform = start(database).await;
    let (anna, _) = new_user();
    for letter in ["\u{1F600}", "\u{1E900}"] {
        let escaped = letter.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
        let (title, content) = (escaped.repeat(100), escaped.repeat(10_000));
        let body = format!(r#"{{"title": "{title}", "content": "{content}", "types": ["PERSONAL_EVENT"]}}"#);
        let request = Request::post("/api/v1/posts").header(header::AUTHORIZATION, format!("Bearer {anna}"));
        let request = request.header(header::CONTENT_TYPE, "application/json").header("idempotency-key", &escaped[1..]);
        let reply = platform.send(request.body(Body::from(body.clone())).unwrap()).await;
        assert_eq!((reply.status.as_u16(), &reply.body["content"]), (201, &json!(letter.repeat(10_000))));
        assert_eq!(send(&platform, &anna, Some("application/json"), body).await.status, 201, "without a key, too");
    }
}

/// A text that moderation would hide is refused before anything is stored; a draft is its author's own until it is published.
#[sqlx::test(migrations = false)]
async fn moderation_is_asked_before_a_post_is_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, asked) = pre_publish::stub::start().await;
    let settings = ["--pre-publish", "on", "--moderation-url", &url];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let (anna, id) = new_user();
    let post = |content: &str, status: &str| json!({ "title": "T", "content": content, "types": [], "status": status });
    let counted = Counted::begin();
    let reply = platform.call("POST", "/posts", Some(&anna), Some(post("a bad one", "POSTED"))).await;
    let sentence = "this text breaks the rules of the platform and was not published";
    let expected = json!([{ "loc": ["body", "content"], "msg": sentence, "type": "content_refused",
        "ctx": { "reason": "OFFENSIVE_CONTENT" } }]);
    assert_eq!(refused(&reply), (422, &expected));
    assert_eq!(platform.finds(&id.to_string()).await, [""; 0], "nothing was written, and no quota charged");

    let draft = write(&platform, &anna, post("a bad draft", "DRAFT")).await;
    let content = json!({ "content": "another bad draft", "types": [] });
    assert_eq!(platform.call("PUT", &path(&draft), Some(&anna), Some(content)).await.status, 200);
    assert_eq!(*asked.lock().unwrap(), ["T\na bad one"], "of a draft moderation is not told");
    let published = platform.call("PUT", &path(&draft), Some(&anna), Some(post("still bad", "POSTED"))).await;
    assert_eq!(published.status, 422);
    let published = platform.call("PUT", &path(&draft), Some(&anna), Some(post("good", "POSTED"))).await;
    assert_eq!((published.status.as_u16(), &published.body["status"]), (200, &json!("POSTED")));
    // An update that says nothing of the status changes what all can read.
    let content = json!({ "content": "bad again", "types": [] });
    assert_eq!(platform.call("PUT", &path(&draft), Some(&anna), Some(content.clone())).await.status, 422);
    let (bert, _) = new_user();
    let other = platform.call("PUT", &path(&draft), Some(&bert), Some(content)).await;
    assert_eq!(other.status, 404, "what is not the caller's is not asked about");
    assert_eq!(platform.call("GET", &path(&draft), Some(&anna), None).await.body["content"], "good");
    counted.assert("pre_publish_checks_total{outcome=\"refused\"} 3");
    counted.assert("pre_publish_checks_total{outcome=\"allowed\"} 1");
    assert_eq!(asked.lock().unwrap().len(), 4);
}

/// What an update leaves as it is was not asked about as long as it was a draft: it is when that is published.
#[sqlx::test(migrations = false)]
async fn all_of_a_draft_is_read_when_it_is_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, asked) = pre_publish::stub::start().await;
    let settings = ["--pre-publish", "on", "--moderation-url", &url];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let (anna, _) = new_user();
    let item = json!({ "kind": "LINK", "url": "https://pages.example/", "title": "A page" });
    let draft = json!({ "title": "A bad title", "content": "c", "types": [], "item": item });
    let draft = write(&platform, &anna, draft).await;
    let publish = async |title: Option<&str>| {
        let mut body = json!({ "content": "c", "types": [], "status": "POSTED" });
        if let Some(title) = title {
            body["title"] = json!(title);
        }
        platform.call("PUT", &path(&draft), Some(&anna), Some(body)).await.status.as_u16()
    };
    assert_eq!((publish(None).await, publish(Some("A title")).await), (422, 200));
    assert_eq!(*asked.lock().unwrap(), ["A bad title\nc\nA page", "A title\nc\nA page"]);
}

/// A reader that has a post or a list as it is gets no second copy; whatever changes in it, for this reader, is another answer.
#[sqlx::test(migrations = false)]
async fn what_a_reader_has_is_not_sent_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let ask = async |reader: &str, uri: &str, known: &str| {
        let request = Request::get(format!("/api/v1{uri}")).header(header::AUTHORIZATION, format!("Bearer {reader}"));
        let request = request.header(header::IF_NONE_MATCH, known).body(Body::empty()).unwrap();
        platform.send(request).await
    };
    let (one, list) = (path(&post), "/posts?limit=1".to_owned());
    for uri in [&one, &list] {
        let first = ask(&ben, uri, "\"x\"").await;
        let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
        assert!(first.status == 200 && tag.starts_with("W/\""), "{tag}");
        assert_eq!(first.headers[header::CACHE_CONTROL], "private, no-cache");
        assert_eq!(first.headers[header::VARY], "authorization");
        for known in [tag.as_str(), &format!("\"y\", {tag}"), tag.trim_start_matches("W/"), "*"] {
            let again = ask(&ben, uri, known).await;
            assert_eq!((again.status.as_u16(), &again.body), (304, &Value::Null), "{uri} {known}");
            assert_eq!(again.headers[header::ETAG], tag.as_str());
            assert!(!again.headers.contains_key(header::CONTENT_TYPE));
        }
        // A view moves no version, and is seen.
        let seen = json!({ "id": post["id"] });
        platform.consume(POST_VIEWED, &seen).await;
        assert_eq!(ask(&ben, uri, &tag).await.status, 200);
    }
    // The same page is another answer when another one follows it.
    let tag = ask(&ben, &list, "").await.headers[header::ETAG].to_str().unwrap().to_owned();
    let age = "update post set created_at = created_at - interval '1 hour' where id <> ";
    let older = posted(&platform, &anna).await;
    let age = format!("{age}'{}'", post["id"].as_str().unwrap());
    platform.app.db.execute(sqlx::AssertSqlSafe(age)).await.unwrap();
    let listed = ask(&ben, &list, &tag).await;
    assert_eq!((listed.status.as_u16(), &listed.body[0]["id"]), (200, &post["id"]), "{older}");
    let refused = ask(&ben, &format!("/posts/{}", Uuid::now_v7()), "*").await;
    assert_eq!((refused.status.as_u16(), refused.headers.get(header::ETAG)), (404, None));
}

/// A draft that is published while its author changes it is not changed by a text that moderation was not asked about.
#[sqlx::test(migrations = false)]
async fn a_draft_that_is_published_meanwhile_is_checked(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, asked) = pre_publish::stub::start().await;
    let settings = ["--pre-publish", "on", "--moderation-url", &url];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let (anna, _) = new_user();
    let draft = write(&platform, &anna, json!({ "content": "good", "types": [] })).await;
    let mut publication = platform.app.db.begin().await.unwrap();
    publication.execute("update post set status = 'POSTED', published_at = now()").await.unwrap();
    let bad = json!({ "content": "a bad one", "types": [] });
    let draft = path(&draft);
    let (reply, ()) = tokio::join!(platform.call("PUT", &draft, Some(&anna), Some(bad.clone())), async {
        until_one_waits(&platform).await;
        publication.commit().await.unwrap();
    });
    assert_eq!(refused(&reply), (409, &json!("The post was published meanwhile; send the change again")));
    assert!(asked.lock().unwrap().is_empty(), "it was a draft when that was decided");
    let seen = platform.call("GET", &draft, Some(&anna), None).await.body;
    assert_eq!((&seen["status"], &seen["content"]), (&json!("POSTED"), &json!("good")));
    let history = platform.call("GET", &format!("{draft}/history"), Some(&anna), None).await.body;
    assert_eq!(history, json!([]), "nothing of the change is left");
    assert_eq!(platform.call("PUT", &draft, Some(&anna), Some(bad)).await.status, 422, "sent again, it is checked");
}

/// Moderation that is slow, broken or away keeps no author waiting, and the setting says which harm is the smaller one.
#[sqlx::test(migrations = false)]
async fn without_an_answer_of_moderation_the_setting_decides(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, _) = pre_publish::stub::start().await;
    let settings = ["--pre-publish", "on", "--pre-publish-timeout", "50", "--moderation-url", &url];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let (anna, _) = new_user();
    let gone: &[&str] = &["--moderation-url", "http://127.0.0.1:1"];
    for (content, moderation) in [("a slow one", &[][..]), ("a broken one", &[]), ("a good one", gone)] {
        let open = platform.beside(moderation);
        let closed = open.beside(&["--pre-publish-failure", "closed"]);
        let post = json!({ "content": content, "types": [], "status": "POSTED" });
        let counted = Counted::begin();
        let reply = open.call("POST", "/posts", Some(&anna), Some(post.clone())).await;
        assert_eq!(reply.status, 201, "{content}: {reply:?}");
        let reply = closed.call("POST", "/posts", Some(&anna), Some(post)).await;
        assert_eq!(refused(&reply), (503, &json!("Moderation service unavailable")), "{content}");
        assert_eq!(reply.headers["retry-after"], "2");
        counted.assert("pre_publish_checks_total{outcome=\"unavailable\"} 2");
    }
}

/// The default asks nothing, and asking without the token that moderation wants is a mistake that shows at the start.
#[sqlx::test(migrations = false)]
async fn moderation_is_not_asked_unless_it_is_wanted(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, asked) = pre_publish::stub::start().await;
    let platform = Platform::start(&SERVICE, database, &["--moderation-url", &url]).await;
    let (anna, _) = new_user();
    write(&platform, &anna, json!({ "content": "a bad one", "types": [], "status": "POSTED" })).await;
    assert!(asked.lock().unwrap().is_empty());
    let with = |arguments: &[&str]| {
        let needed = ["test", "--database-url", "postgres://localhost/x"];
        let arguments = SERVICE.command().try_get_matches_from(needed.iter().chain(arguments)).unwrap();
        let settings = PrePublishSettings::from_arg_matches(&arguments).unwrap();
        PrePublish::new(&settings, &Base::from_arg_matches(&arguments).unwrap())
    };
    let error = with(&["--pre-publish", "on"]).err().unwrap().to_string();
    assert_eq!(error, "PRE_PUBLISH=on needs SERVICE_TOKEN, with which moderation is asked");
    assert!(with(&["--pre-publish", "on", "--service-token", "x"]).is_ok() && with(&[]).is_ok());
}

/// Who may comment is kept by an update that does not say, and is shown only where not everyone may.
#[sqlx::test(migrations = false)]
async fn an_author_says_who_may_comment(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let body = |comments: Option<&str>| {
        let mut body = json!({ "content": "x", "types": [], "status": "POSTED" });
        if let Some(comments) = comments {
            body["comments"] = json!(comments);
        }
        body
    };
    let open = write(&platform, &anna, body(None)).await;
    assert_eq!(open.get("comments"), None, "as the contract has it");
    let limited = write(&platform, &anna, body(Some("CONNECTIONS"))).await;
    assert_eq!(limited["comments"], "CONNECTIONS");
    let put = async |comments: Option<&str>| {
        let reply = platform.call("PUT", &path(&limited), Some(&anna), Some(body(comments))).await;
        (reply.status.as_u16(), reply.body["comments"].clone())
    };
    assert_eq!(put(None).await, (200, json!("CONNECTIONS")));
    assert_eq!(put(Some("NOBODY")).await, (200, json!("NOBODY")));
    assert_eq!(put(Some("EVERYONE")).await, (200, Value::Null));
    assert_eq!(put(Some("FRIENDS")).await.0, 422);
    let mut null = body(None);
    null["comments"] = Value::Null;
    assert_eq!(platform.call("PUT", &path(&limited), Some(&anna), Some(null)).await.status, 422);
    let published = platform.published(POST_UPDATED).await;
    let comments: Vec<&Value> = published.iter().map(|post| &post["comments"]).collect();
    assert_eq!(comments, [&json!("CONNECTIONS"), &json!("NOBODY"), &Value::Null]);
    assert_eq!(platform.call("GET", "/posts", Some(&anna), None).await.body[1], open);
}
