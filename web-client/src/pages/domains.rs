//! The rules about domains to which links lead, for administrators.
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::fields::{Asked, Fields};
use super::moderation::{names, person};
use crate::api::domains::DomainRule;
use crate::api::failures::Failure;
use crate::api::people::Card;
use crate::api::{Caller, Listed};
use crate::doors::errors::{form, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::Member;
use crate::frame::Frame;

/// What links to a domain can mean.
const VERDICTS: [&str; 3] = ["BLOCK", "WARN", "ALLOW"];

#[derive(Template)]
#[template(path = "domains.html")]
struct Domains<'a> {
    page: Frame,
    /// Each with who has set it.
    rules: Vec<(DomainRule, Card)>,
    next: Option<String>,
    /// A rule that was refused; empty where there was none.
    fields: &'a Fields,
    error: Option<Refusal>,
}

pub async fn list(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    show(page, &caller, &asked, &Fields::default(), None).await
}

async fn show(
    page: Frame,
    caller: &Caller,
    asked: &Asked,
    fields: &Fields,
    error: Option<Refusal>,
) -> Result<Response, Failure> {
    let Listed { items, next } = caller.domain_rules(asked.0.get("cursor")).await?;
    let known = names(caller, &items.iter().filter_map(|rule| rule.updated_by).collect::<Vec<_>>()).await;
    let with_author = |rule: DomainRule| {
        let author = person(&known, rule.updated_by.unwrap_or_default());
        (rule, author)
    };
    let rules = items.into_iter().map(with_author).collect();
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&Domains { page, rules, next, fields, error }, status))
}

/// Sets the rule about a domain, in the place of the one that it has.
pub async fn set(Member(page, caller): Member, asked: Asked, fields: Fields) -> Result<Response, Failure> {
    let Some(domain) = domain_of(fields.get("domain")) else {
        let error = Refusal::because(page.t.fault_domain);
        return show(page, &caller, &asked, &fields, Some(error)).await;
    };
    let rule = json!({ "verdict": fields.optional("verdict"), "note": fields.optional("note") });
    match caller.set_domain_rule(domain, &rule).await {
        Ok(()) => Ok(Redirect::to("/moderation/domains?done=saved").into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show(page, &caller, &asked, &fields, Some(error)).await
        }
    }
}

pub async fn remove(Member(page, caller): Member, asked: Asked, fields: Fields) -> Result<Response, Failure> {
    match caller.delete_domain_rule(fields.get("domain")).await {
        Ok(()) => Ok(Redirect::to("/moderation/domains?done=deleted").into_response()),
        Err(failure) => {
            let error = refusal(failure, &page)?;
            show(page, &caller, &asked, &Fields::default(), Some(error)).await
        }
    }
}

/// The domain of what was entered: a name, or an address as browsers show it. Whether it is a domain says the API.
fn domain_of(entered: &str) -> Option<&str> {
    let entered = entered.trim();
    let behind = entered.split_once("://").map_or(entered, |(_, behind)| behind);
    let domain = behind.split(['/', '?', '#', ':']).next().unwrap_or_default();
    // A path of the API has no such part.
    Some(domain).filter(|domain| !domain.trim_matches('.').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_reduced_to_its_domain() {
        for entered in ["spam.example", " https://spam.example:8080/a?b#c ", "spam.example/a", "http://spam.example"] {
            assert_eq!(domain_of(entered), Some("spam.example"), "{entered}");
        }
        for none in ["", " ", ".", "..", "https://", "/a"] {
            assert_eq!(domain_of(none), None, "{none}");
        }
    }
}
