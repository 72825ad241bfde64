//! The matrix of rights: every operation, called by every kind of caller, answers with the status that the service's README says.
//!
//! The README has a table under [`HEADING`], a line per operation and a column per caller. Each cell is tried with a request
//! of its own, so that what one caller deletes is there for the next. What is in the API and not in the table fails, and so
//! does a line that is not in the API. What a service's requests are made of, and what its people are, it says itself, in
//! `crate::matrix`; a request that is not one of its operation fails.
use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::Platform;
use crate::core::tests::get;
use crate::matrix::{self, World};

/// What stands above the table.
const HEADING: &str = "## Who may what";

/// A kind of caller, in the order of the columns. All but a stranger, a moderator, an admin and a user that the owner has
/// blocked call for their own things.
const CALLERS: [&str; 9] =
    ["anonymous", "stranger", "owner", "muted", "banned", "moderator", "admin", "service", "blocked"];

/// What every service answers beside its API.
const COMMON: [&str; 12] = [
    "GET /health/live",
    "GET /health/ready",
    "GET /health/serve",
    "GET /health/lag",
    "GET /metrics",
    "GET /openapi.json",
    "GET /internal/events/{stream}",
    "GET /internal/dead-letters",
    "POST /internal/dead-letters",
    "GET /internal/dead-letters/{id}",
    "GET /internal/people/{person}",
    "GET /internal/people/{person}/{kind}",
];

/// The table: the statuses of an operation, in the order of [`CALLERS`].
fn table(readme: &str) -> BTreeMap<String, Vec<u16>> {
    let after = readme.split_once(HEADING).unwrap_or_else(|| panic!("the README has no {HEADING}")).1;
    let lines = after.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let mut rows = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let head = rows.next().unwrap();
    assert_eq!(head[1..], CALLERS, "the columns of the table");
    let mut table = BTreeMap::new();
    for row in rows.skip(1) {
        let statuses = row[1..].iter().map(|cell| cell.parse().unwrap_or_else(|_| panic!("{row:?}: {cell}")));
        let twice = table.insert(row[0].trim_matches('`').to_owned(), statuses.collect::<Vec<u16>>());
        assert!(twice.is_none(), "{} is in the table twice", row[0]);
    }
    table
}

/// The operations of the API and what every service answers beside it.
async fn operations(platform: &Platform) -> Vec<String> {
    let document = get(platform, "/openapi.json").await.body;
    let paths = document["paths"].as_object().unwrap();
    let described = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.filter(|name| *name != "parameters").map(move |name| format!("{} {path}", name.to_uppercase()))
    });
    let mut operations: Vec<_> =
        described.chain(COMMON.iter().chain(matrix::BESIDE).map(|name| (*name).to_owned())).collect();
    operations.sort();
    operations
}

/// Whether a path is one of a template.
fn fits(path: &str, template: &str) -> bool {
    let (path, template) = (path.split('/').collect::<Vec<_>>(), template.split('/').collect::<Vec<_>>());
    let alike = |(part, name): (&&str, &&str)| part == name || (name.starts_with('{') && !part.is_empty());
    path.len() == template.len() && path.iter().zip(&template).all(alike)
}

/// A request for what every service answers; without a caller.
fn common(operation: &str) -> Request<Body> {
    let (method, path) = operation.split_once(' ').unwrap();
    let path = match path {
        "/internal/events/{stream}" => format!("/internal/events/{}?after=0-0", SERVICE.publishes[0]),
        path => path
            .replace("{id}", &Uuid::nil().to_string())
            .replace("{person}", &Uuid::nil().to_string())
            .replace("{kind}", SERVICE.personal_data[0].name),
    };
    let order = json!({ "action": "DISCARD", "ids": [], "stream": "nobodys", "reason": "a test" });
    let body = if method == "POST" { Body::from(order.to_string()) } else { Body::empty() };
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}

/// What a caller gets for an operation.
async fn attempt(world: &World, operation: &str, caller: &str) -> StatusCode {
    let owner = matrix::new_user(world).await;
    let mut request =
        if COMMON.contains(&operation) { common(operation) } else { matrix::request(world, operation, &owner).await };
    let (method, template) = operation.split_once(' ').unwrap();
    let asked = (request.method().as_str(), request.uri().path());
    assert!(asked.0 == method && fits(asked.1, template), "{asked:?} is no request of {operation}");
    let token = match caller {
        "anonymous" => None,
        "owner" => Some(owner.token),
        "muted" => Some(matrix::token(world, &owner, "MUTED", "USER").await),
        "banned" => Some(matrix::token(world, &owner, "BANNED", "USER").await),
        "service" => Some("operator".to_owned()),
        "blocked" => {
            let person = matrix::new_user(world).await;
            matrix::block(world, &owner, &person).await;
            Some(person.token)
        }
        other => {
            let role = if other == "stranger" { "USER".to_owned() } else { other.to_uppercase() };
            let person = matrix::new_user(world).await;
            Some(matrix::token(world, &person, "ACTIVE", &role).await)
        }
    };
    if let Some(token) = token {
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    }
    world.send(request).await.status
}

#[sqlx::test(migrations = false)]
async fn everybody_may_what_the_table_says(_: PgPoolOptions, database: PgConnectOptions) {
    let world = matrix::start(database).await;
    let table = table(&std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap());
    let operations = operations(&world).await;
    assert_eq!(table.keys().cloned().collect::<Vec<_>>(), operations, "a line per operation, and no other");
    let mut wrong = Vec::new();
    for (operation, expected) in &table {
        for (caller, expected) in CALLERS.iter().zip(expected) {
            let status = attempt(&world, operation, caller).await.as_u16();
            if status != *expected {
                wrong.push(format!("{operation}: {caller} gets {status} and not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
