//! A client: requests over any async byte stream, one after the other, and what comes back.

mod buffer;
mod connect;
mod error;
mod limits;
mod origin;
mod reply;

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{Read, Write};
use morgana_exec::Timers;

pub use connect::{Connect, ConnectFailed};
pub use error::ClientError;
pub use limits::ClientLimits;
pub use origin::{Answer, AskError, Origin};
pub use reply::Reply;

use crate::wire::{HeadWriter, Method, Persistence, ResponseHead};
use buffer::Buffer;
use reply::Content;

/// Bytes of a piece of a request's body.
const BLOCK: usize = 2048;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The method.
    pub method: Method,
    /// Path and query, percent-encoded.
    pub target: &'a str,
    /// The host that is asked, with its port if that is not the scheme's own.
    pub host: &'a str,
    /// Further fields, as name and value. `Host`, `Content-Length`, `Transfer-Encoding` and `Connection` are the client's own.
    pub fields: &'a [(&'a str, &'a str)],
}

impl<'a> Ask<'a> {
    /// A GET without further fields.
    pub const fn get(host: &'a str, target: &'a str) -> Self {
        Self {
            method: Method::Get,
            target,
            host,
            fields: &[],
        }
    }
}

/// The content of a request that is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// None.
    None,
    /// So many bytes.
    Length(u64),
    /// As many as come, in chunks.
    Chunked,
}

/// Whether a connection can carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// A request is under way, or its answer was not read to the end, or the server closes.
    Used,
}

/// A connection to a server.
#[derive(Debug)]
pub struct Client<S> {
    stream: S,
    timers: Timers,
    limits: ClientLimits,
    state: State,
    input: Buffer,
    /// The head of the last response.
    head: alloc::vec::Vec<u8>,
}

impl<S: Read + Write> Client<S> {
    /// A client that speaks over `stream`, which is connected.
    pub fn new(stream: S, timers: Timers, limits: ClientLimits) -> Self {
        Self {
            stream,
            timers,
            limits,
            state: State::Idle,
            input: Buffer::default(),
            head: alloc::vec::Vec::new(),
        }
    }

    /// Whether another request may be sent: the last answer was read to its end, and the server keeps the connection.
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle && self.input.is_empty()
    }

    /// Asks, with these bytes as the request's content, and waits for the answer's head.
    ///
    /// # Errors
    ///
    /// [`ClientError`]. After one the connection is of no more use.
    pub async fn send(
        &mut self,
        ask: &Ask<'_>,
        content: &[u8],
    ) -> Result<Reply<'_, S>, ClientError> {
        let upload = match content.is_empty() && !may_have_content(ask.method) {
            true => Upload::None,
            false => Upload::Length(content.len() as u64),
        };
        self.send_head(ask, core::iter::empty(), upload).await?;
        self.write(content).await?;
        self.receive(ask.method).await
    }

    /// Asks, with what `source` gives as the request's content: of this length, or in chunks.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn upload(
        &mut self,
        ask: &Ask<'_>,
        source: &mut impl Read,
        length: Option<u64>,
    ) -> Result<Reply<'_, S>, ClientError> {
        let upload = length.map_or(Upload::Chunked, Upload::Length);
        self.forward(ask, core::iter::empty(), source, upload).await
    }

    /// Passes a request on: with these fields, as they came, behind those of `ask`, and with what `source` gives as its content. A server that answers before it has taken all of that
    /// is listened to.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn forward<'f>(
        &mut self,
        ask: &Ask<'_>,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
        source: &mut impl Read,
        upload: Upload,
    ) -> Result<Reply<'_, S>, ClientError> {
        self.send_head(ask, fields, upload).await?;
        let sent = match upload {
            Upload::None => Ok(()),
            Upload::Length(_) | Upload::Chunked => self.send_content(source, upload).await,
        };
        match sent {
            Ok(()) => self.receive(ask.method).await,
            // It does not want to have more, and may have said why.
            Err(error @ (ClientError::Stream | ClientError::TimedOut)) => {
                let reply = self.receive(ask.method).await;
                let mut reply = reply.map_err(|_| error)?;
                reply.content.forsake();
                Ok(reply)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends a content.
    async fn send_content(
        &mut self,
        source: &mut impl Read,
        upload: Upload,
    ) -> Result<(), ClientError> {
        let mut left = match upload {
            Upload::Length(length) => length,
            Upload::None | Upload::Chunked => u64::MAX,
        };
        let in_chunks = upload == Upload::Chunked;
        let mut block = zeroed(BLOCK)?;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK);
            let read = source.read(&mut block[..most]).await;
            let count = read.map_err(|_| ClientError::Upload)?.min(most);
            if count == 0 {
                break;
            }
            left -= count as u64;
            if in_chunks {
                let mut line = *b"0000\r\n";
                for (place, digit) in line[..4].iter_mut().rev().enumerate() {
                    *digit = b"0123456789abcdef"[count >> (4 * place) & 15];
                }
                self.write(&line).await?;
            }
            self.write(&block[..count]).await?;
            if in_chunks {
                self.write(b"\r\n").await?;
            }
        }
        match upload {
            Upload::Chunked => self.write(b"0\r\n\r\n").await,
            _ if left > 0 => Err(ClientError::Upload),
            _ => Ok(()),
        }
    }

    /// Sends the head of a request.
    async fn send_head<'f>(
        &mut self,
        ask: &Ask<'_>,
        more: impl Iterator<Item = (&'f [u8], &'f [u8])>,
        upload: Upload,
    ) -> Result<(), ClientError> {
        if self.state != State::Idle {
            return Err(ClientError::NotIdle);
        }
        self.state = State::Used;
        if !self.input.is_empty() {
            return Err(ClientError::Unasked);
        }
        let mut block = zeroed(self.limits.request_head)?;
        let mut writer = HeadWriter::request(&mut block, ask.method, ask.target);
        writer.field("Host", ask.host);
        match upload {
            Upload::None => {}
            Upload::Length(length) => writer.number_field("Content-Length", length),
            Upload::Chunked => writer.field("Transfer-Encoding", "chunked"),
        }
        for (name, value) in ask.fields {
            writer.field(name, value);
        }
        for (name, value) in more {
            writer.raw_field(name, value);
        }
        let length = writer.finish().map_err(|_| ClientError::Unfit)?;
        self.write(&block[..length]).await
    }

    /// Looks whether the connection can still carry a request: the server has not closed it meanwhile, and has sent nothing unasked. It does not wait.
    pub async fn is_still_idle(&mut self) -> bool {
        if !self.is_idle() {
            return false;
        }
        let mut byte = [0];
        let mut read = pin!(self.stream.read(&mut byte));
        // Whatever comes now, be it the end, is no answer.
        let silent = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_pending())).await;
        if !silent {
            self.state = State::Used;
        }
        silent
    }

    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), ClientError> {
        while !bytes.is_empty() {
            let write = self.stream.write(bytes);
            let written = self.timers.timeout(self.limits.write_time, write).await;
            match written.map_err(|_| ClientError::TimedOut)? {
                Ok(count @ 1..) => bytes = bytes.get(count..).unwrap_or_default(),
                _ => return Err(ClientError::Stream),
            }
        }
        Ok(())
    }

    /// Reads heads until one is final.
    async fn receive(&mut self, method: Method) -> Result<Reply<'_, S>, ClientError> {
        let limits = self.limits;
        let flushed = self.timers.timeout(limits.write_time, self.stream.flush());
        let flushed = flushed.await.map_err(|_| ClientError::TimedOut)?;
        flushed.map_err(|_| ClientError::Stream)?;
        let heads = self
            .input
            .final_head(&mut self.stream, &limits, &mut self.head);
        let heads = self.timers.timeout(limits.head_time, heads).await;
        heads.map_err(|_| ClientError::TimedOut)??;
        let head = ResponseHead::parse(&self.head, method, &limits.head_limits())
            .map_err(ClientError::Response)?;
        let mut content = Content {
            stream: &mut self.stream,
            timers: &self.timers,
            read_time: limits.read_time,
            input: &mut self.input,
            state: &mut self.state,
            end: reply::End::of(head.framing()),
            keeps: head.persistence() == Persistence::KeepAlive,
        };
        content.settle();
        Ok(Reply { head, content })
    }
}

/// Methods whose requests say that they have no content, too (RFC 9110 §8.6).
fn may_have_content(method: Method) -> bool {
    matches!(method, Method::Post | Method::Put | Method::Patch)
}

/// Zeroed bytes.
fn zeroed(length: usize) -> Result<alloc::vec::Vec<u8>, ClientError> {
    let mut bytes = alloc::vec::Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| ClientError::NoMemory)?;
    bytes.resize(length, 0);
    Ok(bytes)
}
