//! The simulated world: marketplace, warehouse, forwarder and mail on loopback.
