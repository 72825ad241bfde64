//! The connections as a stream of pages: what the auth service offers by gRPC where it has a port for that.
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::time::error::Elapsed;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status, Streaming};
use uuid::Uuid;

use self::proto::graph_view_client::GraphViewClient;
use self::proto::{ConnectionPage, ListConnectionsRequest};
use super::PAGE_ROWS;
use super::schemas::{CopiedItems, CopiedPage, CopiedPair};
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::telemetry::spans;

/// The messages, the client and the server, made of the auth service's contract by `build.rs`.
pub mod proto {
    #![allow(clippy::all, clippy::pedantic, clippy::allow_attributes, reason = "generated code")]
    tonic::include_proto!("social.graph.v1");
}

/// How long a connection may take to be there, and a page to come.
const CONNECT: Duration = Duration::from_secs(2);
const PAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the graph view is.
pub fn parse_address(text: &str) -> Result<Endpoint, String> {
    let endpoint: Endpoint = text.parse().map_err(|cause| format!("{text} is no URL: {cause}"))?;
    // Not by the URI's scheme: a path of a socket has one of its own, and a URI that stands for it.
    if !text.starts_with("http://") || endpoint.uri().authority().is_none() {
        return Err(format!("{text} is not http://host:port"));
    }
    Ok(endpoint.connect_timeout(CONNECT))
}

/// Why no stream is read, as far as it is a matter of settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GraphFault {
    Unreachable,
    Silent,
    TokenRefused,
    /// It answers, in HTTP/1 or to say that it has no graph view: the pages of routes are to be had all the same.
    Foreign,
    BrokenOff,
}

impl GraphFault {
    fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "nothing can be reached at GRAPH_VIEW_URL: see INTERNAL_PORT of the auth service",
            Self::Silent => "no answer comes from GRAPH_VIEW_URL: see INTERNAL_PORT of the auth service",
            Self::TokenRefused => "the graph view refuses the token: see SERVICE_TOKEN, here and of the auth service",
            Self::Foreign => {
                "what answers at GRAPH_VIEW_URL has no graph view: see INTERNAL_PORT of the auth service; \
                connections are copied by its routes"
            }
            Self::BrokenOff => {
                "a call of GRAPH_VIEW_URL broke off: the graph view ended, or what answers there is none"
            }
        }
    }
}

/// Reads the connections page by page, over one stream as long as it lasts.
pub struct GraphSource {
    endpoint: Endpoint,
    open: Option<OpenPages>,
    /// Of the copy that is under way.
    fault: Option<GraphFault>,
}

/// A stream that has more pages. Its connection ends with it.
struct OpenPages {
    /// The key of the last row that came by it; none: nothing has come.
    position: Option<String>,
    pages: Streaming<ConnectionPage>,
}

impl GraphSource {
    /// The source at an address; it connects when it is read.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, open: None, fault: None }
    }

    /// Ends the stream that is open. The next page is read over another one, whatever was wrong before.
    pub fn close(&mut self) {
        (self.open, self.fault) = (None, None);
    }

    /// What operators are to look at, if no page comes by the stream.
    pub fn fault(&self) -> Option<&'static str> {
        self.fault.map(GraphFault::words)
    }

    /// The page behind a stored cursor; none where what answers is no graph view, until the source is closed.
    pub async fn fetch(&mut self, app: &App, cursor: Option<&str>) -> anyhow::Result<Option<CopiedPage>> {
        if self.fault == Some(GraphFault::Foreign) {
            return Ok(None);
        }
        let read = self.read(app, cursor).await;
        self.fault = match &read {
            Ok(_) => None,
            Err(error) => self.diagnose(app, error).await,
        };
        match (read, self.fault) {
            (Err(error), Some(GraphFault::Foreign)) => {
                let fault = GraphFault::Foreign.words();
                tracing::warn!(address = %self.endpoint.uri(), error = format!("{error:#}"), "{fault}");
                Ok(None)
            }
            (Err(error), Some(fault)) => Err(error.context(fault.words())),
            (read, _) => read.map(Some),
        }
    }

    /// The next page. A stream that is not at the cursor has lost a page, or the copy was begun anew: then another one is opened, at
    /// the cursor, and so is it after an error.
    async fn read(&mut self, app: &App, cursor: Option<&str>) -> anyhow::Result<CopiedPage> {
        // Taken out: this may be dropped while it waits, and with it a page.
        let mut stream = match self.open.take().filter(|stream| stream.position.as_deref() == cursor) {
            Some(stream) => stream,
            None => self.open_behind(app, cursor).await?,
        };
        let page =
            tokio::time::timeout(PAGE_TIMEOUT, stream.pages.message()).await.context("no page came in time")??;
        let page = CopiedPage::try_from(page.context("the stream of connections ended before its last page")?)?;
        if page.next.is_some() {
            stream.position.clone_from(&page.next);
            self.open = Some(stream);
        }
        Ok(page)
    }

    async fn open_behind(&self, app: &App, cursor: Option<&str>) -> anyhow::Result<OpenPages> {
        let token = app.settings.service_token.as_ref().context("SERVICE_TOKEN is not set")?;
        let mut bearer: MetadataValue<Ascii> = format!("Bearer {}", token.expose_secret()).parse()?;
        bearer.set_sensitive(true);
        let after = cursor.unwrap_or_default().to_owned();
        let mut request = Request::new(ListConnectionsRequest { after, page_size: PAGE_ROWS });
        request.metadata_mut().insert("authorization", bearer);
        let opened = async {
            let channel = self.endpoint.connect().await.context("the graph view cannot be reached")?;
            let pages = GraphViewClient::new(channel).list_connections(request).await?.into_inner();
            anyhow::Ok(OpenPages { position: cursor.map(str::to_owned), pages })
        };
        tokio::time::timeout(PAGE_TIMEOUT, opened).await.context("the graph view does not answer")?
    }

    /// What an error says about the settings; nothing where trying again is all that helps.
    async fn diagnose(&self, app: &App, error: &anyhow::Error) -> Option<GraphFault> {
        let fault = match error.downcast_ref::<Status>().map(Status::code) {
            Some(Code::Unauthenticated | Code::PermissionDenied) => return Some(GraphFault::TokenRefused),
            Some(Code::Unimplemented) => return Some(GraphFault::Foreign),
            // The graph view says so itself, while it stops or its database is away.
            Some(Code::Unavailable) => return None,
            Some(_) => GraphFault::BrokenOff,
            None if error.is::<tonic::transport::Error>() => GraphFault::Unreachable,
            None if error.is::<Elapsed>() => GraphFault::Silent,
            None => return None,
        };
        // By which code a call of HTTP/2 fails where only HTTP/1 is spoken depends on how soon the connection is closed.
        let answer = spans::call(app.http.get(self.endpoint.uri().to_string()).timeout(CONNECT)).await;
        Some(if answer.is_ok() { GraphFault::Foreign } else { fault })
    }
}

impl TryFrom<ConnectionPage> for CopiedPage {
    type Error = anyhow::Error;

    fn try_from(page: ConnectionPage) -> anyhow::Result<Self> {
        let id = |bytes: &[u8]| Uuid::from_slice(bytes).context("an id is not the 16 bytes of a UUID");
        let pair = |row: &proto::Connection| {
            anyhow::Ok(CopiedPair { user_id: id(&row.user_id)?, target_id: id(&row.target_id)?, at: time(row.at)? })
        };
        let pairs = page.rows.iter().map(pair).collect::<anyhow::Result<Vec<_>>>()?;
        // Without this check a page that nothing follows would end the copy, though rows were on it.
        anyhow::ensure!(pairs.is_empty() == page.next.is_empty(), "a page of connections is without its next key");
        let next = Some(page.next).filter(|next| !next.is_empty());
        Ok(Self { as_of: time(page.as_of)?, watermarks: BTreeMap::new(), items: CopiedItems::Pairs(pairs), next })
    }
}

fn time(micros: i64) -> anyhow::Result<Timestamp> {
    Ok(chrono::DateTime::from_timestamp_micros(micros).context("a time is out of range")?.into())
}
