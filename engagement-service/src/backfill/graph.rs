//! The connections as a stream of pages: what the auth service offers by gRPC where it has a port for that.
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};
use uuid::Uuid;

use self::proto::graph_view_client::GraphViewClient;
use self::proto::{ConnectionPage, ListConnectionsRequest};
use super::schemas::{CopiedItems, CopiedPage, CopiedPair};
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;

/// The messages, the client and the server, made of the auth service's contract by `build.rs`.
pub mod proto {
    #![allow(clippy::all, clippy::pedantic, clippy::allow_attributes, reason = "generated code")]
    tonic::include_proto!("social.graph.v1");
}

/// Rows on a page: what one transaction applies, as of the pages of routes.
const PAGE_ROWS: u32 = 1_000;
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

/// Reads the connections page by page, over one stream as long as it lasts.
pub struct GraphSource {
    endpoint: Endpoint,
    open: Option<OpenPages>,
}

/// A stream that has more pages.
struct OpenPages {
    /// The key of the last row that came by it; none: nothing has come.
    position: Option<String>,
    pages: Streaming<ConnectionPage>,
    /// Its connection ends with it.
    _client: GraphViewClient<Channel>,
}

impl GraphSource {
    /// The source at an address; it connects when it is read.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, open: None }
    }

    /// Ends the stream that is open. The next page is read over another one.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// The page behind a stored cursor. A stream that is anywhere else has lost a page, or the copy was begun anew: then another
    /// one is opened, at the cursor, and so is it after an error.
    pub async fn fetch(&mut self, app: &App, cursor: Option<&str>) -> anyhow::Result<CopiedPage> {
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
            let mut client = GraphViewClient::new(channel);
            let pages = client.list_connections(request).await?.into_inner();
            anyhow::Ok(OpenPages { position: cursor.map(str::to_owned), pages, _client: client })
        };
        tokio::time::timeout(PAGE_TIMEOUT, opened).await.context("the graph view does not answer")?
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
