//! Answers that a handler passes on from elsewhere, head and all.

use core::cell::Cell;
use core::net::IpAddr;

use embedded_io_async::{ErrorType, Read, Write};
use morgana_hal::Instant;

use super::body::{Finish, RequestBody};
use super::output::Output;
use super::pool::{Block, Pool};
use super::{BodyError, End, Handler, Limits, OutputError, Server, Unfinished};
use crate::semantics::{Delimiter, Response, UnixTime};
use crate::wire::{HeadWriter, Method, Persistence, Request, Status, UnfitHead, Version};

/// What a handler that relays has done with a request.
#[derive(Debug)]
pub enum Relayed<'h> {
    /// It has answered, by [`Exchange::answer`].
    Answered,
    /// It has not: this is to be answered.
    Response(Response<'h>),
}

/// What follows a relayed head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayContent {
    /// Nothing: an answer to HEAD, a 204 or a 304. Its fields may tell the length of a content all the same.
    None,
    /// So many bytes.
    Length(u64),
    /// As many as come: in chunks, or to a client of HTTP/1.0 up to the end of the connection.
    Unknown,
}

/// One request and its answer, in the hands of a handler that [relays](super::Handler::RELAYS). Reading it reads the request's body.
#[derive(Debug)]
pub struct Exchange<'c, 's, S> {
    body: RequestBody<'c, 's, S>,
    pool: &'c Pool,
    limits: &'c Limits,
    peer: Option<IpAddr>,
    date: Option<UnixTime>,
    version: Version,
    method: Method,
    /// Whether the connection goes on as far as the request and the limits are concerned.
    wanted: Persistence,
    progress: Cell<Instant>,
    answer: Begun,
}

/// How far an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    Not,
    Head(Persistence, Finish),
    Whole(Persistence, Finish),
}

/// What has become of a request.
pub(super) enum Relay<'h> {
    Sent(Result<Persistence, End>, Finish),
    Respond(Response<'h>, Finish),
}

impl<'c, 's, S: Read + Write> Exchange<'c, 's, S> {
    pub(super) fn new<H: Handler>(
        server: &'c Server<H>,
        request: &Request<'_>,
        body: RequestBody<'c, 's, S>,
        peer: Option<IpAddr>,
        may_go_on: Persistence,
    ) -> Self {
        Self {
            body,
            pool: &server.pool,
            limits: &server.limits,
            peer,
            date: server.handler.time(),
            version: request.version(),
            method: request.method(),
            wanted: match may_go_on {
                Persistence::KeepAlive => request.persistence(),
                Persistence::Close => Persistence::Close,
            },
            progress: Cell::new(Instant::ZERO),
            answer: Begun::Not,
        }
    }

    /// The client's address, if the server was told.
    pub const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Whether an answer was begun, after which there can be no other one.
    pub fn is_answered(&self) -> bool {
        self.answer != Begun::Not
    }

    /// Waits until the client is gone, for who lets it wait for an answer: what waits for nobody need not be kept. What is left of the request's body is read and
    /// dropped first.
    ///
    /// A client is gone that has closed its sending side, too; or one that sends more than [`Limits::linger_bytes`] without waiting for the answer. What a
    /// client sends meanwhile, be it another request, is dropped: the connection closes behind the answer then. May be dropped, and asked again.
    pub async fn gone(&mut self) {
        if self.body.finish(self.pool).await.is_ok() {
            self.body.end_of_stream(self.limits.linger_bytes).await;
        }
    }

    /// Reads and drops what is left of the request's body, and sends a head: this status, these fields, and what the connection needs. `Connection`, `Content-Length` (but see
    /// [`RelayContent::None`]) and `Transfer-Encoding` must not be among the fields; `Date` is added if it is not. Then what is written to the result goes out as the content.
    ///
    /// # Errors
    ///
    /// [`RelayError`]. After [`RelayError::Unfit`] another answer may be given.
    pub async fn answer<'f>(
        &mut self,
        status: Status,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
        content: RelayContent,
    ) -> Result<Outgoing<'_, 's, S>, RelayError> {
        if self.is_answered() {
            return Err(RelayError::Unfit);
        }
        let finish = self.body.finish(self.pool).await;
        let finish = finish.map_err(|_| RelayError::Body)?;
        let (delimiter, length) = match (content, self.version) {
            _ if self.method == Method::Head || status.is_without_content() => {
                (Delimiter::Length, 0)
            }
            (RelayContent::None, _) => (Delimiter::Length, 0),
            (RelayContent::Length(length), _) => (Delimiter::Length, length),
            (RelayContent::Unknown, Version::Http11) => (Delimiter::Chunks, 0),
            (RelayContent::Unknown, Version::Http10) => (Delimiter::Close, 0),
        };
        let goes_on = finish == Finish::Read
            && delimiter != Delimiter::Close
            && self.wanted == Persistence::KeepAlive;
        let persistence = match goes_on {
            true => Persistence::KeepAlive,
            false => Persistence::Close,
        };
        let bare = self.method == Method::Head || status.is_without_content();
        let told = match content {
            RelayContent::Length(length) => Some(length),
            RelayContent::None if !bare => Some(0),
            RelayContent::None | RelayContent::Unknown => None,
        };
        let has_date = fields.clone().any(|(name, _)| is(name, "date"));
        let date = self.date.filter(|_| !has_date);
        let write = |block: &mut Block<'_>| -> Result<usize, UnfitHead> {
            let mut writer = HeadWriter::new(block, status);
            if let Some(date) = date {
                writer.field("Date", date.write_http_date(&mut [0; 29]));
            }
            for (name, value) in fields.clone() {
                writer.raw_field(name, value);
            }
            match (told, delimiter) {
                (Some(length), _) => writer.number_field("Content-Length", length),
                (None, Delimiter::Chunks) => writer.field("Transfer-Encoding", "chunked"),
                (None, _) => {}
            }
            match (persistence, self.version) {
                (Persistence::Close, _) => writer.field("Connection", "close"),
                (_, Version::Http10) => writer.field("Connection", "keep-alive"),
                _ => {}
            }
            writer.finish()
        };
        let mut block = self.pool.small().ok_or(RelayError::NoMemory)?;
        let mut head = write(&mut block);
        if head.is_err() {
            block = self.pool.large().ok_or(RelayError::NoMemory)?;
            head = write(&mut block);
        }
        let head = head.map_err(|UnfitHead| RelayError::Unfit)?;
        self.answer = Begun::Head(persistence, finish);
        let transport = self.body.transport();
        transport.begin_answer(status, head);
        self.progress.set(transport.now());
        let framing = (delimiter, length);
        let mut output = Output::new(transport, self.limits, block, framing, &self.progress);
        let sent = output.begin_behind(head).await;
        sent.map_err(|_| RelayError::Client)?;
        let answer = &mut self.answer;
        Ok(Outgoing { output, answer })
    }
}

impl<S> ErrorType for Exchange<'_, '_, S> {
    type Error = BodyError;
}

impl<S: Read + Write> Read for Exchange<'_, '_, S> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, BodyError> {
        self.body.read(room).await
    }
}

/// Why a relayed answer was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayError {
    /// Its fields are too long, or would break the message; or there was another answer before. Nothing was sent.
    Unfit,
    /// No memory, or no block for so long a head. Nothing was sent.
    NoMemory,
    /// The rest of the request's body could not be read. The server tells the client.
    Body,
    /// The client does not take it.
    Client,
}

impl core::fmt::Display for RelayError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unfit => "an answer that no client may get",
            Self::NoMemory => "no memory for the answer's head",
            Self::Body => "the request's body broke off",
            Self::Client => "the client does not take the answer",
        })
    }
}

impl core::error::Error for RelayError {}

/// The content of a relayed answer. It must be [finished](Self::finish): else the connection closes in the midst of it.
#[derive(Debug)]
pub struct Outgoing<'o, 's, S> {
    output: Output<'o, 's, S>,
    answer: &'o mut Begun,
}

impl<S: Read + Write> Outgoing<'_, '_, S> {
    /// Tells the end of the content.
    ///
    /// # Errors
    ///
    /// [`Unfinished`], if the client does not take it, or if there should have been more of it.
    pub async fn finish(mut self) -> Result<(), Unfinished> {
        self.output.finish().await?;
        if let Begun::Head(persistence, finish) = *self.answer {
            *self.answer = Begun::Whole(persistence, finish);
        }
        Ok(())
    }
}

impl<S> ErrorType for Outgoing<'_, '_, S> {
    type Error = OutputError;
}

impl<S: Read + Write> Write for Outgoing<'_, '_, S> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, OutputError> {
        self.output.write(bytes).await
    }

    async fn flush(&mut self) -> Result<(), OutputError> {
        self.output.flush().await
    }
}

/// Has the handler answer a request, and tells what of the bytes behind its head belonged to it.
pub(super) async fn relay<'h, H: Handler, S: Read + Write>(
    server: &'h Server<H>,
    request: &Request<'_>,
    mut exchange: Exchange<'_, '_, S>,
) -> Result<(Relay<'h>, usize), End> {
    let relayed = server.handler.relay(request, &mut exchange).await;
    let relay = match (exchange.answer, relayed) {
        (Begun::Whole(persistence, finish), _) => Relay::Sent(Ok(persistence), finish),
        (Begun::Head(_, finish), _) => Relay::Sent(Err(End::Unfinished), finish),
        (Begun::Not, relayed) => {
            let finish = exchange.body.finish(&server.pool).await;
            let finish = finish.map_err(End::BadBody)?;
            match relayed {
                Relayed::Response(response) => Relay::Respond(response, finish),
                Relayed::Answered => {
                    Relay::Respond(Response::text(Status::INTERNAL_SERVER_ERROR), finish)
                }
            }
        }
    };
    Ok((relay, exchange.body.taken()))
}

fn is(name: &[u8], expected: &str) -> bool {
    name.eq_ignore_ascii_case(expected.as_bytes())
}
