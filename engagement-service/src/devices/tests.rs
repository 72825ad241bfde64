//! Devices, through their routes.
