//! Answers the calls: each page of a stream is read when the transport takes it.
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::models::{Neighbour, PersonRelation};
use super::proto::graph_view_server::GraphView;
use super::proto::{
    ConnectionPage, ListConnectionsRequest, ListPeopleRequest, PeoplePage, RelationsRequest, RelationsResponse,
};
use super::schemas::{Since, after, micros, others, page_size, person_id};
use crate::core::app::App;
use crate::read_model::models::{PairRow, begin_snapshot};
use crate::read_model::schemas::RowKey;

/// Pages read at once by all streams of this process: its connections to Postgres are for people's requests first.
const TURNS: usize = 2;

/// A page, and the key behind which the next one begins; none: it was the last one.
type PageRead<P, K> = Result<(P, Option<K>), Status>;

/// Which of the two ends of a person's connections is listed.
#[derive(Clone, Copy)]
enum Side {
    Followers,
    Connections,
}

/// Reads the graph.
#[derive(Clone)]
pub struct GraphReader {
    app: App,
    turns: Arc<Semaphore>,
}

impl GraphReader {
    /// The reader of this process.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), turns: Arc::new(Semaphore::new(TURNS)) }
    }

    /// Waits for a turn at the database. A service that stops has none: the caller goes on at another replica.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Status> {
        if self.app.stop.is_cancelled() {
            return Err(Status::unavailable("the service stops"));
        }
        self.turns.acquire().await.map_err(|_| Status::unavailable("the service stops"))
    }

    async fn read_connections(self, after: RowKey, rows: i64) -> PageRead<ConnectionPage, RowKey> {
        let _turn = self.turn().await?;
        let (mut tx, as_of) = begin_snapshot(&self.app.db).await.map_err(|error| failed(&error))?;
        let pairs = PairRow::list_connections(&mut tx, (after.0, after.1), rows).await;
        let pairs = pairs.map_err(|error| failed(&error))?;
        count("ListConnections", pairs.len());
        let next = pairs.last().map(|last| RowKey(last.user_id, last.target_id));
        let rows = pairs.into_iter().map(Into::into).collect();
        Ok((ConnectionPage { as_of: micros(as_of), rows, next: text(next.as_ref()) }, next))
    }

    async fn read_people(self, side: Side, id: Uuid, after: Since, rows: i64) -> PageRead<PeoplePage, Since> {
        let _turn = self.turn().await?;
        let (mut tx, as_of) = begin_snapshot(&self.app.db).await.map_err(|error| failed(&error))?;
        let place = (after.0, after.1);
        let (rpc, people) = match side {
            Side::Followers => ("ListFollowers", Neighbour::list_followers(&mut tx, id, place, rows).await),
            Side::Connections => ("ListConnectionsOf", Neighbour::list_connections(&mut tx, id, place, rows).await),
        };
        let people = people.map_err(|error| failed(&error))?;
        count(rpc, people.len());
        let next = people.last().map(Since::from);
        let rows = people.into_iter().map(Into::into).collect();
        Ok((PeoplePage { as_of: micros(as_of), rows, next: text(next.as_ref()) }, next))
    }

    fn list_people(&self, side: Side, asked: &ListPeopleRequest) -> Result<Pages<PeoplePage>, Status> {
        let (id, after, rows) =
            (person_id(&asked.user_id)?, after::<Since>(&asked.after)?, page_size(asked.page_size)?);
        let reader = self.clone();
        Ok(Response::new(pages(after, move |after| reader.clone().read_people(side, id, after, rows))))
    }
}

/// The answer of a list.
type Pages<P> = Response<BoxStream<'static, Result<P, Status>>>;

/// The pages from a key on, up to the one without rows. Each is read when the one before was taken.
fn pages<K, P, F>(after: K, read: impl Fn(K) -> F + Send + 'static) -> BoxStream<'static, Result<P, Status>>
where
    K: Send + 'static,
    P: Send + 'static,
    F: Future<Output = PageRead<P, K>> + Send + 'static,
{
    let pages = stream::try_unfold(Some(after), move |after| {
        let page = after.map(&read);
        async move {
            match page {
                Some(page) => page.await.map(Some),
                None => Ok(None),
            }
        }
    });
    pages.boxed()
}

fn text(key: Option<&impl ToString>) -> String {
    key.map(ToString::to_string).unwrap_or_default()
}

fn count(rpc: &'static str, rows: usize) {
    metrics::counter!("graph_view_rows_total", "rpc" => rpc).increment(u64::try_from(rows).unwrap_or(u64::MAX));
}

/// What a caller learns of a failure: that it may go on where it was. The cause is for the log.
fn failed(error: &sqlx::Error) -> Status {
    tracing::warn!(%error, "the graph could not be read");
    Status::unavailable("the database does not answer")
}

#[tonic::async_trait]
impl GraphView for GraphReader {
    type ListConnectionsStream = BoxStream<'static, Result<ConnectionPage, Status>>;
    type ListFollowersStream = BoxStream<'static, Result<PeoplePage, Status>>;
    type ListConnectionsOfStream = BoxStream<'static, Result<PeoplePage, Status>>;

    async fn list_connections(
        &self,
        request: Request<ListConnectionsRequest>,
    ) -> Result<Pages<ConnectionPage>, Status> {
        let asked = request.into_inner();
        let (after, rows) = (after::<RowKey>(&asked.after)?, page_size(asked.page_size)?);
        let reader = self.clone();
        Ok(Response::new(pages(after, move |after| reader.clone().read_connections(after, rows))))
    }

    async fn list_followers(&self, request: Request<ListPeopleRequest>) -> Result<Pages<PeoplePage>, Status> {
        self.list_people(Side::Followers, request.get_ref())
    }

    async fn list_connections_of(&self, request: Request<ListPeopleRequest>) -> Result<Pages<PeoplePage>, Status> {
        self.list_people(Side::Connections, request.get_ref())
    }

    async fn relations(&self, request: Request<RelationsRequest>) -> Result<Response<RelationsResponse>, Status> {
        let asked = request.into_inner();
        let (id, others) = (person_id(&asked.user_id)?, others(&asked.others)?);
        let _turn = self.turn().await?;
        let found = PersonRelation::list(&self.app.db, id, &others).await.map_err(|error| failed(&error))?;
        count("Relations", found.len());
        Ok(Response::new(RelationsResponse { relations: found.into_iter().map(Into::into).collect() }))
    }
}
