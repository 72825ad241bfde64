//! The description of the service's API at `/openapi.json`, and Swagger UI at `/docs` with a working *Authorize*.
use std::collections::HashSet;
use std::sync::LazyLock;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat};
use utoipa::openapi::security::{SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, ContactBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::core::api::errors::Problem;
use crate::core::app::limits::Limit;

/// How a refusal is sent (RFC 9457).
const PROBLEM: &str = "application/problem+json";
/// The name of the one way to authenticate.
pub const SCHEME: &str = "token";
/// The headers of an answer of a route with a rate limit.
const OF_LIMITS: [&str; 3] = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];

/// What the core says of every service's API: the headers that it adds, what a status means where an operation does not say, and
/// what it checks of parameters. An id has an example, which belongs to nothing, so that it can be tried.
static DEFAULTS: LazyLock<Components> = LazyLock::new(|| {
    serde_json::from_str(include_str!("defaults.json")).expect("defaults.json holds components of a document")
});

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

/// Adds to each operation what the core does to it: a list has pages of a bounded length, a POST that creates can have an
/// `Idempotency-Key`, a token can be missing, input can be invalid, a body can be unreadable or too large, a rate limit can
/// be exceeded, the service can have lost something that it needs, and every refusal is a problem document. What an
/// operation says itself holds.
pub fn complete(mut document: OpenApi, limits: &[Limit]) -> OpenApi {
    let limited: HashSet<_> = limits.iter().flat_map(|limit| limit.routes).copied().collect();
    document.components.get_or_insert_default().headers.extend(DEFAULTS.headers.clone());
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
            let (parameters, responses) =
                (operation.parameters.get_or_insert_default(), &mut operation.responses.responses);
            if method == "POST" && responses.contains_key("201") {
                parameters.push(DEFAULTS.parameters["Idempotency-Key"].clone());
            }
            parameters.iter_mut().for_each(bound);
            let has_pages =
                parameters.iter().any(|parameter| matches!(parameter, RefOr::T(one) if one.name == "cursor"));
            let has_body = operation.request_body.is_some();
            // An operation that says nothing of its security has that of the document: a token.
            let secured = operation.security.is_none();
            let is_limited = limited.contains(format!("{method} {path}").as_str());
            for (status, is_possible) in [
                ("400", has_body),
                ("401", secured),
                ("403", secured && ["POST", "PUT", "PATCH"].contains(&method)),
                ("413", has_body),
                ("422", has_body || parameters.iter().any(is_input)),
                ("429", is_limited),
                ("503", true),
            ] {
                if is_possible && !responses.contains_key(status) {
                    responses.insert(status.to_owned(), DEFAULTS.responses[status].clone());
                }
            }
            for (status, response) in responses {
                let RefOr::T(response) = response else { continue };
                if status.as_str() >= "400"
                    && let Some(content) = response.content.swap_remove("application/json")
                {
                    response.content.insert(PROBLEM.to_owned(), content);
                }
                if let Some(RefOr::T(default)) = DEFAULTS.responses.get(status) {
                    if response.description.is_empty() {
                        response.description.clone_from(&default.description);
                    }
                    response.headers.extend(default.headers.clone());
                }
                let of_limits = OF_LIMITS.into_iter().filter(|_| is_limited && status != "503");
                for name in of_limits.chain((has_pages && status == "200").then_some("Link")) {
                    let header = Ref::new(format!("#/components/headers/{name}"));
                    response.headers.insert(name.to_owned(), RefOr::Ref(header));
                }
            }
        }
    }
    document
}

/// Adds to a parameter what the core checks of it.
fn bound(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    let uuid = Some(SchemaFormat::KnownFormat(KnownFormat::Uuid));
    let is_id = matches!(&parameter.schema, Some(RefOr::T(Schema::Object(schema))) if schema.format == uuid);
    let name = if is_id { "id" } else { &parameter.name };
    if let Some(RefOr::T(default)) = DEFAULTS.parameters.get(name) {
        parameter.schema.clone_from(&default.schema);
    }
}

/// Whether a parameter is checked as input: one of the query is. One of the path may name nothing instead.
fn is_input(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
}

/// The routes of the documentation. `/redoc`, a page of the original, leads to `/docs`.
pub fn routes(document: OpenApi) -> Router {
    let config = Config::default().persist_authorization(true).try_it_out_enabled(true);
    let ui = SwaggerUi::new("/docs").url("/openapi.json", document).config(config);
    Router::new().merge(ui).route("/redoc", get(|| async { Redirect::temporary("/docs/") }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::api::pagination::{DEFAULT_LIMIT, LONGEST_CURSOR, MAX_LIMIT};
    use crate::core::doors::idempotency;

    #[test]
    fn bounds_are_those_that_are_checked() {
        let of = |name: &str| serde_json::to_value(&DEFAULTS.parameters[name]).unwrap()["schema"].clone();
        let limit = of("limit");
        assert_eq!(
            [&limit["minimum"], &limit["maximum"], &limit["default"]],
            [&json!(1), &json!(MAX_LIMIT), &json!(DEFAULT_LIMIT)]
        );
        let lengths = [of("cursor"), of("Idempotency-Key")].map(|schema| schema["maxLength"].clone());
        assert_eq!(lengths, [LONGEST_CURSOR, idempotency::LONGEST].map(Value::from));
    }
}
