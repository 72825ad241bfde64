//! Push notifications, through local push services.
