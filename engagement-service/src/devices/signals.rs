//! What follows from changes of devices, in the same transaction: what was on its way to a device that is removed ends.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{Device, EndedSession, Registration};
use crate::core::contract::timestamp::Timestamp;
use crate::push::models::Delivery;

/// Why a delivery ends with a device of which its user, or another one, has disposed.
const REMOVED: &str = "the device was removed";

/// A user registers a device: other users lose it, and the user's oldest ones make room for it.
pub async fn registered(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    session: Option<Uuid>,
    registration: &Registration,
) -> sqlx::Result<Device> {
    let mut removed = Device::delete_of_others(tx, user, registration).await?;
    let device = Device::register(tx, user, session, registration).await?;
    removed.extend(Device::delete_surplus(tx, user).await?);
    Delivery::end_by_devices(tx, &removed, None, REMOVED).await?;
    Ok(device)
}

/// A user removes a device; false when they have no such device.
pub async fn removed(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid) -> sqlx::Result<bool> {
    let existed = Device::delete(tx, user, id).await?;
    if existed {
        Delivery::end_by_devices(tx, &[id], None, REMOVED).await?;
    }
    Ok(existed)
}

/// Sessions have ended, and with them what was registered there.
pub async fn sessions_ended(tx: &mut PgTransaction<'_>, ended: &[EndedSession]) -> sqlx::Result<()> {
    let removed = Device::delete_by_sessions(tx, ended).await?;
    Delivery::end_by_devices(tx, &removed, None, REMOVED).await
}

/// The push service does not know a device any more. Nothing happens, and false is returned, when it was registered again
/// since then.
pub async fn gone(
    tx: &mut PgTransaction<'_>,
    id: Uuid,
    registered_at: Timestamp,
    status: Option<i16>,
    reason: &str,
) -> sqlx::Result<bool> {
    let existed = Device::delete_gone(tx, id, registered_at).await?;
    if existed {
        Delivery::end_by_devices(tx, &[id], status, reason).await?;
    }
    Ok(existed)
}
