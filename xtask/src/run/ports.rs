//! Which ports of the host lead to the app, and whether the app answers there.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cli::PortPair;
use crate::workspace::App;

/// HTTP's port at the guest, and the one on the host that leads to it by default.
const HTTP: PortPair = PortPair {
    host: 8080,
    guest: 80,
};

/// The forwards that are asked for, or the default one for an app with a network interface.
pub(super) fn choose(asked: &[PortPair], app: &App) -> Result<Vec<PortPair>> {
    if !asked.is_empty() {
        if !app.domain.vif {
            bail!(
                "{} has no network interface: no port can lead to it",
                app.name
            );
        }
        for (index, forward) in asked.iter().enumerate() {
            if asked[..index]
                .iter()
                .any(|other| other.host == forward.host)
            {
                bail!("port {} is to lead to two places", forward.host);
            }
            free(forward.host).with_context(|| {
                format!(
                    "port {} of 127.0.0.1 is in use: choose another",
                    forward.host
                )
            })?;
        }
        return Ok(asked.to_vec());
    }
    if !app.domain.vif {
        return Ok(Vec::new());
    }
    if free(HTTP.host).is_ok() {
        return Ok(vec![HTTP]);
    }
    let host = free(0).context("no port of 127.0.0.1 is free")?;
    eprintln!(
        "port {} of 127.0.0.1 is in use: port {host} instead",
        HTTP.host
    );
    Ok(vec![PortPair {
        host,
        guest: HTTP.guest,
    }])
}

/// Whether a port can be had; with 0, one that can.
fn free(port: u16) -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?
        .local_addr()?
        .port())
}

/// The line that says where the app is.
pub(super) fn announcement(host: u16, guest: u16) -> String {
    if guest == HTTP.guest {
        format!("http://127.0.0.1:{host}/")
    } else {
        format!("127.0.0.1:{host} leads to port {guest}")
    }
}

/// Asks for a page once; true if something that speaks HTTP answers within `patience`.
pub(super) fn answers(port: u16, patience: Duration) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 5];
        match stream.read_exact(&mut start) {
            Ok(()) => Ok(&start == b"HTTP/"),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::choose;
    use crate::cli::PortPair;
    use crate::workspace::{App, Domain, Purpose};

    fn app(vif: bool) -> App {
        App {
            name: "web".into(),
            domain: Domain {
                vif,
                ..Domain::default()
            },
            purpose: Purpose::App,
        }
    }

    #[test]
    fn no_interface_no_ports() {
        assert_eq!(choose(&[], &app(false)).unwrap(), []);
        assert!(choose(&[PortPair { host: 1, guest: 2 }], &app(false)).is_err());
    }

    #[test]
    fn takes_a_free_port_by_default() {
        let chosen = choose(&[], &app(true)).unwrap();
        assert_eq!((chosen.len(), chosen[0].guest), (1, 80));
    }

    #[test]
    fn says_when_a_port_is_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let host = listener.local_addr().unwrap().port();
        assert!(choose(&[PortPair { host, guest: 80 }], &app(true)).is_err());
    }
}
