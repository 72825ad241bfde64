//! The routes of NFTs.
use std::sync::Arc;

use axum::extract::{RawPathParams, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use uuid::Uuid;

use super::NftKind;
use super::documents::{MetadataDocument, MintedContent, read_cid};
use super::models::{Mint, Nft, find_post};
use super::schemas::NftOut;
use super::state::Nfts;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Path, Query};
use crate::core::contract::fields::invalid;

const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "NFT not found");
const OFF: Error = Error::Refused(StatusCode::CONFLICT, "Minting is off");
const NO_COMMENTS: Error = Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Interaction service unavailable");

/// List the caller's NFTs, newest first
#[utoipa::path(get, path = "/me/nfts", tag = "nft", params(
    ("subject_id" = Option<Uuid>, Query, description = "Only that of this post or comment"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<NftOut>),
))]
pub async fn list_my_nfts(user: User, State(app): State<App>, page: Page, mut query: Query) -> Result<Response, Error> {
    let subject = query.get("subject_id").map(Uuid::try_parse);
    if matches!(subject, Some(Err(_))) {
        query.errors.push(invalid(&["query", "subject_id"], "value is not a valid uuid", "type_error.uuid", None));
    }
    query.check()?;
    let subject = subject.and_then(Result::ok);
    let nfts = Nft::list(&app.db, (user.id, subject), page.before, page.rows()).await?;
    let nfts: Vec<NftOut> = nfts.into_iter().map(NftOut::from).collect();
    Ok(page.answer(nfts, |nft| (nft.created_at, nft.id)))
}

/// Read an NFT
#[utoipa::path(get, path = "/nfts/{id}", tag = "nft", params(("id" = Uuid, Path)), responses(
    (status = 200, body = NftOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn read_nft(user: User, State(app): State<App>, Path(id): Path) -> Result<Json<NftOut>, Error> {
    Ok(Json(show(&app, id, user.id).await?))
}

/// Read the metadata of an NFT, as its `token_uri` leads to; needs no token
#[utoipa::path(get, path = "/nfts/metadata/{cid}", tag = "nft", security(()), params(
    ("cid" = String, Path, max_length = 59, description = "The content identifier",
        example = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
), responses(
    (status = 200, body = Object, description = "ERC-1155 metadata, never changed"),
    (status = 404, body = Problem),
))]
pub async fn read_metadata(Extension(nfts): Extension<Arc<Nfts>>, params: RawPathParams) -> Result<Response, Error> {
    let cid = params.iter().find_map(|(_, value)| read_cid(value)).ok_or(NOT_FOUND)?;
    let local = nfts.local.as_ref().ok_or(NOT_FOUND)?;
    let bytes = local.read(&cid).await.map_err(Error::Internal)?.ok_or(NOT_FOUND)?;
    // What is withdrawn is to be gone within minutes, so caches ask again although the bytes of an identifier never change.
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CACHE_CONTROL, "public, max-age=60".to_owned()),
        (header::ETAG, format!("\"{cid}\"")),
    ];
    Ok((headers, bytes).into_response())
}

/// Ask for the minting of the caller's published post
#[utoipa::path(post, path = "/nfts/{post_id}/mint", tag = "nft", params(("post_id" = Uuid, Path)), responses(
    (status = 202, body = NftOut, description = "It is asked for, under way, or done"),
    (status = 404, body = Problem, description = "No published post of the caller"),
    (status = 409, body = Problem, description = "Minting is off here"),
    (status = 422, body = Problem),
))]
pub async fn mint_post(
    user: User,
    State(app): State<App>,
    Extension(nfts): Extension<Arc<Nfts>>,
    Path(id): Path,
) -> Result<(StatusCode, Json<NftOut>), Error> {
    let content = find_post(&app.db, id).await?;
    let missing = Error::Refused(StatusCode::NOT_FOUND, "Post object not found");
    ask(&app, &nfts, &user, content.ok_or(missing)?, "Post object not found").await
}

/// Ask for the minting of the caller's comment
#[utoipa::path(post, path = "/nfts/comments/{comment_id}/mint", tag = "nft", params(("comment_id" = Uuid, Path)), responses(
    (status = 202, body = NftOut, description = "It is asked for, under way, or done"),
    (status = 404, body = Problem, description = "No comment of the caller"),
    (status = 409, body = Problem, description = "Minting is off here"),
    (status = 422, body = Problem),
    (status = 503, body = Problem, description = "The interaction service, which has the comment, does not answer"),
))]
pub async fn mint_comment(
    user: User,
    State(app): State<App>,
    Extension(nfts): Extension<Arc<Nfts>>,
    Path(id): Path,
) -> Result<(StatusCode, Json<NftOut>), Error> {
    let content = nfts.comments.fetch(id).await.map_err(|cause| {
        tracing::warn!(error = format!("{cause:#}"), "a comment that is to be minted cannot be fetched");
        NO_COMMENTS
    })?;
    let missing = Error::Refused(StatusCode::NOT_FOUND, "Post comment not found");
    ask(&app, &nfts, &user, content.ok_or(missing)?, "Post comment not found").await
}

/// Asks for the minting of a content, if it is the caller's.
async fn ask(
    app: &App,
    nfts: &Nfts,
    user: &User,
    content: MintedContent,
    not_theirs: &'static str,
) -> Result<(StatusCode, Json<NftOut>), Error> {
    if content.created_by != user.id {
        return Err(Error::Refused(StatusCode::NOT_FOUND, not_theirs));
    }
    if !nfts.is_on {
        return Err(OFF);
    }
    let mut tx = app.db.begin().await?;
    Mint::ask(&mut tx, &content).await?;
    app.commit(tx).await?;
    Ok((StatusCode::ACCEPTED, Json(show(app, content.record_id, user.id).await?)))
}

/// An NFT that the viewer may see, with its metadata.
async fn show(app: &App, id: Uuid, viewer: Uuid) -> Result<NftOut, Error> {
    let nft = Nft::find_visible(&app.db, id, viewer).await?.ok_or(NOT_FOUND)?;
    // Which account an author has is theirs to say, until the chain says it.
    let recipient = nft.recipient.clone().filter(|_| nft.created_by == viewer || nft.minted_at.is_some());
    let content = match nft.kind {
        NftKind::Post => find_post(&app.db, nft.subject_id).await?,
        NftKind::Comment => None,
    };
    let is_older = |content: &MintedContent| {
        nft.token_uri.is_some() && nft.cid.as_ref() != Some(&MetadataDocument::of(content).cid)
    };
    let metadata = content.filter(|content| !is_older(content)).map(|content| content.metadata());
    Ok(NftOut { recipient, metadata, ..nft.into() })
}
