//! The pages: every address of the client, on one page.
mod accounts;
mod appeals;
mod bulk;
mod cases;
mod comments;
mod compose;
mod deciding;
mod decisions;
mod domains;
mod feeds;
mod fields;
mod linked;
mod live;
mod mailed;
mod moderation;
mod nfts;
mod notifications;
mod people;
mod policies;
mod policy_fields;
mod posts;
mod preferences;
mod recommended;
mod reporters;
mod reversals;
mod search;
mod settings;
mod uploading;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::failures::Failure;
use crate::app::App;
use crate::doors::typed::{self, FORM_BYTES};
use crate::doors::{checks, layers, tags};
use crate::ground::assets;
use crate::pages::uploading::UPLOAD_BYTES;

/// All routes, behind the doors.
pub fn routes(app: App) -> Router {
    let uploads = Router::new()
        .route("/compose", get(compose::blank).post(compose::publish))
        .route("/posts/{id}/edit", get(compose::edit).post(compose::change))
        .route("/settings/picture", post(settings::picture))
        .layer(middleware::from_fn_with_state(app.clone(), uploading::renew_first))
        .layer(DefaultBodyLimit::max(UPLOAD_BYTES));
    let pages = Router::new()
        .merge(forms_of_accounts())
        .merge(reading())
        .merge(settings_pages())
        .merge(moderating())
        .route("/{handle}", get(people::by_handle))
        .layer(DefaultBodyLimit::max(FORM_BYTES));
    let health = Router::new().route("/health/live", get(checks::live)).route("/health/ready", get(checks::ready));
    uploads
        .merge(pages)
        .fallback(async || Failure::MISSING)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(typed::keep))
        .layer(middleware::from_fn(layers::only_from_here))
        .layer(middleware::from_fn(layers::pages_of_errors))
        .layer(middleware::from_fn_with_state(app.clone(), layers::session))
        .merge(health)
        .route("/assets/{hash}/{name}", get(assets::asset))
        .layer(middleware::from_fn(tags::tag))
        .layer(middleware::from_fn(layers::headers))
        .with_state(app)
}

/// Coming in, and leaving.
fn forms_of_accounts() -> Router<App> {
    Router::new()
        .route("/signup", get(accounts::sign_up_form).post(accounts::sign_up))
        .route("/signin", get(accounts::sign_in_form).post(accounts::sign_in))
        .route("/signin/{provider}", post(linked::sign_in))
        .route("/linked-accounts/callback", get(linked::arrive))
        .route("/signout", post(accounts::sign_out))
        .route("/activate", get(accounts::activate_form).post(accounts::activate))
        .route("/activate/again", post(accounts::resend))
        .route("/forgot-password", get(accounts::forgot_form).post(accounts::forgot))
        .route("/reset-password", get(accounts::reset_form).post(accounts::reset))
        .route("/undo-change", get(mailed::undo_form).post(mailed::undo))
        .route("/appeal", get(mailed::appeal_form).post(mailed::appeal))
        .route("/choices", post(accounts::choices))
}

/// Reading and answering.
fn reading() -> Router<App> {
    Router::new()
        .route("/", get(feeds::home))
        .route("/home/news", get(feeds::news))
        .route("/explore", get(feeds::explore))
        .route("/bookmarks", get(feeds::bookmarks))
        .route("/drafts", get(feeds::drafts))
        .route("/tags/{tag}", get(feeds::tag))
        .route("/tags/{tag}/follow", post(feeds::follow_tag))
        .route("/tags/{tag}/unfollow", post(feeds::unfollow_tag))
        .route("/search", get(search::search))
        .route("/posts/{id}", get(posts::read))
        .route("/posts/{id}/react", post(posts::react))
        .route("/posts/{id}/bookmark", post(posts::bookmark))
        .route("/posts/{id}/unbookmark", post(posts::unbookmark))
        .route("/posts/{id}/hide", post(posts::hide))
        .route("/posts/{id}/delete", get(posts::delete_form).post(posts::delete))
        .route("/posts/{id}/comments", post(comments::write))
        .route("/comments/{id}", get(comments::read))
        .route("/comments/{id}/react", post(comments::react))
        .route("/comments/{id}/edit", get(comments::edit).post(comments::change))
        .route("/comments/{id}/delete", get(comments::delete_form).post(comments::delete))
        .route("/comments/{id}/nft", get(nfts::read_of_comment).post(nfts::ask_of_comment))
        .route("/comments/{id}/nft/recipient", post(nfts::name_recipient_of_comment))
        .route("/users/{id}", get(people::posts))
        .route("/users/{id}/followers", get(people::followers))
        .route("/users/{id}/connections", get(people::connections))
        .route("/users/{id}/activity", get(people::activity))
        .route("/users/{id}/{verb}", post(people::act))
        .route("/users/{id}/common", get(recommended::in_common))
        .route("/connect", get(recommended::people))
        .route("/connect/{id}/accept", post(recommended::accept))
        .route("/connect/{id}/dismiss", post(recommended::dismiss))
        .route("/recommended", get(recommended::posts))
        .route("/recommended/{id}/not-interested", post(recommended::not_interested))
        .route("/posts/{id}/nft", get(nfts::read).post(nfts::ask))
        .route("/posts/{id}/nft/recipient", post(nfts::name_recipient))
        .route("/notifications", get(notifications::list))
        .route("/notifications/read", post(notifications::read_all))
        .route("/notifications/{id}/remove", post(notifications::remove))
        .route("/notifications/stream", get(live::stream))
}

fn settings_pages() -> Router<App> {
    Router::new()
        .route("/settings", get(settings::profile).post(settings::change_profile))
        .route("/settings/password", get(settings::password).post(settings::change_password))
        .route("/settings/sessions", get(settings::sessions))
        .route("/settings/sessions/{id}/end", post(settings::end_session))
        .route("/settings/sessions/end-all", post(settings::end_all))
        .route("/settings/people", get(settings::people))
        .route("/settings/accounts", get(linked::list))
        .route("/settings/accounts/link/{provider}", post(linked::link))
        .route("/settings/accounts/{id}/unlink", post(linked::unlink))
        .route("/settings/notifications", get(preferences::read).post(preferences::change))
        .route("/settings/data", get(settings::data))
        .route("/settings/export", get(settings::export))
        .route("/settings/delete", post(settings::delete_account))
}

/// Reports, decisions, and the moderators' part.
fn moderating() -> Router<App> {
    Router::new()
        .route("/report", get(decisions::report_form).post(decisions::report))
        .route("/decisions", get(decisions::decisions))
        .route("/decisions/{id}/appeal", post(decisions::appeal))
        .route("/moderation", get(moderation::queue))
        .route("/moderation/next", post(moderation::claim_next))
        .route("/moderation/bulk", post(bulk::decide))
        .route("/moderation/appeals", get(appeals::list))
        .route("/moderation/appeals/next", post(appeals::claim_next))
        .route("/moderation/appeals/{id}", get(appeals::read).post(appeals::resolve))
        .route("/moderation/appeals/{id}/claim", post(appeals::claim))
        .route("/moderation/appeals/{id}/release", post(appeals::release))
        .route("/moderation/decisions/{id}", get(reversals::decided))
        .route("/moderation/decisions/{id}/reverse", post(reversals::reverse))
        .route("/moderation/scheduled", get(reversals::scheduled))
        .route("/moderation/scheduled/{id}/cancel", post(reversals::cancel))
        .route("/moderation/domains", get(domains::list).post(domains::set))
        .route("/moderation/domains/remove", post(domains::remove))
        .route("/moderation/policies", get(policies::list))
        .route("/moderation/policies/new", get(policies::blank).post(policies::create))
        .route("/moderation/policies/{id}", get(policies::read).post(policies::change))
        .route("/moderation/reporters/{id}", get(reporters::read))
        .route("/moderation/reporters/{id}/mute", post(reporters::mute))
        .route("/moderation/{kind}/{id}", get(cases::case))
        .route("/moderation/{kind}/{id}/claim", post(cases::claim))
        .route("/moderation/{kind}/{id}/release", post(cases::release))
        .route("/moderation/{kind}/{id}/decide", post(cases::decide))
        .route("/moderation/{kind}/{id}/note", post(cases::note))
        .route("/moderation/{kind}/{id}/escalate", post(cases::escalate))
        .route("/moderation/{kind}/{id}/lift", post(cases::lift))
}

/// A mistake of ours is a page like any other error; the log has the panic.
#[expect(clippy::needless_pass_by_value, reason = "as CatchPanicLayer passes it")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    use axum::response::IntoResponse;
    let words = cause.downcast_ref::<&str>().copied().unwrap_or("no words");
    tracing::error!(words, "a page panicked");
    Failure::Malformed(StatusCode::INTERNAL_SERVER_ERROR, "a mistake of ours").into_response()
}
