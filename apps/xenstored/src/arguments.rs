//! The command line, with the option names of Xen's C daemon.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use morgana_xenstored::{Orphans, Quota, Resource, Trace};

/// What `--help` prints.
#[cfg(not(target_os = "none"))]
pub(crate) const USAGE: &str = "\
xenstored [OPTION…]: serves xenstore to the domains of this machine

  -F, --pid-file FILE        write the daemon's process id to FILE
  -N, --no-fork              stay in the foreground
  -P, --output-pid           print the daemon's process id when it serves
  -D, --no-domain-init       serve the socket only: no Xen is needed
  -T, --trace-file FILE      log to FILE, not to standard error
  -E, --entry-nb N           nodes that a domain may own (1000)
  -S, --entry-size BYTES     a node's value (2048)
  -W, --watch-nb N           watches of a domain (128)
  -t, --transaction N        open transactions of a domain (10)
  -A, --perm-nb N            entries of a node's permissions (5)
  -M, --path-max BYTES       a path (3072)
  -Q, --quota WHAT=N         the same by name: nodes, node-size, watches,
                             transactions, transaction-nodes, memory,
                             outstanding, node-permissions, path-length.
                             0 is no limit
  -q, --quota-soft memory=N  from so many bytes on, the log says so
  -K, --keep-orphans         let nodes of a domain that is gone be domain 0's
                             (a later domain can look for what is in them)
      --trace-control=+io    log each request (-io: do not)
  -U, --live-update          go on with what the xenstored before has left in
                             this process (xenstore-control live-update adds it)
      --journal FILE         keep what a daemon needs to go on after a crash in
                             FILE (the socket's path with .journal behind it)
  -R, --no-recovery          begin with an empty tree, whatever there was before,
                             and keep no journal
      --check-state          say whether the state at standard input could be
                             gone on with, and end
  -V, --verbose              log more
  -H, --help                 print this

The socket is $XENSTORED_PATH, else $XENSTORED_RUNDIR/socket, else
/run/xenstored/socket.
The log's file is moved to FILE.1 when it is 8 MiB long; four such are kept.
-e, --event PORT is for a stub-domain only (init-xenstore-domain passes it).
-I, --internal-db (the tree is in memory only) and -w, --timeout WHAT=SECONDS
(no event is dropped) are accepted and change nothing; so are -m, --master-domid
and -p, --priv-domid, as long as they say 0.
";

/// What the arguments ask for.
#[derive(Debug)]
pub(crate) enum Arguments {
    Help,
    Run(Options),
}

/// How the daemon runs.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) fork: Fork,
    pub(crate) start: Start,
    pub(crate) domains: Domains,
    pub(crate) pid_file: Option<String>,
    pub(crate) log_file: Option<String>,
    /// Domain 0's port, at which it waits for the stub-domain that this is.
    pub(crate) event: Option<u32>,
    pub(crate) quota: Quota,
    pub(crate) orphans: Orphans,
    pub(crate) trace: Trace,
    pub(crate) output: Output,
    pub(crate) recovery: Recovery,
    pub(crate) journal: Option<String>,
}

/// Whether the daemon goes on after a crash, and keeps what it needs for that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Recovery {
    #[default]
    On,
    Off,
}

/// What is printed when the daemon serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Output {
    #[default]
    Nothing,
    ProcessId,
}

/// Whether the program goes on in the background.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Fork {
    #[default]
    Background,
    Foreground,
}

/// What the daemon begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Start {
    /// Nothing.
    #[default]
    Empty,
    /// What the xenstored has left that this process was before.
    TakeOver,
    /// It only says whether it could go on with the state at standard input.
    Check,
}

/// Whether domains are served besides the socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Domains {
    #[default]
    Served,
    None,
}

/// Arguments that make no sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum UsageError {
    Unknown(String),
    NoValue(String),
    BadNumber(String),
    BadQuota(String),
    NotZero(String),
    BadSwitch(String),
    BadPort(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(option) => write!(f, "{option} is no option"),
            Self::NoValue(option) => write!(f, "{option} needs a value"),
            Self::BadNumber(text) => write!(f, "{text} is no number for a limit"),
            Self::NotZero(text) => write!(f, "{text} is not 0: xenstored is in domain 0"),
            Self::BadSwitch(text) => write!(f, "{text} is not +io or -io"),
            Self::BadPort(text) => write!(f, "{text} is no port of domain 0"),
            Self::BadQuota(text) => write!(f, "{text} is not NAME=NUMBER with a quota's name"),
        }
    }
}

impl core::error::Error for UsageError {}

impl Arguments {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, UsageError> {
        let mut options = Options::default();
        let mut words = split(arguments).into_iter();
        while let Some(option) = words.next() {
            let quota = &mut options.quota;
            let mut value = || words.next().ok_or(UsageError::NoValue(option.clone()));
            match option.as_str() {
                "-H" | "--help" => return Ok(Self::Help),
                "-N" | "--no-fork" => options.fork = Fork::Foreground,
                "-P" | "--output-pid" => options.output = Output::ProcessId,
                "-D" | "--no-domain-init" => options.domains = Domains::None,
                "-F" | "--pid-file" => options.pid_file = Some(value()?),
                "-T" | "--trace-file" => options.log_file = Some(value()?),
                "-E" | "--entry-nb" => quota.nodes = number(&value()?)?,
                "-S" | "--entry-size" => quota.value_bytes = number(&value()?)?,
                "-W" | "--watch-nb" => quota.watches = number(&value()?)?,
                "-t" | "--transaction" => quota.transactions = number(&value()?)?,
                "-A" | "--perm-nb" => quota.permissions = number(&value()?)?,
                "-M" | "--path-max" => quota.path_bytes = number(&value()?)?,
                "-Q" | "--quota" => set_quota(quota, &value()?)?,
                "-V" | "--verbose" => log::set_max_level(log::LevelFilter::Debug),
                "-q" | "--quota-soft" => set_quota(quota, &format!("soft-{}", value()?))?,
                "-K" | "--keep-orphans" => options.orphans = Orphans::Keep,
                "--trace-control" => options.trace = trace(value()?)?,
                "-m" | "--master-domid" | "-p" | "--priv-domid" => zero(value()?)?,
                "-R" | "--no-recovery" => options.recovery = Recovery::Off,
                "--journal" => options.journal = Some(value()?),
                "-I" | "--internal-db" => {}
                "-w" | "--timeout" => drop(value()?),
                "-e" | "--event" => options.event = Some(port(value()?)?),
                "-U" | "--live-update" => options.start = Start::TakeOver,
                "--check-state" => options.start = Start::Check,
                _ => return Err(UsageError::Unknown(option)),
            }
        }
        Ok(Self::Run(options))
    }
}

/// `--name=value` is two words, and so is `-Xvalue`.
fn split(arguments: impl Iterator<Item = String>) -> Vec<String> {
    const SHORT_WITH_VALUE: &str = "FTESWtAMQqwemp";
    let mut words = Vec::new();
    for argument in arguments {
        let letter = argument.strip_prefix('-').and_then(|rest| {
            let letter = rest.chars().next()?;
            (SHORT_WITH_VALUE.contains(letter) && rest.len() > 1).then_some(&rest[1..])
        });
        // Its value is optional, and makes no difference.
        if argument.starts_with("--internal-db") || argument.starts_with("-I") {
            words.push("-I".to_owned());
            continue;
        }
        match (argument.strip_prefix("--"), letter) {
            (Some(_), _) => match argument.split_once('=') {
                Some((name, value)) => words.extend([name.to_owned(), value.to_owned()]),
                None => words.push(argument),
            },
            (None, Some(value)) => words.extend([argument[..2].to_owned(), value.to_owned()]),
            (None, None) => words.push(argument),
        }
    }
    words
}

fn number(text: &str) -> Result<usize, UsageError> {
    let parsed = text.parse::<u32>();
    parsed
        .map(|number| number as usize)
        .map_err(|_| UsageError::BadNumber(text.to_owned()))
}

fn port(text: String) -> Result<u32, UsageError> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(UsageError::BadPort(text)),
    }
}

fn set_quota(quota: &mut Quota, text: &str) -> Result<(), UsageError> {
    let bad = || UsageError::BadQuota(text.to_owned());
    let (name, value) = text.split_once('=').ok_or_else(bad)?;
    let resource = Resource::from_name(name).ok_or_else(bad)?;
    *quota.limit_mut(resource) = number(value)?;
    Ok(())
}

fn trace(text: String) -> Result<Trace, UsageError> {
    match text.as_str() {
        "+io" => Ok(Trace::On),
        "-io" => Ok(Trace::Off),
        _ => Err(UsageError::BadSwitch(text)),
    }
}

fn zero(text: String) -> Result<(), UsageError> {
    if text == "0" {
        Ok(())
    } else {
        Err(UsageError::NotZero(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, UsageError> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_by_either_name_and_either_form() {
        for line in [
            "--pid-file /p --entry-nb 7 --quota watches=3 --no-fork -D",
            "--pid-file=/p --entry-nb=7 --quota=watches=3 -N --no-domain-init",
            "-F /p -E 7 -Q watches=3 -N -D",
            "-F/p -E7 -Qwatches=3 -N -D -R -I -P",
            "-F/p -E7 -Qwatches=3 -N -D -Ion --internal-db=off --internal-db",
        ] {
            let Ok(Arguments::Run(options)) = parse(line) else {
                panic!("{line}");
            };
            assert_eq!(options.pid_file, Some("/p".into()), "{line}");
            assert_eq!((options.quota.nodes, options.quota.watches), (7, 3));
            assert_eq!(options.fork, Fork::Foreground);
            assert_eq!(options.domains, Domains::None);
        }
        let Ok(Arguments::Run(options)) = parse("--event 7 --internal-db -W 3") else {
            panic!("what init-xenstore-domain passes");
        };
        assert_eq!((options.event, options.quota.watches), (Some(7), 3));
        let line = "-q memory=5 -Q memory=6 -K --trace-control=+io -w watch-event=9 -m 0 -p0";
        let Ok(Arguments::Run(options)) = parse(line) else {
            panic!("{line}");
        };
        assert_eq!(options.quota.soft_memory_bytes, 5);
        assert_eq!(options.quota.memory_bytes, 6);
        assert_eq!((options.orphans, options.trace), (Orphans::Keep, Trace::On));
        assert!(matches!(parse("-N --help"), Ok(Arguments::Help)));
        for (line, start) in [
            ("-N -U", Start::TakeOver),
            ("--live-update", Start::TakeOver),
            ("--check-state -E 7", Start::Check),
            ("-N", Start::Empty),
        ] {
            let Ok(Arguments::Run(options)) = parse(line) else {
                panic!("{line}");
            };
            assert_eq!(options.start, start, "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (line, expected) in [
            ("-x", UsageError::Unknown("-x".into())),
            ("frob", UsageError::Unknown("frob".into())),
            ("--pid-file", UsageError::NoValue("--pid-file".into())),
            ("-E many", UsageError::BadNumber("many".into())),
            ("-Q frob=1", UsageError::BadQuota("frob=1".into())),
            ("-Q nodes", UsageError::BadQuota("nodes".into())),
            ("-q nodes=1", UsageError::BadQuota("soft-nodes=1".into())),
            ("-m 1", UsageError::NotZero("1".into())),
            ("--event 0", UsageError::BadPort("0".into())),
            ("-e port", UsageError::BadPort("port".into())),
            ("--trace-control=+obj", UsageError::BadSwitch("+obj".into())),
        ] {
            assert_eq!(parse(line).unwrap_err(), expected, "{line}");
        }
    }
}
