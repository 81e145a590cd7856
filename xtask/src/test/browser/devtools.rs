//! The DevTools protocol over pipes: JSON texts, a zero byte after each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::interrupt::Guard;

/// How long the browser may take for anything. A busy machine is slow to start it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running browser. It ends when this is dropped.
pub(super) struct Browser {
    child: Child,
    commands: Option<ChildStdin>,
    messages: Receiver<Value>,
    last_id: u64,
    events: Vec<Event>,
    _profile: Guard,
}

/// Something that the browser tells unasked.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) method: String,
    pub(super) parameters: Value,
}

impl Browser {
    /// Takes over a browser that was just started. `profile` removes what it leaves behind.
    pub(super) fn new(mut child: Child, profile: Guard) -> Result<Browser> {
        let commands = child.stdin.take();
        let answers = child.stdout.take().context("no pipe from Chromium")?;
        let (tell, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for text in BufReader::new(answers).split(0) {
                let message = text
                    .ok()
                    .and_then(|text| serde_json::from_slice(&text).ok());
                let told = message.map(|message| tell.send(message));
                if !matches!(told, Some(Ok(()))) {
                    return;
                }
            }
        });
        Ok(Browser {
            child,
            commands,
            messages,
            last_id: 0,
            events: Vec::new(),
            _profile: profile,
        })
    }

    /// Asks for something and waits for the answer; what is told meanwhile is kept.
    pub(super) fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut text = message.to_string().into_bytes();
        text.push(0);
        self.commands
            .as_mut()
            .context("Chromium is at its end")?
            .write_all(&text)
            .with_context(|| format!("Chromium takes no commands ({method})"))?;
        loop {
            let mut answer = self.next().with_context(|| format!("after {method}"))?;
            if answer["id"] != id {
                self.keep(answer);
                continue;
            }
            if let Some(error) = answer.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(answer["result"].take());
        }
    }

    /// Waits until `method` is told, and forgets that it was.
    pub(super) fn wait_for(&mut self, method: &str) -> Result<()> {
        loop {
            if let Some(at) = self.events.iter().position(|event| event.method == method) {
                self.events.remove(at);
                return Ok(());
            }
            let message = self
                .next()
                .with_context(|| format!("waiting for {method}"))?;
            self.keep(message);
        }
    }

    /// All that was told since the last time and not waited for.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn keep(&mut self, mut message: Value) {
        if let Some(method) = message["method"].as_str() {
            self.events.push(Event {
                method: method.to_owned(),
                parameters: message["params"].take(),
            });
        }
    }

    fn next(&mut self) -> Result<Value> {
        self.messages
            .recv_timeout(PATIENCE)
            .context("Chromium does not answer")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without commands to come, it ends in order; if it does not, it is ended.
        let _ = self.call(None, "Browser.close", json!({}));
        drop(self.commands.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
