//! QEMU's control socket: one JSON object a line (QEMU, docs/interop/qmp-spec).

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// How long QEMU may take to answer: it answers at once unless the machine is badly overloaded.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to QEMU's control socket.
#[derive(Debug)]
pub(crate) struct Qmp {
    reader: BufReader<UnixStream>,
}

impl Qmp {
    /// Waits for QEMU's greeting and answers it.
    pub(crate) fn new(stream: UnixStream) -> Result<Qmp> {
        stream
            .set_read_timeout(Some(PATIENCE))
            .context("cannot set a time limit for QEMU's answers")?;
        let mut qmp = Qmp {
            reader: BufReader::new(stream),
        };
        qmp.line()?;
        qmp.call("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Runs a command and returns its result.
    pub(crate) fn call(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let order = json!({ "execute": command, "arguments": arguments });
        self.reader
            .get_mut()
            .write_all(format!("{order}\n").as_bytes())
            .context("QEMU has gone")?;
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                bail!(
                    "QEMU refuses {command}: {}",
                    error["desc"].as_str().unwrap_or("for no stated reason")
                );
            }
            if let Some(result) = answer.get_mut("return") {
                return Ok(result.take());
            }
            // Anything else is an event.
        }
    }

    /// Runs a command of the human monitor, whose only sign of an error is that it prints something.
    pub(crate) fn human(&mut self, line: &str) -> Result<()> {
        let answer = self.call("human-monitor-command", json!({ "command-line": line }))?;
        match answer.as_str().map(str::trim) {
            Some("") | None => Ok(()),
            Some(text) => bail!("QEMU refuses {line}: {text}"),
        }
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        let count = self
            .reader
            .read_line(&mut line)
            .context("QEMU does not answer on its control socket")?;
        if count == 0 {
            bail!("QEMU has ended");
        }
        serde_json::from_str(&line).with_context(|| format!("QEMU says what is no JSON: {line}"))
    }
}
