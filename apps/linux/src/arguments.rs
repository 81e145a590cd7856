//! The program's arguments.

use core::fmt;
use core::net::Ipv4Addr;
use std::path::PathBuf;

use morgana_net_stack::{AddressConfig, Ipv4Config};
use morgana_usernet::{Config, Forward};

use crate::Disk;

/// What a program is asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arguments {
    /// To say how it is used.
    Help,
    /// To run as a process of the Xen domain that this Linux is in.
    OnXen {
        /// The app's command line.
        command_line: String,
    },
    /// To run as a domain of the emulation.
    Run {
        /// The host's ports that lead to the app.
        forwards: Vec<Forward>,
        /// Where to record what passes over its network interface.
        pcap: Option<PathBuf>,
        /// The domain's memory in MiB. A Linux process takes what it needs; the figure only stands in xenstore.
        memory_mib: u32,
        /// Its disks.
        disks: Vec<Disk>,
        /// The app's command line.
        command_line: String,
    },
}

/// Why the arguments make no sense: one line for the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for UsageError {}

/// Memory of a domain, if nothing is said.
const MEMORY_MIB: u32 = 16;

impl Arguments {
    /// Reads arguments, without the program's name.
    ///
    /// # Errors
    ///
    /// [`UsageError`] for the first argument that makes no sense.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, UsageError> {
        let mut forwards = Vec::new();
        let mut pcap = None;
        let mut memory_mib = None;
        let mut disks = Vec::new();
        let mut place = Place::Emulation;
        let mut words = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            // `--key value` and `--key=value` are the same.
            let (key, attached) = match argument.split_once('=') {
                Some((key, value)) if key.starts_with("--") => (key, Some(value.to_string())),
                _ => (argument.as_str(), None),
            };
            let mut value = || {
                attached
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| UsageError(format!("{key}: a value is missing")))
            };
            match key {
                "--help" | "-h" => return Ok(Self::Help),
                "--forward" => forwards.push(parse(key, &value()?)?),
                "--pcap" => pcap = Some(PathBuf::from(value()?)),
                "--memory" => memory_mib = Some(parse_memory(key, &value()?)?),
                "--disk" => disks.push(parse(key, &value()?)?),
                "--xen" if attached.is_some() => {
                    return Err(UsageError(format!("{argument}: --xen takes no value")));
                }
                "--xen" => place = Place::Xen,
                "--" => words.extend(arguments.by_ref()),
                _ if key.starts_with('-') => {
                    return Err(UsageError(format!(
                        "{argument}: no such option; see --help"
                    )));
                }
                _ => words.push(argument),
            }
        }
        let command_line = words.join(" ");
        if place == Place::Xen {
            let what = if !forwards.is_empty() {
                "--forward"
            } else if pcap.is_some() {
                "--pcap"
            } else if memory_mib.is_some() {
                "--memory"
            } else if !disks.is_empty() {
                "--disk"
            } else {
                return Ok(Self::OnXen { command_line });
            };
            return Err(UsageError(format!(
                "{what} and --xen: there is no emulation then"
            )));
        }
        network(&command_line)?;
        Ok(Self::Run {
            forwards,
            pcap,
            memory_mib: memory_mib.unwrap_or(MEMORY_MIB),
            disks,
            command_line,
        })
    }

    /// How the program is used. `words` is what the app says of its command line, if it says anything.
    pub fn usage(program: &str, words: &str) -> String {
        let head = if words.is_empty() {
            ""
        } else {
            "\nARGUMENT may be:\n\n"
        };
        format!(
            "Usage: {program} [--forward HOST:GUEST]... [--pcap FILE] [--memory MIB] [--disk NAME=FILE]... [--] [ARGUMENT]...\n\
             \x20      {program} --xen [--] [ARGUMENT]...\n\
             \n\
             Runs as a domain of an emulated Xen, inside this process and with no privileges; or, with --xen,\n\
             as a process of the real Xen domain that this Linux is in, mostly dom0, by the devices in /dev/xen.\n\
             Ctrl-C or SIGTERM asks it to end; a second one ends it at once.\n\
             \n\
             \x20 --xen                 use the real Xen's event channels, grants and xenstore\n\
             \x20 --forward HOST:GUEST  connections to port HOST of 127.0.0.1 lead to its port GUEST; HOST 0 is any\n\
             \x20                       free port; HOST:GUEST/udp leads datagrams there\n\
             \x20 --pcap FILE           record its network interface for Wireshark\n\
             \x20 --memory MIB          the domain's memory, as the toolstack says it to the app; the process takes\n\
             \x20                       what it needs ({MEMORY_MIB})\n\
             \x20 --disk NAME=FILE      its disk NAME (xvda) is FILE, which it cannot write if this process cannot\n\
             \x20 --help                say this\n\
             \x20 ARGUMENT              the app's command line, as behind extra= in an xl configuration\n\
             {head}{words}"
        )
    }
}

/// Where the app runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Emulation,
    Xen,
}

fn parse_memory(key: &str, value: &str) -> Result<u32, UsageError> {
    match parse(key, value)? {
        0 => Err(UsageError(format!("{key} 0: a domain needs some"))),
        mib => Ok(mib),
    }
}

fn parse<T>(key: &str, value: &str) -> Result<T, UsageError>
where
    T: core::str::FromStr<Err: fmt::Display>,
{
    value
        .parse()
        .map_err(|error| UsageError(format!("{key} {value}: {error}")))
}

/// The network that suits the app's command line: connections go to the address that it gives itself, if it does.
///
/// # Errors
///
/// [`UsageError`] if the gateway is not beside that address.
pub(crate) fn network(command_line: &str) -> Result<Config, UsageError> {
    let default = Config::default();
    // Whatever is wrong with an address, the app says it better.
    let Ok(AddressConfig {
        ipv4: Ipv4Config::Static { cidr, .. },
        ..
    }) = AddressConfig::parse(command_line)
    else {
        return Ok(default);
    };
    let guest: Ipv4Addr = cidr.address;
    if cidr.prefix != default.prefix || !cidr.contains(default.gateway) || guest == default.gateway
    {
        let Config {
            gateway, prefix, ..
        } = default;
        return Err(UsageError(format!(
            "ip={guest}/{}: the emulated network is that of {gateway}/{prefix}",
            cidr.prefix
        )));
    }
    Ok(Config { guest, ..default })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, UsageError> {
        Arguments::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn options_and_words_in_any_order() {
        let expected = Arguments::Run {
            forwards: vec!["8080:80".parse().unwrap(), "0:443/udp".parse().unwrap()],
            pcap: Some("a.pcapng".into()),
            memory_mib: 8,
            disks: vec!["xvdb=a=b".parse().unwrap()],
            command_line: "log=debug verbose".into(),
        };
        for line in [
            "--disk xvdb=a=b --pcap a.pcapng --forward 8080:80 --forward=0:443/udp --memory 8 log=debug verbose",
            "log=debug --pcap=a.pcapng --memory=8 --forward 8080:80/tcp --forward 0:443/udp --disk=xvdb=a=b -- verbose",
        ] {
            assert_eq!(parse(line), Ok(expected.clone()));
        }
        assert_eq!(parse("--forward 1:1 -h"), Ok(Arguments::Help));
        let Ok(Arguments::Run { command_line, .. }) = parse("-- --help") else {
            panic!("behind -- nothing is an option");
        };
        assert_eq!(command_line, "--help");
    }

    #[test]
    fn on_a_real_xen_there_is_nothing_to_emulate() {
        let command_line = "ip=192.168.0.7/24 a=b".to_string();
        let expected = Arguments::OnXen { command_line };
        assert_eq!(parse("ip=192.168.0.7/24 --xen a=b"), Ok(expected));
        for (line, expected) in [
            (
                "--xen --forward 0:80",
                "--forward and --xen: there is no emulation then",
            ),
            (
                "--memory 8 --xen",
                "--memory and --xen: there is no emulation then",
            ),
            ("--xen=yes", "--xen=yes: --xen takes no value"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (line, expected) in [
            ("--forward", "--forward: a value is missing"),
            ("--memory x", "--memory x: invalid digit found in string"),
            ("--memory 0", "--memory 0: a domain needs some"),
            ("--frob", "--frob: no such option; see --help"),
            ("--frob=1", "--frob=1: no such option; see --help"),
            (
                "--forward 80",
                "--forward 80: expected HOST:GUEST or HOST:GUEST/udp, two port numbers, of which the guest's is not 0",
            ),
            (
                "ip=192.168.0.7/24",
                "ip=192.168.0.7/24: the emulated network is that of 10.0.2.2/24",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn an_app_has_its_say_in_the_help() {
        let plain = Arguments::usage("app", "");
        let more = Arguments::usage("app", "  size=MIB  how large\n");
        assert!(plain.starts_with("Usage: app ") && plain.ends_with("xl configuration\n"));
        assert_eq!(
            more.strip_prefix(&plain),
            Some("\nARGUMENT may be:\n\n  size=MIB  how large\n")
        );
    }

    #[test]
    fn connections_go_where_the_app_says_it_is() {
        let guest = |line| network(line).map(|config| config.guest.octets());
        assert_eq!(guest("ip=10.0.2.50/24 gw=10.0.2.2"), Ok([10, 0, 2, 50]));
        assert_eq!(guest("ip=dhcp"), Ok([10, 0, 2, 15]));
        assert_eq!(guest("ip=nonsense"), Ok([10, 0, 2, 15]));
        assert!(guest("ip=10.0.2.2/24").is_err());
    }
}
