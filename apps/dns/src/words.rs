//! The words of the command line.

use alloc::vec::Vec;
use core::net::IpAddr;

use morgana::{BadArgument, CommandLine};
use morgana_dns::{Config, Network, RateLimit};
use morgana_hal::Platform;

/// What `--help` says.
pub const HELP: &str = "\
  zones=DISK         the disk with a tar archive of zone files, ORIGIN.zone each (xvda);
                     on Linux also a folder; without it, an example
  port=N             the port (53)
  metrics=PORT       serve figures in Prometheus' format there, at /metrics (no)
  transfer=NET,...   who may transfer zones: addresses, or ranges of them (nobody)
  notify=ADDRESS,... who is told of changed zones (nobody)
  connections=N      TCP connections at a time (64)
  udp-size=N         the longest answer over UDP, in octets (1232)
  rate=N             answers of one kind a second to one network over UDP (200; 0: any number)
  slip=N             of those over the rate, one in N is truncated instead of dropped (2; 0: none)
  memo=N             answers that are kept (4096; 0: none)
";

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Words {
    /// Where the zones are: a disk's name, or a folder.
    pub zones: Option<alloc::string::String>,
    /// The port, for both ways.
    pub port: u16,
    /// Where figures are shown.
    pub metrics: Option<u16>,
    /// TCP connections at a time.
    pub connections: usize,
    /// Who is told of changed zones.
    pub notify: Vec<IpAddr>,
    transfers: Vec<Network>,
    udp_size: u16,
    rate: u16,
    slip: u8,
    memo: usize,
}

impl Words {
    /// Reads a command line.
    ///
    /// # Errors
    ///
    /// The first word whose value makes no sense.
    pub fn parse(line: &CommandLine) -> Result<Self, BadArgument> {
        Ok(Self {
            zones: line.value("zones").map(Into::into),
            port: line.parse("port", 53)?,
            metrics: Some(line.parse("metrics", 0)?).filter(|port| *port != 0),
            connections: line.parse("connections", 64)?,
            notify: line.parse("notify", List(Vec::new()))?.0,
            transfers: line.parse("transfer", List(Vec::new()))?.0,
            udp_size: line.parse("udp-size", 1232)?,
            rate: line.parse("rate", RateLimit::default().answers)?,
            slip: line.parse("slip", RateLimit::default().slip)?,
            memo: line.parse("memo", Config::default().memo_answers)?,
        })
    }

    /// The server's configuration, with the platform's random bits.
    pub fn config(&self, platform: &impl Platform) -> Config {
        let mut secret = [0; 16];
        platform.entropy(&mut secret);
        let limit = RateLimit {
            answers: self.rate,
            slip: self.slip,
            ..RateLimit::default()
        };
        Config {
            udp_size: self.udp_size.max(512),
            memo_answers: self.memo,
            rate_limit: Some(limit).filter(|limit| limit.answers > 0),
            transfers: self.transfers.clone(),
            secret,
            ..Config::default()
        }
    }
}

/// Items with commas between them.
struct List<T>(Vec<T>);

impl<T: core::str::FromStr> core::str::FromStr for List<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let items = text.split(',').map(str::parse);
        items.collect::<Result<_, _>>().map(Self)
    }
}
