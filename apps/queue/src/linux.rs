//! The queue as a Linux program, over the host's sockets, on a file or a block device.

use std::collections::hash_map::RandomState;
use std::fs::{File, TryLockError};
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use morgana::CommandLine;
use morgana_block::BlockDevice as _;
use morgana_file::{Access, FileDisk};
use morgana_sockets::{Host, Listener, run, serve as serve_http};
use morgana_uring::Uring;
use queue::{HELP, Service, Source, Store, Words};

/// Reads and writes of the disk under way at a time.
const OPERATIONS: u32 = 32;

const USAGE: &str = "\
Keeps a queue of jobs on a disk, and serves it over HTTP.

Usage: queue [--forward HOST:PORT]... [--disk NAME=FILE]... [disk=FILE] [WORD]...

Options:
  --forward HOST:PORT  listen at port HOST instead of PORT (as when it runs as a domain)
  --disk NAME=FILE     disk=NAME is FILE; without disk=, xvda is meant (as when it runs as a domain)
  --help               this text

Words:
  listen=ADDRESS     the address to listen at (127.0.0.1)
";

/// What the arguments say.
struct Arguments {
    line: CommandLine,
    /// Ports of the host instead of those of the words.
    forwards: Vec<(u16, u16)>,
    /// Files for the names of disks.
    disks: Vec<(String, String)>,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let (mut words, mut forwards, mut disks) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--" => words.extend(arguments.by_ref()),
                "--forward" => {
                    let value = arguments.next().unwrap_or_default();
                    let ports = value.split_once(':');
                    let ports = ports
                        .and_then(|(host, port)| Some((host.parse().ok()?, port.parse().ok()?)));
                    forwards.push(ports.ok_or("--forward wants HOST:PORT")?);
                }
                "--disk" => {
                    let value = arguments.next().unwrap_or_default();
                    let (name, file) = value.split_once('=').ok_or("--disk wants NAME=FILE")?;
                    disks.push((name.to_owned(), file.to_owned()));
                }
                word if word.contains('=') => words.push(argument),
                other => return Err(format!("{other}: neither an option nor KEY=VALUE")),
            }
        }
        Ok(Some(Self {
            line: CommandLine::new(&words.join(" ")),
            forwards,
            disks,
        }))
    }

    /// The port of the host for that of the words.
    fn port(&self, of: u16) -> u16 {
        let mut forwards = self.forwards.iter();
        let forward = forwards.find(|(_, port)| *port == of);
        forward.map_or(of, |(host, _)| *host)
    }

    /// The file that the words mean by a disk.
    fn disk<'a>(&'a self, of: Option<&'a str>) -> Option<&'a str> {
        let mut disks = self.disks.iter();
        let disk = disks.find(|(name, _)| name == of.unwrap_or("xvda"));
        disk.map(|(_, file)| file.as_str()).or(of)
    }
}

/// Log lines go where errors go.
struct Lines;

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Info
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("queue: {}", record.args());
        }
    }

    fn flush(&self) {}
}

pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{USAGE}{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    if log::set_logger(&Lines).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
    match run(|host| serve(host, arguments)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("queue: {why}");
    ExitCode::FAILURE
}

fn since_1970() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

async fn serve(host: Host, arguments: Arguments) -> Result<(), String> {
    let words = Words::parse(&arguments.line).map_err(|error| error.to_string())?;
    let at = arguments
        .line
        .parse("listen", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let at = at.map_err(|error| error.to_string())?;
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
    let address = SocketAddr::new(at, arguments.port(words.port));
    let listener = Listener::bind(&host, address)
        .map_err(|error| format!("cannot listen at {address}: {error}"))?;
    let told = listener.local_addr().map_err(|error| error.to_string())?;
    log::info!("serving the queue of {path} at http://{told}/");
    let seconds = || since_1970().as_secs();
    let server = Service::server(store, host.timers(), words.settings, seconds);
    // It is held as long as the queue is served.
    let _lock = lock;
    match serve_http(host, listener, server).await {}
}
