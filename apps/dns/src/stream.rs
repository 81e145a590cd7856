//! Queries in a stream (RFC 7766).

use alloc::vec::Vec;
use core::future::Future;
use core::net::IpAddr;
use core::time::Duration;

use embedded_io_async::{Read, Write};
use morgana_dns::{Outcome, Peer, Transport};
use morgana_exec::Timers;
use morgana_hal::Platform;

use crate::Shared;

/// How much of everything a connection gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamLimits {
    /// How long a connection may say nothing, or leave a message unfinished (10 s). Then it is closed.
    pub idle: Duration,
    /// How long it may take none of what is sent to it (10 s). Then it is closed.
    pub stalled: Duration,
    /// The longest query (4,096 octets). With a longer one the connection is closed.
    pub query: usize,
    /// How many octets of answers are gathered before they are sent (16,384). Further queries wait.
    pub answers: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(10),
            stalled: Duration::from_secs(10),
            query: 4096,
            answers: 16_384,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamEnd {
    /// The client has closed it.
    Closed,
    /// It said nothing for too long.
    Idle,
    /// It took no answer for too long.
    Stalled,
    /// A query was too long.
    TooLong,
    /// There is no memory for it.
    Memory,
    /// The stream has failed.
    Failed,
}

/// Serves one connection until it ends: queries that come one behind the other are answered in that order, without waiting for each other.
pub async fn serve_stream<P: Platform, S: Read + Write>(
    shared: &Shared<P>,
    timers: &Timers,
    limits: &StreamLimits,
    address: IpAddr,
    stream: &mut S,
) -> StreamEnd {
    let connection = Connection {
        shared,
        timers,
        limits,
        peer: Peer {
            address,
            transport: Transport::Tcp,
        },
        stream,
    };
    match connection.run().await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

struct Connection<'a, P, S> {
    shared: &'a Shared<P>,
    timers: &'a Timers,
    limits: &'a StreamLimits,
    peer: Peer,
    stream: &'a mut S,
}

impl<P: Platform, S: Read + Write> Connection<'_, P, S> {
    async fn run(mut self) -> Result<core::convert::Infallible, StreamEnd> {
        let mut input = Vec::new();
        input
            .try_reserve_exact(2 + self.limits.query)
            .map_err(|_| StreamEnd::Memory)?;
        input.resize(2 + self.limits.query, 0);
        let mut filled = 0;
        let mut output = Vec::new();
        // From a query's first octet to its last there is no more time than between queries: slow ones must not hold a connection.
        let mut deadline = self.timers.now() + self.limits.idle;
        loop {
            let left = deadline.since(self.timers.now());
            let read = self
                .timers
                .timeout(left, self.stream.read(&mut input[filled..]))
                .await;
            match read
                .map_err(|_| StreamEnd::Idle)?
                .map_err(|_| StreamEnd::Failed)?
            {
                0 => return Err(StreamEnd::Closed),
                count => filled += count,
            }
            let mut used = 0;
            while let Some(len) = length(&input[used..filled]) {
                if len > self.limits.query {
                    return Err(StreamEnd::TooLong);
                }
                let Some(query) = input[used..filled].get(2..2 + len) else {
                    break;
                };
                self.answer(query, &mut output).await?;
                used += 2 + len;
                deadline = self.timers.now() + self.limits.idle;
            }
            self.send(&mut output).await?;
            input.copy_within(used..filled, 0);
            filled -= used;
        }
    }

    /// Answers one query; the answer is sent with others.
    async fn answer(&mut self, query: &[u8], output: &mut Vec<u8>) -> Result<(), StreamEnd> {
        let start = output.len();
        output.extend_from_slice(&[0, 0]);
        let outcome = self
            .shared
            .server()
            .answer(query, self.peer, self.shared.now(), output);
        match outcome {
            Outcome::Reply => finish(output, start),
            Outcome::Drop => output.truncate(start),
            Outcome::Transfer(mut transfer) => {
                output.truncate(start);
                loop {
                    let start = output.len();
                    output.extend_from_slice(&[0, 0]);
                    if !transfer.next(output) {
                        output.truncate(start);
                        break;
                    }
                    finish(output, start);
                    self.send(output).await?;
                }
            }
        }
        if output.len() >= self.limits.answers {
            self.send(output).await?;
        }
        Ok(())
    }

    /// Sends what has been gathered.
    async fn send(&mut self, output: &mut Vec<u8>) -> Result<(), StreamEnd> {
        let mut rest = &output[..];
        while !rest.is_empty() {
            match self.in_time(rest).await? {
                0 => return Err(StreamEnd::Failed),
                count => rest = rest.get(count..).unwrap_or_default(),
            }
        }
        output.clear();
        Ok(())
    }

    fn in_time(&mut self, bytes: &[u8]) -> impl Future<Output = Result<usize, StreamEnd>> {
        let write = self
            .timers
            .timeout(self.limits.stalled, self.stream.write(bytes));
        async move {
            let written = write.await.map_err(|_| StreamEnd::Stalled)?;
            written.map_err(|_| StreamEnd::Failed)
        }
    }
}

/// How long the next message is.
fn length(input: &[u8]) -> Option<usize> {
    let octets = input.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*octets)))
}

/// Writes the length of the message whose place for it is at `start`.
fn finish(output: &mut [u8], start: usize) {
    // The server's messages are not longer than 65,535 octets.
    let len = (output.len() - start - 2) as u16;
    output[start..start + 2].copy_from_slice(&len.to_be_bytes());
}
