//! Servers of others.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use morgana_peer_programs::{Process, free_address};

use crate::program::Programs;
use crate::socket::PATIENCE;

/// How often another port is tried, when somebody took the one that was free a moment ago.
const PORTS: usize = 5;

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Web {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Process,
}

impl Web {
    /// `openssl s_server` with the certificate of this name, which shows a page about the connection; `words` come behind.
    ///
    /// # Errors
    ///
    /// Those of the system; `TimedOut` if it does not listen, with what it said.
    pub fn s_server(programs: &Programs, certificate: &str, words: &str) -> io::Result<Self> {
        Self::start(programs, |address| {
            let mut command = programs.openssl();
            command
                .args(["s_server", "-accept", &address.to_string(), "-www"])
                .arg("-cert")
                .arg(programs.path(&format!("{certificate}.cert.pem")))
                .arg("-key")
                .arg(programs.path(&format!("{certificate}.key.pem")))
                .args(words.split_whitespace());
            Ok(command)
        })
    }

    /// `nginx` with the certificate for `example.test`, which serves the programs' folder.
    ///
    /// # Errors
    ///
    /// As for [`Web::s_server`].
    pub fn nginx(programs: &Programs) -> io::Result<Self> {
        Self::start(programs, |address| {
            let text = include_str!("nginx.conf").replace("ADDRESS", &address.to_string());
            let path = programs.path("nginx.conf");
            fs::write(&path, text)?;
            Ok(programs.nginx(&path))
        })
    }

    /// Python's `http.server`, which serves the programs' folder by plain http, in this version of the protocol.
    ///
    /// # Errors
    ///
    /// As for [`Web::s_server`].
    pub fn python(programs: &Programs, version: &str) -> io::Result<Self> {
        Self::start(programs, |address| {
            let mut command = programs.python();
            command
                .args([
                    "-m",
                    "http.server",
                    "--bind",
                    "127.0.0.1",
                    "--protocol",
                    version,
                ])
                .arg("--directory")
                .arg(programs.folder())
                .arg(address.port().to_string());
            Ok(command)
        })
    }

    fn start(
        programs: &Programs,
        command: impl Fn(SocketAddr) -> io::Result<Command>,
    ) -> io::Result<Self> {
        let mut tried = 0;
        loop {
            tried += 1;
            let address = free_address()?;
            match Self::try_start(programs, address, &mut command(address)?) {
                Err(_) if tried < PORTS => {}
                started => return started,
            }
        }
    }

    fn try_start(
        programs: &Programs,
        address: SocketAddr,
        command: &mut Command,
    ) -> io::Result<Self> {
        let path = programs.path(&format!("log-{}", address.port()));
        let log = fs::File::create(&path)?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut process = Process::start(command)?;
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = process.ended()?;
            if ended.is_some() || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(&path)?;
                let text = format!("{command:?} does not listen ({ended:?}); it says {said}");
                return Err(io::Error::new(ErrorKind::TimedOut, text));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(Self {
            address,
            _process: process,
        })
    }
}
