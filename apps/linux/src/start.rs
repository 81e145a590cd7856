//! The main function of an app as a Linux program.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use morgana_emul::{Console, EmulPlatform, Outcome};
use morgana_exec::Handle;
use morgana_hal::Exit;
use morgana_linux::Linux;
use morgana_reactor::allow_descriptors;

use crate::signals::requests;
use crate::{Arguments, Disk, Forward, MachineError, Options, Protocol, Wish, run, run_on_xen};

/// For arguments that make no sense.
const USAGE: u8 = 2;

/// Runs the app as the program's own arguments say, and returns how the program ends: `emulated` as a domain of the emulation, `on_xen` as a
/// process of the real Xen domain that this Linux is in. Either gets its platform, its tasks and its command line, and `on_xen` also the
/// wish that it end. `help` is what `--help` says of the app's command line.
///
/// Ctrl-C and SIGTERM ask the app to end, in the emulation as `xl shutdown` does; a second one ends the process at once. A powered-off app is
/// success, and so is one that wants to be started again, which a process has nobody to do.
pub fn start<A, F, B, G>(help: &str, emulated: A, on_xen: B) -> ExitCode
where
    A: FnOnce(EmulPlatform, Handle, String) -> F + Send + 'static,
    F: Future<Output = Exit> + 'static,
    B: FnOnce(Linux, Handle, String, Wish) -> G,
    G: Future<Output = Exit> + 'static,
{
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    let name = Path::new(&program).file_name();
    let name = name.map_or("app".into(), |name| name.to_string_lossy().into_owned());
    let ended = match Arguments::parse(arguments) {
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::from(USAGE);
        }
        Ok(Arguments::Help) => {
            print!("{}", Arguments::usage(&name, help));
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::OnXen { command_line }) => {
            // For a thousand connections.
            allow_descriptors();
            let requests = requests().map_err(MachineError::Host);
            requests.and_then(|requests| run_on_xen(command_line, requests, on_xen))
        }
        Ok(Arguments::Run {
            forwards,
            pcap,
            memory_mib,
            disks,
            command_line,
        }) => {
            allow_descriptors();
            let emulation = Emulation {
                name: &name,
                forwards,
                pcap,
                memory_mib,
                disks,
                command_line,
            };
            emulation.run(emulated)
        }
    };
    match ended {
        Ok(Exit::Poweroff | Exit::Reboot) => ExitCode::SUCCESS,
        Ok(Exit::Crash) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the arguments say of the emulation.
struct Emulation<'a> {
    name: &'a str,
    forwards: Vec<Forward>,
    pcap: Option<PathBuf>,
    memory_mib: u32,
    disks: Vec<Disk>,
    command_line: String,
}

impl Emulation<'_> {
    fn run<A, F>(self, app: A) -> Result<Exit, MachineError>
    where
        A: FnOnce(EmulPlatform, Handle, String) -> F + Send + 'static,
        F: Future<Output = Exit> + 'static,
    {
        let options = Options {
            name: self.name.to_owned(),
            forwards: self.forwards.clone(),
            pcap: self.pcap,
            memory_mib: self.memory_mib,
            disks: self.disks,
            command_line: self.command_line,
            console: Console::Stdout,
            requests: requests()?,
        };
        let announce = |bound: &[Forward]| {
            // What was asked for by number is known already.
            let chosen = bound
                .iter()
                .zip(&self.forwards)
                .filter(|(_, asked)| asked.host == 0);
            for (forward, _) in chosen {
                let kind = match forward.protocol {
                    Protocol::Tcp => "port",
                    Protocol::Udp => "UDP port",
                };
                eprintln!(
                    "127.0.0.1:{} leads to {kind} {}",
                    forward.host, forward.guest
                );
            }
        };
        match run(options, announce, app)? {
            Outcome::Exited(exit) => Ok(exit),
            Outcome::Killed => Ok(Exit::Crash),
        }
    }
}
