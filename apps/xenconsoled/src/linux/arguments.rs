//! The command line, with the option names of Xen's C daemon.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;

use morgana_daemon::Rotation;
use morgana_xenconsoled::{Escapes, Options, Overflow, Stamps};

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
xenconsoled [OPTION…]: logs the consoles of this machine's guests, and gives each
a terminal for `xl console`

      --log none|guest|hv|all       what is logged (none)
      --log-dir DIR                 where (/var/log/xen/console)
  -t, --timestamp none|guest|hv|all whose lines begin with the time (none)
  -o, --overflow-data discard|keep  what happens to output that nobody reads at
                                    the terminal: it goes, or the guest waits
                                    (discard)
      --keep-escape                 log control sequences as they are; else each
                                    byte that could begin one becomes a dot
      --rate BYTES                  what a guest may write a second (4194304);
                                    0 is no limit
      --burst BYTES                 what it may write at once (4194304)
      --shared-rate BYTES           what it may write a second while consoles of
                                    other guests are in use (524288)
      --log-size BYTES              a log's length when it is moved to FILE.1,
                                    that to FILE.2 and so on (8388608)
      --log-age HOURS               its age when it is moved (0: any)
      --log-keep N                  how many older parts are kept (4)
      --pid-file FILE               write the daemon's process id to FILE
                                    (/run/xen/xenconsoled.pid)
      --for DOMAIN                  be the helper of the stub-domain of this name
                                    or number: guests that are made from now on
                                    are its guests
  -i, --interactive                 stay in the foreground
  -v, --verbose                     log more of what the daemon does
  -V, --version                     print the version
  -h, --help                        print this

Guests' logs are DIR/guest-NAME.log, Xen's own is DIR/hypervisor.log. SIGHUP opens
them anew. If lines don't begin with the time, FILE.times beside a log has it.
--replace-escape is accepted, and is so anyway.

xenconsoled log looks through the logs (xenconsoled log --help).
";

/// What the arguments ask for.
#[derive(Debug)]
pub(crate) enum Arguments {
    Help,
    Version,
    Run(Settings),
}

/// How the daemon runs.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) fork: Fork,
    pub(crate) pid_file: PathBuf,
    /// The stub-domain whose helper this is.
    pub(crate) helps: Option<String>,
    pub(crate) folder: PathBuf,
    pub(crate) logged: Parties,
    pub(crate) stamped: Parties,
    pub(crate) rotation: Rotation,
    /// For all guests.
    pub(crate) guests: Options,
}

/// Whether the program goes on in the background.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fork {
    Background,
    Foreground,
}

/// Whose consoles something is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Parties {
    #[default]
    None,
    Guests,
    Hypervisor,
    All,
}

impl Parties {
    pub(crate) fn guests(self) -> bool {
        matches!(self, Self::Guests | Self::All)
    }

    pub(crate) fn hypervisor(self) -> bool {
        matches!(self, Self::Hypervisor | Self::All)
    }

    /// Whether lines of Xen's log begin with the time.
    pub(crate) fn hypervisor_stamps(self) -> Stamps {
        match self {
            Self::Hypervisor | Self::All => Stamps::Time,
            Self::None | Self::Guests => Stamps::None,
        }
    }

    fn parse(text: String) -> Result<Self, UsageError> {
        match text.as_str() {
            "none" => Ok(Self::None),
            "guest" => Ok(Self::Guests),
            "hv" => Ok(Self::Hypervisor),
            "all" => Ok(Self::All),
            _ => Err(UsageError::NoParty(text)),
        }
    }
}

/// Arguments that make no sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum UsageError {
    Unknown(String),
    NoValue(String),
    NoParty(String),
    NoOverflow(String),
    NoNumber(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(option) => write!(f, "{option} is no option"),
            Self::NoValue(option) => write!(f, "{option} needs a value"),
            Self::NoParty(text) => write!(f, "{text} is not none, guest, hv or all"),
            Self::NoOverflow(text) => write!(f, "{text} is not discard or keep"),
            Self::NoNumber(text) => write!(f, "{text} is no number that fits here"),
        }
    }
}

impl core::error::Error for UsageError {}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fork: Fork::Background,
            pid_file: "/run/xen/xenconsoled.pid".into(),
            helps: None,
            folder: "/var/log/xen/console".into(),
            logged: Parties::None,
            stamped: Parties::None,
            rotation: Rotation::default(),
            guests: Options::default(),
        }
    }
}

impl Arguments {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, UsageError> {
        let mut settings = Settings::default();
        let mut words = split(arguments).into_iter();
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or(UsageError::NoValue(option.clone()));
            let guests = &mut settings.guests;
            match option.as_str() {
                "-h" | "--help" => return Ok(Self::Help),
                "-V" | "--version" => return Ok(Self::Version),
                "-v" | "--verbose" => log::set_max_level(log::LevelFilter::Debug),
                "-i" | "--interactive" => settings.fork = Fork::Foreground,
                "--log" => settings.logged = Parties::parse(value()?)?,
                "--log-dir" => settings.folder = value()?.into(),
                "--for" => settings.helps = Some(value()?),
                "--pid-file" => settings.pid_file = value()?.into(),
                "-t" | "--timestamp" => settings.stamped = Parties::parse(value()?)?,
                "-o" | "--overflow-data" => guests.overflow = overflow(value()?)?,
                "--replace-escape" => guests.escapes = Escapes::Replace,
                "--keep-escape" => guests.escapes = Escapes::Keep,
                "--rate" => guests.rate.bytes_a_second = number(value()?)?,
                "--burst" => guests.rate.burst = number(value()?)?,
                "--shared-rate" => guests.rate.shared = number(value()?)?,
                "--log-size" => settings.rotation.longest = number(value()?)?,
                "--log-age" => settings.rotation.oldest = age(number(value()?)?),
                "--log-keep" => settings.rotation.kept = number(value()?)?,
                _ => return Err(UsageError::Unknown(option)),
            }
        }
        if settings.stamped.guests() {
            settings.guests.stamps = Stamps::Time;
        }
        Ok(Self::Run(settings))
    }
}

fn age(hours: u32) -> Option<Duration> {
    (hours > 0).then(|| Duration::from_secs(3600 * u64::from(hours)))
}

/// `--name=value` is two words, and so are `-tall` and `-okeep`.
fn split(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut words = Vec::new();
    for argument in arguments {
        let short = ["-t", "-o"].iter().find_map(|&option| {
            let value = argument.strip_prefix(option)?;
            (!value.is_empty()).then_some((option, value))
        });
        match (short, argument.split_once('=')) {
            (Some((option, value)), _) => words.extend([option.to_owned(), value.to_owned()]),
            (None, Some((name, value))) if name.starts_with("--") => {
                words.extend([name.to_owned(), value.to_owned()]);
            }
            _ => words.push(argument),
        }
    }
    words
}

fn overflow(text: String) -> Result<Overflow, UsageError> {
    match text.as_str() {
        "discard" => Ok(Overflow::Discard),
        "keep" => Ok(Overflow::Keep),
        _ => Err(UsageError::NoOverflow(text)),
    }
}

fn number<N: core::str::FromStr>(text: String) -> Result<N, UsageError> {
    text.parse().map_err(|_| UsageError::NoNumber(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, UsageError> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_in_either_form() {
        for line in [
            "--pid-file=/p --log=all --log-dir=/logs -t hv -o keep -i",
            "--pid-file /p --log all --log-dir /logs -thv -okeep --interactive",
            "--pid-file=/p --log=all --log-dir=/logs --timestamp=hv --overflow-data=keep -i",
        ] {
            let Ok(Arguments::Run(settings)) = parse(line) else {
                panic!("{line}");
            };
            assert_eq!(settings.pid_file, PathBuf::from("/p"), "{line}");
            assert_eq!(settings.folder, PathBuf::from("/logs"), "{line}");
            assert_eq!(settings.logged, Parties::All);
            assert_eq!(settings.stamped, Parties::Hypervisor);
            assert_eq!(settings.guests.stamps, Stamps::None);
            assert_eq!(settings.guests.overflow, Overflow::Keep);
            assert_eq!(settings.fork, Fork::Foreground);
        }
        let line = "--timestamp=all --keep-escape --rate 0 --burst=5 --log-size 9 --log-age 24 --log-keep 0";
        let Ok(Arguments::Run(settings)) = parse(line) else {
            panic!("{line}");
        };
        let guests = settings.guests;
        assert_eq!(
            (guests.stamps, guests.escapes),
            (Stamps::Time, Escapes::Keep)
        );
        assert_eq!((guests.rate.bytes_a_second, guests.rate.burst), (0, 5));
        let rotation = Rotation {
            longest: 9,
            kept: 0,
            oldest: Some(Duration::from_secs(86_400)),
        };
        assert_eq!(settings.rotation, rotation);
        assert!(matches!(parse("-i --help"), Ok(Arguments::Help)));
        assert!(matches!(parse("-V"), Ok(Arguments::Version)));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (line, expected) in [
            ("-x", UsageError::Unknown("-x".into())),
            ("frob", UsageError::Unknown("frob".into())),
            ("--log", UsageError::NoValue("--log".into())),
            ("--log=some", UsageError::NoParty("some".into())),
            ("-o maybe", UsageError::NoOverflow("maybe".into())),
            ("--rate=fast", UsageError::NoNumber("fast".into())),
            ("--log-keep=-1", UsageError::NoNumber("-1".into())),
        ] {
            assert_eq!(parse(line).unwrap_err(), expected, "{line}");
        }
    }
}
