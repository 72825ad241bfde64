//! The graph view, by its own client.
use std::pin::pin;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use uuid::Uuid;

use super::incoming::accepted;
use super::proto::graph_view_client::GraphViewClient;
use super::proto::graph_view_server::GraphView;
use super::proto::{ConnectionPage, ListConnectionsRequest, ListPeopleRequest, PeoplePage, Relation, RelationsRequest};
use super::schedulers::{GraphListener, serve};
use super::schemas::{MAX_OTHERS, MAX_ROWS};
use super::services::GraphReader;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::core::testing::counted::Counted;
use crate::testing::start;

/// A channel to a graph view that this process serves.
async fn channel(app: &App) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    app.tasks.spawn(serve(app.clone(), listener));
    Endpoint::from_shared(url).unwrap().connect().await.unwrap()
}

/// A call with a token.
fn call<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn from(after: &str, page_size: u32) -> ListConnectionsRequest {
    ListConnectionsRequest { after: after.to_owned(), page_size }
}

fn of(id: Uuid, after: &str, page_size: u32) -> ListPeopleRequest {
    ListPeopleRequest { user_id: id.as_bytes().to_vec(), after: after.to_owned(), page_size }
}

fn uuid(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap()
}

fn pairs(page: &ConnectionPage) -> Vec<(Uuid, Uuid)> {
    page.rows.iter().map(|row| (uuid(&row.user_id), uuid(&row.target_id))).collect()
}

/// People, made without signing up, in the order of their ids.
async fn people(platform: &Platform, size: i32) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = sqlx::query_scalar!(
        "insert into account (id, email, password_hash, interests)
        select gen_random_uuid(), n || '@graph.example', '', '{}' from generate_series(1, $1::int) as n returning id",
        size
    )
    .fetch_all(&platform.app.db)
    .await
    .unwrap();
    ids.sort_unstable();
    ids
}

/// Each of them with every other one, in the order of pairs.
fn all_pairs(people: &[Uuid]) -> Vec<(Uuid, Uuid)> {
    let with_others = |user: Uuid| people.iter().filter(move |other| **other != user).map(move |other| (user, *other));
    people.iter().flat_map(|user| with_others(*user)).collect()
}

/// Connects pairs of them, each a second after the one before.
async fn connect(platform: &Platform, pairs: &[(Uuid, Uuid)]) {
    let (users, targets): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().copied().unzip();
    sqlx::query!(
        "insert into connection (user_id, target_id, connected_at)
        select user_id, target_id, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second'
        from unnest($1::uuid[], $2::uuid[]) with ordinality as pair (user_id, target_id, n)",
        &users,
        &targets
    )
    .execute(&platform.app.db)
    .await
    .unwrap();
}

#[sqlx::test(migrations = false)]
async fn only_health_answers_without_the_service_token(_: PgPoolOptions, database: PgConnectOptions) {
    let posted = start(database, &[]).await;
    let platform: &Platform = &posted;
    let channel = channel(&platform.app).await;
    let mut graph = GraphViewClient::new(channel.clone());
    for request in [Request::new(from("", 0)), call("wrong", from("", 0)), call("", from("", 0))] {
        assert_eq!(graph.list_connections(request).await.unwrap_err().code(), Code::Unauthenticated);
    }
    let people = of(Uuid::now_v7(), "", 0);
    assert_eq!(graph.list_followers(people.clone()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(graph.list_connections_of(people).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(graph.relations(RelationsRequest::default()).await.unwrap_err().code(), Code::Unauthenticated);
    assert!(graph.list_connections(call("operator", from("", 0))).await.is_ok());

    let mut reflection = ServerReflectionClient::new(channel.clone());
    let services = || {
        let message_request = Some(MessageRequest::ListServices(String::new()));
        futures::stream::iter([ServerReflectionRequest { host: String::new(), message_request }])
    };
    let refused = reflection.server_reflection_info(services()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let mut answers = reflection.server_reflection_info(call("operator", services())).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let mut names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "social.graph.v1.GraphView"]);

    let mut health = HealthClient::new(channel);
    for service in ["", "social.graph.v1.GraphView"] {
        let asked = HealthCheckRequest { service: service.to_owned() };
        let status = health.check(asked).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
}

#[sqlx::test(migrations = false)]
async fn all_connections_come_once_over_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let posted = start(database, &[]).await;
    let platform: &Platform = &posted;
    let people = people(platform, 8).await;
    let every = all_pairs(&people);
    connect(platform, &every).await;
    let mut graph = GraphViewClient::new(channel(&platform.app).await);
    for (size, pages) in [(0, 2), (5, 13), (7, 9)] {
        let mut stream = graph.list_connections(call("operator", from("", size))).await.unwrap().into_inner();
        let mut read: Vec<ConnectionPage> = Vec::new();
        while let Some(page) = stream.message().await.unwrap() {
            read.push(page);
        }
        assert_eq!(read.len(), pages, "{size}");
        let last = read.last().unwrap();
        assert!(last.rows.is_empty() && last.next.is_empty() && last.as_of > 0, "{last:?}");
        assert_eq!(read.iter().flat_map(pairs).collect::<Vec<_>>(), every, "in the order of pairs");
        let first = &read[0].rows[0];
        assert_eq!(first.at, 1_767_225_601_000_000, "a second after the year began");
    }
}

/// The reader itself, since a transport carries pages ahead of what is taken.
#[sqlx::test(migrations = false)]
async fn a_stream_that_broke_off_goes_on_elsewhere_behind_its_last_page(_: PgPoolOptions, database: PgConnectOptions) {
    let posted = start(database, &[]).await;
    let platform: &Platform = &posted;
    let people = people(platform, 6).await;
    let every = all_pairs(&people);
    connect(platform, &every).await;
    let mut found = Vec::new();
    let mut after = String::new();
    for breaks in 1..=3 {
        let process = platform.beside(&[]);
        let reader = GraphReader::new(&process.app);
        let mut stream = reader.list_connections(Request::new(from(&after, 4))).await.unwrap().into_inner();
        for _ in 0..2 {
            let page = stream.next().await.unwrap().unwrap();
            after.clone_from(&page.next);
            found.extend(pairs(&page));
        }
        process.app.stop.cancel();
        let end = stream.next().await.unwrap().unwrap_err();
        assert_eq!((end.code(), found.len()), (Code::Unavailable, 8 * breaks));
        assert!(stream.next().await.is_none(), "an error ends the stream");
    }
    let mut graph = GraphViewClient::new(channel(&platform.app).await);
    let mut rest = graph.list_connections(call("operator", from(&after, 4))).await.unwrap().into_inner();
    while let Some(page) = rest.message().await.unwrap() {
        found.extend(pairs(&page));
    }
    assert_eq!(found, every, "none twice and none missing");
}

#[sqlx::test(migrations = false)]
async fn people_around_a_person_come_in_the_order_in_which_they_connected(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let posted = start(database, &[]).await;
    let platform: &Platform = &posted;
    let people = people(platform, 8).await;
    let (famous, others) = people.split_first().unwrap();
    // Not in the order of their ids.
    let followers: Vec<_> = others.iter().rev().copied().collect();
    connect(platform, &followers.iter().map(|follower| (*follower, *famous)).collect::<Vec<_>>()).await;
    connect(platform, &others[..3].iter().map(|target| (*famous, *target)).collect::<Vec<_>>()).await;
    let mut graph = GraphViewClient::new(channel(&platform.app).await);
    let ids = |pages: &[PeoplePage]| -> Vec<Uuid> {
        pages.iter().flat_map(|page| page.rows.iter().map(|person| uuid(&person.id))).collect()
    };

    let mut stream = graph.list_followers(call("operator", of(*famous, "", 3))).await.unwrap().into_inner();
    let mut pages = vec![stream.message().await.unwrap().unwrap()];
    drop(stream);
    let after = pages[0].next.clone();
    let mut stream = graph.list_followers(call("operator", of(*famous, &after, 0))).await.unwrap().into_inner();
    while let Some(page) = stream.message().await.unwrap() {
        pages.push(page);
    }
    assert_eq!(ids(&pages), followers);
    assert_eq!(pages.iter().map(|page| page.rows.len()).collect::<Vec<_>>(), [3, 4, 0]);

    let mut stream = graph.list_connections_of(call("operator", of(*famous, "", 2))).await.unwrap().into_inner();
    let mut pages = Vec::new();
    while let Some(page) = stream.message().await.unwrap() {
        pages.push(page);
    }
    assert_eq!(ids(&pages), others[..3]);
}

#[sqlx::test(migrations = false)]
async fn relations_come_in_bulk_and_a_call_that_asks_for_too_much_is_refused(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let posted = start(database, &[]).await;
    let platform: &Platform = &posted;
    let people = people(platform, 6).await;
    let [me, friend, fan, idol, foe, stranger] = people[..] else { panic!("{people:?}") };
    connect(platform, &[(me, friend), (friend, me), (fan, me), (me, idol)]).await;
    sqlx::query!("insert into block (user_id, target_id) values ($1, $2), ($2, $1)", me, foe)
        .execute(&platform.app.db)
        .await
        .unwrap();
    let mut graph = GraphViewClient::new(channel(&platform.app).await);
    let ask = |others: Vec<Vec<u8>>| call("operator", RelationsRequest { user_id: me.as_bytes().to_vec(), others });
    let bytes = |id: Uuid| id.as_bytes().to_vec();
    // In the order of the call, one that does not exist included.
    let asked = [stranger, idol, foe, fan, friend, Uuid::now_v7()];
    let answer = graph.relations(ask(Vec::from(asked.map(bytes)))).await.unwrap().into_inner();
    let expected = [
        Relation { id: bytes(stranger), ..Relation::default() },
        Relation { id: bytes(idol), follows: true, ..Relation::default() },
        Relation { id: bytes(foe), blocks: true, blocked_by: true, ..Relation::default() },
        Relation { id: bytes(fan), followed_by: true, ..Relation::default() },
        Relation { id: bytes(friend), follows: true, followed_by: true, ..Relation::default() },
        Relation { id: bytes(asked[5]), ..Relation::default() },
    ];
    assert_eq!(answer.relations, expected);

    let most = vec![bytes(friend); MAX_OTHERS];
    assert_eq!(graph.relations(ask(most.clone())).await.unwrap().into_inner().relations.len(), MAX_OTHERS);
    let mut wrong = Vec::new();
    wrong.push(graph.relations(ask([most, vec![bytes(friend)]].concat())).await.unwrap_err());
    wrong.push(graph.relations(ask(vec![vec![1, 2, 3]])).await.unwrap_err());
    let too_early = format!("-8000000000000000000.{me}");
    for (after, size) in [("x", 0), ("1.x", 0), (".", 0), (&*too_early, 0), ("", MAX_ROWS + 1)] {
        wrong.push(graph.list_connections(call("operator", from(after, size))).await.unwrap_err());
        wrong.push(graph.list_followers(call("operator", of(me, after, size))).await.unwrap_err());
    }
    let nameless = ListPeopleRequest { user_id: Vec::new(), ..of(me, "", 0) };
    wrong.push(graph.list_connections_of(call("operator", nameless)).await.unwrap_err());
    assert!(wrong.iter().all(|status| status.code() == Code::InvalidArgument), "{wrong:?}");
}

/// While processes are replaced, the one before has the port.
#[sqlx::test(migrations = false)]
async fn the_listener_waits_for_its_port_and_ends_with_the_service(_: PgPoolOptions, database: PgConnectOptions) {
    let posted = start(database, &[]).await;
    let platform: &Platform = &posted;
    let before = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = before.local_addr().unwrap().port();
    let mut listener = GraphListener::new(&platform.app, port);
    let error = listener.step().await.unwrap_err();
    assert_eq!(error.to_string(), format!("the graph view cannot listen on 127.0.0.1:{port}"));
    drop(before);
    assert!(matches!(listener.step().await.unwrap(), Outcome::Idle(_)));
    let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await.unwrap();
    let mut graph = GraphViewClient::new(channel.clone());
    assert!(graph.list_connections(call("operator", from("", 0))).await.is_ok());
    assert!(matches!(listener.step().await.unwrap(), Outcome::Idle(_)), "it has it already");

    let mut health = HealthClient::new(channel);
    let asked = HealthCheckRequest { service: "social.graph.v1.GraphView".to_owned() };
    let mut watched = health.watch(asked).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    platform.app.draining.cancel();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    drop(watched);
    platform.app.stop.cancel();
    platform.app.tasks.close();
    let ended = tokio::time::timeout(Duration::from_secs(5), platform.app.tasks.wait()).await;
    assert!(ended.is_ok(), "the stop ends it");
}

#[tokio::test]
async fn a_connection_for_which_there_is_no_room_waits_until_another_one_ends() {
    let counted = Counted::begin();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut accepted = pin!(accepted(listener, 2));
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(TcpStream::connect(address).await.unwrap());
    }
    let first = accepted.next().await.unwrap().unwrap();
    let _second = accepted.next().await.unwrap().unwrap();
    assert!(accepted.next().now_or_never().is_none(), "there is room for two");
    counted.assert("graph_view_connections_open 2");
    drop(first);
    let third = tokio::time::timeout(Duration::from_secs(5), accepted.next()).await;
    assert!(third.is_ok_and(|third| third.is_some_and(|third| third.is_ok())), "it came into the place of the first");
}

/// The server drops what it got of the listener, however a connection ends.
#[sqlx::test(migrations = false)]
async fn the_place_of_a_connection_is_free_when_its_caller_goes(_: PgPoolOptions, database: PgConnectOptions) {
    let counted = Counted::begin();
    let posted = start(database, &[]).await;
    let platform: &Platform = &posted;
    let channel = channel(&platform.app).await;
    let mut graph = GraphViewClient::new(channel);
    assert!(graph.list_connections(call("operator", from("", 0))).await.is_ok());
    counted.assert("graph_view_connections_open 1");
    drop(graph);
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        while !counted.text().lines().any(|line| line == "graph_view_connections_open 0") {
            tokio::task::yield_now().await;
        }
    });
    assert!(ended.await.is_ok(), "{}", counted.text());
}
