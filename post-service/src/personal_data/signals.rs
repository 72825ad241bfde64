//! What follows when a person's data is erased, in the same transaction.
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::USER_ERASED;
use super::models::UnconfirmedErasure;
use crate::core::events::outbox::publish_all;

/// Erasures that are confirmed in one transaction.
const BATCH: i64 = 100;

/// A person whose data is gone from here.
#[derive(Serialize)]
struct ErasedUser {
    user_id: Uuid,
}

/// Confirms the erasures that have left neither rows nor files; how many they are.
pub async fn confirm_finished(tx: &mut PgTransaction<'_>) -> sqlx::Result<usize> {
    let people = UnconfirmedErasure::take_finished(tx, BATCH).await?;
    let erased: Vec<ErasedUser> = people.into_iter().map(|user_id| ErasedUser { user_id }).collect();
    publish_all(tx, USER_ERASED, &erased).await?;
    Ok(erased.len())
}
