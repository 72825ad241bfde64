//! An IPFS node that speaks Kubo's RPC: <https://docs.ipfs.tech/reference/kubo/rpc/>.
use anyhow::Context;
use axum::http::{StatusCode, header};
use futures::future::BoxFuture;
use serde::Deserialize;

use super::{MetadataStore, PinReceipt, StoreFailure, StoreKind, ask, ipfs_uri, read};
use crate::core::ground::telemetry::spans;
use crate::nfts::documents::{MetadataDocument, is_same_cid};

/// Documents in an IPFS node.
#[derive(Clone, Debug)]
pub struct KuboStore {
    add: reqwest::Url,
    unpin: reqwest::Url,
    http: reqwest::Client,
}

/// What the node says of a file that it has added.
#[derive(Deserialize)]
struct AddedFile {
    #[serde(rename = "Hash")]
    hash: String,
}

/// How the node says that something went wrong.
#[derive(Deserialize)]
struct RpcError {
    #[serde(rename = "Message")]
    message: String,
}

impl KuboStore {
    /// The node at that address.
    pub fn new(url: &reqwest::Url, http: &reqwest::Client) -> anyhow::Result<Self> {
        let at = |path: &str| url.join(path).context("IPFS_API_URL");
        Ok(Self { add: at("api/v0/add")?, unpin: at("api/v0/pin/rm")?, http: http.clone() })
    }

    /// Adds and pins a document; fails when the node has stored something else than was sent.
    pub async fn add(&self, document: &MetadataDocument) -> Result<(), StoreFailure> {
        // A document is one line without an end, so that nothing in it can be taken for the boundary.
        let boundary = format!("nft-{}", document.cid);
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
            Content-Type: application/octet-stream\r\n\r\n",
            document.cid
        );
        let body = [head.as_bytes(), &document.bytes, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
        let options = [
            ("cid-version", "1"),
            ("raw-leaves", "true"),
            ("hash", "sha2-256"),
            ("pin", "true"),
            ("progress", "false"),
        ];
        let request = self.http.post(self.add.clone()).query(&options);
        let request = request.header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"));
        let answer = ask(request.body(body)).await?;
        // A line per file, of which there is one.
        let AddedFile { hash } = read(answer.trim())?;
        if is_same_cid(&hash, &document.cid) {
            Ok(())
        } else {
            Err(StoreFailure::Refused(format!("the node stored {hash:.100} in place of {}", document.cid)))
        }
    }

    /// Keeps a document no longer. Its next garbage collection removes it.
    pub async fn unpin(&self, cid: &str) -> Result<(), StoreFailure> {
        let options = [("arg", cid), ("recursive", "true")];
        let answer = spans::call(self.http.post(self.unpin.clone()).query(&options)).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status.is_success() {
            return Ok(());
        }
        let body = answer.text().await?;
        let is_gone = status == StatusCode::INTERNAL_SERVER_ERROR
            && serde_json::from_str(&body).is_ok_and(|error: RpcError| error.message.contains("not pinned"));
        if is_gone { Ok(()) } else { Err(StoreFailure::of(status, &headers, &body)) }
    }
}

impl MetadataStore for KuboStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Kubo
    }

    fn pin<'a>(
        &'a self,
        document: &'a MetadataDocument,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<PinReceipt, StoreFailure>> {
        Box::pin(async move {
            self.add(document).await?;
            Ok(PinReceipt::Pinned { request: None })
        })
    }

    fn remove<'a>(&'a self, cid: &'a str, _: Option<&'a str>) -> BoxFuture<'a, Result<(), StoreFailure>> {
        Box::pin(self.unpin(cid))
    }

    fn uri(&self, cid: &str) -> String {
        ipfs_uri(cid)
    }
}
