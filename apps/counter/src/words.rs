//! The words of the command line, and what a toolstack writes into xenstore.

use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::str::FromStr;

use morgana::hal::DomId;
use morgana::{BadArgument, CommandLine};
use morgana_actors::{Near, Place};

/// What `--help` says.
pub const HELP: &str = "\
  role=server        count, or, with role=client, ask a counter
  port=N             the port at which it counts (7000)
  server=ADDR:PORT   the counter that is to be asked
  host=N             this host's number, which others do not have: as a domain it asks counters of the same host by vchan
  requests=N         requests at a time (8)
";

/// Where a server finds the domains that may take up vchans, below its home in xenstore: their ids.
pub const CLIENTS: &str = "data/actors/clients";
/// Where a client finds its server, below its home in xenstore: what [`place`] reads.
pub const SERVER: &str = "data/actors/server";
/// Domains for which there are vchans.
const MOST_CLIENTS: usize = 8;

/// Which of both it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It counts.
    Server,
    /// It asks.
    Client,
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "server" => Ok(Self::Server),
            "client" => Ok(Self::Client),
            _ => Err(()),
        }
    }
}

/// What the command line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// Which of both it is.
    pub role: Role,
    /// The server's port.
    pub port: u16,
    /// A client's server, unless xenstore says another one.
    pub server: Option<SocketAddr>,
    /// This host.
    pub host: Option<u128>,
    /// Requests at a time.
    pub requests: u32,
}

impl Words {
    /// Reads a command line.
    ///
    /// # Errors
    ///
    /// The first word whose value makes no sense.
    pub fn parse(line: &CommandLine) -> Result<Self, BadArgument> {
        Ok(Self {
            role: line.parse("role", Role::Server)?,
            port: line.parse("port", 7000)?,
            server: optional(line, "server")?,
            host: optional(line, "host")?,
            requests: line.parse("requests", 8)?,
        })
    }
}

/// A word that need not be there.
fn optional<T: FromStr>(line: &CommandLine, key: &'static str) -> Result<Option<T>, BadArgument> {
    struct Given<T>(Option<T>);

    impl<T: FromStr> FromStr for Given<T> {
        type Err = T::Err;

        fn from_str(text: &str) -> Result<Self, T::Err> {
            text.parse().map(|value| Self(Some(value)))
        }
    }

    line.parse(key, Given(None)).map(|Given(value)| value)
}

/// Where a server is, as a toolstack says it: `tcp=ADDRESS:PORT`, and, if it is a domain of a host with a number, `host=N domain=N path=PATH`.
///
/// # Errors
///
/// [`BadPlace`].
pub fn place(text: &str) -> Result<Place, BadPlace> {
    let words = CommandLine::new(text);
    fn number<T: FromStr>(words: &CommandLine, key: &'static str) -> Result<Option<T>, BadPlace> {
        let value = words.value(key).map(str::parse).transpose();
        value.map_err(|_| BadPlace(key))
    }
    let tcp = number(&words, "tcp")?.ok_or(BadPlace("tcp"))?;
    let host = number::<u128>(&words, "host")?;
    let domain = number::<u16>(&words, "domain")?;
    let near = match (host, domain, words.value("path")) {
        (Some(host), Some(domain), Some(path)) => Some(Near {
            host,
            domain: DomId::new(domain),
            path: path.into(),
        }),
        (None, None, None) => None,
        _ => return Err(BadPlace("host, domain or path")),
    };
    Ok(Place { near, tcp })
}

/// The domains that a toolstack says: their ids, with spaces between them. What is none, and what is too many, is left out.
pub fn clients(text: &str) -> Vec<DomId> {
    let ids = text.split_whitespace().filter_map(|word| word.parse().ok());
    ids.take(MOST_CLIENTS).map(DomId::new).collect()
}

/// Which word of a place is missing or makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadPlace(&'static str);

impl fmt::Display for BadPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SERVER}: {} is missing or makes no sense", self.0)
    }
}

impl core::error::Error for BadPlace {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_heeded_and_senseless_ones_refused() {
        let line = CommandLine::new("role=client server=10.0.0.5:7001 host=7 requests=3");
        let expected = Words {
            role: Role::Client,
            port: 7000,
            server: Some(SocketAddr::from(([10, 0, 0, 5], 7001))),
            host: Some(7),
            requests: 3,
        };
        assert_eq!(Words::parse(&line), Ok(expected));
        for line in [
            "role=both",
            "port=x",
            "server=10.0.0.5",
            "host=-1",
            "requests=",
        ] {
            assert!(Words::parse(&CommandLine::new(line)).is_err(), "{line}");
        }
    }

    #[test]
    fn a_place_is_whole_or_refused() {
        let tcp = SocketAddr::from(([10, 0, 0, 5], 7000));
        let far = Place { near: None, tcp };
        assert_eq!(place("tcp=10.0.0.5:7000\n"), Ok(far));
        let near = Near {
            host: u128::MAX,
            domain: DomId::new(3),
            path: "/local/domain/3/data/actors/4".into(),
        };
        let text = "host=340282366920938463463374607431768211455 domain=3 path=/local/domain/3/data/actors/4 tcp=10.0.0.5:7000";
        let near = Some(near);
        assert_eq!(place(text), Ok(Place { near, tcp }));
        for (text, wrong) in [
            ("", "tcp"),
            ("tcp=10.0.0.5", "tcp"),
            ("tcp=10.0.0.5:7000 host=x", "host"),
            ("tcp=10.0.0.5:7000 host=1", "host, domain or path"),
            ("tcp=10.0.0.5:7000 host=1 domain=99999 path=/a", "domain"),
        ] {
            assert_eq!(place(text), Err(BadPlace(wrong)), "{text}");
        }
    }

    #[test]
    fn of_clients_what_is_none_is_left_out() {
        assert_eq!(clients(" 3 x 70000 4\n"), [3, 4].map(DomId::new));
        assert_eq!(clients("1 2 3 4 5 6 7 8 9 10").len(), 8);
    }
}
