//! The NFT of one's own post: how far it is, asking for it, and naming the account that gets its token.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, Id};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::nfts::Nft;
use crate::api::posts::Post;
use crate::doors::errors::{form, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "nft.html")]
struct NftPage<'a> {
    page: Frame,
    post: Post,
    nft: Option<Nft>,
    recipient: &'a str,
    error: Option<Refusal>,
}

pub async fn read(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    show(page, &caller, id, "", None).await
}

async fn show(
    page: Frame,
    caller: &Caller,
    id: Uuid,
    recipient: &str,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let (post, nft) = futures::future::join(caller.post(id), caller.nft_of(id)).await;
    let (post, nft) = (post?, nft?);
    if !post.is_by(page.my_id()) {
        return Err(Failure::MISSING);
    }
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&NftPage { page, post, nft, recipient, error }, status))
}

/// Asks for it. The answer is the same however often it is asked for.
pub async fn ask(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    match caller.act(Method::POST, &["nfts", &id.to_string(), "mint"], &[]).await {
        Ok(()) => Ok(Redirect::to(&format!("/posts/{id}/nft")).into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show(page, &caller, id, "", Some(error)).await
        }
    }
}

/// Names the account that gets the token.
pub async fn name_recipient(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    let recipient = fields.get("recipient").trim();
    let Some(nft) = caller.nft_of(id).await? else { return Err(Failure::MISSING) };
    let path = ["nfts", &nft.id.to_string(), "token"];
    match caller.send::<Value>(Method::POST, &path, &json!({ "recipient": recipient })).await {
        Ok(_) => Ok(Redirect::to(&format!("/posts/{id}/nft?done=saved")).into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show(page, &caller, id, recipient, Some(error)).await
        }
    }
}
