//! Order lines, sales days, stock snapshots, inbounds.
