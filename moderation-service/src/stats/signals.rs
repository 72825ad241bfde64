//! Counts the numbers that all may see.
use serde_json::value::{RawValue, to_raw_value};
use sqlx::PgPool;

use super::models::{DecisionCount, Transparency, Volumes};
use super::schemas::{PUBLIC_DAYS, TransparencyOut, days_ago};
use crate::core::api::errors::Error;

/// Counts them and stores them for all readers until the next count.
pub async fn count_transparency(db: &PgPool) -> Result<Box<RawValue>, Error> {
    let since = days_ago(PUBLIC_DAYS);
    let volumes = Volumes::count(db, since).await?;
    let all = DecisionCount::all(db, since).await?;
    let (by_action, by_reason) =
        (DecisionCount::by_action(db, since).await?, DecisionCount::by_reason(db, since).await?);
    let numbers = TransparencyOut::new(since, &volumes, all, by_action, by_reason);
    let numbers = to_raw_value(&numbers).map_err(|cause| Error::Internal(cause.into()))?;
    Transparency::save(db, &numbers).await?;
    Ok(numbers)
}
