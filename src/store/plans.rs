//! Plans, decisions and alerts.
