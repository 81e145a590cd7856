//! An app as a process of a real Xen's domain.

use core::future::{pending, poll_fn};
use std::io::Read;
use std::os::unix::net::UnixStream;

use morgana_exec::{Executor, Handle};
use morgana_hal::{Exit, Platform};
use morgana_linux::{Direction, HasReactor, Linux, Source};

use crate::MachineError;

/// Runs `app` on this thread until it has ended. It gets the platform, its tasks, its command line, and a future that is ready once a
/// byte has come out of `requests` (a non-blocking stream): then somebody wants it to end.
///
/// # Errors
///
/// [`MachineError`]; the app has not run then.
pub fn run_on_xen<A, F>(
    command_line: String,
    requests: UnixStream,
    app: A,
) -> Result<Exit, MachineError>
where
    A: FnOnce(Linux, Handle, String, Wish) -> F,
    F: Future<Output = Exit> + 'static,
{
    let (platform, mut idle) = Linux::open()?;
    let wish = Wish(platform.reactor().register(requests)?);
    let clock = *platform.clock();
    let mut executor = Executor::new();
    let main = app(platform, executor.handle(), command_line, wish);
    Ok(executor.block_on(main, &mut idle, &clock))
}

/// Somebody's wish that the app end.
#[derive(Debug)]
pub struct Wish(Source<UnixStream>);

impl Wish {
    /// Waits for it; for ever, if nobody can wish any more.
    pub async fn granted(self) -> Exit {
        let mut byte = [0; 1];
        let read = poll_fn(|cx| {
            let read = |mut io: &UnixStream| io.read(&mut byte);
            self.0.poll_io(Direction::Read, cx, read)
        });
        match read.await {
            Ok(1..) => Exit::Poweroff,
            Ok(0) | Err(_) => pending().await,
        }
    }
}
