//! The NFT of one's own post or comment: how far it is, asking for it, and the account that gets its token, at the expense of the platform or
//! with a voucher.
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};

use super::fields::{Fields, Id};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::nfts::{Minted, Nft, Voucher};
use crate::doors::errors::{form, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "nft.html")]
struct NftPage {
    page: Frame,
    title: &'static str,
    /// What stands for the content, and its page.
    heading: String,
    link: String,
    is_comment: bool,
    nft: Option<Nft>,
    /// What is said where there is no record.
    unasked: &'static str,
    voucher: Option<Voucher>,
    recipient: String,
    error: Option<Refusal>,
}

impl NftPage {
    /// A post has a record from when it is published, and a comment from when its NFT is asked for.
    fn can_be_asked_for(&self) -> bool {
        self.nft.as_ref().map_or(self.is_comment, Nft::can_be_asked_for)
    }
}

/// What a form on the page was answered with.
#[derive(Default)]
struct Answered {
    recipient: Option<String>,
    voucher: Option<Voucher>,
    error: Option<Refusal>,
}

pub async fn read(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    show(page, &caller, Minted::Post(id), Answered::default()).await
}

pub async fn read_of_comment(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    show(page, &caller, Minted::Comment(id), Answered::default()).await
}

pub async fn ask(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    ask_for(page, &caller, Minted::Post(id)).await
}

pub async fn ask_of_comment(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    ask_for(page, &caller, Minted::Comment(id)).await
}

pub async fn name_recipient(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    give_to(page, &caller, Minted::Post(id), &fields).await
}

pub async fn name_recipient_of_comment(
    Member(page, caller): Member,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, Failure> {
    give_to(page, &caller, Minted::Comment(id), &fields).await
}

/// What stands for a content of the reader's own on its page; no page for any other.
async fn heading(page: &Frame, caller: &Caller, content: Minted) -> Result<String, Failure> {
    let (is_own, heading) = match content {
        Minted::Post(id) => {
            let post = caller.post(id).await?;
            (post.is_by(page.my_id()), post.heading().unwrap_or_else(|| page.t.to_post.to_owned()))
        }
        Minted::Comment(id) => {
            let comment = caller.comment(id).await?;
            (comment.created_by == page.my_id(), page.t.comment.to_owned())
        }
    };
    if is_own { Ok(heading) } else { Err(Failure::MISSING) }
}

async fn show(page: Frame, caller: &Caller, content: Minted, answered: Answered) -> Result<Response, Failure> {
    let (heading, nft) = futures::future::join(heading(&page, caller, content), caller.nft_of(content)).await;
    let (heading, nft) = (heading?, nft?);
    let (title, unasked) = match content {
        Minted::Post(_) => (page.t.nft, page.t.nft_none),
        Minted::Comment(_) => (page.t.nft_of_comment, page.t.nft_of_comment_none),
    };
    let Answered { recipient, voucher, error } = answered;
    let named = || nft.as_ref().and_then(|nft| nft.recipient.clone());
    let recipient = recipient.or_else(named).unwrap_or_default();
    let status = error.as_ref().map(|refusal| refusal.status);
    let (link, is_comment) = (content.link(), matches!(content, Minted::Comment(_)));
    let shown = NftPage { page, title, heading, link, is_comment, nft, unasked, voucher, recipient, error };
    Ok(form(&shown, status))
}

async fn ask_for(page: Frame, caller: &Caller, content: Minted) -> Result<Response, Failure> {
    match caller.ask_for_nft(content).await {
        Ok(()) => Ok(Redirect::to(&format!("{}/nft", content.link())).into_response()),
        Err(failure) => {
            let error = Some(refusal(failure, &page)?);
            show(page, caller, content, Answered { error, ..Answered::default() }).await
        }
    }
}

/// Names the account that gets the token; or gives a voucher for it, which is shown and kept nowhere: it is the same when it is asked for again.
async fn give_to(page: Frame, caller: &Caller, content: Minted, fields: &Fields) -> Result<Response, Failure> {
    let recipient = fields.get("recipient").trim();
    let Some(nft) = caller.nft_of(content).await? else { return Err(Failure::MISSING) };
    let given = if fields.has("how", "voucher") {
        caller.voucher(&nft, recipient).await.map(Some)
    } else {
        caller.mint_token(&nft, recipient).await.map(|()| None)
    };
    let (voucher, error) = match given {
        Ok(None) => return Ok(Redirect::to(&format!("{}/nft?done=saved", content.link())).into_response()),
        Ok(voucher) => (voucher, None),
        Err(failure) => (None, Some(refusal(failure, &page)?)),
    };
    show(page, caller, content, Answered { recipient: Some(recipient.to_owned()), voucher, error }).await
}
