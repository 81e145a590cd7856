//! Which ports of the host lead to the app.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::{Context, Result, bail};

use crate::cli::PortPair;
use crate::testbed::Protocol;
use crate::workspace::App;

/// What leads to an app that names no forwards: HTTP.
const DEFAULT: PortPair = PortPair {
    protocol: Protocol::Tcp,
    host: 8080,
    guest: 80,
};

/// How often a free port is looked for, where one is wanted that several protocols have free.
const TRIES: u32 = 100;

/// The forwards that are asked for, or by default those of an app with a network interface.
pub(super) fn choose(asked: &[PortPair], app: &App) -> Result<Vec<PortPair>> {
    if asked.is_empty() {
        return if app.domain.vif {
            by_default(app)
        } else {
            Ok(Vec::new())
        };
    }
    if !app.domain.vif {
        bail!(
            "{} has no network interface: no port can lead to it",
            app.name
        );
    }
    for (index, forward) in asked.iter().enumerate() {
        let PortPair { protocol, host, .. } = *forward;
        let same = |other: &PortPair| (other.protocol, other.host) == (protocol, host);
        if asked[..index].iter().any(same) {
            bail!("{protocol} port {host} is to lead to two places");
        }
        free(protocol, host).with_context(|| {
            format!("{protocol} port {host} of 127.0.0.1 is in use: choose another")
        })?;
    }
    Ok(asked.to_vec())
}

/// The app's own forwards, or HTTP's.
fn by_default(app: &App) -> Result<Vec<PortPair>> {
    let mut forwards = app.domain.forwards.clone();
    if forwards.is_empty() {
        forwards.push(DEFAULT);
    }
    available(forwards)
}

/// The forwards. One port of the host that is in use is replaced by another, for all that lead from it.
pub(super) fn available(mut forwards: Vec<PortPair>) -> Result<Vec<PortPair>> {
    let mut seen: Vec<u16> = Vec::new();
    for first in 0..forwards.len() {
        let host = forwards[first].host;
        if seen.contains(&host) {
            continue;
        }
        let together = |forward: &&mut PortPair| forward.host == host;
        let protocols: Vec<Protocol> = forwards
            .iter()
            .filter(|forward| forward.host == host)
            .map(|forward| forward.protocol)
            .collect();
        let port = if all_free(&protocols, host) {
            host
        } else {
            let other = find(&protocols).context("no port of 127.0.0.1 is free")?;
            eprintln!("port {host} of 127.0.0.1 is in use: port {other} instead");
            other
        };
        for forward in forwards.iter_mut().filter(together) {
            forward.host = port;
        }
        seen.push(port);
    }
    Ok(forwards)
}

/// A port that all of them have free.
fn find(protocols: &[Protocol]) -> Option<u16> {
    let first = *protocols.first()?;
    (0..TRIES)
        .filter_map(|_| free(first, 0).ok())
        .find(|&port| all_free(protocols, port))
}

fn all_free(protocols: &[Protocol], port: u16) -> bool {
    protocols
        .iter()
        .all(|&protocol| free(protocol, port).is_ok())
}

/// Whether a port can be had; with 0, one that can.
fn free(protocol: Protocol, port: u16) -> std::io::Result<u16> {
    let wanted = (Ipv4Addr::LOCALHOST, port);
    let address = match protocol {
        Protocol::Tcp => TcpListener::bind(wanted)?.local_addr()?,
        Protocol::Udp => UdpSocket::bind(wanted)?.local_addr()?,
    };
    Ok(address.port())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::choose;
    use crate::cli::PortPair;
    use crate::workspace::{App, Domain, Purpose};

    fn app(vif: bool, forwards: &[&str]) -> App {
        App {
            name: "web".into(),
            domain: Domain {
                vif,
                forwards: pairs(forwards),
                ..Domain::default()
            },
            purpose: Purpose::App,
        }
    }

    fn pairs(texts: &[&str]) -> Vec<PortPair> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn no_interface_no_ports() {
        assert_eq!(choose(&[], &app(false, &[])).unwrap(), []);
        assert!(choose(&pairs(&["1:2"]), &app(false, &[])).is_err());
    }

    #[test]
    fn takes_a_free_port_by_default() {
        let chosen = choose(&[], &app(true, &[])).unwrap();
        assert_eq!((chosen.len(), chosen[0].guest), (1, 80));
    }

    #[test]
    fn says_when_a_port_is_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let host = listener.local_addr().unwrap().port();
        let asked = |text: &str| choose(&pairs(&[&format!("{host}:{text}")]), &app(true, &[]));
        assert!(asked("80").is_err());
        // UDP has ports of its own.
        assert!(asked("80/udp").is_ok());
        let twice = pairs(&["9:1/udp", "9:2/udp"]);
        assert!(choose(&twice, &app(true, &[])).is_err());
    }

    #[test]
    fn an_app_names_its_own_and_keeps_both_protocols_on_one_port() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        let own = [format!("{taken}:53/udp"), format!("{taken}:53")];
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let chosen = choose(&[], &app(true, &own)).unwrap();
        let [udp, tcp] = chosen[..] else {
            panic!("{chosen:?}")
        };
        assert_eq!(udp.host, tcp.host);
        assert_ne!(udp.host, taken);
        assert_eq!((udp.guest, tcp.guest), (53, 53));
    }
}
