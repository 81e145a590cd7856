//! Where everything is in the testbed's network.

use std::net::Ipv4Addr;

/// dom0, where the toolstack's daemon listens.
pub(super) const DOM0: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// The load balancer.
pub(crate) const BALANCER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 60);
/// The queue.
pub(super) const QUEUE: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 61);
/// The controller with its charts.
pub(crate) const AUTOSCALER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 62);
/// Web machines, and workers: those from the first address on.
pub(super) const WEB: (Ipv4Addr, u32) = (Ipv4Addr::new(10, 0, 2, 100), 40);
pub(super) const WORKERS: (Ipv4Addr, u32) = (Ipv4Addr::new(10, 0, 2, 150), 20);
/// The port of the balancer's control interface.
pub(crate) const CONTROL_PORT: u16 = 8080;
/// The port of the toolstack's daemon.
pub(super) const TOOLSTACK_PORT: u16 = 7070;

/// The port at which dom0 hears of jobs that are done, where nothing is killed.
pub(super) const LEDGER_PORT: u16 = 7999;

/// The words by which a guest learns its address.
pub(super) fn words(address: Ipv4Addr) -> String {
    format!("ip={address}/24 gw=10.0.2.2")
}

/// A network interface that a guest keeps when it is made anew, so that nobody has to find it again.
pub(super) fn vif(address: Ipv4Addr) -> String {
    format!(
        "mac=00:16:3e:0a:02:{:02x},bridge=xenbr0",
        address.octets()[3]
    )
}
