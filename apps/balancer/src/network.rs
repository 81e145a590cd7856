//! What the balancer needs of the network, and of the clock on the wall.

use morgana_http::Connect;

/// How back ends are connected to. The caller drops a connection in the making when it has waited long enough.
pub trait Network: Connect {
    /// Seconds since 1970, if there is a clock on the wall.
    fn unix_seconds(&self) -> Option<u64>;
}
