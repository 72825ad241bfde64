//! The routes of tokens.
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::LockedNft;
use super::schemas::{RecipientIn, VoucherOut};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::nfts::MintStatus;
use crate::nfts::chain::contract::{TokenContract, token_id, token_word};
use crate::nfts::chain::settings::{Chain, Payer};
use crate::nfts::models::Nft;
use crate::nfts::schemas::NftOut;
use crate::nfts::state::Nfts;

const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "NFT not found");
const OFF: Error = Error::Refused(StatusCode::CONFLICT, "Minting is off");
const NO_CHAIN: Error = Error::Refused(StatusCode::CONFLICT, "Tokens are not minted here");
const SERVER_PAYS: Error = Error::Refused(StatusCode::CONFLICT, "Tokens are minted without a voucher here");
const AUTHOR_PAYS: Error = Error::Refused(StatusCode::CONFLICT, "Tokens are minted with a voucher here");
const NOT_ASKED: Error = Error::Refused(StatusCode::CONFLICT, "Minting was not asked for");
const NOT_PINNED: Error = Error::Refused(StatusCode::CONFLICT, "The metadata is not pinned");
const MINTED: Error = Error::Refused(StatusCode::CONFLICT, "The token is minted already");
const OTHER_VOUCHER: Error = Error::Refused(StatusCode::CONFLICT, "A voucher for another recipient holds still");
const UNDER_WAY: Error = Error::Refused(StatusCode::CONFLICT, "The token is minted to another recipient");

/// Get a voucher, with which any account mints the token of the caller's NFT to a recipient
#[utoipa::path(post, path = "/nfts/{id}/voucher", tag = "nft", params(("id" = Uuid, Path)), request_body = RecipientIn, responses(
    (status = 200, body = VoucherOut, description = "The same one for the same recipient, until it ends"),
    (status = 404, body = Problem, description = "No NFT of the caller"),
    (status = 409, body = Problem, description = "Not pinned, minted already, given to another recipient, or not done here"),
))]
pub async fn give_voucher(
    user: User,
    State(app): State<App>,
    Extension(nfts): Extension<Arc<Nfts>>,
    Path(id): Path,
    Body(body): Body<RecipientIn>,
) -> Result<Json<VoucherOut>, Error> {
    let mut tx = app.db.begin().await?;
    let nft = find(&mut tx, id, &user).await?;
    let chain = chain(&nfts, Payer::Author, SERVER_PAYS)?;
    if nft.minted_at.is_some() {
        return Err(MINTED);
    }
    let uri = nft.token_uri.as_ref().filter(|_| nft.is_pinned()).ok_or(NOT_PINNED)?;
    let (contract, recipient) = (contract_of(&nft, chain), body.recipient.to_string());
    let token = token_id(nft.kind, nft.subject_id);
    let deadline = match nft.voucher_deadline.filter(|_| nft.has_voucher) {
        Some(deadline) if nft.recipient.as_ref() == Some(&recipient) => deadline,
        Some(_) => return Err(OTHER_VOUCHER),
        None => nft.give_voucher(&mut tx, &contract.name(), &token_word(token), &recipient).await?,
    };
    let seconds = u64::try_from(deadline.0.timestamp()).map_err(|cause| Error::Internal(cause.into()))?;
    let signed = contract.voucher(&chain.signer, token, body.recipient, uri, seconds).map_err(Error::Internal)?;
    app.commit(tx).await?;
    Ok(Json(VoucherOut::new(&contract, &signed, deadline)))
}

/// Have the token of the caller's NFT minted to a recipient, at the expense of the platform
#[utoipa::path(post, path = "/nfts/{id}/token", tag = "nft", params(("id" = Uuid, Path)), request_body = RecipientIn, responses(
    (status = 202, body = NftOut, description = "It is minted when its metadata is pinned"),
    (status = 404, body = Problem, description = "No NFT of the caller"),
    (status = 409, body = Problem, description = "Not asked for, minted already, to another recipient, or not done here"),
))]
pub async fn mint_token(
    user: User,
    State(app): State<App>,
    Extension(nfts): Extension<Arc<Nfts>>,
    Path(id): Path,
    Body(body): Body<RecipientIn>,
) -> Result<(StatusCode, Json<NftOut>), Error> {
    let mut tx = app.db.begin().await?;
    let nft = find(&mut tx, id, &user).await?;
    let chain = chain(&nfts, Payer::Server, AUTHOR_PAYS)?;
    let (contract, recipient) = (contract_of(&nft, chain).name(), body.recipient.to_string());
    let is_same = nft.contract.as_ref() == Some(&contract) && nft.recipient.as_ref() == Some(&recipient);
    match nft.status {
        _ if nft.minted_at.is_some() => return Err(MINTED),
        _ if nft.has_voucher => return Err(OTHER_VOUCHER),
        MintStatus::Failed | MintStatus::Cancelled => return Err(NOT_ASKED),
        // Its transaction is signed, and cannot be sent for the time being.
        MintStatus::Retry if nft.token_uri.is_some() && nft.has_transaction && !is_same => return Err(UNDER_WAY),
        // A recipient can be changed until the transaction is signed.
        MintStatus::Uploading | MintStatus::Retry | MintStatus::Pinned => {
            let token = token_word(token_id(nft.kind, nft.subject_id));
            nft.name_recipient(&mut tx, &contract, &token, &recipient).await?;
        }
        _ if is_same => {}
        _ => return Err(UNDER_WAY),
    }
    app.commit(tx).await?;
    let nft = Nft::find_visible(&app.db, id, user.id).await?.ok_or(NOT_FOUND)?;
    Ok((StatusCode::ACCEPTED, Json(nft.into())))
}

/// The chain, where minting is on and this account pays.
fn chain(nfts: &Nfts, payer: Payer, otherwise: Error) -> Result<&Chain, Error> {
    if !nfts.is_on {
        return Err(OFF);
    }
    let chain = nfts.chain.as_ref().ok_or(NO_CHAIN)?;
    if chain.payer == payer { Ok(chain) } else { Err(otherwise) }
}

/// The contract in which its token is to be: the one that it names, where its token may come to be there, or else that of the settings. So
/// a change of the settings makes no second token.
fn contract_of(nft: &LockedNft, chain: &Chain) -> TokenContract {
    let named = nft.contract.as_deref().filter(|_| nft.is_bound).and_then(TokenContract::parse);
    named.unwrap_or_else(|| chain.contract.clone())
}

/// The caller's NFT, locked.
async fn find(tx: &mut PgTransaction<'_>, id: Uuid, user: &User) -> Result<LockedNft, Error> {
    if let Some(nft) = LockedNft::find(tx, id, user.id).await? {
        return Ok(nft);
    }
    let record = Nft::find_visible(&mut **tx, id, user.id).await?;
    Err(record.filter(|record| record.created_by == user.id).map_or(NOT_FOUND, |_| NOT_ASKED))
}
