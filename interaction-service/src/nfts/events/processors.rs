//! Processes the events of NFTs.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::nfts::models::{CommentToken, save_tokens, save_uris};

#[derive(Deserialize)]
struct PinnedRecord {
    id: Uuid,
    kind: String,
    token_uri: String,
}

/// Writes down where the metadata of comments' NFTs can be read. A record that is asked for again after its comment was hidden and
/// restored may be pinned again; events of one stream come in order, so the last address holds.
pub fn nft_pinned<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let records: Vec<PinnedRecord> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let comments = records.into_iter().filter(|record| record.kind == "COMMENT");
        Ok(save_uris(tx, &comments.map(|record| (record.id, record.token_uri)).collect::<Vec<_>>()).await?)
    })
}

#[derive(Deserialize)]
struct MintedRecord {
    kind: String,
    #[serde(flatten)]
    token: CommentToken,
}

/// Writes down which tokens comments' NFTs have. It may come before the event of the same record's metadata, which changes no more
/// then than where that is.
pub fn nft_minted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let records: Vec<MintedRecord> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let comments = records.into_iter().filter(|record| record.kind == "COMMENT");
        Ok(save_tokens(tx, &comments.map(|record| record.token).collect::<Vec<_>>()).await?)
    })
}
