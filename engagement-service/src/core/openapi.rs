//! The description of the service's API at `/openapi.json`, and Swagger UI at `/docs` with a working *Authorize*.
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{ContactBuilder, InfoBuilder, OpenApi, OpenApiBuilder, security::SecurityRequirement};
use utoipa_swagger_ui::{Config, SwaggerUi};

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
    document.components.get_or_insert_default().add_security_scheme(SCHEME, scheme);
    document.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
    document
}

/// The routes of the documentation. `/redoc`, a page of the original, leads to `/docs`.
pub fn routes(document: OpenApi) -> Router {
    let config = Config::default().persist_authorization(true).try_it_out_enabled(true);
    let ui = SwaggerUi::new("/docs").url("/openapi.json", document).config(config);
    Router::new().merge(ui).route("/redoc", get(|| async { Redirect::temporary("/docs/") }))
}
