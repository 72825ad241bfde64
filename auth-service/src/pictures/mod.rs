//! Uploaded pictures of profiles: the post service has them and publishes which one a person has chosen; here they become the address
//! of the avatar or the banner. An avatar's address that was given by hand stays until a picture is chosen after it.
pub mod events;
mod models;
mod signals;

#[cfg(test)]
mod tests;

use serde::Deserialize;

/// Where a profile shows a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum PicturePurpose {
    Avatar,
    Banner,
}
