//! A server of NATS, and a thread that waits.

use std::fs;
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use morgana_peer_programs::{Folder, Packages, Process, free_address};
use morgana_queue::NewJob;
use morgana_queue_nats::Settings;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, began) = (pin!(future), Instant::now());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "it does not end");
        std::thread::park_timeout(PATIENCE);
    }
}

/// A server with a folder of its own.
pub(crate) struct Server {
    packages: Packages,
    folder: Folder,
    pub(crate) port: u16,
    process: Option<Process>,
}

impl Server {
    /// `None` where the program is not.
    pub(crate) fn start() -> Option<Self> {
        let Some(packages) = Packages::from_environment("MORGANA_NATS_PACKAGES") else {
            eprintln!(
                "skipped: `cargo xtask test unit` fetches nats-server and sets MORGANA_NATS_PACKAGES"
            );
            return None;
        };
        let mut server = Self {
            packages,
            folder: Folder::new().expect("a folder"),
            port: free_address().expect("a port").port(),
            process: None,
        };
        server.run();
        Some(server)
    }

    pub(crate) fn run(&mut self) {
        let folder = self.folder.path().display();
        let config = self.folder.path().join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{folder}\" }}\nlog_file: \"{folder}/log\"\n",
            self.port
        );
        fs::write(&config, text).expect("a file");
        let mut command = self.packages.command("usr/sbin/nats-server");
        let process = Process::start(command.arg("-c").arg(&config));
        let mut process = process.expect("it starts");
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = process.ended().expect("a process");
            assert!(ended.is_none() && began.elapsed() < PATIENCE, "{ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.process = Some(process);
    }

    /// Ends at once, without a word.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.child().kill().expect("it runs");
        process.child().wait().expect("it has ended");
    }

    pub(crate) fn settings(&self, stream: &str) -> Settings {
        Settings {
            servers: format!("nats://127.0.0.1:{}", self.port),
            stream: stream.to_owned(),
            ..Settings::default()
        }
    }
}

pub(crate) fn job(payload: &[u8]) -> NewJob {
    NewJob {
        payload: payload.to_vec(),
        ..NewJob::default()
    }
}
