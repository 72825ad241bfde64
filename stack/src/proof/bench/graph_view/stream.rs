//! The graph view as a caller has it: those messages and fields of `auth-service/proto/graph_view.proto` that are measured.

use anyhow::{Context, Result};
use prost::Message;
use sqlx::types::Uuid;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};
use tonic_prost::ProstCodec;

#[derive(Message)]
struct FollowersRequest {
    #[prost(bytes = "vec", tag = "1")]
    user_id: Vec<u8>,
}

#[derive(Message)]
struct FollowersPage {
    #[prost(message, repeated, tag = "2")]
    rows: Vec<StreamedFollower>,
}

#[derive(Message)]
struct StreamedFollower {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(int64, tag = "2")]
    at: i64,
}

#[derive(Message)]
struct PairsPage {
    #[prost(message, repeated, tag = "2")]
    rows: Vec<StreamedPair>,
}

#[derive(Message)]
struct StreamedPair {
    #[prost(bytes = "vec", tag = "1")]
    user_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    target_id: Vec<u8>,
    #[prost(int64, tag = "3")]
    at: i64,
}

/// Calls the graph view over one connection.
pub struct GraphClient {
    channel: Channel,
    bearer: MetadataValue<Ascii>,
}

impl GraphClient {
    /// The client of a port of this machine. It connects with the first call.
    pub fn new(port: u16, token: &str) -> Result<GraphClient> {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?;
        let bearer = format!("Bearer {token}").parse().context("the service token cannot be sent")?;
        Ok(GraphClient { channel: endpoint.connect_lazy(), bearer })
    }

    /// Reads all followers of a person, in pages as large as they come; how many they are.
    pub async fn read_followers(&self, person: Uuid, mut page_came: impl FnMut()) -> Result<usize> {
        let request = FollowersRequest { user_id: person.as_bytes().to_vec() };
        let mut pages: Streaming<FollowersPage> =
            self.call("/social.graph.v1.GraphView/ListFollowers", request).await?;
        let mut rows = 0;
        while let Some(page) = pages.message().await? {
            rows += page.rows.len();
            page_came();
        }
        Ok(rows)
    }

    /// Reads all connections, likewise.
    pub async fn read_connections(&self, mut page_came: impl FnMut()) -> Result<usize> {
        // Without a field the message is empty.
        let mut pages: Streaming<PairsPage> = self.call("/social.graph.v1.GraphView/ListConnections", ()).await?;
        let mut rows = 0;
        while let Some(page) = pages.message().await? {
            rows += page.rows.len();
            page_came();
        }
        Ok(rows)
    }

    async fn call<M, P>(&self, path: &'static str, message: M) -> Result<Streaming<P>>
    where
        M: Message + 'static,
        P: Message + Default + 'static,
    {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.context("the graph view cannot be reached")?;
        let codec: ProstCodec<M, P> = ProstCodec::default();
        Ok(grpc.server_streaming(request, PathAndQuery::from_static(path), codec).await?.into_inner())
    }
}
