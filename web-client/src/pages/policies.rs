//! The policies of the platform, for administrators to read.
use askama::Template;
use axum::response::Response;

use crate::api::failures::Failure;
use crate::api::policies::Policy;
use crate::doors::errors::html;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "policies.html")]
struct Policies {
    page: Frame,
    policies: Vec<Policy>,
}

pub async fn list(Member(page, caller): Member) -> Result<Response, Failure> {
    let policies = caller.policies().await?;
    Ok(html(&Policies { page, policies }))
}
