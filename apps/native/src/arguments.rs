//! What the arguments say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use morgana::CommandLine;
use morgana_sockets::{Host, Listener};

use crate::Disks;

/// What a program was asked for.
#[derive(Clone, Debug)]
pub struct Arguments {
    line: CommandLine,
    /// Ports of the host, and those of the words that they stand for.
    forwards: Vec<(u16, u16)>,
    /// Names of disks, and the files that they are.
    disks: Vec<(String, String)>,
}

impl Arguments {
    /// Reads arguments, without the program's name. `None` asks for help.
    ///
    /// # Errors
    ///
    /// A line for the user about the first argument that makes no sense.
    pub fn parse(
        disks: Disks,
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, String> {
        let (mut words, mut forwards, mut files) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--" => words.extend(arguments.by_ref()),
                "--forward" => {
                    let value = arguments.next().unwrap_or_default();
                    forwards.push(ports(&value).ok_or("--forward wants HOST:PORT")?);
                }
                "--disk" if disks == Disks::Named => {
                    let value = arguments.next().unwrap_or_default();
                    let (name, file) = value.split_once('=').ok_or("--disk wants NAME=FILE")?;
                    files.push((name.to_owned(), file.to_owned()));
                }
                word if !word.starts_with('-') && word.contains('=') => words.push(argument),
                other => {
                    return Err(format!(
                        "{other}: neither an option nor KEY=VALUE; see --help"
                    ));
                }
            }
        }
        Ok(Some(Self {
            line: CommandLine::new(&words.join(" ")),
            forwards,
            disks: files,
        }))
    }

    /// The words, as a domain has them on its command line.
    pub const fn command_line(&self) -> &CommandLine {
        &self.line
    }

    /// The file that is meant by a word `disk=NAME`, or by none; a name that no option explains is a file itself.
    pub fn disk<'a>(&'a self, name: Option<&'a str>) -> Option<&'a str> {
        let mut disks = self.disks.iter();
        let disk = disks.find(|(known, _)| known == name.unwrap_or("xvda"));
        disk.map(|(_, file)| file.as_str()).or(name)
    }

    /// Listens at the address of the words, and at the host's port for one of them.
    ///
    /// # Errors
    ///
    /// A line for the user: the address makes no sense, or cannot be listened at.
    pub fn listen(&self, host: &Host, port: u16) -> Result<Listener, String> {
        let any = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let at = self.line.parse("listen", any);
        let at = at.map_err(|error| error.to_string())?;
        let address = SocketAddr::new(at, self.port(port));
        Listener::bind(host, address)
            .map_err(|error| format!("cannot listen at {address}: {error}"))
    }

    fn port(&self, of: u16) -> u16 {
        let mut forwards = self.forwards.iter();
        let forward = forwards.find(|(_, port)| *port == of);
        forward.map_or(of, |(host, _)| *host)
    }
}

fn ports(value: &str) -> Option<(u16, u16)> {
    let (host, port) = value.split_once(':')?;
    Some((host.parse().ok()?, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(disks: Disks, arguments: &[&str]) -> Result<Option<Arguments>, String> {
        Arguments::parse(disks, arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn words_ports_and_disks_are_told_apart() {
        let arguments = [
            "--forward",
            "0:80",
            "a=1",
            "--disk",
            "xvda=/f",
            "--",
            "-b=2",
        ];
        let arguments = parse(Disks::Named, &arguments).unwrap().unwrap();
        assert_eq!(arguments.command_line().as_str(), "a=1 -b=2");
        assert_eq!((arguments.port(80), arguments.port(81)), (0, 81));
        assert_eq!(arguments.disk(None), Some("/f"));
        assert_eq!(arguments.disk(Some("xvda")), Some("/f"));
        assert_eq!(arguments.disk(Some("/g")), Some("/g"));
        assert!(parse(Disks::None, &["a=1", "-h"]).unwrap().is_none());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (disks, arguments, part) in [
            (Disks::None, &["--forward", "80"][..], "--forward wants"),
            (Disks::None, &["--forward"], "--forward wants"),
            (Disks::None, &["--disk", "xvda=/f"], "--disk: neither"),
            (Disks::Named, &["--disk", "xvda"], "--disk wants"),
            (Disks::Named, &["--forwards=1:2"], "--forwards=1:2: neither"),
            (Disks::Named, &["word"], "word: neither"),
        ] {
            let error = parse(disks, arguments).unwrap_err();
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
        assert_eq!(parse(Disks::None, &[]).unwrap().unwrap().disk(None), None);
    }
}
