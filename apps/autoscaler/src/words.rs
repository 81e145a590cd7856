//! The words of the command line.

use alloc::string::String;
use core::net::SocketAddr;
use core::str::FromStr;
use core::time::Duration;

use morgana::{BadArgument, CommandLine};

use crate::names::Addresses;
use crate::peers::Guest;
use crate::policy::Policy;
use crate::sampler::Targets;

/// What `--help` says.
pub const HELP: &str = "\
  port=N                   the port of the page with the charts (80)
  balancer=ADDRESS:PORT    the balancer's control interface
  queue=ADDRESS:PORT       the queue; without it there are no workers
  toolstack=ADDRESS:PORT   the toolstack's daemon
  token=TOKEN              what the toolstack wants to hear
  web=FILE                 the configuration of web machines, as the toolstack knows it
  web-addresses=IP+N/BITS  their addresses: N from IP on
  web-least=N              web machines at the least (1)
  web-most=N               at the most (all addresses)
  web-rate=N               requests a second that one is to bear (20)
  web-requests=N           requests at a time that one is to bear (4)
  web-words=WORDS          more on their command lines, with commas in place of blanks
  worker=FILE, worker-addresses=, worker-least=, worker-most=, worker-words=
                           the same for workers
  worker-jobs=N            jobs that wait for one at the most (4)
  calm=SECONDS             how long the load must be low before a machine goes (15)
  step=SECONDS             how long then before the next one goes (2)
";

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Words {
    /// The port of the page.
    pub port: u16,
    /// The balancer's control interface.
    pub balancer: SocketAddr,
    /// The toolstack's daemon.
    pub toolstack: SocketAddr,
    /// What it wants to hear.
    pub token: String,
    /// The queue.
    pub queue: Option<SocketAddr>,
    /// The web machines.
    pub web: Machines,
    /// The workers.
    pub workers: Option<Machines>,
    /// What one machine is to bear.
    pub targets: Targets,
}

/// The machines of one kind.
#[derive(Clone, Debug)]
pub struct Machines {
    /// What they are made of.
    pub guest: Guest,
    /// Where they are.
    pub addresses: Addresses,
    /// How many there are.
    pub policy: Policy,
}

/// What is wrong with a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadWords {
    /// A word's value makes no sense.
    Bad(BadArgument),
    /// A word is missing.
    Missing(&'static str),
}

impl core::fmt::Display for BadWords {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Bad(error) => error.fmt(f),
            Self::Missing(word) => write!(f, "{word}= is missing on the command line"),
        }
    }
}

impl core::error::Error for BadWords {}

impl From<BadArgument> for BadWords {
    fn from(error: BadArgument) -> Self {
        Self::Bad(error)
    }
}

impl Words {
    /// Reads a command line.
    ///
    /// # Errors
    ///
    /// The first word that is missing or makes no sense.
    pub fn parse(line: &CommandLine) -> Result<Self, BadWords> {
        let queue = optional(line, "queue")?;
        let workers = match queue {
            Some(_) => Some(Machines::parse(line, &WORKER)?),
            None => None,
        };
        Ok(Self {
            port: line.parse("port", 80)?,
            balancer: wanted(line, "balancer")?,
            toolstack: wanted(line, "toolstack")?,
            token: wanted(line, "token")?,
            queue,
            web: Machines::parse(line, &WEB)?,
            workers,
            targets: Targets {
                rate: line.parse("web-rate", 20)?,
                requests: line.parse("web-requests", 4)?,
                jobs: line.parse("worker-jobs", 4)?,
            },
        })
    }
}

/// The words of one kind of machines.
struct Keys {
    config: &'static str,
    addresses: &'static str,
    least: &'static str,
    most: &'static str,
    words: &'static str,
    /// How many there are at the least if nothing is said.
    default: usize,
}

const WEB: Keys = Keys {
    config: "web",
    addresses: "web-addresses",
    least: "web-least",
    most: "web-most",
    words: "web-words",
    default: 1,
};

const WORKER: Keys = Keys {
    config: "worker",
    addresses: "worker-addresses",
    least: "worker-least",
    most: "worker-most",
    words: "worker-words",
    default: 0,
};

impl Machines {
    fn parse(line: &CommandLine, keys: &Keys) -> Result<Self, BadWords> {
        let addresses: Addresses = wanted(line, keys.addresses)?;
        let all = addresses.count as usize;
        let words = line.value(keys.words).unwrap_or_default();
        Ok(Self {
            guest: Guest {
                config: wanted(line, keys.config)?,
                words: words.replace(',', " "),
            },
            addresses,
            policy: Policy {
                least: line.parse(keys.least, keys.default)?.min(all),
                most: line.parse(keys.most, all)?.min(all),
                calm: Duration::from_secs(line.parse("calm", 15)?),
                step: Duration::from_secs(line.parse("step", 2)?),
            },
        })
    }
}

/// A word's value, which must be there.
fn wanted<T: FromStr>(line: &CommandLine, key: &'static str) -> Result<T, BadWords> {
    optional(line, key)?.ok_or(BadWords::Missing(key))
}

fn optional<T: FromStr>(line: &CommandLine, key: &'static str) -> Result<Option<T>, BadArgument> {
    let value = line.value(key);
    value
        .map(|_| line.parse(key, Maybe(None)))
        .transpose()
        .map(|value| value.and_then(|Maybe(value)| value))
}

/// A value without a default.
struct Maybe<T>(Option<T>);

impl<T: FromStr> FromStr for Maybe<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        text.parse().map(|value| Self(Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "balancer=10.0.0.5:8080 toolstack=10.0.0.1:7070 token=t web=web.cfg web-addresses=10.0.0.100+20/24";

    fn parse(more: &str) -> Result<Words, BadWords> {
        Words::parse(&CommandLine::new(&alloc::format!("{LINE} {more}")))
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let words = parse("").unwrap();
        assert!(words.workers.is_none());
        let Policy { least, most, .. } = words.web.policy;
        assert_eq!((words.port, least, most), (80, 1, 20));
        let words = parse("queue=10.0.0.6:80 worker=w.cfg worker-addresses=10.0.0.200+5/24 worker-words=a=1,b=2 worker-most=9 calm=3").unwrap();
        let workers = words.workers.unwrap();
        assert_eq!(workers.guest.words, "a=1 b=2");
        assert_eq!((workers.policy.least, workers.policy.most), (0, 5));
        assert_eq!(workers.policy.calm, Duration::from_secs(3));
    }

    #[test]
    fn what_is_missing_or_senseless_is_named() {
        let missing = Words::parse(&CommandLine::new("balancer=10.0.0.5:8080")).unwrap_err();
        assert_eq!(missing, BadWords::Missing("toolstack"));
        assert_eq!(
            parse("queue=10.0.0.6:80").unwrap_err(),
            BadWords::Missing("worker-addresses")
        );
        for bad in [
            "queue=10.0.0.6",
            "balancer=x",
            "web-addresses=10.0.0.1",
            "web-least=-1",
            "calm=soon",
        ] {
            assert!(matches!(parse(bad), Err(BadWords::Bad(_))), "{bad}");
        }
    }
}
