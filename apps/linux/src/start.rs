//! The main function of a program on the emulation.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use morgana_emul::{Console, EmulPlatform, Outcome};
use morgana_exec::Handle;
use morgana_hal::Exit;
use rustix::process::{Resource, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{Arguments, MachineError, Options, run};

/// What shells report for a program that Ctrl-C has ended: 128 and the signal's number.
const INTERRUPTED: i32 = 128 + SIGINT;
/// For arguments that make no sense.
const USAGE: u8 = 2;

/// Runs `app` as the program's own arguments say, and returns how the program ends. `app` gets its platform, its tasks and its command
/// line.
///
/// Ctrl-C and SIGTERM ask the app to power off, as `xl shutdown` does; a second one ends the process at once. A powered-off app is success,
/// and so is one that wants to be started again, which a process has nobody to do.
pub fn start<A, F>(app: A) -> ExitCode
where
    A: FnOnce(EmulPlatform, Handle, String) -> F + Send + 'static,
    F: Future<Output = Exit> + 'static,
{
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    let name = Path::new(&program).file_name();
    let name = name.map_or("app".into(), |name| name.to_string_lossy().into_owned());
    let arguments = match Arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let Arguments::Run {
        forwards,
        memory_mib,
        command_line,
    } = arguments
    else {
        print!("{}", Arguments::usage(&name));
        return ExitCode::SUCCESS;
    };
    let outcome = requests().map_err(MachineError::Host).and_then(|requests| {
        let options = Options {
            name: name.clone(),
            forwards: forwards.clone(),
            memory_mib,
            command_line,
            console: Console::Stdout,
            requests,
        };
        let announce = |bound: &[morgana_usernet::Forward]| {
            // What was asked for by number is known already.
            let chosen = bound
                .iter()
                .zip(&forwards)
                .filter(|(_, asked)| asked.host == 0);
            for (forward, _) in chosen {
                eprintln!("127.0.0.1:{} leads to port {}", forward.host, forward.guest);
            }
        };
        run(options, announce, app)
    });
    match outcome {
        Ok(Outcome::Exited(Exit::Poweroff | Exit::Reboot)) => ExitCode::SUCCESS,
        Ok(Outcome::Exited(Exit::Crash) | Outcome::Killed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prepares the process: as many descriptors as it may have, for a thousand connections; and a stream out of which comes a byte for each
/// signal that asks for an end.
fn requests() -> io::Result<UnixStream> {
    let limit = getrlimit(Resource::Nofile);
    // Without it there are fewer connections at a time.
    let _ = setrlimit(
        Resource::Nofile,
        rustix::process::Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
    let (requests, raised) = UnixStream::pair()?;
    requests.set_nonblocking(true)?;
    let was_asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset and sets it, the second one finds it set.
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, was_asked.clone())?;
        signal_hook::flag::register(signal, was_asked.clone())?;
        signal_hook::low_level::pipe::register(signal, raised.try_clone()?)?;
    }
    Ok(requests)
}
