//! Connections that come by gRPC, from a stub of the auth service's graph view.
use std::sync::{Arc, Mutex};

use axum::Router;
use chrono::Utc;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::super::commands::rebuild;
use super::super::graph::parse_address;
use super::super::graph::proto::graph_view_server::{GraphView, GraphViewServer};
use super::super::graph::proto::{
    Connection, ConnectionPage, ListConnectionsRequest, ListPeopleRequest, PeoplePage, RelationsRequest,
    RelationsResponse,
};
use super::super::schedulers::Backfill;
use super::{Owner, PAGE, ago, rows, start};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::serve::connections::ConnectionLimits;
use crate::core::testing::Platform;

/// Pages that come before a stream of the stub breaks off.
const BEFORE_BREAK: usize = 2;

/// The stub: connections in the order of their pairs, an hour old.
#[derive(Default)]
struct Graph {
    pairs: Vec<(Uuid, Uuid)>,
    /// Whether it knows another token.
    refuses: bool,
    /// How the next streams break off: with an error, or as if they were at their end.
    breaks: Mutex<Vec<Option<Status>>>,
    /// Where streams were asked to begin.
    asked: Mutex<Vec<String>>,
}

fn key(pair: (Uuid, Uuid)) -> String {
    format!("{}.{}", pair.0, pair.1)
}

impl Graph {
    /// Nine pairs of four people.
    fn of_nine_pairs() -> Self {
        let mut people = [(); 4].map(|()| Uuid::now_v7());
        people.sort_unstable();
        let others =
            |user: Uuid| people.into_iter().filter(move |other| *other != user).map(move |other| (user, other));
        Self { pairs: people.into_iter().flat_map(others).take(9).collect(), ..Self::default() }
    }

    fn page(pairs: &[(Uuid, Uuid)]) -> ConnectionPage {
        let at = Utc::now().timestamp_micros();
        let row = |pair: &(Uuid, Uuid)| Connection {
            user_id: pair.0.as_bytes().to_vec(),
            target_id: pair.1.as_bytes().to_vec(),
            at: at - 3_600_000_000,
        };
        let next = pairs.last().map(|last| key(*last)).unwrap_or_default();
        ConnectionPage { as_of: at, rows: pairs.iter().map(row).collect(), next }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[tonic::async_trait]
impl GraphView for Graph {
    type ListConnectionsStream = BoxStream<'static, Result<ConnectionPage, Status>>;
    type ListFollowersStream = BoxStream<'static, Result<PeoplePage, Status>>;
    type ListConnectionsOfStream = BoxStream<'static, Result<PeoplePage, Status>>;

    async fn list_connections(
        &self,
        request: Request<ListConnectionsRequest>,
    ) -> Result<Response<Self::ListConnectionsStream>, Status> {
        let refused = request.metadata().get("authorization").is_none_or(|token| token != "Bearer operator");
        if refused || self.refuses {
            return Err(Status::unauthenticated("no token"));
        }
        let after = request.into_inner().after;
        let behind: Vec<_> = self.pairs.iter().copied().filter(|pair| key(*pair) > after).collect();
        let mut pages: Vec<_> = behind.chunks(PAGE).map(|pairs| Ok(Self::page(pairs))).collect();
        pages.push(Ok(Self::page(&[])));
        if let Some(end) = self.breaks.lock().unwrap().pop() {
            pages.truncate(BEFORE_BREAK);
            pages.extend(end.map(Err));
        }
        self.asked.lock().unwrap().push(after);
        Ok(Response::new(stream::iter(pages).boxed()))
    }

    async fn list_followers(
        &self,
        _: Request<ListPeopleRequest>,
    ) -> Result<Response<Self::ListFollowersStream>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_connections_of(
        &self,
        _: Request<ListPeopleRequest>,
    ) -> Result<Response<Self::ListConnectionsOfStream>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn relations(&self, _: Request<RelationsRequest>) -> Result<Response<RelationsResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}

/// A worker that reads connections from the stub.
async fn worker(platform: &Platform, graph: &Arc<Graph>) -> Backfill {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().add_service(GraphViewServer::from_arc(graph.clone()));
    TaskTracker::new().spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    Backfill::new(&platform.app).with_graph_view(Some(parse_address(&url).unwrap()))
}

/// Steps until there is nothing to do; how many steps failed.
async fn finish(worker: &mut Backfill) -> usize {
    let mut failed = 0;
    loop {
        match worker.step().await {
            Ok(Outcome::Busy) => {}
            Ok(Outcome::Idle(_)) => return failed,
            Err(_) => failed += 1,
        }
    }
}

async fn follows(platform: &Platform) -> Vec<String> {
    rows(platform, "select user_id, target_id from follow where stands order by user_id, target_id").await
}

fn shown(graph: &Graph) -> Vec<String> {
    graph.pairs.iter().map(|(user, target)| format!("({user},{target})")).collect()
}

#[sqlx::test(migrations = false)]
async fn a_stream_that_breaks_off_twice_brings_every_connection_once(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let graph = Graph::of_nine_pairs();
    *graph.breaks.lock().unwrap() = vec![None, Some(Status::unavailable("killed"))];
    let graph = Arc::new(graph);
    // What the owner does not have any more.
    let gone = json!({ "user_id": Uuid::now_v7(), "target_id": graph.pairs[0].0, "at": ago(120) });
    platform.consume("user_connected", &gone).await;

    let mut worker = worker(&platform, &graph).await;
    assert_eq!(finish(&mut worker).await, 2, "a stream that just ends has broken off as well");
    assert_eq!(follows(&platform).await, shown(&graph));
    let copied = rows(&platform, "select rows, removed from backfill where source = 'connections'").await;
    assert_eq!(copied, ["(9,1)"], "none twice and none missing");
    assert_eq!(graph.asked(), [String::new(), key(graph.pairs[3]), key(graph.pairs[7])]);
    assert!(!owner.asked().contains(&"connections".to_owned()), "all else comes by routes");
}

#[sqlx::test(migrations = false)]
async fn a_copy_that_is_begun_anew_leaves_the_stream_of_before(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _owner) = start(database).await;
    let graph = Arc::new(Graph::of_nine_pairs());
    let mut worker = worker(&platform, &graph).await;
    // People and blocks, each with its beginning; the beginning of connections, and two pages.
    for _ in 0..7 {
        assert_eq!(worker.step().await.unwrap(), Outcome::Busy);
    }
    assert_eq!(follows(&platform).await, shown(&graph)[..4]);
    rebuild(&platform.app).await.unwrap();
    assert_eq!(finish(&mut worker).await, 0);
    assert_eq!(follows(&platform).await, shown(&graph));
    assert_eq!(rows(&platform, "select rows from backfill where source = 'connections'").await, ["(9)"]);
    assert_eq!(graph.asked(), ["", ""]);
}

#[test]
fn the_address_of_the_graph_view_is_a_plain_one() {
    for wrong in ["", "auth", "auth-service:9000", "https://auth-service:9000", "unix:/run/graph", "http://"] {
        assert!(parse_address(wrong).is_err(), "{wrong}");
    }
    assert!(parse_address("http://auth-service:9000").is_ok());
}

/// Copies all, with the graph view expected at an address where there is none, and checks that connections come by routes.
async fn copy_by_routes(platform: &Platform, owner: &Owner, url: &str) {
    let pair = [Uuid::now_v7(), Uuid::now_v7()];
    owner.add("connections", &json!({ "user_id": pair[0], "target_id": pair[1], "at": ago(60) }));
    let mut worker = Backfill::new(&platform.app).with_graph_view(Some(parse_address(url).unwrap()));
    assert_eq!(finish(&mut worker).await, 0, "{url}");
    assert_eq!(follows(platform).await, [format!("({},{})", pair[0], pair[1])], "{url}");
    assert!(owner.asked().contains(&"connections".to_owned()), "{url}");
    let progress = platform.app.progress.borrow().clone();
    let fault = progress["graph_view"].as_str().unwrap();
    assert!(fault.starts_with("what answers at GRAPH_VIEW_URL has no graph view"), "{fault}");
}

/// The stub of the routes speaks HTTP/2 as well, and knows no such path.
#[sqlx::test(migrations = false)]
async fn connections_come_by_routes_where_the_graph_view_is_unknown(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let url = platform.app.settings.producers[0].url.clone();
    copy_by_routes(&platform, &owner, &url).await;
}

#[sqlx::test(migrations = false)]
async fn connections_come_by_routes_where_the_address_is_that_of_routes(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(ConnectionLimits::new(8).serve(listener, Router::new(), CancellationToken::new()));
    copy_by_routes(&platform, &owner, &url).await;
}

/// Steps until one fails, and then once more; what the error and `/health/lag` say.
async fn failure(platform: &Platform, worker: &mut Backfill) -> (String, String) {
    let error = loop {
        match worker.step().await {
            Ok(outcome) => assert_eq!(outcome, Outcome::Busy),
            Err(error) => break format!("{error:#}"),
        }
    };
    assert!(worker.step().await.is_err(), "it is tried again");
    let fault = platform.app.progress.borrow()["graph_view"].as_str().unwrap().to_owned();
    (error, fault)
}

#[sqlx::test(migrations = false)]
async fn an_address_at_which_nothing_listens_is_named(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _owner) = start(database).await;
    // The port is taken, and does not listen.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let mut worker = Backfill::new(&platform.app).with_graph_view(Some(parse_address(&url).unwrap()));
    let (error, fault) = failure(&platform, &mut worker).await;
    assert_eq!(fault, "nothing can be reached at GRAPH_VIEW_URL: see INTERNAL_PORT of the auth service");
    assert!(error.starts_with(&format!("{fault}: the graph view cannot be reached: ")), "{error}");
}

#[sqlx::test(migrations = false)]
async fn a_token_that_the_graph_view_refuses_is_named(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, owner) = start(database).await;
    let graph = Arc::new(Graph { refuses: true, ..Graph::of_nine_pairs() });
    let mut worker = worker(&platform, &graph).await;
    let (error, fault) = failure(&platform, &mut worker).await;
    assert_eq!(fault, "the graph view refuses the token: see SERVICE_TOKEN, here and of the auth service");
    assert!(error.starts_with(&fault), "{error}");
    assert!(!owner.asked().contains(&"connections".to_owned()), "routes need the same token");
}
