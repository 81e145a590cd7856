//! What a test on Xen works with.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail, ensure};

use crate::build::{Changes, Image, Workshop};
use crate::cli::{XenconsoledChoice, XenstoredChoice};
use crate::dom0;
use crate::run::ADDRESS;
use crate::testbed::{Deadline, End, Forward, Guest, Protocol, Testbed};

/// How long a guest may take for what takes it a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// A testbed and the builds of the workspace. `Deref` gives the testbed's own methods.
#[derive(Debug)]
pub(crate) struct Lab<'a> {
    workshop: &'a Workshop<'a>,
    testbed: Testbed,
}

impl std::ops::Deref for Lab<'_> {
    type Target = Testbed;

    fn deref(&self) -> &Testbed {
        &self.testbed
    }
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status line and the header.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The status code.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.split(' ').nth(1)?.parse().ok()
    }
}

impl<'a> Lab<'a> {
    /// A testbed whose dom0 runs on that daemon.
    pub(super) fn new(workshop: &'a Workshop<'a>, xenstored: XenstoredChoice) -> Result<Lab<'a>> {
        Ok(Lab {
            workshop,
            testbed: dom0::start(workshop, xenstored)?,
        })
    }

    /// Where things are built.
    pub(crate) fn workshop(&self) -> &Workshop<'a> {
        self.workshop
    }

    /// Replaces the daemon that serves consoles.
    pub(crate) fn change_xenconsoled(&self, choice: XenconsoledChoice) -> Result<()> {
        dom0::change_xenconsoled(self.workshop, &self.testbed, choice)
    }

    /// Adds what helps to understand a failure.
    pub(super) fn explain(&self, error: Error) -> Error {
        error.context(format!(
            "the last of Xen's and dom0's console:\n{}\nwhy it failed",
            self.testbed.console().tail()
        ))
    }

    /// The image of an app.
    pub(crate) fn image(&self, app: &str) -> Result<Image> {
        self.workshop.image(app)
    }

    /// Builds an app for Linux and copies it to dom0; returns its path there.
    pub(crate) fn program(&self, app: &str) -> Result<String> {
        let path = format!("/programs/{app}");
        self.testbed.put(&self.workshop.program(app)?, &path)?;
        Ok(path)
    }

    /// Builds an app and copies it to dom0; `extra` words go on its command line.
    pub(crate) fn guest(&self, app: &str, extra: &str) -> Result<Guest> {
        Guest::install(
            &self.testbed,
            self.workshop.workspace(),
            &self.image(app)?,
            extra,
        )
    }

    /// As [`Lab::guest`], with any changes to the app's configuration.
    pub(crate) fn guest_with(&self, app: &str, changes: &Changes) -> Result<Guest> {
        Guest::install_as(
            &self.testbed,
            self.workshop.workspace(),
            &self.image(app)?,
            changes,
        )
    }

    /// Runs an app until it ends; returns how, and what it wrote to its console.
    pub(crate) fn run_guest(&self, app: &str, changes: &Changes) -> Result<(End, String)> {
        let guest = self.guest_with(app, changes)?;
        let mut console = Vec::new();
        let end = guest.run(&self.testbed, Deadline::after(PATIENCE), &mut console);
        let text = String::from_utf8_lossy(&console).replace('\r', "");
        end.map(|end| (end, text.clone()))
            .with_context(|| format!("its console:\n{text}"))
    }

    /// Runs `hello`, which writes its last words and ends at once; looks whether all of that comes over.
    pub(crate) fn hear_goodbye(&self) -> Result<()> {
        let changes = Changes {
            extra: "seconds=0".to_owned(),
            ..Changes::default()
        };
        let (end, console) = self.run_guest("hello", &changes)?;
        ensure!(
            end == End::PowerOff && console.contains("Goodbye"),
            "{end:?}, its console:\n{console}"
        );
        Ok(())
    }

    /// Starts a program in dom0 that goes on, and waits until it has written `text`. Its output is in a file of its name with `.log`.
    pub(crate) fn start_program(&self, program: &str, arguments: &str, text: &str) -> Result<()> {
        let script = format!(
            "setsid {program} {arguments} >{program}.log 2>&1 </dev/null &\n\
             tries=0; until grep -q '{text}' {program}.log; do tries=$((tries+1)); [ $tries -lt 120 ] || break; sleep 0.5; done\n\
             grep -q '{text}' {program}.log || {{ cat {program}.log; exit 1; }}"
        );
        self.testbed
            .sh_within(&script, PATIENCE + PATIENCE)
            .map(drop)
            .with_context(|| format!("{program} never wrote {text:?}"))
    }

    /// Leads a free port of the host to a port of the guest at the usual address; returns it.
    pub(crate) fn forward_to(&self, port: u16) -> Result<u16> {
        /// Others on the host look for free ports, too, and one of them may take ours before QEMU does.
        const TRIES: u32 = 5;
        let mut tries = 1;
        loop {
            let host = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                .local_addr()?
                .port();
            let forward = Forward {
                protocol: Protocol::Tcp,
                host,
                address: ADDRESS,
                port,
            };
            match self.testbed.forward(forward) {
                Ok(()) => return Ok(host),
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => tries += 1,
            }
        }
    }

    /// Waits until a line of the guest's console has `text` in it; returns the line.
    pub(crate) fn expect_line(&self, guest: &Guest, text: &str) -> Result<String> {
        let start = Instant::now();
        loop {
            let console = guest.console(&self.testbed).unwrap_or_default();
            if let Some(line) = console.lines().find(|line| line.contains(text)) {
                return Ok(line.to_owned());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "{} never wrote {text:?}; its console:\n{console}",
                guest.name()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Asks for a page at a port of the host until it is answered.
    pub(crate) fn http_get(&self, port: u16, path: &str) -> Result<Answer> {
        let start = Instant::now();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        loop {
            match ask(port, request.as_bytes()) {
                Ok(answer) => return Ok(answer),
                Err(error) if start.elapsed() > PATIENCE => {
                    return Err(error.context(format!("no answer to GET {path} on port {port}")));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

/// Sends some bytes, reads the answer to its end.
fn ask(port: u16, request: &[u8]) -> Result<Answer> {
    const LARGEST: u64 = 64 * 1024 * 1024;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request)?;
    let mut bytes = Vec::new();
    stream.take(LARGEST).read_to_end(&mut bytes)?;
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        bail!("no HTTP answer")
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    Ok(Answer {
        head,
        body: bytes.split_off(end + 4),
    })
}
