//! Direct uploads: a client writes its file into the store itself, by a signed address, and says when it is done.
//!
//! What a client writes lies apart from all other objects, and only until it is taken over: it is copied within the store to a key
//! that no client has an address of, and the copy is what is measured, hashed and shown to the worker. So what was once looked at
//! cannot be replaced, though the address may still be good. The rest is as with a form: the picture has the id of the upload, the
//! quota is asked in its transaction, equal bytes are one file.
//!
//! The announced size is reserved in the quota until the upload is over: completed, or given up an hour after its address has expired.
//! An address cannot bind the size of what is written to it, so what is larger than announced is deleted within a minute, as is
//! what belongs to no upload. The row of an upload that is over stays until its address has expired, and its object is deleted then, too.
pub mod models;
mod schemas;
mod services;
pub mod signals;
mod views;

use std::time::Duration;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;

/// How long an address is good: 100 MiB, the most that a picture can be allowed to have, take 14 minutes at 1 Mbit/s.
const LIFETIME: Duration = Duration::from_mins(15);

/// The routes of direct uploads.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::begin_upload)).routes(routes!(views::complete_upload))
}
