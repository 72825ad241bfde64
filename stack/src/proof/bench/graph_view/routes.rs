//! The pages of a route, which have the same rows as the graph view, as JSON.

use std::time::Duration;

use anyhow::Result;
use reqwest::Client;
use serde::Deserialize;

use crate::client;

/// How long a page may take.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct RoutePage {
    items: Vec<RoutePair>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct RoutePair {
    user_id: String,
    target_id: String,
    at: String,
}

impl RoutePair {
    fn is_whole(&self) -> bool {
        [&self.user_id, &self.target_id, &self.at].iter().all(|text| !text.is_empty())
    }
}

/// Asks for page after page over one connection.
pub struct PageClient {
    http: Client,
    url: String,
    token: String,
}

impl PageClient {
    /// The client of an auth service at an address without a path.
    pub fn new(service: &str, token: &str) -> Result<PageClient> {
        let url = format!("{service}/internal/read-model/connections");
        Ok(PageClient { http: client::http(TIMEOUT)?, url, token: token.to_owned() })
    }

    /// Reads all connections in pages with that many rows; how many connections they are.
    pub async fn read_connections(&self, limit: u32, mut page_came: impl FnMut()) -> Result<usize> {
        let (mut rows, mut cursor) = (0, None::<String>);
        loop {
            let request = self.http.get(&self.url).query(&[("limit", limit.to_string())]).bearer_auth(&self.token);
            let request = match &cursor {
                Some(cursor) => request.query(&[("cursor", cursor)]),
                None => request,
            };
            let page: RoutePage = request.send().await?.error_for_status()?.json().await?;
            rows += page.items.iter().filter(|pair| pair.is_whole()).count();
            page_came();
            if page.next.is_none() {
                return Ok(rows);
            }
            cursor = page.next;
        }
    }
}
