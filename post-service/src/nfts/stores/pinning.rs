//! An IPFS pinning service, by the vendor-neutral API: <https://ipfs.github.io/pinning-services-api-spec/>.
//!
//! The API takes identifiers and no documents: the service fetches a document from an IPFS node that has it. So a document is
//! added to the node first, and then the service is asked to pin it, once: a request that an earlier try has left is found by the
//! identifier.
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::kubo::KuboStore;
use super::{MetadataStore, PinReceipt, StoreFailure, StoreKind, ask, ipfs_uri, read};
use crate::nfts::documents::{MetadataDocument, is_same_cid};

/// A node, and a service that pins what it has.
pub struct PinningStore {
    node: KuboStore,
    /// The address of the list of pins.
    pins: String,
    token: SecretString,
    /// Addresses of the node.
    origins: Vec<String>,
    http: reqwest::Client,
}

/// A request to pin, as the service shows it.
#[derive(Deserialize)]
struct PinStatus {
    requestid: String,
    status: String,
    pin: PinnedObject,
}

#[derive(Deserialize)]
struct PinnedObject {
    cid: String,
}

/// A page of requests.
#[derive(Deserialize)]
struct PinResults {
    results: Vec<PinStatus>,
}

impl PinningStore {
    /// The service at that address, to which `/pins` is added.
    pub fn new(
        node: KuboStore,
        url: &reqwest::Url,
        token: SecretString,
        origins: Vec<String>,
        http: &reqwest::Client,
    ) -> Self {
        let pins = format!("{}/pins", url.as_str().trim_end_matches('/'));
        Self { node, pins, token, origins, http: http.clone() }
    }

    fn authorised(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.bearer_auth(self.token.expose_secret())
    }

    /// How far a request is; none when the service does not know it any more.
    async fn poll(&self, request: &str) -> Result<Option<PinStatus>, StoreFailure> {
        let get = self.authorised(self.http.get(self.one(request)?));
        match ask(get).await {
            Ok(body) => Ok(Some(read(&body)?)),
            Err(StoreFailure::Unknown(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The address of a request. Its name is the service's, and one that is no name leads nowhere else.
    fn one(&self, request: &str) -> Result<String, StoreFailure> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        if request.is_empty() || request.starts_with('.') || !request.chars().all(is_name) {
            return Err(StoreFailure::Refused("the pinning service gave a request a name that is none".to_owned()));
        }
        Ok(format!("{}/{request}", self.pins))
    }

    /// A request that an earlier try has made.
    async fn find(&self, cid: &str) -> Result<Option<PinStatus>, StoreFailure> {
        let filter = [("cid", cid), ("status", "queued,pinning,pinned")];
        let found: PinResults = read(&ask(self.authorised(self.http.get(&self.pins)).query(&filter)).await?)?;
        Ok(found.results.into_iter().next())
    }

    async fn request(&self, cid: &str) -> Result<PinStatus, StoreFailure> {
        let pin = json!({ "cid": cid, "name": cid, "origins": self.origins });
        read(&ask(self.authorised(self.http.post(&self.pins)).json(&pin)).await?)
    }

    async fn keep(&self, document: &MetadataDocument, request: Option<&str>) -> Result<PinReceipt, StoreFailure> {
        let known = match request {
            Some(request) => self.poll(request).await?,
            None => None,
        };
        let status = if let Some(status) = known {
            status
        } else {
            self.node.add(document).await?;
            match self.find(&document.cid).await? {
                Some(status) => status,
                None => self.request(&document.cid).await?,
            }
        };
        if !is_same_cid(&status.pin.cid, &document.cid) {
            let other = &status.pin.cid;
            return Err(StoreFailure::Refused(format!("the service pins {other:.100} in place of {}", document.cid)));
        }
        self.one(&status.requestid)?;
        match status.status.as_str() {
            "pinned" => Ok(PinReceipt::Pinned { request: Some(status.requestid) }),
            "queued" | "pinning" => Ok(PinReceipt::Pending { request: status.requestid }),
            other => Err(StoreFailure::Refused(format!("the pinning service says {other:.100}"))),
        }
    }

    async fn release(&self, cid: &str, request: Option<&str>) -> Result<(), StoreFailure> {
        let request = match request {
            Some(request) => Some(request.to_owned()),
            None => self.find(cid).await?.map(|status| status.requestid),
        };
        if let Some(request) = request {
            let delete = self.authorised(self.http.delete(self.one(&request)?));
            match ask(delete).await {
                Ok(_) | Err(StoreFailure::Unknown(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.node.unpin(cid).await
    }
}

impl MetadataStore for PinningStore {
    fn kind(&self) -> StoreKind {
        StoreKind::PinningService
    }

    fn pin<'a>(
        &'a self,
        document: &'a MetadataDocument,
        request: Option<&'a str>,
    ) -> BoxFuture<'a, Result<PinReceipt, StoreFailure>> {
        Box::pin(self.keep(document, request))
    }

    fn remove<'a>(&'a self, cid: &'a str, request: Option<&'a str>) -> BoxFuture<'a, Result<(), StoreFailure>> {
        Box::pin(self.release(cid, request))
    }

    fn uri(&self, cid: &str) -> String {
        ipfs_uri(cid)
    }
}
