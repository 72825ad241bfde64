//! The description of the service's API at `/openapi.json`, and Swagger UI at `/docs` with a working *Authorize*.
use std::collections::HashSet;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{ContactBuilder, InfoBuilder, OpenApi, OpenApiBuilder, security::SecurityRequirement};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::core::api::errors::Problem;
use crate::core::app::limits::Limit;
use crate::core::doors::idempotency;

/// How a refusal is sent (RFC 9457).
const PROBLEM: &str = "application/problem+json";
/// The name of the one way to authenticate.
pub const SCHEME: &str = "token";

/// An empty document to which the routes are added.
pub fn document(title: &str, description: &str, scheme: SecurityScheme) -> OpenApi {
    let info = InfoBuilder::new()
        .title(title)
        .description(Some(description))
        .version(env!("CARGO_PKG_VERSION"))
        .contact(Some(ContactBuilder::new().build()))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(SCHEME, scheme);
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    document.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
    document
}

/// Adds to each operation what the core does to it: a POST that creates can have an `Idempotency-Key`, a token can be
/// missing, input can be invalid, a body can be unreadable or too large, a rate limit can be exceeded, the service can have
/// lost something that it needs, and every refusal is a problem document. What an operation says itself holds.
pub fn complete(mut document: OpenApi, limits: &[Limit]) -> OpenApi {
    let limited: HashSet<_> = limits.iter().flat_map(|limit| limit.routes).copied().collect();
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PUT", &mut item.put),
            ("PATCH", &mut item.patch),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            if method == "POST" && operation.responses.responses.contains_key("201") {
                operation.parameters.get_or_insert_default().push(key().into());
            }
            let refusals = operation.responses.responses.iter_mut().filter(|(status, _)| status.as_str() >= "400");
            refusals.for_each(|(_, response)| as_problem(response));
            let has_body = operation.request_body.is_some();
            // An operation that says nothing of its security has that of the document: a token.
            let secured = operation.security.is_none();
            let has_input = has_body || operation.parameters.iter().flatten().any(is_input);
            let mut add = |status: &str, words: &str| {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| refusal(words).into());
            };
            if has_body {
                add("400", "The body is not UTF-8");
                add("413", "The body is too large");
            }
            if secured {
                add("401", "");
            }
            if has_input {
                add("422", "");
            }
            if secured && ["POST", "PUT", "PATCH"].contains(&method) {
                add("403", "Not for the caller, who may be muted");
            }
            if limited.contains(format!("{method} {path}").as_str()) {
                add("429", "Too many; `Retry-After` says when to come again");
            }
            add("503", "Something that the service needs is away; `Retry-After` says when to come again");
        }
    }
    document
}

/// Whether a parameter is checked as input: one of the query is. One of the path may name nothing instead.
fn is_input(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
}

/// Gives a refusal the type of content that it is sent with.
fn as_problem(response: &mut RefOr<Response>) {
    if let RefOr::T(response) = response {
        let content = response.content.swap_remove("application/json");
        response.content.extend(content.map(|content| (PROBLEM.to_owned(), content)));
    }
}

fn key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same key and body within 24 hours get the first answer again"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(idempotency::LONGEST))))
        .build()
}

fn refusal(words: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(words).content(PROBLEM, content).build()
}

/// The routes of the documentation. `/redoc`, a page of the original, leads to `/docs`.
pub fn routes(document: OpenApi) -> Router {
    let config = Config::default().persist_authorization(true).try_it_out_enabled(true);
    let ui = SwaggerUi::new("/docs").url("/openapi.json", document).config(config);
    Router::new().merge(ui).route("/redoc", get(|| async { Redirect::temporary("/docs/") }))
}
