//! Where the programs of the peers are.

use morgana_peer_programs::Packages;

/// The variable of the environment that names the folder with Debian's packages of NSD, Knot and ldns. `cargo xtask test unit` sets it.
pub const VARIABLE: &str = "MORGANA_DNS_PACKAGES";

/// The folder that the environment names, if it does.
pub fn packages() -> Option<Packages> {
    Packages::from_environment(VARIABLE)
}
