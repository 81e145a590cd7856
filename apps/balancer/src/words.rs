//! The words of the command line.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::str::FromStr;
use core::time::Duration;

use morgana::{BadArgument, CommandLine};

use crate::Settings;

/// What `--help` says.
pub const HELP: &str = "\
  port=N             the port for clients (80)
  control=N          the port of the control interface (8080)
  backends=LIST      back ends from the start: ADDRESS:PORT or NAME@ADDRESS:PORT, with commas between them
  check=PATH         what health checks ask for (/healthz)
  connections=N      connections of clients at a time (1024)
  waiting=N          requests that may wait for a back end (512)
  connect-time=MS    how long connecting to a back end may take (500)
  check-time=MS      how long a health check may take (500)
  drain-time=SECONDS how long a back end may take to drain (30)
";

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Words {
    /// The port for clients.
    pub port: u16,
    /// The port of the control interface.
    pub control: u16,
    /// Back ends from the start, by name.
    pub backends: Vec<(String, SocketAddr)>,
    /// What was chosen.
    pub settings: Settings,
}

impl Words {
    /// Reads a command line.
    ///
    /// # Errors
    ///
    /// The first word whose value makes no sense.
    pub fn parse(line: &CommandLine) -> Result<Self, BadArgument> {
        let mut settings = Settings::default();
        settings.check_path = line.parse("check", Path(settings.check_path))?.0;
        settings.server.connections = line.parse("connections", settings.server.connections)?;
        settings.policy.waiting = line.parse("waiting", settings.policy.waiting)?;
        let millis = |time: Duration| time.as_millis() as u64;
        let connect_time = line.parse("connect-time", millis(settings.connect_time))?;
        settings.connect_time = Duration::from_millis(connect_time);
        let checks = &mut settings.policy.checks;
        let check_time = line.parse("check-time", millis(checks.timeout))?;
        checks.timeout = Duration::from_millis(check_time);
        let drain_time = line.parse("drain-time", settings.policy.drain_time.as_secs())?;
        settings.policy.drain_time = Duration::from_secs(drain_time);
        Ok(Self {
            port: line.parse("port", 80)?,
            control: line.parse("control", 8080)?,
            backends: line.parse("backends", Backends(Vec::new()))?.0,
            settings,
        })
    }
}

/// A path to ask for.
struct Path(String);

/// A word whose value makes no sense.
struct Senseless;

impl FromStr for Path {
    type Err = Senseless;

    fn from_str(text: &str) -> Result<Self, Senseless> {
        let fits = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.into())).ok_or(Senseless)
    }
}

struct Backends(Vec<(String, SocketAddr)>);

impl FromStr for Backends {
    type Err = Senseless;

    fn from_str(text: &str) -> Result<Self, Senseless> {
        let mut backends = Vec::new();
        for word in text.split(',') {
            let (name, address) = match word.split_once('@') {
                Some((name, address)) => (name.into(), address),
                // The characters that an address has and a name has not.
                None => (word.replace([':', '[', ']'], "-"), word),
            };
            backends.push((name, address.parse().map_err(|_| Senseless)?));
        }
        Ok(Self(backends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_ends_have_names() {
        let line = CommandLine::new(
            "backends=10.0.0.2:80,web@10.0.0.3:81 check=/x port=8000 connect-time=1500 check-time=2000",
        );
        let words = Words::parse(&line).expect("sensible");
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert_eq!(
            words.backends,
            [
                ("10.0.0.2-80".into(), address("10.0.0.2:80")),
                ("web".into(), address("10.0.0.3:81"))
            ]
        );
        let settings = &words.settings;
        assert_eq!(settings.connect_time, Duration::from_millis(1500));
        assert_eq!(settings.policy.checks.timeout, Duration::from_secs(2));
        assert_eq!((words.port, &words.settings.check_path[..]), (8000, "/x"));
        for line in [
            "backends=",
            "backends=10.0.0.2",
            "backends=a@,",
            "check=x",
            "port=x",
        ] {
            assert!(Words::parse(&CommandLine::new(line)).is_err(), "{line}");
        }
    }
}
