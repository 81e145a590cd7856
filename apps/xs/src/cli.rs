//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Looks at xenstore and changes it
#[derive(Debug, Parser)]
#[command(
    name = "xs",
    version,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) task: Task,
}

const EXAMPLES: &str = "\
Examples:
  xs ls /local/domain/1             what is below a node, as a tree
  xs read /local/domain/1/name      a value
  xs write /a/b 1 /a/c 2            two values, in one transaction
  xs view /local/domain/1           what changes there, as it happens
  xs dump /vm > vm.json             all of it as it is at one moment

The way to xenstored is --socket, else $XENSTORED_PATH, else $XENSTORED_RUNDIR/socket or
/run/xenstored/socket, else /dev/xen/xenbus.

Exit status: 0 done; 1 failed; 2 the command line makes no sense; 3 a node is not there;
4 it did not happen in time.";

/// What all commands have.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Xenstored's socket, or the kernel's xenstore device
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) socket: Option<PathBuf>,
    /// How long to wait for an answer (30); in wait, watch and view: how long in all
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Whether output has colours; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColourChoice::Auto)]
    pub(crate) color: ColourChoice,
}

/// Whether output has colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ColourChoice {
    /// If it goes to a terminal
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Show nodes and what is below them, as a tree
    Ls(Ls),
    /// Print values
    Read(Read),
    /// Set values, all in one transaction
    Write(Write),
    /// Remove nodes and all below them, in one transaction
    Rm(Rm),
    /// Make nodes without a value, in one transaction
    Mkdir(Mkdir),
    /// Tell by the exit status whether nodes are there
    Exists(Exists),
    /// Print changes as they happen, a line each
    Watch(Watch),
    /// Show what comes, changes (old -> new) and goes, as it happens
    View(View),
    /// Wait until a node is there, has a value, or is gone
    Wait(Wait),
    /// Set who may read and write a node
    Chmod(Chmod),
    /// Print a node and all below it as JSON, as it is at one moment
    Dump(Dump),
    /// Make what a dump has, all or nothing
    Load(Load),
    /// List the domains that have a home in xenstore
    #[command(
        after_help = "Examples:\n  xs domains                    numbers and names, a line each"
    )]
    Domains,
}

/// The arguments of `ls`.
#[derive(Debug, Args)]
#[command(after_help = "\
Values are in quotes. What a terminal would act upon is escaped: \\n, \\x1b, \\u{202e}.
Permissions are the owner's number with what all others may do, then other domains' entries:
n nothing, r read, w write, b both.

Examples:
  xs ls                         everything
  xs ls -l --depth 1 /vm        a node and its children, with permissions
  xs ls -f | grep mac           a node a line, with its whole path")]
pub(crate) struct Ls {
    /// Show permissions, too
    #[arg(short, long)]
    pub(crate) long: bool,
    /// Each node on a line with its whole path
    #[arg(short, long)]
    pub(crate) full: bool,
    /// How many levels below the paths to show
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// A JSON array with an object a node
    #[arg(long, conflicts_with = "full")]
    pub(crate) json: bool,
    /// Where to begin (/)
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,
}

/// The arguments of `read`.
#[derive(Debug, Args)]
#[command(after_help = "\
A value is printed on a line, and what is no printable text in it is escaped; a backslash is
written as two. --raw prints the bytes as they are, and nothing else.

Examples:
  xs read /local/domain/1/name
  xs read --raw /local/domain/1/data/picture > picture")]
pub(crate) struct Read {
    /// The bytes as they are, with no newline after them
    #[arg(long)]
    pub(crate) raw: bool,
    /// A JSON array with an object a node
    #[arg(long, conflicts_with = "raw")]
    pub(crate) json: bool,
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
}

/// The arguments of `write`.
#[derive(Debug, Args)]
#[command(after_help = "\
Missing nodes are made, and those above them. All is written or nothing. The value - is read from
standard input, to its end and byte by byte (printf %s makes no newline, echo does).

Examples:
  xs write /local/domain/1/control/shutdown poweroff
  xs write /a/b 1 /a/c 2
  xs write -e /a/b 'two\\nlines'
  gzip -c FILE | xs write /a/file -")]
pub(crate) struct Write {
    /// Values have escapes: \n \r \t \\ \" \x1b \u{20ac}
    #[arg(short, long)]
    pub(crate) escapes: bool,
    /// Paths and their values, in turn; options go before them
    #[arg(
        value_names = ["PATH", "VALUE"],
        required = true,
        num_args = 2..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) nodes: Vec<OsString>,
}

/// The arguments of `rm`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is below a node goes with it: xenstore knows no other removal. / is refused.

Examples:
  xs rm /local/domain/7
  xs rm --dry-run /vm           what would go, a path a line")]
pub(crate) struct Rm {
    /// Nodes that are not there are no error
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Only print what would go
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
}

/// The arguments of `mkdir`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nodes above them are made, too. One that is there stays as it is.

Examples:
  xs mkdir /a/b /a/c")]
pub(crate) struct Mkdir {
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
}

/// The arguments of `exists`.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit status is 0 if all are there, and 3 if one is not; nothing is printed.

Examples:
  xs exists /local/domain/1/data && echo it is there")]
pub(crate) struct Exists {
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
}

/// The arguments of `watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
A line has the path and the value that it has by then, or <gone>. Changes of one node that come
faster than they are shown are one line. --timeout ends it: with success, unless -n asked for more.

Examples:
  xs watch /local/domain/1/device
  xs watch -n 1 @releaseDomain  until some domain ends
  xs watch /a --exec 'logger \"$XS_PATH is $XS_VALUE now\"'")]
pub(crate) struct Watch {
    /// End after so many changes
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub(crate) count: Option<u64>,
    /// How many levels below the paths to show
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Show the paths' own values first; when they are there, all that follows is told
    #[arg(short, long)]
    pub(crate) initial: bool,
    /// A JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Run a shell's command for each change, with XS_PATH and, unless it is gone, XS_VALUE
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<OsString>,
    /// Nodes, or special events such as @introduceDomain and @releaseDomain
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
}

/// The arguments of `view`.
#[derive(Debug, Args)]
#[command(after_help = "\
+ is what came, ~ what changed, - what went; before it is the time (UTC). What changes more than
once before it is looked at is shown as it is then.

Examples:
  xs view                       everything
  xs view -l /local/domain/1    with permissions")]
pub(crate) struct View {
    /// Look at permissions, too
    #[arg(short, long)]
    pub(crate) long: bool,
    /// How many levels below the path to look at
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Where to look
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) path: OsString,
}

/// The arguments of `wait`.
#[derive(Debug, Args)]
#[command(after_help = "\
It waits for ever, or as long as --timeout says; then the exit status is 4.

Examples:
  xs wait /local/domain/1/data/ready
  xs wait --value 4 --timeout 10 /local/domain/1/device/vif/0/state
  xs wait --gone /local/domain/1")]
pub(crate) struct Wait {
    /// Until it has this value
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) value: Option<OsString>,
    /// Until it is gone
    #[arg(long, conflicts_with = "value")]
    pub(crate) gone: bool,
    #[arg(value_name = "PATH")]
    pub(crate) path: OsString,
}

/// The arguments of `chmod`.
#[derive(Debug, Args)]
#[command(after_help = "\
In letters, as xenstore-chmod has it, PERMs are the whole list: the owner with what all others may do,
then other domains. n is nothing, r read, w write, b both: \"n0 r5\" is domain 0's, and 5 may read.
In words, what is not said stays as it is: owner:0, others:none|read|write|both, read:5, write:5,
both:5, none:5, and drop:5, which takes domain 5's entry away.

Examples:
  xs chmod /a n0 r5 b7
  xs chmod -r /a read:5         domain 5 may read all of it, and nothing else changes")]
pub(crate) struct Chmod {
    /// The node and all below it, in one transaction
    #[arg(short, long)]
    pub(crate) recursive: bool,
    #[arg(value_name = "PATH")]
    pub(crate) path: OsString,
    #[arg(value_name = "PERM", required = true)]
    pub(crate) permissions: Vec<String>,
}

/// The arguments of `dump`.
#[derive(Debug, Args)]
#[command(after_help = "\
The JSON is an object with format \"xenstore-dump\", version 1, the path, and nodes: a node a line, with
path, value (or base64, if it is no text) and permissions. It is read in a transaction; for a large tree
of Xen's C xenstored that takes long, and --no-transaction helps.

Examples:
  xs dump > everything.json
  xs dump /local/domain/1 | jq -r '.nodes[].path'")]
pub(crate) struct Dump {
    /// Write to this file, which is replaced when all is written
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Read node by node while others may change them; what goes meanwhile is left out
    #[arg(long)]
    pub(crate) no_transaction: bool,
    #[arg(value_name = "PATH", default_value = "/")]
    pub(crate) path: OsString,
}

/// The arguments of `load`.
#[derive(Debug, Args)]
#[command(after_help = "\
All is made in one transaction, or nothing. The dump is checked before anything is asked.

Examples:
  xs load vm.json
  xs load --replace --dry-run vm.json   what would change
  xs load vm.json /copy                 at another place")]
pub(crate) struct Load {
    /// What is there and not in the dump stays (this is what happens if nothing is said)
    #[arg(long, conflicts_with = "replace")]
    pub(crate) merge: bool,
    /// What is there and not in the dump goes
    #[arg(long)]
    pub(crate) replace: bool,
    /// Only print what would change
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// The dump; - or nothing is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Where to put what the dump has, instead of where it was
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<OsString>,
}

/// Seconds, such as `2` or `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let refuse = || "not a number of seconds".to_owned();
    let number: f64 = text.parse().map_err(|_| refuse())?;
    Duration::try_from_secs_f64(number).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_complaint_is_one_line() {
        for line in [
            &["xs"][..],
            &["xs", "frob"],
            &["xs", "ls", "--depth", "x"],
            &["xs", "write", "/a"],
            &["xs", "read", "--timeout", "-1", "/a"],
            &["xs", "read", "--raw", "--json", "/a"],
            &["xs", "ls", "--\x1b[31m"],
        ] {
            let said = morgana_command::complaint(&Cli::try_parse_from(line).unwrap_err());
            assert!(said.ends_with("(try --help)"), "{said}");
            assert!(!said.contains(['\n', '\x1b']), "{said:?}");
        }
    }

    #[test]
    fn values_may_look_like_options() {
        let cli = Cli::try_parse_from(["xs", "write", "-e", "/a", "-1", "/b", "--json"]).unwrap();
        let Task::Write(write) = cli.task else {
            panic!("{cli:?}");
        };
        assert!(write.escapes);
        assert_eq!(write.nodes, ["/a", "-1", "/b", "--json"]);
    }
}
