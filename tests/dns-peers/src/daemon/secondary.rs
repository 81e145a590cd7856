//! Configurations of servers that take their zones from another one.

use std::net::SocketAddr;
use std::path::Path;

use crate::world::Zone;

pub(super) fn nsd(
    folder: &Path,
    address: SocketAddr,
    zones: &[Zone],
    primary: SocketAddr,
) -> String {
    let mut text = super::nsd_server(folder, address);
    let (ip, port) = (primary.ip(), primary.port());
    for zone in zones {
        let name = zone.origin();
        text += &format!(
            "zone:\n name: \"{name}\"\n request-xfr: AXFR {ip}@{port} NOKEY\n allow-notify: 127.0.0.1 NOKEY\n provide-xfr: 127.0.0.1 NOKEY\n"
        );
    }
    text
}

pub(super) fn knot(
    folder: &Path,
    address: SocketAddr,
    zones: &[Zone],
    primary: SocketAddr,
) -> String {
    let mut text = super::knot_server(folder, address);
    let (ip, port) = (primary.ip(), primary.port());
    text += &format!(
        "remote:\n  - id: primary\n    address: {ip}@{port}\n\
         acl:\n  - id: all\n    address: 127.0.0.1\n    action: [transfer, notify]\n\
         zone:\n"
    );
    for zone in zones {
        let name = zone.origin();
        text += &format!(
            "  - domain: \"{name}\"\n    master: primary\n    zonefile-sync: -1\n    journal-content: none\n    acl: all\n"
        );
    }
    text
}
