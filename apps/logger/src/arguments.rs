//! The domain's command line.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use morgana::hal::DomId;
use morgana::{BadArgument, CommandLine};
use morgana_logger::{Options, Readers};

/// What it says of limits, and of who may read.
pub(crate) fn options(line: &CommandLine) -> Result<Options, BadArgument> {
    let mut options = Options::default();
    let rate = &mut options.rate;
    rate.bytes_a_second = line.parse("rate", rate.bytes_a_second)?;
    rate.burst = line.parse("burst", rate.burst)?;
    options.readers = line.parse("readers", Who(Readers::Control))?.0;
    Ok(options)
}

/// `control`, `all`, or domains' numbers with commas between them.
struct Who(Readers);

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
            "control" => Readers::Control,
            "all" => Readers::All,
            list => {
                let domain = |number: &str| number.parse().map(DomId::new).map_err(|_| NotWho);
                Readers::These(list.split(',').map(domain).collect::<Result<Vec<_>, _>>()?)
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_sets_limits_and_readers() {
        let readers = |line: &str| options(&CommandLine::new(line)).map(|options| options.readers);
        assert_eq!(readers(""), Ok(Readers::Control));
        assert_eq!(readers("readers=all"), Ok(Readers::All));
        let these = Readers::These([5, 7].map(DomId::new).to_vec());
        assert_eq!(readers("readers=5,7"), Ok(these));
        for wrong in ["readers=", "readers=5,", "readers=some"] {
            assert!(readers(wrong).is_err(), "{wrong}");
        }
        let limited = options(&CommandLine::new("rate=1000 burst=2000")).unwrap();
        assert_eq!(limited.rate.bytes_a_second, 1000);
        assert_eq!(limited.rate.burst, 2000);
    }
}
