//! The simulated world: marketplace, warehouse, forwarder and mail on loopback.

pub mod goods;
pub mod truth;

pub use goods::catalog_files;

/// Why the world cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("read {0}")]
    Data(String),
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{what}")]
    Setup {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
