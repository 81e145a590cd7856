//! A program at the daemon's socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, bail};
use morgana_xenstore_peers::Daemon;
use morgana_xenstore_wire::{Commit, Decoder, Errno, Operation, Request, RequestId, TransactionId};

/// A connection, with one request under way at a time.
pub(crate) struct Client {
    stream: UnixStream,
    decoder: Decoder,
    out: Vec<u8>,
    /// The paths of events that have come.
    events: Vec<String>,
}

/// What a request came to.
pub(crate) type Answer = Result<Vec<u8>, Errno>;

impl Client {
    pub(crate) fn new(daemon: &Daemon) -> Result<Self> {
        Ok(Self {
            stream: daemon.connect()?,
            decoder: Decoder::new(),
            out: Vec::new(),
            events: Vec::new(),
        })
    }

    /// Asks, and waits for the reply.
    pub(crate) fn ask(&mut self, id: TransactionId, request: Request<'_>) -> Result<Answer> {
        self.out.clear();
        request.encode(RequestId(1), id, &mut self.out)?;
        self.stream.write_all(&self.out)?;
        loop {
            if let Some(answer) = self.next()? {
                return Ok(answer);
            }
        }
    }

    /// The next packet: a reply, or an event, which is kept.
    fn next(&mut self) -> Result<Option<Answer>> {
        loop {
            if let Some(packet) = self.decoder.next()? {
                let payload = packet.payload;
                return Ok(match packet.header.operation() {
                    Some(Operation::WatchEvent) => {
                        let path = payload.split(|&byte| byte == 0).next();
                        let path = String::from_utf8_lossy(path.unwrap_or_default());
                        self.events.push(path.into_owned());
                        None
                    }
                    Some(Operation::Error) => {
                        let name = payload.strip_suffix(b"\0").unwrap_or(payload);
                        Some(Err(
                            Errno::from_name(name).context("an error without a name")?
                        ))
                    }
                    _ => Some(Ok(payload.to_vec())),
                });
            }
            let len = self.stream.read(self.decoder.space())?;
            if len == 0 {
                bail!("the daemon has closed the connection");
            }
            self.decoder.filled(len);
        }
    }

    /// Asks for what has to be granted, outside of transactions.
    pub(crate) fn must(&mut self, request: Request<'_>) -> Result<Vec<u8>> {
        let granted = self.ask(TransactionId::NONE, request)?;
        granted.with_context(|| format!("{request:?}"))
    }

    /// Waits until there was an event for the path.
    pub(crate) fn await_event(&mut self, path: &str) -> Result<()> {
        loop {
            if let Some(at) = self.events.iter().position(|event| event == path) {
                self.events.swap_remove(at);
                return Ok(());
            }
            if self.next()?.is_some() {
                bail!("a reply to nothing");
            }
        }
    }

    /// Begins a transaction.
    pub(crate) fn start(&mut self) -> Result<TransactionId> {
        let id = self.must(Request::TransactionStart)?;
        let id = String::from_utf8_lossy(&id);
        Ok(TransactionId(id.trim_end_matches('\0').parse()?))
    }

    /// Ends it; false if it is to be tried again.
    pub(crate) fn end(&mut self, id: TransactionId, commit: Commit) -> Result<bool> {
        match self.ask(id, Request::TransactionEnd { commit })? {
            Ok(_) => Ok(true),
            Err(Errno::Again) => Ok(false),
            Err(error) => bail!("a transaction ends with {error}"),
        }
    }
}
