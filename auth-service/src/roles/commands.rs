//! What an operator does at the command line, beside the running service.
use anyhow::Context;

use super::decisions::assign_role;
use super::models::Member;
use crate::core::app::App;
use crate::core::app::identity::Role;

/// Gives the account of an address or an id a role. Fails when there is no such account, and when the role cannot be had.
pub async fn grant(app: &App, name: &str, role: Role) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await.context("the database cannot be reached")?;
    let account = Member::named(&mut *tx, name).await?;
    let account = account.with_context(|| format!("no account has the address or the id {name}"))?;
    assign_role(&mut tx, None, account, role, None).await?;
    app.commit(tx).await?;
    Ok(())
}
