//! The queue as a Linux program, over the host's sockets, on a file or a block device.

use std::collections::hash_map::RandomState;
use std::fs::{File, TryLockError};
use std::hash::{BuildHasher as _, Hasher as _};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use morgana_block::BlockDevice as _;
use morgana_file::{Access, FileDisk};
use morgana_native::{Arguments, Disks, Program};
use morgana_sockets::{Host, serve as serve_http};
use morgana_uring::Uring;
use queue::{HELP, Service, Source, Store, Words};

/// Reads and writes of the disk under way at a time.
const OPERATIONS: u32 = 32;

const PROGRAM: Program = Program {
    name: "queue",
    summary: "Keeps a queue of jobs on a disk, and serves it over HTTP.",
    disks: Disks::Named,
    words: HELP,
};

pub(crate) fn main() -> ExitCode {
    morgana_native::main(&PROGRAM, serve)
}

fn since_1970() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

async fn serve(host: Host, arguments: Arguments) -> Result<(), String> {
    let words = Words::parse(arguments.command_line()).map_err(|error| error.to_string())?;
    let path = arguments.disk(words.disk.as_deref());
    let path = path.ok_or("disk=FILE is missing: the file or block device with the queue")?;
    let uring = Uring::new(OPERATIONS, host.reactor()).map_err(|error| error.to_string())?;
    let disk = FileDisk::open(&uring, path, Access::ReadWrite).map_err(|error| {
        let size = words.settings.queue.device_bytes().div_ceil(1 << 20);
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => format!("; to make it: truncate -s {size}M {path}"),
            _ => String::new(),
        };
        format!("{path}: {error}{hint}")
    })?;
    // Two programs would destroy each other's queue. The lock ends with the program.
    let lock = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        return Err(format!("{path}: another program has it"));
    }
    let bytes = disk.geometry().bytes();
    let source = Source {
        device: Rc::new(disk),
        clock: || since_1970().as_millis() as u64,
        // Its keys come from the kernel's random numbers.
        random: Box::new(|| RandomState::new().build_hasher().finish()),
        limits: words.settings.queue,
    };
    let store = Store::open(source).await.map_err(|error| {
        let why = queue::why_not(error, &words.settings, bytes);
        format!("{path}: {why}")
    })?;
    store.log().await;
    let keeping = store.clone().keep_open(host.timers(), words.settings);
    let kept = host.tasks().spawn(keeping);
    kept.map_err(|error| error.to_string())?;
    let listener = arguments.listen(&host, words.port)?;
    let told = listener.local_addr().map_err(|error| error.to_string())?;
    log::info!("serving the queue of {path} at http://{told}/");
    let seconds = || since_1970().as_secs();
    let server = Service::server(store, host.timers(), words.settings, seconds);
    // It is held as long as the queue is served.
    let _lock = lock;
    match serve_http(host, listener, server).await {}
}
