//! The steps of the demo about who is recommended, and what two people have in common.
use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::Value;

use crate::client::{Person, To};
use crate::traffic::steps::step;

/// Ada and Bob are compared; Bob is not recommended to Ada, who is connected to him, and the people that are come with a reason.
pub async fn people(ada: &Person, bob: &Person) -> Result<()> {
    let common: Value =
        ada.api.ask(Method::GET, To::Engagement, &format!("/me/compatibility/{}", bob.id), None).await?;
    if common["interests"]["common"] != serde_json::json!(["TECHNOLOGY"]) {
        bail!("Ada and Bob are both interested in TECHNOLOGY, and have in common: {common}");
    }
    step("Ada is compared with Bob", &format!("{} % of their interests are common", common["interests"]["percent"]));
    let people: Vec<Value> = ada.api.ask(Method::GET, To::Engagement, "/me/recommendations/people", None).await?;
    if people.iter().any(|person| person["user"]["id"] == bob.id.as_str() || person["reason"] == "") {
        bail!("Ada is connected to Bob, and is recommended {people:?}");
    }
    step("People are recommended to Ada", &format!("{}, each with a reason, and not Bob", people.len()));
    Ok(())
}
