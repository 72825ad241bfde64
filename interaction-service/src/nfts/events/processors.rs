//! Processes the events of NFTs.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::nfts::models::save_uris;

#[derive(Deserialize)]
struct PinnedRecord {
    id: Uuid,
    kind: String,
    token_uri: String,
}

/// Writes down where the metadata of comments' NFTs can be read. A record is pinned once: one that is hidden and restored is another
/// record, with another id, so that an event of the old one changes nothing.
pub fn nft_pinned<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let records: Vec<PinnedRecord> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let comments = records.into_iter().filter(|record| record.kind == "COMMENT");
        Ok(save_uris(tx, &comments.map(|record| (record.id, record.token_uri)).collect::<Vec<_>>()).await?)
    })
}
