//! What the core does to requests: limits, idempotency, origins.
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower::ServiceExt;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::doors::idempotency;
use crate::core::events::outbox::publish;
use crate::core::serve::layers;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, Reply, new_user};
use crate::core::tests::get;

#[sqlx::test(migrations = false)]
async fn a_limit_lets_a_burst_through_and_says_when_to_come_again(_: PgPoolOptions, database: PgConnectOptions) {
    let limit = &SERVICE.limits[0];
    let rates = format!("{}=1/60+2", limit.name);
    let settings = ["--rate-limits", &rates, "--trusted-proxies", "127.0.0.0/8"];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let (method, path) = limit.routes[0].split_once(' ').unwrap();
    let path: String =
        path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
    let ask = async |from: &str, token: Option<&str>| {
        let mut request = Request::builder().method(method).uri(&path).header("x-forwarded-for", from);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        platform.send(request.body(Body::empty()).unwrap()).await
    };
    let number = |reply: &Reply, name: &str| reply.headers[name].to_str().unwrap().parse::<u64>().unwrap();

    let first = ask("192.0.2.1", None).await;
    assert_ne!(first.status, 429);
    assert_eq!((number(&first, "ratelimit-limit"), number(&first, "ratelimit-remaining")), (2, 1));
    assert_ne!(ask("192.0.2.1", None).await.status, 429);
    let refused = ask("192.0.2.1", None).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (429, &json!("Too many requests")));
    let wait = number(&refused, "retry-after");
    assert!((50..=60).contains(&wait), "{wait}");
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
    assert!((110..=120).contains(&number(&refused, "ratelimit-reset")));

    assert_ne!(ask("192.0.2.2", None).await.status, 429, "another address has a bucket of its own");
    assert_eq!(ask("198.51.100.9, 192.0.2.1", None).await.status, 429, "what a client writes itself is not believed");
    let (stranger, _) = new_user();
    let known = ask("192.0.2.1", Some(&stranger)).await;
    // To the auth service a made-up token is invalid, so the address counts; to the others it is a user's.
    assert_eq!(known.status == 429, SERVICE.schema == "auth");
}

/// A compressed body was called broken JSON, which sends people looking for a mistake that is not there.
#[sqlx::test(migrations = false)]
async fn a_compressed_body_is_refused_as_such(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let send = async |encoding: &str| {
        let request = Request::post("/api/v1/things").header(header::CONTENT_ENCODING, encoding);
        platform.send(request.body(Body::from("{}")).unwrap()).await
    };
    let refused = send("gzip").await;
    assert_eq!(
        (refused.status.as_u16(), refused.headers[header::ACCEPT_ENCODING].to_str().unwrap()),
        (415, "identity")
    );
    assert!(refused.body["detail"].as_str().unwrap().contains("Content-Encoding"), "{}", refused.body);
    assert_ne!(send("identity").await.status, 415);
}

/// What a request that creates something does here: it publishes an event, and answers what it was given.
async fn make(State(app): State<App>, Json(wish): Json<Value>) -> Result<(StatusCode, Json<Value>), Error> {
    let mut tx = app.db.begin().await?;
    publish(&mut tx, SERVICE.publishes[0], &wish).await?;
    if wish["refuse"] == true {
        return Err(Error::Refused(StatusCode::BAD_REQUEST, "Not this one"));
    }
    app.commit_with_answer(tx).await?;
    let status = if wish["change"] == true { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(json!({ "id": Uuid::now_v7(), "wish": wish }))))
}

struct Maker {
    platform: Platform,
    router: Router,
}

impl Maker {
    async fn start(database: PgConnectOptions) -> Self {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let routes = Router::new().route("/make", post(make)).with_state(platform.app.clone());
        Self { router: layers::with_middleware(&platform.app, routes), platform }
    }

    async fn make(&self, key: Option<&str>, wish: &Value) -> (u16, Value, bool) {
        let mut request = Request::post("/make").header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header(idempotency::KEY, key);
        }
        let request = request.body(Body::from(wish.to_string())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let replayed = response.headers().contains_key("idempotency-replayed");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap(), replayed)
    }

    async fn made(&self) -> i64 {
        sqlx::query_scalar!(r#"select count(*) as "count!" from outbox"#)
            .fetch_one(&self.platform.app.db)
            .await
            .unwrap()
    }
}

#[sqlx::test(migrations = false)]
async fn a_request_with_a_key_is_carried_out_once(_: PgPoolOptions, database: PgConnectOptions) {
    let maker = Maker::start(database).await;
    let counted = Counted::begin();
    let wish = json!({ "z": 1, "a": "ä" });
    let (status, first, replayed) = maker.make(Some("k1"), &wish).await;
    assert_eq!((status, replayed), (201, false));
    assert_eq!(maker.make(Some("k1"), &wish).await, (201, first.clone(), true));
    counted.assert("idempotency_replays_total 1");
    assert_eq!(maker.made().await, 1);
    let (status, body, _) = maker.make(Some("k1"), &json!({ "z": 2 })).await;
    assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["header", "Idempotency-Key"])));
    assert_eq!(maker.make(Some("k2"), &wish).await.0, 201);
    assert_eq!(maker.make(None, &wish).await.0, 201);
    assert_eq!(maker.made().await, 3);
    for wrong in ["", &"k".repeat(256)] {
        assert_eq!(maker.make(Some(wrong), &wish).await.0, 422);
    }

    let a_day_ago = "update answer set answered_at = answered_at - interval '1 day'";
    maker.platform.app.db.execute(a_day_ago).await.unwrap();
    let (status, again, replayed) = maker.make(Some("k1"), &json!({ "z": 2 })).await;
    assert_eq!(
        (status, replayed, again["id"] == first["id"]),
        (201, false, false),
        "a day later it is another request"
    );
    idempotency::delete_expired(&maker.platform.app.db).await.unwrap();
    let kept = sqlx::query_scalar!(r#"select count(*) as "count!" from answer"#).fetch_one(&maker.platform.app.db);
    let kept = kept.await.unwrap();
    assert_eq!(kept, 1);
}

#[sqlx::test(migrations = false)]
async fn of_ten_at_once_with_one_key_one_is_carried_out(_: PgPoolOptions, database: PgConnectOptions) {
    let maker = Maker::start(database).await;
    let wish = json!({ "n": 1 });
    let answers = futures::future::join_all((0..10).map(|_| maker.make(Some("one"), &wish))).await;
    assert_eq!(answers.iter().filter(|(status, ..)| *status == 201).count(), 10, "{answers:?}");
    assert!(answers.iter().all(|(_, body, _)| body["id"] == answers[0].1["id"]), "{answers:?}");
    assert_eq!(answers.iter().filter(|(.., replayed)| !replayed).count(), 1);
    assert_eq!(maker.made().await, 1);
}

#[sqlx::test(migrations = false)]
async fn only_what_created_something_is_given_again(_: PgPoolOptions, database: PgConnectOptions) {
    let maker = Maker::start(database).await;
    let refuse = json!({ "refuse": true });
    assert_eq!(maker.make(Some("r"), &refuse).await.0, 400);
    assert_eq!(maker.make(Some("r"), &json!({ "n": 1 })).await.0, 201, "a refused request may be mended under its key");
    let change = json!({ "change": true });
    let (first, second) = (maker.make(Some("c"), &change).await, maker.make(Some("c"), &change).await);
    assert_eq!((first.0, second.0, first.2, second.2), (200, 200, false, false));
    assert_eq!(maker.made().await, 3, "and both changes were committed");
}

/// A sign-up came between two migrations of a fresh database, and failed on a column that was not there yet.
#[sqlx::test(migrations = false)]
async fn nothing_is_asked_of_tables_that_are_not_ready(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    platform.app.prepared.send_replace(false);
    for path in ["/api/v1/users/me", "/internal/dead-letters"] {
        let early = get(&platform, path).await;
        assert_eq!((early.status.as_u16(), &early.body["detail"]), (503, &json!("The service is not ready yet")));
        assert!(early.headers.contains_key(header::RETRY_AFTER));
    }
    assert_eq!(get(&platform, "/health/live").await.status, 200);
    platform.app.prepared.send_replace(true);
    assert_eq!(get(&platform, "/internal/dead-letters").await.status, 401);
}

#[sqlx::test(migrations = false)]
async fn pages_of_the_listed_origins_may_call_and_no_others(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--cors-origins", "https://app.example"]).await;
    let ask = async |origin: &str| {
        let request = Request::builder().method("OPTIONS").uri("/health/live").header(header::ORIGIN, origin);
        let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET").body(Body::empty()).unwrap();
        let reply = platform.send(request).await;
        reply.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(ask("https://app.example").await.as_deref(), Some("https://app.example"));
    for other in ["https://app.example.evil", "http://app.example", "null"] {
        assert_eq!(ask(other).await, None, "{other}");
    }
    let plain = get(&platform, "/health/live").await;
    assert_eq!(plain.headers.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), None);
}
