//! The description of the service's API at `/openapi.json`, and Swagger UI at `/docs` with a working *Authorize*.
use std::collections::HashSet;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{ContactBuilder, InfoBuilder, OpenApi, OpenApiBuilder, security::SecurityRequirement};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::core::api::errors::Problem;
use crate::core::api::pagination::{DEFAULT_LIMIT, LONGEST_CURSOR, MAX_LIMIT};
use crate::core::app::limits::Limit;
use crate::core::doors::idempotency;

/// How a refusal is sent (RFC 9457).
const PROBLEM: &str = "application/problem+json";
/// The name of the one way to authenticate.
pub const SCHEME: &str = "token";
/// The example of an id: a UUID that no service gives, since its time is the first of all.
const SOME_ID: &str = "00000000-0000-7000-8000-000000000001";
/// The headers that the core adds to answers.
const HEADERS: [(&str, Type, &str); 6] = [
    ("Link", Type::String, "The next page, with `rel=\"next\"`, where there is one"),
    ("Retry-After", Type::Integer, "In how many seconds to come again"),
    ("Idempotency-Replayed", Type::String, "`true` when the answer is the first one to this `Idempotency-Key`"),
    ("RateLimit-Limit", Type::Integer, "How many requests may come at once"),
    ("RateLimit-Remaining", Type::Integer, "How many may come now"),
    ("RateLimit-Reset", Type::Integer, "In how many seconds as many as at first may come again"),
];

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
    document.components.get_or_insert_default().headers.extend(HEADERS.map(|(name, kind, description)| {
        let header = HeaderBuilder::new().schema(Some(Object::with_type(kind))).description(Some(description)).build();
        (name.to_owned(), header.into())
    }));
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
            let parameters = operation.parameters.get_or_insert_default();
            parameters.iter_mut().for_each(bound);
            let has_pages = parameters.iter().any(|parameter| is_named(parameter, "cursor"));
            if method == "POST" && operation.responses.responses.contains_key("201") {
                parameters.push(key().into());
            }
            let refusals = operation.responses.responses.iter_mut().filter(|(status, _)| status.as_str() >= "400");
            refusals.for_each(|(_, response)| as_problem(response));
            let has_body = operation.request_body.is_some();
            // An operation that says nothing of its security has that of the document: a token.
            let secured = operation.security.is_none();
            let has_input = has_body || operation.parameters.iter().flatten().any(is_input);
            let is_limited = limited.contains(format!("{method} {path}").as_str());
            let mut add = |when: bool, status: &str| {
                if when {
                    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| refusal().into());
                }
            };
            add(has_body, "400");
            add(has_body, "413");
            add(secured, "401");
            add(has_input, "422");
            add(secured && ["POST", "PUT", "PATCH"].contains(&method), "403");
            add(is_limited, "429");
            add(true, "503");
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                if response.description.is_empty() {
                    response.description = meaning(status).to_owned();
                }
                let waits = ["429", "503"].contains(&status.as_str());
                for (name, ..) in HEADERS {
                    let sent = match name {
                        "Link" => has_pages && status == "200",
                        "Retry-After" => waits,
                        "Idempotency-Replayed" => status == "201",
                        _ => is_limited && status != "503",
                    };
                    if sent {
                        let header = Ref::new(format!("#/components/headers/{name}"));
                        response.headers.insert(name.to_owned(), RefOr::Ref(header));
                    }
                }
            }
        }
    }
    document
}

/// What a status means where an operation does not say.
fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "Done",
        "201" => "Created",
        "204" => "Done, and there is nothing to answer",
        "400" => "The body is not UTF-8",
        "401" => "No valid token",
        "403" => "Not for the caller, who may be muted",
        "404" => "It does not exist, or is not for the caller to see",
        "413" => "The body is too large",
        "422" => "Invalid input; `detail` lists where and why",
        "429" => "Too many; `Retry-After` says when to come again",
        "503" => "Something that the service needs is away; `Retry-After` says when to come again",
        _ => "Refused; `detail` says why",
    }
}

/// Adds to a parameter what the core checks of it, and an example, with which it can be tried: the page of a list has a
/// bounded length and begins at a cursor, and an id is a UUID, which belongs to nothing.
fn bound(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { return };
    match (parameter.name.as_str(), &schema.format) {
        ("limit", _) => {
            schema.minimum = Some(1_usize.into());
            schema.maximum = Some(MAX_LIMIT.into());
            schema.default = Some(DEFAULT_LIMIT.into());
        }
        ("cursor", _) => schema.max_length = Some(LONGEST_CURSOR),
        (_, Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))) if schema.examples.is_empty() => {
            schema.examples = vec![SOME_ID.into()];
        }
        _ => {}
    }
}

fn is_named(parameter: &RefOr<Parameter>, name: &str) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.name == name)
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
    let text =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(idempotency::LONGEST));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same key and body within 24 hours get the first answer again"))
        .schema(Some(text))
        .build()
}

fn refusal() -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().content(PROBLEM, content).build()
}

/// The routes of the documentation. `/redoc`, a page of the original, leads to `/docs`.
pub fn routes(document: OpenApi) -> Router {
    let config = Config::default().persist_authorization(true).try_it_out_enabled(true);
    let ui = SwaggerUi::new("/docs").url("/openapi.json", document).config(config);
    Router::new().merge(ui).route("/redoc", get(|| async { Redirect::temporary("/docs/") }))
}
