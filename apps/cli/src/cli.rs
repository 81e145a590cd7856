//! The command line.

use clap::{Args, Parser, Subcommand};
use morgana_hal::WallTime;
use morgana_logs::record::Whose;

use crate::time::point;

/// Makes and ends a machine's domains, and looks for their log records
#[derive(Debug, Parser)]
#[command(name = "morgana", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Show log records, and follow them
    Log(Log),
    /// Say which domain is the machine's logger, or make one so
    Logger(Logger),
    /// Serve this machine's domains: images stay understood and domains are built ahead, so that one starts in a moment
    Daemon(Daemon),
    /// Ask the daemon, and print its answers
    Ask(Ask),
    /// Print a configuration in TOML
    Convert(Convert),
    #[command(flatten)]
    Domains(Domains),
}

/// The commands about domains.
#[derive(Debug, Subcommand)]
pub(crate) enum Domains {
    /// Make a domain, and print its number
    Create(Create),
    /// Build domains ahead, of which `create --ahead` takes one
    Prepare(Prepare),
    /// List the domains
    List(List),
    /// Tell a domain's figures, or those of all: a JSON object a line
    Stats(Stats),
    /// Show a domain's console, and pass on what is typed
    Console(Console),
    /// Stop a domain
    Pause(Domain),
    /// Let a domain run again
    Unpause(Domain),
    /// Ask a domain to shut down
    Shutdown(Shutdown),
    /// End a domain, and wait until nothing is left of it
    Destroy(Domain),
}

/// The arguments of `create`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is in the language of xl.cfg(5), or in TOML if its name ends in .toml. Of its keys name, type (pv), kernel, memory, vcpus (1), extra,
vif (mac, bridge, backend), disk (target, vdev, access, backend), on_poweroff, on_reboot and on_crash are
understood. With anything else in it no domain is made.

Examples:
  morgana create web.cfg
  morgana create web.cfg --name web-2 --extra log=debug
  morgana create --console web.cfg      shows its console, from its first line on
  morgana create --wait web.cfg         does what on_poweroff, on_reboot and on_crash say")]
pub(crate) struct Create {
    /// The configuration
    #[arg(value_name = "CONFIG")]
    pub(crate) config: std::path::PathBuf,
    /// Another name than the configuration's
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// A word more on the domain's command line
    #[arg(long, value_name = "WORD")]
    pub(crate) extra: Vec<String>,
    /// Take a domain that was built ahead, if there is one
    #[arg(long)]
    pub(crate) ahead: bool,
    /// Show the domain's console, as the command console does, instead of its number
    #[arg(long, short = 'c', conflicts_with = "wait")]
    pub(crate) console: bool,
    /// Wait for the domain's end, and do what the configuration says then
    #[arg(long)]
    pub(crate) wait: bool,
}

/// The arguments of `prepare`.
#[derive(Debug, Args)]
#[command(after_help = "\
Such a domain has its memory, its devices and its image, and is paused. `create --ahead` with the same
configuration gives it its name and its command line, and lets it run. Its number is printed; `destroy`
ends it. When the configuration or the image changes, those that were built before are not taken.

Example:
  morgana prepare --count 5 web.cfg
  morgana create --ahead --name web-1 web.cfg")]
pub(crate) struct Prepare {
    /// The configuration
    #[arg(value_name = "CONFIG")]
    pub(crate) config: std::path::PathBuf,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) count: u16,
}

/// The arguments of `daemon`.
#[derive(Debug, Args)]
#[command(after_help = "\
Programs of the same user ask it over the socket, with a JSON object a line, and get one a line:

  {\"do\": \"create\", \"config\": \"/guests/web.cfg\", \"name\": \"web-1\", \"extra\": \"log=debug\"}
  {\"do\": \"keep\", \"config\": \"/guests/web.cfg\", \"count\": 5}
  {\"do\": \"kept\"}                           how many are there
  {\"do\": \"run\", \"config\": \"/guests/web.cfg\"}      have it run, always; also with name and extra
  {\"do\": \"services\"}                       what is had run
  {\"do\": \"halt\", \"name\": \"web\"}            ends that, and the domain
  {\"do\": \"list\"}
  {\"do\": \"stats\", \"domain\": \"web-1\"}           also pause, unpause, shutdown, reboot, destroy

Domains go on when it ends, and it finds them when it starts again. Over HTTP the same object is sent to /ask
by POST, with the token, and configurations are called by their paths within the folder of guests.

Examples:
  morgana daemon --keep 5:/guests/web.cfg
  morgana daemon --listen 10.0.0.1:7070 --token-file /etc/morgana/token --guests /guests")]
pub(crate) struct Daemon {
    /// Where it listens
    #[arg(long, value_name = "PATH", default_value = "/run/morgana/socket")]
    pub(crate) socket: std::path::PathBuf,
    /// Have so many domains of a configuration built ahead, always
    #[arg(long, value_name = "N:CONFIG", value_parser = keep)]
    pub(crate) keep: Vec<(usize, std::path::PathBuf)>,
    /// Have a domain of this configuration run, always: as the request run does
    #[arg(long, value_name = "CONFIG")]
    pub(crate) run: Vec<std::path::PathBuf>,
    /// Where it remembers what it was asked to keep
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/var/lib/morgana/daemon.json"
    )]
    pub(crate) state: std::path::PathBuf,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// The arguments of `daemon` about clients on the network: all of them, or none.
#[derive(Debug, Args)]
pub(crate) struct Network {
    /// Serve HTTP there, too, without TLS: for a network of the operator's own
    #[arg(long, value_name = "ADDRESS:PORT", requires_all = ["token_file", "guests"])]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// What clients on the network must say: Authorization: Bearer TOKEN. The file is its owner's alone
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) token_file: Option<std::path::PathBuf>,
    /// The folder of configurations that clients on the network may name
    #[arg(long, value_name = "FOLDER", requires = "listen")]
    pub(crate) guests: Option<std::path::PathBuf>,
}

/// The arguments of `ask`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  morgana ask '{\"do\": \"create\", \"config\": \"/guests/web.cfg\", \"name\": \"web-1\"}'
  morgana ask '{\"do\": \"list\"}'

`morgana daemon --help` tells what can be asked. Exit status: 0 done; 1 failed; 2 the command line makes no sense.")]
pub(crate) struct Ask {
    /// A JSON object
    #[arg(value_name = "REQUEST", required = true)]
    pub(crate) requests: Vec<String>,
    /// Where the daemon listens
    #[arg(long, value_name = "PATH", default_value = "/run/morgana/socket")]
    pub(crate) socket: std::path::PathBuf,
}

/// The arguments of `convert`.
#[derive(Debug, Args)]
#[command(after_help = "\
Comments are not kept, nor what stands for the default.

Example:
  morgana convert web.cfg >web.toml")]
pub(crate) struct Convert {
    /// The configuration
    #[arg(value_name = "CONFIG")]
    pub(crate) config: std::path::PathBuf,
}

/// A number and a path.
fn keep(text: &str) -> Result<(usize, std::path::PathBuf), String> {
    let parts = text
        .split_once(':')
        .and_then(|(count, path)| Some((count.parse().ok()?, path.into())));
    parts.ok_or_else(|| "a number and a path are wanted, as in 5:/guests/web.cfg".to_owned())
}

/// The arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Without the first line
    #[arg(long)]
    pub(crate) no_header: bool,
}

/// The arguments of `stats`.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// A domain's number or name
    #[arg(value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

/// The arguments of `shutdown`.
#[derive(Debug, Args)]
pub(crate) struct Shutdown {
    #[command(flatten)]
    pub(crate) whose: Domain,
    /// To be started again
    #[arg(long)]
    pub(crate) reboot: bool,
    /// Wait until it has
    #[arg(long)]
    pub(crate) wait: bool,
}

/// The arguments of `console`.
#[derive(Debug, Args)]
#[command(after_help = "\
Ctrl-] leaves it; the domain goes on. It ends by itself when the domain has shut down or is gone. What the domain writes is shown as it is,
control characters included. One program at a time has a console, xl's counted. Without a terminal, what standard input has is passed on.

Examples:
  morgana console web
  morgana console web </dev/null >web.log")]
pub(crate) struct Console {
    #[command(flatten)]
    pub(crate) whose: Domain,
}

/// Whose domain.
#[derive(Debug, Args)]
pub(crate) struct Domain {
    /// A domain's number or name
    #[arg(value_name = "DOMAIN")]
    pub(crate) domain: String,
}

/// The arguments of `log`.
#[derive(Debug, Args)]
#[command(after_help = "\
A TIME is a point such as 2026-11-26T17:30:00Z, 2026-11-26 or 17:30 (today), in UTC, or how long ago
it is: 90s, 10m, 2h, 3d. Records come in the order in which the logger got them.

Examples:
  morgana log                           all that there is
  morgana log -n 20 --follow            the last 20, and what comes
  morgana log --domain web --level warn what is wrong with one domain
  morgana log --since 10m --grep refused
  morgana log --json | jq -r .message

Exit status: 0 done; 1 failed; 2 the command line makes no sense; 130 ended by Ctrl-C.")]
pub(crate) struct Log {
    /// Go on with what comes later
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only the last so many of those that are there
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) lines: Option<usize>,
    /// Only this domain's, by its number or its name
    #[arg(short, long, value_name = "DOMAIN", default_value = "", hide_default_value = true, value_parser = whose)]
    pub(crate) domain: Whose,
    /// Only what is as important: error, warn, info, debug or trace
    #[arg(
        short,
        long,
        value_name = "LEVEL",
        default_value = "trace",
        hide_default_value = true,
        value_parser = level
    )]
    pub(crate) level: log::Level,
    /// Only those whose target begins so
    #[arg(
        short,
        long,
        value_name = "TARGET",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) target: String,
    /// Only those that are not older
    #[arg(long, value_name = "TIME", value_parser = point)]
    pub(crate) since: Option<WallTime>,
    /// Only those that are not newer
    #[arg(long, value_name = "TIME", value_parser = point)]
    pub(crate) until: Option<WallTime>,
    /// Only those with this text in the message or a field
    #[arg(
        short,
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) grep: String,
    /// A JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask the logger in this domain, not the machine's
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) logger: Option<String>,
}

/// The arguments of `logger`.
#[derive(Debug, Args)]
#[command(after_help = "\
Domains that were started with logger=auto send their records to it from then on. To be said again when
it was made anew. The program that runs in dom0 says so itself.

Examples:
  morgana logger                which domain it is
  morgana logger logs           the domain of this name")]
pub(crate) struct Logger {
    /// A domain's number or name
    #[arg(value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

/// A domain's number or its name.
fn whose(text: &str) -> Result<Whose, core::convert::Infallible> {
    Ok(match text.parse() {
        _ if text.is_empty() => Whose::All,
        Ok(number) => Whose::Id(morgana_hal::DomId::new(number)),
        Err(_) => Whose::Name(text.to_owned()),
    })
}

fn level(text: &str) -> Result<log::Level, String> {
    text.parse()
        .map_err(|_| "error, warn, info, debug and trace are levels".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    fn log(words: &[&str]) -> Result<Log, String> {
        let words = ["morgana", "log"].iter().chain(words);
        match Cli::try_parse_from(words)
            .map_err(|error| morgana_command::complaint(&error))?
            .task
        {
            Task::Log(log) => Ok(log),
            _ => unreachable!(),
        }
    }

    #[test]
    fn a_domain_is_a_number_or_a_name() {
        assert_eq!(log(&[]).unwrap().domain, Whose::All);
        let seven = Whose::Id(morgana_hal::DomId::new(7));
        assert_eq!(log(&["--domain", "7"]).unwrap().domain, seven);
        assert_eq!(
            log(&["-d", "web"]).unwrap().domain,
            Whose::Name("web".into())
        );
    }

    #[test]
    fn what_makes_no_sense_is_one_line() {
        for words in [
            &["--level", "loud"][..],
            &["--since", "yesterday-ish"],
            &["--lines", "-1"],
            &["--nothing"],
            &["word\x1b[31m"],
        ] {
            let complaint = log(words).unwrap_err();
            assert!(!complaint.contains(char::is_control), "{complaint}");
            assert!(complaint.ends_with("(try --help)"), "{complaint}");
        }
    }
}
