//! The domain's command line.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use morgana::hal::DomId;
use morgana::xenstore::Config;
use morgana::{BadArgument, CommandLine};
use morgana_logger::{Options, Peers};

/// What `--help` says of it.
pub(crate) const HELP: &str = "\
\x20 disk=NAME             where the log is kept: a disk of the domain's (xvda), or a file's path; if nothing is
\x20                       said, the first disk, and memory if there is none
\x20 size=MIB              how large a file is made that is not there (64)
\x20 memory=KIB            how much memory there is for the log where there is no disk (1024)
\x20 rate=BYTES            how much a domain may send a second (65536); 0 is no limit
\x20 burst=BYTES           how much a domain that was silent may send at once (262144)
\x20 connections=N         domains that send or read at once (48); from 57 on watches= is needed
\x20 of-a-domain=N         how many of them may be one domain's (4); half of all may be the control domain's
\x20 senders=WHO           whose records are kept: all, control, or domains' numbers, as 5,7 (all)
\x20 readers=WHO           who may read records of others, likewise (control); each domain may read its own
\x20 watches=N             watches on xenstore (64), which gives a domain 128: 8 more than connections
\x20 log=LEVEL             what the logger itself says: off, error, warn, info, debug or trace (info)
";

/// Watches on xenstore that are for no connection.
const OTHER_WATCHES: usize = 8;

/// Why the command line makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A value is not what its key allows.
    Argument(BadArgument),
    /// There are not enough watches for so many connections.
    Watches { connections: usize, watches: usize },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(error) => error.fmt(f),
            Self::Watches {
                connections,
                watches,
            } => write!(
                f,
                "command line: connections={connections} takes {} watches on xenstore, and watches={watches}",
                connections.saturating_add(OTHER_WATCHES)
            ),
        }
    }
}

impl core::error::Error for Mistake {}

impl From<BadArgument> for Mistake {
    fn from(error: BadArgument) -> Self {
        Self::Argument(error)
    }
}

/// What it says of limits, and of who may send and read.
pub(crate) fn options(line: &CommandLine) -> Result<Options, Mistake> {
    let mut options = Options::default();
    let rate = &mut options.rate;
    rate.bytes_a_second = line.parse("rate", rate.bytes_a_second)?;
    rate.burst = line.parse("burst", rate.burst)?;
    options.connections = line.parse("connections", Count(options.connections))?.0;
    options.of_a_domain = line.parse("of-a-domain", Count(options.of_a_domain))?.0;
    options.senders = line.parse("senders", Who(options.senders))?.0;
    options.readers = line.parse("readers", Who(options.readers))?.0;
    let (connections, watches) = (options.connections, Config::default().watches);
    let watches = line.parse("watches", watches)?;
    if connections.saturating_add(OTHER_WATCHES) > watches {
        return Err(Mistake::Watches {
            connections,
            watches,
        });
    }
    Ok(options)
}

/// A number that is not 0.
struct Count(usize);

impl FromStr for Count {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse() {
            Ok(count @ 1..) => Ok(Self(count)),
            _ => Err(()),
        }
    }
}

/// `control`, `all`, or domains' numbers with commas between them.
struct Who(Peers);

/// It is none of these.
#[derive(Debug)]
struct NotWho;

impl fmt::Display for NotWho {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("control, all, or numbers of domains")
    }
}

impl FromStr for Who {
    type Err = NotWho;

    fn from_str(text: &str) -> Result<Self, NotWho> {
        Ok(Self(match text {
            "control" => Peers::Control,
            "all" => Peers::All,
            list => {
                let domain = |number: &str| number.parse().map(DomId::new).map_err(|_| NotWho);
                Peers::These(list.split(',').map(domain).collect::<Result<Vec<_>, _>>()?)
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_says_who_may() {
        let said = |line: &str| options(&CommandLine::new(line));
        let all = |line: &str| said(line).map(|options| (options.senders, options.readers));
        let these = || Peers::These([5, 7].map(DomId::new).to_vec());
        assert_eq!(all(""), Ok((Peers::All, Peers::Control)));
        assert_eq!(all("readers=all"), Ok((Peers::All, Peers::All)));
        assert_eq!(
            all("readers=5,7 senders=control"),
            Ok((Peers::Control, these()))
        );
        assert_eq!(all("senders=5,7"), Ok((these(), Peers::Control)));
        for wrong in ["readers=", "readers=5,", "readers=some", "senders=5,x"] {
            assert!(said(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_sets_limits() {
        let said = |line: &str| options(&CommandLine::new(line));
        let limited = said("rate=1000 burst=2000 connections=56 of-a-domain=7").unwrap();
        assert_eq!(limited.rate.bytes_a_second, 1000);
        assert_eq!(limited.rate.burst, 2000);
        assert_eq!((limited.connections, limited.of_a_domain), (56, 7));
        for wrong in ["connections=0", "of-a-domain=0", "connections=many"] {
            assert!(matches!(said(wrong), Err(Mistake::Argument(_))), "{wrong}");
        }
        let mistake = said("connections=57").unwrap_err();
        assert_eq!(
            alloc::format!("{mistake}"),
            "command line: connections=57 takes 65 watches on xenstore, and watches=64"
        );
        assert!(said("connections=57 watches=65").is_ok());
        assert!(said("connections=18446744073709551615").is_err());
    }
}
