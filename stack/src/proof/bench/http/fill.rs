//! Posts and comments as they are after a while (`fill.sql`).

use anyhow::{Context, Result};
use reqwest::Url;

use crate::servers::psql;

/// The number of posts where there are few.
pub const FEW: i64 = 1_000;
/// One post in this number has comments.
pub const COMMENTED: i64 = 10;

/// Makes this number of posts, with all that belongs to them.
pub async fn posts(database: &Url, count: i64) -> Result<()> {
    let script = format!("\\set posts {count}\n\\set commented {COMMENTED}\n{}", include_str!("fill.sql"));
    psql::run(database, &script).await.map(drop).context("posts cannot be made")
}

/// The id of a post by its number, from 1.
pub fn id(number: i64) -> String {
    format!("01900000-0000-7000-8000-{number:012x}")
}
