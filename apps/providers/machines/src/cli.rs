//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use morgana_providers::{At, Launch};

/// Makes, lists and ends machines of any provider: this host's Xen, a host of libvirt, EC2.
#[derive(Debug, Parser)]
#[command(
    name = "morgana-machines",
    version,
    disable_help_subcommand = true,
    after_help = "\
WHERE is one of
  xen, xen:SOCKET              this host's Xen, by `morgana daemon`
  libvirt:URI                  libvirt:xen:///system, libvirt:xen+ssh://root@host/system
  ec2:REGION[@ENDPOINT]        with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment

Examples:
  morgana-machines --at xen create --name web-1 /guests/web.cfg
  morgana-machines --at libvirt:xen:///system list
  morgana-machines --at ec2:eu-west-1 create --image ami-0123456789abcdef0 --kind t3.nano --name web-1

Exit status: 0 done; 1 refused, lost or late; 2 what was asked for makes no sense."
)]
pub(crate) struct Cli {
    /// Whose machines
    #[arg(long, value_name = "WHERE")]
    pub(crate) at: At,
    /// For xen: the folder of the consoles' logs (xenconsoled --log=guest --log-dir)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) consoles: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) task: Task,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Make a machine; prints it
    Create(Create),
    /// Make a machine, print what it writes to its console, and end it at Ctrl-C
    Run(Create),
    /// All machines, a JSON object a line
    List,
    /// A machine's figures, as a JSON object
    Stats(Which),
    /// Have it stand still
    Pause(Which),
    /// Let it run on
    Unpause(Which),
    /// Ask it to shut down
    Shutdown(Which),
    /// End it
    Destroy(Which),
    /// What it has written to its console
    Console(Which),
}

/// Which machine.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The machine's id or name
    #[arg(value_name = "MACHINE")]
    pub(crate) machine: String,
}

/// The machine that is to be made.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// A configuration, in the language of xl or in TOML; EC2 takes name and command line of it
    #[arg(value_name = "CONFIG")]
    configuration: Option<PathBuf>,
    /// An image that the provider keeps: the id of an AMI
    #[arg(long, value_name = "ID")]
    image: Option<String>,
    /// Its name, in place of the configuration's
    #[arg(long)]
    name: Option<String>,
    /// More words on its command line
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        hide_default_value = true
    )]
    extra: String,
    /// Its memory, in place of the configuration's
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// The kind of machine: an instance type
    #[arg(long)]
    kind: Option<String>,
}

impl Create {
    pub(crate) fn launch(&self) -> Launch {
        Launch {
            configuration: self.configuration.clone(),
            kept_image: self.image.clone(),
            name: self.name.clone(),
            extra: self.extra.clone(),
            memory_mib: self.memory,
            kind: self.kind.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_makes_no_sense_is_one_line() {
        for words in [
            &["--at", "kvm", "list"][..],
            &["list"],
            &["--at", "xen"],
            &["\u{1b}"],
        ] {
            let words = ["morgana-machines"].iter().chain(words);
            let complaint = morgana_command::complaint(&Cli::try_parse_from(words).unwrap_err());
            assert!(!complaint.contains(char::is_control), "{complaint}");
            assert!(complaint.ends_with("(try --help)"), "{complaint}");
        }
    }
}
