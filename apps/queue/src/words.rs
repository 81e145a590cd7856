//! The words of the command line.

use alloc::string::String;

use morgana::{BadArgument, CommandLine};

use crate::Settings;

/// What `--help` says.
pub const HELP: &str = "\
  port=N             the port (80)
  disk=NAME          the disk with the queue: in a domain its name (xvda), on Linux a file or block device
  jobs=N             jobs in all, dead letters included (4096)
  bytes=N            bytes of all payloads (4194304)
  payload=N          bytes of one payload (8192, at most 32768)
  dead=N             dead letters; beyond them the oldest is dropped (1024)
  keys=N             keys of de-duplication that are remembered (4096)
  window=MS          how long a key is remembered (120000)
  attempts=N         attempts before a job becomes a dead letter (5)
  backoff=MS         the wait after the first failed attempt, which doubles (1000)
  backoff-most=MS    the longest wait between attempts (300000)
  waiting=N          requests for a lease that may wait at a time (256)
  connections=N      connections at a time (512)
";

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Words {
    /// The port.
    pub port: u16,
    /// The disk with the queue.
    pub disk: Option<String>,
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
        let queue = &mut settings.queue;
        queue.jobs = line.parse("jobs", queue.jobs)?;
        queue.bytes = line.parse("bytes", queue.bytes)?;
        queue.payload = line.parse("payload", queue.payload)?;
        queue.dead = line.parse("dead", queue.dead)?;
        queue.keys = line.parse("keys", queue.keys)?;
        queue.window = line.parse("window", queue.window)?;
        queue.attempts = line.parse("attempts", queue.attempts)?;
        queue.backoff.first = line.parse("backoff", queue.backoff.first)?;
        queue.backoff.most = line.parse("backoff-most", queue.backoff.most)?;
        settings.waiting = line.parse("waiting", settings.waiting)?;
        settings.server.connections = line.parse("connections", settings.server.connections)?;
        Ok(Self {
            port: line.parse("port", 80)?,
            disk: line.value("disk").map(String::from),
            settings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_heeded_and_senseless_ones_refused() {
        let line = CommandLine::new("disk=xvdb port=8000 payload=100 attempts=2 waiting=7");
        let words = Words::parse(&line).expect("sensible");
        assert_eq!((words.port, words.disk.as_deref()), (8000, Some("xvdb")));
        let settings = words.settings;
        let queue = settings.queue;
        assert_eq!(
            (queue.payload, queue.attempts, settings.waiting),
            (100, 2, 7)
        );
        for line in ["port=x", "jobs=-1", "window=1s", "waiting="] {
            assert!(Words::parse(&CommandLine::new(line)).is_err(), "{line}");
        }
    }
}
