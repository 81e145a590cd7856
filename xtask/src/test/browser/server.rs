//! The website's program as a Linux process.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::build;
use crate::hold::{self, End};
use crate::workspace::Workspace;

/// What it says when it can be asked.
const SERVING: &str = "serving on port";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running website. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Builds and starts it, and waits until it serves.
    pub(super) fn start(workspace: &Workspace) -> Result<Server> {
        let program = build::for_debugging(workspace, workspace.app("website")?)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("no port of 127.0.0.1 is free")?
            .port();
        let mut child = hold::command(&program, End::Kill)
            .arg("--forward")
            .arg(format!("{port}:80"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let said = child.stdout.take().context("the website has no output")?;
        let server = Server { child, port };
        let (tell, told) = mpsc::channel();
        // It is read to the end: a program that cannot write its log would wait.
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                if line.contains(SERVING) {
                    let _ = tell.send(());
                }
            }
        });
        if told.recv_timeout(PATIENCE).is_err() {
            bail!("the website does not say that it serves");
        }
        Ok(server)
    }

    /// Its address, without a closing slash.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
