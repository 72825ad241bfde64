//! What every service answers the same, whatever it is for. The same tests run in every service.
mod connections;
mod matrix;
mod meters;
mod requests;

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use chrono::{DateTime, TimeDelta, Utc};
use opentelemetry::trace::SpanBuilder;
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SERVICE;
use crate::core::events::consumer::Step;
use crate::core::ground::leases::LeaseManager;
use crate::core::ground::settings::HealthCheck;
use crate::core::ground::worker::Worker;
use crate::core::ground::{jobs, telemetry};
use crate::core::serve::health;
use crate::core::testing::{Platform, Reply, new_user};

pub async fn get(platform: &Platform, path: &str) -> Reply {
    platform.send(Request::get(path).header(header::HOST, "localhost").body(Body::empty()).unwrap()).await
}

async fn operate(platform: &Platform, method: &str, path: &str, token: &str, body: Option<Value>) -> Reply {
    let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    platform.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
}

#[sqlx::test(migrations = false)]
async fn it_is_ready_when_its_stores_are(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ready = get(&platform, "/health/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.body["ready"]), (200, &json!(true)), "{ready:?}");
    platform.app.db.close().await;
    let ready = get(&platform, "/health/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.body, json!({ "ready": false, "migrated": true, "postgres": false, "redis": true }));
    assert_eq!(get(&platform, "/health/live").await.status, 200);
}

/// A load balancer sends requests on while a store is away, which all replicas miss alike, and none to a replica that is about
/// to stop, which goes on with what it does until it has.
#[sqlx::test(migrations = false)]
async fn requests_are_for_those_that_serve(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--drain-seconds", "1"]).await;
    let app = &platform.app;
    app.db.close().await;
    let serves = get(&platform, "/health/serve").await;
    let process = std::process::id();
    assert_eq!((serves.status.as_u16(), serves.body), (200, json!({ "serves": true, "process": process })));
    assert_eq!(serves.headers.get(header::CONNECTION), None);
    tokio::join!(app.drain(), async {
        let serves = get(&platform, "/health/serve").await;
        assert_eq!((serves.status.as_u16(), serves.body), (503, json!({ "serves": false, "process": process })));
        assert_eq!(serves.headers[header::CONNECTION], "close", "who keeps connections gives each up with an answer");
        assert!(!app.stop.is_cancelled(), "it works on");
    });
    assert!(app.stop.is_cancelled());
}

/// What a container's health check does.
#[sqlx::test(migrations = false)]
async fn its_binary_checks_its_health(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let app = &platform.app;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let everywhere = Ipv4Addr::UNSPECIFIED.into();
    let router = platform.router.clone();
    app.tasks.spawn(async { axum::serve(listener, router).await });
    health::ask(everywhere, port, HealthCheck::Ready).await.unwrap();
    app.db.close().await;
    let error = health::ask(everywhere, port, HealthCheck::Ready).await.unwrap_err().to_string();
    assert!(error.starts_with("503 Service Unavailable: ") && error.contains(r#""postgres":false"#), "{error}");
    health::ask(everywhere, port, HealthCheck::Live).await.unwrap();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(health::ask(everywhere, unused, HealthCheck::Live).await.unwrap_err().to_string(), "no answer");
}

#[sqlx::test(migrations = false)]
async fn what_is_not_there_is_a_problem_document(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let reply = get(&platform, "/api/v1/nothing/here/at/all").await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(
        reply.body,
        json!({ "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found" })
    );
    let slash = get(&platform, "/api/v1/nothing/?a=b").await;
    assert_eq!(slash.status, 307);
    assert_eq!(slash.headers[header::LOCATION], "/api/v1/nothing?a=b", "scheme and host are the caller's");
    let head = platform.send(Request::head("/api/v1/nothing").body(Body::empty()).unwrap()).await;
    assert_eq!(head.status, 405);
    let reply = get(&platform, "/health/live").await;
    assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(reply.headers["x-request-id"].len(), 32);
}

#[sqlx::test(migrations = false)]
async fn the_openapi_document_is_the_committed_one(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let document = get(&platform, "/openapi.json").await.body;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    if text != committed {
        let new = format!("{path}.new");
        std::fs::write(&new, text).unwrap();
        panic!("the API is not the committed one; if it is meant, rename {new} to openapi.json");
    }
    let docs = get(&platform, "/docs/").await;
    assert_eq!(docs.status, 200);
    let policy = docs.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "no page of another origin frames the one with a token: {policy}"
    );
    assert_eq!(get(&platform, "/redoc").await.headers[header::LOCATION], "/docs/");
}

#[sqlx::test(migrations = false)]
async fn parked_events_are_for_operators_who_list_and_discard_them(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let parked = "insert into dead_letter (id, stream, entry_id, occurred_at, version, message, error)
        select gen_random_uuid(), 'nobodys', n || '-0', now(), 1, '{}', 'broken' from generate_series(1, 3) as n";
    platform.app.db.execute(parked).await.unwrap();
    let path = "/internal/dead-letters";
    let (stranger, _) = new_user();
    assert_eq!(operate(&platform, "GET", path, &stranger, None).await.status, 403);
    assert_eq!(get(&platform, path).await.status, 401);

    let list = operate(&platform, "GET", &format!("{path}?limit=2"), "operator", None).await;
    assert_eq!((list.status.as_u16(), list.body.as_array().unwrap().len()), (200, 2));
    assert!(list.headers.contains_key(header::LINK));
    let id = list.body[0]["id"].as_str().unwrap().to_owned();
    let shown = operate(&platform, "GET", &format!("{path}/{id}"), "operator", None).await;
    assert_eq!(shown.body, list.body[0]);

    let order = |action: &str, ids: Value| json!({ "action": action, "ids": ids, "reason": "a test" });
    let replayed = operate(&platform, "POST", path, "operator", Some(order("REPLAY", json!([id])))).await;
    assert_eq!(
        replayed.body,
        json!({ "done": [], "failed": [{ "id": id, "error": "nobody listens to this stream here" }] })
    );
    let discarded = operate(&platform, "POST", path, "operator", Some(order("DISCARD", json!([id])))).await;
    assert_eq!(discarded.body, json!({ "done": [id], "failed": [] }));
    let gone = operate(&platform, "GET", &format!("{path}/{id}"), "operator", None).await;
    assert_eq!((gone.status.as_u16(), &gone.body["detail"]), (404, &json!("Dead letter not found")));

    let noted = sqlx::query!("select who, action, target, result, address_prefix from audit");
    let noted = noted.fetch_one(&platform.app.db).await.unwrap();
    assert_eq!(
        (noted.who, noted.target.unwrap().to_string(), noted.action.as_str()),
        (None, id, "dead_letter_discarded")
    );
    assert_eq!((noted.result.as_str(), noted.address_prefix.as_deref()), ("done", Some("127.0.0.0/24")));
    for forgery in ["update audit set result = 'x'", "delete from audit"] {
        let error = platform.app.db.execute(forgery).await.unwrap_err();
        assert!(error.to_string().contains("the audit is append-only"), "{error}");
    }

    let refused =
        operate(&platform, "POST", path, "operator", Some(json!({ "action": "EAT", "ids": ["x"], "no": 1 }))).await;
    let places: Vec<_> = refused.body["detail"].as_array().unwrap().iter().map(|place| &place["loc"][1]).collect();
    assert_eq!(
        (refused.status.as_u16(), places),
        (422, vec![&json!("action"), &json!("ids"), &json!("reason"), &json!("no")])
    );
}

#[sqlx::test(migrations = false)]
async fn the_lag_is_shown_beside_the_readiness(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    super::events::outbox::publish(&mut tx, SERVICE.publishes[0], &json!({})).await.unwrap();
    tx.commit().await.unwrap();
    let heard = platform.subscribed()[0];
    let parked = format!(
        "insert into dead_letter (id, stream, entry_id, occurred_at, version, message, error)
        values (gen_random_uuid(), '{heard}', '1-0', now(), 1, '{{}}', 'broken')"
    );
    platform.app.db.execute(sqlx::AssertSqlSafe(parked)).await.unwrap();
    let long_ago = [("occurred_at", "2020-01-01T00:00:00Z"), ("message", "{}"), ("type", "json")];
    let _: String = platform.app.redis.clone().xadd(heard, "7-0", &long_ago).await.unwrap();

    platform.app.progress.send_replace(json!({ "rows": 7 }));
    let lag = get(&platform, "/health/lag").await;
    assert_eq!(lag.status, 200);
    assert_eq!((&lag.body["service"], &lag.body["ready"]), (&json!(SERVICE.name), &json!(true)));
    assert_eq!(lag.body["progress"], json!({ "rows": 7 }));
    let of = |kind: &str, stream: &str| {
        let streams = lag.body["events"][kind].as_array().unwrap();
        streams.iter().find(|entry| entry["stream"] == stream).unwrap().clone()
    };
    let told = of("told", SERVICE.publishes[0]);
    assert_eq!(told["waiting"], 1);
    assert!(told["age"].as_f64().is_some_and(|age| (0.0..60.0).contains(&age)), "{told}");
    let heard = of("heard", heard);
    assert_eq!((&heard["lag"], &heard["dead_letters"]), (&json!(1), &json!(1)));
    assert!(heard["seconds"].as_f64().is_some_and(|waited| waited > 1e8), "{heard}");

    platform.app.db.close().await;
    let lag = get(&platform, "/health/lag").await;
    assert_eq!(lag.status, 503);
    assert_eq!(
        (&lag.body["postgres"], &lag.body["redis"], &lag.body["events"]),
        (&json!(false), &json!(true), &json!(null))
    );
}

#[sqlx::test(migrations = false)]
async fn missing_events_are_handed_out_from_the_outbox(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let path = format!("/internal/events/{}", SERVICE.publishes[0]);
    for n in 1..=3 {
        let mut tx = platform.app.db.begin().await.unwrap();
        let message = json!({ "n": n });
        let publish = super::events::outbox::publish(&mut tx, SERVICE.publishes[0], &message);
        let trace = telemetry::Trace::begin(None, || SpanBuilder::from_name("a test"));
        trace.scope(publish).await.unwrap();
        platform.app.commit(tx).await.unwrap();
    }
    platform.published(SERVICE.publishes[0]).await;
    let events = operate(&platform, "GET", &format!("{path}?after=1-0"), "operator", None).await.body;
    assert_eq!(events.as_array().unwrap().len(), 2);
    assert_eq!((&events[0]["id"], &events[0]["prev"]), (&json!("2-0"), &json!("1-0")));
    assert_eq!(events[1]["message"], json!({ "n": 3 }));
    assert_eq!(events[1]["traceparent"].as_str().unwrap().len(), 55);
    for (query, kind) in [("", "value_error.missing"), ("?after=x", "value_error.id")] {
        let refused = operate(&platform, "GET", &format!("{path}{query}"), "operator", None).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["type"]), (422, &json!(kind)));
    }
}

#[sqlx::test(migrations = false)]
async fn nonsense_stops_no_stream_that_it_consumes(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    for stream in platform.subscribed() {
        let steps = platform.consume(stream, &json!({ "no": "sense" })).await;
        assert!(matches!(steps[..], [Step::Parked(_) | Step::Applied { fresh: 1, .. }]), "{stream}: {steps:?}");
        assert_eq!(platform.consume_waiting(stream).await, [], "{stream}");
    }
}

#[sqlx::test(migrations = false)]
async fn replicas_share_leases_and_take_over_those_of_the_dead(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (one, other) = (platform.beside(&[]).app, platform.beside(&[]).app);
    let (mut first, mut second) = (
        LeaseManager::new(one.direct.clone(), SERVICE.schema),
        LeaseManager::new(other.direct.clone(), SERVICE.schema),
    );
    let names = ["a", "b", "c", "d"];
    let leases = [&mut first, &mut second].map(|manager| names.map(|name| manager.want(name)));
    let held = |of: usize| leases[of].iter().map(|lease| u8::from(*lease.borrow())).collect::<Vec<_>>();
    let count = |of: usize| held(of).iter().sum::<u8>();

    first.step().await.unwrap();
    assert_eq!(held(0), [1, 1, 1, 1], "alone, it does everything");
    second.step().await.unwrap();
    assert_eq!(count(1), 0, "what is held is not taken");
    first.step().await.unwrap();
    second.step().await.unwrap();
    assert_eq!((count(0), count(1)), (2, 2), "each does its share");
    assert!(held(0).iter().zip(held(1)).all(|(a, b)| a + b == 1), "and nothing is done twice");

    drop(first);
    // The server notices the end of a connection a moment later.
    let all = async {
        while count(1) < 4 {
            second.step().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), all).await.expect("the dead one's leases move");
}

#[sqlx::test(migrations = false)]
async fn a_run_of_a_job_is_claimed_by_one_replica(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let noon: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
    let late = noon + TimeDelta::milliseconds(20);
    let claimed = [
        jobs::claim(&platform.app.db, "sweep", noon).await.unwrap(),
        jobs::claim(&platform.app.db, "sweep", late).await.unwrap(),
        jobs::claim(&platform.app.db, "other", late).await.unwrap(),
        jobs::claim(&platform.app.db, "sweep", noon + TimeDelta::minutes(1)).await.unwrap(),
    ];
    assert_eq!(claimed, [true, false, true, true]);
}
