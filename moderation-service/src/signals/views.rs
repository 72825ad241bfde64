//! The routes of the rules about domains.
use axum::Json;
use axum::extract::{RawPathParams, State};
use axum::http::StatusCode;

use super::links::canonical;
use super::models::DomainRule;
use super::schemas::{DomainRuleIn, DomainRuleOut};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::core::app::App;
use crate::core::contract::extract::{Json as Body, Query};
use crate::core::contract::fields::invalid;
use crate::core::doors::audit::{self, Entry};
use crate::subjects::staff::Admin;

const NO_RULE: Error = Error::Refused(StatusCode::NOT_FOUND, "The domain has no rule");

/// The domain in the path, as it is stored.
fn domain(params: &RawPathParams) -> Result<String, Error> {
    let given = params.iter().find(|(name, _)| *name == "domain").map_or("", |(_, value)| value);
    canonical(given).ok_or_else(|| {
        Error::Invalid(vec![invalid(&["path", "domain"], "value is not a domain name", "value_error.domain", None)])
    })
}

/// List the rules about domains, by the alphabet
#[utoipa::path(get, path = "/moderation/domains", tag = "policies", params(
    ("limit" = Option<i64>, Query, description = "Rules on a page, 1 to 200; 50 when not given"),
    ("after" = Option<String>, Query, max_length = 253, description = "Only domains behind this one: the last of the page before"),
), responses(
    (status = 200, body = Vec<DomainRuleOut>),
))]
pub async fn get_domain_rules(
    _: Admin,
    State(app): State<App>,
    mut query: Query,
) -> Result<Json<Vec<DomainRuleOut>>, Error> {
    let limit = query.integer("limit", 1, MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
    let after = query.get("after").unwrap_or_default().to_owned();
    query.check()?;
    let rules = DomainRule::list(&app.db, &after, limit).await?;
    Ok(Json(rules.into_iter().map(DomainRuleOut::from).collect()))
}

/// Read the rule about a domain
#[utoipa::path(get, path = "/moderation/domains/{domain}", tag = "policies", params(
    ("domain" = String, Path, max_length = 253, example = "spam.example", description = "A domain name"),
), responses(
    (status = 200, body = DomainRuleOut),
    (status = 404, body = Problem, description = "The domain has no rule"),
))]
pub async fn get_domain_rule(
    _: Admin,
    State(app): State<App>,
    params: RawPathParams,
) -> Result<Json<DomainRuleOut>, Error> {
    let rule = DomainRule::find(&app.db, &domain(&params)?).await?;
    Ok(Json(rule.ok_or(NO_RULE)?.into()))
}

/// Set what links to a domain, and to all domains below it, mean
#[utoipa::path(put, path = "/moderation/domains/{domain}", tag = "policies", params(
    ("domain" = String, Path, max_length = 253, example = "spam.example", description = "A domain name"),
), request_body = DomainRuleIn, responses(
    (status = 200, body = DomainRuleOut),
))]
pub async fn put_domain_rule(
    Admin(user): Admin,
    State(app): State<App>,
    params: RawPathParams,
    Body(rule): Body<DomainRuleIn>,
) -> Result<Json<DomainRuleOut>, Error> {
    let domain = domain(&params)?;
    let mut tx = app.db.begin().await?;
    let rule = DomainRule::save(&mut tx, &domain, rule.verdict, rule.note.as_deref(), user.id).await?;
    let result = format!("{domain} {:?}", rule.verdict);
    let entry = Entry { who: Some(user.id), action: "domain_rule_set", target: None, result: &result };
    audit::record(&mut *tx, entry).await?;
    app.commit(tx).await?;
    Ok(Json(rule.into()))
}

/// Delete the rule about a domain
#[utoipa::path(delete, path = "/moderation/domains/{domain}", tag = "policies", params(
    ("domain" = String, Path, max_length = 253, example = "spam.example", description = "A domain name"),
), responses(
    (status = 204, description = "The domain has no rule any more"),
))]
pub async fn delete_domain_rule(
    Admin(user): Admin,
    State(app): State<App>,
    params: RawPathParams,
) -> Result<StatusCode, Error> {
    let domain = domain(&params)?;
    let mut tx = app.db.begin().await?;
    if !DomainRule::delete(&mut tx, &domain).await? {
        return Err(NO_RULE);
    }
    let entry = Entry { who: Some(user.id), action: "domain_rule_deleted", target: None, result: &domain };
    audit::record(&mut *tx, entry).await?;
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
